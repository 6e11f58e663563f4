//! Keys pressed in a call: what they do, and what is said then, whichever provider carries it.
//!
//! What was done is said after the commit, never before. A call back that comes twice does nothing the second
//! time, and hears how things stand.

use axum::response::Response;
use escalation::alert::Status;
use escalation::contact::Kind;
use escalation::delivery::Purpose;
use escalation::event::Via;
use escalation::receipt::Receipt;

use escalation::id::DeliveryId;

use super::{json, unreadable, xml};
use crate::channel::twilio::{address, twiml};
use crate::channel::vonage::{self, calls, ncco};
use crate::http::App;
use crate::message::speech::{self, Speech};
use crate::message::{Addresses, Language, Message, compose, say};
use crate::reply::{Key, answer, answer_all, tell};
use crate::store::phone::Said;
use crate::store::{AlertRef, Claim, StoreError};
use crate::timeline::standing;

/// How often a call asks before it gives up.
const MOST_TURNS: u32 = 12;

/// A key, or the silence in its place, as a provider tells of it. It is known to come from that provider.
pub(super) struct Pressed<'a> {
    /// Which attempt of which delivery called.
    pub(super) attempt: Option<(DeliveryId, u8)>,
    /// The two numbers that it is between, as `+` and digits, in any order; empty where the provider did not say.
    pub(super) between: [&'a str; 2],
    /// What was pressed; empty: nothing.
    pub(super) digits: &'a str,
    /// How often it was asked before.
    pub(super) turn: Option<u32>,
    /// Whether a 6 was pressed before.
    pub(super) six: bool,
    /// How the call is told what to say.
    pub(super) voice: Voice<'a>,
}

/// How a provider is told what a call says.
#[derive(Clone, Copy)]
pub(super) enum Voice<'a> {
    /// Twilio's way; the provider's name in the configuration.
    Twiml(&'a str),
    /// Vonage's.
    Ncco(&'a vonage::Account),
}

impl Voice<'_> {
    fn name(self) -> String {
        match self {
            Self::Twiml(name) => name.to_owned(),
            Self::Ncco(account) => account.name.clone(),
        }
    }

    /// Says something and asks for a key.
    fn asked(self, app: &App, text: &str, goodbye: &str, language: &str, again: Again) -> Response {
        let Again { delivery, attempt, turn, six } = again;
        let public_url = &*app.public_url;
        match self {
            Self::Twiml(name) => {
                let action = address::keys(public_url, name, delivery, attempt, turn, six);
                xml(twiml::asked(text, goodbye, language, &action))
            }
            Self::Ncco(account) => {
                let place = calls::Place { public_url, account, delivery, attempt };
                json(&ncco::asked(text, language, &place.keys(turn, six)))
            }
        }
    }

    /// Says something and ends the call.
    fn said(self, text: &str, language: &str) -> Response {
        match self {
            Self::Twiml(_) => xml(twiml::said(text, language)),
            Self::Ncco(_) => json(&ncco::said(text, language)),
        }
    }
}

impl Pressed<'_> {
    /// Nothing can be stored, nor read: an answer of the kind "error" would end the call, so that the key is asked for
    /// again, in English, with what the address holds.
    fn not_stored(
        &self,
        app: &App,
        (delivery, attempt): (DeliveryId, u8),
        turn: u32,
        error: &StoreError,
    ) -> Response {
        tracing::error!(%error, %delivery, "a key could not be stored; it is asked for again");
        let (language, turn) = (Language::English, turn.saturating_add(2));
        if turn > MOST_TURNS {
            return self.voice.said(&speech::goodbye(language), language.word());
        }
        let again = Again { delivery, attempt, turn, six: self.six };
        self.voice.asked(app, &speech::failed(language), &speech::goodbye(language), language.word(), again)
    }
}

/// The next time that a call asks.
struct Again {
    delivery: DeliveryId,
    attempt: u8,
    turn: u32,
    six: bool,
}

/// A call that is under way.
struct Call<'a> {
    app: &'a App,
    pressed: &'a Pressed<'a>,
    claim: Claim,
    message: Message,
    /// Which attempt of the delivery this call is: a newer one may be under way, too.
    attempt: u8,
    turn: u32,
}

/// Does what was pressed.
pub(super) async fn press(app: &App, pressed: &Pressed<'_>) -> Response {
    let Some((id, attempt)) = pressed.attempt else { return unreadable("the address names no delivery") };
    let turn = pressed.turn.unwrap_or(MOST_TURNS);
    let claim = match app.store.message(id).await {
        Ok(Some(mut claim)) => {
            // What went out in the same call and is over is nothing that could be answered.
            claim.others.retain(Claim::waits);
            claim
        }
        Ok(None) => return unreadable("there is no such delivery"),
        Err(error) => return pressed.not_stored(app, (id, attempt), turn, &error),
    };
    let delivery = &claim.delivery;
    let is_call = delivery.contact.kind() == Kind::Phone && delivery.purpose == Purpose::Page;
    let is_other = |number: &str| !number.is_empty() && number != delivery.contact.address();
    if !is_call || claim.page.is_none() || pressed.between.into_iter().all(is_other) {
        return unreadable("this delivery asks nobody by telephone");
    }
    if pressed.digits.is_empty() {
        // Nothing was pressed: that is no answer. TwiML asks a second time by itself, and only then tells us.
        if turn == 0 && matches!(pressed.voice, Voice::Ncco(_)) {
            let message = message_of(app, &claim);
            return Call { app, pressed, message, claim, attempt, turn }.ask("", false);
        }
        let language = claim_language(app, &claim);
        return pressed.voice.said(&speech::goodbye(Language::of(&language)), &language);
    }
    let key = format!("the key {:.1} was pressed", pressed.digits);
    if let Err(error) = app.store.receipt(id, attempt, Said::new(Receipt::Arrived, key)).await {
        return pressed.not_stored(app, (id, attempt), turn, &error);
    }
    let message = message_of(app, &claim);
    let call = Call { app, pressed, message, claim, attempt, turn };
    match call.act().await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a key could not be stored");
            let language = Language::of(&call.message.language);
            call.ask(&speech::failed(language), pressed.six)
        }
    }
}

/// What the call said.
fn message_of(app: &App, claim: &Claim) -> Message {
    let addresses = Addresses {
        public_url: &app.public_url,
        page: &|page| app.links.path(page),
        all: &|message| app.links.path_of_all(message),
        reply: &|message| app.links.reply_code(message),
        code: &|press, pressed| app.links.code(press, pressed),
    };
    let mut message = compose(claim, app.store.definitions().directory(), &addresses, app.clock.now());
    // One that fails has been told of when the call was made.
    let _ = app.templates.reword(&mut message);
    message
}

fn claim_language(app: &App, claim: &Claim) -> String {
    let definitions = app.store.definitions();
    let person = claim.delivery.person.as_ref().and_then(|name| definitions.directory().people.get(name));
    person.map_or_else(|| "en".to_owned(), |person| person.language.clone())
}

impl Call<'_> {
    async fn act(&self) -> Result<Response, StoreError> {
        let language = Language::of(&self.message.language);
        let six = self.pressed.six;
        let key = match (Key::read(self.pressed.digits), six) {
            // Of several, nobody could tell by ear which one is meant.
            (Some(Key::Resolve | Key::NotMe), _) if !self.message.others.is_empty() => {
                return Ok(self.ask(&speech::no_such_key(language), false));
            }
            (Some(Key::Resolve), false) => return Ok(self.ask(&speech::once_more(language), true)),
            (Some(Key::Repeat), _) => return Ok(self.ask("", false)),
            (Some(key), _) => key,
            (None, _) => return Ok(self.ask(&speech::no_such_key(language), six)),
        };
        let voice = self.pressed.voice;
        let (delivery, attempt) = (self.claim.delivery.id, self.attempt);
        let id = format!("{}:{delivery}:{attempt}:{}:{six}", voice.name(), self.turn);
        let text = if self.app.store.has_seen(id.clone()).await? {
            let alert = self.claim.alert.as_ref();
            alert.map_or_else(String::new, |alert| format!("{}.", say(&standing(alert), language)))
        } else {
            // Whoever answers in this call hears what came of it: it is not ended for that answer.
            self.app.store.leave_message(delivery).await?;
            let text = self.answer(key).await?;
            self.app.store.saw(id).await?;
            text
        };
        Ok(voice.said(&speech::confirmed(&text, language), &self.message.language))
    }

    /// Carries it out, for everything that this call told. Returns what to say.
    async fn answer(&self, key: Key) -> Result<String, StoreError> {
        let (Some(person), Some(alert)) = (&self.claim.delivery.person, &self.claim.alert) else {
            return Ok(String::new());
        };
        let store = &self.app.store;
        if let (Key::Acknowledge, Some(bundle)) = (key, self.claim.delivery.bundle) {
            return Ok(answer_all(store, bundle, Via::Phone).await?.unwrap_or_default());
        }
        let acted = answer(store, AlertRef::Id(alert.id), person, Via::Phone, key).await?;
        Ok(acted.map_or_else(String::new, |acted| {
            let own = acted.alert.status == Status::Acknowledged;
            let mine = acted.alert.acknowledged.as_ref().filter(|_| own);
            match mine.is_some_and(|act| act.by.person.as_ref() == Some(person)) {
                true => "You have it. Nobody else is paged any more.".to_owned(),
                false => tell(&acted, Some(person)),
            }
        }))
    }

    /// Asks again, after saying something; with `six` a 6 was pressed before.
    fn ask(&self, first: &str, six: bool) -> Response {
        let language = &self.message.language;
        let Speech { news, keys, goodbye } = speech::speech(&self.message);
        let turn = self.turn.saturating_add(2);
        if turn > MOST_TURNS {
            return self.pressed.voice.said(&goodbye, language);
        }
        let text = match (first, six) {
            ("", _) => format!("{news} {keys}"),
            (first, true) => first.to_owned(),
            (first, false) => format!("{first} {keys}"),
        };
        let again = Again { delivery: self.claim.delivery.id, attempt: self.attempt, turn, six };
        self.pressed.voice.asked(self.app, &text, &goodbye, language, again)
    }
}
