//! Events as bytes: deterministic CBOR (RFC 8949 §4.2).
//!
//! An event is one array: `[device, seq, clock, at, by, group, cause, correlation, expect, kind,
//! version, body]`. Those bytes are what is hashed, stored and sent; nothing re-encodes them.
//!
//! Whatever this version cannot read whole (another kind, another version, an element too many, a
//! number that is not in its shortest form, bytes behind the end) is [`Decoded::Unknown`]: kept,
//! hashed, relayed and counted, never half-read. The test is the strictest there is: what was read,
//! written again, must be the same bytes. The reader knows that without writing (see
//! `event/shape.rs`); that it is right is tested and fuzzed.

use core::convert::Infallible;

use minicbor::encode::{self, Write};
use minicbor::{Encode, Encoder};

use super::shape::Reader;
use super::{Body, Envelope, Event, Group, MAX_EVENT_BYTES, MAX_GROUP_EVENTS};
use crate::ids::{DeviceNo, EventId, IdMap};

/// Elements of an event's array.
const ELEMENTS: u64 = 12;

/// A copy of a phone's storage that writes on: how ids in its bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Branch {
    /// The number under which the copy is known.
    pub device: DeviceNo,
    /// The phone that was copied, which is what the bytes say.
    pub of: DeviceNo,
    /// The first number that both wrote.
    pub from_seq: u32,
}

impl IdMap for Branch {
    fn read(&self, stored: EventId) -> EventId {
        if stored.device == self.of && stored.seq >= self.from_seq {
            EventId {
                device: self.device,
                seq: stored.seq,
            }
        } else {
            stored
        }
    }

    fn written(&self, id: EventId) -> EventId {
        if id.device == self.device {
            EventId {
                device: self.of,
                seq: id.seq,
            }
        } else {
            id
        }
    }
}

/// How ids are read and written, with a branch or without. One type for both, so that the shapes of
/// all kinds are compiled once: they are the largest part of the app.
pub(crate) struct Ids(Option<Branch>);

impl IdMap for Ids {
    fn read(&self, stored: EventId) -> EventId {
        self.0.map_or(stored, |branch| branch.read(stored))
    }

    fn written(&self, id: EventId) -> EventId {
        self.0.map_or(id, |branch| branch.written(id))
    }
}

/// What bytes turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// An event that this version reads whole.
    Known(Event),
    /// An event of a newer app.
    Unknown(Unknown),
}

impl Decoded {
    /// The envelope, which is always readable.
    pub const fn envelope(&self) -> &Envelope {
        match self {
            Decoded::Known(event) => &event.envelope,
            Decoded::Unknown(unknown) => &unknown.envelope,
        }
    }
}

/// An event of a newer app: kept and relayed byte for byte, and counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The envelope.
    pub envelope: Envelope,
    /// The number of the kind.
    pub kind: u16,
    /// The version of the shape.
    pub version: u8,
}

/// Bytes that are not an event of any version: not even the envelope can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Longer than [`MAX_EVENT_BYTES`].
    #[error("longer than an event may be")]
    TooLong,
    /// Not the array that an event is.
    #[error("not an event")]
    NotAnEvent,
    /// The group does not contain the event, or has an impossible size.
    #[error("the event's group is impossible")]
    BadGroup,
}

/// The bytes of an event.
pub fn encode(event: &Event) -> Vec<u8> {
    bytes_of(|encoder, ids| try_write(event, encoder, ids))
}

/// The bytes of something else that holds parts of events: what writes those is compiled once.
pub(crate) fn bytes_of(
    write: impl FnOnce(&mut Encoder<&mut Sink>, &mut Ids) -> Result<(), encode::Error<Infallible>>,
) -> Vec<u8> {
    let mut bytes = Sink(Vec::with_capacity(96));
    // A sink cannot fail, and no shape of Pakka refuses to be written.
    write(&mut Encoder::new(&mut bytes), &mut Ids(None))
        .unwrap_or_else(|error| unreachable!("{error}"));
    bytes.0
}

/// Reads an event. `branch` says how ids are read in the bytes of a forked branch; it applies to
/// events that name the copied phone as their writer.
pub fn decode(bytes: &[u8], branch: Option<Branch>) -> Result<Decoded, Malformed> {
    decode_only(bytes, branch, |_| true)
}

/// The same, but looks only into events of the kinds that are `wanted`: all others are
/// [`Decoded::Unknown`]. For readers who care for few kinds, such as who may write what.
pub fn decode_only(
    bytes: &[u8],
    branch: Option<Branch>,
    wanted: fn(u16) -> bool,
) -> Result<Decoded, Malformed> {
    if bytes.len() > MAX_EVENT_BYTES {
        return Err(Malformed::TooLong);
    }
    let writer = writer(bytes).ok_or(Malformed::NotAnEvent)?;
    let branch = branch.filter(|branch| writer == branch.of);
    decode_with(bytes, &Ids(branch), wanted)
}

/// The device that the bytes name as their writer.
fn writer(bytes: &[u8]) -> Option<DeviceNo> {
    let mut reader = Reader::new(bytes, &());
    let mut fields = reader.fields();
    let device = reader.field(&mut fields);
    reader.is_sound().then_some(device)
}

fn decode_with(bytes: &[u8], ids: &Ids, wanted: fn(u16) -> bool) -> Result<Decoded, Malformed> {
    let mut reader = Reader::new(bytes, ids);
    let mut fields = reader.fields();
    let is_whole = fields.left() == ELEMENTS;
    let id = EventId {
        device: reader.field(&mut fields),
        seq: reader.field(&mut fields),
    };
    let envelope = Envelope {
        id: reader.id(id),
        clock: reader.field(&mut fields),
        at: reader.field(&mut fields),
        by: reader.field(&mut fields),
        group: reader.field(&mut fields),
        cause: reader.field(&mut fields),
        correlation: reader.field(&mut fields),
        expect: reader.field(&mut fields),
    };
    let (kind, version) = (reader.field(&mut fields), reader.field(&mut fields));
    // A body of whatever shape must be there.
    if !reader.is_sound() || fields.left() == 0 || envelope.id.seq == 0 {
        return Err(Malformed::NotAnEvent);
    }
    if let Some(group) = envelope.group {
        check_group(group, envelope.id.seq)?;
    }
    let body = match is_whole && wanted(kind) {
        true => Body::read(kind, version, &mut reader),
        false => None,
    };
    Ok(match body.filter(|_| reader.is_exact()) {
        Some(body) => Decoded::Known(Event { envelope, body }),
        None => Decoded::Unknown(Unknown {
            envelope,
            kind,
            version,
        }),
    })
}

fn check_group(group: Group, seq: u32) -> Result<(), Malformed> {
    let last = group
        .first
        .checked_add(u32::from(group.count))
        .ok_or(Malformed::BadGroup)?;
    let sound = group.first > 0
        && (2..=MAX_GROUP_EVENTS).contains(&group.count)
        && (group.first..last).contains(&seq);
    if sound {
        Ok(())
    } else {
        Err(Malformed::BadGroup)
    }
}

fn try_write(
    event: &Event,
    encoder: &mut Encoder<&mut Sink>,
    ids: &mut Ids,
) -> Result<(), encode::Error<Infallible>> {
    let envelope = &event.envelope;
    let id = ids.written(envelope.id);
    encoder.array(ELEMENTS)?.u32(id.device.0)?.u32(id.seq)?;
    encoder.u64(envelope.clock)?.i64(envelope.at.0)?;
    envelope.by.encode(encoder, ids)?;
    envelope.group.encode(encoder, ids)?;
    envelope.cause.encode(encoder, ids)?;
    envelope.correlation.encode(encoder, ids)?;
    envelope.expect.encode(encoder, ids)?;
    let kind = event.body.kind();
    encoder.u16(kind as u16)?.u8(kind.version())?;
    event.body.encode(encoder, ids)
}

/// Where bytes go.
pub(crate) struct Sink(Vec<u8>);

impl Write for Sink {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}
