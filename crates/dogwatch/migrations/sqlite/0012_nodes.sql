-- The nodes that share a database of PostgreSQL. Over SQLite there is one, and it knows itself: this stays empty.
CREATE TABLE node (
    name         TEXT PRIMARY KEY,
    machine      TEXT NOT NULL,
    version      TEXT NOT NULL,            -- of Dogwatch
    started_at   INTEGER NOT NULL,
    seen_at      INTEGER NOT NULL,         -- when it last said that it lives
    ahead_millis INTEGER NOT NULL          -- by how much the database's time is ahead of its machine's
) STRICT, WITHOUT ROWID;

-- How the providers of calls and short messages are doing, for all nodes. Over SQLite this stays empty, too.
CREATE TABLE provider (
    name       TEXT PRIMARY KEY,
    second     INTEGER NOT NULL DEFAULT 0, -- the second that is counted, and what has begun in it
    begun      INTEGER NOT NULL DEFAULT 0,
    failures   INTEGER NOT NULL DEFAULT 0, -- in a row
    rest_until INTEGER,                    -- left alone until then, and why
    rest_why   TEXT,
    held_until INTEGER,                    -- as it asked
    told_at    INTEGER                     -- when the operators were told of its account
) STRICT, WITHOUT ROWID;
