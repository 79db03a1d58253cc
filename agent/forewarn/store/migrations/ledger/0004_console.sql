-- What the console lists, counts and finds, without reading bodies: columns copied out of the body, and indexes in the order shown.
-- field(body, name) and field_s(body, name) are ours (store/sqlite.py): SQLite's own refuses the NaN that a body may hold.
ALTER TABLE incident ADD COLUMN level TEXT NOT NULL DEFAULT '';
ALTER TABLE incident ADD COLUMN opened_at REAL NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN soon_at REAL NOT NULL DEFAULT 0;
UPDATE incident SET level = field(body, 'level'), opened_at = field_s(body, 'opened_at');
UPDATE incident SET soon_at = coalesce(field_s(body, 'earliest'), 1e12 + opened_at);
DROP INDEX incident_state;
CREATE INDEX incident_state ON incident (state, level);
CREATE INDEX incident_live ON incident (level, opened_at, n) WHERE state IN ('open', 'acknowledged', 'mitigated');
CREATE INDEX incident_ahead ON incident (soon_at, n) WHERE state = 'ahead';

ALTER TABLE finding ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN opened_at REAL NOT NULL DEFAULT 0;
UPDATE finding SET kind = field(body, 'kind'), opened_at = field_s(body, 'opened_at');
CREATE INDEX finding_task ON finding (n) WHERE state = 'open' AND incident IS NULL AND kind <> 'cannot-see';
CREATE INDEX finding_blind ON finding (n) WHERE state = 'open' AND kind = 'cannot-see';
CREATE INDEX finding_probe ON finding (probe, opened_at);

ALTER TABLE due ADD COLUMN what TEXT NOT NULL DEFAULT '';
ALTER TABLE due ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE due ADD COLUMN due_at REAL NOT NULL DEFAULT 0;
UPDATE due SET what = field(body, 'what'), subject = field(body, 'subject'), due_at = field_s(body, 'due_at');
CREATE INDEX due_update ON due (incident, due_at) WHERE state = 'open' AND what = 'update.customer';
CREATE INDEX due_subject ON due (subject) WHERE state = 'open';

ALTER TABLE message ADD COLUMN kind TEXT NOT NULL DEFAULT '';
UPDATE message SET kind = field(body, 'kind');
CREATE INDEX message_kind ON message (kind);

-- The words that incidents and messages are found by, spelled as store/words.py says. rowid is the thing's n.
CREATE VIRTUAL TABLE sought_incident USING fts5(words, tokenize = 'unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE sought_message USING fts5(words, tokenize = 'unicode61 remove_diacritics 2');
