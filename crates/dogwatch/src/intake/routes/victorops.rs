//! `/integrations/generic/20131114/alert/{key}/{route}`. The route has no meaning here: an integration has rules.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;

use super::{Denied, Sent, admit, answer, answer_denied};
use crate::http::App;
use crate::http::body::{MAX_BODY, Path, read_bytes};
use crate::intake::Format;
use crate::intake::victorops as format;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/integrations/generic/20131114/alert/{key}", post(without_route))
        .route("/integrations/generic/20131114/alert/{key}/", post(without_route))
        .route("/integrations/generic/20131114/alert/{key}/{route}", post(with_route))
}

async fn without_route(State(app): State<App>, Path(key): Path<String>, request: Request) -> Response {
    take(app, &key, None, request).await
}

async fn with_route(
    State(app): State<App>,
    Path((key, route)): Path<(String, String)>,
    request: Request,
) -> Response {
    take(app, &key, Some(route), request).await
}

/// Senders of this format try again after a 5xx and after nothing else.
fn denied(denied: &Denied) -> Response {
    let status = if matches!(denied, Denied::NoKey | Denied::Unsigned) { 401 } else { 503 };
    answer_denied(status, &format::refused(denied.text()), denied)
}

async fn take(app: App, key: &str, route: Option<String>, request: Request) -> Response {
    let admitted = match admit(&app, key, Format::VictorOps) {
        Ok(admitted) => admitted,
        Err(why) => return denied(&why),
    };
    let bytes = match read_bytes(request, MAX_BODY).await {
        Ok(bytes) => bytes,
        Err(problem) => return answer(problem.status, &format::refused(&problem.detail)),
    };
    let sent = Sent::new(&app, admitted, Format::VictorOps, bytes.clone());
    let read = crate::json::read_object(&bytes).and_then(|mut body| {
        if let Some(route) = route {
            // Rules may ask for it.
            body["routing_key"] = route.into();
        }
        format::read(&body)
    });
    let event = match read {
        Ok(event) => event,
        Err(wrong) => {
            sent.refuse(&wrong).await;
            return answer(400, &format::refused(&wrong));
        }
    };
    let given = event.key.clone();
    match sent.take(vec![event], None).await {
        Ok(done) => {
            let made = done.first().map(|done| done.key.clone()).unwrap_or_default();
            answer(200, &format::accepted(&given.unwrap_or(made)))
        }
        Err(why) => denied(&why),
    }
}
