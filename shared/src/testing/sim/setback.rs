//! The server's disk is lost, an older copy is put in its place, and the phones bring back what it
//! lacks.

use std::collections::BTreeMap;

use super::station::Station;
use super::world::{Happening, World};
use crate::bytes::Bytes;
use crate::event::{Body, Decoded, Event, decode};
use crate::ids::DeviceNo;
use crate::sync::branch::number_of;
use crate::sync::engine::{Failure, Input, Ticket};
use crate::sync::wire::{BranchRequest, Chunk, ReadmitRequest, RestoreRequest, Verdict};
use crate::testing::server::Server;

/// What a phone brings to a server that lost something.
pub(super) enum Returned {
    Part(Box<RestoreRequest>),
    Device(Box<ReadmitRequest>),
    /// A copy asks for a number of its own.
    Copy(Box<BranchRequest>),
    /// The same, after the server may have forgotten it.
    Again(Box<BranchRequest>),
}

/// Does the server say here that a copy is a device?
fn names(bytes: &Bytes, number: DeviceNo) -> bool {
    let decoded = decode(&bytes.0, None);
    let Ok(Decoded::Known(Event { body, .. })) = decoded else {
        return false;
    };
    matches!(body, Body::BranchRegistered(body) if body.device == number)
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
        let comes_back = self.can_bring_back(&backup);
        if self.is_storing() || !(comes_back || self.can_hand_in()) {
            return;
        }
        self.cut_lines();
        self.summary.set_back += 1;
        self.server.set_back_ms = self.now_ms;
        self.server.disk.change(|safe| safe.set_back(backup));
        if !comes_back {
            // Nobody waits for those who hold what was lost: the log goes on without them.
            self.summary.parted += 1;
            self.server.disk.change(Server::wait_for_nobody);
        }
        self.watch_anew();
    }

    /// Is all that a server with this disk would lack held by phones, which can prove it or send it
    /// again? What nobody holds is lost indeed.
    fn can_bring_back(&self, backup: &Server) -> bool {
        let server = self.server.disk.safe();
        let kept = backup.state.log.size();
        let provable = self.stations.iter().map(pinned).max().unwrap_or(0);
        let is_held = server.chunks.iter().all(|chunk| {
            let mut holders = self.stations.iter();
            chunk.position <= provable || holders.any(|station| self.sends_again(station, chunk))
        });
        let can_prove = (0..self.stations.len()).all(|at| {
            let station = &self.stations[at];
            let read = station.phone.disk.cursor.log.size();
            !self.is_behind(at) && (read <= kept || pinned(station) == read)
        });
        is_held && can_prove && self.are_all_awaited(backup)
    }

    /// Would this phone send again what the server has lost and nobody can prove? A removed one does
    /// not come by itself; a copy that has written on has other entries in that place.
    fn sends_again(&self, station: &Station, chunk: &Chunk) -> bool {
        let phone = &station.phone;
        let own = phone.disk.writer.events.iter();
        let own = own.skip(chunk.first_seq as usize - 1);
        let same = chunk.events.iter().flatten().zip(own);
        let same = same.filter(|(event, own)| event == own).count();
        let is_its_own = phone.number() == chunk.device && same == chunk.count as usize;
        match chunk.device {
            // What the server said of a copy is asked for again by that copy.
            DeviceNo::SERVER => phone.disk.claim.as_ref().is_some_and(|claim| {
                let number = number_of(&claim.fork);
                let read = phone.disk.cursor.log.branch_of(number).is_some();
                chunk
                    .events
                    .iter()
                    .flatten()
                    .any(|bytes| names(bytes, number))
                    && !read
            }),
            _ => is_its_own && !self.was_removed(chunk.device),
        }
    }

    /// Those that the copy knows are waited for. Do they bring the news of the others, and is whoever
    /// holds more among them?
    ///
    /// A phone and its copy that have not parted yet are one device to the server: one number, one
    /// key, one token. When the first of them has shown that it holds no more, the server waits for
    /// that device no longer, and may give away positions that the other has read. Then the other has
    /// to refuse the log, keeps everything, and needs the owner's word for another life of it. So it
    /// cannot be demanded that such a pair comes to rest by itself, unless all that the one has read
    /// is brought back before the other is enough.
    fn are_all_awaited(&self, backup: &Server) -> bool {
        let known = self.stations.iter().filter(|station| {
            let device = backup.state.authority.device(station.phone.number());
            device.is_some_and(|device| !device.revoked)
        });
        let mut brought_by: BTreeMap<DeviceNo, u64> = BTreeMap::new();
        for station in known {
            let least = brought_by.entry(station.phone.number());
            let least = least.or_insert_with(|| pinned(station));
            *least = pinned(station).min(*least);
        }
        let brought = brought_by.into_values().max().unwrap_or(0);
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
        let kept = backup.state.log.size().max(brought);
        let is_alone = |station: &Station| {
            let all = self.stations.iter().map(|it| it.phone.number());
            all.filter(|number| *number == station.phone.number())
                .count()
                == 1
        };
        let mut all = self.stations.iter();
        all.all(|station| {
            let phone = &station.phone;
            let asks = phone.claim_again().is_some() && pinned(station) <= kept;
            let is_waited_for = is_alone(station) || phone.disk.cursor.log.size() <= kept;
            (asks || authority.device(phone.number()).is_some()) && is_waited_for
        })
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
        let elapsed_ms = self.now_ms - self.server.set_back_ms;
        let now = self.server_time();
        let take = |server: &mut Server, elapsed_ms| match &bringing.returned {
            Returned::Part(request) => server
                .restore(request)
                .map(|answer| Input::Restored(ticket, Box::new(answer))),
            Returned::Device(request) => server
                .readmit(request, elapsed_ms)
                .map(|()| Input::Readmitted(ticket)),
            Returned::Again(request) => server
                .branch(request, now, elapsed_ms)
                .map(|()| Input::Readmitted(ticket)),
            Returned::Copy(request) => server
                .branch(request, now, elapsed_ms)
                .map(|()| Input::Branched(ticket)),
        };
        let Some(running) = self.server.running_mut() else {
            return;
        };
        // Who is still waited for, only the running server knows.
        let done = take(running, elapsed_ms);
        if done.is_ok() {
            let kept = self.server.disk.change(|safe| take(safe, u64::MAX));
            assert!(kept.is_ok(), "memory and disk agree");
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
