//! Reading a part of the log: every byte is checked before any of it is believed.

use super::cursor::Cursor;
use super::outbox::Outbox;
use super::status::{Rewritten, Stop};
use super::{Batch, Restored};
use crate::bytes::Bytes;
use crate::event::{Body, Branch, Decoded, decode_only};
use crate::ids::DeviceNo;
use crate::sync::branch::number_of;
use crate::sync::log::{ChainHead, Log, NotNext};
use crate::sync::wire::{Chunk, Fork, SyncAnswer, Verdict};

/// Reads what an answer brings of the log.
pub(super) fn read(
    device: DeviceNo,
    cursor: &Cursor,
    outbox: &Outbox,
    answer: SyncAnswer,
) -> Result<Batch, Stop> {
    let mut batch = read_chunks(device, cursor, outbox, answer.chunks, answer.head.size)?;
    let log = &batch.cursor.log;
    if log.size() == answer.head.size && log.root() != answer.head.root {
        return Err(Stop::LogRewritten(Rewritten::OtherRoot));
    }
    batch.cursor.keys_last = batch.cursor.keys_last.max(answer.keys_last);
    batch.keys = answer.keys;
    Ok(batch)
}

/// Reads nothing: for what else is stored with the cursor.
pub(super) fn nothing(device: DeviceNo, cursor: &Cursor) -> Batch {
    let own = cursor.log.chain(device);
    Batch {
        chunks: Vec::new(),
        segment: None,
        keys: Vec::new(),
        cursor: cursor.clone(),
        confirmed_seq: own.map_or(0, |head| head.seq),
        restored: None,
        rebuild: false,
        cut: None,
        branch: None,
    }
}

/// Reads chunks of a log that has so many events. Whether they are the log's is known at its end.
pub(super) fn read_chunks(
    device: DeviceNo,
    cursor: &Cursor,
    outbox: &Outbox,
    mut chunks: Vec<Chunk>,
    log_size: u64,
) -> Result<Batch, Stop> {
    let mut reader = Reader {
        device,
        outbox,
        cursor: cursor.clone(),
        rebuild: false,
        fork: None,
    };
    for index in 0..chunks.len() {
        reader.begin_founder(&chunks[index..]);
        reader.read(&mut chunks[index])?;
    }
    let log = &reader.cursor.log;
    if log.size() > log_size {
        return Err(Stop::LogRewritten(Rewritten::Shorter));
    }
    if let Some(fork) = reader.fork {
        let shared = ChainHead {
            seq: fork.from_seq - 1,
            hash: fork.previous,
        };
        reader.cursor.log.begin(number_of(&fork), shared);
        return Ok(Batch {
            chunks,
            segment: None,
            keys: Vec::new(),
            cursor: reader.cursor,
            confirmed_seq: shared.seq,
            restored: None,
            rebuild: true,
            cut: None,
            branch: Some(fork),
        });
    }
    let own = log.chain(device);
    let from = outbox.last();
    Ok(Batch {
        chunks,
        segment: None,
        keys: Vec::new(),
        cursor: reader.cursor,
        confirmed_seq: own.map_or(0, |head| head.seq),
        restored: own
            .filter(|to| to.seq > from.seq)
            .map(|to| Restored { from, to }),
        rebuild: reader.rebuild,
        cut: None,
        branch: None,
    })
}

/// Reads a log anew that was read before, from its beginning, and gives how far it was read after
/// each of these numbers of chunks. `None` where it cannot be read.
pub(super) fn stages(
    device: DeviceNo,
    start: &Cursor,
    chunks: &mut [Chunk],
    after: &[usize],
) -> Option<Vec<Cursor>> {
    let outbox = Outbox::new(start.log.chain(device)?, Vec::new(), Vec::new());
    let mut reader = Reader {
        device,
        outbox: &outbox,
        cursor: start.clone(),
        rebuild: false,
        fork: None,
    };
    let mut stages = Vec::with_capacity(after.len());
    for index in 0..=chunks.len() {
        if after.contains(&index) {
            stages.push(reader.cursor.clone());
        }
        if index < chunks.len() {
            reader.begin_founder(&chunks[index..]);
            reader.read(&mut chunks[index]).ok()?;
        }
    }
    Some(stages)
}

struct Reader<'o> {
    device: DeviceNo,
    outbox: &'o Outbox,
    cursor: Cursor,
    rebuild: bool,
    /// The log holds other events than this storage from here on: they are another device's.
    fork: Option<Fork>,
}

impl Reader<'_> {
    /// Every chain but the founding phone's begins after the event that enrolled its device: that
    /// one enrols itself, a little later in its own chain.
    fn begin_founder(&mut self, chunks: &[Chunk]) {
        if self.cursor.log.chain(chunks[0].device).is_some() {
            return;
        }
        let own = chunks.iter().filter(|chunk| {
            chunk.device == DeviceNo::FOUNDER && chunk.verdict == Verdict::Accepted
        });
        let enrolment = own
            .filter_map(|chunk| chunk.events.as_ref())
            .flatten()
            .find_map(
                |bytes| match decode_only(&bytes.0, None, Log::begins_a_chain) {
                    Ok(Decoded::Known(event)) => match &event.body {
                        Body::DeviceEnrolled(body) if body.device == DeviceNo::FOUNDER => {
                            Some(event)
                        }
                        _ => None,
                    },
                    _ => None,
                },
            );
        if let Some(event) = enrolment {
            self.cursor.log.accept(&event);
        }
    }

    fn read(&mut self, chunk: &mut Chunk) -> Result<(), Stop> {
        self.skip_known(chunk);
        if chunk.position != self.cursor.log.size() + 1 {
            return Err(Stop::LogRewritten(Rewritten::NotDense));
        }
        if chunk.first_seq.checked_add(chunk.count).is_none() {
            return Err(Stop::LogRewritten(Rewritten::BadChunk));
        }
        // The leaves do not say how ids are to be read, but the log does.
        if chunk.branch_of != self.cursor.log.branch_of(chunk.device) {
            return Err(Stop::LogRewritten(Rewritten::BadChunk));
        }
        let own = self.is_own(chunk.device);
        let events = match chunk.events.take() {
            Some(events) => events,
            None => self.own_events(chunk)?,
        };
        if events.is_empty() || events.len() != chunk.count as usize {
            return Err(Stop::LogRewritten(Rewritten::BadChunk));
        }
        let branch = chunk.branch_of.map(|of| Branch {
            device: chunk.device,
            of: of.device,
            from_seq: of.from_seq,
        });
        for (bytes, seq) in events.iter().zip(chunk.first_seq..) {
            let head = self.head_of(chunk.device, bytes)?;
            if head.seq != seq {
                return Err(Stop::LogRewritten(Rewritten::BadChunk));
            }
            let log = &mut self.cursor.log;
            if chunk.verdict == Verdict::Accepted
                && let Ok(Decoded::Known(event)) =
                    decode_only(&bytes.0, branch, Log::begins_a_chain)
            {
                log.accept(&event);
            }
            log.append(chunk.device, head, chunk.received, chunk.verdict)
                .map_err(|reason| Stop::LogRewritten(reason.into()))?;
        }
        self.rebuild |= own && chunk.verdict != Verdict::Accepted;
        chunk.events = Some(events);
        Ok(())
    }

    /// Leaves out what this device has read of a chunk. A server that has lost a part of its log may
    /// have got it again together with what came after it.
    fn skip_known(&self, chunk: &mut Chunk) {
        let next = self.cursor.log.size() + 1;
        let known = u32::try_from(next.saturating_sub(chunk.position)).unwrap_or(u32::MAX);
        let first_seq = chunk.first_seq.checked_add(known);
        let Some(first_seq) = first_seq.filter(|_| known < chunk.count) else {
            return;
        };
        if let Some(events) = &mut chunk.events {
            events.drain(..events.len().min(known as usize));
        }
        (chunk.position, chunk.first_seq) = (chunk.position + u64::from(known), first_seq);
        chunk.count -= known;
    }

    fn is_own(&self, device: DeviceNo) -> bool {
        device == self.device && self.fork.is_none()
    }

    /// The bytes of a chunk that was sent without them, because this device wrote them.
    fn own_events(&self, chunk: &Chunk) -> Result<Vec<Bytes>, Stop> {
        let seqs = (chunk.first_seq..).take(chunk.count as usize);
        let events = seqs.map_while(|seq| self.outbox.get(seq));
        let events: Vec<Bytes> = events.map(|(bytes, _)| bytes.clone()).collect();
        if self.is_own(chunk.device) && events.len() == chunk.count as usize {
            Ok(events)
        } else {
            Err(Stop::LogRewritten(Rewritten::BadChunk))
        }
    }

    fn head_of(&mut self, device: DeviceNo, bytes: &Bytes) -> Result<ChainHead, Stop> {
        let chain = self.cursor.log.chain(device);
        let chain = chain.ok_or(Stop::LogRewritten(Rewritten::UnknownDevice))?;
        let next = chain.seq.checked_add(1);
        let next = next.ok_or(Stop::LogRewritten(Rewritten::BadChunk))?;
        if self.is_own(device)
            && let Some((written, head)) = self.outbox.get(next)
        {
            if written == bytes {
                return Ok(*head);
            }
            // The log holds another event in the place of one that this storage wrote.
            self.fork = Some(Fork {
                of: device,
                from_seq: next,
                previous: chain.hash,
                next: head.hash,
            });
        }
        Ok(chain.after(&bytes.0))
    }
}

impl From<NotNext> for Rewritten {
    fn from(reason: NotNext) -> Rewritten {
        match reason {
            NotNext::UnknownDevice => Rewritten::UnknownDevice,
            NotNext::Gap => Rewritten::BadChunk,
        }
    }
}
