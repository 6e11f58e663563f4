//! Errors of the API: RFC 9457 `application/problem+json`, for the person who reads them.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::definition::FieldError;
use crate::store::StoreError;

/// What errors are written in.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong, and what to do.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The kind of problem, for programs: `urn:dogwatch:problem:…`.
    #[serde(rename = "type")]
    #[schema(example = "urn:dogwatch:problem:invalid")]
    pub kind: String,
    /// The kind of problem, for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong here and what to write instead.
    pub detail: String,
    /// The path of the first field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Every field at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Seconds after which it is worth trying again.
    #[serde(skip)]
    retry_after: Option<u32>,
}

impl Problem {
    /// A problem with this status and kind.
    pub fn new(status: u16, kind: &str, detail: impl Into<String>) -> Self {
        let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        Self {
            kind: format!("urn:dogwatch:problem:{kind}"),
            title: title.unwrap_or("Problem").to_owned(),
            status,
            detail: detail.into(),
            field: None,
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Too much was asked for; worth trying again after so many seconds.
    pub fn too_often(retry_after: u32, detail: impl Into<String>) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(429, "too-often", detail) }
    }

    /// The request can't be read at all.
    pub fn unreadable(detail: impl Into<String>) -> Self {
        Self::new(400, "unreadable", detail)
    }

    /// Nothing is there.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "not-found", detail)
    }

    /// Nobody we know.
    pub fn unauthorized() -> Self {
        Self::new(
            401,
            "unauthorized",
            "send a token as \"Authorization: Bearer TOKEN\"; `dogwatch token create` makes one",
        )
    }

    /// Somebody we know, who may not.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, "forbidden", detail)
    }

    /// It was possible once, or will be; now it is not.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", detail)
    }

    /// Fields are wrong.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let first = errors.first().cloned();
        let detail = match &first {
            Some(FieldError { field, message }) if field.is_empty() => message.clone(),
            Some(FieldError { field, message }) => format!("{field}: {message}"),
            None => "the request is not valid".to_owned(),
        };
        Self { field: first.map(|first| first.field), errors, ..Self::new(422, "invalid", detail) }
    }

    /// One field is wrong.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { field: field.to_owned(), message: message.into() }])
    }

    /// We made a mistake.
    pub fn mistake() -> Self {
        Self::new(500, "mistake", "Dogwatch made a mistake; its log says more. Nothing was stored; try again")
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a request could not be carried out");
        match error {
            StoreError::Unavailable(_) | StoreError::Conflict | StoreError::Stopped => Self {
                retry_after: Some(5),
                ..Self::new(503, "unavailable", "the database can't be written to right now; try again")
            },
            StoreError::Corrupt(_) | StoreError::Panicked(_) => Self::mistake(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut answer = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        if let Some(seconds) = self.retry_after {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        answer
    }
}
