//! Stopping in order: whoever runs for long is told, and may finish what it is at.

use tokio::sync::watch;

/// Asks everybody to stop.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Hears when it is time to stop. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// A pair of the two.
pub fn shutdown() -> (Stopper, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Shutdown(receiver))
}

impl Stopper {
    /// Asks.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Completes when it is time to stop, or when nobody is left who could say so.
    pub async fn asked(&mut self) {
        // An error means that the asking side is gone, which is a reason to stop as well.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}
