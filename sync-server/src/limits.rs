//! How often someone may ask.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most askers that one limit remembers. Those who have been quiet for long enough are
/// forgotten first; if all are busy, newcomers wait.
const MAX_ASKERS: usize = 50_000;

/// So many requests at once, and one more per interval (GCRA, ITU-T I.371).
pub struct Limit<K> {
    interval: Duration,
    burst: Duration,
    /// When each asker will have used up nothing again.
    rested: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Limit<K> {
    /// `burst` requests at once, then one per `interval`.
    pub fn new(burst: u32, interval: Duration) -> Limit<K> {
        Limit {
            interval,
            burst: interval * burst,
            rested: Mutex::new(HashMap::new()),
        }
    }

    /// Counts a request at `now`.
    ///
    /// # Errors
    ///
    /// It came too early: how long to wait.
    pub fn take(&self, asker: K, now: Instant) -> Result<(), Duration> {
        let mut rested = self.rested.lock().unwrap_or_else(PoisonError::into_inner);
        if rested.len() >= MAX_ASKERS && !rested.contains_key(&asker) {
            rested.retain(|_, at| *at > now);
            if rested.len() >= MAX_ASKERS {
                return Err(self.interval);
            }
        }
        let at = rested.entry(asker).or_insert(now);
        let next = (*at).max(now) + self.interval;
        let ahead = next - now;
        if ahead > self.burst {
            return Err(ahead - self.burst);
        }
        *at = next;
        Ok(())
    }

    /// Whether a request at `now` would be in time, without counting it.
    ///
    /// # Errors
    ///
    /// It would come too early: how long to wait.
    pub fn look(&self, asker: &K, now: Instant) -> Result<(), Duration> {
        let rested = self.rested.lock().unwrap_or_else(PoisonError::into_inner);
        let next = rested.get(asker).map_or(now, |at| (*at).max(now)) + self.interval;
        match (next - now).checked_sub(self.burst) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_may_hurry_for_a_moment_and_then_keeps_the_pace() {
        let limit = Limit::new(3, Duration::from_millis(200));
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(limit.take("a", start), Ok(()));
        }
        assert_eq!(limit.look(&"a", start), Err(Duration::from_millis(200)));
        assert_eq!(limit.take("a", start), Err(Duration::from_millis(200)));
        assert_eq!(limit.take("b", start), Ok(()), "each for itself");
        let later = start + Duration::from_millis(200);
        assert_eq!(limit.take("a", later), Ok(()));
        assert_eq!(limit.take("a", later), Err(Duration::from_millis(200)));
        let much_later = start + Duration::from_secs(60);
        for _ in 0..3 {
            assert_eq!(limit.take("a", much_later), Ok(()));
        }
        assert!(limit.take("a", much_later).is_err(), "rest is not saved up");
    }
}
