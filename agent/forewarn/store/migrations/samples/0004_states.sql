-- What each rule had learnt of a series (model/kept.py), so that it goes on after a restart. A row is written anew at times.
CREATE TABLE state (
  probe TEXT NOT NULL, rule TEXT NOT NULL, series TEXT NOT NULL, text INTEGER NOT NULL, seen REAL NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (probe, rule, series)
) STRICT;
