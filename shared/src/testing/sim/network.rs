//! What lies between phones and server, and the server's end of it.

use super::world::{Happening, World};
use crate::ids::DeviceNo;
use crate::sync::engine::{Failure, Input, Ticket, read_reply};
use crate::sync::wire::{MEDIA_TYPE, SyncAnswer, SyncRequest};

impl World {
    /// A phone sends a request.
    pub fn send(&mut self, from: usize, ticket: Ticket, request: Box<SyncRequest>) {
        self.summary.requests += 1;
        let life = self.stations[from].life;
        if self.fault(3) {
            // The sign-in page of a public network.
            let html = read_reply(200, Some("text/html"), None, b"<html>Welcome</html>");
            let failure = html.expect_err("a page is no answer");
            return self.reply(from, life, ticket, Err(failure));
        }
        let copies = match () {
            () if self.fault(10) => 0,
            () if self.fault(5) => 2,
            () => 1,
        };
        if copies != 1 {
            self.summary.lost_or_doubled += 1;
        }
        if copies == 0 && self.fault(50) {
            return self.reply(from, life, ticket, Err(Failure::Unreachable));
        }
        for _ in 0..copies {
            let delay_ms = self.travel_ms();
            let request = request.clone();
            let happening = Happening::Request {
                from,
                life,
                ticket,
                request,
            };
            self.after(delay_ms, happening);
        }
    }

    /// A request reaches the server.
    pub fn request(&mut self, from: usize, life: u32, ticket: Ticket, request: &SyncRequest) {
        if !self.server_up {
            if self.rng.chance(50) {
                self.reply(from, life, ticket, Err(Failure::Unreachable));
            }
            return;
        }
        if self.fault(5) {
            let retry_after_ms = self.rng.below(20_000) as u32;
            let busy = Failure::Busy { retry_after_ms };
            return self.reply(from, life, ticket, Err(busy));
        }
        let device = self.stations[from].phone.number();
        let judgement = match self.server.judge(device, request, self.time()) {
            Ok(judgement) => judgement,
            Err(refusal) => panic!("phone {} was refused: {refusal}", device.0),
        };
        if self.fault(3) {
            return self.crash_server();
        }
        self.server.commit(request, &judgement);
        if judgement.after.is_some() {
            self.hint(from);
        }
        if self.fault(3) {
            return self.crash_server();
        }
        let answer = self.server.answer(request, &judgement, self.time());
        self.reply(from, life, ticket, Ok(answer));
    }

    /// The server, or something else, answers a phone.
    fn reply(&mut self, to: usize, life: u32, ticket: Ticket, reply: Result<SyncAnswer, Failure>) {
        let copies = match () {
            () if self.fault(8) => 0,
            () if self.fault(5) => 2,
            () => 1,
        };
        if copies != 1 {
            self.summary.lost_or_doubled += 1;
        }
        for _ in 0..copies {
            let delay_ms = self.travel_ms();
            let input = match &reply {
                Ok(answer) => self.on_the_line(ticket, answer),
                Err(failure) => Input::Failed(ticket, failure.clone()),
            };
            self.after(
                delay_ms,
                Happening::Input {
                    at: to,
                    life,
                    input,
                },
            );
        }
    }

    /// An answer as bytes, which now and then break off.
    fn on_the_line(&mut self, ticket: Ticket, answer: &SyncAnswer) -> Input {
        let mut bytes = minicbor::to_vec(answer).expect("in memory");
        if self.fault(2) {
            bytes.truncate(self.rng.below(bytes.len() as u64) as usize);
        }
        match read_reply(200, Some(MEDIA_TYPE), None, &bytes) {
            Ok(answer) => Input::Answered(ticket, self.time(), Box::new(answer)),
            Err(failure) => Input::Failed(ticket, failure),
        }
    }

    /// The live channel tells the other phones that the log has grown, unless it does not.
    fn hint(&mut self, but: usize) {
        let size = self.server.state.log.size();
        for at in 0..self.stations.len() {
            if at == but || self.fault(30) {
                continue;
            }
            let life = self.stations[at].life;
            let delay_ms = self.travel_ms();
            let input = Input::Hinted { size };
            self.after(delay_ms, Happening::Input { at, life, input });
        }
    }

    /// How long a message travels: now and then longer than anyone waits.
    fn travel_ms(&mut self) -> u64 {
        match () {
            () if self.fault(4) => 1_000 + self.rng.below(90_000),
            () if self.fault(20) => 200 + self.rng.below(5_000),
            () => 10 + self.rng.below(200),
        }
    }

    /// Does the server know of it that this device was revoked?
    pub fn is_revoked(&self, device: DeviceNo) -> bool {
        let known = self.server.state.authority.device(device);
        known.is_some_and(|known| known.revoked)
    }
}
