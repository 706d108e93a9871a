//! Messages: what was sent to whom, what was not and why.

use nazorg_domain::{
    entities::{CaseId, FollowUpId, MessageId, MessageStatus, PersonId},
    messages::{self, Filter, Message, rules::Report},
};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use super::sets::many;
use crate::{
    answers::{Current, Done, Page},
    ask::{Ask, Body, OnceIfKeyed, Paging},
    once,
    problem::Answer,
    tags::Tag,
    types::Instant,
};

/// The operations on messages.
pub(super) struct Messages;

#[OpenApi(tag = "Tag::Messages")]
impl Messages {
    /// List messages
    ///
    /// In the order in which they were announced. A repeated key means "or".
    #[oai(path = "/messages", method = "get", operation_id = "listMessages")]
    #[expect(clippy::too_many_arguments, reason = "each is a query key of the published operation")]
    async fn list(
        &self,
        ask: Ask<'_>,
        /// Only in these states.
        status: Query<Option<Vec<MessageStatusView>>>,
        /// Only in these cases.
        #[oai(name = "caseId")]
        case_id: Query<Option<Vec<Uuid>>>,
        /// Only about these follow-ups.
        #[oai(name = "followUpId")]
        follow_up_id: Query<Option<Vec<Uuid>>>,
        /// Only to these persons.
        #[oai(name = "recipientId")]
        recipient_id: Query<Option<Vec<Uuid>>>,
        paging: Paging,
    ) -> Answer<Page<MessageView>> {
        let filter = Filter {
            statuses: many(status.0, Into::into),
            case_ids: many(case_id.0, CaseId),
            follow_up_ids: many(follow_up_id.0, FollowUpId),
            recipient_ids: many(recipient_id.0, PersonId),
        };
        let found = messages::list(&ask, &filter, paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |message| message.id.0, MessageView::from))
    }

    /// Read a message
    ///
    /// Where it stands in the ledger; never its text, which is its template's.
    #[oai(path = "/messages/:id", method = "get", operation_id = "readMessage")]
    async fn read(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Current<MessageView>> {
        let message = messages::read(&ask, MessageId(id.0)).await?;
        Ok(Current::new(message.version, message.into()))
    }

    /// Acknowledge a message
    ///
    /// Its recipient has seen it. Saying so again changes nothing. What was `unknown`, or reported as lost, is `sent` from here on, since what
    /// was seen has arrived. 409 `message_not_sent` of what never went out; 503 while it is being handed over: say it again.
    #[oai(path = "/messages/:id/acknowledge", method = "post", operation_id = "acknowledgeMessage")]
    async fn acknowledge(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<MessageView>> {
        once!(once, |cx| {
            let message = messages::acknowledge(cx, MessageId(id.0)).await?;
            Current::new(message.version, message.into())
        })
    }

    /// Report the delivery of a message
    ///
    /// For the adapter of a gateway: what became of a message that the gateway took. The id is the reference that the gateway got with it.
    /// Saying the same again changes nothing. What `failed` becomes `failed` with the reason `not_delivered`, and leaves a task for whoever
    /// does the follow-up, or an alarm where it was for staff. `delivered` is the last word: it also corrects an earlier `failed`, and
    /// ends the doubt about an `unknown` message; after it, `failed` is refused. 503 while the message is being handed over: say it again.
    #[oai(path = "/messages/:id/report-delivery", method = "post", operation_id = "reportDelivery")]
    async fn report_delivery(
        &self,
        once: OnceIfKeyed<'_>,
        id: Path<Uuid>,
        body: Body<DeliveryReportBody>,
    ) -> Answer<Done> {
        once!(once, |cx| {
            let DeliveryReportBody { status, reason } = body.0;
            messages::report_delivery(cx, MessageId(id.0), (status.into(), reason)).await?;
            Done::new()
        })
    }
}

/// What a gateway says of a message.
#[derive(Debug, Object)]
#[oai(rename = "DeliveryReport", rename_all = "camelCase", deny_unknown_fields)]
struct DeliveryReportBody {
    status: DeliveryStatusView,
    /// Why it did not arrive, a word such as `absent_subscriber`. It is told with the event.
    #[oai(validator(max_length = 60, pattern = "^[a-z][a-z0-9_]*$"))]
    reason: Option<String>,
}

/// Whether a message arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "DeliveryStatus", rename_all = "snake_case", remote = "Report")]
enum DeliveryStatusView {
    /// It is on the recipient's telephone.
    Delivered,
    /// It did not arrive, and will not.
    Failed,
}

/// Where a message stands in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "MessageStatus", rename_all = "snake_case", remote = "MessageStatus")]
pub(super) enum MessageStatusView {
    /// Waits for its moment, or for another try.
    Pending,
    /// Is on its way to the provider.
    Sending,
    /// The provider took it.
    Sent,
    /// Judged at the last moment, it was right not to send it.
    Suppressed,
    /// Another message speaks for it.
    Merged,
    /// Too late to be of use.
    Expired,
    /// What it was about no longer holds.
    Cancelled,
    /// It could not be sent.
    Failed,
    /// Nobody knows whether it arrived; it is not sent again.
    Unknown,
}

/// One notification about one follow-up.
#[derive(Debug, Object)]
#[oai(rename = "Message", rename_all = "camelCase", skip_serializing_if_is_none)]
struct MessageView {
    id: Uuid,
    case_id: Uuid,
    trajectory_id: Uuid,
    follow_up_id: Uuid,
    /// The role it is for, `person` or `close_one`.
    to_role: String,
    /// Why it was announced: `before_due`, `after_close`, `moved`, …
    because: String,
    /// `staff`, `person` or `family`.
    audience: String,
    /// With which text.
    template: String,
    /// When it was to go.
    planned_at: Instant,
    status: MessageStatusView,
    /// Why it was not sent, or not yet.
    reason: Option<String>,
    /// To whom, once that was resolved.
    recipient_id: Option<Uuid>,
    /// `email` or `sms`.
    channel: Option<String>,
    /// Which message speaks for it.
    merged_into: Option<Uuid>,
    sent_at: Option<Instant>,
    /// When the gateway reported that it arrived. Absent says nothing: not every gateway reports.
    delivered_at: Option<Instant>,
    /// When its recipient saw it.
    acknowledged_at: Option<Instant>,
    /// When something was first texted back; what, is not kept.
    replied_at: Option<Instant>,
    /// Since when nothing changes any more.
    final_at: Option<Instant>,
}

impl From<Message> for MessageView {
    fn from(message: Message) -> Self {
        let Message {
            id,
            case_id,
            trajectory_id,
            follow_up_id,
            to_role,
            because,
            audience,
            template,
            planned_at,
            status,
            reason,
            recipient_id,
            channel,
            merged_into,
            sent_at,
            delivered_at,
            acknowledged_at,
            replied_at,
            final_at,
            version: _,
        } = message;
        Self {
            id: id.0,
            case_id: case_id.0,
            trajectory_id: trajectory_id.0,
            follow_up_id: follow_up_id.0,
            to_role,
            because,
            audience: audience.as_str().to_owned(),
            template,
            planned_at: Instant(planned_at),
            status: status.into(),
            reason,
            recipient_id: recipient_id.map(|id| id.0),
            channel: channel.map(|channel| channel.as_str().to_owned()),
            merged_into: merged_into.map(|id| id.0),
            sent_at: sent_at.map(Instant),
            delivered_at: delivered_at.map(Instant),
            acknowledged_at: acknowledged_at.map(Instant),
            replied_at: replied_at.map(Instant),
            final_at: final_at.map(Instant),
        }
    }
}
