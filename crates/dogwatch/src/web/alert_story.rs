//! An alert's story as a picture: what its record says, as marks and spans.

use escalation::alert::Status;
use escalation::directory::Directory;
use escalation::effect::EntryKind;
use jiff::Timestamp;

use super::on_call::full_name;
use super::story_picture::{Mark, Sort, Span, Story, StoryPicture, draw};
use super::when::Times;
use crate::rehearsal::Film;
use crate::store::AlertRecord;
use crate::timeline::{Line, Next};

/// The row of what is nobody's.
const ALERT: &str = "The alert";
/// The most marks: a storm of reports would hide what people did.
const MOST: usize = 400;

/// Draws it, from lines that are told already.
pub(super) fn of_alert(
    record: &AlertRecord,
    lines: &[Line],
    next: &[Next],
    directory: &Directory,
    times: &Times,
    now: Timestamp,
) -> Option<StoryPicture> {
    let alert = &record.state.alert;
    let is_over = alert.status == Status::Resolved;
    let resolved_at = alert.resolved.as_ref().filter(|_| is_over).map(|act| act.at);
    let end = resolved_at.unwrap_or(now);
    let mut story = Story { now: (!is_over).then_some(now), ..Story::default() };
    // The newest are kept: what comes next depends on them.
    for line in &lines[lines.len().saturating_sub(MOST)..] {
        story.marks.extend(marks(line.at, line.kind, &line.people, line.is_trouble, &line.text, directory));
    }
    for page in &record.state.pages {
        let who = directory.full_name(&page.person).to_owned();
        let until = page.ended.as_ref().map_or(end, |ended| ended.at).max(page.started_at);
        let text = format!("{who} is paged");
        story.spans.push(Span { row: who, from: page.started_at, until, is_owner: false, text });
    }
    if let Some(act) = alert.acknowledged.as_ref() {
        let is_owned = matches!(alert.status, Status::Acknowledged | Status::Resolved);
        if let (true, Some(person)) = (is_owned, &act.by.person) {
            let row = directory.full_name(person).to_owned();
            let text = format!("{row} has it");
            story.spans.push(Span { row, from: act.at, until: end.max(act.at), is_owner: true, text });
        }
    }
    if !is_over {
        story.marks.extend(next.iter().filter(|next| next.at >= now).map(|next| Mark {
            at: next.at,
            row: ALERT.to_owned(),
            sort: Sort::Next,
            text: next.text.clone(),
        }));
    }
    let title =
        format!("What happened to #{}, by person and time; the list below says the same", alert.number);
    draw(&story, title, |at| times.time(at))
}

/// Draws what would happen.
pub(super) fn of_film(
    film: &Film,
    directory: &Directory,
    clock: impl Fn(Timestamp) -> String,
) -> Option<StoryPicture> {
    let mut story = Story::default();
    for scene in film.scenes.iter().take(MOST) {
        story.marks.extend(marks(
            scene.at,
            &scene.kind,
            &scene.people,
            scene.is_trouble,
            &scene.text,
            directory,
        ));
    }
    draw(&story, "What would happen, by person and time; the list below says the same".to_owned(), clock)
}

/// The marks of one line: in the row of each person that it is about, or in that of the alert.
fn marks(
    at: Timestamp,
    kind: &str,
    people: &[String],
    is_trouble: bool,
    text: &str,
    directory: &Directory,
) -> Vec<Mark> {
    let answers = [
        EntryKind::Acknowledged,
        EntryKind::Accepted,
        EntryKind::Resolved,
        EntryKind::StillOnIt,
        EntryKind::NotMe,
    ];
    let is_delivery = kind == "delivery";
    let sort = match kind {
        _ if is_trouble => Sort::Failed,
        _ if is_delivery => Sort::Sent,
        kind if answers.iter().any(|answer| answer.word() == kind) => Sort::Answered,
        _ => Sort::Told,
    };
    let mark = |row: String| Mark { at, row, sort, text: text.to_owned() };
    if is_delivery && !people.is_empty() {
        people.iter().map(|person| mark(full_name(directory, person))).collect()
    } else {
        vec![mark(ALERT.to_owned())]
    }
}
