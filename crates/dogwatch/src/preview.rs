//! Previews: what a message would say, without sending it.
//!
//! The alert is made up of a few words; the message is made by the same code as a real one, with the operators'
//! templates, and written as its channel would write it.
//!
//! Read next: `message.rs`, `message/template.rs`.

use escalation::alert::{self, Audience};
use escalation::contact::{Contact, Kind};
use escalation::delivery::{Delivery, Purpose};
use escalation::directory::Directory;
use escalation::event::{Actor, Route, Severity, Trigger};
use escalation::id::{Ids, PageId};
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::channel::email::written;
use crate::message::template::Templates;
use crate::message::{Addresses, Button, Language, Message, Press, compose_in, plain, say, sms, speech};
use crate::store::Claim;

/// How long ago the alert of a preview began.
const AGE: SignedDuration = SignedDuration::from_mins(3);

/// What is to be shown.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Through what.
    pub kind: Kind,
    /// What for.
    pub purpose: Purpose,
    /// The language of its reader, as BCP 47 tag.
    pub language: String,
    /// What is wrong.
    pub summary: String,
    /// Anything more.
    pub details: String,
    /// How grave it is.
    pub severity: Severity,
}

/// What a message would say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Preview {
    /// The first line, a mail's subject, a notification's title. None where there is only a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    /// What is read, or heard.
    pub text: String,
    /// A mail's other form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// In how many parts a short message is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<usize>,
    /// What stands on its buttons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<String>,
}

/// Shows what a message would say.
///
/// # Errors
///
/// Why the template that fits failed.
pub fn preview(wanted: &Wanted, templates: &Templates, now: Timestamp) -> Result<Preview, String> {
    let mut message = message(wanted, now)?;
    templates.reword(&mut message)?;
    let buttons: Vec<String> = message.buttons.iter().map(|button| button.label.clone()).collect();
    let plain = |text: String| Preview { headline: None, text, html: None, parts: None, buttons: Vec::new() };
    Ok(match wanted.kind {
        Kind::Sms => {
            let text = sms::text(&message, true);
            Preview { parts: Some(sms::segments(&text)), ..plain(text) }
        }
        Kind::Phone => {
            let said = speech::speech(&message);
            plain(format!("{}\n{}\n{}", said.news, said.keys, said.goodbye))
        }
        Kind::Email => {
            let mail = written(&message).map_err(|error| error.to_string())?;
            Preview { headline: Some(mail.subject), html: Some(mail.html), ..plain(mail.text) }
        }
        _ => {
            let headline = self::plain(&message.headline).replace('\n', " ");
            Preview { headline: Some(headline), buttons, ..plain(message.body(usize::MAX)) }
        }
    })
}

/// The message, as it would be made.
fn message(wanted: &Wanted, now: Timestamp) -> Result<Message, String> {
    // Made up: nothing of it is ever stored.
    let mut chance = || 0;
    let mut ids = Ids { now: now - AGE, chance: &mut chance };
    let team = Name::new("ops").map_err(|error| error.to_string())?;
    let trigger = Trigger {
        audience: Audience::Team(team),
        integration: "preview".to_owned(),
        dedup_key: "preview".to_owned(),
        summary: wanted.summary.clone(),
        details: wanted.details.clone(),
        severity: wanted.severity,
        links: Vec::new(),
        route: Route::default(),
        by: Actor::dogwatch(),
    };
    let mut alert = alert::begin(&trigger, &mut ids).0.alert;
    alert.number = 7;
    let language = Language::of(&wanted.language);
    let text = match wanted.purpose {
        Purpose::Page => "",
        Purpose::Notice => "Bob has it",
        Purpose::Test => "TEST of this contact. Nothing is wrong.",
        Purpose::Reminder => "You are on call for ops (primary) now, and no end is in sight.",
        Purpose::Warning => "nobody has answered; everybody in the plan and the last resort was paged",
    };
    let contact = contact(wanted.kind)?;
    let mut delivery = Delivery::without_alert(&mut ids, None, contact, wanted.purpose, text.to_owned());
    let is_page = wanted.purpose == Purpose::Page;
    delivery.page = is_page.then(|| PageId::from_bytes([0; 16]));
    delivery.attempt = 1;
    let has_alert = !matches!(wanted.purpose, Purpose::Reminder | Purpose::Test);
    let alert = has_alert.then_some(alert);
    let claim = Claim { delivery, alert, page: None, others: Vec::new() };
    let url = "https://dogwatch.example.org";
    let addresses = Addresses {
        public_url: url,
        page: &|_| String::new(),
        all: &|_| String::new(),
        reply: &|_| String::new(),
        code: &|_, _| String::new(),
    };
    let mut message = compose_in(&claim, &Directory::default(), &addresses, now, wanted.language.clone());
    if is_page {
        message.answer_url = Some(format!("{url}/answer/…"));
        message.code = Some("4711".to_owned());
        let label = |press: Press| Button { press, label: say(press.label(), language), code: String::new() };
        message.buttons = Press::ALL.map(label).to_vec();
    }
    Ok(message)
}

/// A contact of a kind: nothing is ever sent there.
fn contact(kind: Kind) -> Result<Contact, String> {
    let address = match kind {
        Kind::Handset | Kind::Push => "john",
        Kind::Webhook | Kind::Teams => "https://example.org/hook",
        Kind::Email => "john@example.org",
        Kind::Sms | Kind::Phone => "+15005550006",
        Kind::Ntfy => "ops",
        Kind::Telegram => "4711",
        Kind::Slack => "U02ABCDEF",
        Kind::Mattermost => "@john",
        Kind::Pushover => "uQiRzpo4DXghDmr9QzzfQu27cmVRsG",
    };
    format!("{}:{address}", kind.word()).parse::<Contact>().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_purpose_has_a_preview_in_every_language_and_no_english_is_left_in_german() {
        let now: Timestamp = "2026-03-02T03:00:00Z".parse().unwrap();
        for kind in Kind::ALL {
            for purpose in Purpose::ALL {
                let wanted = |language: &str| Wanted {
                    kind,
                    purpose,
                    language: language.to_owned(),
                    summary: "db1".to_owned(),
                    details: "99 %".to_owned(),
                    severity: Severity::Critical,
                };
                let show = |language| preview(&wanted(language), &Templates::default(), now).unwrap();
                let (english, german) = (show("en"), show("de-AT"));
                assert_ne!(english.text, german.text, "{kind:?} {purpose:?}");
                let all =
                    format!("{:?} {} {:?}", german.headline, german.text, german.buttons).to_lowercase();
                for word in
                    ["critical", "warning", "since", " the ", "you ", "alert ", "have", "answer:", "nobody"]
                {
                    assert!(!all.contains(word), "{kind:?} {purpose:?}: {word} in {all}");
                }
            }
        }
    }
}
