//! A new life of a log, on the owner's word.
//!
//! A server that was set back, and has gone on since, can never come back to the log that a phone
//! has read: [`super::restore`] takes nothing back behind the place where the two part. The owner
//! then says that the log goes on from where the server's ends. What stands in it stays at its
//! positions; every phone goes back to where its own log parted from it, and hands in again what the
//! server lacks: what it wrote itself as ever, and what others wrote in the parts that the server
//! once signed. Those come behind the new end, each event once, since a device's chain tells what is
//! missing of it.

use std::collections::VecDeque;

use super::authority::{Authority, is_of_authority};
use super::judge::LogState;
use super::log::{ChainHead, Log};
use super::restore::{
    CannotGive, NotTaken, TakenBack, check_length, leaf_of, proved_parts, replay,
};
use super::wire::{
    Chunk, Generation, MAX_MARKS, Mark, Part, Restoration, Signature, TreeHead, Verdict,
};
use crate::bytes::{Bytes, Fixed, Hash};
use crate::calendar::TimeMs;
use crate::event::{
    Body, Decoded, Envelope, Event, GenerationOpened, Kind, PublicKey, Role, decode_only, encode,
};
use crate::ids::{DeviceNo, EventId, ShopId};

/// What the owner's device signs to let the log go on.
pub fn consent_message(shop: ShopId, opened: &GenerationOpened) -> Vec<u8> {
    [
        b"pakka/generation/v1".as_slice(),
        shop.0.as_bytes(),
        &opened.of.0,
        &opened.generation.0,
        &opened.size.to_be_bytes(),
        &opened.root.0,
        &opened.server.point.0,
        &opened.device.0.to_be_bytes(),
    ]
    .concat()
}

/// What an owner's device confirms, before it has signed it: the log `theirs` goes on as
/// `generation`.
pub fn consent(
    theirs: &Log,
    server: PublicKey,
    generation: Generation,
    device: DeviceNo,
) -> GenerationOpened {
    GenerationOpened {
        generation,
        of: theirs.generation(),
        size: theirs.size(),
        root: theirs.root(),
        server,
        device,
        signature: Fixed([0; 64]),
    }
}

/// How many events that a device holds does the server's log lack? `own` is the end of the device's
/// chain.
pub fn lacking(theirs: &Log, mine: &Log, device: DeviceNo, own: ChainHead) -> u64 {
    let chains = mine.chains().iter().map(|(number, head)| match *number {
        number if number == device => (number, own.seq),
        number => (number, head.seq),
    });
    let lacks = chains.map(|(number, seq)| {
        let known = theirs.chain(number).map_or(0, |head| head.seq);
        u64::from(seq.saturating_sub(known))
    });
    lacks.sum()
}

/// The key that must have signed the word of a device, as the accepted events of a log say; `None`
/// where they name no such owner. What a device wrote itself and no server has judged says nothing.
pub fn owner_key(
    log: &[Chunk],
    shop: ShopId,
    server: PublicKey,
    device: DeviceNo,
) -> Option<PublicKey> {
    let mut authority = Authority::unclaimed(shop, server);
    let accepted = log
        .iter()
        .filter(|chunk| chunk.verdict == Verdict::Accepted);
    for chunk in accepted {
        let branch = authority.branch(chunk.device);
        for bytes in chunk.events.iter().flatten() {
            if let Ok(event) = decode_only(&bytes.0, branch, is_of_authority) {
                authority.accept(&event);
            }
        }
    }
    let is_device = device != DeviceNo::SERVER;
    let owner = authority.device(device).filter(|_| is_device)?;
    (owner.role == Role::Owner && !owner.revoked).then_some(owner.key)
}

/// The log does not go on in another life. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// It has gone on already, on another word.
    #[error("the log has another generation")]
    OtherGeneration,
    /// It has grown since, or is another server's.
    #[error("the log is not the one that the owner has seen")]
    OtherLog,
    /// It is not the word of an owner's device.
    #[error("only an owner's device may open a generation")]
    NotOwner,
}

/// Lets the log go on in another life: gives the server's event with the chain hash after it, and
/// the state with it. `None` if that life has begun already.
///
/// `server` is the server's key, `at` its clock.
pub fn open(
    state: &LogState,
    opened: &GenerationOpened,
    server: &PublicKey,
    at: TimeMs,
    verify: impl Fn(&PublicKey, &[u8], &Signature) -> bool,
) -> Result<Option<TakenBack>, NotOpened> {
    let log = &state.log;
    if log.generation() == opened.generation {
        return Ok(None);
    }
    if log.generation() != opened.of {
        return Err(NotOpened::OtherGeneration);
    }
    if (log.size(), log.root(), *server) != (opened.size, opened.root, opened.server) {
        return Err(NotOpened::OtherLog);
    }
    let owner = state.authority.device(opened.device).filter(|device| {
        let message = consent_message(log.shop(), opened);
        device.role == Role::Owner
            && !device.revoked
            && opened.device != DeviceNo::SERVER
            && verify(&device.key, &message, &opened.signature)
    });
    owner.ok_or(NotOpened::NotOwner)?;
    let mut after = LogState {
        log: log.in_life(opened),
        restored: Some(opened.generation),
        opened: Some(opened.clone()),
        ..state.clone()
    };
    let written = write(&mut after, Body::from(opened.clone()), at);
    Ok(Some(TakenBack {
        chunks: vec![written],
        after,
    }))
}

/// Appends an event of the server's own, and gives it with the chain hash after it.
fn write(state: &mut LogState, body: Body, at: TimeMs) -> (Chunk, Hash) {
    let chain = state.log.chain(DeviceNo::SERVER);
    let chain = chain.expect("every log begins with the server's chain");
    let seq = chain.seq.saturating_add(1);
    let event = Event {
        envelope: Envelope {
            id: EventId {
                device: DeviceNo::SERVER,
                seq,
            },
            clock: state.authority.clock().saturating_add(1),
            at,
            by: None,
            group: None,
            cause: None,
            correlation: None,
            expect: None,
        },
        body,
    };
    let chunk = Chunk {
        position: state.log.size() + 1,
        device: DeviceNo::SERVER,
        first_seq: seq,
        count: 1,
        received: at,
        verdict: Verdict::Accepted,
        events: Some(vec![Bytes(encode(&event))]),
        branch_of: None,
    };
    let end = append(state, &chunk).expect("the next event of the server's own chain");
    (chunk, end)
}

/// Appends a chunk as it was judged once, and gives the chain hash after it: a log that was verified
/// is put back whole. `None`, and perhaps a part of it appended, if it does not continue the log.
pub fn put_back(state: &mut LogState, chunk: &Chunk) -> Option<Hash> {
    let end = append(state, chunk)?;
    let generation = state.log.generation();
    for bytes in chunk.events.iter().flatten() {
        let is_opening = |kind| kind == Kind::GenerationOpened as u16;
        if chunk.device == DeviceNo::SERVER
            && let Ok(Decoded::Known(event)) = decode_only(&bytes.0, None, is_opening)
            && let Body::GenerationOpened(opened) = event.body
            && opened.generation == generation
        {
            state.opened = Some(opened);
        }
    }
    Some(end)
}

fn append(state: &mut LogState, chunk: &Chunk) -> Option<Hash> {
    let LogState { log, authority, .. } = state;
    let mut end = Hash::default();
    let appended = replay(log, chunk, |head, decoded| {
        end = head.hash;
        if let Some(decoded) = decoded {
            authority.accept(decoded);
        }
    });
    appended.ok().map(|()| end)
}

/// What a device holds of the log that the server's has parted from, in parts that the server can
/// check. `log` is the log where the two part, `head` what the server once signed, `chunks` the
/// device's log behind `log`. Parts of which the server lacks nothing are left out.
pub fn hand_in(
    log: &Log,
    head: &TreeHead,
    chunks: Vec<Chunk>,
    theirs: &Log,
) -> Result<VecDeque<Part>, CannotGive> {
    let mut parts = proved_parts(log, head, chunks)?;
    parts.retain(|part| part.chunks.iter().any(|chunk| is_lacking(chunk, theirs)));
    Ok(parts)
}

/// Does a log lack the end of this chunk?
pub fn is_lacking(chunk: &Chunk, theirs: &Log) -> bool {
    let last = chunk
        .first_seq
        .saturating_add(chunk.count.saturating_sub(1));
    let known = theirs.chain(chunk.device);
    known.is_none_or(|known| known.seq < last)
}

/// Takes what the log lacks out of a part of another life of it, covered by a head which
/// [`super::restore::check_head`] has let pass. Verdicts stay what they were; positions are new,
/// since others have taken the old ones. What does not continue the chain of its device is passed
/// over: it went on differently. `None` when there is nothing new.
pub fn take_over(
    state: &LogState,
    head: &TreeHead,
    part: Part,
    restoration: Restoration,
    at: TimeMs,
) -> Result<Option<TakenBack>, NotTaken> {
    check_length(&part)?;
    let before = part.before.ok_or(NotTaken::OtherLog)?;
    if before.previous.len() != part.chunks.len() {
        return Err(NotTaken::OtherLog);
    }
    // First everything is proved, then anything believed.
    let mut tree = before.tree;
    let mut heads = Vec::with_capacity(part.chunks.len());
    for (chunk, previous) in part.chunks.iter().zip(before.previous) {
        let events = chunk.events.as_deref().unwrap_or_default();
        let seq = chunk.first_seq.checked_sub(1);
        let is_whole = events.len() == chunk.count as usize
            && chunk.position == tree.size() + 1
            && chunk.first_seq.checked_add(chunk.count).is_some();
        let (Some(seq), true) = (seq, is_whole) else {
            return Err(NotTaken::OtherLog);
        };
        let mut chain = vec![ChainHead {
            seq,
            hash: previous,
        }];
        for bytes in events {
            let next = chain[chain.len() - 1].after(&bytes.0);
            tree.push(leaf_of(chunk, next));
            chain.push(next);
        }
        heads.push(chain);
    }
    if tree.root_after(&part.rest, head.size) != Some(head.root) {
        return Err(NotTaken::OtherLog);
    }
    let mut after = state.clone();
    let mut taken = Vec::new();
    for (chunk, heads) in part.chunks.into_iter().zip(heads) {
        if chunk.device == DeviceNo::SERVER {
            taken.extend(said_again(&mut after, &chunk, at));
            continue;
        }
        let known = after.log.chain(chunk.device);
        // How much of it is known, if it is the same.
        let skipped = heads.iter().position(|head| Some(*head) == known);
        let Some(skipped) = skipped.filter(|skipped| *skipped + 1 < heads.len()) else {
            continue;
        };
        let mut rest = chunk;
        rest.events.as_mut().map(|events| events.drain(..skipped));
        rest.first_seq += skipped as u32;
        rest.count -= skipped as u32;
        rest.position = after.log.size() + 1;
        rest.received = at;
        if rest.branch_of == after.log.branch_of(rest.device)
            && let Some(end) = append(&mut after, &rest)
        {
            taken.push((rest, end));
        }
    }
    if taken.is_empty() {
        return Ok(None);
    }
    // Whoever has followed into this life has given back all its keys already.
    after.restored = after.restored.or(Some(restoration));
    Ok(Some(TakenBack {
        chunks: taken,
        after,
    }))
}

/// The server has lost what it once said of copies, and its own chain has gone on: it says it again.
fn said_again(state: &mut LogState, chunk: &Chunk, at: TimeMs) -> Vec<(Chunk, Hash)> {
    let mut written = Vec::new();
    for bytes in chunk.events.iter().flatten() {
        if let Ok(Decoded::Known(event)) = decode_only(&bytes.0, None, Log::begins_a_chain)
            && let Body::BranchRegistered(body) = &event.body
            && state.authority.device(body.device).is_none()
            && state.authority.device(body.of).is_some()
        {
            written.push(write(state, event.body, at));
        }
    }
    written
}

/// At which lengths of a log, given by the ends of its chunks, a device asks where it parts from the
/// server's: the last ones, and less and less often before.
pub fn marked(ends: usize) -> impl Iterator<Item = usize> {
    let backs = core::iter::once(0).chain((0..u32::BITS).map(|power| 1_usize << power));
    backs
        .take(MAX_MARKS)
        .map_while(move |back| ends.checked_sub(1)?.checked_sub(back))
}

/// The largest size at which a log stood as one of the marks says; 0 for none. `root` gives the
/// log's root at a size.
pub fn agreed(marks: &[Mark], root: impl Fn(u64) -> Option<Hash>) -> u64 {
    let same = marks.iter().take(MAX_MARKS);
    let same = same.filter(|mark| root(mark.size) == Some(mark.root));
    same.map(|mark| mark.size).max().unwrap_or(0)
}
