//! The worker and the bell: in this process, or over Redis between processes.

use nazorg_worker::{
    QUEUE, RedisAddress, Worker, WorkerSettings,
    bell::{LocalBell, RedisBell},
    channels::SmsSettings,
};
use uuid::{Builder, Uuid};

use crate::{
    Failure,
    config::{Config, Faults, Secret},
};

/// The bell of a process: rung by its verbs, heard by its relay, and by other processes when there is Redis.
pub(crate) struct Bells {
    pub(crate) local: LocalBell,
    pub(crate) distant: Option<RedisBell>,
}

/// The bells that the configuration asks for; nothing is connected to yet.
pub(crate) fn bells(config: &Config) -> Result<Bells, Failure> {
    let distant = redis(config)?.map(|address| RedisBell::new(address, QUEUE));
    Ok(Bells { local: LocalBell::new(), distant })
}

/// The worker that the configuration asks for, checked as a whole; nothing is connected to yet.
pub(crate) fn worker(config: &Config, bells: &Bells) -> Result<Worker, Failure> {
    let (mail, sms) = (&config.mail, &config.sms);
    let settings = WorkerSettings {
        redis: redis(config)?,
        concurrency: config.worker_concurrency,
        smtp_url: mail.smtp_url.as_ref().map(exposed),
        smtp_connections: mail.max_connections,
        sms: sms.url.as_ref().map(|url| SmsSettings {
            url: exposed(url),
            body: sms.body.clone(),
            authorization: sms.authorization.as_ref().map(exposed),
            secret: sms.secret.as_ref().map(exposed),
            connections: sms.max_connections,
        }),
        from_address: mail.from_address.clone(),
        from_name: mail.from_name.clone(),
        phone: mail.phone.clone(),
        public_url: config.http.public_url.clone(),
        ..WorkerSettings::embedded(process()?, bells.local.clone(), mail.outbox_dir.clone())
    };
    Worker::new(settings).map_err(|faults| Failure::Config(Faults(faults)))
}

fn redis(config: &Config) -> Result<Option<RedisAddress>, Failure> {
    let Some(redis) = &config.redis else { return Ok(None) };
    let sentinels: Vec<&str> = redis.sentinels.iter().map(Secret::expose).collect();
    let address = RedisAddress::parse(redis.url.expose(), &sentinels);
    address.map(Some).map_err(|fault| Failure::config(format!("redis.url or redis.sentinels {fault}")))
}

fn exposed(secret: &Secret) -> String {
    secret.expose().to_owned()
}

/// A name that no other process ever had, also when clocks and process ids repeat themselves.
fn process() -> Result<Uuid, Failure> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| Failure::internal(format!("no randomness: {error}")))?;
    Ok(Builder::from_random_bytes(random).into_uuid())
}
