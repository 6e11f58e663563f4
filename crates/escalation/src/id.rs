//! Typed ids: `alert_…`, `page_…`, `delivery_…`.
//!
//! Sixteen bytes, version 7 of RFC 9562 (time first, so that rows are appended where they are stored),
//! written as a prefix that a human can read and 26 characters of Crockford's base 32 in lower case.
//! Time and chance are passed in by [`Ids`]. An id is no secret: what must not be guessed is a token.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

/// The alphabet of Crockford's base 32, without i, l, o and u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Makes new ids from a time and a source of chance.
pub struct Ids<'a> {
    /// The time that the ids carry.
    pub now: Timestamp,
    /// The next 64 bits of chance.
    pub chance: &'a mut dyn FnMut() -> u64,
}

impl Ids<'_> {
    fn bytes(&mut self) -> [u8; 16] {
        let low = (self.chance)().to_be_bytes();
        let high = (self.chance)().to_be_bytes();
        let random = [low[0], low[1], low[2], low[3], low[4], low[5], low[6], low[7], high[0], high[1]];
        // Times before 1970 do not occur; were one passed in, the id would only sort first.
        let millis = u64::try_from(self.now.as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into_bytes()
    }
}

/// A text that is no id of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadId {
    prefix: &'static str,
}

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an id here is \"{}_\" and 26 characters, as the API returned it", self.prefix)
    }
}

impl std::error::Error for BadId {}

fn encode(bytes: [u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let number = u128::from_be_bytes(bytes);
    let mut text = [0_u8; 26];
    for (place, slot) in text.iter_mut().enumerate() {
        let shift = 5 * (25 - place);
        *slot = ALPHABET[(number >> shift) as usize & 31];
    }
    // Every byte comes from ALPHABET, which is ASCII.
    f.write_str(std::str::from_utf8(&text).unwrap_or_default())
}

fn decode(text: &str) -> Option<[u8; 16]> {
    if text.len() != 26 {
        return None;
    }
    let mut number: u128 = 0;
    for (place, byte) in text.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|&letter| letter == byte)? as u128;
        // 26 characters hold 130 bits: the first may use only three of its five.
        if place == 0 && digit > 7 {
            return None;
        }
        number = number << 5 | digit;
    }
    Some(number.to_be_bytes())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A new id.
            pub fn new(ids: &mut Ids<'_>) -> Self {
                Self(ids.bytes())
            }

            /// The id with these bytes, as [`Self::to_bytes`] gave them.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The sixteen bytes that a store keeps.
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                encode(self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(Self)
                    .ok_or(BadId { prefix: $prefix })
            }
        }
    };
}

id!(
    /// One problem that somebody must answer.
    AlertId,
    "alert"
);
id!(
    /// One person owed an answer for one alert in one round.
    PageId,
    "page"
);
id!(
    /// One attempt to reach one contact.
    DeliveryId,
    "delivery"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_was_written() {
        let mut next = 0_u64;
        let mut chance = || {
            next = next.wrapping_add(0x9e37_79b9_7f4a_7c15);
            next
        };
        for second in [0, 1, 1_700_000_000, 253_402_207_200] {
            let now = Timestamp::from_second(second).unwrap();
            let id = AlertId::new(&mut Ids { now, chance: &mut chance });
            let text = id.to_string();
            assert_eq!(text.len(), "alert_".len() + 26, "{text}");
            assert_eq!(text.parse(), Ok(id));
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "alert_",
            "page_00000000000000000000000000",
            "alert_0000000000000000000000000u",
            "alert_80000000000000000000000000",
            "alert_000000000000000000000000000",
        ] {
            assert!(text.parse::<AlertId>().is_err(), "{text}");
        }
    }
}
