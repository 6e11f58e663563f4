//! Who asks: a bearer token, or a session cookie that a one-time sign-in address gave a browser.
//!
//! A cookie travels with requests that other sites make, so that whatever changes something must also
//! come from a page of ours: the browser says so by `Sec-Fetch-Site` or `Origin`. Bearer tokens travel
//! with nobody.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use escalation::event::{Actor, Via};
use jiff::tz::TimeZone;

use super::App;
use super::problem::Problem;
use crate::secret::Secret;
use crate::store::Caller;

/// The cookie's name on plain loopback; over https it has the prefix that binds it to this host.
const COOKIE: &str = "dogwatch";

impl App {
    /// The cookie's name.
    fn cookie_name(&self) -> String {
        if self.is_https() { format!("__Host-{COOKIE}") } else { COOKIE.to_owned() }
    }

    /// The header that signs a browser in.
    pub fn session_cookie(&self, session: &Secret) -> String {
        self.cookie(session.reveal(), 30 * 24 * 3600)
    }

    /// The header that signs a browser out.
    pub fn no_cookie(&self) -> String {
        self.cookie("", 0)
    }

    fn cookie(&self, value: &str, seconds: u32) -> String {
        let secure = if self.is_https() { "; Secure" } else { "" };
        format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}", self.cookie_name())
    }

    /// The session that a browser sent.
    pub fn session(&self, headers: &HeaderMap) -> Option<Secret> {
        let name = self.cookie_name();
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| Secret::given(value.to_owned()))
    }

    /// The zone in which whoever asks reads times; UTC for an administrator.
    pub fn zone_of(&self, caller: &Caller) -> TimeZone {
        let definitions = self.store.definitions();
        caller.person.as_ref().map_or(TimeZone::UTC, |person| definitions.zone_of(person.as_str()))
    }

    /// Who asks, if it is anybody we know.
    pub fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let (access, now) = (self.store.access(), self.clock.now());
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
            return scheme.eq_ignore_ascii_case("bearer").then(|| access.by_token(token.trim(), now))?;
        }
        access.by_session(self.session(headers)?.reveal(), now)
    }

    /// The same; whom another node has let in a moment ago is looked for there, too.
    pub async fn find_caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let known = self.caller(headers);
        let shows_something = headers.contains_key(header::AUTHORIZATION) || self.session(headers).is_some();
        if known.is_some() || !shows_something || self.store.catch_up().await.is_err() {
            return known;
        }
        self.caller(headers)
    }

    /// The one who asks, as the one who acts.
    pub fn actor(&self, caller: &Caller, via: Via) -> Actor {
        let label = caller.label(self.store.definitions().directory());
        Actor { person: caller.person.clone(), label, via }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        app.find_caller(&parts.headers).await.ok_or_else(Problem::unauthorized)
    }
}

/// A caller who may change definitions and tokens.
#[derive(Clone, Debug)]
pub struct Admin(pub Caller);

impl FromRequestParts<App> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, app).await?;
        if caller.is_admin() {
            Ok(Self(caller))
        } else {
            Err(Problem::forbidden("only an administrator's token may do this; yours is a person's"))
        }
    }
}

/// Refuses requests that change something and come with no token from a page that is not ours.
pub async fn refuse_foreign_pages(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let headers = request.headers();
    if is_safe || headers.contains_key(header::AUTHORIZATION) || is_from_our_page(&app, headers) {
        return next.run(request).await;
    }
    if request.uri().path().starts_with("/api/") {
        Problem::forbidden("this request comes from a page of another site").into_response()
    } else {
        crate::web::from_elsewhere()
    }
}

fn is_from_our_page(app: &App, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match text("origin") {
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            origin == &*app.public_url || (host.is_some() && host == text("host"))
        }
        // No browser of the last years leaves both out; programs do, and they carry no cookie.
        None => true,
    }
}
