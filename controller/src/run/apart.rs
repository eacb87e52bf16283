//! A thread of its own for the lease: whatever keeps the other threads busy, the lease is renewed in time.
//!
//! In: work, as futures. Out: what came of it. A client of Kubernetes that the work uses is made here too, since its connections are
//! served by the runtime that made it.

use anyhow::{Context as _, Result};
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;

/// The thread. It ends when this is dropped.
pub struct Apart {
    handle: Handle,
    _end: DropGuard,
}

impl Apart {
    /// Starts it.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start() -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (handle, end) = (runtime.handle().clone(), CancellationToken::new());
        let until = end.clone();
        let body = move || runtime.block_on(until.cancelled());
        std::thread::Builder::new()
            .name("lease".to_owned())
            .spawn(body)
            .context("failed to start the lease's thread")?;
        Ok(Self { handle, _end: end.drop_guard() })
    }

    /// Does something there. It ends with the future that waits for it.
    ///
    /// # Errors
    /// When it panics.
    pub async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<T> {
        AbortOnDropHandle::new(self.handle.spawn(work)).await.context("the lease's thread failed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::{Instant, sleep};

    #[tokio::test]
    async fn it_goes_on_while_the_other_threads_are_busy() -> Result<()> {
        let apart = Apart::start()?;
        let (told, beats) = tokio::sync::oneshot::channel();
        let beating = apart.run(async move {
            let began = Instant::now();
            for _ in 0..10 {
                sleep(Duration::from_millis(10)).await;
            }
            told.send(began.elapsed()).is_ok()
        });
        let busy = async {
            // The only thread of this test's runtime does nothing else meanwhile.
            std::thread::sleep(Duration::from_secs(1));
        };
        let (is_heard, ()) = tokio::join!(beating, busy);
        anyhow::ensure!(is_heard?, "nobody listens");
        assert!(beats.await? < Duration::from_millis(900), "it waited for the other thread");
        Ok(())
    }
}
