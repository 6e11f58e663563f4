//! Replies: what a person answers, whatever it comes in through, and what that does to the alert.
//!
//! A reply is a POST by its page's own person: a key pressed on the handset, the button behind a link. It
//! becomes an input to the alert through the store's one door; what is answered is answered after the
//! commit. GET and HEAD never get here.

mod press;
pub mod sms;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use escalation::alert::{Status, Verdict};
use escalation::event::{Actor, Input, Via};
use escalation::id::{AlertId, DeliveryId, PageId};
use escalation::name::Name;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::message::{Language, Press, Pressed};
use crate::store::{Acted, AlertRef, Claim, Store, StoreError};

pub use press::{Said, press, sole_owner};

/// Makes and checks the addresses behind which a person answers for one page. The secret part is a keyed
/// hash of the page's id: 128 bits, nothing stored, useless for any other page.
#[derive(Clone)]
pub struct AnswerLinks {
    key: Arc<[u8]>,
}

impl AnswerLinks {
    /// Links that are good as long as the installation's `key` is the same.
    pub fn new(key: &[u8]) -> Self {
        Self { key: key.into() }
    }

    /// The path of a page's answer address.
    pub fn path(&self, page: PageId) -> String {
        format!("/answer/{page}/{}", URL_SAFE_NO_PAD.encode(self.proof(b"answer:", page.to_bytes())))
    }

    /// The path of the address that answers for everything in one message.
    pub fn path_of_all(&self, message: DeliveryId) -> String {
        format!("/answer/all/{message}/{}", URL_SAFE_NO_PAD.encode(self.proof(b"all:", message.to_bytes())))
    }

    /// Whether `proof` belongs to `page`.
    pub fn fits(&self, page: PageId, proof: &str) -> bool {
        is_same(&self.proof(b"answer:", page.to_bytes()), proof)
    }

    /// Whether `proof` belongs to everything in `message`.
    pub fn fits_all(&self, message: DeliveryId, proof: &str) -> bool {
        is_same(&self.proof(b"all:", message.to_bytes()), proof)
    }

    /// What comes back when a button is pressed: a letter for what it does, what it is about, and a proof that
    /// the button is ours.
    pub fn code(&self, press: Press, about: Pressed) -> String {
        let (letter, id) = letter(press, about);
        let proof = self.proof(&[b"press:", letter.as_bytes()].concat(), id);
        format!("{letter}{}{}", URL_SAFE_NO_PAD.encode(id), URL_SAFE_NO_PAD.encode(proof))
    }

    /// What a button does, if it is ours.
    pub fn read_code(&self, code: &str) -> Option<(Press, Pressed)> {
        let id = code.get(1..1 + ID_LETTERS).and_then(|id| URL_SAFE_NO_PAD.decode(id).ok())?;
        let id: [u8; 16] = id.try_into().ok()?;
        let (press, about) = match code.get(..1)? {
            "a" => (Press::Acknowledge, Pressed::Alert(AlertId::from_bytes(id))),
            "r" => (Press::Resolve, Pressed::Alert(AlertId::from_bytes(id))),
            "n" => (Press::NotMe, Pressed::Alert(AlertId::from_bytes(id))),
            "A" => (Press::Acknowledge, Pressed::All(DeliveryId::from_bytes(id))),
            _ => return None,
        };
        let (letter, id) = letter(press, about);
        let proof = self.proof(&[b"press:", letter.as_bytes()].concat(), id);
        is_same(&proof, code.get(1 + ID_LETTERS..)?).then_some((press, about))
    }

    /// What the address of a reply to a message holds: the delivery, and a proof. In small letters and digits only,
    /// because mail servers may change the case of what they carry.
    pub fn reply_code(&self, message: DeliveryId) -> String {
        let proof = self.proof(b"reply:", message.to_bytes());
        let proof: String = proof.iter().take(REPLY_PROOF / 2).map(|byte| format!("{byte:02x}")).collect();
        format!("{}{proof}", message.to_string().trim_start_matches("delivery_"))
    }

    /// The message that a reply's address belongs to, if it is ours.
    pub fn read_reply_code(&self, code: &str) -> Option<DeliveryId> {
        let code = code.to_ascii_lowercase();
        let id = code.get(..code.len().checked_sub(REPLY_PROOF)?)?;
        let message: DeliveryId = format!("delivery_{id}").parse().ok()?;
        let right = self.reply_code(message);
        bool::from(right.as_bytes().ct_eq(code.as_bytes())).then_some(message)
    }

    fn proof(&self, what: &[u8], id: [u8; 16]) -> Vec<u8> {
        // HMAC takes a key of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return Vec::new() };
        mac.update(what);
        mac.update(&id);
        let mut proof = mac.finalize().into_bytes().to_vec();
        proof.truncate(16);
        proof
    }
}

/// The length of the proof in the address of a reply: 80 bits in hexadecimal.
const REPLY_PROOF: usize = 20;
/// An id of 16 bytes, in base64.
const ID_LETTERS: usize = 22;

fn letter(press: Press, about: Pressed) -> (&'static str, [u8; 16]) {
    match (press, about) {
        (Press::Acknowledge, Pressed::Alert(alert)) => ("a", alert.to_bytes()),
        (Press::Resolve, Pressed::Alert(alert)) => ("r", alert.to_bytes()),
        (Press::NotMe, Pressed::Alert(alert)) => ("n", alert.to_bytes()),
        // Of many at once only an acknowledgement is asked for.
        (_, Pressed::All(message)) => ("A", message.to_bytes()),
    }
}

/// In constant time: how much of it is right is not told.
fn is_same(proof: &[u8], given: &str) -> bool {
    URL_SAFE_NO_PAD.decode(given).is_ok_and(|given| proof.ct_eq(&given).into())
}

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// 4: I have it.
    Acknowledge,
    /// 6, twice: it is over.
    Resolve,
    /// 8: not me.
    NotMe,
    /// 1: say it again.
    Repeat,
}

impl Key {
    /// The key with this label.
    pub fn read(label: &str) -> Option<Self> {
        match label {
            "4" => Some(Self::Acknowledge),
            "6" => Some(Self::Resolve),
            "8" => Some(Self::NotMe),
            "1" => Some(Self::Repeat),
            _ => None,
        }
    }
}

/// Carries out what `person` answered about `alert`. `None` when there is no such alert.
///
/// # Errors
///
/// [`StoreError`]: nothing was done, and nobody may be told that it was.
pub async fn answer(
    store: &Store,
    alert: AlertRef,
    person: &Name,
    via: Via,
    key: Key,
) -> Result<Option<Acted>, StoreError> {
    let label = store.definitions().directory().full_name(person).to_owned();
    let by = Actor { person: Some(person.clone()), label, via };
    let input = match key {
        Key::Acknowledge => Input::Acknowledge { by, take_over: false },
        Key::Resolve => Input::Resolve(by),
        Key::NotMe => Input::NotMe { person: person.clone(), by },
        Key::Repeat => Input::Note { by, text: "asked to hear it again".to_owned() },
    };
    store.act(alert, input).await
}

/// Acknowledges every alert that one message held, for the person whom it was sent to: those that still wait,
/// and nothing that came later. How they stand then, in a sentence; `None` when there is no such message.
///
/// # Errors
///
/// [`StoreError`]: some may not have been acknowledged; to do it again harms nothing.
pub async fn answer_all(store: &Store, message: DeliveryId, via: Via) -> Result<Option<String>, StoreError> {
    let held = store.bundle(message).await?;
    let Some(person) = held.iter().find_map(|claim| claim.delivery.person.clone()) else { return Ok(None) };
    answer_held(store, &held, &person, via).await?;
    Ok(Some(stand(&store.bundle(message).await?, &person)))
}

/// How the alerts of one message stand, for the person whom it was sent to, in a sentence.
pub fn stand(held: &[Claim], person: &Name) -> String {
    let mine = held.iter().filter_map(|claim| claim.alert.as_ref()).filter(|alert| {
        alert.status == Status::Acknowledged
            && alert.acknowledged.as_ref().is_some_and(|act| act.by.person.as_ref() == Some(person))
    });
    let waiting = held.iter().filter(|claim| claim.waits()).count();
    match (waiting, mine.count(), held.len()) {
        (0, mine, all) if mine == all => {
            format!("You have all {all}. Nobody else is paged for them any more.")
        }
        (0, 0, _) if held.iter().any(Claim::comes_too) => {
            "You come, too. All of them are answered.".to_owned()
        }
        (0, 0, _) => "All of them are answered. You need not do anything.".to_owned(),
        (0, mine, all) => format!("You have {mine} of {all}; the others are answered, too."),
        (waiting, 0, all) => format!("{waiting} of {all} wait for an answer."),
        (waiting, mine, all) => format!("You have {mine} of {all}; {waiting} wait for an answer."),
    }
}

/// Acknowledges what one message of a chat held and still waits since before `at`, for `person`, who has answered
/// the message itself and not one of its buttons. What came of each.
///
/// # Errors
///
/// [`StoreError`]: some may not have been acknowledged; to do it again harms nothing.
pub async fn answer_message(
    store: &Store,
    message: DeliveryId,
    person: &Name,
    via: Via,
    at: Timestamp,
) -> Result<Vec<Acted>, StoreError> {
    let Some(mut claim) = store.message(message).await? else { return Ok(Vec::new()) };
    let mut held = std::mem::take(&mut claim.others);
    held.push(claim);
    // Whoever answered then can't have meant a round that began later.
    held.retain(|claim| claim.alert.as_ref().is_some_and(|alert| alert.round_started_at <= at));
    answer_held(store, &held, person, via).await
}

/// Acknowledges what a message held and still waits, for `person`. What came of each.
async fn answer_held(
    store: &Store,
    held: &[Claim],
    person: &Name,
    via: Via,
) -> Result<Vec<Acted>, StoreError> {
    let waiting = held.iter().filter(|claim| claim.waits()).filter_map(|claim| claim.alert.as_ref());
    // All at once: they are committed together.
    let acts = waiting.map(|alert| answer(store, AlertRef::Id(alert.id), person, via, Key::Acknowledge));
    Ok(futures_util::future::try_join_all(acts).await?.into_iter().flatten().collect())
}

/// The language that a person is spoken to in.
pub fn language_of(store: &Store, person: &Name) -> Language {
    let definitions = store.definitions();
    let person = definitions.directory().people.get(person);
    person.map_or(Language::English, |person| Language::of(&person.language))
}

/// What to tell the person who did it, in one short sentence, in English.
pub fn tell(acted: &Acted, person: Option<&Name>) -> String {
    let number = acted.alert.number;
    let owner = acted.alert.acknowledged.as_ref();
    let mine = owner.is_some_and(|act| person.is_some() && act.by.person.as_ref() == person);
    match (&acted.verdict, acted.alert.status) {
        (Verdict::HasIt(act), _) => format!("{} has #{number} already. You need not do anything.", act.by),
        (Verdict::Refused(why), _) => format!("Nothing was done: {why}."),
        (Verdict::Already, Status::Resolved) => format!("#{number} is resolved already."),
        (Verdict::Done | Verdict::Already, Status::Acknowledged) if mine => {
            format!("You have #{number}. Nobody else is paged any more.")
        }
        // Nobody but one who was asked besides can have done anything here.
        (Verdict::Done, Status::Acknowledged) if person.is_some() => {
            let owner = owner.map_or("Somebody", |act| act.by.label.as_str());
            format!("You come, too. {owner} has #{number}.")
        }
        (Verdict::Done | Verdict::Already, Status::Acknowledged) => {
            format!("{} has #{number}.", owner.map_or("Somebody", |act| act.by.label.as_str()))
        }
        (Verdict::Done, Status::Resolved) => {
            format!("#{number} is resolved. Everybody who was paged is told.")
        }
        (Verdict::Done | Verdict::Already, _) => format!("Done. #{number} goes on to the next."),
    }
}
