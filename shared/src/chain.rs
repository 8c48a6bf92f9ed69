//! The hash chain of a device: what makes its log tamper-evident.

use sha2::{Digest, Sha256};

use crate::bytes::{Fixed, Hash};
use crate::event::PublicKey;
use crate::ids::{DeviceNo, ShopId};

/// `h(0)`: binds a chain to its shop and to the key that the device was enrolled with.
pub fn genesis(shop: ShopId, key: &PublicKey) -> Hash {
    digest(&[b"pakka/chain/v1", shop.0.as_bytes(), &key.point.0])
}

/// `h(n) = SHA-256(h(n-1) ‖ bytes(n))`.
pub fn next(previous: &Hash, event_bytes: &[u8]) -> Hash {
    digest(&[&previous.0, event_bytes])
}

/// What a device signs: its chain up to and with `seq`. A later head covers all before it.
pub fn head_message(shop: ShopId, device: DeviceNo, seq: u32, hash: &Hash) -> Vec<u8> {
    [
        b"pakka/head/v1".as_slice(),
        shop.0.as_bytes(),
        &device.0.to_be_bytes(),
        &seq.to_be_bytes(),
        &hash.0,
    ]
    .concat()
}

/// SHA-256 of the parts, one after the other.
pub fn digest(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Fixed(hasher.finalize().into())
}
