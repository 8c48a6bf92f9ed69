//! What stands in the stores: deterministic CBOR arrays, like everything that Pakka keeps.

use minicbor::decode::Error;
use minicbor::{Decode, Decoder, Encode};
use shared::bytes::{Bytes, KeyId};
use shared::event::{Branch, PublicKey, Role};
use shared::ids::{DeviceNo, ShopId};
use shared::sync::branch::number_of;
use shared::sync::log::ChainHead;
use shared::sync::segment;
use shared::sync::wire::{BranchOf, BranchRequest, Chunk, Token};

use super::StoreError;

/// Which shop and device this database belongs to. Written once, when the shop was opened here or
/// joined.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Identity {
    /// The shop.
    #[n(0)]
    pub shop: ShopId,
    /// The number of this device.
    #[n(1)]
    pub device: DeviceNo,
    /// The most that this device may do.
    #[n(2)]
    pub role: Role,
    /// The key that this device signs with. The private half lies beside this record.
    #[n(3)]
    pub key: PublicKey,
    /// The server, once there is one.
    #[n(4)]
    pub server: Option<Server>,
    /// Set when this storage is a copy that goes on as a device of its own.
    #[n(5)]
    pub branch_of: Option<BranchOf>,
}

impl Identity {
    /// How ids are read in what it wrote before it was a device of its own.
    pub fn branch(&self) -> Option<Branch> {
        self.branch_of.map(|of| Branch {
            device: self.device,
            of: of.device,
            from_seq: of.from_seq,
        })
    }

    /// The device that a copy claims to be.
    pub fn become_branch(&mut self, claim: &BranchRequest) {
        self.device = number_of(&claim.fork);
        self.key = claim.key;
        self.branch_of = Some(BranchOf {
            device: claim.fork.of,
            from_seq: claim.fork.from_seq,
        });
        if let Some(server) = &mut self.server {
            server.token = claim.token;
        }
    }
}

/// The shop's server as this device knows it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Server {
    /// Its address, without a path or a slash at the end.
    #[n(0)]
    pub url: String,
    /// What this device shows it to be let in.
    #[n(1)]
    pub token: Token,
    /// The key that signs the log.
    #[n(2)]
    pub key: PublicKey,
}

/// The end of the device's own chain after these events. Every append compares what is stored with
/// what it expects, so that two tabs never write the same number.
pub fn after(head: ChainHead, events: &[Bytes]) -> ChainHead {
    events.iter().fold(head, |head, event| head.after(&event.0))
}

/// A run of the device's own events.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Run {
    /// The number of the first; the record's key too.
    #[n(0)]
    pub first_seq: u32,
    /// The events in their stored bytes, in sequence.
    #[n(1)]
    pub events: Vec<Bytes>,
    /// The keys that were made with them. Only their names: the keys themselves lie in one place.
    #[n(2)]
    pub keys: Vec<MadeKey>,
}

impl Run {
    /// The number of the last event.
    pub fn last_seq(&self) -> u32 {
        self.first_seq + self.events.len() as u32 - 1
    }

    /// The length of its events.
    pub fn length_bytes(&self) -> usize {
        self.events.iter().map(|event| event.0.len()).sum()
    }

    /// What is left behind the event `seq`, if anything.
    pub fn behind(mut self, seq: u32) -> Option<Run> {
        if seq < self.first_seq {
            return Some(self);
        }
        if seq >= self.last_seq() {
            return None;
        }
        self.events.drain(..(seq + 1 - self.first_seq) as usize);
        self.keys.retain(|key| key.seq > seq);
        self.first_seq = seq + 1;
        Some(self)
    }
}

/// A key and the event that it was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct MadeKey {
    /// The number of the first event of the command.
    #[n(0)]
    pub seq: u32,
    /// The name of the key.
    #[n(1)]
    pub id: KeyId,
}

/// A run of the log in the server's order. Its chunks follow each other without a gap, and each
/// carries its events, the device's own too.
///
/// It stands there as an array of chunks, or in the bytes of [`shared::sync::segment`].
#[derive(Debug, Clone, PartialEq, Eq, Encode)]
#[cbor(transparent)]
pub struct Segment(pub Vec<Chunk>);

/// Is a record of the log in the bytes of a segment?
pub fn is_packed(record: &[u8]) -> bool {
    record.starts_with(&segment::MAGIC)
}

impl<'b, C> Decode<'b, C> for Segment {
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Segment, Error> {
        let record = decoder.input();
        if !is_packed(record) {
            return Vec::decode(decoder, context).map(Segment);
        }
        decoder.set_position(record.len());
        let packed = segment::read(record);
        packed
            .map(|segment| Segment(segment.chunks))
            .map_err(|_| Error::message("a damaged segment"))
    }
}

/// The bytes of a record.
pub fn encode<T: Encode<()>>(record: &T) -> Vec<u8> {
    minicbor::to_vec(record).expect("writing to memory cannot fail")
}

/// Reads a record: all of its bytes, or it is damaged. `what` names it in the error.
pub fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8], what: &'static str) -> Result<T, StoreError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    match decoder.decode() {
        Ok(record) if decoder.position() == bytes.len() => Ok(record),
        _ => Err(StoreError::Damaged(what)),
    }
}
