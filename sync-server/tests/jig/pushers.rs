//! Phones that push all the time, and a checker of what they were promised.

use std::collections::BTreeSet;

use device::keys::random;
use shared::bytes::{Fixed, KeyId};
use shared::event::Role;
use shared::ids::EventId;
use shared::sync::wire::{SealingKey, Verdict};
use shared::testing::rng::Rng;
use tokio::sync::mpsc;

use super::Phone;
use super::child::Process;

const PHONES: usize = 4;

/// So many acknowledgements at most, and then something happens to the server.
pub const SOON: u64 = 40;

/// A phone and what the server has acknowledged to it.
pub struct Pusher {
    pub phone: Phone,
    pub acknowledged_seq: u32,
    acknowledged_keys: Vec<KeyId>,
    /// So many of the acknowledged events stand in a tally.
    counted_seq: u32,
}

/// What was found, and how much of it there was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Times that something happened to the server.
    pub rounds: u64,
    /// Events that it had acknowledged.
    pub acknowledged: u64,
    /// Acknowledged events that were gone, or could not be asked for any more.
    pub lost: u64,
    /// Events that were there twice.
    pub doubled: u64,
}

impl Pusher {
    fn new(phone: Phone) -> Pusher {
        Pusher {
            phone,
            acknowledged_seq: 0,
            acknowledged_keys: Vec::new(),
            counted_seq: 0,
        }
    }

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

    /// How many of the acknowledged events a server that came back does not have: all of them when
    /// it does not even know the phone or what the phone has read.
    async fn lost(&mut self, url: &str) -> u64 {
        self.phone.url = url.to_owned();
        let known_seq = match self.phone.send(&self.phone.ask()).await {
            Ok(answer) => answer.standing.known_seq,
            Err(_) => 0,
        };
        self.acknowledged_seq.saturating_sub(known_seq).into()
    }

    /// The server that came back knows all that was acknowledged; the rest is sent again.
    pub async fn recover(&mut self, url: &str) {
        let lost = self.lost(url).await;
        assert_eq!(lost, 0, "of {} acknowledged events", self.acknowledged_seq);
        let sent_again: Vec<KeyId> = self.phone.new_keys.iter().map(|key| key.id).collect();
        let answer = self.phone.sync().await;
        self.acknowledged_seq = answer.standing.known_seq;
        self.acknowledged_keys.extend(sent_again);
    }
}

/// A shop with phones on a new server.
pub async fn open(mut server: Process) -> (Process, Phone, Vec<Pusher>) {
    let mut owner = Phone::new(&server.url);
    owner.claim(&server.claim_code()).await.expect("claimed");
    owner.open_shop();
    owner.sync().await;
    let mut pushers = Vec::new();
    for _ in 0..PHONES {
        pushers.push(Pusher::new(owner.bring_in(Role::Cashier).await));
    }
    (server, owner, pushers)
}

/// Lets all phones push at once, and ends the server after some acknowledgements, fewer than `most`,
/// or when none of them gets one any more.
pub async fn push_and_end(
    pushers: Vec<Pusher>,
    rng: &mut Rng,
    most: u64,
    end: impl FnOnce(),
) -> Vec<Pusher> {
    let (told, mut heard) = mpsc::unbounded_channel();
    let mut tasks = Vec::new();
    for pusher in pushers {
        let rng = Rng::new(rng.bits());
        tasks.push(tokio::spawn(pusher.push(rng, told.clone())));
    }
    drop(told);
    for _ in 0..=rng.below(most) {
        if heard.recv().await.is_none() {
            break;
        }
    }
    end();
    let mut back = Vec::new();
    for task in tasks {
        back.push(task.await.expect("no phone fails"));
    }
    back
}

/// Counts what a server that came back has lost, before anything is sent again.
pub async fn count_lost(tally: &mut Tally, url: &str, pushers: &mut [Pusher]) -> u64 {
    let mut lost = 0;
    for pusher in pushers {
        tally.acknowledged += u64::from(pusher.acknowledged_seq - pusher.counted_seq);
        pusher.counted_seq = pusher.acknowledged_seq;
        lost += pusher.lost(url).await;
    }
    tally.rounds += 1;
    tally.lost += lost;
    lost
}

/// Everything that any phone ever wrote stands in the log exactly once, accepted, and all keys
/// are there.
pub async fn check(owner: &mut Phone, url: &str, pushers: &[Pusher], tally: &mut Tally) {
    owner.url = url.to_owned();
    owner.sync().await;
    let found = owner.entries();
    let ids: BTreeSet<EventId> = found.iter().map(|(id, _)| *id).collect();
    tally.doubled += (found.len() - ids.len()) as u64;
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

/// How many rounds: as many as the environment says, or else the few that every run of the tests
/// has.
pub fn rounds(few: u64) -> u64 {
    let set = std::env::var("PAKKA_FAULT_ROUNDS").ok();
    set.map_or(few, |rounds| rounds.parse().expect("a number of rounds"))
}
