//! When the owner has let the log go on in another life: this device goes back to where its own log
//! parted from the server's, hands in what the server lacks of the rest, and reads on from there.
//!
//! Nothing of this is remembered before the one transaction at its end: after any failure it begins
//! anew, and what was handed in twice is there once.

use std::collections::VecDeque;

use super::history::History;
use super::{Engine, Phase, Rest};
use crate::bytes::Bytes;
use crate::event::{Body, Decoded, GenerationOpened, decode_only};
use crate::ids::DeviceNo;
use crate::sync::engine::cursor::Cursor;
use crate::sync::engine::reply::{Consequence, Failure};
use crate::sync::engine::status::{Problem, Rewritten, Stop};
use crate::sync::engine::wait::{LOCAL_WAIT_MS, REQUEST_WAIT_MS};
use crate::sync::engine::{Batch, Check, Cut, Output, reading};
use crate::sync::generation::{consent_message, hand_in, is_lacking, marked, owner_key};
use crate::sync::log::{ChainHead, Log};
use crate::sync::wire::{Chunk, Generation, Mark, Part, RestoreAnswer, RestoreRequest};

/// On the way into another life of the log.
#[derive(Debug)]
pub(super) enum Moving {
    /// The device's storage is asked for the log as it stands there.
    Recalling,
    /// The server is asked who opened the new life, and where both logs part.
    Asking(Box<Held>),
    /// Is it an owner's word?
    Vouching(Box<Held>, Box<RestoreAnswer>),
    /// What the server lacks goes to it, one part at a time.
    Giving(Box<Batch>, VecDeque<Part>),
    /// The device goes back to where both logs part.
    Storing(Box<Batch>),
}

/// The log as this device holds it.
#[derive(Debug)]
pub(super) struct Held {
    chunks: Vec<Chunk>,
    /// How far it was read at some places, the last first; before anything of it at the end.
    stages: Vec<Cursor>,
}

const NOT_FOLLOWED: Stop = Stop::LogRewritten(Rewritten::OtherGeneration);

impl Engine {
    /// Does the server tell of another life of the log?
    pub(super) fn is_news(&self, answer: &RestoreAnswer) -> bool {
        let opened = answer.opened.as_ref();
        opened.is_some_and(|opened| opened.generation != self.cursor.log.generation())
    }

    /// Begins to follow the server into another life of the log.
    pub(super) fn move_over(&mut self, out: &mut Vec<Output>) {
        let ticket = self.enter(Phase::Moving(Moving::Recalling), LOCAL_WAIT_MS, out);
        out.push(Output::Recall(ticket, 0));
    }

    /// The log was read from the device's storage: how it stood at some places.
    pub(super) fn compare_lives(&mut self, mut chunks: Vec<Chunk>, out: &mut Vec<Output>) {
        let log = &self.cursor.log;
        let mut first = Log::new(log.shop(), log.generation());
        let server = ChainHead::genesis(log.shop(), &self.cursor.server_key);
        first.begin(DeviceNo::SERVER, server);
        let own = branched(&chunks, self.device);
        first.begin(
            self.device,
            own.unwrap_or_else(|| ChainHead::genesis(log.shop(), &self.key)),
        );
        let start = Cursor {
            log: first,
            pinned: None,
            ..self.cursor.clone()
        };
        let mut after: Vec<usize> = marked(chunks.len() + 1).collect();
        after.push(0);
        let stages = reading::stages(self.device, &start, &mut chunks, &after);
        let stages = stages.map(|stages| stages.into_iter().rev().collect::<Vec<Cursor>>());
        let Some(stages) = stages.filter(|stages| stages[0].log.root() == log.root()) else {
            // Storage is damaged, or another tab has gone on.
            return self.back_off(Problem::Stalled, out);
        };
        let marks = stages.iter().map(|stage| Mark {
            size: stage.log.size(),
            root: stage.log.root(),
        });
        let marks = marks.filter(|mark| mark.size > 0).collect();
        let held = Box::new(Held { chunks, stages });
        self.speak_of(Moving::Asking(held), None, Some(marks), out);
    }

    fn speak_of(
        &mut self,
        moving: Moving,
        part: Option<&Part>,
        marks: Option<Vec<Mark>>,
        out: &mut Vec<Output>,
    ) {
        let request = RestoreRequest {
            shop: self.cursor.log.shop(),
            generation: self.cursor.log.generation(),
            head: self.cursor.pinned,
            part: part
                .map(|part| Bytes(minicbor::to_vec(part).expect("writing to memory cannot fail"))),
            marks,
        };
        let ticket = self.enter(Phase::Moving(moving), REQUEST_WAIT_MS, out);
        out.push(Output::Restore(ticket, Box::new(request)));
    }

    /// The server has answered.
    pub(super) fn told(&mut self, answer: RestoreAnswer, out: &mut Vec<Output>) {
        match self.take_moving() {
            Some(Moving::Asking(held)) => {
                let opened = answer.opened.clone().filter(|opened| {
                    let theirs = answer.log.as_ref().map(Log::generation);
                    theirs.is_none_or(|theirs| theirs == opened.generation)
                        && self.is_news(&answer)
                        && !has_lived(&held.chunks, opened.generation)
                });
                let key = opened.as_ref();
                let (shop, server) = (self.cursor.log.shop(), self.cursor.server_key);
                let key =
                    key.and_then(|opened| owner_key(&held.chunks, shop, server, opened.device));
                let is_new_here = held.chunks.is_empty()
                    && opened.as_ref().map(|it| it.server) == Some(self.cursor.server_key);
                if is_new_here {
                    // It has read nothing that could be another now.
                    self.phase = Phase::Moving(Moving::Vouching(held, Box::new(answer)));
                    return self.vouched(true, out);
                }
                let (Some(opened), Some(key)) = (opened, key) else {
                    return self.stop(NOT_FOLLOWED, out);
                };
                let check = Check {
                    key,
                    message: consent_message(self.cursor.log.shop(), &opened),
                    signature: opened.signature,
                };
                let phase = Phase::Moving(Moving::Vouching(held, Box::new(answer)));
                let ticket = self.enter(phase, LOCAL_WAIT_MS, out);
                out.push(Output::Verify(ticket, Box::new(check)));
            }
            Some(Moving::Giving(batch, mut parts)) => {
                parts.pop_front();
                self.give(batch, parts, out);
            }
            _ => {}
        }
    }

    /// Whether it is the word of an owner whom the log names.
    pub(super) fn vouched(&mut self, sound: bool, out: &mut Vec<Output>) {
        let Some(Moving::Vouching(held, answer)) = self.take_moving() else {
            return;
        };
        let RestoreAnswer {
            log: theirs,
            opened: Some(opened),
            agreed,
            ..
        } = *answer
        else {
            return self.stop(NOT_FOLLOWED, out);
        };
        if !sound {
            return self.stop(NOT_FOLLOWED, out);
        }
        let (batch, parts) = self.part_ways(*held, &opened, theirs, agreed.unwrap_or(0));
        self.give(Box::new(batch), parts, out);
    }

    /// Where both logs part: what to store then, and what to hand in before.
    fn part_ways(
        &self,
        held: Held,
        opened: &GenerationOpened,
        theirs: Option<Log>,
        agreed: u64,
    ) -> (Batch, VecDeque<Part>) {
        let mut stages = held.stages.into_iter();
        let stage = stages.find(|stage| stage.log.size() <= agreed);
        let stage = stage.expect("the last is before anything");
        let position = stage.log.size();
        let mut behind = held.chunks;
        behind.retain(|chunk| chunk.position > position);
        let own = behind.iter().filter(|chunk| chunk.device == self.device);
        let own = own.flat_map(|chunk| chunk.events.iter().flatten());
        let own = own.cloned().collect();
        let (mut parts, mut proved) = (VecDeque::new(), 0);
        let mut unproved = behind.clone();
        if let Some(theirs) = theirs {
            let head = self.cursor.pinned.filter(|head| head.size > position);
            if let Some(head) = head
                && let Ok(given) = hand_in(&stage.log, &head, behind, &theirs)
            {
                (parts, proved) = (given, head.size);
            }
            unproved.retain(|chunk| is_lacking(chunk, &theirs));
        }
        unproved.retain(|chunk| chunk.device != self.device && chunk.position > proved);
        let cursor = Cursor {
            log: stage.log.in_life(opened),
            server_key: opened.server,
            keys_last: 0,
            pinned: None,
            restored: self.cursor.restored,
        };
        let confirmed = cursor.log.chain(self.device);
        let batch = Batch {
            chunks: Vec::new(),
            keys: Vec::new(),
            confirmed_seq: confirmed.map_or(0, |head| head.seq),
            cursor,
            restored: None,
            rebuild: true,
            segment: None,
            cut: Some(Cut {
                position,
                own,
                unproved,
            }),
            branch: None,
        };
        (batch, parts)
    }

    fn give(&mut self, batch: Box<Batch>, parts: VecDeque<Part>, out: &mut Vec<Output>) {
        if let Some(part) = parts.front().cloned() {
            return self.speak_of(Moving::Giving(batch, parts), Some(&part), None, out);
        }
        let phase = Phase::Moving(Moving::Storing(batch.clone()));
        let ticket = self.enter(phase, LOCAL_WAIT_MS, out);
        out.push(Output::Persist(ticket, batch));
    }

    /// The device's storage has gone back to where both logs part.
    pub(super) fn moved(&mut self, out: &mut Vec<Output>) {
        let Some(Moving::Storing(batch)) = self.take_moving() else {
            return;
        };
        let Batch { cursor, cut, .. } = *batch;
        let own = cut.map(|cut| cut.own).unwrap_or_default();
        if let Some(base) = cursor.log.chain(self.device) {
            self.outbox.go_back(base, own);
            self.known_seq = base.seq;
        }
        self.log_size = cursor.log.size();
        self.hinted_size = 0;
        self.history = History::default();
        self.keys_for = None;
        self.cursor = cursor;
        self.begin(out);
    }

    /// The server did not answer, or takes a part not.
    pub(super) fn not_moved(&mut self, failure: &Failure, out: &mut Vec<Output>) {
        let given = match self.take_moving() {
            Some(Moving::Giving(batch, parts)) => Some((batch, parts)),
            _ => None,
        };
        match (failure.consequence(), given) {
            // What the server will never take is kept aside.
            (Consequence::Stop(_), Some((mut batch, parts)))
            | (Consequence::Retry(Problem::Refused), Some((mut batch, parts))) => {
                let left = parts.into_iter().flat_map(|part| part.chunks);
                if let Some(cut) = &mut batch.cut {
                    let others = left.filter(|chunk| chunk.device != self.device);
                    cut.unproved.extend(others);
                }
                self.give(batch, VecDeque::new(), out);
            }
            (Consequence::Retry(problem), _) => self.back_off(problem, out),
            (Consequence::Stop(_), None) => self.stop(NOT_FOLLOWED, out),
        }
    }

    fn take_moving(&mut self) -> Option<Moving> {
        match core::mem::replace(&mut self.phase, Phase::Resting(Rest::BackOff)) {
            Phase::Moving(moving) => Some(moving),
            other => {
                self.phase = other;
                None
            }
        }
    }
}

/// Does the log say that it had this life before? Then the word for it is an old one.
fn has_lived(chunks: &[Chunk], generation: Generation) -> bool {
    let is_old = |opened: &GenerationOpened| [opened.generation, opened.of].contains(&generation);
    said(chunks).any(|body| matches!(body, Body::GenerationOpened(opened) if is_old(&opened)))
}

/// Where the chain of a device begins that is the copy of another.
fn branched(chunks: &[Chunk], device: DeviceNo) -> Option<ChainHead> {
    said(chunks).find_map(|body| match body {
        Body::BranchRegistered(body) if body.device == device => Some(ChainHead {
            seq: body.from_seq.saturating_sub(1),
            hash: body.previous,
        }),
        _ => None,
    })
}

/// What the server itself has written.
fn said(chunks: &[Chunk]) -> impl Iterator<Item = Body> {
    let said = chunks
        .iter()
        .filter(|chunk| chunk.device == DeviceNo::SERVER);
    let said = said.flat_map(|chunk| chunk.events.iter().flatten());
    said.filter_map(|bytes| match decode_only(&bytes.0, None, |_| true) {
        Ok(Decoded::Known(event)) => Some(event.body),
        _ => None,
    })
}
