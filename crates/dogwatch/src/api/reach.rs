//! Whether people can be reached: contacts verified by a code and tried out, who can't be reached, the contact card.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use escalation::contact::Contact;
use escalation::name::Name;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::definitions::missing;
use crate::cluster::{Caution, examine as examine_cluster};
use crate::definition::Kind;
use crate::definition::time::print_instant;
use crate::http::App;
use crate::http::body::Document;
use crate::http::problem::Problem;
use crate::message::Language;
use crate::reach::{self, Finding};
use crate::store::Caller;
use crate::store::reach::{Asked, MOST_ASKED, Proof};

/// Which contact is meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactSpec {
    /// One of the person's contacts.
    #[schema(max_length = 512, example = "sms:+4930123456")]
    contact: String,
}

/// The code that came in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofSpec {
    /// The contact that it was sent to.
    #[schema(max_length = 512, example = "sms:+4930123456")]
    contact: String,
    /// Six digits.
    #[schema(max_length = 20, example = "123456")]
    code: String,
}

/// What a test came to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeardSpec {
    /// The contact that rang.
    #[schema(max_length = 512, example = "phone:+4930123456")]
    contact: String,
    /// Whether it sounded while the phone was silenced.
    sounded: bool,
}

/// What is known of a contact.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReachView {
    /// The contact.
    contact: String,
    /// When somebody proved that what is sent there is read.
    verified_at: Option<String>,
    /// When it last rang for a test.
    tested_at: Option<String>,
    /// Whether it sounded then while the phone was silenced, as its owner says.
    sounded: Option<bool>,
    /// Messages in a row that were given up.
    failures: u32,
    /// Messages in a row that were taken, and came back later.
    bounces: u32,
    /// Since when nothing is sent there; to verify it again ends that.
    dead_at: Option<String>,
}

/// What is known of a person's contacts.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReachesView {
    /// In the order in which the person has them.
    items: Vec<ReachView>,
}

/// Who can't be reached, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct DoctorView {
    /// Everything that was found, by person.
    findings: Vec<Finding>,
    /// Nodes share a database: what is wrong there, or could not be looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cluster: Vec<Caution>,
    /// What is wrong with providers now, as far as this node has seen it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    providers: Vec<String>,
}

/// The person, for who may do this.
fn own(caller: &Caller, app: &App, name: &str) -> Result<Name, Problem> {
    let definitions = app.store.definitions();
    let known = Name::new(name).ok().filter(|name| definitions.directory().people.contains_key(name));
    let known = known.ok_or_else(|| missing(app, Kind::Person, name))?;
    if caller.is_admin() || caller.person.as_ref() == Some(&known) {
        return Ok(known);
    }
    Err(Problem::forbidden("a person's contacts are tried out by that person, or by an administrator"))
}

/// One of the person's contacts.
fn contact_of(app: &App, person: &Name, text: &str) -> Result<Contact, Problem> {
    let definitions = app.store.definitions();
    let contacts = definitions.directory().people.get(person).map(|person| person.contacts.as_slice());
    let found = contacts.unwrap_or_default().iter().find(|contact| contact.as_str() == text);
    found.cloned().ok_or_else(|| {
        Problem::field("contact", "is none of this person's contacts; write one as it stands there")
    })
}

/// That a code or a test leaves, or why it does not.
fn asked(app: &App, asked: Asked) -> Result<Response, Problem> {
    match asked {
        Asked::Leaves => Ok(StatusCode::ACCEPTED.into_response()),
        Asked::TooOften(until) => {
            let seconds = until.duration_since(app.clock.now()).as_secs().max(1);
            let detail = format!(
                "{MOST_ASKED} codes and tests within an hour are enough for one contact; the next one may be asked \
                 for at {}",
                print_instant(until)
            );
            Err(Problem::too_often(u32::try_from(seconds).unwrap_or(u32::MAX), detail))
        }
    }
}

/// What is known of a person's contacts.
#[utoipa::path(get, path = "/api/v1/people/{name}/contacts", tag = "people", params(("name" = String, Path, max_length = 64)),
    responses((status = 200, body = ReachesView), (status = 404, body = Problem)))]
async fn list(_: Caller, State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
    let definitions = app.store.definitions();
    let person = Name::new(&name).ok().and_then(|name| definitions.directory().people.get(&name));
    let person = person.ok_or_else(|| missing(&app, Kind::Person, &name))?;
    let known = app.store.reaches().await?;
    let view = |contact: &Contact| {
        let found = known.iter().find(|(name, of, _)| *name == person.name && of == contact);
        let reach = found.map(|(_, _, reach)| reach.clone()).unwrap_or_default();
        ReachView {
            contact: contact.to_string(),
            verified_at: reach.verified_at.map(print_instant),
            tested_at: reach.tested_at.map(print_instant),
            sounded: reach.sounded,
            failures: reach.failures,
            bounces: reach.bounces,
            dead_at: reach.dead_at.map(print_instant),
        }
    };
    Ok(Json(ReachesView { items: person.contacts.iter().map(view).collect() }).into_response())
}

/// Send a code there: whoever types it has proved that the contact is read. It is good for 15 minutes.
#[utoipa::path(post, path = "/api/v1/people/{name}/contacts/verify", tag = "people", params(("name" = String, Path, max_length = 64)),
    request_body = ContactSpec, responses((status = 202), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn verify(
    caller: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let person = own(&caller, &app, &name)?;
    let spec: ContactSpec = document.read()?;
    let contact = contact_of(&app, &person, &spec.contact)?;
    asked(&app, reach::send_code(&app.store, &person, &contact).await?)
}

/// The code that came in. One that is right also lets a contact be used again that was dead.
#[utoipa::path(post, path = "/api/v1/people/{name}/contacts/confirm", tag = "people", params(("name" = String, Path, max_length = 64)),
    request_body = ProofSpec, responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn confirm(
    caller: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let person = own(&caller, &app, &name)?;
    let spec: ProofSpec = document.read()?;
    let contact = contact_of(&app, &person, &spec.contact)?;
    let code: String = spec.code.chars().filter(char::is_ascii_digit).collect();
    match app.store.prove(person, contact, code).await? {
        Proof::Right => Ok(StatusCode::NO_CONTENT.into_response()),
        Proof::Wrong => Err(Problem::field("code", "is not the one that was sent there last")),
        Proof::None => Err(Problem::field("code", "none is good any more: let another one be sent")),
    }
}

/// Let it ring now, as a page would. Nobody is alerted, and nothing escalates.
#[utoipa::path(post, path = "/api/v1/people/{name}/contacts/test", tag = "people", params(("name" = String, Path, max_length = 64)),
    request_body = ContactSpec, responses((status = 202), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn test(
    caller: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let person = own(&caller, &app, &name)?;
    let spec: ContactSpec = document.read()?;
    let contact = contact_of(&app, &person, &spec.contact)?;
    asked(&app, reach::ring(&app.store, &person, &contact).await?)
}

/// Whether the last test sounded while the phone was silenced.
#[utoipa::path(post, path = "/api/v1/people/{name}/contacts/heard", tag = "people", params(("name" = String, Path, max_length = 64)),
    request_body = HeardSpec, responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn heard(
    caller: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let person = own(&caller, &app, &name)?;
    let spec: HeardSpec = document.read()?;
    let contact = contact_of(&app, &person, &spec.contact)?;
    match app.store.heard_test(person, contact, spec.sounded).await? {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(Problem::conflict("this contact has never rung for a test")),
    }
}

/// Who can't be reached, or only in part, and what to do about it.
#[utoipa::path(get, path = "/api/v1/doctor", tag = "people", responses((status = 200, body = DoctorView)))]
async fn doctor(_: Caller, State(app): State<App>) -> Result<Response, Problem> {
    let mut cautions = Vec::new();
    if let Some(shared) = app.store.cluster().await? {
        cautions = examine_cluster(&shared);
        let asked = app.patroni.ask(&shared).await;
        cautions.extend(asked.map_err(|error| {
            tracing::error!(%error, "Patroni can't be asked");
            Problem::mistake()
        })?);
    }
    let findings = reach::findings(&app.store, &app.kinds).await?;
    Ok(Json(DoctorView { findings, cluster: cautions, providers: app.channels.ailing() }).into_response())
}

/// One contact card (vCard) with every number that may call or write: whoever saves it can let it ring when the phone
/// is silenced.
#[utoipa::path(get, path = "/api/v1/contact-card.vcf", tag = "people",
    responses((status = 200, content_type = "text/vcard", body = String)))]
async fn card(caller: Caller, State(app): State<App>) -> Response {
    let definitions = app.store.definitions();
    let person = caller.person.as_ref().and_then(|name| definitions.directory().people.get(name));
    let language = person.map_or(Language::English, |person| Language::of(&person.language));
    let numbers: Vec<String> = app.providers.iter().filter_map(|provider| provider.number()).collect();
    let headers = [
        (header::CONTENT_TYPE, "text/vcard; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"dogwatch.vcf\""),
    ];
    (headers, reach::card(&numbers, language)).into_response()
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(verify))
        .routes(routes!(confirm))
        .routes(routes!(test))
        .routes(routes!(heard))
        .routes(routes!(doctor))
        .routes(routes!(card))
}
