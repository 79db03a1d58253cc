-- New samples are appended to `hot`, which has no index; from time to time they move on, sorted, to `sample`, which is one
-- B-tree by series and time. The later of two values for one series and time is the one that counts.
CREATE TABLE series (
  id INTEGER PRIMARY KEY, probe TEXT NOT NULL, target TEXT NOT NULL, metric TEXT NOT NULL, labels TEXT NOT NULL,
  UNIQUE (probe, target, metric, labels)
) STRICT;
CREATE TABLE hot (series INTEGER NOT NULL, t REAL NOT NULL, value REAL NOT NULL) STRICT;
CREATE TABLE sample (series INTEGER NOT NULL, t REAL NOT NULL, value REAL NOT NULL, PRIMARY KEY (series, t)) STRICT, WITHOUT ROWID;
CREATE TABLE cursor (probe TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
