//! When the faults stop, and what has to be true then.

use std::collections::BTreeSet;

use super::Summary;
use super::naive::{balances, check_balances};
use super::station::{Quality, Station};
use super::world::World;
use crate::bytes::Hash;
use crate::ids::{DeviceNo, EventId};
use crate::ledger::Ledger;
use crate::sync::engine::{Activity, Input, Stop, SyncStatus};
use crate::sync::wire::{Chunk, Verdict};
use crate::testing::phone::{App, Phone};

/// How soon all phones have come to rest: the slowest of them waits for the end of its patience
/// with a server that did not know it yet.
const REST_MS: u64 = 20 * 60_000;

/// The most requests that a phone needs to come to rest.
const REST_REQUESTS: u64 = 60;

impl World {
    /// Lets the faults stop, and waits until every phone rests.
    pub fn calm_weather(&mut self) {
        self.calm = true;
        self.start_server();
        for at in 0..self.stations.len() {
            if self.stations[at].phone.is_running() {
                // Someone looks at each phone, a removed one too.
                self.tell(at, self.stations[at].life, Input::Online);
                self.tell(at, self.stations[at].life, Input::SyncNow);
            } else {
                self.start(at);
            }
        }
        let deadline_ms = self.now_ms + REST_MS;
        let requests = self.summary.requests + REST_REQUESTS * self.stations.len() as u64;
        while self.stations.iter().any(|it| !self.rests(it)) {
            assert!(self.now_ms < deadline_ms, "stuck: {:?}", self.restless());
            let is_enough = self.summary.requests < requests;
            assert!(is_enough, "they never rest: {:?}", self.restless());
            self.owner_looks(0);
            self.happen();
        }
    }

    fn restless(&self) -> Vec<(u32, SyncStatus)> {
        let restless = self.stations.iter().filter(|it| !self.rests(it));
        let phones = restless.map(|it| &it.phone);
        phones
            .map(|phone| (phone.number().0, phone.engine().status()))
            .collect()
    }

    fn rests(&self, station: &Station) -> bool {
        let phone = &station.phone;
        let status = phone.engine().status();
        match status.activity {
            Activity::Stopped(Stop::Forked) => self.is_revoked(phone.number()),
            // What another tab wrote last, the engine may not have heard of yet.
            Activity::Stopped(Stop::Revoked) => {
                let head = phone.head();
                let handed_in = self.watch.log.written.contains_key(&head.hash);
                let kept = self.is_stopped_copy(station);
                (handed_in || kept || head.seq == 0) && self.has_heard(phone)
            }
            Activity::Settled => {
                status.waiting == 0
                    && self.has_all_of(phone)
                    && status.position == self.server.state().log.size()
                    && phone.disk.cursor.keys_last == self.server.books().keys.len() as u64
                    && self.has_heard(phone)
                    && phone.disk.new_keys.is_empty()
                    && !self.is_revoked(phone.number())
            }
            _ => false,
        }
    }

    /// Does a phone know that the server lost something, and has it given back its keys?
    fn has_heard(&self, phone: &Phone) -> bool {
        let heard = phone.disk.cursor.restored;
        let nothing = || self.is_revoked(phone.number()) && phone.keys_held().is_empty();
        heard.is_none_or(|heard| heard.keys_sent || nothing())
            && heard.map(|heard| heard.restoration) == self.server.state().restored
    }

    /// Does the server hold all that a phone wrote?
    pub fn has_all_of(&self, phone: &Phone) -> bool {
        self.server.state().log.chain(phone.number()) == Some(phone.head())
    }

    /// Checks everything that a shop relies on.
    pub fn check(&mut self) -> Summary {
        self.watch();
        self.watch_promises();
        self.check_written();
        let server = self.server.books();
        let (chunks, plant) = (&server.chunks, server.plant);
        let fold = |app: App| {
            let mut books = Ledger::default();
            app.fold_chunks(&mut books, chunks, None);
            books
        };
        // A bug in the fold would be in every copy of it: the sums show it all the same.
        let [books, old_books] = [false, true].map(|old| fold(App { old, plant }));
        check_balances(&books, &balances(chunks));
        for at in 0..self.stations.len() {
            let old = self.stations[at].phone.disk.app.old;
            self.summary.old += u64::from(old);
            self.check_read(at, if old { &old_books } else { &books });
        }
        self.summary
    }

    /// All that was shown as saved on any phone is in the log, once, rightly judged, and nothing else is.
    fn check_written(&mut self) {
        let written = &self.watch.log.written;
        let by_phones = |id: &EventId| id.device != DeviceNo::SERVER;
        for (hash, (id, verdict)) in written.iter().filter(|(_, (id, _))| by_phones(id)) {
            let quality = self.saved.get(hash);
            let quality = quality.unwrap_or_else(|| panic!("nobody wrote {id}"));
            let expected = match quality {
                Quality::Sound if *verdict == Verdict::Held && self.was_removed(id.device) => {
                    Verdict::Held
                }
                Quality::Sound => Verdict::Accepted,
                Quality::Scribble => Verdict::QuarantinedMalformed,
                Quality::Misplaced => Verdict::QuarantinedMisplaced,
                Quality::Forbidden => Verdict::QuarantinedForbidden,
                Quality::ClockAhead => Verdict::QuarantinedClock,
            };
            assert_eq!(*verdict, expected, "event {id}");
            self.summary.events += 1;
            self.summary.not_accepted += u64::from(*verdict != Verdict::Accepted);
        }
        let copies = self.stations.iter().filter(|it| self.is_stopped_copy(it));
        let kept: BTreeSet<Hash> = copies
            .flat_map(|it| {
                let writer = &it.phone.disk.writer;
                (1..=writer.head().seq).map(|seq| writer.head_at(seq).hash)
            })
            .collect();
        let lost = self.saved.keys();
        let lost = lost.filter(|hash| !written.contains_key(*hash) && !kept.contains(*hash));
        assert_eq!(lost.count(), 0, "entries that were shown as saved are lost");
    }

    /// What a phone holds is what the server holds.
    fn check_read(&self, at: usize, books: &Ledger) {
        let phone = &self.stations[at].phone;
        let number = phone.number();
        let (disk, server) = (&phone.disk, self.server.books());
        self.compare(at);
        if self.is_revoked(number) {
            let (read, log) = (one_by_one(&disk.chunks), one_by_one(&server.chunks));
            assert!(log.starts_with(&read), "phone {}", number.0);
            return;
        }
        assert!(
            self.has_all_of(phone),
            "phone {} holds all that it wrote",
            number.0
        );
        let (read, log) = (one_by_one(&disk.chunks), one_by_one(&server.chunks));
        assert_eq!(read, log, "phone {}", number.0);
        assert_eq!(disk.cursor.log, server.state.log, "phone {}", number.0);
        assert_eq!(
            phone.ledger().checksum(),
            books.checksum(),
            "the books of phone {} and the server differ",
            number.0
        );
        for known in &server.keys {
            let held = disk.keys.get(&known.id);
            let destroyed = server.is_destroyed(&known.id);
            assert!(known.key.is_none() || !destroyed, "a destroyed key is back");
            let expected = known.key;
            assert_eq!(held, Some(&expected), "a key of phone {}", number.0);
        }
        for id in disk.keys.keys() {
            let is_there = server.keys.iter().any(|known| known.id == *id);
            assert!(is_there, "a key of phone {} is not on the server", number.0);
        }
    }
}

/// The events of a log each by itself. A server that lost a part of its log may have got it again in
/// other chunks than a phone that had read it before.
fn one_by_one(chunks: &[Chunk]) -> Vec<Chunk> {
    let mut events = Vec::new();
    for chunk in chunks {
        for (bytes, index) in chunk.events.iter().flatten().zip(0..) {
            events.push(Chunk {
                position: chunk.position + u64::from(index),
                first_seq: chunk.first_seq + index,
                count: 1,
                events: Some(vec![bytes.clone()]),
                ..*chunk
            });
        }
    }
    events
}
