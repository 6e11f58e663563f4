//! What is done to a silence or a maintenance window, whichever it is.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::super::definitions::{missing, refuse};
use super::Which;
use super::shape::{Change, SilencingView, SilencingsView};
use crate::definition::time::{parse_instant, parse_moment, print_instant};
use crate::definition::{Kind, MaintenanceSpec, SilenceSpec, Write, read_json};
use crate::http::App;
use crate::http::problem::Problem;
use crate::store::{Caller, Defining, Edit, Expect};

/// How far in the past "from" may lie: somebody filled in a form.
const SLACK: SignedDuration = SignedDuration::from_secs(60);

/// What both kinds have in common.
pub(super) trait Silencing: Serialize + DeserializeOwned + Clone {
    const KIND: Kind;
    fn name(&self) -> &str;
    fn times(&mut self) -> (&mut String, &mut Option<String>, &mut String);
    fn zone(&self) -> Option<&str>;
}

impl Silencing for SilenceSpec {
    const KIND: Kind = Kind::Silence;
    fn name(&self) -> &str {
        &self.name
    }
    fn times(&mut self) -> (&mut String, &mut Option<String>, &mut String) {
        (&mut self.from, &mut self.until, &mut self.reason)
    }
    fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }
}

impl Silencing for MaintenanceSpec {
    const KIND: Kind = Kind::Maintenance;
    fn name(&self) -> &str {
        &self.name
    }
    fn times(&mut self) -> (&mut String, &mut Option<String>, &mut String) {
        (&mut self.from, &mut self.until, &mut self.reason)
    }
    fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }
}

/// Times as whoever asks wrote them.
pub(super) struct Wanted<'a> {
    app: &'a App,
    zone: TimeZone,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(app: &'a App, caller: &Caller, zone: Option<&str>) -> Result<Self, Problem> {
        let zone = match zone {
            Some(zone) => {
                rota::zone::find(zone).map_err(|wrong| Problem::field("zone", wrong.to_string()))?
            }
            None => app.zone_of(caller),
        };
        Ok(Self { app, zone })
    }

    fn moment(&self, field: &str, text: &str) -> Result<Timestamp, Problem> {
        parse_moment(text, &self.zone).map_err(|wrong| Problem::field(field, wrong))
    }

    pub(super) fn from(&self, from: Option<&str>) -> Result<Timestamp, Problem> {
        let now = self.app.clock.now();
        let from = from.map(|text| self.moment("from", text)).transpose()?.unwrap_or(now);
        if from < now - SLACK {
            return Err(Problem::field("from", "is in the past; what was, stays as it was"));
        }
        Ok(from)
    }

    pub(super) fn until(
        &self,
        from: Timestamp,
        until: Option<&str>,
        length: Option<&str>,
    ) -> Result<Option<Timestamp>, Problem> {
        let (field, until) = match (until, length) {
            (Some(_), Some(_)) => return Err(Problem::field("for", "write either \"for\" or \"until\"")),
            (None, None) => return Ok(None),
            (Some(text), None) => ("until", self.moment("until", text)?),
            (None, Some(length)) => {
                let length = escalation::duration::parse(length);
                ("for", from + length.map_err(|wrong| Problem::field("for", wrong.to_string()))?)
            }
        };
        if until <= self.app.clock.now() {
            return Err(Problem::field(field, "ends in the past; write a later time"));
        }
        Ok(Some(until))
    }
}

pub(super) fn view<T: Silencing>(app: &App, spec: T) -> SilencingView<T> {
    let (definitions, now) = (app.store.definitions(), app.clock.now());
    let silence = definitions.directory().silences.get(spec.name());
    let show = |at: Option<Timestamp>| at.map(print_instant);
    let (state, begins_at, ends_at) = match silence {
        Some(silence) if silence.is_in_force(now) => ("active", None, silence.ends(now)),
        Some(silence) => match silence.next_begin(now) {
            Some(at) => ("planned", Some(at), None),
            None => ("over", None, None),
        },
        None => ("over", None, None),
    };
    SilencingView { spec, state, begins_at: show(begins_at), ends_at: show(ends_at) }
}

pub(super) fn stored<T: Silencing>(app: &App, name: &str) -> Result<T, Problem> {
    let definitions = app.store.definitions();
    let defined = definitions.get(T::KIND, name).ok_or_else(|| missing(app, T::KIND, name))?;
    read_json(defined.body.clone()).map_err(Problem::invalid)
}

pub(super) fn list<T: Silencing>(app: &App, which: &Which) -> Result<Response, Problem> {
    let with_past = match which.past.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Problem::field("past", "is \"true\" or \"false\"")),
    };
    let definitions = app.store.definitions();
    let bodies = definitions.list(T::KIND, "").map(|(_, defined)| defined.body.clone());
    let specs = bodies.filter_map(|body| read_json::<T>(body).ok());
    let views = specs.map(|spec| view(app, spec));
    let items = views.filter(|view| with_past || view.state != "over").collect();
    Ok(Json(SilencingsView { items }).into_response())
}

pub(super) async fn put<T: Silencing>(app: &App, spec: &T) -> Result<(), Problem> {
    edit::<T>(app, spec.name(), Write::Put { kind: T::KIND, body: json!(spec) }).await
}

async fn edit<T: Silencing>(app: &App, name: &str, write: Write) -> Result<(), Problem> {
    let edits = vec![Edit { name: name.to_owned(), expect: Expect::Any, write }];
    match app.store.define_all(edits).await? {
        Defining::Done(_) => Ok(()),
        other => Err(refuse(app, T::KIND, name, other)),
    }
}

pub(super) async fn change<T: Silencing>(
    app: &App,
    caller: &Caller,
    name: &str,
    change: Change,
) -> Result<Response, Problem> {
    let mut spec: T = stored(app, name)?;
    if view(app, spec.clone()).state == "over" {
        return Err(Problem::conflict("it is over; what was, stays as it was: make a new one"));
    }
    let wanted = Wanted::new(app, caller, spec.zone())?;
    let until = wanted.until(app.clock.now(), change.until.as_deref(), change.length.as_deref())?;
    let (_, end, reason) = spec.times();
    if let Some(until) = until {
        *end = Some(print_instant(until));
    }
    if let Some(new) = change.reason {
        *reason = new;
    }
    put(app, &spec).await?;
    Ok(Json(view(app, spec)).into_response())
}

/// What has begun ends now, what has not is taken back.
pub(super) async fn end<T: Silencing>(app: &App, name: &str) -> Result<Response, Problem> {
    let mut spec: T = stored(app, name)?;
    let now = app.clock.now();
    let (from, until, _) = spec.times();
    let has_begun = parse_instant(from).is_ok_and(|from| from < now);
    let is_over = until.as_deref().is_some_and(|until| parse_instant(until).is_ok_and(|until| until <= now));
    if is_over {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    if has_begun {
        *until = Some(print_instant(now));
        put(app, &spec).await?;
    } else {
        edit::<T>(app, name, Write::Remove { kind: T::KIND, name: name.to_owned() }).await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The zone that is stored: only a period needs one.
pub(super) fn zone_of_period(
    app: &App,
    caller: &Caller,
    zone: Option<String>,
    period: Option<&str>,
) -> Option<String> {
    period?;
    zone.or_else(|| app.zone_of(caller).iana_name().map(ToOwned::to_owned))
}
