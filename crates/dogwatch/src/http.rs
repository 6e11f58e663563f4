//! The server: who is let in, how big and how deep a request may be, and what every answer carries.
//!
//! Mounts the API and the pages. It decides nothing about alerts.

pub mod auth;
pub mod body;
pub mod problem;

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Request;
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use escalation::contact::Kind;
use tower_http::catch_panic::CatchPanicLayer;

use crate::callback::Callbacks;
use crate::channel::Channels;
use crate::clock::Clock;
use crate::cluster::patroni::Patroni;
use crate::config::provider::Provider;
use crate::intake::guesses::Guesses;
use crate::intake::limits::Limits;
use crate::message::template::Templates;
use crate::reply::AnswerLinks;
use crate::shutdown::Shutdown;
use crate::store::Store;
use crate::telemetry::Metrics;
use problem::Problem;

/// What every handler may use. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The store.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Answer addresses.
    pub links: AnswerLinks,
    /// What is counted.
    pub metrics: Metrics,
    /// How fast keys may send.
    pub limits: Limits,
    /// Who sends wrong keys.
    pub guesses: Guesses,
    /// The address that people use, without a slash at its end.
    pub public_url: Arc<str>,
    /// The providers that may call us back.
    pub callbacks: Arc<Callbacks>,
    /// The public key that browsers are given for push messages.
    pub push_key: Arc<str>,
    /// The key that webhooks are signed with.
    pub webhook_key: Arc<[u8]>,
    /// Providers of calls and short messages, which call back.
    pub providers: Arc<[Provider]>,
    /// Where Patroni answers, if the database is its.
    pub patroni: Patroni,
    /// Live pages end when the service does.
    pub shutdown: Shutdown,
    /// The kinds of contact that something is set up for.
    pub kinds: Arc<[Kind]>,
    /// What carries messages, to be asked how its providers are doing.
    pub channels: Channels,
    /// Words of the operators in the place of ours.
    pub templates: Templates,
}

impl App {
    /// Browsers come over TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// Everything that is served.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(crate::api::router())
        .route("/api/v1/openapi.json", axum::routing::get(openapi))
        .merge(crate::web::router())
        .merge(crate::callback::router())
        .merge(crate::intake::router(app.clone()))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(app.clone(), auth::refuse_foreign_pages))
        .layer(from_fn(answer_headers))
        .layer(CatchPanicLayer::custom(|_| Problem::mistake().into_response()))
        .with_state(app)
}

/// The same, told where each request comes from.
pub fn connected(app: App) -> IntoMakeServiceWithConnectInfo<Router, SocketAddr> {
    router(app).into_make_service_with_connect_info()
}

/// The document of the API, made when it is asked for first: most servers are never asked.
async fn openapi() -> Response {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
        let mut document = crate::api::document();
        crate::intake::describe(&mut document);
        document.to_pretty_json().unwrap_or_default().into()
    });
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.clone()).into_response()
}

async fn not_found(request: Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        Problem::not_found("there is nothing at this address; see /api/v1/openapi.json").into_response()
    } else {
        crate::web::no_such_page()
    }
}

async fn wrong_method(request: Request) -> Response {
    if !request.uri().path().starts_with("/api/") {
        return crate::web::only_a_button();
    }
    let detail = format!("{} is not possible here; see /api/v1/openapi.json", request.method());
    Problem::new(405, "method", detail).into_response()
}

/// What every answer carries: nothing of ours runs elsewhere, and nothing of elsewhere runs in ours.
async fn answer_headers(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
             manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not "no-referrer": with that a browser hides the origin of our own forms from us, too.
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    answer
}

/// Refuses to listen where others can reach us while a token could be guessed.
///
/// # Errors
///
/// What to do instead.
pub fn check_exposure(store: &Store, listen: SocketAddr) -> anyhow::Result<()> {
    if listen.ip().is_loopback() {
        return Ok(());
    }
    if let Some(weak) = store.access().tokens().into_iter().find(|token| !token.strong) {
        anyhow::bail!(
            "will not listen on {listen}, where others can reach it, while the token \"{}\" holds less than 128 \
             bits: set DOGWATCH_ADMIN_TOKEN to 32 random characters or more (for example from `openssl rand -hex \
             32`), or leave it out and use the one that is printed at the first start",
            weak.name
        );
    }
    Ok(())
}
