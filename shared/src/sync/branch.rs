//! Forks: a storage that was copied or set back, and that wrote on before it met the server again.
//!
//! What the copy wrote happened: it keeps its bytes, hashes and place in a chain, which goes on as
//! that of another device. Inside its bytes every id of the copied device from the fork on means the
//! branch, so nothing is renumbered. The server says so in the log, in events of its own.
//!
//! The number of a branch follows from its first event. So whoever asks twice gets the same one, also
//! of a server that has lost the first answer together with a part of its log; and a copy of a copy,
//! which holds the same entries, cannot bring them into the log a second time under another number.

use super::judge::LogState;
use super::log::ChainHead;
use super::wire::{BranchOf, BranchRequest, Fork, Signature, Token, Verdict};
use crate::bytes::{Bytes, Hash};
use crate::calendar::TimeMs;
use crate::chain::{self, digest};
use crate::event::{
    Body, BranchRegistered, Decoded, DeviceKeyChanged, Envelope, Event, Group, PublicKey, encode,
};
use crate::ids::{DeviceNo, EventId, ShopId};

/// The first number of a branch: those below are given when devices join.
pub const FIRST_BRANCH: u32 = 1 << 16;

/// The end of the numbers of branches: 36⁵, so that they have five digits on a bill.
pub const BRANCHES_END: u32 = 60_466_176;

/// The most branches of a shop. Limits never shrink.
pub const MAX_BRANCHES: usize = 64;

/// The number under which a copy goes on.
pub fn number_of(fork: &Fork) -> DeviceNo {
    let hash = digest(&[b"pakka/branch/v1", &fork.next.0]);
    let random = u32::from_be_bytes([hash.0[0], hash.0[1], hash.0[2], hash.0[3]]);
    DeviceNo(FIRST_BRANCH + random % (BRANCHES_END - FIRST_BRANCH))
}

/// What the key of the copied device signs, so that the copy gets a key and a token of its own.
pub fn branch_message(shop: ShopId, fork: &Fork, key: &PublicKey, token: &Token) -> Vec<u8> {
    [
        b"pakka/fork/v1".as_slice(),
        shop.0.as_bytes(),
        &fork.of.0.to_be_bytes(),
        &fork.from_seq.to_be_bytes(),
        &fork.previous.0,
        &fork.next.0,
        &key.point.0,
        &digest(&[&token.0]).0,
    ]
    .concat()
}

/// What a server's log holds where a copy says that it left the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Around {
    /// The chain hash of the copied device before the fork.
    pub previous: Option<Hash>,
    /// Its chain hash with the first number that both wrote, if it stands in the log.
    pub next: Option<Hash>,
}

impl Around {
    /// The numbers of the copied device that are looked for in the log: before the fork and at it.
    pub const fn places(fork: &Fork) -> [u32; 2] {
        [fork.from_seq.saturating_sub(1), fork.from_seq]
    }

    /// What is there, from the chain hashes at [`Around::places`].
    pub fn of(state: &LogState, fork: &Fork, [before, next]: [Option<Hash>; 2]) -> Around {
        let copied = state.authority.device(fork.of);
        let copied = copied.filter(|copied| copied.branch_of.is_none() && fork.from_seq == 1);
        let genesis = copied.map(|copied| chain::genesis(state.log.shop(), &copied.first_key));
        Around {
            previous: before.or(genesis),
            next,
        }
    }
}

/// A server does not register a branch. Nothing was changed; the copy keeps what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotABranch {
    /// The key of the copied device did not sign it.
    #[error("the copied device did not sign this")]
    NotSigned,
    /// The chain of the copied device is another, or does not part there.
    #[error("the chain of this device does not fork there")]
    NoFork,
    /// The number is another device's, or another copy has the same entries.
    #[error("these entries belong to another copy")]
    Taken,
    /// There are as many branches as a shop may have.
    #[error("the shop has too many copies")]
    TooMany,
}

impl NotABranch {
    /// The reason for machines, as it stands in [`super::wire::ErrorBody`].
    pub const fn code(self) -> &'static str {
        match self {
            NotABranch::NotSigned => "bad_signature",
            NotABranch::NoFork => "no_fork",
            NotABranch::Taken => "branch_taken",
            NotABranch::TooMany => "too_many_branches",
        }
    }
}

/// Is it from a storage of the copied device? Asked before anything else is looked at.
pub fn check_signed(
    state: &LogState,
    request: &BranchRequest,
    verify: impl Fn(&PublicKey, &[u8], &Signature) -> bool,
) -> Result<(), NotABranch> {
    let BranchRequest {
        shop,
        fork,
        key,
        token,
        signature,
    } = request;
    let copied = state.authority.device(fork.of);
    let copied = copied.filter(|_| fork.of != DeviceNo::SERVER && *shop == state.log.shop());
    let message = branch_message(*shop, fork, key, token);
    match copied {
        Some(copied) if verify(&copied.key, &message, signature) => Ok(()),
        _ => Err(NotABranch::NotSigned),
    }
}

/// Is the copy registered already, with this key?
pub fn is_registered(state: &LogState, request: &BranchRequest) -> Result<bool, NotABranch> {
    let fork = &request.fork;
    let of = BranchOf {
        device: fork.of,
        from_seq: fork.from_seq,
    };
    match state.authority.device(number_of(fork)) {
        None => Ok(false),
        Some(known) if known.branch_of == Some(of) && known.first_key == request.key => Ok(true),
        Some(_) => Err(NotABranch::Taken),
    }
}

/// What a server writes to register a branch: two events of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The position of the first.
    pub position: u64,
    /// Its number in the server's chain.
    pub first_seq: u32,
    /// When the server wrote them.
    pub received: TimeMs,
    /// Their bytes.
    pub events: Vec<Bytes>,
    /// The end of the server's chain with them.
    pub head: ChainHead,
    /// The state with them.
    pub after: LogState,
}

/// Registers a copy that [`check_signed`] has let pass and that is not registered.
pub fn register(
    state: &LogState,
    request: &BranchRequest,
    around: &Around,
    received: TimeMs,
) -> Result<Registered, NotABranch> {
    let fork = &request.fork;
    if around.previous != Some(fork.previous) || around.next == Some(fork.next) {
        return Err(NotABranch::NoFork);
    }
    // What stands there now was not looked at.
    let known = state.log.chain(fork.of).map_or(0, |head| head.seq);
    if around.next.is_none() && known >= fork.from_seq {
        return Err(NotABranch::NoFork);
    }
    let devices = state.authority.devices().values();
    if devices.filter(|it| it.branch_of.is_some()).count() >= MAX_BRANCHES {
        return Err(NotABranch::TooMany);
    }
    let device = number_of(fork);
    let bodies = [
        Body::from(BranchRegistered {
            device,
            of: fork.of,
            from_seq: fork.from_seq,
            previous: fork.previous,
        }),
        Body::from(DeviceKeyChanged {
            device,
            key: request.key,
        }),
    ];
    let mut after = state.clone();
    let mut head = after
        .log
        .chain(DeviceNo::SERVER)
        .ok_or(NotABranch::NoFork)?;
    let (position, first_seq) = (after.log.size() + 1, head.seq + 1);
    let clock = after.authority.clock() + 1;
    let mut events = Vec::with_capacity(bodies.len());
    let group = Some(Group {
        first: first_seq,
        count: bodies.len() as u16,
    });
    for body in bodies {
        let envelope = Envelope {
            id: EventId {
                device: DeviceNo::SERVER,
                seq: head.seq + 1,
            },
            clock,
            at: received,
            by: None,
            group,
            cause: None,
            correlation: None,
            expect: None,
        };
        let event = Event { envelope, body };
        let bytes = encode(&event);
        head = head.after(&bytes);
        after.log.accept(&event);
        let decoded = Decoded::Known(event);
        if after.authority.judge(&decoded) != Verdict::Accepted {
            return Err(NotABranch::Taken);
        }
        after.authority.accept(&decoded);
        after
            .log
            .append(DeviceNo::SERVER, head, received, Verdict::Accepted)
            .map_err(|_| NotABranch::NoFork)?;
        events.push(Bytes(bytes));
    }
    Ok(Registered {
        position,
        first_seq,
        received,
        events,
        head,
        after,
    })
}
