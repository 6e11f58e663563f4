//! How many steps a second the machine makes in a storm: a thousand alerts of one team, each from its
//! trigger through both its steps to an answer, deliveries and their outcomes included.

#![expect(clippy::unwrap_used, reason = "where a bench can't go on it fails")]

use std::sync::Arc;

use divan::counter::ItemsCount;
use escalation::alert::{self, Audience, State};
use escalation::delivery::Outcome;
use escalation::directory::Directory;
use escalation::effect::Effect;
use escalation::event::{Actor, Input, Severity, Trigger, Via};
use escalation::id::Ids;
use escalation::name::Name;
use escalation::person::Person;
use escalation::team::{Lifecycle, Team};
use escalation::wake::Wake;
use jiff::{SignedDuration, Timestamp};

const ALERTS: usize = 1_000;
/// Steps that each alert makes: two of the plan, an outcome for each page, an answer.
const STEPS: usize = 5;

fn main() {
    divan::main();
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn directory(members: usize) -> Directory {
    let mut directory = Directory::default();
    let mut names = Vec::new();
    for number in 0..members {
        let who = name(&format!("person-{number}"));
        let person = Person {
            name: who.clone(),
            full_name: String::new(),
            zone: "UTC".to_owned(),
            language: "en".to_owned(),
            contacts: vec![format!("handset:person-{number}").parse().unwrap()],
            high: None,
            low: None,
        };
        directory.people.insert(who.clone(), Arc::new(person));
        names.push(who);
    }
    let team = Team {
        schedule: None,
        managers: Vec::new(),
        name: name("ops"),
        description: String::new(),
        members: names,
        escalation_plan: None,
        last_resort: Vec::new(),
        urgency: Vec::new(),
        lifecycle: Lifecycle::default(),
    };
    directory.teams.insert(name("ops"), Arc::new(team));
    directory
}

fn trigger() -> Trigger {
    Trigger {
        audience: Audience::Team(name("ops")),
        integration: "notify".to_owned(),
        dedup_key: "disk".to_owned(),
        summary: "disk full".to_owned(),
        details: String::new(),
        severity: Severity::Critical,
        route: escalation::event::Route::default(),
        links: Vec::new(),
        by: Actor { person: None, label: "Monitoring".to_owned(), via: Via::Api },
    }
}

/// One alert from its trigger to its answer.
fn life(trigger: &Trigger, directory: &Directory, chance: &mut dyn FnMut() -> u64) -> State {
    let start = Timestamp::UNIX_EPOCH;
    let (mut state, _) = alert::begin(trigger, &mut Ids { now: start, chance });
    let mut now = start;
    for _ in 0..2 {
        let ids = Ids { now, chance };
        let stepped = alert::step(state, &Input::Due(Wake::Escalate), directory, ids).unwrap();
        state = stepped.state;
        for effect in stepped.effects {
            let Effect::Deliver(mut delivery) = effect else { continue };
            delivery.claim(now);
            let accepted = Outcome::Accepted { provider_id: String::new() };
            let settled = delivery.settle(1, &accepted, now, chance).unwrap();
            let ids = Ids { now, chance };
            state = alert::step(state, &Input::Settled(settled), directory, ids).unwrap().state;
        }
        now += SignedDuration::from_mins(10);
    }
    let by = Actor { person: Some(name("person-0")), label: "Person".to_owned(), via: Via::Handset };
    let answer = Input::Acknowledge { by, take_over: false };
    alert::step(state, &answer, directory, Ids { now, chance }).unwrap().state
}

#[divan::bench(args = [2, 20, 500])]
fn steps(bencher: divan::Bencher<'_, '_>, members: usize) {
    let (directory, trigger) = (directory(members), trigger());
    bencher.counter(ItemsCount::new(ALERTS * STEPS)).bench_local(|| {
        let mut next = 0_u64;
        let mut chance = || {
            next = next.wrapping_add(0x9e37_79b9_7f4a_7c15);
            next
        };
        for _ in 0..ALERTS {
            divan::black_box(life(&trigger, &directory, &mut chance));
        }
    });
}
