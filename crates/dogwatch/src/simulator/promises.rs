//! What has to hold: each promise with its number and its sentence, looked at after every commit on what it touched,
//! and by deadlines.
//!
//! The ledger knows what was promised to whom: it is kept apart from the store, by what went in and out of it.

mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use escalation::alert::Status;
use escalation::delivery::{Delivery, LEASE, MAX_ATTEMPTS, Purpose, State as DeliveryState};
use escalation::effect::EntryKind;
use escalation::id::{AlertId, DeliveryId, PageId};
use escalation::page::Page;
use escalation::receipt::Receipt;
use escalation::wake::Wake;

use jiff::{SignedDuration, Timestamp};

use self::told::Told;
use super::company;
use crate::store::{AlertRecord, DeliveryRecord, HistoryEntry};

/// Every promise in words, in order of its number, from 1.
pub const PROMISES: [&str; 29] = [
    "an event that was answered with an alert stays linked to that alert",
    "at most one alert is open for a sender's key",
    "nobody is paged after the answer: no claim of a page is committed once its alert waits for none",
    "a delivery is claimed by one at a time, its token rises with each claim, and an old token settles nothing",
    "what a provider took is not sent again, and nothing is sent without a claim",
    "a step is fired at most once in each pass of a round",
    "the history of an alert only grows",
    "an acknowledged alert was acknowledged by a person, who wanted that",
    "a delivery goes from ready to claimed to an outcome, or is withdrawn; nothing else",
    "a claim ends with its lease, whatever becomes of who had it",
    "what may be sent is claimed at once",
    "what is due is handled at once",
    "somebody is asked within a minute, or the alert says why not",
    "the rules of the escalation hold after every step",
    "nothing fails that was not made to fail",
    "when all is well again everything comes to its end",
    "without faults each message is sent once, and at once",
    "an alert whose page ended leaves no page of it to be sent",
    "an acknowledgement that was answered is stored",
    "a page asks each contact once for each of its steps at a time",
    "a report is answered within two minutes in which all is well",
    "the history tells of the report, and names everybody who was asked in each round",
    "a plan is gone through no more often than it says",
    "an alert is given up only after its last resort, or says that there is none",
    "a report counts once, however often it is sent",
    "when a message has failed the plan of its page goes on at once",
    "so it does when the provider says that a message did not arrive, or says nothing in time",
    "a provider in trouble keeps nothing waiting that goes through another",
    "a page whose provider takes nothing asks through its person's next contact within a minute",
];

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which, from 1.
    pub promise: u8,
    /// When.
    pub at: Timestamp,
    /// What was seen.
    pub seen: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = PROMISES.get(usize::from(self.promise) - 1).copied().unwrap_or_default();
        write!(f, "promise {} is broken: {sentence}\n  at {}: {}", self.promise, self.at, self.seen)
    }
}

/// What is known of a delivery from its last commit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    state: DeliveryState,
    attempt: u8,
    unknown: u8,
    not_before: Timestamp,
}

impl Known {
    fn of(delivery: &Delivery) -> Self {
        let Delivery { state, attempt, unknown, not_before, .. } = *delivery;
        Self { state, attempt, unknown, not_before }
    }
}

/// What is known of an alert from its last commit.
#[derive(Clone, Debug, Default)]
struct Account {
    history: usize,
    told: Told,
    steps: BTreeMap<(u32, u16), u32>,
    passes: BTreeMap<u32, u32>,
    deliveries: BTreeMap<DeliveryId, Known>,
    /// Those of them that are ready or claimed.
    unsettled: BTreeSet<DeliveryId>,
    /// Which page has asked which contact, for which step of its plan, when, and what for.
    asked: BTreeSet<(PageId, u16, Timestamp, String, &'static str)>,
    /// When each wake is due, and since when that is so.
    wakes: BTreeMap<Wake, (Timestamp, Timestamp)>,
}

/// Something to be looked at when its time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deadline {
    /// A delivery that was ready, or claimed, at this attempt.
    Delivery(DeliveryId, DeliveryState, u8),
    /// A wake of an alert, with when it is due, and when it was first seen so.
    Wake(AlertId, Wake, Timestamp, Timestamp),
    /// An alert that was accepted.
    Asked(AlertId),
    /// A request, with when it was first made.
    Answered(String, Timestamp),
    /// A page was handed to a provider that takes nothing, and its plan has another contact.
    PassedOn(DeliveryId, Timestamp),
    /// A delivery that was taken at this attempt by a provider that says more, and until when it has to.
    Confirmed(DeliveryId, u8, Timestamp),
}

/// What was promised to whom.
#[derive(Default)]
pub(super) struct Ledger {
    accounts: BTreeMap<AlertId, Account>,
    open: BTreeMap<(String, String), AlertId>,
    /// How many reports of a sender's key were made, and how many are told in histories.
    reports: BTreeMap<(String, String), (u32, u32)>,
    /// Requests that were answered.
    pub(super) answered: BTreeMap<String, AlertId>,
    /// Alerts that a person wanted to have.
    pub(super) wanted: BTreeSet<AlertId>,
    /// What providers said of messages after they took them.
    receipts: BTreeMap<(DeliveryId, u8), Receipt>,
    /// How often each delivery was handed to its provider.
    pub(super) sent: BTreeMap<DeliveryId, Sends>,
}

/// What became of a delivery at its provider.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sends {
    /// Times that it was handed over.
    pub(super) handed: u32,
    /// The newest attempt that was handed over.
    pub(super) attempt: u8,
    /// The provider said that it took it, and the one who sent heard of it.
    pub(super) taken: bool,
}

/// How long what is ready may wait for its claim, and what is due for its turn.
pub(super) const AT_ONCE: SignedDuration = SignedDuration::from_secs(5);
/// How long until a report is answered: whoever sends it tries twice in that time, or more often.
pub(super) const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_secs(120);
/// How long until another contact is asked in the place of one whose provider takes nothing.
pub(super) const PASSED_ON_WITHIN: SignedDuration = SignedDuration::from_secs(60);
/// How long until somebody is asked.
pub(super) const ASKED_WITHIN: SignedDuration = SignedDuration::from_secs(60);

type Found = Result<(), (u8, String)>;

fn broken(promise: u8, seen: impl Into<String>) -> Found {
    Err((promise, seen.into()))
}

impl Ledger {
    /// How many lines of an alert's history were looked at.
    pub(super) fn lines(&self, id: AlertId) -> usize {
        self.accounts.get(&id).map_or(0, |account| account.history)
    }

    /// Looks at what is new about an alert after a commit that touched it; `lines` has its history in all. Adds what is to be looked at later, with the time on the
    /// store's clock from which it is late.
    pub(super) fn look(
        &mut self,
        record: &AlertRecord,
        lines: usize,
        plan_goes_on: &dyn Fn(&Page) -> bool,
        is_open_of: &dyn Fn(AlertId) -> bool,
        now: Timestamp,
        later: &mut Vec<(Timestamp, Deadline)>,
    ) -> Found {
        let alert = &record.state.alert;
        let account = self.accounts.entry(alert.id).or_default();
        if let Err(rule) = escalation::invariant::check(&record.state) {
            return broken(14, format!("alert #{}: {rule}", alert.number));
        }
        // The history.
        account.told.hear(record)?;
        let counts =
            |entry: &&HistoryEntry| matches!(entry.kind, EntryKind::Triggered | EntryKind::TriggeredAgain);
        let told = u32::try_from(record.history.iter().filter(counts).count()).unwrap_or(u32::MAX);
        let key = (alert.integration.clone(), alert.dedup_key.clone());
        if told > 0 {
            let reports = self.reports.entry(key.clone()).or_default();
            reports.1 = reports.1.saturating_add(told);
            if reports.1 > reports.0 {
                let seen = format!(
                    "{} reports are counted on alert #{} and those before it",
                    reports.1, alert.number
                );
                return broken(25, format!("{seen}, of {} that were made", reports.0));
            }
        }
        if lines < account.history {
            return broken(7, format!("alert #{} has lost a line of its history", alert.number));
        }
        for entry in &record.history {
            match (entry.kind, entry.step) {
                (EntryKind::Fault, _) => {
                    return broken(14, format!("alert #{}: {}", alert.number, entry.text));
                }
                (EntryKind::Step, Some(step)) => {
                    // No plan of the company has a longer time in it.
                    let next =
                        [Wake::Escalate, Wake::GiveUp].map(|wake| record.state.wakes.get(&wake).copied());
                    if next.into_iter().flatten().any(|at| at.duration_since(entry.at) > company::LONGEST) {
                        return broken(12, format!("alert #{} goes on too late: {next:?}", alert.number));
                    }
                    *account.steps.entry((entry.round, step)).or_default() += 1;
                }
                (EntryKind::Escalated | EntryKind::Reassigned | EntryKind::Reopened, _) => {
                    // Somebody asked for a step: it may come twice.
                    *account.passes.entry(entry.round).or_default() += 1;
                }
                _ => {}
            }
        }
        account.history = lines;
        let passes = u32::from(alert.position.passes) + 1;
        let extra = account.passes.get(&alert.round).copied().unwrap_or_default();
        for ((round, step), times) in account.steps.range((alert.round, 0)..=(alert.round, u16::MAX)) {
            if *times > passes + extra {
                let seen =
                    format!("alert #{}: step {step} of round {round} fired {times} times", alert.number);
                return broken(6, seen);
            }
        }
        for page in record.state.pages.iter().filter(|page| page.is_live() && !page.failed) {
            let has_wake = record.state.wakes.contains_key(&Wake::Page(page.id));
            if !has_wake && plan_goes_on(page) {
                return broken(
                    12,
                    format!("nothing makes the page of {} for alert #{} go on", page.person, alert.number),
                );
            }
        }
        // The sender's key.
        if alert.status == Status::Resolved {
            if self.open.get(&key) == Some(&alert.id) {
                self.open.remove(&key);
            }
        } else {
            if let Some(other) = self.open.get(&key).filter(|other| **other != alert.id)
                && is_open_of(*other)
            {
                return broken(2, format!("alert #{} and {other} are open for {key:?}", alert.number));
            }
            self.open.insert(key.clone(), alert.id);
        }
        if alert.status == Status::Acknowledged && !self.wanted.contains(&alert.id) {
            return broken(8, format!("nobody asked for alert #{}", alert.number));
        }
        // What is to be sent.
        for DeliveryRecord { delivery, attempts } in &record.deliveries {
            if let Some(page) = delivery.page.filter(|_| !account.deliveries.contains_key(&delivery.id)) {
                let (contact, purpose) = (delivery.contact.to_string(), delivery.purpose);
                let asked = (page, delivery.step, delivery.created_at, contact, purpose.word());
                if !account.asked.insert(asked) {
                    return broken(20, format!("{} of alert #{} has a twin", delivery.id, alert.number));
                }
            }
            let page = record.state.pages.iter().find(|page| Some(page.id) == delivery.page);
            let before = account.deliveries.insert(delivery.id, Known::of(delivery));
            match delivery.state {
                DeliveryState::Ready | DeliveryState::Claimed => account.unsettled.insert(delivery.id),
                _ => account.unsettled.remove(&delivery.id),
            };
            if let Some(before) = &before
                && before.state == delivery.state
                && before.attempt == delivery.attempt
            {
                if before.not_before != delivery.not_before && delivery.state == DeliveryState::Ready {
                    later.push((delivery.not_before + AT_ONCE, deadline(delivery)));
                }
                continue;
            }
            goes_on(delivery, before.as_ref(), alert.number)?;
            if let Some(last) = attempts.last() {
                fits_its_outcome(delivery, &last.outcome, &last.detail, alert.number)?;
            }
            match delivery.state {
                DeliveryState::Claimed => {
                    let asks = match (delivery.purpose, page) {
                        (Purpose::Page, Some(page)) => page.is_live() && alert.asks(page),
                        (Purpose::Page, None) => delivery.page.is_none() && alert.status.waits(),
                        _ => true,
                    };
                    if !asks {
                        let seen = format!(
                            "{} for {} was claimed while alert #{} is {}",
                            delivery.id,
                            delivery.contact,
                            alert.number,
                            alert.status.word()
                        );
                        return broken(3, seen);
                    }
                    later.push((delivery.lease_until + AT_ONCE, deadline(delivery)));
                }
                DeliveryState::Ready => later.push((delivery.not_before + AT_ONCE, deadline(delivery))),
                DeliveryState::Failed => {
                    let waits = page.filter(|page| delivery.purpose == Purpose::Page && page.is_live());
                    if waits.is_some_and(|page| page.plan_step == delivery.step && !page.failed) {
                        let seen = format!("{} of alert #{} has failed", delivery.id, alert.number);
                        return broken(26, format!("{seen}, and its page waits as if it had not"));
                    }
                }
                DeliveryState::Sent | DeliveryState::Withdrawn => {}
            }
        }
        account.wakes.retain(|wake, (due, _)| record.state.wakes.get(wake) == Some(due));
        for (wake, due) in &record.state.wakes {
            if !account.wakes.contains_key(wake) {
                account.wakes.insert(*wake, (*due, now));
                // One that was due before it was set is late from now on.
                later.push(((*due).max(now) + AT_ONCE, Deadline::Wake(alert.id, *wake, *due, now)));
            }
        }
        Ok(())
    }

    /// Whether a wake has stood as it stands since an instant.
    pub(super) fn stands(&self, id: AlertId, wake: Wake, due: Timestamp, since: Timestamp) -> bool {
        self.accounts.get(&id).and_then(|account| account.wakes.get(&wake)) == Some(&(due, since))
    }

    /// A delivery is handed to its provider.
    pub(super) fn hand_over(&mut self, delivery: &Delivery, is_calm: bool, now: Timestamp) -> Found {
        let sends = self.sent.entry(delivery.id).or_default();
        if sends.taken {
            return broken(5, format!("{} was taken by its provider, and is sent again", delivery.id));
        }
        if delivery.attempt <= sends.attempt {
            return broken(4, format!("attempt {} of {} was sent twice", delivery.attempt, delivery.id));
        }
        sends.attempt = delivery.attempt;
        sends.handed += 1;
        if is_calm && sends.handed > 1 {
            return broken(17, format!("{} is sent for the second time", delivery.id));
        }
        if is_calm && now.duration_since(delivery.not_before) > SignedDuration::from_secs(1) {
            return broken(17, format!("{} is sent late", delivery.id));
        }
        Ok(())
    }

    /// The deliveries of an alert that were ready or claimed when they were seen last.
    pub(super) fn unsettled(&self, alert: AlertId) -> impl Iterator<Item = DeliveryId> {
        self.accounts.get(&alert).into_iter().flat_map(|account| account.unsettled.iter().copied())
    }

    /// Whether a delivery stands otherwise than it was seen last.
    pub(super) fn is_news(&self, delivery: &Delivery) -> bool {
        let account = delivery.alert.and_then(|alert| self.accounts.get(&alert));
        account.and_then(|account| account.deliveries.get(&delivery.id)) != Some(&Known::of(delivery))
    }

    /// A provider says something of a message.
    pub(super) fn hear(&mut self, id: DeliveryId, attempt: u8, receipt: Receipt) {
        let known = self.receipts.entry((id, attempt)).or_insert(receipt);
        *known = known.join(receipt);
    }

    /// Whether a provider has said that a message came in, and may have been heard.
    pub(super) fn came_in(&self, id: DeliveryId, attempt: u8) -> bool {
        self.receipts.get(&(id, attempt)) == Some(&Receipt::Arrived)
    }

    /// A report is made, for the first time.
    pub(super) fn report(&mut self, integration: &str, dedup_key: &str) {
        self.reports.entry((integration.to_owned(), dedup_key.to_owned())).or_default().0 += 1;
    }

    /// A request was answered with an alert.
    pub(super) fn answer(&mut self, request: &str, alert: AlertId) -> Found {
        match self.answered.insert(request.to_owned(), alert) {
            Some(before) if before != alert => {
                broken(1, format!("request {request} was linked to {before}, and now to {alert}"))
            }
            _ => Ok(()),
        }
    }
}

fn deadline(delivery: &Delivery) -> Deadline {
    Deadline::Delivery(delivery.id, delivery.state, delivery.attempt)
}

/// Nobody knew whether it had arrived, and its provider may have said so since.
fn came_in_after_all(delivery: &Delivery) -> bool {
    delivery.unknown > 0 && delivery.contact.provider() == company::CONFIRMING
}

/// Whether a delivery stands where the outcome of its last attempt has to bring it.
fn fits_its_outcome(delivery: &Delivery, outcome: &str, detail: &str, number: u64) -> Found {
    let is_wrong = match (outcome, delivery.state) {
        ("unknown", DeliveryState::Sent) if came_in_after_all(delivery) => false,
        ("unknown" | "refused" | "retry_after", DeliveryState::Sent) => true,
        // "busy" is how the carriers here refuse for now.
        ("refused", DeliveryState::Failed) => detail == "busy" && delivery.attempt < MAX_ATTEMPTS,
        ("accepted", DeliveryState::Ready | DeliveryState::Failed) => true,
        _ => false,
    };
    if is_wrong {
        let state = delivery.state.word();
        return broken(9, format!("{} of alert #{number} is {state} after \"{outcome}\"", delivery.id));
    }
    Ok(())
}

/// Whether a delivery went where it may go.
fn goes_on(delivery: &Delivery, before: Option<&Known>, number: u64) -> Found {
    use DeliveryState::{Claimed, Failed, Ready, Sent, Withdrawn};
    let Some(before) = before else {
        // It may have been claimed in a commit that is seen together with the one that made it.
        return Ok(());
    };
    let step = (before.state, delivery.state);
    let is_named =
        |what: &str| format!("{} of alert #{number} {what}: {before:?}, then {delivery:?}", delivery.id);
    if delivery.attempt < before.attempt || delivery.unknown < before.unknown {
        return broken(4, is_named("goes back"));
    }
    let is_allowed = match step {
        (Ready, Claimed) => delivery.attempt > before.attempt,
        (Ready, Ready | Withdrawn) | (Claimed, Ready | Sent | Failed | Withdrawn) => true,
        // Between two looks it may have gone through both.
        (Ready, Sent) => delivery.attempt > before.attempt || came_in_after_all(delivery),
        (Ready, Failed) => delivery.attempt > before.attempt,
        (Claimed, Claimed) => delivery.attempt > before.attempt,
        (Sent, Sent) | (Failed, Failed) | (Withdrawn, Withdrawn) => true,
        _ => false,
    };
    if !is_allowed {
        return broken(9, is_named("went where it may not go"));
    }
    if delivery.state == Claimed
        && delivery.lease_until > delivery.not_before.max(delivery.created_at) + LEASE * 400
    {
        return broken(10, is_named("has a lease without an end"));
    }
    Ok(())
}
