//! Signs of life: Opsgenie's `/v2/heartbeats/{name}/ping`, and an address with the key in it for whoever can only call
//! one. Any method will do: a cron job should not have to know.

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::any;
use serde_json::json;

use super::opsgenie::{denied, key};
use super::{Admitted, Denied, admit, answer, new_request};
use crate::http::App;
use crate::http::body::Path;
use crate::intake::Format;
use crate::intake::opsgenie::{self as format, Wrong};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v2/heartbeats/{name}/ping", any(ping))
        .route("/jsm/ops/integration/v2/heartbeats/{name}/ping", any(ping))
        .route("/integrations/v1/heartbeat/{key}/{name}", any(ping_by_address))
}

async fn ping(State(app): State<App>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let admitted = key(&headers).ok_or(Denied::NoKey);
    hear(&app, &name, admitted.and_then(|key| admit(&app, key, Format::Opsgenie))).await
}

async fn ping_by_address(State(app): State<App>, Path((key, name)): Path<(String, String)>) -> Response {
    hear(&app, &name, admit(&app, &key, Format::Generic)).await
}

async fn hear(app: &App, name: &str, admitted: Result<Admitted, Denied>) -> Response {
    let admitted = match admitted {
        Ok(admitted) => admitted,
        Err(why) => return denied(&why),
    };
    let definitions = app.store.definitions();
    let is_of_team =
        definitions.heartbeat(name).is_some_and(|heartbeat| heartbeat.team == admitted.integration.team);
    if !is_of_team {
        let message = "There is no such heartbeat of this integration's team";
        return answer(404, &format::refused(message, Wrong::new(), &new_request()));
    }
    match app.store.heard(name.to_owned()).await {
        Ok(_) => {
            let body =
                json!({ "result": "PONG - Heartbeat received", "took": 0.0, "requestId": new_request() });
            answer(202, &body)
        }
        Err(error) => denied(&Denied::from(error)),
    }
}
