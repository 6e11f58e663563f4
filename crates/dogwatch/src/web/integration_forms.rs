//! The forms of an integration's page: a new key, the end of one, a test event. For administrators.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;

use super::integration_page::{Said, known, no_such_integration, render};
use super::integrations_page::with_status;
use super::{AdminViewer, Place, see, unavailable, url};
use crate::definition::Problems;
use crate::http::App;
use crate::intake::send_test;
use crate::store::reception::Became;

/// Makes a key, which is shown in the answer and never again. Those that there are end after the overlap.
async fn rotate(
    viewer: AdminViewer,
    State(app): State<App>,
    Place(name): Place<String>,
    form: String,
) -> Response {
    let Some(name) = known(&app.store.definitions(), &name) else { return no_such_integration() };
    let overlap = url::form_value(&form, "overlap").filter(|text| !text.is_empty());
    let mut problems = Problems::default();
    let overlap = problems.duration("overlap".to_owned(), overlap.as_deref());
    if let Err(errors) = problems.finish() {
        let why = errors.iter().map(|error| format!("The overlap {}.", error.message)).collect();
        return with_status(render(&app, &viewer, &name, Said::Refused(why), false).await, 422);
    }
    match app.store.create_integration_key(name.clone(), overlap).await {
        Ok((_, secret)) => render(&app, &viewer, &name, Said::NewKey(secret), false).await,
        Err(error) => unavailable(&error),
    }
}

async fn revoke(
    _: AdminViewer,
    State(app): State<App>,
    Place((name, id)): Place<(String, String)>,
) -> Response {
    let Some(name) = known(&app.store.definitions(), &name) else { return no_such_integration() };
    match app.store.revoke_integration_key(name.clone(), id).await {
        // One that is no more is as good as revoked.
        Ok(_) => see(&format!("{}?did=revoked", url::integration(name.as_str()))),
        Err(error) => unavailable(&error),
    }
}

async fn test(
    viewer: AdminViewer,
    State(app): State<App>,
    Place(name): Place<String>,
    form: String,
) -> Response {
    let definitions = app.store.definitions();
    let Some(integration) = definitions.integration(&name) else { return no_such_integration() };
    let severity = url::form_value(&form, "severity").filter(|word| word.len() <= 50);
    let severity = severity.unwrap_or_else(|| "info".to_owned());
    let why = match send_test(&app, integration, severity, &viewer.0.0).await {
        Ok(Became::Alert(alert, _)) => {
            return see(&format!("{}?did=tested.{}", url::integration(&name), alert.number));
        }
        Ok(Became::Nothing(why)) => format!("No alert was made: {why}."),
        Ok(_) => "No alert was made: the team that it is for is no more.".to_owned(),
        Err(error) => return unavailable(&error),
    };
    with_status(render(&app, &viewer, &integration.name, Said::Refused(why), false).await, 409)
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/integrations/{name}/keys", post(rotate))
        .route("/integrations/{name}/keys/{id}/revoke", post(revoke))
        .route("/integrations/{name}/test", post(test))
}
