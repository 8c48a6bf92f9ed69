//! `POST /api/v1/sync`: a device hands in what it has and takes what it lacks.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use minicbor::Decoder;
use shared::event::Role;
use shared::sync::judge::{self, Judgement};
use shared::sync::segment::{self, packed};
use shared::sync::wire::{
    Advice, Chunk, MAX_ANSWER_BYTES, MAX_ENCODED_REQUEST_BYTES, MAX_KEYS, MAX_PUSH_EVENTS,
    MAX_SEGMENTS, MEDIA_TYPE, Sealed, SyncAnswer, SyncRequest,
};

use super::App;
use super::body::{answer, decode, read_one_of};
use super::caller::{Caller, role};
use super::error::{Code, Refusal};
use crate::archive::SEGMENT_EVENTS;
use crate::identity::is_signed_by;
use crate::store::{ChunkRecord, ShopRecord};
use crate::writer::Taken;

/// A device hands in what it has and takes what it lacks
#[utoipa::path(
    post,
    path = "/api/v1/sync",
    tag = "log",
    request_body(content = crate::http::openapi::Cbor, content_type = "application/cbor", description = "`SyncRequest`"),
    responses(
        (status = OK, description = "`SyncAnswer`", body = crate::http::openapi::Cbor, content_type = "application/cbor"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    ),
    security(("token" = []))
)]
pub async fn sync(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let headers = request.headers().clone();
    let accepted = [MEDIA_TYPE, packed::MEDIA_TYPE];
    let (media_type, bytes) = read_one_of(request, &accepted, MAX_ENCODED_REQUEST_BYTES).await?;
    let request: SyncRequest = if media_type == packed::MEDIA_TYPE {
        packed::unpack(&bytes)
            .map_err(|damaged| Refusal::new(Code::Malformed, damaged.to_string()))?
    } else {
        check_counts(&bytes)?;
        decode(&bytes)?
    };
    drop(bytes);
    let asked = Asked {
        protocol: request.protocol,
        position: request.position,
        reads_segments: request
            .segments
            .is_some_and(|version| version >= segment::VERSION),
        keys_after: request.keys_after,
        want_bytes: request.want_bytes.min(MAX_ANSWER_BYTES),
    };
    let Taken { judgement, record } = take(&app, &caller, request).await?;
    if judgement.standing.advice == Advice::Resign {
        return Err(Refusal::new(
            Code::BadSignature,
            "the signature is not by the device's key over this chain",
        ));
    }
    let answered = pull(&app, &caller, &asked, judgement, &record).await?;
    Ok(answer(&answered, &headers).await)
}

/// What is left of a request once the push was taken.
struct Asked {
    protocol: u16,
    position: u64,
    reads_segments: bool,
    keys_after: u64,
    want_bytes: u32,
}

async fn take(app: &App, caller: &Caller, request: SyncRequest) -> Result<Taken, Refusal> {
    if request.push.is_some() || request.keys.as_ref().is_some_and(|keys| !keys.is_empty()) {
        return app.writer.sync(caller.shop, caller.device, request).await;
    }
    // Nothing is handed in: what is committed is all there is to know.
    let record = Arc::clone(&caller.watched.borrow());
    let judgement = judge::judge(
        &record.state,
        caller.device,
        &request,
        crate::now(),
        is_signed_by,
    )?;
    app.writer.recoveries().hear(&record.state, caller.device);
    Ok(Taken { judgement, record })
}

async fn pull(
    app: &App,
    caller: &Caller,
    asked: &Asked,
    judgement: Judgement,
    record: &ShopRecord,
) -> Result<SyncAnswer, Refusal> {
    let size = record.head.size;
    let sealed = match judgement.may_read() {
        true => sealed(app, asked, record).await?,
        false => None,
    };
    let chunks = if judgement.may_read() && sealed.is_none() {
        match just_taken(&judgement, asked.position, record) {
            Some(chunks) => chunks,
            None => stored(app, asked, &judgement, record).await?,
        }
    } else {
        Vec::new()
    };
    let reads_names = judgement.may_read()
        && role(record, caller.device).is_some_and(|role| role > Role::Display);
    let mut keys = Vec::new();
    if reads_names && asked.keys_after < record.last_key {
        keys = app
            .store
            .keys(caller.shop, asked.keys_after, MAX_KEYS)
            .await?;
    }
    let reached = chunks.last().map_or(asked.position, |chunk| {
        chunk.position + u64::from(chunk.count) - 1
    });
    let keys_last = keys.last().map_or(asked.keys_after, |(number, _)| *number);
    let more =
        judgement.may_read() && (reached < size || (reads_names && keys_last < record.last_key));
    Ok(SyncAnswer {
        protocol: asked.protocol,
        generation: record.state.log.generation(),
        results: judgement.results,
        standing: judgement.standing,
        chunks,
        keys: keys.into_iter().map(|(_, key)| key).collect(),
        keys_last,
        head: record.head,
        server_time: crate::now(),
        more,
        sealed,
        restored: app.writer.recoveries().restored(&record.state),
        packed: Some(packed::VERSION),
    })
}

/// The segments behind the asked position, for a device that is far enough behind that they are
/// worth a request each.
async fn sealed(app: &App, asked: &Asked, record: &ShopRecord) -> Result<Option<Sealed>, Refusal> {
    let is_far_behind = record.head.size.saturating_sub(asked.position) > SEGMENT_EVENTS;
    if !asked.reads_segments || !is_far_behind {
        return Ok(None);
    }
    let segments = app
        .store
        .segments(record.number, asked.position, MAX_SEGMENTS)
        .await?;
    Ok(segments.first().map(|first| Sealed {
        after: first.name.first - 1,
        ends: segments.iter().map(|segment| segment.name.last).collect(),
    }))
}

/// The part of the log that was asked for, if it is what the device itself has just handed in: the
/// usual case, and no look at the disk.
fn just_taken(judgement: &Judgement, position: u64, record: &ShopRecord) -> Option<Vec<Chunk>> {
    let size = record.head.size;
    if position == size {
        return Some(Vec::new());
    }
    let count: u64 = judgement
        .chunks
        .iter()
        .map(|chunk| u64::from(chunk.count()))
        .sum();
    if judgement.chunks.first()?.position != position + 1 || position + count != size {
        return None;
    }
    let chunks = judgement.chunks.iter().map(|chunk| {
        judgement
            .is_covered(chunk.device, chunk.first_seq, chunk.count())
            .then_some(Chunk {
                position: chunk.position,
                device: chunk.device,
                first_seq: chunk.first_seq,
                count: chunk.count(),
                received: chunk.received,
                verdict: chunk.verdict,
                events: None,
                branch_of: record.branch_of(chunk.device),
            })
    });
    chunks.collect()
}

/// The part of the log that was asked for.
async fn stored(
    app: &App,
    asked: &Asked,
    judgement: &Judgement,
    record: &ShopRecord,
) -> Result<Vec<Chunk>, Refusal> {
    let size = record.head.size;
    let found = app
        .store
        .chunks(record.number, asked.position, asked.want_bytes)
        .await?;
    found
        .into_iter()
        // What was committed since is not covered by the head that is sent.
        .take_while(|chunk| chunk.position + u64::from(chunk.count) - 1 <= size)
        .map(|chunk| as_sent(chunk, judgement))
        .collect()
}

/// A chunk for the device that asks, without the bytes that it holds itself.
fn as_sent(chunk: ChunkRecord, judgement: &Judgement) -> Result<Chunk, Refusal> {
    let is_covered = judgement.is_covered(chunk.device, chunk.first_seq, chunk.count);
    let events = match is_covered {
        true => None,
        false => Some(chunk.events()?),
    };
    Ok(Chunk {
        position: chunk.position,
        device: chunk.device,
        first_seq: chunk.first_seq,
        count: chunk.count,
        received: chunk.received,
        verdict: chunk.verdict,
        events,
        branch_of: chunk.branch_of,
    })
}

/// Looks at the counts of events and keys before anything is made of them: a million empty events
/// fit into a body, and would fill the memory.
fn check_counts(bytes: &[u8]) -> Result<(), Refusal> {
    const PUSH: u64 = 8;
    const EVENTS: u64 = 2;
    let too_many = || Refusal::new(Code::Malformed, "too many events or keys at once");
    let malformed =
        |error: minicbor::decode::Error| Refusal::new(Code::Malformed, error.to_string());
    let count = |decoder: &mut Decoder<'_>, most: usize| match decoder.array().map_err(malformed)? {
        Some(count) if count <= most as u64 => Ok(()),
        _ => Err(too_many()),
    };
    let mut decoder = Decoder::new(bytes);
    let elements = decoder.array().map_err(malformed)?.ok_or_else(too_many)?;
    for element in 0..elements {
        let is_absent = decoder.datatype().map_err(malformed)? == minicbor::data::Type::Null;
        let mut inside = decoder.clone();
        if element == PUSH && !is_absent {
            let inner = inside.array().map_err(malformed)?.ok_or_else(too_many)?;
            for _ in 0..EVENTS.min(inner) {
                inside.skip().map_err(malformed)?;
            }
            count(&mut inside, MAX_PUSH_EVENTS)?;
        } else if element == PUSH + 1 && !is_absent {
            count(&mut inside, MAX_KEYS)?;
        }
        decoder.skip().map_err(malformed)?;
    }
    Ok(())
}
