-- Messages in a row that a provider took and that came back later: there is no such number, no such mailbox.
ALTER TABLE contact_state ADD COLUMN bounces BIGINT NOT NULL DEFAULT 0;
-- Codes and tests that were asked for since a time: a contact is not to be flooded with them.
ALTER TABLE contact_state ADD COLUMN asked BIGINT NOT NULL DEFAULT 0;
ALTER TABLE contact_state ADD COLUMN asked_from BIGINT NOT NULL DEFAULT 0;
