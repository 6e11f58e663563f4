//! Grafana's signature of its webhooks: HMAC-SHA256 over the body, or over the time and the body. Pure.

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

/// How old a signed request may be, where it says when it was made.
pub const MAX_AGE: SignedDuration = SignedDuration::from_mins(5);

/// The name under which an integration's signing key is kept.
pub fn key_name(integration: &str) -> String {
    format!("grafana:{integration}")
}

/// Checks a signature. `timestamp` is what the header with the time says, if there is one.
///
/// # Errors
///
/// What to look at in Grafana.
pub fn check(
    key: &[u8],
    signature: Option<&str>,
    timestamp: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), String> {
    let Some(signature) = signature else {
        return Err(
            "the signature is missing: set this integration's signing key as the HMAC secret of the contact \
                    point"
                .to_owned(),
        );
    };
    let given = bytes(signature.trim()).ok_or("the signature is no text of hexadecimal digits")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|error| error.to_string())?;
    if let Some(timestamp) = timestamp {
        let made = timestamp.trim().parse().ok().and_then(|second| Timestamp::from_second(second).ok());
        let made = made.ok_or("the time of the signature is no number of seconds since 1970")?;
        if now.duration_since(made).abs() > MAX_AGE {
            return Err("the signature is more than 5 minutes old, or from the future; do the clocks agree?"
                .to_owned());
        }
        mac.update(timestamp.trim().as_bytes());
        mac.update(b":");
    }
    mac.update(body);
    // In a time that does not depend on where they differ.
    mac.verify_slice(&given).map_err(|_| {
        "the signature does not fit: is the HMAC secret of the contact point this integration's signing key?"
            .to_owned()
    })
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Python's `hmac` module.
    const PLAIN: &str = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";

    #[test]
    fn only_the_right_signature_over_these_bytes_will_do() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let body = b"The quick brown fox jumps over the lazy dog";
        assert_eq!(check(b"key", Some(PLAIN), None, body, now), Ok(()));
        assert_eq!(check(b"key", Some(&PLAIN.to_uppercase()), None, body, now), Ok(()));
        for (key, signature, time, text) in [
            (&b"key"[..], None, None, &body[..]),
            (b"kez", Some(PLAIN), None, body),
            (b"key", Some(PLAIN), None, b"another"),
            (b"key", Some(PLAIN), Some("1700000000"), body),
            (b"key", Some(&PLAIN[2..]), None, body),
            (b"key", Some("zz"), None, body),
            (b"key", Some("ä"), None, body),
            (b"key", Some(""), None, body),
        ] {
            assert!(check(key, signature, time, text, now).is_err(), "{signature:?}");
        }
    }

    #[test]
    fn a_time_that_is_signed_must_be_near() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let sign = |time: i64| {
            let mut mac = Hmac::<Sha256>::new_from_slice(b"key").unwrap();
            mac.update(format!("{time}:body").as_bytes());
            let made = mac.finalize().into_bytes();
            made.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
        };
        for (time, fits) in [(0, true), (-300, true), (300, true), (-301, false), (301, false)] {
            let time = 1_700_000_000 + time;
            let checked = check(b"key", Some(&sign(time)), Some(&time.to_string()), b"body", now);
            assert_eq!(checked.is_ok(), fits, "{time}: {checked:?}");
        }
    }
}
