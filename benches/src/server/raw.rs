//! SQLite alone, with the same bytes, durability and batches: what no server can do without.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection};
use tokio::task::JoinSet;

use crate::ours::{Ours, Rate};
use crate::process::{Used, fsync_ms, timed_here};
use crate::row::{Goal, Row, median};
use crate::shop::{Shop, Year};
use crate::{Outcome, Settings};

/// How the peer keeps events.
#[derive(Clone, Copy)]
enum Layout {
    /// A row each.
    Rows,
    /// A row for each batch.
    Chunks,
}

/// One comparison.
struct Size {
    batch: usize,
    /// Shops that push at the same time.
    shops: u32,
    /// Events of each shop in full, and in a quick run.
    events: u32,
    quick: u32,
}

const SIZES: [Size; 2] = [
    Size {
        batch: 1000,
        shops: 16,
        events: 10_000,
        quick: 1000,
    },
    Size {
        batch: 10,
        shops: 64,
        events: 200,
        quick: 40,
    },
];

pub async fn run(settings: &Settings) -> Outcome {
    for size in SIZES {
        let each = settings.size(size.events, size.quick);
        let year = Year::write(each * size.shops)?;
        let mut ours = [Vec::new(), Vec::new()];
        let mut rows = [Vec::new(), Vec::new()];
        let mut chunks = [Vec::new(), Vec::new()];
        let mut fsyncs_ms = Vec::new();
        for run in 0..settings.runs() {
            let (events, used) = push(settings, &size, run as u64).await?;
            keep(&mut ours, events, used);
            let folder = tempfile::tempdir()?;
            fsyncs_ms.push(fsync_ms(folder.path())?);
            for (layout, into) in [(Layout::Rows, &mut rows), (Layout::Chunks, &mut chunks)] {
                let (events, used) = insert(folder.path(), &year, size.batch, layout).await?;
                keep(into, events, used);
            }
        }
        let Size { batch, shops, .. } = size;
        for (peer, name, runs, goal) in [
            ("rows", "raw SQLite, a row each", &rows, 3.0),
            ("chunks", "raw SQLite, a row for each batch", &chunks, 0.8),
        ] {
            Row::new(
                &format!("raw_{peer}_{batch}_wall"),
                &format!("{shops} shops pushing batches of {batch}, on the wall"),
                "events/s",
                &ours[0],
            )
            .peer(name, &runs[0])
            .goal(Goal::TimesPeer(goal))
            .with("fsync_ms", median(&fsyncs_ms));
            Row::new(
                &format!("raw_{peer}_{batch}_cpu"),
                &format!("{shops} shops pushing batches of {batch}, processor"),
                "events/CPU-s",
                &ours[1],
            )
            .peer(name, &runs[1]);
        }
    }
    Ok(())
}

fn keep(into: &mut [Vec<f64>; 2], events: f64, used: Used) {
    into[0].push(events / used.wall_s);
    into[1].push(events / used.cpu_s);
}

/// All shops push at the same time; what they have was written before, where the batch allows it.
async fn push(settings: &Settings, size: &Size, run: u64) -> Outcome<(f64, Used)> {
    let Size {
        batch,
        shops: count,
        ..
    } = *size;
    let each = settings.size(size.events, size.quick);
    let mut server = Ours::start(settings, count as usize, Rate::Raised).await?;
    let mut shops = Vec::new();
    for number in 0..count {
        let seed = run * u64::from(count) + u64::from(number);
        let mut shop = Shop::found(each * 2, seed, None)?;
        server.claim(&mut shop.device).await?;
        shop.device.sync_until_quiet().await?;
        shops.push(shop);
    }
    // A device sends a thousand at a time if it has them.
    let is_written_before = batch == shared::sync::wire::MAX_PUSH_EVENTS;
    let mut written = 0;
    if is_written_before {
        for shop in &mut shops {
            written += shop.write(each as usize, |_| ())?;
        }
    }
    let work = async {
        let mut tasks = JoinSet::new();
        for mut shop in shops {
            tasks.spawn_local(async move {
                let mut written = 0;
                for _ in 0..if is_written_before {
                    1
                } else {
                    each as usize / batch
                } {
                    if !is_written_before {
                        let more = shop.write(batch, |_| ());
                        written += more.map_err(|error| error.to_string())?;
                    }
                    let synced = shop.device.sync_until_quiet().await;
                    synced.map_err(|error| error.to_string())?;
                }
                Ok::<_, String>(written)
            });
        }
        let mut written = 0;
        while let Some(done) = tasks.join_next().await {
            written += done??;
        }
        Ok(written)
    };
    let (used, more) = server.process.timed(work).await?;
    Ok(((written + more) as f64, used))
}

/// The same bytes into a database of their own, each batch a transaction that is flushed.
async fn insert(folder: &Path, year: &Year, batch: usize, layout: Layout) -> Outcome<(f64, Used)> {
    let file = match layout {
        Layout::Rows => "rows.db",
        Layout::Chunks => "chunks.db",
    };
    let options = SqliteConnectOptions::new()
        .filename(folder.join(file))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::query(
        "CREATE TABLE log (id INTEGER PRIMARY KEY, shop INTEGER NOT NULL, \
         position INTEGER NOT NULL, events BLOB NOT NULL, UNIQUE (shop, position)) STRICT",
    )
    .execute(&mut connection)
    .await?;
    let work = async {
        for (index, events) in year.events.chunks(batch).enumerate() {
            let position = (index * batch) as i64;
            let mut insert =
                QueryBuilder::<Sqlite>::new("INSERT INTO log (shop, position, events) ");
            match layout {
                Layout::Rows => {
                    insert.push_values(events.iter().zip(position..), |mut row, (event, at)| {
                        row.push_bind(1_i64)
                            .push_bind(at)
                            .push_bind(event.as_slice());
                    });
                }
                Layout::Chunks => {
                    let bytes = events.concat();
                    insert.push_values([bytes], |mut row, bytes| {
                        row.push_bind(1_i64).push_bind(position).push_bind(bytes);
                    });
                }
            }
            insert.build().execute(&mut connection).await?;
        }
        Ok(())
    };
    let (used, ()) = timed_here(work).await?;
    connection.close().await?;
    Ok((year.events.len() as f64, used))
}
