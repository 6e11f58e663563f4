//! A directory written in a few words, so that a test can show the plans it is about.
//!
//! A notification step is `handset:john wait 20s every 1m during nights`, an escalation step
//! `on_call bob after 45s`; hours are `nights`, or `nights@Europe/Berlin` in a zone of their own.

use std::sync::Arc;

use escalation::contact::Contact;
use escalation::directory::Directory;
use escalation::duration;
use escalation::name::Name;
use escalation::person::{NotificationPlan, NotificationStep, Person};
use escalation::plan::{Condition, Escalate, EscalationPlan, EscalationStep, Hours, OnCall, Target};
use escalation::silence::{Match, Silence};
use escalation::team::{Lifecycle, Team};
use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rota::period::{self, Days, Definition, Interval, Period, Weekday};
use rota::rotation::{Edition, Length, Rotation};
use rota::schedule::{Layer, Leave, Role, Schedule, Who};

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn contact(text: &str) -> Contact {
    text.parse().unwrap()
}

pub fn duration(text: &str) -> SignedDuration {
    duration::parse(text).unwrap()
}

/// The rest of an edit: each method writes one definition anew, so that a test can edit mid-run.
pub trait Roster: Sized {
    /// Somebody with a plan for high urgency; the contacts are those of the plan.
    fn person(self, who: &str, steps: &[&str]) -> Self;
    /// Somebody with contacts and no plan.
    fn planless(self, who: &str, contacts: &[&str]) -> Self;
    /// Gives somebody a plan for low urgency.
    fn low(self, who: &str, steps: &[&str]) -> Self;
    /// A team without a plan of its own.
    fn team(self, who: &str, members: &[&str]) -> Self;
    /// Gives a team an escalation plan of the same name.
    fn plan(self, team: &str, repeat: u8, steps: &[&str]) -> Self;
    /// Gives a team a last resort.
    fn last_resort(self, team: &str, targets: &[&str]) -> Self;
    /// Says how long things last for a team: `ack_timeout 30m`, `reopen_within 10m`, `resolve_after 4h`.
    fn lasting(self, team: &str, what: &[&str]) -> Self;
    /// Silences alerts of a severity from `from` for so long.
    fn silenced(self, who: &str, matches: Match, from: Timestamp, length: &str) -> Self;
    /// A schedule of the team's name: these people take turns of so long, the first from `first` on.
    fn turns(self, team: &str, members: &[&str], every: Length, first: Timestamp) -> Self;
    /// Edits the schedule of that name.
    fn edit(self, schedule: &str, edit: impl FnOnce(Schedule) -> Schedule) -> Self;
    /// What the service falls back on: a last resort and who is warned.
    fn service(self, last_resort: &[&str], operators: &[&str]) -> Self;
    /// A period: from one hour of every day to another.
    fn daily(self, period: &str, from: u16, to: u16) -> Self;
    /// Says in which zone somebody lives.
    fn living_in(self, who: &str, zone: &str) -> Self;
    /// Somebody is on leave from `from` for so long, as the directory and every schedule know.
    fn away(self, who: &str, from: Timestamp, length: &str) -> Self;
    /// Sets a condition for the step at a place, from 1, of a team's plan.
    fn only(self, team: &str, step: usize, condition: Condition) -> Self;
}

impl Roster for Directory {
    fn person(mut self, who: &str, steps: &[&str]) -> Self {
        let plan = notification_plan(steps);
        let mut contacts: Vec<Contact> = Vec::new();
        for step in &plan.steps {
            if !contacts.contains(&step.contact) {
                contacts.push(step.contact.clone());
            }
        }
        let person = Person { high: Some(plan), contacts, ..somebody(who) };
        self.people.insert(name(who), Arc::new(person));
        self
    }

    fn planless(mut self, who: &str, contacts: &[&str]) -> Self {
        let contacts = contacts.iter().map(|text| contact(text)).collect();
        self.people.insert(name(who), Arc::new(Person { contacts, ..somebody(who) }));
        self
    }

    fn low(mut self, who: &str, steps: &[&str]) -> Self {
        Arc::make_mut(self.people.get_mut(who).unwrap()).low = Some(notification_plan(steps));
        self
    }

    fn team(mut self, who: &str, members: &[&str]) -> Self {
        let team = Team {
            schedule: None,
            managers: Vec::new(),
            name: name(who),
            description: String::new(),
            members: members.iter().map(|member| name(member)).collect(),
            escalation_plan: None,
            last_resort: Vec::new(),
            urgency: Vec::new(),
            // Most stories end with an answer: only those that are about it ask the owner again.
            lifecycle: Lifecycle { ack_timeout: None, ..Lifecycle::default() },
        };
        self.teams.insert(name(who), Arc::new(team));
        self
    }

    fn plan(mut self, team: &str, repeat: u8, steps: &[&str]) -> Self {
        let steps = steps.iter().map(|text| escalation_step(text)).collect();
        self.plans
            .insert(name(team), Arc::new(EscalationPlan { name: name(team), steps, repeat, hold: None }));
        Arc::make_mut(self.teams.get_mut(team).unwrap()).escalation_plan = Some(name(team));
        self
    }

    fn last_resort(mut self, team: &str, targets: &[&str]) -> Self {
        Arc::make_mut(self.teams.get_mut(team).unwrap()).last_resort =
            targets.iter().map(|text| target(text)).collect();
        self
    }

    fn lasting(mut self, team: &str, what: &[&str]) -> Self {
        let lifecycle = &mut Arc::make_mut(self.teams.get_mut(team).unwrap()).lifecycle;
        for text in what {
            let (field, length) = text.split_once(' ').unwrap();
            let length = Some(duration(length));
            match field {
                "ack_timeout" => lifecycle.ack_timeout = length,
                "reopen_within" => lifecycle.reopen_within = length,
                "resolve_after" => lifecycle.resolve_after = length,
                _ => panic!("{text}: there is no such field"),
            }
        }
        self
    }

    fn silenced(mut self, who: &str, matches: Match, from: Timestamp, length: &str) -> Self {
        let until = Some(from + duration(length));
        let by = "Carol".to_owned();
        let reason = "planned work".to_owned();
        let silence = Silence { name: name(who), by, reason, matches, from, until, within: None };
        self.silences.insert(name(who), Arc::new(silence));
        self
    }

    fn turns(mut self, team: &str, members: &[&str], length: Length, first: Timestamp) -> Self {
        let members = members.iter().map(|who| std::iter::once(Arc::from(*who)).collect()).collect();
        let start = first.to_zoned(TimeZone::UTC).datetime();
        let edition = Edition { from: Timestamp::MIN, start, length, members, first: 0 };
        let rotation = Arc::new(Rotation::new(TimeZone::UTC, vec![edition]).unwrap());
        let who = Who::Rotation(rotation);
        let layer = Layer { name: team.into(), who, ahead: 0, within: None, shadow: false };
        let role = Role { name: "primary".into(), layers: vec![layer] };
        let schedule = Schedule::new(TimeZone::UTC, vec![role]);
        self.schedules.insert(name(team), Arc::new(schedule));
        if let Some(known) = self.teams.get_mut(team) {
            Arc::make_mut(known).schedule = Some(name(team));
        }
        self
    }

    fn edit(mut self, schedule: &str, edit: impl FnOnce(Schedule) -> Schedule) -> Self {
        let known = self.schedules.get_mut(schedule).unwrap();
        *known = Arc::new(edit(Schedule::clone(known)));
        self
    }

    fn service(mut self, last_resort: &[&str], operators: &[&str]) -> Self {
        self.service.last_resort = last_resort.iter().map(|text| target(text)).collect();
        self.service.operators = operators.iter().map(|text| contact(text)).collect();
        self
    }

    fn daily(mut self, period: &str, from: u16, to: u16) -> Self {
        self.periods.insert(period.to_owned(), daily(period, from, to));
        self
    }

    fn living_in(mut self, who: &str, zone: &str) -> Self {
        zone.clone_into(&mut Arc::make_mut(self.people.get_mut(who).unwrap()).zone);
        self
    }

    fn away(mut self, who: &str, from: Timestamp, length: &str) -> Self {
        let leave = Leave::new([Interval { start: from, end: from + duration(length) }]);
        self.leave.insert(who.into(), leave);
        for schedule in self.schedules.values_mut() {
            *schedule = Arc::new(Schedule::clone(schedule).with_leave(self.leave.clone()));
        }
        self
    }

    fn only(mut self, team: &str, step: usize, condition: Condition) -> Self {
        Arc::make_mut(self.plans.get_mut(team).unwrap()).steps[step - 1].only.push(condition);
        self
    }
}

/// Every day from one hour to another.
pub fn daily(name: &str, from: u16, to: u16) -> Period {
    let hours = period::Hours { start: from * 60, end: to * 60 };
    let days = |definition: Definition, day: &Weekday| definition.rule(Days::Weekday(*day), [hours]);
    let definition = Weekday::ALL.iter().fold(Definition::period(name), days);
    let compiled = period::compile(&[definition], date(2025, 1, 1));
    assert!(!compiled.has_errors(), "{:?}", compiled.problems);
    compiled.find(name).unwrap().clone()
}

/// Hours as `period`, by the clock of whoever is paged, or as `period@zone`.
pub fn hours(text: &str) -> Hours {
    let (period, zone) = text.split_once('@').map_or((text, None), |(period, zone)| (period, Some(zone)));
    Hours { period: period.to_owned(), zone: zone.map(str::to_owned) }
}

fn somebody(who: &str) -> Person {
    let mut full_name = who.to_owned();
    full_name[..1].make_ascii_uppercase();
    Person {
        name: name(who),
        full_name,
        zone: "UTC".to_owned(),
        language: "en".to_owned(),
        contacts: Vec::new(),
        high: None,
        low: None,
    }
}

fn notification_plan(steps: &[&str]) -> NotificationPlan {
    let steps = steps.iter().map(|text| {
        let mut words = text.split(' ');
        let mut step = NotificationStep {
            contact: contact(words.next().unwrap()),
            wait: None,
            every: None,
            during: None,
        };
        while let (Some(word), Some(value)) = (words.next(), words.next()) {
            match word {
                "wait" => step.wait = Some(duration(value)),
                "every" => step.every = Some(duration(value)),
                "during" => step.during = Some(hours(value)),
                _ => panic!("{text}: \"{word}\" is none of wait, every, during"),
            }
        }
        step
    });
    NotificationPlan { steps: steps.collect() }
}

fn escalation_step(text: &str) -> EscalationStep {
    let (text, each) = text.strip_prefix("each ").map_or((text, false), |rest| (rest, true));
    let (targets, escalate) = match (text.split_once(" after "), text.split_once(" after_plan_step ")) {
        (Some((targets, after)), _) => (targets, Escalate::After(duration(after))),
        (_, Some((targets, step))) => (targets, Escalate::AfterPlanStep(step.parse::<u16>().unwrap() - 1)),
        _ => (text.strip_suffix(" after_plan").unwrap(), Escalate::AfterPlan),
    };
    EscalationStep { notify: targets.split(' ').map(target).collect(), escalate, only: Vec::new(), each }
}

fn target(text: &str) -> Target {
    match text {
        "on_call" => Target::OnCall(OnCall::default()),
        "next_on_call" => Target::NextOnCall(OnCall::default()),
        "previous_on_call" => Target::PreviousOnCall(OnCall::default()),
        "all_members" => Target::AllMembers,
        "round_robin" => Target::RoundRobin,
        _ if text.starts_with("round_robin:") => {
            Target::RoundRobinOf(text[12..].split(',').map(name).collect())
        }
        _ if text.starts_with("on_call:") => {
            let (schedule, role) = text[8..].split_once('/').unwrap();
            Target::OnCall(OnCall { schedule: Some(name(schedule)), role: Some(name(role)) })
        }
        _ if text.starts_with("team:") => Target::Team(name(&text[5..])),
        _ if text.starts_with("member:") => Target::Member(text[7..].parse::<u16>().unwrap() - 1),
        _ if text.contains(':') => Target::Role(contact(text)),
        _ => Target::Person(name(text)),
    }
}
