//! The shell around the sync engine: it signs, sends, checks, stores and waits.

use core::time::Duration;
use std::collections::VecDeque;

use minicbor::Decode;
use reqwest::Method;
use shared::bytes::Fixed;
use shared::sync::engine::{
    Activity, Batch, Failure, Input, Output, Problem, Stop, SyncStatus, Ticket, read_answer,
    read_segment,
};
use shared::sync::restore::readmit_message;
use shared::sync::segment::packed;
use shared::sync::wire::{
    BranchAnswer, BranchRequest, Challenge, Chunk, MEDIA_TYPE, ReadmitRequest, RestoreAnswer,
    RestoreRequest, SealingKey, SegmentName, SyncRequest,
};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::DeviceError;
use crate::device::{Device, Server, now};
use crate::http::{CallError, Reply};
use crate::keys::verify;
use crate::storage::Read;

/// How long a tool goes on trying by default.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What the engine has asked the server.
enum Asked {
    Sync(Box<SyncRequest>),
    Segment(SegmentName),
    Restore(Box<RestoreRequest>),
    Readmit(Box<ReadmitRequest>),
    /// A copy asks for a number of its own, or to be let in under it again.
    Branch(Box<BranchRequest>),
    Again(Box<BranchRequest>),
}

impl Asked {
    /// The address and the body of what is posted, or the segment that is fetched.
    fn posted(&self) -> Result<(&'static str, Vec<u8>), SegmentName> {
        let (path, body) = match self {
            Asked::Sync(request) => ("sync", minicbor::to_vec(request)),
            Asked::Restore(request) => ("restore", minicbor::to_vec(request)),
            Asked::Readmit(request) => ("readmit", minicbor::to_vec(request)),
            Asked::Branch(request) | Asked::Again(request) => ("branch", minicbor::to_vec(request)),
            Asked::Segment(name) => return Err(*name),
        };
        Ok((path, body.expect("writing to memory cannot fail")))
    }

    /// What the reply tells the engine.
    fn read(&self, ticket: Ticket, reply: Reply) -> Input {
        let input = match self {
            Asked::Sync(_) => {
                answer(&reply).map(|answer| Input::Answered(ticket, now(), Box::new(answer)))
            }
            Asked::Restore(_) => {
                answer(&reply).map(|answer| Input::Restored(ticket, Box::new(answer)))
            }
            Asked::Readmit(_) => answer::<RestoreAnswer>(&reply).map(|_| Input::Readmitted(ticket)),
            Asked::Branch(_) => answer::<BranchAnswer>(&reply).map(|_| Input::Branched(ticket)),
            Asked::Again(_) => answer::<BranchAnswer>(&reply).map(|_| Input::Readmitted(ticket)),
            Asked::Segment(_) => read_segment(
                reply.status,
                reply.content_type.as_deref(),
                reply.retry_after.as_deref(),
                reply.body,
            )
            .map(|bytes| Input::Fetched(ticket, bytes)),
        };
        input.unwrap_or_else(|failure| Input::Failed(ticket, failure))
    }
}

fn answer<A: for<'b> Decode<'b, ()>>(reply: &Reply) -> Result<A, Failure> {
    read_answer(
        reply.status,
        reply.content_type.as_deref(),
        reply.retry_after.as_deref(),
        &reply.body,
    )
}

/// What the engine has asked for and a round has not done yet.
#[derive(Default)]
struct Pending {
    inputs: VecDeque<Input>,
    request: Option<(Ticket, Asked)>,
}

impl Device {
    /// Sends what it has and reads what it lacks, until the server has no more and nothing waits.
    /// Goes on through failures that pass, with the waits that the engine and the server ask for,
    /// for at most [`PATIENCE`].
    pub async fn sync_until_quiet(&mut self) -> Result<(), DeviceError> {
        self.sync_watched(PATIENCE, |_| {}).await
    }

    /// Like [`Device::sync_until_quiet`] with another patience; `watch` is told how it goes.
    pub async fn sync_watched(
        &mut self,
        patience: Duration,
        mut watch: impl FnMut(SyncStatus),
    ) -> Result<(), DeviceError> {
        self.save()?;
        let until = Instant::now() + patience;
        let mut pending = Pending::default();
        self.tell_news(&mut pending)?;
        pending.inputs.push_back(Input::SyncNow);
        loop {
            while let Some(input) = pending.inputs.pop_front() {
                self.step(input, &mut pending, &mut watch)?;
            }
            if let Some((ticket, request)) = pending.request.take() {
                let deadline = self.server()?.timer.map(|(_, deadline)| deadline);
                let input = self.ask(ticket, &request, deadline).await?;
                // Too late: then the timer speaks.
                pending.inputs.extend(input);
                if !pending.inputs.is_empty() {
                    continue;
                }
            }
            let status = self.server()?.engine.status();
            match (status.activity, self.server()?.timer) {
                (Activity::Settled, _) => return Ok(()),
                (Activity::Stopped(stop), _) => return Err(DeviceError::SyncStopped(stop)),
                (_, Some((ticket, deadline))) if deadline <= until => {
                    sleep_until(deadline).await;
                    self.server_mut()?.timer = None;
                    pending.inputs.push_back(Input::TimerFired(ticket));
                }
                _ => {
                    let problem = status.problem.unwrap_or(Problem::Stalled);
                    return Err(DeviceError::SyncGaveUp(problem));
                }
            }
        }
    }

    /// Shows the engine what happened and does what it says, except what takes time.
    fn step(
        &mut self,
        input: Input,
        pending: &mut Pending,
        watch: &mut impl FnMut(SyncStatus),
    ) -> Result<(), DeviceError> {
        let outputs = self.server_mut()?.engine.handle(input);
        for output in outputs {
            match output {
                Output::Sign(ticket, message) => {
                    let signature = self.key.sign(&message);
                    let input = Input::Signed(ticket, Some(signature));
                    pending.inputs.push_back(input);
                }
                Output::Verify(ticket, check) => {
                    let sound = verify(&check.key, &check.message, &check.signature);
                    pending.inputs.push_back(Input::Verified(ticket, sound));
                }
                Output::Send(ticket, request) => {
                    pending.request = Some((ticket, Asked::Sync(request)));
                }
                Output::Fetch(ticket, name) => {
                    pending.request = Some((ticket, Asked::Segment(name)));
                }
                Output::Restore(ticket, request) => {
                    pending.request = Some((ticket, Asked::Restore(request)));
                }
                Output::Readmit(ticket, challenge) => {
                    let asked = match self.unread_claim() {
                        Some(claim) => Asked::Again(Box::new(claim)),
                        None => Asked::Readmit(Box::new(self.readmission(&challenge))),
                    };
                    pending.request = Some((ticket, asked));
                }
                Output::Recall(ticket, after) => {
                    let chunks = self.log_behind(after);
                    pending.inputs.push_back(Input::Recalled(ticket, chunks));
                }
                Output::Branch(ticket, fork) => match self.claim_branch(fork) {
                    Ok(request) => {
                        pending.request = Some((ticket, Asked::Branch(Box::new(request))));
                    }
                    // The timer of the request runs out: then the next try.
                    Err(DeviceError::Storage(_)) => {}
                    Err(error) => return Err(error),
                },
                Output::RecallKeys => {
                    let keys = self.keys.held().map(|(id, key)| SealingKey {
                        id: *id,
                        key: Some(Fixed(key.0)),
                    });
                    let keys = keys.collect();
                    pending.inputs.push_back(Input::KeysHeld(keys));
                }
                Output::SetTimer(ticket, wait_ms) => {
                    let deadline = Instant::now() + Duration::from_millis(wait_ms.into());
                    self.server_mut()?.timer = Some((ticket, deadline));
                }
                Output::Persist(ticket, batch) if batch.branch.is_some() => {
                    let cursor = batch.cursor.clone();
                    if self.read(Read::from(*batch)).is_ok() {
                        self.reconnect(cursor);
                        pending.inputs.clear();
                        pending.inputs.push_back(Input::Started { online: true });
                        return Ok(());
                    }
                    pending.inputs.push_back(Input::PersistFailed(ticket));
                }
                Output::Persist(ticket, batch) => {
                    let done = match self.read(Read::from(*batch)) {
                        Ok(()) => Input::Persisted(ticket),
                        Err(_) => Input::PersistFailed(ticket),
                    };
                    pending.inputs.push_back(done);
                }
                Output::Reload(first_seq) => {
                    let (events, keys) = self.written_since(first_seq);
                    pending.inputs.push_back(Input::Appended {
                        first_seq,
                        events,
                        keys,
                    });
                }
                Output::Status(status) => watch(status),
            }
        }
        Ok(())
    }

    /// Shows the engine what was written since the last time.
    fn tell_news(&mut self, pending: &mut Pending) -> Result<(), DeviceError> {
        let first_seq = self.server()?.told_seq + 1;
        let (events, keys) = self.written_since(first_seq);
        self.server_mut()?.told_seq = self.last_seq();
        if !events.is_empty() {
            pending.inputs.push_back(Input::Appended {
                first_seq,
                events,
                keys,
            });
        }
        Ok(())
    }

    /// Sends a request. `None` when the deadline came first.
    async fn ask(
        &mut self,
        ticket: Ticket,
        asked: &Asked,
        deadline: Option<Instant>,
    ) -> Result<Option<Input>, DeviceError> {
        let http = self.http()?.clone();
        let packed = match asked {
            Asked::Sync(request) if self.server()?.reads_packed => {
                packed::pack(self.number(), request)
            }
            _ => None,
        };
        let is_packed = packed.is_some();
        let token = Some(self.token());
        let sending = async {
            match asked.posted() {
                Ok((path, body)) => {
                    let body = match packed {
                        Some(bytes) => (packed::MEDIA_TYPE, bytes),
                        None => (MEDIA_TYPE, body),
                    };
                    http.send_as(Method::POST, path, token, Some(body)).await
                }
                Err(name) => http.fetch(&format!("segments/{name}"), token).await,
            }
        };
        let reply = match deadline {
            Some(deadline) => match timeout_at(deadline, sending).await {
                Ok(reply) => reply,
                Err(_) => return Ok(None),
            },
            None => sending.await,
        };
        let traffic = &mut self.server_mut()?.traffic;
        traffic.requests += 1;
        if matches!(&reply, Ok(reply) if reply.status >= 400) {
            traffic.refused += 1;
        }
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => {
                let failure = match error {
                    CallError::NotPakka(_) => Failure::NotOurServer,
                    _ => Failure::Unreachable,
                };
                return Ok(Some(Input::Failed(ticket, failure)));
            }
        };
        traffic.sent_bytes += reply.sent_bytes as u64;
        traffic.received_bytes += reply.received_bytes as u64;
        if is_packed && reply.status != 200 {
            // Should that be the reason: the next try is a plain one.
            self.server_mut()?.reads_packed = false;
        }
        let input = asked.read(ticket, reply);
        if let Input::Answered(_, _, answer) = &input {
            self.server_mut()?.reads_packed = answer.packed.is_some();
        }
        Ok(Some(input))
    }

    /// The log as it is held, from behind a position on.
    fn log_behind(&self, after: u64) -> Vec<Chunk> {
        let behind = |chunk: &&Chunk| chunk.position + u64::from(chunk.count) - 1 > after;
        self.log.iter().filter(behind).cloned().collect()
    }

    /// What a copy asks again that has not read yet that it is a device: the server may have lost it.
    fn unread_claim(&self) -> Option<BranchRequest> {
        let cursor = self.server.as_ref()?.engine.cursor();
        let unread = cursor.log.branch_of(self.number()).is_none();
        self.asked_as.clone().filter(|_| unread)
    }

    /// Asks a server that has forgotten this device to let it in again.
    fn readmission(&self, challenge: &Challenge) -> ReadmitRequest {
        let (shop, device, token) = (self.shop(), self.number(), *self.token());
        let message = readmit_message(shop, device, &token, challenge);
        ReadmitRequest {
            shop,
            device,
            token,
            signature: self.key.sign(&message),
        }
    }

    /// How many of its events the server does not have, as far as the device knows.
    pub fn waiting(&self) -> u32 {
        let Some(server) = &self.server else {
            return self.last_seq();
        };
        server.engine.status().waiting + (self.last_seq() - server.told_seq)
    }

    /// Does it belong to a server?
    pub const fn has_server(&self) -> bool {
        self.server.is_some()
    }

    /// The address of its server.
    pub fn server_url(&self) -> Option<&str> {
        Some(self.server.as_ref()?.http.server())
    }

    fn server(&self) -> Result<&Server, DeviceError> {
        self.server.as_ref().ok_or(DeviceError::NoServer)
    }

    fn server_mut(&mut self) -> Result<&mut Server, DeviceError> {
        self.server.as_mut().ok_or(DeviceError::NoServer)
    }
}

impl From<Batch> for Read {
    fn from(batch: Batch) -> Read {
        // `restored` needs nothing here: what an older copy lacks stands in the chunks.
        Read {
            chunks: batch.chunks,
            keys: batch.keys,
            cursor: batch.cursor,
            confirmed_seq: batch.confirmed_seq,
            rebuild: batch.rebuild,
            cut: batch.cut.as_ref().map(|cut| cut.position),
            // Its own events are among all that it wrote, and go from there into the outbox.
            unproved: batch.cut.map(|cut| cut.unproved),
            branch: batch.branch,
        }
    }
}

/// Why a sync stopped, in words.
pub fn stop_in_words(stop: Stop) -> &'static str {
    match stop {
        Stop::NotKnown => "the server does not know this device; pair it again",
        Stop::NotEnrolled => "the owner has not let this device in yet",
        Stop::Revoked => {
            "the owner removed this device; what it wrote was handed in and waits for the owner"
        }
        Stop::Forked => {
            "this storage is a copy of a device that went on elsewhere, and the server does not let \
             it go on as a device of its own"
        }
        Stop::UpdateNeeded => "this program and the server are of too different versions",
        Stop::LogRewritten(_) => "the server's log is not the one that this device has read",
    }
}

/// What went wrong last, in words.
pub fn problem_in_words(problem: Problem) -> &'static str {
    match problem {
        Problem::Offline | Problem::Unreachable => "the server cannot be reached",
        Problem::TimedOut => "the server did not answer in time",
        Problem::Busy { .. } => "the server is busy",
        Problem::Recovering { .. } => {
            "an older copy of the server was put back, and it waits for devices that hold more"
        }
        Problem::NotOurServer => "something answered that is not a Pakka server",
        Problem::ServerFault => "the server has a fault",
        Problem::Refused => "the server did not take the request",
        Problem::CannotSign => "this device could not sign",
        Problem::CannotStore => "this device could not store what it read",
        Problem::SignatureRefused => "the server did not take the signature",
        Problem::Stalled => "the server answers, but nothing moves",
    }
}
