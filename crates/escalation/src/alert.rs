//! An alert: one problem that somebody must answer, from its trigger until it is resolved.
//!
//! [`step`] is the whole machine. Where an alert may stand is in `alert/status.rs`; what an input does to the alert
//! itself in `alert/lifecycle.rs`; how it goes through its escalation plan in `alert/escalate.rs`; how it is put
//! aside, by people and by silences, in `alert/aside.rs`; whether its owner is still on it in `alert/owner.rs`; whom
//! it is passed on to in `alert/passing.rs`; two that become one in `alert/merge.rs`; coming back and falling quiet
//! in `alert/recurrence.rs`; what happens to it when duty changes hands in `alert/handover.rs`; who is told what in
//! `alert/notice.rs`; the pages are in [`crate::page`].

mod aside;
mod escalate;
mod handover;
mod lifecycle;
mod merge;
mod notice;
mod owner;
mod passing;
mod patience;
mod recurrence;
mod status;
mod targets;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::contact::Contact;
use crate::delivery::{Delivery, Purpose, State as DeliveryState};
use crate::directory::Directory;
use crate::effect::{Effect, Entry, EntryKind};
use crate::event::{Actor, Input, Link, Route, Severity, Trigger, Via};
use crate::id::{AlertId, DeliveryId, Ids, PageId};
use crate::invariant::{self, Broken};
use crate::name::Name;
use crate::page::{Asks, EndedWhy, Page};
use crate::wake::Wake;

pub use aside::MAX_SNOOZE;
pub use merge::{MAX_MERGED, check_merge};
pub use status::{Silenced, Snooze, Status};

/// Whom an alert is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// A team, by its escalation plan.
    Team(Name),
    /// A person alone.
    Person(Name),
}

impl Audience {
    /// The name of the team or person.
    pub fn name(&self) -> &Name {
        match self {
            Self::Team(name) | Self::Person(name) => name,
        }
    }
}

/// How far an alert has come in its escalation plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The step that fires next, from 0. At the plan's length: what comes after the last step.
    pub next_step: u16,
    /// How many passes through the plan are over since the last trigger or unacknowledgement.
    pub passes: u8,
    /// Some step of this pass found somebody to page.
    pub fired: bool,
    /// The last resort has been paged.
    pub last_resort: bool,
    /// Deliveries to roles, made by the newest step, that have not failed.
    pub roles: u16,
}

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// One problem that somebody must answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The id.
    pub id: AlertId,
    /// The short number that people say and type. 0 until it is stored.
    pub number: u64,
    /// Whom it is for.
    pub audience: Audience,
    /// The sender that it came from.
    pub integration: String,
    /// What makes another trigger of that sender the same problem.
    pub dedup_key: String,
    /// What is wrong, in one line.
    pub summary: String,
    /// Anything more.
    pub details: String,
    /// The gravest severity reported so far.
    pub severity: Severity,
    /// Where to look.
    pub links: Vec<Link>,
    /// What is done with it in place of what its team says.
    pub route: Route,
    /// Where it stands.
    pub status: Status,
    /// When it was first reported.
    pub created_at: Timestamp,
    /// When it was last reported.
    pub triggered_at: Timestamp,
    /// How often it was reported.
    pub triggers: u32,
    /// The round, from 1.
    pub round: u32,
    /// When the round began.
    pub round_started_at: Timestamp,
    /// The first round since somebody last had it: whoever was reached from here on is told of an answer.
    pub since_round: u32,
    /// How far it has come.
    pub position: Position,
    /// Who has it; while acknowledged, and afterwards who had it last.
    pub acknowledged: Option<Act>,
    /// Who resolved it.
    pub resolved: Option<Act>,
    /// Who put it aside; while snoozed.
    pub snoozed: Option<Snooze>,
    /// What holds it back; while silenced.
    pub silenced: Option<Silenced>,
    /// Somebody has asked for people by hand: no silence holds it back until somebody has had it.
    pub insists: bool,
    /// The short number of the alert that it went into.
    pub merged_into: Option<u64>,
    /// Roles that a page has reached: they are told, too, how it ends.
    pub roles_reached: Vec<Contact>,
}

/// An alert with all that is decided together: the rows that a store loads, locks and saves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The alert.
    pub alert: Alert,
    /// Its pages, oldest first, ended ones too.
    pub pages: Vec<Page>,
    /// What it waits for, and until when.
    pub wakes: BTreeMap<Wake, Timestamp>,
}

impl Alert {
    /// Whether it waits for the answer that a page asks for: while people are asked any; else only what a person
    /// can answer for himself alone.
    pub fn asks(&self, page: &Page) -> bool {
        match page.asks {
            Asks::Anybody => self.status.waits(),
            Asks::Himself | Asks::Besides => self.status != Status::Resolved,
            Asks::StillOnIt => self.status == Status::Acknowledged,
        }
    }
}

/// What a person who did something is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Done,
    /// Nothing to do: it was so already.
    Already,
    /// Somebody else has it. The alert is unchanged.
    HasIt(Act),
    /// It can't be done; why, and what to do instead.
    Refused(&'static str),
}

/// What a step comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stepped {
    /// The state to save.
    pub state: State,
    /// What to save with it.
    pub effects: Vec<Effect>,
    /// What to answer.
    pub verdict: Verdict,
}

/// The working set of one step.
pub(crate) struct Turn<'a> {
    pub(crate) state: State,
    pub(crate) effects: Vec<Effect>,
    pub(crate) now: Timestamp,
    pub(crate) directory: &'a Directory,
    pub(crate) ids: Ids<'a>,
    pub(crate) recent: Recent<'a>,
}

/// How many alerts of an audience have begun at or after an instant. It is asked only when a plan wants to know.
pub type Recent<'a> = &'a dyn Fn(&Audience, Timestamp) -> u64;

/// Begins an alert. Nobody is paged yet: the first step is a wake that is due now, so that accepting an
/// event costs three rows and asks nothing about people.
pub fn begin(trigger: &Trigger, ids: &mut Ids<'_>) -> (State, Vec<Effect>) {
    let now = ids.now;
    let alert = Alert {
        id: AlertId::new(ids),
        number: 0,
        audience: trigger.audience.clone(),
        integration: trigger.integration.clone(),
        dedup_key: trigger.dedup_key.clone(),
        summary: trigger.summary.clone(),
        details: trigger.details.clone(),
        severity: trigger.severity,
        links: trigger.links.clone(),
        route: trigger.route.clone(),
        status: Status::Triggered,
        created_at: now,
        triggered_at: now,
        triggers: 1,
        round: 1,
        round_started_at: now,
        since_round: 1,
        position: Position::default(),
        acknowledged: None,
        resolved: None,
        snoozed: None,
        silenced: None,
        insists: false,
        merged_into: None,
        roles_reached: Vec::new(),
    };
    let entry = Entry {
        at: now,
        kind: EntryKind::Triggered,
        by: Some(trigger.by.clone()),
        round: 1,
        step: None,
        people: Vec::new(),
        contacts: Vec::new(),
        text: String::new(),
    };
    let state = State { alert, pages: Vec::new(), wakes: BTreeMap::from([(Wake::Escalate, now)]) };
    (state, vec![Effect::Record(entry)])
}

/// One step of the machine: takes the state and what happened, and returns the new state and what has to
/// be saved with it. Deterministic: equal arguments give equal results.
///
/// # Errors
///
/// [`Broken`] when the new state breaks a rule of [`invariant`]. Nothing of it may be saved; see [`fault`].
pub fn step<'a>(
    state: State,
    input: &Input,
    directory: &'a Directory,
    ids: Ids<'a>,
) -> Result<Stepped, Broken> {
    step_among(state, input, directory, ids, &|_, _| 1)
}

/// [`step`], where it is known how many other alerts there are; without that it is the only one.
///
/// # Errors
///
/// As [`step`].
pub fn step_among<'a>(
    state: State,
    input: &Input,
    directory: &'a Directory,
    ids: Ids<'a>,
    recent: Recent<'a>,
) -> Result<Stepped, Broken> {
    let mut turn = Turn { state, effects: Vec::new(), now: ids.now, directory, ids, recent };
    let verdict = turn.take(input);
    if verdict == Verdict::Done {
        turn.set_quiet();
    }
    invariant::check(&turn.state)?;
    Ok(Stepped { state: turn.state, effects: turn.effects, verdict })
}

/// What is saved in place of a step that broke a rule: the alert's task stops, it stays open as
/// unanswered, and the operators and the last resort are told, each by every contact there is.
pub fn fault<'a>(state: State, broken: &Broken, directory: &'a Directory, ids: Ids<'a>) -> Stepped {
    let mut turn = Turn { state, effects: Vec::new(), now: ids.now, directory, ids, recent: &|_, _| 1 };
    turn.state.wakes.clear();
    for place in 0..turn.state.pages.len() {
        if turn.state.pages[place].is_live() {
            turn.end_page(place, EndedWhy::Fault);
        }
    }
    let alert = &mut turn.state.alert;
    alert.snoozed = None;
    alert.silenced = None;
    if alert.status != Status::Resolved {
        alert.status = Status::Unanswered;
    }
    let text = format!("stopped, because of a fault of Dogwatch: {broken}");
    turn.record(EntryKind::Fault, |entry| entry.text.clone_from(&text));
    turn.warn_everybody(&text);
    Stepped { state: turn.state, effects: turn.effects, verdict: Verdict::Done }
}

impl Turn<'_> {
    /// Adds a line to the history.
    pub(crate) fn record(&mut self, kind: EntryKind, fill: impl FnOnce(&mut Entry)) {
        let mut entry = Entry {
            at: self.now,
            kind,
            by: None,
            round: self.state.alert.round,
            step: None,
            people: Vec::new(),
            contacts: Vec::new(),
            text: String::new(),
        };
        fill(&mut entry);
        self.effects.push(Effect::Record(entry));
    }

    /// Makes a delivery, ready to be claimed now.
    pub(crate) fn deliver(
        &mut self,
        page: Option<PageId>,
        person: Option<Name>,
        contact: Contact,
        purpose: Purpose,
        step: u16,
        text: &str,
    ) {
        let delivery = Delivery {
            id: DeliveryId::new(&mut self.ids),
            alert: Some(self.state.alert.id),
            page,
            person,
            contact,
            purpose,
            round: self.state.alert.round,
            step,
            text: text.to_owned(),
            created_at: self.now,
            state: DeliveryState::Ready,
            not_before: self.now,
            attempt: 0,
            unknown: 0,
            lease_until: self.now,
            expires_at: None,
            bundle: None,
        };
        self.effects.push(Effect::Deliver(delivery));
    }
}

impl Actor {
    /// The service itself.
    pub fn dogwatch() -> Self {
        Self { person: None, label: "Dogwatch".to_owned(), via: Via::Dogwatch }
    }
}
