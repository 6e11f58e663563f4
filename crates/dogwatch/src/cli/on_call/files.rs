//! Who is on call by definitions in files: the answers of a server that had just read them.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use escalation::alert::Audience;
use escalation::directory::Directory;
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};

use super::answer::{Balance, Balances, Gap, Gaps, OnCall, Person, RoleDuty, Shift, Shifts};
use crate::cli::definition_files::load;
use crate::definition::{Definitions, Kind, Lies, ScheduleSpec, nearest};
use crate::duty::Roster;
use crate::rehearsal::{self, Film, Question, QuestionSpec, Week};

/// Definitions without errors.
pub(in crate::cli) struct Files(Definitions);

impl Files {
    /// Reads them. Definitions with errors are shown and not answered from: who is woken at night is no guess.
    pub(super) fn read(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let loaded = load(paths);
        if loaded.has_errors() {
            let errors: Vec<_> =
                loaded.problems.iter().filter(|problem| problem.is_error()).cloned().collect();
            eprintln!("{}", loaded.files.render_all(&errors));
            bail!("these definitions have errors; who is on call by them can't be told");
        }
        Ok(Self(loaded.definitions))
    }

    pub(super) fn directory(&self) -> Directory {
        self.0.directory().clone()
    }

    pub(super) fn on_call(&self, team: &str, at: Timestamp) -> anyhow::Result<OnCall> {
        let over = self.0.roster_of(team).ok_or_else(|| self.missing(Kind::Team, team))?;
        let roster = self.roster(over.clone())?;
        let roles = roster.roles().into_iter().map(|role| {
            let shown = |shift: &rota::schedule::Shift| self.shift(&roster, &role, shift);
            let next = roster.next(at, &role);
            let after = next.as_ref().and_then(|next| roster.next(next.from, &role));
            RoleDuty {
                now: roster.shift(at, &role).as_ref().map(shown),
                next: next.as_ref().map(shown),
                after: after.as_ref().map(shown),
                previous: roster.previous(at, &role).as_ref().map(shown),
                role: role.to_string(),
            }
        });
        Ok(OnCall {
            team: team.to_owned(),
            at,
            zone: zone_name(&roster),
            roles: roles.collect(),
            schedule: match over {
                Lies::Schedule(schedule) => Some(schedule),
                Lies::Team(_) => None,
            },
        })
    }

    pub(super) fn schedule(&self, name: &str) -> anyhow::Result<ScheduleSpec> {
        let spec = self.0.schedule_spec(name).ok_or_else(|| self.missing(Kind::Schedule, name))?;
        Ok(ScheduleSpec::clone(spec))
    }

    pub(super) fn schedules(&self) -> anyhow::Result<Vec<ScheduleSpec>> {
        self.0.names(Kind::Schedule).map(|name| self.schedule(name)).collect()
    }

    pub(super) fn shifts(
        &self,
        schedule: &str,
        (from, to): (Timestamp, Timestamp),
        role: Option<&str>,
    ) -> anyhow::Result<Shifts> {
        let roster = self.named(schedule)?;
        let roles = roster.roles().into_iter().filter(|name| role.is_none_or(|role| *role == **name));
        let items = roles.flat_map(|role| {
            let found = roster.shifts(from, to, &role);
            found.iter().map(|shift| self.shift(&roster, &role, shift)).collect::<Vec<_>>()
        });
        Ok(Shifts { zone: zone_name(&roster), items: items.collect() })
    }

    pub(super) fn gaps(&self, schedule: &str, (from, to): (Timestamp, Timestamp)) -> anyhow::Result<Gaps> {
        let roster = self.named(schedule)?;
        let items = roster.roles().into_iter().flat_map(|role| {
            let gap =
                |gap: rota::period::Interval| Gap { role: role.to_string(), from: gap.start, until: gap.end };
            roster.gaps(from, to, &role).into_iter().map(gap).collect::<Vec<_>>()
        });
        Ok(Gaps { items: items.collect() })
    }

    pub(super) fn balance(
        &self,
        schedule: &str,
        (from, to): (Timestamp, Timestamp),
    ) -> anyhow::Result<Balances> {
        let roster = self.named(schedule)?;
        let roles = roster.roles();
        let roles: Vec<&str> = roles.iter().map(|role| &**role).collect();
        let hours = |time: SignedDuration| (time.as_secs_f64() / 36.0).round() / 100.0;
        let balance = |(name, balance): (Arc<str>, rota::schedule::Balance)| Balance {
            person: self.person(&name),
            hours: hours(balance.total),
            nights: hours(balance.nights),
            weekends: hours(balance.weekends),
            holidays: hours(balance.holidays),
        };
        Ok(Balances { items: roster.balance(from, to, &roles).into_iter().map(balance).collect() })
    }

    /// What would happen if an alert came in for a team.
    pub(in crate::cli) fn rehearse(
        &self,
        team: &str,
        spec: &QuestionSpec,
        now: Timestamp,
    ) -> anyhow::Result<Film> {
        Ok(rehearsal::rehearse(&self.0, &self.question(team, spec, now)?))
    }

    /// The same for every hour of a week.
    pub(in crate::cli) fn rehearse_week(
        &self,
        team: &str,
        spec: &QuestionSpec,
        now: Timestamp,
    ) -> anyhow::Result<Week> {
        Ok(rehearsal::week(&self.0, &self.question(team, spec, now)?))
    }

    fn question(&self, team: &str, spec: &QuestionSpec, now: Timestamp) -> anyhow::Result<Question> {
        let known = Name::new(team).ok().filter(|name| self.0.directory().teams.contains_key(name));
        let team = known.ok_or_else(|| self.missing(Kind::Team, team))?;
        spec.read(&self.0, Audience::Team(team), now).map_err(|errors| {
            let told = errors.iter().map(|error| format!("{}: {}", error.field, error.message));
            anyhow!("{}", told.collect::<Vec<_>>().join("\n       "))
        })
    }

    fn named(&self, schedule: &str) -> anyhow::Result<Roster> {
        self.schedule(schedule)?;
        self.roster(Lies::Schedule(schedule.to_owned()))
    }

    fn roster(&self, over: Lies) -> anyhow::Result<Roster> {
        let known = match &over {
            Lies::Schedule(name) | Lies::Team(name) => name.clone(),
        };
        Roster::current(&self.0, over).ok_or_else(|| anyhow!("there is no schedule \"{known}\""))
    }

    fn shift(&self, roster: &Roster, role: &str, shift: &rota::schedule::Shift) -> Shift {
        let people = |names: &[Arc<str>]| names.iter().map(|name| self.person(name)).collect();
        Shift {
            role: role.to_owned(),
            from: shift.from,
            until: shift.until,
            people: people(&shift.duty.people),
            shadows: people(&shift.duty.shadows),
            instead_of: people(&shift.duty.instead_of),
            because: roster.because(shift.from, role, shift.duty.source),
        }
    }

    fn person(&self, name: &str) -> Person {
        let known = self.0.directory().people.get(name).map(|person| person.full_name.clone());
        let full_name = known.filter(|full| !full.is_empty()).unwrap_or_else(|| name.to_owned());
        Person { name: name.to_owned(), full_name }
    }

    /// What is said when there is nothing of that name.
    fn missing(&self, kind: Kind, name: &str) -> anyhow::Error {
        let near = nearest(name, self.0.names(kind));
        let known: Vec<&str> = self.0.names(kind).collect();
        match (near, known.as_slice()) {
            (Some(near), _) => anyhow!("there is no {kind} \"{name}\"; did you mean \"{near}\"?"),
            (None, []) => anyhow!("there is no {kind} \"{name}\", nor any other"),
            (None, known) => anyhow!("there is no {kind} \"{name}\"; there is {}", known.join(", ")),
        }
    }
}

fn zone_name(roster: &Roster) -> String {
    roster.zone().iana_name().unwrap_or("UTC").to_owned()
}
