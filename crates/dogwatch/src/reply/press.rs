//! A button pressed in a chat: who pressed it, what it does, and what to tell them.
//!
//! A chat knows its users by names of its own. Whoever has that name as a contact pressed the button; if nobody
//! has, or several have, nothing is done, and that is said.

use escalation::contact::Contact;
use escalation::directory::Directory;
use escalation::event::Via;
use escalation::name::Name;

use super::{AnswerLinks, Key, answer, answer_held, language_of, tell};
use crate::message::{Press, Pressed, say};
use crate::store::{AlertRef, Store, StoreError};

/// What to tell whoever pressed a button, after the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// One or two short sentences.
    pub text: String,
    /// The button did what stands on it, or it was done already.
    pub is_done: bool,
}

impl Said {
    /// The store did not answer.
    pub fn unavailable() -> Self {
        Self::refused("the database does not answer. Try again in a moment.")
    }

    fn refused(why: &str) -> Self {
        Self { text: format!("Nothing was done: {why}"), is_done: false }
    }
}

/// The one person who has this contact.
///
/// # Errors
///
/// Nobody has it, or several have: what to do about it.
pub fn sole_owner(directory: &Directory, contact: &Contact) -> Result<Name, String> {
    let mut owners = directory.people.values().filter(|person| person.contacts.contains(contact));
    match (owners.next(), owners.next()) {
        (Some(owner), None) => Ok(owner.name.clone()),
        (None, _) => Err(format!(
            "Dogwatch knows nobody with the contact {contact}. Whoever you are there, add it to your contacts."
        )),
        (Some(_), Some(_)) => Err(format!(
            "several people have the contact {contact}, so that it is not clear who you are. Use Dogwatch's page."
        )),
    }
}

/// Carries out the button with this `code` for whoever has the contact `from`.
///
/// # Errors
///
/// [`StoreError`]: nothing was done, and nobody may be told that it was.
pub async fn press(
    store: &Store,
    links: &AnswerLinks,
    from: &Contact,
    via: Via,
    code: &str,
) -> Result<Said, StoreError> {
    let Some((press, about)) = links.read_code(code) else {
        return Ok(Said::refused("this button is not one of Dogwatch's."));
    };
    let person = match sole_owner(store.definitions().directory(), from) {
        Ok(person) => person,
        Err(why) => return Ok(Said::refused(&why)),
    };
    let language = language_of(store, &person);
    let mut said = match about {
        Pressed::Alert(alert) => {
            let key = match press {
                Press::Acknowledge => Key::Acknowledge,
                Press::Resolve => Key::Resolve,
                Press::NotMe => Key::NotMe,
            };
            match answer(store, AlertRef::Id(alert), &person, via, key).await? {
                Some(acted) => {
                    let is_done = !matches!(acted.verdict, escalation::alert::Verdict::Refused(_));
                    Said { text: say(&tell(&acted, Some(&person)), language), is_done }
                }
                None => Said::refused("there is no such alert any more."),
            }
        }
        Pressed::All(message) => {
            let held = store.bundle(message).await?;
            let acted = answer_held(store, &held, &person, via).await?;
            let text = match acted.as_slice() {
                [] => "All of them are answered already. You need not do anything.".to_owned(),
                acted => {
                    let told = acted.iter().map(|acted| say(&tell(acted, Some(&person)), language));
                    told.collect::<Vec<_>>().join("\n")
                }
            };
            Said { text, is_done: true }
        }
    };
    said.text = say(&said.text, language);
    Ok(said)
}
