//! An alert with its whole story as Markdown, to be pasted into a report.

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use escalation::directory::Directory;
use jiff::Timestamp;

use super::when::Times;
use super::{Place, Viewer, alert_page, unavailable};
use crate::http::App;
use crate::message::{headline, sentence};
use crate::store::{AlertRecord, AlertRef};
use crate::timeline;

async fn export(viewer: Viewer, State(app): State<App>, Place(number): Place<u64>) -> Response {
    let record = match app.store.alert(AlertRef::Number(number)).await {
        Ok(Some(record)) => record,
        Ok(None) => return alert_page::missing(number),
        Err(error) => return unavailable(&error),
    };
    let definitions = app.store.definitions();
    let text = markdown(&record, definitions.directory(), &viewer.zone(&app), app.clock.now());
    let headers = [
        (header::CONTENT_TYPE, "text/markdown; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"alert-{number}.md\"")),
    ];
    (headers, text).into_response()
}

/// The text; times in a zone.
fn markdown(record: &AlertRecord, directory: &Directory, zone: &str, now: Timestamp) -> String {
    let alert = &record.state.alert;
    let times = Times::new(zone, now);
    let mut out = format!("# #{}: {}\n\n", alert.number, plain(&headline(alert)));
    out.push_str(&format!("{}; {}.\n", plain(&sentence(&timeline::standing(alert))), times.open(alert)));
    if !alert.details.is_empty() {
        let indented: Vec<String> = alert.details.lines().map(|line| format!("    {line}")).collect();
        out.push_str(&format!("\n{}\n", indented.join("\n")));
    }
    if !alert.links.is_empty() {
        out.push('\n');
        for link in &alert.links {
            let text = if link.text.is_empty() { &link.href } else { &link.text };
            out.push_str(&format!("- [{}](<{}>)\n", plain(text), address(&link.href)));
        }
    }
    out.push_str("\n## What happened\n");
    let mut day = None;
    for line in timeline::tell(record, directory) {
        let today = times.day(line.at);
        if day.as_ref() != Some(&today) {
            out.push_str(&format!("\n### {today}, {}\n\n", times.zone(line.at)));
            day = Some(today);
        }
        out.push_str(&format!("- {} {}\n", times.time(line.at), plain(&line.text)));
    }
    out
}

/// In one line, with nothing that Markdown would read.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '~' | '&' => {
                out.push('\\');
                out.push(letter);
            }
            letter => out.push(letter),
        }
    }
    out
}

/// An address as it stands in angle brackets: without what would end it there.
fn address(href: &str) -> String {
    let mut out = String::with_capacity(href.len());
    for letter in href.chars() {
        if letter.is_control() || matches!(letter, '<' | '>' | '\\') {
            let mut bytes = [0; 4];
            letter.encode_utf8(&mut bytes).bytes().for_each(|byte| out.push_str(&format!("%{byte:02X}")));
        } else {
            out.push(letter);
        }
    }
    out
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/alerts/{number}/export.md", get(export))
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_came_from_outside_stays_text() {
        assert_eq!(plain("# <b>*x*</b>\n[y](z) `q`"), "\\# \\<b\\>\\*x\\*\\</b\\> \\[y\\](z) \\`q\\`");
    }
}
