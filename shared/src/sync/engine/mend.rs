//! A part of the stored log is damaged: it comes again from the server, and is believed if the log
//! with it is the one that was read and checked before, to the last byte.

use super::cursor::Cursor;
use super::outbox::Outbox;
use super::reading::read_chunks;
use crate::bytes::Hash;
use crate::ids::DeviceNo;
use crate::sync::log::{ChainHead, Log};
use crate::sync::wire::{Chunk, MAX_ANSWER_BYTES, PROTOCOL, SyncAnswer, SyncRequest};

/// Reads a stored log once more from its beginning, with other bytes in the place of damaged ones.
#[derive(Debug)]
pub struct Mend<'c> {
    device: DeviceNo,
    /// How far the log was read when it was sound.
    goal: &'c Cursor,
    cursor: Cursor,
}

impl<'c> Mend<'c> {
    /// Begins to read the log of a device that has read it up to `goal`.
    pub fn begin(device: DeviceNo, goal: &'c Cursor) -> Mend<'c> {
        let (shop, generation) = (goal.log.shop(), goal.log.generation());
        let mut log = Log::new(shop, generation);
        let server = ChainHead::genesis(shop, &goal.server_key);
        log.begin(DeviceNo::SERVER, server);
        let cursor = Cursor {
            log,
            ..goal.clone()
        };
        Mend {
            device,
            goal,
            cursor,
        }
    }

    /// The position that comes next.
    pub fn next(&self) -> u64 {
        self.cursor.log.size() + 1
    }

    /// The last position that the log had.
    pub const fn last(&self) -> u64 {
        self.goal.log.size()
    }

    /// Reads on. False if these chunks are not what comes next; then nothing has changed.
    pub fn read(&mut self, chunks: Vec<Chunk>) -> bool {
        // What stands in the log counts, whatever the device remembers of its own.
        let nothing = ChainHead {
            seq: 0,
            hash: Hash::default(),
        };
        let outbox = Outbox::new(nothing, Vec::new(), Vec::new());
        let read = read_chunks(self.device, &self.cursor, &outbox, chunks, self.last());
        match read {
            Ok(batch) => {
                self.cursor = batch.cursor;
                true
            }
            Err(_) => false,
        }
    }

    /// Asks a server for what comes next, own events too.
    pub fn request(&self) -> SyncRequest {
        let log = &self.cursor.log;
        SyncRequest {
            protocol: PROTOCOL,
            generation: Some(log.generation()),
            position: log.size(),
            root: log.root(),
            last_seq: 0,
            last_hash: Hash::default(),
            keys_after: self.goal.keys_last,
            want_bytes: MAX_ANSWER_BYTES,
            push: None,
            keys: None,
            segments: None,
        }
    }

    /// Reads what came, as far as the position `until`, and gives it. `None` if it is of no use.
    pub fn take(&mut self, answer: SyncAnswer, until: u64) -> Option<Vec<Chunk>> {
        let next = self.next();
        let chunks = answer.chunks.into_iter();
        let chunks: Vec<Chunk> = chunks
            .filter_map(|chunk| between(chunk, next, until))
            .collect();
        let is_next = !chunks.is_empty() && self.read(chunks.clone());
        is_next.then_some(chunks)
    }

    /// Is the log the one that was read before? The root of its tree covers every byte of it.
    pub fn is_sound(&self) -> bool {
        let (log, goal) = (&self.cursor.log, &self.goal.log);
        log.size() == goal.size() && log.root() == goal.root()
    }
}

/// What of a chunk stands between two positions, both included.
fn between(mut chunk: Chunk, first: u64, last: u64) -> Option<Chunk> {
    let before = u32::try_from(first.saturating_sub(chunk.position)).ok()?;
    let room = last.checked_sub(chunk.position.max(first))?;
    let count = u64::from(chunk.count.checked_sub(before)?).min(room + 1);
    let events = chunk.events.take()?.into_iter();
    Some(Chunk {
        position: chunk.position + u64::from(before),
        first_seq: chunk.first_seq.checked_add(before)?,
        count: u32::try_from(count).ok().filter(|count| *count > 0)?,
        events: Some(events.skip(before as usize).take(count as usize).collect()),
        ..chunk
    })
}
