//! `GET /api/v1/log?after=&limit=`: the log for reading, in JSON. Sealed texts stay sealed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use shared::bytes::Bytes;
use shared::calendar::TimeMs;
use shared::event::{self, Decoded, Event, Role};
use shared::ids::EventId;
use shared::sync::wire::{MAX_ANSWER_BYTES, TreeHead, Verdict};

use super::App;
use super::caller::Caller;
use super::error::Refusal;
use crate::store::ShopRecord;

/// The most events on one page.
const MAX_EVENTS: usize = 1000;

/// Which part of the log.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct Page {
    /// The events behind this position.
    #[serde(default)]
    after: u64,
    /// At most so many, up to 1000.
    #[serde(default = "most")]
    limit: usize,
}

fn most() -> usize {
    MAX_EVENTS
}

/// A part of the log.
#[derive(Debug, Serialize)]
pub struct LogPage {
    /// The events in the order of the log.
    events: Vec<LogEntry>,
    /// The position to go on from.
    last: u64,
    /// The log as a whole.
    head: TreeHead,
}

/// An event in its place.
#[derive(Debug, Serialize)]
struct LogEntry {
    position: u64,
    id: EventId,
    received: TimeMs,
    verdict: Verdict,
    #[serde(flatten)]
    content: Content,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    /// What happened.
    Event(Box<Event>),
    /// An event that this server cannot read, in its bytes.
    Unread(Bytes),
}

/// The log for reading; sealed texts stay sealed
#[utoipa::path(
    get,
    path = "/api/v1/log",
    tag = "log",
    params(Page),
    responses(
        (status = OK, description = "Events in the order of the log", content_type = "application/json"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    ),
    security(("token" = []))
)]
pub async fn log(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<LogPage>, Refusal> {
    caller.require(Role::Viewer)?;
    let record = Arc::clone(&caller.watched.borrow());
    let limit = page.limit.clamp(1, MAX_EVENTS);
    let events = entries(&app, &record, page.after, limit).await?;
    Ok(Json(LogPage {
        last: events.last().map_or(page.after, |entry| entry.position),
        events,
        head: record.head,
    }))
}

async fn entries(
    app: &App,
    record: &ShopRecord,
    after: u64,
    limit: usize,
) -> Result<Vec<LogEntry>, Refusal> {
    let mut entries = Vec::new();
    if after >= record.head.size {
        return Ok(entries);
    }
    for chunk in app
        .store
        .chunks(record.number, after, MAX_ANSWER_BYTES)
        .await?
    {
        let branch = record.state.authority.branch(chunk.device);
        for (index, bytes) in (0..).zip(chunk.events()?) {
            let position = chunk.position + u64::from(index);
            if position <= after || position > record.head.size {
                continue;
            }
            if entries.len() == limit {
                return Ok(entries);
            }
            let content = match event::decode(&bytes.0, branch) {
                Ok(Decoded::Known(event)) => Content::Event(Box::new(event)),
                Ok(Decoded::Unknown(_)) | Err(_) => Content::Unread(bytes),
            };
            entries.push(LogEntry {
                position,
                id: EventId {
                    device: chunk.device,
                    seq: chunk.first_seq + index,
                },
                received: chunk.received,
                verdict: chunk.verdict,
                content,
            });
        }
    }
    Ok(entries)
}
