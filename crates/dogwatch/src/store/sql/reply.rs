//! Replies by telephone: codes, numbers, and what has come in before.

use escalation::contact::Contact;
use escalation::id::{AlertId, DeliveryId};
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};

use super::codec::{instant, small};
use super::delivery as delivery_rows;
use super::{Row, Sql, values};
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

pub(in crate::store) async fn coded(
    sql: &mut impl Sql,
    person: &Name,
    code: &str,
) -> Result<Option<AlertId>, StoreError> {
    let statement = "SELECT alert FROM reply_code WHERE person = ?1 AND code = ?2";
    let found = sql.first(statement, values![person.as_str(), code]).await?;
    found.map(|mut row| row.get(0).map(AlertId::from_bytes)).transpose()
}

/// The code by which a person answers for an alert: the one that it has, or a new one of 4 to 6 digits.
pub(super) async fn code_for(
    sql: &mut impl Sql,
    person: &Name,
    alert: AlertId,
    now: Timestamp,
    chance: &mut (dyn FnMut() -> u64 + Send),
) -> Result<String, StoreError> {
    let person = person.as_str();
    let statement = "SELECT code FROM reply_code WHERE person = ?1 AND alert = ?2";
    if let Some(mut row) = sql.first(statement, values![person, alert.to_bytes()]).await? {
        let code: String = row.get(0)?;
        let statement = "UPDATE reply_code SET given_at = ?3 WHERE person = ?1 AND code = ?2";
        sql.change(statement, values![person, &code, now.as_millisecond()]).await?;
        return Ok(code);
    }
    // One that rested long enough may be given again, unless its alert is still open.
    let statement = "DELETE FROM reply_code WHERE person = ?1 AND given_at <= ?2 \
         AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.id = reply_code.alert AND alert.is_open = 1)";
    sql.change(statement, values![person, (now - CODE_RESTS).as_millisecond()]).await?;
    let statement = "INSERT INTO reply_code (person, code, alert, given_at) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT DO NOTHING";
    for (first, count) in [(1_000, 9_000), (10_000, 90_000), (100_000, 900_000)] {
        for _ in 0..DRAWS {
            let code = (first + chance() % count).to_string();
            let values = values![person, &code, alert.to_bytes(), now.as_millisecond()];
            if sql.changed(statement, values).await? == 1 {
                return Ok(code);
            }
        }
    }
    Err(StoreError::Unavailable(format!("no reply code is left for {person}")))
}

pub(in crate::store) async fn line(
    sql: &mut impl Sql,
    contact: &Contact,
    now: Timestamp,
) -> Result<Line, StoreError> {
    let statement = "SELECT stopped_at, wrong, unclear, wrong_since FROM reply_line WHERE contact = ?1";
    let Some(mut row) = sql.first(statement, values![contact.as_str()]).await? else {
        return Ok(Line::default());
    };
    let counts = instant(row.get(3)?)? + WRONG_COUNTS > now;
    read_line(&mut row, counts)
}

fn read_line(row: &mut Row, counts: bool) -> Result<Line, StoreError> {
    let stopped_at: Option<i64> = row.get(0)?;
    let (wrong, unclear) = (small(row.get(1)?)?, small(row.get(2)?)?);
    let (wrong, unclear) = if counts { (wrong, unclear) } else { (0, 0) };
    Ok(Line { stopped_at: stopped_at.map(instant).transpose()?, wrong, unclear })
}

/// In one statement: two replies that come at the same time both count, and none takes a STOP back.
pub(super) async fn change_line(
    sql: &mut impl Sql,
    contact: &Contact,
    change: LineChange,
    now: Timestamp,
) -> Result<Line, StoreError> {
    // The hour runs from the first that made no sense.
    let goes_on = "reply_line.wrong + reply_line.unclear > 0 AND reply_line.wrong_since > ?3";
    let stopped = match change {
        LineChange::Stop => "coalesce(reply_line.stopped_at, excluded.stopped_at)",
        LineChange::Start => "NULL",
        LineChange::Wrong | LineChange::Unclear | LineChange::Right => "reply_line.stopped_at",
    };
    let (wrong, unclear) = match change {
        LineChange::Right => ("0".to_owned(), "0".to_owned()),
        _ => {
            let count = |column| {
                format!("CASE WHEN {goes_on} THEN reply_line.{column} ELSE 0 END + excluded.{column}")
            };
            (count("wrong"), count("unclear"))
        }
    };
    let statement = format!(
        "INSERT INTO reply_line (contact, stopped_at, wrong, unclear, wrong_since) VALUES (?1, ?4, ?5, ?6, ?2) \
         ON CONFLICT (contact) DO UPDATE SET stopped_at = {stopped}, wrong = {wrong}, unclear = {unclear}, \
         wrong_since = CASE WHEN {goes_on} THEN reply_line.wrong_since ELSE excluded.wrong_since END \
         RETURNING stopped_at, wrong, unclear"
    );
    let stopped_at = (change == LineChange::Stop).then(|| now.as_millisecond());
    let (is_wrong, is_unclear) = (change == LineChange::Wrong, change == LineChange::Unclear);
    let since = (now - WRONG_COUNTS).as_millisecond();
    let values = values![
        contact.as_str(),
        now.as_millisecond(),
        since,
        stopped_at,
        i64::from(is_wrong),
        i64::from(is_unclear)
    ];
    match sql.first(&statement, values).await? {
        Some(mut row) => read_line(&mut row, true),
        None => Ok(Line::default()),
    }
}

pub(in crate::store) async fn stopped(sql: &mut impl Sql) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let statement =
        "SELECT contact, stopped_at FROM reply_line WHERE stopped_at IS NOT NULL ORDER BY contact";
    let rows = sql.rows(statement, values![]).await?;
    rows.into_iter().map(|mut row| Ok((row.get(0)?, instant(row.get(1)?)?))).collect()
}

pub(in crate::store) async fn delivery(
    sql: &mut impl Sql,
    id: DeliveryId,
) -> Result<Option<Claim>, StoreError> {
    let Some(delivery) = delivery_rows::load(sql, id).await? else { return Ok(None) };
    let Some((alert, page)) = delivery_rows::subject(sql, &delivery).await? else { return Ok(None) };
    Ok(Some(Claim { delivery, alert, page, others: Vec::new() }))
}

pub(in crate::store) async fn newest_sms(
    sql: &mut impl Sql,
    contact: &Contact,
) -> Result<Option<Claim>, StoreError> {
    let statement = "SELECT id FROM delivery WHERE provider = 'sms' AND contact = ?1 AND purpose = 'page' \
         AND state = 'sent' ORDER BY lease_until DESC LIMIT 1";
    match sql.first(statement, values![contact.as_str()]).await? {
        Some(mut row) => delivery(sql, DeliveryId::from_bytes(row.get(0)?)).await,
        None => Ok(None),
    }
}

pub(in crate::store) async fn has_seen(sql: &mut impl Sql, id: &str) -> Result<bool, StoreError> {
    Ok(sql.first("SELECT 1 FROM callback_seen WHERE id = ?1", values![id]).await?.is_some())
}

pub(super) async fn saw(sql: &mut impl Sql, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let statement = "INSERT INTO callback_seen (id, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    let added = sql.changed(statement, values![id, now.as_millisecond()]).await?;
    let statement = "DELETE FROM callback_seen WHERE at <= ?1";
    sql.change(statement, values![(now - SEEN_FOR).as_millisecond()]).await?;
    Ok(added == 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use crate::store::sqlite::connection::{SqliteSql, at_once};
    use crate::store::sqlite::migrate;

    /// A chance that draws these codes of four digits, then only the last one.
    fn draws(codes: &[u64]) -> impl FnMut() -> u64 + Send + use<> {
        let mut left: Vec<u64> = codes.iter().rev().copied().collect();
        move || {
            if left.len() > 1 { left.pop() } else { left.last().copied() }
                .unwrap_or_default()
                .wrapping_sub(1_000)
        }
    }

    #[test]
    fn a_code_is_not_given_again_to_a_person_for_thirty_days_and_long_ones_help_out() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        let start = Timestamp::UNIX_EPOCH;
        migrate::run(&mut connection, start).unwrap();
        let mut sql = SqliteSql::new(connection);
        let (john, bob) = (Name::new("john").unwrap(), Name::new("bob").unwrap());
        let alert = |number: u8| AlertId::from_bytes([number; 16]);
        let day = SignedDuration::from_hours(24);
        let mut code = |person: &Name, number, at, chance: &[u64]| {
            at_once(code_for(&mut sql, person, alert(number), at, &mut draws(chance))).unwrap()
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
