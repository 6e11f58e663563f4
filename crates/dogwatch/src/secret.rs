//! Secrets: made here, shown once, never printed by accident.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::clock::secret;

/// Something secret that was just made. It is shown once; printing it by accident shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new one of 256 bits, after `prefix`.
    pub fn new(prefix: &str) -> Self {
        Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(secret::<32>())))
    }

    /// A secret that somebody else made.
    pub fn given(text: String) -> Self {
        Self(text)
    }

    /// The secret itself, to be handed to its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it may hold 128 bits or more: long enough, and made of many different characters.
    pub fn is_strong(&self) -> bool {
        let mut letters: Vec<char> = self.0.chars().collect();
        let length = letters.len();
        letters.sort_unstable();
        letters.dedup();
        let is_hex = self.0.chars().all(|letter| letter.is_ascii_hexdigit());
        length >= if is_hex { 32 } else { 22 } && letters.len() >= 8
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 of what was handed out.
pub fn hash_secret(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
