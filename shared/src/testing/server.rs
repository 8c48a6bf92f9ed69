//! A server in memory: the real judgement over a log that is a list.

use super::device::{sign, verify};
use crate::bytes::KeyId;
use crate::calendar::TimeMs;
use crate::event::PublicKey;
use crate::ids::{DeviceNo, ShopId};
use crate::sync::erasure::erased_keys;
use crate::sync::judge::{Judgement, LogState, Refusal, judge};
use crate::sync::tree;
use crate::sync::wire::{
    Chunk, Generation, MAX_ANSWER_BYTES, MAX_KEYS, PROTOCOL, SealingKey, SyncAnswer, SyncRequest,
    TreeHead,
};

/// What the server's disk holds. A clone of it is a backup.
#[derive(Debug, Clone)]
pub struct Server {
    /// What it knows of the log.
    pub state: LogState,
    /// The log.
    pub chunks: Vec<Chunk>,
    /// The keys that it delivers; the number of a key is its place from 1.
    pub keys: Vec<SealingKey>,
    key: PublicKey,
}

impl Server {
    /// A server that the founding phone has just claimed.
    pub fn claimed(
        shop: ShopId,
        generation: Generation,
        founder: PublicKey,
        key: PublicKey,
    ) -> Server {
        Server {
            state: LogState::claimed(shop, generation, founder, key),
            chunks: Vec::new(),
            keys: Vec::new(),
            key,
        }
    }

    /// Decides, and changes nothing yet.
    pub fn judge(
        &self,
        device: DeviceNo,
        request: &SyncRequest,
        now: TimeMs,
    ) -> Result<Judgement, Refusal> {
        judge(&self.state, device, request, now, verify)
    }

    /// Makes a judgement durable: all of it.
    pub fn commit(&mut self, request: &SyncRequest, judgement: &Judgement) {
        for key in request.keys.iter().flatten() {
            if !self.keys.iter().any(|known| known.id == key.id) {
                self.keys.push(key.clone());
            }
        }
        let (Some(after), Some(push)) = (&judgement.after, &request.push) else {
            return;
        };
        self.state = after.clone();
        for new in &judgement.chunks {
            let chunk = Chunk {
                position: new.position,
                device: new.device,
                first_seq: new.first_seq,
                count: new.count(),
                received: new.received,
                verdict: new.verdict,
                events: Some(new.events(push).to_vec()),
                branch_of: self
                    .state
                    .authority
                    .device(new.device)
                    .and_then(|device| device.branch_of),
            };
            self.erase(&chunk);
            self.chunks.push(chunk);
        }
    }

    /// Destroys the keys that an accepted event erases, and lets the devices know.
    fn erase(&mut self, chunk: &Chunk) {
        for id in erased_keys(chunk.verdict, chunk.events.as_deref().unwrap_or_default()) {
            self.keys
                .iter_mut()
                .filter(|known| known.id == id)
                .for_each(|known| known.key = None);
            self.keys.push(SealingKey { id, key: None });
        }
    }

    /// Was this key destroyed?
    pub fn is_destroyed(&self, id: &KeyId) -> bool {
        let destroyed = |known: &SealingKey| known.id == *id && known.key.is_none();
        self.keys.iter().any(destroyed)
    }

    /// The answer to a request whose judgement is durable.
    pub fn answer(&self, request: &SyncRequest, judgement: &Judgement, now: TimeMs) -> SyncAnswer {
        let (mut chunks, mut keys, mut more) = (Vec::new(), Vec::new(), false);
        if judgement.may_read() {
            let first = self
                .chunks
                .partition_point(|chunk| chunk.position <= request.position);
            let mut room = request.want_bytes.min(MAX_ANSWER_BYTES) as usize;
            for chunk in &self.chunks[first..] {
                let covered = judgement.is_covered(chunk.device, chunk.first_seq, chunk.count);
                let events = chunk.events.iter().flatten();
                let length: usize = match covered {
                    true => 0,
                    false => events.map(|bytes| bytes.0.len()).sum(),
                };
                if !chunks.is_empty() && length > room {
                    more = true;
                    break;
                }
                room = room.saturating_sub(length);
                chunks.push(Chunk {
                    events: chunk.events.clone().filter(|_| !covered),
                    ..chunk.clone()
                });
            }
            let after = (request.keys_after as usize).min(self.keys.len());
            keys.extend(self.keys[after..].iter().take(MAX_KEYS).cloned());
            more |= after + keys.len() < self.keys.len();
        }
        SyncAnswer {
            protocol: PROTOCOL,
            generation: self.state.log.generation(),
            results: judgement.results.clone(),
            standing: judgement.standing,
            chunks,
            keys_last: request.keys_after + keys.len() as u64,
            keys,
            head: self.head(now),
            server_time: now,
            more,
        }
    }

    /// The log as a whole, signed.
    pub fn head(&self, at: TimeMs) -> TreeHead {
        let log = &self.state.log;
        let (size, root) = (log.size(), log.root());
        let message = tree::head_message(log.shop(), &log.generation(), size, &root, at);
        TreeHead {
            size,
            root,
            at,
            signature: sign(&self.key, &message),
        }
    }

    /// Judges, commits and answers in one go.
    pub fn sync(
        &mut self,
        device: DeviceNo,
        request: &SyncRequest,
        now: TimeMs,
    ) -> Result<SyncAnswer, Refusal> {
        let judgement = self.judge(device, request, now)?;
        self.commit(request, &judgement);
        Ok(self.answer(request, &judgement, now))
    }
}
