//! Where apalis-redis keeps its things, what it leaves undone there, and the one thing we keep beside them.

use apalis_redis::Config;
use redis::Script;
use std::sync::LazyLock;
use std::time::Duration;
use uuid::Uuid;

/// How long a number of a last push is kept: longer than any lease, after which it says nothing any more.
pub(super) const LATEST_KEPT: Duration = Duration::from_secs(60);

/// Takes up to ARGV[1] finished tasks away: apalis forgets the `data` and `meta` of a finished task only when told to, and never its
/// member of `done` or `dead`; Redis would grow for ever. KEYS: done, dead, data, meta (a prefix).
pub(super) static SWEEP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local swept = 0
         for i = 1, 2 do
           for _, id in ipairs(redis.call('SPOP', KEYS[i], ARGV[1])) do
             redis.call('HDEL', KEYS[3], id)
             redis.call('DEL', KEYS[4] .. ':' .. id)
             swept = swept + 1
           end
         end
         return swept",
    )
});

/// Puts what a worker of ours held back on the list, and unregisters it: what it still asks for is refused. Answers how much.
/// KEYS: active, inflight of the worker, its metadata, workers. ARGV: its name.
pub(super) static BEQUEATH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local held = redis.call('SMEMBERS', KEYS[2])
         for _, id in ipairs(held) do redis.call('RPUSH', KEYS[1], id) end
         redis.call('DEL', KEYS[2], KEYS[3])
         redis.call('ZREM', KEYS[4], ARGV[1])
         return #held",
    )
});

/// Throws the whole queue away, except the registrations of living workers. Their processes see that their last push is known no more, and
/// send again what was in it; what a process pushed whose worker does not live just now, its lease brings back.
/// KEYS: data, meta (a prefix), active, scheduled, done, dead, signal, workers, inflight (a prefix), latest (a prefix).
pub(super) static PURGE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local ids = redis.call('HKEYS', KEYS[1])
         for _, id in ipairs(ids) do redis.call('DEL', KEYS[2] .. ':' .. id) end
         for _, worker in ipairs(redis.call('ZRANGE', KEYS[8], 0, -1)) do
           redis.call('DEL', KEYS[9] .. ':' .. worker)
           redis.call('DEL', KEYS[10] .. ':' .. (string.match(worker, '^nazorg%-(.+)%-%d+$') or ''))
         end
         redis.call('DEL', KEYS[1], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7])
         return #ids",
    )
});

/// The keys for [`SWEEP`].
pub(super) fn for_sweep(config: &Config) -> [String; 4] {
    [config.done_jobs_set(), config.dead_jobs_set(), config.job_data_hash(), config.job_meta_hash()]
}

/// The keys for [`PURGE`].
pub(super) fn for_purge(config: &Config, queue: &str) -> [String; 10] {
    [
        config.job_data_hash(),
        config.job_meta_hash(),
        config.active_jobs_list(),
        config.scheduled_jobs_set(),
        config.done_jobs_set(),
        config.dead_jobs_set(),
        config.signal_list(),
        config.workers_set(),
        config.inflight_jobs_set(),
        all_latest(queue),
    ]
}

/// The keys for [`BEQUEATH`].
pub(super) fn for_bequeath(config: &Config, name: &str) -> [String; 4] {
    let [held, about] = of_worker(config, name);
    [config.active_jobs_list(), held, about, config.workers_set()]
}

/// What the worker of a process's nth life is called; [`PURGE`] reads it.
pub(super) fn worker(process: Uuid, nth: u64) -> String {
    format!("nazorg-{process}-{nth}")
}

/// Where the number of a process's last push stands.
pub(super) fn latest(queue: &str, process: Uuid) -> String {
    format!("{}:{process}", all_latest(queue))
}

fn all_latest(queue: &str) -> String {
    format!("{queue}:latest")
}

/// What Redis keeps about a worker that has ended: its registration, its metadata (which apalis never removes) and what it held.
pub(super) fn of_worker(config: &Config, name: &str) -> [String; 2] {
    [format!("{}:{name}", config.inflight_jobs_set()), format!("{}:metadata:{name}", config.workers_set())]
}
