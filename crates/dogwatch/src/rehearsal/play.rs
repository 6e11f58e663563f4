//! Plays one alert to its end: wakes, sends, handoffs and answers in the order of their times.

use std::collections::{BTreeMap, BTreeSet};

use escalation::alert::{self, Audience, State, Status};
use escalation::delivery::{Outcome, Refusal, State as DeliveryState};
use escalation::directory::Directory;
use escalation::duty::Roster;
use escalation::effect::{Effect, Entry};
use escalation::event::{Actor, Input, Trigger, Via};
use escalation::id::{DeliveryId, Ids};
use escalation::name::Name;
use escalation::watch::{self, Post, Seen};
use jiff::Timestamp;

use super::{LONGEST, Question};
use crate::store::{AlertRecord, Attempt, DeliveryRecord, HistoryEntry};

/// The most things that are played: no plan that can be written comes near it within [`LONGEST`] unless it repeats
/// every second.
const MOST: usize = 20_000;

/// One thing to do, in the order in which they are done at the same instant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Wake(escalation::wake::Wake),
    Handoff(usize),
    Send(DeliveryId),
    Answer(usize),
}

struct Play<'a> {
    directory: &'a Directory,
    question: &'a Question,
    now: Timestamp,
    drawn: u64,
    state: State,
    history: Vec<HistoryEntry>,
    deliveries: BTreeMap<DeliveryId, DeliveryRecord>,
    posts: Vec<(Roster, Name, Seen, Option<Timestamp>)>,
    answered: BTreeSet<usize>,
}

/// Plays until somebody has the alert, or nobody has and the operators are told, or [`LONGEST`] is over.
pub(super) fn play(directory: &Directory, question: &Question) -> AlertRecord {
    let trigger = Trigger {
        audience: question.audience.clone(),
        integration: "rehearsal".to_owned(),
        dedup_key: String::new(),
        summary: "rehearsal".to_owned(),
        details: String::new(),
        severity: question.severity,
        route: escalation::event::Route::default(),
        links: Vec::new(),
        by: Actor { person: None, label: "rehearsal".to_owned(), via: Via::Dogwatch },
    };
    let mut drawn = 0_u64;
    let mut chance = || {
        drawn += 1;
        drawn
    };
    let (state, effects) = alert::begin(&trigger, &mut Ids { now: question.at, chance: &mut chance });
    let mut play = Play {
        directory,
        question,
        now: question.at,
        drawn,
        state,
        history: Vec::new(),
        deliveries: BTreeMap::new(),
        posts: Vec::new(),
        answered: BTreeSet::new(),
    };
    play.posts = play.watched();
    play.keep(effects);
    play.run();
    AlertRecord {
        state: play.state,
        history: play.history,
        deliveries: play.deliveries.into_values().collect(),
    }
}

impl Play<'_> {
    fn run(&mut self) {
        let end = self.question.at.saturating_add(LONGEST).unwrap_or(Timestamp::MAX);
        for _ in 0..MOST {
            let Some((at, next)) = self.next() else { return };
            if at > end {
                return;
            }
            self.now = self.now.max(at);
            match next {
                Next::Wake(wake) => self.step(&Input::Due(wake)),
                Next::Handoff(place) => self.hand_off(place),
                Next::Send(id) => self.send(id),
                Next::Answer(place) => self.answer(place),
            }
        }
    }

    /// What comes next. When the alert has been answered, or is unanswered and nobody is left who would answer, what
    /// is under way is sent, and nothing more is waited for.
    fn next(&self) -> Option<(Timestamp, Next)> {
        let ready = self.deliveries.values().map(|record| &record.delivery);
        let ready = ready.filter(|delivery| delivery.state == DeliveryState::Ready);
        let sends = ready.map(|delivery| (delivery.not_before, Next::Send(delivery.id)));
        let wakes = self.state.wakes.iter().map(|(wake, at)| (*at, Next::Wake(*wake)));
        let posts = self.posts.iter().enumerate();
        let handoffs = posts.filter_map(|(place, post)| post.3.map(|at| (at, Next::Handoff(place))));
        let answers = self.question.answers.iter().enumerate().filter_map(|(place, (person, after))| {
            let at = self.question.at.saturating_add(*after).ok()?;
            let is_reached = self
                .state
                .pages
                .iter()
                .any(|page| page.person == *person && page.is_live() && page.reached.is_some());
            (is_reached && !self.answered.contains(&place)).then(|| (at.max(self.now), Next::Answer(place)))
        });
        let answers: Vec<_> = answers.collect();
        let is_over = match self.state.alert.status {
            Status::Triggered | Status::Snoozed | Status::Silenced => false,
            Status::Unanswered => answers.is_empty(),
            Status::Acknowledged | Status::Resolved => true,
        };
        if is_over {
            return sends.filter(|(at, _)| *at <= self.now).min();
        }
        wakes.chain(handoffs).chain(sends).chain(answers).min()
    }

    fn step(&mut self, input: &Input) {
        let mut drawn = self.drawn;
        let mut chance = || {
            drawn += 1;
            drawn
        };
        let ids = Ids { now: self.now, chance: &mut chance };
        // The machine counts this alert itself once it is older than that.
        let begun = self.question.at;
        let alerts =
            |_: &Audience, since: Timestamp| self.question.alerts.saturating_sub(u64::from(begun < since));
        let stepped = alert::step_among(self.state.clone(), input, self.directory, ids, &alerts);
        let (state, effects) = match stepped {
            Ok(stepped) => (stepped.state, stepped.effects),
            Err(broken) => {
                let ids = Ids { now: self.now, chance: &mut chance };
                let stopped = alert::fault(self.state.clone(), &broken, self.directory, ids);
                (stopped.state, stopped.effects)
            }
        };
        self.drawn = drawn;
        self.state = state;
        self.keep(effects);
    }

    fn keep(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Record(entry) => self.history.push(written(entry)),
                Effect::Deliver(delivery) => {
                    self.deliveries.insert(delivery.id, DeliveryRecord { delivery, attempts: Vec::new() });
                }
                Effect::Withdraw { page, contact } => {
                    for DeliveryRecord { delivery, .. } in self.deliveries.values_mut() {
                        let is_meant = delivery.state == DeliveryState::Ready
                            && delivery.purpose == escalation::delivery::Purpose::Page
                            && (page.is_none() || delivery.page == page)
                            && contact.as_ref().is_none_or(|contact| delivery.contact == *contact);
                        if is_meant {
                            delivery.state = DeliveryState::Withdrawn;
                        }
                    }
                }
            }
        }
    }

    /// A carrier that works takes a message at once; one that is down refuses it.
    fn send(&mut self, id: DeliveryId) {
        let now = self.now;
        let Some(record) = self.deliveries.get_mut(&id) else { return };
        let delivery = &mut record.delivery;
        let page = self.state.pages.iter().find(|page| Some(page.id) == delivery.page);
        if !delivery.is_wanted(Some(&self.state.alert), page, now) {
            delivery.state = DeliveryState::Withdrawn;
            return;
        }
        let is_down =
            |what: &String| *what == delivery.contact.kind().word() || *what == delivery.contact.to_string();
        let outcome = if self.question.down.iter().any(is_down) {
            Outcome::Refused { why: "it is down in this rehearsal".to_owned(), refusal: Refusal::Passing }
        } else {
            Outcome::Accepted { provider_id: String::new() }
        };
        delivery.claim(now);
        let token = delivery.attempt;
        let settled = delivery.settle(token, &outcome, now, &mut || 0);
        let (word, detail) = match &outcome {
            Outcome::Accepted { .. } => ("accepted", String::new()),
            _ => ("refused", "it is down in this rehearsal".to_owned()),
        };
        // What is down refuses every try of a message; one line is enough.
        if record.attempts.is_empty() {
            let outcome = word.to_owned();
            record.attempts.push(Attempt { at: now, attempt: token, outcome, detail });
        }
        if let Some(settled) = settled {
            self.step(&Input::Settled(settled));
        }
    }

    fn answer(&mut self, place: usize) {
        self.answered.insert(place);
        let (person, _) = &self.question.answers[place];
        let label = self.directory.full_name(person).to_owned();
        let by = Actor { person: Some(person.clone()), label, via: Via::Handset };
        self.step(&Input::Acknowledge { by, take_over: false });
    }

    /// Everything that may say who is on call for the audience, as it stands when the alert comes in.
    fn watched(&self) -> Vec<(Roster, Name, Seen, Option<Timestamp>)> {
        let Audience::Team(team) = &self.question.audience else { return Vec::new() };
        let is_asked = |roster: &Roster| self.directory.teams_on(roster).any(|asking| asking.name == *team);
        let rosters = self.directory.all_rosters().filter(|(roster, _)| is_asked(roster));
        let posts = rosters.flat_map(|(roster, schedule)| {
            schedule.roles().iter().filter_map(move |role| {
                let role = Name::new(&role.name).ok()?;
                let post = Post { roster: &roster, role: &role, schedule, leads: &[] };
                let looked = watch::look(post, None, |_| None, self.now);
                Some((roster.clone(), role, looked.seen, looked.check_at))
            })
        });
        posts.collect()
    }

    fn hand_off(&mut self, place: usize) {
        let (roster, role, seen, _) = &self.posts[place];
        let looked = self.directory.compiled(roster).map(|schedule| {
            let post = Post { roster, role, schedule, leads: &[] };
            watch::look(post, Some(seen), |_| None, self.now)
        });
        let Some(looked) = looked else {
            self.posts[place].3 = None;
            return;
        };
        self.posts[place].2 = looked.seen;
        self.posts[place].3 = looked.check_at;
        if let Some(handover) = looked.handover {
            self.step(&Input::DutyChanged(handover));
        }
    }
}

fn written(entry: Entry) -> HistoryEntry {
    HistoryEntry {
        at: entry.at,
        kind: entry.kind,
        round: entry.round,
        by: entry.by,
        step: entry.step,
        people: entry.people.iter().map(ToString::to_string).collect(),
        contacts: entry.contacts.iter().map(ToString::to_string).collect(),
        text: entry.text,
    }
}
