//! One file per kind of job: what a handler does with a batch.

pub(crate) mod follow_up;
pub(crate) mod forgetting;
pub(crate) mod message;

use crate::channels::Channels;
use crate::templates::{Links, Phone, Texts};
use nazorg_domain::App;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// What a handler works with.
#[derive(Clone)]
pub(crate) struct Hands {
    pub(crate) app: Arc<App>,
    pub(crate) channels: Channels,
    pub(crate) texts: Arc<Texts>,
    /// The number the texts name, where there is one.
    pub(crate) phone: Arc<Option<Phone>>,
    /// What links in messages to staff begin with, where they have one.
    pub(crate) links: Arc<Option<Links>>,
    /// How long a handler may take over a batch.
    pub(crate) patience: Duration,
    /// The process stops: finish what has begun, begin nothing.
    pub(crate) stop: CancellationToken,
}
