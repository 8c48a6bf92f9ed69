//! A shop's log in a file: everything that a phone or a server holds, so that it can be kept,
//! verified anywhere and brought back.
//!
//! ```text
//! file  = "pakka/export/v1\n" frame*
//! frame = kind (u8) ‖ length (u32, big-endian) ‖ body ‖ check (8)
//! check = the first 8 bytes of SHA-256(check before ‖ kind ‖ length ‖ body)
//! ```
//!
//! The frames come in this order: one [`Header`], the signed heads, the log run by run, the entries
//! that were not sent yet, keys, the end. Checks are for accidents: they pin damage down to a byte
//! or, with the [`marks`](Mark) beside the events, to an entry. What keeps out forgers are the
//! signatures, which [`verify`] checks.

mod read;
mod write;

use core::fmt;

use minicbor::{Decode, Encode};

pub use read::{Part, Reader, Unsent, verify};
pub use write::Writer;

use crate::chain::digest;
use crate::event::{Body, Decoded, decode_only};
use crate::ids::DeviceNo;
use crate::sync::log::Log;
use crate::verify::{Fault, KnownDevice, Origin, Summary};

/// What a file begins with.
pub const MAGIC: &[u8; 16] = b"pakka/export/v1\n";

/// The kinds of frames. Numbers are frozen; a reader passes over kinds that it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Header = 1,
    Head = 2,
    Run = 3,
    Unsent = 4,
    Keys = 5,
    End = 6,
}

/// Bytes before a frame's body: its kind and its length.
const FRAME_HEAD_BYTES: usize = 5;

/// Ties a frame to all before it.
type Check = [u8; 8];

/// The check of nothing: what the first frame follows.
fn first_check() -> Check {
    first_bytes(&[MAGIC])
}

fn check_of(before: &Check, head: &[u8], body: &[u8]) -> Check {
    first_bytes(&[before, head, body])
}

/// The first bytes of the SHA-256 of an event, kept beside it to tell *which* event was damaged.
pub type Mark = [u8; 4];

fn mark_of(event: &[u8]) -> Mark {
    first_bytes(&[event])
}

fn first_bytes<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let hash = digest(parts);
    core::array::from_fn(|index| hash.0[index])
}

/// What a file is of.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Header {
    /// What the log begins with.
    #[n(0)]
    pub origin: Origin,
    /// Who wrote the file: a phone, or the server.
    #[n(1)]
    pub device: DeviceNo,
}

/// The devices whose chains begin before the log says so, for a phone's [`Header`]: the founding
/// phone as the log itself enrols it, and the phone itself where the log does not let it in (yet).
/// `accepted` are the accepted events of the log, from its first on.
pub fn known_devices<'b>(
    own: KnownDevice,
    accepted: impl Iterator<Item = &'b [u8]>,
) -> Vec<KnownDevice> {
    let mut founder = None;
    for bytes in accepted {
        let Ok(Decoded::Known(event)) = decode_only(bytes, None, Log::begins_a_chain) else {
            continue;
        };
        let (device, key) = match event.body {
            Body::DeviceEnrolled(body) => (body.device, Some(body.key)),
            Body::BranchRegistered(body) => (body.device, None),
            _ => continue,
        };
        if let (DeviceNo::FOUNDER, Some(key), None) = (device, key, founder) {
            founder = Some(KnownDevice { device, key });
        }
        if founder.is_some() && device == own.device {
            return founder.into_iter().collect();
        }
    }
    let others = founder.filter(|founder| founder.device != own.device);
    others.into_iter().chain([own]).collect()
}

/// Why a file is not good, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// What was found good before.
    pub good: Summary,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Something in it, other than the bytes of an entry, is not as it was written.
    Structure {
        /// Where, counted from 0.
        byte: usize,
    },
    /// The log in it is not good.
    Log(Fault),
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::Structure { byte } => write!(formatter, "the file is damaged at byte {byte}"),
            Flaw::Log(fault) => fault.fmt(formatter),
        }
    }
}

impl core::error::Error for Flaw {}
