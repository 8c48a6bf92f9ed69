//! A phone in its place: its life, its clock, and what its engine asks for.

use super::setback::Returned;
use super::world::{Happening, World};
use crate::ids::{DeviceNo, EventId};
use crate::sync::engine::{Activity, Input, Output, Rewritten, Stop, SyncStatus};
use crate::testing::device::{sign, verify};
use crate::testing::phone::{Disk, Phone};
use crate::testing::planted::Planted;

/// The most phones, copies among them.
const MAX_STATIONS: usize = 60;

/// One phone in its place.
pub(super) struct Station {
    pub phone: Phone,
    /// How often it was started: what was meant for an earlier life does not reach it.
    pub life: u32,
    /// An older copy of the storage.
    pub backup: Option<Disk>,
    /// How far its clock is off.
    pub clock_ms: i64,
    /// Until then nothing gets from or to it.
    pub cut_off_until_ms: u64,
    /// Until then its storage is busy: transactions take effect in the order asked for.
    storage_busy_ms: u64,
}

/// What an event was when it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quality {
    Sound,
    /// Not an event of any version.
    Scribble,
    /// Says that it is another event than it is.
    Misplaced,
    /// Of a kind that the phone may not write.
    Forbidden,
    /// Far ahead in the Lamport clock, or written after such a one.
    ClockAhead,
}

impl Station {
    pub fn new(phone: Phone) -> Station {
        Station {
            phone,
            life: 0,
            backup: None,
            clock_ms: 0,
            cut_off_until_ms: 0,
            storage_busy_ms: 0,
        }
    }
}

impl World {
    pub fn start(&mut self, at: usize) {
        if self.stations[at].phone.is_running() {
            return;
        }
        let online = self.calm || self.rng.chance(80);
        let seed = self.rng.bits();
        let updated = self.stations[at].phone.disk.app.old && self.rng.chance(30);
        if updated {
            self.summary.updated += 1;
            self.stations[at].phone.disk.app.old = false;
        }
        let station = &mut self.stations[at];
        station.life += 1;
        station.storage_busy_ms = 0;
        let outputs = station.phone.start(online, seed);
        self.perform(at, outputs);
    }

    /// The app dies at this very moment; someone opens it again.
    pub fn crash(&mut self, at: usize) {
        self.summary.crashes += 1;
        self.stations[at].phone.crash();
        if self.fault(20) {
            self.restore(at);
        }
        let delay_ms = 1 + self.rng.below(40_000);
        self.after(delay_ms, Happening::Start { at });
    }

    /// What a phone shows is what it has stored.
    pub fn compare(&self, at: usize) {
        let phone = &self.stations[at].phone;
        assert_eq!(
            phone.ledger().checksum(),
            phone.disk.fold().checksum(),
            "what phone {} shows is not what it stored",
            at + 1
        );
    }

    /// The phone comes back with an older copy of its storage. Only when all of its entries are with
    /// the server: else they would be lost indeed.
    fn restore(&mut self, at: usize) {
        // A copy of a copy that has not met the server yet is no use any more once the first has.
        let is_of_the_log = |backup: &Disk| {
            let (writer, server) = (&backup.writer, self.server.books());
            let last = EventId {
                device: writer.number,
                seq: writer.head().seq,
            };
            last.seq == 0 || server.hash_at(last) == Some(writer.head().hash)
        };
        let all_is_sent = self.has_all_of(&self.stations[at].phone);
        let is_of_use = self.stations[at].backup.as_ref().is_some_and(is_of_the_log);
        let station = &mut self.stations[at];
        let app = station.phone.disk.app;
        if all_is_sent
            && is_of_use
            && let Some(backup) = station.backup.take()
        {
            self.summary.restored += 1;
            station.phone.disk = backup;
            station.phone.disk.app = app;
        }
    }

    /// Is it the copy of a removed phone? It keeps what it wrote, for a person to look at: it may not
    /// read where its chain and the phone's part.
    pub fn is_stopped_copy(&self, station: &Station) -> bool {
        let phone = &station.phone;
        if !phone.is_running() {
            return false;
        }
        let head = phone.head();
        let in_log = self.server.state().log.chain(phone.number());
        let hides = in_log.is_some_and(|in_log| in_log.seq >= head.seq)
            && !self.watch.log.written.contains_key(&head.hash);
        match phone.engine().status().activity {
            Activity::Stopped(Stop::Forked) => true,
            Activity::Stopped(Stop::Revoked) => hides,
            _ => false,
        }
    }

    /// Someone has an exact copy of a phone, and uses it.
    pub fn copy(&mut self, at: usize) {
        let station = &self.stations[at];
        // What both hold and neither has sent would be no copy's own.
        let is_of_use = self.stations.len() < MAX_STATIONS && self.has_all_of(&station.phone);
        if !is_of_use {
            return;
        }
        self.summary.copied += 1;
        let copy = Station::new(Phone::new(station.phone.disk.clone()));
        self.stations.push(copy);
        let (at, delay_ms) = (self.stations.len() - 1, self.rng.below(30_000));
        self.after(delay_ms, Happening::Start { at });
        self.after(delay_ms + 1, Happening::Person { at });
    }

    /// Does the server hold more of a phone's chain than the phone?
    pub fn is_behind(&self, at: usize) -> bool {
        let phone = &self.stations[at].phone;
        let in_log = self.server.state().log.chain(phone.number());
        in_log.is_some_and(|in_log| in_log.seq > phone.head().seq)
    }

    pub fn tell(&mut self, at: usize, life: u32, input: Input) {
        if self.stations[at].life == life {
            let outputs = self.stations[at].phone.handle(input);
            self.perform(at, outputs);
        }
    }

    /// Sees to it that what a phone's engine asks for is done, now or later, well or not.
    pub fn perform(&mut self, at: usize, outputs: Vec<Output>) {
        let life = self.stations[at].life;
        for output in outputs {
            match output {
                Output::Sign(ticket, message) => {
                    let signature = sign(&self.stations[at].phone.disk.writer.key, &message);
                    let signature = Some(signature).filter(|_| !self.fault(2));
                    self.local(at, Input::Signed(ticket, signature));
                }
                Output::Verify(ticket, check) => {
                    let sound = verify(&check.key, &check.message, &check.signature);
                    self.local(at, Input::Verified(ticket, sound));
                }
                Output::Reload(first_seq) => {
                    let phone = &self.stations[at].phone;
                    if phone.disk.app.plant.is(Planted::SkipOnGap) {
                        continue;
                    }
                    let input = Input::Appended {
                        first_seq,
                        events: phone.own_from(first_seq),
                        keys: self.keys_from(at, first_seq),
                    };
                    self.local(at, input);
                }
                Output::SetTimer(ticket, wait_ms) => {
                    let input = Input::TimerFired(ticket);
                    self.after(wait_ms.into(), Happening::Input { at, life, input });
                }
                Output::Persist(..) => {
                    // Now and then so slow that the engine has given up waiting.
                    let slow = self.fault(2);
                    let takes_ms = 1 + self.rng.below(if slow { 60_000 } else { 30 });
                    let station = &mut self.stations[at];
                    let begins_ms = station.storage_busy_ms.max(self.now_ms);
                    station.storage_busy_ms = begins_ms + takes_ms;
                    let delay_ms = station.storage_busy_ms - self.now_ms;
                    self.after(delay_ms, Happening::Storage { at, life, output });
                }
                Output::Send(ticket, request) => self.send(at, ticket, request),
                Output::Fetch(ticket, name) => self.fetch(at, ticket, name),
                Output::Restore(ticket, request) => {
                    self.bring_back(at, ticket, Returned::Part(request));
                }
                Output::Readmit(ticket, challenge) => {
                    let phone = &self.stations[at].phone;
                    let returned = match phone.claim_again() {
                        Some(claim) => Returned::Again(Box::new(claim)),
                        None => Returned::Device(Box::new(phone.readmit(&challenge))),
                    };
                    self.bring_back(at, ticket, returned);
                }
                Output::Recall(ticket, after) => {
                    let chunks = self.stations[at].phone.recall(after);
                    self.local(at, Input::Recalled(ticket, chunks));
                }
                Output::Branch(ticket, fork) => {
                    let secret = 1000 + self.rng.below(1 << 30) as u32;
                    let claim = self.stations[at].phone.claim(fork, secret);
                    if self.fault(4) {
                        return self.crash(at);
                    }
                    self.bring_back(at, ticket, Returned::Copy(Box::new(claim)));
                }
                Output::RecallKeys => {
                    let keys = self.stations[at].phone.keys_held();
                    self.local(at, Input::KeysHeld(keys));
                }
                Output::Status(status) => self.look(at, status),
            }
        }
    }

    /// Something that comes back from within the phone.
    fn local(&mut self, at: usize, input: Input) {
        let life = self.stations[at].life;
        let delay_ms = self.rng.below(5);
        self.after(delay_ms, Happening::Input { at, life, input });
    }

    pub fn store(&mut self, at: usize, life: u32, output: Output) {
        let Output::Persist(ticket, batch) = output else {
            return;
        };
        // What a dead app had under way is gone.
        let station = &self.stations[at];
        if station.life != life || !station.phone.is_running() {
            return;
        }
        let plant = station.phone.disk.app.plant;
        if self.fault(4) {
            if plant.is(Planted::CursorApart) {
                self.stations[at].phone.disk.cursor = batch.cursor;
            }
            // Before the transaction is durable: all of it is gone.
            return self.crash(at);
        }
        let stored = !self.fault(4) && self.stations[at].phone.persist(&batch);
        if stored {
            self.watch_phone(at);
        }
        if stored && let Some(fork) = &batch.branch {
            self.summary.forked += 1;
            let device = self.stations[at].phone.number();
            self.parents.insert(device, fork.of);
            self.stations[at].phone.crash();
            return self.start(at);
        }
        if self.fault(4) {
            return self.crash(at);
        }
        let input = match stored || plant.is(Planted::LostPersist) {
            true => Input::Persisted(ticket),
            false => Input::PersistFailed(ticket),
        };
        self.tell(at, life, input);
    }

    /// A person looks at the screen.
    fn look(&self, at: usize, status: SyncStatus) {
        let Activity::Stopped(stop) = status.activity else {
            return;
        };
        let number = self.stations[at].phone.number();
        match stop {
            Stop::NotEnrolled => assert_ne!(number, DeviceNo::FOUNDER, "the claim told its key"),
            Stop::Forked => assert!(self.was_removed(number), "it goes on as a phone of its own"),
            Stop::Revoked => assert!(self.was_removed(number), "nobody revoked it"),
            // Until another phone has brought back what is missing.
            Stop::NotKnown | Stop::LogRewritten(Rewritten::Shorter) => {
                assert!(self.summary.set_back > 0, "nothing was lost");
            }
            // Until the owner lets the log go on.
            Stop::LogRewritten(_) if self.summary.parted > 0 => {}
            other => panic!("phone {} stopped: {other:?}", number.0),
        }
    }
}
