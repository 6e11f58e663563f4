//! Posts that are watched: each role of each roster, with what was seen of it last.

use escalation::duty::Roster;
use escalation::watch::{Reminded, Seen};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::codec::{corrupt, from_json, instant, limit, name, to_json};
use super::{Sql, values};
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

fn read_roster(word: &str, of: &str) -> Result<Roster, StoreError> {
    match word {
        "schedule" => Ok(Roster::Schedule(name(of)?)),
        "team" => Ok(Roster::Team(name(of)?)),
        other => Err(corrupt("a roster", &other)),
    }
}

/// Posts at which it is time to look, the longest overdue first, locked; without those that somebody else has locked.
pub(super) async fn due<S: Sql>(
    sql: &mut S,
    now: Timestamp,
    most: usize,
) -> Result<Vec<WatchedPost>, StoreError> {
    let statement = format!(
        "SELECT roster, name, role, seen FROM duty WHERE check_at <= ?1 ORDER BY check_at LIMIT ?2{}",
        S::LOCK_FREE
    );
    let rows = sql.rows(&statement, values![now.as_millisecond(), limit(most)]).await?;
    let due = rows.into_iter().map(|mut row| {
        let (word, of, role): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let seen: Option<String> = row.get(3)?;
        Ok(WatchedPost {
            roster: read_roster(&word, &of)?,
            role: name(&role)?,
            seen: seen.as_deref().map(seen_from_json).transpose()?,
        })
    });
    due.collect()
}

/// When it is time to look next.
pub(super) async fn next(sql: &mut impl Sql) -> Result<Option<Timestamp>, StoreError> {
    let statement = "SELECT min(check_at) FROM duty WHERE check_at IS NOT NULL";
    let at: Option<i64> = sql.value(statement, values![]).await?;
    at.map(instant).transpose()
}

/// The roles of a roster that are watched.
pub(super) async fn roles(sql: &mut impl Sql, roster: &Roster) -> Result<Vec<String>, StoreError> {
    let (word, of) = key(roster);
    let statement = "SELECT role FROM duty WHERE roster = ?1 AND name = ?2 ORDER BY role";
    sql.rows(statement, values![word, of]).await?.into_iter().map(|mut row| row.get(0)).collect()
}

/// Every roster that is watched, each once.
pub(super) async fn rosters(sql: &mut impl Sql) -> Result<Vec<Roster>, StoreError> {
    let rows = sql.rows("SELECT DISTINCT roster, name FROM duty ORDER BY roster, name", values![]).await?;
    let all = rows.into_iter().map(|mut row| {
        let (word, of): (String, String) = (row.get(0)?, row.get(1)?);
        read_roster(&word, &of)
    });
    all.collect()
}

/// A post is to be looked at from `at` on; one that is not watched yet is from now on.
pub(super) async fn look_at(
    sql: &mut impl Sql,
    roster: &Roster,
    role: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (word, of) = key(roster);
    let statement = "INSERT INTO duty (roster, name, role, seen, check_at) VALUES (?1, ?2, ?3, NULL, ?4) \
         ON CONFLICT (roster, name, role) DO UPDATE SET check_at = excluded.check_at";
    sql.change(statement, values![word, of, role, at.as_millisecond()]).await
}

/// Stores what a look came to.
pub(super) async fn save(
    sql: &mut impl Sql,
    post: &WatchedPost,
    check_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let (word, of) = key(&post.roster);
    let seen = post.seen.as_ref().map(seen_to_json).transpose()?;
    let check_at = check_at.map(Timestamp::as_millisecond);
    let statement = "UPDATE duty SET seen = ?4, check_at = ?5 WHERE roster = ?1 AND name = ?2 AND role = ?3";
    sql.change(statement, values![word, of, post.role.as_str(), seen.as_deref(), check_at]).await
}

/// A post is no more.
pub(super) async fn forget(sql: &mut impl Sql, roster: &Roster, role: &str) -> Result<(), StoreError> {
    let (word, of) = key(roster);
    sql.change("DELETE FROM duty WHERE roster = ?1 AND name = ?2 AND role = ?3", values![word, of, role])
        .await
}
