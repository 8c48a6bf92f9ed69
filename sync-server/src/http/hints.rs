//! `GET /api/v1/hints`: how far the log reaches, live. A hint only: the cursor is the truth.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Sse};
use shared::event::Role;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::WatchStream;

use super::App;
use super::caller::{Caller, role};
use super::error::{Code, Refusal};

/// How often something is sent, so that a dead connection is found.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// When it is worth to listen again.
const LISTEN_RETRY_MS: u32 = 30_000;

/// What nginx and others read.
const NOT_BUFFERED: &str = "x-accel-buffering";

enum News {
    Head(u64),
    End,
}

/// How far the log reaches, live
#[utoipa::path(
    get,
    path = "/api/v1/hints",
    tag = "log",
    responses(
        (status = OK, description = "Events such as `data: {\"head\":512}`", content_type = "text/event-stream"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    ),
    security(("token" = []))
)]
pub async fn hints(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<impl IntoResponse, Refusal> {
    caller.require(Role::Display)?;
    let place = Arc::clone(&app.limits.listeners)
        .try_acquire_owned()
        .map_err(|_| {
            Refusal::after(
                Code::TooManyListeners,
                "too many devices listen",
                LISTEN_RETRY_MS,
            )
        })?;
    let device = caller.device;
    let heads = WatchStream::new(caller.watched).map(move |record| match role(&record, device) {
        Some(_) => News::Head(record.head.size),
        None => News::End,
    });
    let end = WatchStream::new(app.stopping.clone())
        .filter(|is_stopping| *is_stopping)
        .map(|_| News::End);
    let hints = heads.merge(end).map_while(move |news| {
        // Kept as long as the stream lives.
        let _ = &place;
        match news {
            News::Head(head) => Some(Ok::<_, Infallible>(
                Event::default().data(format!("{{\"head\":{head}}}")),
            )),
            News::End => None,
        }
    });
    let stream = Sse::new(hints).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    // Proxies must not wait for more.
    Ok(([(NOT_BUFFERED, "no")], stream))
}
