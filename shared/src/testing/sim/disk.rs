//! The server's disk: what was written, and what of it would be there after a crash.
//!
//! It behaves like the write-ahead log of a database: records are appended, each checked by a
//! checksum that covers all before it, and are safe once a sync has ended. In a crash any number of
//! the others may be there, the next one may be torn, and whatever comes behind that is lost.

use std::rc::Rc;

use crate::sync::judge::Judgement;
use crate::sync::wire::SyncRequest;
use crate::testing::planted::Planted;
use crate::testing::rng::Rng;
use crate::testing::server::Server;

/// A request and what became of it.
pub(super) struct Part {
    pub request: SyncRequest,
    pub judgement: Judgement,
}

/// One record: half of what a group of requests changes.
#[derive(Clone)]
pub(super) enum Record {
    /// The keys of a group.
    Keys(Rc<Vec<Part>>),
    /// The log's part of a group.
    Log(Rc<Vec<Part>>),
}

impl Record {
    /// Makes the change in what is read from then on.
    pub fn apply(&self, server: &mut Server) {
        match self {
            Record::Keys(parts) => {
                for part in parts.iter() {
                    server.keep_keys(&part.request, &part.judgement);
                }
            }
            Record::Log(parts) => {
                for part in parts.iter() {
                    server.append(&part.request, &part.judgement);
                }
            }
        }
    }

    /// What a reader without checksums makes of a record that was torn in the middle: the state at
    /// its end, and a half of the log.
    fn apply_torn(&self, server: &mut Server) {
        if let Record::Log(parts) = self {
            for part in &parts[..parts.len() / 2] {
                server.append(&part.request, &part.judgement);
            }
            let last = parts.iter().rev().find_map(|it| it.judgement.after.clone());
            if let Some(after) = last {
                server.state = after;
            }
        }
    }
}

/// A record that is not safe yet.
struct Unsynced {
    record: Record,
    /// The database gave the transaction up, but the record is still there to be found.
    given_up: bool,
}

/// What a crash did to the disk.
#[derive(Debug, Default)]
pub(super) struct Damage {
    pub lost: u64,
    pub torn: u64,
}

/// The disk. A clone of what is safe on it is a backup.
pub(super) struct Disk {
    safe: Server,
    unsynced: Vec<Unsynced>,
}

impl Disk {
    pub const fn new(safe: Server) -> Disk {
        Disk {
            safe,
            unsynced: Vec::new(),
        }
    }

    /// All that would be there after a crash at this moment, at least.
    pub const fn safe(&self) -> &Server {
        &self.safe
    }

    /// Writes a record, in the place of those that were given up.
    pub fn write(&mut self, record: Record) {
        self.unsynced.retain(|unsynced| !unsynced.given_up);
        self.unsynced.push(Unsynced {
            record,
            given_up: false,
        });
    }

    /// Everything written is safe from now on.
    pub fn sync(&mut self) {
        if self.safe.plant.is(Planted::SkipFsync) {
            return;
        }
        for unsynced in self.unsynced.drain(..) {
            if !unsynced.given_up {
                unsynced.record.apply(&mut self.safe);
            }
        }
    }

    /// Changes what is safe, in the place of what was given up: all of it, or nothing.
    pub fn change<R>(&mut self, change: impl FnOnce(&mut Server) -> R) -> R {
        self.unsynced.clear();
        change(&mut self.safe)
    }

    /// The sync ended with an error: the transaction is given up.
    pub fn give_up(&mut self) {
        self.unsynced.iter_mut().for_each(|it| it.given_up = true);
    }

    /// The machine goes down, and comes back with what is found.
    pub fn crash(&mut self, rng: &mut Rng) -> Damage {
        let found = rng.below(self.unsynced.len() as u64 + 1) as usize;
        let mut damage = Damage::default();
        for (index, unsynced) in self.unsynced.drain(..).enumerate() {
            if index < found {
                unsynced.record.apply(&mut self.safe);
                continue;
            }
            damage.lost += 1;
            if index == found && rng.chance(50) {
                damage.torn += 1;
                if self.safe.plant.is(Planted::ReadTornWrites) {
                    unsynced.record.apply_torn(&mut self.safe);
                }
            }
        }
        damage
    }
}
