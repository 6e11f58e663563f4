//! Calendars at secret addresses: programs subscribe to them and can't sign in.
//!
//! An address is `/calendar/KIND.NAME.SECRET.ics`; of the secret only the SHA-256 is stored. A new address ends
//! the one before it.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use subtle::ConstantTimeEq;

use crate::calendar::write;
use crate::duty::feed;
use crate::http::App;
use crate::secret::{Secret, hash_secret};
use crate::store::StoreError;

/// Whose calendar it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A person's shifts.
    Person(String),
    /// A schedule's shifts.
    Schedule(String),
}

impl Owner {
    fn key(&self) -> String {
        match self {
            Self::Person(name) => format!("calendar.person.{name}"),
            Self::Schedule(name) => format!("calendar.schedule.{name}"),
        }
    }

    fn path(&self, secret: &Secret) -> String {
        let key = self.key();
        let owner = key.strip_prefix("calendar.").unwrap_or(&key);
        format!("/calendar/{owner}.{}.ics", secret.reveal())
    }

    fn read(file: &str) -> Option<(Self, &str)> {
        let (owner, secret) = file.strip_suffix(".ics")?.rsplit_once('.')?;
        let (kind, name) = owner.split_once('.')?;
        let owner = match kind {
            "person" => Self::Person(name.to_owned()),
            "schedule" => Self::Schedule(name.to_owned()),
            _ => return None,
        };
        Some((owner, secret))
    }
}

/// Makes an address; the one before it ends.
pub(crate) async fn renew(app: &App, owner: &Owner) -> Result<String, StoreError> {
    let secret = Secret::new("");
    app.store.set_secret(owner.key(), hash_secret(secret.reveal()).to_vec()).await?;
    Ok(format!("{}{}", app.public_url, owner.path(&secret)))
}

/// Ends the address. Says whether there was one.
pub(crate) async fn revoke(app: &App, owner: &Owner) -> Result<bool, StoreError> {
    app.store.forget_secret(owner.key()).await
}

async fn calendar(State(app): State<App>, Path(file): Path<String>) -> Response {
    let nothing = || (StatusCode::NOT_FOUND, "There is no calendar at this address.\n").into_response();
    let Some((owner, secret)) = Owner::read(&file) else { return nothing() };
    let access = app.store.access();
    let fits = access.secret(&owner.key()).is_some_and(|hash| bool::from(hash.ct_eq(&hash_secret(secret))));
    if !fits {
        return nothing();
    }
    let now = app.clock.now();
    let feed = match &owner {
        Owner::Person(name) => feed::of_person(&app.store, name, now).await,
        Owner::Schedule(name) => feed::of_schedule(&app.store, name, now).await,
    };
    match feed {
        Ok(Some(feed)) => {
            let headers = [
                (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
                (header::CACHE_CONTROL, "private, max-age=300"),
            ];
            (headers, write(&feed)).into_response()
        }
        Ok(None) => nothing(),
        Err(error) => {
            tracing::error!(%error, "a calendar could not be made");
            (StatusCode::SERVICE_UNAVAILABLE, "The calendar can't be read now; try again later.\n")
                .into_response()
        }
    }
}

/// The calendars.
pub(super) fn router() -> Router<App> {
    Router::new().route("/calendar/{file}", get(calendar))
}
