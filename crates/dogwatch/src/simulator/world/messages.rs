//! Messages on their way: what a provider does with them, what it says of them later, and whom they reach.

use escalation::delivery::{Delivery, Outcome, Purpose, Refusal, SEND_DEADLINE, places};
use escalation::receipt::Receipt;
use jiff::{SignedDuration, Timestamp};

use super::{Event, Found, Outage, World};
use crate::simulator::company;
use crate::simulator::dice::Dice;
use crate::simulator::house::House;
use crate::simulator::node::Task;
use crate::simulator::people::{self, Reaction};
use crate::simulator::promises::{AT_ONCE, Deadline, PASSED_ON_WITHIN};
use crate::store::{AlertRef, Claim};

impl<H: House> World<'_, H> {
    pub(super) fn send(&mut self, node: usize, claim: &Claim) -> Found {
        let provider = claim.delivery.contact.provider();
        // What waits for a place is late through no fault of ours.
        let is_calm = self.options.is_calm() && !self.was_full(provider);
        let (now, epoch) = (self.clock(), self.nodes[node].epoch);
        for one in std::iter::once(claim).chain(&claim.others) {
            self.ledger.hand_over(&one.delivery, is_calm, now)?;
            self.report.count("deliveries handed to a provider", 1);
        }
        let delivery = &claim.delivery;
        let faults = &self.options.faults;
        let outage = self.outages.get(provider).copied().filter(|outage| outage.until > self.now);
        let quick = SignedDuration::from_millis(i64::try_from(self.dice.spread(20, 2_000)).unwrap_or(0));
        let accepted = || Outcome::Accepted { provider_id: String::new() };
        let refused = || Outcome::Refused { why: "busy".to_owned(), refusal: Refusal::Passing };
        let unknown = || Outcome::Unknown { why: "no answer within 10 s".to_owned() };
        let (arrives, outcome, wait) = match outage {
            Some(Outage { how: 0, .. }) => (0, refused(), quick),
            Some(Outage { how: 1, .. }) => (0, unknown(), SEND_DEADLINE),
            Some(_) => (1, unknown(), SEND_DEADLINE),
            None if self.is_healed => (1, accepted(), quick),
            None if self.dice.happens(faults.timeouts) => {
                (i32::from(self.dice.one_in(2)), unknown(), SEND_DEADLINE)
            }
            None if self.dice.happens(faults.refusals) => {
                let outcome = match self.dice.below(3) {
                    0 => Outcome::Refused { why: "no such number".to_owned(), refusal: Refusal::Contact },
                    1 => refused(),
                    _ => Outcome::RetryAfter { pause: SignedDuration::from_secs(20), why: "busy".to_owned() },
                };
                (0, outcome, quick)
            }
            None if self.dice.happens(faults.losses) => (0, accepted(), quick),
            None if self.dice.happens(faults.duplicates) => (2, accepted(), quick),
            None => (1, accepted(), quick),
        };
        if outage.is_some() || matches!(outcome, Outcome::Unknown { .. } | Outcome::Refused { .. }) {
            self.report.count("sends that failed", 1);
        }
        self.report.say(self.now, || {
            let words = format!("{} to {} ({})", delivery.purpose.word(), delivery.contact, delivery.id);
            format!("{words} attempt {}: {outcome}, arrives {arrives} times", delivery.attempt)
        });
        let awaits = provider == company::CONFIRMING;
        if awaits && matches!(outcome, Outcome::Accepted { .. }) {
            self.confirm(delivery, arrives > 0);
        }
        for _ in 0..arrives {
            let latency =
                SignedDuration::from_millis(i64::try_from(self.dice.spread(50, 20_000)).unwrap_or(0));
            for one in std::iter::once(claim).chain(&claim.others) {
                self.after(latency, Event::Arrive { delivery: one.delivery.clone() });
            }
        }
        if outage.is_some() {
            for one in std::iter::once(claim).chain(&claim.others) {
                self.expect_another(&one.delivery);
            }
        }
        *self.nodes[node].busy.entry(provider.to_owned()).or_default() += 1;
        self.note_places(node, provider);
        let (id, token, provider) = (delivery.id, delivery.attempt, provider.to_owned());
        let task = Task::Settle { id, token, provider, outcome, tries: 0, awaits };
        self.after(wait, Event::Outcome { node, epoch, task });
        Ok(())
    }

    /// The provider of a page takes nothing: soon its person has to be asked in another way.
    fn expect_another(&mut self, delivery: &Delivery) {
        // Edits may have changed a plan since.
        let person = delivery.person.as_ref().filter(|_| self.options.edits == 0);
        let has_another = person
            .is_some_and(|person| company::has_other_contact(self.options, person.as_str(), delivery.step));
        if has_another && delivery.purpose == Purpose::Page && delivery.page.is_some() {
            let deadline = Deadline::PassedOn(delivery.id, self.clock());
            self.after(PASSED_ON_WITHIN, Event::Deadline(deadline));
        }
    }

    /// Remembers when all places of a provider were taken on a node.
    fn note_places(&mut self, node: usize, provider: &str) {
        if self.is_full(node, provider) {
            self.full_at.insert(provider.to_owned(), self.now);
        }
    }

    fn is_full(&self, node: usize, provider: &str) -> bool {
        self.nodes[node].busy.get(provider).is_some_and(|busy| *busy >= places(provider))
    }

    /// Whether all places of a provider are taken on a node, or were a short while ago.
    pub(super) fn was_full(&self, provider: &str) -> bool {
        let is_recent = |at: &Timestamp| self.now.duration_since(*at) < AT_ONCE * 3;
        self.full_at.get(provider).is_some_and(is_recent)
            || (0..self.nodes.len()).any(|node| self.is_full(node, provider))
    }

    /// What a provider says of a message that it took: late or early, twice or never, in any order.
    fn confirm(&mut self, delivery: &Delivery, arrives: bool) {
        let (id, attempt) = (delivery.id, delivery.attempt);
        let faults = &self.options.faults;
        let last = match () {
            () if arrives && !self.dice.happens(faults.receipts) => Some(Receipt::Arrived),
            () if self.dice.one_in(2) => Some(Receipt::Failed),
            // Nothing more is said, or nothing at all.
            () if self.dice.one_in(2) => None,
            () => return,
        };
        let mut said: Vec<Receipt> = std::iter::once(Receipt::Underway).chain(last).collect();
        if self.dice.happens(faults.duplicates) {
            said.extend(last.into_iter().chain([Receipt::Underway]));
        }
        for receipt in said {
            let after = SignedDuration::from_millis(i64::try_from(self.dice.spread(10, 60_000)).unwrap_or(0));
            self.report.count("receipts", 1);
            self.after(after, Event::Ask(Task::Receive { id, attempt, receipt }));
        }
    }

    pub(super) fn outcome(&mut self, node: usize, epoch: u32, task: Task) {
        let one = &self.nodes[node];
        if one.epoch != epoch {
            return;
        }
        match one.frozen_until {
            Some(until) => {
                let wait = until.duration_since(self.now).max(SignedDuration::from_millis(1));
                self.after(wait, Event::Outcome { node, epoch, task });
            }
            None => {
                if let Task::Settle { provider, tries: 0, .. } = &task {
                    self.note_places(node, provider);
                    let was_full = self.is_full(node, provider);
                    let busy = self.nodes[node].busy.entry(provider.clone()).or_default();
                    *busy = busy.saturating_sub(1);
                    if was_full {
                        self.plan(node, false, self.now);
                    }
                }
                self.give(node, task);
            }
        }
    }

    /// A message has arrived: its person may do something.
    pub(super) fn arrive(&mut self, delivery: &Delivery) {
        self.report.count("messages that arrived", 1);
        let (Some(person), Some(id)) = (&delivery.person, delivery.alert) else { return };
        if !self.reacted.insert((person.to_string(), id, delivery.round)) {
            return;
        }
        let Ok(Some(state)) = self.house.state(id) else { return };
        let mut dice =
            Dice::of(self.options.seed, person.as_str(), state.alert.number << 8 | u64::from(delivery.round));
        for Reaction { after, input, wants_it } in
            people::react(&mut dice, person, delivery, self.clock(), self.options)
        {
            if wants_it {
                self.ledger.wanted.insert(id);
            }
            self.after(after, Event::Ask(Task::Act { alert: AlertRef::Id(id), input: Box::new(input) }));
        }
    }
}
