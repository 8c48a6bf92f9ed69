//! What was acknowledged is there, once, whatever happens to the process.

mod jig;

use jig::child::Process;
use jig::pushers::{SOON, Tally, check, count_lost, open, push_and_end, rounds};
use shared::testing::rng::Rng;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_acknowledged_before_the_process_was_killed_is_there_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut server, mut owner, mut pushers) = open(Process::start(folder.path())).await;
    let mut tally = Tally::default();
    for round in 0..rounds(30) {
        let mut rng = Rng::new(round);
        pushers = push_and_end(pushers, &mut rng, SOON, || server.kill()).await;
        server = Process::start(folder.path());
        count_lost(&mut tally, &server.url, &mut pushers).await;
        for pusher in &mut pushers {
            pusher.recover(&server.url).await;
        }
        check(&mut owner, &server.url, &pushers, &mut tally).await;
    }
    server.kill();
    println!("{tally:?}");
    assert_eq!((tally.lost, tally.doubled), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_stop_finishes_what_it_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut server, mut owner, mut pushers) = open(Process::start(folder.path())).await;
    let mut tally = Tally::default();
    for round in 0..5 {
        let hints = owner
            .request(reqwest::Method::GET, "/api/v1/hints")
            .send()
            .await;
        let mut hints = hints.expect("a stream that is open while it stops");
        let mut rng = Rng::new(round);
        let mut status = None;
        pushers = push_and_end(pushers, &mut rng, SOON, || {
            status = Some(server.terminate())
        })
        .await;
        assert!(
            status.is_some_and(|status| status.success()),
            "it ends well"
        );
        while let Ok(Some(_)) = hints.chunk().await {}
        assert!(
            !folder.path().join("log.db-wal").exists(),
            "the files are closed"
        );
        server = Process::start(folder.path());
        for pusher in &mut pushers {
            pusher.recover(&server.url).await;
        }
        check(&mut owner, &server.url, &pushers, &mut tally).await;
    }
    server.kill();
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_the_server_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, mut owner, mut pushers) = open(Process::start(folder.path())).await;
    server.terminate();
    let server = Process::start_on_small_disk(folder.path(), 512);
    let pusher = &mut pushers[0];
    pusher.phone.url = server.url.clone();
    let refused = loop {
        for _ in 0..100 {
            pusher.phone.credit();
        }
        match pusher.phone.send(&pusher.phone.ask_all()).await {
            Ok(answer) => {
                pusher.phone.read(&answer);
                pusher.acknowledged_seq = answer.standing.known_seq;
            }
            Err(refused) => break refused,
        }
    };
    assert_eq!((refused.status, refused.code()), (503, "unknown"));
    assert!(refused.body.retry_after_ms.is_some());
    assert!(pusher.acknowledged_seq > 0, "some were taken before");
    let reads = pusher
        .phone
        .send(&pusher.phone.ask())
        .await
        .expect("reading goes on");
    assert!(reads.standing.known_seq >= pusher.acknowledged_seq);
    let again = pusher
        .phone
        .send(&pusher.phone.ask_all())
        .await
        .expect_err("still full");
    assert_eq!(again.code(), "unknown");

    server.empty_disk();
    for pusher in &mut pushers {
        pusher.recover(&server.url).await;
    }
    check(&mut owner, &server.url, &pushers, &mut Tally::default()).await;
    server.kill();
}
