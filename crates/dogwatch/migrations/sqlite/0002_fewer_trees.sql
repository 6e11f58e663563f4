-- Fewer trees to write for an event that is accepted and for a wake that is handled: each costs a page in the
-- log, and the disk time to sync it.

-- The history of an alert lies together, in the order in which it happened.
CREATE TABLE event_by_alert_and_seq (
    alert       BLOB NOT NULL REFERENCES alert (id),
    seq         INTEGER NOT NULL,    -- grows within an alert
    at          INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    round       INTEGER NOT NULL,
    person      TEXT,                -- who did it, where it is known to be a person
    label       TEXT,                -- who did it, as it is shown
    via         TEXT,
    text        TEXT NOT NULL,
    detail      TEXT,                -- JSON: step, people, contacts
    idempotency TEXT,                -- the sender's key, with the audience that it was sent to
    request     BLOB,                -- SHA-256 of the request that carried the key
    PRIMARY KEY (alert, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO event_by_alert_and_seq
    SELECT alert, seq, at, kind, round, person, label, via, text, detail, idempotency, request FROM event;
DROP TABLE event;
ALTER TABLE event_by_alert_and_seq RENAME TO event;
CREATE UNIQUE INDEX event_idempotency ON event (idempotency) WHERE idempotency IS NOT NULL;

-- The queue of wakes is ordered by when they are due; an alert knows its own.
ALTER TABLE alert ADD COLUMN wakes TEXT NOT NULL DEFAULT '[]';  -- JSON: [name, page in hex or "", due_at], …
UPDATE alert SET wakes =
    (SELECT json_group_array(json_array(name, lower(hex(page)), due_at)) FROM wake WHERE wake.alert = alert.id);
CREATE TABLE wake_by_time (
    due_at INTEGER NOT NULL,
    alert  BLOB NOT NULL REFERENCES alert (id),
    name   TEXT NOT NULL,
    page   BLOB NOT NULL,            -- empty: of the alert itself
    PRIMARY KEY (due_at, alert, name, page)
) STRICT, WITHOUT ROWID;
INSERT INTO wake_by_time SELECT due_at, alert, name, page FROM wake;
DROP TABLE wake;
ALTER TABLE wake_by_time RENAME TO wake;

-- Not resolved. A column of its own, so that the index is left alone when one open status follows another.
ALTER TABLE alert ADD COLUMN is_open INTEGER NOT NULL DEFAULT 1;
UPDATE alert SET is_open = (status <> 'resolved');
DROP INDEX alert_open;
DROP INDEX alert_open_key;
-- At most one open alert for one sender and key, whatever races.
CREATE UNIQUE INDEX alert_open_key ON alert (integration, dedup_key) WHERE is_open = 1;
