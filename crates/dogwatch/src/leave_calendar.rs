//! Leave from calendars: reads the calendar that a person has named, again and again, and keeps that person's
//! leave as it says.
//!
//! A calendar that can't be read, or makes no sense, changes nothing: the leave of the last good reading stays.
//! Who has written nothing down is not on leave.

use std::sync::{Arc, OnceLock};

use ipnet::IpNet;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::json;

use crate::calendar::{MAX_BYTES, busy};
use crate::clock::Clock;
use crate::definition::time::print_instant;
use crate::definition::{Kind, LeaveSpec, StretchSpec, Write};
use crate::outbound::{Outbound, find_blocked, innermost};
use crate::shutdown::Shutdown;
use crate::store::{Defining, Edit, Expect, Store};

/// How often the calendars are read.
pub const EVERY: SignedDuration = SignedDuration::from_mins(15);
/// How long one may take.
const DEADLINE: SignedDuration = SignedDuration::from_secs(20);
/// What the leave of a calendar is called: this and the person's name.
const PREFIX: &str = "calendar.";
/// The most stretches that are kept; later ones come with later readings.
const MAX_STRETCHES: usize = 1_000;

/// Reads the calendars of people's leave.
#[derive(Clone)]
pub struct LeaveCalendars {
    store: Store,
    clock: Arc<dyn Clock>,
    allowed: Vec<IpNet>,
    /// Made when the first calendar is named: most have none, and it holds memory.
    outbound: Arc<OnceLock<Outbound>>,
}

impl LeaveCalendars {
    /// Reads from public addresses and those in `allowed`.
    pub fn new(store: Store, clock: Arc<dyn Clock>, allowed: Vec<IpNet>) -> Self {
        Self { store, clock, allowed, outbound: Arc::default() }
    }

    /// Runs until told to stop.
    pub async fn run(self, mut shutdown: Shutdown) {
        loop {
            let next = self.clock.now() + EVERY;
            tokio::select! {
                () = self.turn() => {}
                () = shutdown.asked() => return,
            }
            tokio::select! {
                () = self.clock.wait_until(next) => {}
                () = shutdown.asked() => return,
            }
        }
    }

    /// Reads every calendar once, and forgets the leave of calendars that nobody names any more.
    pub async fn turn(&self) {
        let definitions = self.store.definitions();
        let named: Vec<(String, String)> = definitions
            .list(Kind::Person, "")
            .filter_map(|(person, defined)| {
                Some((person.to_owned(), defined.body.get("leave_calendar")?.as_str()?.to_owned()))
            })
            .collect();
        for (person, address) in &named {
            match self.read(person, address).await {
                Ok(leave) => self.keep(leave).await,
                Err(why) => tracing::warn!(
                    person,
                    address,
                    why,
                    "a leave calendar could not be read; what it said last still counts"
                ),
            }
        }
        let is_left = |name: &str| {
            let person = name.strip_prefix(PREFIX);
            person.is_some_and(|person| !named.iter().any(|(other, _)| other == person))
        };
        let left = definitions.names(Kind::Leave).filter(|name| is_left(name));
        for name in left {
            let write = Write::Remove { kind: Kind::Leave, name: name.to_owned() };
            self.write(name.to_owned(), write).await;
        }
    }

    async fn read(&self, person: &str, address: &str) -> Result<LeaveSpec, String> {
        if self.outbound.get().is_none() {
            let made = Outbound::new(self.allowed.clone(), DEADLINE).map_err(|error| error.to_string())?;
            // Somebody may have been faster; either will do.
            let _ = self.outbound.set(made);
        }
        let outbound = self.outbound.get().ok_or("requests can't be made")?;
        let url = outbound.check(address)?;
        let failed = |error: reqwest::Error| find_blocked(&error).unwrap_or_else(|| innermost(&error));
        let mut answer = outbound.client().get(url).send().await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(format!("it answered {}", answer.status()));
        }
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(failed)? {
            bytes.extend_from_slice(&part);
            if bytes.len() > MAX_BYTES {
                return Err(format!("it is larger than {MAX_BYTES} bytes"));
            }
        }
        let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let (zone, now) = (self.store.definitions().zone_of(person), self.clock.now());
        let (stretches, _) = busy(&text, &zone, now)
            .map_err(|problems| problems.first().map_or_else(String::new, ToString::to_string))?;
        // What is over is left out, and what is far away comes later, so that a reading which says nothing new
        // changes nothing. Who was on leave in the past is known from what was in force then.
        let horizon = horizon(now, &zone);
        let ahead = stretches.iter().filter(|stretch| stretch.until > now && stretch.from < horizon);
        let spec = |from: Timestamp, until: Timestamp| StretchSpec {
            from: print_instant(from),
            until: print_instant(until),
        };
        Ok(LeaveSpec {
            name: format!("{PREFIX}{person}"),
            person: person.to_owned(),
            stretches: ahead.take(MAX_STRETCHES).map(|stretch| spec(stretch.from, stretch.until)).collect(),
            reason: "from the calendar".to_owned(),
            made_by: "the calendar".to_owned(),
        })
    }

    async fn keep(&self, leave: LeaveSpec) {
        let is_known = self.store.definitions().get(Kind::Leave, &leave.name).is_some();
        if !leave.stretches.is_empty() {
            let write = Write::Put { kind: Kind::Leave, body: json!(leave) };
            self.write(leave.name, write).await;
        } else if is_known {
            let write = Write::Remove { kind: Kind::Leave, name: leave.name.clone() };
            self.write(leave.name, write).await;
        }
    }

    async fn write(&self, name: String, write: Write) {
        let edit = Edit { name: name.clone(), expect: Expect::Any, write };
        match self.store.define_all(vec![edit]).await {
            Ok(Defining::Done(_)) => {}
            Ok(other) => tracing::error!(name, ?other, "leave from a calendar was refused"),
            Err(error) => tracing::error!(name, %error, "leave from a calendar could not be stored"),
        }
    }
}

/// The beginning of the month a year from now.
fn horizon(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let year = now.to_zoned(zone.clone()).checked_add(1.year());
    let month = year.and_then(|then| then.first_of_month()).and_then(|then| then.start_of_day());
    // Around the end of time everything is near.
    month.map_or(Timestamp::MAX, |then| then.timestamp())
}
