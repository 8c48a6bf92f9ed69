//! A push in few bytes: what a phone sends after a few entries.
//!
//! A few events are too few for columns. They are written one behind the other: the template of
//! each, then what fills its holes, each value as its distance from the last of its kind. Both sides
//! begin as if they had just sent some typical events, so that the first of a push costs
//! no more than the next. What the receiver can compute, the hash at the end of the chain, is left
//! out.

mod reader;
mod writer;

use reader::Reader as Events;
use writer::Writer;

use super::bytes::{Reader, put_varint};
use super::template::Part;
use super::{Damaged, MAX_COLUMNS};
use crate::bytes::{Bytes, Fixed};
use crate::ids::DeviceNo;
use crate::sync::log::ChainHead;
use crate::sync::wire::{
    MAX_KEYS, MAX_PUSH_EVENTS, MAX_REQUEST_BYTES, Push, SealingKey, SyncRequest,
};

/// The version of the format, and its first byte.
pub const VERSION: u8 = 1;

/// The media type of packed requests.
pub const MEDIA_TYPE: &str = "application/vnd.pakka.sync";

/// Typical events: a CBOR array of byte strings. Frozen with the version.
const PRESET: &[u8] = include_bytes!("preset-v1.cbor");

/// What stands in the byte of flags.
const HAS_GENERATION: u8 = 1;
const HAS_KEYS: u8 = 2;
const HAS_SEGMENTS: u8 = 4;

/// What both sides know at any point of the stream.
#[derive(Debug, Clone, Default)]
struct Known {
    /// The last value of each column.
    last: Vec<i64>,
    words: Vec<Vec<u8>>,
    templates: Vec<Vec<Part>>,
}

impl Known {
    /// Makes room for the columns of a part.
    fn reserve(&mut self, column: usize, width: usize) {
        if self.last.len() < column + width {
            self.last.resize((column + width).min(MAX_COLUMNS), 0);
        }
    }
}

/// Whom the events of a device are written for: what stands in each of them.
#[derive(Debug, Clone, Copy)]
struct Own {
    device: i64,
    seq: i64,
}

/// A request in few bytes. `None` where that cannot be done: one without events, or whose events
/// are not the end of the device's chain. `device` is the one that asks.
pub fn pack(device: DeviceNo, request: &SyncRequest) -> Option<Vec<u8>> {
    let SyncRequest {
        protocol,
        generation,
        position,
        root,
        last_seq: _,
        last_hash: _,
        keys_after,
        want_bytes,
        push,
        keys,
        segments,
    } = request;
    let push = push.as_ref()?;
    let mut out = vec![VERSION];
    out.push(
        u8::from(generation.is_some()) * HAS_GENERATION
            + u8::from(keys.is_some()) * HAS_KEYS
            + u8::from(segments.is_some()) * HAS_SEGMENTS,
    );
    put_varint(&mut out, u64::from(*protocol));
    out.extend(generation.iter().flat_map(|generation| generation.0));
    put_varint(&mut out, *position);
    out.extend(root.0);
    put_varint(&mut out, *keys_after);
    put_varint(&mut out, u64::from(*want_bytes));
    out.extend(segments);
    put_varint(&mut out, u64::from(push.first_seq));
    out.extend(push.previous.0);
    out.extend(push.signature.0);
    put_varint(&mut out, u64::from(device.0));
    put_varint(&mut out, push.events.len() as u64);
    let mut writer = Writer::new();
    for (event, seq) in push.events.iter().zip(i64::from(push.first_seq)..) {
        let device = device.0.into();
        writer.event(&event.0, Own { device, seq }, &mut out);
    }
    if let Some(keys) = keys {
        out.extend(minicbor::to_vec(keys).ok()?);
    }
    // Known is only what comes back.
    (unpack(&out).as_ref() == Ok(request)).then_some(out)
}

/// The request of these bytes.
///
/// # Errors
///
/// They are not one.
pub fn unpack(bytes: &[u8]) -> Result<SyncRequest, Damaged> {
    let mut reader = Reader::new(bytes);
    if bytes.len() > MAX_REQUEST_BYTES || reader.byte()? != VERSION {
        return Err(reader.damaged("no packed request, or one of another version"));
    }
    let flags = reader.byte()?;
    if flags > HAS_GENERATION + HAS_KEYS + HAS_SEGMENTS {
        return Err(reader.damaged("an unknown flag"));
    }
    let has = |flag: u8| flags & flag != 0;
    let protocol = reader.count(u16::MAX.into())? as u16;
    let generation = has(HAS_GENERATION).then(|| reader.fixed());
    let generation = generation.transpose()?.map(Fixed);
    let position = reader.varint()?;
    let root = Fixed(reader.fixed()?);
    let keys_after = reader.varint()?;
    let want_bytes = reader.count(u32::MAX as usize)? as u32;
    let segments = has(HAS_SEGMENTS).then(|| reader.byte()).transpose()?;
    let first_seq = reader.count(u32::MAX as usize)? as u32;
    let previous = Fixed(reader.fixed()?);
    let signature = Fixed(reader.fixed()?);
    let device = reader.count(u32::MAX as usize)? as i64;
    let count = reader.count(MAX_PUSH_EVENTS)?;
    if first_seq == 0 || count == 0 || first_seq.checked_add(count as u32).is_none() {
        return Err(reader.damaged("no run of a chain"));
    }
    let mut known = Events::new();
    let mut head = ChainHead {
        seq: first_seq - 1,
        hash: previous,
    };
    let mut events = Vec::new();
    let mut room = MAX_REQUEST_BYTES;
    for seq in (i64::from(first_seq)..).take(count) {
        let event = known.event(&mut reader, Own { device, seq }, room)?;
        room -= event.len();
        head = head.after(&event);
        events.push(Bytes(event));
    }
    let keys = match has(HAS_KEYS) {
        true => Some(keys(&mut reader)?),
        false => None,
    };
    reader.end()?;
    Ok(SyncRequest {
        protocol,
        generation,
        position,
        root,
        last_seq: head.seq,
        last_hash: head.hash,
        keys_after,
        want_bytes,
        push: Some(Push {
            first_seq,
            previous,
            events,
            signature,
        }),
        keys,
        segments,
    })
}

/// Keys stand behind the events, as in any request.
fn keys(reader: &mut Reader<'_>) -> Result<Vec<SealingKey>, Damaged> {
    let wrong = |reader: &Reader<'_>| reader.damaged("no keys");
    let rest = reader.rest();
    let mut decoder = minicbor::Decoder::new(rest);
    match decoder.clone().array() {
        Ok(Some(count)) if count <= MAX_KEYS as u64 => {}
        _ => return Err(wrong(reader)),
    }
    let keys = decoder.decode().map_err(|_| wrong(reader))?;
    reader.take(decoder.position())?;
    Ok(keys)
}

/// The events that both sides have in mind when a push begins.
fn preset() -> Vec<Bytes> {
    minicbor::decode(PRESET).expect("it was written by Pakka")
}
