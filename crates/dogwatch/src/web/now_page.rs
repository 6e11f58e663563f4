//! Now: open alerts, what needs attention, and who is on duty everywhere.
//!
//! The alerts are in `now_alerts.rs`, what needs attention in `attention.rs`.

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use escalation::directory::Directory;
use escalation::name::Name;
use escalation::team::Team;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::attention::{self, Concern};
use super::hours::moment_in_both;
use super::layout::Frame;
use super::now_alerts::{self, Open};
use super::on_call::{names, on_call};
use super::{Viewer, several_form, show, unavailable, url};
use crate::definition::Definitions;
use crate::duty::Roster;
use crate::http::App;
use crate::store::StoreError;

/// The most concerns that are shown at once; the rest is counted.
const MOST_CONCERNS: usize = 6;

/// Who is on duty in a team.
pub(super) struct Duty {
    team: String,
    /// The viewer is.
    is_mine: bool,
    first: String,
    /// When that changes; empty: not in sight, or not known.
    until: String,
    next: String,
    is_gap: bool,
    path: String,
    page: String,
    /// Where the schedule is; empty: there is none.
    schedule: String,
    handsets: Vec<(String, String)>,
}

/// The live part.
#[derive(Template)]
#[template(path = "_now.html")]
pub(super) struct NowFragment {
    open: Open,
    concerns: Vec<Concern>,
    more_concerns: usize,
    duties: Vec<Duty>,
    /// The team that is looked at alone; empty: all.
    team: String,
}

#[derive(Template)]
#[template(path = "now.html")]
struct NowPage {
    frame: Frame,
    fragment: NowFragment,
    said: Option<String>,
    several: &'static str,
    team: String,
}

/// The team that the address names, if there is one.
fn team_of(app: &App, query: &str) -> Option<Name> {
    let name = Name::new(&url::form_value(query, "team")?).ok()?;
    app.store.definitions().directory().teams.contains_key(&name).then_some(name)
}

/// Reads what is going on.
pub(super) async fn fragment(app: &App, viewer: &Viewer, query: &str) -> Result<NowFragment, StoreError> {
    let team = team_of(app, query);
    let now = app.clock.now();
    let zone = rota::zone::find(&viewer.zone(app)).unwrap_or(TimeZone::UTC);
    let mut concerns = attention::look(app, &zone, now).await?;
    let more_concerns = concerns.len().saturating_sub(MOST_CONCERNS);
    concerns.truncate(MOST_CONCERNS);
    let definitions = app.store.definitions();
    let teams = definitions.directory().teams.values();
    let shown = teams.filter(|one| team.as_ref().is_none_or(|team| *team == one.name));
    let mut duties: Vec<Duty> = shown.map(|team| duty(&definitions, viewer, team, &zone, now)).collect();
    // One's own first; the others stay in their order.
    duties.sort_by_key(|duty| !duty.is_mine);
    Ok(NowFragment {
        open: now_alerts::read(app, viewer, team.as_ref()).await?,
        concerns,
        more_concerns,
        duties,
        team: team.map(|team| team.to_string()).unwrap_or_default(),
    })
}

/// Who is on duty in a team, until when, and who comes then.
pub(super) fn duty(
    definitions: &Definitions,
    viewer: &Viewer,
    team: &Team,
    zone: &TimeZone,
    now: Timestamp,
) -> Duty {
    let directory = definitions.directory();
    let over = definitions.roster_of(team.name.as_str());
    let schedule = over.as_ref().map(url::roster).unwrap_or_default();
    let roster = over.and_then(|over| Roster::current(definitions, over));
    let holders = roster.as_ref().map(|roster| on_call(roster, &roster.default_role(), now));
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
    let own = roster.as_ref().map_or(zone, |roster| roster.zone());
    let is_me =
        |person: &std::sync::Arc<str>| viewer.0.person.as_ref().is_some_and(|me| me.as_str() == &**person);
    Duty {
        team: team.name.to_string(),
        is_mine: people.iter().any(is_me),
        first: if people.is_empty() { "nobody".to_owned() } else { names(directory, &people) },
        until: until.map(|until| moment_in_both(until, zone, own, now)).unwrap_or_default(),
        next,
        is_gap: people.is_empty(),
        path: url::team(team.name.as_str()),
        page: url::page_team(team.name.as_str()),
        schedule,
        handsets: handsets(directory, viewer, team),
    }
}

/// The handsets that the viewer may use: administrators those of all members, people their own.
fn handsets(directory: &Directory, viewer: &Viewer, team: &Team) -> Vec<(String, String)> {
    let owned = |person: &&Name| {
        viewer.0.person.as_ref().is_none_or(|own| own == *person)
            && directory.people.get(*person).is_some_and(|person| {
                let handset = format!("handset:{}", person.name);
                person.contacts.iter().any(|contact| contact.as_str() == handset)
            })
    };
    let members = team.members.iter().filter(owned).take(10);
    members.map(|member| (url::handset(member), directory.full_name(member).to_owned())).collect()
}

async fn page(viewer: Viewer, State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    match fragment(&app, &viewer, &query).await {
        Ok(fragment) => {
            let team = fragment.team.clone();
            let of_team = url::query([("team", team.as_str())]);
            let live =
                if team.is_empty() { url::live("/now") } else { url::live(&format!("/now?{of_team}")) };
            show(&NowPage {
                frame: Frame::of("Now", &app, &viewer, live),
                fragment,
                said: several_form::said(&query),
                several: url::SEVERAL,
                team,
            })
        }
        Err(error) => unavailable(&error),
    }
}

pub(super) fn router() -> Router<App> {
    Router::new().route(url::NOW, get(page))
}
