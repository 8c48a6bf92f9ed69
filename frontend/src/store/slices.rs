//! Long work in slices, so that no tap waits for it.

use js_sys::Promise;
use wasm_bindgen_futures::JsFuture;

/// How long the screen may stand still: a frame at 60 Hz.
const SLICE_MS: f64 = 16.0;

/// The time that a piece of work has taken since the screen could last move.
pub struct Slices {
    since_ms: f64,
}

impl Slices {
    /// Begins the first slice.
    pub fn start() -> Slices {
        Slices {
            since_ms: clock_ms(),
        }
    }

    /// Has the screen stood still long enough?
    pub fn is_over(&self) -> bool {
        clock_ms() - self.since_ms >= SLICE_MS
    }

    /// To be called between two steps: lets the screen move when it has waited long enough, and
    /// says so.
    pub async fn breathe(&mut self) -> bool {
        if !self.is_over() {
            return false;
        }
        pause().await;
        self.since_ms = clock_ms();
        true
    }
}

/// Lets the screen move and taps be heard.
pub async fn pause() {
    pause_ms(0).await;
}

/// The same for so long.
pub async fn pause_ms(wait_ms: i32) {
    let moved = Promise::new(&mut |resolve, _| {
        if let Some(window) = web_sys::window() {
            let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, wait_ms);
        }
    });
    let _ = JsFuture::from(moved).await;
}

/// Milliseconds from some moment on, never going back.
pub fn clock_ms() -> f64 {
    let performance = web_sys::window().and_then(|window| window.performance());
    performance.map_or_else(js_sys::Date::now, |performance| performance.now())
}
