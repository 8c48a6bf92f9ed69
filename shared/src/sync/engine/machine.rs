//! The state machine itself: its states, and what moves it from one to the next.

mod forked;
mod history;
mod moving;
mod returning;
mod round;

use self::history::History;
use self::moving::Moving;
use self::returning::Returning;
use super::outbox::{Gap, Outbox, Plan};
use super::status::{Activity, Problem, Stop, SyncStatus};
use super::wait::{Budget, LOCAL_WAIT_MS, Waits};
use super::{Batch, Cursor, Input, Output, Stored, Ticket};
use crate::event::PublicKey;
use crate::ids::DeviceNo;
use crate::sync::wire::{Advice, Protocols, Restoration, SegmentName};

/// The sync of one device with its server.
#[derive(Debug)]
pub struct Engine {
    device: DeviceNo,
    key: PublicKey,
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
    history: History,
    problem: Option<Problem>,
    clock_offset_ms: Option<i64>,
    /// The restoration of the server for which this device's keys were asked for, and whether they
    /// are in the outbox by now.
    keys_for: Option<(Restoration, bool)>,
    /// The server holds another chain of this device: what is read shows where they part. Until then
    /// nothing is sent.
    forked: bool,
    /// The server let this device in again, and has not answered since.
    readmitted: bool,
    /// The versions of the protocol that this app speaks, and the one that it speaks now.
    protocols: Protocols,
    protocol: u16,
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
    /// A segment is under way.
    Fetching(SegmentName),
    /// The server's signature of the log is being checked.
    Checking(Box<Batch>, Next),
    /// What was read is being stored.
    Storing(Box<Cursor>, Next),
    /// The server may have lost a part of the log, which goes back to it.
    Returning(Returning),
    /// The owner has let the log go on in another life: this device follows.
    Moving(Moving),
    /// The server is asked for a number of its own for this copy; then this is stored.
    Branching(Box<Batch>),
    /// This storage becomes another device's.
    Leaving,
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
            key,
            cursor,
            outbox,
            keys,
        } = stored;
        let base = cursor.log.chain(device);
        let base = base.expect("a cursor begins with the device's own chain");
        Engine {
            device,
            key,
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
            history: History::default(),
            problem: None,
            clock_offset_ms: None,
            keys_for: None,
            forked: false,
            readmitted: false,
            protocols: Protocols::SPOKEN,
            protocol: Protocols::SPOKEN.newest,
            shown: None,
        }
    }

    /// Has it speak other versions of the protocol than this build does.
    #[cfg(feature = "testing")]
    pub const fn speak(&mut self, protocols: Protocols) {
        self.protocols = protocols;
        self.protocol = protocols.newest;
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
            Input::Failed(ticket, failure) if ticket == self.ticket => match self.phase {
                Phase::Asking(_) => self.failed(&failure, out),
                Phase::Fetching(name) => self.not_fetched(name, &failure, out),
                Phase::Returning(_) => self.not_returned(&failure, out),
                Phase::Moving(_) => self.not_moved(&failure, out),
                Phase::Branching(_) => self.not_branched(&failure, out),
                _ => {}
            },
            Input::Fetched(ticket, bytes) if ticket == self.ticket => self.fetched(bytes, out),
            Input::Restored(ticket, answer) if ticket == self.ticket => match self.phase {
                Phase::Moving(_) => self.told(*answer, out),
                _ => self.looked(*answer, out),
            },
            Input::Recalled(ticket, chunks) if ticket == self.ticket => match self.phase {
                Phase::Moving(_) => self.compare_lives(chunks, out),
                _ => self.recalled(chunks, out),
            },
            Input::Readmitted(ticket) if ticket == self.ticket => self.readmitted(out),
            Input::Branched(ticket) if ticket == self.ticket => self.branched(out),
            Input::KeysHeld(keys) => self.keys_held(keys, out),
            Input::Verified(ticket, sound) if ticket == self.ticket => self.verified(sound, out),
            Input::Persisted(ticket) if ticket == self.ticket => self.persisted(out),
            Input::PersistFailed(ticket) if ticket == self.ticket => {
                if self.is_storing() {
                    self.back_off(Problem::CannotStore, out);
                }
            }
            // Old news: the engine has gone on since.
            Input::TimerFired(_)
            | Input::Signed(..)
            | Input::Answered(..)
            | Input::Failed(..)
            | Input::Fetched(..)
            | Input::Restored(..)
            | Input::Recalled(..)
            | Input::Readmitted(_)
            | Input::Branched(_)
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
            Phase::Stopped(Stop::Revoked) if self.has_to_give() => self.begin(out),
            _ => {}
        }
    }

    fn timer(&mut self, out: &mut Vec<Output>) {
        match &self.phase {
            Phase::Resting(_) | Phase::Stopped(_) => self.begin(out),
            Phase::Signing(_) => self.back_off(Problem::CannotSign, out),
            Phase::Returning(Returning::Recalling { .. }) => {
                self.back_off(Problem::Stalled, out);
            }
            Phase::Moving(Moving::Recalling | Moving::Vouching(..)) => {
                self.back_off(Problem::Stalled, out);
            }
            // Whether it is durable must be known before anything else: no second transaction may
            // begin from a cursor that the first has moved.
            Phase::Storing(..) | Phase::Leaving | Phase::Moving(Moving::Storing(_)) => {
                self.problem = Some(Problem::CannotStore);
                out.push(Output::SetTimer(self.ticket, LOCAL_WAIT_MS));
            }
            Phase::Returning(_) | Phase::Branching(_) | Phase::Moving(_) => {
                self.back_off(Problem::TimedOut, out)
            }
            Phase::Asking(_) => {
                self.budget.timed_out();
                self.back_off(Problem::TimedOut, out);
            }
            Phase::Fetching(name) => {
                self.history.avoid(*name);
                self.budget.timed_out();
                self.back_off(Problem::TimedOut, out);
            }
            Phase::Checking(..) => self.back_off(Problem::Stalled, out),
        }
    }

    // What there is to do.

    const fn is_storing(&self) -> bool {
        matches!(
            self.phase,
            Phase::Storing(..) | Phase::Leaving | Phase::Moving(Moving::Storing(_))
        )
    }

    fn unsent(&self) -> bool {
        self.outbox.last().seq > self.known_seq
    }

    /// Is there anything that the server lacks?
    fn has_to_give(&self) -> bool {
        self.unsent() || self.outbox.has_keys()
    }

    fn wants_more(&self) -> bool {
        self.has_to_give() || self.end() > self.cursor.log.size()
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
