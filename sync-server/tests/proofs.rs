//! The server proves what it keeps: to the phones, which hold no more than a signed head.

mod jig;

use jig::phone::Refused;
use jig::{Phone, Server};
use minicbor::Decode;
use reqwest::Method;
use shared::event::Role;
use shared::sync::tree::proof::{ConsistencyProof, CurrentHead, InclusionProof};
use shared::sync::tree::{empty_root, head_message};
use shared::sync::wire::TreeHead;

async fn get<A: for<'b> Decode<'b, ()>>(phone: &Phone, path: &str) -> Result<A, Refused> {
    let request = phone.request(Method::GET, &format!("/api/v1/{path}"));
    let request = request.header("accept", "application/cbor");
    jig::phone::read(request.send().await.expect("answered")).await
}

/// The head that the server signs now, checked.
async fn head(phone: &Phone) -> TreeHead {
    let current: CurrentHead = get(phone, "head").await.expect("answered");
    let head = current.head;
    let (generation, size) = (current.generation, head.size);
    let message = head_message(phone.shop, &generation, size, &head.root, head.at);
    let key = phone.server_key.expect("claimed");
    assert!(device::keys::verify(&key, &message, &head.signature));
    head
}

async fn inclusion(phone: &Phone, of: &str) -> InclusionProof {
    let path = format!("proofs/inclusion?{of}");
    get(phone, &path).await.expect("it stands there")
}

async fn consistency(phone: &Phone, from: u64, to: u64) -> ConsistencyProof {
    let path = format!("proofs/consistency?from={from}&to={to}");
    get(phone, &path).await.expect("it grew")
}

/// A shop with a log of several blocks, and heads from its life.
async fn grown(server: &Server) -> (Phone, Phone, Vec<TreeHead>) {
    let mut owner = server.shop().await;
    let mut helper = owner.bring_in(Role::Cashier).await;
    let mut heads = vec![head(&owner).await];
    for (pushes, entries) in [(3, 7), (8, 1_000), (1, 185), (1, 1), (1, 90)] {
        for _ in 0..pushes {
            for _ in 0..entries {
                owner.credit();
            }
            owner.sync().await;
        }
        helper.credit();
        helper.sync().await;
        heads.push(head(&owner).await);
    }
    owner.sync().await;
    assert!(heads.last().expect("some").size > 2 * 4_096);
    (owner, helper, heads)
}

#[tokio::test]
async fn events_and_logs_are_proven_under_every_head_that_was_ever_signed() {
    let mut server = Server::new().await;
    let (owner, helper, heads) = grown(&server).await;
    for again in 0..2 {
        for (index, before) in heads.iter().enumerate() {
            for after in &heads[index..] {
                let proof = consistency(&owner, before.size, after.size).await;
                assert!(proof.proves(&before.root, &after.root));
                let from_nothing = consistency(&owner, 0, after.size).await;
                assert!(from_nothing.proves(&empty_root(), &after.root));
            }
            let size = before.size;
            let edges = [1, 2, 4_095, 4_096, 4_097, 8_192, 8_193, size - 1, size];
            for position in edges.into_iter().filter(|position| *position <= size) {
                let proof = inclusion(&owner, &format!("position={position}&size={size}")).await;
                assert!(proof.proves(&before.root), "{position} of {size}");
                let (device, seq) = (proof.leaf.device.0, proof.leaf.seq);
                let by_event = format!("device={device}&seq={seq}&size={size}");
                assert_eq!(inclusion(&owner, &by_event).await, proof);
            }
        }
        if again == 0 {
            // Nothing of it has to outlive the server.
            server.stop().await;
            server.start().await;
        }
    }
    let own = inclusion(&helper, "device=2&seq=1").await;
    assert_eq!(
        own.leaf.chain,
        helper.head_at(1).hash,
        "what the helper wrote itself"
    );
    assert!(own.proves(&heads.last().expect("some").root));
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_proven_is_refused() {
    let server = Server::new().await;
    let owner = server.shop().await;
    let size = head(&owner).await.size;
    for (path, code) in [
        (
            format!("proofs/inclusion?position={}", size + 1),
            "not_found",
        ),
        ("proofs/inclusion?position=0".to_owned(), "not_found"),
        ("proofs/inclusion?device=1&seq=99".to_owned(), "not_found"),
        ("proofs/inclusion?device=9&seq=1".to_owned(), "not_found"),
        ("proofs/inclusion?device=1&seq=0".to_owned(), "not_found"),
        ("proofs/inclusion?device=1".to_owned(), "bad_parameter"),
        ("proofs/inclusion".to_owned(), "bad_parameter"),
        (
            "proofs/inclusion?position=1&device=1&seq=1".to_owned(),
            "bad_parameter",
        ),
        ("proofs/inclusion?position=x".to_owned(), "bad_parameter"),
        (
            format!("proofs/inclusion?position=1&size={}", size + 1),
            "bad_parameter",
        ),
        (
            format!("proofs/consistency?from=1&to={}", u64::MAX),
            "bad_parameter",
        ),
        (
            format!("proofs/consistency?from={}&to=1", u64::MAX),
            "bad_parameter",
        ),
        ("proofs/consistency?to=1".to_owned(), "bad_parameter"),
    ] {
        let refused = get::<ConsistencyProof>(&owner, &path).await;
        assert_eq!(refused.expect_err(&path).code(), code, "{path}");
    }
    let stranger = Phone::new(&server.url());
    for path in [
        "head",
        "proofs/inclusion?position=1",
        "proofs/consistency?from=1",
    ] {
        let refused = get::<CurrentHead>(&stranger, path).await;
        assert_eq!(refused.expect_err(path).code(), "unknown_token");
    }
}

#[tokio::test]
async fn a_phone_that_was_taken_out_gets_no_proofs_and_no_shop_those_of_another() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    let helper = owner.bring_in(Role::Cashier).await;
    owner.revoke(helper.number);
    owner.sync().await;
    let refused = get::<CurrentHead>(&helper, "head").await;
    assert_eq!(refused.expect_err("taken out").code(), "revoked");
    let other = server.shop().await;
    let theirs = inclusion(&other, "position=1").await;
    assert!(theirs.proves(&head(&other).await.root));
    assert!(!theirs.proves(&head(&owner).await.root));
}
