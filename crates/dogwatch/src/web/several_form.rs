//! The form of the list of alerts: one verb for all that are ticked.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use escalation::alert::Verdict;

use super::{Viewer, alert_verbs, error_page, see, unavailable, url};
use crate::http::App;
use crate::store::AlertRef;

/// The most alerts at once.
const MOST: usize = 200;

async fn several(viewer: Viewer, State(app): State<App>, form: String) -> Response {
    let verb = url::form_value(&form, "verb").unwrap_or_default();
    let numbers: Vec<u64> = url::form_values(&form, "alert").filter_map(|value| value.parse().ok()).collect();
    let is_known = alert_verbs::OF_SEVERAL.iter().any(|(known, _)| *known == verb);
    let input = alert_verbs::read(&app, &viewer, &verb, &form).filter(|_| is_known);
    let Some(input) = input.filter(|_| (1..=MOST).contains(&numbers.len())) else {
        let what = "Go back, tick 1 to 200 alerts, and press one of the buttons below them.";
        return error_page(422, "Nothing was done", what);
    };
    let (mut done, mut rest) = (0, 0);
    for number in numbers {
        match app.store.act(AlertRef::Number(number), input.clone()).await {
            Ok(Some(acted)) if matches!(acted.verdict, Verdict::Done) => done += 1,
            // Somebody else was faster, or it is no more.
            Ok(_) => rest += 1,
            Err(error) => return unavailable(&error),
        }
    }
    let did = format!("{verb}.{done}.{rest}");
    let team = url::form_value(&form, "team").filter(|team| !team.is_empty());
    let pairs = [Some(("did", did.as_str())), team.as_deref().map(|team| ("team", team))];
    see(&format!("{}?{}", url::NOW, url::query(pairs.into_iter().flatten())))
}

/// What is said of it afterwards; nothing where the address was not made by us.
pub(super) fn said(query: &str) -> Option<String> {
    let did = url::form_value(query, "did")?;
    let mut parts = did.split('.');
    let verb = parts.next()?;
    let (_, words) = alert_verbs::OF_SEVERAL.iter().find(|(known, _)| *known == verb)?;
    let done: usize = parts.next()?.parse().ok()?;
    let rest: usize = parts.next()?.parse().ok()?;
    let alerts = |count: usize| if count == 1 { "one alert".to_owned() } else { format!("{count} alerts") };
    let done = match (done, verb) {
        (0, _) => "Nothing was changed.".to_owned(),
        (done, "escalate") => format!("{words} for {}.", alerts(done)),
        (done, _) => format!("{words} {}.", alerts(done)),
    };
    Some(match rest {
        0 => done,
        rest => format!("{done} For {} there was nothing to do: somebody was faster.", alerts(rest)),
    })
}

pub(super) fn router() -> Router<App> {
    Router::new().route(url::SEVERAL, post(several))
}
