//! Segments on their way to phones.

use super::world::{Happening, World};
use crate::sync::engine::{Failure, Input, Ticket};
use crate::sync::wire::SegmentName;

impl World {
    /// A phone fetches a segment, which now and then comes late, damaged or not at all.
    pub fn fetch(&mut self, at: usize, ticket: Ticket, name: SegmentName) {
        let life = self.stations[at].life;
        let delay_ms = self.travel_ms();
        if self.is_cut_off(at) || self.fault(10) {
            return;
        }
        let segment = self.server.running().map(|server| server.segment(name));
        let input = match segment {
            None => Input::Failed(ticket, Failure::Unreachable),
            Some(None) => Input::Failed(ticket, Failure::Refused("not_found".to_owned())),
            Some(Some(mut bytes)) => {
                if self.fault(5) {
                    let damaged = self.rng.below(bytes.len() as u64) as usize;
                    bytes[damaged] ^= 1 << self.rng.below(8);
                }
                self.summary.segments += 1;
                Input::Fetched(ticket, bytes)
            }
        };
        self.after(delay_ms, Happening::Input { at, life, input });
    }
}
