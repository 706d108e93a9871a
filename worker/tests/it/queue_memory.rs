use crate::tally::{Tally, batch, batches};
use nazorg_worker::queue::{Handover, MemoryQueue, Queue};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn everything_pushed_is_handled_once() {
    let (queue, tally, stop) = (Arc::new(Queue::Memory(MemoryQueue::new())), Tally::new(), CancellationToken::new());
    queue.push(&batches(0, 500)).await.unwrap();
    let work = tokio::spawn({
        let (queue, handover, stop) = (queue.clone(), tally.handover(4), stop.clone());
        async move { queue.run(handover, stop).await }
    });
    queue.push(&batches(500, 500)).await.unwrap();
    tally.reaches(1000, SOON).await;
    stop.cancel();
    work.await.unwrap();
    assert_eq!(tally.most(), 1);
    assert!(queue.leftovers().is_empty());
}

#[tokio::test]
async fn what_nobody_began_is_handed_back_and_what_runs_is_finished() {
    let (queue, stop) = (Arc::new(Queue::Memory(MemoryQueue::new())), CancellationToken::new());
    let (begun, go) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let tally = Tally::new();
    let handover = Handover::new(
        Arc::new({
            let (begun, go, tally) = (begun.clone(), go.clone(), tally.clone());
            move |batch, _| {
                let (begun, go, tally) = (begun.clone(), go.clone(), tally.clone());
                Box::pin(async move {
                    begun.notify_one();
                    go.notified().await;
                    tally.note(&batch);
                })
            }
        }),
        1,
    );
    queue.push(&batches(0, 10)).await.unwrap();
    let work = tokio::spawn({
        let (queue, handover, stop) = (queue.clone(), handover.clone(), stop.clone());
        async move { queue.run(handover, stop).await }
    });
    begun.notified().await;
    stop.cancel();
    go.notify_one();
    work.await.unwrap();
    assert!(handover.drain(SOON).await);
    assert_eq!((tally.count(), queue.leftovers().len()), (1, 9));
}

#[tokio::test]
async fn p33_a_panic_fails_alone() {
    let (queue, tally, stop) = (Queue::Memory(MemoryQueue::new()), Tally::new(), CancellationToken::new());
    for i in 0..50 {
        queue.push(&[batch(i, if i % 10 == 0 { 2 } else { 1 })]).await.unwrap();
    }
    tokio::select! {
        () = queue.run(tally.poisoned_handover(2), stop) => {}
        () = tally.reaches(45, SOON) => {}
    }
    assert_eq!(tally.count(), 45);
}

#[tokio::test]
async fn a_batch_that_only_waits_steps_aside_and_at_most_eight_for_each_place_but_one() {
    let (queue, stop) = (Arc::new(Queue::Memory(MemoryQueue::new())), CancellationToken::new());
    let (begun, ended) = (Tally::new(), Tally::new());
    let go = Arc::new(tokio::sync::Semaphore::new(0));
    let handover = Handover::new(
        Arc::new({
            let (begun, ended, go) = (begun.clone(), ended.clone(), go.clone());
            move |batch, place| {
                let (begun, ended, go) = (begun.clone(), ended.clone(), go.clone());
                Box::pin(async move {
                    begun.note(&batch);
                    place.step_aside();
                    place.step_aside(); // again changes nothing
                    go.acquire().await.unwrap().forget();
                    ended.note(&batch);
                })
            }
        }),
        2,
    );
    queue.push(&batches(0, 20)).await.unwrap();
    let work = tokio::spawn({
        let (queue, handover, stop) = (queue.clone(), handover.clone(), stop.clone());
        async move { queue.run(handover, stop).await }
    });
    begun.reaches(10, SOON).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(begun.count(), 10, "eight aside and two in hand");
    go.add_permits(10);
    begun.reaches(20, SOON).await;
    go.add_permits(10);
    ended.reaches(20, SOON).await;
    stop.cancel();
    work.await.unwrap();
    assert_eq!((begun.most(), ended.most()), (1, 1));
}
