//! What people text back.

use nazorg_domain::replies;
use poem_openapi::{Enum, Object, OpenApi};

use crate::{
    answers::Done,
    ask::{Body, Once},
    once,
    problem::Answer,
    tags::Tag,
};

/// The operations on replies.
pub(super) struct Replies;

#[OpenApi(tag = "Tag::Messages")]
impl Replies {
    /// Pass on a reply
    ///
    /// For the adapter of a gateway: somebody texted back. The text is judged and forgotten, never kept or logged. A wish for no more
    /// messages (`stop` and its like, in each language of the messages) takes back the consents to `messages` of everyone who can be reached
    /// at this number. Anything else leaves a task `replied`, without the text, for whoever does the follow-up of the latest message that
    /// went there within fourteen days; once per message. A number that somebody had until then and nobody has now counts as well, and its wish
    /// to stop leaves the task, too. A number that nobody knows gets the same answer.
    #[oai(path = "/replies", method = "post", operation_id = "passOnReply")]
    async fn pass_on(&self, once: Once<'_>, body: Body<NewReplyBody>) -> Answer<Done> {
        once!(once, |cx| {
            let NewReplyBody { channel: ReplyChannelView::Sms, from, text } = body.0;
            replies::take(cx, &from, &text).await?;
            Done::new()
        })
    }
}

/// A reply as it came in.
#[derive(Object)]
#[oai(rename = "NewReply", rename_all = "camelCase", deny_unknown_fields)]
struct NewReplyBody {
    channel: ReplyChannelView,
    /// The telephone number it came from, in E.164.
    #[oai(validator(max_length = 16))]
    from: String,
    /// What it says, all parts together.
    #[oai(validator(max_length = 4000))]
    text: String,
}

/// Over which way it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ReplyChannel", rename_all = "snake_case")]
enum ReplyChannelView {
    /// A text message.
    Sms,
}
