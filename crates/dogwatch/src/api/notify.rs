//! Paging a team or a person: the generic way in for scripts and people.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use escalation::alert::Audience;
use escalation::event::{Link, Severity, Trigger, Via};
use escalation::name::Name;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alert_view::AlertView;
use crate::definition::{Kind, Lines, Problems};
use crate::http::App;
use crate::http::body::{Document, Path};
use crate::http::problem::Problem;
use crate::store::{Caller, Idempotency, Incoming, Recorded};

/// The most links of an alert.
const MAX_LINKS: usize = 20;

/// A problem to tell somebody about.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotifySpec {
    /// What is wrong, in one line. Line breaks become spaces.
    #[schema(min_length = 1, max_length = 1024, example = "disk full on db1")]
    pub summary: String,
    /// Anything more, as plain text.
    #[serde(default)]
    #[schema(max_length = 65536)]
    pub details: Option<String>,
    /// `critical`, `error` (the default), `warning` or `info`. The last two use people's low-urgency plans.
    #[serde(default)]
    #[schema(example = "critical")]
    pub severity: Option<String>,
    /// What makes another request the same problem: while an alert with this key is open, it is counted
    /// there and pages nobody anew. Without one every request is a problem of its own.
    #[serde(default)]
    #[schema(max_length = 512, example = "db1/disk")]
    pub dedup_key: Option<String>,
    /// Where to look.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub links: Vec<LinkSpec>,
    /// The integration on whose behalf this is sent. It must belong to the team.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub integration: Option<String>,
}

/// A place to look at.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkSpec {
    /// An `http` or `https` address.
    #[schema(max_length = 2048, example = "https://grafana.example.org/d/db1")]
    pub href: String,
    /// What to call it.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub text: String,
}

/// Page a team: its escalation plan begins.
#[utoipa::path(post, path = "/api/v1/teams/{name}/notify", tag = "teams",
    params(("name" = String, Path, max_length = 64), ("Idempotency-Key" = Option<String>, Header, max_length = 255,
        description = "The same key with the same request gives the same alert, however often it is sent.")),
    request_body = NotifySpec, responses(
    (status = 201, body = AlertView, description = "Stored on disk. The alert may have been open before."),
    (status = 400, body = Problem), (status = 404, body = Problem), (status = 413, body = Problem), (status = 422, body = Problem),
    (status = 503, body = Problem, description = "Not stored; send it again.")))]
async fn notify_team(
    caller: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
    document: Document,
) -> Result<Response, Problem> {
    notify(app, caller, Kind::Team, name, headers, document).await
}

/// Page a person, by that person's notification plan.
#[utoipa::path(post, path = "/api/v1/people/{name}/notify", tag = "people",
    params(("name" = String, Path, max_length = 64), ("Idempotency-Key" = Option<String>, Header, max_length = 255,
        description = "The same key with the same request gives the same alert, however often it is sent.")),
    request_body = NotifySpec, responses(
    (status = 201, body = AlertView, description = "Stored on disk. The alert may have been open before."),
    (status = 400, body = Problem), (status = 404, body = Problem), (status = 413, body = Problem), (status = 422, body = Problem),
    (status = 503, body = Problem, description = "Not stored; send it again.")))]
async fn notify_person(
    caller: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
    document: Document,
) -> Result<Response, Problem> {
    notify(app, caller, Kind::Person, name, headers, document).await
}

async fn notify(
    app: App,
    caller: Caller,
    kind: Kind,
    name: String,
    headers: HeaderMap,
    document: Document,
) -> Result<Response, Problem> {
    let result = accept(&app, &caller, kind, name, &headers, &document).await;
    app.metrics.event(result.is_ok());
    result
}

async fn accept(
    app: &App,
    caller: &Caller,
    kind: Kind,
    name: String,
    headers: &HeaderMap,
    document: &Document,
) -> Result<Response, Problem> {
    let no_audience = || {
        let definitions = app.store.definitions();
        let near = crate::definition::nearest(&name, definitions.names(kind));
        let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        let shown: String = name.chars().take(64).collect();
        Problem::not_found(format!("there is no {kind} \"{shown}\"{hint}"))
    };
    let audience = Name::new(&name).map_err(|_| no_audience())?;
    let audience = match kind {
        Kind::Team => Audience::Team(audience),
        _ => Audience::Person(audience),
    };
    let spec: NotifySpec = document.read()?;
    let trigger = check(app, caller, audience, spec)?;
    let idempotency = idempotency(headers, kind, &name, &document.bytes)?;
    match app.store.record(Incoming { trigger, idempotency }).await? {
        Recorded::Alert(alert) => {
            let view = AlertView::of(&alert, app);
            let location = format!("/api/v1/alerts/{}", view.id);
            Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(view)).into_response())
        }
        Recorded::NoAudience => Err(no_audience()),
        Recorded::KeyReused => Err(Problem::field(
            "Idempotency-Key",
            "was used for another request; use a new key for each request",
        )),
    }
}

fn idempotency(
    headers: &HeaderMap,
    kind: Kind,
    name: &str,
    body: &[u8],
) -> Result<Option<Idempotency>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value
        .to_str()
        .ok()
        .filter(|key| (1..=255).contains(&key.len()))
        .ok_or_else(|| Problem::field("Idempotency-Key", "is 1 to 255 printable ASCII characters"))?;
    Ok(Some(Idempotency { key: format!("{kind}/{name}/{key}"), request: Sha256::digest(body).into() }))
}

/// Turns the request into an event.
fn check(app: &App, caller: &Caller, audience: Audience, spec: NotifySpec) -> Result<Trigger, Problem> {
    let mut problems = Problems::default();
    let summary = spec.summary.replace(['\r', '\n', '\t'], " ").trim().to_owned();
    problems.text("summary", &summary, 1..=1024, Lines::One);
    // One kind of line break: the live stream, mail and terminals each take others differently.
    let details = spec.details.unwrap_or_default().replace("\r\n", "\n").replace('\r', "\n");
    problems.text("details", &details, 0..=65_536, Lines::Many);
    let severity = match spec.severity.as_deref() {
        None => Severity::default(),
        Some(word) => Severity::ALL.into_iter().find(|known| known.word() == word).unwrap_or_else(|| {
            let near = crate::definition::nearest(word, Severity::ALL.iter().map(|known| known.word()));
            let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
            problems
                .add("severity", format_args!("is \"critical\", \"error\", \"warning\" or \"info\"{hint}"));
            Severity::default()
        }),
    };
    if let Some(key) = &spec.dedup_key {
        problems.text("dedup_key", key, 1..=512, Lines::One);
    }
    if spec.links.len() > MAX_LINKS {
        problems
            .add("links", format_args!("has {} entries; at most {MAX_LINKS} are allowed", spec.links.len()));
    }
    for (index, link) in spec.links.iter().enumerate() {
        let is_web = url::Url::parse(&link.href)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !is_web || link.href.len() > 2048 {
            problems
                .add(format!("links[{index}].href"), "is a full http or https address of at most 2048 bytes");
        }
        problems.text(&format!("links[{index}].text"), &link.text, 0..=200, Lines::One);
    }
    let built_in = match &audience {
        Audience::Team(name) => format!("team:{name}"),
        Audience::Person(name) => format!("person:{name}"),
    };
    let integration = spec.integration.map_or(built_in, |integration| {
        let definitions = app.store.definitions();
        match (definitions.get(Kind::Integration, &integration), &audience) {
            (Some(defined), Audience::Team(team)) if defined.body["team"] == team.as_str() => {}
            (Some(_), _) => {
                problems.add("integration", format_args!("\"{integration}\" belongs to another team"))
            }
            (None, _) => problems.unknown(
                "integration",
                Kind::Integration,
                &integration,
                definitions.names(Kind::Integration),
            ),
        }
        integration
    });
    problems.finish().map_err(Problem::invalid)?;
    Ok(Trigger {
        audience,
        integration,
        dedup_key: spec.dedup_key.unwrap_or_else(|| once(app)),
        summary,
        details,
        severity,
        route: escalation::event::Route::default(),
        links: spec.links.into_iter().map(|link| Link { href: link.href, text: link.text }).collect(),
        by: app.actor(caller, Via::Api),
    })
}

/// A key that nothing else has. It begins with the time, so that the index of keys grows at its end and
/// not all over: that halves what a storm writes to the disk.
fn once(app: &App) -> String {
    format!("once-{:012x}-{:016x}", app.clock.now().as_millisecond(), crate::clock::chance())
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(notify_team)).routes(routes!(notify_person))
}
