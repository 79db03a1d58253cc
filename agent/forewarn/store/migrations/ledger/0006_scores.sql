-- How often each rule was right. n counts them as they were first seen.
CREATE TABLE score (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, incident TEXT, body TEXT NOT NULL
) STRICT;
