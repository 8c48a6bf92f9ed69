//! What stands in the stores: deterministic CBOR arrays, like everything that Pakka keeps.

use minicbor::{Decode, Encode};
use shared::bytes::{Bytes, Hash};
use shared::event::{PublicKey, Role};
use shared::ids::{DeviceNo, ShopId};
use shared::sync::wire::{Chunk, Token};

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

/// The end of the device's own chain. Every append compares it with what it expects, so that two
/// tabs never write the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Chain {
    /// The number that the next event gets.
    #[n(0)]
    pub next_seq: u32,
    /// The chain hash at `next_seq - 1`.
    #[n(1)]
    pub head: Hash,
}

impl Chain {
    /// The chain of a device that has written nothing yet.
    pub fn start(shop: ShopId, key: &PublicKey) -> Chain {
        Chain {
            next_seq: 1,
            head: shared::chain::genesis(shop, key),
        }
    }

    /// The end of the chain after these events.
    pub fn after(self, events: &[Bytes]) -> Chain {
        events.iter().fold(self, |chain, event| Chain {
            next_seq: chain.next_seq + 1,
            head: shared::chain::next(&chain.head, &event.0),
        })
    }
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
}

/// A run of the log in the server's order. Its chunks follow each other without a gap, and each
/// carries its events, the device's own too.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Segment(pub Vec<Chunk>);

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
