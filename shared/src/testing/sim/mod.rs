//! A simulated shop: phones with the real engine, commands and fold, a server with the real
//! judgement over a disk that forgets, and everything that can go wrong between them, from one seed.
//!
//! Phones crash around every write, the server around every record that it writes; unsynced writes
//! are lost or torn, disks are full or slow; messages are lost, doubled, late and overtaken; phones
//! are cut off, clocks jump by ten years, strangers answer; a phone comes back with an older copy of
//! its storage, and so does the server; a phone is copied, and both write on; an old app meets kinds
//! that it does not know. After some minutes of that the faults
//! stop. Then every phone has to come to rest soon, and all that anyone was shown as saved has to be
//! there once, on all phones, in the same books.
//!
//! `watch` holds what must be true after every step, `calm` what must be true at the end, `naive` the
//! log and the books in their simplest form, to compare with.

mod calm;
mod disk;
mod generation;
mod history;
mod machine;
mod naive;
mod network;
mod people;
mod setback;
mod station;
mod watch;
mod work;
mod world;

use super::planted::Plant;
use world::World;

/// Counts, which add up and can be shown.
macro_rules! summary {
    ($($(#[$doc:meta])* $name:ident: $words:literal,)*) => {
        /// What a run was made of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct Summary {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl core::ops::AddAssign for Summary {
            fn add_assign(&mut self, other: Summary) {
                $(self.$name += other.$name;)*
            }
        }

        impl core::fmt::Display for Summary {
            fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let counts = [$((self.$name, $words)),*];
                let counts = counts.map(|(count, words)| format!("{count} {words}"));
                out.write_str(&counts.join(", "))
            }
        }
    };
}

summary! {
    /// Phones.
    phones: "phones",
    /// Events that were written, and are in the log once each.
    events: "events",
    /// Events that the server did not accept.
    not_accepted: "not accepted",
    /// Commands that were refused.
    refused: "commands refused",
    /// Requests that were sent.
    requests: "requests",
    /// Groups of requests that the server committed together.
    groups: "groups committed",
    /// Segments that phones fetched.
    segments: "segments fetched",
    /// Messages that were lost or doubled.
    lost_or_doubled: "messages lost or doubled",
    /// Times that a phone was cut off.
    partitions: "phones cut off",
    /// Crashes of phones and of the server.
    crashes: "crashes",
    /// Records that a crash of the server took along, since no sync had ended after them.
    unsynced_lost: "unsynced records lost",
    /// Records that a crash tore in the middle.
    torn: "of them torn",
    /// Writes of the server that found no room.
    full_disks: "times no room on the disk",
    /// Times that a clock was set.
    clock_jumps: "clocks set",
    /// Phones that were revoked.
    revoked: "phones removed",
    /// Phones that came back with an older copy of their storage.
    restored: "phones restored from older copies",
    /// Times that the server was set back to an older copy of its disk.
    set_back: "times the server was set back",
    /// Times that its log went on without what the phones hold.
    parted: "of them for good",
    /// Times that the owner let it go on.
    generations: "generations opened",
    /// Phones that were copied with all that they held.
    copied: "phones copied",
    /// Copies that wrote on and became phones of their own.
    forked: "copies that became phones of their own",
    /// Phones whose old app was updated on the way.
    updated: "old apps updated",
    /// Phones with the old app to the end.
    old: "old apps to the end",
}

/// Runs one seed.
///
/// # Panics
///
/// When something was lost, doubled, different or stuck; how to run it again is printed.
pub fn run(seed: u64) -> Summary {
    let _replay = Replay(seed);
    run_with(seed, Plant::NONE)
}

/// Runs one seed with a known bug.
///
/// # Panics
///
/// When the bug shows.
pub fn run_with(seed: u64, plant: Plant) -> Summary {
    let mut world = World::new(seed, plant);
    world.stormy_weather();
    world.calm_weather();
    world.check()
}

/// Looks for a known bug: the first seed in which it shows, and how.
#[cfg(feature = "plant")]
pub fn find(
    planted: super::planted::Planted,
    seeds: core::ops::Range<u64>,
) -> Option<(u64, String)> {
    for seed in seeds {
        let run = std::panic::catch_unwind(|| run_with(seed, Plant::of(planted)));
        if let Err(panic) = run {
            let how = panic.downcast_ref::<String>().cloned();
            let how = how.or_else(|| panic.downcast_ref::<&str>().map(|&it| it.to_owned()));
            return Some((seed, how.unwrap_or_default()));
        }
    }
    None
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
