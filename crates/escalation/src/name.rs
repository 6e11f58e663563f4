//! Names of people, teams, plans and integrations: the identity of a definition, never renamed.

use std::fmt;
use std::sync::Arc;

/// The longest name, in characters.
pub const MAX_LENGTH: usize = 64;

/// A name: 1–64 of `a-z0-9._-`. Cheap to copy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// A text that is no name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadName;

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a name is 1 to 64 of the characters a-z, 0-9, \".\", \"_\" and \"-\", and not \".\" or \"..\"",
        )
    }
}

impl std::error::Error for BadName {}

impl Name {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`BadName`] when it is empty, too long, holds any other character, or is `.` or `..` (which no
    /// address could carry).
    pub fn new(text: &str) -> Result<Self, BadName> {
        let fits = (1..=MAX_LENGTH).contains(&text.len());
        let plain = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
        if fits && plain && text != "." && text != ".." { Ok(Self(text.into())) } else { Err(BadName) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Lets a map by name be asked with a plain text.
impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_characters_make_a_name() {
        for good in ["a", "john.smith", "team-1_b", &"x".repeat(64)] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "a b", "a/b", "ä", "a\0", ".", "..", &"x".repeat(65)] {
            assert_eq!(Name::new(bad), Err(BadName), "{bad:?}");
        }
    }
}
