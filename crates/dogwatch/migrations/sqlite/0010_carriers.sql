-- What a subscriber outside has still to be told, in order: it goes once the subscriber has taken it.
CREATE TABLE outgoing (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    subscriber TEXT NOT NULL,
    alert      BLOB NOT NULL,
    at         INTEGER NOT NULL,
    body       TEXT NOT NULL,               -- JSON: the change, and the alert as it was then
    tries      INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outgoing_of ON outgoing (subscriber, alert, seq);

-- People who want to know what becomes of an alert, without being asked to answer.
CREATE TABLE follower (
    alert  BLOB NOT NULL REFERENCES alert (id),
    person TEXT NOT NULL,
    PRIMARY KEY (alert, person)
) STRICT, WITHOUT ROWID;

-- What is known of a person's contact beside what is written of it.
CREATE TABLE contact_state (
    person      TEXT NOT NULL,
    contact     TEXT NOT NULL,
    verified_at INTEGER,                    -- when somebody proved that what is sent there is read
    code        TEXT,                       -- what was sent there to prove it
    code_until  INTEGER,
    wrong       INTEGER NOT NULL DEFAULT 0, -- codes that were not right, since it was sent
    failures    INTEGER NOT NULL DEFAULT 0, -- messages in a row that were given up
    dead_at     INTEGER,                    -- since when nothing is sent there
    tested_at   INTEGER,                    -- when it last rang for a test
    sounded     INTEGER,                    -- what its owner said: it did, though the phone was silenced, or it did not
    PRIMARY KEY (person, contact)
) STRICT, WITHOUT ROWID;
