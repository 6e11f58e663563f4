//! Page a team: what is wrong, how bad, which team; who is woken is shown before anything is sent.

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use escalation::alert::Audience;
use escalation::event::{Severity, Trigger, Via};
use escalation::name::Name;
use sha2::{Digest, Sha256};

use super::ladder::{Ladder, climb, question};
use super::layout::Frame;
use super::{Viewer, error_page, see, show, unavailable, url};
use crate::clock::chance;
use crate::definition::FieldError;
use crate::http::App;
use crate::message::sentence;
use crate::notify::NotifySpec;
use crate::store::{Idempotency, Incoming, Recorded};

/// How grave it is, in words for somebody who has never seen this page.
const GRAVITIES: [(Severity, &str); 4] = [
    (Severity::Critical, "It is down, or people are harmed"),
    (Severity::Error, "Something important does not work"),
    (Severity::Warning, "It will go wrong if nobody looks"),
    (Severity::Info, "Good to know"),
];

/// One choice of several.
struct Choice {
    value: String,
    words: String,
    is_chosen: bool,
}

/// What is shown before it is sent.
struct Review {
    ladder: Ladder,
    team: String,
    severity: &'static str,
    summary: String,
    /// Makes a second press of the same button the same page.
    once: String,
}

#[derive(Template)]
#[template(path = "page_team.html")]
struct PageTeam {
    frame: Frame,
    look: &'static str,
    send: &'static str,
    refused: Vec<String>,
    review: Option<Review>,
    summary: String,
    details: String,
    severities: Vec<Choice>,
    teams: Vec<Choice>,
}

/// What was filled in.
struct Filled {
    team: String,
    summary: String,
    severity: String,
    details: String,
}

impl Filled {
    fn read(form: &str) -> Self {
        let value = |name| url::form_value(form, name).unwrap_or_default();
        Self {
            team: value("team"),
            summary: value("summary").trim().to_owned(),
            severity: value("severity"),
            details: value("details").trim().to_owned(),
        }
    }

    /// The event that it means.
    fn check(&self, app: &App, viewer: &Viewer) -> Result<Trigger, Vec<FieldError>> {
        let definitions = app.store.definitions();
        let team = Name::new(&self.team).ok().filter(|name| definitions.directory().teams.contains_key(name));
        let Some(team) = team else {
            let message = "choose a team that there is".to_owned();
            return Err(vec![FieldError { field: "team".to_owned(), message }]);
        };
        let spec = NotifySpec {
            summary: self.summary.clone(),
            details: Some(self.details.clone()).filter(|details| !details.is_empty()),
            severity: Some(self.severity.clone()).filter(|severity| !severity.is_empty()),
            dedup_key: None,
            links: Vec::new(),
            integration: None,
        };
        let by = app.actor(&viewer.0, Via::Web);
        spec.check(&definitions, Audience::Team(team), by, app.clock.now())
    }

    fn page(&self, app: &App, viewer: &Viewer, refused: Vec<String>, review: Option<Review>) -> Response {
        let definitions = app.store.definitions();
        let directory = definitions.directory();
        let is_only = directory.teams.len() == 1;
        let chosen = if self.severity.is_empty() { Severity::Critical.word() } else { &self.severity };
        let status = if refused.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        let page = PageTeam {
            frame: Frame::still("Page a team", app, viewer),
            look: url::PAGE_TEAM_LOOK,
            send: url::PAGE_TEAM,
            refused,
            review,
            summary: self.summary.clone(),
            details: self.details.clone(),
            severities: GRAVITIES
                .into_iter()
                .map(|(severity, words)| Choice {
                    value: severity.word().to_owned(),
                    words: words.to_owned(),
                    is_chosen: severity.word() == chosen,
                })
                .collect(),
            teams: directory
                .teams
                .values()
                .map(|team| Choice {
                    value: team.name.to_string(),
                    words: team.description.clone(),
                    is_chosen: is_only || team.name.as_str() == self.team,
                })
                .collect(),
        };
        (status, show(&page)).into_response()
    }
}

/// Problems in sentences that name what is on the page.
fn words(errors: Vec<FieldError>) -> Vec<String> {
    let label = |field: &str| match field {
        "summary" => "What is wrong".to_owned(),
        "team" => "Which team".to_owned(),
        "severity" => "How bad is it".to_owned(),
        other => sentence(other),
    };
    errors.into_iter().map(|error| format!("{}: {}.", label(&error.field), error.message)).collect()
}

async fn form(viewer: Viewer, State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    Filled::read(&query.unwrap_or_default()).page(&app, &viewer, Vec::new(), None)
}

/// Shows who would be woken. Nothing is sent.
async fn look(viewer: Viewer, State(app): State<App>, form: String) -> Response {
    let filled = Filled::read(&form);
    let trigger = match filled.check(&app, &viewer) {
        Ok(trigger) => trigger,
        Err(errors) => return filled.page(&app, &viewer, words(errors), None),
    };
    let asked = question(&app, trigger.audience, trigger.severity, app.clock.now());
    let review = climb(&app, asked, None).await.map(|ladder| Review {
        ladder,
        team: filled.team.clone(),
        severity: trigger.severity.word(),
        summary: trigger.summary,
        once: format!("{:016x}", chance()),
    });
    filled.page(&app, &viewer, Vec::new(), review)
}

async fn send(viewer: Viewer, State(app): State<App>, form: String) -> Response {
    let filled = Filled::read(&form);
    let trigger = match filled.check(&app, &viewer) {
        Ok(trigger) => trigger,
        Err(errors) => return filled.page(&app, &viewer, words(errors), None),
    };
    let idempotency =
        url::form_value(&form, "once").filter(|once| (1..=64).contains(&once.len())).map(|once| {
            let who = viewer.0.person.as_ref().map(ToString::to_string).unwrap_or_default();
            Idempotency { key: format!("web/{who}/{once}"), request: Sha256::digest(form.as_bytes()).into() }
        });
    let recorded = app.store.record(Incoming { trigger, idempotency }).await;
    app.metrics.event(recorded.is_ok());
    match recorded {
        Ok(Recorded::Alert(alert)) => see(&url::alert(alert.number)),
        Ok(Recorded::NoAudience) => {
            let gone = vec!["Nobody was paged: the team has been removed. Choose another one.".to_owned()];
            filled.page(&app, &viewer, gone, None)
        }
        Ok(Recorded::KeyReused) => error_page(
            409,
            "This was sent already",
            "The page you came from has been used for something else. Begin anew from \"Page a team\".",
        ),
        Err(error) => unavailable(&error),
    }
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route(url::PAGE_TEAM, get(form))
        .route(url::PAGE_TEAM, post(send))
        .route(url::PAGE_TEAM_LOOK, post(look))
}
