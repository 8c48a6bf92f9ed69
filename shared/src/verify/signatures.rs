//! Whether devices signed what they wrote.

use std::collections::BTreeMap;

use super::{Fault, Run, Wrong};
use crate::chain::head_message;
use crate::event::PublicKey;
use crate::ids::{DeviceNo, EventId, ShopId};
use crate::sync::log::ChainHead;
use crate::sync::wire::Signature;

/// How many of the devices' signatures are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Each one.
    EverySignature,
    /// The last of each device, which covers all that the device ever wrote.
    LastSignatures,
}

/// The signatures that are still to be found good: for each device one at most.
#[derive(Debug)]
pub(super) struct Signatures {
    depth: Depth,
    waiting: BTreeMap<DeviceNo, Waiting>,
}

/// A signature that was not found good yet.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    signature: Signature,
    chain: ChainHead,
    fault: Fault,
}

impl Signatures {
    pub(super) const fn new(depth: Depth) -> Signatures {
        Signatures {
            depth,
            waiting: BTreeMap::new(),
        }
    }

    /// A run with a signature ended with this head of its device's chain.
    pub(super) fn run_ended(
        &mut self,
        shop: ShopId,
        run: &Run,
        chain: ChainHead,
        signature: Signature,
        keys: &[PublicKey],
        verify: &impl Fn(&PublicKey, &[u8], &Signature) -> bool,
    ) -> Result<(), Fault> {
        let begins_here = Fault {
            position: Some(run.position),
            event: Some(EventId {
                device: run.device,
                seq: run.first_seq,
            }),
            wrong: Wrong::BadSignature,
        };
        // A push with several verdicts is several runs: its signature fits at the end of the last.
        let fault = match self.waiting.get(&run.device) {
            Some(before) if before.signature == signature => before.fault,
            Some(before) if self.depth == Depth::EverySignature => return Err(before.fault),
            _ => begins_here,
        };
        let waits = self.depth == Depth::LastSignatures
            || !is_signed(shop, run.device, chain, &signature, keys, verify);
        if waits {
            let waiting = Waiting {
                signature,
                chain,
                fault,
            };
            self.waiting.insert(run.device, waiting);
        } else {
            self.waiting.remove(&run.device);
        }
        Ok(())
    }

    /// The log ended: what waits must fit now.
    pub(super) fn finish(
        &mut self,
        shop: ShopId,
        keys: &BTreeMap<DeviceNo, Vec<PublicKey>>,
        verify: &impl Fn(&PublicKey, &[u8], &Signature) -> bool,
    ) -> Result<(), Fault> {
        let unfit = |(device, waiting): (&DeviceNo, &Waiting)| {
            let Waiting {
                signature, chain, ..
            } = waiting;
            let keys = keys.get(device).map_or(&[][..], Vec::as_slice);
            let fits = is_signed(shop, *device, *chain, signature, keys, verify);
            (!fits).then_some(waiting.fault)
        };
        let first = self.waiting.iter().filter_map(unfit);
        match first.min_by_key(|fault| fault.position) {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }
}

/// Did the device sign its chain up to here, with one of the keys that it had by then?
pub(super) fn is_signed(
    shop: ShopId,
    device: DeviceNo,
    chain: ChainHead,
    signature: &Signature,
    keys: &[PublicKey],
    verify: &impl Fn(&PublicKey, &[u8], &Signature) -> bool,
) -> bool {
    let message = head_message(shop, device, chain.seq, &chain.hash);
    // The newest first: it nearly always is the one.
    keys.iter()
        .rev()
        .any(|key| verify(key, &message, signature))
}
