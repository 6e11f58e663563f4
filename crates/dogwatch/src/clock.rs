//! The only reader of the time and the only source of chance.
//!
//! Everything else is given a [`Clock`]. In tests a [`ManualClock`] stands still until it is moved.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;

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
