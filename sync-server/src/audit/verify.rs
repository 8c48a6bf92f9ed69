//! Verifies what is kept.

use std::fs;
use std::path::Path;

use shared::export::{self, Flaw};
use shared::ids::ShopId;
use shared::verify::{Depth, Summary, Verifier};

use super::{AuditError, Report, Subject, Trouble, events, origin, page, run};
use crate::identity::{Identity, is_signed_by};
use crate::store::sqlite::Sqlite;
use crate::store::{ShopRecord, Store, StoreError};

/// Verifies an exported file. `progress` hears of bytes: how many of how many.
///
/// # Errors
///
/// The file cannot be read at all.
pub fn verify_file(
    file: &Path,
    depth: Depth,
    progress: impl Fn(u64, u64),
) -> Result<Report, AuditError> {
    let bytes = fs::read(file).map_err(|error| AuditError::File {
        file: file.display().to_string(),
        error,
    })?;
    let total = bytes.len() as u64;
    let found = export::verify(&bytes, depth, is_signed_by, |at| progress(at as u64, total));
    let subject = Subject::File(file.to_owned());
    Ok(match found {
        Ok((header, good)) => Report {
            subject,
            signed_by: header.origin.server.map(|server| server.key),
            good,
            trouble: None,
        },
        Err(bad) => Report {
            subject,
            signed_by: None,
            good: bad.good,
            trouble: Some(match bad.flaw {
                Flaw::Log(fault) => Trouble::Log(fault),
                Flaw::Structure { .. } => Trouble::File(bad.flaw),
            }),
        },
    })
}

/// Verifies the shops in the folder of a server, or one of them. `progress` hears of events: how
/// many of how many.
///
/// # Errors
///
/// The folder holds no database, or not the shop.
pub async fn verify_folder(
    folder: &Path,
    shop: Option<ShopId>,
    depth: Depth,
    progress: impl Fn(u64, u64),
) -> Result<Vec<Report>, AuditError> {
    let store = Sqlite::open_to_read(folder).await?;
    let mut shops = store.shops().await?;
    if let Some(shop) = shop {
        shops.retain(|known| *known == shop);
        if shops.is_empty() {
            return Err(AuditError::NoSuchShop(shop));
        }
    }
    if shops.is_empty() {
        return Err(AuditError::NoShop);
    }
    // A copy of the log alone has none.
    let identity = Identity::load(folder).ok();
    let mut reports = Vec::new();
    for shop in shops {
        reports.push(verify_shop(&store, shop, identity.as_ref(), depth, &progress).await);
    }
    store.close().await;
    Ok(reports)
}

async fn verify_shop(
    store: &Sqlite,
    shop: ShopId,
    identity: Option<&Identity>,
    depth: Depth,
    progress: &impl Fn(u64, u64),
) -> Report {
    let mut report = Report {
        subject: Subject::Shop(shop),
        signed_by: None,
        good: Summary::default(),
        trouble: None,
    };
    let record = match store.shop(shop).await {
        Ok(Some(record)) => record,
        Ok(None) => {
            report.trouble = Some(Trouble::Record("it is gone".to_owned()));
            return report;
        }
        Err(StoreError(error)) => {
            report.trouble = Some(Trouble::Record(error));
            return report;
        }
    };
    let Some(origin) = origin(&record) else {
        report.trouble = Some(Trouble::OtherRecord);
        return report;
    };
    let signer = origin.server.map(|server| server.key);
    report.signed_by = signer;
    let mut verifier = Verifier::new(&origin, depth, is_signed_by);
    let read = read(store, &record, &mut verifier, progress).await;
    report.good = verifier.summary();
    let is_of_log = *verifier.log() == record.state.log;
    report.trouble = match read {
        Err(trouble) => Some(trouble),
        Ok(()) => match verifier.finish() {
            Err(fault) => Some(Trouble::Log(fault)),
            Ok(_) if !is_of_log => Some(Trouble::OtherRecord),
            Ok(_)
                if identity
                    .is_some_and(|it| Some(it.public().point) != signer.map(|it| it.point)) =>
            {
                Some(Trouble::OtherKeyFile)
            }
            Ok(_) => None,
        },
    };
    report
}

async fn read<V>(
    store: &Sqlite,
    record: &ShopRecord,
    verifier: &mut Verifier<V>,
    progress: &impl Fn(u64, u64),
) -> Result<(), Trouble>
where
    V: Fn(&shared::event::PublicKey, &[u8], &shared::sync::wire::Signature) -> bool,
{
    let size = record.head.size;
    verifier.expect(record.head).map_err(Trouble::Log)?;
    while verifier.log().size() < size {
        let after = verifier.log().size();
        let chunks = match page(store, record.number, after).await {
            Ok(chunks) => chunks,
            Err(StoreError(error)) => {
                let pages = store.damage().await;
                return Err(Trouble::Unreadable {
                    after,
                    error,
                    pages,
                });
            }
        };
        for chunk in &chunks {
            let events = events(chunk).ok_or(Trouble::Chunk(chunk.position))?;
            verifier.run(&run(chunk), &events).map_err(Trouble::Log)?;
            if verifier.log().size() >= size {
                break;
            }
        }
        if verifier.log().size() == after {
            break;
        }
        progress(verifier.log().size(), size);
    }
    nothing_behind(store, record).await
}

/// Behind the head there is nothing, but for what a server at work has just taken.
async fn nothing_behind(store: &Sqlite, record: &ShopRecord) -> Result<(), Trouble> {
    let size = record.head.size;
    let unreadable = |StoreError(error)| Trouble::Unreadable {
        after: size,
        error,
        pages: Vec::new(),
    };
    let behind = page(store, record.number, size).await.map_err(unreadable)?;
    if behind.is_empty() {
        return Ok(());
    }
    let now = store.shop(record.shop()).await.map_err(unreadable)?;
    match now.is_some_and(|now| now.head.size > size) {
        true => Ok(()),
        false => Err(Trouble::BehindHead(size)),
    }
}
