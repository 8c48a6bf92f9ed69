//! The simplest driver of a demonstration: all devices on one ledger.

use super::super::rng::Rng;
use super::{Demo, Size, Turn};
use crate::bytes::{Fixed, KeyId};
use crate::calendar::TimeMs;
use crate::command::{Command, Context, EnrolDevice, OpenShop, compose, decide};
use crate::event::{ECDSA_P256_SHA256, Event, Language, PublicKey, Role, encode};
use crate::ids::{DeviceNo, ShopId};
use crate::ledger::{Ledger, Standing, Step};
use crate::text::{Entropy, Key, KeyRing};

/// The hour before the shop opens on its first day: then the books are opened.
const BEFORE_OPENING_MS: i64 = 6 * 60 * 60 * 1000;

/// What one command wrote.
#[derive(Debug, Clone)]
pub struct Written {
    /// The device.
    pub device: DeviceNo,
    /// The events, in sequence.
    pub events: Vec<Event>,
    /// The keys that were made with them.
    pub keys: Vec<(KeyId, Key)>,
}

/// The books of a made-up shop, written one command at a time.
pub struct Books {
    demo: Demo,
    rng: Rng,
    ledger: Ledger,
    keys: KeyRing,
    next_seq: Vec<u32>,
    enrolled: usize,
    opened_at: TimeMs,
}

impl Books {
    /// The books of a shop of this size, in which nothing stands yet.
    pub fn new(size: Size) -> Books {
        let mut rng = Rng::new(size.seed ^ 0x5eed);
        let shop = uuid::Builder::from_unix_timestamp_millis(0, &rng.bytes()).into_uuid();
        Books {
            demo: Demo::new(size),
            rng,
            ledger: Ledger::default(),
            keys: KeyRing::new(ShopId(shop)),
            next_seq: vec![1; size.devices.max(1) as usize],
            enrolled: 0,
            opened_at: size.first_day().start().plus_ms(BEFORE_OPENING_MS),
        }
    }

    /// The books as far as they were written.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The keys that were made so far.
    pub const fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// The first device opens the shop, then lets the others in.
    fn founding(&mut self) -> Command {
        let key = PublicKey {
            alg: ECDSA_P256_SHA256,
            point: Fixed(core::array::from_fn(|at| match at {
                0 => 4,
                at => at as u8 ^ self.enrolled as u8,
            })),
            software: true,
        };
        if self.enrolled == 0 {
            return OpenShop {
                name: "Lakshmi Kirana".to_owned(),
                language: Language::Hindi,
                on: self.opened_at.day(),
                owner: "Lakshmi".to_owned(),
                device: "Counter".to_owned(),
                key,
            }
            .into();
        }
        EnrolDevice {
            device: DeviceNo(self.enrolled as u32 + 1),
            key,
            role: Role::Manager,
            name: format!("Phone {}", self.enrolled + 1),
            staff: None,
        }
        .into()
    }

    fn write(&mut self, device: usize, at: TimeMs, command: Command) -> Written {
        let number = DeviceNo(device as u32 + 1);
        let entropy = Entropy::new(self.rng.bytes());
        let seq = self.next_seq[device];
        let context = Context::new(number, seq, at, None, &self.keys, entropy);
        let wanted = format!("{command:?}");
        let decision = decide(&self.ledger, &context, command)
            .unwrap_or_else(|refusal| panic!("nobody wants what is refused: {refusal}: {wanted}"));
        let keys = decision.keys.clone();
        let events = compose(&self.ledger, &context, decision);
        for (id, key) in &keys {
            self.keys.add(*id, key.clone());
        }
        for event in &events {
            let decoded = crate::event::decode(&encode(event), None);
            let (device, seq) = (event.envelope.id.device, event.envelope.id.seq);
            let step = self.ledger.fold(device, seq, decoded, Standing::Counted);
            assert_eq!(step, Step::Read, "chains are written in their order");
        }
        self.next_seq[device] += events.len() as u32;
        Written {
            device: number,
            events,
            keys,
        }
    }
}

impl Iterator for Books {
    type Item = Written;

    fn next(&mut self) -> Option<Written> {
        if self.enrolled < self.next_seq.len() {
            let command = self.founding();
            self.enrolled += 1;
            return Some(self.write(0, self.opened_at, command));
        }
        loop {
            match self.demo.turn()? {
                Turn::DayEnds(_) => self.demo.met(),
                Turn::Act { device, at } => {
                    let command = self.demo.command(device, at, &self.ledger);
                    let written = self.write(device, at, command);
                    self.demo.done(device, &written.events);
                    return Some(written);
                }
            }
        }
    }
}
