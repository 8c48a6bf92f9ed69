//! The keys of names: delivered beside the log, never in it, and destroyed for good.

mod jig;

use std::path::PathBuf;

use jig::{Server, files_with};
use shared::bytes::{Fixed, KeyId};
use shared::event::{CustomerErased, HeldReleased, Role};
use shared::ids::{CustomerId, EventId};
use shared::sync::wire::{SealingKey, Verdict};

fn key(number: u8) -> SealingKey {
    SealingKey {
        id: Fixed([number; 16]),
        key: Some(Fixed([number; 32])),
    }
}

#[tokio::test]
async fn keys_reach_every_phone_that_may_read_names_and_no_display() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    let mut helper = owner.bring_in(Role::Cashier).await;
    let mut display = owner.bring_in(Role::Display).await;
    owner.credit();
    owner.new_keys = vec![key(1), key(2)];
    owner.sync().await;
    helper.sync().await;
    assert_eq!(helper.keys, [key(1), key(2)]);
    helper.credit();
    helper.new_keys = vec![key(3), key(2)];
    helper.sync().await;
    owner.sync().await;
    assert_eq!(owner.keys, [key(1), key(2), key(3)], "each once");
    display.sync().await;
    assert_eq!(display.keys, []);
    assert_eq!(display.log, owner.log, "but the log as it is");
}

#[tokio::test]
async fn a_key_is_never_replaced_and_a_destroyed_one_never_comes_back() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    let mut helper = owner.bring_in(Role::Cashier).await;
    owner.new_keys = vec![key(1)];
    owner.sync().await;
    let other = SealingKey {
        key: Some(Fixed([9; 32])),
        ..key(1)
    };
    let destroyed = SealingKey {
        key: None,
        ..key(1)
    };
    // A cashier can neither replace nor destroy it.
    helper.new_keys = vec![other, destroyed.clone()];
    helper.sync().await;
    assert_eq!(helper.keys, [key(1)]);
    owner.new_keys = vec![destroyed.clone()];
    owner.sync().await;
    helper.new_keys = vec![key(1)];
    helper.sync().await;
    assert_eq!(helper.keys, [key(1), destroyed]);

    assert_eq!(files_with(&server.data(), &[1; 32]), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn an_erased_customer_is_forgotten_in_every_file_and_on_every_phone() {
    let mut server = Server::new().await;
    let mut owner = server.shop().await;
    let mut helper = owner.bring_in(Role::Cashier).await;
    // Many keys, so that those of the erased lie in the middle of pages.
    owner.new_keys = (1..=200).map(key).collect();
    owner.sync().await;
    helper.sync().await;
    assert!(!files_with(&server.data(), &[7; 32]).is_empty());
    server.stop().await;
    server.start().await;

    let erased = [7, 100].map(|number| key(number).id);
    let erasure = |keys: &[KeyId]| CustomerErased {
        customer: CustomerId(EventId::new(1, 1)),
        keys: keys.to_vec(),
    };
    // From a cashier's phone it is not accepted, and destroys nothing.
    helper.write(erasure(&erased));
    helper.sync().await;
    assert!(!files_with(&server.data(), &[7; 32]).is_empty());
    // The event alone is enough: no tombstone is sent beside it.
    owner.write(erasure(&erased));
    owner.sync().await;
    for number in [7, 100] {
        assert_eq!(
            files_with(&server.data(), &[number; 32]),
            [] as [PathBuf; 0]
        );
    }
    assert!(
        !files_with(&server.data(), &[8; 32]).is_empty(),
        "others stay"
    );

    helper.new_keys = vec![key(7)];
    helper.sync().await;
    let gone = erased.map(|id| SealingKey { id, key: None });
    assert_eq!(helper.keys[200..], gone, "told once, and not undone");
    server.stop().await;
    assert_eq!(files_with(&server.data(), &[7; 32]), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn an_erasure_of_a_removed_phone_takes_effect_when_the_owner_lets_it_in() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    let mut helper = owner.bring_in(Role::Manager).await;
    owner.new_keys = (1..=200).map(key).collect();
    owner.revoke(helper.number);
    owner.sync().await;
    let erased = helper.write(CustomerErased {
        customer: CustomerId(EventId::new(1, 1)),
        keys: vec![key(7).id],
    });
    let other = helper.write(CustomerErased {
        customer: CustomerId(EventId::new(1, 2)),
        keys: vec![key(8).id],
    });
    helper.send(&helper.ask_all()).await.expect("handed in");
    owner.sync().await;
    assert_eq!(owner.entries().last(), Some(&(other, Verdict::Held)));
    assert!(!files_with(&server.data(), &[7; 32]).is_empty(), "it waits");

    owner.write(HeldReleased {
        events: vec![erased],
    });
    owner.sync().await;
    let gone = SealingKey {
        key: None,
        ..key(7)
    };
    assert_eq!(owner.keys.last(), Some(&gone));
    assert_eq!(files_with(&server.data(), &[7; 32]), [] as [PathBuf; 0]);
    assert!(
        !files_with(&server.data(), &[8; 32]).is_empty(),
        "the other still waits"
    );
}

#[tokio::test]
async fn keys_never_stand_in_the_log_file() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    owner.credit();
    owner.new_keys = vec![key(7)];
    owner.sync().await;
    for (file, holds) in [
        ("log.db", false),
        ("log.db-wal", false),
        ("keys.db-wal", true),
    ] {
        let bytes = std::fs::read(server.data().join(file)).expect("readable");
        assert_eq!(
            bytes.windows(32).any(|part| part == [7; 32]),
            holds,
            "{file}"
        );
    }
}
