//! A device that writes events, without storage, screen or network.

use crate::bytes::{Bytes, Fixed, KeyId};
use crate::calendar::TimeMs;
use crate::chain;
use crate::event::{
    Body, DeviceEnrolled, ECDSA_P256_SHA256, Envelope, Event, Language, PublicKey, Role,
    SessionStarted, ShopOpened, encode,
};
use crate::ids::{DeviceNo, EventId, ShopId};
use crate::sync::log::ChainHead;
use crate::sync::wire::{MAX_ANSWER_BYTES, PROTOCOL, Push, Signature, SyncRequest};

/// The shop of tests.
pub const SHOP: ShopId = ShopId(uuid::Uuid::from_u128(
    0x0199_7a6b_0000_7000_8000_0000_0000_0001,
));

/// When tests take place.
pub const NOW: TimeMs = TimeMs(1_763_625_600_000);

/// The public key number `number`. It is the name of a secret, not a point on a curve: the
/// signatures that go with it are keyed hashes, so that simulations are fast and need no
/// randomness. The real algorithm is tested where it is used, in the server and in the browser.
pub fn key(number: u32) -> PublicKey {
    let mut point = [4; 65];
    point[1..5].copy_from_slice(&number.to_be_bytes());
    PublicKey {
        alg: ECDSA_P256_SHA256,
        point: Fixed(point),
        software: false,
    }
}

/// What stands for the signature of a message by the owner of a key.
pub fn sign(key: &PublicKey, message: &[u8]) -> Signature {
    let halves = [1, 2].map(|half| chain::digest(&[b"secret", &key.point.0, &[half], message]));
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&halves[0].0);
    signature[32..].copy_from_slice(&halves[1].0);
    Fixed(signature)
}

/// Is this what stands for the signature of the message?
pub fn verify(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    sign(key, message) == *signature
}

/// A device with its chain. A clone of it is a clone of its storage.
#[derive(Debug, Clone)]
pub struct Writer {
    /// Its number.
    pub number: DeviceNo,
    /// Its key.
    pub key: PublicKey,
    /// The clock of its next event.
    pub clock: u64,
    /// Its events.
    pub events: Vec<Bytes>,
    heads: Vec<ChainHead>,
}

impl Writer {
    /// A device that has written nothing. Its key is the one of its number.
    pub fn new(number: u32) -> Writer {
        let key = key(number);
        Writer {
            number: DeviceNo(number),
            key,
            clock: 1,
            events: Vec::new(),
            heads: vec![ChainHead::genesis(SHOP, &key)],
        }
    }

    /// The founding phone with the two events that every shop begins with.
    pub fn founder() -> Writer {
        let mut founder = Writer::new(DeviceNo::FOUNDER.0);
        founder.write(opened());
        founder.write(enrolled(1, Role::Owner));
        founder
    }

    /// The head of its chain.
    pub fn head(&self) -> ChainHead {
        self.heads[self.events.len()]
    }

    /// The head of its chain after its event `seq`.
    pub fn head_at(&self, seq: u32) -> ChainHead {
        self.heads[seq as usize]
    }

    /// Writes the next event.
    pub fn write(&mut self, body: impl Into<Body>) -> EventId {
        let id = EventId::new(self.number.0, self.head().seq + 1);
        let event = Event {
            envelope: Envelope {
                id,
                clock: self.clock,
                at: NOW,
                by: None,
                group: None,
                cause: None,
                correlation: None,
                expect: None,
            },
            body: body.into(),
        };
        self.clock += 1;
        self.write_bytes(encode(&event));
        id
    }

    /// Writes any bytes as the next event.
    pub fn write_bytes(&mut self, bytes: Vec<u8>) {
        self.heads.push(self.head().after(&bytes));
        self.events.push(Bytes(bytes));
    }

    /// What a faulty app does at its start: it goes on after an older event than its last.
    pub fn forget_after(&mut self, seq: u32) {
        self.events.truncate(seq as usize);
        self.heads.truncate(seq as usize + 1);
    }

    /// A push of its events from `first_seq` to `last_seq`.
    pub fn push(&self, first_seq: u32, last_seq: u32) -> Push {
        let last = self.head_at(last_seq);
        let message = chain::head_message(SHOP, self.number, last.seq, &last.hash);
        Push {
            first_seq,
            previous: self.head_at(first_seq - 1).hash,
            events: self.events[first_seq as usize - 1..last_seq as usize].to_vec(),
            signature: sign(&self.key, &message),
        }
    }

    /// A request of a device that has read nothing yet and pushes nothing.
    pub fn ask(&self) -> SyncRequest {
        SyncRequest {
            protocol: PROTOCOL,
            generation: None,
            position: 0,
            root: chain::digest(&[]),
            last_seq: self.head().seq,
            last_hash: self.head().hash,
            keys_after: 0,
            want_bytes: MAX_ANSWER_BYTES,
            push: None,
            keys: None,
            segments: None,
        }
    }

    /// A request that pushes its events from `first_seq` to `last_seq`.
    pub fn ask_with(&self, first_seq: u32, last_seq: u32) -> SyncRequest {
        SyncRequest {
            push: Some(self.push(first_seq, last_seq)),
            ..self.ask()
        }
    }
}

/// The shop of tests opens.
pub fn opened() -> ShopOpened {
    ShopOpened {
        shop: SHOP,
        name: "Sharma General Store".into(),
        currency: "INR".to_owned(),
        language: Language::English,
        on: NOW.day(),
        key: KeyId::default(),
    }
}

/// The device `number` joins with the key of its number.
pub fn enrolled(number: u32, role: Role) -> DeviceEnrolled {
    DeviceEnrolled {
        device: DeviceNo(number),
        key: key(number),
        role,
        name: "the phone on the counter".into(),
        staff: None,
    }
}

/// The app is opened.
pub fn session() -> SessionStarted {
    SessionStarted {
        app: "0.1.0".to_owned(),
        // As it stands in bytes that are frozen.
        fold_version: 1,
    }
}
