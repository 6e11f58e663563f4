//! The shapes of the API's answers about who is on call.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::definition::time::instant;

/// A person, as people know them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(in crate::cli) struct Person {
    pub(in crate::cli) name: String,
    pub(in crate::cli) full_name: String,
}

/// Time during which the same people are on call; a gap is one without people.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::cli) struct Shift {
    pub(in crate::cli) role: String,
    #[serde(with = "instant")]
    pub(in crate::cli) from: Timestamp,
    /// None: it does not end.
    #[serde(default, with = "maybe_instant")]
    pub(in crate::cli) until: Option<Timestamp>,
    pub(in crate::cli) people: Vec<Person>,
    /// Who is told, and not asked.
    #[serde(default)]
    pub(in crate::cli) shadows: Vec<Person>,
    /// Who would be on call but for an override, or leave.
    #[serde(default)]
    pub(in crate::cli) instead_of: Vec<Person>,
    /// What put them there.
    #[serde(default)]
    pub(in crate::cli) because: String,
}

/// Who is on call for one role.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::cli) struct RoleDuty {
    pub(in crate::cli) role: String,
    pub(in crate::cli) now: Option<Shift>,
    /// The next shift of other people.
    pub(in crate::cli) next: Option<Shift>,
    /// And the one after that.
    pub(in crate::cli) after: Option<Shift>,
    pub(in crate::cli) previous: Option<Shift>,
}

/// Who is on call for a team.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::cli) struct OnCall {
    pub(in crate::cli) team: String,
    /// None: the order of the members counts.
    pub(in crate::cli) schedule: Option<String>,
    #[serde(with = "instant")]
    pub(in crate::cli) at: Timestamp,
    /// The zone of the schedule.
    pub(in crate::cli) zone: String,
    pub(in crate::cli) roles: Vec<RoleDuty>,
}

/// Shifts, by role, in order.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::cli) struct Shifts {
    pub(in crate::cli) zone: String,
    pub(in crate::cli) items: Vec<Shift>,
}

/// Time in which nobody is on call.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::cli) struct Gap {
    pub(in crate::cli) role: String,
    #[serde(with = "instant")]
    pub(in crate::cli) from: Timestamp,
    #[serde(with = "instant")]
    pub(in crate::cli) until: Timestamp,
}

/// All gaps, by role, in order.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::cli) struct Gaps {
    pub(in crate::cli) items: Vec<Gap>,
}

/// How much one person is on call, in hours.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::cli) struct Balance {
    pub(in crate::cli) person: Person,
    pub(in crate::cli) hours: f64,
    pub(in crate::cli) nights: f64,
    pub(in crate::cli) weekends: f64,
    pub(in crate::cli) holidays: f64,
}

/// How the load is shared, by person.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::cli) struct Balances {
    pub(in crate::cli) items: Vec<Balance>,
}

impl Shift {
    /// Whether nobody is on call.
    pub(in crate::cli) fn is_gap(&self) -> bool {
        self.people.is_empty()
    }

    /// The people by their names.
    pub(in crate::cli) fn names(&self) -> String {
        names(&self.people)
    }
}

/// Shifts of one role in which the same people have the place of the same others, each as one: shadows come and go,
/// and what put people there matters to few.
pub(in crate::cli) fn merge(shifts: Vec<Shift>) -> Vec<Shift> {
    let mut merged: Vec<Shift> = Vec::new();
    for shift in shifts {
        match merged.last_mut() {
            Some(last)
                if last.role == shift.role
                    && last.people == shift.people
                    && last.instead_of == shift.instead_of =>
            {
                last.until = shift.until;
            }
            _ => merged.push(shift),
        }
    }
    merged
}

/// People by their names: `John Smith and Bob`.
pub(in crate::cli) fn names(people: &[Person]) -> String {
    let names: Vec<&str> = people.iter().map(|person| person.full_name.as_str()).collect();
    match names.as_slice() {
        [] => "nobody".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// An instant, or nothing.
mod maybe_instant {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::definition::time::print_instant;

    pub(super) fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.serialize_some(&print_instant(*at)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

/// Which contacts worked lately, and whether the service has a last resort.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Contacts {
    items: Vec<Worked>,
    pub(in crate::cli) has_last_resort: bool,
}

#[derive(Debug, Deserialize)]
struct Worked {
    contact: String,
    #[serde(with = "instant")]
    worked_at: Timestamp,
}

impl Contacts {
    /// When a contact worked last, within the last 90 days.
    pub(in crate::cli) fn worked(&self, contact: &str) -> Option<Timestamp> {
        self.items.iter().find(|worked| worked.contact == contact).map(|worked| worked.worked_at)
    }
}
