//! How a copy of a device's storage that wrote on becomes a device of its own.

use minicbor::{Decode, Encode};

use super::{Signature, Token};
use crate::bytes::Hash;
use crate::event::PublicKey;
use crate::ids::{DeviceNo, ShopId};

/// Where a copy left the chain that it was copied from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Fork {
    /// The device that was copied.
    #[n(0)]
    pub of: DeviceNo,
    /// The first number that both wrote.
    #[n(1)]
    pub from_seq: u32,
    /// The chain hash before it, which both share.
    #[n(2)]
    pub previous: Hash,
    /// The copy's chain hash with its first event of its own.
    #[n(3)]
    pub next: Hash,
}

/// A copy asks to go on as a device of its own, with a new key and a new token.
/// `POST /api/v1/branch`, without a token: the key of the copied device vouches for it. Sent again,
/// even years later, it gives the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct BranchRequest {
    /// The shop.
    #[n(0)]
    pub shop: ShopId,
    /// Where the copy left the chain.
    #[n(1)]
    pub fork: Fork,
    /// The key that it signs with from now on.
    #[n(2)]
    pub key: PublicKey,
    /// The token that it uses from now on.
    #[n(3)]
    pub token: Token,
    /// The signature of [`crate::sync::branch::branch_message`] by the key of the copied device.
    #[n(4)]
    pub signature: Signature,
}

/// The copy is a device of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct BranchAnswer {
    /// Its number: that of [`crate::sync::branch::number_of`].
    #[n(0)]
    pub device: DeviceNo,
}
