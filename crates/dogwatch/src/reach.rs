//! Whether people can be reached: contacts proven by a code and tried out, and who can't be reached, and why.
//!
//! Also the contact card, by which a telephone knows every number that may call.

use std::collections::{BTreeMap, BTreeSet};

use escalation::contact::{Contact, Kind};
use escalation::directory::Directory;
use escalation::name::Name;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::chance;
use crate::message::{Language, say};
use crate::store::reach::{Asked, Reach};
use crate::store::{Store, StoreError};

/// Something that stands in the way of reaching somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// Who.
    pub person: String,
    /// Which contact; none: it is about all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// What is wrong, and what to do.
    pub text: String,
    /// The person can't be reached at all.
    pub is_grave: bool,
}

/// What is looked at.
pub struct Scene<'a> {
    /// Who there is.
    pub directory: &'a Directory,
    /// What is known of contacts.
    pub known: &'a [(Name, Contact, Reach)],
    /// Numbers that said STOP.
    pub stopped: &'a BTreeSet<String>,
    /// The kinds of contact that something is set up for.
    pub kinds: &'a [Kind],
}

/// Everything that stands in the way of reaching people, by person.
pub fn examine(scene: &Scene<'_>) -> Vec<Finding> {
    let known: BTreeMap<(&str, &str), &Reach> = scene
        .known
        .iter()
        .map(|(person, contact, reach)| ((person.as_str(), contact.as_str()), reach))
        .collect();
    let mut findings = Vec::new();
    for person in scene.directory.people.values() {
        let find = |contact: Option<&Contact>, text: String, is_grave: bool| Finding {
            person: person.name.to_string(),
            contact: contact.map(ToString::to_string),
            text,
            is_grave,
        };
        if person.contacts.is_empty() {
            findings.push(find(None, "has no contact: add one".to_owned(), true));
            continue;
        }
        let mut fit = Vec::new();
        for contact in &person.contacts {
            let reach = known.get(&(person.name.as_str(), contact.as_str())).copied();
            match problem(scene, contact, reach) {
                Some(text) => findings.push(find(Some(contact), text, false)),
                None => fit.push(contact),
            }
        }
        if fit.is_empty() {
            findings.push(find(None, "can't be reached: nothing is left that works".to_owned(), true));
        } else if !fit.iter().any(|contact| contact.kind().can_wake()) {
            let text = "can't be woken: nothing that rings works; add a phone, sms, ntfy or pushover contact";
            findings.push(find(None, text.to_owned(), false));
        }
        let is_proven = |contact: &&Contact| {
            let reach = known.get(&(person.name.as_str(), contact.as_str()));
            needs_proof(contact.kind()) && reach.is_none_or(|reach| reach.verified_at.is_none())
        };
        for contact in fit.into_iter().filter(is_proven) {
            findings.push(find(
                Some(contact),
                "was never verified: nobody has typed its code".to_owned(),
                false,
            ));
        }
    }
    findings
}

/// Everything that stands in the way of reaching people, as the store knows it; `kinds` are those of contacts that
/// something is set up for.
///
/// # Errors
///
/// [`StoreError`].
pub async fn findings(store: &Store, kinds: &[Kind]) -> Result<Vec<Finding>, StoreError> {
    let known = store.reaches().await?;
    let stopped: BTreeSet<String> =
        store.stopped_lines().await?.into_iter().map(|(contact, _)| contact).collect();
    let definitions = store.definitions();
    Ok(examine(&Scene { directory: definitions.directory(), known: &known, stopped: &stopped, kinds }))
}

/// Why nothing that is sent there is read.
fn problem(scene: &Scene<'_>, contact: &Contact, reach: Option<&Reach>) -> Option<String> {
    let word = contact.kind().word();
    if !scene.kinds.contains(&contact.kind()) {
        return Some(format!("no provider is set up for \"{word}:\"; see the configuration"));
    }
    if scene.stopped.contains(contact.as_str()) {
        return Some("has said STOP: it has to send START".to_owned());
    }
    let dead_at = reach.and_then(|reach| reach.dead_at)?;
    Some(format!("nothing is sent there since {dead_at}: too many messages failed; verify it again"))
}

/// Whether an address of this kind is somebody's only if he says so. A handset answers for its own person alone, and the
/// browsers of `push:` sign in.
pub const fn needs_proof(kind: Kind) -> bool {
    !matches!(kind, Kind::Handset | Kind::Push)
}

/// Sends a code of six digits to a contact of a person, unless too many were asked for.
///
/// # Errors
///
/// [`StoreError`]: none was sent.
pub async fn send_code(store: &Store, person: &Name, contact: &Contact) -> Result<Asked, StoreError> {
    let code = (100_000 + chance() % 900_000).to_string();
    // A voice reads digits one by one if they stand apart.
    let spoken = code.chars().map(String::from).collect::<Vec<_>>().join(" ");
    let shown = if contact.kind().is_voice() { &spoken } else { &code };
    let text = format!("Your code for Dogwatch is {shown}");
    store.send_code(person.clone(), contact.clone(), code.clone(), text).await
}

/// Lets a contact of a person ring now, as a page would, unless too many tests were asked for.
///
/// # Errors
///
/// [`StoreError`]: nothing rings.
pub async fn ring(store: &Store, person: &Name, contact: &Contact) -> Result<Asked, StoreError> {
    store.ring(person.clone(), contact.clone(), "TEST of this contact. Nothing is wrong.".to_owned()).await
}

/// The card with every number that may call or write: saved as a contact, it may ring through a phone that is kept quiet.
pub fn card(numbers: &[String], language: Language) -> String {
    let mut lines = vec!["BEGIN:VCARD".to_owned(), "VERSION:3.0".to_owned()];
    lines.push("N:Dogwatch;;;;".to_owned());
    lines.push("FN:Dogwatch".to_owned());
    for number in numbers {
        lines.push(format!("TEL;TYPE=CELL,VOICE:{number}"));
    }
    let note = say(
        "Every number that may call you about an alert. Let it ring when the phone is silenced.",
        language,
    );
    // Commas and semicolons end a value (RFC 2426).
    lines.push(format!("NOTE:{}", note.replace(',', "\\,").replace(';', "\\;")));
    lines.push("END:VCARD".to_owned());
    let mut card = lines.join("\r\n");
    card.push_str("\r\n");
    card
}
