//! Twilio's callbacks: `/callbacks/twilio/NAME/{status,keys,messages,voice}`.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use escalation::contact::Contact;
use escalation::receipt::Receipt;

use super::keys::{Pressed, Voice};
use super::{attempt, field, find, keys, nothing, read_form, refused, unavailable, unreadable, xml};
use crate::channel::providers::exchange::shown;
use crate::channel::twilio::signature::Signed;
use crate::channel::twilio::{Account, twiml};
use crate::config::provider::Protocol;
use crate::http::App;
use crate::message::{Language, say, sms};
use crate::reply::sms::answer_sms;
use crate::store::StoreError;
use crate::store::phone::Said;

/// The largest callback, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// A callback that is genuine.
struct Genuine {
    /// The account that it is from.
    account: Account,
    /// The fields of its form.
    form: Vec<(String, String)>,
    /// The fields of its address.
    query: Vec<(String, String)>,
}

/// Checks who sent a callback, by the configured address and the account that it names.
fn check(app: &App, name: &str, uri: &axum::http::Uri, headers: &HeaderMap, body: &Bytes) -> Option<Genuine> {
    let Protocol::Twilio(account) = &find(app, name)?.protocol else { return None };
    let form = read_form(body);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let path = uri.path_and_query().map_or(uri.path(), |path| path.as_str());
    let url = format!("{}{path}", app.public_url);
    let signed = Signed {
        url: &url,
        fields: &form,
        body,
        signature: text("x-twilio-signature")?,
        settings: text("x-twilio-webhooks-signature-settings"),
    };
    let key = account.signing_key.as_ref().unwrap_or(&account.token);
    let is_ours = field(&form, "AccountSid") == account.account;
    let query = read_form(uri.query().unwrap_or_default().as_bytes());
    (signed.is_genuine(account.token.reveal(), key.reveal()) && is_ours).then(|| Genuine {
        account: account.clone(),
        form,
        query,
    })
}

/// What became of a message or a call, in any order, perhaps twice.
async fn status(
    State(app): State<App>,
    Path(name): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(callback) = check(&app, &name, &uri, &headers, &body) else { return refused() };
    let Some((id, attempt)) = attempt(&callback.query) else {
        return unreadable("the address names no delivery");
    };
    let Some(said) = read_status(&callback.form) else { return nothing() };
    match app.store.receipt(id, attempt, said).await {
        Ok(()) => nothing(),
        Err(error) => unavailable(&error),
    }
}

/// Errors of messages that never arrive there: blocked, unknown, a landline.
const GONE: [&str; 3] = ["30004", "30005", "30006"];
/// What the telephone network answers where there is no such number (RFC 3261): not found, gone, incomplete, nowhere.
/// Any other failure may be the provider's, or the night's.
const NO_SUCH_NUMBER: [&str; 4] = ["404", "410", "484", "604"];

/// What a status means; none: a word that there may be one day.
fn read_status(form: &[(String, String)]) -> Option<Said> {
    let by = field(form, "AnsweredBy");
    if by.starts_with("machine") || by == "fax" {
        return Some(Said::new(Receipt::NotTaken, format!("a machine took it ({by})", by = shown(by))));
    }
    let call = field(form, "CallStatus");
    let message = field(form, "MessageStatus");
    let error = field(form, "ErrorCode");
    let word = if message.is_empty() { call } else { message };
    let receipt = match word {
        "queued" | "accepted" | "scheduled" | "initiated" => Receipt::Taken,
        "sending" | "sent" | "ringing" | "in-progress" | "answered" => Receipt::Underway,
        "completed" => Receipt::Completed,
        "delivered" | "read" => Receipt::Arrived,
        "busy" | "no-answer" => Receipt::NotTaken,
        "failed" | "undelivered" | "canceled" => Receipt::Failed,
        _ => return None,
    };
    let detail = match (word, error) {
        ("busy", _) => "the line was busy".to_owned(),
        ("no-answer", _) => "no answer".to_owned(),
        (word, "") => word.to_owned(),
        (word, error) => format!("{word} (error {})", shown(error)),
    };
    let is_gone = GONE.contains(&error)
        || (message.is_empty()
            && word == "failed"
            && NO_SUCH_NUMBER.contains(&field(form, "SipResponseCode")));
    Some(Said { receipt, detail, is_gone })
}

/// A key that somebody pressed.
async fn pressed(
    State(app): State<App>,
    Path(name): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match check(&app, &name, &uri, &headers, &body) {
        Some(callback) => {
            let pressed = Pressed {
                attempt: attempt(&callback.query),
                between: [field(&callback.form, "From"), field(&callback.form, "To")],
                digits: field(&callback.form, "Digits"),
                turn: field(&callback.query, "turn").parse().ok(),
                six: field(&callback.query, "six") == "1",
                voice: Voice::Twiml(&callback.account.name),
            };
            keys::press(&app, &pressed).await
        }
        None => refused(),
    }
}

/// A short message from somebody.
async fn messages(
    State(app): State<App>,
    Path(name): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(callback) = check(&app, &name, &uri, &headers, &body) else { return refused() };
    let form = &callback.form;
    let Ok(from) = format!("sms:{}", field(form, "From")).parse::<Contact>() else {
        // Letters in place of a number: nobody whom we know.
        return xml(twiml::replied(""));
    };
    // Twilio does not ask again after an error of ours: whoever wrote has to know that it was in vain.
    let lost = |error: &StoreError| {
        tracing::error!(%error, "a short message could not be stored; its sender is told to send it again");
        let words = "The database does not answer, so that it is not sure whether that counts. Send it again in a moment.";
        xml(twiml::replied(&say(words, language_at(&app, &from))))
    };
    let id = format!("{name}:{}", field(form, "MessageSid"));
    match app.store.has_seen(id.clone()).await {
        Ok(false) => {}
        Ok(true) => return xml(twiml::replied("")),
        Err(error) => return lost(&error),
    }
    // Twilio understands some words by itself, also in other languages.
    let text = match field(form, "OptOutType") {
        "" => field(form, "Body"),
        word => word,
    };
    let answer = match answer_sms(&app.store, &from, text, app.clock.now()).await {
        Ok(answer) => answer.unwrap_or_default(),
        Err(error) => return lost(&error),
    };
    if let Err(error) = app.store.saw(id).await {
        // It is done; at worst it is done once more, which changes nothing.
        tracing::warn!(%error, "a short message that was answered could not be remembered");
    }
    let is_carriers = !field(form, "OptOutType").is_empty();
    xml(twiml::replied(&sms::fitted(if is_carriers { "" } else { &answer })))
}

/// The language of whoever has this number.
fn language_at(app: &App, from: &Contact) -> Language {
    let definitions = app.store.definitions();
    let mut people = definitions.directory().people.values();
    let owner = people.find(|person| person.contacts.contains(from));
    owner.map_or(Language::English, |person| Language::of(&person.language))
}

/// Somebody calls the number that pages come from.
async fn voice(
    State(app): State<App>,
    Path(name): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match check(&app, &name, &uri, &headers, &body) {
        Some(_) => xml(twiml::rejected()),
        None => refused(),
    }
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/callbacks/twilio/{name}/status", post(status))
        .route("/callbacks/twilio/{name}/keys", post(pressed))
        .route("/callbacks/twilio/{name}/messages", post(messages))
        .route("/callbacks/twilio/{name}/voice", post(voice))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}
