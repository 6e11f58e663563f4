//! A schedule: layers of rotations and people, and who is on call by them.
//!
//! Written here, decided in [`rota::schedule`].

use std::sync::Arc;

use escalation::name::Name;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use rota::period::ZonedPeriod;
use rota::schedule::{Layer, Role, Schedule, Who};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::calendar;

use super::{Definitions, FieldError, Kind, Lines, Problems, Spec, people_exist};

/// The role that is meant where none is named.
pub const PRIMARY: &str = "primary";
/// The most layers of a schedule.
const MAX_LAYERS: usize = 50;
/// The most reminders before a shift.
const MAX_REMINDERS: usize = 5;
/// The longest time before a shift at which somebody may be reminded.
const MAX_LEAD: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Who is on call: layers from the bottom up, the topmost that has somebody wins. Overrides lie over all.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSpec {
    /// The identity, never renamed: 1–64 of `a-z0-9._-`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9._-]+$", example = "ops")]
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 1000)]
    pub description: String,
    /// The zone in which the periods of its layers are meant, and nights and weekends are counted.
    #[serde(default = "super::person::utc")]
    #[schema(max_length = 64, example = "Europe/Berlin")]
    pub zone: String,
    /// From the bottom up.
    #[schema(min_items = 1, max_items = 50)]
    pub layers: Vec<LayerSpec>,
    /// The period of holidays, counted apart when the load is balanced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "holidays")]
    pub holidays: Option<String>,
    /// How long before a shift its people are reminded; `0s` is when it begins. An empty list: never.
    #[serde(default = "at_the_beginning")]
    #[schema(max_items = 5, example = json!(["24h", "0s"]))]
    pub remind: Vec<String>,
}

/// One source of people, and when it counts. Exactly one of `rotation`, `people` and `calendar` is given.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LayerSpec {
    /// What people call it. Default: whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "weekends")]
    pub name: Option<String>,
    /// What it is on call for, such as `primary` or `secondary`.
    #[serde(default = "primary", skip_serializing_if = "is_primary")]
    #[schema(max_length = 64, example = "primary")]
    pub role: String,
    /// A rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "ops-weekly")]
    pub rotation: Option<String>,
    /// People, always the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50, example = json!(["john"]))]
    pub people: Vec<String>,
    /// The text of an iCalendar file (RFC 5545). An event's people are those whose name or full name is in its
    /// summary, else those who are invited by one of their email addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 400_000)]
    pub calendar: Option<String>,
    /// Of a rotation: not whose turn it is, but whose turn comes so many turns later. A secondary that is the
    /// next primary has 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schema(maximum = 500)]
    pub ahead: u16,
    /// The period during which it counts. Default: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "weekdays")]
    pub period: Option<String>,
    /// Its people are only told, not asked to answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shadow: bool,
}

fn primary() -> String {
    PRIMARY.to_owned()
}

fn at_the_beginning() -> Vec<String> {
    vec!["0s".to_owned()]
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u16) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

fn is_primary(role: &str) -> bool {
    role == PRIMARY
}

impl LayerSpec {
    fn shown(&self) -> String {
        let whose = || match (&self.rotation, &self.calendar) {
            (Some(rotation), _) => rotation.clone(),
            (None, Some(_)) => "calendar".to_owned(),
            (None, None) => self.people.join(", "),
        };
        let limit = self.period.as_ref().map(|period| format!(", {period}")).unwrap_or_default();
        self.name.clone().unwrap_or_else(|| format!("{}{limit}", whose()))
    }
}

impl ScheduleSpec {
    /// The rotations that its layers name.
    pub(super) fn rotations(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().filter_map(|layer| layer.rotation.as_deref())
    }

    /// The periods that its layers and its balance name.
    pub(super) fn periods(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().filter_map(|layer| layer.period.as_deref()).chain(self.holidays.as_deref())
    }

    /// The people that its layers name, with the field.
    pub(super) fn people(&self) -> impl Iterator<Item = (String, &str)> {
        self.layers.iter().enumerate().flat_map(|(place, layer)| {
            let field = move |index| format!("layers[{place}].people[{index}]");
            layer.people.iter().enumerate().map(move |(index, name)| (field(index), name.as_str()))
        })
    }

    /// Whether a layer finds its people in the words of a calendar.
    pub(super) fn has_calendar(&self) -> bool {
        self.layers.iter().any(|layer| layer.calendar.is_some())
    }

    /// How long before a shift its people are reminded.
    pub fn leads(&self) -> Vec<SignedDuration> {
        self.remind.iter().filter_map(|text| lead(text).ok()).collect()
    }

    /// What it means by itself, with what its names stand for.
    ///
    /// # Errors
    ///
    /// Every problem, with its field.
    pub(super) fn shape(&self, definitions: &Definitions) -> Result<Schedule, Vec<FieldError>> {
        let mut problems = Problems::default();
        problems.take("name", Name::new(&self.name));
        problems.text("description", &self.description, 0..=1000, Lines::Many);
        let zone = problems.take("zone", rota::zone::find(&self.zone));
        if self.layers.is_empty() {
            problems.add("layers", "has no layer; write at least one, with a rotation or people");
        }
        if self.layers.len() > MAX_LAYERS {
            problems.add(
                "layers",
                format_args!("has {} entries; at most {MAX_LAYERS} are allowed", self.layers.len()),
            );
        }
        if self.remind.len() > MAX_REMINDERS {
            problems.add(
                "remind",
                format_args!("has {} entries; at most {MAX_REMINDERS} are allowed", self.remind.len()),
            );
        }
        for (index, text) in self.remind.iter().enumerate() {
            problems.take(format!("remind[{index}]"), lead(text));
        }
        let Some(zone) = zone else { return problems.finish().and(Err(Vec::new())) };
        let mut period = |field: String, name: &str| -> Option<ZonedPeriod> {
            let found = definitions.period(name).map(|period| period.in_zone(zone.clone()));
            if found.is_none() {
                problems.unknown(field, Kind::Period, name, definitions.names(Kind::Period));
            }
            found
        };
        let holidays = self.holidays.as_ref().map(|name| period("holidays".to_owned(), name));
        let limits: Vec<Option<ZonedPeriod>> = self
            .layers
            .iter()
            .enumerate()
            .map(|(index, layer)| {
                layer.period.as_ref().and_then(|name| period(format!("layers[{index}].period"), name))
            })
            .collect();
        let mut roles: Vec<Role> = Vec::new();
        for ((index, layer), within) in self.layers.iter().enumerate().zip(limits) {
            let field = |name: &str| format!("layers[{index}].{name}");
            problems.take(field("role"), Name::new(&layer.role));
            if let Some(name) = &layer.name {
                problems.text(&field("name"), name, 1..=64, Lines::One);
            }
            let Some(who) = layer.who(index, &zone, definitions, &mut problems) else { continue };
            let made =
                Layer { name: layer.shown().into(), who, ahead: layer.ahead, within, shadow: layer.shadow };
            match roles.iter_mut().find(|role| *role.name == *layer.role) {
                Some(role) => role.layers.push(made),
                None => roles.push(Role { name: layer.role.as_str().into(), layers: vec![made] }),
            }
        }
        problems.finish()?;
        let schedule = Schedule::new(zone, roles);
        Ok(match holidays.flatten() {
            Some(holidays) => schedule.with_holidays(holidays),
            None => schedule,
        })
    }
}

impl LayerSpec {
    fn who(
        &self,
        index: usize,
        zone: &TimeZone,
        definitions: &Definitions,
        problems: &mut Problems,
    ) -> Option<Who> {
        let field = |name: &str| format!("layers[{index}].{name}");
        let sources = [self.rotation.is_some(), !self.people.is_empty(), self.calendar.is_some()];
        match sources.iter().filter(|given| **given).count() {
            0 => {
                problems.add(field("rotation"), "is missing; write a rotation, people or a calendar");
                return None;
            }
            1 => {}
            _ => {
                let last = if self.calendar.is_some() { "calendar" } else { "people" };
                problems.add(field(last), "is one too many: a layer has a rotation, people or a calendar");
                return None;
            }
        }
        if self.ahead > 0 && self.rotation.is_none() {
            problems.add(field("ahead"), "goes with a rotation: other layers have no turns");
        }
        if let Some(name) = &self.rotation {
            let found = definitions.rotation(name);
            if found.is_none() {
                problems.unknown(field("rotation"), Kind::Rotation, name, definitions.names(Kind::Rotation));
            }
            return found.cloned().map(Who::Rotation);
        }
        let Some(text) = &self.calendar else {
            let people: Vec<Arc<str>> = self.people.iter().map(|name| Arc::from(name.as_str())).collect();
            return Some(Who::People(people.into()));
        };
        let known = definitions.known_people();
        match calendar::read(text, zone, |mention| calendar::whose(mention, &known)) {
            Ok((calendar, _)) => Some(Who::Calendar(calendar)),
            Err(wrong) => {
                wrong.iter().for_each(|problem| problems.add(field("calendar"), problem));
                None
            }
        }
    }
}

fn lead(text: &str) -> Result<SignedDuration, String> {
    if text == "0s" || text == "0m" {
        return Ok(SignedDuration::ZERO);
    }
    let lead = escalation::duration::parse(text).map_err(|error| error.to_string())?;
    if lead > MAX_LEAD {
        return Err(format!("\"{text}\" is too long before a shift; write at most \"14d\""));
    }
    Ok(lead)
}

impl Spec for ScheduleSpec {
    type Resolved = Schedule;

    fn resolve(&self, definitions: &Definitions) -> Result<Schedule, Vec<FieldError>> {
        let schedule = self.shape(definitions)?;
        let mut problems = Problems::default();
        people_exist(self.people(), definitions, &mut problems);
        problems.finish()?;
        Ok(schedule)
    }

    fn name(&self) -> &str {
        &self.name
    }
}
