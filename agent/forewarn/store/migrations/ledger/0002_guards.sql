-- What each playbook has changed lately: its limits and its breaker outlive a restart. n counts them as they were first seen.
CREATE TABLE guard (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, incident TEXT, body TEXT NOT NULL
) STRICT;
