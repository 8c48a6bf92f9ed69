//! The live channel: the server says how long the log is. Only hints: whatever is missed is found
//! by the next look.
//!
//! Server-sent events, read by fetch, because an `EventSource` would show the token in its address.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use gloo_net::http::Method;
use shared::sync::engine::Input;
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortController, ReadableStreamDefaultReader};

use super::driver::{Driver, Timer};
use super::http;

const HINTS: &str = "/api/v1/hints";

/// The longest line that is read; a hint has about twenty bytes.
const MAX_LINE_BYTES: usize = 1024;

/// The first wait after the channel broke.
const FIRST_WAIT_MS: u32 = 1_000;
/// The longest wait.
const LAST_WAIT_MS: u32 = 60_000;

/// The channel, tried again and again; closed when dropped.
pub(super) struct Hints {
    controller: Option<AbortController>,
    retry: Rc<RefCell<Option<Timer>>>,
}

impl Hints {
    /// Follows the hints of the driver's server.
    pub(super) fn follow(driver: &Rc<Driver>) -> Hints {
        let controller = AbortController::new().ok();
        let retry = Rc::new(RefCell::new(None));
        if let Some(controller) = &controller {
            let follower = Rc::new(Follower {
                driver: Rc::downgrade(driver),
                controller: controller.clone(),
                retry: Rc::downgrade(&retry),
                wait_ms: Cell::new(FIRST_WAIT_MS),
                refused: Cell::new(false),
            });
            follower.run();
        }
        Hints { controller, retry }
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        self.retry.take();
        if let Some(controller) = &self.controller {
            controller.abort();
        }
    }
}

struct Follower {
    driver: Weak<Driver>,
    controller: AbortController,
    retry: Weak<RefCell<Option<Timer>>>,
    wait_ms: Cell<u32>,
    /// The server refused the channel the last time.
    refused: Cell<bool>,
}

impl Follower {
    /// Reads until the channel breaks, waits, and starts again.
    fn run(self: Rc<Follower>) {
        spawn_local(async move {
            let end = self.read().await;
            let first_refusal = end == End::Refused && !self.refused.get();
            self.refused.set(end == End::Refused);
            if (end == End::Broken || first_refusal)
                && let Some(driver) = self.driver.upgrade()
            {
                // Whatever happened to the server, the sync finds out and says so.
                driver.input(Input::SyncNow);
            }
            let Some(retry) = self.retry.upgrade() else {
                return;
            };
            let wait_ms = self.wait_ms.get();
            self.wait_ms.set((wait_ms * 2).min(LAST_WAIT_MS));
            // Half of the wait is random, so that phones do not come back together.
            let spread = u32::from_le_bytes(crate::crypto::random()) % (wait_ms / 2 + 1);
            let again = self.clone();
            *retry.borrow_mut() = Timer::after(wait_ms / 2 + spread, move || again.run());
        });
    }

    async fn read(&self) -> End {
        let Some(reader) = self.connect().await else {
            return End::Unreached;
        };
        let Ok(reader) = reader else {
            return End::Refused;
        };
        self.wait_ms.set(FIRST_WAIT_MS);
        self.tell(Input::Online);
        let mut lines = Lines::default();
        while let Ok(Some(bytes)) = http::next_part(&reader).await {
            for size in lines.take(&bytes) {
                self.tell(Input::Hinted { size });
            }
        }
        End::Broken
    }

    fn tell(&self, input: Input) {
        if let Some(driver) = self.driver.upgrade() {
            driver.input(input);
        }
    }

    /// `None` when nothing answered that is the server.
    async fn connect(&self) -> Option<Result<ReadableStreamDefaultReader, Refused>> {
        let signal = self.controller.signal();
        let request = {
            let driver = self.driver.upgrade()?;
            let request = driver.server().request(Method::GET, HINTS, &signal);
            request.header("accept", "text/event-stream").build().ok()?
        };
        let response = request.send().await.ok()?;
        if matches!(response.status(), 401 | 403) {
            return Some(Err(Refused));
        }
        let content_type = response.headers().get("content-type")?;
        if !response.ok() || !content_type.starts_with("text/event-stream") {
            return None;
        }
        http::reader(&response).map(Ok)
    }
}

/// How the channel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It was never there.
    Unreached,
    /// The server does not let this device listen.
    Refused,
    /// It was there, and is no more.
    Broken,
}

struct Refused;

/// Lines of a stream of server-sent events, of which only hints matter.
#[derive(Debug, Default)]
struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// The sizes of the log that these bytes complete.
    fn take(&mut self, bytes: &[u8]) -> Vec<u64> {
        let mut sizes = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' | b'\r' => {
                    sizes.extend(hint(&self.line));
                    self.line.clear();
                }
                _ if self.line.len() < MAX_LINE_BYTES => self.line.push(byte),
                _ => {}
            }
        }
        sizes
    }
}

/// The size in `data: {"head":512}`.
fn hint(line: &[u8]) -> Option<u64> {
    let data = line.strip_prefix(b"data:")?.trim_ascii();
    let number = data.strip_prefix(b"{\"head\":")?.strip_suffix(b"}")?;
    core::str::from_utf8(number).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn hints_come_in_any_pieces() {
        let mut lines = Lines::default();
        assert!(lines.take(b": still here\n\nda").is_empty());
        assert!(lines.take(b"ta: {\"head\":5").is_empty());
        assert_eq!(lines.take(b"12}\n\ndata:{\"head\":513}\r\n"), [512, 513]);
    }

    #[test]
    fn what_is_no_hint_is_passed_over() {
        let mut lines = Lines::default();
        let long = vec![b'x'; 10 * MAX_LINE_BYTES];
        assert!(lines.take(&long).is_empty());
        assert!(lines.line.len() <= MAX_LINE_BYTES);
        assert!(
            lines
                .take(b"\ndata: {}\ndata: {\"head\":-1}\nevent: x\n")
                .is_empty()
        );
        assert_eq!(lines.take(b"data: {\"head\":7}\n"), [7]);
    }
}
