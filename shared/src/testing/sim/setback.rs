//! The server's disk is lost, an older copy is put in its place, and the phones bring back what it
//! lacks.

use super::station::Station;
use super::world::{Happening, World};
use crate::event::decode;
use crate::sync::engine::{Failure, Input, Ticket};
use crate::sync::wire::{ReadmitRequest, RestoreRequest, Verdict};
use crate::testing::server::Server;

/// What a phone brings to a server that lost something.
pub(super) enum Returned {
    Part(Box<RestoreRequest>),
    Device(Box<ReadmitRequest>),
}

fn pinned(station: &Station) -> u64 {
    station.phone.disk.cursor.pinned.map_or(0, |head| head.size)
}

/// It is on its way.
pub(super) struct Bringing {
    from: usize,
    life: u32,
    ticket: Ticket,
    returned: Returned,
}

impl World {
    /// The server that has just crashed comes back with an older copy of its disk.
    pub fn set_back(&mut self) {
        let Some(backup) = self.server.backup.take() else {
            return;
        };
        if self.is_storing() || !self.can_bring_back(&backup) {
            return;
        }
        self.cut_lines();
        self.summary.set_back += 1;
        self.server.set_back_ms = self.now_ms;
        self.server.disk.change(|safe| safe.set_back(backup));
        self.watch_anew();
    }

    /// Is all that a server with this disk would lack held by phones, which can prove it or send it
    /// again? What nobody holds is lost indeed.
    fn can_bring_back(&self, backup: &Server) -> bool {
        let server = self.server.disk.safe();
        let kept = backup.state.log.size();
        let provable = self.stations.iter().map(pinned).max().unwrap_or(0);
        // A removed phone does not come by itself.
        let is_held = server.chunks.iter().all(|chunk| {
            let station = &self.stations[chunk.device.0 as usize - 1];
            chunk.position <= provable || !station.revoked
        });
        let can_prove = (0..self.stations.len()).all(|at| {
            let station = &self.stations[at];
            let read = station.phone.disk.cursor.log.size();
            !self.is_behind(at) && (read <= kept || pinned(station) == read)
        });
        is_held && can_prove && self.are_all_awaited(backup)
    }

    /// Those that the copy knows are waited for. Do they bring the news of the others?
    fn are_all_awaited(&self, backup: &Server) -> bool {
        let known = self.stations.iter().filter(|station| {
            let device = backup.state.authority.device(station.phone.number());
            device.is_some_and(|device| !device.revoked)
        });
        let brought = known.map(pinned).max().unwrap_or(0);
        let mut authority = backup.state.authority.clone();
        let chunks = self.server.disk.safe().chunks.iter();
        let chunks = chunks.filter(|it| {
            it.position > backup.state.log.size()
                && it.position <= brought
                && it.verdict == Verdict::Accepted
        });
        for bytes in chunks.flat_map(|chunk| chunk.events.iter().flatten()) {
            if let Ok(event) = decode(&bytes.0, None) {
                authority.accept(&event);
            }
        }
        let mut all = self.stations.iter();
        all.all(|station| authority.device(station.phone.number()).is_some())
    }

    /// A phone speaks to a server that lost something.
    pub fn bring_back(&mut self, from: usize, ticket: Ticket, returned: Returned) {
        self.summary.requests += 1;
        if self.is_cut_off(from) || self.fault(10) {
            self.summary.lost_or_doubled += 1;
            return;
        }
        let bringing = Bringing {
            from,
            life: self.stations[from].life,
            ticket,
            returned,
        };
        let delay_ms = self.travel_ms();
        self.after(delay_ms, Happening::Returned(bringing));
    }

    /// That reaches the server. What it takes is on its disk before it answers.
    pub fn take_back(&mut self, bringing: &Bringing) {
        let (at, life, ticket) = (bringing.from, bringing.life, bringing.ticket);
        let failed = |failure| Input::Failed(ticket, failure);
        let delay_ms = self.travel_ms();
        if self.server.running().is_none() {
            let input = failed(Failure::Unreachable);
            return self.after(delay_ms, Happening::Input { at, life, input });
        }
        if self.server.is_busy() {
            let retry_after_ms = 1000;
            let input = failed(Failure::Busy { retry_after_ms });
            return self.after(delay_ms, Happening::Input { at, life, input });
        }
        let take = |server: &mut Server| match &bringing.returned {
            Returned::Part(request) => server
                .restore(request)
                .map(|answer| Input::Restored(ticket, Box::new(answer))),
            Returned::Device(request) => {
                server.readmit(request).map(|()| Input::Readmitted(ticket))
            }
        };
        let done = self.server.disk.change(take);
        if let Some(running) = self.server.running_mut() {
            let in_memory = take(running);
            assert_eq!(in_memory.is_ok(), done.is_ok(), "memory and disk agree");
        }
        self.watch();
        if self.fault(3) {
            return self.crash_server();
        }
        if self.fault(8) {
            self.summary.lost_or_doubled += 1;
            return;
        }
        let input = done.unwrap_or_else(|reason| failed(reason.into()));
        self.after(delay_ms, Happening::Input { at, life, input });
    }
}
