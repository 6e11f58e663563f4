//! What a great many open alerts take: memory for each, and how fast those that are due go on while the others wait.
//!
//! `cargo bench -p escalation --bench open`. A million alerts of a thousand teams, all open and paged; each is due at a time
//! of its own within ten minutes. One core, no store: what the store adds is measured by `cargo bench -p dogwatch --bench
//! open`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures real time, talks to its terminal, and may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use escalation::alert::{self, Audience, State};
use escalation::directory::Directory;
use escalation::event::{Actor, Input, Severity, Trigger, Via};
use escalation::id::Ids;
use escalation::name::Name;
use escalation::person::Person;
use escalation::team::{Lifecycle, Team};
use escalation::wake::Wake;
use jiff::{SignedDuration, Timestamp};

const ALERTS: usize = 1_000_000;
const TEAMS: usize = 1_000;
/// Their first steps are spread over so many seconds.
const SPREAD: usize = 600;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A thousand teams of three people each.
fn directory() -> Directory {
    let mut directory = Directory::default();
    for team in 0..TEAMS {
        let members: Vec<Name> = (0..3).map(|place| name(&format!("person-{team}-{place}"))).collect();
        for who in &members {
            let person = Person {
                name: who.clone(),
                full_name: String::new(),
                zone: "UTC".to_owned(),
                language: "en".to_owned(),
                contacts: vec![format!("handset:{who}").parse().unwrap()],
                high: None,
                low: None,
            };
            directory.people.insert(who.clone(), Arc::new(person));
        }
        let team = Team {
            schedule: None,
            managers: Vec::new(),
            name: name(&format!("team-{team}")),
            description: String::new(),
            members,
            escalation_plan: None,
            last_resort: Vec::new(),
            urgency: Vec::new(),
            lifecycle: Lifecycle::default(),
        };
        directory.teams.insert(team.name.clone(), Arc::new(team));
    }
    directory
}

fn trigger(number: usize) -> Trigger {
    Trigger {
        audience: Audience::Team(name(&format!("team-{}", number % TEAMS))),
        integration: "notify".to_owned(),
        dedup_key: format!("disk-{number}"),
        summary: "disk full on db1.example.org: 98 % of 2 TB used".to_owned(),
        details: String::new(),
        severity: Severity::Critical,
        route: escalation::event::Route::default(),
        links: Vec::new(),
        by: Actor { person: None, label: "Monitoring".to_owned(), via: Via::Api },
    }
}

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn main() {
    let directory = directory();
    let mut next = 0_u64;
    let mut chance = || {
        next = next.wrapping_add(0x9e37_79b9_7f4a_7c15);
        next
    };
    let start = Timestamp::UNIX_EPOCH;
    let second = |number: usize| start + SignedDuration::from_secs(i64::try_from(number).unwrap());

    let before = resident();
    let began = Instant::now();
    let mut open: Vec<Option<State>> = Vec::with_capacity(ALERTS);
    for number in 0..ALERTS {
        let now = second(number * SPREAD / ALERTS);
        let (state, _) = alert::begin(&trigger(number), &mut Ids { now, chance: &mut chance });
        let ids = Ids { now, chance: &mut chance };
        let stepped = alert::step(state, &Input::Due(Wake::Escalate), &directory, ids).unwrap();
        open.push(Some(stepped.state));
    }
    let took = began.elapsed().as_secs_f64();
    println!("begun and paged     {:>9.0} alerts a second", ALERTS as f64 / took);
    println!("an open alert       {:>9} bytes, one live page and its wakes", (resident() - before) / ALERTS);

    // When something is due, by time: as the store's index has it.
    let mut due: BTreeMap<(Timestamp, usize, Wake), ()> = BTreeMap::new();
    for (place, state) in open.iter().flatten().enumerate() {
        due.extend(state.wakes.iter().map(|(wake, at)| ((*at, place, *wake), ())));
    }
    // A quarter of an hour, second by second: everything that is due then, and nothing else, is looked at.
    let (mut steps, mut worst) = (0_usize, 0.0_f64);
    let began = Instant::now();
    for now in (SPREAD..SPREAD + 900).map(second) {
        let tick = Instant::now();
        while let Some((&(at, place, wake), ())) = due.first_key_value()
            && at <= now
        {
            let before = open[place].take().unwrap();
            for (wake, at) in &before.wakes {
                due.remove(&(*at, place, *wake));
            }
            let ids = Ids { now, chance: &mut chance };
            let after = alert::step(before, &Input::Due(wake), &directory, ids).unwrap().state;
            due.extend(after.wakes.iter().map(|(wake, at)| ((*at, place, *wake), ())));
            open[place] = Some(after);
            steps += 1;
        }
        worst = worst.max(tick.elapsed().as_secs_f64());
    }
    let took = began.elapsed().as_secs_f64();
    println!(
        "ticking             {:>9.0} steps a second, {steps} in 900 simulated seconds",
        steps as f64 / took
    );
    println!("the busiest second  {:>9.0} ms", worst * 1_000.0);
}
