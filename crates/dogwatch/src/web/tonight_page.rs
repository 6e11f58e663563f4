//! Tonight: who rings first, second and third until morning, team by team, and what is wrong with that.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use escalation::alert::Audience;
use escalation::event::Severity;
use escalation::team::Team;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::hours::{moment_in_both, stretch};
use super::ladder::{Ladder, Worked, climb, question};
use super::layout::Frame;
use super::on_call::{full_name, names};
use super::{Viewer, show, unavailable, url};
use crate::definition::Definitions;
use crate::duty::{Roster, morning};
use crate::http::App;
use crate::message::sentence;
use crate::reach::{self, Finding};
use crate::store::StoreError;

/// How far back deliveries are asked whether a contact works.
const WORKED_WITHIN: SignedDuration = SignedDuration::from_hours(90 * 24);

/// One team's night.
struct Night {
    team: String,
    path: String,
    until: String,
    ladder: Option<Ladder>,
    /// Who comes on call until morning.
    changes: Vec<String>,
    /// What is wrong, each with where it is mended; empty: by its owner, or in the configuration.
    wrong: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "tonight.html")]
struct TonightPage {
    frame: Frame,
    nights: Vec<Night>,
    zone: String,
}

/// When each contact last worked.
pub(super) async fn worked(app: &App) -> Result<Arc<Worked>, StoreError> {
    let since = app.clock.now().saturating_sub(WORKED_WITHIN).unwrap_or(Timestamp::MIN);
    Ok(Arc::new(app.store.contacts_that_worked(since).await?.into_iter().collect()))
}

/// What keeps these people from being reached, each with where that is mended.
pub(super) fn troubles(
    definitions: &Definitions,
    viewer: &Viewer,
    findings: &[Finding],
    people: &[String],
) -> Vec<(String, String)> {
    let of_them = findings.iter().filter(|finding| people.contains(&finding.person));
    let told = of_them.map(|finding| {
        let contact = finding.contact.as_ref().map(|contact| format!(", {contact}")).unwrap_or_default();
        let who = full_name(definitions.directory(), &finding.person);
        let is_own = viewer.0.person.as_ref().is_some_and(|own| own.as_str() == finding.person);
        let path = if is_own { url::CONTACTS.to_owned() } else { String::new() };
        (format!("{who}{contact}: {}", finding.text), path)
    });
    told.collect()
}

async fn night(
    app: &App,
    viewer: &Viewer,
    team: &Team,
    zone: &TimeZone,
    known: &(Arc<Worked>, Vec<Finding>),
) -> Night {
    let definitions = app.store.definitions();
    let now = app.clock.now();
    let asked = question(app, Audience::Team(team.name.clone()), Severity::Critical, now);
    let ladder = climb(app, asked, Some(known.0.clone())).await;
    let over = definitions.roster_of(team.name.as_str());
    let schedule = over.as_ref().map(url::roster).unwrap_or_default();
    let roster = over.and_then(|over| Roster::current(&definitions, over));
    let own = roster.as_ref().map_or(zone, |roster| roster.zone()).clone();
    let until = morning(now, &own);
    let mut people = ladder.as_ref().map(|ladder| ladder.people.clone()).unwrap_or_default();
    let (mut changes, mut wrong) = (Vec::new(), Vec::new());
    for (roster, role) in
        roster.iter().flat_map(|roster| roster.roles().into_iter().map(move |role| (roster, role)))
    {
        let as_role = if roster.roles().len() > 1 { format!(" as {role}") } else { String::new() };
        for shift in roster.shifts(now, until, &role) {
            people.extend(shift.duty.people.iter().map(ToString::to_string));
            if shift.duty.people.is_empty() {
                let when = stretch(shift.from.max(now), shift.until.map(|end| end.min(until)), zone, now);
                wrong.push((format!("Nobody is on call{as_role}: {when}"), schedule.clone()));
            } else if shift.from > now {
                let who = names(definitions.directory(), &shift.duty.people);
                let from = moment_in_both(shift.from, zone, &own, now);
                changes.push(format!("{from}: {who} comes on call{as_role}"));
            }
        }
    }
    if ladder.as_ref().is_none_or(|ladder| ladder.is_nobody) {
        wrong.push(("Nothing gets through to anybody".to_owned(), schedule));
    }
    wrong.extend(troubles(&definitions, viewer, &known.1, &people));
    if team.last_resort.is_empty() && definitions.directory().service.last_resort.is_empty() {
        wrong.push((
            "There is no last resort: set one for the team, or for the whole service".to_owned(),
            String::new(),
        ));
    }
    Night {
        team: team.name.to_string(),
        path: url::team(team.name.as_str()),
        until: moment_in_both(until, zone, &own, now),
        ladder,
        changes,
        wrong: wrong.into_iter().map(|(text, path)| (sentence(&text), path)).collect(),
    }
}

async fn page(viewer: Viewer, State(app): State<App>) -> Response {
    let known = match (worked(&app).await, reach::findings(&app.store, &app.kinds).await) {
        (Ok(worked), Ok(findings)) => (worked, findings),
        (Err(error), _) | (_, Err(error)) => return unavailable(&error),
    };
    let zone_name = viewer.zone(&app);
    let zone = rota::zone::find(&zone_name).unwrap_or(TimeZone::UTC);
    let definitions = app.store.definitions();
    let mut teams: Vec<&Team> = definitions.directory().teams.values().map(AsRef::as_ref).collect();
    // One's own teams first.
    teams.sort_by_key(|team| viewer.0.person.as_ref().is_none_or(|own| !team.members.contains(own)));
    let mut nights = Vec::new();
    for team in teams {
        nights.push(night(&app, &viewer, team, &zone, &known).await);
    }
    show(&TonightPage { frame: Frame::still("Tonight", &app, &viewer), nights, zone: zone_name })
}

pub(super) fn router() -> Router<App> {
    Router::new().route(url::TONIGHT, get(page))
}
