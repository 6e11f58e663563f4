//! Whose an event is: names in its summary, else addresses of those invited.

use std::sync::Arc;

/// Names in longer summaries are looked for in so many bytes only.
const LONGEST_SUMMARY: usize = 1_000;

/// What an event says of people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mention {
    /// `SUMMARY`: what the event is called.
    pub summary: String,
    /// `ATTENDEE`: the email addresses of those invited who did not decline, in small letters.
    pub attendees: Vec<String>,
    /// `ORGANIZER`: the email address of whoever wrote the event, in small letters.
    pub organizer: Option<String>,
}

/// Somebody whom an event may mean.
#[derive(Clone, Debug)]
pub struct Known {
    /// The person's name.
    pub name: Arc<str>,
    /// The full name, if there is one.
    pub full_name: Option<String>,
    /// Email addresses.
    pub addresses: Vec<String>,
}

/// Who of `people` is meant: those whose name or full name is in the summary, in the order in which they come
/// there; if there is none, those whose address is invited. Nobody when no one is found.
///
/// Names count as whole words, whatever their case; of names that overlap the longest counts: "Anna Schmidt" does not
/// mean `anna` too. The organizer is not looked at: it is mostly whoever keeps the calendar.
pub fn whose(mention: &Mention, people: &[Known]) -> Vec<Arc<str>> {
    let summary = mention.summary.to_lowercase();
    let end = summary.floor_char_boundary(LONGEST_SUMMARY);
    let summary = &summary[..end];
    let mut places = Vec::new();
    for person in people {
        for name in person.full_name.as_deref().into_iter().chain([&*person.name]) {
            let name = name.trim().to_lowercase();
            if let Some(at) = word(summary, &name) {
                places.push((at, at + name.len(), &person.name));
            }
        }
    }
    if places.is_empty() {
        let is_invited = |address: &String| mention.attendees.contains(&address.to_lowercase());
        let invited = people.iter().filter(|person| person.addresses.iter().any(is_invited));
        return invited.map(|person| person.name.clone()).collect();
    }
    let is_part = |from: usize, to: usize| {
        places.iter().any(|other| other.0 <= from && to <= other.1 && other.1 - other.0 > to - from)
    };
    let mut named: Vec<_> = places.iter().filter(|(from, to, _)| !is_part(*from, *to)).collect();
    named.sort_by_key(|(from, _, _)| *from);
    let mut found: Vec<Arc<str>> = Vec::new();
    for (_, _, name) in named {
        if !found.contains(name) {
            found.push(Arc::clone(name));
        }
    }
    found
}

/// Where `name` stands in `text` as a word of its own. Letters and digits make words longer, and so do `.`, `-` and
/// `_` between them.
fn word(text: &str, name: &str) -> Option<usize> {
    if name.is_empty() {
        return None;
    }
    let goes_on = |mut letters: &mut dyn Iterator<Item = char>| match letters.next() {
        Some('.' | '-' | '_') => (&mut letters).next().is_some_and(char::is_alphanumeric),
        letter => letter.is_some_and(char::is_alphanumeric),
    };
    let mut places = text.match_indices(name).map(|(at, _)| at);
    places
        .find(|at| !goes_on(&mut text[..*at].chars().rev()) && !goes_on(&mut text[at + name.len()..].chars()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(summary: &str, attendees: &[&str]) -> Vec<String> {
        let known = |name: &str, full: Option<&str>, address: &str| Known {
            name: name.into(),
            full_name: full.map(str::to_owned),
            addresses: vec![address.to_owned()],
        };
        let people = [
            known("anna", None, "anna@example.org"),
            known("anna.schmidt", Some("Anna Schmidt"), "a.schmidt@example.org"),
            known("john", Some("John Ärmel"), "John@Example.org"),
            known("bob", None, "bob@example.org"),
        ];
        let mention = Mention {
            summary: summary.to_owned(),
            attendees: attendees.iter().map(|one| (*one).to_owned()).collect(),
            organizer: Some("bob@example.org".to_owned()),
        };
        whose(&mention, &people).iter().map(|name| name.to_string()).collect()
    }

    #[test]
    fn names_are_whole_words_and_the_longest_counts() {
        for (summary, who) in [
            ("john", &["john"][..]),
            ("On call: JOHN.", &["john"]),
            ("Bereitschaft john ärmel", &["john"]),
            ("bob, then John (bob again)", &["bob", "john"]),
            ("Anna Schmidt", &["anna.schmidt"]),
            ("anna.schmidt", &["anna.schmidt"]),
            ("Anna on call", &["anna"]),
            ("anna-lena", &[]),
            ("johnson", &[]),
            ("joannab", &[]),
            ("team meeting", &[]),
            ("", &[]),
        ] {
            assert_eq!(found(summary, &[]), who, "{summary}");
        }
    }

    #[test]
    fn those_invited_count_where_the_summary_names_nobody() {
        assert_eq!(found("On call", &["john@example.org", "anna@example.org"]), ["anna", "john"]);
        assert_eq!(found("Bob", &["john@example.org"]), ["bob"]);
        assert!(found("On call", &["stranger@example.org"]).is_empty());
    }
}
