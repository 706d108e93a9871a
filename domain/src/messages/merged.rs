//! What a message speaks for besides itself, when it is not sent after all.

use nazorg_entities::{JobKind, MessageId};

use super::rows;
use crate::{
    Context,
    database::Writing,
    error::Result,
    jobs::{self, Owed},
};

/// These end without having gone out, because nothing needs to be said any more of what they are about. Whatever was merged into them is
/// about something else: it is owed again, for now, and judged anew.
pub(crate) async fn speak_for_themselves(tx: &Writing, cx: &Context<'_>, unsent: &[MessageId]) -> Result<()> {
    let revived = rows::revive(tx, cx, unsent).await?;
    let owed: Vec<Owed> = revived.into_iter().map(|id| Owed { subject: id.0, due_at: cx.now }).collect();
    jobs::put(tx, cx, JobKind::Message, &owed).await
}
