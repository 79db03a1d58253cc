-- One table a kind of entity: n is the number of its id, body its current version as JSON. The other columns are copies out
-- of the body, for finding it. No foreign keys: a page must not fail to be stored because something else is missing.
CREATE TABLE finding (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, incident TEXT,
  probe TEXT NOT NULL, rule TEXT NOT NULL, series TEXT NOT NULL, moved_at REAL NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX finding_state ON finding (state);
CREATE INDEX finding_incident ON finding (incident);
CREATE INDEX finding_moved ON finding (moved_at);

CREATE TABLE incident (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, incident TEXT, body TEXT NOT NULL
) STRICT;
CREATE INDEX incident_state ON incident (state);

CREATE TABLE due (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, incident TEXT, next_at REAL, body TEXT NOT NULL
) STRICT;
CREATE INDEX due_state ON due (state);
CREATE INDEX due_incident ON due (incident);
CREATE INDEX due_next ON due (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE hold (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, incident TEXT, body TEXT NOT NULL
) STRICT;
CREATE INDEX hold_state ON hold (state);

CREATE TABLE message (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, incident TEXT, body TEXT NOT NULL
) STRICT;
CREATE INDEX message_state ON message (state);
CREATE INDEX message_incident ON message (incident);

CREATE TABLE run (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, incident TEXT, ended_at REAL, body TEXT NOT NULL
) STRICT;
CREATE INDEX run_state ON run (state);
CREATE INDEX run_incident ON run (incident);
CREATE INDEX run_at_work ON run (n) WHERE ended_at IS NULL;

-- n counts measures in the order in which they were first seen; the id is service/what.
CREATE TABLE measure (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, incident TEXT, body TEXT NOT NULL
) STRICT;

-- Append only.
CREATE TABLE timeline (n INTEGER PRIMARY KEY AUTOINCREMENT, incident TEXT NOT NULL, at REAL NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX timeline_incident ON timeline (incident);

-- What is to be done: a row is free (no owner), claimed (an owner and a lease) or done. ref is the message or run.
CREATE TABLE outbox (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, ref TEXT NOT NULL, at REAL NOT NULL, again INTEGER NOT NULL,
  body TEXT NOT NULL, owner TEXT, lease_until REAL, done_at REAL
) STRICT;
CREATE INDEX outbox_waiting ON outbox (at) WHERE done_at IS NULL;

CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
