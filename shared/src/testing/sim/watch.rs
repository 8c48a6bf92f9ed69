//! What must hold after every step, cheap enough to be looked at after every step.

use std::collections::{BTreeMap, BTreeSet};

use super::machine::Asked;
use super::naive::NaiveLog;
use super::world::World;
use crate::bytes::KeyId;
use crate::event::{Body, Decoded, Event, decode};
use crate::ids::DeviceNo;
use crate::sync::wire::{Advice, Chunk, SyncAnswer};
use crate::testing::device::key;

/// What the world was promised, and the log as it should be.
#[derive(Default)]
pub(super) struct Watch {
    pub log: NaiveLog,
    /// The last event of each device of which an answer said that the server has it.
    acknowledged: BTreeMap<DeviceNo, u32>,
    /// Keys of which an answer said so.
    keys: BTreeSet<KeyId>,
}

impl Watch {
    /// The server says what it has.
    pub fn promised(&mut self, asked: &Asked, answer: &SyncAnswer) {
        let standing = &answer.standing;
        if matches!(standing.advice, Advice::Fork | Advice::Reenrol) {
            return;
        }
        let seq = self.acknowledged.entry(asked.device).or_default();
        *seq = standing.known_seq.max(*seq);
        let keys = asked.request.keys.iter().flatten();
        self.keys.extend(keys.map(|key| key.id));
    }
}

impl World {
    /// The server may have more than before, and must not have less; unless it was set back, see
    /// [`World::set_back`].
    pub fn watch(&mut self) {
        let Some(server) = self.server.running() else {
            return;
        };
        let log = &mut self.watch.log;
        assert!(
            server.chunks.len() >= log.chunks,
            "the server lost {} of {} chunks that others have read",
            log.chunks - server.chunks.len(),
            log.chunks
        );
        for chunk in &server.chunks[log.chunks..] {
            log.push(chunk);
            for bytes in chunk.events.iter().flatten() {
                if let Ok(Decoded::Known(Event {
                    body: Body::CustomerAdded(added),
                    ..
                })) = decode(&bytes.0, None)
                {
                    // Keys come back after the events; in the end, all of them are there.
                    let is_there = server.keys.iter().any(|known| known.id == added.key);
                    assert!(
                        is_there || self.summary.set_back > 0,
                        "an event is there without its key"
                    );
                }
            }
        }
        let state = &server.state.log;
        assert_eq!(
            state.size(),
            log.size,
            "the log is as long as its state says"
        );
        assert_eq!(Some(state.root()), log.root_at(log.size), "the root");
    }

    /// A server that has just started keeps what was promised before.
    pub fn watch_promises(&self) {
        for (device, seq) in &self.watch.acknowledged {
            let there = self.watch.log.seq_of(*device);
            assert!(
                there >= *seq,
                "phone {} was told that {seq} events are stored, and {there} are",
                device.0
            );
        }
        let keys = &self.server.books().keys;
        let there: BTreeSet<KeyId> = keys.iter().map(|known| known.id).collect();
        // After a loss what any phone holds comes back.
        let is_held = |id: &&KeyId| {
            let mut stations = self.stations.iter();
            stations.any(|it| it.phone.disk.keys.contains_key(*id) && !self.is_stopped_copy(it))
        };
        let lost = self.watch.keys.difference(&there);
        let lost = lost.filter(|id| self.summary.set_back == 0 || is_held(id));
        let lost = lost.count();
        assert_eq!(lost, 0, "keys that were acknowledged are gone");
    }

    /// The server was set back: its log is the beginning of what it was.
    pub fn watch_anew(&mut self) {
        let mut log = NaiveLog::default();
        log.begin(DeviceNo::SERVER, &key(0));
        log.begin(DeviceNo::FOUNDER, &key(1));
        self.watch.log = log;
    }

    /// A phone has stored something.
    pub fn watch_phone(&self, at: usize) {
        let disk = &self.stations[at].phone.disk;
        let log = &disk.cursor.log;
        let end = disk.chunks.last();
        let end = end.map_or(0, Chunk::last);
        assert_eq!(end, log.size(), "phone {} has what it read", at + 1);
        if log.size() > self.watch.log.size && self.summary.set_back > 0 {
            return;
        }
        // It may have read on behind another log, which shows at the end of what it reads.
        if self.summary.parted > 0 {
            return;
        }
        assert_eq!(
            Some(log.root()),
            self.watch.log.root_at(log.size()),
            "phone {} has another log",
            at + 1
        );
    }
}
