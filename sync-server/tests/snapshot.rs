//! A new device takes the state of its shop from the server, over a log that the server has signed.

mod jig;

use jig::Server;
use jig::phone::{self, Phone, Refused};
use reqwest::Method;
use shared::bytes::Fixed;
use shared::event::{Role, decode};
use shared::ids::DeviceNo;
use shared::ledger::{Ledger, Step};
use shared::snapshot::Snapshot;
use shared::sync::tree::head_message;
use shared::sync::wire::{SealingKey, SnapshotAnswer};

async fn ask(phone: &Phone) -> Result<SnapshotAnswer, Refused> {
    let request = phone.request(Method::GET, "/api/v1/snapshot");
    let request = request.header("accept", "application/cbor");
    phone::read(request.send().await.expect("answered")).await
}

fn snapshot(phone: &Phone, answer: &SnapshotAnswer) -> Snapshot {
    Snapshot::from_bytes(&answer.snapshot.0, phone.shop).expect("a snapshot of this shop")
}

/// What the phone makes of everything that it has read.
fn folded(phone: &Phone) -> Ledger {
    let mut ledger = Ledger::default();
    for chunk in &phone.chunks {
        let events = chunk.events.as_deref().expect("the phone holds them");
        for (seq, bytes) in (chunk.first_seq..).zip(events) {
            let event = decode(&bytes.0, None);
            let step = ledger.fold(chunk.device, seq, event, chunk.verdict.standing());
            assert_eq!(step, Step::Read);
        }
    }
    ledger
}

#[tokio::test]
async fn a_new_phone_takes_what_the_whole_log_comes_to_at_a_place_that_the_server_signed() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    for _ in 0..50 {
        owner.credit();
    }
    owner.sync().await;
    let mut helper = owner.bring_in(Role::Cashier).await;
    let answer = ask(&helper).await.expect("answered");
    let taken = snapshot(&helper, &answer);
    helper.sync().await;
    assert_eq!(taken.log(), &helper.log, "position, tree and chain heads");
    let (books, mark) = taken.take();
    assert!(mark.agrees_with(&folded(&helper)));
    let devices = &books.devices;
    assert!(devices.contains_key(&helper.number), "it may write at once");

    let head = answer.head;
    assert_eq!(
        (head.size, head.root),
        (helper.log.size(), helper.log.root())
    );
    let generation = helper.log.generation();
    let message = head_message(helper.shop, &generation, head.size, &head.root, head.at);
    let key = helper.server_key.expect("told when it joined");
    assert!(device::keys::verify(&key, &message, &head.signature));
}

#[tokio::test]
async fn a_snapshot_is_of_the_log_as_it_stands() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    owner.credit();
    owner.sync().await;
    let first = ask(&owner).await.expect("answered");
    assert_eq!(
        ask(&owner).await.expect("answered"),
        first,
        "the same again"
    );
    owner.credit();
    owner.sync().await;
    let second = ask(&owner).await.expect("answered");
    assert_eq!(second.head.size, first.head.size + 1);
    assert!(
        snapshot(&owner, &second)
            .take()
            .1
            .agrees_with(&folded(&owner))
    );
}

#[tokio::test]
async fn what_is_held_or_put_aside_counts_in_no_snapshot() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    let mut helper = owner.bring_in(Role::Cashier).await;
    helper.credit();
    helper.write_bytes(vec![0xff, 0, 1]);
    helper.sync().await;
    owner.revoke(helper.number);
    owner.sync().await;
    helper.credit();
    helper.try_sync().await;
    owner.sync().await;
    let taken = snapshot(&owner, &ask(&owner).await.expect("answered"));
    assert_eq!(taken.ledger().uncounted(), 2);
    assert!(taken.take().1.agrees_with(&folded(&owner)));
}

#[tokio::test]
async fn keys_come_with_it_for_those_who_may_read_names() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    owner.new_keys.push(SealingKey {
        id: Fixed([9; 16]),
        key: Some(Fixed([8; 32])),
    });
    owner.sync().await;
    let helper = owner.bring_in(Role::Cashier).await;
    let display = owner.bring_in(Role::Display).await;
    let answer = ask(&helper).await.expect("answered");
    assert_eq!(answer.keys.len(), 1);
    assert_eq!(answer.keys_last, 1);
    assert!(ask(&display).await.expect("answered").keys.is_empty());
}

#[tokio::test]
async fn who_is_out_or_unknown_gets_none() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    let helper = owner.bring_in(Role::Cashier).await;
    assert!(ask(&helper).await.is_ok());
    owner.revoke(helper.number);
    owner.sync().await;
    assert_eq!(ask(&helper).await.expect_err("revoked").code(), "revoked");
    let mut stranger = Phone::new(&server.url());
    stranger.number = DeviceNo(1);
    assert_eq!(
        ask(&stranger).await.expect_err("unknown").code(),
        "unknown_token"
    );
}

#[tokio::test]
async fn uploads_go_on_while_snapshots_are_made() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    let helper = owner.bring_in(Role::Cashier).await;
    for _ in 0..500 {
        owner.credit();
    }
    owner.sync().await;
    let asking = async {
        for _ in 0..20 {
            assert!(ask(&helper).await.is_ok());
        }
    };
    let writing = async {
        for _ in 0..20 {
            owner.credit();
            owner.sync().await;
        }
    };
    tokio::join!(asking, writing);
    let taken = snapshot(&owner, &ask(&owner).await.expect("answered"));
    assert!(taken.take().1.agrees_with(&folded(&owner)));
}
