//! Everything that can happen to an alert, one enum.

use std::fmt;

use jiff::Timestamp;

use crate::alert::Audience;
use crate::contact::Contact;
use crate::delivery::Purpose;
use crate::duty::Roster;
use crate::id::PageId;
use crate::name::Name;
use crate::wake::Wake;

/// What the sender says of a problem, gravest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// For information.
    Info,
    /// May become a problem.
    Warning,
    /// A problem.
    #[default]
    Error,
    /// A grave problem.
    Critical,
}

impl Severity {
    /// Every severity, gravest first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::Error, Self::Warning, Self::Info];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }

    /// What is made of it for people: critical and error wake them, warning and info may wait.
    pub const fn urgency(self) -> Urgency {
        match self {
            Self::Critical | Self::Error => Urgency::High,
            Self::Warning | Self::Info => Urgency::Low,
        }
    }
}

/// What a problem means for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// It may wait for the day.
    Low,
    /// Wake them.
    High,
}

impl Urgency {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
        }
    }
}

/// A problem as it was reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Whom it is for.
    pub audience: Audience,
    /// Which sender it came from; keys of different senders never meet.
    pub integration: String,
    /// What makes two triggers of one sender the same problem.
    pub dedup_key: String,
    /// What is wrong, in one line.
    pub summary: String,
    /// Anything more, as plain text.
    pub details: String,
    /// As the sender says.
    pub severity: Severity,
    /// Where to look.
    pub links: Vec<Link>,
    /// What whoever set up the sender wants done with it, where that is not what its team says.
    pub route: Route,
    /// Who or what reported it.
    pub by: Actor,
}

/// What is done with an alert in place of what its team says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// What it means for people, whatever its severity.
    pub urgency: Option<Urgency>,
    /// The escalation plan that it goes through. One that is no more counts as none.
    pub plan: Option<Name>,
}

/// A place to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// An `http` or `https` address.
    pub href: String,
    /// What to call it; may be empty.
    pub text: String,
}

/// Who did something, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person, where it is known to be one.
    pub person: Option<Name>,
    /// The name to show: a full name, a token's name, an integration.
    pub label: String,
    /// The way it came in.
    pub via: Via,
}

/// The way something came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// A key pressed on the built-in handset.
    Handset,
    /// The button behind a link in a mail.
    Link,
    /// A short message that somebody sent back.
    Sms,
    /// A key pressed in a call.
    Phone,
    /// A button of a notification that ntfy shows.
    Ntfy,
    /// A button in Telegram.
    Telegram,
    /// A button in Slack.
    Slack,
    /// A button in Mattermost.
    Mattermost,
    /// A message of Pushover that was acknowledged there.
    Pushover,
    /// A button of a notification that our installed page shows.
    Push,
    /// A reply to a mail.
    Mail,
    /// A page of ours, by somebody signed in.
    Web,
    /// The API, and the command line, which speaks it.
    Api,
    /// A monitoring system, which reported it or passed it on.
    Integration,
    /// The service itself.
    Dogwatch,
}

impl Via {
    /// Every way.
    pub const ALL: [Self; 15] = [
        Self::Handset,
        Self::Link,
        Self::Sms,
        Self::Phone,
        Self::Ntfy,
        Self::Telegram,
        Self::Slack,
        Self::Mattermost,
        Self::Pushover,
        Self::Push,
        Self::Mail,
        Self::Web,
        Self::Api,
        Self::Integration,
        Self::Dogwatch,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Handset => "handset",
            Self::Link => "link",
            Self::Sms => "sms",
            Self::Phone => "phone",
            Self::Ntfy => "ntfy",
            Self::Telegram => "telegram",
            Self::Slack => "slack",
            Self::Mattermost => "mattermost",
            Self::Pushover => "pushover",
            Self::Push => "push",
            Self::Mail => "mail",
            Self::Web => "web",
            Self::Api => "api",
            Self::Integration => "integration",
            Self::Dogwatch => "dogwatch",
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

/// What came of a delivery that was a page, as far as the plan's timing cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The provider took it.
    Accepted,
    /// The provider did not take it, or gave up on it.
    Failed,
    /// Nobody knows. It may have rung.
    Unknown,
    /// The provider took it, and says later that it did not arrive, or nothing in time.
    Undelivered,
    /// It rang, and nobody took it: the line was busy, nobody was there, a machine answered.
    NotTaken,
}

impl Sent {
    /// Whether the person may have noticed it as it was sent.
    pub const fn may_have_come_in(self) -> bool {
        matches!(self, Self::Accepted | Self::Unknown)
    }
}

/// A delivery that has an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The page it was made for; none for a role.
    pub page: Option<PageId>,
    /// Where it went.
    pub contact: Contact,
    /// What it was for.
    pub purpose: Purpose,
    /// The round of the alert in which it was made.
    pub round: u32,
    /// For a page the step of its notification plan, for a role the step of the escalation plan; from 0.
    pub step: u16,
    /// Which attempt this was, from 1.
    pub attempt: u8,
    /// What came of it.
    pub sent: Sent,
}

/// Duty that has changed hands: by time, by leave, by an edit, or because somebody took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// By what these people are on call.
    pub roster: Roster,
    /// For what, such as `primary`.
    pub role: Name,
    /// Who was on call.
    pub before: Vec<Name>,
    /// Who is now.
    pub after: Vec<Name>,
    /// Who made it so that somebody has taken the duty over: open pages go with it.
    pub takeover: Option<Actor>,
}

impl Handover {
    /// Who is on call and was not.
    pub fn newcomers(&self) -> impl Iterator<Item = &Name> {
        self.after.iter().filter(|name| !self.before.contains(name))
    }

    /// Who was on call and is no more.
    pub fn relieved(&self) -> impl Iterator<Item = &Name> {
        self.before.iter().filter(|name| !self.after.contains(name))
    }
}

/// An alert that goes into another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absorbed {
    /// Its short number.
    pub number: u64,
    /// What is wrong, in one line.
    pub summary: String,
    /// The gravest severity that was reported.
    pub severity: Severity,
    /// When it was last reported.
    pub triggered_at: Timestamp,
    /// How often it was reported.
    pub triggers: u32,
}

/// Everything that can happen to an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The problem was reported, again if the alert is there already.
    Trigger(Trigger),
    /// A person has it. With `take_over`, from whoever had it before.
    Acknowledge {
        /// Who.
        by: Actor,
        /// Take it over from somebody else who has it.
        take_over: bool,
    },
    /// Nobody has it any more.
    Unacknowledge(Actor),
    /// The problem is gone.
    Resolve(Actor),
    /// The next step is to fire now.
    Escalate {
        /// Who wants it.
        by: Actor,
        /// A step of the plan, from 0; none: the next.
        to: Option<u16>,
    },
    /// The paged person can't take it: that page ends, the next step fires now.
    NotMe {
        /// The person who says so.
        person: Name,
        /// The same, as the one who acts.
        by: Actor,
    },
    /// Nobody is to be paged for it for a while.
    Snooze {
        /// Who wants it.
        by: Actor,
        /// When people are paged again.
        until: Timestamp,
    },
    /// Others are to answer for it.
    Reassign {
        /// Who wants it.
        by: Actor,
        /// Whom it is for from now on.
        to: Audience,
    },
    /// One more person is to be asked, whoever else answers.
    AddResponder {
        /// Who wants it.
        by: Actor,
        /// Who is to be asked.
        person: Name,
    },
    /// Another alert goes into this one.
    Absorb {
        /// Who wants it.
        by: Actor,
        /// The other one.
        other: Absorbed,
    },
    /// This one goes into another alert, and ends.
    MergeInto {
        /// Who wants it.
        by: Actor,
        /// The short number of the other one.
        number: u64,
    },
    /// The sender says it in other words. What is none stays as it is.
    Amend {
        /// Who.
        by: Actor,
        /// What is wrong, in one line.
        summary: Option<String>,
        /// Anything more.
        details: Option<String>,
        /// Taken on if it is graver.
        severity: Option<Severity>,
    },
    /// Silences may have begun, ended or changed.
    SilencesChanged,
    /// Something to remember.
    Note {
        /// Who wrote it.
        by: Actor,
        /// What.
        text: String,
    },
    /// Others are on call now.
    DutyChanged(Handover),
    /// A stored wake came due.
    Due(Wake),
    /// A delivery has an outcome.
    Settled(Settled),
}
