//! The shop's devices and their keys.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::parts::{PublicKey, Role};
use super::shape::fields;
use crate::bytes::{Fixed, Hash};
use crate::ids::{DeviceNo, IdMap, StaffId};
use crate::text::Text;

/// A device may write from now on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array, context_bound = "IdMap")]
pub struct DeviceEnrolled {
    /// Its number.
    #[n(0)]
    pub device: DeviceNo,
    /// The key that it signs with.
    #[n(1)]
    pub key: PublicKey,
    /// The most that it may do.
    #[n(2)]
    pub role: Role,
    /// What people call it.
    #[n(3)]
    pub name: Text,
    /// The member of staff who uses it, if it is one person's.
    #[n(4)]
    pub staff: Option<StaffId>,
}

/// A device got another name.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct DeviceNamed {
    /// The device.
    #[n(0)]
    pub device: DeviceNo,
    /// What people call it.
    #[n(1)]
    pub name: Text,
}

/// A device may write no more: what it sends from now on is held for the owner.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct DeviceRevoked {
    /// The device.
    #[n(0)]
    pub device: DeviceNo,
}

/// A device signs with another key from now on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct DeviceKeyChanged {
    /// The device.
    #[n(0)]
    pub device: DeviceNo,
    /// The new key.
    #[n(1)]
    pub key: PublicKey,
}

/// The app was opened.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct SessionStarted {
    /// The version of the app.
    #[n(0)]
    pub app: String,
    /// The version of its folds, see [`crate::ledger::FOLD_VERSION`].
    #[n(1)]
    pub fold_version: u16,
}

/// A copy of a device's storage was found writing. Written by the server.
///
/// The branch keeps its bytes; inside them every id of `of` from `from_seq` on means `device`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct BranchRegistered {
    /// The number under which the copy goes on.
    #[n(0)]
    pub device: DeviceNo,
    /// The device that was copied.
    #[n(1)]
    pub of: DeviceNo,
    /// The first number that both wrote.
    #[n(2)]
    pub from_seq: u32,
    /// The chain hash before it, which both share.
    #[n(3)]
    pub previous: Hash,
}

/// After a loss that nobody could make good, an owner let the log go on from where the server's
/// ends. Written by the server.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct GenerationOpened {
    /// The life of the log that begins.
    #[n(0)]
    pub generation: Fixed<16>,
    /// The one that ends.
    #[n(1)]
    pub of: Fixed<16>,
    /// How long the server's log was then …
    #[n(2)]
    pub size: u64,
    /// … and its root. What stands up to there stays.
    #[n(3)]
    pub root: Hash,
    /// The key that signs the log from now on.
    #[n(4)]
    pub server: PublicKey,
    /// The owner's device that confirmed it …
    #[n(5)]
    pub device: DeviceNo,
    /// … and its signature of [`crate::sync::generation::consent_message`].
    #[n(6)]
    pub signature: Fixed<64>,
}

fields! {
    DeviceEnrolled: device key role name staff;
    DeviceNamed: device name;
    DeviceRevoked: device;
    DeviceKeyChanged: device key;
    SessionStarted: app fold_version;
    BranchRegistered: device of from_seq previous;
    GenerationOpened: generation of size root server device signature;
}
