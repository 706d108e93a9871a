//! Where apalis-redis keeps its things, and the two things it leaves undone there.

use apalis_redis::Config;
use redis::Script;
use std::sync::LazyLock;

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

/// Throws the whole queue away, except the registrations of living workers; the database sends again what was in it.
/// KEYS: data, meta (a prefix), active, scheduled, done, dead, signal, workers, inflight (a prefix).
pub(super) static PURGE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local ids = redis.call('HKEYS', KEYS[1])
         for _, id in ipairs(ids) do redis.call('DEL', KEYS[2] .. ':' .. id) end
         for _, worker in ipairs(redis.call('ZRANGE', KEYS[8], 0, -1)) do redis.call('DEL', KEYS[9] .. ':' .. worker) end
         redis.call('DEL', KEYS[1], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7])
         return #ids",
    )
});

/// The keys for [`SWEEP`].
pub(super) fn for_sweep(config: &Config) -> [String; 4] {
    [config.done_jobs_set(), config.dead_jobs_set(), config.job_data_hash(), config.job_meta_hash()]
}

/// The keys for [`PURGE`].
pub(super) fn for_purge(config: &Config) -> [String; 9] {
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
    ]
}

/// What Redis keeps about a worker that has ended: its registration, its metadata (which apalis never removes) and what it held.
pub(super) fn of_worker(config: &Config, name: &str) -> [String; 2] {
    [format!("{}:{name}", config.inflight_jobs_set()), format!("{}:metadata:{name}", config.workers_set())]
}
