//! My contacts: verify them by a code, let them ring, say whether they sounded, save the contact card.

use askama::Template;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, http::StatusCode};
use escalation::contact::Contact;
use escalation::name::Name;
use serde::Deserialize;

use super::layout::Frame;
use super::{Viewer, error_page, show, unavailable, url};
use crate::http::App;
use crate::reach;
use crate::store::StoreError;
use crate::store::reach::{Asked, Proof, Reach};

#[derive(Template)]
#[template(path = "contacts.html")]
struct ContactsPage {
    frame: Frame,
    card: &'static str,
    heard: &'static str,
    ring: &'static str,
    send: &'static str,
    confirm: &'static str,
    said: Option<&'static str>,
    contacts: Vec<Shown>,
}

struct Shown {
    name: String,
    state: String,
    /// It rang, and nobody has said yet whether it sounded.
    asks: bool,
    is_provable: bool,
}

/// What was done, by the word in the address that a browser is sent to afterwards.
const SAID: [(&str, &str); 8] = [
    ("rings", "It rings now. Come back and say whether it sounded."),
    ("sent", "A code is on its way. It is good for 15 minutes."),
    ("verified", "Verified."),
    ("wrong", "That is not the code that was sent there last."),
    ("old", "No code is good any more: let another one be sent."),
    ("kept", "Thank you. That is kept."),
    ("often", "Six codes and tests within an hour are enough for one contact. Come back later."),
    ("unknown", "That is none of your contacts."),
];

#[derive(Default, Deserialize)]
struct After {
    said: Option<String>,
}

#[derive(Deserialize)]
struct Given {
    contact: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    sounded: String,
}

fn nobody() -> Response {
    error_page(
        403,
        "An administrator has no contacts",
        "You are signed in as an administrator. Sign in as the person: `dogwatch token create --link --person NAME`.",
    )
}

async fn look(
    State(app): State<App>,
    viewer: Viewer,
    query: Result<Query<After>, QueryRejection>,
) -> Response {
    let Some(name) = viewer.0.person.clone() else { return nobody() };
    let known = match app.store.reaches().await {
        Ok(known) => known,
        Err(error) => return unavailable(&error),
    };
    let definitions = app.store.definitions();
    let contacts = definitions.directory().people.get(&name).map(|person| person.contacts.as_slice());
    let shown = contacts.unwrap_or_default().iter().map(|contact| {
        let found = known.iter().find(|(person, of, _)| *person == name && of == contact);
        Shown::of(contact, &found.map(|(_, _, reach)| reach.clone()).unwrap_or_default())
    });
    let said = query.ok().and_then(|query| query.0.said);
    let said = said.and_then(|word| SAID.iter().find(|(known, _)| *known == word)).map(|(_, words)| *words);
    show(&ContactsPage {
        frame: Frame::still("My contacts", &app, &viewer),
        card: url::CONTACT_CARD,
        heard: url::CONTACT_HEARD,
        ring: url::CONTACT_RING,
        send: url::CONTACT_CODE,
        confirm: url::CONTACT_CONFIRM,
        said,
        contacts: shown.collect(),
    })
}

impl Shown {
    fn of(contact: &Contact, reach: &Reach) -> Self {
        let is_provable = reach::needs_proof(contact.kind());
        let mut state = Vec::new();
        match (reach.dead_at, reach.verified_at) {
            (Some(at), _) => state.push(format!(
                "Nothing is sent there since {at}: too many messages failed. Verify it again."
            )),
            (None, Some(at)) => state.push(format!("Verified at {at}.")),
            (None, None) if is_provable => state.push("Not verified yet.".to_owned()),
            (None, None) => {}
        }
        match (reach.tested_at, reach.sounded) {
            (Some(at), Some(true)) => state.push(format!("It sounded at {at}.")),
            (Some(at), Some(false)) => state.push(format!("It did not sound at {at}.")),
            (Some(at), None) => state.push(format!("It rang at {at}.")),
            (None, _) => state.push("It has never rung for a test.".to_owned()),
        }
        let asks = reach.tested_at.is_some() && reach.sounded.is_none();
        Self { name: contact.to_string(), state: state.join(" "), asks, is_provable }
    }
}

enum Act {
    Ring,
    Send,
    Confirm,
    Heard,
}

/// Does it, for the person who is signed in, and goes back to the page.
async fn act(app: App, viewer: Viewer, given: Given, act: Act) -> Response {
    let Some(person) = viewer.0.person.clone() else { return nobody() };
    let definitions = app.store.definitions();
    let contacts = definitions.directory().people.get(&person).map(|person| person.contacts.as_slice());
    let contact =
        contacts.unwrap_or_default().iter().find(|contact| contact.as_str() == given.contact).cloned();
    let said = match contact {
        Some(contact) => carry_out(&app, person, contact, &given, act).await,
        None => Ok("unknown"),
    };
    match said {
        Ok(said) => Redirect::to(&format!("{}?said={said}", url::CONTACTS)).into_response(),
        Err(error) => unavailable(&error),
    }
}

async fn carry_out(
    app: &App,
    person: Name,
    contact: Contact,
    given: &Given,
    act: Act,
) -> Result<&'static str, StoreError> {
    Ok(match act {
        Act::Ring => match reach::ring(&app.store, &person, &contact).await? {
            Asked::Leaves => "rings",
            Asked::TooOften(_) => "often",
        },
        Act::Send => match reach::send_code(&app.store, &person, &contact).await? {
            Asked::Leaves => "sent",
            Asked::TooOften(_) => "often",
        },
        Act::Confirm => {
            let code = given.code.chars().filter(char::is_ascii_digit).collect();
            match app.store.prove(person, contact, code).await? {
                Proof::Right => "verified",
                Proof::Wrong => "wrong",
                Proof::None => "old",
            }
        }
        Act::Heard => {
            app.store.heard_test(person, contact, given.sounded == "yes").await?;
            "kept"
        }
    })
}

async fn ring(State(app): State<App>, viewer: Viewer, given: Result<Form<Given>, FormRejection>) -> Response {
    post_form(app, viewer, given, Act::Ring).await
}

async fn send(State(app): State<App>, viewer: Viewer, given: Result<Form<Given>, FormRejection>) -> Response {
    post_form(app, viewer, given, Act::Send).await
}

async fn confirm(
    State(app): State<App>,
    viewer: Viewer,
    given: Result<Form<Given>, FormRejection>,
) -> Response {
    post_form(app, viewer, given, Act::Confirm).await
}

async fn heard(
    State(app): State<App>,
    viewer: Viewer,
    given: Result<Form<Given>, FormRejection>,
) -> Response {
    post_form(app, viewer, given, Act::Heard).await
}

async fn post_form(
    app: App,
    viewer: Viewer,
    given: Result<Form<Given>, FormRejection>,
    what: Act,
) -> Response {
    match given {
        Ok(Form(given)) => act(app, viewer, given, what).await,
        Err(_) => (StatusCode::BAD_REQUEST, "this is not what the form sends").into_response(),
    }
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route(url::CONTACTS, get(look))
        .route(url::CONTACT_RING, post(ring))
        .route(url::CONTACT_CODE, post(send))
        .route(url::CONTACT_CONFIRM, post(confirm))
        .route(url::CONTACT_HEARD, post(heard))
}
