//! The server: requests wait in a queue, are judged in groups, and are answered when their group is
//! safe on the disk. The keys of a group become safe before its part of the log.

use std::collections::VecDeque;
use std::rc::Rc;

use super::disk::{Disk, Part, Record};
use super::world::{Happening, World};
use crate::ids::DeviceNo;
use crate::sync::engine::{Failure, Ticket};
use crate::sync::judge::{LogState, Refusal};
use crate::sync::wire::SyncRequest;
use crate::testing::planted::Planted;
use crate::testing::server::{NotServed, Server};

/// The most requests in one group.
const MAX_GROUP: usize = 8;

/// The most requests that wait. More are told to come again.
const MAX_QUEUE: usize = 64;

/// A request and who waits for the answer.
pub(super) struct Asked {
    pub from: usize,
    /// Whose token it shows.
    pub device: DeviceNo,
    pub life: u32,
    pub ticket: Ticket,
    pub request: Box<SyncRequest>,
}

/// Requests that are committed together.
struct Group {
    parts: Rc<Vec<Part>>,
    asked: Vec<Asked>,
}

/// The server's machine.
pub(super) struct Machine {
    pub disk: Disk,
    /// What the running server holds in memory: everything that is committed.
    running: Option<Server>,
    queue: VecDeque<Asked>,
    group: Option<Group>,
    /// An older copy of its disk.
    pub backup: Option<Server>,
    /// When it was last set back.
    pub set_back_ms: u64,
    /// How often it was started: what an earlier life asked of the disk means nothing.
    life: u32,
    /// Until then nothing can be written.
    pub full_until_ms: u64,
    /// Until then every write takes long.
    pub slow_until_ms: u64,
}

impl Machine {
    pub fn new(server: Server) -> Machine {
        Machine {
            running: Some(server.clone()),
            disk: Disk::new(server),
            queue: VecDeque::new(),
            group: None,
            backup: None,
            set_back_ms: 0,
            life: 0,
            full_until_ms: 0,
            slow_until_ms: 0,
        }
    }

    /// The running server.
    pub const fn running(&self) -> Option<&Server> {
        self.running.as_ref()
    }

    /// The running server, to change what it holds in memory.
    pub const fn running_mut(&mut self) -> Option<&mut Server> {
        self.running.as_mut()
    }

    /// Is something on its way to the disk?
    pub const fn is_busy(&self) -> bool {
        self.group.is_some()
    }

    /// What the server holds, or would hold if it were started now.
    pub fn books(&self) -> &Server {
        self.running.as_ref().unwrap_or(self.disk.safe())
    }

    /// What it knows of the log.
    pub fn state(&self) -> &LogState {
        &self.books().state
    }
}

impl World {
    /// A request has arrived at the running server.
    pub fn serve(&mut self, asked: Asked) {
        let device = asked.device;
        let elapsed_ms = self.now_ms - self.server.set_back_ms;
        let now = self.server_time();
        let Some(running) = self.server.running_mut() else {
            return;
        };
        if let Err(reason) = running.check_token(device) {
            return self.reply(&asked, Err(reason.into()));
        }
        if asked.request.push.is_none() && asked.request.keys.is_none() {
            // What is committed is all there is to know.
            let judgement = match running.judge(device, &asked.request, now) {
                Ok(judgement) => judgement,
                Err(refusal) => return self.refuse(&asked, refusal),
            };
            running
                .hear(device, false, elapsed_ms)
                .expect("nothing new is written");
            let Some(running) = self.server.running() else {
                return;
            };
            let answer = running.answer(&asked.request, &judgement, self.server_time());
            return self.reply(&asked, Ok(answer));
        }
        if self.server.queue.len() >= MAX_QUEUE {
            let retry_after_ms = 1000;
            return self.reply(&asked, Err(Failure::Busy { retry_after_ms }));
        }
        self.server.queue.push_back(asked);
        self.next_group();
    }

    /// Decides on what waits, if nothing is on its way to the disk.
    fn next_group(&mut self) {
        if self.server.group.is_some() || self.server.queue.is_empty() {
            return;
        }
        let Some(running) = self.server.running() else {
            return;
        };
        // Times in a log never go back, whatever the server's clock does.
        let mut received = self.server_time();
        if !running.plant.is(Planted::TimeGoesBack) {
            received = received.max(running.last_received().unwrap_or(received));
        }
        let plant = running.plant;
        let mut state = running.state.clone();
        let count = MAX_GROUP.min(self.server.queue.len());
        let waiting: Vec<Asked> = self.server.queue.drain(..count).collect();
        let elapsed_ms = self.now_ms - self.server.set_back_ms;
        let (mut asked, mut parts) = (Vec::new(), Vec::new());
        for waiting in waiting {
            let device = waiting.device;
            let judgement = crate::sync::judge::judge(
                &state,
                device,
                &waiting.request,
                received,
                crate::testing::device::verify,
            );
            let judgement = match judgement {
                Ok(judgement) => judgement,
                Err(refusal) => {
                    self.refuse(&waiting, refusal);
                    continue;
                }
            };
            let is_new = judgement.after.is_some();
            let running = self.server.running_mut();
            let running = running.filter(|it| !it.plant.is(Planted::ForgetGeneration));
            let heard = running.map_or(Ok(()), |it| it.hear(device, is_new, elapsed_ms));
            if let Err(reason) = heard {
                self.reply(&waiting, Err(reason.into()));
                continue;
            }
            if let Some(after) = &judgement.after {
                state = after.clone();
            }
            parts.push(Part {
                request: (*waiting.request).clone(),
                judgement,
            });
            asked.push(waiting);
        }
        if asked.is_empty() {
            return self.next_group();
        }
        self.summary.groups += 1;
        let parts = Rc::new(parts);
        if plant.is(Planted::AckBeforeCommit) {
            let mut ahead = self.server.books().clone();
            Record::Keys(Rc::clone(&parts)).apply(&mut ahead);
            Record::Log(Rc::clone(&parts)).apply(&mut ahead);
            for (asked, part) in asked.iter().zip(parts.iter()) {
                let answer = ahead.answer(&asked.request, &part.judgement, self.server_time());
                self.reply(asked, Ok(answer));
            }
        }
        let first = match plant.is(Planted::KeyAfterEvent) {
            true => Record::Log(Rc::clone(&parts)),
            false => Record::Keys(Rc::clone(&parts)),
        };
        self.server.group = Some(Group { parts, asked });
        self.write_record(first);
    }

    /// Only a server that was set back may find that a phone has read more than it holds.
    fn refuse(&mut self, asked: &Asked, refusal: Refusal) {
        let expected = match refusal {
            Refusal::LogShorter => self.summary.set_back > 0,
            // It went on without what the phones hold.
            Refusal::OtherLog => self.summary.parted > 0,
            Refusal::OtherGeneration => self.summary.generations > 0,
            _ => false,
        };
        assert!(expected, "phone {} was refused: {refusal}", asked.from + 1);
        self.reply(asked, Err(NotServed::Refused(refusal).into()));
    }

    /// Writes a record and asks for a sync, either of which may fail.
    fn write_record(&mut self, record: Record) {
        let is_full = self.now_ms < self.server.full_until_ms && !self.calm;
        if is_full {
            self.summary.full_disks += 1;
            return self.unknown();
        }
        self.server.disk.write(record.clone());
        if self.fault(2) {
            return self.crash_server();
        }
        let is_slow = self.now_ms < self.server.slow_until_ms && !self.calm;
        let takes_ms = 1 + self.rng.below(if is_slow { 20_000 } else { 20 });
        let life = self.server.life;
        self.after(takes_ms, Happening::Synced { life, record });
    }

    /// The disk has a record.
    pub fn synced(&mut self, life: u32, record: &Record) {
        if self.server.life != life || self.server.group.is_none() {
            return;
        }
        if self.fault(1) {
            self.server.disk.give_up();
            return self.unknown();
        }
        self.server.disk.sync();
        if self.fault(2) {
            return self.crash_server();
        }
        let plant = self.server.books().plant;
        if let Some(running) = &mut self.server.running {
            record.apply(running);
        }
        self.watch();
        match record {
            Record::Keys(parts) if !plant.is(Planted::KeyAfterEvent) => {
                self.write_record(Record::Log(Rc::clone(parts)));
            }
            Record::Log(parts) if plant.is(Planted::KeyAfterEvent) => {
                let keys = Record::Keys(Rc::clone(parts));
                self.server.disk.write(keys.clone());
                if let Some(running) = &mut self.server.running {
                    keys.apply(running);
                }
                self.committed();
            }
            _ => self.committed(),
        }
    }

    /// All that a group changes is safe: now its phones may know.
    fn committed(&mut self) {
        let Some(Group { parts, asked }) = self.server.group.take() else {
            return;
        };
        if self.fault(2) {
            self.server.backup = Some(self.server.disk.safe().clone());
        }
        for (asked, part) in asked.iter().zip(parts.iter()) {
            if part.judgement.after.is_some() {
                self.hint(asked.from);
            }
            if self.fault(1) {
                return self.crash_server();
            }
            let Some(running) = self.server.running() else {
                return;
            };
            let answer = running.answer(&asked.request, &part.judgement, self.server_time());
            if !running.plant.is(Planted::AckBeforeCommit) {
                self.reply(asked, Ok(answer));
            }
        }
        self.next_group();
    }

    /// Nobody knows what became of the group: the phones send it again.
    fn unknown(&mut self) {
        let Some(Group { asked, .. }) = self.server.group.take() else {
            return;
        };
        for asked in &asked {
            let retry_after_ms = 1000;
            self.reply(asked, Err(Failure::Busy { retry_after_ms }));
        }
        self.next_group();
    }

    /// The server's machine goes down without a word.
    pub fn crash_server(&mut self) {
        if self.server.running.take().is_none() {
            return;
        }
        self.summary.crashes += 1;
        self.server.life += 1;
        self.server.queue.clear();
        self.server.group = None;
        let damage = self.server.disk.crash(&mut self.rng);
        self.summary.unsynced_lost += damage.lost;
        self.summary.torn += damage.torn;
        if self.fault(30) {
            self.set_back();
        }
        let delay_ms = 1 + self.rng.below(60_000);
        self.after(delay_ms, Happening::ServerStart);
    }

    /// The server starts from its disk.
    pub fn start_server(&mut self) {
        if self.server.running.is_none() {
            self.server.running = Some(self.server.disk.safe().clone());
            self.watch();
            // After a loss, everything must be back in the end.
            if self.summary.set_back == 0 {
                self.watch_promises();
            }
        }
    }
}
