//! A rotation: people who take turns.
//!
//! What people write is the agreement of today; what is stored besides is every agreement before it, as
//! *editions*, so that an edit never reshuffles what is behind it. Whose turn it is, is known to
//! [`rota::rotation`] only.
//!
//! Read next: [`shift`], which reads lengths and handoffs.

mod shift;

use std::sync::Arc;

use escalation::name::Name;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use rota::rotation::{Change, Edition, Length, People, Rotation};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time::{parse_instant, print_instant};
use super::{Definitions, FieldError, Kind, Lines, Problems, people_exist};
use shift::{Handoff, parse_civil, parse_length, print_length};

/// Editions that are kept; the oldest go first. What was in force earlier is still known from the versions.
const MAX_EDITIONS: usize = 50;

/// People who take turns, and hand over at a time that a clock on the wall shows.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotationSpec {
    /// The identity, never renamed: 1–64 of `a-z0-9._-`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9._-]+$", example = "ops-weekly")]
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 1000)]
    pub description: String,
    /// The zone whose clocks tell the handoff: an IANA name.
    #[serde(default = "super::person::utc")]
    #[schema(max_length = 64, example = "Europe/Berlin")]
    pub zone: String,
    /// Who takes turns, in order: people, or lists of people who take a turn together.
    #[schema(min_items = 1, max_items = 500, example = json!(["john", "bob"]))]
    pub members: Vec<Member>,
    /// How long a turn is, in units of the clock and the calendar: `12 hours`, `1 day`, `1 week`, `2 weeks`,
    /// `1 month`, or a cycle of days such as `4, 3 days`.
    #[serde(default = "weekly")]
    #[schema(max_length = 200, example = "1 week")]
    pub every: String,
    /// When turns change: `08:00`, `monday 08:00`, `monday, thursday 08:00`, `day 1 08:00`, `last day 08:00`.
    /// Default: midnight; of turns of weeks on Monday, of months on the 1st.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, example = "monday 08:00")]
    pub handoff: Option<String>,
    /// A day on which the first of `members` begins a turn, or the time, as the clocks of the zone show it.
    /// Before the first start of a rotation nobody is on duty. Default: the last handoff before now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40, example = "2026-01-05")]
    pub start: Option<String>,
    /// Of an edit: when it begins to hold. Default: with the next handoff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40, example = "2026-12-01T08:00:00Z")]
    pub from: Option<String>,
    /// What was agreed until now, kept by Dogwatch: the last one says what the fields above say. May be left
    /// out; given for a new rotation it is taken over, so that what was exported goes on as it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub editions: Vec<EditionSpec>,
}

/// One entry of the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Member {
    /// A person.
    One(String),
    /// People who are on duty together.
    Several(Vec<String>),
}

/// What holds of a rotation from one edit to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditionSpec {
    /// From when on it holds.
    #[schema(example = "2026-01-05T07:00:00Z")]
    pub from: String,
    /// The handoff from which turns are counted, as the clocks of the zone show it.
    #[schema(example = "2026-01-05T08:00:00")]
    pub start: String,
    /// How long a turn is.
    #[schema(example = "7 days")]
    pub every: String,
    /// Who takes turns.
    pub members: Vec<Member>,
    /// Which member, from 0, has the turn that begins with `start`.
    #[serde(default)]
    pub first: usize,
}

fn weekly() -> String {
    "1 week".to_owned()
}

impl Member {
    fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }

    fn people(&self) -> People {
        self.names().iter().map(|name| Arc::from(name.as_str())).collect()
    }

    fn of(people: &People) -> Self {
        match &**people {
            [one] => Self::One(one.to_string()),
            several => Self::Several(several.iter().map(ToString::to_string).collect()),
        }
    }
}

impl EditionSpec {
    fn of(edition: &Edition) -> Self {
        Self {
            from: print_instant(edition.from),
            start: edition.start.to_string(),
            every: print_length(&edition.length),
            members: edition.members.iter().map(Member::of).collect(),
            first: edition.first,
        }
    }

    fn read(&self, at: &str, problems: &mut Problems) -> Option<Edition> {
        let from = problems.take(format!("{at}.from"), parse_instant(&self.from));
        let start = problems.take(format!("{at}.start"), parse_civil(&self.start));
        let length = problems.take(format!("{at}.every"), parse_length(&self.every));
        Some(Edition {
            from: from?,
            start: start?,
            length: length?,
            members: self.members.iter().map(Member::people).collect(),
            first: self.first,
        })
    }
}

/// What the written fields come to, without what was before.
struct Written {
    zone: TimeZone,
    length: Length,
    handoff: Handoff,
    members: Vec<People>,
    start: Option<DateTime>,
    from: Option<Timestamp>,
}

impl RotationSpec {
    /// Everybody who is named, with the field.
    pub(super) fn people(&self) -> impl Iterator<Item = (String, &str)> {
        let editions = self.editions.iter().flat_map(|edition| &edition.members);
        let named =
            self.members.iter().enumerate().map(|(index, member)| (format!("members[{index}]"), member));
        let named = named.chain(editions.map(|member| ("editions".to_owned(), member)));
        named
            .flat_map(|(field, member)| member.names().iter().map(move |name| (field.clone(), name.as_str())))
    }

    /// Whether somebody is to have turns.
    pub(super) fn takes_turns(&self, person: &str) -> bool {
        self.members.iter().any(|member| member.names().iter().any(|name| name == person))
    }

    fn read(&self, problems: &mut Problems) -> Option<Written> {
        problems.take("name", Name::new(&self.name));
        problems.text("description", &self.description, 0..=1000, Lines::Many);
        for (field, name) in self.people() {
            problems.take(field, Name::new(name));
        }
        let zone = problems.take("zone", rota::zone::find(&self.zone));
        let length = problems.take("every", parse_length(&self.every));
        let handoff = match (&self.handoff, &length) {
            (Some(text), Some(length)) => problems.take("handoff", Handoff::parse(text, length)),
            _ => Some(Handoff::default()),
        };
        let start = self.start.as_ref().map(|text| problems.take("start", parse_civil(text)));
        let from = self.from.as_ref().map(|text| problems.take("from", parse_instant(text)));
        let (length, handoff) = (length?, handoff?);
        let length = handoff.length(length);
        let start = match start {
            Some(start) => Some(problems.take("start", handoff.check(start?))?),
            None => None,
        };
        Some(Written {
            zone: zone?,
            length,
            handoff,
            members: self.members.iter().map(Member::people).collect(),
            start,
            from: from.flatten(),
        })
    }

    /// What it means, given its editions.
    ///
    /// # Errors
    ///
    /// Every problem, with its field.
    pub(super) fn shape(&self) -> Result<Rotation, Vec<FieldError>> {
        let mut problems = Problems::default();
        let written = self.read(&mut problems);
        let read = |(index, edition): (usize, &EditionSpec)| {
            edition.read(&format!("editions[{index}]"), &mut problems)
        };
        let editions: Vec<Edition> = self.editions.iter().enumerate().filter_map(read).collect();
        problems.finish()?;
        // finish() has returned if it can't be read.
        let Some(written) = written else { return Err(Vec::new()) };
        let field = if self.editions.is_empty() { "members" } else { "editions" };
        Rotation::new(written.zone, editions).map_err(|error| wrong(field, &error))
    }

    /// The same, with its editions: those that were given, or those of the rotation that it replaces and one
    /// more where it changes what was agreed.
    ///
    /// # Errors
    ///
    /// Every problem, with its field.
    pub(super) fn continued(
        mut self,
        before: Option<&Self>,
        now: Timestamp,
    ) -> Result<Self, Vec<FieldError>> {
        let mut problems = Problems::default();
        let written = self.read(&mut problems);
        if self.members.is_empty() {
            problems.add("members", "names nobody; write at least one person");
        }
        problems.finish()?;
        let Some(written) = written else { return Err(Vec::new()) };
        if !self.editions.is_empty() && before.is_none_or(|before| before.editions != self.editions) {
            self.editions.truncate(MAX_EDITIONS);
            return self.shape().map(|_| self);
        }
        let rotation = match before {
            Some(before) if before.agreement() == self.agreement() => {
                self.editions.clone_from(&before.editions);
                return Ok(self);
            }
            Some(before) if before.zone == self.zone && before.start_is(&self) => {
                let current = before.shape()?;
                let start = written.handoff.anchor(written.start(now)?, &written.length);
                let change =
                    Change { start, length: written.length, members: written.members, from: written.from };
                let field = if self.from.is_some() { "from" } else { "members" };
                current.edited(now, change).map_err(|error| wrong(field, &error))?
            }
            _ => written.begun(now)?,
        };
        let kept = rotation.editions().len().saturating_sub(MAX_EDITIONS);
        self.editions = rotation.editions()[kept..].iter().map(EditionSpec::of).collect();
        Ok(self)
    }

    /// What an edition holds, as it is written.
    fn agreement(&self) -> impl PartialEq + '_ {
        (&self.zone, &self.members, &self.every, &self.handoff, &self.start, &self.from)
    }

    /// Whether `newer` leaves the start alone: a start that is written anew begins the count again.
    fn start_is(&self, newer: &Self) -> bool {
        newer.start.is_none() || newer.start == self.start
    }
}

impl Written {
    /// A handoff: the start as it is written, or the last one that is not after `now`.
    fn start(&self, now: Timestamp) -> Result<DateTime, Vec<FieldError>> {
        let last = || self.handoff.last(&Zoned::new(now, self.zone.clone()), &self.length);
        self.start.map_or_else(last, Ok).map_err(|error| wrong("start", &error))
    }

    /// A rotation that begins: the first member has the turn that begins with the start.
    fn begun(self, now: Timestamp) -> Result<Rotation, Vec<FieldError>> {
        let start = self.start(now)?;
        let zoned = self.zone.to_ambiguous_zoned(start).compatible();
        let at = zoned.map_err(|error| wrong("start", &error))?.timestamp();
        let members = self.members.len().max(1) as i64;
        let mut edition = Edition {
            from: self.from.unwrap_or(at),
            start: self.handoff.anchor(start, &self.length),
            length: self.length,
            members: self.members,
            first: 0,
        };
        let rotation = |edition: &Edition, from: Timestamp| {
            let edition = Edition { from, ..edition.clone() };
            Rotation::new(self.zone.clone(), vec![edition]).map_err(|error| wrong("members", &error))
        };
        let number = rotation(&edition, at)?.turn(at).map_or(0, |turn| turn.number);
        edition.first = usize::try_from((-number).rem_euclid(members)).unwrap_or(0);
        rotation(&edition, edition.from)
    }
}

fn wrong(field: &str, error: &impl std::fmt::Display) -> Vec<FieldError> {
    vec![FieldError { field: field.to_owned(), message: error.to_string() }]
}

impl super::Spec for RotationSpec {
    type Resolved = Rotation;

    fn prepare(self, definitions: &Definitions, now: Timestamp) -> Result<Self, Vec<FieldError>> {
        let before = definitions.get(Kind::Rotation, &self.name);
        let before = before.map(|defined| super::read_json::<Self>(defined.body.clone())).transpose()?;
        self.continued(before.as_ref(), now)
    }

    fn resolve(&self, definitions: &Definitions) -> Result<Rotation, Vec<FieldError>> {
        let rotation = self.shape()?;
        let mut problems = Problems::default();
        // Of those who had turns once some may be gone: only who is to have one must be there.
        let named = self.people().filter(|(field, _)| field != "editions");
        people_exist(named, definitions, &mut problems);
        problems.finish()?;
        Ok(rotation)
    }

    fn name(&self) -> &str {
        &self.name
    }
}
