//! The only reader of the time and the only source of chance.
//!
//! Everything else is given a [`Clock`]. In tests a [`ManualClock`] stands still until it is moved. Nodes over one database
//! share its time: a [`SharedClock`].

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use tokio::sync::watch;

/// Tells the time and waits for it.
pub trait Clock: Send + Sync + 'static {
    /// Now, in whole milliseconds of UTC.
    fn now(&self) -> Timestamp;

    /// Completes at `at`, or earlier: after a jump of the wall clock, or for no reason. Who waits looks
    /// at the time again.
    fn wait_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// The time that counts is by so much ahead of this clock, or behind it. Only a [`SharedClock`] takes it over.
    fn correct(&self, _by: SignedDuration) {}

    /// By how much the time that counts was ahead of the clock of this machine, as far as that was taken over.
    fn corrected(&self) -> SignedDuration {
        SignedDuration::ZERO
    }
}

/// Completes when the clock shows `at` or later, however often [`Clock::wait_until`] comes back early.
pub async fn sleep_until(clock: &dyn Clock, at: Timestamp) {
    while clock.now() < at {
        clock.wait_until(at).await;
    }
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        whole_millis(Timestamp::now())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that waits for the time")]
    fn wait_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        // At most a second at once: the wall clock may be set meanwhile, and sleeping does not notice.
        let left = at.duration_since(self.now()).clamp(SignedDuration::ZERO, SignedDuration::from_secs(1));
        Box::pin(tokio::time::sleep(left.unsigned_abs()))
    }
}

/// The clock of nodes that share a database, and its time: one of their own, corrected by what the database says.
pub struct SharedClock {
    own: Arc<dyn Clock>,
    ahead_millis: AtomicI64,
}

impl SharedClock {
    /// A clock that shows what `own` shows until it is corrected.
    pub fn over(own: Arc<dyn Clock>) -> Self {
        Self { own, ahead_millis: AtomicI64::new(0) }
    }
}

impl Clock for SharedClock {
    fn now(&self) -> Timestamp {
        let own = self.own.now();
        own.checked_add(self.corrected()).unwrap_or(own)
    }

    fn wait_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.own.wait_until(at.checked_sub(self.corrected()).unwrap_or(at))
    }

    fn correct(&self, by: SignedDuration) {
        self.ahead_millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or_default(), Ordering::Relaxed);
    }

    fn corrected(&self) -> SignedDuration {
        SignedDuration::from_millis(self.ahead_millis.load(Ordering::Relaxed))
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<Timestamp>,
    moved: watch::Sender<()>,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self { now: Mutex::new(whole_millis(now)), moved: watch::Sender::new(()) }
    }

    /// Moves the clock, forwards or back, and wakes whoever waits for it.
    pub fn set(&self, now: Timestamp) {
        *lock(&self.now) = whole_millis(now);
        self.moved.send_replace(());
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *lock(&self.now)
    }

    fn wait_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut moved = self.moved.subscribe();
        Box::pin(async move {
            while self.now() < at {
                if moved.changed().await.is_err() {
                    return;
                }
            }
        })
    }
}

/// Drops what is finer than a millisecond: an instant has to come back from a store as it went in.
fn whole_millis(at: Timestamp) -> Timestamp {
    // A count of milliseconds that came out of a timestamp fits into one.
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// Takes a lock whose holder may have panicked: what it guards is one plain value, whole at any time.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The next 64 bits of chance, fit for secrets.
#[expect(clippy::disallowed_methods, reason = "this is the one place that draws chance")]
pub fn chance() -> u64 {
    rand::rng().next_u64()
}

/// `N` bytes of chance, fit for secrets.
#[expect(clippy::disallowed_methods, reason = "this is the one place that draws chance")]
pub fn secret<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// Chance for keys that a library makes by itself.
pub fn randomness() -> ring::rand::SystemRandom {
    ring::rand::SystemRandom::new()
}

/// How long something took, for measurements that never decide anything.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn a_shared_clock_shows_what_it_was_told_and_goes_on_with_its_own() {
        let start: Timestamp = "2026-03-29T00:59:00Z".parse().unwrap();
        let own = Arc::new(ManualClock::new(start));
        let shared = SharedClock::over(own.clone());
        assert_eq!((shared.now(), shared.corrected()), (start, SignedDuration::ZERO));
        shared.correct(SignedDuration::from_secs(90));
        shared.correct(SignedDuration::from_secs(-20));
        assert_eq!(shared.now(), start + SignedDuration::from_secs(70));
        own.set(start + SignedDuration::from_secs(5));
        assert_eq!(shared.now(), start + SignedDuration::from_secs(75));
        own.correct(SignedDuration::from_secs(90));
        assert_eq!(own.corrected(), SignedDuration::ZERO, "a clock that a test moves stays where it is");
    }

    #[tokio::test]
    async fn who_waits_by_a_shared_clock_waits_until_it_shows_that_time() {
        let start: Timestamp = "2026-03-29T00:59:00Z".parse().unwrap();
        let own = Arc::new(ManualClock::new(start));
        let shared = SharedClock::over(own.clone());
        shared.correct(SignedDuration::from_secs(60));
        let mut waiting = Box::pin(sleep_until(&shared, start + SignedDuration::from_secs(90)));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        own.set(start + SignedDuration::from_secs(29));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        own.set(start + SignedDuration::from_secs(30));
        assert!(futures_util::poll!(&mut waiting).is_ready());
    }
}
