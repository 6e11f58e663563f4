//! JSON from outside: how deep it may be, and what is said when it can't be read.

use serde_json::{Map, Value};

/// How deep arrays and objects may be nested.
pub const MAX_DEPTH: usize = 32;

/// Reads a JSON document; nothing at all is an empty object.
///
/// # Errors
///
/// What is wrong with it, for whoever wrote it.
pub fn read(bytes: &[u8]) -> Result<Value, String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        format!("byte {} is not valid UTF-8; send the text as UTF-8", error.valid_up_to() + 1)
    })?;
    if depth(text) > MAX_DEPTH {
        return Err(format!("arrays and objects may be nested at most {MAX_DEPTH} deep"));
    }
    serde_json::from_str(text).map_err(|error| format!("this is no JSON: {error}"))
}

/// The same for a document that has to be an object.
///
/// # Errors
///
/// As [`read`].
pub fn read_object(bytes: &[u8]) -> Result<Value, String> {
    let value = read(bytes)?;
    if value.is_object() { Ok(value) } else { Err("send a JSON object: { … }".to_owned()) }
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
