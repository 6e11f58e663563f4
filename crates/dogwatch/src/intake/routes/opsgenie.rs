//! `/v2/alerts…`, and the same under Jira Service Management's prefix.
//!
//! Every write is answered with 202, also one about an alert that there is not: what became of it is asked for with
//! the id of the request. The alerts that are shown are those of the integration whose key is sent.

mod shown;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::Response;
use axum::routing::{any, get, post};
use serde_json::Value;

use super::{Admitted, Denied, Sent, admit, answer, answer_denied, new_request};
use crate::http::App;
use crate::http::body::{MAX_BODY, Path, read_bytes};
use crate::intake::Format;
use crate::intake::event::Event;
use crate::intake::opsgenie::{self as format, Named, Wrong};
use crate::store::AlertRef;
use crate::store::reception::Addressee;

pub(super) fn router() -> Router<App> {
    let alerts = || {
        Router::new()
            .route("/v2/alerts", post(create).get(shown::list))
            .route("/v2/alerts/count", get(shown::count))
            .route("/v2/alerts/requests/{request}", get(shown::status))
            .route("/v2/alerts/{alert}", get(shown::show).delete(refuse_delete))
            .route("/v2/alerts/{alert}/{verb}", any(act))
            .route("/v2/alerts/{alert}/{verb}/{name}", any(act_named))
    };
    alerts().nest("/jsm/ops/integration", alerts())
}

/// A request that was let in.
struct Asked {
    app: App,
    admitted: Admitted,
}

pub(super) fn key(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("GenieKey").then(|| key.trim())
}

fn let_in(app: App, headers: &HeaderMap) -> Result<Asked, Response> {
    let admitted = key(headers).ok_or(Denied::NoKey).and_then(|key| admit(&app, key, Format::Opsgenie));
    admitted.map(|admitted| Asked { app, admitted }).map_err(|why| denied(&why))
}

pub(super) fn denied(denied: &Denied) -> Response {
    let request = new_request();
    let (status, message) = match denied {
        Denied::NoKey | Denied::Unsigned => (401, format!("Could not authenticate: {}", denied.text())),
        Denied::TooFast(_) => (429, format!("You are making too many requests: {}", denied.text())),
        Denied::NotStored(_) => (503, denied.text().to_owned()),
    };
    let mut answer = answer_denied(status, &format::refused(&message, Wrong::new(), &request), denied);
    if matches!(denied, Denied::TooFast(_)) {
        let headers = answer.headers_mut();
        headers.insert("x-ratelimit-state", HeaderValue::from_static("THROTTLED"));
        headers.insert("x-ratelimit-reason", HeaderValue::from_static("INTEGRATION"));
        headers.insert("x-ratelimit-period-in-sec", HeaderValue::from_static("1"));
    }
    answer
}

fn unprocessable(faults: Wrong, request: &str) -> Response {
    answer(
        422,
        &format::refused("Request body is not processable. Please check the errors.", faults, request),
    )
}

fn parameter(request: &Request, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

impl Asked {
    /// Reads, stores and answers a write.
    async fn write(
        self,
        request: Request,
        to: Option<Addressee>,
        read: impl FnOnce(&Value) -> Result<Event, Wrong>,
    ) -> Response {
        let watch = crate::clock::Stopwatch::start();
        let bytes = match read_bytes(request, MAX_BODY).await {
            Ok(bytes) => bytes,
            Err(problem) => {
                return answer(
                    problem.status,
                    &format::refused(&problem.detail, Wrong::new(), &new_request()),
                );
            }
        };
        let sent = Sent::new(&self.app, self.admitted, Format::Opsgenie, bytes.clone());
        let body = match crate::json::read_object(&bytes) {
            Ok(body) => body,
            Err(wrong) => {
                sent.refuse(&wrong).await;
                return answer(400, &format::refused(&wrong, Wrong::new(), &sent.request));
            }
        };
        let event = match read(&body) {
            Ok(event) => event,
            Err(faults) => {
                sent.refuse(&Value::Object(faults.clone()).to_string()).await;
                return unprocessable(faults, &sent.request);
            }
        };
        match sent.take(vec![event], to).await {
            Ok(_) => {
                let mut answer = answer(202, &format::accepted(&sent.request, watch.seconds()));
                if let Ok(id) = HeaderValue::from_str(&sent.request) {
                    answer.headers_mut().insert("x-request-id", id);
                }
                answer
            }
            Err(why) => denied(&why),
        }
    }
}

async fn create(State(app): State<App>, headers: HeaderMap, request: Request) -> Response {
    match let_in(app, &headers) {
        Ok(asked) => asked.write(request, None, format::read_create).await,
        Err(refused) => refused,
    }
}

async fn act(
    State(app): State<App>,
    Path((alert, verb)): Path<(String, String)>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let asked = match let_in(app, &headers) {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let named = format::named(&alert, parameter(&request, "identifierType").as_deref());
    let named = match named {
        Ok(named) => named,
        Err(faults) => return unprocessable(faults, &new_request()),
    };
    let wanted = match verb.as_str() {
        "message" | "description" | "priority" => Method::PUT,
        _ => Method::POST,
    };
    if *request.method() == Method::GET {
        return unprocessable(not_shown(&verb), &new_request());
    }
    if *request.method() != wanted {
        let message = format!("{} is not possible here; {wanted} is", request.method());
        return answer(405, &format::refused(&message, Wrong::new(), &new_request()));
    }
    let to = match named {
        Named::Id(id) => Addressee::Alert(AlertRef::Id(id)),
        Named::Tiny(number) => Addressee::Alert(AlertRef::Number(number)),
        Named::Alias(alias) => Addressee::Key(alias),
        Named::Nobody => Addressee::Nobody,
    };
    let now = asked.app.clock.now();
    asked.write(request, Some(to), |body| format::read_act(&verb, body, now)).await
}

async fn act_named(
    State(app): State<App>,
    Path((_, verb, name)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    match let_in(app, &headers) {
        Ok(_) => unprocessable(not_shown(&format!("{verb}/{name}")), &new_request()),
        Err(refused) => refused,
    }
}

fn not_shown(what: &str) -> Wrong {
    let shown: String = what.chars().take(80).collect();
    let why =
        format!("Dogwatch does not do \"{shown}\"; the alert's page and Dogwatch's own API show everything");
    Wrong::from_iter([("request".to_owned(), Value::String(why))])
}

async fn refuse_delete(State(app): State<App>, headers: HeaderMap) -> Response {
    match let_in(app, &headers) {
        Ok(_) => {
            let why = "Dogwatch does not do \"delete\": no alert is ever lost; close it";
            unprocessable(Wrong::from_iter([("request".to_owned(), why.into())]), &new_request())
        }
        Err(refused) => refused,
    }
}
