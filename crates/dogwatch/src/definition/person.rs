//! A person, and that person's notification plans.

use escalation::contact::Contact;
use escalation::name::Name;
use escalation::person::{
    MAX_CONTACTS, MAX_STEPS, MIN_LAST_EVERY, NotificationPlan, NotificationStep, Person,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::escalation_plan::{check_hours, hours};
use super::{Definitions, FieldError, Kind, Lines, Problems, Spec};

/// The longest address of a calendar, in bytes.
const MAX_ADDRESS: usize = 2048;

/// Somebody who can be paged.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonSpec {
    /// The identity, never renamed: 1–64 of `a-z0-9._-`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9._-]+$", example = "john")]
    pub name: String,
    /// The name that people read. Without one the identity is shown.
    #[serde(default)]
    #[schema(max_length = 200, example = "John Smith")]
    pub full_name: String,
    /// The IANA time zone in which this person reads times.
    #[serde(default = "utc")]
    #[schema(max_length = 64, example = "Europe/Berlin")]
    pub zone: String,
    /// The language that this person is spoken to in, as a BCP 47 tag.
    #[serde(default = "english")]
    #[schema(max_length = 35, example = "en")]
    pub language: String,
    /// Every way to reach this person, best first: `handset:NAME`, `webhook:URL`, `email:ADDRESS`, `sms:+49…`,
    /// `phone:+49…`.
    #[serde(default)]
    #[schema(max_items = 20, example = json!(["handset:john", "email:john@example.org"]))]
    pub contacts: Vec<String>,
    /// The `https` address of an iCalendar file: whenever an event in it takes place that is not marked as free,
    /// this person is on leave. Read every quarter of an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2048, example = "https://calendar.example.org/john/leave.ics")]
    pub leave_calendar: Option<String>,
    /// How this person wants to be reached. Without a plan: every contact in order, 5 m each.
    #[serde(default)]
    pub notification_plans: NotificationPlansSpec,
}

/// A person's plans, one for each urgency.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotificationPlansSpec {
    /// When somebody has to be woken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<NotificationPlanSpec>,
    /// When it may wait for the day. Without it the high one applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<NotificationPlanSpec>,
}

/// Ordered steps: which contact, how long to wait, how often to repeat.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotificationPlanSpec {
    /// In order.
    #[schema(min_items = 1, max_items = 20)]
    pub steps: Vec<NotificationStepSpec>,
}

/// One step of a notification plan.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotificationStepSpec {
    /// One of the person's contacts.
    #[schema(max_length = 512, example = "handset:john")]
    pub contact: String,
    /// How long to wait for an answer before the next step: `1s` to `7d`. Default: `every`, else `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "5m")]
    pub wait: Option<String>,
    /// How often to try this contact again within the wait; in the last step until somebody answers, and
    /// then at least `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "10m")]
    pub every: Option<String>,
    /// A period: only pages that begin then take this step. When no step counts, a page of low urgency waits for
    /// the first that does; one of high urgency takes all steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, example = "nights")]
    pub during: Option<String>,
    /// The IANA zone of `during`; without one the person's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "Europe/Berlin")]
    pub during_zone: Option<String>,
}

pub(super) fn utc() -> String {
    "UTC".to_owned()
}

fn english() -> String {
    "en".to_owned()
}

impl PersonSpec {
    /// What it means, as far as it can be told from itself.
    ///
    /// # Errors
    ///
    /// Every problem, with its field.
    pub fn shape(&self) -> Result<Person, Vec<FieldError>> {
        let mut problems = Problems::default();
        let name = problems.take("name", Name::new(&self.name));
        problems.text("full_name", &self.full_name, 0..=200, Lines::One);
        problems.take("zone", rota::zone::find(&self.zone));
        let is_tag = |tag: &str| {
            (1..=35).contains(&tag.len())
                && tag.split('-').all(|part| {
                    (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
                })
        };
        if !is_tag(&self.language) {
            problems.add("language", "is no language tag: write one such as \"en\", \"de\" or \"pt-BR\"");
        }
        if let Some(address) = &self.leave_calendar {
            let is_web = url::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if !is_web || address.len() > MAX_ADDRESS {
                problems.add(
                    "leave_calendar",
                    "is no address of a calendar; write one that begins with https://",
                );
            }
        }
        if self.contacts.len() > MAX_CONTACTS {
            problems.add(
                "contacts",
                format_args!("has {} entries; at most {MAX_CONTACTS} are allowed", self.contacts.len()),
            );
        }
        let mut contacts: Vec<Contact> = Vec::new();
        for (index, text) in self.contacts.iter().enumerate() {
            let field = format!("contacts[{index}]");
            if let Some(contact) = problems.take(&field, text.parse::<Contact>()) {
                if contacts.contains(&contact) {
                    problems.add(field, "is there twice");
                } else {
                    contacts.push(contact);
                }
            }
        }
        let mut plan = |urgency: &str, spec: Option<&NotificationPlanSpec>| {
            spec.map(|spec| {
                spec.shape(&contacts, &self.name, &format!("notification_plans.{urgency}."), &mut problems)
            })
        };
        let high = plan("high", self.notification_plans.high.as_ref());
        let low = plan("low", self.notification_plans.low.as_ref());
        problems.finish()?;
        // finish() has returned if there is no name.
        let Some(name) = name else { return Err(Vec::new()) };
        Ok(Person {
            name,
            full_name: self.full_name.clone(),
            zone: self.zone.clone(),
            language: self.language.clone(),
            contacts,
            high,
            low,
        })
    }
}

impl NotificationPlanSpec {
    /// What it means; problems are noted with `prefix` before their field.
    fn shape(
        &self,
        contacts: &[Contact],
        person: &str,
        prefix: &str,
        problems: &mut Problems,
    ) -> NotificationPlan {
        if self.steps.is_empty() {
            problems.add(format!("{prefix}steps"), "has no step; write at least one, or leave the plan out");
        }
        if self.steps.len() > MAX_STEPS {
            problems.add(
                format!("{prefix}steps"),
                format_args!("has {} steps; at most {MAX_STEPS} are allowed", self.steps.len()),
            );
        }
        let mut steps = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let field = |name: &str| format!("{prefix}steps[{index}].{name}");
            let wait = problems.duration(field("wait"), step.wait.as_deref());
            let every = problems.duration(field("every"), step.every.as_deref());
            let is_last = index + 1 == self.steps.len();
            if is_last && every.is_some_and(|every| every < MIN_LAST_EVERY) {
                problems.add(
                    field("every"),
                    "the last step repeats until somebody answers, at least a minute apart: write \"1m\" or more",
                );
            }
            let Some(contact) = problems.take(field("contact"), step.contact.parse::<Contact>()) else {
                continue;
            };
            if contacts.contains(&contact) {
                let during = hours(
                    &field("during_zone"),
                    step.during.as_deref(),
                    step.during_zone.as_deref(),
                    problems,
                );
                steps.push(NotificationStep { contact, wait, every, during });
            } else {
                let known: Vec<_> = contacts.iter().map(Contact::as_str).collect();
                let listed = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                problems.add(
                    field("contact"),
                    format_args!("\"{contact}\" is no contact of \"{person}\" (there: {listed}); add it to contacts first"),
                );
            }
        }
        NotificationPlan { steps }
    }
}

impl Spec for PersonSpec {
    type Resolved = Person;

    fn resolve(&self, definitions: &Definitions) -> Result<Person, Vec<FieldError>> {
        let person = self.shape()?;
        let mut problems = Problems::default();
        for (index, contact) in person.contacts.iter().enumerate() {
            // What rings at one person answers for that person only.
            let taken = definitions.directory().people.values().find(|other| {
                contact.kind().is_personal() && other.name != person.name && other.contacts.contains(contact)
            });
            if let Some(other) = taken {
                problems.add(
                    format!("contacts[{index}]"),
                    format_args!(
                        "is the {word} of {} \"{}\"; a {word} belongs to one person",
                        Kind::Person,
                        other.name,
                        word = contact.kind().word()
                    ),
                );
            }
        }
        for (urgency, plan) in [("high", &person.high), ("low", &person.low)] {
            for (index, step) in plan.iter().flat_map(|plan| &plan.steps).enumerate() {
                let field = format!("notification_plans.{urgency}.steps[{index}].during");
                check_hours(field, step.during.as_ref(), definitions, &mut problems);
            }
        }
        problems.finish()?;
        Ok(person)
    }

    fn name(&self) -> &str {
        &self.name
    }
}
