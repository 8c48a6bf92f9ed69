//! A simulated shop: phones with the real engine and the real fold, a server with the real
//! judgement, and everything that can go wrong between them, from one seed.
//!
//! Phones crash around every write, the server around every commit; messages are lost, doubled,
//! late and overtaken; disks are full or slow, networks come and go, strangers answer; a phone comes
//! back with an older copy of its storage. After some minutes of that the faults stop. Then every phone has to come to rest soon, and all that anyone was
//! shown as saved has to be there once, on all phones, in the same books.

mod calm;
mod network;
mod people;
mod world;

use world::World;

/// What a run was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Phones.
    pub phones: u64,
    /// Events that were written, and are in the log once each.
    pub events: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Messages that were lost or doubled.
    pub lost_or_doubled: u64,
    /// Crashes of phones and of the server.
    pub crashes: u64,
    /// Phones that were revoked.
    pub revoked: u64,
    /// Phones that came back with an older copy of their storage.
    pub restored: u64,
    /// Copies that wrote on before they had met the server.
    pub forked: u64,
    /// Events that the server did not accept.
    pub not_accepted: u64,
}

impl core::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Summary) {
        self.phones += other.phones;
        self.events += other.events;
        self.requests += other.requests;
        self.lost_or_doubled += other.lost_or_doubled;
        self.crashes += other.crashes;
        self.revoked += other.revoked;
        self.restored += other.restored;
        self.forked += other.forked;
        self.not_accepted += other.not_accepted;
    }
}

/// Runs one seed.
///
/// # Panics
///
/// When something was lost, doubled, different or stuck; how to run it again is printed.
pub fn run(seed: u64) -> Summary {
    let _replay = Replay(seed);
    let mut world = World::new(seed);
    world.stormy_weather();
    world.calm_weather();
    world.check()
}

/// Runs many seeds, one after the other.
pub fn run_all(seeds: impl Iterator<Item = u64>) -> Summary {
    let mut all = Summary::default();
    seeds.for_each(|seed| all += run(seed));
    all
}

/// Says how to run a seed again when it fails.
struct Replay(u64);

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("run it again: cargo xtask sim --seeds 1 --seed {}", self.0);
        }
    }
}
