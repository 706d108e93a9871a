use crate::redis_server::RedisServer;
use crate::tally::{Tally, batch, batches};
use nazorg_domain::jobs::LeasedBatch;
use nazorg_worker::queue::{Handover, Queue, RedisQueue, RedisQueueSettings};
use redis::AsyncCommands;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(20);

/// A worker process, as far as the queue is concerned.
struct Worker {
    queue: Arc<Queue>,
    stop: CancellationToken,
    work: JoinHandle<()>,
}

impl Worker {
    fn start(server: &RedisServer, number: u128, handover: Handover) -> Self {
        let queue = Arc::new(queue(server, number));
        let stop = CancellationToken::new();
        let work = tokio::spawn({
            let (queue, stop) = (queue.clone(), stop.clone());
            async move { queue.run(handover, stop).await }
        });
        Self { queue, stop, work }
    }

    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(SOON, self.work).await.unwrap().unwrap();
    }
}

fn queue(server: &RedisServer, number: u128) -> Queue {
    let settings = RedisQueueSettings {
        address: server.address(),
        name: "{nazorg}".to_owned(),
        poll: Duration::from_millis(50),
        process: Uuid::from_u128(number),
    };
    Queue::Redis(RedisQueue::new(settings))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_workers_handle_everything_once_and_leave_redis_clean() {
    let server = RedisServer::start().await;
    let tally = Tally::new();
    let workers: Vec<_> = (0..4).map(|n| Worker::start(&server, n, tally.handover(4))).collect();
    for chunk in batches(0, 2_000).chunks(20) {
        workers[0].queue.push(chunk).await.unwrap();
    }
    tally.reaches(2_000, SOON).await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(tally.most(), 1);
    let mut connection = server.connection().await;
    let waiting: u64 = connection.llen("{nazorg}:active").await.unwrap();
    let living: u64 = connection.zcard("{nazorg}:workers").await.unwrap();
    let about: Vec<String> = connection.keys("{nazorg}:workers:metadata:*").await.unwrap();
    assert_eq!((waiting, living, about.len()), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finished_tasks_are_swept_away() {
    let server = RedisServer::start().await;
    let tally = Tally::new();
    let worker = Worker::start(&server, 1, tally.handover(4));
    worker.queue.push(&batches(0, 1_500)).await.unwrap();
    tally.reaches(1_500, SOON).await;
    let mut connection = server.connection().await;
    let deadline = Instant::now() + SOON;
    loop {
        let data: u64 = connection.hlen("{nazorg}:data").await.unwrap();
        let done: u64 = connection.scard("{nazorg}:done").await.unwrap();
        let meta: Vec<String> = connection.keys("{nazorg}:meta:*").await.unwrap();
        if (data, done, meta.len()) == (0, 0, 0) {
            break;
        }
        assert!(Instant::now() < deadline, "{data} data, {done} done, {} meta", meta.len());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_goes_on_after_a_flush() {
    let server = RedisServer::start().await;
    let tally = Tally::new();
    let worker = Worker::start(&server, 1, tally.handover(4));
    worker.queue.push(&batches(0, 10)).await.unwrap();
    tally.reaches(10, SOON).await;
    server.flush().await;
    worker.queue.push(&batches(10, 10)).await.unwrap();
    tally.reaches(20, SOON).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_forgot_is_told_within_seconds_though_nothing_is_pushed() {
    let server = RedisServer::start().await;
    let worker = Worker::start(&server, 1, stuck());
    worker.queue.push(&batches(0, 10)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(worker.queue.lost().is_empty(), "what waits, and what is in hand, is not lost");
    server.flush().await;
    assert_eq!(lost(&worker.queue).await, batches(0, 10));
    worker.work.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_after_a_flush_tells_what_was_forgotten() {
    let server = RedisServer::start().await;
    let queue = queue(&server, 1);
    queue.push(&batches(0, 3)).await.unwrap();
    server.flush().await;
    queue.push(&batches(3, 3)).await.unwrap();
    assert_eq!(queue.lost(), batches(0, 3));
    queue.push(&batches(6, 3)).await.unwrap();
    assert!(queue.lost().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_worker_held_that_ended_is_handled_at_once() {
    let server = RedisServer::start().await;
    queue(&server, 9).push(&batches(0, 4)).await.unwrap();
    let mut connection = server.connection().await;
    // The first worker of process 1 took them all and began none.
    let held = format!("{{nazorg}}:inflight:nazorg-{}-0", Uuid::from_u128(1));
    let () = connection.rename("{nazorg}:active", "taken").await.unwrap();
    for id in connection.lrange::<_, Vec<String>>("taken", 0, -1).await.unwrap() {
        let () = connection.sadd(&held, id).await.unwrap();
    }
    let tally = Tally::new();
    let worker = Worker::start(&server, 1, tally.handover(4));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(tally.count(), 0, "while it lives, nobody else takes what it holds");
    // Registered no more, it ends; and nobody would ever look for what it held.
    let () = connection.del("{nazorg}:workers").await.unwrap();
    tally.reaches(4, SOON).await;
    worker.stop().await;
}

/// A handler that never ends.
fn stuck() -> Handover {
    Handover::new(Arc::new(|_, _| Box::pin(std::future::pending())), 1)
}

async fn lost(queue: &Queue) -> Vec<LeasedBatch> {
    let asked = Instant::now();
    loop {
        let lost = queue.lost();
        if !lost.is_empty() {
            return lost;
        }
        assert!(asked.elapsed() < SOON, "nothing is told to be lost");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_killed_and_started_again_pushes_fail_fast_and_work_goes_on() {
    let mut server = RedisServer::start().await;
    let tally = Tally::new();
    let worker = Worker::start(&server, 1, tally.handover(4));
    worker.queue.push(&batches(0, 10)).await.unwrap();
    tally.reaches(10, SOON).await;
    server.kill();
    for n in 0..3 {
        let asked = Instant::now();
        assert!(worker.queue.push(&batches(100 + n, 1)).await.is_err());
        assert!(asked.elapsed() < Duration::from_millis(2_500), "{:?}", asked.elapsed());
    }
    server.start_again().await;
    let back = Instant::now();
    while worker.queue.push(&batches(10, 10)).await.is_err() {
        assert!(back.elapsed() < SOON);
    }
    tally.reaches(20, SOON).await;
    println!("handled {:?} after Redis came back", back.elapsed());
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_redis_hangs_neither_a_push_nor_the_stop() {
    let server = RedisServer::start().await;
    let tally = Tally::new();
    let worker = Worker::start(&server, 1, tally.handover(4));
    worker.queue.push(&batches(0, 1)).await.unwrap();
    tally.reaches(1, SOON).await;
    server.freeze();
    let asked = Instant::now();
    assert!(worker.queue.push(&batches(1, 1)).await.is_err());
    assert!(asked.elapsed() < Duration::from_millis(2_500), "{:?}", asked.elapsed());
    worker.stop().await;
    server.thaw();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_finishes_though_redis_dies_under_it() {
    let mut server = RedisServer::start().await;
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
    let worker = Worker::start(&server, 1, handover);
    worker.queue.push(&batches(0, 1)).await.unwrap();
    begun.notified().await;
    server.kill();
    while worker.queue.push(&batches(5, 1)).await.is_ok() {}
    tokio::time::sleep(Duration::from_millis(300)).await; // the apalis worker has noticed and is gone by now
    go.notify_one();
    tally.reaches(1, SOON).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p33_malformed_payloads_fail_alone() {
    let server = RedisServer::start().await;
    let mut connection = server.connection().await;
    let huge = "[".repeat(10 << 20);
    let strangers = ["not json", "{\"kind\":\"tea\",\"leases\":[]}", "", huge.as_str()];
    for (id, payload) in strangers.into_iter().enumerate().map(|(nth, payload)| (format!("bad-{nth}"), payload)) {
        let () = connection.hset("{nazorg}:data", &id, payload).await.unwrap();
        let fields = [("attempts", "0"), ("max_attempts", "1"), ("status", "Pending")];
        let () = connection.hset_multiple(format!("{{nazorg}}:meta:{id}"), &fields).await.unwrap();
        let () = connection.rpush("{nazorg}:active", &id).await.unwrap();
    }
    let tally = Tally::new();
    let worker = Worker::start(&server, 1, tally.handover(4));
    worker.queue.push(&batches(0, 10)).await.unwrap();
    tally.reaches(10, SOON).await;
    let ids: Vec<String> = connection.zrange("{nazorg}:workers", 0, -1).await.unwrap();
    assert!(ids.iter().all(|name| name.ends_with("-0")), "the first worker is still the one: {ids:?}");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p33_panics_fail_alone_and_end_no_workers_life() {
    let server = RedisServer::start().await;
    let tally = Tally::new();
    let worker = Worker::start(&server, 1, tally.poisoned_handover(2));
    for i in 0..50 {
        worker.queue.push(&[batch(i, if i % 10 == 0 { 2 } else { 1 })]).await.unwrap();
    }
    tally.reaches(45, SOON).await;
    let ids: Vec<String> = server.connection().await.zrange("{nazorg}:workers", 0, -1).await.unwrap();
    assert!(ids.iter().all(|name| name.ends_with("-0")), "the first worker is still the one: {ids:?}");
    worker.stop().await;
    assert_eq!(tally.count(), 45);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_without_its_data_does_not_stop_the_queue_for_ever() {
    let server = RedisServer::start().await;
    let mut connection = server.connection().await;
    for n in 0..30 {
        let () = connection.rpush("{nazorg}:active", format!("evicted-{n}")).await.unwrap();
    }
    recovers_from_poison(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nine_thousand_scheduled_tasks_do_not_stop_the_queue_for_ever() {
    let server = RedisServer::start().await;
    let mut connection = server.connection().await;
    let members: Vec<(u64, String)> = (0..9_000).map(|n| (1, format!("scheduled-{n}"))).collect();
    let () = connection.zadd_multiple("{nazorg}:scheduled", &members).await.unwrap();
    recovers_from_poison(&server).await;
}

/// The relay's part: what is not settled is pushed again, here every half second instead of every lease.
async fn recovers_from_poison(server: &RedisServer) {
    let tally = Tally::new();
    let worker = Worker::start(server, 1, tally.handover(4));
    let again = async {
        loop {
            let _ = worker.queue.push(&[batch(7, 10)]).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    tokio::select! {
        () = again => {}
        () = tally.reaches(10, SOON) => {}
    }
    assert!(!worker.queue.lost().is_empty(), "what was thrown away is told");
    worker.stop().await;
}
