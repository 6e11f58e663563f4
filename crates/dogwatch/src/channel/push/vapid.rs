//! Who we are, to browsers' push services: RFC 8292. A browser takes messages only from whoever holds the key that it
//! was given.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::rand::SecureRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;

/// How long a proof is good for: RFC 8292 allows 24 hours.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(12);

/// The installation's key.
pub struct Vapid {
    pair: EcdsaKeyPair,
    contact: String,
}

impl Vapid {
    /// A new key, as it is stored.
    ///
    /// # Errors
    ///
    /// When the system gives no randomness.
    pub fn make(random: &dyn SecureRandom) -> anyhow::Result<Vec<u8>> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, random);
        Ok(made.ok().context("the system gives no randomness for a key")?.as_ref().to_vec())
    }

    /// A stored key. `contact` is where a push service may complain: `mailto:` or `https:`.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn read(stored: &[u8], contact: String, random: &dyn SecureRandom) -> anyhow::Result<Self> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, stored, random);
        Ok(Self { pair: pair.ok().context("the stored key for push messages can't be read")?, contact })
    }

    /// The public key, as a browser is given it.
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref())
    }

    /// The header that proves to the push service at `origin` who we are. `None`: it can't be signed.
    pub fn authorization(&self, origin: &str, now: Timestamp, random: &dyn SecureRandom) -> Option<String> {
        let head = json!({ "typ": "JWT", "alg": "ES256" });
        let claims = json!({ "aud": origin, "exp": (now + GOOD_FOR).as_second(), "sub": self.contact });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(head), part(claims));
        let signature = self.pair.sign(random, signed.as_bytes()).ok()?;
        let signature = URL_SAFE_NO_PAD.encode(signature.as_ref());
        Some(format!("vapid t={signed}.{signature}, k={}", self.public()))
    }
}
