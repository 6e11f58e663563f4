//! What a period says, as somebody wrote it: the one model behind all ways of writing.
//!
//! The Naemon text form is read into a [`Definition`]; so is anything structured, such as an API's
//! JSON or a table of a configuration file: fill in the fields, or chain the methods. Nothing is
//! checked here; [`super::compile`] checks, whichever way the definition came.
//!
//! Read next: [`mod@super::check`], which says what is wrong with one definition by itself.

use std::fmt;

use jiff::civil::Date;

use crate::diagnostic::Spanned;

/// A period or a template of periods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The name of the period (`timeperiod_name`); a pure template has none.
    pub name: Option<Spanned<String>>,
    /// What people call it; the name, when nothing is given.
    pub alias: Option<Spanned<String>>,
    /// The name as a template (`name`), under which others can `use` it.
    pub template: Option<Spanned<String>>,
    /// The templates it builds on, the strongest first.
    pub uses: Vec<Spanned<String>>,
    /// Whether it is a period at all, or only a template.
    pub register: bool,
    /// The periods whose time is taken away.
    pub exclude: Vec<Spanned<String>>,
    /// The days and their hours, in the order written.
    pub rules: Vec<Rule>,
    /// The place of the definition as a whole.
    pub place: Spanned<()>,
}

/// Some days and the hours they have: one line of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The days.
    pub days: Spanned<Days>,
    /// The hours, on the wall clock.
    pub hours: Vec<Spanned<Hours>>,
}

/// A stretch of a day, in minutes since the midnight that the clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hours {
    /// The first minute that is in.
    pub start: u16,
    /// The first minute that is out; 1,440 is the end of the day.
    pub end: u16,
}

/// Which days a [`Rule`] is about: a weekday, or one of the five forms of exception.
///
/// `first` and `last` are the ends of a range, both included; a single day has no `last`. `every`
/// is the skip: every so many days, counted from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Days {
    /// `monday`
    Weekday(Weekday),
    /// `2007-08-01`, `2007-11-01 - 2007-11-10 / 3`; one date with a skip goes on for ever.
    Calendar {
        /// First date.
        first: Date,
        /// Last date.
        last: Option<Date>,
        /// Skip.
        every: Option<u32>,
    },
    /// `july 4`, `june 1 - july 5 / 2`
    MonthDate {
        /// Month and day; negative days count from the end of the month.
        first: (Month, i32),
        /// End of the range.
        last: Option<(Month, i32)>,
        /// Skip.
        every: Option<u32>,
    },
    /// `day 15`, `day 1 - -1 / 2`
    MonthDay {
        /// Day of every month; negative days count from the end.
        first: i32,
        /// End of the range.
        last: Option<i32>,
        /// Skip.
        every: Option<u32>,
    },
    /// `monday -1 may`, `tuesday 1 april - friday 2 may / 6`
    MonthWeekday {
        /// Which of these weekdays of which month; negative ones count from the end.
        first: (Weekday, i32, Month),
        /// End of the range.
        last: Option<(Weekday, i32, Month)>,
        /// Skip.
        every: Option<u32>,
    },
    /// `monday 3`, `monday 3 - thursday 4 / 2`
    WeekdayOffset {
        /// Which of these weekdays of every month; negative ones count from the end.
        first: (Weekday, i32),
        /// End of the range.
        last: Option<(Weekday, i32)>,
        /// Skip.
        every: Option<u32>,
    },
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "they are the days of the week")]
pub enum Weekday {
    Sunday,
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
}

impl Weekday {
    /// All seven, in Naemon's order.
    pub const ALL: [Weekday; 7] = [
        Weekday::Sunday,
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
    ];

    /// The word for it in the language.
    pub fn name(self) -> &'static str {
        ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"][self as usize]
    }

    /// The weekday with exactly this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|weekday| weekday.name() == name)
    }
}

/// A month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "they are the months")]
pub enum Month {
    January = 1,
    February,
    March,
    April,
    May,
    June,
    July,
    August,
    September,
    October,
    November,
    December,
}

impl Month {
    /// All twelve.
    pub const ALL: [Month; 12] = [
        Month::January,
        Month::February,
        Month::March,
        Month::April,
        Month::May,
        Month::June,
        Month::July,
        Month::August,
        Month::September,
        Month::October,
        Month::November,
        Month::December,
    ];

    /// The word for it in the language.
    pub fn name(self) -> &'static str {
        [
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ][self as usize - 1]
    }

    /// The month with exactly this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|month| month.name() == name)
    }
}

impl Default for Definition {
    fn default() -> Self {
        Definition {
            name: None,
            alias: None,
            template: None,
            uses: Vec::new(),
            register: true,
            exclude: Vec::new(),
            rules: Vec::new(),
            place: Spanned::from(()),
        }
    }
}

impl Definition {
    /// A period with a name and no days yet.
    pub fn period(name: impl Into<String>) -> Self {
        Definition { name: Some(Spanned::from(name.into())), ..Definition::default() }
    }

    /// A template with a name and no days yet.
    pub fn template(name: impl Into<String>) -> Self {
        Definition { template: Some(Spanned::from(name.into())), register: false, ..Definition::default() }
    }

    /// The same with one more line: some days and their hours.
    #[must_use]
    pub fn rule(mut self, days: Days, hours: impl IntoIterator<Item = Hours>) -> Self {
        self.rules
            .push(Rule { days: Spanned::from(days), hours: hours.into_iter().map(Spanned::from).collect() });
        self
    }

    /// The same without the time of another period.
    #[must_use]
    pub fn exclude(mut self, name: impl Into<String>) -> Self {
        self.exclude.push(Spanned::from(name.into()));
        self
    }

    /// The same, building on a template, weaker than those before it.
    #[must_use]
    pub fn uses(mut self, template: impl Into<String>) -> Self {
        self.uses.push(Spanned::from(template.into()));
        self
    }

    /// How to call the definition in a message.
    pub(crate) fn label(&self) -> String {
        match (&self.name, &self.template) {
            (Some(name), _) => format!("period \"{}\"", name.value),
            (None, Some(name)) => format!("template \"{}\"", name.value),
            (None, None) => "a period without a name".to_owned(),
        }
    }
}

impl Hours {
    /// The whole day.
    pub const DAY: Hours = Hours { start: 0, end: 1_440 };
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Hours { start, end } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", start / 60, start % 60, end / 60, end % 60)
    }
}

/// The days as the language writes them.
impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = |f: &mut fmt::Formatter<'_>, d: &Date| {
            write!(f, "{:04}-{:02}-{:02}", d.year(), d.month(), d.day())
        };
        let every = match *self {
            Days::Weekday(weekday) => {
                f.write_str(weekday.name())?;
                None
            }
            Days::Calendar { first, last, every } => {
                date(f, &first)?;
                if let Some(last) = last {
                    f.write_str(" - ")?;
                    date(f, &last)?;
                }
                every
            }
            Days::MonthDate { first, last, every } => {
                write!(f, "{} {}", first.0.name(), first.1)?;
                match last {
                    Some((month, day)) if month == first.0 => write!(f, " - {day}")?,
                    Some((month, day)) => write!(f, " - {} {day}", month.name())?,
                    None => {}
                }
                every
            }
            Days::MonthDay { first, last, every } => {
                write!(f, "day {first}")?;
                if let Some(last) = last {
                    write!(f, " - {last}")?;
                }
                every
            }
            Days::MonthWeekday { first, last, every } => {
                write!(f, "{} {} {}", first.0.name(), first.1, first.2.name())?;
                if let Some((weekday, n, month)) = last {
                    write!(f, " - {} {n} {}", weekday.name(), month.name())?;
                }
                every
            }
            Days::WeekdayOffset { first, last, every } => {
                write!(f, "{} {}", first.0.name(), first.1)?;
                match last {
                    Some((weekday, n)) if weekday == first.0 => write!(f, " - {n}")?,
                    Some((weekday, n)) => write!(f, " - {} {n}", weekday.name())?,
                    None => {}
                }
                every
            }
        };
        every.map_or(Ok(()), |every| write!(f, " / {every}"))
    }
}
