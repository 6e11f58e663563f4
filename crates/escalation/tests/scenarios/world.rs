//! A small world around one alert: a clock that jumps, carriers that answer as a test says, and a
//! timeline that a person can read.
//!
//! It does what a store and a sender do, and nothing more: it saves what a step returns, claims
//! deliveries, sends them, and feeds the outcomes back. Each [`World::tick`] is one such thing, so that a
//! test can stop between any two.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

use escalation::alert::{self, Audience, State, Verdict};
use escalation::delivery::{Delivery, Outcome, Purpose, Refusal, SEND_DEADLINE, State as DeliveryState};
use escalation::directory::Directory;
use escalation::effect::{Effect, Entry, EntryKind};
use escalation::event::{Absorbed, Actor, Handover, Input, Sent, Severity, Trigger, Via};
use escalation::id::Ids;
use escalation::wake::Wake;
use jiff::{SignedDuration, Timestamp};

use crate::roster::{contact, duration, name};

/// The first instant of every world.
pub const START: Timestamp = Timestamp::constant(1_750_000_000, 0);
/// The smallest step of time.
pub const MOMENT: SignedDuration = SignedDuration::from_millis(1);

/// Chance that a seed repeats.
#[derive(Clone, Debug)]
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// How a carrier answers one send.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    Accepts,
    /// It rings at once, and says so that many seconds later.
    AcceptsAfter(i64),
    RefusesForGood,
    Refuses,
    ComeAgainIn(i64),
    /// No answer within the deadline of a send.
    NoAnswer,
    /// The sender dies: nobody settles before the lease ends.
    SenderDies,
}

impl Reply {
    /// When it comes, and what it says.
    fn outcome(self) -> Option<(SignedDuration, Outcome)> {
        let now = SignedDuration::ZERO;
        let why = || "no".to_owned();
        let accepted = || Outcome::Accepted { provider_id: String::new() };
        match self {
            Self::Accepts => Some((now, accepted())),
            Self::AcceptsAfter(seconds) => Some((SignedDuration::from_secs(seconds), accepted())),
            Self::RefusesForGood => Some((now, Outcome::Refused { why: why(), refusal: Refusal::Contact })),
            Self::Refuses => Some((now, Outcome::Refused { why: why(), refusal: Refusal::Passing })),
            Self::ComeAgainIn(seconds) => {
                Some((now, Outcome::RetryAfter { pause: SignedDuration::from_secs(seconds), why: why() }))
            }
            Self::NoAnswer => Some((SEND_DEADLINE, Outcome::Unknown { why: "no answer".to_owned() })),
            Self::SenderDies => None,
        }
    }
}

/// A send under way.
#[derive(Clone, Debug)]
struct Sending {
    delivery: usize,
    token: u8,
    ends_at: Timestamp,
    outcome: Outcome,
}

/// The next thing to do. The order is that in which things of one instant are done: outcomes first, so
/// that what a carrier said at once is known before anything else happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Settle(usize),
    LeaseEnds(usize),
    Wake(Wake),
    Claim(usize),
}

#[derive(Clone)]
pub struct World {
    pub now: Timestamp,
    pub directory: Directory,
    pub state: State,
    pub deliveries: Vec<Delivery>,
    /// Every line of the alert's history.
    pub history: Vec<Entry>,
    /// Each claim, as the delivery was just after it.
    pub claims: Vec<(Timestamp, Delivery)>,
    /// Each page that came in, or may have.
    pub rung: Vec<Delivery>,
    /// How many effects the newest step had.
    pub effects: usize,
    /// The chance that spreads retries; none: no spread, so that a timeline has round times.
    pub jitter: Option<Chance>,
    /// Places of the deliveries that are ready or claimed: the others are many in a long story.
    open: Vec<usize>,
    lines: Vec<(Timestamp, String)>,
    sending: Vec<Sending>,
    scripts: BTreeMap<String, VecDeque<Reply>>,
    always: BTreeMap<String, Reply>,
    chance: Chance,
}

pub fn trigger(audience: Audience, severity: Severity) -> Trigger {
    Trigger {
        audience,
        integration: "notify".to_owned(),
        dedup_key: "disk".to_owned(),
        summary: "disk full".to_owned(),
        details: String::new(),
        severity,
        route: escalation::event::Route::default(),
        links: Vec::new(),
        by: monitoring(),
    }
}

pub fn monitoring() -> Actor {
    Actor { person: None, label: "Monitoring".to_owned(), via: Via::Api }
}

impl World {
    /// An alert of severity error for the team `ops`.
    pub fn new(directory: Directory) -> Self {
        Self::begin(directory, Audience::Team(name("ops")), Severity::Error)
    }

    pub fn begin(directory: Directory, audience: Audience, severity: Severity) -> Self {
        let mut chance = Chance(7);
        let trigger = trigger(audience, severity);
        let mut draw = || chance.next();
        let (state, effects) = alert::begin(&trigger, &mut Ids { now: START, chance: &mut draw });
        let mut world = Self {
            now: START,
            directory,
            state,
            deliveries: Vec::new(),
            history: Vec::new(),
            claims: Vec::new(),
            rung: Vec::new(),
            effects: 0,
            jitter: None,
            open: Vec::new(),
            lines: Vec::new(),
            sending: Vec::new(),
            scripts: BTreeMap::new(),
            always: BTreeMap::new(),
            chance,
        };
        world.save(effects);
        world
    }

    /// What the carrier says of the next sends to a contact; afterwards it accepts.
    pub fn carrier(mut self, to: &str, replies: &[Reply]) -> Self {
        self.scripts.insert(contact(to).as_str().to_owned(), replies.iter().copied().collect());
        self
    }

    /// What the carrier says of every send to a contact.
    pub fn carrier_always(mut self, to: &str, reply: Reply) -> Self {
        self.always.insert(contact(to).as_str().to_owned(), reply);
        self
    }

    /// Something happens now.
    pub fn take(&mut self, input: &Input) -> Verdict {
        let before = self.state.clone();
        let mut chance = self.chance.clone();
        let mut draw = || chance.next();
        let ids = Ids { now: self.now, chance: &mut draw };
        let stepped = match alert::step(before, input, &self.directory, ids) {
            Ok(stepped) => stepped,
            Err(broken) => panic!("{broken}, by {input:?} after\n{}", self.timeline()),
        };
        self.chance = chance;
        self.effects = stepped.effects.len();
        if stepped.verdict == Verdict::Done {
            self.state = stepped.state;
            self.save(stepped.effects);
        } else {
            assert_eq!(stepped.state, self.state, "{:?} changed something", stepped.verdict);
            assert_eq!(stepped.effects, [], "{:?} did something", stepped.verdict);
        }
        stepped.verdict
    }

    fn save(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Deliver(delivery) => {
                    self.open.push(self.deliveries.len());
                    self.deliveries.push(delivery);
                }
                Effect::Withdraw { page, contact } => {
                    for at in &self.open {
                        let delivery = &mut self.deliveries[*at];
                        let is_meant = delivery.page == page
                            && contact.as_ref().is_none_or(|contact| delivery.contact == *contact);
                        if is_meant
                            && delivery.purpose == Purpose::Page
                            && delivery.state == DeliveryState::Ready
                        {
                            delivery.state = DeliveryState::Withdrawn;
                        }
                    }
                }
                Effect::Record(entry) => {
                    self.lines.push((entry.at, sentence(&entry)));
                    self.history.push(entry);
                }
            }
        }
    }

    fn next(&self) -> Option<(Timestamp, Next)> {
        let settles = self.sending.iter().enumerate().map(|(at, send)| (send.ends_at, Next::Settle(at)));
        let wakes = self.state.wakes.iter().map(|(wake, at)| (*at, Next::Wake(*wake)));
        let deliveries = self.open.iter().filter_map(|at| {
            let delivery = &self.deliveries[*at];
            match delivery.state {
                DeliveryState::Ready => Some((delivery.not_before, Next::Claim(*at))),
                DeliveryState::Claimed => Some((delivery.lease_until, Next::LeaseEnds(*at))),
                _ => None,
            }
        });
        // What is late is late together: then the order of things decides, and their time only after it.
        settles
            .chain(wakes)
            .chain(deliveries)
            .min_by_key(|(at, next)| ((*at).max(self.now), order(*next), *at, *next))
    }

    /// Does the next thing, if it is due by `until`.
    pub fn tick(&mut self, until: Timestamp) -> bool {
        let is_open = |it: &Delivery| matches!(it.state, DeliveryState::Ready | DeliveryState::Claimed);
        self.open.retain(|at| is_open(&self.deliveries[*at]));
        let Some((at, next)) = self.next().filter(|(at, _)| *at <= until) else { return false };
        self.now = self.now.max(at);
        match next {
            Next::Settle(at) => {
                let Sending { delivery, token, outcome, .. } = self.sending.remove(at);
                self.settle(delivery, token, &outcome);
            }
            Next::LeaseEnds(at) => {
                let token = self.deliveries[at].attempt;
                let why = "whoever was sending it did not come back".to_owned();
                self.settle(at, token, &Outcome::Unknown { why });
            }
            Next::Wake(wake) => {
                self.take(&Input::Due(wake));
            }
            Next::Claim(at) => self.claim(at),
        }
        true
    }

    fn claim(&mut self, at: usize) {
        let page = self.deliveries[at].page;
        let page = self.state.pages.iter().find(|known| Some(known.id) == page);
        let delivery = &mut self.deliveries[at];
        if !delivery.is_wanted(Some(&self.state.alert), page, self.now) {
            delivery.state = DeliveryState::Withdrawn;
            return;
        }
        delivery.claim(self.now);
        let delivery = delivery.clone();
        let mut line = format!("{} → {}", delivery.purpose.word(), delivery.contact);
        if !delivery.text.is_empty() {
            let _ = write!(line, ": {}", delivery.text);
        }
        if delivery.attempt > 1 {
            let _ = write!(line, " (try {})", delivery.attempt);
        }
        self.lines.push((self.now, line));
        let to = delivery.contact.as_str();
        let scripted = self.scripts.get_mut(to).and_then(VecDeque::pop_front);
        let reply = scripted.or_else(|| self.always.get(to).copied()).unwrap_or(Reply::Accepts);
        if let Some((delay, outcome)) = reply.outcome() {
            let ends_at = self.now + delay;
            self.sending.push(Sending { delivery: at, token: delivery.attempt, ends_at, outcome });
        }
        self.claims.push((self.now, delivery));
    }

    fn settle(&mut self, at: usize, token: u8, outcome: &Outcome) {
        let delivery = &mut self.deliveries[at];
        let mut jitter = self.jitter.take();
        let mut draw = || jitter.as_mut().map_or(0, Chance::next);
        let settled = delivery.settle(token, outcome, self.now, &mut draw);
        self.jitter = jitter;
        let Some(settled) = settled else { return };
        if delivery.purpose == Purpose::Page
            && matches!(outcome, Outcome::Accepted { .. } | Outcome::Unknown { .. })
        {
            self.rung.push(delivery.clone());
        }
        if !matches!(outcome, Outcome::Accepted { .. }) {
            self.lines.push((self.now, format!("{} {outcome}", delivery.contact)));
        }
        self.take(&Input::Settled(settled));
        let delivery = &self.deliveries[at];
        let page = self.state.pages.iter().find(|known| Some(known.id) == delivery.page);
        if delivery.state == DeliveryState::Ready
            && !delivery.is_wanted(Some(&self.state.alert), page, self.now)
        {
            self.deliveries[at].state = DeliveryState::Withdrawn;
        }
    }

    /// The provider says of the newest page to a contact that it did not arrive, or that nobody took it.
    pub fn receipt(&mut self, to: &str, sent: Sent) {
        let to = contact(to);
        let is_meant = |it: &&Delivery| it.contact == to && it.purpose == Purpose::Page;
        let delivery = self.deliveries.iter().rev().find(is_meant).unwrap();
        assert_eq!(delivery.state, DeliveryState::Sent, "a receipt is about what was taken");
        let settled = delivery.receipt(sent);
        self.lines.push((self.now, format!("{to} {sent:?}")));
        self.take(&Input::Settled(settled));
    }

    /// Does everything that is due by that long after the start, that instant included.
    pub fn run_to(&mut self, time: &str) {
        self.run_until(START + duration(time));
    }

    /// Does everything that is due before that long after the start, and stops at that instant.
    pub fn run_before(&mut self, time: &str) {
        self.run_until(START + duration(time) - MOMENT);
        self.now = START + duration(time);
    }

    pub fn run_until(&mut self, until: Timestamp) {
        while self.tick(until) {}
        self.now = self.now.max(until);
    }

    /// Time passes and nothing runs.
    pub fn outage_to(&mut self, time: &str) {
        self.now = START + duration(time);
    }

    /// The full name of somebody, and the way a handset acts.
    pub fn actor(&self, who: &str) -> Actor {
        let label = self.directory.full_name(&name(who)).to_owned();
        Actor { person: Some(name(who)), label, via: Via::Handset }
    }

    pub fn acknowledge(&mut self, who: &str) -> Verdict {
        self.take(&Input::Acknowledge { by: self.actor(who), take_over: false })
    }

    pub fn take_over(&mut self, who: &str) -> Verdict {
        self.take(&Input::Acknowledge { by: self.actor(who), take_over: true })
    }

    pub fn unacknowledge(&mut self, who: &str) -> Verdict {
        self.take(&Input::Unacknowledge(self.actor(who)))
    }

    pub fn resolve(&mut self) -> Verdict {
        self.take(&Input::Resolve(monitoring()))
    }

    /// The next step, or step `to`, counted from 1.
    pub fn escalate(&mut self, who: &str, to: Option<u16>) -> Verdict {
        self.take(&Input::Escalate { by: self.actor(who), to: to.map(|to| to - 1) })
    }

    pub fn not_me(&mut self, who: &str) -> Verdict {
        self.take(&Input::NotMe { person: name(who), by: self.actor(who) })
    }

    /// Puts the alert aside until that long after the start.
    pub fn snooze(&mut self, who: &str, until: &str) -> Verdict {
        self.take(&Input::Snooze { by: self.actor(who), until: START + duration(until) })
    }

    /// Passes the alert on: to a team, or to a person as `person:NAME`.
    pub fn reassign(&mut self, who: &str, to: &str) -> Verdict {
        let to = match to.strip_prefix("person:") {
            Some(person) => Audience::Person(name(person)),
            None => Audience::Team(name(to)),
        };
        self.take(&Input::Reassign { by: self.actor(who), to })
    }

    pub fn add_responder(&mut self, who: &str, person: &str) -> Verdict {
        self.take(&Input::AddResponder { by: self.actor(who), person: name(person) })
    }

    /// Another alert, reported three times, goes into this one.
    pub fn absorb(&mut self, who: &str, severity: Severity) -> Verdict {
        let summary = "disk nearly full".to_owned();
        let other = Absorbed { number: 7, summary, severity, triggered_at: self.now, triggers: 3 };
        self.take(&Input::Absorb { by: self.actor(who), other })
    }

    /// This alert goes into number 9.
    pub fn merge_into(&mut self, who: &str) -> Verdict {
        self.take(&Input::MergeInto { by: self.actor(who), number: 9 })
    }

    /// Silences are looked at, as a store does when one begins, ends or is edited.
    pub fn look_at_silences(&mut self) -> Verdict {
        self.take(&Input::SilencesChanged)
    }

    /// Duty for the team's roster changes hands; somebody took it, or its time has come.
    pub fn hand_over(&mut self, before: &[&str], after: &[&str], taker: Option<&str>) -> Verdict {
        let roster = self.directory.roster(&self.state.alert.audience, None).unwrap();
        let names = |people: &[&str]| people.iter().map(|who| name(who)).collect();
        self.take(&Input::DutyChanged(Handover {
            roster,
            role: name("primary"),
            before: names(before),
            after: names(after),
            takeover: taker.map(|who| self.actor(who)),
        }))
    }

    pub fn trigger(&mut self, severity: Severity) -> Verdict {
        let again = trigger(self.state.alert.audience.clone(), severity);
        self.take(&Input::Trigger(again))
    }

    /// The story so far, a line for everything that happened.
    pub fn timeline(&self) -> String {
        self.timeline_from(START)
    }

    /// The story from an instant on.
    pub fn timeline_from(&self, from: Timestamp) -> String {
        let lines = self.lines.iter().filter(|(at, _)| *at >= from);
        lines.map(|(at, line)| format!("{} {line}\n", clock(*at))).collect()
    }

    /// The deliveries that were ready or claimed before the newest thing was done, and those made by it.
    pub fn open(&self) -> impl Iterator<Item = &Delivery> {
        self.open.iter().map(|at| &self.deliveries[*at])
    }

    /// What was claimed for one purpose, oldest first.
    pub fn claimed(&self, purpose: Purpose) -> impl DoubleEndedIterator<Item = &(Timestamp, Delivery)> {
        self.claims.iter().filter(move |(_, delivery)| delivery.purpose == purpose)
    }

    /// The times at which a contact was paged.
    pub fn paged(&self, to: &str) -> Vec<String> {
        let to = contact(to);
        self.claimed(Purpose::Page).filter(|(_, it)| it.contact == to).map(|(at, _)| clock(*at)).collect()
    }

    /// Who was sent a notice, in order.
    pub fn noticed(&self) -> Vec<String> {
        let to = |delivery: &Delivery| delivery.contact.as_str().to_owned();
        self.claimed(Purpose::Notice).map(|(_, delivery)| to(delivery)).collect()
    }

    /// How often something is in the history.
    pub fn count(&self, kind: EntryKind) -> usize {
        self.history.iter().filter(|entry| entry.kind == kind).count()
    }
}

fn order(next: Next) -> u8 {
    match next {
        Next::Settle(_) => 0,
        Next::LeaseEnds(_) => 1,
        Next::Wake(_) => 2,
        Next::Claim(_) => 3,
    }
}

/// An instant as the time since the start: `+0:45`, `+1:00:00`, `+0:02.250`.
pub fn clock(at: Timestamp) -> String {
    let millis = at.duration_since(START).as_millis();
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let mut text = if hours > 0 { format!("+{hours}:{minutes:02}") } else { format!("+{minutes}") };
    let _ = write!(text, ":{seconds:02}");
    if millis > 0 {
        let _ = write!(text, ".{millis:03}");
    }
    text
}

/// A line of the history in words.
fn sentence(entry: &Entry) -> String {
    let by = entry.by.as_ref().map_or("nobody", |by| by.label.as_str());
    let people = entry.people.iter().map(|name| name.as_str());
    let whom: Vec<&str> = people.chain(entry.contacts.iter().map(|contact| contact.as_str())).collect();
    let whom = whom.join(", ");
    let step = entry.step.map(|step| format!("step {}", step + 1));
    let text = &entry.text;
    match entry.kind {
        EntryKind::Triggered => "triggered".to_owned(),
        EntryKind::TriggeredAgain => "triggered again".to_owned(),
        EntryKind::Round => format!("round {}: {text}", entry.round),
        EntryKind::Step => format!("{} pages {whom}", step.unwrap_or_default()),
        EntryKind::Gap => {
            let place = step.unwrap_or_else(|| "page".to_owned());
            if whom.is_empty() { format!("{place}: {text}") } else { format!("{place}: {whom}: {text}") }
        }
        EntryKind::Skipped if whom.is_empty() => format!("{} skipped: {text}", step.unwrap_or_default()),
        EntryKind::Skipped => format!("{} leaves out {whom}: {text}", step.unwrap_or_default()),
        EntryKind::Held => format!("held until {}", clock(text.parse().unwrap())),
        EntryKind::Deferred => format!("{whom} waits until {}", clock(text.parse().unwrap())),
        EntryKind::LastResort => format!("last resort pages {whom}"),
        EntryKind::Unanswered => "unanswered".to_owned(),
        EntryKind::Acknowledged => format!("acknowledged by {by}"),
        EntryKind::Unacknowledged => format!("unacknowledged by {by}"),
        EntryKind::Escalated => {
            let to = step.map(|step| format!(" to {step}")).unwrap_or_default();
            format!("escalated by {by}{to}")
        }
        EntryKind::NotMe => format!("{whom} says not me"),
        EntryKind::Resolved if !text.is_empty() => format!("resolved by {by}: {text}"),
        EntryKind::Resolved => format!("resolved by {by}"),
        EntryKind::Duty => match &entry.by {
            Some(by) => format!("{by} takes over: {whom} on call"),
            None => format!("on call now: {whom}"),
        },
        EntryKind::Note => format!("note by {by}: {text}"),
        EntryKind::Asked if text.is_empty() => format!("{whom} is asked: still on it?"),
        EntryKind::Asked => format!("nobody is asked: {text}"),
        EntryKind::StillOnIt => format!("{by} is still on it"),
        EntryKind::AckTimeout if whom.is_empty() => "nobody says that he is still on it".to_owned(),
        EntryKind::AckTimeout => format!("{whom} does not say that he is still on it"),
        EntryKind::Snoozed => format!("snoozed for {text} by {by}"),
        EntryKind::Silenced => format!("silenced {text}"),
        EntryKind::Reassigned => format!("passed on to {text} by {by}"),
        EntryKind::ResponderAdded => format!("{by} asks {whom} to come, too"),
        EntryKind::Accepted => format!("{by} comes, too"),
        EntryKind::Merged => format!("{text} goes into it, says {by}"),
        EntryKind::MergedInto => format!("goes into {text}, says {by}"),
        EntryKind::Reopened => format!("reopened {text}"),
        EntryKind::Amended => format!("amended by {by}: {text}"),
        EntryKind::Fault => format!("fault: {text}"),
    }
}
