//! What the disk below the server can do to it: forget what was not synced, and fail.

mod jig;

use std::path::Path;

use jig::child::Process;
use jig::disk::{Crash, Disk};
use jig::pushers::{Pusher, SOON, Tally, check, count_lost, open, push_and_end, rounds};
use shared::testing::rng::Rng;

/// In so many times the rounds a cut has met something that was not synced. A fast disk syncs at
/// once, and then most of them meet nothing.
const MAX_TIMES_THE_ROUNDS: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_takes_nothing_that_was_acknowledged() {
    let disk = Disk::new();
    let (mut server, mut owner, mut pushers) = open(disk.start()).await;
    let (mut tally, mut unsynced) = (Tally::default(), 0);
    let rounds = rounds(10);
    for round in 0..rounds * MAX_TIMES_THE_ROUNDS {
        if round >= rounds && unsynced > 0 {
            break;
        }
        let mut rng = Rng::new(round);
        pushers = push_and_end(pushers, &mut rng, SOON, || server.kill()).await;
        let crash = *rng.pick(&[Crash::Lost, Crash::Torn]);
        unsynced += u64::from(disk.crash(crash, &mut rng) > 0);
        server = disk.start();
        count_lost(&mut tally, &server.url, &mut pushers).await;
        for pusher in &mut pushers {
            pusher.recover(&server.url).await;
        }
        check(&mut owner, &server.url, &pushers, &mut tally).await;
    }
    server.kill();
    println!("{tally:?}, in {unsynced} rounds something was not synced");
    assert_eq!((tally.lost, tally.doubled), (0, 0));
    assert!(unsynced > 0, "there was something to lose");
}

/// The same with a disk that lies, which is a server that does not wait for syncs: whoever checks
/// the above has to see what it loses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_on_a_disk_that_lies_is_found_to_lose_entries() {
    let mut tally = Tally::default();
    for round in 0..rounds(3) {
        let mut rng = Rng::new(round);
        let disk = Disk::new();
        // What the server begins with is safe; from then on nothing is.
        let (server, _, pushers) = open(disk.start()).await;
        assert!(server.terminate().success());
        let server = disk.start_lying();
        let mut pushers = at(&server.url, pushers);
        pushers = push_and_end(pushers, &mut rng, SOON, || server.kill()).await;
        disk.crash(Crash::Lost, &mut rng);
        let server = disk.start();
        count_lost(&mut tally, &server.url, &mut pushers).await;
        server.kill();
    }
    println!("{tally:?}");
    assert!(tally.lost > 0, "the checker sees what is gone");
}

/// Each as `strace` injects it: what fails, how, from the how manieth time on, and how often.
const FAILURES: [&str; 7] = [
    "pwrite64:error=EIO:when=25+10",
    "pwrite64:error=ENOSPC:when=30+10",
    "pwrite64:error=ENOSPC:when=70+1",
    "fsync,fdatasync:error=EIO:when=6+3",
    "fsync,fdatasync:error=EIO:when=20+7",
    "fsync,fdatasync:error=ENOSPC:when=9+4",
    "ftruncate:error=EIO:when=1+2",
];

/// By then every failure has come that comes at all.
const MAX_ACKNOWLEDGED: u64 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_is_never_taken_for_one_that_has_stored() {
    let folder = tempfile::tempdir().expect("a folder");
    let lists = tempfile::tempdir().expect("a folder");
    let list = lists.path().join("failed");
    let (mut server, mut owner, mut pushers) = open(Process::start(folder.path())).await;
    let (mut tally, mut failed) = (Tally::default(), 0);
    for round in 0..rounds(FAILURES.len() as u64) {
        let mut rng = Rng::new(round);
        server.kill();
        let failure = FAILURES[round as usize % FAILURES.len()];
        // If it fails at the very start, there is nobody to acknowledge anything.
        if let Some(failing) = Process::start_with_failing(folder.path(), failure, &list) {
            pushers = at(&failing.url, pushers);
            pushers = push_and_end(pushers, &mut rng, MAX_ACKNOWLEDGED, || failing.kill()).await;
        }
        failed += injected(&list);
        server = Process::start(folder.path());
        let lost = count_lost(&mut tally, &server.url, &mut pushers).await;
        assert_eq!(lost, 0, "{failure}");
        for pusher in &mut pushers {
            pusher.recover(&server.url).await;
        }
        check(&mut owner, &server.url, &pushers, &mut tally).await;
    }
    server.kill();
    println!("{tally:?}, {failed} calls failed");
    assert_eq!((tally.lost, tally.doubled), (0, 0));
    assert!(
        failed >= tally.rounds * 2 / 3,
        "the disk did fail: {failed}"
    );
}

#[test]
fn a_server_that_cannot_put_its_key_in_place_does_not_start_with_half_of_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let lists = tempfile::tempdir().expect("a folder");
    let list = lists.path().join("failed");
    let data = folder.path().join("data");
    for error in ["EIO", "ENOSPC"] {
        let failure = format!("rename,renameat,renameat2:error={error}:when=1+");
        let failing = Process::start_with_failing(&data, &failure, &list);
        assert!(failing.is_none(), "it says what is wrong, and ends");
        assert!(injected(&list) > 0);
    }
    let mut server = Process::start(&data);
    assert!(!server.claim_code().is_empty(), "and starts when it can");
    server.kill();
}

/// How many calls `strace` let fail.
fn injected(list: &Path) -> u64 {
    let calls = std::fs::read_to_string(list).expect("a list");
    calls.matches("(INJECTED)").count() as u64
}

/// The phones turn to a server at another address.
fn at(url: &str, mut pushers: Vec<Pusher>) -> Vec<Pusher> {
    for pusher in &mut pushers {
        pusher.phone.url = url.to_owned();
    }
    pushers
}
