//! What happens when more is asked than can be written.

use std::sync::Arc;

use shared::bytes::Fixed;
use shared::chain::digest;
use shared::event::Role;
use shared::sync::wire::{ClaimRequest, PairingOffer};
use shared::testing::device::{SHOP, key};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sync_server::code::Code;
use sync_server::http::error;
use sync_server::identity::Identity;
use sync_server::registry::Registry;
use sync_server::server::{issue_claim_code, open_store};
use sync_server::store::Store;
use sync_server::writer::Writer;
use tokio::task::JoinSet;

/// More than the queue and one group hold.
const ASKERS: u32 = 1000;

#[tokio::test]
async fn when_the_disk_stands_still_late_comers_are_sent_away_and_nobody_else_is_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let store: Arc<dyn Store> = Arc::new(open_store(folder.path()).await.expect("opens"));
    let identity = Arc::new(Identity::create(folder.path()).expect("a key"));
    let registry = Arc::new(Registry::new(Arc::clone(&store)));
    let (writer, task) = Writer::start(Arc::clone(&store), registry, identity);
    let code = Code::random();
    issue_claim_code(store.as_ref(), &code)
        .await
        .expect("issued");
    let claim = ClaimRequest {
        code: code.to_string(),
        shop: SHOP,
        key: key(1),
        token: Fixed([1; 32]),
    };
    writer.claim(claim).await.expect("claimed");

    // Another program holds the file.
    let log = SqliteConnectOptions::new().filename(folder.path().join("log.db"));
    let mut other = SqliteConnection::connect_with(&log).await.expect("opens");
    let holds = other.begin_with("BEGIN IMMEDIATE").await.expect("held");

    let mut asking = JoinSet::new();
    for asker in 0..ASKERS {
        let writer = writer.clone();
        let offer = PairingOffer {
            secret_hash: digest(&[b"secret", &asker.to_be_bytes()]),
            code_hash: digest(&[b"code", &asker.to_be_bytes()]),
            role: Role::Cashier,
        };
        asking.spawn(async move { writer.offer(SHOP, offer).await });
    }
    // Only those for whom there is no room are answered while nothing can be written.
    let first = asking
        .join_next()
        .await
        .expect("an answer")
        .expect("no fault");
    let refused = first.expect_err("sent away");
    assert_eq!(refused.code, error::Code::Busy);
    assert!(refused.retry_after_ms.is_some());
    holds.rollback().await.expect("let go");

    let (mut taken, mut busy) = (0, 1);
    while let Some(answer) = asking.join_next().await {
        match answer.expect("no fault").map_err(|refusal| refusal.code) {
            Ok(_) => taken += 1,
            Err(error::Code::Busy) => busy += 1,
            // Sixteen at a time: a decision of its own, not a lack of room.
            Err(error::Code::TooManyPairings) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(taken, 16);
    assert!(busy < ASKERS / 2, "most had a place: {busy} had none");
    assert_eq!(store.pairings(SHOP).await.expect("read").len(), 16);
    drop(writer);
    task.await.expect("the writer ends when nobody is left");
}
