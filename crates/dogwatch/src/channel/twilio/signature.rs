//! Whether a callback is genuine: `X-Twilio-Signature`, as Twilio's own validator computes it.
//!
//! Over the address exactly as Twilio called it and every field of the form, sorted; with HMAC-SHA1 under the auth
//! token, or, where the request says so, with HMAC-SHA256. The address is the configured public one: what a request
//! says about itself (Host, X-Forwarded-…) is not asked.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A callback, as far as it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The public address, path and query.
    pub url: &'a str,
    /// The fields of the form, in any order.
    pub fields: &'a [(String, String)],
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// `X-Twilio-Signature`.
    pub signature: &'a str,
    /// `X-Twilio-Webhooks-Signature-Settings`.
    pub settings: Option<&'a str>,
}

impl Signed<'_> {
    /// Whether it was signed with `token`, or, where it says SHA-256, with `key`.
    pub fn is_genuine(&self, token: &str, key: &str) -> bool {
        let is_sha256 = self.settings.is_some_and(|settings| {
            settings.split([',', ';']).any(|part| part.trim().eq_ignore_ascii_case("algorithm=hmac_sha256"))
        });
        let sum = body_sum(self.url);
        if let Some(sum) = &sum
            && !bool::from(
                hex(&Sha256::digest(self.body)).as_bytes().ct_eq(sum.to_ascii_lowercase().as_bytes()),
            )
        {
            return false;
        }
        let fields = if sum.is_some() { &[][..] } else { self.fields };
        // Twilio signs the address with or without the usual port.
        addresses(self.url).iter().any(|url| {
            let text = to_sign(url, fields);
            let wanted = if is_sha256 { sha256(key, &text) } else { sha1(token, &text) };
            wanted.as_bytes().ct_eq(self.signature.as_bytes()).into()
        })
    }
}

/// The checksum that the address of a callback carries whose body is no form.
fn body_sum(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    url.query_pairs().find(|(name, _)| name == "bodySHA256").map(|(_, value)| value.into_owned())
}

/// The address as it is, and with the port of its scheme written out or left out.
fn addresses(url: &str) -> Vec<String> {
    let mut all = vec![url.to_owned()];
    if let Some((scheme, rest)) = url.split_once("://") {
        let port = if scheme == "https" { ":443" } else { ":80" };
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        match host.strip_suffix(port) {
            Some(bare) => all.push(format!("{scheme}://{bare}{path}")),
            None if !host.rsplit(']').next().unwrap_or(host).contains(':') => {
                all.push(format!("{scheme}://{host}{port}{path}"));
            }
            None => {}
        }
    }
    all
}

/// Fields sorted by name, then value; the same one twice counts once.
fn to_sign(url: &str, fields: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut text = url.to_owned();
    for (name, value) in sorted {
        text.push_str(name);
        text.push_str(value);
    }
    text
}

fn sha1(key: &str, text: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn sha256(key: &str, text: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Twilio's own validator.
    #[test]
    fn signatures_are_those_of_twilios_validator() {
        let fields = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+12349013030"),
            ("Digits", "1234"),
            ("From", "+12349013030"),
            ("To", "+18005551212"),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let signed =
            |signature, settings, url| Signed { url, fields: &fields, body: b"", signature, settings };
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let sha256 = Some("key=k1,algorithm=HMAC_SHA256");
        assert!(signed("0/KCTR6DLpKmkAf8muzZqo1nDgQ=", None, url).is_genuine("12345", "x"));
        assert!(signed("Rmm4Vzj+Ky7JGoWXMCsZDZuHDszLr9xvdbvitrDr4/M=", sha256, url).is_genuine("x", "12345"));
        let port = "https://mycompany.com:443/myapp.php?foo=1&bar=2";
        assert!(signed("0/KCTR6DLpKmkAf8muzZqo1nDgQ=", None, port).is_genuine("12345", "x"));
        for (signature, settings, url, token) in [
            ("0/KCTR6DLpKmkAf8muzZqo1nDgQ=", None, url, "12346"),
            ("0/KCTR6DLpKmkAf8muzZqo1nDgQ=", sha256, url, "12345"),
            ("0/KCTR6DLpKmkAf8muzZqo1nDgQ=", None, "https://mycompany.com/myapp.php?foo=1&bar=3", "12345"),
            ("", None, url, "12345"),
        ] {
            assert!(!signed(signature, settings, url).is_genuine(token, token), "{signature} {url}");
        }
    }
}
