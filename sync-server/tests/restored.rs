//! A server whose folder was lost, and an older copy of it put in its place: the devices bring back
//! what it lost.

mod jig;

use std::fs;
use std::path::Path;
use std::time::Duration;

use device::DeviceError;
use jig::native::{add_customer, back_up, copy, founder, give, join, sync};
use jig::{Phone, Server};
use shared::bytes::{Bytes, Fixed};
use shared::command::EraseCustomer;
use shared::ids::CustomerId;
use shared::money::Paise;
use shared::sync::engine::Problem;
use shared::sync::wire::{Part, ReadmitRequest, RestoreAnswer, RestoreRequest, TreeHead};
use shared::text::Field;

/// Shorter than a server waits for those who do not come.
const IMPATIENT: Duration = Duration::from_secs(2);

/// The folder is lost, and the copy put in its place.
async fn set_back(server: &mut Server, backup: &Path) {
    server.stop().await;
    fs::remove_dir_all(server.data()).expect("gone");
    copy(backup, &server.data());
    server.start().await;
}

#[tokio::test]
async fn what_was_lost_comes_back_from_the_devices_and_nothing_is_doubled() {
    let mut server = Server::new().await;
    let mut owner = founder(&server).await;
    let mut helper = join(&server, &mut owner, "Helper").await;
    let priya = add_customer(&mut owner, "Priya");
    sync(&mut owner).await;
    let backup = back_up(&mut server).await;

    // After the copy: entries of both, a third device, a new customer, and an erased one.
    give(&mut owner, priya, 670);
    let amit = add_customer(&mut owner, "Amit");
    sync(&mut owner).await;
    sync(&mut helper).await;
    give(&mut helper, amit, 90);
    sync(&mut helper).await;
    let mut third = join(&server, &mut owner, "Third").await;
    give(&mut third, amit, 10);
    sync(&mut third).await;
    let gone = add_customer(&mut owner, "Vikram");
    owner
        .execute(EraseCustomer { customer: gone })
        .expect("erases");
    sync(&mut owner).await;
    let log = owner.log_so_far().to_vec();

    set_back(&mut server, backup.path()).await;
    // Something new of a device that had not read all: it waits until the others were there.
    give(&mut third, priya, 5);
    let hasty = third.sync_watched(IMPATIENT, |_| {}).await;
    assert!(
        matches!(
            hasty,
            Err(DeviceError::SyncGaveUp(Problem::Recovering { .. }))
        ),
        "{hasty:?}"
    );
    sync(&mut helper).await;
    sync(&mut owner).await;
    sync(&mut third).await;
    sync(&mut helper).await;
    sync(&mut owner).await;

    assert_eq!(
        owner.log_so_far()[..log.len()],
        log,
        "positions, times, verdicts"
    );
    for device in [&helper, &third] {
        assert_eq!(device.log_so_far(), owner.log_so_far());
        assert_eq!(device.ledger().checksum(), owner.ledger().checksum());
        assert_eq!(device.waiting(), 0);
    }
    assert_eq!(owner.ledger().balance(priya).khata, Paise(675_00));
    assert_eq!(owner.ledger().balance(amit).khata, Paise(100_00));

    // A new device reads all of it, with the names that were added since; the erased one is gone.
    let new = join(&server, &mut owner, "New").await;
    assert_eq!(new.ledger().checksum(), owner.ledger().checksum());
    let name = |customer: CustomerId| {
        let name = new.ledger().customers[&customer].name.get().expect("named");
        new.keys().words(name, Field::Name)
    };
    assert_eq!(name(amit).as_deref(), Some("Amit"));
    assert_eq!(name(gone), None);
}

#[tokio::test]
async fn a_copy_that_is_written_over_the_file_in_its_place_is_seen_too() {
    let mut server = Server::new().await;
    let mut owner = founder(&server).await;
    let mut helper = join(&server, &mut owner, "Helper").await;
    let backup = tempfile::tempdir().expect("a folder");
    // Copied while the server works, as `sqlite3 .backup` does, and no restart since.
    server.stop().await;
    server.start().await;
    let priya = add_customer(&mut owner, "Priya");
    sync(&mut owner).await;
    sync(&mut helper).await;
    let file = server.data().join("log.db");
    let copied = backup.path().join("log.db");
    let status = std::process::Command::new("sqlite3")
        .arg(&file)
        .arg(format!(".backup '{}'", copied.display()))
        .status();
    if !status.is_ok_and(|status| status.success()) {
        // Without that program: the files of a server that rests.
        fs::copy(&file, &copied).expect("copied");
        fs::copy(
            file.with_extension("db-wal"),
            copied.with_extension("db-wal"),
        )
        .ok();
    }
    give(&mut owner, priya, 670);
    sync(&mut owner).await;

    server.stop().await;
    for aside in ["db-wal", "db-shm"] {
        fs::remove_file(file.with_extension(aside)).ok();
    }
    let bytes = fs::read(&copied).expect("the copy");
    fs::write(&file, bytes).expect("written over");
    if let Ok(wal) = fs::read(copied.with_extension("db-wal")) {
        fs::write(file.with_extension("db-wal"), wal).expect("written over");
    }
    server.start().await;
    give(&mut helper, priya, 5);
    let hasty = helper.sync_watched(IMPATIENT, |_| {}).await;
    assert!(
        matches!(hasty, Err(DeviceError::SyncGaveUp(_))),
        "{hasty:?}"
    );
    sync(&mut owner).await;
    sync(&mut helper).await;
    sync(&mut owner).await;
    assert_eq!(owner.log_so_far(), helper.log_so_far());
    assert_eq!(owner.ledger().balance(priya).khata, Paise(675_00));
}

#[tokio::test]
async fn a_server_that_was_only_restarted_waits_for_nobody() {
    let mut server = Server::new().await;
    let mut owner = founder(&server).await;
    let _never_comes = join(&server, &mut owner, "Helper").await;
    for _ in 0..2 {
        server.stop().await;
        server.start().await;
        add_customer(&mut owner, "Priya");
        owner
            .sync_watched(IMPATIENT, |_| {})
            .await
            .expect("taken at once");
    }
}

/// What a phone shows to ask how far the log reaches.
fn look(phone: &Phone, head: Option<TreeHead>) -> RestoreRequest {
    RestoreRequest {
        shop: phone.shop,
        generation: phone.log.generation(),
        head,
        part: None,
        marks: None,
    }
}

#[tokio::test]
async fn strangers_learn_nothing_and_bring_nothing() {
    let server = Server::new().await;
    let mut owner = server.shop().await;
    let head = owner.sync().await.head;
    let answer: RestoreAnswer = owner
        .post("/api/v1/restore", &look(&owner, Some(head)))
        .await
        .expect("its own signature");
    assert_eq!(answer.log.map(|log| log.size()), Some(2));

    let forged = TreeHead {
        size: head.size + 1,
        ..head
    };
    let mut other_shop = look(&owner, Some(head));
    other_shop.shop = Phone::new(&server.url()).shop;
    for request in [look(&owner, Some(forged)), other_shop] {
        let refused = owner
            .post::<RestoreAnswer>("/api/v1/restore", &request)
            .await
            .expect_err("not signed");
        assert_eq!((refused.status, refused.code()), (422, "bad_signature"));
    }
    let nothing: RestoreAnswer = owner
        .post("/api/v1/restore", &look(&owner, None))
        .await
        .expect("a challenge");
    assert_eq!(nothing.log, None);

    // A signed head and other events: the root does not fit.
    let mut chunk = owner.chunks[0].clone();
    chunk.position = 3;
    let part = Part {
        chunks: vec![chunk],
        rest: Vec::new(),
        before: None,
    };
    owner.credit();
    let head = owner.sync().await.head;
    let request = RestoreRequest {
        part: Some(Bytes(minicbor::to_vec(part).expect("encodes"))),
        ..look(&owner, Some(head))
    };
    let answer: RestoreAnswer = owner
        .post("/api/v1/restore", &request)
        .await
        .expect("there is nothing new in it");
    assert_eq!(answer.log.map(|log| log.size()), Some(3));

    let refused = owner
        .post::<RestoreAnswer>(
            "/api/v1/readmit",
            &ReadmitRequest {
                shop: owner.shop,
                device: owner.number,
                token: Fixed([7; 32]),
                signature: Fixed([7; 64]),
            },
        )
        .await
        .expect_err("not its key");
    assert_eq!((refused.status, refused.code()), (401, "unknown_token"));
}
