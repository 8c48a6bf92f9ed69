//! Catching up: what is sealed of the log comes in segments, which are shorter than chunks and may
//! lie in caches. They are read by the same code, and believed no sooner.

use std::collections::VecDeque;

use super::{Engine, Next, Phase};
use crate::sync::engine::Output;
use crate::sync::engine::reading;
use crate::sync::engine::reply::Failure;
use crate::sync::engine::wait::REQUEST_WAIT_MS;
use crate::sync::segment::{self, Segment};
use crate::sync::wire::{Advice, MAX_SEGMENTS, Sealed, SegmentName};

/// The segments that are still to be fetched.
#[derive(Debug, Default)]
pub(super) struct History {
    names: VecDeque<SegmentName>,
    /// A segment did not come as it should: up to here the log is asked for in chunks.
    avoid: u64,
}

impl History {
    /// What a request says of segments, from this position on.
    pub fn wanted(&self, position: u64) -> Option<u8> {
        (position >= self.avoid).then_some(segment::VERSION)
    }

    /// Takes note of what the server has sealed, and forgets what it had said before.
    pub fn list(&mut self, sealed: Option<Sealed>, position: u64, log_size: u64) {
        self.names.clear();
        let Some(sealed) = sealed else {
            return;
        };
        let follow = sealed.names().all(|name| name.first <= name.last);
        let reach = sealed.ends.last().is_some_and(|last| *last <= log_size);
        if !follow || !reach || sealed.ends.len() > MAX_SEGMENTS || sealed.after > position {
            self.avoid = log_size;
            return;
        }
        self.names = sealed.names().filter(|name| name.last > position).collect();
    }

    /// Lets this part of the log come in chunks.
    pub fn avoid(&mut self, name: SegmentName) {
        self.names.clear();
        self.avoid = name.last;
    }
}

impl Engine {
    /// Fetches the next segment. False when there is none, or when there is something to send,
    /// which goes first.
    pub(super) fn fetch(&mut self, out: &mut Vec<Output>) -> bool {
        if self.has_to_give() {
            return false;
        }
        let Some(name) = self.history.names.pop_front() else {
            return false;
        };
        let ticket = self.enter(Phase::Fetching(name), REQUEST_WAIT_MS, out);
        out.push(Output::Fetch(ticket, name));
        true
    }

    pub(super) fn fetched(&mut self, bytes: Vec<u8>, out: &mut Vec<Output>) {
        let Phase::Fetching(name) = self.phase else {
            return;
        };
        let log = &self.cursor.log;
        // One that was sealed in an earlier life of the log holds what stands there still: all of it
        // is hashed into the chains and the tree, as ever.
        let is_the_one = |segment: &Segment| {
            (segment.first(), segment.last()) == (name.first, name.last)
                && segment.shop == log.shop()
        };
        let Some(segment) = segment::read(&bytes).ok().filter(is_the_one) else {
            self.history.avoid(name);
            return self.begin(out);
        };
        let mut chunks = segment.chunks;
        let is_new = name.first > log.size();
        chunks.retain(|chunk| chunk.last() > log.size());
        let read = reading::read_chunks(
            self.device,
            &self.cursor,
            &self.outbox,
            chunks,
            self.log_size,
        );
        match read {
            Ok(mut batch) => {
                batch.segment = is_new.then_some(bytes);
                if batch.branch.is_some() {
                    return self.branch(batch, out);
                }
                let next = Next {
                    advice: Advice::None,
                    more: true,
                };
                self.store(batch, next, out);
            }
            Err(stop) => self.stop(stop, out),
        }
    }

    pub(super) fn not_fetched(
        &mut self,
        name: SegmentName,
        failure: &Failure,
        out: &mut Vec<Output>,
    ) {
        match failure {
            // The rest of the log may still come in chunks.
            Failure::NotOurServer | Failure::Refused(_) => {
                self.history.avoid(name);
                self.begin(out);
            }
            _ => self.failed(failure, out),
        }
    }
}
