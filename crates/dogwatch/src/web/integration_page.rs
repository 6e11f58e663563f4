//! One integration: its keys, what to write into each tool, a test event, and what came last with what was made of it.
//! For administrators. Its forms are in `integration_forms.rs`.

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use escalation::name::Name;

use super::layout::Frame;
use super::when::Times;
use super::{AdminViewer, Place, error_page, show, unavailable, url};
use crate::definition::{Definitions, Kind};
use crate::http::App;
use crate::intake::signature;
use crate::intake::snippet::SNIPPETS;
use crate::message::sentence;
use crate::secret::Secret;
use crate::store::IntegrationKey;
use crate::store::reception::{KEPT, Line, Received};

/// The requests that are shown at first.
const SHOWN: usize = 20;
/// What stands for the key where it is not known any more.
const ANY_KEY: &str = "KEY";

/// What has just been done.
pub(super) enum Said {
    Nothing,
    /// A key was made: it is shown this once.
    NewKey(Secret),
    /// A key was revoked.
    Revoked,
    /// A test event made this alert.
    Tested(u64),
    /// It was not done.
    Refused(String),
}

struct KeyRow {
    ending: String,
    made: String,
    ends: String,
    revoke: String,
}

struct ToolRow {
    title: String,
    text: String,
}

struct EventRow {
    /// The alert's number and address.
    alert: Option<(u64, String)>,
    text: String,
}

struct RequestRow {
    at: String,
    format: String,
    size: u64,
    refused: String,
    events: Vec<EventRow>,
    raw: String,
    is_cut: bool,
}

#[derive(Template)]
#[template(path = "integration.html")]
struct IntegrationPage {
    frame: Frame,
    name: String,
    all: &'static str,
    team: String,
    description: String,
    is_signed: bool,
    keys: Vec<KeyRow>,
    new_key: String,
    rotate: String,
    test: String,
    said: String,
    /// The address of the alert that a test has made.
    tested: Option<String>,
    refused: String,
    tools: Vec<ToolRow>,
    requests: Vec<RequestRow>,
    /// Where all that are kept are shown, if there may be more.
    more: Option<String>,
}

/// The integration of this name.
pub(super) fn known(definitions: &Definitions, name: &str) -> Option<Name> {
    definitions.integration(name).map(|integration| integration.name.clone())
}

pub(super) fn no_such_integration() -> Response {
    error_page(
        404,
        "There is no such integration",
        "It may have been removed. `dogwatch integration list` shows all.",
    )
}

impl KeyRow {
    fn of(key: &IntegrationKey, times: &Times) -> Self {
        Self {
            ending: key.ending.clone(),
            made: times.exactly(key.created_at),
            ends: key.expires_at.map(|end| times.exactly(end)).unwrap_or_default(),
            revoke: url::revoke_key(key.integration.as_str(), &key.id),
        }
    }
}

impl RequestRow {
    fn of(received: Received, times: &Times) -> Self {
        let event = |line: Line| EventRow {
            alert: line.alert.map(|number| (number, url::alert(number))),
            text: line.text,
        };
        Self {
            at: times.exactly(received.at),
            format: received.format,
            size: received.size,
            refused: received.outcome.refused.unwrap_or_default(),
            events: received.outcome.events.into_iter().map(event).collect(),
            is_cut: received.size > received.raw.len() as u64,
            raw: received.raw,
        }
    }
}

/// The page, with what was done. `all`: with every request that is kept.
pub(super) async fn render(app: &App, viewer: &AdminViewer, name: &Name, said: Said, all: bool) -> Response {
    let most = if all { usize::try_from(KEPT).unwrap_or(usize::MAX) } else { SHOWN };
    let received = match app.store.received(name.clone(), most).await {
        Ok(received) => received,
        Err(error) => return unavailable(&error),
    };
    let (access, now, definitions) = (app.store.access(), app.clock.now(), app.store.definitions());
    let times = Times::new(&viewer.0.zone(app), now);
    let Some(defined) = definitions.get(Kind::Integration, name.as_str()) else {
        return no_such_integration();
    };
    let text = |field: &str| defined.body[field].as_str().unwrap_or_default().to_owned();
    let mut page = IntegrationPage {
        frame: Frame::still(format!("Integration {name}"), app, &viewer.0),
        name: name.to_string(),
        all: url::INTEGRATIONS,
        team: text("team"),
        description: text("description"),
        is_signed: access.secret(&signature::key_name(name.as_str())).is_some(),
        keys: access.live_keys_of(name.as_str(), now).map(|key| KeyRow::of(key, &times)).collect(),
        new_key: String::new(),
        rotate: url::integration_act(name.as_str(), "keys"),
        test: url::integration_act(name.as_str(), "test"),
        said: String::new(),
        tested: None,
        refused: String::new(),
        tools: Vec::new(),
        more: (!all && received.len() == SHOWN).then(|| format!("{}?all=1", url::integration(name.as_str()))),
        requests: received.into_iter().map(|received| RequestRow::of(received, &times)).collect(),
    };
    match said {
        Said::Nothing => {}
        Said::NewKey(secret) => page.new_key = secret.reveal().to_owned(),
        Said::Revoked => page.said = "The key is revoked: what is sent with it is refused.".to_owned(),
        Said::Tested(number) => {
            page.said = format!("The test event is alert #{number}: whoever is on call is being paged.");
            page.tested = Some(url::alert(number));
        }
        Said::Refused(why) => page.refused = why,
    }
    let key = if page.new_key.is_empty() { ANY_KEY } else { &page.new_key };
    page.tools = SNIPPETS
        .iter()
        .map(|snippet| ToolRow { title: sentence(snippet.title), text: snippet.text(&app.public_url, key) })
        .collect();
    show(&page)
}

async fn look(
    viewer: AdminViewer,
    State(app): State<App>,
    Place(name): Place<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(name) = known(&app.store.definitions(), &name) else { return no_such_integration() };
    let query = query.unwrap_or_default();
    let all = url::form_value(&query, "all").is_some();
    // The address remembers what was done; somebody may open it by hand.
    let said = match url::form_value(&query, "did").as_deref() {
        Some("revoked") => Said::Revoked,
        Some(did) => did
            .strip_prefix("tested.")
            .and_then(|number| number.parse().ok())
            .map_or(Said::Nothing, Said::Tested),
        None => Said::Nothing,
    };
    render(&app, &viewer, &name, said, all).await
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/integrations/{name}", get(look))
}
