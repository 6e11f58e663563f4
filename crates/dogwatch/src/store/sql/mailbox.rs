//! What has gone out to each person lately, one row a person.

use escalation::alert::Audience;
use escalation::event::Severity;
use escalation::id::AlertId;
use escalation::mailbox::{AlertKind, Mailbox, Window};
use escalation::name::Name;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::codec::{contact, from_json, instant, name, to_json, word};
use super::{Sql, values};
use crate::store::StoreError;

#[derive(Serialize, Deserialize)]
struct MailboxRow {
    sent: Vec<i64>,
    windows: Vec<WindowRow>,
}

#[derive(Serialize, Deserialize)]
struct WindowRow {
    contact: String,
    pages: bool,
    until: i64,
    soon: Option<i64>,
    only: Option<[u8; 16]>,
    kinds: Vec<KindRow>,
}

#[derive(Serialize, Deserialize)]
struct KindRow {
    team: Option<String>,
    person: Option<String>,
    integration: String,
    severity: String,
}

/// A person's mailbox, locked, without waiting; an empty one where nothing has gone out; none: somebody else has it.
pub(super) async fn lock<S: Sql>(sql: &mut S, person: &Name) -> Result<Option<Mailbox>, StoreError> {
    let statement = format!("SELECT body FROM mailbox WHERE person = ?1{}", S::LOCK_FREE);
    let mut found = sql.first(&statement, values![person.as_str()]).await?;
    if found.is_none() && S::HAS_OTHERS {
        // A row that is not there can't be locked.
        let empty = to_json(&write(&Mailbox::default()))?;
        let add = "INSERT INTO mailbox (person, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        sql.change(add, values![person.as_str(), &empty]).await?;
        found = sql.first(&statement, values![person.as_str()]).await?;
        if found.is_none() {
            return Ok(None);
        }
    }
    let body = found.map(|mut row| row.get::<String>(0)).transpose()?;
    body.map_or_else(|| Ok(Mailbox::default()), |body| read(from_json(&body)?)).map(Some)
}

/// Saves a person's mailbox.
pub(super) async fn save(sql: &mut impl Sql, person: &Name, mailbox: &Mailbox) -> Result<(), StoreError> {
    let statement = "INSERT INTO mailbox (person, body) VALUES (?1, ?2) \
         ON CONFLICT (person) DO UPDATE SET body = excluded.body";
    sql.change(statement, values![person.as_str(), &to_json(&write(mailbox))?]).await
}

fn read(row: MailboxRow) -> Result<Mailbox, StoreError> {
    let windows = row.windows.into_iter().map(|window| {
        Ok(Window {
            contact: contact(&window.contact)?,
            pages: window.pages,
            until: instant(window.until)?,
            soon: window.soon.map(instant).transpose()?,
            only: window.only.map(AlertId::from_bytes),
            kinds: window.kinds.iter().map(read_kind).collect::<Result<_, _>>()?,
        })
    });
    Ok(Mailbox {
        sent: row.sent.into_iter().map(instant).collect::<Result<_, _>>()?,
        windows: windows.collect::<Result<_, StoreError>>()?,
    })
}

fn read_kind(row: &KindRow) -> Result<AlertKind, StoreError> {
    let audience = match (&row.team, &row.person) {
        (Some(team), _) => Audience::Team(name(team)?),
        (None, person) => Audience::Person(name(person.as_deref().unwrap_or_default())?),
    };
    Ok(AlertKind {
        audience,
        integration: row.integration.clone(),
        severity: word(&Severity::ALL, Severity::word, &row.severity)?,
    })
}

fn write(mailbox: &Mailbox) -> MailboxRow {
    let windows = mailbox.windows.iter().map(|window| WindowRow {
        contact: window.contact.to_string(),
        pages: window.pages,
        until: window.until.as_millisecond(),
        soon: window.soon.map(Timestamp::as_millisecond),
        only: window.only.map(AlertId::to_bytes),
        kinds: window.kinds.iter().map(write_kind).collect(),
    });
    MailboxRow {
        sent: mailbox.sent.iter().map(|at| at.as_millisecond()).collect(),
        windows: windows.collect(),
    }
}

fn write_kind(kind: &AlertKind) -> KindRow {
    let (team, person) = match &kind.audience {
        Audience::Team(name) => (Some(name.to_string()), None),
        Audience::Person(name) => (None, Some(name.to_string())),
    };
    KindRow { team, person, integration: kind.integration.clone(), severity: kind.severity.word().to_owned() }
}
