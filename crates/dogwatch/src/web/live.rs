//! The live parts of pages, by server-sent events: the same fragments that the pages hold, sent whenever
//! they would look different.

use std::convert::Infallible;
use std::future::Future;

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream::{self, Stream};
use jiff::SignedDuration;

use super::{Place, Viewer, alert_page, handset_page, now_page};
use crate::clock::sleep_until;
use crate::http::App;

/// Between two looks, however much is changing.
const PAUSE: SignedDuration = SignedDuration::from_millis(250);
/// A look for no other reason than that ages grow.
const AT_LEAST_EVERY: SignedDuration = SignedDuration::from_secs(10);
/// Between two heartbeats. The script takes a stream for dead from which nothing has come for 40 s: a
/// connection may be gone without either side having been told.
const HEARTBEAT: SignedDuration = SignedDuration::from_secs(15);

/// A stream that looks, sends what it sees if it differs from what it sent last, and waits for a change.
/// In between it sends heartbeats, with the time of the server. It ends when there is nothing to see any
/// more, or when the session has ended.
fn watch<F, Fut>(app: App, look: F) -> Response
where
    F: Fn() -> Fut + Send + 'static,
    Fut: Future<Output = Option<String>> + Send,
{
    let changed = app.store.signals().changed.subscribe();
    let beat = app.clock.now() + HEARTBEAT;
    let begun = (changed, None::<String>, beat, look, app);
    let events = stream::unfold(begun, async |(mut changed, sent, mut beat, look, app)| {
        let mut is_first = sent.is_none();
        loop {
            if !is_first {
                let now = app.clock.now();
                if now >= beat {
                    beat = now + HEARTBEAT;
                    let event = Event::default().event("heartbeat").data(format!("{now:.3}"));
                    return Some((Ok::<_, Infallible>(event), (changed, sent, beat, look, app)));
                }
                tokio::select! {
                    answer = changed.changed() => answer.ok()?,
                    () = sleep_until(&*app.clock, beat.min(now + AT_LEAST_EVERY)) => {}
                }
                sleep_until(&*app.clock, app.clock.now() + PAUSE).await;
            }
            is_first = false;
            changed.mark_unchanged();
            // A carriage return ends a line of the stream; a page shows none.
            let seen = look().await?.replace('\r', "");
            if sent.as_ref() != Some(&seen) {
                let event = Event::default().event("fragment").data(&seen);
                return Some((Ok(event), (changed, Some(seen), beat, look, app)));
            }
        }
    });
    respond(events)
}

fn respond(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    Sse::new(Box::pin(events)).into_response()
}

async fn now(viewer: Viewer, State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    let (own, query) = (app.clone(), query.unwrap_or_default());
    watch(app, move || {
        let (app, viewer, query) = (own.clone(), viewer.clone(), query.clone());
        async move { now_page::fragment(&app, &viewer, &query).await.ok()?.render().ok() }
    })
}

async fn alert(viewer: Viewer, State(app): State<App>, Place(number): Place<u64>) -> Response {
    match alert_page::fragment(&app, &viewer, number).await {
        Ok(Some(_)) => {}
        Ok(None) => return alert_page::missing(number),
        Err(error) => return super::unavailable(&error),
    }
    let own = app.clone();
    watch(app, move || {
        let (app, viewer) = (own.clone(), viewer.clone());
        async move { alert_page::fragment(&app, &viewer, number).await.ok()??.render().ok() }
    })
}

async fn handset(
    viewer: Viewer,
    State(app): State<App>,
    Place(name): Place<String>,
    RawQuery(query): RawQuery,
) -> Response {
    // The question that a first 6 asks stays until it is answered.
    let resolving = handset_page::resolving(query.as_deref());
    if let Err(error) = handset_page::fragment(&app, &viewer, &name, resolving).await {
        return error.page();
    }
    let own = app.clone();
    watch(app, move || {
        let (app, viewer, name) = (own.clone(), viewer.clone(), name.clone());
        async move { handset_page::fragment(&app, &viewer, &name, resolving).await.ok()?.render().ok() }
    })
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/live/now", get(now))
        .route("/live/alerts/{number}", get(alert))
        .route("/live/handset/{name}", get(handset))
}
