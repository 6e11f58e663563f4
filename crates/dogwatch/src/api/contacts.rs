//! Contacts: when each of them last worked, and what is left when nobody answers.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use escalation::plan::Target;
use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::definition::time::print_instant;
use crate::http::App;
use crate::http::problem::Problem;
use crate::store::Caller;

/// How far back is looked.
const BACK: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A contact that worked.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactView {
    /// The contact.
    #[schema(example = "handset:john")]
    contact: String,
    /// When the newest message was made that its provider took.
    worked_at: String,
}

/// A number that wants no short messages any more.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoppedView {
    /// The contact.
    #[schema(example = "sms:+4930123456")]
    contact: String,
    /// When it said STOP.
    stopped_at: String,
}

/// How people can be reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactsView {
    /// Contacts that worked within the last 90 days.
    items: Vec<ContactView>,
    /// Numbers that have said STOP: no short messages go there.
    stopped: Vec<StoppedView>,
    /// Whether the service has a last resort for teams that have none.
    has_last_resort: bool,
}

/// Contacts that worked within the last 90 days, and when each did last.
#[utoipa::path(get, path = "/api/v1/contacts", tag = "people", responses((status = 200, body = ContactsView)))]
async fn contacts(_: Caller, State(app): State<App>) -> Result<Response, Problem> {
    let worked = app.store.contacts_that_worked(app.clock.now() - BACK).await?;
    let items = worked
        .into_iter()
        .map(|(contact, at)| ContactView { contact, worked_at: print_instant(at) })
        .collect();
    let stopped = app.store.stopped_lines().await?.into_iter();
    let stopped =
        stopped.map(|(contact, at)| StoppedView { contact, stopped_at: print_instant(at) }).collect();
    let definitions = app.store.definitions();
    let directory = definitions.directory();
    let is_there = |target: &Target| match target {
        Target::Person(name) => directory.people.contains_key(name),
        _ => true,
    };
    let has_last_resort = directory.service.last_resort.iter().any(is_there);
    Ok(Json(ContactsView { items, stopped, has_last_resort }).into_response())
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(contacts))
}
