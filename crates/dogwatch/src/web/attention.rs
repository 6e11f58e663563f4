//! What needs somebody's attention before it hurts: nobody on call soon, people who can't be reached, providers that
//! fail, no last resort.

use escalation::directory::Directory;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::hours::{moment, stretch};
use super::on_call::full_name;
use super::url;
use crate::definition::Definitions;
use crate::duty::Roster;
use crate::http::App;
use crate::reach;
use crate::store::StoreError;

/// How far ahead gaps are looked for.
const AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Something to look into.
pub(super) struct Concern {
    pub(super) text: String,
    /// Where it can be mended; empty: in the configuration.
    pub(super) path: String,
}

/// Everything, the gravest first.
pub(super) async fn look(app: &App, zone: &TimeZone, now: Timestamp) -> Result<Vec<Concern>, StoreError> {
    let definitions = app.store.definitions();
    let directory = definitions.directory();
    let mut concerns = gaps(&definitions, zone, now);
    for finding in reach::findings(&app.store, &app.kinds).await?.into_iter().filter(|it| it.is_grave) {
        let text = format!("{} {}", full_name(directory, &finding.person), finding.text);
        concerns.push(Concern { text, path: String::new() });
    }
    let ailing = app.channels.ailing().into_iter();
    concerns.extend(ailing.map(|text| Concern { text, path: String::new() }));
    concerns.extend(no_last_resort(directory));
    Ok(concerns)
}

/// When nobody is on call in the days to come, a line for each team and role.
fn gaps(definitions: &Definitions, zone: &TimeZone, now: Timestamp) -> Vec<Concern> {
    let mut concerns = Vec::new();
    for team in definitions.directory().teams.keys() {
        let Some(over) = definitions.roster_of(team.as_str()) else { continue };
        let path = url::roster(&over);
        let Some(roster) = Roster::current(definitions, over) else { continue };
        let until = now + AHEAD;
        for role in roster.roles() {
            let gaps = roster.gaps(now, until, &role);
            let Some(first) = gaps.first() else { continue };
            let when = if first.start <= now && first.end >= until {
                "all the coming week".to_owned()
            } else if first.start <= now {
                format!("now, until {}", moment(first.end, zone, now))
            } else {
                stretch(first.start, Some(first.end), zone, now)
            };
            let more = match gaps.len() - 1 {
                0 => String::new(),
                1 => ", and once more".to_owned(),
                more => format!(", and {more} times more"),
            };
            let as_role = if roster.roles().len() > 1 { format!(" as {role}") } else { String::new() };
            let text = format!("{team}: nobody is on call{as_role} {when}{more} within 7 days");
            concerns.push(Concern { text, path: path.clone() });
        }
    }
    concerns
}

/// Teams for which nobody is paged when nobody answers.
fn no_last_resort(directory: &Directory) -> Option<Concern> {
    if !directory.service.last_resort.is_empty() {
        return None;
    }
    let without = directory.teams.values().filter(|team| team.last_resort.is_empty());
    let names: Vec<String> = without.map(|team| team.name.to_string()).collect();
    let shown = match names.as_slice() {
        [] => return None,
        names if names.len() > 5 => format!("{} and {} more", names[..5].join(", "), names.len() - 5),
        names => names.join(", "),
    };
    let text = format!(
        "No last resort is set for {shown}: when nobody answers, nobody else is paged. Set last_resort for the \
         team, or for the service in its configuration"
    );
    Some(Concern { text, path: String::new() })
}
