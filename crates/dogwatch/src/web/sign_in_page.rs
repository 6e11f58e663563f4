//! Signing a browser in by a one-time address, and out again.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use axum::routing::{get, post};

use super::layout::Frame;
use super::{Place, error_page, see, show, unavailable, url};
use crate::http::App;
use crate::secret::Secret;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    action: String,
}

/// Only the button signs in: an address that was merely looked at is still good.
async fn look(Place(secret): Place<String>) -> Response {
    show(&SignInPage { frame: Frame::new("Sign in"), action: url::sign_in(&secret) })
}

async fn press(State(app): State<App>, Place(secret): Place<String>) -> Response {
    let session = match app.store.sign_in(Secret::given(secret)).await {
        Ok(Some(session)) => session,
        Ok(None) => {
            return error_page(
                410,
                "This sign-in address is no longer good",
                "It has been used, or is too old. Make a new one with `dogwatch token create --link`.",
            );
        }
        Err(error) => return unavailable(&error),
    };
    with_cookie(see(url::NOW), &app.session_cookie(&session))
}

async fn sign_out(State(app): State<App>, headers: HeaderMap) -> Response {
    if let Some(session) = app.session(&headers)
        && let Err(error) = app.store.sign_out(session).await
    {
        return unavailable(&error);
    }
    with_cookie(see(url::NOW), &app.no_cookie())
}

fn with_cookie(mut answer: Response, cookie: &str) -> Response {
    // A cookie of ours holds nothing that a header can't.
    if let Ok(value) = HeaderValue::from_str(cookie) {
        answer.headers_mut().insert(header::SET_COOKIE, value);
    }
    answer
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/sign-in/{secret}", get(look).post(press)).route(url::SIGN_OUT, post(sign_out))
}
