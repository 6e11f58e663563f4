//! Who is on call: now, then, between two instants; gaps, overlaps and the balance of the load.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rota::schedule::Shift;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::definitions::missing;
use crate::definition::time::{parse_moment, print_instant};
use crate::definition::{Definitions, Kind, Lies};
use crate::duty::Roster;
use crate::http::App;
use crate::http::body::{Path, Query};
use crate::http::problem::Problem;
use crate::store::Caller;

/// The longest stretch that is answered at once.
const MAX_STRETCH: SignedDuration = SignedDuration::from_hours(5 * 366 * 24);
/// The stretch where none is given.
const STRETCH: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The most shifts of an answer.
const MAX_SHIFTS: usize = 20_000;

/// When.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct At {
    /// An instant, or a time on the clocks of the schedule's zone. Default: now.
    #[param(max_length = 40, example = "2026-12-24T08:00:00Z")]
    at: Option<String>,
}

/// From when until when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Between {
    /// The first instant, or a time on the clocks of the schedule's zone. Default: now.
    #[param(max_length = 40, example = "2026-12-01")]
    from: Option<String>,
    /// The first instant after it; at most five years later. Default: 30 days later.
    #[param(max_length = 40, example = "2027-01-01")]
    to: Option<String>,
    /// Only this role.
    #[param(max_length = 64, example = "primary")]
    role: Option<String>,
}

/// A person, as people know them.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonView {
    /// The identity.
    pub name: String,
    /// The name that people read.
    pub full_name: String,
}

/// Time during which the same people are on call.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShiftView {
    /// What for.
    pub role: String,
    /// The first instant.
    pub from: String,
    /// The first instant after it; none: it does not end.
    pub until: Option<String>,
    /// Who; nobody in a gap.
    pub people: Vec<PersonView>,
    /// Who is told, and not asked.
    pub shadows: Vec<PersonView>,
    /// Who would be on call but for an override, or leave.
    pub instead_of: Vec<PersonView>,
    /// What put them there.
    pub because: String,
}

/// Who is on call for one role of a team.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleView {
    /// The role.
    pub role: String,
    /// The shift at the instant; without people in a gap.
    pub now: Option<ShiftView>,
    /// The next one of other people.
    pub next: Option<ShiftView>,
    /// And the one after that.
    pub after: Option<ShiftView>,
    /// The one before.
    pub previous: Option<ShiftView>,
}

/// Who is on call for a team.
#[derive(Debug, Serialize, ToSchema)]
pub struct OnCallView {
    /// The team.
    pub team: String,
    /// Its schedule; none: the order of its members counts.
    pub schedule: Option<String>,
    /// The instant.
    pub at: String,
    /// The zone of the schedule.
    pub zone: String,
    /// By role.
    pub roles: Vec<RoleView>,
}

/// Shifts, by role, in order.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShiftsView {
    /// The zone of the schedule.
    pub zone: String,
    /// The shifts, without holes: a gap is a shift without people.
    pub items: Vec<ShiftView>,
}

/// Time in which nobody is on call.
#[derive(Debug, Serialize, ToSchema)]
pub struct GapView {
    /// What for.
    pub role: String,
    /// The first instant.
    pub from: String,
    /// The first instant after it.
    pub until: String,
}

/// All gaps.
#[derive(Debug, Serialize, ToSchema)]
pub struct GapsView {
    /// By role, in order.
    pub items: Vec<GapView>,
}

/// Time in which one source hides another.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverlapView {
    /// What for.
    pub role: String,
    /// The first instant.
    pub from: String,
    /// The first instant after it.
    pub until: String,
    /// Who counts.
    pub wins: Vec<PersonView>,
    /// Why.
    pub because: String,
    /// Who would, if the other were not there.
    pub hidden: Vec<PersonView>,
    /// What names them.
    pub hidden_by: String,
}

/// All overlaps.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverlapsView {
    /// By role, in order.
    pub items: Vec<OverlapView>,
}

/// How much one person is on call, in hours.
#[derive(Debug, Serialize, ToSchema)]
pub struct BalanceView {
    /// Who.
    pub person: PersonView,
    /// Altogether.
    pub hours: f64,
    /// Of these from 22:00 to 06:00 in the schedule's zone.
    pub nights: f64,
    /// Of these on Saturdays and Sundays.
    pub weekends: f64,
    /// Of these in the schedule's period of holidays.
    pub holidays: f64,
}

/// How the load is shared.
#[derive(Debug, Serialize, ToSchema)]
pub struct BalancesView {
    /// By person.
    pub items: Vec<BalanceView>,
}

/// Names as people know them.
pub(super) fn people(definitions: &Definitions, names: &[Arc<str>]) -> Vec<PersonView> {
    let full_name = |name: &str| {
        let known = definitions.directory().people.get(name);
        known
            .map(|person| person.full_name.clone())
            .filter(|full| !full.is_empty())
            .unwrap_or_else(|| name.to_owned())
    };
    names.iter().map(|name| PersonView { name: name.to_string(), full_name: full_name(name) }).collect()
}

/// A shift, as it is shown.
pub(super) fn shift_view(definitions: &Definitions, roster: &Roster, role: &str, shift: &Shift) -> ShiftView {
    ShiftView {
        role: role.to_owned(),
        from: print_instant(shift.from),
        until: shift.until.map(print_instant),
        people: people(definitions, &shift.duty.people),
        shadows: people(definitions, &shift.duty.shadows),
        instead_of: people(definitions, &shift.duty.instead_of),
        because: roster.because(shift.from, role, shift.duty.source),
    }
}

/// Who is on call for a team: now or at an instant, before, next and after that.
#[utoipa::path(get, path = "/api/v1/teams/{name}/on-call", tag = "teams", params(("name" = String, Path, max_length = 64), At),
    responses((status = 200, body = OnCallView), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn team_on_call(
    _: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<At>,
) -> Result<Response, Problem> {
    let definitions = app.store.definitions();
    let now = app.clock.now();
    let current = definitions.roster_of(&name).and_then(|over| Roster::current(&definitions, over));
    let zone = current.as_ref().map_or(TimeZone::UTC, |roster| roster.zone().clone());
    let at = query.at.as_deref().map(|text| parse_moment(text, &zone)).transpose();
    let at = at.map_err(|wrong| Problem::field("at", wrong))?.unwrap_or(now);
    // A team that is gone is known for the time when it was there.
    let roster = Roster::of_team_since(&app.store, &name, at, now).await?;
    let roster = roster.or(current).ok_or_else(|| missing(&app, Kind::Team, &name))?;
    let over = roster.over_at(at).clone();
    let roles = roster.roles().into_iter().map(|role| {
        let shown = |shift: &Shift| shift_view(&definitions, &roster, &role, shift);
        let next = roster.next(at, &role);
        let after = next.as_ref().and_then(|next| roster.next(next.from, &role));
        RoleView {
            now: roster.shift(at, &role).as_ref().map(shown),
            next: next.as_ref().map(shown),
            after: after.as_ref().map(shown),
            previous: roster.previous(at, &role).as_ref().map(shown),
            role: role.to_string(),
        }
    });
    let view = OnCallView {
        team: name,
        at: print_instant(at),
        zone: zone_name(&roster),
        roles: roles.collect(),
        schedule: match over {
            Lies::Schedule(schedule) => Some(schedule),
            Lies::Team(_) => None,
        },
    };
    Ok(Json(view).into_response())
}

fn zone_name(roster: &Roster) -> String {
    roster.zone().iana_name().unwrap_or("UTC").to_owned()
}

fn moment(field: &str, text: Option<&str>, roster: &Roster) -> Result<Option<Timestamp>, Problem> {
    let read = |text: &str| parse_moment(text, roster.zone()).map_err(|wrong| Problem::field(field, wrong));
    text.map(read).transpose()
}

/// A schedule with the stretch and the roles that are asked for.
struct Asked {
    roster: Roster,
    from: Timestamp,
    to: Timestamp,
    roles: Vec<Arc<str>>,
}

impl Asked {
    async fn read(app: &App, name: &str, between: &Between) -> Result<Self, Problem> {
        let definitions = app.store.definitions();
        let over = Lies::Schedule(name.to_owned());
        let now = app.clock.now();
        let current = match Roster::current(&definitions, over.clone()) {
            Some(current) => Some(current),
            // A schedule that is gone is known for the time when it was there.
            None => Roster::since(&app.store, over.clone(), Timestamp::UNIX_EPOCH, now).await?,
        };
        let current = current.ok_or_else(|| missing(app, Kind::Schedule, name))?;
        let from = moment("from", between.from.as_deref(), &current)?.unwrap_or(now);
        let later = || from.checked_add(STRETCH).unwrap_or(Timestamp::MAX);
        let to = moment("to", between.to.as_deref(), &current)?.unwrap_or_else(later);
        if to < from {
            return Err(Problem::field("to", "is before \"from\""));
        }
        if from.duration_until(to) > MAX_STRETCH {
            return Err(Problem::field("to", "is more than five years after \"from\"; ask for less at once"));
        }
        let roles =
            match &between.role {
                None => current.roles(),
                Some(role) => {
                    let known = current.roles();
                    let found = known.iter().find(|known| ***known == **role).cloned();
                    let listed = || known.iter().map(|role| format!("\"{role}\"")).collect::<BTreeSet<_>>();
                    let listed = || listed().into_iter().collect::<Vec<_>>().join(", ");
                    vec![found.ok_or_else(|| {
                        Problem::field("role", format!("is none here; there is {}", listed()))
                    })?]
                }
            };
        let roster = Roster::since(&app.store, over, from, now).await?.unwrap_or(current);
        Ok(Self { roster, from, to, roles })
    }
}

/// Who is on call between two instants: shifts by role, without holes.
#[utoipa::path(get, path = "/api/v1/schedules/{name}/shifts", tag = "schedules", params(("name" = String, Path, max_length = 64), Between),
    responses((status = 200, body = ShiftsView), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn shifts(
    _: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Query(between): Query<Between>,
) -> Result<Response, Problem> {
    let asked = Asked::read(&app, &name, &between).await?;
    let definitions = app.store.definitions();
    let mut items = Vec::new();
    for role in &asked.roles {
        let found = asked.roster.shifts(asked.from, asked.to, role);
        items.extend(found.iter().map(|shift| shift_view(&definitions, &asked.roster, role, shift)));
        if items.len() > MAX_SHIFTS {
            return Err(Problem::field(
                "to",
                format!("brings more than {MAX_SHIFTS} shifts; ask for less at once"),
            ));
        }
    }
    Ok(Json(ShiftsView { zone: zone_name(&asked.roster), items }).into_response())
}

/// When nobody is on call between two instants.
#[utoipa::path(get, path = "/api/v1/schedules/{name}/gaps", tag = "schedules", params(("name" = String, Path, max_length = 64), Between),
    responses((status = 200, body = GapsView), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn gaps(
    _: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Query(between): Query<Between>,
) -> Result<Response, Problem> {
    let asked = Asked::read(&app, &name, &between).await?;
    let of_role = |role: &Arc<str>| {
        let role = role.clone();
        let gaps = asked.roster.gaps(asked.from, asked.to, &role).into_iter();
        gaps.map(move |gap| GapView {
            role: role.to_string(),
            from: print_instant(gap.start),
            until: print_instant(gap.end),
        })
    };
    Ok(Json(GapsView { items: asked.roles.iter().flat_map(of_role).collect() }).into_response())
}

/// When one source hides another between two instants, by what is in force now.
#[utoipa::path(get, path = "/api/v1/schedules/{name}/overlaps", tag = "schedules", params(("name" = String, Path, max_length = 64), Between),
    responses((status = 200, body = OverlapsView), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn overlaps(
    _: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Query(between): Query<Between>,
) -> Result<Response, Problem> {
    let asked = Asked::read(&app, &name, &between).await?;
    let definitions = app.store.definitions();
    let mut items = Vec::new();
    for role in &asked.roles {
        for overlap in asked.roster.overlaps(asked.from, asked.to, role) {
            let because = |source| asked.roster.because(Timestamp::MAX, role, Some(source));
            items.push(OverlapView {
                role: role.to_string(),
                from: print_instant(overlap.from),
                until: print_instant(overlap.until),
                wins: people(&definitions, &overlap.wins.people),
                because: because(overlap.wins.source),
                hidden: people(&definitions, &overlap.hidden.people),
                hidden_by: because(overlap.hidden.source),
            });
        }
    }
    Ok(Json(OverlapsView { items }).into_response())
}

/// How the load is shared between two instants, all roles together unless one is named.
#[utoipa::path(get, path = "/api/v1/schedules/{name}/balance", tag = "schedules", params(("name" = String, Path, max_length = 64), Between),
    responses((status = 200, body = BalancesView), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn balance(
    _: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Query(between): Query<Between>,
) -> Result<Response, Problem> {
    let asked = Asked::read(&app, &name, &between).await?;
    let definitions = app.store.definitions();
    let roles: Vec<&str> = asked.roles.iter().map(|role| &**role).collect();
    let hours = |time: SignedDuration| (time.as_secs_f64() / 36.0).round() / 100.0;
    let balance = asked.roster.balance(asked.from, asked.to, &roles);
    let items = balance.into_iter().filter_map(|(person, balance)| {
        Some(BalanceView {
            person: people(&definitions, &[person]).pop()?,
            hours: hours(balance.total),
            nights: hours(balance.nights),
            weekends: hours(balance.weekends),
            holidays: hours(balance.holidays),
        })
    });
    Ok(Json(BalancesView { items: items.collect() }).into_response())
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(team_on_call))
        .routes(routes!(shifts))
        .routes(routes!(gaps))
        .routes(routes!(overlaps))
        .routes(routes!(balance))
}
