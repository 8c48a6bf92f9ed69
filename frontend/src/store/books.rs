//! The shop as this tab knows it: what the stored events fold into.

use std::collections::BTreeMap;

use shared::bytes::{Bytes, Hash};
use shared::event::{self, Branch};
use shared::ids::{DeviceNo, StaffId};
use shared::ledger::{Device, Ledger, Receipts, Standing, Step};
use shared::snapshot::Mark;
use shared::sync::engine::Cursor;
use shared::sync::log::{ChainHead, Log};
use shared::sync::wire::{Chunk, Generation, SealingKey, Verdict};
use shared::text::{Key, KeyRing};

use super::StoreError;
use super::database::Loaded;
use super::records::Identity;

/// What screens look at. Only the fold changes it.
pub struct Books {
    /// The state of the shop.
    pub ledger: Ledger,
    /// The keys that this phone holds, for queries that show names.
    pub keys: KeyRing,
    /// When the server took which events.
    pub receipts: Receipts,
    /// Which shop and device this is.
    pub identity: Identity,
    /// Who has said to be at the phone.
    pub(super) chosen: Option<StaffId>,
    /// The end of the device's own chain.
    pub(super) chain: ChainHead,
    /// The last position of the server's log that was folded; 0 for none.
    pub(super) position: u64,
    /// Own events up to this number are in the server's log.
    pub(super) confirmed_seq: u32,
    /// How far the server's log was read, once there is a server.
    pub(super) cursor: Option<Cursor>,
}

/// What folding a part of the log showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Folded {
    /// All is counted.
    Done,
    /// The server put aside an own event that was counted already: fold everything anew.
    Refold,
}

impl Books {
    /// Empty books.
    pub(super) fn new(identity: Identity, chain: ChainHead) -> Books {
        let mut books = Books {
            ledger: Ledger::default(),
            keys: KeyRing::new(identity.shop),
            receipts: Receipts::default(),
            chosen: None,
            chain,
            position: 0,
            confirmed_seq: 0,
            cursor: None,
            identity,
        };
        if let Some(branch) = books.identity.branch() {
            books.ledger.begin_branch(branch);
            books.confirmed_seq = branch.from_seq.saturating_sub(1);
        }
        books
    }

    /// Empty books of the same shop.
    pub(super) fn empty(&self) -> Books {
        Books::new(self.identity.clone(), self.chain)
    }

    /// Books that go on from a snapshot; `None` if it does not belong to what is stored here.
    pub(super) fn resume(loaded: &Loaded, ledger: Ledger, mark: &Mark) -> Option<Books> {
        let device = loaded.identity.device;
        let own = ledger.lanes.get(&device).map_or(0, |lane| lane.last_seq);
        let of_this_log = match &loaded.cursor {
            Some(cursor) => cursor.log.generation() == mark.generation(),
            None => mark.position() == 0,
        };
        let fits = of_this_log && own <= loaded.chain.seq && ledger.devices.contains_key(&device);
        if !fits {
            return None;
        }
        Some(Books {
            ledger,
            position: mark.position(),
            confirmed_seq: if loaded.cursor.is_some() { own } else { 0 },
            ..Books::new(loaded.identity.clone(), loaded.chain)
        })
    }

    /// This device.
    pub const fn device(&self) -> DeviceNo {
        self.identity.device
    }

    /// The end of the device's own chain.
    pub const fn chain(&self) -> ChainHead {
        self.chain
    }

    /// The server's log as far as it was read.
    pub fn log(&self) -> Option<&Log> {
        self.cursor.as_ref().map(|cursor| &cursor.log)
    }

    /// The number of the device's last entry.
    pub const fn last_seq(&self) -> u32 {
        self.chain.seq
    }

    /// The life of the server's log.
    pub(super) fn life(&self) -> Option<Generation> {
        self.cursor.as_ref().map(|cursor| cursor.log.generation())
    }

    /// Is this storage a copy that is a device of its own by now, and has not read so in the log?
    pub(crate) fn is_unread_branch(&self) -> bool {
        let read = |cursor: &Cursor| cursor.log.branch_of(self.device()).is_some();
        self.identity.branch_of.is_some() && !self.cursor.as_ref().is_some_and(read)
    }

    /// Is this storage a copy that the owner has not let go on or removed yet?
    pub fn is_unconfirmed_copy(&self) -> bool {
        let known = self.ledger.devices.get(&self.device());
        let is_unconfirmed = |known: &Device| known.role.get().is_none() && !known.is_revoked();
        self.identity.branch_of.is_some() && known.is_none_or(is_unconfirmed)
    }

    /// How far the server's log was read and stored.
    pub fn read_to(&self) -> u64 {
        let cursor = self.cursor.as_ref();
        cursor.map_or(0, |cursor| cursor.log.size())
    }

    /// Entries on this phone that stand in no server's log yet.
    pub const fn unconfirmed(&self) -> u32 {
        self.chain.seq - self.confirmed_seq
    }

    /// The end of each device's chain as far as this phone knows it: its own, and those of the
    /// server's log.
    pub fn heads(&self) -> BTreeMap<DeviceNo, Hash> {
        let head = |device| match device {
            device if device == self.device() => Some(self.chain),
            device => self.cursor.as_ref()?.log.chain(device),
        };
        let devices = self.ledger.lanes.keys();
        devices
            .filter_map(|&device| Some((device, head(device)?.hash)))
            .collect()
    }

    /// Has the phone everything that the shop had when it joined, or a snapshot of it? Until then
    /// totals would mislead.
    pub fn is_filled(&self) -> bool {
        let device = self.identity.device;
        let read_once = |cursor: &Cursor| cursor.pinned.is_some();
        !self.ledger.is_whole()
            || device == DeviceNo::FOUNDER
            || self.cursor.as_ref().is_some_and(read_once)
    }

    /// Folds a run of the log. What was folded before is passed over.
    pub(super) fn fold_chunk(&mut self, chunk: &Chunk) -> Result<Folded, StoreError> {
        let last = chunk.position + u64::from(chunk.count) - 1;
        if chunk.count == 0 || last <= self.position {
            return Ok(Folded::Done);
        }
        if chunk.position > self.position + 1 {
            return Err(StoreError::Damaged("segment"));
        }
        let events = chunk.events.as_deref().unwrap_or_default();
        if events.len() != chunk.count as usize {
            return Err(StoreError::Damaged("segment"));
        }
        let own = chunk.device == self.identity.device;
        let counted = self.folded_seq(chunk.device) >= chunk.first_seq;
        if own && counted && chunk.verdict != Verdict::Accepted {
            return Ok(Folded::Refold);
        }
        let branch = chunk.branch_of.map(|of| Branch {
            device: chunk.device,
            of: of.device,
            from_seq: of.from_seq,
        });
        let standing = chunk.verdict.standing();
        for (seq, bytes) in (chunk.first_seq..).zip(events) {
            self.fold(chunk.device, seq, &bytes.0, branch, standing)?;
        }
        self.receipts
            .add(chunk.device, chunk.first_seq, chunk.count, chunk.received);
        self.position = last;
        if own {
            self.confirmed_seq = self.confirmed_seq.max(chunk.first_seq + chunk.count - 1);
        }
        Ok(Folded::Done)
    }

    /// Folds own events that no server has confirmed. What was folded before is passed over.
    pub(super) fn fold_own(&mut self, first_seq: u32, events: &[Bytes]) -> Result<(), StoreError> {
        for (seq, bytes) in (first_seq..).zip(events) {
            let (device, branch) = (self.identity.device, self.identity.branch());
            self.fold(device, seq, &bytes.0, branch, Standing::Counted)?;
        }
        Ok(())
    }

    fn fold(
        &mut self,
        device: DeviceNo,
        seq: u32,
        bytes: &[u8],
        branch: Option<Branch>,
        standing: Standing,
    ) -> Result<(), StoreError> {
        if seq <= self.folded_seq(device) {
            return Ok(());
        }
        let event = event::decode(bytes, branch);
        match self.ledger.fold(device, seq, event, standing) {
            Step::Read | Step::Duplicate => Ok(()),
            Step::Gap { .. } => Err(StoreError::Damaged("chain")),
        }
    }

    /// The last own event that was folded.
    pub(super) fn last_own_seq(&self) -> u32 {
        self.folded_seq(self.identity.device)
    }

    /// Who is at the phone: whoever said so, else the person that it was enrolled for.
    pub fn staff(&self) -> Option<StaffId> {
        let works_here = |staff: &StaffId| {
            let member = self.ledger.staff.get(staff);
            member.is_some_and(|member| !member.removed)
        };
        let device = self.ledger.devices.get(&self.identity.device);
        let usual = device.and_then(|device| *device.staff.get()?);
        self.chosen.or(usual).filter(works_here)
    }

    fn folded_seq(&self, device: DeviceNo) -> u32 {
        let lane = self.ledger.lanes.get(&device);
        lane.map_or(0, |lane| lane.last_seq)
    }

    /// Takes keys into the ring, and those out of it that were destroyed. To be called after each
    /// fold: an erasure destroys keys, whatever a store still holds.
    pub(super) fn take_keys(&mut self, keys: &[SealingKey]) {
        for key in keys {
            match key.key {
                Some(bytes) => self.keys.add(key.id, Key(bytes.0)),
                None => self.keys.destroy(key.id),
            }
        }
        for id in &self.ledger.erased_keys {
            self.keys.destroy(*id);
        }
    }
}
