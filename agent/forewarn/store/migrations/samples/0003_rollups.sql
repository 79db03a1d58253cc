-- Summaries by slots of `step` seconds: a row is a day of a bundle (store/rollups.py). `roll_mark` says how far a bundle is.
CREATE TABLE rolled (
  id INTEGER PRIMARY KEY, step INTEGER NOT NULL, bundle INTEGER NOT NULL, day INTEGER NOT NULL, data BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX rolled_day ON rolled (bundle, step, day);
CREATE TABLE roll_mark (bundle INTEGER PRIMARY KEY, until INTEGER NOT NULL) STRICT;
