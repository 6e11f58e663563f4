//! Reading requests: how big, how deep, and what is said when they can't be read.

use axum::body::Bytes;
use axum::extract::{self, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::Problem;
use crate::definition::read_json;

/// The largest body, in bytes.
pub const MAX_BODY: usize = 512 * 1024;

/// A JSON document, whatever its content type says: `curl -d` must do.
#[derive(Debug)]
pub struct Document {
    /// The document.
    pub value: Value,
    /// As it came.
    pub bytes: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Document {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read(request, MAX_BODY).await
    }
}

/// A document that holds the definitions of a whole house. Only for administrators.
#[derive(Debug)]
pub struct Large(pub Document);

/// The largest of these, in bytes.
pub const MAX_LARGE_BODY: usize = 32 * 1024 * 1024;

impl<S: Send + Sync> FromRequest<S> for Large {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read(request, MAX_LARGE_BODY).await.map(Self)
    }
}

async fn read(request: Request, most: usize) -> Result<Document, Problem> {
    let bytes = read_bytes(request, most).await?;
    let value = crate::json::read_object(&bytes).map_err(Problem::unreadable)?;
    Ok(Document { value, bytes })
}

/// The body of a request, if it is not too large, in bytes.
pub async fn read_bytes(request: Request, most: usize) -> Result<Bytes, Problem> {
    let too_large =
        || Problem::new(413, "too-large", format!("a request is at most {} KiB; send less", most / 1024));
    let declared = request
        .headers()
        .get(axum::http::header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    if declared.is_some_and(|length| length > most as u64) {
        return Err(too_large());
    }
    axum::body::to_bytes(request.into_body(), most).await.map_err(|error| {
        let is_limit =
            std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("limit"));
        if is_limit { too_large() } else { Problem::unreadable("the request broke off; send it again") }
    })
}

impl Document {
    /// The document as a `T`.
    ///
    /// # Errors
    ///
    /// The field that does not fit.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        read_json(self.value.clone()).map_err(Problem::invalid)
    }
}

/// Query parameters, with a problem that names the one at fault.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let object =
            pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect();
        read_json(Value::Object(object)).map(Self).map_err(Problem::invalid)
    }
}

/// What an address names. One that can't be read names nothing that there is.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = extract::Path::<T>::from_request_parts(parts, state).await;
        let gone = |_| Problem::not_found("there is nothing at this address: it is no text in UTF-8");
        found.map(|extract::Path(place)| Self(place)).map_err(gone)
    }
}
