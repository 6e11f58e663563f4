-- Instants are UTC milliseconds. Ids are 16 bytes. Words are those of the `escalation` crate.

-- Definitions are immutable versions: the newest of a (kind, name) is in force, older ones stay
-- answerable. `version` is also the ETag, and the highest one tells whether a compiled copy is stale.
CREATE TABLE definition (
    version    INTEGER PRIMARY KEY,
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    valid_from INTEGER NOT NULL,
    body       TEXT,                 -- JSON; NULL: removed
    owner      TEXT NOT NULL
) STRICT;
CREATE INDEX definition_by_name ON definition (kind, name, version);

CREATE TABLE alert (
    number           INTEGER PRIMARY KEY,
    id               BLOB NOT NULL UNIQUE,
    audience_kind    TEXT NOT NULL,
    audience         TEXT NOT NULL,
    integration      TEXT NOT NULL,
    dedup_key        TEXT NOT NULL,
    summary          TEXT NOT NULL,
    details          TEXT NOT NULL,
    severity         TEXT NOT NULL,
    links            TEXT NOT NULL,  -- JSON
    status           TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    triggered_at     INTEGER NOT NULL,
    triggers         INTEGER NOT NULL,
    round            INTEGER NOT NULL,
    round_started_at INTEGER NOT NULL,
    since_round      INTEGER NOT NULL,
    next_step        INTEGER NOT NULL,
    passes           INTEGER NOT NULL,
    fired            INTEGER NOT NULL,
    last_resort      INTEGER NOT NULL,
    roles            INTEGER NOT NULL,
    acknowledged     TEXT,           -- JSON: who, how, when
    resolved         TEXT,           -- JSON: who, how, when
    roles_reached    TEXT NOT NULL   -- JSON
) STRICT;
-- At most one open alert for one sender and key, whatever races.
CREATE UNIQUE INDEX alert_open_key ON alert (integration, dedup_key) WHERE status <> 'resolved';
CREATE INDEX alert_open ON alert (number) WHERE status <> 'resolved';

CREATE TABLE page (
    id              BLOB PRIMARY KEY,
    alert           BLOB NOT NULL REFERENCES alert (id),
    person          TEXT NOT NULL,
    urgency         TEXT NOT NULL,
    round           INTEGER NOT NULL,
    escalation_step INTEGER NOT NULL,
    started_at      INTEGER NOT NULL,
    plan_step       INTEGER NOT NULL,
    step_started_at INTEGER NOT NULL,
    reached         TEXT,
    accepted        INTEGER NOT NULL,
    failed          INTEGER NOT NULL,
    ended_at        INTEGER,
    ended_why       TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX page_by_alert ON page (alert);
CREATE UNIQUE INDEX page_live ON page (person, alert) WHERE ended_at IS NULL;

CREATE TABLE wake (
    alert  BLOB NOT NULL REFERENCES alert (id),
    name   TEXT NOT NULL,
    page   BLOB NOT NULL,            -- empty: of the alert itself
    due_at INTEGER NOT NULL,
    PRIMARY KEY (alert, name, page)
) STRICT, WITHOUT ROWID;
CREATE INDEX wake_due ON wake (due_at);

CREATE TABLE delivery (
    id          BLOB PRIMARY KEY,
    alert       BLOB NOT NULL REFERENCES alert (id),
    page        BLOB REFERENCES page (id),
    person      TEXT,
    contact     TEXT NOT NULL,
    provider    TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    round       INTEGER NOT NULL,
    step        INTEGER NOT NULL,
    text        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    state       TEXT NOT NULL,
    not_before  INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    unknown     INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    history     TEXT NOT NULL DEFAULT ''  -- one line of JSON for each attempt that has an outcome
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_by_alert ON delivery (alert);
CREATE INDEX delivery_ready ON delivery (provider, not_before) WHERE state = 'ready';
CREATE INDEX delivery_claimed ON delivery (lease_until) WHERE state = 'claimed';
CREATE INDEX delivery_handset ON delivery (contact, created_at) WHERE provider = 'handset';

-- What happened, in order; the timeline of an alert is read from here and from its deliveries.
CREATE TABLE event (
    seq         INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    alert       BLOB NOT NULL REFERENCES alert (id),
    kind        TEXT NOT NULL,
    round       INTEGER NOT NULL,
    person      TEXT,                -- who did it, where it is known to be a person
    label       TEXT,                -- who did it, as it is shown
    via         TEXT,
    text        TEXT NOT NULL,
    detail      TEXT,                -- JSON: step, people, contacts
    idempotency TEXT,                -- the sender's key, with the audience that it was sent to
    request     BLOB                 -- SHA-256 of the request that carried the key
) STRICT;
CREATE INDEX event_by_alert ON event (alert, seq);
CREATE UNIQUE INDEX event_idempotency ON event (idempotency) WHERE idempotency IS NOT NULL;

-- Secrets are stored as SHA-256 of what was handed out, never as they are.
CREATE TABLE token (
    id         TEXT PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    person     TEXT,
    strong     INTEGER NOT NULL,     -- at least 128 bits
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE sign_in (
    hash       BLOB PRIMARY KEY,
    person     TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE session (
    hash       BLOB PRIMARY KEY,
    person     TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Keys of this installation: for reply links and for signing webhooks.
CREATE TABLE secret (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
