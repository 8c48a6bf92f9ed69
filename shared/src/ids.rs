//! Who and what things are called: devices, events, and the entities that events create.

use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use serde::{Serialize, Serializer};
use uuid::Uuid;

/// A device of a shop. Never reused: 0 is the server, 1 the founding phone.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct DeviceNo(pub u32);

impl DeviceNo {
    /// The server itself, which writes facts of its own with its own key and chain.
    pub const SERVER: DeviceNo = DeviceNo(0);
    /// The phone that opened the shop.
    pub const FOUNDER: DeviceNo = DeviceNo(1);
}

/// The identity of an event: the n-th event of a device. `seq` starts at 1 and is dense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventId {
    /// The device that wrote it.
    pub device: DeviceNo,
    /// Its number in the chain of that device, from 1.
    pub seq: u32,
}

impl EventId {
    /// The event `seq` of `device`.
    pub const fn new(device: u32, seq: u32) -> EventId {
        EventId {
            device: DeviceNo(device),
            seq,
        }
    }
}

/// By device, then by number: compared as one number, because books do little else.
impl Ord for EventId {
    fn cmp(&self, other: &EventId) -> Ordering {
        let number = |id: &EventId| u64::from(id.device.0) << 32 | u64::from(id.seq);
        number(self).cmp(&number(other))
    }
}

impl PartialOrd for EventId {
    fn partial_cmp(&self, other: &EventId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for EventId {
    /// `3-1042`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.device.0, self.seq)
    }
}

/// The text does not have the form `3-1042`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the number of an entry")]
pub struct NotAnEventId;

impl FromStr for EventId {
    type Err = NotAnEventId;

    fn from_str(text: &str) -> Result<EventId, NotAnEventId> {
        let (device, seq) = text.split_once('-').ok_or(NotAnEventId)?;
        match (device.parse(), seq.parse()) {
            (Ok(device), Ok(seq)) if seq > 0 => Ok(EventId::new(device, seq)),
            _ => Err(NotAnEventId),
        }
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How ids inside stored bytes are read and written.
///
/// A forked branch (a phone whose storage was copied) keeps its bytes, but its events are known
/// under another device number: inside them every id of the copied phone from the fork on means
/// the branch. The unit type reads ids as they stand.
pub trait IdMap {
    /// What an id found in stored bytes means.
    fn read(&self, stored: EventId) -> EventId;
    /// How an id stands in stored bytes: the inverse of [`IdMap::read`].
    fn written(&self, id: EventId) -> EventId;
}

impl IdMap for () {
    fn read(&self, stored: EventId) -> EventId {
        stored
    }
    fn written(&self, id: EventId) -> EventId {
        id
    }
}

impl<C: IdMap> Encode<C> for EventId {
    fn encode<W: encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        ids: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let stored = ids.written(*self);
        encoder
            .array(2)?
            .u32(stored.device.0)?
            .u32(stored.seq)?
            .ok()
    }
}

impl<'b, C: IdMap> Decode<'b, C> for EventId {
    fn decode(decoder: &mut Decoder<'b>, ids: &mut C) -> Result<EventId, decode::Error> {
        if decoder.array()? != Some(2) {
            return Err(decode::Error::message("an event id has two numbers"));
        }
        let stored = EventId::new(decoder.u32()?, decoder.u32()?);
        Ok(ids.read(stored))
    }
}

macro_rules! entity_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize,
        )]
        #[cbor(transparent, context_bound = "IdMap")]
        #[serde(transparent)]
        pub struct $name(pub EventId);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = NotAnEventId;
            fn from_str(text: &str) -> Result<$name, NotAnEventId> {
                text.parse().map($name)
            }
        }
    )*};
}

entity_ids! {
    /// A customer, named by the event that added them.
    CustomerId;
    /// A member of the staff, named by the event that added them.
    StaffId;
    /// A good, named by the event that added it.
    ItemId;
    /// A home-delivery order, named by the event that placed it.
    OrderId;
    /// An entry of the khata, a sale among them: the event that recorded it.
    EntryId;
}

/// A shop: UUIDv7, made by the founding phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ShopId(pub Uuid);

impl fmt::Display for ShopId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<C> Encode<C> for ShopId {
    fn encode<W: encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        encoder.bytes(self.0.as_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for ShopId {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<ShopId, decode::Error> {
        Uuid::from_slice(decoder.bytes()?)
            .map(ShopId)
            .map_err(|_| decode::Error::message("a shop id has 16 bytes"))
    }
}

/// The order of events that every register and every sort uses: fixed when the event is written,
/// so that no confirmation by a server ever changes a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct Stamp {
    /// The Lamport clock: one more than the greatest seen in the shop.
    #[n(0)]
    pub clock: u64,
    /// The event itself, which settles ties.
    #[n(1)]
    pub id: EventId,
}
