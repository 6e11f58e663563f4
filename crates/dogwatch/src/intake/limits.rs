//! How fast one key may send. What is too fast is told when to come back, and nothing is lost by it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use crate::clock::lock;

/// So many seconds' worth of them may come at once.
const BURST_SECONDS: i64 = 10;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Thousandths of a request that may still come.
    left: i64,
    at: Timestamp,
}

/// A bucket for each key. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Limits {
    rate: u32,
    buckets: Arc<Mutex<HashMap<String, Bucket>>>,
}

impl Limits {
    /// So many requests a second for each key.
    pub fn new(rate: u32) -> Self {
        Self { rate: rate.max(1), buckets: Arc::default() }
    }

    /// Lets one request of a key in.
    ///
    /// # Errors
    ///
    /// In how many seconds to come back.
    pub fn take(&self, key: &str, now: Timestamp) -> Result<(), u32> {
        let rate = i64::from(self.rate);
        let full = rate * BURST_SECONDS * 1_000;
        let mut buckets = lock(&self.buckets);
        let known = buckets.get(key).copied().unwrap_or(Bucket { left: full, at: now });
        // A clock that was set back gives nothing and takes nothing.
        let since = now.duration_since(known.at).max(SignedDuration::ZERO).as_millis();
        let grown = i64::try_from(since).unwrap_or(i64::MAX).saturating_mul(rate);
        let left = known.left.saturating_add(grown).min(full);
        let is_in = left >= 1_000;
        let bucket = Bucket { left: if is_in { left - 1_000 } else { left }, at: now };
        if let Some(place) = buckets.get_mut(key) {
            *place = bucket;
        } else {
            buckets.insert(key.to_owned(), bucket);
        }
        if is_in { Ok(()) } else { Err(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_burst_and_then_its_rate_and_others_have_their_own() {
        let limits = Limits::new(2);
        let start = Timestamp::from_second(1_000).unwrap();
        for _ in 0..20 {
            assert_eq!(limits.take("a", start), Ok(()));
        }
        assert_eq!(limits.take("a", start), Err(1));
        assert_eq!(limits.take("b", start), Ok(()));
        let later = start + SignedDuration::from_secs(1);
        assert_eq!(limits.take("a", later), Ok(()));
        assert_eq!(limits.take("a", later), Ok(()));
        assert_eq!(limits.take("a", later), Err(1));
        assert_eq!(limits.take("a", start), Err(1), "the clock was set back");
    }
}
