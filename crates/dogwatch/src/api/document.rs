//! What the OpenAPI document says of every operation alike, so that none has to repeat it: who is let in, what can't be
//! read, and that errors are `application/problem+json`. Pure.
//!
//! What an operation says of itself is not touched. `tests/api/conform.py` holds the server against the document.

use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{AllOf, OneOf, Schema};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Required, Response};

use crate::http::problem::MEDIA_TYPE;

const PROBLEM: &str = "#/components/schemas/Problem";

/// Completes every operation.
pub(super) fn complete(document: &mut OpenApi) {
    document.components.iter_mut().flat_map(|all| all.schemas.values_mut()).for_each(let_parts_be_joined);
    for item in document.paths.paths.values_mut() {
        let reads = [&mut item.get];
        let writes = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        reads.into_iter().flatten().for_each(|operation| complete_one(operation, false));
        writes.into_iter().flatten().for_each(|operation| complete_one(operation, true));
    }
}

/// What is put together of parts has the fields of all of them: no part may forbid those of the others.
fn let_parts_be_joined(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::AllOf(AllOf { items, .. })) = schema else { return };
    for item in items {
        if let RefOr::T(Schema::Object(part)) = item {
            part.additional_properties = None;
        }
    }
}

fn complete_one(operation: &mut Operation, writes: bool) {
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        nothing_is_no_null(body);
    }
    let given = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    });
    let is_in = |place: ParameterIn| move |parameter: &&Parameter| parameter.parameter_in == place;
    let has_body = operation.request_body.is_some();
    let names_something = given.clone().any(|parameter| is_in(ParameterIn::Path)(&parameter));
    let asks = given.clone().any(|parameter| !is_in(ParameterIn::Path)(&parameter));
    // `security(())` is how an operation says that it needs no token.
    let is_open = operation.security.is_some();
    let possible: [(bool, &str, &str); 7] = [
        (has_body, "400", "The body is no JSON object."),
        (!is_open, "401", "No token, or one that is none of ours."),
        (writes, "403", "Not for whoever asks, or sent by a page of another site."),
        (names_something, "404", "There is nothing of this name."),
        (has_body, "413", "The body is too large."),
        (has_body || asks, "422", "Fields are wrong: all of them are named."),
        (!is_open, "503", "The database can't be reached; `Retry-After` says when to come back."),
    ];
    let responses = &mut operation.responses.responses;
    for (is_possible, status, description) in possible {
        if is_possible && !responses.contains_key(status) {
            let mut response = Response::new(description);
            response.content.insert(MEDIA_TYPE.to_owned(), Content::new(Some(Ref::new(PROBLEM))).into());
            responses.insert(status.to_owned(), response.into());
        }
    }
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            name_problems(response);
        }
    }
}

/// A body that may be left out is an empty object, not the word `null`.
fn nothing_is_no_null(body: &mut RequestBody) {
    for content in body.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        let Some(RefOr::T(Schema::OneOf(OneOf { items, .. }))) = &content.schema else { continue };
        if let Some(whole @ RefOr::Ref(_)) = items.iter().find(|item| matches!(item, RefOr::Ref(_))) {
            content.schema = Some(whole.clone());
            body.required = Some(Required::False);
        }
    }
}

fn name_problems(response: &mut Response) {
    let is_problem = |content: &RefOr<Content>| match content {
        RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. }) => schema.ref_location == PROBLEM,
        _ => false,
    };
    if response.content.get("application/json").is_some_and(is_problem)
        && let Some(content) = response.content.swap_remove("application/json")
    {
        response.content.insert(MEDIA_TYPE.to_owned(), content);
    }
}
