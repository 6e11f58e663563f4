//! The forms of a schedule's page: take it, cover, end, hand back. Each posts, and leads back to the page.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::post;
use jiff::Timestamp;

use super::on_call::full_name;
use super::schedule_page::{Said, no_such_schedule, render};
use super::schedule_view::View;
use super::{Place, Viewer, error_page, no_such_page, see, unavailable, url};
use crate::definition::time::parse_moment;
use crate::definition::{FieldError, Lies, OverrideSpec};
use crate::duty::Roster;
use crate::http::App;
use crate::message::sentence;
use crate::takeover::{self, HandBack, Refusal, Take, Until};

/// A form that was sent, and from where.
struct Sent<'a> {
    app: &'a App,
    viewer: &'a Viewer,
    over: Lies,
    query: String,
    form: String,
    view: View,
    role: String,
    now: Timestamp,
}

impl Sent<'_> {
    fn value(&self, name: &str) -> Option<String> {
        url::form_value(&self.form, name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Who is named, or the viewer.
    fn person(&self) -> String {
        let own = || self.viewer.0.person.as_ref().map(ToString::to_string);
        self.value("person").or_else(own).unwrap_or_default()
    }

    /// A time as clocks in the zone of the page show it.
    fn time(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        let Some(text) = self.value(name) else { return Ok(None) };
        parse_moment(&text, &self.view.zone)
            .map(Some)
            .map_err(|message| Refusal::Invalid(vec![FieldError { field: name.to_owned(), message }]))
    }

    fn taken(&self, from: Option<Timestamp>, until: Until, instead_of: Option<String>) -> Take {
        Take {
            over: self.over.clone(),
            role: self.role.clone(),
            person: self.person(),
            from,
            until,
            instead_of,
            reason: self.value("reason").unwrap_or_default(),
            by: self.viewer.0.clone(),
        }
    }

    async fn take(&self) -> Result<String, Refusal> {
        let until = match self.value("until").as_deref() {
            Some("release") => Until::Released,
            Some("time") => Until::At(self.time("time")?.ok_or_else(|| missing("time"))?),
            _ => Until::NextHandoff,
        };
        let take = self.taken(None, until, None);
        takeover::take_over(&self.app.store, self.now, take).await.map(|spec| spec.name)
    }

    async fn cover(&self) -> Result<String, Refusal> {
        let from = self.time("from")?.ok_or_else(|| missing("from"))?;
        let until = self.time("until")?.ok_or_else(|| missing("until"))?;
        let take = self.taken(Some(from), Until::At(until), self.value("instead_of"));
        takeover::cover(&self.app.store, self.now, take).await.map(|spec| spec.name)
    }

    async fn hand_back(&self) -> Result<String, Refusal> {
        let back = HandBack {
            over: self.over.clone(),
            role: self.role.clone(),
            person: self.person(),
            by: self.viewer.0.clone(),
        };
        let ended: Vec<OverrideSpec> = takeover::hand_back(&self.app.store, self.now, back).await?;
        Ok(ended.into_iter().next_back().map(|spec| spec.name).unwrap_or_default())
    }

    async fn end(&self, name: &str) -> Result<String, Refusal> {
        if !self.app.store.definitions().overrides(&self.over).iter().any(|spec| spec.name == name) {
            return Err(Refusal::Missing);
        }
        takeover::end(&self.app.store, self.now, name, &self.viewer.0).await.map(|spec| spec.name)
    }

    /// Why it was not done, in a sentence that names people as people do.
    fn words(&self, errors: &[FieldError]) -> String {
        let definitions = self.app.store.definitions();
        let told = errors.iter().map(|FieldError { field, message }| {
            let name = if field == "person" { Some(self.person()) } else { self.value(field) };
            let is_known = |name: &String| definitions.directory().people.contains_key(name.as_str());
            match name.filter(is_known).filter(|_| matches!(field.as_str(), "person" | "instead_of")) {
                Some(name) => format!("{} {message}.", full_name(definitions.directory(), &name)),
                None if message.starts_with(['"', 't', 'n']) => format!("{}.", sentence(message)),
                None => format!("\"{}\" {message}.", sentence(field)),
            }
        });
        format!("Nothing was changed. {}", told.collect::<Vec<_>>().join(" "))
    }

    async fn answer(self, done: Result<String, Refusal>) -> Response {
        let (status, words) = match done {
            Ok(name) => {
                let did = url::query([("did", name.as_str())]);
                return see(&format!("{}?{}&{did}", url::roster(&self.over), self.view.query()));
            }
            Err(Refusal::Store(error)) => return unavailable(&error),
            Err(Refusal::Missing) => {
                return error_page(
                    404,
                    "There is no such override",
                    "Somebody has cancelled it; look at the schedule again.",
                );
            }
            Err(Refusal::Forbidden(words)) => (403, words.to_owned()),
            Err(Refusal::Invalid(errors)) => (422, self.words(&errors)),
            Err(error @ Refusal::Busy) => (409, sentence(&error.to_string())),
        };
        render(self.app, self.viewer, self.over, &self.query, Said::Refused(status, words)).await
    }
}

fn missing(field: &str) -> Refusal {
    Refusal::Invalid(vec![FieldError {
        field: field.to_owned(),
        message: "is missing; write a time".to_owned(),
    }])
}

/// What a form asks for.
enum Act {
    Take,
    Cover,
    HandBack,
    End(String),
}

impl Act {
    fn read(verb: &str) -> Option<Self> {
        match verb {
            "take" => Some(Self::Take),
            "cover" => Some(Self::Cover),
            "hand-back" => Some(Self::HandBack),
            _ => None,
        }
    }
}

async fn act(
    app: App,
    viewer: Viewer,
    over: Lies,
    act: Act,
    query: Option<String>,
    form: String,
) -> Response {
    let query = query.unwrap_or_default();
    let now = app.clock.now();
    let Some(roster) = Roster::current(&app.store.definitions(), over.clone()) else {
        return no_such_schedule();
    };
    let view = View::read(&query, &viewer, &app, roster.zone(), now);
    let role = url::form_value(&query, "role").unwrap_or_else(|| roster.default_role().to_string());
    let sent = Sent { app: &app, viewer: &viewer, over, query, form, view, role, now };
    let done = match act {
        Act::Take => sent.take().await,
        Act::Cover => sent.cover().await,
        Act::HandBack => sent.hand_back().await,
        Act::End(name) => sent.end(&name).await,
    };
    sent.answer(done).await
}

/// The addresses of the forms of a schedule, or of a team without one.
fn routes(base: &str, over: fn(String) -> Lies) -> Router<App> {
    type Named = Place<(String, String)>;
    let any =
        async move |viewer: Viewer, State(app): State<App>, at: Named, query: RawQuery, form: String| {
            let Place((name, verb)) = at;
            match Act::read(&verb) {
                Some(what) => act(app, viewer, over(name), what, query.0, form).await,
                None => no_such_page(),
            }
        };
    let end = async move |viewer: Viewer, State(app): State<App>, at: Named, query: RawQuery| {
        let Place((name, id)) = at;
        act(app, viewer, over(name), Act::End(id), query.0, String::new()).await
    };
    Router::new()
        .route(&format!("{base}/{{verb}}"), post(any))
        .route(&format!("{base}/overrides/{{id}}/end"), post(end))
}

pub(super) fn router() -> Router<App> {
    routes("/schedules/{name}", Lies::Schedule).merge(routes("/teams/{name}/on-call", Lies::Team))
}
