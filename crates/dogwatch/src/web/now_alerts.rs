//! The open alerts of Now: the viewer's first, then those of the viewer's teams, then the others; the worst of each on
//! top, and what is too many told in one line a team.

use std::collections::{BTreeMap, BTreeSet};

use escalation::alert::{Alert, Audience, Status};
use escalation::event::Severity;
use escalation::name::Name;
use jiff::Timestamp;

use super::{Viewer, url};
use crate::http::App;
use crate::message::{age, headline};
use crate::store::{AlertFilter, StoreError};
use crate::timeline::standing;

/// The most alerts that are read; beyond that there are "or more".
const MOST_READ: usize = 2_000;
/// The most of a section that are shown one by one.
const SHOWN: usize = 20;
/// The most of one team, where only that is looked at.
const SHOWN_OF_TEAM: usize = 100;

/// One open alert, as it is shown in the list.
pub(super) struct AlertRow {
    pub(super) number: u64,
    pub(super) path: String,
    pub(super) acknowledge: String,
    pub(super) severity: &'static str,
    pub(super) headline: String,
    pub(super) standing: String,
    pub(super) age: String,
    pub(super) triggers: u32,
    pub(super) waits: bool,
}

/// What is not shown one by one.
pub(super) struct Rest {
    /// Whose, with how many of each severity: `ops: 3 critical, 300 warning`.
    pub(super) text: String,
    pub(super) path: String,
}

/// Some of the alerts under a heading.
pub(super) struct Section {
    /// Empty: there is only one section.
    pub(super) title: &'static str,
    pub(super) rows: Vec<AlertRow>,
    pub(super) rest: Vec<Rest>,
}

/// All that is open.
pub(super) struct Open {
    pub(super) waiting: usize,
    /// There are more than were counted.
    pub(super) is_more: bool,
    pub(super) sections: Vec<Section>,
}

/// Reads what is open, of one team or of all.
pub(super) async fn read(app: &App, viewer: &Viewer, team: Option<&Name>) -> Result<Open, StoreError> {
    let status = Status::ALL.into_iter().filter(|status| *status != Status::Resolved).collect();
    let audience = team.cloned().map(Audience::Team);
    let filter = AlertFilter { status, audience, limit: MOST_READ + 1, ..AlertFilter::default() };
    let mut alerts = app.store.alerts(filter).await?;
    let is_more = alerts.len() > MOST_READ;
    alerts.truncate(MOST_READ);
    // What waits for an answer first, then the gravest, then the oldest.
    alerts.sort_by_key(|alert| (!alert.status.waits(), std::cmp::Reverse(alert.severity), alert.number));
    let waiting = alerts.iter().filter(|alert| alert.status.waits()).count();
    let now = app.clock.now();
    let mine = Mine::of(app, viewer).await?;
    let most = if team.is_some() { SHOWN_OF_TEAM } else { SHOWN };
    let titles = ["Yours", "Of your teams", "Of others"];
    let mut parts: [Vec<&Alert>; 3] = Default::default();
    for alert in &alerts {
        parts[mine.part(alert)].push(alert);
    }
    let is_split = parts.iter().filter(|part| !part.is_empty()).count() > 1 || !parts[0].is_empty();
    let sections = parts.into_iter().zip(titles).filter(|(part, _)| !part.is_empty());
    let sections = sections.map(|(part, title)| Section {
        title: if is_split { title } else { "" },
        rows: part.iter().take(most).map(|alert| row(alert, now)).collect(),
        rest: rest(part.get(most..).unwrap_or_default()),
    });
    Ok(Open { waiting, is_more, sections: sections.collect() })
}

/// What is the viewer's.
struct Mine {
    person: Option<Name>,
    /// Alerts for which the viewer is being paged.
    paged: BTreeSet<u64>,
    teams: BTreeSet<Name>,
}

impl Mine {
    async fn of(app: &App, viewer: &Viewer) -> Result<Self, StoreError> {
        let Some(person) = viewer.0.person.clone() else {
            return Ok(Self { person: None, paged: BTreeSet::new(), teams: BTreeSet::new() });
        };
        let pages = app.store.live_pages(person.clone()).await?;
        let definitions = app.store.definitions();
        let teams = definitions.directory().teams.values().filter(|team| team.members.contains(&person));
        Ok(Self {
            paged: pages.into_iter().map(|(_, alert)| alert.number).collect(),
            teams: teams.map(|team| team.name.clone()).collect(),
            person: Some(person),
        })
    }

    /// 0: the viewer's own; 1: of the viewer's teams; 2: of others.
    fn part(&self, alert: &Alert) -> usize {
        let Some(person) = &self.person else { return 2 };
        let owns = alert.status == Status::Acknowledged
            && alert.acknowledged.as_ref().is_some_and(|act| act.by.person.as_ref() == Some(person));
        match &alert.audience {
            _ if owns || self.paged.contains(&alert.number) => 0,
            Audience::Person(for_whom) if for_whom == person => 0,
            Audience::Team(team) if self.teams.contains(team) => 1,
            _ => 2,
        }
    }
}

fn row(alert: &Alert, now: Timestamp) -> AlertRow {
    AlertRow {
        number: alert.number,
        path: url::alert(alert.number),
        acknowledge: url::alert_act(alert.number, "acknowledge"),
        severity: alert.severity.word(),
        headline: headline(alert),
        standing: standing(alert),
        age: age(alert.created_at, now),
        triggers: alert.triggers,
        waits: alert.status.waits(),
    }
}

/// A line for each team of what is left over.
fn rest(alerts: &[&Alert]) -> Vec<Rest> {
    let mut counts: BTreeMap<String, BTreeMap<std::cmp::Reverse<Severity>, usize>> = BTreeMap::new();
    for alert in alerts {
        let whose = match &alert.audience {
            Audience::Team(name) => format!("team:{name}"),
            Audience::Person(name) => format!("person:{name}"),
        };
        *counts.entry(whose).or_default().entry(std::cmp::Reverse(alert.severity)).or_default() += 1;
    }
    let told = counts.into_iter().map(|(whose, counts)| {
        let (kind, name) = whose.split_once(':').unwrap_or(("", &whose));
        let counts: Vec<String> =
            counts.iter().map(|(severity, count)| format!("{count} {}", severity.0.word())).collect();
        Rest {
            text: format!("{name}: {} more", counts.join(", ")),
            path: if kind == "team" { url::now_of(name) } else { String::new() },
        }
    });
    told.collect()
}
