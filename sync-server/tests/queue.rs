//! What happens when more is asked than can be written.

mod jig;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use jig::desk::Desk;
use shared::chain::digest;
use shared::event::Role;
use shared::sync::wire::PairingOffer;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sync_server::http::error;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// More than the queue and one group hold.
const ASKERS: u32 = 1000;

/// The most requests in one group: those of the group under way come first, whoever's they are.
const GROUP: usize = 256;

/// Another program holds the file, and the disk seems to stand still.
async fn hold(folder: &Path) -> SqliteConnection {
    let log = SqliteConnectOptions::new().filename(folder.join("log.db"));
    let mut other = SqliteConnection::connect_with(&log).await.expect("opens");
    let held = sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await;
    held.expect("held");
    other
}

async fn let_go(mut other: SqliteConnection) {
    let done = sqlx::query("ROLLBACK").execute(&mut other).await;
    done.expect("let go");
    other.close().await.expect("closed");
}

#[tokio::test]
async fn when_the_disk_stands_still_late_comers_are_sent_away_and_nobody_else_is_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk::open(folder.path()).await;
    let owner = desk.shop().await;
    let held = hold(folder.path()).await;

    let mut asking = JoinSet::new();
    for asker in 0..ASKERS {
        let (writer, shop) = (desk.writer.clone(), owner.shop);
        let offer = PairingOffer {
            secret_hash: digest(&[b"secret", &asker.to_be_bytes()]),
            code_hash: digest(&[b"code", &asker.to_be_bytes()]),
            role: Role::Cashier,
        };
        asking.spawn(async move { writer.offer(shop, offer).await });
    }
    // Only those for whom there is no room are answered while nothing can be written.
    let first = asking
        .join_next()
        .await
        .expect("an answer")
        .expect("no fault");
    let refused = first.expect_err("sent away");
    assert_eq!(refused.code, error::Code::Busy);
    assert_eq!(refused.code.status(), 429);
    let body = refused.body();
    assert_eq!(body.place, Some(513), "behind all who wait");
    assert!(body.retry_after_ms.is_some_and(|wait_ms| wait_ms >= 200));
    let_go(held).await;

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
    let pairings = desk.store.pairings(owner.shop).await.expect("read");
    assert_eq!(pairings.len(), 16);
    desk.close().await;
}

#[tokio::test]
async fn one_phone_that_asks_without_end_does_not_keep_the_other_shops_waiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk::open(folder.path()).await;
    let mut hog = desk.shop().await;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(desk.shop().await);
    }
    let held = hold(folder.path()).await;

    // More than there is room for: each request with one entry more than the one before.
    let (told, mut heard) = mpsc::unbounded_channel();
    let mut asking = JoinSet::new();
    let mut ask = |shop: usize, phone: &mut jig::Phone| {
        phone.credit();
        let request = phone.ask_all();
        let (writer, told) = (desk.writer.clone(), told.clone());
        let (id, number) = (phone.shop, phone.number);
        asking.spawn(async move {
            let answer = writer.sync(id, number, request).await;
            told.send((shop, answer.map(drop).map_err(|it| it.code)))
                .expect("somebody listens");
        });
    };
    for _ in 0..ASKERS {
        ask(0, &mut hog);
    }
    // They come last, find the queue full, and have a place all the same.
    tokio::task::yield_now().await;
    for (shop, phone) in (1..).zip(&mut others) {
        ask(shop, phone);
    }
    tokio::task::yield_now().await;
    let_go(held).await;
    drop(told);

    let mut order = Vec::new();
    while let Some((shop, answer)) = heard.recv().await {
        match answer {
            Ok(()) => order.push(shop),
            Err(code) => assert_eq!((code, shop), (error::Code::Busy, 0), "only the hog"),
        }
    }
    let last = order.iter().rposition(|shop| *shop != 0).expect("taken");
    let before = order[..last].iter().filter(|shop| **shop == 0).count();
    assert_eq!(order.iter().filter(|shop| **shop != 0).count(), 3);
    assert!(
        order.len() > GROUP + 4,
        "there was a backlog: {}",
        order.len()
    );
    assert!(
        before <= GROUP + 3,
        "{before} requests of one phone came before those of other shops"
    );
    asking.join_all().await;
    desk.close().await;
}

/// Counts the statements that SQLite is given.
struct Statements(&'static AtomicU64);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test]
async fn a_commit_takes_as_many_statements_for_a_thousand_entries_as_for_one() {
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    static COUNT: AtomicU64 = AtomicU64::new(0);
    tracing_subscriber::registry()
        .with(Statements(&COUNT))
        .init();

    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk::open(folder.path()).await;
    let mut owner = desk.shop().await;
    let mut counts = BTreeMap::new();
    for entries in [1, 10, 100, 1000] {
        for _ in 0..entries {
            owner.credit();
        }
        COUNT.store(0, Ordering::SeqCst);
        desk.push(&mut owner).await.expect("taken");
        counts.insert(entries, COUNT.load(Ordering::SeqCst));
    }
    let one = counts[&1];
    assert!(one > 0, "they are counted");
    assert!(one <= 4, "a chunk and a shop in one transaction: {one}");
    assert!(counts.values().all(|count| *count == one), "{counts:?}");
    desk.close().await;
}
