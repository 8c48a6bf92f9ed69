//! The device itself: its books, its chain, its keys.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use shared::bytes::Bytes;
use shared::calendar::{BusinessDay, TimeMs};
use shared::command::{
    Command, Context, OpenShop, QuestionKind, Refusal, compose, decide, new_shop_id,
};
use shared::event::{Branch, Event, Language, PublicKey, encode};
use shared::ids::{DeviceNo, ShopId};
use shared::ledger::{Ledger, Receipts};
use shared::sync::branch::branch_message;
use shared::sync::engine::{Cursor, Engine, Stored, Ticket};
use shared::sync::wire::{BranchRequest, Chunk, Fork, SealingKey, Token};
use shared::text::KeyRing;
use tokio::time::Instant;

use crate::DeviceError;
use crate::http::Http;
use crate::keys::{KeyPair, entropy, random};
use crate::storage::{Claim, Home, Identity, Read, Record, Storage, Wrote};

/// A device without a screen: the same books, commands and sync as a phone.
pub struct Device {
    pub(crate) identity: Identity,
    pub(crate) key: KeyPair,
    pub(crate) ledger: Ledger,
    pub(crate) keys: KeyRing,
    pub(crate) receipts: Receipts,
    /// All its own events, the first at 0.
    pub(crate) own: Vec<Bytes>,
    /// The keys that were made with its own events, each with the number of the event.
    pub(crate) own_keys: Vec<(u32, SealingKey)>,
    /// The log as far as it was read, for folding it anew.
    pub(crate) log: Vec<Chunk>,
    pub(crate) server: Option<Server>,
    /// What it asks with if it is a copy that has no number of its own yet.
    pub(crate) claim: Option<(Claim, KeyPair)>,
    /// Set when it is a copy that goes on as a device of its own, and what it asked with.
    pub(crate) branch: Option<Branch>,
    pub(crate) asked_as: Option<BranchRequest>,
    storage: Storage,
    /// Written, and not yet in the storage.
    unsaved: Vec<Record>,
    /// Keys were destroyed that the storage may still have.
    pub(crate) is_to_forget: bool,
}

/// The server that the device belongs to.
pub(crate) struct Server {
    pub http: Http,
    pub engine: Engine,
    /// The timer that the engine set last.
    pub timer: Option<(Ticket, Instant)>,
    /// Own events up to here were shown to the engine.
    pub told_seq: u32,
    /// Bodies of requests and answers so far.
    pub traffic: Traffic,
    /// It said that it reads packed requests.
    pub reads_packed: bool,
}

/// How much went over the wire.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Requests of the sync.
    pub requests: u64,
    /// Those among them that the server did not take, because it was busy or for another reason.
    pub refused: u64,
    /// Their bodies.
    pub sent_bytes: u64,
    /// The bodies of the answers.
    pub received_bytes: u64,
}

/// What a new shop is called, by whom and where.
#[derive(Debug, Clone)]
pub struct NewShop {
    /// Its name, as over the door.
    pub name: String,
    /// The name of the owner.
    pub owner: String,
    /// What people call the device.
    pub device: String,
    /// The language of the shop.
    pub language: Language,
    /// The moment of the first entry; its day is the first of the books.
    pub at: TimeMs,
}

impl Device {
    /// Opens a shop on a device of its own, which needs no server. Without a folder everything is
    /// forgotten with the device.
    pub fn found(shop: NewShop, folder: Option<&Path>) -> Result<Device, DeviceError> {
        let key = KeyPair::generate()?;
        let id = new_shop_id(now(), &mut entropy());
        let identity = Identity::new(id, DeviceNo::FOUNDER, &key);
        let mut device = Device::new(identity, Storage::create(folder)?)?;
        device.execute_at(
            shop.at,
            OpenShop {
                name: shop.name,
                language: shop.language,
                on: shop.at.day(),
                owner: shop.owner,
                device: shop.device,
                key: key.public(),
            },
        )?;
        device.save()?;
        Ok(device)
    }

    /// A device that has just become one of a shop.
    pub(crate) fn joined(
        identity: Identity,
        home: Home,
        folder: Option<&Path>,
    ) -> Result<Device, DeviceError> {
        let mut device = Device::new(identity, Storage::create(folder)?)?;
        device.belong_to(home)?;
        Ok(device)
    }

    fn new(identity: Identity, storage: Storage) -> Result<Device, DeviceError> {
        let mut device = Device::empty(identity.clone(), storage)?;
        device.unsaved.push(Record::Identity(identity));
        Ok(device)
    }

    fn empty(identity: Identity, storage: Storage) -> Result<Device, DeviceError> {
        Ok(Device {
            key: KeyPair::from_pkcs8(&identity.pkcs8.0)?,
            ledger: Ledger::default(),
            keys: KeyRing::new(identity.shop),
            receipts: Receipts::default(),
            own: Vec::new(),
            own_keys: Vec::new(),
            log: Vec::new(),
            server: None,
            claim: None,
            branch: None,
            asked_as: None,
            storage,
            unsaved: Vec::new(),
            is_to_forget: false,
            identity,
        })
    }

    /// Opens the device that lives in a folder.
    pub fn open(folder: &Path) -> Result<Device, DeviceError> {
        let (storage, records) = Storage::open(folder)?;
        let mut records = records.into_iter();
        let Some(Record::Identity(identity)) = records.next() else {
            return Err(DeviceError::NoDevice(folder.to_owned()));
        };
        let mut device = Device::empty(identity, storage)?;
        let mut home = None;
        for record in records {
            match record {
                Record::Identity(_) => return Err(DeviceError::NoDevice(folder.to_owned())),
                Record::Home(new) => home = Some((new.address(), device.first_cursor(&new))),
                Record::Wrote(wrote) => device.take_written(wrote),
                Record::Claim(claim) => device.take_claim(*claim)?,
                Record::Read(read) => {
                    if let Some((_, cursor)) = &mut home {
                        cursor.clone_from(&read.cursor);
                    }
                    device.take_read(*read);
                }
            }
        }
        if let Some((address, cursor)) = home {
            device.connect(Http::new(address)?, cursor);
        }
        device.forget()?;
        Ok(device)
    }

    /// The shop.
    pub const fn shop(&self) -> ShopId {
        self.identity.shop
    }

    /// Its number in the shop.
    pub const fn number(&self) -> DeviceNo {
        self.identity.device
    }

    /// The key that it signs with.
    pub fn public_key(&self) -> PublicKey {
        self.key.public()
    }

    /// The secret that it shows to its server.
    pub const fn token(&self) -> &Token {
        &self.identity.token
    }

    /// The books.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The keys that it holds.
    pub const fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// When the server took which events.
    pub const fn receipts(&self) -> &Receipts {
        &self.receipts
    }

    /// Its own events in their stored bytes, the first at 0.
    pub fn own_events(&self) -> &[Bytes] {
        &self.own
    }

    /// The log as far as it was read, each chunk with its bytes.
    pub fn log_so_far(&self) -> &[Chunk] {
        &self.log
    }

    /// The number of its last event; 0 for none.
    pub const fn last_seq(&self) -> u32 {
        self.own.len() as u32
    }

    /// How much its syncs sent and received so far.
    pub fn traffic(&self) -> Traffic {
        let server = self.server.as_ref();
        server.map(|server| server.traffic).unwrap_or_default()
    }

    /// Does what is wanted now, durably: returns when it is saved.
    pub fn execute(&mut self, command: impl Into<Command>) -> Result<Vec<Event>, DeviceError> {
        let events = self.execute_at(now(), command)?;
        self.save()?;
        Ok(events)
    }

    /// Does what is wanted at a moment of the past. It is in the books at once, and saved with
    /// the next [`Device::save`]: for loads of many entries.
    ///
    /// A question about the clock or the date is answered with yes: whoever gives the time means
    /// it.
    pub fn execute_at(
        &mut self,
        at: TimeMs,
        command: impl Into<Command>,
    ) -> Result<Vec<Event>, DeviceError> {
        let next_seq = self.last_seq() + 1;
        let me = self.ledger.devices.get(&self.number());
        let by = me.and_then(|me| me.staff.get().copied().flatten());
        let mut context = Context::new(self.number(), next_seq, at, by, &self.keys, entropy());
        context.confirmed = [QuestionKind::ClockWentBack, QuestionKind::BeforeOpening].into();
        let decision =
            decide(&self.ledger, &context, command).map_err(|refusal| match refusal {
                Refusal::Rejected(rejection) => DeviceError::Rejected(rejection),
                Refusal::Ask(question) => DeviceError::Asked(question),
            })?;
        let keys = decision.keys.iter().map(|(id, key)| SealingKey {
            id: *id,
            key: Some(shared::bytes::Fixed(key.0)),
        });
        let keys: Vec<SealingKey> = keys.collect();
        let events = compose(&self.ledger, &context, decision);
        let wrote = Wrote {
            events: events.iter().map(|event| Bytes(encode(event))).collect(),
            keys,
        };
        self.unsaved.push(Record::Wrote(wrote.clone()));
        self.take_written(wrote);
        Ok(events)
    }

    /// Makes durable what was written.
    pub fn save(&mut self) -> Result<(), DeviceError> {
        if !self.unsaved.is_empty() {
            self.storage.append(&self.unsaved)?;
            self.unsaved.clear();
        }
        self.forget()
    }

    /// Has the storage forget the keys that were destroyed.
    fn forget(&mut self) -> Result<(), DeviceError> {
        if self.is_to_forget {
            self.storage.keep_keys(&self.keys)?;
            self.is_to_forget = false;
        }
        Ok(())
    }

    /// From now on the device belongs to a server.
    pub(crate) fn belong_to(&mut self, home: Home) -> Result<(), DeviceError> {
        let http = Http::new(home.address())?;
        let cursor = self.first_cursor(&home);
        self.unsaved.push(Record::Home(home));
        self.save()?;
        self.connect(http, cursor);
        Ok(())
    }

    fn first_cursor(&self, home: &Home) -> Cursor {
        Cursor::start(
            self.shop(),
            home.generation,
            home.server_key,
            self.number(),
            &self.public_key(),
        )
    }

    /// The copy begins anew as the device that it is from now on.
    pub(crate) fn reconnect(&mut self, cursor: Cursor) {
        if let Some(server) = self.server.take() {
            self.connect(server.http, cursor);
        }
    }

    /// What it asks its server with to go on as a device of its own: saved before it is sent, so
    /// that it is the same each time.
    pub(crate) fn claim_branch(&mut self, fork: Fork) -> Result<BranchRequest, DeviceError> {
        if let Some((claim, _)) = &self.claim
            && claim.request.fork == fork
        {
            return Ok(claim.request.clone());
        }
        let pair = KeyPair::generate()?;
        let (key, token) = (pair.public(), shared::bytes::Fixed(random()));
        let message = branch_message(self.shop(), &fork, &key, &token);
        let claim = Claim {
            request: BranchRequest {
                shop: self.shop(),
                fork,
                key,
                token,
                signature: self.key.sign(&message),
            },
            pkcs8: Bytes(pair.pkcs8().to_vec()),
        };
        self.save()?;
        let record = Record::Claim(Box::new(claim.clone()));
        self.storage.append(core::slice::from_ref(&record))?;
        let request = claim.request.clone();
        self.take_claim(claim)?;
        Ok(request)
    }

    fn take_claim(&mut self, claim: Claim) -> Result<(), DeviceError> {
        let pair = KeyPair::from_pkcs8(&claim.pkcs8.0)?;
        self.claim = Some((claim, pair));
        Ok(())
    }

    fn connect(&mut self, http: Http, cursor: Cursor) {
        let confirmed = cursor.log.chain(self.number()).map_or(0, |head| head.seq);
        let stored = Stored {
            key: self.public_key(),
            outbox: self
                .own
                .get(confirmed as usize..)
                .unwrap_or_default()
                .to_vec(),
            keys: self.own_keys.clone(),
            cursor,
        };
        let seed = u64::from_be_bytes(random());
        self.server = Some(Server {
            http,
            engine: Engine::new(self.number(), stored, seed),
            timer: None,
            told_seq: self.last_seq(),
            traffic: Traffic::default(),
            reads_packed: false,
        });
    }

    /// Own events from `first_seq` on, with the keys that were made with them.
    pub(crate) fn written_since(&self, first_seq: u32) -> (Vec<Bytes>, Vec<SealingKey>) {
        let events = self.own.get(first_seq.saturating_sub(1) as usize..);
        let keys = self.own_keys.iter().filter(|&&(seq, _)| seq >= first_seq);
        (
            events.unwrap_or_default().to_vec(),
            keys.map(|(_, key)| key.clone()).collect(),
        )
    }

    /// Stores a part of the log, then folds it.
    pub(crate) fn read(&mut self, read: Read) -> Result<(), DeviceError> {
        // What was written before is saved before: the journal keeps the order of things.
        self.save()?;
        let record = Record::Read(Box::new(read));
        self.storage.append(core::slice::from_ref(&record))?;
        if let Record::Read(read) = record {
            self.take_read(*read);
        }
        self.forget()
    }

    /// The connection to its server.
    pub(crate) fn http(&self) -> Result<&Http, DeviceError> {
        let server = self.server.as_ref();
        server
            .map(|server| &server.http)
            .ok_or(DeviceError::NoServer)
    }
}

/// The clock of the system.
pub fn now() -> TimeMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    TimeMs(since.map_or(0, |since| since.as_millis() as i64))
}

/// Today, in India.
pub fn today() -> BusinessDay {
    now().day()
}
