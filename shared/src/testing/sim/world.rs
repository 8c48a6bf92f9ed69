//! Time, and what happens in it.

use std::collections::{BTreeMap, BTreeSet};

use super::Summary;
use super::disk::Record;
use super::machine::{Asked, Machine};
use super::setback::Bringing;
use super::station::{Quality, Station};
use super::watch::Watch;
use crate::bytes::Hash;
use crate::calendar::TimeMs;
use crate::event::Role;
use crate::ids::DeviceNo;
use crate::sync::engine::{Input, Output};
use crate::testing::demo::{Demo, Size};
use crate::testing::device::{NOW, SHOP, Writer, enrolled, key};
use crate::testing::phone::{App, Disk, GENERATION, Phone};
use crate::testing::planted::Plant;
use crate::testing::rng::Rng;
use crate::testing::server::Server;

/// How long things go wrong.
const STORM_MS: u64 = 6 * 60_000;

/// A clock that is wrong is wrong by up to this: ten years.
const CLOCK_JUMP_MS: i64 = 10 * 365 * 24 * 60 * 60 * 1000;

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
    Request(Asked),
    /// What the server lost reaches it, or whom it has forgotten.
    Returned(Bringing),
    /// The server's disk has a record.
    Synced { life: u32, record: Record },
    /// A phone's app is opened.
    Start { at: usize },
    /// The server comes up.
    ServerStart,
    /// Something goes wrong that nobody at a phone did.
    Mishap,
}

pub(super) struct World {
    pub rng: Rng,
    pub now_ms: u64,
    queue: BTreeMap<(u64, u64), Happening>,
    serial: u64,
    pub stations: Vec<Station>,
    pub server: Machine,
    /// How far the server's clock is off.
    pub server_clock_ms: i64,
    /// What the people of the shop have in mind.
    pub demo: Demo,
    pub watch: Watch,
    /// All that a person saw the tick for, by the chain hash with it: what it was when it was written.
    pub saved: BTreeMap<Hash, Quality>,
    /// Devices that someone has removed.
    pub removed: BTreeSet<DeviceNo>,
    /// The devices that copies are copies of.
    pub parents: BTreeMap<DeviceNo, DeviceNo>,
    /// Nothing goes wrong any more.
    pub calm: bool,
    pub summary: Summary,
}

impl World {
    pub fn new(seed: u64, plant: Plant) -> World {
        let mut rng = Rng::new(seed);
        let phones = match rng.below(100) {
            0 => 10 + rng.below(41) as u32,
            1..6 => 5 + rng.below(5) as u32,
            _ => 2 + rng.below(3) as u32,
        };
        // The founding phone has worked alone, and has enrolled the others by now.
        let mut founder = Writer::founder();
        for number in 2..=phones {
            let role = *rng.pick(&[Role::Cashier, Role::Manager, Role::Owner]);
            founder.write(enrolled(number, role));
        }
        let writers = core::iter::once(founder).chain((2..=phones).map(Writer::new));
        let mut stations: Vec<Station> = writers
            .map(|writer| Station::new(Phone::new(Disk::new(writer))))
            .collect();
        for station in &mut stations {
            // The founder enrols in the oldest way; some of the others are late with updates.
            let old = station.phone.number() != DeviceNo::FOUNDER && rng.chance(15);
            station.phone.disk.app = App { old, plant };
        }
        let mut server = Server::claimed(SHOP, GENERATION, key(1), key(0));
        server.plant = plant;
        // Some servers are from before there were segments.
        server.seals = seed.is_multiple_of(2).then_some(8);
        let mut watch = Watch::default();
        watch.log.begin(DeviceNo::SERVER, &key(0));
        watch.log.begin(DeviceNo::FOUNDER, &key(1));
        let size = Size {
            events: 10_000,
            customers: 28,
            days: 365,
            devices: phones,
            seed: rng.bits(),
            until: NOW.day(),
        };
        let mut world = World {
            rng,
            now_ms: 0,
            queue: BTreeMap::new(),
            serial: 0,
            stations,
            server: Machine::new(server),
            server_clock_ms: 0,
            demo: Demo::new(size),
            watch,
            saved: BTreeMap::new(),
            removed: BTreeSet::new(),
            parents: BTreeMap::new(),
            calm: false,
            summary: Summary {
                phones: u64::from(phones),
                ..Summary::default()
            },
        };
        for at in 0..phones as usize {
            world.shown_as_saved(at, 0, Quality::Sound);
            let delay_ms = world.rng.below(30_000);
            world.after(delay_ms, Happening::Start { at });
            world.after(delay_ms + 1, Happening::Person { at });
        }
        world.after(1, Happening::Mishap);
        world
    }

    /// A person has seen the tick for all that a phone wrote after this number.
    pub fn shown_as_saved(&mut self, at: usize, after_seq: u32, quality: Quality) {
        let writer = &self.stations[at].phone.disk.writer;
        let written = after_seq + 1..=writer.head().seq;
        let hashes = written.map(|seq| writer.head_at(seq).hash);
        self.saved.extend(hashes.map(|hash| (hash, quality)));
    }

    /// A moment on the clock of the server.
    pub fn server_time(&self) -> TimeMs {
        NOW.plus_ms(self.now_ms as i64 + self.server_clock_ms)
    }

    /// A moment on the clock of a phone.
    pub fn time_at(&self, at: usize) -> TimeMs {
        NOW.plus_ms(self.now_ms as i64 + self.stations[at].clock_ms)
    }

    pub fn after(&mut self, delay_ms: u64, happening: Happening) {
        self.serial += 1;
        let when = (self.now_ms + delay_ms, self.serial);
        self.queue.insert(when, happening);
    }

    /// Is a phone about to store what it has just read?
    pub fn is_storing(&self) -> bool {
        self.queue.values().any(|happening| {
            matches!(
                happening,
                Happening::Storage { .. }
                    | Happening::Input {
                        input: Input::Verified(..),
                        ..
                    }
            )
        })
    }

    /// What is on its way to the server or from it does not arrive.
    pub fn cut_lines(&mut self) {
        self.queue.retain(|_, happening| {
            !matches!(
                happening,
                Happening::Request(_)
                    | Happening::Returned(_)
                    | Happening::Input {
                        input: Input::Answered(..) | Input::Fetched(..) | Input::Restored(..),
                        ..
                    }
            )
        });
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
            Happening::Request(asked) => self.request(asked),
            Happening::Returned(bringing) => self.take_back(&bringing),
            Happening::Synced { life, record } => self.synced(life, &record),
            Happening::Start { at } => self.start(at),
            Happening::ServerStart => self.start_server(),
            Happening::Mishap => self.mishap(),
        }
    }

    /// Does something go wrong that goes wrong in `percent` of the cases?
    pub fn fault(&mut self, percent: u64) -> bool {
        self.rng.chance(percent) && !self.calm
    }

    /// Power, networks, disks and clocks: they fail for a while, or jump.
    fn mishap(&mut self) {
        if self.calm {
            return;
        }
        let pause_ms = 1 + self.rng.below(40_000);
        self.after(pause_ms, Happening::Mishap);
        let at = self.rng.below(self.stations.len() as u64) as usize;
        let until_ms = self.now_ms + self.rng.below(60_000);
        match self.rng.below(100) {
            0..20 => self.crash_server(),
            20..45 => {
                self.summary.partitions += 1;
                self.stations[at].cut_off_until_ms = until_ms;
            }
            45..65 => self.stations[at].clock_ms = self.clock_jump(),
            65..75 => self.server_clock_ms = self.clock_jump(),
            75..85 => self.server.full_until_ms = until_ms,
            85..95 => self.server.slow_until_ms = until_ms,
            // The neighbours meet over tea and tell each other of their customers.
            _ => self.demo.met(),
        }
    }

    /// A new error of a clock, in milliseconds.
    fn clock_jump(&mut self) -> i64 {
        self.summary.clock_jumps += 1;
        match self.rng.below(4) {
            0 => 0,
            1 => CLOCK_JUMP_MS,
            2 => -CLOCK_JUMP_MS,
            _ => self.rng.below(CLOCK_JUMP_MS as u64 * 2) as i64 - CLOCK_JUMP_MS,
        }
    }
}
