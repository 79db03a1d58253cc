-- What was changed, by people and machines; state is what kind of change it is. n is the number of its id.
CREATE TABLE change (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, incident TEXT, body TEXT NOT NULL
) STRICT;
CREATE INDEX change_state ON change (state);
