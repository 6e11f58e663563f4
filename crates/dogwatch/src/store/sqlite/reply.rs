//! Replies by telephone: codes, numbers, and what has come in before.

use escalation::contact::Contact;
use escalation::id::{AlertId, DeliveryId};
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::codec::{id_bytes, instant};
use super::delivery as delivery_rows;
use crate::store::Claim;
use crate::store::StoreError;
use crate::store::phone::{Line, LineChange};

/// How long a code is not given to the same person for something else.
const CODE_RESTS: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long replies that made no sense count.
const WRONG_COUNTS: SignedDuration = SignedDuration::from_hours(1);
/// How long what has come in is remembered.
const SEEN_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How often a code of one length is drawn before a longer one is.
const DRAWS: usize = 20;

pub(in crate::store) fn coded(
    connection: &Connection,
    person: &Name,
    code: &str,
) -> Result<Option<AlertId>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT alert FROM reply_code WHERE person = ?1 AND code = ?2")?;
    let alert: Option<Vec<u8>> =
        statement.query_row(params![person.as_str(), code], |row| row.get(0)).optional()?;
    alert.map(|alert| Ok(AlertId::from_bytes(id_bytes(&alert)?))).transpose()
}

/// The code by which a person answers for an alert: the one that it has, or a new one of 4 to 6 digits.
pub(super) fn code_for(
    connection: &Connection,
    person: &Name,
    alert: AlertId,
    now: Timestamp,
    chance: &mut dyn FnMut() -> u64,
) -> Result<String, StoreError> {
    let known: Option<String> = connection
        .prepare_cached("SELECT code FROM reply_code WHERE person = ?1 AND alert = ?2")?
        .query_row(params![person.as_str(), alert.to_bytes()], |row| row.get(0))
        .optional()?;
    if let Some(code) = known {
        connection
            .prepare_cached("UPDATE reply_code SET given_at = ?3 WHERE person = ?1 AND code = ?2")?
            .execute(params![person.as_str(), code, now.as_millisecond()])?;
        return Ok(code);
    }
    // One that rested long enough may be given again, unless its alert is still open.
    connection
        .prepare_cached(
            "DELETE FROM reply_code WHERE person = ?1 AND given_at <= ?2 \
             AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.id = reply_code.alert AND alert.is_open = 1)",
        )?
        .execute(params![person.as_str(), (now - CODE_RESTS).as_millisecond()])?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO reply_code (person, code, alert, given_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )?;
    for (first, count) in [(1_000, 9_000), (10_000, 90_000), (100_000, 900_000)] {
        for _ in 0..DRAWS {
            let code = (first + chance() % count).to_string();
            let alert = alert.to_bytes();
            if insert.execute(params![person.as_str(), code, alert, now.as_millisecond()])? == 1 {
                return Ok(code);
            }
        }
    }
    Err(StoreError::Unavailable(format!("no reply code is left for {person}")))
}

pub(in crate::store) fn line(
    connection: &Connection,
    contact: &Contact,
    now: Timestamp,
) -> Result<Line, StoreError> {
    let found: Option<(Option<i64>, u32, i64)> = connection
        .prepare_cached("SELECT stopped_at, wrong, wrong_since FROM reply_line WHERE contact = ?1")?
        .query_row([contact.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((stopped_at, wrong, since)) = found else { return Ok(Line::default()) };
    let counts = instant(since)? + WRONG_COUNTS > now;
    Ok(Line { stopped_at: stopped_at.map(instant).transpose()?, wrong: if counts { wrong } else { 0 } })
}

pub(super) fn change_line(
    connection: &Connection,
    contact: &Contact,
    change: LineChange,
    now: Timestamp,
) -> Result<Line, StoreError> {
    let mut line = line(connection, contact, now)?;
    let begins = line.wrong == 0;
    match change {
        LineChange::Stop => line.stopped_at = line.stopped_at.or(Some(now)),
        LineChange::Start => line.stopped_at = None,
        LineChange::Wrong => line.wrong = line.wrong.saturating_add(1),
        LineChange::Right => line.wrong = 0,
    }
    // The hour runs from the first that made no sense.
    let statement = "INSERT INTO reply_line (contact, stopped_at, wrong, wrong_since) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT DO UPDATE SET stopped_at = ?2, wrong = ?3, \
         wrong_since = CASE WHEN ?5 THEN ?4 ELSE wrong_since END";
    connection.prepare_cached(statement)?.execute(params![
        contact.as_str(),
        line.stopped_at.map(Timestamp::as_millisecond),
        line.wrong,
        now.as_millisecond(),
        begins,
    ])?;
    Ok(line)
}

pub(in crate::store) fn stopped(connection: &Connection) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT contact, stopped_at FROM reply_line WHERE stopped_at IS NOT NULL ORDER BY contact",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
    rows.map(|row| {
        let (contact, at): (String, i64) = row?;
        Ok((contact, instant(at)?))
    })
    .collect()
}

pub(in crate::store) fn delivery(
    connection: &Connection,
    id: DeliveryId,
) -> Result<Option<Claim>, StoreError> {
    let Some(delivery) = delivery_rows::load(connection, id)? else { return Ok(None) };
    let Some((alert, page)) = delivery_rows::subject(connection, &delivery)? else { return Ok(None) };
    Ok(Some(Claim { delivery, alert, page, others: Vec::new() }))
}

pub(in crate::store) fn newest_sms(
    connection: &Connection,
    contact: &Contact,
) -> Result<Option<Claim>, StoreError> {
    let id: Option<Vec<u8>> = connection
        .prepare_cached(
            "SELECT id FROM delivery WHERE provider = 'sms' AND contact = ?1 AND purpose = 'page' \
             AND state = 'sent' ORDER BY lease_until DESC LIMIT 1",
        )?
        .query_row([contact.as_str()], |row| row.get(0))
        .optional()?;
    match id {
        Some(id) => delivery(connection, DeliveryId::from_bytes(id_bytes(&id)?)),
        None => Ok(None),
    }
}

pub(in crate::store) fn has_seen(connection: &Connection, id: &str) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM callback_seen WHERE id = ?1")?;
    Ok(statement.exists([id])?)
}

pub(super) fn saw(connection: &Connection, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let added = connection
        .prepare_cached("INSERT INTO callback_seen (id, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![id, now.as_millisecond()])?;
    connection
        .prepare_cached("DELETE FROM callback_seen WHERE at <= ?1")?
        .execute([(now - SEEN_FOR).as_millisecond()])?;
    Ok(added == 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use crate::store::sqlite::migrate;

    /// A chance that draws these codes of four digits, then only the last one.
    fn draws(codes: &[u64]) -> impl FnMut() -> u64 {
        let mut left: Vec<u64> = codes.iter().rev().copied().collect();
        move || {
            if left.len() > 1 { left.pop() } else { left.last().copied() }
                .unwrap_or_default()
                .wrapping_sub(1_000)
        }
    }

    #[test]
    fn a_code_is_not_given_again_to_a_person_for_thirty_days_and_long_ones_help_out() {
        let mut connection = Connection::open_in_memory().unwrap();
        let start = Timestamp::UNIX_EPOCH;
        migrate::run(&mut connection, start).unwrap();
        let (john, bob) = (Name::new("john").unwrap(), Name::new("bob").unwrap());
        let alert = |number: u8| AlertId::from_bytes([number; 16]);
        let day = SignedDuration::from_hours(24);
        let code = |person: &Name, number, at, chance: &[u64]| {
            code_for(&connection, person, alert(number), at, &mut draws(chance)).unwrap()
        };
        assert_eq!(code(&john, 1, start, &[4_711]), "4711");
        assert_eq!(code(&john, 1, start + day, &[5_000]), "4711", "the same alert, the same code");
        assert_eq!(code(&john, 2, start + day, &[4_711, 4_712]), "4712");
        assert_eq!(code(&bob, 2, start + day, &[4_711]), "4711", "another person's codes are others");
        let longer = code(&john, 3, start + day, &[4_711]);
        assert_eq!(longer, "13711", "when short ones are used up");
        assert_eq!(code(&john, 4, start + day * 30, &[4_711, 4_713]), "4713", "given again a day later");
        assert_eq!(code(&john, 5, start + day * 31, &[4_711]), "4711", "it has rested");
    }
}
