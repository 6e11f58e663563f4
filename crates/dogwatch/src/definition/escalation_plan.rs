//! An escalation plan, and the targets that plans and last resorts name.

use std::str::FromStr;

use escalation::contact::{Contact, Kind as ContactKind};
use escalation::event::Severity;
use escalation::name::{BadName, Name};
use escalation::plan::{
    Condition, Escalate, EscalationPlan, EscalationStep, Hours, MAX_REPEAT, MAX_STEPS, MAX_TARGETS, OnCall,
    Target,
};
use escalation::team::Team;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Definitions, FieldError, Kind, Lines, PRIMARY, Problems, Spec};

/// Whom to page, in order, until somebody answers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalationPlanSpec {
    /// The identity, never renamed: 1–64 of `a-z0-9._-`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9._-]+$", example = "ops")]
    pub name: String,
    /// What the plan is for.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub description: String,
    /// In order.
    #[schema(min_items = 1, max_items = 20)]
    pub steps: Vec<EscalationStepSpec>,
    /// Further rounds after the first.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 20)]
    pub repeat: u8,
    /// How long the first page is held back: resolved meanwhile, nobody wakes. `1s` to `7d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2m")]
    pub hold: Option<String>,
}

/// One step of an escalation plan.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalationStepSpec {
    /// Whom to page, all at the same time: `on_call`, `next_on_call`, `previous_on_call` (each also of another
    /// schedule or role: `on_call:SCHEDULE`, `on_call/ROLE`, `on_call:SCHEDULE/ROLE`), `round_robin`,
    /// `round_robin:NAME,NAME…`, `member:N` (from 1), `all_members`, `person:NAME`, `team:NAME` (that team's own
    /// steps, in place of this one; at most one in a step), or a contact such as `email:ADDRESS`, `sms:NUMBER`, `slack:C…`.
    #[schema(min_items = 1, max_items = 20, example = json!(["on_call"]))]
    pub notify: Vec<String>,
    /// How long after this step the next one fires if nobody has answered: `1s` to `7d`. Exactly one of `after`,
    /// `after_plan_step` and `after_plan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "10m")]
    pub after: Option<String>,
    /// The next step fires when this step of the notification plan of everybody paged has no answer. A shorter
    /// plan counts with its last step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 20, example = 2)]
    pub after_plan_step: Option<u16>,
    /// `true`: the next step fires when every step of those plans has run once without an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_plan: Option<bool>,
    /// A period: at other times the step is skipped, at no cost. Needs `zone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, example = "nights")]
    pub during: Option<String>,
    /// The IANA zone of `during`, or `person`: the paged person's own, asked for each person alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "Europe/Berlin")]
    pub zone: Option<String>,
    /// Only for alerts of this severity or a graver one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "critical")]
    pub severity: Option<String>,
    /// Only if more than so many alerts of the team began within so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than: Option<MoreThanSpec>,
    /// Everybody paged has to answer for himself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub each: bool,
}

/// A number of alerts within a time.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoreThanSpec {
    /// The number that must be passed, this alert counted.
    #[schema(minimum = 1, maximum = 100_000, example = 5)]
    pub alerts: u32,
    /// How far back alerts are counted: `1s` to `7d`.
    #[schema(example = "10m")]
    pub within: String,
}

/// The most alerts that a condition may ask for.
const MAX_ALERTS: u32 = 100_000;

/// Reads a period and its zone, which `field` holds; no zone: the person's own.
pub(super) fn hours(
    field: &str,
    period: Option<&str>,
    zone: Option<&str>,
    problems: &mut Problems,
) -> Option<Hours> {
    if let Some(zone) = zone {
        problems.take(field, rota::zone::find(zone));
    }
    period.map(|period| Hours { period: period.to_owned(), zone: zone.map(str::to_owned) })
}

/// Notes a period that does not exist.
pub(super) fn check_hours(
    field: String,
    hours: Option<&Hours>,
    definitions: &Definitions,
    problems: &mut Problems,
) {
    if let Some(hours) = hours.filter(|hours| !definitions.directory().periods.contains_key(&hours.period)) {
        let known = definitions.directory().periods.keys().map(String::as_str);
        problems.unknown(field, Kind::Period, &hours.period, known);
    }
}

/// A team at which the steps of other teams, followed from these targets on, come to where they began.
pub(super) fn circle(
    definitions: &Definitions,
    targets: &[Target],
    is_begin: impl Fn(&Team) -> bool,
) -> Option<Name> {
    let teams = |targets: &[Target]| -> Vec<Name> {
        let named = targets.iter().filter_map(|target| match target {
            Target::Team(name) => Some(name.clone()),
            _ => None,
        });
        named.collect()
    };
    let directory = definitions.directory();
    let mut left = teams(targets);
    let mut seen: Vec<Name> = Vec::new();
    while let Some(name) = left.pop() {
        let Some(team) = directory.teams.get(&name).filter(|_| !seen.contains(&name)) else { continue };
        if is_begin(team) {
            return Some(name);
        }
        let plan = team.escalation_plan.as_ref().and_then(|plan| directory.plans.get(plan));
        left.extend(plan.iter().flat_map(|plan| &plan.steps).flat_map(|step| teams(&step.notify)));
        seen.push(name);
    }
    None
}

impl EscalationStepSpec {
    /// When to go on.
    fn escalate(&self, at: &str, problems: &mut Problems) -> Option<Escalate> {
        match (self.after.as_deref(), self.after_plan_step, self.after_plan) {
            (Some(after), None, None) => {
                problems.duration(format!("{at}.after"), Some(after)).map(Escalate::After)
            }
            (None, Some(step @ 1..=20), None) => Some(Escalate::AfterPlanStep(step - 1)),
            (None, Some(step), None) => {
                let field = format!("{at}.after_plan_step");
                problems.add(field, format_args!("is {step}; a notification plan has the steps 1 to 20"));
                None
            }
            (None, None, Some(true)) => Some(Escalate::AfterPlan),
            (None, None, Some(false)) => {
                problems
                    .add(format!("{at}.after_plan"), "can only be true; leave it out and write \"after\"");
                None
            }
            (None, None, None) => {
                problems.add(
                    format!("{at}.after"),
                    "is missing; write one of after = \"10m\", after_plan_step = 2 and after_plan = true",
                );
                None
            }
            _ => {
                problems.add(
                    at,
                    "says more than once when to go on; keep one of after, after_plan_step and after_plan",
                );
                None
            }
        }
    }

    /// What must hold.
    fn only(&self, at: &str, problems: &mut Problems) -> Vec<Condition> {
        let mut only = Vec::new();
        match (self.during.as_deref(), self.zone.as_deref()) {
            (Some(_), None) => problems.add(
                format!("{at}.zone"),
                "is missing; write a zone such as \"Europe/Berlin\", or \"person\" for the paged person's own",
            ),
            (None, Some(_)) => problems.add(format!("{at}.during"), "is missing; a zone needs a period"),
            (period, zone) => {
                let zone = zone.filter(|zone| *zone != "person");
                only.extend(hours(&format!("{at}.zone"), period, zone, problems).map(Condition::During));
            }
        }
        if let Some(text) = &self.severity {
            match Severity::ALL.into_iter().find(|severity| severity.word() == text) {
                Some(severity) => only.push(Condition::Severity(severity)),
                None => problems.add(
                    format!("{at}.severity"),
                    "is no severity; write \"critical\", \"error\", \"warning\" or \"info\"",
                ),
            }
        }
        if let Some(more) = &self.more_than {
            if !(1..=MAX_ALERTS).contains(&more.alerts) {
                let field = format!("{at}.more_than.alerts");
                problems.add(field, format_args!("is {}; write 1 to {MAX_ALERTS}", more.alerts));
            }
            let within = problems.duration(format!("{at}.more_than.within"), Some(&more.within));
            only.extend(within.map(|within| Condition::MoreThan { alerts: more.alerts, within }));
        }
        only
    }
}

/// Reads one target.
///
/// # Errors
///
/// What is wrong, and what to write instead.
pub fn target(text: &str) -> Result<Target, String> {
    match text {
        "all_members" => return Ok(Target::AllMembers),
        "round_robin" => return Ok(Target::RoundRobin),
        _ => {}
    }
    type Duty = fn(OnCall) -> Target;
    let duties: [(&str, Duty); 3] = [
        ("on_call", Target::OnCall),
        ("next_on_call", Target::NextOnCall),
        ("previous_on_call", Target::PreviousOnCall),
    ];
    for (word, duty) in duties {
        if let Some(rest) = text.strip_prefix(word)
            && (rest.is_empty() || rest.starts_with([':', '/']))
        {
            return on_call(rest).map(duty).map_err(|wrong| {
                format!("write \"{word}\", \"{word}:SCHEDULE\", \"{word}/ROLE\" or \"{word}:SCHEDULE/ROLE\": {wrong}")
            });
        }
    }
    if let Some(names) = text.strip_prefix("round_robin:") {
        let names: Result<Vec<Name>, BadName> = names.split(',').map(|name| Name::new(name.trim())).collect();
        return names
            .map(Target::RoundRobinOf)
            .map_err(|wrong| format!("write \"round_robin:\" and names with commas between: {wrong}"));
    }
    if let Some(place) = text.strip_prefix("member:") {
        let place = place.parse::<u16>().ok().and_then(|place| place.checked_sub(1));
        return place.map(Target::Member).ok_or_else(|| "write \"member:1\" for the first member".to_owned());
    }
    if let Some(name) = text.strip_prefix("team:") {
        return Name::new(name)
            .map(Target::Team)
            .map_err(|wrong| format!("write \"team:\" and a name: {wrong}"));
    }
    if let Some(name) = text.strip_prefix("person:") {
        return Name::new(name)
            .map(Target::Person)
            .map_err(|wrong| format!("write \"person:\" and a name: {wrong}"));
    }
    let forms = "\"on_call\", \"next_on_call\", \"previous_on_call\", \"round_robin\", \"all_members\", \
                 \"person:NAME\", or a contact such as \"email:ADDRESS\", \"webhook:URL\" or \"slack:C…\"";
    match Contact::from_str(text) {
        Ok(contact) if contact.kind().is_personal() => {
            Err(format!("a {} belongs to a person: write \"person:NAME\"", contact.kind().word()))
        }
        Ok(contact) => Ok(Target::Role(contact)),
        Err(wrong) if is_kind(text) => Err(wrong.to_string()),
        Err(_) => {
            let shown: String = text.chars().take(64).collect();
            let words = ["on_call", "next_on_call", "previous_on_call", "round_robin", "all_members"];
            let hint = super::nearest(&shown, words.into_iter())
                .map(|near| format!("did you mean \"{near}\"? "))
                .unwrap_or_default();
            Err(format!("\"{shown}\" is nobody to page: {hint}write {forms}"))
        }
    }
}

/// Whether a text begins as a contact does.
fn is_kind(text: &str) -> bool {
    let word = text.split_once(':').map(|(word, _)| word);
    ContactKind::ALL.into_iter().any(|kind| word == Some(kind.word()))
}

/// Reads what follows the word: `:SCHEDULE`, `/ROLE`, both, or nothing.
fn on_call(rest: &str) -> Result<OnCall, BadName> {
    let (schedule, role) = match rest.split_once('/') {
        Some((schedule, role)) => (schedule, Some(Name::new(role)?)),
        None => (rest, None),
    };
    let schedule = schedule.strip_prefix(':').map(Name::new).transpose()?;
    Ok(OnCall { schedule, role })
}

/// Reads a list of targets of at least `least` entries.
pub(super) fn targets(field: &str, texts: &[String], least: usize, problems: &mut Problems) -> Vec<Target> {
    if texts.len() < least {
        problems.add(field, "names nobody; write at least one target, such as \"on_call\"");
    }
    if texts.len() > MAX_TARGETS {
        problems.add(field, format_args!("has {} entries; at most {MAX_TARGETS} are allowed", texts.len()));
    }
    let read = texts.iter().enumerate();
    read.filter_map(|(index, text)| problems.take(format!("{field}[{index}]"), target(text))).collect()
}

/// Notes targets that name people, schedules or roles that do not exist.
pub(super) fn check_targets(
    field: &str,
    targets: &[Target],
    definitions: &Definitions,
    problems: &mut Problems,
) {
    for (index, target) in targets.iter().enumerate() {
        let field = format!("{field}[{index}]");
        match target {
            Target::Person(name) if !definitions.directory().people.contains_key(name) => {
                let known = definitions.names(Kind::Person);
                problems.unknown(field, Kind::Person, name.as_str(), known);
            }
            Target::Team(name) if !definitions.directory().teams.contains_key(name) => {
                problems.unknown(field, Kind::Team, name.as_str(), definitions.names(Kind::Team));
            }
            Target::RoundRobinOf(names) => {
                for name in names.iter().filter(|name| !definitions.directory().people.contains_key(*name)) {
                    problems.unknown(&field, Kind::Person, name.as_str(), definitions.names(Kind::Person));
                }
            }
            Target::OnCall(OnCall { schedule: Some(name), role })
            | Target::NextOnCall(OnCall { schedule: Some(name), role })
            | Target::PreviousOnCall(OnCall { schedule: Some(name), role }) => {
                let Some(schedule) = definitions.directory().schedules.get(name) else {
                    let known = definitions.names(Kind::Schedule);
                    problems.unknown(field, Kind::Schedule, name.as_str(), known);
                    continue;
                };
                let wanted = role.as_ref().map_or(PRIMARY, Name::as_str);
                if !schedule.roles().iter().any(|known| *known.name == *wanted) {
                    let known: Vec<_> =
                        schedule.roles().iter().map(|role| format!("\"{}\"", role.name)).collect();
                    problems.add(
                        field,
                        format_args!(
                            "schedule \"{name}\" has no role \"{wanted}\"; it has {}",
                            known.join(", ")
                        ),
                    );
                }
            }
            _ => {}
        }
    }
}

impl EscalationPlanSpec {
    /// What it means, as far as it can be told from itself.
    ///
    /// # Errors
    ///
    /// Every problem, with its field.
    pub fn shape(&self) -> Result<EscalationPlan, Vec<FieldError>> {
        let mut problems = Problems::default();
        let name = problems.take("name", Name::new(&self.name));
        problems.text("description", &self.description, 0..=1000, Lines::Many);
        if self.steps.is_empty() {
            problems.add("steps", "has no step; write at least one");
        }
        if self.steps.len() > MAX_STEPS {
            problems.add(
                "steps",
                format_args!("has {} steps; at most {MAX_STEPS} are allowed", self.steps.len()),
            );
        }
        if self.repeat > MAX_REPEAT {
            problems.add(
                "repeat",
                format_args!("is {}; at most {MAX_REPEAT} further rounds are allowed", self.repeat),
            );
        }
        let mut steps = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let notify = targets(&format!("steps[{index}].notify"), &step.notify, 1, &mut problems);
            let at = format!("steps[{index}]");
            if notify.iter().filter(|target| matches!(target, Target::Team(_))).count() > 1 {
                problems.add(format!("{at}.notify"), "names two teams; write a step for each");
            }
            let escalate = step.escalate(&at, &mut problems);
            let only = step.only(&at, &mut problems);
            if let Some(escalate) = escalate {
                steps.push(EscalationStep { notify, escalate, only, each: step.each });
            }
        }
        let hold = problems.duration("hold".to_owned(), self.hold.as_deref());
        problems.finish()?;
        // finish() has returned if there is no name.
        let Some(name) = name else { return Err(Vec::new()) };
        Ok(EscalationPlan { name, steps, repeat: self.repeat, hold })
    }
}

impl Spec for EscalationPlanSpec {
    type Resolved = EscalationPlan;

    fn resolve(&self, definitions: &Definitions) -> Result<EscalationPlan, Vec<FieldError>> {
        let plan = self.shape()?;
        let mut problems = Problems::default();
        for (index, step) in plan.steps.iter().enumerate() {
            check_targets(&format!("steps[{index}].notify"), &step.notify, definitions, &mut problems);
            let is_own = |team: &Team| team.escalation_plan.as_ref() == Some(&plan.name);
            if let Some(team) = circle(definitions, &step.notify, is_own) {
                problems.add(
                    format!("steps[{index}].notify"),
                    format_args!("leads back to this plan through team \"{team}\"; leave one of them out"),
                );
            }
            for condition in &step.only {
                if let Condition::During(hours) = condition {
                    check_hours(format!("steps[{index}].during"), Some(hours), definitions, &mut problems);
                }
            }
        }
        problems.finish()?;
        Ok(plan)
    }

    fn name(&self) -> &str {
        &self.name
    }
}
