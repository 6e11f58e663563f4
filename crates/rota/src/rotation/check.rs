//! What a rotation must be like, and what to write instead.

use std::fmt;

use jiff::Timestamp;

use super::{Edition, Length};

/// Members of one edition at most.
const MAX_MEMBERS: usize = 500;
/// Entries of a cycle of days at most.
const MAX_CYCLE: usize = 64;
/// Days of one entry at most: a year.
const MAX_DAYS: u16 = 366;
/// Hours of a turn at most: a year.
const MAX_HOURS: u16 = 8_760;
/// Months of a turn at most: ten years.
const MAX_MONTHS: u16 = 120;

/// What is wrong with a rotation. Editions are counted from 1 when shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotationError {
    /// There is no edition at all.
    NoEdition,
    /// An edition begins no later than the one before it.
    OutOfOrder {
        /// Which edition, counted from 0.
        edition: usize,
    },
    /// Something about one edition.
    Edition {
        /// Which edition, counted from 0.
        edition: usize,
        /// What is wrong with it.
        problem: EditionProblem,
    },
    /// A change that would begin before the time at which it is made.
    ChangesThePast {
        /// The beginning that was asked for.
        from: Timestamp,
        /// The time of the change.
        now: Timestamp,
    },
}

/// What is wrong with one edition of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditionProblem {
    /// Nobody takes turns.
    NoMembers,
    /// A member without people, counted from 0.
    EmptyMember(usize),
    /// So many members, which is too many.
    TooManyMembers(usize),
    /// The member that begins, counted from 0, is none of so many.
    NoSuchMember {
        /// The member that begins.
        first: usize,
        /// How many there are.
        members: usize,
    },
    /// So many hours, which is none or too many.
    Hours(u16),
    /// So many months, which is none or too many.
    Months(u16),
    /// So many entries in a cycle of days, which is none or too many.
    Cycle(usize),
    /// So many days in an entry of the cycle, which is none or too many.
    Days(u16),
    /// The start has fractions of a second.
    Fraction,
}

pub(super) fn check(editions: &[Edition]) -> Result<(), RotationError> {
    if editions.is_empty() {
        return Err(RotationError::NoEdition);
    }
    for (index, edition) in editions.iter().enumerate() {
        check_edition(edition).map_err(|problem| RotationError::Edition { edition: index, problem })?;
        if index > 0 && editions[index - 1].from >= edition.from {
            return Err(RotationError::OutOfOrder { edition: index });
        }
    }
    Ok(())
}

fn check_edition(edition: &Edition) -> Result<(), EditionProblem> {
    let members = edition.members.len();
    if members == 0 {
        return Err(EditionProblem::NoMembers);
    }
    if members > MAX_MEMBERS {
        return Err(EditionProblem::TooManyMembers(members));
    }
    if let Some(empty) = edition.members.iter().position(|people| people.is_empty()) {
        return Err(EditionProblem::EmptyMember(empty));
    }
    if edition.first >= members {
        return Err(EditionProblem::NoSuchMember { first: edition.first, members });
    }
    if edition.start.subsec_nanosecond() != 0 {
        return Err(EditionProblem::Fraction);
    }
    match &edition.length {
        Length::Hours(hours) if !(1..=MAX_HOURS).contains(hours) => Err(EditionProblem::Hours(*hours)),
        Length::Months(months) if !(1..=MAX_MONTHS).contains(months) => Err(EditionProblem::Months(*months)),
        Length::Days(cycle) if !(1..=MAX_CYCLE).contains(&cycle.len()) => {
            Err(EditionProblem::Cycle(cycle.len()))
        }
        Length::Days(cycle) => match cycle.iter().find(|days| !(1..=MAX_DAYS).contains(*days)) {
            Some(days) => Err(EditionProblem::Days(*days)),
            None => Ok(()),
        },
        Length::Hours(_) | Length::Months(_) => Ok(()),
    }
}

impl fmt::Display for RotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RotationError::NoEdition => {
                f.write_str("the rotation says nothing; give it members, a length and a start")
            }
            RotationError::OutOfOrder { edition } => write!(
                f,
                "edition {} begins no later than the one before it; list editions in the order in which they begin",
                edition + 1
            ),
            RotationError::Edition { edition: 0, problem } => problem.fmt(f),
            RotationError::Edition { edition, problem } => write!(f, "edition {}: {problem}", edition + 1),
            RotationError::ChangesThePast { from, now } => write!(
                f,
                "the change would begin at {from}, which is past; write a time after {now}, or none for the next handoff"
            ),
        }
    }
}

impl fmt::Display for EditionProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EditionProblem::NoMembers => f.write_str("nobody takes turns; name at least one member"),
            EditionProblem::EmptyMember(member) => {
                write!(f, "member {} is nobody; name a person, or take the entry away", member + 1)
            }
            EditionProblem::TooManyMembers(members) => {
                write!(f, "{members} members are too many; name at most {MAX_MEMBERS}")
            }
            EditionProblem::NoSuchMember { first, members } => write!(
                f,
                "the first turn is that of member {}, but there are {members}; write a number from 1 to {members}",
                first + 1
            ),
            EditionProblem::Hours(hours) => {
                write!(f, "a turn cannot be {hours} hours long; write 1 to {MAX_HOURS} hours")
            }
            EditionProblem::Months(months) => {
                write!(f, "a turn cannot be {months} months long; write 1 to {MAX_MONTHS} months")
            }
            EditionProblem::Cycle(0) => {
                f.write_str("the cycle of days is empty; write at least one number, such as 7 for a week")
            }
            EditionProblem::Cycle(entries) => {
                write!(f, "the cycle of days has {entries} entries; write at most {MAX_CYCLE}")
            }
            EditionProblem::Days(days) => {
                write!(f, "a turn cannot be {days} days long; write 1 to {MAX_DAYS} days")
            }
            EditionProblem::Fraction => f.write_str(
                "the start has fractions of a second; write it in whole seconds, such as 08:00:00",
            ),
        }
    }
}

impl std::error::Error for RotationError {}
