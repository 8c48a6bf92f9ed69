//! What was acknowledged is there, once, whatever happens to the process.

mod jig;

use std::collections::BTreeSet;
use std::path::Path;

use device::keys::random;
use jig::Phone;
use jig::child::Process;
use shared::bytes::{Fixed, KeyId};
use shared::event::Role;
use shared::ids::EventId;
use shared::sync::wire::{SealingKey, Verdict};
use shared::testing::rng::Rng;
use tokio::sync::mpsc;

const PHONES: usize = 4;
const ROUNDS: u64 = 30;

/// A phone and what the server has acknowledged to it.
struct Pusher {
    phone: Phone,
    acknowledged_seq: u32,
    acknowledged_keys: Vec<KeyId>,
}

impl Pusher {
    /// Pushes until the server is gone. Each acknowledgement is told.
    async fn push(mut self, mut rng: Rng, told: mpsc::UnboundedSender<()>) -> Pusher {
        loop {
            for _ in 0..=rng.below(5) {
                self.phone.credit();
            }
            let key = SealingKey {
                id: Fixed(random()),
                key: Some(Fixed(random())),
            };
            self.phone.new_keys.push(key.clone());
            let Some(answer) = self.phone.try_sync().await else {
                return self;
            };
            self.acknowledged_seq = answer.standing.known_seq;
            self.acknowledged_keys.push(key.id);
            // Nobody listens any more when the round is over.
            let _ = told.send(());
        }
    }

    /// The server that came back knows all that was acknowledged; the rest is sent again.
    async fn recover(&mut self, url: &str) {
        self.phone.url = url.to_owned();
        let answer = self.phone.send(&self.phone.ask()).await.expect("answered");
        assert!(
            answer.standing.known_seq >= self.acknowledged_seq,
            "{} of {} acknowledged events are there",
            answer.standing.known_seq,
            self.acknowledged_seq
        );
        let sent_again: Vec<KeyId> = self.phone.new_keys.iter().map(|key| key.id).collect();
        let answer = self.phone.sync().await;
        self.acknowledged_seq = answer.standing.known_seq;
        self.acknowledged_keys.extend(sent_again);
    }
}

/// A shop with phones on a new server.
async fn open(data: &Path) -> (Process, Phone, Vec<Pusher>) {
    let mut server = Process::start(data);
    let mut owner = Phone::new(&server.url);
    owner.claim(&server.claim_code()).await.expect("claimed");
    owner.open_shop();
    owner.sync().await;
    let mut pushers = Vec::new();
    for _ in 0..PHONES {
        pushers.push(Pusher {
            phone: owner.bring_in(Role::Cashier).await,
            acknowledged_seq: 0,
            acknowledged_keys: Vec::new(),
        });
    }
    (server, owner, pushers)
}

/// Lets all phones push at once, and ends the server after some acknowledgements.
async fn push_and_end(pushers: Vec<Pusher>, rng: &mut Rng, end: impl FnOnce()) -> Vec<Pusher> {
    let (told, mut heard) = mpsc::unbounded_channel();
    let mut tasks = Vec::new();
    for pusher in pushers {
        let rng = Rng::new(rng.bits());
        tasks.push(tokio::spawn(pusher.push(rng, told.clone())));
    }
    for _ in 0..=rng.below(40) {
        heard.recv().await.expect("the phones push");
    }
    end();
    let mut back = Vec::new();
    for task in tasks {
        back.push(task.await.expect("no phone fails"));
    }
    back
}

/// Everything that any phone ever wrote stands in the log exactly once, accepted, and all keys
/// are there.
async fn check(owner: &mut Phone, url: &str, pushers: &[Pusher]) {
    owner.url = url.to_owned();
    owner.sync().await;
    let found = owner.entries();
    let ids: BTreeSet<EventId> = found.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), found.len(), "no event twice");
    assert!(
        found
            .iter()
            .all(|(_, verdict)| *verdict == Verdict::Accepted)
    );
    let written = owner.events.len()
        + pushers
            .iter()
            .map(|it| it.phone.events.len())
            .sum::<usize>();
    assert_eq!(ids.len(), written, "every event once");
    let keys: BTreeSet<KeyId> = owner.keys.iter().map(|key| key.id).collect();
    assert_eq!(keys.len(), owner.keys.len(), "no key twice");
    for pusher in pushers {
        for key in &pusher.acknowledged_keys {
            assert!(keys.contains(key), "an acknowledged event has its key");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_acknowledged_before_the_process_was_killed_is_there_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut server, mut owner, mut pushers) = open(folder.path()).await;
    for round in 0..ROUNDS {
        let mut rng = Rng::new(round);
        pushers = push_and_end(pushers, &mut rng, || server.kill()).await;
        server = Process::start(folder.path());
        for pusher in &mut pushers {
            pusher.recover(&server.url).await;
        }
        check(&mut owner, &server.url, &pushers).await;
    }
    server.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_stop_finishes_what_it_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut server, mut owner, mut pushers) = open(folder.path()).await;
    for round in 0..5 {
        let hints = owner
            .request(reqwest::Method::GET, "/api/v1/hints")
            .send()
            .await;
        let mut hints = hints.expect("a stream that is open while it stops");
        let mut rng = Rng::new(round);
        let mut status = None;
        pushers = push_and_end(pushers, &mut rng, || status = Some(server.terminate())).await;
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
        check(&mut owner, &server.url, &pushers).await;
    }
    server.kill();
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_the_server_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, mut owner, mut pushers) = open(folder.path()).await;
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
    check(&mut owner, &server.url, &pushers).await;
    server.kill();
}
