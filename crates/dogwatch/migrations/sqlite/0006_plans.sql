-- The page has not begun: no step of the person's plan counts before then.
ALTER TABLE page ADD COLUMN deferred_until INTEGER;
