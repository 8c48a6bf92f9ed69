//! Verifies a whole log, from its first event to its signed head: nothing was changed, left out,
//! added, moved or cut off since devices and server signed it.
//!
//! A [`Verifier`] is fed run by run, so that a log of any length needs little memory. It stops at
//! the first [`Fault`]. Whether a signature is a key's is asked of a function that is handed in.

mod fault;
mod groups;
mod signatures;

use std::collections::BTreeMap;

pub use fault::{Fault, Wrong};
pub use signatures::Depth;

use minicbor::{Decode, Encode};

use crate::bytes::{Fixed, Hash};
use crate::calendar::TimeMs;
use crate::event::{Body, Branch, Decoded, PublicKey, decode_only};
use crate::ids::{DeviceNo, EventId, ShopId};
use crate::sync::authority::is_of_authority;
use crate::sync::log::{ChainHead, Log, NotNext};
use crate::sync::tree;
use crate::sync::wire::{BranchOf, Generation, Signature, TreeHead, Verdict};
use groups::Groups;
use signatures::{Signatures, is_signed};

/// What a log begins with. Whoever verifies has to know the server's key from elsewhere, or must
/// compare it: everything else hangs on it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Origin {
    /// The shop.
    #[n(0)]
    pub shop: ShopId,
    /// Who signs the log; absent where the shop has no server.
    #[n(1)]
    pub server: Option<Signer>,
    /// The devices whose chains may begin before the log says so: the founding phone, whose
    /// enrolment stands in its own chain, and a phone whose enrolment it has not read yet.
    #[n(2)]
    pub devices: Vec<KnownDevice>,
}

/// Who signs a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Signer {
    /// The life of the log.
    #[n(0)]
    pub generation: Generation,
    /// The server's key.
    #[n(1)]
    pub key: PublicKey,
}

/// A device and the key that its chain begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct KnownDevice {
    /// Its number.
    #[n(0)]
    pub device: DeviceNo,
    /// The key that it was, or will be, enrolled with.
    #[n(1)]
    pub key: PublicKey,
}

/// Events of one device that follow each other in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The position of the first event.
    pub position: u64,
    /// The device, or the number of the branch.
    pub device: DeviceNo,
    /// The number of the first event in the device's chain.
    pub first_seq: u32,
    /// When the server took them.
    pub received: TimeMs,
    /// The server's judgement.
    pub verdict: Verdict,
    /// Set in a branch.
    pub branch_of: Option<BranchOf>,
    /// The chain hash after the last event, where it is kept.
    pub end_hash: Option<Hash>,
    /// The device's signature of its chain at the end of the push that the run came in, where it is
    /// kept. It may end in a later run, if the push had several verdicts.
    pub signature: Option<Signature>,
}

/// What was found good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// So many events of the log.
    pub events: u64,
    /// So many of them under a signed head of the server.
    pub proven: u64,
    /// Events of a phone that stand in no server's log yet.
    pub unsent: u64,
    /// Devices that may appear in the log, the server included.
    pub devices: usize,
    /// Groups whose last events are still to come.
    pub open_groups: usize,
}

/// Verifies one log.
pub struct Verifier<V> {
    log: Log,
    /// The keys that each device has had, in their order.
    keys: BTreeMap<DeviceNo, Vec<PublicKey>>,
    /// Heads by their size, the next one last.
    heads: Vec<TreeHead>,
    groups: Groups,
    signatures: Signatures,
    summary: Summary,
    verify: V,
}

impl<V: Fn(&PublicKey, &[u8], &Signature) -> bool> Verifier<V> {
    /// Begins at position 1. `verify` says whether a signature of a message is by a key.
    pub fn new(origin: &Origin, depth: Depth, verify: V) -> Verifier<V> {
        let generation = origin.server.map_or(Fixed([0; 16]), |it| it.generation);
        let mut log = Log::new(origin.shop, generation);
        let mut keys = BTreeMap::new();
        let server = origin.server.map(|it| (DeviceNo::SERVER, it.key));
        let devices = origin.devices.iter().map(|it| (it.device, it.key));
        for (device, key) in server.into_iter().chain(devices) {
            log.begin(device, ChainHead::genesis(origin.shop, &key));
            keys.entry(device).or_insert_with(|| vec![key]);
        }
        Verifier {
            log,
            keys,
            heads: Vec::new(),
            groups: Groups::default(),
            signatures: Signatures::new(depth),
            summary: Summary::default(),
            verify,
        }
    }

    /// How far the log is good.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// So much was found good so far.
    pub fn summary(&self) -> Summary {
        Summary {
            devices: self.log.chains().len(),
            open_groups: self.groups.open(),
            ..self.summary
        }
    }

    /// A head that the log has to have when it reaches that size. Before it does.
    pub fn expect(&mut self, head: TreeHead) -> Result<(), Fault> {
        let log = &self.log;
        let message = tree::head_message(
            log.shop(),
            &log.generation(),
            head.size,
            &head.root,
            head.at,
        );
        let key = self.keys.get(&DeviceNo::SERVER).map(|keys| &keys[0]);
        if !key.is_some_and(|key| (self.verify)(key, &message, &head.signature)) {
            return Err(at(head.size, Wrong::BadHeadSignature));
        }
        let place = self.heads.partition_point(|other| other.size > head.size);
        self.heads.insert(place, head);
        self.compare_heads()
    }

    /// The next run of the log with its events, each in its stored bytes.
    pub fn run(&mut self, run: &Run, events: &[&[u8]]) -> Result<(), Fault> {
        let first = EventId {
            device: run.device,
            seq: run.first_seq,
        };
        let wrong = |wrong| Fault {
            position: Some(run.position),
            event: Some(first),
            wrong,
        };
        let due = self.log.size() + 1;
        if run.position != due {
            return Err(wrong(Wrong::NotDense { due }));
        }
        let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
        if count == 0 || run.first_seq.checked_add(count).is_none() {
            return Err(wrong(Wrong::OtherCount));
        }
        let unknown = wrong(Wrong::UnknownDevice(run.device));
        let mut chain = self.log.chain(run.device).ok_or(unknown)?;
        if chain.seq.checked_add(1) != Some(run.first_seq) {
            let due = EventId {
                seq: chain.seq.saturating_add(1),
                ..first
            };
            return Err(wrong(Wrong::NotNext { due }));
        }
        if self.log.branch_of(run.device) != run.branch_of {
            return Err(wrong(Wrong::OtherBranch));
        }
        for bytes in events {
            chain = chain.after(bytes);
            self.event(run, chain, bytes)?;
        }
        if run.end_hash.is_some_and(|hash| hash != chain.hash) {
            let (first, last) = (run.first_seq, chain.seq);
            return Err(wrong(Wrong::RunChanged { first, last }));
        }
        let Some(signature) = run.signature else {
            return Ok(());
        };
        let keys = self.keys.get(&run.device).map_or(&[][..], Vec::as_slice);
        let shop = self.log.shop();
        self.signatures
            .run_ended(shop, run, chain, signature, keys, &self.verify)
    }

    fn event(&mut self, run: &Run, chain: ChainHead, bytes: &[u8]) -> Result<(), Fault> {
        let id = EventId {
            device: run.device,
            seq: chain.seq,
        };
        let position = self.log.size() + 1;
        let wrong = |wrong| Fault {
            position: Some(position),
            event: Some(id),
            wrong,
        };
        let branch = run.branch_of.map(|of| Branch {
            device: run.device,
            of: of.device,
            from_seq: of.from_seq,
        });
        if run.verdict.is_quarantined() {
            self.groups.abandon(run.device);
        } else {
            let decoded = decode_only(bytes, branch, is_of_authority)
                .map_err(|_| wrong(Wrong::Unreadable))?;
            self.counting(id, &decoded, run.verdict).map_err(wrong)?;
        }
        self.log
            .append(run.device, chain, run.received, run.verdict)
            .map_err(|reason| match reason {
                NotNext::UnknownDevice => wrong(Wrong::UnknownDevice(run.device)),
                NotNext::Gap => wrong(Wrong::NotNext { due: id }),
            })?;
        self.summary.events += 1;
        self.compare_heads()
    }

    /// An event that counts, or will once the owner lets it in.
    fn counting(&mut self, id: EventId, decoded: &Decoded, verdict: Verdict) -> Result<(), Wrong> {
        let envelope = decoded.envelope();
        if envelope.id != id {
            return Err(Wrong::Misplaced(envelope.id));
        }
        self.groups.follow(id, envelope.group)?;
        let (Decoded::Known(event), Verdict::Accepted) = (decoded, verdict) else {
            return Ok(());
        };
        match &event.body {
            Body::DeviceEnrolled(body) => {
                let keys = self.keys.entry(body.device);
                if keys.or_insert_with(|| vec![body.key])[0] != body.key {
                    return Err(Wrong::OtherKey(body.device));
                }
            }
            Body::DeviceKeyChanged(body) => {
                let keys = self.keys.entry(body.device).or_default();
                // A branch begins with the keys of the copied device, and gets its own at once.
                if id.device == DeviceNo::SERVER && self.log.branch_of(body.device).is_some() {
                    keys.clear();
                }
                keys.push(body.key);
            }
            Body::BranchRegistered(body) => {
                let copied = self.keys.get(&body.of).cloned().unwrap_or_default();
                self.keys.entry(body.device).or_insert(copied);
            }
            _ => return Ok(()),
        }
        self.log.accept(event);
        Ok(())
    }

    fn keys_of(&self, device: DeviceNo) -> &[PublicKey] {
        self.keys.get(&device).map_or(&[], Vec::as_slice)
    }

    fn compare_heads(&mut self) -> Result<(), Fault> {
        while let Some(head) = self
            .heads
            .last()
            .filter(|head| head.size <= self.log.size())
        {
            if head.size < self.log.size() || head.root != self.log.root() {
                return Err(at(head.size, Wrong::OtherRoot));
            }
            self.summary.proven = head.size;
            self.heads.pop();
        }
        Ok(())
    }

    /// Events of one device that stand in no server's log yet, and its signature over all of its
    /// chain. After the whole log.
    pub fn unsent(
        &mut self,
        device: DeviceNo,
        first_seq: u32,
        events: &[&[u8]],
        signature: &Signature,
    ) -> Result<(), Fault> {
        let wrong = |seq, wrong| Fault {
            position: None,
            event: Some(EventId { device, seq }),
            wrong,
        };
        let chain = self.log.chain(device);
        let mut chain = chain.ok_or(wrong(first_seq, Wrong::UnknownDevice(device)))?;
        let due = EventId {
            device,
            seq: chain.seq.saturating_add(1),
        };
        if due.seq != first_seq {
            return Err(wrong(first_seq, Wrong::NotNext { due }));
        }
        let branch = self.log.branch_of(device).map(|of| Branch {
            device,
            of: of.device,
            from_seq: of.from_seq,
        });
        for bytes in events {
            let seq = chain.seq.saturating_add(1);
            chain = chain.after(bytes);
            let decoded = decode_only(bytes, branch, is_of_authority)
                .map_err(|_| wrong(seq, Wrong::Unreadable))?;
            self.counting(EventId { device, seq }, &decoded, Verdict::Accepted)
                .map_err(|reason| wrong(seq, reason))?;
            self.summary.unsent += 1;
        }
        let (shop, keys) = (self.log.shop(), self.keys_of(device));
        let fits = is_signed(shop, device, chain, signature, keys, &self.verify);
        match fits {
            true => Ok(()),
            false => Err(wrong(first_seq, Wrong::BadSignature)),
        }
    }

    /// The end of the log: nothing that was signed is missing.
    pub fn finish(mut self) -> Result<Summary, Fault> {
        if let Some(head) = self.heads.first() {
            let signed = head.size;
            return Err(at(self.log.size(), Wrong::Shortened { signed }));
        }
        self.signatures
            .finish(self.log.shop(), &self.keys, &self.verify)?;
        Ok(self.summary())
    }
}

const fn at(position: u64, wrong: Wrong) -> Fault {
    Fault {
        position: Some(position),
        event: None,
        wrong,
    }
}
