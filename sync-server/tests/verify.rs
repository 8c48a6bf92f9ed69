//! A host verifies what is kept: a database, at rest, at work or damaged, and a file.

mod jig;

use std::fs;
use std::path::{Path, PathBuf};

use jig::child::run;
use jig::{Phone, Server};
use shared::bytes::Fixed;
use shared::event::Role;
use shared::export::{Flaw, Part, Reader};
use shared::ids::EventId;
use shared::sync::wire::SealingKey;
use shared::verify::{Depth, Wrong};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Row};
use sync_server::audit::{self, Report, Trouble};
use tempfile::TempDir;

/// Pages of SQLite have this many bytes.
const PAGE_BYTES: usize = 4096;

/// A stopped server with a shop of two phones, and the owner's phone.
async fn kept() -> (Server, Phone) {
    let mut server = Server::new().await;
    let mut owner = server.shop().await;
    let mut helper = owner.bring_in(Role::Cashier).await;
    owner.new_keys.push(SealingKey {
        id: Fixed([1; 16]),
        key: Some(Fixed([2; 32])),
    });
    for _ in 0..12 {
        for _ in 0..8 {
            owner.credit();
            helper.credit();
        }
        owner.sync().await;
        helper.sync().await;
    }
    helper.write_bytes(vec![0xff]);
    helper.credit();
    helper.sync().await;
    owner.sync().await;
    server.stop().await;
    (server, owner)
}

fn nobody(_: u64, _: u64) {}

async fn verify(folder: &Path) -> Vec<Report> {
    let reports = audit::verify_folder(folder, None, Depth::EverySignature, nobody).await;
    reports.expect("it can be opened")
}

/// What is wrong with the only shop after a change of the database.
async fn trouble_after(server: &Server, sql: &'static str) -> Trouble {
    let copy = copy_of(&server.data());
    let mut database = open(copy.path()).await;
    sqlx::query(sql).execute(&mut database).await.expect(sql);
    drop(database);
    let mut reports = verify(copy.path()).await;
    reports
        .remove(0)
        .trouble
        .unwrap_or_else(|| panic!("nobody noticed: {sql}"))
}

async fn open(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("log.db"));
    options.connect().await.expect("opens")
}

fn copy_of(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    for file in ["log.db", "keys.db", "server.key"] {
        fs::copy(folder.join(file), copy.path().join(file)).expect("copied");
    }
    copy
}

#[tokio::test]
async fn a_sound_database_is_good_at_rest_and_at_work() {
    let (mut server, owner) = kept().await;
    let report = verify(&server.data()).await.remove(0);
    assert_eq!(report.trouble, None, "{report}");
    assert_eq!(report.good.events, owner.log.size());
    assert_eq!(report.good.proven, owner.log.size());
    assert_eq!(
        report.signed_by.map(|key| key.point),
        owner.server_key.map(|key| key.point)
    );

    server.start().await;
    server.shop().await;
    let data = server.data().display().to_string();
    let (is_good, words, progress) = run(&["verify", "--data", &data], &[]);
    assert!(is_good, "{words}");
    assert_eq!(
        words
            .lines()
            .filter(|line| line.contains(": good. "))
            .count(),
        2,
        "{words}"
    );
    assert_eq!(progress, "", "nobody watches");
    server.stop().await;
}

#[tokio::test]
async fn a_copy_of_the_log_alone_is_verified_too() {
    let (server, _) = kept().await;
    let copy = copy_of(&server.data());
    for file in ["keys.db", "server.key"] {
        fs::remove_file(copy.path().join(file)).expect("there");
    }
    assert!(verify(copy.path()).await[0].is_good());
}

#[tokio::test]
async fn the_first_entry_that_was_tampered_with_is_named() {
    let (server, _) = kept().await;
    // The last byte of a run's last entry: still an entry, but not the one that was written.
    let changed = trouble_after(
        &server,
        "UPDATE chunks SET events = CAST(substr(events, 1, length(events) - 1) || x'00' AS BLOB) \
         WHERE id = 9",
    )
    .await;
    let Trouble::Log(fault) = changed else {
        panic!("{changed}");
    };
    let Wrong::RunChanged { first, last } = fault.wrong else {
        panic!("{fault}");
    };
    let mut database = open(&server.data()).await;
    let row = sqlx::query("SELECT position, device, first_seq, count FROM chunks WHERE id = 9")
        .fetch_one(&mut database)
        .await
        .expect("there");
    let first_seq: u32 = row.get("first_seq");
    assert_eq!(
        fault.event,
        Some(EventId::new(row.get("device"), first_seq))
    );
    assert_eq!(
        (first, last),
        (first_seq, first_seq + row.get::<u32, _>("count") - 1)
    );
    assert_eq!(fault.position, Some(row.get::<i64, _>("position") as u64));

    for (sql, expected) in [
        ("DELETE FROM chunks WHERE id = 9", "entries are missing"),
        (
            "DELETE FROM chunks WHERE id = (SELECT max(id) FROM chunks)",
            "the end is missing",
        ),
        (
            "UPDATE chunks SET received_ms = received_ms - 1 WHERE id = 9",
            "the server signed",
        ),
        (
            "UPDATE chunks SET verdict = 2 WHERE id = 9",
            "the server signed",
        ),
        (
            "UPDATE chunks SET signature = zeroblob(64) WHERE id = 9",
            "the signature of its device",
        ),
        (
            "UPDATE chunks SET end_hash = zeroblob(32) WHERE id = 9",
            "is not as its device wrote it",
        ),
        (
            "UPDATE chunks SET device = 77 WHERE id = 9",
            "never let into the shop",
        ),
        (
            "UPDATE chunks SET events = x'00' WHERE id = 9",
            "not a list of entries",
        ),
        (
            "UPDATE chunks SET events = x'80', count = 0 WHERE id = 9",
            "as many entries",
        ),
        (
            "UPDATE chunks SET count = 1000 WHERE id = 9",
            "not a list of entries",
        ),
        ("UPDATE chunks SET verdict = 99 WHERE id = 9", "verdict"),
        (
            "UPDATE shops SET signature = zeroblob(64)",
            "not signed with the server's key",
        ),
        (
            "UPDATE shops SET signed_ms = signed_ms + 1",
            "not signed with the server's key",
        ),
        (
            "UPDATE shops SET state = x'00'",
            "record of the shop cannot be read",
        ),
    ] {
        let trouble = trouble_after(&server, sql).await.to_string();
        assert!(trouble.contains(expected), "{sql}: {trouble}");
    }
}

#[tokio::test]
async fn what_came_back_from_phones_after_a_loss_is_covered_by_the_servers_signature() {
    let (server, _) = kept().await;
    let copy = copy_of(&server.data());
    let mut database = open(copy.path()).await;
    sqlx::query("UPDATE chunks SET signature = x'' WHERE id = 9")
        .execute(&mut database)
        .await
        .expect("set");
    drop(database);
    assert!(verify(copy.path()).await[0].is_good());
}

#[tokio::test]
async fn entries_behind_the_head_and_another_key_file_are_found() {
    let (mut server, mut owner) = kept().await;
    let before = copy_of(&server.data());
    server.start().await;
    owner.credit();
    owner.sync().await;
    server.stop().await;
    // The record of yesterday, with the log of today.
    let copy = copy_of(&server.data());
    let mut database = open(copy.path()).await;
    sqlx::query("ATTACH ? AS old")
        .bind(before.path().join("log.db").display().to_string())
        .execute(&mut database)
        .await
        .expect("attached");
    sqlx::query(
        "UPDATE shops SET (state, signed_ms, signature) = \
         (SELECT state, signed_ms, signature FROM old.shops)",
    )
    .execute(&mut database)
    .await
    .expect("set back");
    drop(database);
    let trouble = verify(copy.path()).await.remove(0).trouble;
    assert!(
        matches!(trouble, Some(Trouble::BehindHead(_))),
        "{trouble:?}"
    );

    let other = Server::new().await;
    let copy = copy_of(&server.data());
    fs::copy(
        other.data().join("server.key"),
        copy.path().join("server.key"),
    )
    .expect("copied");
    assert_eq!(
        verify(copy.path()).await[0].trouble,
        Some(Trouble::OtherKeyFile)
    );
}

#[tokio::test]
async fn of_a_database_with_a_damaged_page_as_much_is_read_as_can_be_and_the_page_is_named() {
    let (mut server, mut owner) = kept().await;
    server.start().await;
    for _ in 0..20 {
        for _ in 0..100 {
            owner.credit();
        }
        owner.sync().await;
    }
    server.stop().await;
    let sound = fs::read(server.data().join("log.db")).expect("read");
    let pages = sound.len() / PAGE_BYTES;
    let copy = copy_of(&server.data());
    let (mut found, mut named, mut read_on) = (0, 0, 0);
    for page in 0..pages {
        let mut damaged = sound.clone();
        damaged[page * PAGE_BYTES..][..PAGE_BYTES].fill(0xa5);
        fs::write(copy.path().join("log.db"), damaged).expect("written");
        let reports =
            match audit::verify_folder(copy.path(), None, Depth::EverySignature, nobody).await {
                Ok(reports) => reports,
                // Not even the list of shops: said, too.
                Err(_) => {
                    found += 1;
                    continue;
                }
            };
        let report = &reports[0];
        match &report.trouble {
            // A page that has nothing of the log.
            None => assert_eq!(report.good.events, owner.log.size()),
            Some(Trouble::Unreadable { after, pages, .. }) => {
                found += 1;
                named += usize::from(pages.iter().any(|words| words.contains("page")));
                read_on += usize::from(*after > 0);
                assert_eq!(report.good.events, *after);
            }
            Some(_) => found += 1,
        }
    }
    assert!(pages > 30 && found > pages / 2, "{found} of {pages}");
    assert!(named > 0 && read_on > 0, "{named} named, {read_on} read on");
}

#[test]
fn what_is_no_database_is_said_to_be_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().display().to_string();
    for (contents, expected) in [
        (None, "log.db"),
        (Some(&[0xa5; 8192][..]), "not a database"),
    ] {
        if let Some(contents) = contents {
            fs::write(folder.path().join("log.db"), contents).expect("written");
        }
        let (is_good, _, words) = run(&["verify", "--data", &data], &[]);
        assert!(!is_good);
        assert!(words.contains(expected), "{words}");
    }
    let (is_good, _, words) = run(&["verify", "/nowhere/khata.pakka"], &[]);
    assert!(!is_good);
    assert!(words.contains("/nowhere/khata.pakka"), "{words}");
}

fn exported(server: &Server, folder: &TempDir, flags: &[&str]) -> PathBuf {
    let file = folder.path().join("khata.pakka");
    let (data, path) = (
        server.data().display().to_string(),
        file.display().to_string(),
    );
    let mut arguments = vec!["export", "--data", &data, &path];
    arguments.extend(flags);
    let (succeeded, words, errors) = run(&arguments, &[]);
    assert!(succeeded, "{errors}");
    assert!(words.contains("entries are in"), "{words}");
    file
}

#[tokio::test]
async fn an_export_of_the_server_is_good_and_a_changed_byte_of_it_is_named() {
    let (server, owner) = kept().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = exported(&server, &folder, &[]);
    let report = audit::verify_file(&file, Depth::EverySignature, nobody).expect("read");
    assert_eq!(report.trouble, None, "{report}");
    assert_eq!(report.good.proven, owner.log.size());

    let sound = fs::read(&file).expect("read");
    let path = file.display().to_string();
    let (is_good, words, _) = run(&["verify", &path], &[]);
    assert!(is_good && words.contains("good"), "{words}");
    let parts = Reader::new(&sound).expect("ours");
    let parts: Vec<Part<'_>> = parts.map(|part| part.expect("sound")).collect();
    assert!(!parts.iter().any(|part| matches!(part, Part::Keys(_))));
    let entry = parts.iter().rev().find_map(|part| match part {
        Part::Run(run, events) => Some((run, events[0])),
        _ => None,
    });
    let (run_of, event) = entry.expect("a run");
    let at = event.as_ptr() as usize - sound.as_ptr() as usize;
    let id = EventId {
        device: run_of.device,
        seq: run_of.first_seq,
    };
    let before = run_of.position - 1;
    let mut changed = sound.clone();
    changed[at + event.len() - 1] ^= 1;
    fs::write(&file, &changed).expect("written");
    let (is_good, words, _) = run(&["verify", &path], &[]);
    assert!(!is_good);
    assert!(
        words.contains(&format!("entry {id} at position {}", before + 1)),
        "{words}"
    );
    assert!(
        words.contains(&format!("{before} entries before it are good")),
        "{words}"
    );

    fs::write(&file, &sound[..sound.len() - 1]).expect("written");
    let report = audit::verify_file(&file, Depth::EverySignature, nobody).expect("read");
    assert!(
        matches!(report.trouble, Some(Trouble::File(Flaw::Structure { .. }))),
        "{report}"
    );
}

#[tokio::test]
async fn an_export_holds_keys_only_where_they_are_asked_for() {
    let (server, _) = kept().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = exported(&server, &folder, &["--keys"]);
    let bytes = fs::read(&file).expect("read");
    let keys = Reader::new(&bytes)
        .expect("ours")
        .filter_map(|part| match part {
            Ok(Part::Keys(keys)) => Some(keys),
            _ => None,
        });
    let keys: Vec<SealingKey> = keys.flatten().collect();
    assert!(keys.iter().any(|key| key.key == Some(Fixed([2; 32]))));
    let without = fs::read(exported(&server, &folder, &[])).expect("read");
    let needle = [2; 32];
    assert!(!without.windows(32).any(|window| window == needle));
}
