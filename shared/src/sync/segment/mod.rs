//! A sealed run of a shop's log in few bytes, which never changes again.
//!
//! Events of the same shape differ in few places. A segment keeps each shape once, as a *template*,
//! and what differs in columns: integers foretold from their neighbours, texts and ids by their
//! place in a dictionary, ciphertexts as they are. It knows nothing of kinds of events: the writer
//! finds the shapes in the bytes, so that a kind of the future is kept as small as one of today.
//! What is not written as events are written is kept as it stands. Either way every event comes
//! back byte for byte; the writer tries that before it gives a segment away.
//!
//! The columns are made for a compressor: a segment is stored and sent in brotli by those who have
//! it (the server, browsers), and is less than half of the events' own bytes without.

mod bytes;
mod column;
mod common;
pub mod packed;
mod read;
mod template;
mod tree;
mod write;

pub use read::{pick, read};
pub use write::write;

use crate::bytes::{Bytes, Hash};
use crate::ids::{DeviceNo, EventId, ShopId};
use crate::sync::wire::{Chunk, Generation, Signature};

/// The first bytes of a segment: its name, and the version of its format.
pub const MAGIC: [u8; 4] = *b"PKS\x01";

/// The version of the format, as in [`MAGIC`].
pub const VERSION: u8 = 1;

/// The media type of segments.
pub const MEDIA_TYPE: &str = "application/vnd.pakka.segment";

/// The most events in a segment.
pub const MAX_EVENTS: usize = 65_536;

/// The most bytes of events in a segment, and of a segment itself.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The most values in a column.
const MAX_VALUES: usize = MAX_BYTES;

/// The most columns, templates, and words in a dictionary.
const MAX_COLUMNS: usize = 4096;
const MAX_TEMPLATES: usize = 16_384;
const MAX_WORDS: usize = MAX_EVENTS;

/// The most devices in a segment.
const MAX_DEVICES: usize = 4096;

/// Where in the array of an event stand what both the writer and [`pick`] know of it: the group,
/// kind and version, and the body, which is the last of the elements.
const GROUP: usize = 5;
const KIND: usize = 9;
const KIND_VERSION: usize = 10;
const BODY: usize = 11;
const ELEMENTS: usize = 12;

/// A run of the log: what a segment holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The shop.
    pub shop: ShopId,
    /// The life of its log.
    pub generation: Generation,
    /// The log from the first chunk's position on without a gap, every chunk with its events.
    pub chunks: Vec<Chunk>,
    /// Where the chains of the devices stand at its end, for each device in it; by device.
    pub ends: Vec<ChainEnd>,
}

/// Where the chain of a device stands at the end of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainEnd {
    /// The device, or the number of the branch.
    pub device: DeviceNo,
    /// The number of its last event in the segment.
    pub seq: u32,
    /// The chain hash there.
    pub hash: Hash,
    /// The device's signature there, where the segment ends with a push of the device.
    pub signature: Option<Signature>,
}

/// What the columns of a segment tell of an event, before anybody reads it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'s> {
    /// The event.
    pub id: EventId,
    /// The number of its kind; `None` if the columns do not tell: then the event may be anything.
    pub kind: Option<u16>,
    /// It is known to belong to no group.
    pub is_alone: bool,
    /// All that looks like the name of an event or entity in it, as it is read; nothing of an event
    /// that is kept as it stands.
    pub names: &'s [EventId],
}

/// Some events of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked {
    /// The chunk, without its events.
    pub chunk: Chunk,
    /// The events that were wanted, each with its number.
    pub events: Vec<(u32, Bytes)>,
}

impl Segment {
    /// The position of the first event; 0 for none.
    pub fn first(&self) -> u64 {
        self.chunks.first().map_or(0, |chunk| chunk.position)
    }

    /// The position of the last event; 0 for none.
    pub fn last(&self) -> u64 {
        let end = |chunk: &Chunk| chunk.position + u64::from(chunk.count) - 1;
        self.chunks.last().map_or(0, end)
    }
}

/// These chunks are no segment: they leave a gap, lack their events, or are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no run of the log that a segment can hold: {0}")]
pub struct Unfit(pub &'static str);

/// A segment is not what its writer wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the segment is damaged at byte {at}: {what}")]
pub struct Damaged {
    /// Where reading stopped, in bytes from the start of the segment.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

/// What a segment's digest covers, so that it is never one of another thing.
const DIGEST_DOMAIN: &[u8] = b"pakka/segment/v1";

/// The columns that every segment has; those of templates follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fixed {
    Devices,
    FirstSeqs,
    Counts,
    Received,
    Verdicts,
    BranchesOf,
    BranchesFrom,
    WordLengths,
    IdDevices,
    IdSeqs,
    /// The lengths of events that are kept as they stand.
    Raws,
    /// The template of each event.
    Templates,
}

impl Fixed {
    const COUNT: usize = Fixed::Templates as usize + 1;
}
