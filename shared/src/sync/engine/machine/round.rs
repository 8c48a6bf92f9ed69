//! One round of a sync: sign, ask, check, store, and how it ends.

use super::{Engine, Next, Phase, Rest};
use crate::calendar::TimeMs;
use crate::chain;
use crate::sync::engine::cursor::HeardOf;
use crate::sync::engine::outbox::Plan;
use crate::sync::engine::reading;
use crate::sync::engine::reply::{Consequence, Failure};
use crate::sync::engine::status::{Problem, Rewritten, Stop};
use crate::sync::engine::wait::{LOCAL_WAIT_MS, REQUEST_WAIT_MS, SLOW_RETRY_MS};
use crate::sync::engine::{Batch, Check, Output, Ticket};
use crate::sync::tree;
use crate::sync::wire::{Advice, DeviceStanding, Protocols, Signature, SyncAnswer, SyncRequest};

impl Engine {
    pub(super) fn begin(&mut self, out: &mut Vec<Output>) {
        self.before = self.progress();
        if self.forked {
            return self.ask(Plan::NOTHING, None, out);
        }
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

    pub(super) fn signed(&mut self, signature: Option<Signature>, out: &mut Vec<Output>) {
        let Phase::Signing(plan) = self.phase else {
            return;
        };
        match signature {
            Some(signature) => self.ask(plan, Some(signature), out),
            None => self.back_off(Problem::CannotSign, out),
        }
    }

    pub(super) fn ask(&mut self, plan: Plan, signature: Option<Signature>, out: &mut Vec<Output>) {
        let log = &self.cursor.log;
        // A copy says how far it surely holds the device's chain, and so gets all that follows.
        let last = match self.forked {
            true => self.outbox.base(),
            false => self.outbox.last(),
        };
        let request = SyncRequest {
            protocol: self.protocol,
            generation: Some(log.generation()),
            position: log.size(),
            root: log.root(),
            last_seq: last.seq,
            last_hash: last.hash,
            keys_after: self.cursor.keys_last,
            want_bytes: self.budget.bytes(),
            push: signature.and_then(|signature| self.outbox.push_of(plan, signature)),
            keys: self.outbox.keys_of(plan),
            segments: self.history.wanted(log.size()).filter(|_| !self.forked),
        };
        self.hinted_size = 0;
        let ticket = self.enter(Phase::Asking(plan), REQUEST_WAIT_MS, out);
        out.push(Output::Send(ticket, Box::new(request)));
    }

    pub(super) fn answered(&mut self, at: TimeMs, mut answer: SyncAnswer, out: &mut Vec<Output>) {
        let Phase::Asking(plan) = self.phase else {
            return;
        };
        if answer.protocol != self.protocol {
            return self.stop(Stop::UpdateNeeded, out);
        }
        if answer.generation != self.cursor.log.generation() {
            return self.stop(Stop::LogRewritten(Rewritten::OtherGeneration), out);
        }
        self.readmitted = false;
        self.clock_offset_ms = Some(answer.server_time.0.saturating_sub(at.0));
        self.budget.went_well();
        if answer.standing.advice == Advice::Reenrol {
            return self.stop(Stop::NotEnrolled, out);
        }
        match self.compare(&answer.standing) {
            Ok(()) => {}
            Err(Stop::Forked) => return self.find_fork(out),
            Err(stop) => return self.stop(stop, out),
        }
        // The server stores keys before anything else, and answers after it has.
        self.outbox.keys_arrived(plan);
        let next = Next {
            advice: answer.standing.advice,
            more: answer.more,
        };
        let restored = self.hear_of(answer.restored, out);
        // A device that was removed hands in, keys that the server may have lost too, and reads no
        // more.
        if next.advice == Advice::Revoked {
            if self.forked {
                return self.stop(Stop::Forked, out);
            }
            let mut batch = reading::nothing(self.device, &self.cursor);
            batch.cursor.restored = restored;
            return self.store(batch, next, out);
        }
        let head = answer.head;
        self.log_size = head.size;
        let listed = answer.sealed.take();
        self.history.list(listed, self.cursor.log.size(), head.size);
        let which = |heard: Option<HeardOf>| heard.map(|heard| heard.restoration);
        // The numbers of keys may mean others now: all are read again.
        let reads_anew =
            which(restored) != which(self.cursor.restored) && self.cursor.keys_last > 0;
        let next = Next {
            more: next.more || reads_anew,
            ..next
        };
        let mut batch = match reading::read(self.device, &self.cursor, &self.outbox, answer) {
            Ok(batch) => batch,
            Err(stop) => return self.stop(stop, out),
        };
        batch.cursor.restored = restored;
        if reads_anew {
            batch.cursor.keys_last = 0;
        }
        if batch.branch.is_some() {
            return self.branch(batch, out);
        }
        self.forked &= batch.cursor.log.size() < head.size;
        let pinned = self.cursor.pinned.map_or(0, |pinned| pinned.size);
        if batch.cursor.log.size() == head.size && head.size > pinned {
            let (shop, generation) = (batch.cursor.log.shop(), batch.cursor.log.generation());
            let check = Check {
                key: batch.cursor.server_key,
                message: tree::head_message(shop, &generation, head.size, &head.root, head.at),
                signature: head.signature,
            };
            batch.cursor.pinned = Some(head);
            let phase = Phase::Checking(Box::new(batch), next);
            let ticket = self.enter(phase, LOCAL_WAIT_MS, out);
            out.push(Output::Verify(ticket, Box::new(check)));
        } else {
            self.store(batch, next, out);
        }
    }

    /// Compares what the server holds of this device's chain with the chain itself.
    pub(super) fn compare(&mut self, standing: &DeviceStanding) -> Result<(), Stop> {
        if standing.advice == Advice::Fork {
            return Err(Stop::Forked);
        }
        let own = self.cursor.log.chain(self.device);
        if own.is_some_and(|own| standing.known_seq < own.seq) {
            return Err(Stop::LogRewritten(Rewritten::OwnEventsGone));
        }
        if self.forked {
            return Ok(());
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

    pub(super) fn verified(&mut self, sound: bool, out: &mut Vec<Output>) {
        if !matches!(self.phase, Phase::Checking(..)) {
            return self.vouched(sound, out);
        }
        let checking = core::mem::replace(&mut self.phase, Phase::Resting(Rest::Poll));
        match (checking, sound) {
            (Phase::Checking(batch, next), true) => self.store(*batch, next, out),
            _ => self.stop(Stop::LogRewritten(Rewritten::BadSignature), out),
        }
    }

    pub(super) fn store(&mut self, batch: Batch, next: Next, out: &mut Vec<Output>) {
        if batch.cursor == self.cursor && batch.keys.is_empty() {
            return self.go_on(next, out);
        }
        let cursor = Box::new(batch.cursor.clone());
        let ticket = self.enter(Phase::Storing(cursor, next), LOCAL_WAIT_MS, out);
        out.push(Output::Persist(ticket, Box::new(batch)));
    }

    pub(super) fn persisted(&mut self, out: &mut Vec<Output>) {
        if !matches!(self.phase, Phase::Storing(..)) {
            return self.moved(out);
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
    pub(super) fn go_on(&mut self, next: Next, out: &mut Vec<Output>) {
        let revoked = next.advice == Advice::Revoked;
        let more = if revoked {
            self.has_to_give()
        } else {
            next.more || self.wants_more()
        };
        let moved = self.progress() != self.before;
        if moved || !more {
            self.waits.reset();
        }
        if !revoked && self.fetch(out) {
            return;
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

    pub(super) fn failed(&mut self, failure: &Failure, out: &mut Vec<Output>) {
        if let Failure::OtherProtocol(theirs) = failure {
            return self.speak_otherwise(*theirs, out);
        }
        match failure.consequence() {
            Consequence::Stop(stop) => self.look_back(stop, out),
            Consequence::Retry(problem) => self.back_off(problem, out),
        }
    }

    /// The server does not speak this version: another one that both speak, or none.
    fn speak_otherwise(&mut self, theirs: Option<Protocols>, out: &mut Vec<Output>) {
        let older = Protocols {
            newest: self.protocol.saturating_sub(1),
            ..self.protocols
        };
        // Each version is tried once, the newest first, whatever the server says.
        match older.common(theirs.unwrap_or(older)) {
            Some(version) => {
                self.protocol = version;
                self.begin(out);
            }
            None => {
                self.protocol = self.protocols.newest;
                self.stop(Stop::UpdateNeeded, out);
            }
        }
    }

    pub(super) fn back_off(&mut self, problem: Problem, out: &mut Vec<Output>) {
        let unreached = matches!(problem, Problem::Unreachable | Problem::TimedOut);
        self.problem = Some(if unreached && !self.online {
            Problem::Offline
        } else {
            problem
        });
        let (rest, wait_ms) = match problem {
            Problem::Busy { retry_after_ms } | Problem::Recovering { retry_after_ms } => {
                (Rest::Obedience, self.waits.retry_after_ms(retry_after_ms))
            }
            _ => (Rest::BackOff, self.waits.backoff_ms()),
        };
        self.enter(Phase::Resting(rest), wait_ms, out);
    }

    pub(super) fn stop(&mut self, stop: Stop, out: &mut Vec<Output>) {
        self.problem = None;
        if stop.may_pass() {
            self.enter(Phase::Stopped(stop), SLOW_RETRY_MS, out);
        } else {
            self.phase = Phase::Stopped(stop);
            self.ticket = Ticket(self.ticket.0.wrapping_add(1));
        }
    }

    pub(super) fn enter(&mut self, phase: Phase, wait_ms: u32, out: &mut Vec<Output>) -> Ticket {
        self.phase = phase;
        self.ticket = Ticket(self.ticket.0.wrapping_add(1));
        out.push(Output::SetTimer(self.ticket, wait_ms));
        self.ticket
    }
}
