//! Posts that are watched: each role of each roster, with what was seen of it last.

use escalation::duty::Roster;
use escalation::watch::{Reminded, Seen};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::codec::{corrupt, from_json, instant, name, to_json};
use crate::store::StoreError;
use crate::store::rows::WatchedPost;

#[derive(Serialize, Deserialize)]
struct SeenRow {
    at: i64,
    people: Vec<String>,
    /// Who, from when, and how many milliseconds before that.
    reminded: Vec<(String, i64, i64)>,
}

/// The word and the name of a roster.
fn key(roster: &Roster) -> (&'static str, &str) {
    match roster {
        Roster::Schedule(name) => ("schedule", name.as_str()),
        Roster::Team(name) => ("team", name.as_str()),
    }
}

fn seen_to_json(seen: &Seen) -> Result<String, StoreError> {
    let reminded = seen.reminded.iter().map(|it| {
        let lead = i64::try_from(it.lead.as_millis()).unwrap_or(i64::MAX);
        (it.person.to_string(), it.from.as_millisecond(), lead)
    });
    to_json(&SeenRow {
        at: seen.at.as_millisecond(),
        people: seen.people.iter().map(ToString::to_string).collect(),
        reminded: reminded.collect(),
    })
}

fn seen_from_json(text: &str) -> Result<Seen, StoreError> {
    let row: SeenRow = from_json(text)?;
    let reminded = row.reminded.into_iter().map(|(person, from, lead)| {
        Ok(Reminded { person: name(&person)?, from: instant(from)?, lead: SignedDuration::from_millis(lead) })
    });
    Ok(Seen {
        at: instant(row.at)?,
        people: row.people.iter().map(|person| name(person)).collect::<Result<_, _>>()?,
        reminded: reminded.collect::<Result<_, StoreError>>()?,
    })
}

/// Posts at which it is time to look, the longest overdue first.
pub(super) fn due(
    connection: &Connection,
    now: Timestamp,
    most: usize,
) -> Result<Vec<WatchedPost>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT roster, name, role, seen FROM duty WHERE check_at <= ?1 ORDER BY check_at LIMIT ?2",
    )?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![now.as_millisecond(), most])?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        let (word, of, role): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let seen: Option<String> = row.get(3)?;
        let roster = match word.as_str() {
            "schedule" => Roster::Schedule(name(&of)?),
            "team" => Roster::Team(name(&of)?),
            other => return Err(corrupt("a roster", &other)),
        };
        due.push(WatchedPost {
            roster,
            role: name(&role)?,
            seen: seen.as_deref().map(seen_from_json).transpose()?,
        });
    }
    Ok(due)
}

/// When it is time to look next.
pub(super) fn next(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT min(check_at) FROM duty WHERE check_at IS NOT NULL")?;
    let at: Option<i64> = statement.query_row([], |row| row.get(0))?;
    at.map(instant).transpose()
}

/// The roles of a roster that are watched.
pub(super) fn roles(connection: &Connection, roster: &Roster) -> Result<Vec<String>, StoreError> {
    let (word, of) = key(roster);
    let mut statement = connection.prepare_cached("SELECT role FROM duty WHERE roster = ?1 AND name = ?2")?;
    let rows = statement.query_map([word, of], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Every roster that is watched, each once.
pub(super) fn rosters(connection: &Connection) -> Result<Vec<Roster>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT DISTINCT roster, name FROM duty")?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let (word, of): (String, String) = (row.get(0)?, row.get(1)?);
        let of = name(&of)?;
        all.push(if word == "team" { Roster::Team(of) } else { Roster::Schedule(of) });
    }
    Ok(all)
}

/// A post is to be looked at from `at` on; one that is not watched yet is from now on.
pub(super) fn look_at(
    connection: &Connection,
    roster: &Roster,
    role: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (word, of) = key(roster);
    let statement = "INSERT INTO duty (roster, name, role, seen, check_at) VALUES (?1, ?2, ?3, NULL, ?4) \
         ON CONFLICT DO UPDATE SET check_at = excluded.check_at";
    connection.prepare_cached(statement)?.execute(params![word, of, role, at.as_millisecond()])?;
    Ok(())
}

/// Stores what a look came to.
pub(super) fn save(
    connection: &Connection,
    post: &WatchedPost,
    check_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let (word, of) = key(&post.roster);
    connection
        .prepare_cached(
            "UPDATE duty SET seen = ?4, check_at = ?5 WHERE roster = ?1 AND name = ?2 AND role = ?3",
        )?
        .execute(params![
            word,
            of,
            post.role.as_str(),
            post.seen.as_ref().map(seen_to_json).transpose()?,
            check_at.map(Timestamp::as_millisecond),
        ])?;
    Ok(())
}

/// A post is no more.
pub(super) fn forget(connection: &Connection, roster: &Roster, role: &str) -> Result<(), StoreError> {
    let (word, of) = key(roster);
    connection
        .prepare_cached("DELETE FROM duty WHERE roster = ?1 AND name = ?2 AND role = ?3")?
        .execute([word, of, role])?;
    Ok(())
}
