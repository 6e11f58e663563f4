//! Replies: what a person answers, whatever it comes in through, and what that does to the alert.
//!
//! A reply is a POST by its page's own person: a key pressed on the handset, the button behind a link. It
//! becomes an input to the alert through the store's one door; what is answered is answered after the
//! commit. GET and HEAD never get here.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use escalation::alert::Verdict;
use escalation::event::{Actor, Input, Via};
use escalation::id::PageId;
use escalation::name::Name;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::store::{Acted, AlertRef, Store, StoreError};

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
        format!("/answer/{page}/{}", URL_SAFE_NO_PAD.encode(self.proof(page)))
    }

    /// Whether `proof` belongs to `page`.
    pub fn fits(&self, page: PageId, proof: &str) -> bool {
        URL_SAFE_NO_PAD.decode(proof).is_ok_and(|given| self.proof(page).ct_eq(&given).into())
    }

    fn proof(&self, page: PageId) -> Vec<u8> {
        // HMAC takes a key of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return Vec::new() };
        mac.update(b"answer:");
        mac.update(&page.to_bytes());
        let mut proof = mac.finalize().into_bytes().to_vec();
        proof.truncate(16);
        proof
    }
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

/// What to tell the person who did it, in one short sentence.
pub fn tell(acted: &Acted, person: Option<&Name>) -> String {
    use escalation::alert::Status;
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
