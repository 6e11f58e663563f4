-- What leaves in one message: the id of the first delivery in it.
ALTER TABLE delivery ADD COLUMN bundle BLOB;
CREATE INDEX delivery_by_bundle ON delivery (bundle) WHERE bundle IS NOT NULL;

-- What has gone out to a person lately: decides what leaves alone and what is collected.
CREATE TABLE mailbox (
    person TEXT PRIMARY KEY,
    body   TEXT NOT NULL             -- JSON
) STRICT, WITHOUT ROWID;
