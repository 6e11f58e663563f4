//! A carrier that does what the test tells it, and remembers every message.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use dogwatch::channel::{Channel, Sending};
use dogwatch::message::Message;
use escalation::delivery::{Outcome, SEND_DEADLINE};
use jiff::Timestamp;

/// What the carrier does with a message.
#[derive(Clone, Debug)]
pub enum Does {
    /// Answers so.
    Answer(Outcome),
    /// Never answers.
    Hang,
    /// Panics.
    Panic,
}

#[derive(Default)]
struct Inner {
    scripts: HashMap<String, VecDeque<Does>>,
    always: HashMap<String, Does>,
    seen: Vec<Message>,
    hanging: Vec<Timestamp>,
}

/// Shared by the world and its dispatcher.
#[derive(Clone, Default)]
pub struct Carrier(Arc<Mutex<Inner>>);

impl Carrier {
    /// The next message to `contact` is treated so.
    pub fn once(&self, contact: &str, does: Does) {
        self.0.lock().unwrap().scripts.entry(contact.to_owned()).or_default().push_back(does);
    }

    /// Every message to `contact` from now on is treated so.
    pub fn always(&self, contact: &str, does: Does) {
        self.0.lock().unwrap().always.insert(contact.to_owned(), does);
    }

    /// Everything that was sent so far: contact, purpose, headline.
    pub fn seen(&self) -> Vec<Message> {
        self.0.lock().unwrap().seen.clone()
    }

    /// Where messages of a purpose went, in order.
    pub fn sent_to(&self, purpose: &str) -> Vec<String> {
        let seen = self.seen();
        let those = seen.iter().filter(|message| message.purpose.word() == purpose);
        those.map(|message| message.contact.to_string()).collect()
    }

    /// A send that began then hangs, somewhere else than here.
    pub fn hangs_since(&self, began: Timestamp) {
        self.0.lock().unwrap().hanging.push(began);
    }

    /// How many sends never answer and have not been given up yet.
    pub fn hanging(&self) -> usize {
        self.0.lock().unwrap().hanging.len()
    }

    /// When the first of them is to be given up.
    pub fn deadline(&self, _now: Timestamp) -> Option<Timestamp> {
        self.0.lock().unwrap().hanging.iter().min().map(|began| *began + SEND_DEADLINE)
    }

    /// Those whose deadline has passed hang no longer: the dispatcher gives them up.
    pub fn give_up(&self, now: Timestamp) {
        self.0.lock().unwrap().hanging.retain(|began| *began + SEND_DEADLINE > now);
    }
}

impl Channel for Carrier {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        let mut inner = self.0.lock().unwrap();
        let contact = message.contact.as_str();
        let script = inner.scripts.get_mut(contact).and_then(VecDeque::pop_front);
        let does = script.or_else(|| inner.always.get(contact).cloned());
        let does = does.unwrap_or(Does::Answer(Outcome::Accepted { provider_id: "carried".to_owned() }));
        inner.seen.push(message.clone());
        if matches!(does, Does::Hang) {
            inner.hanging.push(message.sent_at);
        }
        drop(inner);
        Box::pin(async move {
            match does {
                Does::Answer(outcome) => outcome,
                Does::Hang => std::future::pending().await,
                Does::Panic => panic!("the carrier was told to panic"),
            }
        })
    }
}
