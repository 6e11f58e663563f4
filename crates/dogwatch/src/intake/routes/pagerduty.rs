//! `/v2/enqueue`, `/v2/change/enqueue`, and the address of version 1.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use serde_json::Value;

use super::{Denied, Sent, admit, answer, answer_denied};
use crate::http::App;
use crate::http::body::{MAX_BODY, read_bytes};
use crate::intake::Format;
use crate::intake::event::Event;
use crate::intake::pagerduty as format;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v2/enqueue", post(enqueue))
        .route("/v2/change/enqueue", post(change))
        .route("/generic/2010-04-15/create_event.json", post(create_event))
}

/// An event with the key that its sender gave it, or everything that is wrong.
type Reading = Result<(Event, Option<String>), Vec<String>>;

/// How the versions differ.
struct Version {
    format: Format,
    /// What the integration's key is called.
    routing_key: &'static str,
    /// What the dedup key is called in the answer.
    dedup_key: &'static str,
    accepted: u16,
    too_fast: u16,
    read: fn(&Value) -> Reading,
}

const V2: Version = Version {
    format: Format::PagerDuty,
    routing_key: "routing_key",
    dedup_key: "dedup_key",
    accepted: 202,
    too_fast: 429,
    read: |body| format::read(body).map(|read| (read.event, read.dedup_key)),
};

const CHANGE: Version = Version {
    format: Format::PagerDutyChange,
    read: |body| format::read_change(body).map(|event| (event, None)),
    ..V2
};

const V1: Version = Version {
    format: Format::PagerDutyV1,
    routing_key: "service_key",
    dedup_key: "incident_key",
    accepted: 200,
    too_fast: 403,
    read: |body| format::read_v1(body).map(|read| (read.event, read.dedup_key)),
};

async fn enqueue(State(app): State<App>, request: Request) -> Response {
    take(app, request, &V2).await
}

async fn change(State(app): State<App>, request: Request) -> Response {
    take(app, request, &CHANGE).await
}

async fn create_event(State(app): State<App>, request: Request) -> Response {
    take(app, request, &V1).await
}

fn denied(version: &Version, denied: &Denied) -> Response {
    match denied {
        Denied::NoKey | Denied::Unsigned => {
            let wrong = format!("'{}' is not valid: {}", version.routing_key, denied.text());
            answer_denied(400, &format::refused(&[wrong]), denied)
        }
        Denied::TooFast(_) => answer_denied(version.too_fast, &format::later(denied.text()), denied),
        Denied::NotStored(_) => answer_denied(503, &format::later(denied.text()), denied),
    }
}

async fn take(app: App, request: Request, version: &Version) -> Response {
    let bytes = match read_bytes(request, MAX_BODY).await {
        Ok(bytes) => bytes,
        Err(problem) => return answer(problem.status, &format::refused(&[problem.detail])),
    };
    let body = match crate::json::read_object(&bytes) {
        Ok(body) => body,
        Err(wrong) => return answer(400, &format::refused(&[wrong])),
    };
    let Some(key) = format::routing_key(&body, version.routing_key) else {
        let wrong = format!("'{}' is missing or blank", version.routing_key);
        return answer(400, &format::refused(&[wrong]));
    };
    let admitted = match admit(&app, key, version.format) {
        Ok(admitted) => admitted,
        Err(why) => return denied(version, &why),
    };
    let sent = Sent::new(&app, admitted, version.format, bytes);
    let (event, given) = match (version.read)(&body) {
        Ok(read) => read,
        Err(wrong) => {
            sent.refuse(&wrong.join("; ")).await;
            return answer(400, &format::refused(&wrong));
        }
    };
    match sent.take(vec![event], None).await {
        Ok(done) => {
            let made = done.first().map(|done| done.key.clone()).unwrap_or_default();
            let key = given.unwrap_or(made);
            answer(version.accepted, &format::accepted(version.dedup_key, &key))
        }
        Err(why) => denied(version, &why),
    }
}
