//! Time, and what happens in it.

use std::collections::BTreeMap;

use super::Summary;
use crate::bytes::Bytes;
use crate::calendar::TimeMs;
use crate::event::Role;
use crate::ids::DeviceNo;
use crate::sync::engine::{Activity, Input, Output, Stop, SyncStatus, Ticket};
use crate::sync::wire::SyncRequest;
use crate::testing::device::{NOW, SHOP, Writer, enrolled, key, sign, verify};
use crate::testing::phone::{Disk, GENERATION, Phone};
use crate::testing::rng::Rng;
use crate::testing::server::Server;

/// How long things go wrong.
const STORM_MS: u64 = 6 * 60_000;

/// One phone in its place.
pub(super) struct Station {
    pub phone: Phone,
    /// How often it was started: what was meant for an earlier life does not reach it.
    pub life: u32,
    /// All that was shown as saved, kept apart from the phone.
    pub saved: Vec<Saved>,
    pub revoked: bool,
    /// An older copy of the storage.
    pub backup: Option<Disk>,
    /// A restored copy wrote on before it had met the server: what it writes stays on it.
    pub forked: bool,
    /// Until then its storage is busy: transactions take effect in the order asked for.
    storage_busy_ms: u64,
}

/// An event that a person saw the tick for.
pub(super) struct Saved {
    pub bytes: Bytes,
    pub quality: Quality,
}

/// What an event was when it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quality {
    Sound,
    /// Not an event of any version.
    Scribble,
    /// Of a kind that the phone may not write.
    Forbidden,
    /// Far ahead in the Lamport clock, or written after such a one.
    ClockAhead,
}

impl Saved {
    fn sound(bytes: &Bytes) -> Saved {
        Saved {
            bytes: bytes.clone(),
            quality: Quality::Sound,
        }
    }
}

/// Something that happens at a moment.
pub(super) enum Happening {
    /// A person does something at a phone.
    Person { at: usize },
    /// Something reaches a phone.
    Input { at: usize, life: u32, input: Input },
    /// A phone's storage does what it was asked for.
    Storage {
        at: usize,
        life: u32,
        output: Output,
    },
    /// A request reaches the server.
    Request {
        from: usize,
        life: u32,
        ticket: Ticket,
        request: Box<SyncRequest>,
    },
    /// A phone's app is opened.
    Start { at: usize },
    /// The server comes up.
    ServerStart,
}

pub(super) struct World {
    pub rng: Rng,
    pub now_ms: u64,
    queue: BTreeMap<(u64, u64), Happening>,
    serial: u64,
    pub stations: Vec<Station>,
    pub server: Server,
    pub server_up: bool,
    /// Nothing goes wrong any more.
    pub calm: bool,
    pub summary: Summary,
}

impl World {
    pub fn new(seed: u64) -> World {
        let mut rng = Rng::new(seed);
        let phones = 2 + rng.below(3) as u32;
        // The founding phone has worked alone, and has enrolled the others by now.
        let mut founder = Writer::founder();
        for number in 2..=phones {
            let role = *rng.pick(&[Role::Cashier, Role::Manager, Role::Owner]);
            founder.write(enrolled(number, role));
        }
        let writers = core::iter::once(founder).chain((2..=phones).map(Writer::new));
        let stations = writers.map(|writer| Station {
            saved: writer.events.iter().map(Saved::sound).collect(),
            phone: Phone::new(Disk::new(writer)),
            life: 0,
            revoked: false,
            backup: None,
            forked: false,
            storage_busy_ms: 0,
        });
        let mut world = World {
            rng,
            now_ms: 0,
            queue: BTreeMap::new(),
            serial: 0,
            stations: stations.collect(),
            server: Server::claimed(SHOP, GENERATION, key(1), key(0)),
            server_up: true,
            calm: false,
            summary: Summary {
                phones: u64::from(phones),
                ..Summary::default()
            },
        };
        for at in 0..phones as usize {
            let delay_ms = world.rng.below(30_000);
            world.after(delay_ms, Happening::Start { at });
            world.after(delay_ms + 1, Happening::Person { at });
        }
        world
    }

    /// A moment on the clock of the server.
    pub fn time(&self) -> TimeMs {
        NOW.plus_ms(self.now_ms as i64)
    }

    pub fn after(&mut self, delay_ms: u64, happening: Happening) {
        self.serial += 1;
        let when = (self.now_ms + delay_ms, self.serial);
        self.queue.insert(when, happening);
    }

    /// Until the faults stop.
    pub fn stormy_weather(&mut self) {
        while self.now_ms < STORM_MS {
            self.happen();
        }
    }

    /// The next thing happens.
    pub fn happen(&mut self) {
        let ((when, _), happening) = self.queue.pop_first().expect("a timer at least");
        self.now_ms = when;
        match happening {
            Happening::Person { at } => self.person(at),
            Happening::Input { at, life, input } => self.tell(at, life, input),
            Happening::Storage { at, life, output } => self.store(at, life, output),
            Happening::Request {
                from,
                life,
                ticket,
                request,
            } => self.request(from, life, ticket, &request),
            Happening::Start { at } => self.start(at),
            Happening::ServerStart => self.server_up = true,
        }
    }

    pub fn start(&mut self, at: usize) {
        if self.stations[at].phone.is_running() {
            return;
        }
        let online = self.calm || self.rng.chance(80);
        let seed = self.rng.bits();
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

    /// The phone comes back with an older copy of its storage. Only when all of its entries are with
    /// the server: else they would be lost indeed.
    fn restore(&mut self, at: usize) {
        let station = &mut self.stations[at];
        if self.server.state.log.chain(station.phone.number()) == Some(station.phone.head())
            && let Some(backup) = station.backup.take()
        {
            self.summary.restored += 1;
            station.phone.disk = backup;
        }
    }

    /// Does the server hold more of a phone's chain than the phone?
    pub fn is_behind(&self, at: usize) -> bool {
        let phone = &self.stations[at].phone;
        let in_log = self.server.state.log.chain(phone.number());
        in_log.is_some_and(|in_log| in_log.seq > phone.head().seq)
    }

    pub fn crash_server(&mut self) {
        self.summary.crashes += 1;
        self.server_up = false;
        let delay_ms = 1 + self.rng.below(60_000);
        self.after(delay_ms, Happening::ServerStart);
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
                    let input = Input::Appended {
                        first_seq,
                        events: self.stations[at].phone.own_from(first_seq),
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

    fn store(&mut self, at: usize, life: u32, output: Output) {
        let Output::Persist(ticket, batch) = output else {
            return;
        };
        // What a dead app had under way is gone.
        let station = &self.stations[at];
        if station.life != life || !station.phone.is_running() {
            return;
        }
        if self.fault(4) {
            // Before the transaction is durable: all of it is gone.
            return self.crash(at);
        }
        let stored = !self.fault(4) && self.stations[at].phone.persist(&batch);
        if self.fault(4) {
            return self.crash(at);
        }
        let input = match stored {
            true => Input::Persisted(ticket),
            false => Input::PersistFailed(ticket),
        };
        self.tell(at, life, input);
    }

    /// Does something go wrong that goes wrong in `percent` of the cases?
    pub fn fault(&mut self, percent: u64) -> bool {
        self.rng.chance(percent) && !self.calm
    }

    /// A person looks at the screen.
    fn look(&self, at: usize, status: SyncStatus) {
        let Activity::Stopped(stop) = status.activity else {
            return;
        };
        let number = self.stations[at].phone.number();
        match stop {
            Stop::NotEnrolled => assert_ne!(number, DeviceNo::FOUNDER, "the claim told its key"),
            Stop::Forked => assert!(self.stations[at].forked, "it is the only one"),
            Stop::Revoked => assert!(self.stations[at].revoked, "nobody revoked it"),
            other => panic!("phone {} stopped: {other:?}", number.0),
        }
    }
}
