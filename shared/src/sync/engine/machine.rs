//! The state machine itself.

use super::outbox::{Gap, Outbox, Plan};
use super::reading;
use super::reply::{Consequence, Failure};
use super::status::{Activity, Problem, Rewritten, Stop, SyncStatus};
use super::wait::{Budget, LOCAL_WAIT_MS, REQUEST_WAIT_MS, SLOW_RETRY_MS, Waits};
use super::{Batch, Check, Cursor, Input, Output, Stored, Ticket};
use crate::calendar::TimeMs;
use crate::chain;
use crate::ids::DeviceNo;
use crate::sync::tree;
use crate::sync::wire::{
    Advice, DeviceStanding, PROTOCOL, PROTOCOLS, Signature, SyncAnswer, SyncRequest,
};

/// The sync of one device with its server.
#[derive(Debug)]
pub struct Engine {
    device: DeviceNo,
    cursor: Cursor,
    outbox: Outbox,
    phase: Phase,
    ticket: Ticket,
    /// The server has this device's events up to here.
    known_seq: u32,
    /// How long the log was at the last answer.
    log_size: u64,
    /// What the live channel said since the last request; 0 for nothing.
    hinted_size: u64,
    /// Before the round under way: to see whether it moves anything.
    before: Progress,
    online: bool,
    waits: Waits,
    budget: Budget,
    problem: Option<Problem>,
    clock_offset_ms: Option<i64>,
    shown: Option<SyncStatus>,
}

#[derive(Debug)]
enum Phase {
    /// Until a timer, or until something happens that this rest yields to.
    Resting(Rest),
    /// The device signs its head.
    Signing(Plan),
    /// A request is under way.
    Asking(Plan),
    /// The server's signature of the log is being checked.
    Checking(Box<Batch>, Next),
    /// What was read is being stored.
    Storing(Box<Cursor>, Next),
    /// Until a person does something.
    Stopped(Stop),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// All is well. Anything new ends it.
    Poll,
    /// Something failed. News of a network and a person's wish end it.
    BackOff,
    /// The server asked for patience. Nothing but the timer ends it.
    Obedience,
}

/// What an answer leaves to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Next {
    advice: Advice,
    more: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Progress {
    position: u64,
    keys_last: u64,
    known_seq: u32,
    keys_waiting: bool,
}

impl Engine {
    /// The engine of a device with what its storage holds. `seed` is any random number; waits
    /// after failures are drawn from it.
    pub fn new(device: DeviceNo, stored: Stored, seed: u64) -> Engine {
        let Stored {
            cursor,
            outbox,
            keys,
        } = stored;
        let base = cursor.log.chain(device);
        let base = base.expect("a cursor begins with the device's own chain");
        Engine {
            device,
            log_size: cursor.log.size(),
            hinted_size: 0,
            cursor,
            outbox: Outbox::new(base, outbox, keys),
            phase: Phase::Resting(Rest::Poll),
            ticket: Ticket::default(),
            known_seq: base.seq,
            before: Progress::default(),
            online: true,
            waits: Waits::new(seed),
            budget: Budget::new(),
            problem: None,
            clock_offset_ms: None,
            shown: None,
        }
    }

    /// How far the log was read, as it is stored.
    pub const fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// The state of the sync as the screen shows it.
    pub fn status(&self) -> SyncStatus {
        let waiting = self.outbox.last().seq.saturating_sub(self.known_seq);
        let activity = match &self.phase {
            Phase::Stopped(stop) => Activity::Stopped(*stop),
            Phase::Resting(Rest::Poll) if !self.wants_more() && self.problem.is_none() => {
                Activity::Settled
            }
            Phase::Resting(_) => Activity::Waiting,
            _ => Activity::Syncing,
        };
        SyncStatus {
            activity,
            waiting,
            position: self.cursor.log.size(),
            log_size: self.end().max(self.cursor.log.size()),
            problem: self.problem,
            clock_offset_ms: self.clock_offset_ms,
        }
    }

    /// Takes note of what happened and says what to do.
    #[must_use]
    pub fn handle(&mut self, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.step(input, &mut out);
        let status = self.status();
        if self.shown != Some(status) {
            self.shown = Some(status);
            out.push(Output::Status(status));
        }
        out
    }

    fn step(&mut self, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Started { online: true } => self.begin(out),
            Input::Started { online: false } | Input::Offline => self.offline(out),
            Input::Online => self.online(out),
            Input::Hinted { size } => {
                self.hinted_size = self.hinted_size.max(size);
                self.news(out);
            }
            Input::Appended {
                first_seq,
                events,
                keys,
            } => match self.outbox.append(first_seq, events, keys) {
                Ok(()) => self.news(out),
                Err(Gap) => out.push(Output::Reload(self.outbox.last().seq.saturating_add(1))),
            },
            Input::SyncNow => match self.phase {
                Phase::Resting(Rest::Poll | Rest::BackOff) | Phase::Stopped(_) => {
                    self.waits.reset();
                    self.begin(out);
                }
                _ => {}
            },
            Input::TimerFired(ticket) if ticket == self.ticket => self.timer(out),
            Input::Signed(ticket, signature) if ticket == self.ticket => {
                self.signed(signature, out);
            }
            Input::Answered(ticket, at, answer) if ticket == self.ticket => {
                self.answered(at, *answer, out);
            }
            Input::Failed(ticket, failure) if ticket == self.ticket => {
                if matches!(self.phase, Phase::Asking(_)) {
                    self.failed(&failure, out);
                }
            }
            Input::Verified(ticket, sound) if ticket == self.ticket => self.verified(sound, out),
            Input::Persisted(ticket) if ticket == self.ticket => self.persisted(out),
            Input::PersistFailed(ticket) if ticket == self.ticket => {
                if matches!(self.phase, Phase::Storing(..)) {
                    self.back_off(Problem::CannotStore, out);
                }
            }
            // Old news: the engine has gone on since.
            Input::TimerFired(_)
            | Input::Signed(..)
            | Input::Answered(..)
            | Input::Failed(..)
            | Input::Verified(..)
            | Input::Persisted(_)
            | Input::PersistFailed(_) => {}
        }
    }

    // What may begin a round.

    fn offline(&mut self, out: &mut Vec<Output>) {
        self.online = false;
        // What the system says of the network may be wrong, so a look at the server follows.
        if matches!(self.phase, Phase::Resting(Rest::Poll | Rest::BackOff)) {
            self.problem = Some(Problem::Offline);
            let wait_ms = self.waits.poll_ms();
            self.enter(Phase::Resting(Rest::BackOff), wait_ms, out);
        }
    }

    fn online(&mut self, out: &mut Vec<Output>) {
        self.online = true;
        let hope = match &self.phase {
            Phase::Resting(rest) => *rest != Rest::Obedience,
            Phase::Stopped(stop) => stop.may_pass(),
            _ => false,
        };
        if hope {
            self.waits.reset();
            self.begin(out);
        }
    }

    fn news(&mut self, out: &mut Vec<Output>) {
        match self.phase {
            Phase::Resting(Rest::Poll) if self.wants_more() => self.begin(out),
            // What is written after all on a device that was removed is for the owner to see.
            Phase::Stopped(Stop::Revoked) if self.unsent() => self.begin(out),
            _ => {}
        }
    }

    fn timer(&mut self, out: &mut Vec<Output>) {
        match &self.phase {
            Phase::Resting(_) | Phase::Stopped(_) => self.begin(out),
            Phase::Signing(_) => self.back_off(Problem::CannotSign, out),
            Phase::Asking(_) => {
                self.budget.timed_out();
                self.back_off(Problem::TimedOut, out);
            }
            Phase::Checking(..) => self.back_off(Problem::Stalled, out),
            Phase::Storing(..) => self.back_off(Problem::CannotStore, out),
        }
    }

    // A round, step by step.

    fn begin(&mut self, out: &mut Vec<Output>) {
        self.before = self.progress();
        let plan = self
            .outbox
            .plan(self.known_seq, self.budget.bytes() as usize);
        let Some(head) = plan.last_seq().and_then(|seq| self.outbox.head_at(seq)) else {
            return self.ask(plan, None, out);
        };
        let shop = self.cursor.log.shop();
        let message = chain::head_message(shop, self.device, head.seq, &head.hash);
        let ticket = self.enter(Phase::Signing(plan), LOCAL_WAIT_MS, out);
        out.push(Output::Sign(ticket, message));
    }

    fn signed(&mut self, signature: Option<Signature>, out: &mut Vec<Output>) {
        let Phase::Signing(plan) = self.phase else {
            return;
        };
        match signature {
            Some(signature) => self.ask(plan, Some(signature), out),
            None => self.back_off(Problem::CannotSign, out),
        }
    }

    fn ask(&mut self, plan: Plan, signature: Option<Signature>, out: &mut Vec<Output>) {
        let log = &self.cursor.log;
        let last = self.outbox.last();
        let request = SyncRequest {
            protocol: PROTOCOL,
            generation: Some(log.generation()),
            position: log.size(),
            root: log.root(),
            last_seq: last.seq,
            last_hash: last.hash,
            keys_after: self.cursor.keys_last,
            want_bytes: self.budget.bytes(),
            push: signature.and_then(|signature| self.outbox.push_of(plan, signature)),
            keys: self.outbox.keys_of(plan),
        };
        self.hinted_size = 0;
        let ticket = self.enter(Phase::Asking(plan), REQUEST_WAIT_MS, out);
        out.push(Output::Send(ticket, Box::new(request)));
    }

    fn answered(&mut self, at: TimeMs, answer: SyncAnswer, out: &mut Vec<Output>) {
        let Phase::Asking(plan) = self.phase else {
            return;
        };
        if !PROTOCOLS.contains(&answer.protocol) {
            return self.stop(Stop::UpdateNeeded, out);
        }
        if answer.generation != self.cursor.log.generation() {
            return self.stop(Stop::LogRewritten(Rewritten::OtherGeneration), out);
        }
        self.clock_offset_ms = Some(answer.server_time.0.saturating_sub(at.0));
        self.budget.went_well();
        if answer.standing.advice == Advice::Reenrol {
            return self.stop(Stop::NotEnrolled, out);
        }
        if let Err(stop) = self.compare(&answer.standing) {
            return self.stop(stop, out);
        }
        // The server stores keys before anything else, and answers after it has.
        self.outbox.keys_arrived(plan);
        let next = Next {
            advice: answer.standing.advice,
            more: answer.more,
        };
        // A device that was removed hands in, and reads no more.
        if next.advice == Advice::Revoked {
            return self.go_on(next, out);
        }
        let head = answer.head;
        self.log_size = head.size;
        let batch = match reading::read(self.device, &self.cursor, &self.outbox, answer) {
            Ok(batch) => batch,
            Err(stop) => return self.stop(stop, out),
        };
        let pinned = self.cursor.pinned.map_or(0, |pinned| pinned.size);
        if batch.cursor.log.size() == head.size && head.size > pinned {
            let (shop, generation) = (batch.cursor.log.shop(), batch.cursor.log.generation());
            let check = Check {
                key: batch.cursor.server_key,
                message: tree::head_message(shop, &generation, head.size, &head.root, head.at),
                signature: head.signature,
            };
            let mut batch = batch;
            batch.cursor.pinned = Some(head);
            let phase = Phase::Checking(Box::new(batch), next);
            let ticket = self.enter(phase, LOCAL_WAIT_MS, out);
            out.push(Output::Verify(ticket, Box::new(check)));
        } else {
            self.store(batch, next, out);
        }
    }

    /// Compares what the server holds of this device's chain with the chain itself.
    fn compare(&mut self, standing: &DeviceStanding) -> Result<(), Stop> {
        if standing.advice == Advice::Fork {
            return Err(Stop::Forked);
        }
        let own = self.cursor.log.chain(self.device);
        if own.is_some_and(|own| standing.known_seq < own.seq) {
            return Err(Stop::LogRewritten(Rewritten::OwnEventsGone));
        }
        // Beyond the end of this storage's chain the events come with their bytes.
        if let Some(head) = self.outbox.head_at(standing.known_seq)
            && head.hash != standing.known_hash
        {
            return Err(Stop::Forked);
        }
        self.known_seq = standing.known_seq;
        Ok(())
    }

    fn verified(&mut self, sound: bool, out: &mut Vec<Output>) {
        if !matches!(self.phase, Phase::Checking(..)) {
            return;
        }
        let checking = core::mem::replace(&mut self.phase, Phase::Resting(Rest::Poll));
        match (checking, sound) {
            (Phase::Checking(batch, next), true) => self.store(*batch, next, out),
            _ => self.stop(Stop::LogRewritten(Rewritten::BadSignature), out),
        }
    }

    fn store(&mut self, batch: Batch, next: Next, out: &mut Vec<Output>) {
        if batch.cursor == self.cursor && batch.keys.is_empty() {
            return self.go_on(next, out);
        }
        let cursor = Box::new(batch.cursor.clone());
        let ticket = self.enter(Phase::Storing(cursor, next), LOCAL_WAIT_MS, out);
        out.push(Output::Persist(ticket, Box::new(batch)));
    }

    fn persisted(&mut self, out: &mut Vec<Output>) {
        if !matches!(self.phase, Phase::Storing(..)) {
            return;
        }
        let storing = core::mem::replace(&mut self.phase, Phase::Resting(Rest::Poll));
        if let Phase::Storing(cursor, next) = storing {
            self.cursor = *cursor;
            let own = self.cursor.log.chain(self.device);
            if let Some(own) = own
                && !self.outbox.confirm(own)
            {
                return self.stop(Stop::Forked, out);
            }
            self.go_on(next, out);
        }
    }

    /// The end of a round: another at once, a rest, or a stop.
    fn go_on(&mut self, next: Next, out: &mut Vec<Output>) {
        let revoked = next.advice == Advice::Revoked;
        let more = if revoked {
            self.unsent()
        } else {
            next.more || self.wants_more()
        };
        let moved = self.progress() != self.before;
        if moved || !more {
            self.waits.reset();
        }
        // A hint that came while the request was under way is news as well.
        if more && (moved || self.hinted_size > self.log_size) {
            self.begin(out);
        } else if more {
            let problem = match next.advice {
                Advice::Resign => Problem::SignatureRefused,
                _ => Problem::Stalled,
            };
            self.back_off(problem, out);
        } else if revoked {
            self.stop(Stop::Revoked, out);
        } else {
            self.problem = None;
            let wait_ms = self.waits.poll_ms();
            self.enter(Phase::Resting(Rest::Poll), wait_ms, out);
        }
    }

    // How a round ends when it does not go well.

    fn failed(&mut self, failure: &Failure, out: &mut Vec<Output>) {
        match failure.consequence() {
            Consequence::Stop(stop) => self.stop(stop, out),
            Consequence::Retry(problem) => self.back_off(problem, out),
        }
    }

    fn back_off(&mut self, problem: Problem, out: &mut Vec<Output>) {
        let unreached = matches!(problem, Problem::Unreachable | Problem::TimedOut);
        self.problem = Some(if unreached && !self.online {
            Problem::Offline
        } else {
            problem
        });
        let (rest, wait_ms) = match problem {
            Problem::Busy { retry_after_ms } => {
                (Rest::Obedience, self.waits.retry_after_ms(retry_after_ms))
            }
            _ => (Rest::BackOff, self.waits.backoff_ms()),
        };
        self.enter(Phase::Resting(rest), wait_ms, out);
    }

    fn stop(&mut self, stop: Stop, out: &mut Vec<Output>) {
        self.problem = None;
        if stop.may_pass() {
            self.enter(Phase::Stopped(stop), SLOW_RETRY_MS, out);
        } else {
            self.phase = Phase::Stopped(stop);
            self.ticket = Ticket(self.ticket.0.wrapping_add(1));
        }
    }

    fn enter(&mut self, phase: Phase, wait_ms: u32, out: &mut Vec<Output>) -> Ticket {
        self.phase = phase;
        self.ticket = Ticket(self.ticket.0.wrapping_add(1));
        out.push(Output::SetTimer(self.ticket, wait_ms));
        self.ticket
    }

    // What there is to do.

    fn unsent(&self) -> bool {
        self.outbox.last().seq > self.known_seq
    }

    fn wants_more(&self) -> bool {
        self.unsent() || self.outbox.has_keys() || self.end() > self.cursor.log.size()
    }

    /// How long the log is, as far as anyone said.
    fn end(&self) -> u64 {
        self.log_size.max(self.hinted_size)
    }

    fn progress(&self) -> Progress {
        Progress {
            position: self.cursor.log.size(),
            keys_last: self.cursor.keys_last,
            known_seq: self.known_seq,
            keys_waiting: self.outbox.has_keys(),
        }
    }
}
