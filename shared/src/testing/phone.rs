//! A phone in memory: the real engine and the real fold over a disk that is a struct.

use std::collections::BTreeMap;

use super::device::{NOW, SHOP, Writer, key, sign};
use super::planted::{Plant, Planted};
use crate::bytes::{Bytes, Fixed, KeyId};
use crate::calendar::TimeMs;
use crate::event::{
    Body, Branch, Decoded, Envelope, Event, GenerationOpened, Group, Kind, Unknown, decode, encode,
};
use crate::ids::{DeviceNo, EventId};
use crate::ledger::{Ledger, Standing, Step};
use crate::sync::branch::{branch_message, number_of};
use crate::sync::engine::{Activity, Batch, Cursor, Engine, Input, Output, Stored};
use crate::sync::generation::{consent, consent_message};
use crate::sync::log::{ChainHead, Log};
use crate::sync::restore::readmit_message;
use crate::sync::wire::{
    BranchRequest, Challenge, Chunk, Fork, Generation, Protocols, ReadmitRequest, SealingKey,
    Verdict,
};

/// The first life of the log of tests.
pub const GENERATION: Generation = Fixed([9; 16]);

/// What a phone's storage holds. A clone of it is a clone of the phone.
#[derive(Debug, Clone)]
pub struct Disk {
    /// The phone's own chain, whole.
    pub writer: Writer,
    /// The keys that it made and that are not yet known to be with the server.
    pub new_keys: Vec<(u32, SealingKey)>,
    /// How far it read the log.
    pub cursor: Cursor,
    /// The log as read.
    pub chunks: Vec<Chunk>,
    /// What others wrote in a log that was given up, and nobody could prove.
    pub unproved: Vec<Chunk>,
    /// Every key that it holds; `None` for a destroyed one.
    pub keys: BTreeMap<KeyId, Option<Fixed<32>>>,
    /// What it asked the server with when it found that it is a copy.
    pub claim: Option<BranchRequest>,
    /// Set when it is a copy that goes on as a device of its own.
    pub branch: Option<Branch>,
    /// Which app reads it, and with which bug.
    pub app: App,
    /// Own events up to here were dropped before they were read back. Only a planted bug does it.
    dropped_seq: u32,
}

impl Disk {
    /// The storage of a phone that has just joined.
    pub fn new(writer: Writer) -> Disk {
        let cursor = Cursor::start(SHOP, GENERATION, key(0), writer.number, &writer.key);
        Disk {
            writer,
            new_keys: Vec::new(),
            cursor,
            chunks: Vec::new(),
            unproved: Vec::new(),
            keys: BTreeMap::new(),
            claim: None,
            branch: None,
            app: App::default(),
            dropped_seq: 0,
        }
    }

    /// The last own event that stands in the log as read.
    pub fn confirmed_seq(&self) -> u32 {
        let own = self.cursor.log.chain(self.writer.number);
        own.map_or(0, |head| head.seq)
    }

    /// Writes the events of one command in one transaction and gives the number of the first.
    pub fn append(&mut self, clock: u64, bodies: Vec<Body>, new_keys: Vec<SealingKey>) -> u32 {
        let events = self.events(clock, NOW, bodies);
        self.append_events(&events, new_keys)
    }

    /// The next events with these bodies: one command's.
    pub fn events(&self, clock: u64, at: TimeMs, bodies: Vec<Body>) -> Vec<Event> {
        let first_seq = self.writer.head().seq + 1;
        let group = (bodies.len() > 1).then_some(Group {
            first: first_seq,
            count: bodies.len() as u16,
        });
        let bodies = bodies.into_iter().zip(first_seq..);
        let events = bodies.map(|(body, seq)| Event {
            envelope: Envelope {
                id: EventId {
                    device: self.writer.number,
                    seq,
                },
                clock,
                at,
                by: None,
                group,
                cause: None,
                correlation: None,
                expect: None,
            },
            body,
        });
        events.collect()
    }

    /// Writes the events of one command in one transaction and gives the number of the first.
    pub fn append_events(&mut self, events: &[Event], new_keys: Vec<SealingKey>) -> u32 {
        let first_seq = self.writer.head().seq + 1;
        for event in events {
            self.writer.write_bytes(encode(event));
        }
        for key in new_keys {
            self.keys.insert(key.id, key.key);
            self.new_keys.push((first_seq, key));
        }
        first_seq
    }

    /// Stores a batch in one transaction. False when it does not fit and nothing was changed.
    pub fn persist(&mut self, batch: &Batch) -> bool {
        let restored = batch.restored.is_some();
        if batch
            .restored
            .is_some_and(|restored| restored.from != self.writer.head())
        {
            return false;
        }
        if let Some(fork) = &batch.branch
            && !self.become_branch(fork)
        {
            return false;
        }
        if let Some(cut) = &batch.cut {
            self.chunks.retain(|chunk| chunk.position <= cut.position);
            self.unproved.extend(cut.unproved.iter().cloned());
            let base = batch.confirmed_seq as usize;
            let own = &self.writer.events[base..base + cut.own.len()];
            assert_eq!(own, cut.own, "the outbox begins where the log ends");
        }
        for chunk in &batch.chunks {
            let end = self.chunks.last();
            let end = end.map_or(0, Chunk::last);
            assert_eq!(chunk.position, end + 1, "no part comes twice or too early");
            if restored && chunk.device == self.writer.number {
                for (bytes, seq) in chunk.events.iter().flatten().zip(chunk.first_seq..) {
                    if seq > self.writer.head().seq {
                        self.writer.write_bytes(bytes.0.clone());
                    }
                }
            }
            self.chunks.push(chunk.clone());
        }
        for key in &batch.keys {
            let held = self.keys.entry(key.id).or_insert(key.key);
            *held = held.and(key.key);
        }
        self.cursor = batch.cursor.clone();
        self.new_keys.retain(|(seq, _)| *seq > batch.confirmed_seq);
        true
    }

    /// Takes the number, the key and the token of a device of its own.
    fn become_branch(&mut self, fork: &Fork) -> bool {
        let Some(claim) = self.claim.as_ref().filter(|claim| claim.fork == *fork) else {
            return false;
        };
        assert_eq!(self.writer.head_at(fork.from_seq).hash, fork.next);
        if self.app.plant.is(Planted::CopyForgets) {
            self.writer.forget_after(fork.from_seq - 1);
        }
        self.writer.number = number_of(fork);
        self.writer.key = claim.key;
        self.branch = Some(Branch {
            device: self.writer.number,
            of: fork.of,
            from_seq: fork.from_seq,
        });
        true
    }

    /// Everything folded: the log, then what is not in it yet.
    pub fn fold(&self) -> Ledger {
        let mut ledger = Ledger::default();
        self.app.fold_chunks(&mut ledger, &self.chunks, None);
        self.fold_own(&mut ledger, self.confirmed_seq() + 1);
        ledger
    }

    /// Folds own events from a number on, as if they were accepted.
    pub fn fold_own(&self, ledger: &mut Ledger, first_seq: u32) {
        if let Some(branch) = self.branch {
            ledger.begin_branch(branch);
        }
        let own = self.writer.events.iter().zip(1..);
        for (bytes, seq) in own.skip(first_seq as usize - 1) {
            let place = Place {
                device: self.writer.number,
                seq,
                position: None,
            };
            let step = self
                .app
                .fold(ledger, place, &bytes.0, self.branch, Standing::Counted);
            assert!(!matches!(step, Step::Gap { .. }), "own events are dense");
        }
    }

    fn stored(&self) -> Stored {
        let sent = self.confirmed_seq().max(self.dropped_seq);
        let mut outbox = self.writer.events[sent as usize..].to_vec();
        if self.app.plant.is(Planted::DropDirtyMark) {
            outbox.clear();
        }
        Stored {
            key: self.writer.key,
            cursor: self.cursor.clone(),
            outbox,
            keys: self.new_keys.clone(),
        }
    }

    /// The phone starts. What its app forgets then, if it has a bug.
    fn wake(&mut self) {
        if self.app.plant.is(Planted::ReuseSeq) {
            self.writer.forget_after(self.confirmed_seq());
        }
    }
}

/// The kinds that an app of the release before does not know.
const NEW_KINDS: [Kind; 4] = [
    Kind::AmountTransferred,
    Kind::AdvanceWithdrawn,
    Kind::MessageSent,
    Kind::TaskResolved,
];

/// An app: what it knows, and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct App {
    /// It is of the release before, which knew fewer kinds.
    pub old: bool,
    /// A bug to be found.
    pub plant: Plant,
}

/// Where an event lies.
struct Place {
    device: DeviceNo,
    seq: u32,
    position: Option<u64>,
}

impl App {
    /// Does it know this kind of events?
    pub fn knows(self, kind: Kind) -> bool {
        !(self.old && NEW_KINDS.contains(&kind))
    }

    /// Folds a part of the log, without the events of `except`.
    pub fn fold_chunks(self, ledger: &mut Ledger, chunks: &[Chunk], except: Option<DeviceNo>) {
        for chunk in chunks.iter().filter(|chunk| Some(chunk.device) != except) {
            let standing = match chunk.verdict {
                Verdict::Accepted => Standing::Counted,
                Verdict::Held if self.plant.is(Planted::FoldHeld) => Standing::Counted,
                Verdict::Held => Standing::Held,
                _ => Standing::Quarantined,
            };
            let branch = chunk.branch_of.map(|of| Branch {
                device: chunk.device,
                of: of.device,
                from_seq: of.from_seq,
            });
            let events = chunk.events.iter().flatten();
            for (bytes, index) in events.zip(0u32..) {
                let place = Place {
                    device: chunk.device,
                    seq: chunk.first_seq + index,
                    position: Some(chunk.position + u64::from(index)),
                };
                let step = self.fold(ledger, place, &bytes.0, branch, standing);
                assert!(!matches!(step, Step::Gap { .. }), "a log has no gaps");
            }
        }
    }

    fn fold(
        self,
        ledger: &mut Ledger,
        place: Place,
        bytes: &[u8],
        branch: Option<Branch>,
        standing: Standing,
    ) -> Step {
        let branch = branch.filter(|_| !self.plant.is(Planted::BranchIdsAsTheyStand));
        let mut decoded = decode(bytes, branch);
        if let Ok(Decoded::Known(event)) = &decoded
            && !self.knows(event.body.kind())
        {
            decoded = Ok(Decoded::Unknown(Unknown {
                envelope: event.envelope.clone(),
                kind: event.body.kind() as u16,
                version: 1,
            }));
        }
        // What the bugs put in the place of the Lamport clock; that itself goes on rightly.
        let other = match &decoded {
            Ok(Decoded::Known(event)) if self.plant.is(Planted::TrustTheClock) => {
                Some(event.envelope.at.0.unsigned_abs())
            }
            Ok(Decoded::Known(_)) if self.plant.is(Planted::StampByPosition) => place.position,
            _ => None,
        };
        if let Ok(Decoded::Known(event)) = &mut decoded
            && let Some(other) = other
        {
            let clock = ledger.clock.max(event.envelope.clock);
            event.envelope.clock = other;
            let step = ledger.fold(place.device, place.seq, decoded, standing);
            ledger.clock = clock;
            return step;
        }
        ledger.fold(place.device, place.seq, decoded, standing)
    }
}

/// A phone: its disk, and the app while it runs.
#[derive(Debug)]
pub struct Phone {
    /// What survives a crash.
    pub disk: Disk,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    engine: Engine,
    ledger: Ledger,
}

impl Phone {
    /// A phone that is switched off.
    pub const fn new(disk: Disk) -> Phone {
        Phone {
            disk,
            running: None,
        }
    }

    /// Its number.
    pub const fn number(&self) -> DeviceNo {
        self.disk.writer.number
    }

    /// The end of its own chain, as stored.
    pub fn head(&self) -> ChainHead {
        self.disk.writer.head()
    }

    /// Is the app running?
    pub const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// The engine of the running app.
    pub fn engine(&self) -> &Engine {
        &self.running.as_ref().expect("the app runs").engine
    }

    /// What the sync of the running app does; `None` while it is closed.
    pub fn engine_activity(&self) -> Option<Activity> {
        let running = self.running.as_ref()?;
        Some(running.engine.status().activity)
    }

    /// The books as the running app shows them.
    pub fn ledger(&self) -> &Ledger {
        &self.running.as_ref().expect("the app runs").ledger
    }

    /// The app starts from its storage.
    pub fn start(&mut self, online: bool, seed: u64) -> Vec<Output> {
        self.disk.wake();
        self.running = Some(Running {
            engine: Engine::new(self.number(), self.disk.stored(), seed),
            ledger: self.disk.fold(),
        });
        self.handle(Input::Started { online })
    }

    /// The running app speaks these versions of the protocol.
    pub fn speak(&mut self, protocols: Protocols) {
        self.running
            .as_mut()
            .expect("the app runs")
            .engine
            .speak(protocols);
    }

    /// The app ends without a word.
    pub fn crash(&mut self) {
        self.running = None;
    }

    /// Tells the engine.
    pub fn handle(&mut self, input: Input) -> Vec<Output> {
        if let Input::Answered(_, _, answer) = &input
            && self.disk.app.plant.is(Planted::ConfirmFromAnswer)
        {
            let known = answer.standing.known_seq.min(self.head().seq);
            self.disk.dropped_seq = known.max(self.disk.dropped_seq);
        }
        match &mut self.running {
            Some(app) => app.engine.handle(input),
            None => Vec::new(),
        }
    }

    /// A person makes an entry: durable, then counted, then known to the engine.
    pub fn append(&mut self, bodies: Vec<Body>, keys: Vec<SealingKey>) -> Vec<Output> {
        self.append_at(self.ledger().clock + 1, bodies, keys)
    }

    /// The same, with this Lamport clock.
    pub fn append_at(
        &mut self,
        clock: u64,
        bodies: Vec<Body>,
        keys: Vec<SealingKey>,
    ) -> Vec<Output> {
        let input = self.append_in_another_tab(clock, bodies, keys);
        self.handle(input)
    }

    /// The same in a tab that does not sync: gives what the engine has to be told.
    pub fn append_in_another_tab(
        &mut self,
        clock: u64,
        bodies: Vec<Body>,
        keys: Vec<SealingKey>,
    ) -> Input {
        let events = self.disk.events(clock, NOW, bodies);
        self.append_events(&events, keys)
    }

    /// Makes the events of one command durable and counts them: gives what the engine has to be
    /// told.
    pub fn append_events(&mut self, events: &[Event], keys: Vec<SealingKey>) -> Input {
        let first_seq = self.disk.append_events(events, keys.clone());
        self.appended(first_seq, keys)
    }

    /// Something that is not an event of any version gets into the chain, as a faulty app would
    /// write it.
    pub fn scribble(&mut self, bytes: Vec<u8>) -> Vec<Output> {
        self.disk.writer.write_bytes(bytes);
        let input = self.appended(self.disk.writer.head().seq, Vec::new());
        self.handle(input)
    }

    fn appended(&mut self, first_seq: u32, keys: Vec<SealingKey>) -> Input {
        if let Some(app) = &mut self.running {
            self.disk.fold_own(&mut app.ledger, first_seq);
        }
        Input::Appended {
            first_seq,
            events: self.own_from(first_seq),
            keys,
        }
    }

    /// The log as stored, from behind a position on.
    pub fn recall(&self, after: u64) -> Vec<Chunk> {
        let chunks = self.disk.chunks.iter();
        let chunks = chunks.filter(|it| it.last() > after);
        chunks.cloned().collect()
    }

    /// Every key that it holds.
    pub fn keys_held(&self) -> Vec<SealingKey> {
        let held = self.disk.keys.iter().filter(|(_, key)| key.is_some());
        held.map(|(&id, &key)| SealingKey { id, key }).collect()
    }

    /// The person at this phone lets the server's log go on as this generation.
    pub fn consent(&self, theirs: &Log, generation: Generation) -> GenerationOpened {
        let mut opened = consent(theirs, key(0), generation, self.number());
        let message = consent_message(SHOP, &opened);
        opened.signature = sign(&self.disk.writer.key, &message);
        opened
    }

    /// Asks to be let in again.
    pub fn readmit(&self, challenge: &Challenge) -> ReadmitRequest {
        let (device, token) = (self.number(), Fixed([self.number().0 as u8; 32]));
        let message = readmit_message(SHOP, device, &token, challenge);
        ReadmitRequest {
            shop: SHOP,
            device,
            token,
            signature: sign(&self.disk.writer.key, &message),
        }
    }

    /// Asks to go on as a device of its own; `secret` names the new key if there is none for this
    /// fork. It is stored before it is sent.
    pub fn claim(&mut self, fork: Fork, secret: u32) -> BranchRequest {
        let known = self.disk.claim.as_ref();
        if let Some(known) = known.filter(|known| known.fork == fork) {
            return known.clone();
        }
        let (new_key, token) = (key(secret), Fixed([secret as u8; 32]));
        let message = branch_message(SHOP, &fork, &new_key, &token);
        let request = BranchRequest {
            shop: SHOP,
            fork,
            key: new_key,
            token,
            signature: sign(&self.disk.writer.key, &message),
        };
        self.disk.claim = Some(request.clone());
        request
    }

    /// What a copy asks again that has not read yet that it is a device: the server may have lost it.
    pub fn claim_again(&self) -> Option<BranchRequest> {
        let unread = self
            .disk
            .branch
            .is_some_and(|branch| self.disk.cursor.log.branch_of(branch.device).is_none());
        self.disk.claim.clone().filter(|_| unread)
    }

    /// The phone's own events from a number on.
    pub fn own_from(&self, first_seq: u32) -> Vec<Bytes> {
        self.disk.writer.events[first_seq as usize - 1..].to_vec()
    }

    /// Stores and folds a batch; false when storage refuses it.
    pub fn persist(&mut self, batch: &Batch) -> bool {
        if !self.disk.persist(batch) {
            return false;
        }
        let own = self.number();
        if let Some(app) = &mut self.running {
            let rebuild = batch.rebuild && !self.disk.app.plant.is(Planted::NoRebuild);
            if rebuild || batch.restored.is_some() {
                app.ledger = self.disk.fold();
            } else {
                let reader = self.disk.app;
                reader.fold_chunks(&mut app.ledger, &batch.chunks, Some(own));
            }
        }
        true
    }
}
