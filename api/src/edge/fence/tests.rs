use std::time::Duration;

use super::within;
use crate::problem::{Code, Problem};

async fn code(limit: Duration, work: impl Future<Output = poem::Result<()>>) -> Option<Code> {
    within(limit, work).await.err().map(|error| Problem::from_poem(error).code)
}

#[tokio::test]
async fn what_takes_too_long_is_stopped_and_what_panics_is_a_fault() {
    let patience = Duration::from_secs(60);
    assert_eq!(code(Duration::from_millis(1), std::future::pending()).await, Some(Code::TimedOut));
    assert_eq!(code(patience, async { panic!("a fault") }).await, Some(Code::InternalError));
    assert_eq!(code(patience, async { Ok(()) }).await, None);
}
