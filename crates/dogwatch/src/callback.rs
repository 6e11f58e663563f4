//! What providers tell us of people: buttons pressed in chats, messages acknowledged elsewhere, replies.
//!
//! Only what is known to come from the provider is taken, and each only once. It becomes an answer by the one door
//! in [`crate::reply`]; whoever pressed is told what came of it after the commit. One file a provider.

pub mod mailgun;
pub mod mattermost;
pub mod pushover;
pub mod slack;
pub mod telegram;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::http::App;
use crate::http::body::MAX_BODY;
use crate::secret::Secret;

/// The providers that may call us back.
#[derive(Clone, Default)]
pub struct Callbacks {
    /// Slack, where buttons are pressed.
    pub slack: Option<slack::Slack>,
    /// Mailgun, which tells of bounces and passes replies on.
    pub mailgun: Option<mailgun::Mailgun>,
    /// Mattermost, by the secret that its requests carry.
    pub mattermost: Option<Secret>,
}

/// Every address that a provider calls.
pub fn router() -> Router<App> {
    Router::new()
        .merge(slack::router())
        .merge(mattermost::router())
        .merge(mailgun::router())
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// Whether `proof`, in hexadecimal, is the keyed hash of these parts. Compared in constant time.
fn is_signed(key: &[u8], parts: &[&[u8]], proof: &str) -> bool {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    parts.iter().for_each(|part| mac.update(part));
    read_hex(proof).is_some_and(|proof| mac.verify_slice(&proof).is_ok())
}

fn read_hex(text: &str) -> Option<Vec<u8>> {
    let is_even = text.len().is_multiple_of(2) && text.is_ascii();
    let pairs = || (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok());
    is_even.then(|| pairs().collect::<Option<_>>())?
}
