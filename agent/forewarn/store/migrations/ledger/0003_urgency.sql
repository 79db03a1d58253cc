-- The outbox hands out what is urgent first, and forgets what was done long ago.
ALTER TABLE outbox ADD COLUMN urgency INTEGER NOT NULL DEFAULT 7;

UPDATE outbox SET urgency =
  CASE (SELECT json_extract(message.body, '$.kind') FROM message WHERE message.id = outbox.ref)
    WHEN 'page' THEN 2 WHEN 'notice' THEN 12 ELSE 7 END
 WHERE done_at IS NULL;

CREATE INDEX outbox_urgent ON outbox (urgency, at) WHERE done_at IS NULL;
CREATE INDEX outbox_done ON outbox (done_at) WHERE done_at IS NOT NULL;
