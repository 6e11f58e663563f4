//! One team's night: its plan as it would go now, who comes on call until morning, and what is wrong.

use escalation::alert::Audience;
use escalation::directory::Directory;
use escalation::name::Name;
use escalation::plan::{DEFAULT_AFTER, DEFAULT_REPEAT, Escalate, EscalationStep, Target};
use escalation::team::Team;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::resolve::Resolver;
use crate::cli::on_call::{Contacts, Gap, OnCall, Person, Shift, Source, find_zone, merge};
use crate::clock::{Clock, SystemClock};
use crate::definition::PRIMARY;
use crate::definition::time::{print_instant, show_length};
use crate::duty::morning;

/// What would happen to an alert of high urgency that came in now, and what changes until morning.
#[derive(Debug, Serialize)]
pub(super) struct Night {
    pub(super) team: String,
    #[serde(serialize_with = "instant")]
    pub(super) from: Timestamp,
    #[serde(serialize_with = "instant")]
    pub(super) until: Timestamp,
    /// The zone of the team's schedule.
    pub(super) zone: String,
    /// The steps of the plan.
    pub(super) steps: Vec<Step>,
    /// How often the steps come again.
    pub(super) repeat: u8,
    /// Whom to page when nobody has answered.
    pub(super) last_resort: Option<Step>,
    /// The shifts that begin until morning.
    pub(super) changes: Vec<Shift>,
    /// When nobody is on call until morning.
    pub(super) gaps: Vec<Gap>,
    /// When each contact last worked, in words; nothing where only files are known.
    pub(super) worked: Vec<String>,
    /// What is wrong, in words.
    pub(super) wrong: Vec<String>,
}

/// One step.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    /// How long after the alert has come in.
    pub(super) after_seconds: i64,
    /// Whom it pages; nobody: it costs no waiting.
    pub(super) rows: Vec<Row>,
}

/// Somebody, or some address, that a step pages.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// For people to read.
    pub(super) who: String,
    /// Nobody for an address; several where one of them has the turn.
    pub(super) people: Vec<Person>,
    /// What names them.
    pub(super) why: String,
    /// An earlier step has paged them, and that still goes on: they are not paged anew.
    pub(super) still_rings: bool,
    /// In the order in which they are tried.
    pub(super) contacts: Vec<String>,
}

fn instant<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&print_instant(*at))
}

impl Night {
    pub(super) async fn of(
        source: &Source,
        directory: &Directory,
        team: &Team,
        on_call: &OnCall,
        contacts: Option<&Contacts>,
    ) -> anyhow::Result<Self> {
        let now = on_call.at;
        let until = morning(now, &find_zone(&on_call.zone));
        let mut resolver = Resolver::new(source, directory, team, on_call);
        let audience = Audience::Team(team.name.clone());
        let (plan, repeat) = plan(directory, team, on_call);
        let mut after = SignedDuration::ZERO;
        let mut steps = Vec::new();
        for step in &plan {
            let rows = resolver.rows(&step.notify, after).await?;
            // What waits for plans takes at least as long as the default does, for this picture.
            let wait = match step.escalate {
                Escalate::After(wait) => wait,
                Escalate::AfterPlanStep(_) | Escalate::AfterPlan => DEFAULT_AFTER,
            };
            let begun = after;
            // A step that pages nobody costs no waiting.
            if rows.iter().any(|row| !row.still_rings) {
                after += wait;
            }
            steps.push(Step { after_seconds: begun.as_secs(), rows });
        }
        let repeat = if after.is_zero() { 0 } else { repeat };
        let targets = directory.last_resort(&audience);
        resolver.forget_who_was_paged();
        let last_resort = match targets {
            [] => None,
            targets => {
                let after = after * (i32::from(repeat) + 1);
                Some(Step {
                    after_seconds: after.as_secs(),
                    rows: resolver.rows(targets, SignedDuration::ZERO).await?,
                })
            }
        };
        let shifts = until_morning(source, on_call, until).await?;
        for shift in &shifts {
            for person in shift.people.iter().chain(&shift.shadows) {
                resolver.reach(&person.name);
            }
        }
        let mut wrong = resolver.into_wrong();
        if plan.is_empty() {
            wrong.push("nobody is paged: the team has no escalation plan and no members".to_owned());
        }
        if targets.is_empty() && !contacts.is_some_and(|contacts| contacts.has_last_resort) {
            wrong.push("no last resort: write last_resort for the team, or for the whole service".to_owned());
        }
        let rows = steps.iter().chain(&last_resort).flat_map(|step| &step.rows);
        let worked = contacts.map_or_else(Vec::new, |known| worked(rows, known));
        let (gaps, shifts): (Vec<_>, Vec<_>) = shifts.into_iter().partition(Shift::is_gap);
        let gap =
            |shift: Shift| Gap { role: shift.role, from: shift.from, until: shift.until.unwrap_or(until) };
        Ok(Self {
            team: team.name.to_string(),
            from: now,
            until,
            zone: on_call.zone.clone(),
            steps,
            repeat,
            last_resort,
            changes: shifts.into_iter().filter(|shift| shift.from > now).collect(),
            gaps: gaps.into_iter().map(gap).collect(),
            worked,
            wrong,
        })
    }
}

/// When contacts last worked, in words, each once.
fn worked<'a>(rows: impl Iterator<Item = &'a Row>, known: &Contacts) -> Vec<String> {
    let now = SystemClock.now();
    let mut seen: Vec<&str> = Vec::new();
    for contact in rows.flat_map(|row| &row.contacts) {
        if !seen.contains(&contact.as_str()) {
            seen.push(contact);
        }
    }
    let told = |contact: &&str| match known.worked(contact) {
        Some(at) => format!("{contact} worked {} ago", show_length(now.duration_since(at))),
        None => format!("{contact} was not used within 90 days"),
    };
    seen.iter().map(told).collect()
}

/// The steps of a team's plan, and how often they come again. Without a plan: whoever is on call, then the other
/// members in order.
fn plan(directory: &Directory, team: &Team, on_call: &OnCall) -> (Vec<EscalationStep>, u8) {
    if let Some(plan) = team.escalation_plan.as_ref().and_then(|plan| directory.plans.get(plan)) {
        return (plan.steps.clone(), plan.repeat);
    }
    let shift = on_call.roles.iter().find(|role| role.role == PRIMARY).and_then(|role| role.now.as_ref());
    let now = shift.iter().flat_map(|shift| &shift.people).filter_map(|person| Name::new(&person.name).ok());
    let mut people: Vec<Name> = now.collect();
    people.extend(team.members.iter().filter(|member| !people.contains(member)).cloned().collect::<Vec<_>>());
    let step = |person| EscalationStep {
        notify: vec![Target::Person(person)],
        escalate: Escalate::After(DEFAULT_AFTER),
        only: Vec::new(),
        each: false,
    };
    (people.into_iter().map(step).collect(), DEFAULT_REPEAT)
}

/// Who is on call until morning, by role; a gap is a shift without people.
async fn until_morning(source: &Source, on_call: &OnCall, until: Timestamp) -> anyhow::Result<Vec<Shift>> {
    let now = on_call.at;
    if let Some(schedule) = &on_call.schedule {
        let shifts = merge(source.shifts(schedule, (now, until), None).await?.items);
        return Ok(shifts);
    }
    let now = on_call.roles.iter().filter_map(|role| role.now.clone());
    let cut =
        |shift: Shift| Shift { from: on_call.at, until: shift.until.map(|end| end.min(until)), ..shift };
    Ok(now.map(cut).collect())
}
