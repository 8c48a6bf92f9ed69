//! `pakka-server restore FILE`: an empty folder gets what is in an exported file, or in a copy of the
//! database, so that a server can go on with it.
//!
//! Everything is verified first, built up beside, verified again as it lies there, and only then put
//! in its place. A file has no tokens: phones prove by their keys who they are. It has the keys of
//! names only if it was asked for them: phones bring back those that they hold.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use shared::bytes::Bytes;
use shared::event::PublicKey;
use shared::export::{Header, Part, Reader, Unsent};
use shared::ids::{DeviceNo, ShopId};
use shared::sync::generation::put_back;
use shared::sync::judge::{LogState, judge};
use shared::sync::wire::{Chunk, MAX_PUSH_EVENTS, PROTOCOL, Push, SealingKey, SyncRequest};
use shared::verify::{Depth, Run};

use crate::audit::{self, AuditError, Report};
use crate::identity::{Identity, KEY_FILE};
use crate::server::{StartError, open_store};
use crate::store::sqlite::{KEYS_FILE, LOG_FILE, Sqlite};
use crate::store::{Change, ChunkRecord, ShopNumber, ShopRecord, Store, StoreError};
use crate::writer::{encode_events, number_after_a_loss};

/// Where it is built up, in the folder itself.
const WORKSHOP: &str = "restoring";

/// The first bytes of a database.
const DATABASE: &[u8; 16] = b"SQLite format 3\0";

/// The most bytes of events in one commit.
const COMMIT_BYTES: usize = 4 * 1024 * 1024;

/// What a server left in the file of the logs that was never started on it: it waits for phones.
const MARK_OF_A_COPY: i32 = 1;

/// What was brought back of a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BroughtBack {
    /// The shop.
    pub shop: ShopId,
    /// So many events stand in its log, those included that a phone had not sent yet.
    pub events: u64,
    /// So many keys of names came with them.
    pub keys: u64,
    /// The server's key is the one that has signed the log: phones go on as with the same server.
    pub same_key: bool,
}

/// Nothing was brought back: the folder is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CannotBringBack {
    /// There is something in the folder.
    #[error("{folder} is not empty: it has {found}. Nothing was changed")]
    NotEmpty {
        /// The folder.
        folder: String,
        /// What is there.
        found: String,
    },
    /// What is to be brought back is not good.
    #[error("{0}")]
    Bad(Box<Report>),
    /// The file is of a phone that never had a server.
    #[error("the file is of a phone without a server: claim this server with that phone instead")]
    NoServer,
    /// The log cannot be gone on with under another key.
    #[error(
        "the server has written into this log itself, and its key is needed to go on: put server.key into {0} first"
    )]
    NeedsKey(String),
    /// The file or the database cannot be read.
    #[error("{0}")]
    Audit(#[from] AuditError),
    /// The folder cannot be used.
    #[error("{0}")]
    Start(#[from] StartError),
    /// The new database cannot be written.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The folder cannot be read or written.
    #[error("{folder}: {error}")]
    Folder {
        /// Which.
        folder: String,
        /// Why.
        error: io::Error,
    },
}

/// Brings back what is in `file` into the folder `data`, which has nothing in it but perhaps
/// `server.key`. `progress` hears how much of how much is verified.
///
/// # Errors
///
/// What is in the file is not good, or the folder cannot be used. Nothing was changed then.
pub async fn bring_back(
    file: &Path,
    data: &Path,
    progress: impl Fn(u64, u64),
) -> Result<Vec<BroughtBack>, CannotBringBack> {
    let failed = |error| CannotBringBack::Folder {
        folder: data.display().to_string(),
        error,
    };
    check_empty(data)?;
    let workshop = data.join(WORKSHOP);
    if workshop.exists() {
        // An earlier try that broke off.
        fs::remove_dir_all(&workshop).map_err(failed)?;
    }
    let built = build(file, data, &workshop, &progress).await;
    let placed = built.and_then(|brought| {
        for name in [KEYS_FILE, LOG_FILE] {
            fs::rename(workshop.join(name), data.join(name)).map_err(failed)?;
        }
        File::open(data)
            .and_then(|it| it.sync_all())
            .map_err(failed)?;
        Ok(brought)
    });
    if workshop.exists() {
        fs::remove_dir_all(&workshop).map_err(failed)?;
    }
    placed
}

fn check_empty(data: &Path) -> Result<(), CannotBringBack> {
    let Ok(entries) = fs::read_dir(data) else {
        // It is made later, or that fails with words.
        return Ok(());
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let mut names = names.filter(|name| name != KEY_FILE && name != WORKSHOP);
    match names.next() {
        None => Ok(()),
        Some(found) => Err(CannotBringBack::NotEmpty {
            folder: data.display().to_string(),
            found: found.display().to_string(),
        }),
    }
}

/// Builds a database in the workshop, and verifies it there.
async fn build(
    file: &Path,
    data: &Path,
    workshop: &Path,
    progress: &impl Fn(u64, u64),
) -> Result<Vec<BroughtBack>, CannotBringBack> {
    let failed = |folder: &Path| {
        let folder = folder.display().to_string();
        move |error| CannotBringBack::Folder { folder, error }
    };
    let store = open_store(workshop).await?;
    let files = match is_database(file).map_err(failed(file))? {
        false => vec![file.to_owned()],
        true => export_all(file, workshop, progress).await?,
    };
    let mut brought = Vec::new();
    for file in &files {
        let report = audit::verify_file(file, Depth::EverySignature, progress)?;
        if !report.is_good() {
            return Err(CannotBringBack::Bad(Box::new(report)));
        }
        let bytes = fs::read(file).map_err(failed(file))?;
        brought.push(shop(&store, data, &bytes).await?);
    }
    store.set_mark(MARK_OF_A_COPY).await?;
    store.close().await;
    let reports = audit::verify_folder(workshop, None, Depth::EverySignature, progress).await?;
    match reports.into_iter().find(|report| !report.is_good()) {
        Some(report) => Err(CannotBringBack::Bad(Box::new(report))),
        None => Ok(brought),
    }
}

fn is_database(file: &Path) -> io::Result<bool> {
    let mut first = [0; DATABASE.len()];
    match File::open(file)?.read_exact(&mut first) {
        Ok(()) => Ok(first == *DATABASE),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Verifies a copy of a database, and writes each of its shops into a file.
async fn export_all(
    database: &Path,
    workshop: &Path,
    progress: &impl Fn(u64, u64),
) -> Result<Vec<PathBuf>, CannotBringBack> {
    let copy = workshop.join("copy");
    let copied = fs::create_dir(&copy).and_then(|()| fs::copy(database, copy.join(LOG_FILE)));
    copied.map_err(|error| CannotBringBack::Folder {
        folder: copy.display().to_string(),
        error,
    })?;
    let reports = audit::verify_folder(&copy, None, Depth::EverySignature, progress).await?;
    if let Some(report) = reports.into_iter().find(|report| !report.is_good()) {
        return Err(CannotBringBack::Bad(Box::new(report)));
    }
    let source = Sqlite::open_to_read(&copy).await?;
    let shops = source.shops().await?;
    source.close().await;
    let mut files = Vec::new();
    for shop in shops {
        let file = workshop.join(format!("{shop}.pakka"));
        audit::export(&copy, Some(shop), false, &file, progress).await?;
        files.push(file);
    }
    Ok(files)
}

/// Puts the shop of a verified file into the store.
async fn shop(store: &Sqlite, data: &Path, file: &[u8]) -> Result<BroughtBack, CannotBringBack> {
    let changed = || StoreError("the file was changed while it was read".to_owned());
    let mut parts = Reader::new(file).map_err(|_| changed())?;
    let Some(Ok(Part::Header(header))) = parts.next() else {
        return Err(changed().into());
    };
    let server = header.origin.server.ok_or(CannotBringBack::NoServer)?;
    let founder = founder(&header).ok_or(CannotBringBack::NoServer)?;
    let identity = match Identity::load(data) {
        Ok(identity) => identity,
        Err(_) => Identity::create(data).map_err(|error| CannotBringBack::Folder {
            folder: data.display().to_string(),
            error,
        })?,
    };
    let same_key = identity.public().point == server.key.point;
    // Chains are bound to the key as it was written down.
    let key = if same_key {
        server.key
    } else {
        identity.public()
    };
    let mut shop = Shop {
        state: LogState::claimed(header.origin.shop, server.generation, founder, key),
        number: ShopNumber::default(),
        last_key: 0,
        changes: Vec::new(),
        bytes: 0,
    };
    let first = shop.record(&identity);
    store.commit(&[Change::ShopOpened(first)]).await?;
    let opened = store.shop(header.origin.shop).await?;
    shop.number = opened.map_or(shop.number, |record| record.number);
    for part in parts {
        match part.map_err(|_| changed())? {
            Part::Run(run, _) if run.device == DeviceNo::SERVER && !same_key => {
                return Err(CannotBringBack::NeedsKey(data.display().to_string()));
            }
            Part::Run(run, events) => shop.run(&run, &events)?,
            Part::Unsent(unsent) => shop.unsent(&unsent)?,
            Part::Keys(keys) => shop.keys(keys),
            Part::Header(_) | Part::Head(_) => {}
        }
        if shop.bytes >= COMMIT_BYTES {
            shop.commit(store).await?;
        }
    }
    let record = shop.record(&identity);
    let events = record.head.size;
    shop.changes.push(Change::ShopSaved {
        record,
        expected_size: 0,
    });
    shop.commit(store).await?;
    Ok(BroughtBack {
        shop: header.origin.shop,
        events,
        keys: shop.last_key,
        same_key,
    })
}

fn founder(header: &Header) -> Option<PublicKey> {
    let mut devices = header.origin.devices.iter();
    let founder = devices.find(|known| known.device == DeviceNo::FOUNDER)?;
    Some(founder.key)
}

/// A shop on its way into the store.
struct Shop {
    state: LogState,
    number: ShopNumber,
    last_key: u64,
    changes: Vec<Change>,
    bytes: usize,
}

impl Shop {
    fn record(&self, identity: &Identity) -> ShopRecord {
        ShopRecord {
            number: self.number,
            head: identity.sign_head(&self.state.log, crate::now()),
            state: self.state.clone(),
            next_device: number_after_a_loss(),
            last_key: self.last_key,
        }
    }

    fn run(&mut self, run: &Run, events: &[&[u8]]) -> Result<(), StoreError> {
        let events: Vec<Bytes> = events.iter().map(|bytes| Bytes(bytes.to_vec())).collect();
        let chunk = Chunk {
            position: run.position,
            device: run.device,
            first_seq: run.first_seq,
            count: events.len() as u32,
            received: run.received,
            verdict: run.verdict,
            events: Some(events),
            branch_of: run.branch_of,
        };
        let end_hash = put_back(&mut self.state, &chunk);
        let end_hash = end_hash
            .ok_or_else(|| StoreError(format!("the entries at {} do not go on", run.position)))?;
        let events = chunk.events.unwrap_or_default();
        self.append(ChunkRecord {
            shop: self.number,
            position: run.position,
            count: chunk.count,
            device: run.device,
            first_seq: run.first_seq,
            received: run.received,
            verdict: run.verdict,
            branch_of: run.branch_of,
            end_hash: Some(end_hash),
            signature: run.signature,
            events: encode_events(&events),
        });
        Ok(())
    }

    /// What a phone had not sent yet, and has signed: judged as if it came now.
    fn unsent(&mut self, unsent: &Unsent<'_>) -> Result<(), StoreError> {
        let received = crate::now();
        let mut first_seq = unsent.first_seq;
        for events in unsent.events.chunks(MAX_PUSH_EVENTS) {
            let Some(chain) = self.state.log.chain(unsent.device) else {
                return Ok(());
            };
            let events: Vec<Bytes> = events.iter().map(|bytes| Bytes(bytes.to_vec())).collect();
            let last_seq = first_seq + (events.len() as u32 - 1);
            let push = Push {
                first_seq,
                previous: chain.hash,
                events,
                signature: unsent.signature,
            };
            let log = &self.state.log;
            let request = SyncRequest {
                protocol: PROTOCOL,
                generation: Some(log.generation()),
                position: log.size(),
                root: log.root(),
                last_seq,
                last_hash: chain.hash,
                keys_after: 0,
                want_bytes: 0,
                push: Some(push),
                keys: None,
                segments: None,
            };
            // The file was verified: the signature at its end covers all of it.
            let judged = judge(&self.state, unsent.device, &request, received, |_, _, _| {
                true
            });
            let judged = judged.map_err(|refusal| StoreError(refusal.to_string()))?;
            let (Some(after), Some(push)) = (judged.after.clone(), &request.push) else {
                return Ok(());
            };
            let is_last = last_seq == unsent.first_seq + (unsent.events.len() as u32 - 1);
            for chunk in &judged.chunks {
                self.append(ChunkRecord {
                    shop: self.number,
                    position: chunk.position,
                    count: chunk.count(),
                    device: unsent.device,
                    first_seq: chunk.first_seq,
                    received,
                    verdict: chunk.verdict,
                    branch_of: self.state.log.branch_of(unsent.device),
                    end_hash: Some(chunk.end_hash),
                    signature: is_last.then_some(unsent.signature),
                    events: encode_events(chunk.events(push)),
                });
            }
            self.state = after;
            first_seq = last_seq + 1;
        }
        Ok(())
    }

    fn append(&mut self, chunk: ChunkRecord) {
        self.bytes += chunk.events.len();
        self.changes.push(Change::ChunkAppended(chunk));
    }

    fn keys(&mut self, keys: Vec<SealingKey>) {
        let shop = self.state.log.shop();
        for SealingKey { id, key } in keys {
            self.last_key += 1;
            self.changes.push(Change::KeySet {
                shop,
                number: self.last_key,
                id,
                key,
            });
        }
    }

    async fn commit(&mut self, store: &Sqlite) -> Result<(), StoreError> {
        self.bytes = 0;
        store.commit(&std::mem::take(&mut self.changes)).await
    }
}
