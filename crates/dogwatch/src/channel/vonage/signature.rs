//! Whether a callback is genuine: the token that Vonage signs it with, under the account's signature secret.
//!
//! HS256 over header and claims; one claim is the checksum of the body. The address that is called holds a secret
//! besides, so that this is a second lock, for those who want it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How old, or how far ahead, a token may be. Vonage puts no end into it.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(5);

/// Whether `token` was signed with `key` a moment ago, for this body.
pub fn is_genuine(token: &str, key: &str, body: &[u8], now: Timestamp) -> bool {
    claims(token, key).is_some_and(|claims| {
        let at = claims["iat"].as_i64().and_then(|at| Timestamp::from_second(at).ok());
        let is_fresh = at.is_some_and(|at| now.duration_since(at).abs() <= GOOD_FOR);
        let sum: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
        let said = claims["payload_hash"].as_str().unwrap_or_default().to_ascii_lowercase();
        is_fresh && bool::from(sum.as_bytes().ct_eq(said.as_bytes()))
    })
}

/// What a token says that was signed with `key`.
fn claims(token: &str, key: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    if read(header)?["alg"] != "HS256" {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(signed.as_bytes());
    mac.verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    read(claims)
}
