//! When the server holds less than this device has read: it was set back to an older copy, and gets
//! back what this device holds. A server that has forgotten the device lets it in again afterwards.
//!
//! Nothing of this is remembered over a failure: the next round begins with a look at the server.

use std::collections::VecDeque;

use super::{Engine, Phase};
use crate::bytes::Bytes;
use crate::sync::engine::Output;
use crate::sync::engine::cursor::HeardOf;
use crate::sync::engine::reply::{Consequence, Failure};
use crate::sync::engine::status::{Problem, Rewritten, Stop};
use crate::sync::engine::wait::{LOCAL_WAIT_MS, REQUEST_WAIT_MS};
use crate::sync::log::Log;
use crate::sync::restore::{CannotGive, parts};
use crate::sync::wire::{
    Challenge, Chunk, Part, Restoration, RestoreAnswer, RestoreRequest, SealingKey, TreeHead,
};

/// What goes on between the device and a server that may have lost something.
#[derive(Debug)]
pub(super) enum Returning {
    /// The server is asked how far its log reaches. `reason` is why: what the device stops for if
    /// nothing comes of it.
    Looking {
        reason: Stop,
        /// It is shown what it has signed.
        with_head: bool,
    },
    /// The device's storage is asked for what the server lacks.
    Recalling {
        reason: Stop,
        /// How far the server's log reaches.
        log: Box<Log>,
        /// How far the device can prove it.
        head: TreeHead,
    },
    /// The parts go back to the server, one at a time.
    Giving { reason: Stop, parts: VecDeque<Part> },
    /// The server is asked to let the device in again.
    Readmitting,
}

impl Returning {
    const fn reason(&self) -> Stop {
        match self {
            Returning::Looking { reason, .. }
            | Returning::Recalling { reason, .. }
            | Returning::Giving { reason, .. } => *reason,
            Returning::Readmitting => Stop::NotKnown,
        }
    }
}

impl Engine {
    /// Before the engine stops for this reason: did the server lose something that can be given
    /// back?
    pub(super) fn look_back(&mut self, reason: Stop, out: &mut Vec<Output>) {
        let hope = match reason {
            Stop::LogRewritten(Rewritten::Shorter) => true,
            Stop::NotKnown => !self.readmitted,
            Stop::LogRewritten(Rewritten::OtherGeneration) => return self.move_over(out),
            _ => false,
        };
        if !hope {
            return self.stop(reason, out);
        }
        let with_head = true;
        self.restore(Returning::Looking { reason, with_head }, None, out);
    }

    /// Sends the pinned head, and a part of the log with it.
    fn restore(&mut self, returning: Returning, part: Option<&Part>, out: &mut Vec<Output>) {
        let log = &self.cursor.log;
        let request = RestoreRequest {
            shop: log.shop(),
            generation: log.generation(),
            head: self.cursor.pinned.filter(|_| {
                !matches!(
                    returning,
                    Returning::Looking {
                        with_head: false,
                        ..
                    }
                )
            }),
            part: part
                .map(|part| Bytes(minicbor::to_vec(part).expect("writing to memory cannot fail"))),
            marks: None,
        };
        let ticket = self.enter(Phase::Returning(returning), REQUEST_WAIT_MS, out);
        out.push(Output::Restore(ticket, Box::new(request)));
    }

    /// The server says how far its log reaches.
    pub(super) fn looked(&mut self, answer: RestoreAnswer, out: &mut Vec<Output>) {
        let Some(returning) = self.take_returning() else {
            return;
        };
        let reason = returning.reason();
        if self.is_news(&answer) {
            return self.move_over(out);
        }
        let RestoreAnswer { log, challenge, .. } = answer;
        let size = log.as_ref().map_or(0, Log::size);
        match returning {
            Returning::Giving { mut parts, .. } => {
                parts.pop_front();
                if let Some(part) = parts.front().cloned() {
                    return self.restore(Returning::Giving { reason, parts }, Some(&part), out);
                }
            }
            _ => {
                let pinned = self.cursor.pinned.filter(|pinned| size < pinned.size);
                if let Some((log, head)) = log.zip(pinned) {
                    return self.recall(reason, log, head, out);
                }
            }
        }
        if reason == Stop::NotKnown {
            return self.readmit(challenge, out);
        }
        // What was read behind the last signed head is proved by nothing: only another device may
        // bring more.
        if size >= self.cursor.log.size() {
            self.begin(out);
        } else {
            self.stop(reason, out);
        }
    }

    fn recall(&mut self, reason: Stop, log: Log, head: TreeHead, out: &mut Vec<Output>) {
        let size = log.size();
        let log = Box::new(log);
        let phase = Phase::Returning(Returning::Recalling { reason, log, head });
        let ticket = self.enter(phase, LOCAL_WAIT_MS, out);
        out.push(Output::Recall(ticket, size));
    }

    /// What the server lacks was read from the device's storage.
    pub(super) fn recalled(&mut self, chunks: Vec<Chunk>, out: &mut Vec<Output>) {
        let Some(Returning::Recalling { reason, log, head }) = self.take_returning() else {
            return;
        };
        match parts(&log, &head, chunks) {
            Ok(parts) => {
                let first = parts.front().cloned();
                self.restore(Returning::Giving { reason, parts }, first.as_ref(), out);
            }
            Err(CannotGive::Conflict) => {
                self.stop(Stop::LogRewritten(Rewritten::OtherRoot), out);
            }
            Err(CannotGive::Missing) => self.stop(reason, out),
        }
    }

    fn readmit(&mut self, challenge: Challenge, out: &mut Vec<Output>) {
        let phase = Phase::Returning(Returning::Readmitting);
        let ticket = self.enter(phase, REQUEST_WAIT_MS, out);
        out.push(Output::Readmit(ticket, challenge));
    }

    /// The server knows this device's token again.
    pub(super) fn readmitted(&mut self, out: &mut Vec<Output>) {
        if let Some(Returning::Readmitting) = self.take_returning() {
            self.readmitted = true;
            self.begin(out);
        }
    }

    /// The server takes nothing back, or was not reached.
    pub(super) fn not_returned(&mut self, failure: &Failure, out: &mut Vec<Output>) {
        let Some(returning) = self.take_returning() else {
            return;
        };
        match (failure, failure.consequence()) {
            // Another server keeps the shop's log now: it knows this device once that has proved to be
            // the one, and why it is another is for the log to say.
            (_, Consequence::Retry(Problem::SignatureRefused))
                if matches!(
                    returning,
                    Returning::Looking {
                        reason: Stop::NotKnown,
                        with_head: true
                    }
                ) =>
            {
                let reason = Stop::NotKnown;
                let with_head = false;
                self.restore(Returning::Looking { reason, with_head }, None, out);
            }
            (_, Consequence::Stop(stop @ Stop::LogRewritten(_))) => self.stop(stop, out),
            // A server of before does not know how to take anything back.
            (Failure::Refused(_) | Failure::NotKnown, _) => self.stop(returning.reason(), out),
            (_, Consequence::Retry(problem)) => self.back_off(problem, out),
            (_, Consequence::Stop(_)) => self.stop(returning.reason(), out),
        }
    }

    fn take_returning(&mut self) -> Option<Returning> {
        match core::mem::replace(&mut self.phase, Phase::Stopped(Stop::NotKnown)) {
            Phase::Returning(returning) => Some(returning),
            other => {
                self.phase = other;
                None
            }
        }
    }

    // Keys.

    /// The server says which restoration was its last. Gives what the device has heard of from now
    /// on.
    pub(super) fn hear_of(
        &mut self,
        restoration: Option<Restoration>,
        out: &mut Vec<Output>,
    ) -> Option<HeardOf> {
        let known = self.cursor.restored;
        let Some(restoration) = restoration else {
            return known;
        };
        let is_sent = known
            == Some(HeardOf {
                restoration,
                keys_sent: true,
            })
            || self.keys_for == Some((restoration, true)) && !self.outbox.returns_keys();
        if !is_sent && self.keys_for.is_none_or(|(asked, _)| asked != restoration) {
            self.keys_for = Some((restoration, false));
            out.push(Output::RecallKeys);
        }
        Some(HeardOf {
            restoration,
            keys_sent: is_sent,
        })
    }

    /// All keys that this device holds.
    pub(super) fn keys_held(&mut self, keys: Vec<SealingKey>, out: &mut Vec<Output>) {
        if let Some((restoration, false)) = self.keys_for {
            self.keys_for = Some((restoration, true));
            self.outbox.return_keys(keys);
            self.news(out);
        }
    }
}
