//! A store's rows with a point before and after each call: where others may go on, where a call may fail, and where
//! what was committed is noted.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use escalation::alert::{Alert, Audience, State};
use escalation::contact::Contact;
use escalation::delivery::{Delivery, Outcome};
use escalation::duty::Roster;
use escalation::effect::Entry;
use escalation::id::{AlertId, DeliveryId, PageId};
use escalation::mailbox::Mailbox;
use escalation::name::Name;
use escalation::wake::Wake;
use jiff::Timestamp;
use serde_json::Value;

use super::dice::Dice;
use crate::definition::{Definitions, Kind, Owner};
use crate::store::rows::{
    FirstLine, HeartbeatRow, Keys, Known, Look, Place, ReceiptRow, Rows, Subject, Try, Versions, WatchedPost,
};
use crate::store::{Access, AlertRef, Idempotency, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

/// What the world decides about calls of the store, and hears of them.
pub(super) struct Gate {
    /// What decides which call fails.
    pub(super) dice: Dice,
    /// Calls that fail, of 10,000.
    pub(super) errors: u32,
    /// Commits of which nobody hears, of 10,000.
    pub(super) lost_commits: u32,
    /// Others may go on at each point.
    pub(super) interleaves: bool,
    /// Alerts of which something was committed, since the world last looked.
    pub(super) committed: Touched,
    /// Calls that were made to fail.
    pub(super) failed: u64,
    /// Commits that were made and not heard of.
    pub(super) lost: u64,
}

/// Alerts of which something was written.
pub(super) type Touched = BTreeMap<AlertId, Touch>;

/// What was written of an alert.
#[derive(Debug, Default)]
pub(super) struct Touch {
    /// Those of its deliveries that were named.
    pub(super) deliveries: BTreeSet<DeliveryId>,
    /// Any that was not settled may have been withdrawn.
    pub(super) withdrawn: bool,
}

/// Rows behind a gate.
pub(super) struct Points<R> {
    rows: R,
    gate: Rc<RefCell<Gate>>,
    touched: Touched,
}

impl<R> Points<R> {
    pub(super) fn new(rows: R, gate: Rc<RefCell<Gate>>) -> Self {
        Self { rows, gate, touched: Touched::new() }
    }

    /// Something of an alert was written, perhaps one of its deliveries.
    fn touch(&mut self, what: Option<(AlertId, Option<DeliveryId>)>) {
        let Some((alert, delivery)) = what else { return };
        self.touched.entry(alert).or_default().deliveries.extend(delivery);
    }

    /// Something of alerts was written.
    fn touch_all(&mut self, alerts: impl Iterator<Item = AlertId>) {
        alerts.for_each(|alert| self.touch(Some((alert, None))));
    }

    /// Those of an alert that wait were withdrawn.
    fn withdrawn_of(&mut self, alert: AlertId) {
        self.touched.entry(alert).or_default().withdrawn = true;
    }

    /// Lets others go on, and may fail.
    async fn point(&self) -> Result<()> {
        self.turn().await;
        self.luck()
    }

    /// Lets others go on.
    async fn turn(&self) {
        let interleaves = self.gate.borrow().interleaves;
        if interleaves {
            let mut was_here = false;
            poll_fn(|_| {
                let is_ready = std::mem::replace(&mut was_here, true);
                if is_ready { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
    }

    /// A call may fail.
    fn luck(&self) -> Result<()> {
        let mut gate = self.gate.borrow_mut();
        let errors = gate.errors;
        if gate.dice.happens(errors) {
            gate.failed += 1;
            return Err(StoreError::Unavailable("the simulator let this call fail".to_owned()));
        }
        Ok(())
    }
}

/// Methods that do nothing else but pass a point and go on.
macro_rules! through {
    ($($(#[$touches:ident $by:expr])? async fn $name:ident(&mut self $(, $arg:ident: $type:ty)*) -> $ret:ty;)*) => {
        $(async fn $name(&mut self $(, $arg: $type)*) -> Result<$ret> {
            self.point().await?;
            let answer = self.rows.$name($($arg),*).await?;
            $(self.$touches($by);)?
            self.luck()?;
            Ok(answer)
        })*
    };
}

impl<R: Rows> Rows for Points<R> {
    const ARE_SHARED: bool = R::ARE_SHARED;

    async fn begin(&mut self) -> Result<()> {
        self.touched.clear();
        self.point().await?;
        self.rows.begin().await
    }

    async fn commit(&mut self) -> Result<()> {
        self.point().await?;
        self.rows.commit().await?;
        let touched = std::mem::take(&mut self.touched);
        let is_lost = {
            let mut gate = self.gate.borrow_mut();
            for (alert, touch) in touched {
                let known = gate.committed.entry(alert).or_default();
                known.deliveries.extend(touch.deliveries);
                known.withdrawn |= touch.withdrawn;
            }
            let part = gate.lost_commits;
            gate.dice.happens(part)
        };
        if is_lost {
            self.gate.borrow_mut().lost += 1;
            return Err(StoreError::Unavailable("the simulator lost the answer to this commit".to_owned()));
        }
        self.point().await
    }

    async fn rollback(&mut self) {
        self.touched.clear();
        self.rows.rollback().await;
    }

    #[cfg(feature = "mutants")]
    fn distort(
        &self,
        before: &State,
        input: &escalation::event::Input,
        stepped: &mut escalation::alert::Stepped,
    ) {
        self.rows.distort(before, input, stepped);
    }

    through! {
        async fn open_alert(&mut self, integration: &str, dedup_key: &str) -> Option<AlertId>;
        async fn known(&mut self, keys: &[Keys<'_>]) -> Vec<Known>;
        async fn resolve(&mut self, alert: AlertRef) -> Option<AlertId>;
        async fn alert(&mut self, id: AlertId) -> Option<Alert>;
        async fn state(&mut self, id: AlertId) -> Option<State>;
        async fn states_if_free(&mut self, ids: &[AlertId]) -> Vec<Try<Option<State>>>;
        async fn begun(&mut self, team: &str) -> Vec<AlertId>;
        async fn begun_since(&mut self, audience: &Audience, since: Timestamp) -> u64;
        async fn open_alerts(&mut self, after: Option<&Place>, most: usize) -> (Vec<Alert>, Option<Place>);
        #[touch_all states.iter().map(|state| state.alert.id)]
        async fn insert_alerts(&mut self, states: &[&State]) -> Vec<u64>;
        #[touch Some((after.alert.id, None))]
        async fn update_alert(&mut self, before: &State, after: &State) -> bool;
        #[touch Some((alert, None))]
        async fn append(&mut self, alert: AlertId, entry: &Entry, key: Option<&Idempotency>) -> ();
        #[touch_all lines.iter().map(|line| line.alert)]
        async fn append_first(&mut self, lines: &[FirstLine<'_>]) -> ();
        async fn followers(&mut self, alert: AlertId) -> Vec<Name>;
        async fn put_out(&mut self, subscriber: &str, alert: AlertId, at: Timestamp, body: &Value) -> ();
        async fn due_wakes(&mut self, now: Timestamp, most: usize) -> Vec<(AlertId, Wake)>;
        async fn next_wake(&mut self) -> Option<Timestamp>;
        async fn delivery(&mut self, id: DeliveryId) -> Option<Delivery>;
        async fn of_bundle(&mut self, bundle: DeliveryId) -> Vec<Delivery>;
        async fn ready_providers(&mut self) -> Vec<String>;
        async fn first_ready(&mut self, provider: &str) -> Option<Timestamp>;
        async fn ready(&mut self, provider: &str, now: Timestamp, most: usize) -> Vec<Delivery>;
        async fn expired(&mut self, until: Timestamp) -> (Vec<Delivery>, Option<Timestamp>);
        async fn subjects(&mut self, deliveries: &[Delivery]) -> Vec<Try<Option<Subject>>>;
        #[touch delivery.alert.map(|alert| (alert, Some(delivery.id)))]
        async fn insert_delivery(&mut self, delivery: &Delivery) -> ();
        #[touch delivery.alert.map(|alert| (alert, Some(delivery.id)))]
        async fn update_delivery(&mut self, delivery: &Delivery) -> ();
        #[touch delivery.alert.map(|alert| (alert, Some(delivery.id)))]
        async fn settle_delivery(&mut self, delivery: &Delivery, outcome: &Outcome, now: Timestamp) -> ();
        #[withdrawn_of alert]
        async fn withdraw(&mut self, alert: AlertId, page: Option<PageId>, to: Option<&Contact>) -> ();
        async fn receipt(&mut self, id: DeliveryId, attempt: u8) -> Option<ReceiptRow>;
        async fn save_receipt(&mut self, row: &ReceiptRow) -> ();
        async fn due_receipts(&mut self, now: Timestamp) -> (Vec<(DeliveryId, u8)>, Option<Timestamp>);
        async fn note_receipt(&mut self, row: &ReceiptRow, now: Timestamp) -> ();
        async fn mailbox(&mut self, person: &Name) -> Try<Mailbox>;
        async fn save_mailbox(&mut self, person: &Name, mailbox: &Mailbox) -> ();
        async fn due_posts(&mut self, now: Timestamp, most: usize) -> Vec<WatchedPost>;
        async fn next_post(&mut self) -> Option<Timestamp>;
        async fn watched_roles(&mut self, roster: &Roster) -> Vec<String>;
        async fn watched_rosters(&mut self) -> Vec<Roster>;
        async fn watch_post(&mut self, roster: &Roster, role: &str, at: Timestamp) -> ();
        async fn save_post(&mut self, post: &WatchedPost, check_at: Option<Timestamp>) -> ();
        async fn forget_post(&mut self, roster: &Roster, role: &str) -> ();
        async fn look(&mut self) -> Try<Look>;
        async fn save_look(&mut self, look: &Look) -> ();
        async fn heartbeat(&mut self, name: &str) -> Option<HeartbeatRow>;
        async fn heartbeats(&mut self) -> Vec<HeartbeatRow>;
        async fn due_heartbeats(&mut self, now: Timestamp, most: usize) -> Vec<HeartbeatRow>;
        async fn next_heartbeat(&mut self) -> Option<Timestamp>;
        async fn save_heartbeat(&mut self, row: &HeartbeatRow) -> ();
        async fn forget_heartbeat(&mut self, name: &str) -> ();
        async fn revoke_keys(&mut self, integration: &str, now: Timestamp) -> u64;
        async fn lock_definitions(&mut self) -> ();
        async fn versions(&mut self, known: Versions) -> Versions;
        async fn definitions(&mut self, definitions: Definitions) -> Definitions;
        async fn insert_definition(
            &mut self,
            now: Timestamp,
            kind: Kind,
            name: &str,
            body: Option<&serde_json::Value>,
            owner: &Owner
        ) -> u64;
        async fn access(&mut self) -> Access;
    }
}
