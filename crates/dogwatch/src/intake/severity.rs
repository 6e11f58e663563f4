//! What senders call how grave something is, and what we make of it.

use std::collections::BTreeMap;

use escalation::event::Severity;

/// The words that are known without being told, in small letters. Who means something else says so in the
/// integration.
pub const WORDS: [(Severity, &[&str]); 4] = [
    (
        Severity::Critical,
        &[
            "critical",
            "crit",
            "disaster",
            "emergency",
            "emerg",
            "fatal",
            "page",
            "p1",
            "down",
            "unreachable",
            "alert",
            "sev1",
        ],
    ),
    (
        // Opsgenie sets P3 where nobody has said anything: that is no reason to let people sleep.
        Severity::Error,
        &["error", "err", "high", "major", "severe", "unknown", "p2", "p3", "sev2", "average"],
    ),
    (Severity::Warning, &["warning", "warn", "minor", "low", "p4", "sev3", "notice", "medium", "moderate"]),
    (
        Severity::Info,
        &["info", "information", "informational", "p5", "debug", "ok", "none", "not classified", "sev4"],
    ),
];

/// What a sender's word means: as its integration says, else as most mean it; a word that nobody knows is as if
/// nothing had been said.
pub fn meaning(word: Option<&str>, own: &BTreeMap<String, Severity>, otherwise: Severity) -> Severity {
    let Some(word) = word.map(|word| word.trim().to_lowercase()) else { return otherwise };
    let usual =
        || WORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(severity, _)| *severity);
    own.get(&word).copied().or_else(usual).unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integration_s_own_words_come_first() {
        let own = BTreeMap::from([("p3".to_owned(), Severity::Info)]);
        let says = |word| meaning(word, &own, Severity::Warning);
        assert_eq!(says(Some(" P3 ")), Severity::Info);
        assert_eq!(says(Some("Disaster")), Severity::Critical);
        assert_eq!(says(Some("whatever")), Severity::Warning);
        assert_eq!(says(None), Severity::Warning);
    }

    #[test]
    fn no_word_means_two_things() {
        let mut all: Vec<&str> = WORDS.iter().flat_map(|(_, words)| words.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
