//! Reading requests: how big, how deep, and what is said when they can't be read.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::Problem;
use crate::definition::read_json;

/// The largest body, in bytes.
pub const MAX_BODY: usize = 512 * 1024;
/// How deep arrays and objects may be nested.
const MAX_DEPTH: usize = 32;

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
    let bytes = axum::body::to_bytes(request.into_body(), most).await.map_err(|error| {
        let is_limit =
            std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("limit"));
        if is_limit { too_large() } else { Problem::unreadable("the request broke off; send it again") }
    })?;
    Ok(Document { value: parse(&bytes)?, bytes })
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

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Problem::unreadable(format!(
            "byte {} is not valid UTF-8; send the text as UTF-8",
            error.valid_up_to() + 1
        ))
    })?;
    if depth(text) > MAX_DEPTH {
        return Err(Problem::unreadable(format!(
            "arrays and objects may be nested at most {MAX_DEPTH} deep"
        )));
    }
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Problem::unreadable(format!("this is no JSON: {error}")))?;
    if value.is_object() { Ok(value) } else { Err(Problem::unreadable("send a JSON object: { … }")) }
}

/// How deep a JSON text is nested, whatever else is wrong with it.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_strings() {
        for (text, deep) in [("{}", 1), ("[[[]]]", 3), (r#"{"a":"[[[\"[["}"#, 1), ("]]]][[", 2), ("", 0)] {
            assert_eq!(depth(text), deep, "{text}");
        }
    }
}
