//! A server that was set back to an older copy gets back what the phones hold, at the original
//! positions.
//!
//! Nobody can invent history: a part is taken only if the server's own log, that part and the rest
//! of the tree together have the root of a head that the server itself once signed. So it does not
//! matter who brings it, and every part is proved by itself: what was taken may be relied on at
//! once, and another phone may bring the next.

use std::collections::{BTreeSet, VecDeque};

use super::authority::{Authority, is_of_authority};
use super::judge::LogState;
use super::log::{ChainHead, Log, NotNext};
use super::tree::{head_message, leaf_hash, subtrees_between};
use super::wire::{
    Before, Challenge, Chunk, Part, ReadmitRequest, Restoration, RestoreRequest, Signature, Token,
    TreeHead, Verdict,
};
use crate::bytes::{Bytes, Hash};
use crate::chain::digest;
use crate::event::{Branch, Decoded, PublicKey, decode_only};
use crate::ids::{DeviceNo, ShopId};

/// The most bytes of events in one part, unless a single chunk is longer.
pub const MAX_PART_BYTES: usize = 512 * 1024;

/// The most events in one part.
pub const MAX_PART_EVENTS: u64 = 10_000;

/// How long a server that was set back takes no new entries, so that those who hold what it lost
/// come first. Phones go on without it, as they do without a network.
pub const RECOVERY_MS: u64 = 10 * 60_000;

/// When a server that has just begun to wait for what it lost is worth another try.
pub const RECOVERY_RETRY_MS: u32 = 5_000;

/// The longest until such a try.
pub const MAX_RECOVERY_RETRY_MS: u32 = 60_000;

/// When a server that has waited so long for what it lost is worth another try: nearly always all
/// who hold something come at once, and those who have to wait for one that does not come need not
/// ask all the time.
pub fn recovery_retry_ms(elapsed_ms: u64) -> u32 {
    let elapsed_ms = u32::try_from(elapsed_ms).unwrap_or(u32::MAX);
    elapsed_ms.clamp(RECOVERY_RETRY_MS, MAX_RECOVERY_RETRY_MS)
}

/// What a device signs to be let in again: the challenge makes it worthless at another time, the
/// hash of the token for anyone else.
pub fn readmit_message(
    shop: ShopId,
    device: DeviceNo,
    token: &Token,
    challenge: &Challenge,
) -> Vec<u8> {
    [
        b"pakka/readmit/v1".as_slice(),
        shop.0.as_bytes(),
        &device.0.to_be_bytes(),
        &digest(&[&token.0]).0,
        &challenge.0,
    ]
    .concat()
}

/// A device cannot give back what the server lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotGive {
    /// It does not hold all of it.
    #[error("this device does not hold all that is missing")]
    Missing,
    /// The server's log is not the beginning of the one that it signed.
    #[error("the server's log is another than the one that it signed")]
    Conflict,
}

/// Cuts what a device holds into parts for a server whose log is `log`, up to `head`. `chunks` is
/// the log as the device holds it, from the end of the server's log on or from earlier.
pub fn parts(log: &Log, head: &TreeHead, chunks: Vec<Chunk>) -> Result<VecDeque<Part>, CannotGive> {
    let mut parts = proved_parts(log, head, chunks)?;
    for part in &mut parts {
        part.before = None;
    }
    Ok(parts)
}

/// The same for a server whose log is another behind `log`: each part says what stood before it.
pub(super) fn proved_parts(
    log: &Log,
    head: &TreeHead,
    chunks: Vec<Chunk>,
) -> Result<VecDeque<Part>, CannotGive> {
    let start = log.size();
    let mut whole = log.clone();
    let mut leaves: Vec<Hash> = Vec::new();
    let mut parts: VecDeque<Part> = VecDeque::new();
    let (mut bytes, mut events) = (0, 0);
    for chunk in chunks {
        let Some(chunk) = within(chunk, start, head.size) else {
            continue;
        };
        if chunk.position != whole.size() + 1 {
            return Err(CannotGive::Missing);
        }
        let tree = whole.tree().clone();
        let previous = whole
            .chain(chunk.device)
            .map_or_else(Hash::default, |it| it.hash);
        replay(&mut whole, &chunk, |head, _| {
            leaves.push(leaf_of(&chunk, head));
        })
        .map_err(|_| CannotGive::Conflict)?;
        let length = chunk
            .events
            .iter()
            .flatten()
            .map(|it| it.0.len())
            .sum::<usize>();
        bytes += length;
        events += u64::from(chunk.count);
        match parts.back_mut() {
            Some(Part {
                chunks,
                before: Some(before),
                ..
            }) if bytes <= MAX_PART_BYTES && events <= MAX_PART_EVENTS => {
                chunks.push(chunk);
                before.previous.push(previous);
            }
            _ => {
                (bytes, events) = (length, u64::from(chunk.count));
                parts.push_back(Part {
                    chunks: vec![chunk],
                    rest: Vec::new(),
                    before: Some(Before {
                        tree,
                        previous: vec![previous],
                    }),
                });
            }
        }
    }
    if whole.size() != head.size {
        return Err(CannotGive::Missing);
    }
    if whole.root() != head.root {
        return Err(CannotGive::Conflict);
    }
    let mut end = start;
    for part in &mut parts {
        end += part
            .chunks
            .iter()
            .map(|it| u64::from(it.count))
            .sum::<u64>();
        part.rest = subtrees_between(end, &leaves[(end - start) as usize..]);
    }
    Ok(parts)
}

/// Is this from a device that the log does not name? After a loss its enrolment may come back yet.
pub fn is_of_a_stranger(state: &LogState, request: &ReadmitRequest) -> bool {
    request.shop == state.log.shop() && state.authority.device(request.device).is_none()
}

/// Is this from the device itself? Only one that stands in the log is let in again.
pub fn is_its_own(
    state: &LogState,
    request: &ReadmitRequest,
    challenge: &Challenge,
    verify: impl Fn(&PublicKey, &[u8], &Signature) -> bool,
) -> bool {
    let message = readmit_message(request.shop, request.device, &request.token, challenge);
    let device = state.authority.device(request.device);
    request.shop == state.log.shop()
        && request.device != DeviceNo::SERVER
        && device.is_some_and(|device| verify(&device.key, &message, &request.signature))
}

/// What a server takes back in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// The new part of the log, each chunk with the chain hash after its last event.
    pub chunks: Vec<(Chunk, Hash)>,
    /// The state with it.
    pub after: LogState,
}

/// A server does not take a part back. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The head is not signed by this server's key.
    #[error("the head is not signed by this server")]
    NotSigned,
    /// With this part the log would not be the one that the head covers.
    #[error("this is not how the signed log goes on")]
    OtherLog,
    /// There are more events in it than a part may have.
    #[error("too many events in one part")]
    TooLarge,
}

impl NotTaken {
    /// The reason for machines, as it stands in [`super::wire::ErrorBody`].
    pub const fn code(self) -> &'static str {
        match self {
            NotTaken::NotSigned => "bad_signature",
            NotTaken::OtherLog => "other_log",
            NotTaken::TooLarge => "malformed",
        }
    }
}

/// The head of a request, if this server signed it, in whatever life of the log. Asked before
/// anything else is read.
pub fn check_head(
    log: &Log,
    server: &PublicKey,
    request: &RestoreRequest,
    verify: impl Fn(&PublicKey, &[u8], &Signature) -> bool,
) -> Result<TreeHead, NotTaken> {
    let (shop, generation) = (&request.shop, &request.generation);
    let head = request.head.as_ref().ok_or(NotTaken::NotSigned)?;
    let message = head_message(*shop, generation, head.size, &head.root, head.at);
    if *shop != log.shop() || !verify(server, &message, &head.signature) {
        return Err(NotTaken::NotSigned);
    }
    Ok(*head)
}

/// Takes back a part of the log that a head covers which [`check_head`] has let pass. Positions,
/// times and verdicts stay what they were; only `restoration` tells of it. `None` when the server has all of it already.
pub fn take_back(
    state: &LogState,
    head: &TreeHead,
    part: Part,
    restoration: Restoration,
) -> Result<Option<TakenBack>, NotTaken> {
    let mut after = state.clone();
    let mut taken = Vec::new();
    let start = state.log.size();
    check_length(&part)?;
    for chunk in part.chunks {
        let Some(chunk) = within(chunk, start, head.size) else {
            continue;
        };
        let LogState { log, authority, .. } = &mut after;
        let mut end_hash = Hash::default();
        replay(log, &chunk, |head, decoded| {
            end_hash = head.hash;
            if let Some(decoded) = decoded {
                authority.accept(decoded);
            }
        })
        .map_err(|_| NotTaken::OtherLog)?;
        taken.push((chunk, end_hash));
    }
    if taken.is_empty() {
        return Ok(None);
    }
    if after.log.root_after(&part.rest, head.size) != Some(head.root) {
        return Err(NotTaken::OtherLog);
    }
    after.restored = Some(restoration);
    Ok(Some(TakenBack {
        chunks: taken,
        after,
    }))
}

pub(super) fn check_length(part: &Part) -> Result<(), NotTaken> {
    let counts = part.chunks.iter().map(|chunk| u64::from(chunk.count));
    let first = part.chunks.first().map_or(0, |it| it.count.into());
    match counts.sum::<u64>() > MAX_PART_EVENTS.max(first) {
        true => Err(NotTaken::TooLarge),
        false => Ok(()),
    }
}

/// The part of a chunk behind the position `after` and up to `until`.
fn within(mut chunk: Chunk, after: u64, until: u64) -> Option<Chunk> {
    let events = chunk.events.as_mut()?;
    if events.len() != chunk.count as usize || chunk.position == 0 {
        return None;
    }
    let known = after.saturating_sub(chunk.position - 1);
    let known = usize::try_from(known).ok()?.min(events.len());
    events.drain(..known);
    chunk.position += known as u64;
    chunk.first_seq = chunk.first_seq.checked_add(known as u32)?;
    let room = until.saturating_sub(chunk.position - 1);
    events.truncate(usize::try_from(room).unwrap_or(usize::MAX));
    chunk.count = events.len() as u32;
    (chunk.count > 0).then_some(chunk)
}

/// Appends a chunk to the log as it was judged once. Tells each event's place in its chain, and
/// what it is if it was accepted.
pub(super) fn replay(
    log: &mut Log,
    chunk: &Chunk,
    mut each: impl FnMut(ChainHead, Option<&Decoded>),
) -> Result<(), NotNext> {
    if chunk.position != log.size() + 1 || chunk.branch_of != log.branch_of(chunk.device) {
        return Err(NotNext::Gap);
    }
    let branch = chunk.branch_of.map(|of| Branch {
        device: chunk.device,
        of: of.device,
        from_seq: of.from_seq,
    });
    for (bytes, seq) in chunk.events.iter().flatten().zip(chunk.first_seq..) {
        let head = next_head(log, chunk.device, seq, bytes)?;
        let decoded = match chunk.verdict {
            Verdict::Accepted => decode_only(&bytes.0, branch, is_of_authority).ok(),
            _ => None,
        };
        if let Some(Decoded::Known(event)) = &decoded {
            log.accept(event);
        }
        log.append(chunk.device, head, chunk.received, chunk.verdict)?;
        each(head, decoded.as_ref());
    }
    Ok(())
}

fn next_head(log: &Log, device: DeviceNo, seq: u32, bytes: &Bytes) -> Result<ChainHead, NotNext> {
    let chain = log.chain(device).ok_or(NotNext::UnknownDevice)?;
    let head = chain.after(&bytes.0);
    if head.seq == seq {
        Ok(head)
    } else {
        Err(NotNext::Gap)
    }
}

pub(super) fn leaf_of(chunk: &Chunk, head: ChainHead) -> Hash {
    leaf_hash(
        chunk.device,
        head.seq,
        &head.hash,
        chunk.received,
        chunk.verdict,
    )
}

/// The devices that may still have something to say.
fn speaking(authority: &Authority) -> impl Iterator<Item = DeviceNo> {
    let devices = authority.devices().iter();
    let speaking =
        devices.filter(|(number, device)| **number != DeviceNo::SERVER && !device.revoked);
    speaking.map(|(number, _)| *number)
}

/// A server that was set back waits a while for those who hold what it lost, before it gives their
/// positions to anything new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The devices that have not shown yet that they hold no more than the server.
    awaited: BTreeSet<DeviceNo>,
}

impl Recovery {
    /// For a log that was put back.
    pub fn begin(state: &LogState) -> Recovery {
        Recovery {
            awaited: speaking(&state.authority).collect(),
        }
    }

    /// A part came back, and with it perhaps devices, or the news that some were removed.
    pub fn learn(&mut self, before: &Authority, after: &Authority) {
        let new = speaking(after).filter(|number| before.device(*number).is_none());
        self.awaited.extend(new);
        let gone = |number: &DeviceNo| after.device(*number).is_some_and(|it| it.revoked);
        self.awaited.retain(|number| !gone(number));
    }

    /// A device holds no more of the log than the server.
    pub fn hear(&mut self, device: DeviceNo) {
        self.awaited.remove(&device);
    }

    /// May new entries be taken again, so many milliseconds after the server has started?
    pub fn is_over(&self, elapsed_ms: u64) -> bool {
        self.awaited.is_empty() || elapsed_ms >= RECOVERY_MS
    }
}
