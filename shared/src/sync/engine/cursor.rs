//! How far a device has read the log.

use minicbor::{Decode, Encode};

use crate::event::PublicKey;
use crate::ids::{DeviceNo, ShopId};
use crate::sync::log::{ChainHead, Log};
use crate::sync::wire::{Generation, Restoration, TreeHead};

/// How far a device has read the log: stored as one value, in the same transaction as what was
/// read.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Cursor {
    /// The log as read.
    #[n(0)]
    pub log: Log,
    /// The key that signs the log.
    #[n(1)]
    pub server_key: PublicKey,
    /// The number of the last key that was delivered.
    #[n(2)]
    pub keys_last: u64,
    /// The last head whose root was found right and whose signature was checked: the server's word
    /// that it can be held to.
    #[n(3)]
    pub pinned: Option<TreeHead>,
    /// The last restoration of the server that the device has heard of.
    #[n(4)]
    pub restored: Option<HeardOf>,
}

/// A restoration of the server, after which it may lack keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HeardOf {
    /// Which.
    #[n(0)]
    pub restoration: Restoration,
    /// The device has sent all its keys since.
    #[n(1)]
    pub keys_sent: bool,
}

impl Cursor {
    /// Before the first sync: a claim or a pairing has told the key of the server and the life of
    /// its log. `device_key` is the key that the device was, or will be, enrolled with.
    pub fn start(
        shop: ShopId,
        generation: Generation,
        server_key: PublicKey,
        device: DeviceNo,
        device_key: &PublicKey,
    ) -> Cursor {
        let mut log = Log::new(shop, generation);
        log.begin(DeviceNo::SERVER, ChainHead::genesis(shop, &server_key));
        log.begin(device, ChainHead::genesis(shop, device_key));
        Cursor {
            log,
            server_key,
            keys_last: 0,
            pinned: None,
            restored: None,
        }
    }
}
