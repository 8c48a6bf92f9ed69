//! How long ago something was, in words.

use crate::i18n::{Msg, t};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// "5 min ago"; a time that is still to come (a clock was changed) is "just
/// now".
pub fn ago(at_ms: i64, now_ms: i64) -> String {
    let passed_ms = now_ms.saturating_sub(at_ms).max(0);
    let count = |unit_ms: i64| (passed_ms / unit_ms).unsigned_abs();
    t(if passed_ms < MINUTE_MS {
        Msg::CommonJustNow
    } else if passed_ms < HOUR_MS {
        Msg::CommonMinutesAgo {
            n: count(MINUTE_MS),
        }
    } else if passed_ms < DAY_MS {
        Msg::CommonHoursAgo { n: count(HOUR_MS) }
    } else {
        Msg::CommonDaysAgo { n: count(DAY_MS) }
    })
}
