//! Keys of integrations, what they sent, and what to write into each tool. Administrators only, but for what everybody
//! may see. Samples and tests are in `integrations/trial.rs`.

mod trial;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use escalation::name::Name;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alert_view::instant;
use super::definitions::{Listing, missing, read_limit};
use crate::definition::{Kind, Problems};
use crate::http::App;
use crate::http::auth::Admin;
use crate::http::body::{Document, Path, Query};
use crate::http::problem::Problem;
use crate::intake::signature;
use crate::intake::snippet::SNIPPETS;
use crate::store::reception::{Line, Received};
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
pub(super) fn known(app: &App, name: &str) -> Result<Name, Problem> {
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
    let items: Vec<_> = access.live_keys_of(&name, app.clock.now()).map(KeyView::of).collect();
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

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(trial::router())
        .routes(routes!(list_keys, create_key))
        .routes(routes!(revoke_key))
        .routes(routes!(create_signing_key, forget_signing_key))
        .routes(routes!(list_received))
        .routes(routes!(list_snippets))
}
