//! The company of a run: people with their plans, teams with theirs, and what they edit.

use serde_json::{Value, json};

use super::dice::Dice;
use super::options::Options;
use crate::definition::{Kind, Write};
use crate::store::{Edit, Expect};

/// The first day of every run; in spring, so that longer ones see the clocks change.
pub(super) const START: &str = "2026-03-16T00:00:00Z";
/// The day on which every rotation begins: a Monday before [`START`].
const FIRST_DAY: &str = "2026-01-05";

/// No plan of a company waits longer than this between two steps.
pub(super) const LONGEST: jiff::SignedDuration = jiff::SignedDuration::from_mins(45);

/// No plan of a company is gone through more often than this: once, and three times again.
pub(super) const MOST_PASSES: u32 = 4;

/// The providers of a company, by the number that outages give them.
pub(super) const PROVIDERS: [&str; 3] = ["handset", "smtp", "hook.example.org"];

/// The provider that says what became of a message after it took it.
pub(super) const CONFIRMING: &str = "smtp";

pub(super) fn person(number: u64) -> String {
    format!("p{number}")
}

pub(super) fn team(number: u8) -> String {
    format!("t{number}")
}

fn put(kind: Kind, body: Value) -> Edit {
    let name = body["name"].as_str().unwrap_or_default().to_owned();
    Edit { name, expect: Expect::Any, write: Write::Put { kind, body } }
}

/// Everything that is defined when a run begins.
pub(super) fn found(options: &Options) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    for number in 0..u64::from(options.people) {
        edits.push(put(Kind::Person, a_person(options, number, 0)));
    }
    for number in 0..options.teams {
        let members: Vec<String> = (0..u64::from(options.people)).map(person).collect();
        let mut dice = Dice::of(options.seed, "rotation", u64::from(number));
        let every = if dice.one_in(2) { "1 week" } else { "1 day" };
        edits.push(put(
            Kind::Rotation,
            json!({
                "name": team(number), "members": members, "every": every, "start": FIRST_DAY,
                "handoff": if every == "1 week" { "monday 08:00" } else { "08:00" }, "zone": "Europe/Berlin",
            }),
        ));
        edits.push(put(
            Kind::Schedule,
            json!({ "name": team(number), "zone": "Europe/Berlin", "layers": [{ "rotation": team(number) }] }),
        ));
        edits.push(put(Kind::EscalationPlan, a_plan(options, number, 0)));
        edits.push(put(Kind::Team, a_team(options, number, 0)));
    }
    edits
}

/// A person; `edition` counts how often it was edited.
fn a_person(options: &Options, number: u64, edition: u64) -> Value {
    let mut dice = Dice::of(options.seed, "person", number * 1_000 + edition);
    let name = person(number);
    let (phone, mail) = (format!("handset:{name}"), format!("email:{name}@example.org"));
    let steps = match dice.below(4) {
        0 => json!([{ "contact": phone, "every": "5m" }]),
        1 => json!([{ "contact": mail, "wait": "2m" }, { "contact": phone, "every": "10m" }]),
        2 => json!([{ "contact": phone, "wait": "5m" }, { "contact": mail, "wait": "5m" }]),
        _ => json!([{ "contact": mail, "every": "3m" }]),
    };
    let mut body = json!({ "name": name, "full_name": name, "contacts": [phone, mail] });
    if !dice.one_in(4) {
        body["notification_plans"] = json!({ "high": { "steps": steps } });
    }
    body
}

/// The steps of a person's notification plan for what is urgent, never edited.
fn steps_of(options: &Options, name: &str) -> Vec<Value> {
    let number = name.strip_prefix('p').and_then(|number| number.parse().ok());
    let body = number.map(|number| a_person(options, number, 0)).unwrap_or_default();
    body["notification_plans"]["high"]["steps"].as_array().cloned().unwrap_or_default()
}

/// Whether such a plan has more to do after a step.
pub(super) fn plan_goes_on(options: &Options, name: &str, step: u16) -> bool {
    let (steps, step) = (steps_of(options, name), usize::from(step));
    step + 1 < steps.len() || steps.get(step).is_some_and(|step| step.get("every").is_some())
}

/// Whether the step after one asks through another contact.
pub(super) fn has_other_contact(options: &Options, name: &str, step: u16) -> bool {
    let (steps, step) = (steps_of(options, name), usize::from(step));
    let contact = |step: usize| steps.get(step).and_then(|step| step["contact"].as_str());
    contact(step + 1).is_some_and(|next| contact(step).is_some_and(|this| this != next))
}

/// A team's plan.
fn a_plan(options: &Options, number: u8, edition: u64) -> Value {
    let mut dice = Dice::of(options.seed, "plan", u64::from(number) * 1_000 + edition);
    let anybody = person(dice.below(u64::from(options.people)));
    let mut steps = Vec::new();
    for place in 0..dice.between(1, 4) {
        let notify = match dice.below(8) {
            0 | 1 => vec!["on_call".to_owned()],
            2 => vec!["next_on_call".to_owned()],
            3 => vec!["on_call".to_owned(), "next_on_call".to_owned()],
            4 => vec!["all_members".to_owned()],
            5 => vec![format!("person:{anybody}")],
            6 => vec!["round_robin".to_owned()],
            _ => vec!["on_call".to_owned(), "webhook:https://hook.example.org/duty".to_owned()],
        };
        // The first step is without conditions: somebody is asked at once.
        let notify = if place == 0 { vec!["on_call".to_owned()] } else { notify };
        let mut step = match dice.below(4) {
            0 => json!({ "notify": notify, "after_plan_step": 1 }),
            1 => json!({ "notify": notify, "after_plan": true }),
            _ => json!({ "notify": notify, "after": format!("{}m", dice.between(1, 15)) }),
        };
        if place > 0 && dice.one_in(5) {
            step["severity"] = json!("error");
        }
        steps.push(step);
    }
    json!({ "name": team(number), "steps": steps, "repeat": dice.below(u64::from(MOST_PASSES)) })
}

fn a_team(options: &Options, number: u8, edition: u64) -> Value {
    let mut dice = Dice::of(options.seed, "team", u64::from(number) * 1_000 + edition);
    let members: Vec<String> = (0..u64::from(options.people)).map(person).collect();
    let mut body = json!({
        "name": team(number), "members": members, "schedule": team(number), "escalation_plan": team(number),
    });
    if dice.one_in(2) {
        body["last_resort"] = json!(["all_members"]);
    }
    if dice.one_in(3) {
        body["ack_timeout"] = json!("30m");
    }
    if dice.one_in(3) {
        body["reopen_within"] = json!("15m");
    }
    if dice.one_in(4) {
        body["resolve_after"] = json!("6h");
    }
    body
}

/// An edit in the middle of things.
pub(super) fn edit(options: &Options, which: u8, what: u16, now: jiff::Timestamp) -> Edit {
    let edition = u64::from(what) % 500 + 1;
    let team_number = u8::try_from(u64::from(what) % u64::from(options.teams.max(1))).unwrap_or_default();
    let someone = u64::from(what) % u64::from(options.people.max(1));
    match which {
        0 => put(Kind::EscalationPlan, a_plan(options, team_number, edition)),
        1 => put(Kind::Team, a_team(options, team_number, edition)),
        2 => put(Kind::Person, a_person(options, someone, edition)),
        3 => {
            let until = now + jiff::SignedDuration::from_mins(30 + i64::from(what % 300));
            put(
                Kind::Override,
                json!({
                    "name": format!("cover-{what}"), "schedule": team(team_number), "person": person(someone),
                    "from": now.to_string(), "until": until.to_string(), "made_by": "p0", "made_at": now.to_string(),
                }),
            )
        }
        4 => {
            let until = now + jiff::SignedDuration::from_mins(10 + i64::from(what % 120));
            put(
                Kind::Silence,
                json!({
                    "name": format!("silence-{what}"), "match": { "team": team(team_number) },
                    "from": now.to_string(), "until": until.to_string(), "reason": "works", "made_by": "p0",
                }),
            )
        }
        _ => {
            let name = format!("silence-{what}");
            Edit {
                name: name.clone(),
                expect: Expect::Any,
                write: Write::Remove { kind: Kind::Silence, name },
            }
        }
    }
}
