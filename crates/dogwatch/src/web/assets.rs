//! The stylesheet, the script and the icon, built into the program. Their address holds the version, so
//! that browsers may keep them.

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::http::App;
use crate::web::url;

fn file(kind: &'static str, text: &'static str) -> Response {
    let keep = "public, max-age=31536000, immutable";
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep)], text).into_response()
}

pub(super) fn router() -> Router<App> {
    let style = || async { file("text/css; charset=utf-8", include_str!("../../assets/dogwatch.css")) };
    let script =
        || async { file("text/javascript; charset=utf-8", include_str!("../../assets/dogwatch.js")) };
    let notifications =
        || async { file("text/javascript; charset=utf-8", include_str!("../../assets/notifications.js")) };
    let icon = || async { file("image/svg+xml", include_str!("../../assets/icon.svg")) };
    Router::new()
        .route(url::STYLE, get(style))
        .route(url::SCRIPT, get(script))
        .route(url::NOTIFICATIONS_SCRIPT, get(notifications))
        .route("/favicon.ico", get(icon))
}
