//! Now: open alerts, and who is on duty.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use escalation::alert::{Alert, Status};

use super::hours::moment;
use super::layout::Frame;
use super::on_call::{names, on_call};
use super::{Viewer, show, unavailable, url};
use crate::duty::Roster;
use crate::http::App;
use crate::message::{age, headline};
use crate::store::{AlertFilter, StoreError};
use crate::timeline::standing;

/// The most alerts that are shown; the rest is counted.
const MOST: usize = 100;

/// One open alert, as it is shown in the list.
pub(super) struct AlertRow {
    number: u64,
    path: String,
    acknowledge: String,
    severity: &'static str,
    headline: String,
    standing: String,
    age: String,
    triggers: u32,
    waits: bool,
}

/// Who is on duty in a team.
pub(super) struct Duty {
    team: String,
    first: String,
    /// When that changes; empty: not in sight, or not known.
    until: String,
    next: String,
    is_gap: bool,
    /// Where more is shown.
    path: String,
    handsets: Vec<(String, String)>,
}

/// The live part.
#[derive(Template)]
#[template(path = "_now.html")]
pub(super) struct NowFragment {
    waiting: usize,
    alerts: Vec<AlertRow>,
    is_more: bool,
    duties: Vec<Duty>,
    no_last_resort: bool,
}

#[derive(Template)]
#[template(path = "now.html")]
struct NowPage {
    frame: Frame,
    fragment: NowFragment,
}

/// Reads what is going on.
pub(super) async fn fragment(app: &App, viewer: &Viewer) -> Result<NowFragment, StoreError> {
    let status = Status::ALL.into_iter().filter(|status| *status != Status::Resolved).collect();
    let filter = AlertFilter { status, limit: MOST + 1, ..AlertFilter::default() };
    let mut alerts = app.store.alerts(filter).await?;
    let is_more = alerts.len() > MOST;
    alerts.truncate(MOST);
    let waits = |alert: &Alert| alert.status.waits();
    // What waits for an answer first, then the gravest, then the oldest.
    alerts.sort_by_key(|alert| (!waits(alert), std::cmp::Reverse(alert.severity), alert.number));
    let now = app.clock.now();
    let rows = alerts.iter().map(|alert| AlertRow {
        number: alert.number,
        path: url::alert(alert.number),
        acknowledge: url::alert_act(alert.number, "acknowledge"),
        severity: alert.severity.word(),
        headline: headline(alert),
        standing: standing(alert),
        age: age(alert.created_at, now),
        triggers: alert.triggers,
        waits: waits(alert),
    });
    let definitions = app.store.definitions();
    let directory = definitions.directory();
    let viewer_zone = rota::zone::find(&viewer.zone(app)).unwrap_or(jiff::tz::TimeZone::UTC);
    let duties = directory.teams.values().map(|team| {
        let owned = |person: &&escalation::name::Name| {
            viewer.0.person.as_ref().is_none_or(|own| own == *person)
                && directory.people.get(*person).is_some_and(|person| {
                    person
                        .contacts
                        .iter()
                        .any(|contact| contact.as_str() == format!("handset:{}", person.name))
                })
        };
        let over = definitions.roster_of(team.name.as_str());
        let path = over.as_ref().map(url::roster).unwrap_or_default();
        let roster = over.and_then(|over| Roster::current(&definitions, over));
        let holders = roster.map(|roster| on_call(&roster, &roster.default_role(), now));
        let people = holders.as_ref().map(|now| now.people.clone()).unwrap_or_default();
        // Without a schedule the next is whoever stands next in the order.
        let in_order =
            || team.members.iter().find(|member| people.iter().all(|person| **person != *member.as_str()));
        let until = holders.as_ref().and_then(|now| now.until);
        let next = match (&team.schedule, holders) {
            (Some(_), Some(now)) if !now.then.is_empty() => names(directory, &now.then),
            (Some(_), _) if until.is_some() => "nobody".to_owned(),
            (Some(_), _) => String::new(),
            (None, _) => in_order().map(|member| directory.full_name(member).to_owned()).unwrap_or_default(),
        };
        let zone = viewer_zone.clone();
        Duty {
            team: team.name.to_string(),
            first: if people.is_empty() { "nobody".to_owned() } else { names(directory, &people) },
            until: until.map(|until| moment(until, &zone, now)).unwrap_or_default(),
            next,
            is_gap: people.is_empty(),
            path,
            handsets: team
                .members
                .iter()
                .filter(owned)
                .take(10)
                .map(|member| (url::handset(member), directory.full_name(member).to_owned()))
                .collect(),
        }
    });
    let no_last_resort = directory.service.last_resort.is_empty()
        && directory.teams.values().any(|team| team.last_resort.is_empty());
    Ok(NowFragment {
        waiting: alerts.iter().filter(|alert| waits(alert)).count(),
        alerts: rows.collect(),
        is_more,
        duties: duties.collect(),
        no_last_resort,
    })
}

async fn page(viewer: Viewer, State(app): State<App>) -> Response {
    match fragment(&app, &viewer).await {
        Ok(fragment) => {
            show(&NowPage { frame: Frame::of("Now", &app, &viewer, url::live("/now")), fragment })
        }
        Err(error) => unavailable(&error),
    }
}

pub(super) fn router() -> Router<App> {
    Router::new().route(url::NOW, get(page))
}
