//! Definitions as people write them: the JSON of the API and of the store.
//!
//! Raw here, resolved in the `escalation` crate: `check` turns the one into the other and reports every
//! problem with its field, never just the first. Only what has passed it is ever stored or acted on.
//!
//! One file a kind; [`mod@file`] reads definitions that are written in files. What is in force at once, with
//! all cross-references, is a [`Definitions`]; `roster` compiles what is asked for who is on call.

mod change;
mod difference;
mod escalation_plan;
mod export;
pub mod file;
mod heartbeat;
pub mod integration;
mod leave;
mod overrides;
mod period;
mod person;
mod roster;
mod rotation;
mod schedule;
mod schema;
mod silence;
mod team;
pub mod time;
mod users;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use escalation::directory::{Directory, Service};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use change::{Changed, DocumentError, Owner, Step, Wanted, What};
pub use difference::{FieldChange, field_changes};
pub use escalation_plan::{EscalationPlanSpec, EscalationStepSpec, target};
pub use export::to_toml;
pub use heartbeat::{Heartbeat, HeartbeatSpec};
pub use integration::{Integration, IntegrationSpec};
pub use leave::{LeaveSpec, StretchSpec};
pub use overrides::{Lies, OverrideSpec, Subject};
pub use period::{PeriodRuleSpec, PeriodSpec, Texts};
pub use person::{NotificationPlanSpec, NotificationPlansSpec, NotificationStepSpec, PersonSpec};
use roster::Parts;
pub use rotation::{EditionSpec, Member, RotationSpec};
pub use schedule::{LayerSpec, PRIMARY, ScheduleSpec};
pub use schema::json_schema;
pub use silence::{MaintenanceSpec, MatchSpec, SilenceSpec};
pub use team::{TeamSpec, UrgencyRuleSpec};

/// The kinds of definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Somebody who can be paged.
    Person,
    /// A set of times.
    Period,
    /// People who take turns.
    Rotation,
    /// Who is on call.
    Schedule,
    /// Whom to page, in order.
    EscalationPlan,
    /// A group of people.
    Team,
    /// A sender of events.
    Integration,
    /// Something whose silence is a problem.
    Heartbeat,
    /// Somebody takes a stretch of time of a schedule.
    Override,
    /// When somebody is never on call.
    Leave,
    /// Alerts that page nobody for a while.
    Silence,
    /// A team or a sender that is quiet for a while, perhaps again and again.
    Maintenance,
}

impl Kind {
    /// Every kind, what is referred to before what refers to it.
    pub const ALL: [Self; 12] = [
        Self::Person,
        Self::Period,
        Self::Rotation,
        Self::Schedule,
        Self::EscalationPlan,
        Self::Team,
        Self::Integration,
        Self::Heartbeat,
        Self::Override,
        Self::Leave,
        Self::Silence,
        Self::Maintenance,
    ];

    /// The word for one of them, in the store and in messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Team => "team",
            Self::EscalationPlan => "escalation-plan",
            Self::Integration => "integration",
            Self::Heartbeat => "heartbeat",
            Self::Period => "period",
            Self::Rotation => "rotation",
            Self::Schedule => "schedule",
            Self::Override => "override",
            Self::Leave => "leave",
            Self::Silence => "silence",
            Self::Maintenance => "maintenance-window",
        }
    }

    /// Whether people make it as they go, rather than write it down once.
    pub const fn is_operation(self) -> bool {
        matches!(self, Self::Override | Self::Leave | Self::Silence | Self::Maintenance)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A problem of one field, for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The path of the field, as `steps[0].after`.
    pub field: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// Collects the problems of a document.
#[derive(Debug, Default)]
pub struct Problems(Vec<FieldError>);

impl Problems {
    /// Adds one.
    pub fn add(&mut self, field: impl Into<String>, message: impl fmt::Display) {
        self.0.push(FieldError { field: field.into(), message: message.to_string() });
    }

    /// Takes the value out of a result, or notes its error.
    pub fn take<T, E: fmt::Display>(&mut self, field: impl Into<String>, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(field, error)).ok()
    }

    /// The problems, if there are any.
    pub fn finish(self) -> Result<(), Vec<FieldError>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }

    /// Checks a text for its length in characters and for control characters.
    pub fn text(&mut self, field: &str, text: &str, range: std::ops::RangeInclusive<usize>, lines: Lines) {
        let length = text.chars().count();
        if length < *range.start() {
            self.add(field, "must not be empty");
        } else if length > *range.end() {
            self.add(field, format_args!("is {length} characters long; at most {} are allowed", range.end()));
        }
        let forbidden = |letter: char| {
            letter.is_control() && !(lines == Lines::Many && matches!(letter, '\n' | '\r' | '\t'))
        };
        if text.chars().any(forbidden) {
            self.add(field, "holds a control character (such as NUL or a line break); leave it out");
        }
    }

    /// Reads a duration such as `5m`.
    pub fn duration(&mut self, field: String, text: Option<&str>) -> Option<SignedDuration> {
        text.and_then(|text| self.take(field, escalation::duration::parse(text)))
    }

    /// Says that a name is not defined, with the nearest one that is.
    pub fn unknown<'a>(
        &mut self,
        field: impl Into<String>,
        kind: Kind,
        name: &str,
        known: impl Iterator<Item = &'a str>,
    ) {
        let hint = nearest(name, known).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        self.add(field, format_args!("there is no {kind} \"{name}\"{hint}"));
    }
}

/// How many lines a text may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// One.
    One,
    /// Any number.
    Many,
}

/// The known word nearest to `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min()
        .map(|(_, candidate)| candidate)
}

/// One definition in force.
#[derive(Clone, Debug)]
pub struct Defined {
    /// The version that it has been since; also its ETag.
    pub version: u64,
    /// Since when it is in force.
    pub valid_from: Timestamp,
    /// As it was written, in the normal form of its kind.
    pub body: Value,
    /// Who keeps it.
    pub owner: Owner,
}

/// Everything that is defined, at one version: as written, and as it is acted on.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    /// The highest version there is.
    pub version: u64,
    entries: BTreeMap<(Kind, String), Arc<Defined>>,
    directory: Directory,
    integrations: BTreeMap<String, Arc<Integration>>,
    heartbeats: BTreeMap<String, Arc<Heartbeat>>,
    parts: Parts,
    is_loading: bool,
}

/// What an edit asks for.
#[derive(Clone, Debug)]
pub enum Write {
    /// This is in force from now on.
    Put {
        /// The kind.
        kind: Kind,
        /// As written.
        body: Value,
    },
    /// This is no more.
    Remove {
        /// The kind.
        kind: Kind,
        /// Which.
        name: String,
    },
}

impl Definitions {
    /// Nothing is defined but what the service falls back on.
    pub fn new(service: Service) -> Self {
        Self { directory: Directory { service, ..Directory::default() }, ..Self::default() }
    }

    /// What a step may know of it.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// An integration, as it is acted on.
    pub fn integration(&self, name: &str) -> Option<&Arc<Integration>> {
        self.integrations.get(name)
    }

    /// A heartbeat, as it is acted on.
    pub fn heartbeat(&self, name: &str) -> Option<&Arc<Heartbeat>> {
        self.heartbeats.get(name)
    }

    /// Every heartbeat, by name.
    pub fn heartbeats(&self) -> impl Iterator<Item = &Arc<Heartbeat>> {
        self.heartbeats.values()
    }

    /// One definition.
    pub fn get(&self, kind: Kind, name: &str) -> Option<&Arc<Defined>> {
        self.entries.get(&(kind, name.to_owned()))
    }

    /// All of a kind, by name, after `after`.
    pub fn list(&self, kind: Kind, after: &str) -> impl Iterator<Item = (&str, &Arc<Defined>)> {
        use std::ops::Bound;
        let from = Bound::Excluded((kind, after.to_owned()));
        self.entries
            .range((from, Bound::Unbounded))
            .take_while(move |((other, _), _)| *other == kind)
            .map(|((_, name), defined)| (name.as_str(), defined))
    }

    /// The names of a kind.
    pub fn names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.list(kind, "").map(|(name, _)| name)
    }

    /// Reads a document of `kind` and checks it against everything else that is defined. Returns its
    /// name and its normal form. `now` is when it is to be in force.
    ///
    /// # Errors
    ///
    /// Every problem, with its field.
    pub fn check(&self, kind: Kind, body: Value, now: Timestamp) -> Result<(String, Value), Vec<FieldError>> {
        match kind {
            Kind::Person => self.check_as::<PersonSpec>(kind, body, now),
            Kind::Period => self.check_as::<PeriodSpec>(kind, body, now),
            Kind::Rotation => self.check_as::<RotationSpec>(kind, body, now),
            Kind::Schedule => self.check_as::<ScheduleSpec>(kind, body, now),
            Kind::EscalationPlan => self.check_as::<EscalationPlanSpec>(kind, body, now),
            Kind::Team => self.check_as::<TeamSpec>(kind, body, now),
            Kind::Integration => self.check_as::<IntegrationSpec>(kind, body, now),
            Kind::Heartbeat => self.check_as::<HeartbeatSpec>(kind, body, now),
            Kind::Override => self.check_as::<OverrideSpec>(kind, body, now),
            Kind::Leave => self.check_as::<LeaveSpec>(kind, body, now),
            Kind::Silence => self.check_as::<SilenceSpec>(kind, body, now),
            Kind::Maintenance => self.check_as::<MaintenanceSpec>(kind, body, now),
        }
    }

    fn check_as<S: Spec>(
        &self,
        kind: Kind,
        body: Value,
        now: Timestamp,
    ) -> Result<(String, Value), Vec<FieldError>> {
        match self.read_as::<S>(kind, body, now) {
            Ok((name, normal)) => {
                self.resolve_as::<S>(normal.clone())?;
                Ok((name, normal))
            }
            Err((mut errors, rest)) => {
                if let Some((normal, cut)) = rest {
                    let more = self.resolve_as::<S>(normal).err().unwrap_or_default();
                    errors.extend(more.iter().filter_map(|error| cut.in_whole(error)));
                }
                Err(errors)
            }
        }
    }

    /// Reads a document of `kind`, as far as it can be understood without what it refers to. Returns its name and
    /// its normal form; or what is wrong with it, and the rest.
    fn read_as_kind(&self, kind: Kind, body: Value, now: Timestamp) -> Result<(String, Value), Unread> {
        match kind {
            Kind::Person => self.read_as::<PersonSpec>(kind, body, now),
            Kind::Period => self.read_as::<PeriodSpec>(kind, body, now),
            Kind::Rotation => self.read_as::<RotationSpec>(kind, body, now),
            Kind::Schedule => self.read_as::<ScheduleSpec>(kind, body, now),
            Kind::EscalationPlan => self.read_as::<EscalationPlanSpec>(kind, body, now),
            Kind::Team => self.read_as::<TeamSpec>(kind, body, now),
            Kind::Integration => self.read_as::<IntegrationSpec>(kind, body, now),
            Kind::Heartbeat => self.read_as::<HeartbeatSpec>(kind, body, now),
            Kind::Override => self.read_as::<OverrideSpec>(kind, body, now),
            Kind::Leave => self.read_as::<LeaveSpec>(kind, body, now),
            Kind::Silence => self.read_as::<SilenceSpec>(kind, body, now),
            Kind::Maintenance => self.read_as::<MaintenanceSpec>(kind, body, now),
        }
    }

    /// Checks a document in its normal form, with all that it refers to.
    fn resolve_as_kind(&self, kind: Kind, body: Value) -> Result<(), Vec<FieldError>> {
        match kind {
            Kind::Person => self.resolve_as::<PersonSpec>(body),
            Kind::Period => self.resolve_as::<PeriodSpec>(body),
            Kind::Rotation => self.resolve_as::<RotationSpec>(body),
            Kind::Schedule => self.resolve_as::<ScheduleSpec>(body),
            Kind::EscalationPlan => self.resolve_as::<EscalationPlanSpec>(body),
            Kind::Team => self.resolve_as::<TeamSpec>(body),
            Kind::Integration => self.resolve_as::<IntegrationSpec>(body),
            Kind::Heartbeat => self.resolve_as::<HeartbeatSpec>(body),
            Kind::Override => self.resolve_as::<OverrideSpec>(body),
            Kind::Leave => self.resolve_as::<LeaveSpec>(body),
            Kind::Silence => self.resolve_as::<SilenceSpec>(body),
            Kind::Maintenance => self.resolve_as::<MaintenanceSpec>(body),
        }
    }

    fn read_as<S: Spec>(&self, kind: Kind, body: Value, now: Timestamp) -> Result<(String, Value), Unread> {
        let normal = |spec: &S| {
            let wrong = |error: serde_json::Error| {
                vec![FieldError { field: String::new(), message: error.to_string() }]
            };
            serde_json::to_value(spec).map_err(wrong)
        };
        match file::read_whole::<S>(kind, body) {
            Ok(spec) => {
                let spec = spec.prepare(self, now).map_err(|errors| (errors, None))?;
                Ok((spec.name().to_owned(), normal(&spec).map_err(|errors| (errors, None))?))
            }
            Err((errors, None)) => Err((errors, None)),
            Err((mut errors, Some((spec, cut)))) => {
                let rest = match spec.prepare(self, now) {
                    Ok(spec) => normal(&spec).ok(),
                    Err(more) => {
                        errors.extend(more.iter().filter_map(|error| cut.in_whole(error)));
                        None
                    }
                };
                Err((errors, rest.map(|normal| (normal, cut))))
            }
        }
    }

    fn resolve_as<S: Spec>(&self, body: Value) -> Result<(), Vec<FieldError>> {
        read_json::<S>(body)?.resolve(self).map(drop)
    }

    /// Puts versions in force that may not be sound: only for looking at what would be.
    fn apply_quietly(&mut self, versions: impl Iterator<Item = (Kind, String, Option<Defined>)>) {
        self.is_loading = true;
        for (kind, name, defined) in versions {
            // What is wrong with it is told by whoever asked.
            let _ = self.set(kind, &name, defined);
        }
        self.is_loading = false;
        self.compile_all();
    }

    /// Puts many versions in force at once: cheaper than one after the other.
    pub fn apply_all(&mut self, many: impl IntoIterator<Item = (Kind, String, Defined)>) {
        self.apply_history(many.into_iter().map(|(kind, name, defined)| (kind, name, Some(defined))));
    }

    /// Puts versions in force of which the later ones replace the earlier ones; nothing: it is no more.
    pub fn apply_history(&mut self, versions: impl IntoIterator<Item = (Kind, String, Option<Defined>)>) {
        self.is_loading = true;
        for (kind, name, defined) in versions {
            self.apply(kind, &name, defined);
        }
        self.is_loading = false;
        self.compile_all();
    }

    /// Puts a version in force. The body has passed [`Self::check`], now or before it was stored; one
    /// that does not read any more is left out and said in the log, so that the others stay in force.
    pub fn apply(&mut self, kind: Kind, name: &str, defined: Option<Defined>) {
        if let Err(errors) = self.set(kind, name, defined) {
            tracing::error!(%kind, name, ?errors, "a stored definition can't be read");
        }
    }

    fn set(&mut self, kind: Kind, name: &str, defined: Option<Defined>) -> Result<(), Vec<FieldError>> {
        let mut wrong = Vec::new();
        let key = (kind, name.to_owned());
        self.directory.remove(kind, name);
        match kind {
            Kind::Integration => drop(self.integrations.remove(name)),
            Kind::Heartbeat => drop(self.heartbeats.remove(name)),
            _ => {}
        }
        let body = defined.as_ref().map(|defined| defined.body.clone());
        match defined {
            Some(defined) => {
                self.version = self.version.max(defined.version);
                wrong.extend(
                    self.resolve_into_directory(kind, defined.body.clone()).err().into_iter().flatten(),
                );
                self.entries.insert(key, Arc::new(defined));
            }
            None => {
                self.entries.remove(&key);
            }
        }
        wrong.extend(self.set_part(kind, name, body).err().into_iter().flatten());
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    fn resolve_into_directory(&mut self, kind: Kind, body: Value) -> Result<(), Vec<FieldError>> {
        match kind {
            Kind::Person => {
                let person = read_json::<PersonSpec>(body)?.shape()?;
                self.directory.people.insert(person.name.clone(), Arc::new(person));
            }
            Kind::Team => {
                let team = read_json::<TeamSpec>(body)?.shape()?;
                self.directory.teams.insert(team.name.clone(), Arc::new(team));
            }
            Kind::EscalationPlan => {
                let plan = read_json::<EscalationPlanSpec>(body)?.shape()?;
                self.directory.plans.insert(plan.name.clone(), Arc::new(plan));
            }
            Kind::Integration => {
                let integration = read_json::<IntegrationSpec>(body)?.shape()?;
                self.integrations.insert(integration.name.to_string(), Arc::new(integration));
            }
            Kind::Heartbeat => {
                let heartbeat = read_json::<HeartbeatSpec>(body)?.shape()?;
                self.heartbeats.insert(heartbeat.name.to_string(), Arc::new(heartbeat));
            }
            _ => {}
        }
        Ok(())
    }
}

/// What is wrong with the shape of a document, and what is left of it: its normal form, and what was taken out.
type Unread = (Vec<FieldError>, Option<(Value, file::Cut)>);

/// A kind of document: raw, with the way to its resolved form.
trait Spec: Sized + Serialize + serde::de::DeserializeOwned {
    /// What it means.
    type Resolved;

    /// Fills in what Dogwatch keeps beside what people write.
    fn prepare(self, _definitions: &Definitions, _now: Timestamp) -> Result<Self, Vec<FieldError>> {
        Ok(self)
    }

    /// Checks it and everything that it refers to.
    fn resolve(&self, definitions: &Definitions) -> Result<Self::Resolved, Vec<FieldError>>;

    /// Its name.
    fn name(&self) -> &str;
}

/// Notes people who do not exist, each with the field that names them.
fn people_exist<'a>(
    named: impl Iterator<Item = (String, &'a str)>,
    definitions: &Definitions,
    problems: &mut Problems,
) {
    for (field, name) in named {
        if !definitions.directory.people.contains_key(name) {
            problems.unknown(field, Kind::Person, name, definitions.names(Kind::Person));
        }
    }
}

/// Reads a document whose shape may be wrong: the field at fault is named.
///
/// # Errors
///
/// One problem: reading stops at the first wrong type or unknown field.
pub fn read_json<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Vec<FieldError>> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        vec![FieldError { field: if path == "." { String::new() } else { path }, message }]
    })
}

/// Removes from a directory what a newer version replaces.
trait Forget {
    fn remove(&mut self, kind: Kind, name: &str);
}

impl Forget for Directory {
    fn remove(&mut self, kind: Kind, name: &str) {
        match kind {
            Kind::Person => drop(self.people.remove(name)),
            Kind::Team => drop(self.teams.remove(name)),
            Kind::EscalationPlan => drop(self.plans.remove(name)),
            _ => {}
        }
    }
}
