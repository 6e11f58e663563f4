//! Templates: words of the operators in the place of ours.
//!
//! A template makes plain text: its first line is the headline, the others stand below. What its reader is asked, the
//! code and the links are always added by us, and each channel escapes the whole as it does ours, so that no template
//! has to. One is tried out when it is set. Should it fail later, our own words are used, and the operators are told.
//!
//! What a template may do is bounded: there are no loops over anything large, no files, no other templates, and both
//! the work and the length of what it makes have an end. A message about several alerts is always in our words.

use std::io;
use std::sync::Arc;

use escalation::alert::Audience;
use escalation::contact::Kind;
use escalation::delivery::Purpose;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use serde::Serialize;

use super::{Language, Message, age, cut, plain};
use crate::definition::nearest;

/// The longest template, in bytes.
pub const MAX_TEMPLATE: usize = 4_000;
/// The most that a template makes, in bytes.
const MAX_TEXT: usize = 4_000;
/// The most of the details that it sees, in bytes.
const MAX_DETAILS: usize = 2_000;
/// How much work it may do: about this many operations.
const FUEL: u64 = 20_000;
/// The name under which its text is known to the library.
const TEXT: &str = "text";

/// What a template is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only messages to this kind of contact.
    pub kind: Option<Kind>,
    /// Only messages for this purpose.
    pub purpose: Option<Purpose>,
    /// Only messages to who reads this language.
    pub language: Option<Language>,
}

impl Wanted {
    fn fits(&self, message: &Message) -> bool {
        self.kind.is_none_or(|kind| kind == message.contact.kind())
            && self.purpose.is_none_or(|purpose| purpose == message.purpose)
            && self.language.is_none_or(|language| language == message.language())
    }
}

/// One template.
#[derive(Clone, Debug)]
pub struct Template {
    wanted: Wanted,
    environment: Arc<Environment<'static>>,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Wrong {
    /// Where, from 1.
    pub line: usize,
    /// What, and what to write instead.
    pub what: String,
}

/// What a template may name.
#[derive(Serialize)]
struct Facts<'a> {
    headline: &'a str,
    severity: String,
    team: &'a str,
    person: &'a str,
    number: u64,
    summary: String,
    details: String,
    status: &'a str,
    dedup_key: &'a str,
    integration: &'a str,
    since: &'a str,
    age: String,
    reader: &'a str,
    purpose: &'a str,
    url: &'a str,
}

/// The names of [`Facts`].
const NAMES: [&str; 15] = [
    "headline",
    "severity",
    "team",
    "person",
    "number",
    "summary",
    "details",
    "status",
    "dedup_key",
    "integration",
    "since",
    "age",
    "reader",
    "purpose",
    "url",
];

impl Template {
    /// Reads a template and tries it out.
    ///
    /// # Errors
    ///
    /// Where it is wrong, and what to write instead.
    pub fn new(wanted: Wanted, text: &str) -> Result<Self, Wrong> {
        if text.len() > MAX_TEMPLATE {
            let what = format!("it is longer than {MAX_TEMPLATE} bytes");
            return Err(Wrong { line: text[..text.floor_char_boundary(MAX_TEMPLATE)].lines().count(), what });
        }
        let mut environment = Environment::empty();
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(50);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_trim_blocks(true);
        environment.add_filter("upper", |text: String| text.to_uppercase());
        environment.add_filter("lower", |text: String| text.to_lowercase());
        environment.add_filter("trim", |text: String| text.trim().to_owned());
        environment
            .add_filter("first", |text: String, most: usize| -> String { text.chars().take(most).collect() });
        environment.add_template_owned(TEXT, text.to_owned()).map_err(|error| wrong(&error))?;
        let template = Self { wanted, environment: Arc::new(environment) };
        template.check_names(text)?;
        // It must work with everything there, and with as little there as can be.
        for sample in [Facts::sample("word"), Facts::sample("")] {
            template.render(&sample).map_err(|error| wrong(&error))?;
        }
        Ok(template)
    }

    fn check_names(&self, text: &str) -> Result<(), Wrong> {
        let compiled = self.environment.get_template(TEXT).map_err(|error| wrong(&error))?;
        let mut unknown: Vec<String> = compiled.undeclared_variables(false).into_iter().collect();
        unknown.retain(|name| !NAMES.contains(&name.as_str()));
        unknown.sort();
        let Some(name) = unknown.first() else { return Ok(()) };
        let line = text.lines().position(|line| line.contains(name.as_str())).map_or(1, |place| place + 1);
        let hint = nearest(name, NAMES.into_iter()).map_or_else(
            || format!("there are {}", NAMES.join(", ")),
            |near| format!("did you mean \"{near}\"?"),
        );
        Err(Wrong { line, what: format!("\"{name}\" is not known; {hint}") })
    }

    fn render(&self, facts: &Facts<'_>) -> Result<String, Error> {
        let mut made = Bounded(Vec::new());
        match self.environment.get_template(TEXT)?.render_captured_to(facts, &mut made) {
            Ok(_) => {}
            Err(_) if made.0.len() > MAX_TEXT => {
                let what = format!("it makes more than {MAX_TEXT} bytes");
                return Err(Error::new(ErrorKind::InvalidOperation, what));
            }
            Err(error) => return Err(error),
        }
        Ok(String::from_utf8_lossy(&made.0).into_owned())
    }
}

/// Takes what a template makes, as long as it is not too much.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (MAX_TEXT + 1).saturating_sub(self.0.len());
        self.0.extend(bytes.iter().take(room));
        if self.0.len() > MAX_TEXT { Err(io::Error::other("too long")) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn wrong(error: &Error) -> Wrong {
    let what = match error.kind() {
        ErrorKind::OutOfFuel => "it does too much; a message needs no loops".to_owned(),
        ErrorKind::UnknownFilter => {
            format!(
                "{}; there are upper, lower, trim, and first(N)",
                error.detail().unwrap_or("no such filter")
            )
        }
        _ => error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned),
    };
    Wrong { line: error.line().unwrap_or(1), what }
}

impl<'a> Facts<'a> {
    fn of(message: &'a Message, details: String) -> Self {
        let subject = message.subject.as_ref();
        let (team, person) = match subject.map(|alert| &alert.audience) {
            Some(Audience::Team(team)) => (team.as_str(), ""),
            Some(Audience::Person(person)) => ("", person.as_str()),
            None => ("", ""),
        };
        Self {
            headline: &message.headline,
            severity: subject.map(|alert| message.say(alert.severity.word())).unwrap_or_default(),
            team,
            person,
            number: subject.map_or(0, |alert| alert.number),
            summary: subject.map(|alert| plain(&alert.summary).replace('\n', " ")).unwrap_or_default(),
            details,
            status: subject.map_or("", |alert| alert.status.word()),
            dedup_key: subject.map_or("", |alert| &alert.dedup_key),
            integration: subject.map_or("", |alert| &alert.integration),
            since: message.since.as_deref().unwrap_or_default(),
            age: subject
                .map(|alert| message.say(&age(alert.created_at, message.sent_at)))
                .unwrap_or_default(),
            reader: message.reader.as_ref().map_or("", |(_, name)| name),
            purpose: message.purpose.word(),
            url: message.alert_url.as_deref().unwrap_or_default(),
        }
    }

    fn sample(word: &'a str) -> Self {
        let owned = || word.to_owned();
        Self {
            headline: word,
            severity: owned(),
            team: word,
            person: word,
            number: 7,
            summary: owned(),
            details: owned(),
            status: word,
            dedup_key: word,
            integration: word,
            since: word,
            age: owned(),
            reader: word,
            purpose: word,
            url: word,
        }
    }
}

/// Every template that is set. The first that fits a message is used.
#[derive(Clone, Debug, Default)]
pub struct Templates(Arc<[Template]>);

impl Templates {
    /// These, in this order.
    pub fn new(templates: Vec<Template>) -> Self {
        Self(templates.into())
    }

    /// Puts the words of the template that fits into a message, if there is one.
    ///
    /// # Errors
    ///
    /// It failed; why. The message is as it was.
    pub fn reword(&self, message: &mut Message) -> Result<(), String> {
        if !message.others.is_empty() {
            return Ok(());
        }
        let Some(place) = self.0.iter().position(|template| template.wanted.fits(message)) else {
            return Ok(());
        };
        let details = cut(&plain(&message.details), MAX_DETAILS);
        let made = self.0[place].render(&Facts::of(message, details));
        let made = made.map_err(|error| format!("template {}: {}", place + 1, wrong(&error)))?;
        let made = plain(&made);
        let mut lines = made.lines().map(str::trim_end).skip_while(|line| line.trim().is_empty());
        let Some(headline) = lines.next() else {
            return Err(format!("template {}: it made nothing but space", place + 1));
        };
        let mut below: Vec<String> = lines.map(ToOwned::to_owned).collect();
        while below.last().is_some_and(String::is_empty) {
            below.pop();
        }
        // What its reader is asked stands last, and stays.
        below.extend(message.lines.pop());
        message.headline = headline.to_owned();
        message.lines = below;
        message.is_reworded = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Wrong {
        Template::new(Wanted::default(), text).unwrap_err()
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_a_hint() {
        for (text, line, words) in [
            ("a\n{{ sumary }}", 2, "did you mean \"summary\"?"),
            ("{{ weather }}", 1, "there are headline, severity"),
            ("a\nb\n{{ summary", 3, "unexpected end"),
            ("{{ summary | shout }}", 1, "there are upper, lower"),
            ("{% include \"/etc/passwd\" %}", 1, "include"),
            ("{% import \"x\" as y %}", 1, "import"),
            ("{% macro x() %}{% endmacro %}", 1, "macro"),
            ("{% for a in \"x\" * 30000 %}{% endfor %}", 1, "it does too much"),
            ("{{ \"x\" * 5000 }}", 1, "more than 4000 bytes"),
            ("{{ \"x\" * 1000000000 }}", 1, "too large"),
            ("{{ number.secret.deep }}", 1, "undefined"),
            ("{{ range(9) }}", 1, "\"range\" is not known"),
            (&"x".repeat(4_001), 1, "longer than 4000 bytes"),
        ] {
            let wrong = refused(text);
            assert_eq!(wrong.line, line, "{wrong}");
            assert!(wrong.what.contains(words), "{text}: {wrong}");
        }
    }

    #[test]
    fn every_name_is_there() {
        for name in NAMES {
            Template::new(Wanted::default(), &format!("{{{{ {name} }}}}")).unwrap();
        }
        let facts = serde_json::to_value(Facts::sample("x")).unwrap();
        let mut there: Vec<&str> = facts.as_object().unwrap().keys().map(String::as_str).collect();
        let mut named = NAMES.to_vec();
        there.sort_unstable();
        named.sort_unstable();
        assert_eq!(there, named);
    }
}
