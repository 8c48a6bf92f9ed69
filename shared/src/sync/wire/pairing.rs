//! How a server gets its shop, and a shop its phones.

use minicbor::{Decode, Encode};

use super::{Generation, Token};
use crate::bytes::{Bytes, Hash};
use crate::calendar::TimeMs;
use crate::event::{PublicKey, Role};
use crate::ids::{DeviceNo, ShopId};

/// An owner takes a new server for a shop. `POST /api/v1/claim`.
///
/// Sent again with the same code, shop, key and token it gives the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ClaimRequest {
    /// The code that the server printed.
    #[n(0)]
    pub code: String,
    /// The shop.
    #[n(1)]
    pub shop: ShopId,
    /// The key of the founding phone.
    #[n(2)]
    pub key: PublicKey,
    /// The token that the phone will use.
    #[n(3)]
    pub token: Token,
}

/// The server is this shop's now.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ClaimAnswer {
    /// The number of the phone: 1.
    #[n(0)]
    pub device: DeviceNo,
    /// The key that signs the log.
    #[n(1)]
    pub server_key: PublicKey,
    /// The generation of the log.
    #[n(2)]
    pub generation: Generation,
}

/// An owner or manager lets one more phone join. `POST /api/v1/pairings`, with a token.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PairingOffer {
    /// SHA-256 of the 16-byte secret in the QR.
    #[n(0)]
    pub secret_hash: Hash,
    /// SHA-256 of the code that can be typed instead: [`PAIRING_CODE_CHARS`] characters of
    /// Crockford's base 32, upper case, without blanks.
    #[n(1)]
    pub code_hash: Hash,
    /// The most that the new phone may do.
    #[n(2)]
    pub role: Role,
}

/// Characters of a pairing code that is typed. Short is safe enough here: it works once, for
/// [`PAIRING_LIFE_MS`], with few tries, and the owner confirms the phone that used it.
pub const PAIRING_CODE_CHARS: usize = 8;

/// How long a pairing can be used.
pub const PAIRING_LIFE_MS: i64 = 5 * 60 * 1000;

/// A pairing and the phone that wants to join by it. `GET /api/v1/pairings` lists them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Pairing {
    /// The secret's hash: the name of the pairing.
    #[n(0)]
    pub secret_hash: Hash,
    /// When it lapses.
    #[n(1)]
    pub expires: TimeMs,
    /// The most that the new phone may do.
    #[n(2)]
    pub role: Role,
    /// The phone that wants to join.
    #[n(3)]
    pub joiner: Option<Joiner>,
}

/// A phone that wants to join. The owner confirms it by enrolling this number and key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Joiner {
    /// The number that was set aside for it.
    #[n(0)]
    pub device: DeviceNo,
    /// Its key.
    #[n(1)]
    pub key: PublicKey,
    /// What it calls itself.
    #[n(2)]
    pub name: String,
}

/// A phone asks to join. `POST /api/v1/pairings/join`, sent again until it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct JoinRequest {
    /// The secret of the QR, or the bytes of the typed code.
    #[n(0)]
    pub secret: Bytes,
    /// The phone's key.
    #[n(1)]
    pub key: PublicKey,
    /// The token that the phone will use.
    #[n(2)]
    pub token: Token,
    /// What the phone calls itself, at most 40 characters; forgotten after the pairing.
    #[n(3)]
    pub name: String,
    /// How long the server may wait for the owner before it answers, at most 25 s.
    #[n(4)]
    pub wait_ms: u32,
}

/// How far a joining phone has come.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum JoinAnswer {
    /// The owner has not confirmed it yet.
    #[n(1)]
    Waiting,
    /// It belongs to the shop now.
    #[n(2)]
    Joined(#[n(0)] Joined),
}

/// What a phone needs to know of the shop that it joined.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Joined {
    /// The shop.
    #[n(0)]
    pub shop: ShopId,
    /// The phone's number.
    #[n(1)]
    pub device: DeviceNo,
    /// The most that it may do.
    #[n(2)]
    pub role: Role,
    /// The key that signs the log.
    #[n(3)]
    pub server_key: PublicKey,
    /// The generation of the log.
    #[n(4)]
    pub generation: Generation,
}

/// Four digits that both phones show, so that the owner confirms the right one.
pub fn match_digits(key: &PublicKey) -> String {
    let hash = crate::chain::digest(&[b"pakka/match/v1", &key.point.0]);
    let number = u16::from_be_bytes([hash.0[0], hash.0[1]]) % 10_000;
    format!("{number:04}")
}
