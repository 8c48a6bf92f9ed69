//! Bytes: how much an event weighs on its way and on the server's disk.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use device::Device;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use crate::ours::{DATA, Ours, Rate, join};
use crate::peers::atuin::{NAME as ATUIN, Records};
use crate::row::{Goal, Row};
use crate::shop::{Shop, Year};
use crate::{Outcome, Settings};

/// Batches, and how many events are sent in each.
const BATCHES: [(usize, u32); 4] = [(1, 300), (3, 900), (10, 10_000), (1000, 50_000)];
/// The history that a new phone reads.
const HISTORY: u32 = 100_000;
/// Long enough for a segment.
const QUICK_HISTORY: u32 = 10_000;
const QUICK: u32 = 20;

const GZIP: &str = "gzip of JSON";

pub async fn run(settings: &Settings) -> Outcome {
    let year = Year::write(settings.size(HISTORY, QUICK_HISTORY))?;
    mix(&year);
    for (batch, events) in BATCHES {
        let events = settings.size(events, events / QUICK).max(batch as u32);
        batches(settings, batch, events).await?;
    }
    history(settings, &year).await?;
    Ok(())
}

/// What the events are like that everybody gets.
fn mix(year: &Year) {
    let count = year.documents.len() as f64;
    let bytes: usize = year.events.iter().map(Vec::len).sum();
    let percent = |number: usize| 100.0 * number as f64 / count;
    let sealed = year.documents.iter().filter(|event| has_sealed_text(event));
    let bills = year
        .documents
        .iter()
        .filter_map(|event| event["lines"].as_array());
    let lines: Vec<usize> = bills.map(Vec::len).filter(|&lines| lines > 0).collect();
    let lines_per_bill = lines.iter().sum::<usize>() as f64 / lines.len().max(1) as f64;
    let name = |name: &str| format!("mix_{name}");
    let rows = [
        (
            "size",
            "An event as stored on a device",
            "bytes",
            bytes as f64 / count,
        ),
        (
            "sealed",
            "Events with sealed text",
            "%",
            percent(sealed.count()),
        ),
        (
            "bills",
            "Events that are bills with lines",
            "%",
            percent(lines.len()),
        ),
        ("lines", "Lines of a bill", "lines", lines_per_bill),
    ];
    for (short, what, unit, value) in rows {
        Row::new(&name(short), what, unit, &[value]);
    }
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for kind in year
        .documents
        .iter()
        .filter_map(|event| event["kind"].as_str())
    {
        *kinds.entry(kind).or_default() += 1;
    }
    for (kind, number) in kinds {
        let what = format!("Events of the kind {kind}");
        Row::new(&name(kind), &what, "%", &[percent(number)]);
    }
}

/// Somewhere in it.
fn has_sealed_text(value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            fields.contains_key("nonce") || fields.values().any(has_sealed_text)
        }
        Value::Array(values) => values.iter().any(has_sealed_text),
        _ => false,
    }
}

/// A device sends so many events at a time, as they are written.
async fn batches(settings: &Settings, batch: usize, events: u32) -> Outcome {
    let mut server = Ours::start(settings, 1, Rate::Raised).await?;
    let mut shop = Shop::found(events * 2, 1, None)?;
    server.claim(&mut shop.device).await?;
    shop.device.sync_until_quiet().await?;
    let before = shop.device.traffic();
    let mut written = 0;
    while written < events as usize {
        written += shop.write(batch, |_| ())?;
        shop.device.sync_until_quiet().await?;
    }
    let now = shop.device.traffic();
    let per_event = |bytes: u64| bytes as f64 / written as f64;
    let sent = per_event(now.sent_bytes - before.sent_bytes);
    let received = per_event(now.received_bytes - before.received_bytes);

    let year = Year::write(events)?;
    let count = year.documents.len() as f64;
    let gzipped = year.documents.chunks(batch).map(gzip_bytes).sum::<usize>() as f64 / count;
    let records = Records::new();
    let pages = year.events.chunks(batch);
    let atuin = pages.map(|page| records.page(0, page).len()).sum::<usize>() as f64 / count;

    let what = format!("Bytes of a push on the wire, batches of {batch}");
    let row = |name: &str| {
        let row = Row::new(name, &what, "bytes/event", &[sent]).with("answer_bytes", received);
        match batch {
            10 => row.goal(Goal::AtMost(40.0)),
            _ => row,
        }
    };
    row(&format!("wire_{batch}_gzip")).peer(GZIP, &[gzipped]);
    row(&format!("wire_{batch}_atuin")).peer(ATUIN, &[atuin]);

    let stored = server.stop()? as f64 / written as f64;
    if batch == 10 {
        Row::new(
            "stored_hot",
            "Bytes on the server's disk, batches of 10, all its files",
            "bytes/event",
            &[stored],
        )
        .goal(Goal::AtMost(120.0));
    }
    Ok(())
}

/// A new phone reads everything.
async fn history(settings: &Settings, year: &Year) -> Outcome {
    let mut server = Ours::start(settings, 1, Rate::Raised).await?;
    let (mut owner, _folder) = year.device()?;
    server.claim(&mut owner).await?;
    owner.sync_until_quiet().await?;
    let mut early = join(&mut owner, &server).await?;
    let mut late = join(&mut owner, &server).await?;
    let count = year.documents.len() as f64;
    let gzipped = gzip_bytes(&year.documents) as f64 / count;
    let chunks = read_all(&mut early).await? / count;
    let what = "History on the wire, before it is sealed";
    Row::new("wire_chunks", what, "bytes/event", &[chunks]).peer(GZIP, &[gzipped]);

    let (server, sealing) = server.sealed(settings, Rate::Raised).await?;
    let what = "A log made into segments and read back, for all its events, processor";
    let per_cpu_s = count / sealing.cpu_s;
    Row::new("sealing", what, "events/CPU-s", &[per_cpu_s]);
    let sealed = read_all(&mut late).await? / count;
    Row::new(
        "wire_history",
        "History on the wire, sealed",
        "bytes/event",
        &[sealed],
    )
    .peer(GZIP, &[gzipped])
    .goal(Goal::AtMost(14.0));

    let folder = server.stop_and_keep()?;
    let stored = used_bytes(&folder.path().join(DATA)).await? / count;
    let what = "Bytes on the server's disk, sealed but for the last thousand, in pages in use";
    Row::new("stored_sealed", what, "bytes/event", &[stored]).goal(Goal::AtMost(15.0));
    Ok(())
}

/// The bytes that a new device receives.
async fn read_all(device: &mut Device) -> Outcome<f64> {
    let before = device.traffic().received_bytes;
    device.sync_until_quiet().await?;
    Ok((device.traffic().received_bytes - before) as f64)
}

/// What the pages in use of all databases hold: those that became free are used again.
async fn used_bytes(data: &Path) -> Outcome<f64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(data)? {
        let file = entry?.path();
        if file.extension().is_none_or(|extension| extension != "db") {
            continue;
        }
        let options = SqliteConnectOptions::new().filename(file);
        let mut connection = SqliteConnection::connect_with(&options).await?;
        let (pages, free, size): (i64, i64, i64) = sqlx::query_as(
            "SELECT page_count, freelist_count, page_size \
             FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
        )
        .fetch_one(&mut connection)
        .await?;
        bytes += (pages - free) * size;
        connection.close().await?;
    }
    Ok(bytes as f64)
}

/// The length of documents as JSON, compressed as most servers and clients do.
fn gzip_bytes(documents: &[Value]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = serde_json::to_writer(&mut encoder, documents);
    written.expect("writing to memory cannot fail");
    encoder.flush().expect("writing to memory cannot fail");
    encoder
        .finish()
        .expect("writing to memory cannot fail")
        .len()
}
