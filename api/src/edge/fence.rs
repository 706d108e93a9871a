//! A request is bounded: in time, and in what a fault inside it can break.

use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;

use crate::problem::{Code, INTERNAL, Problem};

/// Runs `work` for at most `limit`. When it is stopped, its transaction is dropped and with that rolled back; a panic
/// becomes a 500 with its message in the log.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = poem::Result<T>>) -> poem::Result<T> {
    match tokio::time::timeout(limit, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => Err(Problem::new(Code::InternalError, INTERNAL).because(message(panic.as_ref())).into()),
        Err(_) => {
            let problem = Problem::new(Code::TimedOut, "The request was stopped and rolled back.");
            Err(problem.retry_after(Duration::from_secs(5)).into())
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
        .to_owned()
}

#[cfg(test)]
mod tests;
