//! Keys of integrations, what they sent, samples, tests, and what to write into each tool. Administrators only, but
//! for what everybody may see.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use escalation::name::Name;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alert_view::{AlertView, instant};
use super::definitions::{Listing, missing, read_limit};
use crate::definition::integration::mapping::MappingSpec;
use crate::definition::{IntegrationSpec, Kind, Lines, Problems, nearest};
use crate::http::App;
use crate::http::auth::Admin;
use crate::http::body::{Document, Query};
use crate::http::problem::Problem;
use crate::intake::arrival::Scene;
use crate::intake::event::{Act, Event};
use crate::intake::snippet::SNIPPETS;
use crate::intake::{Format, arrival, signature, trial};
use crate::store::reception::{Became, Line, Received, Reception};
use crate::store::{Caller, IntegrationKey};

/// A key to be made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeySpec {
    /// How long the keys that there are go on: `1s` to `7d`. Without it they go on until they are revoked.
    #[schema(example = "1d")]
    overlap: Option<String>,
}

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyView {
    /// The id by which it is revoked.
    id: String,
    /// Its last characters.
    ending: String,
    /// When it was made.
    created_at: String,
    /// When it ends, because a newer one has taken its place.
    expires_at: Option<String>,
}

/// A new key. The secret is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewKeyView {
    /// The key.
    #[serde(flatten)]
    key: KeyView,
    /// The secret: what is written into the sender.
    secret: String,
}

/// The key that Grafana signs its webhooks with.
#[derive(Debug, Serialize, ToSchema)]
pub struct SigningKeyView {
    /// The HMAC secret of the contact point. It is shown this once.
    secret: String,
}

/// A request, as it came.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReceivedView {
    /// When.
    at: String,
    /// Its id.
    request: String,
    /// In which format.
    format: String,
    /// Its first 16 KiB, without the key.
    raw: String,
    /// How large it was, in bytes.
    size: u64,
    /// Why nothing was made of it, if that is so.
    refused: Option<String>,
    /// What became of each of its events.
    events: Vec<ReceivedEventView>,
}

/// What became of one event.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReceivedEventView {
    /// The number of the alert that it is on.
    alert: Option<u64>,
    /// What was done, in words.
    text: String,
}

/// What to write into the configuration of a tool.
#[derive(Debug, Serialize, ToSchema)]
pub struct SnippetView {
    /// The tool.
    tool: String,
    /// What it is and where to write it.
    title: String,
    /// What to write; `KEY` stands for the key.
    text: String,
}

/// How many requests.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Limit {
    /// How many at most: 1 to 200, default 100.
    #[param(minimum = 1, maximum = 200, value_type = Option<u32>)]
    limit: Option<String>,
}

/// A sample to be tried. Nothing is stored, nobody is paged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrySpec {
    /// The format: `pagerduty`, `pagerduty-change`, `pagerduty-v1`, `opsgenie`, `victorops`, `alertmanager`, `grafana`,
    /// `formatted_webhook`, `zabbix`, `nagios` or `generic`.
    #[schema(example = "generic")]
    format: String,
    /// What the sender would post.
    sample: Value,
    /// An integration that there is, or would be. Without it: one without rules.
    #[serde(default)]
    integration: Option<TriedIntegration>,
    /// A mapping in place of the integration's.
    #[serde(default)]
    mapping: Option<MappingSpec>,
}

/// By its name, or as it would be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum TriedIntegration {
    /// One that there is.
    Name(String),
    /// One that is not saved yet.
    Spec(Box<IntegrationSpec>),
}

/// What would become of one event.
#[derive(Debug, Serialize, ToSchema)]
pub struct TriedView {
    /// `trigger`, `acknowledge`, `resolve` and so on; or why nothing would be done.
    act: String,
    /// What makes it the same problem.
    key: String,
    /// What is wrong.
    summary: String,
    /// Anything more.
    details: String,
    /// How grave it is.
    severity: &'static str,
    /// What it means for people now: `high`, `low`, or nothing for what pages nobody.
    urgency: &'static str,
    /// The team that would get it.
    team: Option<String>,
    /// The escalation plan, if a rule names one.
    plan: Option<String>,
    /// The rule that was followed, from 1; none: no rule fits.
    rule: Option<usize>,
    /// The addresses of its links.
    links: Vec<String>,
}

/// A test event.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TestSpec {
    /// `critical`, `error`, `warning` or `info` (the default).
    severity: Option<String>,
}

impl KeyView {
    fn of(key: &IntegrationKey) -> Self {
        Self {
            id: key.id.clone(),
            ending: key.ending.clone(),
            created_at: instant(key.created_at),
            expires_at: key.expires_at.map(instant),
        }
    }
}

impl ReceivedView {
    fn of(received: Received) -> Self {
        let event = |line: Line| ReceivedEventView { alert: line.alert, text: line.text };
        Self {
            at: instant(received.at),
            request: received.request,
            format: received.format,
            raw: received.raw,
            size: received.size,
            refused: received.outcome.refused,
            events: received.outcome.events.into_iter().map(event).collect(),
        }
    }
}

/// The name of an integration that there is.
fn known(app: &App, name: &str) -> Result<Name, Problem> {
    let gone = || missing(app, Kind::Integration, name);
    let known = Name::new(name).map_err(|_| gone())?;
    app.store.definitions().integration(name).ok_or_else(gone)?;
    Ok(known)
}

/// List the keys of an integration, oldest first, without their secrets.
#[utoipa::path(get, path = "/api/v1/integrations/{name}/keys", tag = "integrations", params(("name" = String, Path, max_length = 64)),
    responses((status = 200, body = Listing<KeyView>), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn list_keys(_: Admin, State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
    known(&app, &name)?;
    let access = app.store.access();
    let now = app.clock.now();
    let live = access.keys_of(&name).into_iter().filter(|key| key.expires_at.is_none_or(|end| now < end));
    let items: Vec<_> = live.map(KeyView::of).collect();
    Ok(Json(Listing { items, next_cursor: None }).into_response())
}

/// Make a key. With `overlap` the others end then: senders are changed one after another.
#[utoipa::path(post, path = "/api/v1/integrations/{name}/keys", tag = "integrations", params(("name" = String, Path, max_length = 64)),
    request_body = Option<KeySpec>, responses((status = 201, body = NewKeyView), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 422, body = Problem)))]
async fn create_key(
    _: Admin,
    State(app): State<App>,
    Path(name): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let spec: KeySpec = document.read()?;
    let name = known(&app, &name)?;
    let mut problems = Problems::default();
    let overlap = problems.duration("overlap".to_owned(), spec.overlap.as_deref());
    problems.finish().map_err(Problem::invalid)?;
    let (key, secret) = app.store.create_integration_key(name, overlap).await?;
    let view = NewKeyView { key: KeyView::of(&key), secret: secret.reveal().to_owned() };
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

/// Revoke a key, at once.
#[utoipa::path(delete, path = "/api/v1/integrations/{name}/keys/{id}", tag = "integrations",
    params(("name" = String, Path, max_length = 64), ("id" = String, Path, max_length = 64)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn revoke_key(
    _: Admin,
    State(app): State<App>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let name = known(&app, &name)?;
    if app.store.revoke_integration_key(name, id).await? {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Problem::not_found(
            "the integration has no such key; `dogwatch integration keys` shows their ids",
        ))
    }
}

/// Make the key that Grafana signs its webhooks with. From now on this integration takes nothing else.
#[utoipa::path(post, path = "/api/v1/integrations/{name}/signing-key", tag = "integrations", params(("name" = String, Path, max_length = 64)),
    responses((status = 201, body = SigningKeyView), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn create_signing_key(
    _: Admin,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let name = known(&app, &name)?;
    let secret = crate::secret::Secret::new("");
    let bytes = secret.reveal().as_bytes().to_vec();
    app.store.set_secret(signature::key_name(name.as_str()), bytes).await?;
    let view = SigningKeyView { secret: secret.reveal().to_owned() };
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

/// Forget that key: unsigned requests are taken again.
#[utoipa::path(delete, path = "/api/v1/integrations/{name}/signing-key", tag = "integrations", params(("name" = String, Path, max_length = 64)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn forget_signing_key(
    _: Admin,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let name = known(&app, &name)?;
    if app.store.forget_secret(signature::key_name(name.as_str())).await? {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Problem::not_found("the integration has no signing key"))
    }
}

/// What an integration sent last, newest first, and what was made of it. The last 200 requests are kept.
#[utoipa::path(get, path = "/api/v1/integrations/{name}/received", tag = "integrations", params(("name" = String, Path, max_length = 64), Limit),
    responses((status = 200, body = Listing<ReceivedView>), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn list_received(
    _: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Query(limit): Query<Limit>,
) -> Result<Response, Problem> {
    let name = known(&app, &name)?;
    let limit = read_limit(limit.limit.as_deref())?;
    let items = app.store.received(name, limit).await?;
    let items: Vec<_> = items.into_iter().map(ReceivedView::of).collect();
    Ok(Json(Listing { items, next_cursor: None }).into_response())
}

/// What to write into the configuration of each tool.
#[utoipa::path(get, path = "/api/v1/integrations/{name}/snippets", tag = "integrations", params(("name" = String, Path, max_length = 64)),
    responses((status = 200, body = Listing<SnippetView>), (status = 404, body = Problem)))]
async fn list_snippets(
    _: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    known(&app, &name)?;
    let view = |snippet: crate::intake::snippet::Snippet| SnippetView {
        tool: snippet.tool.to_owned(),
        title: snippet.title.to_owned(),
        text: snippet.text(&app.public_url, "KEY"),
    };
    Ok(Json(Listing { items: SNIPPETS.map(view).into(), next_cursor: None }).into_response())
}

/// Try a sample: what would become of it, by an integration that there is or one that is not saved yet.
#[utoipa::path(post, path = "/api/v1/integration-trials", tag = "integrations", request_body = TrySpec,
    responses((status = 200, body = Listing<TriedView>), (status = 422, body = Problem)))]
async fn try_sample(_: Caller, State(app): State<App>, document: Document) -> Result<Response, Problem> {
    let spec: TrySpec = document.read()?;
    let mut problems = Problems::default();
    let format = Format::ALL.into_iter().find(|format| format.word() == spec.format);
    if format.is_none() {
        let words = Format::ALL.map(Format::word);
        let near = nearest(&spec.format, words.into_iter());
        let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        problems.add("format", format_args!("is one of {}{hint}", words.join(", ")));
    }
    let mapping = spec.mapping.as_ref().and_then(|mapping| mapping.shape(&mut problems));
    problems.finish().map_err(Problem::invalid)?;
    let definitions = app.store.definitions();
    let mut integration = match spec.integration {
        Some(TriedIntegration::Name(name)) => {
            let found = definitions.integration(&name);
            found.ok_or_else(|| missing(&app, Kind::Integration, &name))?.as_ref().clone()
        }
        Some(TriedIntegration::Spec(spec)) => {
            let inside = |errors: Vec<crate::definition::FieldError>| {
                let inside = errors.into_iter().map(|error| crate::definition::FieldError {
                    field: format!("integration.{}", error.field),
                    message: error.message,
                });
                Problem::invalid(inside.collect())
            };
            let body = serde_json::to_value(&spec).unwrap_or_default();
            definitions.check(Kind::Integration, body, app.clock.now()).map_err(inside)?;
            spec.shape().map_err(inside)?
        }
        None => {
            let name =
                Name::new("sample").map_err(|error| Problem::field("integration", error.to_string()))?;
            crate::definition::Integration {
                team: name.clone(),
                name,
                acknowledge: None,
                severities: Default::default(),
                group_by: Vec::new(),
                rules: Vec::new(),
                mapping: None,
            }
        }
    };
    integration.mapping = mapping.or(integration.mapping);
    // The find above has failed if there is no format.
    let format = format.unwrap_or(Format::Generic);
    let events = trial::read(format, &spec.sample, integration.mapping.as_ref())
        .map_err(|wrong| Problem::field("sample", wrong))?;
    let scene =
        Scene { integration: &integration, format, directory: definitions.directory(), now: app.clock.now() };
    let items: Vec<_> = events.into_iter().map(|event| TriedView::of(trial::tell(scene, event))).collect();
    Ok(Json(Listing { items, next_cursor: None }).into_response())
}

impl TriedView {
    fn of(tried: trial::Tried) -> Self {
        let trial::Tried { act, key, summary, details, severity, urgency, team, plan, rule, links } = tried;
        Self { act, key, summary, details, severity, urgency, team, plan, rule, links }
    }
}

/// Send a test event, as if the sender had: whoever is on call is paged, until somebody answers.
#[utoipa::path(post, path = "/api/v1/integrations/{name}/test", tag = "integrations", params(("name" = String, Path, max_length = 64)),
    request_body = Option<TestSpec>, responses((status = 201, body = AlertView), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem, description = "A rule says that nobody is to hear of it."), (status = 422, body = Problem)))]
async fn send_test(
    Admin(caller): Admin,
    State(app): State<App>,
    Path(name): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let spec: TestSpec = document.read()?;
    let name = known(&app, &name)?;
    let mut problems = Problems::default();
    let severity = spec.severity.unwrap_or_else(|| "info".to_owned());
    problems.text("severity", &severity, 1..=50, Lines::One);
    problems.finish().map_err(Problem::invalid)?;
    let definitions = app.store.definitions();
    let Some(integration) = definitions.integration(name.as_str()) else {
        return Err(missing(&app, Kind::Integration, name.as_str()));
    };
    let now = app.clock.now();
    let label = caller.label(definitions.directory());
    let mut event = Event::new(Act::Trigger, None, Value::Null);
    event.summary = format!("TEST of {name}, sent by {label}");
    event.severity = Some(severity);
    let scene = Scene { integration, format: Format::Generic, directory: definitions.directory(), now };
    let once = || format!("test-{:012x}-{:016x}", now.as_millisecond(), crate::clock::chance());
    let decided = arrival::decide(scene, event.tidy(), None, once);
    let reception = Reception {
        integration: name,
        format: "test",
        request: format!("test-{:016x}", crate::clock::chance()),
        raw: String::new(),
        size: 0,
        arrivals: decided.arrivals,
        refused: None,
    };
    match app.store.receive(reception).await?.pop() {
        Some(Became::Alert(alert, _)) => {
            Ok((StatusCode::CREATED, Json(AlertView::of(&alert, &app.public_url))).into_response())
        }
        Some(Became::Nothing(why)) => Err(Problem::conflict(why)),
        _ => Err(Problem::conflict("the team that it is for is no more")),
    }
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_keys, create_key))
        .routes(routes!(revoke_key))
        .routes(routes!(create_signing_key, forget_signing_key))
        .routes(routes!(list_received))
        .routes(routes!(list_snippets))
        .routes(routes!(try_sample))
        .routes(routes!(send_test))
}
