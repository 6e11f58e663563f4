//! Rehearse: an alert that never was, played by the real machine; and the worst hour of the week.
//!
//! Nothing is stored and nothing is sent. The form is a GET: an address is a rehearsal that can be passed on.

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use escalation::alert::Audience;
use escalation::name::Name;
use jiff::tz::TimeZone;

use super::alert_story::of_film;
use super::layout::Frame;
use super::rehearse_heat::{Heat, heat};
use super::story_picture::StoryPicture;
use super::{Viewer, show, url};
use crate::definition::time::show_length;
use crate::definition::{Definitions, FieldError};
use crate::http::App;
use crate::message::sentence;
use crate::rehearsal::{self, AnswerSpec, Film, Question, QuestionSpec};

/// One thing that happens.
struct Scene {
    after: String,
    at: String,
    text: String,
    why: String,
    is_trouble: bool,
}

/// What is shown of a film.
struct Shown {
    end: String,
    is_answered: bool,
    begin: String,
    first: String,
    picture: Option<StoryPicture>,
    scenes: Vec<Scene>,
}

#[derive(Template)]
#[template(path = "rehearse.html")]
struct RehearsePage {
    frame: Frame,
    action: &'static str,
    refused: Vec<String>,
    teams: Vec<String>,
    team: String,
    at: String,
    severity: String,
    people: Vec<(String, String)>,
    person: String,
    after: String,
    down: String,
    shown: Option<Shown>,
    week_path: String,
    heat: Option<Heat>,
}

/// What was filled in.
struct Filled {
    team: String,
    spec: QuestionSpec,
    is_week: bool,
}

impl Filled {
    fn read(query: &str) -> Self {
        let value = |name| {
            url::form_value(query, name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        let answer = value("person")
            .map(|person| AnswerSpec { person, after: value("after").unwrap_or_else(|| "1m".to_owned()) });
        let down = value("down").unwrap_or_default();
        Self {
            team: value("team").unwrap_or_default(),
            spec: QuestionSpec {
                at: value("at"),
                severity: value("severity"),
                alerts: None,
                answers: answer.into_iter().collect(),
                down: down.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect(),
            },
            is_week: value("week").is_some(),
        }
    }

    fn query(&self) -> String {
        let answer = self.spec.answers.first();
        let down = self.spec.down.join(" ");
        let pairs = [
            ("team", self.team.as_str()),
            ("at", self.spec.at.as_deref().unwrap_or_default()),
            ("severity", self.spec.severity.as_deref().unwrap_or_default()),
            ("person", answer.map_or("", |answer| answer.person.as_str())),
            ("after", answer.map_or("", |answer| answer.after.as_str())),
            ("down", down.as_str()),
        ];
        url::query(pairs.into_iter().filter(|(_, value)| !value.is_empty()))
    }

    fn question(&self, definitions: &Definitions, app: &App) -> Result<Question, Vec<FieldError>> {
        let known =
            Name::new(&self.team).ok().filter(|name| definitions.directory().teams.contains_key(name));
        let team = known.ok_or_else(|| {
            let message = "there is no such team; choose one of the list".to_owned();
            vec![FieldError { field: "team".to_owned(), message }]
        })?;
        self.spec.read(definitions, Audience::Team(team), app.clock.now())
    }
}

/// `at once`, `after 45 s`.
fn after(seconds: u64) -> String {
    let length = jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    if seconds == 0 { "at once".to_owned() } else { format!("after {}", show_length(length)) }
}

fn tell(film: &Film, definitions: &Definitions) -> Shown {
    let zone = rota::zone::find(&film.zone).unwrap_or(TimeZone::UTC);
    let clock = |at: jiff::Timestamp| at.to_zoned(zone.clone()).strftime("%a %H:%M:%S").to_string();
    let short = |at: jiff::Timestamp| at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string();
    let scenes = film.scenes.iter().map(|scene| Scene {
        after: after(scene.after),
        at: clock(scene.at),
        text: scene.text.clone(),
        why: scene.why.clone().unwrap_or_default(),
        is_trouble: scene.is_trouble,
    });
    Shown {
        end: format!("{}, {}.", film.end.text, after(film.end.after)),
        is_answered: film.end.state == "acknowledged",
        begin: film.at.to_zoned(zone.clone()).strftime("%A, %-d %B %Y, %H:%M").to_string() + " " + &film.zone,
        first: match film.first_page_after {
            Some(seconds) => format!("The first message reaches somebody {}.", after(seconds)),
            None => "No message reaches anybody.".to_owned(),
        },
        picture: of_film(film, definitions.directory(), short),
        scenes: scenes.collect(),
    }
}

async fn page(viewer: Viewer, State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    let mut filled = Filled::read(&query.unwrap_or_default());
    let definitions = app.store.definitions();
    let directory = definitions.directory();
    let is_asked = !filled.team.is_empty();
    let own = || {
        let of = |person: &Name| directory.teams.values().find(|team| team.members.contains(person));
        let own = viewer.0.person.as_ref().and_then(of);
        own.or_else(|| directory.teams.values().next()).map(|team| team.name.to_string())
    };
    if !is_asked {
        filled.team = own().unwrap_or_default();
    }
    let (mut refused, mut shown, mut week) = (Vec::new(), None, None);
    if is_asked {
        match filled.question(&definitions, &app) {
            Ok(question) => {
                let (held, is_week) = (definitions.clone(), filled.is_week);
                let played = tokio::task::spawn_blocking(move || {
                    let shown = tell(&rehearsal::rehearse(&held, &question), &held);
                    (shown, is_week.then(|| rehearsal::week(&held, &question)))
                });
                if let Ok((told, hours)) = played.await {
                    (shown, week) = (Some(told), hours);
                }
            }
            Err(errors) => {
                let words = errors.into_iter();
                refused =
                    words.map(|error| format!("{}: {}.", sentence(&error.field), error.message)).collect();
            }
        }
    }
    let query = filled.query();
    let answer = filled.spec.answers.first();
    show(&RehearsePage {
        frame: Frame::still("Rehearse", &app, &viewer),
        action: url::REHEARSE,
        refused,
        teams: directory.teams.keys().map(ToString::to_string).collect(),
        at: filled.spec.at.clone().unwrap_or_default(),
        severity: filled.spec.severity.clone().unwrap_or_else(|| "critical".to_owned()),
        people: directory
            .people
            .keys()
            .map(|name| (name.to_string(), directory.full_name(name).to_owned()))
            .collect(),
        person: answer.map(|answer| answer.person.clone()).unwrap_or_default(),
        after: answer.map_or_else(|| "1m".to_owned(), |answer| answer.after.clone()),
        down: filled.spec.down.join(" "),
        shown,
        week_path: format!("{}?{query}&week=on", url::REHEARSE),
        heat: week.map(|week| heat(&week, &filled.team)),
        team: filled.team,
    })
}

pub(super) fn router() -> Router<App> {
    Router::new().route(url::REHEARSE, get(page))
}
