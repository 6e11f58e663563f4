//! Who is woken when, if nobody answers: the escalation as a picture, with the people behind it at one instant.
//!
//! It is made from a rehearsal, so that it shows what the real machine would do, and not what a plan says.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use escalation::alert::Audience;
use escalation::contact::Kind;
use escalation::directory::Directory;
use escalation::effect::EntryKind;
use escalation::event::Severity;
use jiff::{SignedDuration, Timestamp};

use super::on_call::full_name;
use crate::definition::time::show_length;
use crate::http::App;
use crate::message::sentence;
use crate::rehearsal::{Film, Question, rehearse};

/// Somebody whom a rung wakes.
struct Woken {
    who: String,
    /// In the order in which they are tried, each with when it last worked, where that is known.
    contacts: Vec<(String, String)>,
}

/// One step of the way up.
struct Rung {
    /// `at once`, `after 45 s`.
    after: String,
    woken: Vec<Woken>,
    /// What names these people; or what is said where nobody is woken.
    why: String,
    is_trouble: bool,
}

/// The whole way up.
#[derive(Template)]
#[template(path = "_ladder.html")]
pub(super) struct Ladder {
    rungs: Vec<Rung>,
    /// How it ends when nobody answers.
    end: String,
    /// Nothing gets through to anybody.
    pub(super) is_nobody: bool,
    /// The first who are woken, in one line; empty: nobody is.
    pub(super) first: String,
    /// Everybody who is reached, by name, in order.
    pub(super) people: Vec<String>,
}

/// An alert for an audience as it would go from `at` on, with nobody answering and only what is set up carrying.
pub(super) fn question(app: &App, audience: Audience, severity: Severity, at: Timestamp) -> Question {
    let down = Kind::ALL.iter().filter(|kind| !app.kinds.contains(kind));
    let down = down.map(|kind| kind.word().to_owned()).collect();
    Question { audience, severity, at, alerts: 1, answers: Vec::new(), down }
}

/// When contacts last worked.
pub(super) type Worked = BTreeMap<String, Timestamp>;

/// Plays it; others are served meanwhile. None: it could not be played.
pub(super) async fn climb(app: &App, question: Question, worked: Option<Arc<Worked>>) -> Option<Ladder> {
    let definitions = app.store.definitions();
    let now = app.clock.now();
    let played = tokio::task::spawn_blocking(move || {
        let film = rehearse(&definitions, &question);
        Ladder::of(&film, definitions.directory(), |contact| {
            worked.as_ref().map(|known| note(known.get(contact).copied(), now)).unwrap_or_default()
        })
    });
    played.await.ok()
}

impl Ladder {
    /// From what was played.
    pub(super) fn of(film: &Film, directory: &Directory, note: impl Fn(&str) -> String) -> Self {
        let is = |kind: &str, wanted: EntryKind| kind == wanted.word();
        let mut rungs: Vec<Rung> = Vec::new();
        let mut rounds = 0;
        for (place, scene) in film.scenes.iter().enumerate() {
            if is(&scene.kind, EntryKind::Round) {
                rounds += 1;
            }
            let is_step = is(&scene.kind, EntryKind::Step) && rounds == 0;
            let is_hole = is(&scene.kind, EntryKind::Gap) && rounds == 0;
            if is_step || is(&scene.kind, EntryKind::LastResort) {
                let woken = scene.people.iter().map(|person| Woken {
                    who: full_name(directory, person),
                    contacts: contacts(film, place, person).map(|way| (way.to_owned(), note(way))).collect(),
                });
                let woken: Vec<Woken> = woken.collect();
                let text = if woken.is_empty() { sentence(&scene.text) } else { String::new() };
                let why =
                    if is_step { scene.why.clone().unwrap_or(text) } else { "the last resort".to_owned() };
                rungs.push(Rung { after: after(scene.after), woken, why, is_trouble: false });
            } else if is_hole {
                rungs.push(Rung {
                    after: after(scene.after),
                    woken: Vec::new(),
                    why: sentence(&scene.text),
                    is_trouble: true,
                });
            }
        }
        let again = match rounds {
            0 => String::new(),
            1 => "All of it comes once more. ".to_owned(),
            times => format!("All of it comes {times} times more. "),
        };
        let people = film.people.clone();
        let first = film.people.first().map(|person| full_name(directory, person));
        Self {
            end: format!("{again}{}: {}.", sentence(&after(film.end.after)), film.end.text),
            is_nobody: film.people.is_empty(),
            first: first.unwrap_or_default(),
            people,
            rungs,
        }
    }
}

/// `at once`, `after 45 s`.
fn after(seconds: u64) -> String {
    match i64::try_from(seconds) {
        Ok(0) => "at once".to_owned(),
        Ok(seconds) => format!("after {}", show_length(SignedDuration::from_secs(seconds))),
        Err(_) => "much later".to_owned(),
    }
}

/// When a contact last worked, in words.
fn note(worked: Option<Timestamp>, now: Timestamp) -> String {
    match worked {
        Some(at) => format!("worked {} ago", show_length(now.duration_since(at))),
        None => "not used within 90 days".to_owned(),
    }
}

/// Through which contacts somebody is reached from a scene on, each once.
fn contacts<'a>(film: &'a Film, place: usize, person: &str) -> impl Iterator<Item = &'a str> {
    let mut ways: Vec<&str> = Vec::new();
    let own = film.scenes.iter().skip(place).filter(|scene| scene.people.iter().any(|name| name == person));
    for way in own.filter(|scene| scene.kind == "delivery").filter_map(|scene| scene.contact.as_deref()) {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways.into_iter()
}
