//! How a shop and its phones come to be known to a server.

mod jig;

use std::num::NonZeroU32;

use device::keys::random;
use jig::{Phone, Server};
use shared::chain::digest;
use shared::event::Role;
use shared::ids::DeviceNo;
use shared::sync::wire::{Advice, JoinAnswer};

#[tokio::test]
async fn an_owner_claims_a_new_server_and_a_lost_answer_can_be_asked_for_again() {
    let server = Server::new().await;
    let code = server
        .running()
        .claim_code
        .clone()
        .expect("no shop yet")
        .to_string();
    let mut phone = Phone::new(&server.url());
    let first = phone.claim(&code.to_lowercase()).await.expect("claimed");
    assert_eq!(first.device, DeviceNo::FOUNDER);
    assert_eq!(phone.claim(&code).await, Ok(first), "the same answer again");

    let mut other = Phone::new(&server.url());
    assert_eq!(
        other.claim(&code).await.expect_err("used").code(),
        "used_code"
    );
    phone.token = device_token();
    assert_eq!(
        phone.claim(&code).await.expect_err("another token").code(),
        "used_code"
    );
}

#[tokio::test]
async fn a_server_prints_the_same_code_until_it_has_a_shop() {
    let mut server = Server::new().await;
    let code = server.running().claim_code.clone().expect("no shop yet");
    server.stop().await;
    server.start().await;
    assert_eq!(server.running().claim_code, Some(code.clone()));
    Phone::new(&server.url())
        .claim(&code.to_string())
        .await
        .expect("claimed");
    server.stop().await;
    server.start().await;
    assert_eq!(server.running().claim_code, None);
}

#[tokio::test]
async fn a_wrong_code_claims_nothing_and_many_are_stopped() {
    let server = Server::new().await;
    let mut phone = Phone::new(&server.url());
    for _ in 0..10 {
        let refused = phone.claim("AAAA-AAAA-AAAA").await.expect_err("wrong");
        assert_eq!((refused.status, refused.code()), (403, "unknown_code"));
    }
    let refused = phone.claim("AAAA-AAAA-AAAA").await.expect_err("too many");
    assert_eq!((refused.status, refused.code()), (429, "too_many_tries"));
    assert!(
        refused
            .body
            .retry_after_ms
            .is_some_and(|wait_ms| wait_ms > 0)
    );
}

#[tokio::test]
async fn one_code_serves_one_shop_and_one_shop_takes_one_code() {
    let server = Server::new().await;
    let first = server.shop().await;
    let second = server.shop().await;
    assert_ne!(first.shop, second.shop);

    let mut again = Phone::new(&server.url());
    again.shop = first.shop;
    let code = server.claim_code().await.to_string();
    assert_eq!(
        again.claim(&code).await.expect_err("taken").code(),
        "shop_taken"
    );
}

#[tokio::test]
async fn a_phone_joins_by_the_qr_and_another_by_the_typed_code() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    let secret: [u8; 16] = random();
    let offered = owner
        .offer(&secret, "7K3M90QX", Role::Cashier)
        .await
        .expect("offered");
    assert_eq!(offered.joiner, None);
    assert_eq!(
        owner.offer(&secret, "7K3M90QX", Role::Cashier).await,
        Ok(offered),
        "again"
    );

    let mut phone = Phone::new(&server.url());
    assert_eq!(phone.join(&secret, 0).await, Ok(JoinAnswer::Waiting));
    let joiner = owner.joiner(digest(&[&secret])).await;
    assert_eq!(
        (joiner.device, joiner.key),
        (DeviceNo(2), phone.key.public())
    );
    assert_eq!(joiner.name, "Ravi's phone");
    let refused = phone.send(&phone.ask()).await.expect_err("not let in yet");
    assert_eq!((refused.status, refused.code()), (401, "unknown_token"));

    let mut thief = Phone::new(&server.url());
    let refused = thief
        .join(&secret, 0)
        .await
        .expect_err("another phone was first");
    assert_eq!(refused.code(), "pairing_taken");

    // The phone waits for the owner, who confirms meanwhile.
    let confirm = async {
        owner.enrol(joiner.device, joiner.key, Role::Cashier);
        owner.sync().await
    };
    let (answer, _) = tokio::join!(phone.join(&secret, 25_000), confirm);
    let Ok(JoinAnswer::Joined(joined)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(
        (joined.shop, joined.device, joined.role),
        (owner.shop, DeviceNo(2), Role::Cashier)
    );
    assert_eq!(
        owner.pairings().await,
        Ok(Vec::new()),
        "it is over, and the name forgotten"
    );
    assert_eq!(
        phone.join(&secret, 0).await,
        Ok(JoinAnswer::Joined(joined)),
        "a lost answer"
    );
    phone.knows_founder(&owner);
    phone.sync().await;
    assert_eq!(phone.log, owner.log);

    // The next one types the code.
    let secret: [u8; 16] = random();
    owner
        .offer(&secret, "ABCD2345", Role::Viewer)
        .await
        .expect("offered");
    let mut typed = Phone::new(&server.url());
    assert_eq!(typed.join(b"ABCD2345", 0).await, Ok(JoinAnswer::Waiting));
    assert_eq!(owner.joiner(digest(&[&secret])).await.device, DeviceNo(3));
}

#[tokio::test]
async fn a_number_is_never_given_twice() {
    let server = Server::new().await;
    let owner = server.shop().await;
    for expected in 2..5 {
        let secret: [u8; 16] = random();
        owner
            .offer(&secret, "7K3M90QX", Role::Cashier)
            .await
            .expect("offered");
        Phone::new(&server.url())
            .join(&secret, 0)
            .await
            .expect("known");
        let hash = digest(&[&secret]);
        assert_eq!(owner.joiner(hash).await.device, DeviceNo(expected));
        owner.withdraw(hash).await.expect("ended");
    }
}

#[tokio::test]
async fn a_pairing_that_the_owner_ends_lets_nobody_in() {
    let server = Server::new().await;
    let owner = server.shop().await;
    let secret: [u8; 16] = random();
    owner
        .offer(&secret, "7K3M90QX", Role::Cashier)
        .await
        .expect("offered");
    let mut phone = Phone::new(&server.url());
    phone.join(&secret, 0).await.expect("known");
    let (answer, ended) = tokio::join!(
        phone.join(&secret, 25_000),
        owner.withdraw(digest(&[&secret]))
    );
    ended.expect("ended");
    assert_eq!(
        answer.expect_err("ended while it waited").code(),
        "unknown_pairing"
    );
    owner
        .withdraw(digest(&[&secret]))
        .await
        .expect("ended before");
}

#[tokio::test]
async fn guessing_pairing_codes_is_stopped() {
    let server = Server::new().await;
    let mut phone = Phone::new(&server.url());
    for guess in 0..10 {
        let refused = phone.join(format!("AAAA000{guess}").as_bytes(), 0).await;
        assert_eq!(refused.expect_err("a guess").code(), "unknown_pairing");
    }
    let refused = phone.join(b"AAAA9999", 0).await.expect_err("too many");
    assert_eq!((refused.status, refused.code()), (429, "too_many_tries"));
}

#[tokio::test]
async fn only_owners_and_managers_let_phones_in_and_never_with_more_than_they_have() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    let cashier = owner.bring_in(Role::Cashier).await;
    let manager = owner.bring_in(Role::Manager).await;
    let offer = async |phone: &Phone, role| phone.offer(&random(), &text(random()), role).await;
    assert_eq!(
        offer(&cashier, Role::Viewer)
            .await
            .expect_err("a cashier")
            .code(),
        "forbidden"
    );
    assert_eq!(
        offer(&manager, Role::Owner).await.expect_err("more").code(),
        "forbidden"
    );
    offer(&manager, Role::Manager)
        .await
        .expect("as much as they have");
    assert_eq!(
        cashier.pairings().await.expect_err("a cashier").code(),
        "forbidden"
    );
}

#[tokio::test]
async fn pairings_under_way_are_bounded() {
    let server = Server::new().await;
    let owner = server.shop().await;
    for _ in 0..16 {
        owner
            .offer(&random(), &text(random()), Role::Cashier)
            .await
            .expect("offered");
    }
    let refused = owner.offer(&random(), &text(random()), Role::Cashier).await;
    assert_eq!(refused.expect_err("too many").code(), "too_many_pairings");
}

#[tokio::test]
async fn a_removed_phone_hands_in_what_it_wrote_but_reads_nothing_more() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    let mut cashier = owner.bring_in(Role::Cashier).await;
    cashier.credit();
    cashier.sync().await;
    owner.revoke(cashier.number);
    owner.sync().await;

    cashier.credit();
    let answer = cashier.send(&cashier.ask_all()).await.expect("taken");
    assert_eq!(answer.standing.advice, Advice::Revoked);
    assert_eq!(
        answer.standing.known_seq, 2,
        "the entry is kept for the owner"
    );
    assert!(answer.chunks.is_empty() && answer.keys.is_empty() && !answer.more);

    owner.sync().await;
    let held = owner.entries().into_iter().last().expect("the late entry");
    assert_eq!(held.1, shared::sync::wire::Verdict::Held);
    assert_eq!(held.0.device, cashier.number);

    let hints = cashier
        .request(reqwest::Method::GET, "/api/v1/hints")
        .send()
        .await;
    assert_eq!(
        jig::phone::read::<()>(hints.expect("answers"))
            .await
            .expect_err("revoked")
            .code(),
        "revoked"
    );
    let log = cashier
        .request(reqwest::Method::GET, "/api/v1/log")
        .send()
        .await;
    assert_eq!(
        jig::phone::read::<()>(log.expect("answers"))
            .await
            .expect_err("revoked")
            .code(),
        "revoked"
    );
}

#[tokio::test]
async fn a_phone_that_asks_too_often_is_told_when_to_come_back() {
    let server = Server::with(|config| config.rate = NonZeroU32::new(1).expect("not zero")).await;
    let phone = server.shop().await;
    let refused = loop {
        if let Err(refused) = phone.send(&phone.ask()).await {
            break refused;
        }
    };
    assert_eq!((refused.status, refused.code()), (429, "too_many_requests"));
    assert!(
        refused
            .body
            .retry_after_ms
            .is_some_and(|wait_ms| wait_ms <= 1000)
    );
}

fn device_token() -> shared::sync::wire::Token {
    shared::bytes::Fixed(random())
}

fn text(bytes: [u8; 8]) -> String {
    bytes
        .iter()
        .map(|byte| char::from(b'A' + byte % 26))
        .collect()
}
