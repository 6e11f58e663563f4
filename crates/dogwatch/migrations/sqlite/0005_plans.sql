-- Only the person's own answer ends such a page.
ALTER TABLE page ADD COLUMN own_answer INTEGER NOT NULL DEFAULT 0;
-- The page has not begun: no step of the person's plan counts before then.
ALTER TABLE page ADD COLUMN deferred_until INTEGER;
