//! An alert, as the API shows it.

use escalation::alert::{Act, Alert, Audience, Status};
use escalation::page::Page;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::App;
use crate::store::{AlertRecord, DeliveryRecord};
use crate::timeline;

/// A problem that somebody must answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertView {
    /// The id.
    #[schema(example = "alert_01kaqzv4j8e2vr6z4k3v5m7w9x")]
    pub id: String,
    /// The short number that people say and type.
    pub number: u64,
    /// The team that it is for.
    pub team: Option<String>,
    /// The person that it is for, if it is for a person alone.
    pub person: Option<String>,
    /// The sender that it came from.
    pub integration: String,
    /// What makes another trigger of that sender the same problem.
    pub dedup_key: String,
    /// What is wrong, in one line.
    pub summary: String,
    /// Anything more.
    pub details: String,
    /// `critical`, `error`, `warning` or `info`.
    pub severity: &'static str,
    /// `high` or `low`: what its team makes of the severity now, or made of it when the alert ended.
    pub urgency: &'static str,
    /// Where to look.
    pub links: Vec<LinkView>,
    /// `triggered`, `acknowledged`, `unanswered`, `snoozed`, `silenced` or `resolved`.
    pub status: &'static str,
    /// When it was first reported.
    pub created_at: String,
    /// When it was last reported.
    pub triggered_at: String,
    /// How often it was reported.
    pub triggers: u32,
    /// The round, from 1.
    pub round: u32,
    /// Who has it, or had it last.
    pub acknowledged: Option<ActView>,
    /// Who resolved it.
    pub resolved: Option<ActView>,
    /// Who put it aside, and until when; while snoozed.
    pub snoozed: Option<SnoozeView>,
    /// What holds it back, and until when; while silenced.
    pub silenced: Option<SilencedView>,
    /// The number of the alert that it went into.
    pub merged_into: Option<u64>,
    /// Where people see it.
    pub url: String,
}

/// Somebody put an alert aside.
#[derive(Debug, Serialize, ToSchema)]
pub struct SnoozeView {
    /// Who, how and when.
    #[serde(flatten)]
    pub act: ActView,
    /// When people are paged again.
    pub until: String,
}

/// A silence or maintenance window holds an alert back.
#[derive(Debug, Serialize, ToSchema)]
pub struct SilencedView {
    /// Its name.
    pub by: String,
    /// Who made it, and why.
    pub why: String,
    /// Since when.
    pub since: String,
    /// When the alert is looked at again.
    pub until: String,
}

/// A place to look at.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkView {
    /// The address.
    pub href: String,
    /// What to call it.
    pub text: String,
}

/// Who did something, how and when.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActView {
    /// The name to show.
    pub by: String,
    /// The person, where it is known to be one.
    pub person: Option<String>,
    /// `handset`, `link`, `sms`, `phone`, `ntfy`, `telegram`, `slack`, `mattermost`, `pushover`, `push`, `mail`, `web`, `api`,
    /// `integration` or `dogwatch`.
    pub via: &'static str,
    /// When.
    pub at: String,
}

/// One person owed an answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct PageView {
    /// The id.
    pub id: String,
    /// Who is asked.
    pub person: String,
    /// What is asked: `anybody` (that somebody has it), `himself` (that this person comes, too, as the step says of
    /// everybody), `besides` (the same of a responder, whom people asked for), or `still_on_it`.
    pub asks: &'static str,
    /// The round, from 1.
    pub round: u32,
    /// The escalation step that started it, from 1.
    pub escalation_step: u32,
    /// The step of the notification plan that is running, from 1.
    pub plan_step: u32,
    /// When it began.
    pub started_at: String,
    /// The last contact through which it has, or may have, come in.
    pub reached: Option<String>,
    /// When it ended.
    pub ended_at: Option<String>,
    /// `acknowledged`, `accepted`, `not_me`, `resolved`, `snoozed`, `silenced`, `reassigned`, `merged`, `relieved`,
    /// `restarted`, `moot`, `empty` or `fault`.
    pub ended_why: Option<&'static str>,
}

/// One message to one contact.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryView {
    /// The id; a retry keeps it.
    pub id: String,
    /// The page that it belongs to.
    pub page: Option<String>,
    /// Who it goes to; none for a role.
    pub person: Option<String>,
    /// Where it goes.
    pub contact: String,
    /// `page`, `notice` or `warning`.
    pub purpose: &'static str,
    /// `ready`, `claimed`, `sent`, `failed` or `withdrawn`.
    pub state: &'static str,
    /// When it was made.
    pub created_at: String,
    /// What a notice or warning says.
    pub text: String,
    /// Attempts that have an outcome, oldest first.
    pub attempts: Vec<AttemptView>,
}

/// One attempt of a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptView {
    /// When it had its outcome.
    pub at: String,
    /// Which attempt, from 1.
    pub attempt: u8,
    /// `accepted`, `refused`, `retry_after` or `unknown`.
    pub outcome: String,
    /// Why, or the provider's name for it.
    pub detail: String,
}

/// One line of the alert's story.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineView {
    /// When.
    pub at: String,
    /// The kind of line.
    pub kind: &'static str,
    /// The sentence.
    pub text: String,
    /// The people that it speaks of.
    pub people: Vec<String>,
    /// The contact that it speaks of.
    pub contact: Option<String>,
}

/// Something that will happen if nobody does anything.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextView {
    /// When.
    pub at: String,
    /// What.
    pub text: String,
}

/// A problem, with its whole story.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertDetailView {
    /// The alert itself.
    #[serde(flatten)]
    pub alert: AlertView,
    /// Who was asked, oldest first.
    pub pages: Vec<PageView>,
    /// What was sent, oldest first.
    pub deliveries: Vec<DeliveryView>,
    /// The story, oldest first.
    pub timeline: Vec<TimelineView>,
    /// What comes next, soonest first.
    pub next: Vec<NextView>,
}

/// An instant, to the millisecond.
pub fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

impl AlertView {
    /// As the API shows it now.
    pub fn of(alert: &Alert, app: &App) -> Self {
        let ended = alert.resolved.as_ref().filter(|_| alert.status == Status::Resolved);
        let asked_at = ended.map_or_else(|| app.clock.now(), |act| act.at);
        let definitions = app.store.definitions();
        let (team, person) = match &alert.audience {
            Audience::Team(name) => (Some(name.to_string()), None),
            Audience::Person(name) => (None, Some(name.to_string())),
        };
        let links = alert.links.iter();
        Self {
            id: alert.id.to_string(),
            number: alert.number,
            team,
            person,
            integration: alert.integration.clone(),
            dedup_key: alert.dedup_key.clone(),
            summary: alert.summary.clone(),
            details: alert.details.clone(),
            severity: alert.severity.word(),
            urgency: definitions.directory().urgency_of(alert, asked_at).word(),
            links: links.map(|link| LinkView { href: link.href.clone(), text: link.text.clone() }).collect(),
            status: alert.status.word(),
            created_at: instant(alert.created_at),
            triggered_at: instant(alert.triggered_at),
            triggers: alert.triggers,
            round: alert.round,
            acknowledged: alert.acknowledged.as_ref().map(ActView::of),
            resolved: alert.resolved.as_ref().map(ActView::of),
            snoozed: alert
                .snoozed
                .as_ref()
                .map(|snooze| SnoozeView { act: ActView::of(&snooze.act), until: instant(snooze.until) }),
            silenced: alert.silenced.as_ref().map(|silenced| SilencedView {
                by: silenced.by.to_string(),
                why: silenced.why.clone(),
                since: instant(silenced.since),
                until: instant(silenced.until),
            }),
            merged_into: alert.merged_into,
            url: format!("{}/alerts/{}", app.public_url, alert.number),
        }
    }
}

impl ActView {
    fn of(act: &Act) -> Self {
        Self {
            by: act.by.label.clone(),
            person: act.by.person.as_ref().map(ToString::to_string),
            via: act.by.via.word(),
            at: instant(act.at),
        }
    }
}

impl PageView {
    fn of(page: &Page) -> Self {
        Self {
            id: page.id.to_string(),
            person: page.person.to_string(),
            asks: page.asks.word(),
            round: page.round,
            escalation_step: u32::from(page.escalation_step) + 1,
            plan_step: u32::from(page.plan_step) + 1,
            started_at: instant(page.started_at),
            reached: page.reached.as_ref().map(ToString::to_string),
            ended_at: page.ended.map(|ended| instant(ended.at)),
            ended_why: page.ended.map(|ended| ended.why.word()),
        }
    }
}

impl DeliveryView {
    fn of(record: &DeliveryRecord) -> Self {
        let delivery = &record.delivery;
        let attempts = record.attempts.iter().map(|attempt| AttemptView {
            at: instant(attempt.at),
            attempt: attempt.attempt,
            outcome: attempt.outcome.clone(),
            detail: attempt.detail.clone(),
        });
        Self {
            id: delivery.id.to_string(),
            page: delivery.page.map(|page| page.to_string()),
            person: delivery.person.as_ref().map(ToString::to_string),
            contact: delivery.contact.to_string(),
            purpose: delivery.purpose.word(),
            state: delivery.state.word(),
            created_at: instant(delivery.created_at),
            text: delivery.text.clone(),
            attempts: attempts.collect(),
        }
    }
}

impl AlertDetailView {
    /// As the API shows it now.
    pub fn of(record: &AlertRecord, app: &App) -> Self {
        let definitions = app.store.definitions();
        let directory = definitions.directory();
        let timeline = timeline::tell(record, directory).into_iter().map(|line| TimelineView {
            at: instant(line.at),
            kind: line.kind,
            text: line.text,
            people: line.people,
            contact: line.contact,
        });
        let next = timeline::next(record, directory).into_iter();
        Self {
            alert: AlertView::of(&record.state.alert, app),
            pages: record.state.pages.iter().map(PageView::of).collect(),
            deliveries: record.deliveries.iter().map(DeliveryView::of).collect(),
            timeline: timeline.collect(),
            next: next.map(|next| NextView { at: instant(next.at), text: next.text }).collect(),
        }
    }
}
