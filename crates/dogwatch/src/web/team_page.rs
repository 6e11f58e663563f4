//! A team: who is on call, who is woken and when, its people and whether they can be reached, how duty is shared.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use escalation::alert::Audience;
use escalation::event::Severity;
use escalation::name::Name;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::hours::moment_in_both;
use super::ladder::{Ladder, climb, question};
use super::layout::Frame;
use super::on_call::{full_name, names, on_call};
use super::tonight_page::{troubles, worked};
use super::{Place, Viewer, error_page, show, unavailable, url};
use crate::definition::Kind;
use crate::duty::Roster;
use crate::http::App;
use crate::reach;

/// How far back and ahead duty is counted.
const COUNTED: SignedDuration = SignedDuration::from_hours(28 * 24);

/// Somebody who answers for a role now.
struct Holder {
    /// Empty: there is only one.
    role: String,
    who: String,
    is_gap: bool,
    until: String,
    then: String,
}

/// A member.
struct Member {
    full_name: String,
    /// What keeps this one from being reached, and where that is mended.
    troubles: Vec<(String, String)>,
}

/// How much one person has of something.
struct Bar {
    /// 0 to 100 of the most that anybody has.
    width: i64,
    hours: i64,
}

/// One person's part of duty.
struct Part {
    who: String,
    total: Bar,
    nights: Bar,
    weekends: Bar,
    holidays: Bar,
}

#[derive(Template)]
#[template(path = "team.html")]
struct TeamPage {
    frame: Frame,
    name: String,
    description: String,
    page: String,
    rehearse: String,
    open: String,
    /// Empty: the team has no schedule.
    schedule: String,
    /// Where it is changed, for whoever may.
    edit: Option<String>,
    holders: Vec<Holder>,
    high: Option<Ladder>,
    low: Option<Ladder>,
    members: Vec<Member>,
    parts: Vec<Part>,
    has_holidays: bool,
}

async fn page(viewer: Viewer, State(app): State<App>, Place(name): Place<String>) -> Response {
    let definitions = app.store.definitions();
    let directory = definitions.directory();
    let team = Name::new(&name).ok().and_then(|name| directory.teams.get(&name));
    let Some(team) = team else {
        return error_page(
            404,
            "There is no such team",
            "It may have been removed; Now has those that there are.",
        );
    };
    let now = app.clock.now();
    let zone = rota::zone::find(&viewer.zone(&app)).unwrap_or(TimeZone::UTC);
    let (worked, findings) = match (worked(&app).await, reach::findings(&app.store, &app.kinds).await) {
        (Ok(worked), Ok(findings)) => (worked, findings),
        (Err(error), _) | (_, Err(error)) => return unavailable(&error),
    };
    let from = now.saturating_sub(COUNTED).unwrap_or(Timestamp::MIN);
    let past = match Roster::of_team_since(&app.store, &name, from, now).await {
        Ok(past) => past,
        Err(error) => return unavailable(&error),
    };
    let over = definitions.roster_of(&name);
    let schedule = over.as_ref().map(url::roster).unwrap_or_default();
    let roster = over.and_then(|over| Roster::current(&definitions, over));
    let roles = roster.as_ref().map(Roster::roles).unwrap_or_default();
    let holders = roster.iter().flat_map(|roster| {
        roles.iter().map(|role| {
            let held = on_call(roster, role, now);
            Holder {
                role: if roles.len() > 1 { role.to_string() } else { String::new() },
                is_gap: held.people.is_empty(),
                who: if held.people.is_empty() {
                    "nobody".to_owned()
                } else {
                    names(directory, &held.people)
                },
                until: held
                    .until
                    .map(|until| moment_in_both(until, &zone, roster.zone(), now))
                    .unwrap_or_default(),
                then: if held.then.is_empty() { "nobody".to_owned() } else { names(directory, &held.then) },
            }
        })
    });
    let holders = holders.collect();
    let ask = |severity| question(&app, Audience::Team(team.name.clone()), severity, now);
    let high = climb(&app, ask(Severity::Critical), Some(worked.clone())).await;
    let low = climb(&app, ask(Severity::Warning), Some(worked)).await;
    let members = team.members.iter().map(|member| Member {
        full_name: directory.full_name(member).to_owned(),
        troubles: troubles(&definitions, &viewer, &findings, &[member.to_string()]),
    });
    let parts = past.map(|past| parts(&past, now, |person| full_name(directory, person))).unwrap_or_default();
    show(&TeamPage {
        frame: Frame::still(name.clone(), &app, &viewer),
        description: team.description.clone(),
        page: url::page_team(&name),
        rehearse: url::rehearse(&name),
        open: url::now_of(&name),
        schedule,
        edit: viewer.0.is_admin().then(|| url::definition(Kind::Team, &name)),
        holders,
        high,
        low,
        members: members.collect(),
        has_holidays: parts.iter().any(|part| part.holidays.hours > 0),
        parts,
        name,
    })
}

/// Who has how much of duty, who has most first.
fn parts(roster: &Roster, now: Timestamp, full_name: impl Fn(&str) -> String) -> Vec<Part> {
    let from = now.saturating_sub(COUNTED).unwrap_or(Timestamp::MIN);
    let to = now.saturating_add(COUNTED).unwrap_or(Timestamp::MAX);
    let roles = roster.roles();
    let roles: Vec<&str> = roles.iter().map(AsRef::as_ref).collect();
    let mut balance: Vec<_> = roster.balance(from, to, &roles).into_iter().collect();
    balance.sort_by_key(|(_, part)| std::cmp::Reverse(part.total));
    let most = balance.first().map_or(SignedDuration::ZERO, |(_, part)| part.total);
    let bar = |length: SignedDuration| Bar {
        width: if most.is_zero() { 0 } else { length.as_secs() * 100 / most.as_secs().max(1) },
        hours: (length.as_secs() + 1_800) / 3_600,
    };
    let told = balance.into_iter().map(|(person, part)| Part {
        who: full_name(&person),
        total: bar(part.total),
        nights: bar(part.nights),
        weekends: bar(part.weekends),
        holidays: bar(part.holidays),
    });
    told.collect()
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/teams/{name}", get(page))
}
