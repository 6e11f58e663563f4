//! What Opsgenie's API shows: alerts of the integration, one or many, and what became of a request.

use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use escalation::alert::{Alert, Status};
use serde_json::{Value, json};

use super::{Asked, denied, let_in, parameter, unprocessable};
use crate::http::App;
use crate::intake::opsgenie::{self as format, Named, Query, Wrong};
use crate::intake::routes::{Denied, answer, new_request};
use crate::store::{AlertFilter, AlertRef};

/// The most alerts in one answer.
const MAX_LIMIT: usize = 100;
/// The last alert that a listing goes to.
const MAX_OFFSET: usize = 20_000;

impl Asked {
    /// The alert that is named, if it came from this integration.
    async fn find(&self, named: Named) -> Result<Option<Alert>, Denied> {
        let store = &self.app.store;
        let name = self.admitted.integration.name.to_string();
        let found = match named {
            Named::Id(id) => store.alert(AlertRef::Id(id)).await?.map(|record| record.state.alert),
            Named::Tiny(number) => {
                store.alert(AlertRef::Number(number)).await?.map(|record| record.state.alert)
            }
            Named::Alias(alias) => {
                let filter = AlertFilter {
                    integration: Some(name.clone()),
                    dedup_key: Some(alias),
                    limit: 1,
                    ..AlertFilter::default()
                };
                store.alerts(filter).await?.pop()
            }
            Named::Nobody => None,
        };
        Ok(found.filter(|alert| alert.integration == name))
    }

    async fn search(&self, query: &Query, limit: usize) -> Result<Vec<Alert>, Denied> {
        let status = match query.is_open {
            None => Vec::new(),
            Some(true) => Status::ALL.into_iter().filter(|status| *status != Status::Resolved).collect(),
            Some(false) => vec![Status::Resolved],
        };
        let filter = AlertFilter {
            status,
            integration: Some(self.admitted.integration.name.to_string()),
            dedup_key: query.alias.clone(),
            limit,
            ..AlertFilter::default()
        };
        Ok(self.app.store.alerts(filter).await?)
    }
}

fn not_found() -> Response {
    let message = "Alert does not exist, or it is none of this integration";
    answer(404, &format::refused(message, Wrong::new(), &new_request()))
}

pub(super) async fn show(
    State(app): State<App>,
    Path(alert): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let asked = match let_in(app, &headers) {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let named = match format::named(&alert, parameter(&request, "identifierType").as_deref()) {
        Ok(named) => named,
        Err(faults) => return unprocessable(faults, &new_request()),
    };
    match asked.find(named).await {
        Ok(Some(alert)) => shown(format::view(&alert)),
        Ok(None) => not_found(),
        Err(why) => denied(&why),
    }
}

fn shown(data: Value) -> Response {
    answer(200, &json!({ "data": data, "took": 0.0, "requestId": new_request() }))
}

/// What a listing asks for, its offset and its limit.
fn read_listing(request: &Request) -> Result<(Query, usize, usize), Wrong> {
    let number = |name: &str, otherwise: usize, most: usize| match parameter(request, name) {
        None => Ok(otherwise),
        Some(text) => text.parse().ok().filter(|number| *number <= most).ok_or_else(|| {
            Wrong::from_iter([(
                name.to_owned(),
                Value::String(format!("must be a number of at most {most}")),
            )])
        }),
    };
    let query = format::read_query(&parameter(request, "query").unwrap_or_default())?;
    Ok((query, number("offset", 0, MAX_OFFSET)?, number("limit", 20, MAX_LIMIT)?))
}

pub(super) async fn list(State(app): State<App>, headers: HeaderMap, request: Request) -> Response {
    let asked = match let_in(app, &headers) {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let (query, offset, limit) = match read_listing(&request) {
        Ok(read) => read,
        Err(faults) => return unprocessable(faults, &new_request()),
    };
    match asked.search(&query, offset + limit).await {
        Ok(alerts) => {
            let data: Vec<Value> = alerts.iter().skip(offset).map(format::view).collect();
            answer(200, &json!({ "data": data, "paging": {}, "took": 0.0, "requestId": new_request() }))
        }
        Err(why) => denied(&why),
    }
}

pub(super) async fn count(State(app): State<App>, headers: HeaderMap, request: Request) -> Response {
    let asked = match let_in(app, &headers) {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    match format::read_query(&parameter(&request, "query").unwrap_or_default()) {
        Ok(query) => match asked.search(&query, MAX_OFFSET).await {
            Ok(alerts) => shown(json!({ "count": alerts.len() })),
            Err(why) => denied(&why),
        },
        Err(faults) => unprocessable(faults, &new_request()),
    }
}

pub(super) async fn status(
    State(app): State<App>,
    Path(request): Path<String>,
    headers: HeaderMap,
) -> Response {
    let asked = match let_in(app, &headers) {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let name = asked.admitted.integration.name.clone();
    let received = match asked.app.store.received_request(name, request).await {
        Ok(Some(received)) => received,
        Ok(None) => {
            let message =
                "Request does not exist, or it is no longer kept: the last 200 of an integration are";
            return answer(404, &format::refused(message, Wrong::new(), &new_request()));
        }
        Err(error) => return denied(&Denied::from(error)),
    };
    let line = received.outcome.events.last();
    let is_success = received.outcome.refused.is_none() && line.is_some_and(|line| line.is_done);
    let text =
        line.map_or_else(|| received.outcome.refused.clone().unwrap_or_default(), |line| line.text.clone());
    shown(json!({
        "success": is_success,
        "isSuccess": is_success,
        "action": received.format,
        "processedAt": received.at.to_string(),
        "integrationId": asked.admitted.integration.name.as_str(),
        "status": text,
        "alertId": line.and_then(|line| line.id.clone()).unwrap_or_default(),
        "alias": line.and_then(|line| line.key.clone()).unwrap_or_default(),
    }))
}
