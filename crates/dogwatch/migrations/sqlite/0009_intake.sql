-- What is done with an alert in place of what its team says.
ALTER TABLE alert ADD COLUMN route TEXT;            -- JSON: urgency, plan; NULL: nothing

-- Keys by which monitoring systems send events. Stored as SHA-256 of what was handed out.
CREATE TABLE integration_key (
    id          TEXT PRIMARY KEY,
    integration TEXT NOT NULL,
    hash        BLOB NOT NULL UNIQUE,
    ending      TEXT NOT NULL,                      -- its last characters, to tell keys apart
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,                            -- when a newer key has taken its place; NULL: it has not
    revoked_at  INTEGER
) STRICT, WITHOUT ROWID;

-- The last requests of each integration, as they came, and what was made of them.
CREATE TABLE received (
    id          INTEGER PRIMARY KEY,
    integration TEXT NOT NULL,
    seq         INTEGER NOT NULL,                   -- grows within an integration
    at          INTEGER NOT NULL,
    request     TEXT NOT NULL,                      -- the id by which the sender may ask what became of it
    format      TEXT NOT NULL,
    raw         TEXT NOT NULL,                      -- its first part
    size        INTEGER NOT NULL,                   -- in bytes, all of it
    outcome     TEXT NOT NULL                       -- JSON
) STRICT;
CREATE UNIQUE INDEX received_by_integration ON received (integration, seq);
CREATE INDEX received_by_request ON received (request);

-- Problems that an integration counts as one alert, while they last.
CREATE TABLE grouped (
    integration TEXT NOT NULL,
    dedup_key   TEXT NOT NULL,
    member      TEXT NOT NULL,
    PRIMARY KEY (integration, dedup_key, member)
) STRICT, WITHOUT ROWID;

CREATE INDEX grouped_by_member ON grouped (integration, member);

-- When a heartbeat was last heard, and whether its silence was told.
CREATE TABLE heartbeat (
    name     TEXT PRIMARY KEY,
    last_at  INTEGER NOT NULL,                      -- the last ping, or since when one is waited for
    pinged   INTEGER NOT NULL,                      -- there ever was one
    check_at INTEGER,                               -- when it is too late; NULL: nothing is waited for
    is_late  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX heartbeat_due ON heartbeat (check_at) WHERE check_at IS NOT NULL;
