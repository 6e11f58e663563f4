//! Who is told what when duty changes hands, in the reader's own time.
//!
//! Nothing of it is spoken aloud, and nobody has to answer.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Looked, Post, Reminder, Stint};
use crate::alert::Alert;
use crate::delivery::{Delivery, Purpose};
use crate::directory::Directory;
use crate::event::Handover;
use crate::id::Ids;
use crate::name::Name;
use crate::person::Person;

/// The most alerts that are listed in one message.
const MOST_LISTED: usize = 10;
/// The longest summary of one of them, in characters.
const MOST_SUMMARY: usize = 80;
/// How far away a day is shown by its name alone.
const NEAR: SignedDuration = SignedDuration::from_hours(6 * 24);

/// Everything that is said because of a look: reminders, the notice to whom a takeover relieves, the list of
/// what others work on to newcomers, and warnings about newcomers whom nothing can wake.
///
/// `acknowledged` holds the open alerts of this roster's teams that somebody has, or has put aside.
pub fn messages(
    post: Post<'_>,
    looked: &Looked,
    acknowledged: &[Alert],
    directory: &Directory,
    mut ids: Ids<'_>,
) -> Vec<Delivery> {
    let mut teller = Teller { post, directory, now: ids.now, made: Vec::new() };
    for reminder in &looked.reminders {
        teller.remind(reminder, &mut ids);
    }
    if let Some(handover) = &looked.handover {
        teller.relieve(handover, looked.until, &mut ids);
        for newcomer in handover.newcomers() {
            teller.list(newcomer, acknowledged, &mut ids);
            teller.warn(newcomer, &mut ids);
        }
    }
    teller.made
}

struct Teller<'a> {
    post: Post<'a>,
    directory: &'a Directory,
    now: Timestamp,
    made: Vec<Delivery>,
}

impl Teller<'_> {
    /// `ops (primary)`.
    fn duty(&self) -> String {
        format!("{} ({})", self.post.roster.name(), self.post.role)
    }

    fn names(&self, names: &[Name]) -> String {
        let names: Vec<&str> = names.iter().map(|name| self.directory.full_name(name)).collect();
        names.join(" and ")
    }

    /// Makes a message to a person, if there is a quiet way there.
    fn tell(
        &mut self,
        person: &Name,
        purpose: Purpose,
        ids: &mut Ids<'_>,
        write: impl FnOnce(&Self, &Person) -> String,
    ) -> Option<&mut Delivery> {
        let known = self.directory.people.get(person)?;
        let contact = known.quiet_contact()?;
        let text = write(self, known);
        self.made.push(Delivery::without_alert(ids, Some(person.clone()), contact, purpose, text));
        self.made.last_mut()
    }

    fn remind(&mut self, reminder: &Reminder, ids: &mut Ids<'_>) {
        let Stint { from, until, next } = &reminder.stint;
        let write = |this: &Self, reader: &Person| {
            let duty = this.duty();
            let show = Clock::of(reader, this.now);
            let begin =
                if reminder.has_begun { "now".to_owned() } else { format!("from {}", show.full(*from)) };
            match until {
                None => format!("You are on call for {duty} {begin}, and no end is in sight."),
                Some(until) if next.is_empty() => {
                    format!(
                        "You are on call for {duty} {begin} until {}; nobody is after you.",
                        show.full(*until)
                    )
                }
                Some(until) => {
                    let until = if reminder.has_begun { show.full(*until) } else { show.short(*until) };
                    format!("You are on call for {duty} {begin} until {until}; next is {}.", this.names(next))
                }
            }
        };
        let made = self.tell(&reminder.person, Purpose::Reminder, ids, write);
        if let Some(delivery) = made {
            delivery.expires_at = if reminder.has_begun { *until } else { Some(*from) };
        }
    }

    fn relieve(&mut self, handover: &Handover, until: Option<Timestamp>, ids: &mut Ids<'_>) {
        if handover.takeover.is_none() {
            return;
        }
        for person in handover.relieved() {
            self.tell(person, Purpose::Notice, ids, |this, reader| {
                let until = until.map(|until| format!(" until {}", Clock::of(reader, this.now).full(until)));
                let who = this.names(&handover.after);
                format!("{who} took over {}{}; you are relieved.", this.duty(), until.unwrap_or_default())
            });
        }
    }

    fn list(&mut self, newcomer: &Name, acknowledged: &[Alert], ids: &mut Ids<'_>) {
        let is_others = |alert: &&Alert| {
            let act = alert.snoozed.as_ref().map(|snooze| &snooze.act).or(alert.acknowledged.as_ref());
            act.is_none_or(|act| act.by.person.as_ref() != Some(newcomer))
        };
        let others: Vec<&Alert> = acknowledged.iter().filter(is_others).collect();
        if others.is_empty() {
            return;
        }
        self.tell(newcomer, Purpose::Notice, ids, |this, _| {
            let line = |alert: &&Alert| {
                let summary: String = alert.summary.chars().take(MOST_SUMMARY).collect();
                let (act, verb) = match &alert.snoozed {
                    Some(snooze) => (Some(&snooze.act), "put it aside"),
                    None => (alert.acknowledged.as_ref(), "has it"),
                };
                let by = act.map_or("somebody", |act| act.by.label.as_str());
                format!("#{} {summary} ({by} {verb})", alert.number)
            };
            let listed: Vec<String> = others.iter().take(MOST_LISTED).map(line).collect();
            let more = others.len().saturating_sub(MOST_LISTED);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            format!("Open for {}, and in good hands: {}{more}.", this.duty(), listed.join("; "))
        });
    }

    /// Somebody is on call whom nothing can wake: the managers hear of it, or else the operators.
    fn warn(&mut self, newcomer: &Name, ids: &mut Ids<'_>) {
        let Some(person) = self.directory.people.get(newcomer) else { return };
        if person.can_be_woken() {
            return;
        }
        let who = self.directory.full_name(newcomer);
        let text =
            format!("{who} is on call for {} now and has no contact that can wake anybody", self.duty());
        let mut managers: Vec<&Name> = Vec::new();
        for team in self.directory.teams_on(self.post.roster) {
            managers.extend(
                team.managers.iter().filter(|manager| !managers.contains(manager)).collect::<Vec<_>>(),
            );
        }
        let mut is_told = false;
        for manager in managers {
            is_told |= self.tell(manager, Purpose::Warning, ids, |_, _| text.clone()).is_some();
        }
        if !is_told {
            for contact in &self.directory.service.operators {
                let text = text.clone();
                let warning = Delivery::without_alert(ids, None, contact.clone(), Purpose::Warning, text);
                self.made.push(warning);
            }
        }
    }
}

/// Instants as a clock in the reader's zone shows them.
struct Clock {
    zone: TimeZone,
    now: Timestamp,
}

impl Clock {
    fn of(reader: &Person, now: Timestamp) -> Self {
        Self { zone: rota::zone::find(&reader.zone).unwrap_or(TimeZone::UTC), now }
    }

    /// `Mon 08:00`; `Mon 30 Nov 08:00` where that would not be clear.
    fn short(&self, at: Timestamp) -> String {
        let is_near = at.duration_since(self.now).abs() <= NEAR;
        let form = if is_near { "%a %H:%M" } else { "%a %-d %b %H:%M" };
        at.to_zoned(self.zone.clone()).strftime(form).to_string()
    }

    /// The same with the zone: `Mon 08:00 CET`.
    fn full(&self, at: Timestamp) -> String {
        format!("{} {}", self.short(at), at.to_zoned(self.zone.clone()).strftime("%Z"))
    }
}
