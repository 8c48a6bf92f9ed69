//! What a native device keeps, and in what form.

use std::fs;
use std::path::Path;

use minicbor::{Decode, Encode};
use shared::bytes::Bytes;
use shared::event::PublicKey;
use shared::ids::{DeviceNo, ShopId};
use shared::sync::engine::Cursor;
use shared::sync::wire::{BranchRequest, Chunk, Fork, Generation, SealingKey, Token};
use shared::text::KeyRing;

use crate::DeviceError;
use crate::http::Address;
use crate::journal::Journal;
use crate::keys::{KeyPair, random};

/// The file in a device's folder.
const FILE: &str = "device.journal";

/// Who the device is.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Identity {
    /// Its shop.
    #[n(0)]
    pub shop: ShopId,
    /// Its number there.
    #[n(1)]
    pub device: DeviceNo,
    /// Its key pair: a secret.
    #[n(2)]
    pub pkcs8: Bytes,
    /// What it shows to its server: a secret.
    #[n(3)]
    pub token: Token,
}

impl Identity {
    pub fn new(shop: ShopId, device: DeviceNo, key: &KeyPair) -> Identity {
        Identity {
            shop,
            device,
            pkcs8: Bytes(key.pkcs8().to_vec()),
            token: shared::bytes::Fixed(random()),
        }
    }
}

/// The server that it belongs to.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Home {
    /// Its address.
    #[n(0)]
    pub server: String,
    /// The key that signs the log.
    #[n(1)]
    pub server_key: PublicKey,
    /// The life of the log.
    #[n(2)]
    pub generation: Generation,
    /// The authority that vouches for it on a local network.
    #[n(3)]
    pub authority: Option<Bytes>,
}

impl Home {
    pub fn address(&self) -> Address {
        Address {
            url: self.server.clone(),
            authority: self.authority.as_ref().map(|bytes| bytes.0.clone()),
        }
    }
}

/// What one command wrote.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Wrote {
    /// The events in their stored bytes.
    #[n(0)]
    pub events: Vec<Bytes>,
    /// The keys that were made with them.
    #[n(1)]
    pub keys: Vec<SealingKey>,
}

/// A part of the log that was read.
#[derive(Encode, Decode)]
#[cbor(array)]
pub(crate) struct Read {
    /// The part, with all its bytes.
    #[n(0)]
    pub chunks: Vec<Chunk>,
    /// New keys and destroyed ones.
    #[n(1)]
    pub keys: Vec<SealingKey>,
    /// How far the log is read with it.
    #[n(2)]
    pub cursor: Cursor,
    /// Own events up to this number stand in the log.
    #[n(3)]
    pub confirmed_seq: u32,
    /// Everything is to be folded anew.
    #[n(4)]
    pub rebuild: bool,
    /// Before all else, what is held of the log behind this position goes.
    #[n(5)]
    pub cut: Option<u64>,
    /// What others wrote there and nobody could prove: kept for people who look into the journal.
    #[n(6)]
    pub unproved: Option<Vec<Chunk>>,
    /// From now on the device is the one that it claimed to be.
    #[n(7)]
    pub branch: Option<Fork>,
}

/// One record of the journal.
#[derive(Encode, Decode)]
#[cbor(flat)]
pub(crate) enum Record {
    /// The first record.
    #[n(1)]
    Identity(#[n(0)] Identity),
    /// The device got a server.
    #[n(2)]
    Home(#[n(0)] Home),
    /// The device wrote.
    #[n(3)]
    Wrote(#[n(0)] Wrote),
    /// The device read.
    #[n(4)]
    Read(#[n(0)] Box<Read>),
    /// The device found that it is a copy.
    #[n(5)]
    Claim(#[n(0)] Box<Claim>),
}

/// What a copy asks its server with, to go on as a device of its own.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Claim {
    /// The request, which is the same each time.
    #[n(0)]
    pub request: BranchRequest,
    /// The key pair that it signs with from then on: a secret.
    #[n(1)]
    pub pkcs8: Bytes,
}

/// Where a device keeps what it must not forget.
pub(crate) enum Storage {
    /// Nowhere: for tests and benches.
    Memory,
    /// In a folder of its own.
    Folder(Journal),
}

impl Storage {
    /// A new storage. A folder that has a device already is left as it is.
    pub fn create(folder: Option<&Path>) -> Result<Storage, DeviceError> {
        let Some(folder) = folder else {
            return Ok(Storage::Memory);
        };
        if folder.join(FILE).exists() {
            return Err(DeviceError::HasDevice(folder.to_owned()));
        }
        make_private(folder).map_err(crate::journal::JournalError::from)?;
        let (journal, _) = Journal::open::<Record>(&folder.join(FILE))?;
        Ok(Storage::Folder(journal))
    }

    /// The storage in a folder, with its records.
    pub fn open(folder: &Path) -> Result<(Storage, Vec<Record>), DeviceError> {
        let file = folder.join(FILE);
        if !file.exists() {
            return Err(DeviceError::NoDevice(folder.to_owned()));
        }
        let (journal, records) = Journal::open(&file)?;
        Ok((Storage::Folder(journal), records))
    }

    /// Appends, durably.
    pub fn append(&mut self, records: &[Record]) -> Result<(), DeviceError> {
        match self {
            Storage::Memory => Ok(()),
            Storage::Folder(journal) => Ok(journal.append(records)?),
        }
    }

    /// Keeps only those keys that are still held.
    pub fn keep_keys(&mut self, held: &KeyRing) -> Result<(), DeviceError> {
        let Storage::Folder(journal) = self else {
            return Ok(());
        };
        journal.forget(|record: &mut Record| {
            let keys = record.keys_mut().iter_mut();
            let gone = keys.filter(|key| key.key.is_some() && held.get(&key.id).is_none());
            gone.map(|key| key.key = None).count() > 0
        })?;
        Ok(())
    }
}

impl Record {
    /// The keys in it.
    fn keys_mut(&mut self) -> &mut [SealingKey] {
        match self {
            Record::Identity(_) | Record::Home(_) | Record::Claim(_) => &mut [],
            Record::Wrote(wrote) => &mut wrote.keys,
            Record::Read(read) => &mut read.keys,
        }
    }
}

/// The folder holds secrets: nobody else may look into it.
fn make_private(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Is there a device in this folder?
pub fn has_device(folder: &Path) -> bool {
    folder.join(FILE).exists()
}
