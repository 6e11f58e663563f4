//! Samples that are tried, with an integration that there is or one that is not saved yet; and test events.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use escalation::name::Name;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::known;
use crate::api::alert_view::AlertView;
use crate::api::definitions::{Listing, missing};
use crate::definition::integration::mapping::MappingSpec;
use crate::definition::{FieldError, Integration, IntegrationSpec, Kind, Lines, Problems, nearest};
use crate::http::App;
use crate::http::auth::Admin;
use crate::http::body::{Document, Path};
use crate::http::problem::Problem;
use crate::intake::arrival::Scene;
use crate::intake::{self, Format, trial};
use crate::store::Caller;
use crate::store::reception::Became;

/// A sample to be tried. Nothing is stored, nobody is paged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrySpec {
    /// The format: `pagerduty`, `pagerduty-change`, `pagerduty-v1`, `opsgenie`, `victorops`, `alertmanager`, `grafana`,
    /// `formatted_webhook`, `zabbix`, `nagios` or `generic`.
    #[schema(example = "generic")]
    format: String,
    /// What the sender would post.
    sample: Value,
    /// An integration that there is, or would be. Without it: one without rules.
    #[serde(default)]
    integration: Option<TriedIntegration>,
    /// A mapping in place of the integration's.
    #[serde(default)]
    mapping: Option<MappingSpec>,
}

/// By its name, or as it would be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum TriedIntegration {
    /// One that there is.
    Name(String),
    /// One that is not saved yet.
    Spec(Box<IntegrationSpec>),
}

/// What would become of one event.
#[derive(Debug, Serialize, ToSchema)]
pub struct TriedView {
    /// `trigger`, `acknowledge`, `resolve` and so on; or why nothing would be done.
    act: String,
    /// What makes it the same problem.
    key: String,
    /// What is wrong.
    summary: String,
    /// Anything more.
    details: String,
    /// How grave it is.
    severity: &'static str,
    /// What it means for people now: `high`, `low`, or nothing for what pages nobody.
    urgency: &'static str,
    /// The team that would get it.
    team: Option<String>,
    /// The escalation plan, if a rule names one.
    plan: Option<String>,
    /// The rule that was followed, from 1; none: no rule fits.
    rule: Option<usize>,
    /// The addresses of its links.
    links: Vec<String>,
}

/// A test event.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TestSpec {
    /// `critical`, `error`, `warning` or `info` (the default).
    severity: Option<String>,
}

/// Try a sample: what would become of it, by an integration that there is or one that is not saved yet.
#[utoipa::path(post, path = "/api/v1/integration-trials", tag = "integrations", request_body = TrySpec,
    responses((status = 200, body = Listing<TriedView>), (status = 422, body = Problem)))]
async fn try_sample(_: Caller, State(app): State<App>, document: Document) -> Result<Response, Problem> {
    let spec: TrySpec = document.read()?;
    let mut problems = Problems::default();
    let format = Format::ALL.into_iter().find(|format| format.word() == spec.format);
    if format.is_none() {
        let words = Format::ALL.map(Format::word);
        let near = nearest(&spec.format, words.into_iter());
        let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        problems.add("format", format_args!("is one of {}{hint}", words.join(", ")));
    }
    let mapping = spec.mapping.as_ref().and_then(|mapping| mapping.shape(&mut problems));
    problems.finish().map_err(Problem::invalid)?;
    let definitions = app.store.definitions();
    let mut integration = match spec.integration {
        Some(TriedIntegration::Name(name)) => {
            let found = definitions.integration(&name);
            let why = || Problem::field("integration", missing(&app, Kind::Integration, &name).detail);
            found.ok_or_else(why)?.as_ref().clone()
        }
        Some(TriedIntegration::Spec(spec)) => {
            let inside = |errors: Vec<FieldError>| {
                let inside = errors.into_iter().map(|error| FieldError {
                    field: format!("integration.{}", error.field),
                    message: error.message,
                });
                Problem::invalid(inside.collect())
            };
            let body = serde_json::to_value(&spec).unwrap_or_default();
            definitions.check(Kind::Integration, body, app.clock.now()).map_err(inside)?;
            spec.shape().map_err(inside)?
        }
        None => {
            let name =
                Name::new("sample").map_err(|error| Problem::field("integration", error.to_string()))?;
            Integration {
                team: name.clone(),
                name,
                acknowledge: None,
                severities: Default::default(),
                group_by: Vec::new(),
                rules: Vec::new(),
                mapping: None,
            }
        }
    };
    integration.mapping = mapping.or(integration.mapping);
    // The find above has failed if there is no format.
    let format = format.unwrap_or(Format::Generic);
    let events = trial::read(format, &spec.sample, integration.mapping.as_ref())
        .map_err(|wrong| Problem::field("sample", wrong))?;
    let scene =
        Scene { integration: &integration, format, directory: definitions.directory(), now: app.clock.now() };
    let items: Vec<_> = events.into_iter().map(|event| TriedView::of(trial::tell(scene, event))).collect();
    Ok(Json(Listing { items, next_cursor: None }).into_response())
}

impl TriedView {
    fn of(tried: trial::Tried) -> Self {
        let trial::Tried { act, key, summary, details, severity, urgency, team, plan, rule, links } = tried;
        Self { act, key, summary, details, severity, urgency, team, plan, rule, links }
    }
}

/// Send a test event, as if the sender had: whoever is on call is paged, until somebody answers.
#[utoipa::path(post, path = "/api/v1/integrations/{name}/test", tag = "integrations", params(("name" = String, Path, max_length = 64)),
    request_body = Option<TestSpec>, responses((status = 201, body = AlertView), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem, description = "A rule says that nobody is to hear of it."), (status = 422, body = Problem)))]
async fn send_test(
    Admin(caller): Admin,
    State(app): State<App>,
    Path(name): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let spec: TestSpec = document.read()?;
    let name = known(&app, &name)?;
    let mut problems = Problems::default();
    let severity = spec.severity.unwrap_or_else(|| "info".to_owned());
    problems.text("severity", &severity, 1..=50, Lines::One);
    problems.finish().map_err(Problem::invalid)?;
    let definitions = app.store.definitions();
    let Some(integration) = definitions.integration(name.as_str()) else {
        return Err(missing(&app, Kind::Integration, name.as_str()));
    };
    match intake::send_test(&app, integration, severity, &caller).await? {
        Became::Alert(alert, _) => {
            Ok((StatusCode::CREATED, Json(AlertView::of(&alert, &app))).into_response())
        }
        Became::Nothing(why) => Err(Problem::conflict(why)),
        _ => Err(Problem::conflict("the team that it is for is no more")),
    }
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(try_sample)).routes(routes!(send_test))
}
