//! A test event: as if the sender had sent it, without its key.

use serde_json::Value;

use super::super::Format;
use super::super::arrival::{Scene, decide};
use super::super::event::{Act, Event};
use crate::definition::Integration;
use crate::http::App;
use crate::store::reception::{Became, Reception};
use crate::store::{Caller, StoreError};

/// Makes a problem of this severity, and says what became of it: whoever is on call is paged, until somebody answers.
///
/// # Errors
///
/// [`StoreError`].
pub async fn send_test(
    app: &App,
    integration: &Integration,
    severity: String,
    by: &Caller,
) -> Result<Became, StoreError> {
    let definitions = app.store.definitions();
    let now = app.clock.now();
    let label = by.label(definitions.directory());
    let mut event = Event::new(Act::Trigger, None, Value::Null);
    event.summary = format!("TEST of {}, sent by {label}", integration.name);
    event.severity = Some(severity);
    let scene = Scene { integration, format: Format::Generic, directory: definitions.directory(), now };
    let once = || format!("test-{:012x}-{:016x}", now.as_millisecond(), crate::clock::chance());
    let reception = Reception {
        integration: integration.name.clone(),
        format: "test",
        request: format!("test-{:016x}", crate::clock::chance()),
        raw: String::new(),
        size: 0,
        arrivals: decide(scene, event.tidy(), None, once).arrivals,
        refused: None,
    };
    Ok(app.store.receive(reception).await?.pop().unwrap_or(Became::NoAudience))
}
