//! `/integrations/v1/{format}/{key}/`: Alertmanager, Grafana, Grafana OnCall's senders, Zabbix, `dogwatch nagios`, and
//! any JSON. The answer is 200 and nothing else: some of them take every other 2xx for a failure.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::json;

use super::{Denied, Sent, admit, answer, answer_denied};
use crate::http::App;
use crate::http::body::{MAX_BODY, Path, read_bytes};
use crate::http::problem::Problem;
use crate::intake::{Format, signature, trial};
use crate::store::reception::Became;

/// The word in the address, and the format. Grafana OnCall had two words for some.
pub(super) const WORDS: [(&str, Format); 9] = [
    ("alertmanager", Format::Alertmanager),
    ("grafana", Format::Grafana),
    ("grafana_alerting", Format::Grafana),
    ("formatted_webhook", Format::OnCall),
    ("webhook", Format::OnCall),
    ("zabbix", Format::Zabbix),
    ("nagios", Format::Nagios),
    ("generic", Format::Generic),
    ("victorops", Format::VictorOps),
];

pub(super) fn router() -> Router<App> {
    let methods = post(take).put(take);
    Router::new()
        .route("/integrations/v1/{format}/{key}", methods.clone())
        .route("/integrations/v1/{format}/{key}/", methods)
}

/// Alertmanager and Grafana try again after a 5xx and after nothing else.
fn denied(denied: &Denied) -> Response {
    let (status, kind) = match denied {
        Denied::NoKey | Denied::Unsigned => (401, "unauthorized"),
        Denied::TooFast(_) => (503, "too-fast"),
        Denied::NotStored(_) => (503, "unavailable"),
    };
    let problem = Problem::new(status, kind, denied.text());
    let body = serde_json::to_value(&problem).unwrap_or_default();
    answer_denied(status, &body, denied)
}

async fn take(
    State(app): State<App>,
    Path((word, key)): Path<(String, String)>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let Some((_, format)) = WORDS.iter().find(|(known, _)| *known == word) else {
        let known: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
        let detail = format!("the format in the address is one of {}", known.join(", "));
        return Problem::not_found(detail).into_response();
    };
    let admitted = match admit(&app, &key, *format) {
        Ok(admitted) => admitted,
        Err(why) => return denied(&why),
    };
    let bytes = match read_bytes(request, MAX_BODY).await {
        Ok(bytes) => bytes,
        Err(problem) => return problem.into_response(),
    };
    let signing_key = admitted.signing_key.clone();
    let sent = Sent::new(&app, admitted, *format, bytes.clone());
    if let Some(key) = signing_key {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let (signature, at) = (text("x-grafana-alerting-signature"), text("x-grafana-alerting-timestamp"));
        if let Err(wrong) = signature::check(&key, signature, at, &bytes, app.clock.now()) {
            sent.refuse(&wrong).await;
            return Problem::new(401, "unsigned", wrong).into_response();
        }
    }
    let read = crate::json::read(&bytes).map_err(|wrong| (400, wrong)).and_then(|body| {
        trial::read(*format, &body, sent.integration().mapping.as_ref()).map_err(|wrong| (422, wrong))
    });
    let events = match read {
        Ok(events) => events,
        Err((status, wrong)) => {
            sent.refuse(&wrong).await;
            return Problem::new(status, "unreadable", wrong).into_response();
        }
    };
    match sent.take(events, None).await {
        Ok(done) => {
            let all = done.iter().flat_map(|done| &done.became);
            let numbers: Vec<u64> = all
                .filter_map(|became| match became {
                    Became::Alert(alert, _) | Became::Fewer(alert, _) => Some(alert.number),
                    _ => None,
                })
                .collect();
            let keys: Vec<&str> = done.iter().map(|done| done.key.as_str()).collect();
            let body = json!({ "status": "ok", "events": done.len(), "keys": keys, "alerts": numbers, "request": sent.request });
            answer(200, &body)
        }
        Err(why) => denied(&why),
    }
}
