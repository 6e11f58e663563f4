-- The page's running contact rang, nobody took it, and it rang once more.
ALTER TABLE page ADD COLUMN redialled INTEGER NOT NULL DEFAULT 0;

-- What a provider said of one attempt of a delivery after it took it. A row is there from the moment it
-- was taken, or from the first thing that the provider said, whichever came first.
CREATE TABLE receipt (
    delivery BLOB NOT NULL,
    attempt  INTEGER NOT NULL,
    state    TEXT NOT NULL,
    detail   TEXT NOT NULL,           -- why, as the provider says
    at       INTEGER NOT NULL,        -- when the state was reached
    due_at   INTEGER,                 -- by then something must have been said; none: nothing is awaited
    told     INTEGER NOT NULL,        -- the alert has been told that it did not arrive
    PRIMARY KEY (delivery, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipt_due ON receipt (due_at) WHERE due_at IS NOT NULL;

-- The digits by which a person answers for an alert in a short message.
CREATE TABLE reply_code (
    person   TEXT NOT NULL,
    code     TEXT NOT NULL,
    alert    BLOB NOT NULL,
    given_at INTEGER NOT NULL,
    PRIMARY KEY (person, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX reply_code_by_alert ON reply_code (person, alert);

-- Telephone numbers: who does not want short messages any more, and how many replies from there made no sense.
CREATE TABLE reply_line (
    contact     TEXT PRIMARY KEY,     -- sms:+…
    stopped_at  INTEGER,
    wrong       INTEGER NOT NULL,     -- replies that made no sense, since the first of them
    wrong_since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Requests of providers that have been acted on: one that comes again does nothing.
CREATE TABLE callback_seen (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX callback_seen_at ON callback_seen (at);

-- The newest short message to a number: what "ack all" is about.
CREATE INDEX delivery_sms ON delivery (contact, lease_until) WHERE provider = 'sms';
