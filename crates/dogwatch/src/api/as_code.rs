//! Definitions as code: what files would change, changing it all at once, and everything written out again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::definition::{
    Changed, Definitions, DocumentError, FieldChange, FieldError, Kind, Owner, Wanted, field_changes,
};
use crate::duty::difference::{AHEAD, DutyChange, differences};
use crate::http::App;
use crate::http::auth::Admin;
use crate::http::body::{Large, Query};
use crate::http::problem::Problem;
use crate::store::Applied;

/// The most stretches of that in an answer.
const MOST_DUTY_CHANGES: usize = 2_000;

/// Everything that a set of files says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FilesSpec {
    /// The name of the set of files. What it has brought once and does not name any more is removed.
    #[serde(default = "main")]
    #[schema(max_length = 64, example = "main")]
    owner: String,
    /// All definitions.
    #[schema(max_items = 50000)]
    documents: Vec<DocumentSpec>,
    /// Remove also what these files do not keep and do not name; overrides and leave that people made stay.
    #[serde(default)]
    prune: bool,
    /// Take over what other files keep.
    #[serde(default)]
    force: bool,
    /// For `apply`: the version that the plan was made against; if something was edited since, nothing is done.
    #[serde(default)]
    planned: Option<u64>,
}

fn main() -> String {
    "main".to_owned()
}

/// One definition.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentSpec {
    /// `person`, `period`, `rotation`, `schedule`, `escalation-plan`, `team`, `integration`, `override` or `leave`.
    #[schema(max_length = 32, example = "person")]
    kind: String,
    /// What it says, as the API of its kind takes it.
    #[schema(value_type = Object)]
    body: Value,
}

/// One definition that changes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ChangeView {
    /// The kind.
    pub kind: String,
    /// Which.
    pub name: String,
    /// `added`, `changed`, `adopted` (it says the same, and these files keep it from now on) or `removed`.
    pub what: String,
    /// Who kept it, if others did: `people`, or the name of other files.
    pub kept_by: Option<String>,
    /// What differs, field by field; nothing for one that is removed.
    pub fields: Vec<FieldChange>,
}

/// What files would change.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PlanView {
    /// The version that is in force: to be sent with `apply`.
    pub version: u64,
    /// What would change, in the order in which it is stored.
    pub changes: Vec<ChangeView>,
    /// Who would be on call differently in the 30 days to come, at most 2,000 stretches.
    pub on_call: Vec<DutyChange>,
    /// How many definitions these files neither name nor keep; they stay.
    pub kept: usize,
}

/// What was changed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AppliedView {
    /// The version that is in force now.
    pub version: u64,
    /// How many definitions were added.
    pub added: usize,
    /// How many say something else, or are kept by others.
    pub changed: usize,
    /// How many are no more.
    pub removed: usize,
    /// How many definitions these files neither name nor keep.
    pub kept: usize,
}

/// What is to be written out.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `true`: also overrides and leave that people made as they went.
    #[param(value_type = Option<bool>)]
    operations: Option<String>,
    /// Only what this set of files keeps.
    #[param(max_length = 64)]
    owner: Option<String>,
}

/// Everything that is defined.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportView {
    /// The version that is in force.
    pub version: u64,
    /// All definitions: kinds in the order in which they refer to each other, each by name.
    pub documents: Vec<DocumentSpec>,
}

fn read(document: Large) -> Result<(Wanted, Option<u64>), Problem> {
    let spec: FilesSpec = document.0.read()?;
    let mut errors = Vec::new();
    if spec.owner.is_empty() || spec.owner.len() > 64 || spec.owner.chars().any(char::is_control) {
        errors.push(FieldError {
            field: "owner".to_owned(),
            message: "is a name of 1 to 64 characters".to_owned(),
        });
    }
    let mut documents = Vec::with_capacity(spec.documents.len());
    for (index, document) in spec.documents.into_iter().enumerate() {
        let word = document.kind.replace('_', "-");
        match Kind::ALL.into_iter().find(|kind| kind.word() == word) {
            Some(kind) => documents.push((kind, document.body)),
            None => {
                let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
                let message = format!("is none of {}", known.join(", "));
                errors.push(FieldError { field: format!("documents[{index}].kind"), message });
            }
        }
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let owner = Owner::Files(spec.owner);
    Ok((Wanted { owner, documents, prune: spec.prune, force: spec.force }, spec.planned))
}

fn invalid(errors: Vec<DocumentError>) -> Problem {
    let named = errors.into_iter().map(|DocumentError { document, error }| match document {
        Some(index) if error.field.is_empty() => {
            FieldError { field: format!("documents[{index}].body"), message: error.message }
        }
        Some(index) => {
            FieldError { field: format!("documents[{index}].body.{}", error.field), message: error.message }
        }
        None => error,
    });
    Problem::invalid(named.collect())
}

/// What differs, and who would be on call differently.
pub fn plan(before: &Definitions, changed: &Changed, owner: &Owner, now: Timestamp) -> PlanView {
    let none = Value::Object(serde_json::Map::new());
    let changes = changed.steps.iter().map(|step| {
        let said = step.before.as_ref().map_or(&none, |before| &before.body);
        let says = step.after.as_ref().map(|after| &after.body);
        let others = step.before.as_ref().map(|before| &before.owner).filter(|kept| *kept != owner);
        ChangeView {
            kind: step.kind.word().to_owned(),
            name: step.name.clone(),
            what: step.what.word().to_owned(),
            kept_by: others.map(ToString::to_string),
            fields: says.map_or_else(Vec::new, |says| field_changes(said, says)),
        }
    });
    let until = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    let mut on_call = differences(before, &changed.definitions, now, until);
    on_call.truncate(MOST_DUTY_CHANGES);
    PlanView { version: before.version, changes: changes.collect(), on_call, kept: changed.kept }
}

/// What files would change, and who would be on call differently in the 30 days to come. Nothing is changed.
#[utoipa::path(post, path = "/api/v1/definitions/plan", tag = "definitions as code", request_body = FilesSpec,
    responses((status = 200, body = PlanView), (status = 413, body = Problem), (status = 422, body = Problem)))]
async fn plan_files(_: Admin, State(app): State<App>, document: Large) -> Result<Response, Problem> {
    let (wanted, _) = read(document)?;
    let (before, now) = (app.store.definitions(), app.clock.now());
    // It may take a while: other requests are answered meanwhile.
    let planned = tokio::task::spawn_blocking(move || {
        let changed = before.change(&wanted, now)?;
        Ok(plan(&before, &changed, &wanted.owner, now))
    });
    let planned = planned.await.map_err(|_| Problem::mistake())?;
    Ok(Json(planned.map_err(invalid)?).into_response())
}

/// Put what files say in force, all of it or nothing.
#[utoipa::path(post, path = "/api/v1/definitions/apply", tag = "definitions as code", request_body = FilesSpec,
    responses((status = 200, body = AppliedView), (status = 413, body = Problem), (status = 422, body = Problem),
        (status = 412, body = Problem, description = "Something was edited since the plan was made.")))]
async fn apply_files(_: Admin, State(app): State<App>, document: Large) -> Result<Response, Problem> {
    let (wanted, planned) = read(document)?;
    match app.store.apply(wanted, planned).await? {
        Applied::Done(changed) => {
            let count = |words: &[&str]| {
                changed.steps.iter().filter(|step| words.contains(&step.what.word())).count()
            };
            let view = AppliedView {
                version: changed.definitions.version,
                added: count(&["added"]),
                changed: count(&["changed", "adopted"]),
                removed: count(&["removed"]),
                kept: changed.kept,
            };
            Ok((StatusCode::OK, Json(view)).into_response())
        }
        Applied::Invalid(errors) => Err(invalid(errors)),
        Applied::Moved(version) => Err(Problem::new(
            412,
            "moved",
            format!(
                "something was edited since the plan was made (it is at version {version} now); plan again"
            ),
        )),
    }
}

/// Everything that is defined, to be written to files.
#[utoipa::path(get, path = "/api/v1/definitions", tag = "definitions as code", params(Which),
    responses((status = 200, body = ExportView), (status = 422, body = Problem)))]
async fn export_files(
    _: Admin,
    State(app): State<App>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let with_operations = match which.operations.as_deref() {
        Some("true") => true,
        None | Some("false") => false,
        Some(_) => return Err(Problem::field("operations", "is true or false")),
    };
    let owner = which.owner.map(Owner::Files);
    let definitions = app.store.definitions();
    let mut documents = Vec::new();
    for kind in Kind::ALL {
        for (_, defined) in definitions.list(kind, "") {
            let is_theirs = kind.is_operation() && defined.owner == Owner::People;
            let is_wanted = owner.as_ref().is_none_or(|owner| defined.owner == *owner);
            if is_wanted && (with_operations || !is_theirs) {
                documents.push(DocumentSpec { kind: kind.word().to_owned(), body: defined.body.clone() });
            }
        }
    }
    Ok(Json(ExportView { version: definitions.version, documents }).into_response())
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(plan_files))
        .routes(routes!(apply_files))
        .routes(routes!(export_files))
}
