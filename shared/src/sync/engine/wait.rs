//! How long to wait, and for what.

/// How long a request may take.
pub const REQUEST_WAIT_MS: u32 = 30_000;

/// How long the device's own storage and keys may take.
pub const LOCAL_WAIT_MS: u32 = 30_000;

/// When all is well: how long until the next look at the server, hints or not.
pub const POLL_MS: u32 = 60_000;

/// The first wait after a failure, at most.
pub const BACKOFF_BASE_MS: u32 = 1_000;

/// The longest wait after a failure.
pub const BACKOFF_CAP_MS: u32 = 60_000;

/// The longest wait that a server may ask for: a wrong header must not silence a phone for ever.
pub const MAX_RETRY_AFTER_MS: u32 = 10 * 60_000;

/// How long until the next try after an answer that only people can change.
pub const SLOW_RETRY_MS: u32 = 15 * 60_000;

/// The fewest bytes that a request asks for on a slow line.
const MIN_BUDGET_BYTES: u32 = 16 * 1024;

/// Waits with full jitter, so that phones that failed together do not come back together.
///
/// The numbers come from SplitMix64 over a seed that the shell passes once.
#[derive(Debug)]
pub(super) struct Waits {
    random: u64,
    failures: u32,
}

impl Waits {
    pub const fn new(seed: u64) -> Waits {
        Waits {
            random: seed,
            failures: 0,
        }
    }

    fn below(&mut self, end: u32) -> u32 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        ((u128::from(mixed) * u128::from(end)) >> 64) as u32
    }

    /// After one more failure: anything up to twice the wait before it.
    pub fn backoff_ms(&mut self) -> u32 {
        let most = BACKOFF_BASE_MS
            .saturating_mul(1 << self.failures.min(16))
            .min(BACKOFF_CAP_MS);
        self.failures = self.failures.saturating_add(1);
        1 + self.below(most)
    }

    /// As long as the server asks for, and up to a quarter longer.
    pub fn retry_after_ms(&mut self, asked_ms: u32) -> u32 {
        let asked_ms = asked_ms.clamp(1, MAX_RETRY_AFTER_MS);
        asked_ms + self.below(asked_ms / 4 + 1)
    }

    /// Until the next look at the server.
    pub fn poll_ms(&mut self) -> u32 {
        POLL_MS / 2 + self.below(POLL_MS / 2)
    }

    /// It went well, or there is a reason to hope anew.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }
}

/// How many bytes of events one request may send or ask for: fewer after a time-out, more again
/// when it goes well, so that a slow line gets parts that it can carry in time.
#[derive(Debug)]
pub(super) struct Budget(u32);

impl Budget {
    pub const fn new() -> Budget {
        Budget(256 * 1024)
    }

    pub const fn bytes(&self) -> u32 {
        self.0
    }

    pub fn timed_out(&mut self) {
        self.0 = (self.0 / 2).max(MIN_BUDGET_BYTES);
    }

    pub fn went_well(&mut self) {
        self.0 = (self.0 * 2).min(crate::sync::wire::MAX_ANSWER_BYTES);
    }
}
