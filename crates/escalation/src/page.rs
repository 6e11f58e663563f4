//! A page: an answer owed by one person, and that person's notification plan running for it.

use jiff::Timestamp;

use crate::alert::{Status, Turn};
use crate::contact::Contact;
use crate::delivery::Purpose;
use crate::effect::{Effect, EntryKind};
use crate::event::{Sent, Settled, Urgency};
use crate::hours::PlanNow;
use crate::id::PageId;
use crate::name::Name;
use crate::person::{MIN_LAST_EVERY, NotificationPlan};
use crate::plan::UNANSWERED_EVERY;
use crate::wake::Wake;

/// What a page asks for, and whose answer ends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Asks {
    /// That somebody has the alert: anybody's answer ends it.
    #[default]
    Anybody,
    /// That this person comes, too, as the step says of everybody whom it pages: only this person's answer ends it.
    Himself,
    /// The same of somebody whom no step has paged: a responder. The steps of the plan do not wait for the answer.
    Besides,
    /// Whether this person, who has the alert, is still on it.
    StillOnIt,
}

impl Asks {
    /// Everything that may be asked.
    pub const ALL: [Self; 4] = [Self::Anybody, Self::Himself, Self::Besides, Self::StillOnIt];

    /// What a step asks of everybody whom it pages; with `each` everybody answers for himself.
    pub(crate) const fn of_step(each: bool) -> Self {
        if each { Self::Himself } else { Self::Anybody }
    }

    /// Whether this person has to answer for himself, whoever else has the alert.
    pub const fn is_for_himself(self) -> bool {
        matches!(self, Self::Himself | Self::Besides)
    }

    /// What a page asks that is wanted for both: whoever owes an answer of his own goes on owing it, and a responder
    /// whom a step pages, too, is one of that step from then on.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::StillOnIt, _) | (_, Self::StillOnIt) => Self::StillOnIt,
            _ => Self::Himself,
        }
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Anybody => "anybody",
            Self::Himself => "himself",
            Self::Besides => "besides",
            Self::StillOnIt => "still_on_it",
        }
    }
}

/// One person owed an answer for one alert in one round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its id.
    pub id: PageId,
    /// Who is asked.
    pub person: Name,
    /// What is asked.
    pub asks: Asks,
    /// Which of the person's plans runs.
    pub urgency: Urgency,
    /// The round that it belongs to.
    pub round: u32,
    /// The newest escalation step that asked for it, from 0; one past the last for the last resort.
    pub escalation_step: u16,
    /// When it began.
    pub started_at: Timestamp,
    /// The step of the notification plan that is running, from 0.
    pub plan_step: u16,
    /// When that step began.
    pub step_started_at: Timestamp,
    /// The last contact through which it has, or may have, come in. Who was reached is told how it ends.
    pub reached: Option<Contact>,
    /// How many deliveries were accepted, less those that did not arrive after all.
    pub accepted: u16,
    /// The running step's contact rang, nobody took it, and it rang once more.
    pub redialled: bool,
    /// The plan has come to its last step, and that one failed.
    pub failed: bool,
    /// It has not begun: no step of the plan counts before then.
    pub deferred_until: Option<Timestamp>,
    /// When and why it ended; none while it is live.
    pub ended: Option<Ended>,
}

/// The end of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: EndedWhy,
}

/// Why a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndedWhy {
    /// Somebody acknowledged the alert.
    Acknowledged,
    /// The alert was resolved.
    Resolved,
    /// The person said "not me".
    NotMe,
    /// Somebody else took over the duty for which the person was asked.
    Relieved,
    /// A later step, or a new round, started a new page for the same person.
    Restarted,
    /// The person, or every contact, is gone.
    Empty,
    /// This person, who was asked besides, said yes.
    Accepted,
    /// Somebody put the alert aside.
    Snoozed,
    /// A silence holds the alert back.
    Silenced,
    /// Others are to answer for the alert.
    Reassigned,
    /// The alert went into another one.
    Merged,
    /// Nobody needs the answer any more.
    Moot,
    /// A broken rule stopped the alert's task.
    Fault,
}

impl EndedWhy {
    /// Every reason.
    pub const ALL: [Self; 13] = [
        Self::Acknowledged,
        Self::Resolved,
        Self::NotMe,
        Self::Relieved,
        Self::Restarted,
        Self::Empty,
        Self::Accepted,
        Self::Snoozed,
        Self::Silenced,
        Self::Reassigned,
        Self::Merged,
        Self::Moot,
        Self::Fault,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::NotMe => "not_me",
            Self::Relieved => "relieved",
            Self::Restarted => "restarted",
            Self::Empty => "empty",
            Self::Accepted => "accepted",
            Self::Snoozed => "snoozed",
            Self::Silenced => "silenced",
            Self::Reassigned => "reassigned",
            Self::Merged => "merged",
            Self::Moot => "moot",
            Self::Fault => "fault",
        }
    }
}

impl Page {
    /// Whether it still asks for an answer.
    pub fn is_live(&self) -> bool {
        self.ended.is_none()
    }

    /// When the step `wanted` of the plan, from 0, or its last one, has no answer if nothing fails before: as long
    /// as each step until then has to wait. The past if it is so already.
    pub(crate) fn unanswered_at(&self, plan: Option<&NotificationPlan>, wanted: usize) -> Timestamp {
        let Some(plan) = plan.filter(|_| self.is_live() && !self.failed) else { return Timestamp::MIN };
        let wanted = wanted.min(plan.steps.len().saturating_sub(1));
        let left = usize::from(self.plan_step)..=wanted;
        if left.is_empty() {
            return Timestamp::MIN;
        }
        let steps = plan.steps.get(left).unwrap_or_default();
        let waits = steps.iter().map(|step| step.effective_wait());
        // At most 20 waits of 7 days each.
        waits.fold(self.deferred_until.unwrap_or(self.step_started_at), |at, wait| at + wait)
    }

    /// Whether every step of the plan has had its time once.
    fn is_through(&self, plan: Option<&NotificationPlan>, now: Timestamp) -> bool {
        let Some(plan) = plan else { return true };
        match plan.steps.get(usize::from(self.plan_step)) {
            Some(step) if usize::from(self.plan_step) + 1 == plan.steps.len() => {
                self.deferred_until.is_none() && now >= self.step_started_at + step.effective_wait()
            }
            Some(_) => false,
            None => true,
        }
    }
}

/// What became of one person in an escalation step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paged {
    /// A page was started.
    Started,
    /// A page was running already, or the person has said "not me" in this round.
    Running,
    /// Nobody of that name, or no contact.
    Unreachable,
}

impl Turn<'_> {
    /// The plan that a page runs.
    pub(crate) fn plan_of(&self, page: &Page) -> Option<NotificationPlan> {
        let begins = page.deferred_until.unwrap_or(page.started_at);
        match self.directory.plan_at(&page.person, page.urgency, begins) {
            PlanNow::Runs(plan) => Some(plan),
            // An edit took away the hours in which it began.
            PlanNow::Deferred(_) => self.directory.people.get(&page.person)?.plan(page.urgency),
            PlanNow::Nothing => None,
        }
    }

    /// What the alert means for people now.
    pub(crate) fn urgency(&self) -> Urgency {
        let alert = &self.state.alert;
        self.directory.urgency_of(alert, self.now)
    }

    /// Pages one person: starts a page, or joins one that runs.
    pub(crate) fn page(&mut self, person: &Name, escalation_step: u16, asks: Asks) -> Paged {
        let round = self.state.alert.round;
        let said_not_me = self.state.pages.iter().any(|page| {
            // Who is not on it any more has said so for the round that begins by that.
            let is_of = page.round == round || (page.asks == Asks::StillOnIt && page.round + 1 == round);
            let said_so = page.ended.is_some_and(|ended| ended.why == EndedWhy::NotMe);
            page.person == *person && is_of && said_so
        });
        // Who said so, and was deleted since, is named in the gap all the same.
        let is_known = self.directory.people.contains_key(person);
        if said_not_me && is_known { Paged::Running } else { self.ask(person, escalation_step, asks) }
    }

    /// The same for what somebody wants of this person now, whether or not the person has said "not me" before.
    pub(crate) fn ask(&mut self, person: &Name, escalation_step: u16, asks: Asks) -> Paged {
        let urgency = self.urgency();
        let deferred_until = match self.directory.plan_at(person, urgency, self.now) {
            PlanNow::Nothing => return Paged::Unreachable,
            PlanNow::Deferred(until) => Some(until),
            PlanNow::Runs(_) => None,
        };
        let round = self.state.alert.round;
        let mut asks = asks;
        let live = self.state.pages.iter().position(|page| page.person == *person && page.is_live());
        if let Some(place) = live {
            let page = &mut self.state.pages[place];
            asks = asks.and(page.asks);
            page.asks = asks;
            let page = &self.state.pages[place];
            let running = self.plan_of(page);
            if page.round == round && !page.is_through(running.as_ref(), self.now) {
                return Paged::Running;
            }
            self.end_page(place, EndedWhy::Restarted);
        }
        let page = Page {
            id: PageId::new(&mut self.ids),
            person: person.clone(),
            asks,
            urgency,
            round,
            escalation_step,
            started_at: self.now,
            plan_step: 0,
            step_started_at: self.now,
            reached: None,
            accepted: 0,
            redialled: false,
            failed: false,
            deferred_until: None,
            ended: None,
        };
        let place = self.state.pages.len();
        self.state.pages.push(page);
        match deferred_until {
            Some(until) => self.defer(place, until),
            None => self.enter_plan_step(place, 0),
        }
        Paged::Started
    }

    /// A page waits for the hours of its plan.
    fn defer(&mut self, place: usize, until: Timestamp) {
        let page = &mut self.state.pages[place];
        page.deferred_until = Some(until);
        let (id, person) = (page.id, page.person.clone());
        self.state.wakes.insert(Wake::Page(id), until);
        self.record(EntryKind::Deferred, |entry| {
            entry.people.push(person);
            entry.text = until.to_string();
        });
    }

    /// The hours of a deferred page have begun.
    fn begin_deferred(&mut self, place: usize) {
        let now = self.now;
        let page = &mut self.state.pages[place];
        let id = page.id;
        if let PlanNow::Deferred(until) = self.directory.plan_at(&page.person, page.urgency, now) {
            // Nothing ran while they lasted, or an edit has moved them: the next hours are waited for.
            self.defer(place, until);
        } else {
            page.deferred_until = None;
            page.started_at = now;
            self.enter_plan_step(place, 0);
        }
        self.clock_starts(id);
    }

    /// Begins a step of a page's notification plan: sends, and sets when to look again.
    fn enter_plan_step(&mut self, place: usize, plan_step: u16) {
        let now = self.now;
        let page = &mut self.state.pages[place];
        page.plan_step = plan_step;
        page.step_started_at = now;
        page.redialled = false;
        self.send_page(place);
    }

    /// Sends the contact of the page's running step and sets the page's wake.
    fn send_page(&mut self, place: usize) {
        let page = self.state.pages[place].clone();
        let plan = self.plan_of(&page);
        let Some(plan) = plan else {
            // The person was deleted, or lost every contact, while the page ran.
            self.end_page(place, EndedWhy::Empty);
            self.record(EntryKind::Gap, |entry| {
                entry.people.push(page.person.clone());
                entry.text = "no contact is left to try".to_owned();
            });
            return self.escalate_if_all_failed();
        };
        let index = usize::from(page.plan_step);
        let Some(step) = plan.steps.get(index) else {
            // The plan became shorter: this page has been through all of it and waits for an answer.
            self.state.wakes.remove(&Wake::Page(page.id));
            return;
        };
        if page.started_at != self.now {
            // A try that still waits for its retry gives way to this one: never two of the same.
            self.effects.push(Effect::Withdraw { page: Some(page.id), contact: Some(step.contact.clone()) });
        }
        let contact = step.contact.clone();
        self.deliver(Some(page.id), Some(page.person.clone()), contact, Purpose::Page, page.plan_step, "");

        let is_last = index + 1 == plan.steps.len();
        let at = if is_last {
            let least =
                if self.state.alert.status == Status::Unanswered { UNANSWERED_EVERY } else { MIN_LAST_EVERY };
            step.every.map(|every| self.now + every.max(least))
        } else {
            let end = page.step_started_at + step.effective_wait();
            let repeat = step.every.map(|every| self.now + every).filter(|at| *at < end);
            Some(repeat.unwrap_or(end))
        };
        match at {
            Some(at) => self.state.wakes.insert(Wake::Page(page.id), at),
            None => self.state.wakes.remove(&Wake::Page(page.id)),
        };
    }

    /// A page's wake came due: repeat the contact, or go on to the next.
    pub(crate) fn page_is_due(&mut self, id: PageId) {
        let Some(place) = self.live_page(id) else { return };
        let page = &self.state.pages[place];
        if page.deferred_until.is_some() {
            return self.begin_deferred(place);
        }
        let plan = self.plan_of(page);
        let step = plan.as_ref().and_then(|plan| plan.steps.get(usize::from(page.plan_step)));
        let is_last = plan.as_ref().is_none_or(|plan| usize::from(page.plan_step) + 1 >= plan.steps.len());
        let is_over = step.is_none_or(|step| self.now >= page.step_started_at + step.effective_wait());
        if !is_last && is_over {
            self.enter_plan_step(place, self.state.pages[place].plan_step + 1);
        } else {
            self.send_page(place);
        }
    }

    /// A delivery of a page has an outcome.
    pub(crate) fn page_settled(&mut self, id: PageId, settled: &Settled) {
        let Some(place) = self.state.pages.iter().position(|page| page.id == id) else { return };
        let since = match self.state.alert.status {
            Status::Resolved => 1,
            _ => self.state.alert.since_round,
        };
        let person = self.state.pages[place].person.clone();
        let is_known = |page: &Page| page.person == person && page.round >= since && page.reached.is_some();
        let first_reached = !self.state.pages.iter().any(is_known);
        let page = &mut self.state.pages[place];
        if settled.sent.may_have_come_in() {
            page.reached = Some(settled.contact.clone());
        }
        match settled.sent {
            Sent::Accepted => {
                page.accepted = page.accepted.saturating_add(1);
                page.failed = false;
            }
            Sent::Undelivered | Sent::NotTaken => page.accepted = page.accepted.saturating_sub(1),
            Sent::Failed | Sent::Unknown => {}
        }
        if page.ended.is_some() {
            // It rang while somebody answered: this person, too, has to hear how it ended.
            if settled.sent.may_have_come_in() && first_reached {
                self.tell_late(place);
            }
            return;
        }
        // Of a page that has not begun nothing was sent that could fail.
        if settled.sent == Sent::Accepted || page.deferred_until.is_some() {
            return;
        }
        if page.plan_step != settled.step {
            // The plan has gone on by itself; but it may have been the last hope.
            if page.failed && page.accepted == 0 {
                self.escalate_if_all_failed();
            }
            return;
        }
        if settled.sent == Sent::NotTaken && !page.redialled {
            // Telephones that are kept quiet let the second call of a number through.
            page.redialled = true;
            return self.ring_again(place, settled);
        }
        let plan_step = page.plan_step;
        let steps = self.plan_of(&self.state.pages[place]).map_or(0, |plan| plan.steps.len());
        if usize::from(plan_step) + 1 < steps {
            self.enter_plan_step(place, plan_step + 1);
            self.plans_moved();
        } else if !self.state.pages[place].failed {
            self.state.pages[place].failed = true;
            let step = self.state.alert.position.next_step;
            if self.state.pages[place].accepted == 0 {
                self.escalate_if_all_failed();
            }
            if self.state.alert.position.next_step == step {
                self.plans_moved();
            }
        }
    }

    /// The same contact once more, at once. What the plan does next, and when, stays as it is.
    fn ring_again(&mut self, place: usize, settled: &Settled) {
        let page = &self.state.pages[place];
        let (id, person, step) = (page.id, page.person.clone(), page.plan_step);
        self.deliver(Some(id), Some(person), settled.contact.clone(), Purpose::Page, step, "");
    }

    /// The alert is unanswered: what repeats goes on, but not so often. A repeat that was due sooner after the
    /// one before it is put off.
    pub(crate) fn slow_down(&mut self) {
        for page in &self.state.pages {
            let plan = self.plan_of(page);
            let last =
                plan.as_ref().and_then(|plan| plan.steps.last().map(|step| (plan.steps.len(), step.every)));
            let (Some((count, Some(every))), true) = (last, page.is_live()) else { continue };
            if usize::from(page.plan_step) + 1 == count
                && let Some(at) = self.state.wakes.get_mut(&Wake::Page(page.id))
            {
                let before = *at - every.max(MIN_LAST_EVERY);
                *at = (*at).max(before + UNANSWERED_EVERY);
            }
        }
    }

    /// Where the live page `id` stands in the state.
    fn live_page(&self, id: PageId) -> Option<usize> {
        self.state.pages.iter().position(|page| page.id == id && page.is_live())
    }

    /// Ends a page: nothing more of it is sent.
    pub(crate) fn end_page(&mut self, place: usize, why: EndedWhy) {
        let at = self.now;
        let page = &mut self.state.pages[place];
        page.ended = Some(Ended { at, why });
        let id = page.id;
        self.state.wakes.remove(&Wake::Page(id));
        self.effects.push(Effect::Withdraw { page: Some(id), contact: None });
    }

    /// Ends every live page.
    pub(crate) fn end_pages(&mut self, why: EndedWhy) {
        self.end_pages_but(why, |_| false);
    }

    /// Ends every live page but those that are to go on.
    pub(crate) fn end_pages_but(&mut self, why: EndedWhy, goes_on: impl Fn(&Page) -> bool) {
        for place in 0..self.state.pages.len() {
            let page = &self.state.pages[place];
            if page.is_live() && !goes_on(page) {
                self.end_page(place, why);
            }
        }
        self.effects.push(Effect::Withdraw { page: None, contact: None });
    }
}
