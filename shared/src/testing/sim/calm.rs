//! When the faults stop, and what has to be true then.

use super::Summary;
use super::naive::{balances, check_balances};
use super::station::{Quality, Station};
use super::world::World;
use crate::bytes::Bytes;
use crate::ledger::Ledger;
use crate::sync::engine::{Activity, Input, Stop};
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
                self.tell(at, self.stations[at].life, Input::Online);
            } else {
                self.start(at);
            }
        }
        let deadline_ms = self.now_ms + REST_MS;
        let requests = self.summary.requests + REST_REQUESTS * self.stations.len() as u64;
        while let Some(restless) = self.stations.iter().find(|it| !self.rests(it)) {
            let status = restless.phone.engine().status();
            let number = restless.phone.number().0;
            assert!(
                self.now_ms < deadline_ms,
                "phone {number} is stuck: {status:?}"
            );
            assert!(
                self.summary.requests < requests,
                "phone {number} never rests"
            );
            self.happen();
        }
    }

    fn rests(&self, station: &Station) -> bool {
        let phone = &station.phone;
        let status = phone.engine().status();
        match status.activity {
            // It keeps what it wrote after the fork, for a person to look at.
            Activity::Stopped(Stop::Forked) => true,
            // What another tab wrote last, the engine may not have heard of yet.
            Activity::Stopped(Stop::Revoked) => status.waiting == 0 && self.has_all_of(phone),
            Activity::Settled => {
                status.waiting == 0
                    && self.has_all_of(phone)
                    && status.position == self.server.state().log.size()
                    && phone.disk.cursor.keys_last == self.server.books().keys.len() as u64
                    && phone
                        .disk
                        .cursor
                        .restored
                        .is_none_or(|heard| heard.keys_sent)
                    && phone.disk.cursor.restored.map(|heard| heard.restoration)
                        == self.server.state().restored
                    && phone.disk.new_keys.is_empty()
                    && !self.is_revoked(phone.number())
            }
            _ => false,
        }
    }

    /// Does the server hold all that a phone wrote?
    fn has_all_of(&self, phone: &Phone) -> bool {
        let in_log = self.server.state().log.chain(phone.number());
        in_log.is_some_and(|in_log| in_log.seq >= phone.head().seq)
    }

    /// Checks everything that a shop relies on.
    pub fn check(&mut self) -> Summary {
        self.watch();
        self.watch_promises();
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
            self.check_written(at);
            self.check_read(at, if old { &old_books } else { &books });
        }
        self.summary
    }

    /// All that was shown as saved on a phone is in the log, once, in its order, rightly judged.
    fn check_written(&mut self, at: usize) {
        let station = &self.stations[at];
        let number = station.phone.number();
        let own = self
            .server
            .books()
            .chunks
            .iter()
            .filter(|it| it.device == number);
        let in_log = own.flat_map(|chunk| {
            let events = chunk.events.iter().flatten();
            events.map(|bytes| (bytes, chunk.verdict))
        });
        let in_log: Vec<(&Bytes, Verdict)> = in_log.collect();
        let saved = &station.saved;
        assert_eq!(in_log.len(), saved.len(), "phone {}", number.0);
        let revoked = self.is_revoked(number);
        let mut not_accepted = 0;
        for (index, (bytes, verdict)) in in_log.into_iter().enumerate() {
            let place = format!("event {}-{}", number.0, index + 1);
            assert_eq!(*bytes, saved[index].bytes, "{place}");
            let expected = match saved[index].quality {
                Quality::Sound if revoked && verdict == Verdict::Held => Verdict::Held,
                Quality::Sound => Verdict::Accepted,
                Quality::Scribble => Verdict::QuarantinedMalformed,
                Quality::Misplaced => Verdict::QuarantinedMisplaced,
                Quality::Forbidden => Verdict::QuarantinedForbidden,
                Quality::ClockAhead => Verdict::QuarantinedClock,
            };
            assert_eq!(verdict, expected, "{place}");
            not_accepted += u64::from(verdict != Verdict::Accepted);
        }
        self.summary.events += saved.len() as u64;
        self.summary.not_accepted += not_accepted;
    }

    /// What a phone holds is what the server holds.
    fn check_read(&self, at: usize, books: &Ledger) {
        let phone = &self.stations[at].phone;
        let number = phone.number();
        let (disk, server) = (&phone.disk, self.server.books());
        self.compare(at);
        if self.is_revoked(number) || self.stations[at].forked {
            let read: &[Chunk] = &disk.chunks;
            assert!(server.chunks.starts_with(read), "phone {}", number.0);
            return;
        }
        let own = disk.writer.events.iter();
        let saved = self.stations[at].saved.iter().map(|saved| &saved.bytes);
        assert!(own.eq(saved), "phone {} holds all that it wrote", number.0);
        assert_eq!(disk.chunks, server.chunks, "phone {}", number.0);
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
