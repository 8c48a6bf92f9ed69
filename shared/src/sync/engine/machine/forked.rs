//! When this storage is a copy of the device's, or an older one that was put back, and has written on:
//! the log holds other entries in the place of its own. Both happened, so it goes on as a device of its
//! own.

use super::{Engine, Phase};
use crate::sync::engine::reply::{Consequence, Failure};
use crate::sync::engine::status::Stop;
use crate::sync::engine::wait::{LOCAL_WAIT_MS, REQUEST_WAIT_MS};
use crate::sync::engine::{Batch, Output};

impl Engine {
    /// The server holds another chain: the log tells from which event on.
    pub(super) fn find_fork(&mut self, out: &mut Vec<Output>) {
        if self.forked {
            // What both are said to share is not the same either.
            return self.stop(Stop::Forked, out);
        }
        self.forked = true;
        self.begin(out);
    }

    /// It was found in what was read.
    pub(super) fn branch(&mut self, batch: Batch, out: &mut Vec<Output>) {
        let Some(fork) = batch.branch else {
            return;
        };
        let phase = Phase::Branching(Box::new(batch));
        let ticket = self.enter(phase, REQUEST_WAIT_MS, out);
        out.push(Output::Branch(ticket, fork));
    }

    /// The server knows this copy as a device of its own.
    pub(super) fn branched(&mut self, out: &mut Vec<Output>) {
        if !matches!(self.phase, Phase::Branching(_)) {
            return;
        }
        if let Phase::Branching(batch) = core::mem::replace(&mut self.phase, Phase::Leaving) {
            let ticket = self.enter(Phase::Leaving, LOCAL_WAIT_MS, out);
            out.push(Output::Persist(ticket, batch));
        }
    }

    /// The server registers no copy: everything stays where it is.
    pub(super) fn not_branched(&mut self, failure: &Failure, out: &mut Vec<Output>) {
        match failure.consequence() {
            // The next round finds the same fork.
            Consequence::Retry(problem) if !matches!(failure, Failure::Refused(_)) => {
                self.back_off(problem, out);
            }
            _ => self.stop(Stop::Forked, out),
        }
    }
}
