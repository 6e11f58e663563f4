//! When the promises are looked at: after each commit, when a deadline has passed, and at the end.

use escalation::alert::Status;
use escalation::delivery::{Delivery, State as DeliveryState};
use escalation::effect::EntryKind;
use escalation::event::Urgency;
use escalation::id::{AlertId, DeliveryId};

use super::{Event, Found, World};
use crate::simulator::company;
use crate::simulator::house::House;
use crate::simulator::points::Touch;
use crate::simulator::promises::{ANSWERED_WITHIN, ASKED_WITHIN, AT_ONCE, Deadline, PASSED_ON_WITHIN};
use crate::store::StoreError;

impl<H: House> World<'_, H> {
    /// Looks at an alert after a commit.
    pub(super) fn check(&mut self, id: AlertId, touch: Touch) -> Found {
        let wrong = |error: StoreError| (15, error.to_string());
        let known = self.ledger.lines(id);
        let mut deliveries = touch.deliveries;
        if touch.withdrawn {
            deliveries.extend(self.ledger.unsettled(id));
        }
        let Some((record, lines)) = self.house.news(id, known, &deliveries).map_err(wrong)? else {
            return Err((1, format!("{id} is gone")));
        };
        if self.house.has_stray_wakes(id).map_err(wrong)? {
            return Err((
                12,
                format!("the stored wakes of alert #{} are others than its own", record.state.alert.number),
            ));
        }
        self.report.mix(record.state.alert.number << 8 | lines as u64);
        let mut later = Vec::new();
        let house = &self.house;
        let is_open = |other: AlertId| {
            house.state(other).ok().flatten().is_some_and(|state| state.alert.status != Status::Resolved)
        };
        let options = self.options;
        let plan_goes_on = |page: &escalation::page::Page| {
            // Edits may have changed a plan since.
            options.edits == 0
                && page.urgency == Urgency::High
                && company::plan_goes_on(options, page.person.as_str(), page.plan_step)
        };
        let looked = self.ledger.look(&record, lines, &plan_goes_on, &is_open, self.clock(), &mut later);
        if self.report.tells {
            for entry in &record.history {
                let by = entry.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                let people = entry.people.join(", ");
                let number = record.state.alert.number;
                self.report.say(self.now, || {
                    format!("    #{number} {}{by} {people} {}", entry.kind.word(), entry.text)
                });
            }
        }
        looked?;
        let clock = self.clock();
        for (at, deadline) in later {
            self.after(at.duration_since(clock), Event::Deadline(deadline));
        }
        Ok(())
    }

    /// A deadline has passed.
    pub(super) fn look_back(&mut self, deadline: Deadline, is_last: bool) -> Found {
        let wrong = |error: StoreError| (15, error.to_string());
        let clock = self.clock();
        let (due, promise, seen, patience) = match &deadline {
            Deadline::Delivery(id, state, attempt) => {
                let Some(delivery) = self.house.delivery(*id).map_err(wrong)? else { return Ok(()) };
                if delivery.state != *state || delivery.attempt != *attempt {
                    return Ok(());
                }
                match state {
                    DeliveryState::Claimed => {
                        (delivery.lease_until, 10, format!("{id} is claimed since long"), AT_ONCE)
                    }
                    _ => {
                        let provider = delivery.contact.provider();
                        if self.was_full(provider) {
                            // It waits for one of its provider's own places.
                            self.after(AT_ONCE, Event::Deadline(deadline));
                            return Ok(());
                        }
                        let is_other = |(name, outage): (&String, &super::Outage)| {
                            name != provider && outage.until > delivery.not_before
                        };
                        let promise = if self.outages.iter().any(is_other) { 28 } else { 11 };
                        (delivery.not_before, promise, format!("{id} waits to be sent"), AT_ONCE)
                    }
                }
            }
            Deadline::Wake(id, wake, due, since) => {
                if !self.ledger.stands(*id, *wake, *due, *since) {
                    return Ok(());
                }
                let Some(state) = self.house.state(*id).map_err(wrong)? else { return Ok(()) };
                let seen = format!("{wake:?} of alert #{} is due since {due}", state.alert.number);
                ((*due).max(*since), 12, seen, AT_ONCE)
            }
            Deadline::Confirmed(id, attempt, due) => {
                let Some(delivery) = self.house.delivery(*id).map_err(wrong)? else { return Ok(()) };
                let is_current = delivery.state == DeliveryState::Sent && delivery.attempt == *attempt;
                if !is_current || self.ledger.came_in(*id, *attempt) || !self.waits_for(&delivery)? {
                    return Ok(());
                }
                (*due, 27, format!("{id} was not confirmed, and its page waits as if it had been"), AT_ONCE)
            }
            Deadline::PassedOn(id, since) => {
                if !self.waits_alone(*id)? {
                    return Ok(());
                }
                (
                    *since,
                    29,
                    format!("the page of {id} waits for a provider that takes nothing"),
                    PASSED_ON_WITHIN,
                )
            }
            Deadline::Answered(request, since) => {
                if self.ledger.answered.contains_key(request) {
                    return Ok(());
                }
                (*since, 21, format!("request {request} of {since} has no answer"), ANSWERED_WITHIN)
            }
            Deadline::Asked(id) => {
                let Some(record) = self.house.record(*id).map_err(wrong)? else { return Ok(()) };
                let alert = &record.state.alert;
                let says_why = record.history.iter().any(|entry| {
                    matches!(
                        entry.kind,
                        EntryKind::Gap
                            | EntryKind::Held
                            | EntryKind::Deferred
                            | EntryKind::Silenced
                            | EntryKind::Skipped
                            | EntryKind::LastResort
                            | EntryKind::Unanswered
                    )
                });
                let was_tried = record.deliveries.iter().any(|delivery| delivery.delivery.attempt > 0);
                if alert.status != Status::Triggered || says_why || was_tried {
                    return Ok(());
                }
                // A person who has had many messages gets a summary a minute: this one waits for it.
                let is_held = record.deliveries.iter().map(|record| &record.delivery).any(|delivery| {
                    let is_bundled = delivery.not_before > delivery.created_at
                        && clock < delivery.created_at + ASKED_WITHIN * 3;
                    is_bundled || self.was_full(delivery.contact.provider())
                });
                if is_held {
                    self.after(AT_ONCE, Event::Deadline(deadline));
                    return Ok(());
                }
                (
                    clock - ASKED_WITHIN,
                    13,
                    format!("nobody was asked about alert #{}", alert.number),
                    ASKED_WITHIN,
                )
            }
        };
        if clock < due + patience {
            self.after((due + patience).duration_since(clock), Event::Deadline(deadline));
            return Ok(());
        }
        if !self.is_healthy_for(patience) {
            self.after(patience, Event::Deadline(deadline));
            return Ok(());
        }
        if !is_last {
            // In production every loop looks once a second, whatever it is told; here only now.
            self.look_soon();
            self.after(AT_ONCE, Event::LastDeadline(deadline));
            return Ok(());
        }
        Err((promise, seen))
    }

    /// Whether the page of a delivery still waits, and has asked through no other contact since.
    fn waits_alone(&self, id: DeliveryId) -> Result<bool, (u8, String)> {
        let wrong = |error: StoreError| (15, error.to_string());
        let Some(delivery) = self.house.delivery(id).map_err(wrong)? else { return Ok(false) };
        let Some((alert, page)) = delivery.alert.zip(delivery.page) else { return Ok(false) };
        if matches!(delivery.state, DeliveryState::Sent | DeliveryState::Withdrawn) {
            return Ok(false);
        }
        let Some(record) = self.house.record(alert).map_err(wrong)? else { return Ok(false) };
        let mut others = record.deliveries.iter().map(|record| &record.delivery);
        if others.any(|other| {
            other.page == Some(page)
                && other.contact != delivery.contact
                && other.created_at >= delivery.created_at
        }) {
            return Ok(false);
        }
        let mut pages = record.state.pages.iter();
        Ok(pages.any(|one| {
            one.id == page && one.is_live() && one.urgency == Urgency::High && record.state.alert.asks(one)
        }))
    }

    /// Whether the page of a delivery waits for an answer to just this one.
    fn waits_for(&self, delivery: &Delivery) -> Result<bool, (u8, String)> {
        let Some((alert, page)) = delivery.alert.zip(delivery.page) else { return Ok(false) };
        let record = self.house.record(alert).map_err(|error| (15, error.to_string()))?;
        let Some(record) = record else { return Ok(false) };
        // What was sent later asks instead, and what came in otherwise may be answered.
        let is_other_hope = |other: &Delivery| {
            let may_be_in = other.state == DeliveryState::Sent
                && (other.contact.provider() != company::CONFIRMING
                    || self.ledger.came_in(other.id, other.attempt));
            other.created_at > delivery.created_at || (may_be_in && other.id != delivery.id)
        };
        let mut others = record.deliveries.iter().map(|record| &record.delivery);
        let is_newest = !others.any(|other| other.page == Some(page) && is_other_hope(other));
        let mut pages = record.state.pages.iter();
        let page = pages.find(|one| one.id == page && one.is_live() && record.state.alert.asks(one));
        Ok(is_newest && page.is_some_and(|page| page.plan_step == delivery.step && !page.failed))
    }

    /// All has been well for a while: nothing may be left over.
    pub(super) fn end(&mut self) -> Found {
        self.is_over = true;
        let wrong = |error: StoreError| (15, error.to_string());
        let late = self.clock() - AT_ONCE;
        for id in self.house.alerts().map_err(wrong)? {
            let Some(record) = self.house.record(id).map_err(wrong)? else { continue };
            let alert = &record.state.alert;
            self.report.alerts += 1;
            if let Some((wake, at)) = record.state.wakes.iter().find(|(_, at)| **at < late) {
                return Err((16, format!("{wake:?} of alert #{} was due at {at}", alert.number)));
            }
            for delivery in record.deliveries.iter().map(|record| &record.delivery) {
                if self.ledger.is_news(delivery) {
                    let seen =
                        format!("{} of alert #{} changed by itself: {delivery:?}", delivery.id, alert.number);
                    return Err((9, seen));
                }
                let is_left = match delivery.state {
                    DeliveryState::Ready => delivery.not_before < late,
                    DeliveryState::Claimed => delivery.lease_until < late,
                    _ => false,
                };
                if is_left {
                    return Err((16, format!("{} of alert #{} was left over", delivery.id, alert.number)));
                }
                let is_of_ended = delivery.state == DeliveryState::Ready
                    && record
                        .state
                        .pages
                        .iter()
                        .any(|page| Some(page.id) == delivery.page && !page.is_live());
                if is_of_ended {
                    return Err((
                        18,
                        format!("{} of alert #{} waits for nothing", delivery.id, alert.number),
                    ));
                }
            }
        }
        Ok(())
    }
}
