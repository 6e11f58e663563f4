//! Who waits for a job of a writer, and is answered when it is committed.

use tokio::sync::oneshot;

use super::StoreError;

/// One who waits, and what the job has come to so far.
pub(super) struct Waiting<R> {
    result: Option<R>,
    reply: oneshot::Sender<Result<R, StoreError>>,
}

impl<R> Waiting<R> {
    /// One who waits, and where the answer comes.
    pub(super) fn new() -> (Self, oneshot::Receiver<Result<R, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Self { result: None, reply }, answer)
    }

    /// The job has come to this; run again, to something else.
    pub(super) fn came_to(&mut self, result: R) {
        self.result = Some(result);
    }

    /// It is committed, or it failed.
    pub(super) fn answer(self, failed: Option<StoreError>) {
        let answer = match (failed, self.result) {
            (None, Some(result)) => Ok(result),
            (Some(error), _) => Err(error),
            (None, None) => Err(StoreError::Stopped),
        };
        // Who asked may be gone; what it asked for is stored all the same.
        let _ = self.reply.send(answer);
    }
}
