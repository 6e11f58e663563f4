//! The JSON API. One file a group of endpoints: shapes, documentation, handlers.
//!
//! Routes and their documentation are declared together, so that the OpenAPI document can't differ from
//! what is served; what all of them have in common is added in `api/document.rs`. Shapes here are promises to programs;
//! they are not the store's nor the core's.

mod alert_verbs;
mod alert_view;
mod alerts;
mod as_code;
mod calendars;
mod contacts;
mod definitions;
mod document;
mod health;
mod heartbeats;
mod integrations;
mod leave;
mod notification_plans;
mod notify;
mod on_call;
mod overrides;
mod previews;
mod reach;
mod rehearsals;
mod silences;
mod tokens;
mod why;

pub use as_code::{AppliedView, ChangeView, PlanView, plan};
use axum::Router;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use crate::http::App;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Dogwatch",
        description = "On-call paging and escalation: gets hold of the right person and keeps trying until \
                       somebody says \"I have it\". Errors are application/problem+json and name the field \
                       at fault. Durations are written \"5m\", \"1h30m\"; instants are RFC 3339 in UTC."
    ),
    modifiers(&Bearer),
    security(("token" = []))
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// Every route of the API.
pub fn router() -> Router<App> {
    described().split_for_parts().0
}

/// The document that describes every route. Made anew with each call: it takes some megabytes on the way.
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, mut document) = described().split_for_parts();
    document::complete(&mut document);
    document
}

fn described() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(definitions::router())
        .merge(as_code::router())
        .merge(notification_plans::router())
        .merge(on_call::router())
        .merge(leave::router())
        .merge(overrides::router())
        .merge(rehearsals::router())
        .merge(reach::router())
        .merge(previews::router())
        .merge(contacts::router())
        .merge(calendars::router())
        .merge(notify::router())
        .merge(alerts::router())
        .merge(alert_verbs::router())
        .merge(why::router())
        .merge(silences::router())
        .merge(integrations::router())
        .merge(heartbeats::router())
        .merge(tokens::router())
        .merge(health::router())
}
