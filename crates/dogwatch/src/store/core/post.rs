//! The post: what is claimed, what goes out with what, and what came of it.

use std::collections::BTreeMap;

use escalation::alert::Alert;
use escalation::contact::Contact;
use escalation::delivery::{Delivery, Outcome, Purpose, State as DeliveryState};
use escalation::event::{Input, Settled};
use escalation::id::DeliveryId;
use escalation::mailbox::{MOST_TOGETHER, Mailbox, Post, collects};
use escalation::name::Name;
use escalation::page::Page;
use jiff::Timestamp;

use super::{BUSY_FOR, Core};
use crate::store::rows::{Rows, Subject, Try};
use crate::store::{Capacity, Claim, Claims, StoreError};

/// Deliveries that are read at once. More may be claimed: what leaves in one message needs one place only.
const BATCH: usize = 256;
/// How many deliveries one transaction looks at, at most.
const MOST_EXAMINED: usize = 1_024;

/// What a message is collected for: a contact, and pages or notices.
type Envelope = (Contact, Purpose);

/// A delivery that is ready, with what it speaks of.
type Ready = (Delivery, Option<Alert>, Option<Page>);

/// The messages that leave in one transaction.
#[derive(Default)]
struct Leaving {
    claims: Vec<Claim>,
    /// Where the message stands to which more may be added.
    collected: BTreeMap<Envelope, usize>,
    /// Where the message stands that is tried again.
    again: BTreeMap<DeliveryId, usize>,
    mailboxes: BTreeMap<Name, Mailbox>,
    /// How many deliveries were looked at.
    examined: usize,
    /// There is more, for another transaction.
    has_more: bool,
    /// Something was left for later, because another node has it under its hands.
    is_busy: bool,
}

/// What becomes of a delivery that may be sent.
enum Place {
    /// Another node has the person's mailbox under its hands: later.
    Busy,
    /// It has a message of its own.
    Own,
    /// It goes with the message that stands there.
    With(usize),
    /// It waits.
    Later(Timestamp),
}

impl<R: Rows> Core<R> {
    pub(crate) async fn claim(&mut self, now: Timestamp, capacity: &Capacity) -> Result<Claims, StoreError> {
        let (expired, mut next) = self.rows.expired(now).await?;
        for delivery in expired {
            let why = "whoever was sending it did not come back".to_owned();
            self.settle_delivery(now, delivery.attempt, delivery, &Outcome::Unknown { why }, None).await?;
        }
        let receipts = self.receipts_due(now).await?;
        next = next.into_iter().chain(receipts).min();
        let mut leaving = Leaving::default();
        for provider in self.rows.ready_providers().await? {
            let busy = capacity.busy.get(&provider).copied().unwrap_or(0);
            let free = (capacity.limit)(&provider).saturating_sub(busy);
            let most = leaving.claims.len() + free.min(capacity.most.saturating_sub(leaving.claims.len()));
            let is_through = self.claim_of(&provider, now, most, &mut leaving).await?;
            // Where places are short, a send that ends looks again.
            let first = if is_through { self.rows.first_ready(&provider).await? } else { None };
            next = [next, first].into_iter().flatten().min();
        }
        for (person, mailbox) in &leaving.mailboxes {
            self.rows.save_mailbox(person, mailbox).await?;
        }
        let again = leaving.is_busy.then(|| now + BUSY_FOR);
        let again = if leaving.has_more { Some(now) } else { again };
        Ok(Claims { claims: leaving.claims, next: next.into_iter().chain(again).min() })
    }

    /// Claims what is ready for one provider, up to `most` messages in all. Returns whether nothing is left.
    async fn claim_of(
        &mut self,
        provider: &str,
        now: Timestamp,
        most: usize,
        leaving: &mut Leaving,
    ) -> Result<bool, StoreError> {
        while leaving.claims.len() < most {
            // What is looked at is locked: who acknowledges meanwhile waits.
            if leaving.examined >= MOST_EXAMINED {
                leaving.has_more = true;
                return Ok(false);
            }
            let ready = self.rows.ready(provider, now, BATCH).await?;
            leaving.examined += ready.len();
            let is_last = ready.len() < BATCH;
            let (ready, is_busy) = self.gravest_first(ready).await?;
            leaving.is_busy |= is_busy;
            for (mut delivery, alert, page) in ready {
                if leaving.claims.len() >= most {
                    return Ok(false);
                }
                // The alert was read inside the transaction that claims, and is locked: what has been answered
                // is not paged.
                if delivery.is_wanted(alert.as_ref(), page.as_ref(), now) {
                    match self.place(&mut delivery, alert.as_ref(), now, leaving).await? {
                        Place::Own => {
                            delivery.claim(now);
                            leaving.claims.push(Claim {
                                delivery: delivery.clone(),
                                alert,
                                page,
                                others: Vec::new(),
                            });
                        }
                        Place::With(place) => {
                            delivery.claim(now);
                            let other = Claim { delivery: delivery.clone(), alert, page, others: Vec::new() };
                            self.join(other, &mut leaving.claims[place]).await?;
                        }
                        Place::Later(at) => delivery.not_before = at,
                        Place::Busy => {
                            leaving.is_busy = true;
                            continue;
                        }
                    }
                } else {
                    delivery.state = DeliveryState::Withdrawn;
                }
                self.rows.update_delivery(&delivery).await?;
            }
            if is_last {
                return Ok(true);
            }
            // What is busy would be read again at once.
            if leaving.is_busy {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// With what they speak of, the gravest first, then the oldest; and whether some were left out, because another
    /// node has their alert under its hands.
    async fn gravest_first(&mut self, ready: Vec<Delivery>) -> Result<(Vec<Ready>, bool), StoreError> {
        let mut all = Vec::with_capacity(ready.len());
        let mut is_busy = false;
        let subjects = self.rows.subjects(&ready).await?;
        for (delivery, subject) in ready.into_iter().zip(subjects) {
            match subject {
                Try::Got(subject) => {
                    let (alert, page): Subject = subject.unwrap_or_default();
                    all.push((delivery, alert, page));
                }
                Try::Busy => is_busy = true,
            }
        }
        all.sort_by_key(|(_, alert, _)| {
            alert.as_ref().map(|alert| (std::cmp::Reverse(alert.severity), alert.number))
        });
        Ok((all, is_busy))
    }

    /// Asks the person's mailbox.
    async fn place(
        &mut self,
        delivery: &mut Delivery,
        alert: Option<&Alert>,
        now: Timestamp,
        leaving: &mut Leaving,
    ) -> Result<Place, StoreError> {
        let (Some(person), Some(alert)) = (&delivery.person, alert.filter(|_| collects(delivery))) else {
            return Ok(Place::Own);
        };
        let envelope = (delivery.contact.clone(), delivery.purpose);
        let has_room = |place: &&usize| leaving.claims[**place].others.len() + 1 < MOST_TOGETHER;
        let open = leaving.collected.get(&envelope).filter(has_room).copied();
        if !leaving.mailboxes.contains_key(person) {
            let Try::Got(mailbox) = self.rows.mailbox(person).await? else { return Ok(Place::Busy) };
            leaving.mailboxes.insert(person.clone(), mailbox);
        }
        let Some(mailbox) = leaving.mailboxes.get_mut(person) else { return Ok(Place::Own) };
        let here = leaving.claims.len();
        Ok(match (mailbox.post(delivery, alert, open.is_some(), now), open) {
            (Post::Alone, _) => Place::Own,
            (Post::Later(at), _) => Place::Later(at),
            (Post::Together, Some(place)) => {
                delivery.bundle = Some(bundle_of(&leaving.claims[place]));
                Place::With(place)
            }
            (Post::Together, None) => {
                leaving.collected.insert(envelope, here);
                Place::Own
            }
            (Post::Again, _) => {
                let bundle = delivery.bundle.unwrap_or(delivery.id);
                match leaving.again.get(&bundle) {
                    Some(place) => Place::With(*place),
                    None => {
                        leaving.again.insert(bundle, here);
                        Place::Own
                    }
                }
            }
        })
    }

    /// Adds a delivery to a message.
    async fn join(&mut self, other: Claim, message: &mut Claim) -> Result<(), StoreError> {
        if message.delivery.bundle.is_none() {
            message.delivery.bundle = Some(message.delivery.id);
            self.rows.update_delivery(&message.delivery).await?;
        }
        message.others.push(other);
        Ok(())
    }

    pub(crate) async fn settle(
        &mut self,
        now: Timestamp,
        id: DeliveryId,
        token: u8,
        outcome: &Outcome,
    ) -> Result<(), StoreError> {
        let Some(delivery) = self.rows.delivery(id).await? else { return Ok(()) };
        let (bundle, lease) = (delivery.bundle, delivery.lease_until);
        let settled = self.settle_delivery(now, token, delivery, outcome, None).await?;
        // What went out in the same message had the same luck, and goes again with it.
        let (Some(bundle), Some(again)) = (bundle, settled) else { return Ok(()) };
        for other in self.rows.of_bundle(bundle).await? {
            if other.id != id && other.state == DeliveryState::Claimed && other.lease_until == lease {
                self.settle_delivery(now, other.attempt, other, outcome, Some(again)).await?;
            }
        }
        Ok(())
    }

    /// Stores what came of one delivery, and tells its alert. With a token that is not the newest nothing changes;
    /// else the answer is when it may be tried again. `again` says when, where others decide it.
    pub(super) async fn settle_delivery(
        &mut self,
        now: Timestamp,
        token: u8,
        mut delivery: Delivery,
        outcome: &Outcome,
        again: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, StoreError> {
        let Some(settled) = delivery.settle(token, outcome, now, &mut *self.chance) else { return Ok(None) };
        if let (Some(again), DeliveryState::Ready) = (again, delivery.state) {
            delivery.not_before = again;
        }
        self.rows.settle_delivery(&delivery, outcome, now).await?;
        self.stirred.seen = true;
        self.stirred.deliveries |= delivery.state == DeliveryState::Ready;
        self.tell_alert(now, &delivery, settled).await?;
        Ok(Some(delivery.not_before))
    }

    async fn tell_alert(
        &mut self,
        now: Timestamp,
        delivery: &Delivery,
        settled: Settled,
    ) -> Result<(), StoreError> {
        if settled.purpose != Purpose::Page {
            return Ok(());
        }
        let Some(alert) = delivery.alert else { return Ok(()) };
        let Some(before) = self.rows.state(alert).await? else { return Ok(()) };
        let state = self.step(now, before, &Input::Settled(settled), None).await?.state;
        let page = state.pages.iter().find(|page| Some(page.id) == delivery.page);
        if delivery.state == DeliveryState::Ready && !delivery.is_wanted(Some(&state.alert), page, now) {
            // A retry that nobody waits for any more need not stay in the queue.
            let withdrawn = Delivery { state: DeliveryState::Withdrawn, ..delivery.clone() };
            self.rows.update_delivery(&withdrawn).await?;
        }
        Ok(())
    }
}

/// The name of the message that a claim leads.
fn bundle_of(message: &Claim) -> DeliveryId {
    message.delivery.bundle.unwrap_or(message.delivery.id)
}
