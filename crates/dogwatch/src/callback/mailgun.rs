//! Mail that bounced later, and replies to mail, as Mailgun tells of them.
//!
//! Both are signed with the domain's signing key, over a time and a token that is used once. A request that is refused
//! is answered 406, which tells Mailgun not to send it again.

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use escalation::event::Via;
use escalation::id::DeliveryId;
use escalation::receipt::Receipt;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{is_signed, seen_id};
use crate::channel::mailgun::{Client, REPLY};
use crate::http::App;
use crate::http::body::Document;
use crate::message::{cut, plain, say};
use crate::reply::{Key, answer, answer_message, language_of, tell};
use crate::secret::Secret;
use crate::store::phone::Said;
use crate::store::{AlertRef, StoreError};

/// How old a signed request may be: Mailgun tries for eight hours.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(12);
/// The most text of a reply that is kept, in bytes.
const MAX_TEXT: usize = 1024 * 1024;
/// The longest reply, in bytes: with what is attached, as much as Mailgun takes.
const MAX_REPLY: usize = 26 * 1024 * 1024;
/// The name under which its requests are remembered.
const PROVIDER: &str = "mailgun";

/// What is needed to believe Mailgun, and to answer who replied.
#[derive(Clone)]
pub struct Mailgun {
    client: Client,
    signing_key: Secret,
}

/// What a request is signed over.
#[derive(Clone, Debug, Default, Deserialize)]
struct Signature {
    #[serde(default)]
    timestamp: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    signature: String,
}

impl Mailgun {
    /// For the domain that carries our mail.
    pub fn new(client: Client, signing_key: Secret) -> Self {
        Self { client, signing_key }
    }

    /// Whether Mailgun signed this, not too long ago. What it is remembered by.
    fn signed(&self, given: &Signature, now: Timestamp) -> Result<String, &'static str> {
        let (at, token) = (given.timestamp.as_bytes(), given.token.as_bytes());
        if token.is_empty()
            || !is_signed(self.signing_key.reveal().as_bytes(), &[at, token], &given.signature)
        {
            return Err("the signature does not fit: is signing_key the one of this domain?");
        }
        let sent = given.timestamp.parse().ok().and_then(|at| Timestamp::from_second(at).ok());
        let age = sent.ok_or("the time of the signature can't be read")?.duration_since(now).abs();
        if age > MAX_AGE { Err("the request is too old") } else { Ok(seen_id(PROVIDER, token)) }
    }
}

fn refuse(why: &'static str) -> Response {
    tracing::warn!(why, "a request to /callbacks/mailgun was refused");
    (StatusCode::NOT_ACCEPTABLE, why).into_response()
}

/// After what a request asked for is done, or could not be: then it is to come again.
async fn finish(app: &App, id: String, done: Result<(), StoreError>) -> Response {
    let taken = match done {
        Ok(()) => app.store.saw(id).await,
        Err(error) => Err(error),
    };
    match taken {
        Ok(_) => StatusCode::OK.into_response(),
        Err(error) => {
            tracing::error!(%error, "what Mailgun told could not be stored; it tells it again");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

// ---- what became of a mail ----

#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    signature: Signature,
    #[serde(rename = "event-data")]
    event: Event,
}

#[derive(Deserialize)]
struct Event {
    event: String,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    reason: String,
    #[serde(rename = "user-variables", default)]
    ours: Ours,
    #[serde(rename = "delivery-status", default)]
    status: Status,
}

/// What we gave the mail along.
#[derive(Default, Deserialize)]
struct Ours {
    #[serde(default)]
    delivery: String,
    #[serde(default)]
    attempt: String,
}

#[derive(Default, Deserialize)]
struct Status {
    /// What the mail server answered, as RFC 3463 numbers it.
    #[serde(rename = "enhanced-code", default)]
    enhanced_code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    description: String,
}

impl Event {
    /// Whether the mailbox is why: there is none, or none any more. A mail that was refused for what it says, or for
    /// where it comes from, says nothing of it.
    fn is_gone(&self) -> bool {
        let code = self.status.enhanced_code.as_str();
        let is_bounce = matches!(self.reason.as_str(), "bounce" | "suppress-bounce");
        self.event == "failed" && (code.starts_with("5.1.") || (code.is_empty() && is_bounce))
    }

    /// Why the mail will never arrive, if it will not.
    fn failure(&self) -> Option<String> {
        let is_final = match self.event.as_str() {
            "failed" => self.severity == "permanent",
            "rejected" => true,
            _ => false,
        };
        let words = [&self.status.message, &self.status.description, &self.reason];
        let said = words.into_iter().find(|words| !words.is_empty()).map_or("no reason", String::as_str);
        is_final.then(|| cut(&plain(said).replace('\n', " "), 200))
    }
}

async fn told(State(app): State<App>, document: Document) -> Response {
    let Some(mailgun) = &app.callbacks.mailgun else { return refuse("Mailgun is not set up here") };
    let Ok(told) = serde_json::from_value::<Told>(document.value) else {
        return refuse("this is not what Mailgun tells of a mail");
    };
    let id = match mailgun.signed(&told.signature, app.clock.now()) {
        Ok(id) => id,
        Err(why) => return refuse(why),
    };
    let ours = &told.event.ours;
    let about = ours.delivery.parse::<DeliveryId>().ok().zip(ours.attempt.parse::<u8>().ok());
    let Some((delivery, attempt)) = about else { return StatusCode::OK.into_response() };
    let Some(why) = told.event.failure() else {
        // Of what has arrived nobody need be told: a page is answered by a person.
        return match told.event.event.as_str() {
            "delivered" => {
                let done = app.store.came_in(delivery).await;
                finish(&app, id, done).await
            }
            _ => StatusCode::OK.into_response(),
        };
    };
    // The person's next contact comes now.
    let done = app
        .store
        .receipt(
            delivery,
            attempt,
            Said { receipt: Receipt::Failed, detail: why, is_gone: told.event.is_gone() },
        )
        .await;
    finish(&app, id, done).await
}

// ---- replies ----

/// What a reply asks for. Only a line that is nothing else counts: an answering machine writes no such line.
fn command(text: &str) -> Option<Key> {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    // "ack, thanks" is meant as well as "Ack!".
    let words = first.split([',', ';', '.', '!']).next().unwrap_or_default().trim().to_lowercase();
    match words.as_str() {
        "ack" | "acknowledge" | "ok" | "ja" | "i have it" | "ich habe es" | "ack all" | "all" | "alle" => {
            Some(Key::Acknowledge)
        }
        "resolve" | "resolved" | "erledigt" => Some(Key::Resolve),
        "not me" | "ich nicht" => Some(Key::NotMe),
        _ => None,
    }
}

/// The fields of a form. A mail with an attachment, be it the picture in a signature, comes in parts; files are passed over.
async fn fields(request: Request) -> Result<Vec<(String, String)>, &'static str> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !kind.unwrap_or_default().starts_with("multipart/form-data") {
        let body =
            axum::body::to_bytes(request.into_body(), MAX_TEXT).await.map_err(|_| "the form is too long")?;
        return Ok(url::form_urlencoded::parse(&body).into_owned().collect());
    }
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| "the form can't be read")?;
    let mut fields = Vec::new();
    let mut left = MAX_TEXT;
    while let Some(mut part) = parts.next_field().await.map_err(|_| "the form can't be read")? {
        if part.file_name().is_some() {
            // Passed over as it comes in.
            continue;
        }
        let (name, mut text) = (part.name().unwrap_or_default().to_owned(), Vec::new());
        while let Some(chunk) = part.chunk().await.map_err(|_| "the form can't be read")? {
            left = left.checked_sub(chunk.len()).ok_or("the form is too long")?;
            text.extend_from_slice(&chunk);
        }
        fields.push((name, String::from_utf8_lossy(&text).into_owned()));
    }
    Ok(fields)
}

async fn replied(State(app): State<App>, request: Request) -> Response {
    let Some(mailgun) = app.callbacks.mailgun.clone() else { return refuse("Mailgun is not set up here") };
    let form = match fields(request).await {
        Ok(form) => form,
        Err(why) => return refuse(why),
    };
    let field = |name: &str| {
        let found = form.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let given =
        Signature { timestamp: field("timestamp"), token: field("token"), signature: field("signature") };
    let id = match mailgun.signed(&given, app.clock.now()) {
        Ok(id) => id,
        Err(why) => return refuse(why),
    };
    match app.store.has_seen(id.clone()).await {
        Ok(false) => {}
        Ok(true) => return StatusCode::OK.into_response(),
        Err(error) => return finish(&app, id, Err(error)).await,
    }
    let to = field("recipient");
    let code = to.split('@').next().and_then(|local| local.strip_prefix(REPLY));
    let Some(message) = code.and_then(|code| app.links.read_reply_code(code)) else {
        return refuse("this reply was sent to an address that belongs to no message");
    };
    let text = match field("stripped-text") {
        text if text.is_empty() => field("body-plain"),
        text => text,
    };
    // What a machine wrote is not answered: two of them would go on for ever.
    let by_machine = !matches!(field("Auto-Submitted").to_ascii_lowercase().as_str(), "" | "no")
        || !field("Precedence").is_empty();
    let said = match carry_out(&app, message, command(&text), by_machine).await {
        Ok(said) => said,
        Err(error) => return finish(&app, id, Err(error)).await,
    };
    let answer = finish(&app, id, Ok(())).await;
    // To the address that was paged, whoever says that the reply is from him.
    if let Some((contact, words)) = said {
        let reference = mailgun.client.message_id(message);
        tokio::spawn(async move {
            if let Err(outcome) = mailgun.client.tell(&contact, &words, &reference).await {
                tracing::warn!(%outcome, "somebody could not be told by mail what was done");
            }
        });
    }
    answer
}

/// To somebody who wrote something else.
const NOT_UNDERSTOOD: &str =
    "Nothing was done: your mail has to begin with a line that says \"ack\", \"resolve\" or \"not me\".";

type Answered = Option<(escalation::contact::Contact, String)>;

/// Does what a reply asks for. Whom to tell what.
async fn carry_out(
    app: &App,
    message: DeliveryId,
    key: Option<Key>,
    by_machine: bool,
) -> Result<Answered, StoreError> {
    let Some(claim) = app.store.message(message).await? else { return Ok(None) };
    let Some(person) = claim.delivery.person.clone() else { return Ok(None) };
    let contact = claim.delivery.contact.clone();
    let language = language_of(&app.store, &person);
    let Some(key) = key else {
        tracing::info!(delivery = %message, by_machine, "a reply by mail asks for nothing that is known");
        return Ok((!by_machine).then(|| (contact, say(NOT_UNDERSTOOD, language))));
    };
    let acted = match (key, claim.alert.as_ref().filter(|_| claim.others.is_empty())) {
        (Key::Acknowledge, _) => {
            answer_message(&app.store, message, &person, Via::Mail, app.clock.now()).await?
        }
        (key, Some(alert)) => {
            answer(&app.store, AlertRef::Id(alert.id), &person, Via::Mail, key).await?.into_iter().collect()
        }
        (_, None) => {
            let words =
                "Nothing was done: the mail held several alerts. Of those only \"ack\" is possible by mail.";
            return Ok(Some((contact, say(words, language))));
        }
    };
    let words: Vec<String> = acted.iter().map(|acted| say(&tell(acted, Some(&person)), language)).collect();
    let owns = claim.alert.as_ref().filter(|alert| {
        alert.status == escalation::alert::Status::Acknowledged
            && alert.acknowledged.as_ref().is_some_and(|act| act.by.person.as_ref() == Some(&person))
    });
    let words = if let (true, Some(alert), true) = (words.is_empty(), owns, claim.others.is_empty()) {
        say(&format!("You have #{}. Nobody else is paged any more.", alert.number), language)
    } else if words.is_empty() {
        say("It is answered already. You need not do anything.", language)
    } else {
        words.join(" ")
    };
    Ok(Some((contact, words)))
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/callbacks/mailgun", post(told)).merge(
        Router::new()
            .route("/callbacks/mailgun/reply", post(replied))
            .layer(DefaultBodyLimit::max(MAX_REPLY)),
    )
}
