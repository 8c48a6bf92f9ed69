//! A server in memory: the real judgement over a log that is a list.

use std::collections::BTreeSet;

use super::device::{sign, verify};
use super::planted::{Plant, Planted};
use super::sealed;
use crate::bytes::{Fixed, Hash, KeyId};
use crate::calendar::TimeMs;
use crate::event::{GenerationOpened, PublicKey};
use crate::ids::{DeviceNo, EventId, ShopId};
use crate::sync::branch::{Around, NotABranch, check_signed, is_registered, number_of, register};
use crate::sync::engine::Failure;
use crate::sync::erasure::{erased_by_release, erased_keys, released};
use crate::sync::generation::{self, NotOpened, agreed, take_over};
use crate::sync::judge::{Judgement, LogState, Refusal, judge};
use crate::sync::restore::{
    NotTaken, Recovery, TakenBack, check_head, is_its_own, is_of_a_stranger, recovery_retry_ms,
    take_back,
};
use crate::sync::segment;
use crate::sync::tree;
use crate::sync::wire::{
    Advice, BranchRequest, Chunk, Generation, MAX_ANSWER_BYTES, MAX_KEYS, MAX_SEGMENTS, PROTOCOL,
    Part, Protocols, Push, ReadmitRequest, Restoration, RestoreAnswer, RestoreRequest, Sealed,
    SealingKey, SegmentName, SyncAnswer, SyncRequest, TreeHead, Verdict,
};

/// What the server's disk holds. A clone of it is a backup.
#[derive(Debug, Clone)]
pub struct Server {
    /// What it knows of the log.
    pub state: LogState,
    /// The log.
    pub chunks: Vec<Chunk>,
    /// The keys that it delivers; the number of a key is its place from 1.
    pub keys: Vec<SealingKey>,
    /// A bug to be found.
    pub plant: Plant,
    /// How many events it seals into a segment; `None` for a server from before there were segments.
    pub seals: Option<usize>,
    key: PublicKey,
    /// Devices whose tokens it has lost.
    forgotten: BTreeSet<DeviceNo>,
    /// Set after it was set back.
    recovery: Option<Recovery>,
    /// The versions of the protocol that it speaks.
    pub protocols: Protocols,
    /// How often it was set back.
    set_backs: u8,
}

/// Why a server does not take a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotServed {
    /// It does not know the token.
    NotKnown,
    /// It waits for those who hold what it lost.
    Recovering {
        /// When to come back, in milliseconds.
        retry_after_ms: u32,
    },
    /// It speaks only these versions of the protocol.
    OtherProtocol(Protocols),
    /// The judge refuses.
    Refused(Refusal),
    /// A part of the log is not taken back.
    NotTaken(NotTaken),
    /// A copy is not registered.
    NotABranch(NotABranch),
}

impl From<NotServed> for Failure {
    /// What a phone makes of it.
    fn from(reason: NotServed) -> Failure {
        match reason {
            NotServed::NotKnown => Failure::NotKnown,
            NotServed::Recovering { retry_after_ms } => Failure::Recovering { retry_after_ms },
            NotServed::OtherProtocol(protocols) => Failure::OtherProtocol(Some(protocols)),
            NotServed::Refused(refusal) => Failure::Refused(refusal.code().to_owned()),
            NotServed::NotTaken(reason) => Failure::Refused(reason.code().to_owned()),
            NotServed::NotABranch(reason) => Failure::Refused(reason.code().to_owned()),
        }
    }
}

impl Server {
    /// A server that the founding phone has just claimed.
    pub fn claimed(
        shop: ShopId,
        generation: Generation,
        founder: PublicKey,
        key: PublicKey,
    ) -> Server {
        Server {
            state: LogState::claimed(shop, generation, founder, key),
            chunks: Vec::new(),
            keys: Vec::new(),
            plant: Plant::NONE,
            seals: None,
            key,
            forgotten: BTreeSet::new(),
            recovery: None,
            protocols: Protocols::SPOKEN,
            set_backs: 0,
        }
    }

    /// The disk is lost, and an older copy of it is put back.
    pub fn set_back(&mut self, backup: Server) {
        let enrolled = self.state.authority.devices().keys();
        let lost = enrolled.filter(|number| backup.state.authority.device(**number).is_none());
        let forgotten = self.forgotten.iter().chain(lost).copied().collect();
        *self = Server {
            forgotten,
            recovery: Some(Recovery::begin(&backup.state)),
            set_backs: self.set_backs + 1,
            ..backup
        };
        self.state.restored = Some(self.life());
    }

    /// It takes new entries at once, whoever may hold what it lost.
    pub fn wait_for_nobody(&mut self) {
        self.recovery = None;
    }

    /// Random bytes that name this run of it.
    fn life(&self) -> Restoration {
        Fixed([self.set_backs; 16])
    }

    /// Does it know the token of this device?
    pub fn check_token(&self, device: DeviceNo) -> Result<(), NotServed> {
        match self.forgotten.contains(&device) {
            true => Err(NotServed::NotKnown),
            false => Ok(()),
        }
    }

    /// A device holds no more of the log than the server. May it write something new, so many
    /// milliseconds after the server was set back?
    pub fn hear(&mut self, device: DeviceNo, new: bool, elapsed_ms: u64) -> Result<(), NotServed> {
        let Some(recovery) = &mut self.recovery else {
            return Ok(());
        };
        recovery.hear(device);
        if recovery.is_over(elapsed_ms) {
            self.recovery = None;
        } else if new {
            let retry_after_ms = recovery_retry_ms(elapsed_ms);
            return Err(NotServed::Recovering { retry_after_ms });
        }
        Ok(())
    }

    /// Says how far the log reaches, after it has taken back what came.
    pub fn restore(&mut self, request: &RestoreRequest) -> Result<RestoreAnswer, NotServed> {
        let log = match request.head {
            None => None,
            Some(_) => {
                self.take_back(request).map_err(NotServed::NotTaken)?;
                Some(self.state.log.clone())
            }
        };
        let marks = request.marks.as_deref();
        Ok(RestoreAnswer {
            log,
            challenge: self.life(),
            opened: self.state.opened.clone(),
            agreed: marks.map(|marks| agreed(marks, |size| self.root_at(size))),
            server: Some(self.key),
        })
    }

    /// The root of the beginning of the log.
    fn root_at(&self, size: u64) -> Option<Hash> {
        let device = |number| self.state.authority.device(number).map(|it| it.first_key);
        let (shop, generation) = (self.state.log.shop(), self.state.log.generation());
        let founder = device(DeviceNo::FOUNDER)?;
        let mut log = LogState::claimed(shop, generation, founder, self.key).log;
        for chunk in &self.chunks {
            for bytes in chunk.events.iter().flatten() {
                if log.size() == size {
                    break;
                }
                let replayed = log.replay(chunk.device, &bytes.0, chunk.received, chunk.verdict);
                replayed.expect("its own log");
            }
        }
        (log.size() == size).then(|| log.root())
    }

    /// An owner lets the log go on.
    pub fn open(&mut self, opened: &GenerationOpened, now: TimeMs) -> Result<(), NotOpened> {
        if let Some(taken) = generation::open(&self.state, opened, &self.key, now, verify)? {
            self.keep(taken);
        }
        Ok(())
    }

    fn keep(&mut self, taken: TakenBack) {
        for (chunk, _) in taken.chunks {
            let events = chunk.events.as_deref().unwrap_or_default();
            for id in erased_keys(chunk.verdict, events).collect::<Vec<KeyId>>() {
                self.set_key(SealingKey { id, key: None });
            }
            self.chunks.push(chunk);
        }
        self.state = taken.after;
        // Each release again: it may have come before what it lets in was back.
        let authority = &self.state.authority;
        let all = self.chunks.iter().flat_map(|chunk| {
            let events = chunk.events.as_deref().unwrap_or_default();
            released(chunk.verdict, events, authority.branch(chunk.device))
        });
        for id in self.erased_by_release(&all.collect()) {
            self.set_key(SealingKey { id, key: None });
        }
    }

    fn take_back(&mut self, request: &RestoreRequest) -> Result<(), NotTaken> {
        let head = check_head(&self.state.log, &self.key, request, verify)?;
        let Some(part) = &request.part else {
            return Ok(());
        };
        let part: Part = minicbor::decode(&part.0).expect("a part");
        let is_another_life = request.generation != self.state.log.generation();
        let taken = match is_another_life {
            false => take_back(&self.state, &head, part, self.life())?,
            true => {
                let at = self.last_received().unwrap_or(head.at).max(head.at);
                take_over(&self.state, &head, part, self.life(), at)?
            }
        };
        let Some(taken) = taken else {
            return Ok(());
        };
        if let Some(recovery) = &mut self.recovery {
            recovery.learn(&self.state.authority, &taken.after.authority);
        }
        self.keep(taken);
        Ok(())
    }

    /// Lets a device in again, so many milliseconds after the server was set back.
    pub fn readmit(&mut self, request: &ReadmitRequest, elapsed_ms: u64) -> Result<(), NotServed> {
        let waits = self.recovery.as_ref();
        let waits = waits.is_some_and(|recovery| !recovery.is_over(elapsed_ms));
        if waits && is_of_a_stranger(&self.state, request) {
            let retry_after_ms = recovery_retry_ms(elapsed_ms);
            return Err(NotServed::Recovering { retry_after_ms });
        }
        if !is_its_own(&self.state, request, &self.life(), verify) {
            return Err(NotServed::NotKnown);
        }
        self.forgotten.remove(&request.device);
        Ok(())
    }

    /// Registers a copy as a device of its own, so many milliseconds after the server was set back.
    pub fn branch(
        &mut self,
        request: &BranchRequest,
        now: TimeMs,
        elapsed_ms: u64,
    ) -> Result<(), NotServed> {
        let waits = self.recovery.as_ref();
        let waits = waits.is_some_and(|recovery| !recovery.is_over(elapsed_ms));
        let is_known = self.state.authority.device(request.fork.of).is_some();
        if is_known || !waits {
            check_signed(&self.state, request, verify).map_err(NotServed::NotABranch)?;
            if is_registered(&self.state, request).map_err(NotServed::NotABranch)? {
                self.forgotten.remove(&number_of(&request.fork));
                return Ok(());
            }
        }
        if waits {
            let retry_after_ms = recovery_retry_ms(elapsed_ms);
            return Err(NotServed::Recovering { retry_after_ms });
        }
        let hashes = Around::places(&request.fork).map(|seq| {
            self.hash_at(EventId {
                device: request.fork.of,
                seq,
            })
        });
        let around = Around::of(&self.state, &request.fork, hashes);
        let now = self.last_received().map_or(now, |last| last.max(now));
        let registered = register(&self.state, request, &around, now);
        let registered = registered.map_err(NotServed::NotABranch)?;
        self.chunks.push(Chunk {
            position: registered.position,
            device: DeviceNo::SERVER,
            first_seq: registered.first_seq,
            count: registered.events.len() as u32,
            received: registered.received,
            verdict: Verdict::Accepted,
            events: Some(registered.events),
            branch_of: None,
        });
        self.state = registered.after;
        self.forgotten.remove(&number_of(&request.fork));
        Ok(())
    }

    /// The chain hash of a device with one of its events.
    pub fn hash_at(&self, id: EventId) -> Option<Hash> {
        let keys = [DeviceNo::FOUNDER, DeviceNo::SERVER];
        let [founder, server] =
            keys.map(|number| self.state.authority.device(number).map(|it| it.first_key));
        let generation = self.state.log.generation();
        let begins = LogState::claimed(self.state.log.shop(), generation, founder?, server?);
        let mut log = begins.log;
        for chunk in &self.chunks {
            for bytes in chunk.events.iter().flatten() {
                let leaf = log.replay(chunk.device, &bytes.0, chunk.received, chunk.verdict);
                let leaf = leaf.ok()?;
                if leaf.device == id.device && leaf.seq == id.seq {
                    return Some(leaf.chain);
                }
            }
        }
        None
    }

    /// Decides, and changes nothing yet.
    pub fn judge(
        &self,
        device: DeviceNo,
        request: &SyncRequest,
        now: TimeMs,
    ) -> Result<Judgement, Refusal> {
        judge(&self.state, device, request, now, verify)
    }

    /// Makes a judgement durable: all of it.
    pub fn commit(&mut self, request: &SyncRequest, judgement: &Judgement) {
        self.keep_keys(request, judgement);
        self.append(request, judgement);
    }

    /// The first half of a commit: new keys, and the tombstones of those that are erased.
    pub fn keep_keys(&mut self, request: &SyncRequest, judgement: &Judgement) {
        let advice = judgement.standing.advice;
        if matches!(advice, Advice::Resign | Advice::Reenrol | Advice::Fork) {
            return;
        }
        for key in request.keys.iter().flatten() {
            self.set_key(key.clone());
        }
        let erased = request.push.iter().flat_map(|push| {
            let chunks = judgement.chunks.iter();
            chunks.flat_map(move |chunk| erased_keys(chunk.verdict, chunk.events(push)))
        });
        let mut erased: Vec<KeyId> = erased.collect();
        let branch = self.state.authority.branch(judgement.device());
        let released = request.push.iter().flat_map(|push| {
            let chunks = judgement.chunks.iter();
            chunks.flat_map(move |chunk| released(chunk.verdict, chunk.events(push), branch))
        });
        erased.extend(self.erased_by_release(&released.collect()));
        for id in erased {
            self.set_key(SealingKey { id, key: None });
        }
    }

    fn erased_by_release(&self, released: &BTreeSet<EventId>) -> Vec<KeyId> {
        if released.is_empty() {
            return Vec::new();
        }
        let erased = self.chunks.iter().flat_map(|chunk| {
            let events = chunk.events.as_deref().unwrap_or_default();
            let branch = self.state.authority.branch(chunk.device);
            erased_by_release(chunk.verdict, events, branch, released)
        });
        erased.collect()
    }

    /// The first key of a name stands, and a destroyed one never comes back.
    fn set_key(&mut self, new: SealingKey) {
        let known = self.keys.iter().find(|known| known.id == new.id);
        match (known.map(|known| known.key.is_some()), &new.key) {
            (None, _) => self.keys.push(new),
            (Some(true), None) => {
                let same = self.keys.iter_mut().filter(|known| known.id == new.id);
                same.for_each(|known| known.key = None);
                self.keys.push(new);
            }
            (Some(false), Some(_)) if self.plant.is(Planted::KeysComeBack) => self.keys.push(new),
            _ => {}
        }
    }

    /// The second half of a commit: the log.
    pub fn append(&mut self, request: &SyncRequest, judgement: &Judgement) {
        let Some(push) = &request.push else {
            return;
        };
        let Some(after) = &judgement.after else {
            if self.plant.is(Planted::DedupePerBatch) && !judgement.results.is_empty() {
                self.append_twice(push, judgement);
            }
            return;
        };
        self.state = after.clone();
        for new in &judgement.chunks {
            self.chunks.push(Chunk {
                position: new.position,
                device: new.device,
                first_seq: new.first_seq,
                count: new.count(),
                received: new.received,
                verdict: new.verdict,
                events: Some(new.events(push).to_vec()),
                branch_of: self
                    .state
                    .authority
                    .device(new.device)
                    .and_then(|device| device.branch_of),
            });
        }
    }

    /// What a server does that does not know what it took before.
    fn append_twice(&mut self, push: &Push, judgement: &Judgement) {
        let Some(last) = self.chunks.last() else {
            return;
        };
        self.chunks.push(Chunk {
            position: last.position + u64::from(last.count),
            device: judgement.device(),
            first_seq: push.first_seq,
            count: push.events.len() as u32,
            received: last.received,
            verdict: Verdict::Accepted,
            events: Some(push.events.clone()),
            branch_of: None,
        });
    }

    /// When it took its last event.
    pub fn last_received(&self) -> Option<TimeMs> {
        self.chunks.last().map(|last| last.received)
    }

    /// Was this key destroyed?
    pub fn is_destroyed(&self, id: &KeyId) -> bool {
        let destroyed = |known: &SealingKey| known.id == *id && known.key.is_none();
        self.keys.iter().any(destroyed)
    }

    /// The answer to a request whose judgement is durable.
    pub fn answer(&self, request: &SyncRequest, judgement: &Judgement, now: TimeMs) -> SyncAnswer {
        let (mut chunks, mut keys, mut more) = (Vec::new(), Vec::new(), false);
        let reads = judgement.may_read() && request.segments.is_some();
        let sealed = reads.then(|| self.sealed_after(request.position)).flatten();
        more |= sealed.is_some();
        if judgement.may_read() {
            let missed = u64::from(request.position > 0 && self.plant.is(Planted::SkipAtPageEnd));
            let first = self
                .chunks
                .partition_point(|chunk| chunk.last() <= request.position + missed);
            let mut room = request.want_bytes.min(MAX_ANSWER_BYTES) as usize;
            let wanted = match sealed {
                Some(_) => &[],
                None => &self.chunks[first..],
            };
            for chunk in wanted {
                let covered = judgement.is_covered(chunk.device, chunk.first_seq, chunk.count);
                let events = chunk.events.iter().flatten();
                let length: usize = match covered {
                    true => 0,
                    false => events.map(|bytes| bytes.0.len()).sum(),
                };
                if !chunks.is_empty() && length > room {
                    more = true;
                    break;
                }
                room = room.saturating_sub(length);
                chunks.push(Chunk {
                    events: chunk.events.clone().filter(|_| !covered),
                    ..chunk.clone()
                });
            }
            let after = (request.keys_after as usize).min(self.keys.len());
            keys.extend(self.keys[after..].iter().take(MAX_KEYS).cloned());
            more |= after + keys.len() < self.keys.len();
        }
        SyncAnswer {
            protocol: request.protocol,
            generation: self.state.log.generation(),
            results: judgement.results.clone(),
            standing: judgement.standing,
            chunks,
            keys_last: request.keys_after + keys.len() as u64,
            keys,
            head: self.head(now),
            server_time: now,
            more,
            sealed,
            restored: self.state.restored,
            packed: None,
        }
    }

    /// The segments of the log: the oldest chunks, each time enough of them.
    fn sealed_after(&self, position: u64) -> Option<Sealed> {
        let mut sealed = Sealed {
            after: 0,
            ends: Vec::new(),
        };
        let mut after = 0;
        for chunk in &self.chunks {
            let last = chunk.last();
            if last - after < self.seals? as u64 {
                continue;
            }
            match last <= position {
                true => sealed.after = last,
                false => sealed.ends.push(last),
            }
            after = last;
        }
        sealed.ends.truncate(MAX_SEGMENTS);
        (!sealed.ends.is_empty()).then_some(sealed)
    }

    /// A segment in its bytes, if there is one of this name.
    pub fn segment(&self, name: SegmentName) -> Option<Vec<u8>> {
        let sealed = self.sealed_after(name.first - 1)?;
        sealed.names().find(|known| *known == name)?;
        let positions = name.first..=name.last;
        let chunks = self.chunks.iter();
        let chunks = chunks.filter(|chunk| positions.contains(&chunk.position));
        let mut segment = sealed::segment(chunks.cloned().collect());
        segment.generation = self.state.log.generation();
        segment::write(&segment).ok()
    }

    /// The log as a whole, signed.
    pub fn head(&self, at: TimeMs) -> TreeHead {
        let log = &self.state.log;
        let (size, root) = (log.size(), log.root());
        let message = tree::head_message(log.shop(), &log.generation(), size, &root, at);
        TreeHead {
            size,
            root,
            at,
            signature: sign(&self.key, &message),
        }
    }

    /// Judges, commits and answers in one go.
    pub fn sync(
        &mut self,
        device: DeviceNo,
        request: &SyncRequest,
        now: TimeMs,
    ) -> Result<SyncAnswer, NotServed> {
        self.sync_later(device, request, now, 0)
    }

    /// The same, so many milliseconds after the server was set back.
    pub fn sync_later(
        &mut self,
        device: DeviceNo,
        request: &SyncRequest,
        now: TimeMs,
        elapsed_ms: u64,
    ) -> Result<SyncAnswer, NotServed> {
        self.check_token(device)?;
        if !self.protocols.contain(request.protocol) {
            return Err(NotServed::OtherProtocol(self.protocols));
        }
        // The judge is of this build, whatever the server is said to speak.
        let spoken = SyncRequest {
            protocol: PROTOCOL,
            ..request.clone()
        };
        let judgement = self.judge(device, &spoken, now);
        let judgement = judgement.map_err(NotServed::Refused)?;
        self.hear(device, judgement.after.is_some(), elapsed_ms)?;
        self.commit(request, &judgement);
        Ok(self.answer(request, &judgement, now))
    }
}
