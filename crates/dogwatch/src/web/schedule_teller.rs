//! What a schedule's page tells of each role and each override: the words and the picture's pieces.

use escalation::directory::Directory;
use jiff::Timestamp;
use rota::schedule::Shift;

use super::hours::{length, moment, stretch};
use super::on_call::{OnCall, full_name, names, on_call};
use super::person_colour::Colours;
use super::schedule_picture::{Lane, LaneKind, Picture, Piece, Scene, draw};
use super::schedule_view::View;
use super::url;
use crate::definition::{Lies, OverrideSpec};
use crate::duty::Roster;
use crate::takeover;

/// The most shifts that are listed.
const MOST_SHIFTS: usize = 200;

/// A shift in the list.
pub(super) struct Row {
    pub(super) from: String,
    pub(super) until: String,
    pub(super) who: String,
    pub(super) why: String,
    pub(super) is_gap: bool,
}

/// One role: now, drawn, and told.
pub(super) struct RoleView {
    pub(super) name: String,
    pub(super) who: String,
    pub(super) until: String,
    pub(super) left: String,
    pub(super) then: String,
    pub(super) is_gap: bool,
    pub(super) is_mine: bool,
    /// What the button for taking it says, if it can be taken until the next handoff.
    pub(super) handoff: Option<String>,
    pub(super) pictures: Vec<Picture>,
    pub(super) gaps: Vec<String>,
    pub(super) rows: Vec<Row>,
    pub(super) is_more: bool,
    pub(super) take: String,
    pub(super) hand_back: Option<String>,
    pub(super) cover: String,
}

/// An override that touches what is shown.
pub(super) struct OverrideRow {
    pub(super) text: String,
    pub(super) made: String,
    pub(super) reason: String,
    /// Where it can be ended, and what the button says.
    pub(super) end: Option<(String, &'static str)>,
}

/// What the parts of a page are made from.
pub(super) struct Teller<'a> {
    pub(super) directory: &'a Directory,
    pub(super) view: &'a View,
    pub(super) now: Timestamp,
    pub(super) current: &'a Roster,
    pub(super) past: &'a Roster,
    pub(super) laid: &'a [(OverrideSpec, Option<Timestamp>)],
    pub(super) colours: &'a Colours,
}

impl Teller<'_> {
    fn moment(&self, at: Timestamp) -> String {
        moment(at, &self.view.zone, self.now)
    }

    fn stretch(&self, from: Timestamp, until: Option<Timestamp>) -> String {
        stretch(from, until, &self.view.zone, self.now)
    }

    pub(super) fn role(&self, role: &str, over: &Lies, me: &str, is_admin: bool) -> RoleView {
        let (from, to) = self.view.bounds();
        let OnCall { people, until, then } = on_call(self.current, role, self.now);
        let is_mine = people.iter().any(|person| **person == *me);
        let drawn = self.past.shifts(from, to, role);
        let (from, to) = self.view.proper();
        let shifts = self.past.shifts(from, to, role);
        let gaps = self.past.gaps(from, to, role).into_iter().map(|gap| {
            format!("{} ({})", self.stretch(gap.start, Some(gap.end)), length(gap.start, gap.end))
        });
        let rows = shifts.iter().take(MOST_SHIFTS).map(|shift| Row {
            from: self.moment(shift.from),
            until: shift.until.map(|until| self.moment(until)).unwrap_or_default(),
            who: self.who(shift),
            why: self.past.because(shift.from, role, shift.duty.source),
            is_gap: shift.duty.people.is_empty(),
        });
        let act = |verb: &str| {
            format!("{}&{}", url::roster_act(over, verb, &self.view.query()), url::query([("role", role)]))
        };
        let has_taken = |(spec, end): &(OverrideSpec, Option<Timestamp>)| {
            let runs = takeover::from(spec) <= self.now && end.is_none_or(|end| end > self.now);
            runs && spec.role == role && spec.person == me
        };
        let then = match (until, then.is_empty()) {
            (None, _) => String::new(),
            (Some(_), true) => "nobody".to_owned(),
            (Some(_), false) => names(self.directory, &then),
        };
        RoleView {
            name: role.to_owned(),
            who: if people.is_empty() { "Nobody".to_owned() } else { names(self.directory, &people) },
            until: until.map(|until| self.moment(until)).unwrap_or_default(),
            left: until.map(|until| length(self.now, until)).unwrap_or_default(),
            then,
            is_gap: people.is_empty(),
            is_mine,
            handoff: self.current.schedule().next_change(self.now, role).map(|at| self.moment(at)),
            pictures: self.pictures(role, &drawn),
            gaps: gaps.collect(),
            is_more: shifts.len() > MOST_SHIFTS,
            rows: rows.collect(),
            take: act("take"),
            hand_back: self.laid.iter().any(has_taken).then(|| act("hand-back")),
            cover: if is_admin || !me.is_empty() { act("cover") } else { String::new() },
        }
    }

    fn who(&self, shift: &Shift) -> String {
        if shift.duty.people.is_empty() {
            "nobody".to_owned()
        } else {
            names(self.directory, &shift.duty.people)
        }
    }

    fn piece(&self, shift: &Shift, note: String) -> Piece {
        Piece {
            from: shift.from,
            until: shift.until,
            person: shift.duty.people.first().map(ToString::to_string),
            text: self.who(shift),
            note,
        }
    }

    fn pictures(&self, role: &str, shifts: &[Shift]) -> Vec<Picture> {
        let (from, to) = self.view.bounds();
        let mut lanes = vec![Lane {
            kind: LaneKind::Final,
            label: "on call".to_owned(),
            pieces: shifts
                .iter()
                .map(|shift| {
                    let told = names(self.directory, &shift.duty.shadows);
                    let told = if told.is_empty() { told } else { format!("; told, too: {told}") };
                    let why = self.past.because(shift.from, role, shift.duty.source);
                    self.piece(shift, format!("{why}{told}"))
                })
                .collect(),
        }];
        let laid = self.laid.iter().filter(|(spec, _)| spec.role == role);
        lanes.push(Lane {
            kind: LaneKind::Source,
            label: "overrides".to_owned(),
            pieces: laid.map(|(spec, end)| self.override_piece(spec, *end)).collect(),
        });
        for layer in self.past.by_layer(from, to, role).into_iter().rev() {
            let told = if layer.is_shadow { " (told only)" } else { "" };
            let pieces = layer.shifts.iter().map(|shift| self.piece(shift, String::new())).collect();
            lanes.push(Lane { kind: LaneKind::Source, label: format!("{}{told}", layer.name), pieces });
        }
        lanes.push(Lane { kind: LaneKind::Leave, label: String::new(), pieces: self.leave() });
        let scene = |first| Scene {
            id: format!("{role}-{first}"),
            title: format!("Who is on call as {role} in the week from {first}; the same is listed below"),
            first,
            days: 7,
            month: self.view.is_month.then_some(self.view.first),
            zone: &self.view.zone,
            now: self.now,
            lanes: lanes.clone(),
            colours: self.colours,
        };
        self.view.strips().into_iter().map(|first| draw(&scene(first), self.view.is_month)).collect()
    }

    fn override_piece(&self, spec: &OverrideSpec, end: Option<Timestamp>) -> Piece {
        let instead =
            spec.instead_of.as_ref().map(|name| format!(" for {}", full_name(self.directory, name)));
        Piece {
            from: takeover::from(spec),
            until: end,
            person: Some(spec.person.clone()),
            text: format!("{}{}", full_name(self.directory, &spec.person), instead.unwrap_or_default()),
            note: format!("made by {}", spec.made_by),
        }
    }

    fn leave(&self) -> Vec<Piece> {
        let all = self.current.schedule().leave().iter();
        all.flat_map(|(person, leave)| {
            leave.intervals().iter().map(|away| Piece {
                from: away.start,
                until: Some(away.end),
                person: Some(person.to_string()),
                text: format!("{} is away", full_name(self.directory, person)),
                note: String::new(),
            })
        })
        .collect()
    }

    pub(super) fn say(&self, spec: &OverrideSpec, end: Option<Timestamp>) -> String {
        let who = full_name(self.directory, &spec.person);
        match end {
            Some(end) if end <= self.now => format!("{who} has handed it back."),
            Some(end) => format!("{who} has it: {}.", self.stretch(takeover::from(spec), Some(end))),
            None => format!(
                "{who} has it from {} until somebody else takes it.",
                self.moment(takeover::from(spec))
            ),
        }
    }

    pub(super) fn override_row(
        &self,
        spec: &OverrideSpec,
        end: Option<Timestamp>,
        over: &Lies,
        me: &str,
        is_admin: bool,
    ) -> OverrideRow {
        let who = full_name(self.directory, &spec.person);
        let instead =
            spec.instead_of.as_ref().map(|name| format!(" instead of {}", full_name(self.directory, name)));
        let begin = takeover::from(spec);
        let times = match end {
            Some(end) => self.stretch(begin, Some(end)),
            None => format!("from {} until somebody else takes it", self.moment(begin)),
        };
        let made = crate::definition::time::parse_instant(&spec.made_at).map(|at| self.moment(at));
        let role = if self.current.roles().len() > 1 { format!("{}: ", spec.role) } else { String::new() };
        let may = is_admin || spec.person == me || spec.instead_of.as_deref() == Some(me);
        let is_over = end.is_some_and(|end| end <= self.now);
        let verb = if begin > self.now { "Cancel it" } else { "End it now" };
        OverrideRow {
            text: format!("{role}{who}{}, {times}", instead.unwrap_or_default()),
            made: format!("made by {}, {}", spec.made_by, made.unwrap_or_default()),
            reason: spec.reason.clone(),
            end: (may && !is_over).then(|| {
                (url::roster_act(over, &format!("overrides/{}/end", spec.name), &self.view.query()), verb)
            }),
        }
    }
}
