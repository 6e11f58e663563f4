//! Tokens and one-time sign-in addresses. Administrators only.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use escalation::name::Name;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alert_view::instant;
use super::definitions::Listing;
use crate::definition::{Kind, Lines, Problems};
use crate::http::App;
use crate::http::auth::Admin;
use crate::http::body::{Document, Path};
use crate::http::problem::Problem;
use crate::store::{NewToken, Token};

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenSpec {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100, example = "backup script")]
    name: String,
    /// Whose it is: it may then do what that person may. Without one it is an administrator's.
    #[serde(default)]
    #[schema(max_length = 64)]
    person: Option<String>,
    /// How long it is good for: `1s` to `7d`. Without one until it is revoked.
    #[serde(default)]
    #[schema(example = "7d")]
    expires_in: Option<String>,
}

/// Who is to sign in.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignInSpec {
    /// The person. Without one an administrator.
    #[schema(max_length = 64)]
    person: Option<String>,
}

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    /// The id by which it is revoked.
    id: String,
    /// What it is for.
    name: String,
    /// Whose it is; none: an administrator's.
    person: Option<String>,
    /// When it was made.
    created_at: String,
    /// When it ends.
    expires_at: Option<String>,
}

/// A new token. The secret is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewTokenView {
    /// The token.
    #[serde(flatten)]
    token: TokenView,
    /// The secret, for `Authorization: Bearer`.
    secret: String,
}

/// A one-time sign-in address.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignInView {
    /// To be opened once, within a day.
    url: String,
}

/// The key that webhooks are signed with.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookKeyView {
    /// In the form of the Standard Webhooks specification.
    key: String,
}

impl TokenView {
    fn of(token: &Token) -> Self {
        Self {
            id: token.id.clone(),
            name: token.name.clone(),
            person: token.person.as_ref().map(ToString::to_string),
            created_at: instant(token.created_at),
            expires_at: token.expires_at.map(instant),
        }
    }
}

fn read_person(app: &App, person: Option<&str>, problems: &mut Problems) -> Option<Name> {
    let text = person?;
    let definitions = app.store.definitions();
    if definitions.get(Kind::Person, text).is_none() {
        problems.unknown("person", Kind::Person, text, definitions.names(Kind::Person));
    }
    Name::new(text).ok()
}

/// List tokens, oldest first, without their secrets.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "access", responses((status = 200, body = Listing<TokenView>), (status = 403, body = Problem)))]
async fn list_tokens(_: Admin, State(app): State<App>) -> Response {
    let access = app.store.access();
    let items: Vec<_> = access.tokens().into_iter().map(TokenView::of).collect();
    Json(Listing { items, next_cursor: None }).into_response()
}

/// Make a token.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "access", request_body = TokenSpec, responses(
    (status = 201, body = NewTokenView), (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn create_token(_: Admin, State(app): State<App>, document: Document) -> Result<Response, Problem> {
    let spec: TokenSpec = document.read()?;
    let mut problems = Problems::default();
    problems.text("name", &spec.name, 1..=100, Lines::One);
    let person = read_person(&app, spec.person.as_deref(), &mut problems);
    let expires_in = problems.duration("expires_in".to_owned(), spec.expires_in.as_deref());
    problems.finish().map_err(Problem::invalid)?;
    let (token, secret) = app.store.create_token(NewToken { name: spec.name, person, expires_in }).await?;
    let view = NewTokenView { token: TokenView::of(&token), secret: secret.reveal().to_owned() };
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

/// Revoke a token, at once.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "access", params(("id" = String, Path, max_length = 64)), responses(
    (status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn revoke_token(_: Admin, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    if app.store.revoke_token(id).await? {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Problem::not_found("there is no such token; `dogwatch token list` shows their ids"))
    }
}

/// Make a one-time sign-in address for a browser.
#[utoipa::path(post, path = "/api/v1/sign-ins", tag = "access", request_body = Option<SignInSpec>, responses(
    (status = 201, body = SignInView), (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn create_sign_in(_: Admin, State(app): State<App>, document: Document) -> Result<Response, Problem> {
    let spec: SignInSpec = document.read()?;
    let mut problems = Problems::default();
    let person = read_person(&app, spec.person.as_deref(), &mut problems);
    problems.finish().map_err(Problem::invalid)?;
    let secret = app.store.create_sign_in(person).await?;
    let url = format!("{}{}", app.public_url, crate::web::url::sign_in(secret.reveal()));
    Ok((StatusCode::CREATED, Json(SignInView { url })).into_response())
}

/// The key by which receivers check that a webhook came from here.
#[utoipa::path(get, path = "/api/v1/webhook-key", tag = "access", responses((status = 200, body = WebhookKeyView), (status = 403, body = Problem)))]
async fn get_webhook_key(_: Admin, State(app): State<App>) -> Response {
    Json(WebhookKeyView { key: format!("whsec_{}", STANDARD.encode(&app.webhook_key)) }).into_response()
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(revoke_token))
        .routes(routes!(create_sign_in))
        .routes(routes!(get_webhook_key))
}
