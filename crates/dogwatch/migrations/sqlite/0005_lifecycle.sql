-- Alerts may be put aside, silenced, or go into another one.
ALTER TABLE alert ADD COLUMN snoozed TEXT;          -- JSON: who, how, when, until when
ALTER TABLE alert ADD COLUMN silenced TEXT;         -- JSON: by what, why, since when, until when
ALTER TABLE alert ADD COLUMN insists INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN merged_into INTEGER;   -- the number of the other one
-- Of alerts that are over: the next report of the same may open one again, or belong to the one it went into.
CREATE INDEX alert_over_key ON alert (integration, dedup_key, number) WHERE is_open = 0;

-- What a page asks for, and whose answer ends it.
ALTER TABLE page ADD COLUMN asks TEXT NOT NULL DEFAULT 'anybody';

-- The one look at all open alerts that is due when silences begin or are edited, and how far it has come.
CREATE TABLE silence_look (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    check_at    INTEGER,            -- when it begins, or began; NULL: not before an edit
    integration TEXT,               -- the last sender and key that was looked at; NULL: it has not begun
    dedup_key   TEXT
) STRICT;
INSERT INTO silence_look (id) VALUES (1);
