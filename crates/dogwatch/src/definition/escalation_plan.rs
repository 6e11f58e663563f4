//! An escalation plan, and the targets that plans and last resorts name.

use std::str::FromStr;

use escalation::contact::{Contact, Kind as ContactKind};
use escalation::name::{BadName, Name};
use escalation::plan::{
    Escalate, EscalationPlan, EscalationStep, MAX_REPEAT, MAX_STEPS, MAX_TARGETS, OnCall, Target,
};
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
}

/// One step of an escalation plan.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalationStepSpec {
    /// Whom to page, all at the same time: `on_call`, `next_on_call`, `previous_on_call` (each also of another
    /// schedule or role: `on_call:SCHEDULE`, `on_call/ROLE`, `on_call:SCHEDULE/ROLE`), `round_robin`,
    /// `all_members`, `person:NAME`, `webhook:URL`, `email:ADDRESS`.
    #[schema(min_items = 1, max_items = 20, example = json!(["on_call"]))]
    pub notify: Vec<String>,
    /// How long after this step the next one fires if nobody has answered: `1s` to `7d`.
    #[schema(example = "10m")]
    pub after: String,
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
    if let Some(name) = text.strip_prefix("person:") {
        return Name::new(name)
            .map(Target::Person)
            .map_err(|wrong| format!("write \"person:\" and a name: {wrong}"));
    }
    let forms = "\"on_call\", \"next_on_call\", \"previous_on_call\", \"round_robin\", \"all_members\", \
                 \"person:NAME\", \"webhook:URL\" or \"email:ADDRESS\"";
    match Contact::from_str(text) {
        Ok(contact) if contact.kind() == ContactKind::Handset => {
            Err("a handset belongs to a person: write \"person:NAME\"".to_owned())
        }
        Ok(contact) => Ok(Target::Role(contact)),
        Err(wrong) if text.starts_with("webhook:") || text.starts_with("email:") => Err(wrong.to_string()),
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
            if let Some(after) = problems.duration(format!("steps[{index}].after"), Some(&step.after)) {
                steps.push(EscalationStep { notify, escalate: Escalate::After(after) });
            }
        }
        problems.finish()?;
        // finish() has returned if there is no name.
        let Some(name) = name else { return Err(Vec::new()) };
        Ok(EscalationPlan { name, steps, repeat: self.repeat })
    }
}

impl Spec for EscalationPlanSpec {
    type Resolved = EscalationPlan;

    fn resolve(&self, definitions: &Definitions) -> Result<EscalationPlan, Vec<FieldError>> {
        let plan = self.shape()?;
        let mut problems = Problems::default();
        for (index, step) in plan.steps.iter().enumerate() {
            check_targets(&format!("steps[{index}].notify"), &step.notify, definitions, &mut problems);
        }
        problems.finish()?;
        Ok(plan)
    }

    fn name(&self) -> &str {
        &self.name
    }
}
