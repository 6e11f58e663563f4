//! Replies by short message: what somebody wrote, and what it does.
//!
//! Only a number that belongs to a person is answered. Codes are short, so that guessing them is limited, see
//! [`MOST_WRONG`]. What is answered is answered after the commit; what carries the answer is not known here.

use escalation::alert::Alert;
use escalation::contact::Contact;
use escalation::event::Via;
use escalation::id::AlertId;
use escalation::name::Name;
use jiff::Timestamp;

use super::{Key, answer, answer_all, language_of, tell};
use crate::message::{Language, headline_in, say};
use crate::store::phone::{LineChange, MOST_WRONG};
use crate::store::{AlertRef, Store, StoreError};

/// The most alerts that are listed in an answer.
const MOST_LISTED: usize = 4;

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// To have an alert, or to say that it is over; with the code, if there was one.
    Answer(Key, Option<String>),
    /// To have everything that the newest message held.
    AckAll,
    /// To know what may be written.
    Help,
    /// To get no messages any more.
    Stop,
    /// To get them again.
    Start,
    /// Yes: to get them again, where they were stopped; else to have what waits.
    Yes,
    /// Nothing that is understood.
    Nonsense,
}

/// Reads a message as tolerantly as a person at night writes.
pub fn read(text: &str) -> Said {
    let plain: String =
        text.chars().map(|letter| if letter.is_alphanumeric() { letter } else { ' ' }).collect();
    let plain = plain.to_lowercase();
    let mut words: Vec<&str> = plain.split_whitespace().collect();
    let is_code =
        |word: &str| (4..=6).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    let code = words.iter().position(|word| is_code(word)).map(|place| words.remove(place).to_owned());
    match (words.as_slice(), code) {
        ([] | ["ack" | "a" | "acknowledge" | "ok" | "ja"], Some(code)) => {
            Said::Answer(Key::Acknowledge, Some(code))
        }
        (["resolve" | "r" | "resolved" | "close" | "c" | "done" | "erledigt"], code) => {
            Said::Answer(Key::Resolve, code)
        }
        (["ack" | "a" | "acknowledge" | "ok" | "ja"], None) => Said::Answer(Key::Acknowledge, None),
        (["ack" | "a" | "acknowledge", "all" | "alle"] | ["all" | "alle"], None) => Said::AckAll,
        (["help" | "hilfe" | "info"], _) => Said::Help,
        // The words that carriers act on, too.
        (["stop" | "stopall" | "unsubscribe" | "cancel" | "end" | "quit"], None) => Said::Stop,
        (["start" | "unstop"], None) => Said::Start,
        (["yes"], None) => Said::Yes,
        (["not", "me"] | ["ich", "nicht"] | ["nicht", "ich"], code) => Said::Answer(Key::NotMe, code),
        _ => Said::Nonsense,
    }
}

/// Carries out what came from a number, and says what to answer; nothing: there is to be no answer.
///
/// # Errors
///
/// [`StoreError`]: nobody may be told that anything was done.
pub async fn answer_sms(
    store: &Store,
    from: &Contact,
    text: &str,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let definitions = store.definitions();
    let has_it = |name: &&Name| {
        definitions.directory().people.get(*name).is_some_and(|person| person.contacts.contains(from))
    };
    let people: Vec<Name> = definitions.directory().people.keys().filter(has_it).cloned().collect();
    let Some(first) = people.first() else {
        // Whoever has the wrong number, or tries numbers, learns nothing.
        return Ok(None);
    };
    let language = language_of(store, first);
    let line = store.line(from.clone(), now).await?;
    let said = match read(text) {
        Said::Yes if line.stopped_at.is_some() => Said::Start,
        Said::Yes => Said::Answer(Key::Acknowledge, None),
        said => said,
    };
    match said {
        Said::Stop => return stop(store, from, &people).await,
        Said::Start => {
            store.change_line(from.clone(), LineChange::Start).await?;
            return Ok(Some(say("You get messages again. STOP ends them.", language)));
        }
        // Codes are not to be guessed. What needs none goes on.
        Said::Answer(_, Some(_)) if line.wrong >= MOST_WRONG => {
            // Said a few times, whether the code is right or not: somebody may have to find another way.
            let line = store.change_line(from.clone(), LineChange::Wrong).await?;
            return Ok((line.wrong <= 2 * MOST_WRONG).then(|| say(TOO_MANY, language)));
        }
        // Two machines that answer each other come to an end.
        Said::Nonsense | Said::Help if line.unclear >= MOST_WRONG => return Ok(None),
        _ => {}
    }
    let is_guess = matches!(said, Said::Answer(_, Some(_)));
    let done = match said {
        Said::Help => {
            store.change_line(from.clone(), LineChange::Unclear).await?;
            return Ok(Some(say(HELP, language)));
        }
        Said::Answer(key, Some(code)) => by_code(store, &people, key, code).await?,
        Said::Answer(key, None) => by_what_waits(store, from, &people, key, line.stopped_at).await?,
        Said::AckAll => all_of_the_newest(store, from, &people, language).await?,
        Said::Stop | Said::Start | Said::Yes | Said::Nonsense => None,
    };
    match done {
        Some(done) => {
            // What needed no code says nothing of those that were tried.
            if is_guess && line.wrong + line.unclear > 0 {
                store.change_line(from.clone(), LineChange::Right).await?;
            }
            Ok(Some(done))
        }
        None => not_understood(store, from, text, is_guess, language).await.map(Some),
    }
}

const HELP: &str = "Write the code of a message, and you have it. RESOLVE and the code: it is over. NOT ME and the code: \
                    somebody else is asked. ACK ALL: you have all of the last message. STOP: no more messages.";

const TOO_MANY: &str = "Too many wrong codes: for an hour no code from this number counts. ACK ALL does; or answer on the \
                        web, or wait for the call.";

async fn stop(store: &Store, from: &Contact, people: &[Name]) -> Result<Option<String>, StoreError> {
    store.change_line(from.clone(), LineChange::Stop).await?;
    for person in people {
        let text = format!(
            "{from} has said STOP: no messages go there any more, until it sends START. Calls still do"
        );
        store.warn_person(person.clone(), text, from.clone()).await?;
    }
    // Carriers confirm it themselves; a message from us would not be let through.
    Ok(None)
}

async fn not_understood(
    store: &Store,
    from: &Contact,
    text: &str,
    is_guess: bool,
    language: Language,
) -> Result<String, StoreError> {
    let change = if is_guess { LineChange::Wrong } else { LineChange::Unclear };
    let line = store.change_line(from.clone(), change).await?;
    if is_guess && line.wrong >= MOST_WRONG {
        return Ok(say(TOO_MANY, language));
    }
    let shown: String = text.chars().filter(|letter| !letter.is_control()).take(20).collect();
    let shown = if shown.trim().is_empty() { "…".to_owned() } else { shown };
    let help = say(HELP, language);
    Ok(say(&format!("Nothing was done: \"{shown}\" is no code of yours. {help}"), language))
}

/// Does one thing, and says what came of it.
async fn act(store: &Store, alert: AlertId, person: &Name, key: Key) -> Result<Option<String>, StoreError> {
    let acted = answer(store, AlertRef::Id(alert), person, Via::Sms, key).await?;
    let language = language_of(store, person);
    Ok(acted.map(|acted| {
        let told = say(&tell(&acted, Some(person)), language);
        format!("{told} ({})", headline_in(&acted.alert, language))
    }))
}

async fn by_code(
    store: &Store,
    people: &[Name],
    key: Key,
    code: String,
) -> Result<Option<String>, StoreError> {
    for person in people {
        if let Some(alert) = store.coded(person.clone(), code.clone()).await? {
            return act(store, alert, person, key).await;
        }
    }
    Ok(None)
}

/// Without a code it has to be clear what is meant.
async fn by_what_waits(
    store: &Store,
    from: &Contact,
    people: &[Name],
    key: Key,
    stopped_at: Option<Timestamp>,
) -> Result<Option<String>, StoreError> {
    let waiting = what_waits(store, people).await?;
    let language = people.first().map_or(Language::English, |first| language_of(store, first));
    match waiting.as_slice() {
        [] => Ok(Some(say("Nothing waits for your answer.", language))),
        [(person, alert)] => act(store, alert.id, person, key).await,
        many => {
            let mut lines = vec![say("Which? Reply with its code:", language)];
            lines.extend(listed(store, from, many, language, stopped_at).await?);
            Ok(Some(lines.join("\n")))
        }
    }
}

/// What was sent to these people and still asks something of them.
async fn what_waits(store: &Store, people: &[Name]) -> Result<Vec<(Name, Alert)>, StoreError> {
    let mut waiting: Vec<(Name, Alert)> = Vec::new();
    for person in people {
        for (page, alert) in store.sent_pages(person.clone()).await? {
            if alert.asks(&page) {
                waiting.push((person.clone(), alert));
            }
        }
    }
    waiting.sort_by_key(|(_, alert)| alert.number);
    Ok(waiting)
}

/// A line for each, with the code by which it is answered; to who said STOP its number.
async fn listed(
    store: &Store,
    from: &Contact,
    waiting: &[(Name, Alert)],
    language: Language,
    stopped_at: Option<Timestamp>,
) -> Result<Vec<String>, StoreError> {
    let mut lines = Vec::new();
    for (person, alert) in waiting.iter().take(MOST_LISTED) {
        let codes = store.reply_terms(from.clone(), Some(person.clone()), vec![alert.id]).await?.codes;
        let code = codes.first().filter(|_| stopped_at.is_none());
        let code = code.map_or_else(|| format!("#{}", alert.number), Clone::clone);
        let about: String = headline_in(alert, language).chars().take(40).collect();
        lines.push(format!("{code} {about}"));
    }
    if waiting.len() > MOST_LISTED {
        lines.push(say(&format!("and {} more", waiting.len() - MOST_LISTED), language));
    }
    Ok(lines)
}

/// Exactly what the newest message held, and nothing that came later.
async fn all_of_the_newest(
    store: &Store,
    from: &Contact,
    people: &[Name],
    language: Language,
) -> Result<Option<String>, StoreError> {
    let Some(newest) = store.newest_sms(from.clone()).await? else {
        return Ok(Some(say("No message of ours waits for your answer.", language)));
    };
    let person = newest.delivery.person.as_ref().filter(|person| people.contains(person));
    let (Some(person), Some(alert)) = (person, &newest.alert) else { return Ok(None) };
    let Some(bundle) = newest.delivery.bundle else {
        return act(store, alert.id, person, Key::Acknowledge).await;
    };
    let held = store.bundle(bundle).await?;
    let numbers: Vec<_> = held
        .iter()
        .filter(|claim| claim.waits())
        .filter_map(|claim| claim.alert.as_ref())
        .map(|alert| format!("#{}", alert.number))
        .collect();
    answer_all(store, bundle, Via::Sms).await?;
    let done = match numbers.as_slice() {
        [] => say("Nothing of that message waits any more.", language),
        numbers => say(&format!("You have {}, all of that message.", numbers.join(", ")), language),
    };
    // What came before it or after it is named: it is not answered.
    let left = what_waits(store, people).await?;
    if left.is_empty() {
        return Ok(Some(done));
    }
    let mut lines = vec![done, say("Still waiting:", language)];
    lines.extend(listed(store, from, &left, language, None).await?);
    Ok(Some(lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_writes_at_night_is_understood() {
        let ack = |code: Option<&str>| Said::Answer(Key::Acknowledge, code.map(ToOwned::to_owned));
        let resolve = |code: Option<&str>| Said::Answer(Key::Resolve, code.map(ToOwned::to_owned));
        for (text, said) in [
            ("4711", ack(Some("4711"))),
            (" 4711 ", ack(Some("4711"))),
            ("ack 4711", ack(Some("4711"))),
            ("Ack: 4711.", ack(Some("4711"))),
            ("4711 ack", ack(Some("4711"))),
            ("'4711'", ack(Some("4711"))),
            ("OK 123456", ack(Some("123456"))),
            ("ack", ack(None)),
            ("ACK ", ack(None)),
            ("a", ack(None)),
            ("ack all", Said::AckAll),
            ("All!", Said::AckAll),
            ("resolve 4711", resolve(Some("4711"))),
            ("c 4711", resolve(Some("4711"))),
            ("close", resolve(None)),
            ("help", Said::Help),
            ("Hilfe?", Said::Help),
            ("STOP", Said::Stop),
            ("Start", Said::Start),
            ("Yes!", Said::Yes),
            ("not me 4711", Said::Answer(Key::NotMe, Some("4711".to_owned()))),
            ("Ich nicht", Said::Answer(Key::NotMe, None)),
            ("", Said::Nonsense),
            ("47", Said::Nonsense),
            ("1234567", Said::Nonsense),
            ("4711 4712", Said::Nonsense),
            ("I am not stopping", Said::Nonsense),
            ("please don't ack 4711", Said::Nonsense),
            ("٤٧١١", Said::Nonsense),
        ] {
            assert_eq!(read(text), said, "{text}");
        }
    }
}
