-- Messages in chats that show how an alert stands, and are changed when that changes. One of several alerts has a
-- row for each.
CREATE TABLE chat_message (
    alert       BLOB NOT NULL REFERENCES alert (id),
    delivery    BLOB NOT NULL,              -- the one that carried the message
    contact     TEXT NOT NULL,
    provider_id TEXT NOT NULL,              -- what the provider calls the message
    shown       TEXT NOT NULL,              -- how the alert stands in it: its status, and since when somebody has it
    tries       INTEGER NOT NULL DEFAULT 0, -- changes of it that failed, one after the other
    not_before  INTEGER NOT NULL DEFAULT 0, -- it is not tried again before
    PRIMARY KEY (alert, delivery)
) STRICT, WITHOUT ROWID;

-- Browsers that show notifications of a person.
CREATE TABLE push_subscription (
    endpoint   TEXT PRIMARY KEY,            -- an address at the browser's push service
    person     TEXT NOT NULL,
    key        BLOB NOT NULL,               -- the browser's public key: P-256, 65 bytes
    auth       BLOB NOT NULL,               -- 16 bytes that only it and we know
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX push_subscription_of ON push_subscription (person);
