//! The server's decision about a sync, as plain data.
//!
//! Nothing here touches a disk: a server loads the [`LogState`] of the shop under the shop's lock,
//! asks [`judge`], commits the new chunks together with the state after them, and only then
//! answers. Events are judged one by one in their order, so no answer depends on batching, and one
//! bad event never blocks the rest.

use core::ops::Range;

use minicbor::{Decode, Encode};

use super::authority::{Authority, is_of_authority};
use super::log::{ChainHead, Log};
use super::wire::{
    Advice, DeviceStanding, Generation, MAX_KEYS, MAX_PUSH_EVENTS, PROTOCOLS, Push, PushResult,
    Restoration, ResultRun, Signature, SyncRequest, Verdict,
};
use crate::bytes::{Bytes, Hash};
use crate::calendar::TimeMs;
use crate::chain;
use crate::event::{self, Decoded, GenerationOpened, PublicKey};
use crate::ids::{DeviceNo, EventId, ShopId};

/// All that a server must know of a shop to judge what its devices send.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LogState {
    /// The log so far.
    #[n(0)]
    pub log: Log,
    /// Who may write what.
    #[n(1)]
    pub authority: Authority,
    /// The last time that phones gave back a part of the log.
    #[n(2)]
    pub restored: Option<Restoration>,
    /// The owner's word that the log has this life, if it is not the first.
    #[n(3)]
    pub opened: Option<GenerationOpened>,
}

impl LogState {
    /// The empty log of a shop whose founding phone has just claimed the server.
    pub fn claimed(
        shop: ShopId,
        generation: Generation,
        founder: PublicKey,
        server: PublicKey,
    ) -> LogState {
        let mut log = Log::new(shop, generation);
        log.begin(DeviceNo::SERVER, ChainHead::genesis(shop, &server));
        log.begin(DeviceNo::FOUNDER, ChainHead::genesis(shop, &founder));
        LogState {
            log,
            authority: Authority::claimed(shop, founder, server),
            restored: None,
            opened: None,
        }
    }
}

/// What a server answers and stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What became of each pushed event.
    pub results: Vec<ResultRun>,
    /// What the server knows of the device now.
    pub standing: DeviceStanding,
    /// The new part of the log, dense after the old.
    pub chunks: Vec<NewChunk>,
    /// The state with the new chunks; `None` when there are none.
    pub after: Option<LogState>,
    /// The device that asks.
    device: DeviceNo,
    /// It was removed.
    revoked: bool,
    /// Up to this number the device holds the same events of its own as the server.
    agreed_seq: u32,
}

impl Judgement {
    /// The device that asked.
    pub const fn device(&self) -> DeviceNo {
        self.device
    }

    /// May the device read the log? A revoked one may only hand in what it wrote.
    pub fn may_read(&self) -> bool {
        !self.revoked && !matches!(self.standing.advice, Advice::Revoked | Advice::Reenrol)
    }

    /// Does the device that asks hold the bytes of this run of events itself? Then it is sent
    /// without them.
    pub fn is_covered(&self, device: DeviceNo, first_seq: u32, count: u32) -> bool {
        device == self.device
            && first_seq.saturating_add(count) <= self.agreed_seq.saturating_add(1)
    }
}

/// Events of one device that a server takes at one time with one verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChunk {
    /// The position of the first event.
    pub position: u64,
    /// The device.
    pub device: DeviceNo,
    /// The number of the first event.
    pub first_seq: u32,
    /// Which events of the push.
    pub range: Range<usize>,
    /// When the server took them.
    pub received: TimeMs,
    /// The server's judgement.
    pub verdict: Verdict,
    /// The chain hash after the last event.
    pub end_hash: Hash,
}

impl NewChunk {
    /// How many events: 1 to [`MAX_PUSH_EVENTS`].
    pub fn count(&self) -> u32 {
        self.range.len() as u32
    }

    /// The events in the push that was judged.
    pub fn events<'p>(&self, push: &'p Push) -> &'p [Bytes] {
        &push.events[self.range.clone()]
    }
}

/// A request that a server does not act on at all. Nothing is stored, nothing is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is in a version of the protocol that this server does not speak.
    #[error("this server does not speak version {0} of the protocol")]
    Protocol(u16),
    /// It is larger than it may be, or contradicts itself.
    #[error("{0}")]
    Malformed(&'static str),
    /// The device knows another life of this log.
    #[error("the device knows another generation of the log")]
    OtherGeneration,
    /// The device holds more of the log than the server: the server lost a part of it.
    #[error("the device holds more of the log than this server")]
    LogShorter,
    /// The device computed another root for the log as the server holds it.
    #[error("the device holds another log at this position")]
    OtherLog,
}

impl Refusal {
    /// The reason for machines, as it stands in [`super::wire::ErrorBody`].
    pub const fn code(self) -> &'static str {
        match self {
            Refusal::Protocol(_) => "protocol",
            Refusal::Malformed(_) => "malformed",
            Refusal::OtherGeneration => "other_generation",
            Refusal::LogShorter => "log_shorter",
            Refusal::OtherLog => "other_log",
        }
    }

    /// The HTTP status that goes with it.
    pub const fn status(self) -> u16 {
        match self {
            Refusal::Protocol(_) => 426,
            Refusal::Malformed(_) => 400,
            Refusal::OtherGeneration | Refusal::LogShorter | Refusal::OtherLog => 409,
        }
    }
}

/// Judges what `device` sent. `device` comes from the token, never from the body; `verify` says
/// whether a signature of a message is by a key; `received` is the server's clock.
pub fn judge(
    state: &LogState,
    device: DeviceNo,
    request: &SyncRequest,
    received: TimeMs,
    verify: impl Fn(&PublicKey, &[u8], &Signature) -> bool,
) -> Result<Judgement, Refusal> {
    check_bounds(request)?;
    check_cursor(&state.log, request)?;
    let (Some(known), Some(enrolled)) = (state.log.chain(device), state.authority.device(device))
    else {
        let nothing = ChainHead {
            seq: 0,
            hash: Hash::default(),
        };
        return Ok(not_stored(device, request, nothing, Advice::Reenrol));
    };
    let not_stored = |advice| Judgement {
        revoked: enrolled.revoked,
        ..not_stored(device, request, known, advice)
    };
    if request.last_seq == known.seq && request.last_hash != known.hash {
        return Ok(not_stored(Advice::Fork));
    }
    let mut judgement = not_stored(Advice::None);
    // Where the device has written less than the server holds, whether it has written the same is
    // for the device to see: it gets the bytes.
    if request.last_seq >= known.seq {
        judgement.agreed_seq = request.last_seq;
    }
    if let Some(push) = &request.push {
        let (new_from, heads) = match chain_of(push, known) {
            Ok(chain) => chain,
            Err(Advice::Fork) => return Ok(not_stored(Advice::Fork)),
            Err(advice) => {
                judgement.standing.advice = advice;
                return Ok(judgement);
            }
        };
        judgement.results = duplicates(push, new_from);
        if let Some(last) = heads.last() {
            let message = chain::head_message(state.log.shop(), device, last.seq, &last.hash);
            if verify(&enrolled.key, &message, &push.signature) {
                take(state, push, new_from, &heads, received, &mut judgement);
            } else {
                let new = run(&heads, PushResult::NotStored);
                judgement.results.push(new);
                judgement.standing.advice = Advice::Resign;
                return Ok(judgement);
            }
        }
    }
    let now = judgement.after.as_ref().unwrap_or(state);
    judgement.standing.advice = if now.authority.device(device).is_some_and(|it| it.revoked) {
        Advice::Revoked
    } else if judgement.standing.known_seq > request.last_seq {
        Advice::Behind
    } else {
        Advice::None
    };
    Ok(judgement)
}

fn check_bounds(request: &SyncRequest) -> Result<(), Refusal> {
    if !PROTOCOLS.contains(&request.protocol) {
        return Err(Refusal::Protocol(request.protocol));
    }
    if request
        .keys
        .as_ref()
        .is_some_and(|keys| keys.len() > MAX_KEYS)
    {
        return Err(Refusal::Malformed("too many keys"));
    }
    let Some(push) = &request.push else {
        return Ok(());
    };
    if push.events.is_empty() || push.events.len() > MAX_PUSH_EVENTS {
        return Err(Refusal::Malformed("a push has 1 to 1000 events"));
    }
    let end = u64::from(push.first_seq) + push.events.len() as u64 - 1;
    if push.first_seq == 0 || end > u64::from(request.last_seq) {
        return Err(Refusal::Malformed(
            "the push is not a part of the device's chain",
        ));
    }
    Ok(())
}

fn check_cursor(log: &Log, request: &SyncRequest) -> Result<(), Refusal> {
    if request
        .generation
        .is_some_and(|known| known != log.generation())
    {
        return Err(Refusal::OtherGeneration);
    }
    if request.position > log.size() {
        return Err(Refusal::LogShorter);
    }
    // Older positions are checked by the device itself, against the head in the answer.
    if request.position == log.size() && request.root != log.root() {
        return Err(Refusal::OtherLog);
    }
    Ok(())
}

/// The heads of the events that the server lacks, and the index of the first of them.
///
/// What the server has already must be the same up to its end: the chain over the pushed bytes
/// meets the known head, or this is another chain. A push that ends before the known head is old
/// news; the device compares the known head with its own chain.
fn chain_of(push: &Push, known: ChainHead) -> Result<(usize, Vec<ChainHead>), Advice> {
    let before = push.first_seq - 1;
    if before > known.seq {
        return Err(Advice::Resend);
    }
    let new_from = push.events.len().min((known.seq - before) as usize);
    let mut head = ChainHead {
        seq: before,
        hash: push.previous,
    };
    for bytes in &push.events[..new_from] {
        head = head.after(&bytes.0);
    }
    if head.seq == known.seq && head.hash != known.hash {
        return Err(Advice::Fork);
    }
    let new = push.events[new_from..].iter().map(|bytes| {
        head = head.after(&bytes.0);
        head
    });
    let heads = new.collect();
    Ok((new_from, heads))
}

/// Judges and appends the new events one by one.
fn take(
    state: &LogState,
    push: &Push,
    new_from: usize,
    heads: &[ChainHead],
    received: TimeMs,
    judgement: &mut Judgement,
) {
    let device = judgement.device;
    let mut after = state.clone();
    for (index, head) in (new_from..).zip(heads) {
        let place = EventId {
            device,
            seq: head.seq,
        };
        let bytes = &push.events[index].0;
        let verdict =
            match event::decode_only(bytes, after.authority.branch(device), is_of_authority) {
                Err(_) => Verdict::QuarantinedMalformed,
                Ok(decoded) if decoded.envelope().id != place => Verdict::QuarantinedMisplaced,
                Ok(decoded) => {
                    let verdict = after.authority.judge(&decoded);
                    if verdict == Verdict::Accepted {
                        after.authority.accept(&decoded);
                        if let Decoded::Known(event) = &decoded {
                            after.log.accept(event);
                        }
                    }
                    verdict
                }
            };
        let position = after.log.size() + 1;
        after
            .log
            .append(device, *head, received, verdict)
            .expect("the heads continue the chain of an enrolled device");
        match judgement.chunks.last_mut() {
            Some(chunk) if chunk.verdict == verdict => {
                chunk.range.end = index + 1;
                chunk.end_hash = head.hash;
            }
            _ => judgement.chunks.push(NewChunk {
                position,
                device,
                first_seq: head.seq,
                range: index..index + 1,
                received,
                verdict,
                end_hash: head.hash,
            }),
        }
        judgement.standing.known_seq = head.seq;
        judgement.standing.known_hash = head.hash;
    }
    judgement
        .results
        .extend(judgement.chunks.iter().map(|chunk| ResultRun {
            first_seq: chunk.first_seq,
            count: chunk.count(),
            result: PushResult::Stored(chunk.verdict),
        }));
    judgement.after = Some(after);
}

fn duplicates(push: &Push, count: usize) -> Vec<ResultRun> {
    let run = ResultRun {
        first_seq: push.first_seq,
        count: count as u32,
        result: PushResult::Duplicate,
    };
    if count > 0 { vec![run] } else { Vec::new() }
}

fn run(heads: &[ChainHead], result: PushResult) -> ResultRun {
    ResultRun {
        first_seq: heads.first().map_or(0, |head| head.seq),
        count: heads.len() as u32,
        result,
    }
}

fn not_stored(
    device: DeviceNo,
    request: &SyncRequest,
    known: ChainHead,
    advice: Advice,
) -> Judgement {
    let results = request.push.iter().map(|push| ResultRun {
        first_seq: push.first_seq,
        count: push.events.len() as u32,
        result: PushResult::NotStored,
    });
    Judgement {
        results: results.collect(),
        standing: DeviceStanding {
            advice,
            known_seq: known.seq,
            known_hash: known.hash,
        },
        chunks: Vec::new(),
        after: None,
        device,
        revoked: false,
        agreed_seq: 0,
    }
}
