//! How what a device wrote and read becomes its books.

use shared::bytes::Bytes;
use shared::event::{Body, Branch, Event};
use shared::ids::DeviceNo;
use shared::ledger::{Ledger, Receipts, Standing};
use shared::sync::branch::number_of;
use shared::sync::wire::{Fork, SealingKey, Verdict};
use shared::text::Key;

use crate::device::Device;
use crate::storage::{Read, Wrote};

impl Device {
    /// Takes what the device wrote into its books.
    pub(crate) fn take_written(&mut self, wrote: Wrote) {
        let first_seq = self.last_seq() + 1;
        for key in wrote.keys {
            self.hold(&key);
            self.own_keys.push((first_seq, key));
        }
        for bytes in wrote.events {
            let seq = self.last_seq() + 1;
            self.fold(self.number(), seq, &bytes, self.branch, Standing::Counted);
            self.own.push(bytes);
        }
    }

    /// Takes a part of the log into the books.
    pub(crate) fn take_read(&mut self, read: Read) {
        for key in &read.keys {
            self.hold(key);
        }
        self.own_keys.retain(|&(seq, _)| seq > read.confirmed_seq);
        if let Some(position) = read.cut {
            self.log.retain(|chunk| chunk.position <= position);
        }
        if let Some(fork) = &read.branch {
            self.become_branch(fork);
        }
        let first_new = self.log.len();
        self.log.extend(read.chunks);
        if read.rebuild {
            self.ledger = Ledger::default();
            self.receipts = Receipts::default();
            self.fold_log(0);
            if let Some(branch) = self.branch {
                self.ledger.begin_branch(branch);
            }
            let own = core::mem::take(&mut self.own);
            for (bytes, seq) in own.iter().zip(1..) {
                self.fold(self.number(), seq, bytes, self.branch, Standing::Counted);
            }
            self.own = own;
        } else {
            self.fold_log(first_new);
        }
    }

    /// Takes the number, the key and the token that it claimed. What it wrote before the fork stands
    /// in the log as the copied device's.
    fn become_branch(&mut self, fork: &Fork) {
        let Some((claim, key)) = self.claim.take_if(|(claim, _)| claim.request.fork == *fork)
        else {
            return;
        };
        self.identity.device = number_of(fork);
        self.identity.pkcs8 = claim.pkcs8.clone();
        self.identity.token = claim.request.token;
        self.branch = Some(Branch {
            device: self.identity.device,
            of: fork.of,
            from_seq: fork.from_seq,
        });
        self.asked_as = Some(claim.request);
        self.key = key;
    }

    /// Folds the chunks from `first` on. What was folded before is passed over by the ledger.
    fn fold_log(&mut self, first: usize) {
        let log = core::mem::take(&mut self.log);
        for chunk in &log[first..] {
            let standing = match chunk.verdict {
                Verdict::Accepted => Standing::Counted,
                Verdict::Held => Standing::Held,
                _ => Standing::Quarantined,
            };
            let branch = chunk.branch_of.map(|of| Branch {
                device: chunk.device,
                of: of.device,
                from_seq: of.from_seq,
            });
            self.receipts
                .add(chunk.device, chunk.first_seq, chunk.count, chunk.received);
            let events = chunk.events.as_deref().unwrap_or_default();
            for (bytes, seq) in events.iter().zip(chunk.first_seq..) {
                self.fold(chunk.device, seq, bytes, branch, standing);
                // An older copy of the device gets back what it wrote since.
                if chunk.device == self.number() && seq == self.last_seq() + 1 {
                    self.own.push(bytes.clone());
                }
            }
        }
        self.log = log;
    }

    fn fold(
        &mut self,
        device: DeviceNo,
        seq: u32,
        bytes: &Bytes,
        branch: Option<Branch>,
        standing: Standing,
    ) {
        let decoded = shared::event::decode(&bytes.0, branch);
        let erases = matches!(
            &decoded,
            Ok(shared::event::Decoded::Known(Event {
                body: Body::CustomerErased(_),
                ..
            }))
        );
        // A gap cannot be: chains are read in their order, own ones are written so.
        let _ = self.ledger.fold(device, seq, decoded, standing);
        if erases {
            for key in &self.ledger.erased_keys {
                self.keys.destroy(*key);
            }
            self.own_keys
                .retain(|(_, key)| self.keys.get(&key.id).is_some());
            self.is_to_forget = true;
        }
    }

    fn hold(&mut self, key: &SealingKey) {
        match key.key {
            Some(bytes) => self.keys.add(key.id, Key(bytes.0)),
            None => {
                self.keys.destroy(key.id);
                self.is_to_forget = true;
            }
        }
    }
}
