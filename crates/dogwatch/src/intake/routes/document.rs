//! What the OpenAPI document says of the addresses that monitoring systems post to. Pure.
//!
//! Their bodies are in the formats of other makers: the guide says what is read of them. Said here is where they go, and
//! with which statuses they are answered.

use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Content, OpenApi, RefOr, Required, Response, Schema};

use super::webhook::WORDS;
use crate::http::problem::MEDIA_TYPE;

use HttpMethod::{Get, Post, Put};

/// An address: how and where, what for, whether it has a body, and the statuses of its answers.
type Address = (HttpMethod, &'static str, &'static str, bool, &'static [u16]);

const ADDRESSES: [Address; 15] = [
    (Post, "/v2/enqueue", "PagerDuty's Events API: an event", true, &[202, 400, 413, 429, 503]),
    (Post, "/v2/change/enqueue", "PagerDuty's Events API: a change", true, &[202, 400, 413, 429, 503]),
    (
        Post,
        "/generic/2010-04-15/create_event.json",
        "PagerDuty's Events API, version 1",
        true,
        &[200, 400, 403, 413, 429, 503],
    ),
    (Post, "/v2/alerts", "Opsgenie: an alert", true, &[202, 400, 401, 413, 422, 429, 503]),
    (Get, "/v2/alerts", "Opsgenie: the integration's own alerts", false, &[200, 401, 422, 429, 503]),
    (Get, "/v2/alerts/count", "Opsgenie: how many", false, &[200, 401, 422, 429, 503]),
    (
        Get,
        "/v2/alerts/requests/{request}",
        "Opsgenie: what became of a request",
        false,
        &[200, 401, 404, 429, 503],
    ),
    (Get, "/v2/alerts/{alert}", "Opsgenie: an alert", false, &[200, 401, 404, 422, 429, 503]),
    (
        Post,
        "/v2/alerts/{alert}/{verb}",
        "Opsgenie: acknowledge, unacknowledge, snooze, close, notes",
        true,
        &[202, 400, 401, 405, 413, 422, 429, 503],
    ),
    (
        Put,
        "/v2/alerts/{alert}/{verb}",
        "Opsgenie: message, description, priority",
        true,
        &[202, 400, 401, 405, 413, 422, 429, 503],
    ),
    (Post, "/v2/heartbeats/{name}/ping", "Opsgenie: a sign of life", false, &[202, 401, 404, 429, 503]),
    (Get, "/integrations/v1/heartbeat/{key}/{name}", "A sign of life", false, &[202, 401, 404, 429, 503]),
    (
        Post,
        "/integrations/generic/20131114/alert/{key}/{route}",
        "VictorOps: an alert",
        true,
        &[200, 400, 401, 404, 413, 429, 503],
    ),
    (
        Post,
        "/integrations/v1/{format}/{key}/",
        "Alertmanager, Grafana, Grafana OnCall, Zabbix, dogwatch nagios, any JSON",
        true,
        &[200, 400, 401, 404, 413, 422, 429, 503],
    ),
    (
        Put,
        "/integrations/v1/{format}/{key}/",
        "The same, for senders that put",
        true,
        &[200, 400, 401, 404, 413, 422, 429, 503],
    ),
];

/// Adds these addresses to a document.
pub fn describe(document: &mut OpenApi) {
    for (method, path, summary, has_body, statuses) in ADDRESSES {
        let mut operation = OperationBuilder::new()
            .tag("events")
            .summary(Some(summary))
            // The key is in the address, in the body, or in a header of the format's own.
            .securities(Some([]));
        for part in path.split('/') {
            let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else { continue };
            let words = (name == "format").then(|| WORDS.map(|(word, _)| word));
            let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(words);
            let parameter = ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(schema));
            operation = operation.parameter(parameter);
        }
        if has_body {
            let body =
                RequestBodyBuilder::new().content("application/json", Content::new(Some(any_object())));
            operation = operation.request_body(Some(body.required(Some(Required::True)).build()));
        }
        for status in statuses {
            operation = operation.response(status.to_string(), answer(*status));
        }
        let item = PathItem::new(method, operation);
        match document.paths.paths.get_mut(path) {
            Some(known) => known.merge_operations(item),
            None => drop(document.paths.paths.insert(path.to_owned(), item)),
        }
    }
}

fn any_object() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::Object).into()
}

fn answer(status: u16) -> Response {
    let mut response = Response::new(match status {
        200 | 202 => "Everything is on the disk.",
        400 | 422 => "It can't be read; says what is wrong, in the format's own shape.",
        401 => "The key is none of ours, or has ended.",
        404 => "There is nothing of this name.",
        405 => "Not by this method.",
        413 => "It is too large.",
        503 => "Send it again after `Retry-After`.",
        _ => "Too fast, or too many wrong keys: send it again after `Retry-After`.",
    });
    let errors: &[&str] = if status < 300 { &[] } else { &[MEDIA_TYPE] };
    for media in ["application/json"].iter().chain(errors) {
        response.content.insert((*media).to_owned(), Content::new(Some(any_object())).into());
    }
    response
}
