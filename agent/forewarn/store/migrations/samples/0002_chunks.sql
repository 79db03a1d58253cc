-- Samples come in runs: one row of `hot` holds all values of a run of a probe on a target. A `bundle` is up to 32 series of one
-- probe and target, a `shape` the list of series that a run brings. From time to time the rows of `hot` move on, sorted, to
-- `warm`; and when a bundle has enough of them there they become a chunk: columns, squeezed (store/blocks.py).
-- Of two values for one series and time the one in the higher chunk counts, then warm and hot by their numbers.
-- What an older version kept stays in `old` until it has been sealed, group by group, and is read there meanwhile.
ALTER TABLE series ADD COLUMN bundle INTEGER NOT NULL DEFAULT 0;
CREATE TABLE place AS
  SELECT id, probe, target, (row_number() OVER (PARTITION BY probe, target ORDER BY id) - 1) / 32 AS part FROM series;
CREATE TABLE numbered AS
  SELECT probe, target, part, row_number() OVER (ORDER BY min(id)) AS bundle FROM place GROUP BY probe, target, part;
UPDATE series SET bundle = numbered.bundle FROM place, numbered
 WHERE place.id = series.id
   AND numbered.probe = place.probe AND numbered.target = place.target AND numbered.part = place.part;
DROP TABLE place;
DROP TABLE numbered;
CREATE INDEX series_of_bundle ON series (bundle);
INSERT OR REPLACE INTO sample (series, t, value) SELECT series, t, value FROM hot ORDER BY series, t, rowid;
DROP TABLE hot;
ALTER TABLE sample RENAME TO old;
CREATE TABLE shape (id INTEGER PRIMARY KEY, bundle INTEGER NOT NULL, series BLOB NOT NULL UNIQUE) STRICT;
CREATE INDEX shape_of_bundle ON shape (bundle);
CREATE TABLE hot (
  n INTEGER PRIMARY KEY AUTOINCREMENT, bundle INTEGER NOT NULL, shape INTEGER NOT NULL, t INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE warm (
  bundle INTEGER NOT NULL, t INTEGER NOT NULL, n INTEGER NOT NULL, shape INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (bundle, t, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE chunk (
  bundle INTEGER NOT NULL, id INTEGER NOT NULL, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, runs INTEGER NOT NULL,
  since INTEGER NOT NULL, PRIMARY KEY (bundle, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE body (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
