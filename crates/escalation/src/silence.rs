//! Silences and maintenance windows: alerts that page nobody for a while, because somebody said so.
//!
//! A silence says which alerts it holds back, by what is known of them, and when. It never drops one: an alert
//! that it holds back is stored, shown as silenced, and looked at again when the silence ends. Read next:
//! `alert/aside.rs`, which acts on it.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rota::period::ZonedPeriod;

use crate::alert::{Alert, Audience};
use crate::directory::Directory;
use crate::event::Severity;
use crate::name::Name;

/// The longest that a silence lasts, and the longest that a silenced alert waits to be looked at again.
pub const MAX_LENGTH: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The longest pattern, in characters.
pub const MAX_PATTERN: usize = 200;
/// Silences that follow each other without a pause are followed so far when the end is looked for.
const MOST_FOLLOWED: usize = 100;

/// Alerts that page nobody for a while.
#[derive(Clone, Debug)]
pub struct Silence {
    /// The identity.
    pub name: Name,
    /// Who made it, as people read it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Which alerts.
    pub matches: Match,
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it; none: it has no end of its own.
    pub until: Option<Timestamp>,
    /// Only within this period.
    pub within: Option<ZonedPeriod>,
}

/// Which alerts are meant: those that have all of what is named. What is not named may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// The team that it is for.
    pub team: Option<Name>,
    /// One of these severities; empty: any.
    pub severities: Vec<Severity>,
    /// The sender.
    pub integration: Option<Pattern>,
    /// What makes reports the same problem.
    pub dedup_key: Option<Pattern>,
    /// What is wrong.
    pub summary: Option<Pattern>,
    /// Anything more that was said.
    pub details: Option<Pattern>,
}

/// A text in which `*` stands for any characters, or none: `db1`, `db*`, `*disk*`.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern(Arc<str>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// When it is empty or longer than [`MAX_PATTERN`] characters: what to write instead.
    pub fn new(text: &str) -> Result<Self, String> {
        match text.chars().count() {
            0 => Err("must not be empty; leave it out, or write \"*\" for anything".to_owned()),
            length if length > MAX_PATTERN => {
                Err(format!("is {length} characters long; at most {MAX_PATTERN} are allowed"))
            }
            _ => Ok(Self(text.into())),
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether all of `text` is as the pattern says. Takes time in proportion to both lengths at most.
    pub fn fits(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return *self.0 == *text };
        let Some(mut left) = text.strip_prefix(first) else { return false };
        let mut parts: Vec<&str> = rest.split('*').collect();
        let last = parts.pop().unwrap_or_default();
        // The nearest place for each part leaves the most for those after it.
        for part in parts {
            let Some((_, after)) = left.split_once(part) else { return false };
            left = after;
        }
        left.ends_with(last)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Match {
    /// Whether it names anything at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an alert is meant.
    pub fn fits(&self, alert: &Alert) -> bool {
        let has =
            |pattern: &Option<Pattern>, text: &str| pattern.as_ref().is_none_or(|pattern| pattern.fits(text));
        let is_for = |team: &Name| alert.audience == Audience::Team(team.clone());
        self.team.as_ref().is_none_or(is_for)
            && (self.severities.is_empty() || self.severities.contains(&alert.severity))
            && has(&self.integration, &alert.integration)
            && has(&self.dedup_key, &alert.dedup_key)
            && has(&self.summary, &alert.summary)
            && has(&self.details, &alert.details)
    }
}

impl Silence {
    /// Whether it holds at an instant.
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.from <= at
            && self.until.is_none_or(|until| at < until)
            && self.within.as_ref().is_none_or(|period| period.contains(at))
    }

    /// Until when it holds, if it holds at an instant; none: no end is in sight.
    pub fn ends(&self, at: Timestamp) -> Option<Timestamp> {
        let out = self.within.as_ref().and_then(|period| period.next_out(at));
        out.into_iter().chain(self.until).min()
    }

    /// When it begins to hold next, after an instant.
    pub fn next_begin(&self, after: Timestamp) -> Option<Timestamp> {
        if after < self.from && self.is_in_force(self.from) {
            return Some(self.from);
        }
        let start = after.max(self.from);
        let period = self.within.as_ref()?;
        let out = if period.contains(start) { period.next_out(start)? } else { start };
        period.next_in(out).filter(|at| self.until.is_none_or(|until| *at < until))
    }

    /// `Bob: the disks are exchanged`, for people.
    pub fn told(&self) -> String {
        match (self.by.as_str(), self.reason.as_str()) {
            (by, "") => by.to_owned(),
            ("", reason) => reason.to_owned(),
            (by, reason) => format!("{by}: {reason}"),
        }
    }
}

impl Directory {
    /// What silences an alert at an instant, and until when nothing but silences lies ahead: at most
    /// [`MAX_LENGTH`] from then.
    pub fn silence(&self, alert: &Alert, at: Timestamp) -> Option<(&Arc<Silence>, Timestamp)> {
        let is_over = |silence: &Silence| silence.until.is_some_and(|until| until <= at);
        let fitting: Vec<&Arc<Silence>> = self
            .silences
            .values()
            .filter(|silence| !is_over(silence) && silence.matches.fits(alert))
            .collect();
        let mut held_until = at;
        let mut first = None;
        for _ in 0..MOST_FOLLOWED {
            let holding = fitting.iter().filter(|silence| silence.is_in_force(held_until));
            // No end in sight is later than every end.
            let end = |silence: &&&Arc<Silence>| silence.ends(held_until).unwrap_or(Timestamp::MAX);
            let Some(longest) = holding.max_by_key(end) else { break };
            held_until = end(&longest);
            first = first.or(Some(*longest));
            if held_until.duration_since(at) >= MAX_LENGTH {
                break;
            }
        }
        first.map(|silence| (silence, held_until.min(at.saturating_add(MAX_LENGTH).unwrap_or(at))))
    }

    /// When a silence begins to hold next, after an instant.
    pub fn next_silence(&self, after: Timestamp) -> Option<Timestamp> {
        self.silences.values().filter_map(|silence| silence.next_begin(after)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        let fits = |pattern: &str, text: &str| Pattern::new(pattern).unwrap().fits(text);
        for (pattern, text) in [
            ("db1", "db1"),
            ("db*", "db"),
            ("db*", "db1/disk"),
            ("*disk", "disk full on disk"),
            ("*disk*", "a disk is full"),
            ("*a*b*", "xxaxxbxx"),
            ("a*a", "aa"),
            ("*", ""),
            ("**", "x"),
            ("ä*ö", "äxö"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("db1", "db10"),
            ("db*", "a db"),
            ("*disk", "disks"),
            ("a*a", "a"),
            ("*a*b*", "ba"),
            ("DB*", "db1"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
        assert!(Pattern::new("").is_err());
        assert!(Pattern::new(&"x".repeat(MAX_PATTERN + 1)).is_err());
    }
}
