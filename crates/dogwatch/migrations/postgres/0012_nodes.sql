-- The nodes that share this database, each by a name that it gives itself when it starts.
CREATE TABLE node (
    name         TEXT COLLATE "C" PRIMARY KEY,
    machine      TEXT NOT NULL,
    version      TEXT NOT NULL,            -- of Dogwatch
    started_at   BIGINT NOT NULL,
    seen_at      BIGINT NOT NULL,          -- when it last said that it lives
    ahead_millis BIGINT NOT NULL           -- by how much the database's time is ahead of its machine's
);

-- How the providers of calls and short messages are doing, for all nodes.
CREATE TABLE provider (
    name       TEXT COLLATE "C" PRIMARY KEY,
    second     BIGINT NOT NULL DEFAULT 0,  -- the second that is counted, and what has begun in it
    begun      BIGINT NOT NULL DEFAULT 0,
    failures   BIGINT NOT NULL DEFAULT 0,  -- in a row
    rest_until BIGINT,                     -- left alone until then, and why
    rest_why   TEXT,
    held_until BIGINT,                     -- as it asked
    told_at    BIGINT                      -- when the operators were told of its account
) WITH (fillfactor = 50);
