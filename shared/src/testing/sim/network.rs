//! What lies between phones and server.

use super::machine::Asked;
use super::world::{Happening, World};
use crate::ids::DeviceNo;
use crate::sync::engine::{Failure, Input, Ticket, read_reply};
use crate::sync::wire::{MEDIA_TYPE, SyncAnswer, SyncRequest};

impl World {
    /// A phone sends a request.
    pub fn send(&mut self, from: usize, ticket: Ticket, request: Box<SyncRequest>) {
        self.summary.requests += 1;
        let life = self.stations[from].life;
        let device = self.stations[from].phone.number();
        let asked = |request| Asked {
            from,
            device,
            life,
            ticket,
            request,
        };
        if self.fault(3) {
            // The sign-in page of a public network.
            let html = read_reply(200, Some("text/html"), None, b"<html>Welcome</html>");
            let failure = html.expect_err("a page is no answer");
            return self.reply(&asked(request), Err(failure));
        }
        let copies = match () {
            () if self.is_cut_off(from) || self.fault(10) => 0,
            () if self.fault(5) => 2,
            () => 1,
        };
        if copies != 1 {
            self.summary.lost_or_doubled += 1;
        }
        if copies == 0 && self.fault(50) {
            return self.reply(&asked(request), Err(Failure::Unreachable));
        }
        for _ in 0..copies {
            let delay_ms = self.travel_ms();
            self.after(delay_ms, Happening::Request(asked(request.clone())));
        }
    }

    /// A request reaches the server.
    pub fn request(&mut self, asked: Asked) {
        if self.server.running().is_none() {
            if self.rng.chance(50) {
                self.reply(&asked, Err(Failure::Unreachable));
            }
            return;
        }
        if self.fault(5) {
            let retry_after_ms = self.rng.below(20_000) as u32;
            return self.reply(&asked, Err(Failure::Busy { retry_after_ms }));
        }
        self.serve(asked);
    }

    /// The server, or something else, answers a phone.
    pub fn reply(&mut self, asked: &Asked, reply: Result<SyncAnswer, Failure>) {
        let (at, life, ticket) = (asked.from, asked.life, asked.ticket);
        if let Ok(answer) = &reply {
            self.watch.promised(asked, answer);
        }
        let copies = match () {
            () if self.is_cut_off(at) || self.fault(8) => 0,
            () if self.fault(5) => 2,
            () => 1,
        };
        if copies != 1 {
            self.summary.lost_or_doubled += 1;
        }
        for _ in 0..copies {
            let delay_ms = self.travel_ms();
            let input = match &reply {
                Ok(answer) => self.on_the_line(at, ticket, answer),
                Err(failure) => Input::Failed(ticket, failure.clone()),
            };
            self.after(delay_ms, Happening::Input { at, life, input });
        }
    }

    /// An answer as bytes, which now and then break off.
    fn on_the_line(&mut self, at: usize, ticket: Ticket, answer: &SyncAnswer) -> Input {
        let mut bytes = minicbor::to_vec(answer).expect("in memory");
        if self.fault(2) {
            bytes.truncate(self.rng.below(bytes.len() as u64) as usize);
        }
        match read_reply(200, Some(MEDIA_TYPE), None, &bytes) {
            Ok(answer) => Input::Answered(ticket, self.time_at(at), Box::new(answer)),
            Err(failure) => Input::Failed(ticket, failure),
        }
    }

    /// The live channel tells the other phones that the log has grown, unless it does not.
    pub fn hint(&mut self, but: usize) {
        let size = self.server.state().log.size();
        for at in 0..self.stations.len() {
            if at == but || self.is_cut_off(at) || self.fault(30) {
                continue;
            }
            let life = self.stations[at].life;
            let delay_ms = self.travel_ms();
            let input = Input::Hinted { size };
            self.after(delay_ms, Happening::Input { at, life, input });
        }
    }

    /// Does nothing get from or to this phone?
    pub fn is_cut_off(&self, at: usize) -> bool {
        self.now_ms < self.stations[at].cut_off_until_ms && !self.calm
    }

    /// How long a message travels: now and then longer than anyone waits.
    pub fn travel_ms(&mut self) -> u64 {
        match () {
            () if self.fault(4) => 1_000 + self.rng.below(90_000),
            () if self.fault(20) => 200 + self.rng.below(5_000),
            () => 10 + self.rng.below(200),
        }
    }

    /// Did someone remove this device, or the one that it is a copy of, whether the server knows of it
    /// by now or not?
    pub fn was_removed(&self, device: DeviceNo) -> bool {
        let parent = self.parents.get(&device);
        self.removed.contains(&device) || parent.is_some_and(|of| self.was_removed(*of))
    }

    /// Does the server know of it that this device was revoked?
    pub fn is_revoked(&self, device: DeviceNo) -> bool {
        let known = self.server.state().authority.device(device);
        known.is_some_and(|known| known.revoked)
    }
}
