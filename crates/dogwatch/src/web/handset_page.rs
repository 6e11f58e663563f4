//! The handset: a page that behaves as a phone. It rings, shows what is wrong, and has keys.
//!
//! It answers only for its own person: that person's session, or an administrator's.

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::{get, post};
use escalation::contact::Kind;
use escalation::delivery::Purpose;
use escalation::event::Via;
use escalation::name::Name;

use super::alert_page::missing;
use super::did::Did;
use super::layout::Frame;
use super::when::Times;
use super::{Place, Viewer, error_page, see, show, unavailable, url};
use crate::http::App;
use crate::message::{asked, headline, sentence};
use crate::reply::{Key, answer};
use crate::store::{AlertRef, StoreError};

/// How many deliveries a handset remembers.
const REMEMBERED: usize = 60;
/// How many messages are shown below the ringing ones.
const SHOWN: usize = 8;

/// A page that rings.
struct Call {
    number: u64,
    alert: String,
    keys: String,
    severity: &'static str,
    headline: String,
    details: String,
    since: String,
    /// Names this ring: a new one rings anew.
    ring: String,
    asks_resolve: bool,
}

/// Something that was told, newest first.
struct Told {
    /// Names this message.
    id: String,
    at: String,
    text: String,
    /// The alert that it speaks of.
    path: Option<String>,
}

/// What is said of the key that was pressed last.
struct Said {
    words: String,
    /// The alert that it is about.
    path: String,
    headline: String,
}

/// The live part.
#[derive(Template)]
#[template(path = "_handset.html")]
pub(super) struct HandsetFragment {
    owner: String,
    calls: Vec<Call>,
    told: Vec<Told>,
}

#[derive(Template)]
#[template(path = "handset.html")]
struct HandsetPage {
    frame: Frame,
    fragment: HandsetFragment,
    said: Option<Said>,
}

/// The person whose handset `name` is.
fn owner(app: &App, name: &Name) -> Option<Name> {
    let definitions = app.store.definitions();
    let people = definitions.directory().people.values();
    let is_theirs = |contact: &escalation::contact::Contact| {
        contact.kind() == Kind::Handset && contact.address() == name.as_str()
    };
    people.into_iter().find(|person| person.contacts.iter().any(is_theirs)).map(|person| person.name.clone())
}

/// Whether the viewer may use the handset; a page that says why not.
fn let_in(app: &App, viewer: &Viewer, name: &str) -> Result<(Name, Name), Response> {
    let missing =
        || error_page(404, "There is no such handset", "A person gets one by the contact `handset:NAME`.");
    let name = Name::new(name).map_err(|_| missing())?;
    let owner = owner(app, &name).ok_or_else(missing)?;
    if viewer.0.is_admin() || viewer.0.person.as_ref() == Some(&owner) {
        Ok((name, owner))
    } else {
        Err(error_page(403, "This is somebody else's handset", "It answers only for its own person."))
    }
}

/// Reads what a handset shows.
pub(super) async fn fragment(
    app: &App,
    viewer: &Viewer,
    name: &str,
    resolving: Option<u64>,
) -> Result<HandsetFragment, HandsetError> {
    let (name, owner) = let_in(app, viewer, name).map_err(HandsetError::Refused)?;
    let deliveries = app.store.handset(name.clone(), REMEMBERED).await.map_err(HandsetError::Store)?;
    let definitions = app.store.definitions();
    let zone = definitions
        .directory()
        .people
        .get(&owner)
        .map_or_else(|| "UTC".to_owned(), |person| person.zone.clone());
    let times = Times::new(&zone, app.clock.now());
    let mut calls: Vec<Call> = Vec::new();
    let mut told = Vec::new();
    for claim in deliveries {
        let delivery = &claim.delivery;
        if delivery.purpose != Purpose::Page {
            if told.len() < SHOWN {
                let about = claim.alert.as_ref().map(|alert| format!(": {}", headline(alert)));
                told.push(Told {
                    id: delivery.id.to_string(),
                    at: times.exactly(delivery.created_at),
                    text: format!("{}{}", sentence(&delivery.text), about.unwrap_or_default()),
                    path: claim.alert.as_ref().map(|alert| url::alert(alert.number)),
                });
            }
            continue;
        }
        let Some(alert) = &claim.alert else { continue };
        let asks =
            claim.page.as_ref().filter(|page| page.is_live() && alert.asks(page)).map(|page| page.asks);
        if let Some(asks) = asks
            && !calls.iter().any(|call| call.number == alert.number)
        {
            calls.push(Call {
                number: alert.number,
                alert: url::alert(alert.number),
                keys: format!("{}/alerts/{}/keys", url::handset(&name), alert.number),
                severity: alert.severity.word(),
                headline: format!("{}{}", asked(asks), headline(alert)),
                details: alert.details.chars().take(400).collect(),
                since: times.open(alert),
                ring: delivery.id.to_string(),
                asks_resolve: resolving == Some(alert.number),
            });
        }
    }
    // By number, whatever rang last: two calls must not change places under a finger.
    calls.sort_by_key(|call| call.number);
    let full_name = definitions.directory().full_name(&owner).to_owned();
    Ok(HandsetFragment { owner: full_name, calls, told })
}

/// Why a handset can't be shown.
pub(super) enum HandsetError {
    /// It may not be seen; a page that says why.
    Refused(Response),
    /// The store did not answer.
    Store(StoreError),
}

impl HandsetError {
    pub(super) fn page(self) -> Response {
        match self {
            Self::Refused(page) => page,
            Self::Store(error) => unavailable(&error),
        }
    }
}

/// The alert for which a first 6 was pressed.
pub(super) fn resolving(query: Option<&str>) -> Option<u64> {
    Did::read(query).filter(|did| did.asks).map(|did| did.number)
}

async fn page(
    viewer: Viewer,
    State(app): State<App>,
    Place(name): Place<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let resolving = resolving(query.as_deref());
    let fragment = match fragment(&app, &viewer, &name, resolving).await {
        Ok(fragment) => fragment,
        Err(error) => return error.page(),
    };
    let said = match Did::read(query.as_deref()) {
        Some(did) => say(&app, &name, did, &fragment).await,
        None => None,
    };
    let asked = resolving.map(|number| Did::asked(number).query()).unwrap_or_default();
    let live = url::live(&format!("/handset/{name}{asked}"));
    let frame = Frame::of(format!("Handset of {}", fragment.owner), &app, &viewer, live);
    show(&HandsetPage { frame, fragment, said })
}

/// What is said of a key, with the alert that it was pressed for.
async fn say(app: &App, name: &str, did: Did, fragment: &HandsetFragment) -> Option<Said> {
    let record = app.store.alert(AlertRef::Number(did.number)).await.ok()??;
    let owner = owner(app, &Name::new(name).ok()?)?;
    let definitions = app.store.definitions();
    let rings = fragment.calls.iter().any(|call| call.number == did.number);
    let alert = &record.state.alert;
    Some(Said {
        words: did.say(&record, definitions.directory(), &owner, rings),
        path: url::alert(alert.number),
        headline: headline(alert),
    })
}

async fn press(
    viewer: Viewer,
    State(app): State<App>,
    Place((name, number, key)): Place<(String, u64, String)>,
) -> Response {
    let (name, owner) = match let_in(&app, &viewer, &name) {
        Ok(found) => found,
        Err(page) => return page,
    };
    // "66" is 6 pressed twice: the second press is another button.
    let (key, is_sure) = match key.as_str() {
        "66" => (Some(Key::Resolve), true),
        label => (Key::read(label), label != "6"),
    };
    let Some(key) = key else {
        return error_page(404, "There is no such key", "A handset has the keys 1, 4, 6 and 8.");
    };
    let did = if is_sure {
        match answer(&app.store, AlertRef::Number(number), &owner, Via::Handset, key).await {
            Ok(Some(acted)) => Did::pressed(key, number, &acted.verdict),
            Ok(None) => return missing(number),
            Err(error) => return unavailable(&error),
        }
    } else {
        Did::asked(number)
    };
    see(&format!("{}{}", url::handset(&name), did.query()))
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/handset/{name}", get(page))
        .route("/handset/{name}/alerts/{number}/keys/{key}", post(press))
}
