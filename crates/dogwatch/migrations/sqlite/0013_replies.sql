-- Replies that are no answer and try no code: they use up our answers, and no tries.
ALTER TABLE reply_line ADD COLUMN unclear INTEGER NOT NULL DEFAULT 0;
