//! What people do at their phones.

use super::station::Quality;
use super::world::{Happening, World};
use crate::bytes::{Fixed, KeyId};
use crate::event::{
    Body, CustomerAdded, CustomerErased, DeviceRevoked, Event, HeldRefused, HeldReleased, Kind,
    MAX_CLOCK_JUMP, Role, encode,
};
use crate::ids::{CustomerId, DeviceNo, EventId};
use crate::sync::authority::may_write;
use crate::sync::engine::Input;
use crate::sync::wire::SealingKey;
use crate::testing::device::enrolled;
use crate::testing::logs;

/// Kinds that change who may do what, or destroy keys: written on purpose only.
const ON_PURPOSE: [Kind; 13] = [
    Kind::ShopOpened,
    Kind::DeviceEnrolled,
    Kind::DeviceNamed,
    Kind::DeviceRevoked,
    Kind::DeviceKeyChanged,
    Kind::BranchRegistered,
    Kind::GenerationOpened,
    Kind::StaffAdded,
    Kind::StaffChanged,
    Kind::CustomerAdded,
    Kind::CustomerErased,
    Kind::HeldReleased,
    Kind::HeldRefused,
];

impl World {
    /// A person does something, and again later.
    pub fn person(&mut self, at: usize) {
        if self.calm {
            return;
        }
        self.owner_looks(at);
        // A large shop has more phones, and each of them less to do.
        let longest_ms = 5_000 * (self.stations.len() as u64).max(4);
        let pause_ms = 1 + self.rng.below(longest_ms);
        self.after(pause_ms, Happening::Person { at });
        if !self.stations[at].phone.is_running() {
            return;
        }
        let life = self.stations[at].life;
        match self.rng.below(100) {
            0..5 => {
                self.compare(at);
                self.crash(at);
            }
            5..10 => self.tell(at, life, Input::SyncNow),
            10..15 => self.tell(at, life, Input::Offline),
            15..22 => self.tell(at, life, Input::Online),
            22 if self.rng.chance(50) => self.copy(at),
            22..26 => self.stations[at].backup = Some(self.stations[at].phone.disk.clone()),
            _ => self.write(at),
        }
    }

    /// A person writes something. Whoever has restored a phone waits until it has met the server,
    /// nearly always.
    fn write(&mut self, at: usize) {
        let behind = self.is_behind(at);
        if behind && !self.fault(5) {
            return;
        }
        let before = self.stations[at].phone.head();
        let ahead = self.stations[at].phone.ledger().clock >= MAX_CLOCK_JUMP;
        let quality = match self.rng.below(100) {
            0..2 => Quality::Scribble,
            2 => Quality::Misplaced,
            3..5 if ahead => Quality::ClockAhead,
            3..5 => Quality::Forbidden,
            _ if ahead => Quality::ClockAhead,
            5 if self.rng.chance(25) => Quality::ClockAhead,
            _ => Quality::Sound,
        };
        match quality {
            Quality::Scribble => self.scribble(at),
            Quality::Misplaced => self.misplace(at),
            Quality::Forbidden => self.overstep(at),
            Quality::ClockAhead if !ahead => self.jump(at),
            Quality::ClockAhead | Quality::Sound => self.work(at),
        }
        let writer = &self.stations[at].phone.disk.writer;
        let is_longer = writer.head().seq > before.seq && writer.head_at(before.seq) == before;
        if is_longer {
            self.shown_as_saved(at, before.seq, quality);
        }
    }

    fn work(&mut self, at: usize) {
        match self.rng.below(80) {
            0..6 => self.add_customer(at),
            6..8 => self.erase_customer(at),
            8..13 => self.decide_on_held(at),
            13..15 => self.revoke(at),
            15..19 => self.write_from_the_future(at),
            19..45 => self.make_entries(at),
            _ => self.serve_customer(at),
        }
    }

    fn role(&self, at: usize) -> Role {
        let ledger = self.stations[at].phone.ledger();
        let founder = &self.stations[0].phone.disk;
        let mut number = self.stations[at].phone.number();
        let device = ledger.devices.get(&number);
        let own = device.and_then(|device| device.role.get().copied());
        // A copy may do what the copied phone may.
        while let Some(of) = self.parents.get(&number) {
            number = *of;
        }
        // Before the first sync a phone knows its role from the pairing.
        own.or_else(|| founder.fold().devices.get(&number)?.role.get().copied())
            .unwrap_or(Role::Cashier)
    }

    /// Any entries, sense or nonsense, one or several at a time.
    fn make_entries(&mut self, at: usize) {
        let role = self.role(at);
        let devices = self.stations.len() as u32;
        let app = self.stations[at].phone.disk.app;
        let wanted = if self.rng.chance(20) {
            2 + self.rng.below(4)
        } else {
            1
        };
        let mut bodies = Vec::new();
        while (bodies.len() as u64) < wanted {
            let body = logs::event(&mut self.rng, devices, 40).body;
            let kind = body.kind();
            if may_write(role, kind as u16) && app.knows(kind) && !ON_PURPOSE.contains(&kind) {
                bodies.push(body);
            }
        }
        self.append(at, bodies, Vec::new());
    }

    fn add_customer(&mut self, at: usize) {
        let key = SealingKey {
            id: Fixed(self.rng.bytes()),
            key: Some(Fixed(self.rng.bytes())),
        };
        let added = CustomerAdded {
            name: "Priya".into(),
            key: key.id,
            phone: None,
            address: None,
            note: None,
            language: None,
            limit: None,
            messages: None,
            origin: None,
        };
        self.append(at, vec![added.into()], vec![key]);
    }

    fn erase_customer(&mut self, at: usize) {
        let ledger = self.stations[at].phone.ledger();
        let known = ledger.customers.iter().filter_map(|(id, customer)| {
            let key = customer.added.as_ref()?.key;
            (!customer.erased).then_some((*id, key))
        });
        let known: Vec<(CustomerId, KeyId)> = known.collect();
        if self.role(at) < Role::Owner || known.is_empty() {
            return;
        }
        let (customer, key) = *self.rng.pick(&known);
        let keys = vec![key];
        let erased = CustomerErased { customer, keys };
        self.append(at, vec![erased.into()], Vec::new());
    }

    fn decide_on_held(&mut self, at: usize) {
        let held = &self.stations[at].phone.ledger().held;
        let groups = held.iter().map(|(first, group)| {
            let seqs = (first.seq..).take(group.events.len());
            seqs.map(|seq| EventId { seq, ..*first }).collect()
        });
        let groups: Vec<Vec<EventId>> = groups.collect();
        if self.role(at) < Role::Owner || groups.is_empty() {
            return;
        }
        let events = self.rng.pick(&groups).clone();
        let body = match self.rng.chance(70) {
            true => HeldReleased { events }.into(),
            false => Body::from(HeldRefused {
                events,
                reason: None,
            }),
        };
        self.append(at, vec![body], Vec::new());
    }

    /// The founder removes one phone, at most.
    fn revoke(&mut self, at: usize) {
        if at != 0 || !self.removed.is_empty() {
            return;
        }
        let other = 1 + self.rng.below(self.stations.len() as u64 - 1) as usize;
        let device = self.stations[other].phone.number();
        if device == self.stations[at].phone.number() {
            return;
        }
        self.removed.insert(device);
        self.summary.revoked += 1;
        let revoked = DeviceRevoked { device };
        self.append(at, vec![revoked.into()], Vec::new());
    }

    /// A faulty app writes nonsense.
    fn scribble(&mut self, at: usize) {
        let mut bytes = self.rng.bytes::<20>().to_vec();
        bytes[0] = 0x42; // no array begins like this
        let station = &mut self.stations[at];
        let outputs = station.phone.scribble(bytes);
        self.perform(at, outputs);
    }

    /// A faulty app writes an event that says that it is another.
    fn misplace(&mut self, at: usize) {
        let session = crate::testing::device::session().into();
        let phone = &self.stations[at].phone;
        let (clock, disk) = (phone.ledger().clock + 1, &phone.disk);
        let mut events = disk.events(clock, self.time_at(at), vec![session]);
        events[0].envelope.id.seq += 1;
        self.append_events(at, &events, Vec::new());
    }

    /// A phone that has the next release writes a kind that nobody else knows.
    fn write_from_the_future(&mut self, at: usize) {
        let session = crate::testing::device::session().into();
        // Else a phone and its copy could write the very same bytes, which no two people do.
        let now = self.time_at(at);
        let station = &mut self.stations[at];
        let clock = station.phone.ledger().clock + 1;
        let events = station.phone.disk.events(clock, now, vec![session]);
        let outputs = station.phone.scribble(of_unknown_kind(&events[0]));
        self.perform(at, outputs);
    }

    /// Someone tries what the phone may not do.
    fn overstep(&mut self, at: usize) {
        let mut stolen = enrolled(DeviceNo::FOUNDER.0, Role::Owner);
        stolen.key = enrolled(99, Role::Owner).key;
        self.append(at, vec![stolen.into()], Vec::new());
    }

    /// A faulty app uses up the Lamport clock.
    fn jump(&mut self, at: usize) {
        let session = crate::testing::device::session().into();
        let phone = &self.stations[at].phone;
        let clock = phone.ledger().clock + 2 * MAX_CLOCK_JUMP;
        let events = phone.disk.events(clock, self.time_at(at), vec![session]);
        let phone = &mut self.stations[at].phone;
        let input = phone.append_events(&events, Vec::new());
        let outputs = phone.handle(input);
        self.perform(at, outputs);
    }

    /// Events are made of bodies and written.
    fn append(&mut self, at: usize, bodies: Vec<Body>, keys: Vec<SealingKey>) {
        let phone = &self.stations[at].phone;
        let clock = phone.ledger().clock + 1;
        let events = phone.disk.events(clock, self.time_at(at), bodies);
        self.append_events(at, &events, keys);
    }

    /// A command's events are written, and the person sees the tick; or the app dies just before
    /// or just after. True when the app lives on.
    pub fn append_events(&mut self, at: usize, events: &[Event], keys: Vec<SealingKey>) -> bool {
        if self.fault(2) {
            self.crash(at);
            return false;
        }
        if self.fault(2) {
            self.stations[at].phone.disk.append_events(events, keys);
            self.crash(at);
            return false;
        }
        let (life, other_tab) = (self.stations[at].life, self.fault(5));
        let input = self.stations[at].phone.append_events(events, keys);
        if other_tab {
            // Another tab wrote them; the one that syncs hears of it a little later.
            let delay_ms = self.rng.below(5_000);
            self.after(delay_ms, Happening::Input { at, life, input });
        } else {
            self.tell(at, life, input);
        }
        true
    }

    /// The keys that were made with a phone's events from a number on.
    pub fn keys_from(&self, at: usize, first_seq: u32) -> Vec<SealingKey> {
        let keys = self.stations[at].phone.disk.new_keys.iter();
        let keys = keys.filter(|(seq, _)| *seq >= first_seq);
        keys.map(|(_, key)| key.clone()).collect()
    }
}

/// The same event with the number of a kind that no version knows.
fn of_unknown_kind(event: &Event) -> Vec<u8> {
    /// Before the kind stand nine elements of the envelope.
    const ENVELOPE: usize = 9;
    const UNKNOWN_KIND: u16 = 60_000;
    let bytes = encode(event);
    let mut decoder = minicbor::Decoder::new(&bytes);
    let readable = "what was just written can be read";
    decoder.array().expect(readable);
    for _ in 0..ENVELOPE {
        decoder.skip().expect(readable);
    }
    let kind_at = decoder.position();
    decoder.skip().expect(readable);
    let kind = minicbor::to_vec(UNKNOWN_KIND).expect("in memory");
    [&bytes[..kind_at], &kind, &bytes[decoder.position()..]].concat()
}
