//! What is fuzzed: one function for each reader of bytes that come from elsewhere. Each takes any
//! bytes and panics where something does not hold.
//!
//! `cargo xtask fuzz` drives them with libFuzzer, for as long as one likes; `tests/replay.rs` runs
//! the committed corpus and a bounded number of mutations of it through them in every test run.

mod event;
mod export;
mod packed;
mod proof;
mod restore;
mod seeds;
mod segment;
mod snapshot;
mod sync;

pub use seeds::seeds;

/// A reader that is fuzzed.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// What it is called on the command line and in the corpus.
    pub name: &'static str,
    /// Tries some bytes.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 10] = [
    Target {
        name: "event",
        run: event::run,
    },
    Target {
        name: "segment",
        run: segment::run,
    },
    Target {
        name: "request",
        run: sync::request,
    },
    Target {
        name: "answer",
        run: sync::answer,
    },
    Target {
        name: "inclusion",
        run: proof::inclusion,
    },
    Target {
        name: "consistency",
        run: proof::consistency,
    },
    Target {
        name: "export",
        run: export::run,
    },
    Target {
        name: "restore",
        run: restore::run,
    },
    Target {
        name: "snapshot",
        run: snapshot::run,
    },
    Target {
        name: "packed",
        run: packed::run,
    },
];

/// The target with this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
