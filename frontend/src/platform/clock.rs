//! The phone's clock: a claim, never used for order.

/// Milliseconds since 1970, UTC, as the phone believes.
pub fn now_ms() -> i64 {
    js_sys::Date::now() as i64
}
