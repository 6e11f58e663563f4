//! The addresses that monitoring systems post to. Thin: a key, a format, the store, an answer in that format's words.
//!
//! What all of them share is here: who is let in, how fast, and how what came is stored.

mod document;
mod heartbeat;
mod opsgenie;
mod pagerduty;
mod test_event;
mod victorops;
mod webhook;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::Format;
use super::arrival::{Scene, decide};
use super::event::Event;
use super::signature;
use crate::definition::Integration;
use crate::http::App;
use crate::store::StoreError;
use crate::store::reception::{Addressee, Arrival, Became, KEPT_BYTES, Reception};

pub use document::describe;
pub use test_event::send_test;

/// Every address.
pub fn router(app: App) -> Router<App> {
    Router::new()
        .merge(pagerduty::router())
        .merge(opsgenie::router())
        .merge(heartbeat::router())
        .merge(victorops::router())
        .merge(webhook::router())
        .layer(from_fn_with_state(app, hold_back_guesses))
}

/// Marks an answer to a wrong key.
#[derive(Clone, Copy, Debug)]
struct WrongKey;

/// Tells whoever sends many wrong keys to come back later, in the words of its format. Right keys are not looked at.
async fn hold_back_guesses(State(app): State<App>, request: Request, next: Next) -> Response {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(from)| from.ip());
    let mut answer = next.run(request).await;
    let wait = from.filter(|_| answer.extensions().get::<WrongKey>().is_some());
    if let Some(seconds) = wait.and_then(|from| app.guesses.wrong(from, app.clock.now())) {
        *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// Why nothing of a request was taken.
#[derive(Clone, Debug)]
pub(super) enum Denied {
    /// The key is none of ours, or has ended.
    NoKey,
    /// The integration takes signed webhooks of Grafana, and nothing else.
    Unsigned,
    /// It comes too fast: again in so many seconds.
    TooFast(u32),
    /// It can't be stored right now.
    NotStored(String),
}

impl Denied {
    /// What is said of it.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::NoKey => {
                "no integration of Dogwatch has this key, or it has ended; `dogwatch integration rotate` makes \
                            a new one"
            }
            Self::Unsigned => "this integration has a signing key: it takes signed webhooks of Grafana only",
            Self::TooFast(_) => "this key sends too fast; send it again later",
            Self::NotStored(why) => why,
        }
    }
}

impl From<StoreError> for Denied {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "events could not be stored");
        Self::NotStored("Dogwatch can't store anything right now; send it again".to_owned())
    }
}

/// A request that was let in.
pub(super) struct Sent {
    app: App,
    integration: Arc<Integration>,
    format: Format,
    bytes: Bytes,
    /// The key that let it in: it is not kept.
    key: String,
    /// The id by which the sender may ask what became of it.
    pub(super) request: String,
}

/// What became of one event, and the key that its sender knows the problem by.
pub(super) struct Done {
    pub(super) key: String,
    pub(super) became: Vec<Became>,
}

/// Who was let in, and by which key.
#[derive(Clone)]
pub(super) struct Admitted {
    pub(super) integration: Arc<Integration>,
    key: String,
    /// What it has to be signed with, by Grafana.
    pub(super) signing_key: Option<Vec<u8>>,
}

/// The integration that a key lets in, if it does not send too fast.
pub(super) fn admit(app: &App, text: &str, format: Format) -> Result<Admitted, Denied> {
    let (access, now) = (app.store.access(), app.clock.now());
    let key = access.by_key(text, now).ok_or(Denied::NoKey)?;
    app.limits.take(&key.id, now).map_err(Denied::TooFast)?;
    let definitions = app.store.definitions();
    let integration = definitions.integration(key.integration.as_str()).cloned().ok_or(Denied::NoKey)?;
    let signing_key = access.secret(&signature::key_name(integration.name.as_str())).map(<[u8]>::to_vec);
    if signing_key.is_some() && format != Format::Grafana {
        return Err(Denied::Unsigned);
    }
    Ok(Admitted { integration, key: text.to_owned(), signing_key })
}

/// A new id of a request: a random UUID, as clients expect.
pub(super) fn new_request() -> String {
    uuid::Builder::from_random_bytes(crate::clock::secret::<16>()).into_uuid().to_string()
}

impl Sent {
    pub(super) fn new(app: &App, admitted: Admitted, format: Format, bytes: Bytes) -> Self {
        let Admitted { integration, key, .. } = admitted;
        Self { app: app.clone(), integration, format, bytes, key, request: new_request() }
    }

    pub(super) fn integration(&self) -> &Integration {
        &self.integration
    }

    fn reception(&self, arrivals: Vec<Arrival>, refused: Option<String>) -> Reception {
        let text = String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(KEPT_BYTES)]);
        Reception {
            integration: self.integration.name.clone(),
            format: self.format.word(),
            request: self.request.clone(),
            raw: text.replace(&self.key, "(the key)").replace('\0', "\u{fffd}"),
            size: self.bytes.len(),
            arrivals,
            refused,
        }
    }

    /// Stores events. `to` says which alert is meant where that is not said by a key.
    pub(super) async fn take(&self, events: Vec<Event>, to: Option<Addressee>) -> Result<Vec<Done>, Denied> {
        let app = &self.app;
        let definitions = app.store.definitions();
        let now = app.clock.now();
        let scene = Scene {
            integration: &self.integration,
            format: self.format,
            directory: definitions.directory(),
            now,
        };
        let mut arrivals = Vec::new();
        let mut keys: Vec<(String, usize)> = Vec::new();
        for event in events {
            // It begins with the time, so that the index of keys grows at its end.
            let once = || format!("once-{:012x}-{:016x}", now.as_millisecond(), crate::clock::chance());
            let decided = decide(scene, event, to.clone(), once);
            keys.push((decided.key, decided.arrivals.len()));
            arrivals.extend(decided.arrivals);
        }
        let stored = app.store.receive(self.reception(arrivals, None)).await;
        app.metrics.event(stored.is_ok());
        let mut became = stored?.into_iter();
        let done =
            keys.into_iter().map(|(key, count)| Done { key, became: became.by_ref().take(count).collect() });
        let done: Vec<Done> = done.collect();
        let is_lost = |one: &Became| matches!(one, Became::NoAudience);
        if done.iter().any(|done| done.became.iter().any(is_lost)) {
            return Err(Denied::NotStored(
                "the team that this is for has just been removed; send it again".to_owned(),
            ));
        }
        Ok(done)
    }

    /// Keeps a request of which nothing was made, so that whoever sets up the sender sees it.
    pub(super) async fn refuse(&self, why: &str) {
        self.app.metrics.event(false);
        let kept = self.app.store.receive(self.reception(Vec::new(), Some(why.to_owned()))).await;
        if let Err(error) = kept {
            tracing::error!(%error, "a refused request could not be kept");
        }
    }
}

/// Takes a mail for a key. The answer is that of SMTP, given when everything is on the disk.
pub async fn deliver_mail(app: &App, key: &str, mail: Bytes) -> String {
    let later = |why: &Denied| format!("451 {}", why.text());
    let admitted = match admit(app, key, Format::Mail) {
        Ok(admitted) => admitted,
        Err(why @ Denied::TooFast(_)) => return later(&why),
        Err(why) => return format!("550 {}", why.text()),
    };
    let sent = Sent::new(app, admitted, Format::Mail, mail.clone());
    match super::mail::read(&mail, sent.integration().mapping.as_ref()) {
        Ok(events) => match sent.take(events, None).await {
            Ok(_) => format!("250 stored as {}", sent.request),
            Err(why) => later(&why),
        },
        Err(wrong) => {
            sent.refuse(&wrong).await;
            format!("554 {wrong}")
        }
    }
}

/// A JSON answer.
pub(super) fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// The same, with the seconds after which to come back, if that is worth it.
pub(super) fn answer_denied(status: u16, body: &Value, denied: &Denied) -> Response {
    let mut answer = answer(status, body);
    let after = match denied {
        Denied::NoKey => {
            answer.extensions_mut().insert(WrongKey);
            return answer;
        }
        Denied::Unsigned => return answer,
        Denied::TooFast(seconds) => *seconds,
        Denied::NotStored(_) => 5,
    };
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after));
    answer
}
