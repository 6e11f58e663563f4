//! What leaves the house because an alert changed, written in the transaction that changes it.

use escalation::alert::{Alert, Audience};
use escalation::delivery::{Delivery, Purpose};
use escalation::effect::{Effect, Entry, EntryKind};
use escalation::id::{AlertId, Ids};
use serde_json::{Value, json};

use super::Core;
use crate::store::outgoing::Listener;
use crate::store::rows::Rows;
use crate::store::{AlertRef, StoreError};

impl<R: Rows> Core<R> {
    /// From now on these are told.
    pub(crate) fn listen(&mut self, listeners: Vec<Listener>) {
        self.listeners = listeners.into();
    }

    pub(crate) async fn id_of(&mut self, alert: AlertRef) -> Result<Option<AlertId>, StoreError> {
        self.rows.resolve(alert).await
    }

    /// Tells everybody who wants to know that this has happened to an alert, which is now as it is given.
    pub(super) async fn tell_outside(
        &mut self,
        alert: &Alert,
        number: u64,
        entry: &Entry,
        effects: &[Effect],
    ) -> Result<(), StoreError> {
        let listeners = self.listeners.clone();
        let mut listeners = listeners.iter().filter(|listener| wants(listener, alert, entry.kind)).peekable();
        if listeners.peek().is_some() {
            let body = body(alert, number, entry);
            for listener in listeners {
                self.rows.put_out(&listener.name, alert.id, entry.at, &body).await?;
            }
            self.stirred.seen = true;
        }
        match told(entry) {
            Some(text) => self.tell_followers(alert, entry, &text, effects).await,
            None => Ok(()),
        }
    }

    /// A notice to everybody who follows the alert, but whoever did it and whoever is told of it anyhow.
    async fn tell_followers(
        &mut self,
        alert: &Alert,
        entry: &Entry,
        text: &str,
        effects: &[Effect],
    ) -> Result<(), StoreError> {
        let definitions = self.memory.definitions.clone();
        for follower in self.rows.followers(alert.id).await? {
            let did_it = entry.by.as_ref().is_some_and(|by| by.person.as_ref() == Some(&follower));
            let is_told = effects.iter().any(|effect| match effect {
                Effect::Deliver(delivery) => delivery.person.as_ref() == Some(&follower),
                _ => false,
            });
            let contact =
                definitions.directory().people.get(&follower).and_then(|person| person.quiet_contact());
            let Some(contact) = contact.filter(|_| !did_it && !is_told) else { continue };
            let mut ids = Ids { now: entry.at, chance: &mut *self.chance };
            let purpose = Purpose::Notice;
            let mut delivery =
                Delivery::without_alert(&mut ids, Some(follower), contact, purpose, text.to_owned());
            delivery.alert = Some(alert.id);
            delivery.round = alert.round;
            self.rows.insert_delivery(&delivery).await?;
            self.stirred.deliveries = true;
        }
        Ok(())
    }
}

fn wants(listener: &Listener, alert: &Alert, kind: EntryKind) -> bool {
    let of_team = match &alert.audience {
        Audience::Team(team) => listener.teams.contains(team),
        Audience::Person(_) => false,
    };
    (listener.teams.is_empty() || of_team) && (listener.kinds.is_empty() || listener.kinds.contains(&kind))
}

/// What followers are told, in English; the catalogue has it in other languages. Nothing of what only concerns those who
/// are paged, nor of how an alert begins.
fn told(entry: &Entry) -> Option<String> {
    let by = entry.by.as_ref().map_or("somebody", |by| by.label.as_str());
    Some(match entry.kind {
        EntryKind::Acknowledged => format!("{by} has it"),
        EntryKind::Unacknowledged | EntryKind::AckTimeout => {
            "nobody has it any more; others are asked".to_owned()
        }
        EntryKind::Resolved => format!("resolved by {by}; nothing more to do"),
        EntryKind::Unanswered => "nobody answered".to_owned(),
        EntryKind::Escalated => format!("{by} asks for the next step"),
        EntryKind::Snoozed => format!("{by} put it aside"),
        EntryKind::Silenced => "silenced; nothing to do for now".to_owned(),
        EntryKind::Reassigned => format!("{by} passed it on"),
        EntryKind::MergedInto => format!("{by} put it together with another"),
        EntryKind::Reopened => "it is back".to_owned(),
        EntryKind::Note => format!("{by} notes: {}", entry.text),
        _ => return None,
    })
}

/// What a subscriber is told: the change, and the alert as it is now.
fn body(alert: &Alert, number: u64, entry: &Entry) -> Value {
    let (team, person) = match &alert.audience {
        Audience::Team(name) => (Some(name.as_str()), None),
        Audience::Person(name) => (None, Some(name.as_str())),
    };
    let agent = entry.by.as_ref().map(|by| {
        json!({ "name": by.label, "person": by.person.as_ref().map(|name| name.as_str()), "via": by.via.word() })
    });
    let people: Vec<&str> = entry.people.iter().map(|name| name.as_str()).collect();
    json!({
        "event_type": format!("alert.{}", entry.kind.word()),
        "resource_type": "alert",
        "occurred_at": entry.at.to_string(),
        "agent": agent,
        "change": {
            "kind": entry.kind.word(),
            "text": entry.text,
            "round": entry.round,
            "step": entry.step.map(|step| step + 1),
            "people": people,
        },
        "data": {
            "id": alert.id.to_string(),
            "number": number,
            "team": team,
            "person": person,
            "integration": alert.integration,
            "dedup_key": alert.dedup_key,
            "status": alert.status.word(),
            "severity": alert.severity.word(),
            "summary": alert.summary,
            "details": alert.details,
            "created_at": alert.created_at.to_string(),
            "round": alert.round,
            "acknowledged_by": alert.acknowledged.as_ref().map(|act| act.by.label.as_str()),
            "resolved_by": alert.resolved.as_ref().map(|act| act.by.label.as_str()),
        },
    })
}
