-- Deliveries that speak of duty have no alert; what is told too late is not told at all.
CREATE TABLE delivery_of_anything (
    id          BLOB PRIMARY KEY,
    alert       BLOB REFERENCES alert (id),  -- NULL: it speaks of duty
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
    expires_at  INTEGER,
    history     TEXT NOT NULL DEFAULT ''  -- one line of JSON for each attempt that has an outcome
) STRICT, WITHOUT ROWID;
INSERT INTO delivery_of_anything
    SELECT id, alert, page, person, contact, provider, purpose, round, step, text, created_at, state, not_before,
        attempt, unknown, lease_until, NULL, history FROM delivery;
DROP TABLE delivery;
ALTER TABLE delivery_of_anything RENAME TO delivery;
CREATE INDEX delivery_by_alert ON delivery (alert) WHERE alert IS NOT NULL;
CREATE INDEX delivery_ready ON delivery (provider, not_before) WHERE state = 'ready';
CREATE INDEX delivery_claimed ON delivery (lease_until) WHERE state = 'claimed';
CREATE INDEX delivery_handset ON delivery (contact, created_at) WHERE provider = 'handset';

-- Each role of each schedule, and of each team without one: who was on call when it was last looked at.
CREATE TABLE duty (
    roster   TEXT NOT NULL,          -- schedule or team
    name     TEXT NOT NULL,
    role     TEXT NOT NULL,
    seen     TEXT,                   -- JSON: when, who, who has been reminded of what; NULL: nobody has looked yet
    check_at INTEGER,                -- when to look again; NULL: not before an edit
    PRIMARY KEY (roster, name, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX duty_due ON duty (check_at) WHERE check_at IS NOT NULL;

-- Somebody was asked, or has answered. A column of its own, set once: an event that is accepted writes nothing to
-- the index, and a new status nothing either.
ALTER TABLE alert ADD COLUMN has_begun INTEGER NOT NULL DEFAULT 0;
UPDATE alert SET has_begun = (next_step > 0 OR status <> 'triggered');
CREATE INDEX alert_of_team ON alert (audience) WHERE has_begun = 1 AND is_open = 1 AND audience_kind = 'team';
