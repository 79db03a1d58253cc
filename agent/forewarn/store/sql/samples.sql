-- name: add_series
INSERT INTO series (probe, target, metric, labels) VALUES (:probe, :target, :metric, :labels)
ON CONFLICT (probe, target, metric, labels) DO NOTHING

-- name: series_id
SELECT id FROM series WHERE probe = :probe AND target = :target AND metric = :metric AND labels = :labels

-- name: all_series
SELECT id, probe, target, metric, labels FROM series WHERE :probe IS NULL OR probe = :probe ORDER BY id

-- name: append
INSERT INTO hot (series, t, value) VALUES (?, ?, ?)

-- name: hot_rows
SELECT count(*) FROM hot

-- name: seal
INSERT OR REPLACE INTO sample (series, t, value) SELECT series, t, value FROM hot ORDER BY series, t, rowid

-- name: empty_hot
DELETE FROM hot

-- name: read_sealed
SELECT t, value FROM sample WHERE series = :id AND t >= :since AND t < :until ORDER BY t

-- name: read_hot
SELECT t, value FROM hot WHERE series = :id AND t >= :since AND t < :until ORDER BY rowid

-- name: tally
SELECT slot * :slot, count(*), sum(NOT good) FROM (
  SELECT CAST(t / :slot AS INTEGER) AS slot, (:above IS NULL OR value > :above) AND (:below IS NULL OR value < :below) AS good
    FROM (SELECT t, value FROM sample WHERE series = :id AND t >= :since AND t < :until
          UNION ALL SELECT t, value FROM hot WHERE series = :id AND t >= :since AND t < :until))
 GROUP BY slot ORDER BY slot

-- name: last_sealed
SELECT t, value FROM sample WHERE series = :id ORDER BY t DESC LIMIT 1

-- name: last_hot
SELECT series, t, value FROM hot ORDER BY rowid

-- name: put_cursor
INSERT INTO cursor (probe, body) VALUES (:probe, :body) ON CONFLICT (probe) DO UPDATE SET body = excluded.body

-- name: get_cursor
SELECT body FROM cursor WHERE probe = :probe

-- name: prune_hot
DELETE FROM hot WHERE t < :before

-- name: prune_series
DELETE FROM sample WHERE series = :id
  AND t < coalesce((SELECT t FROM sample WHERE series = :id AND t < :before ORDER BY t LIMIT 1 OFFSET :most), :before)

-- name: forget_empty
DELETE FROM series
 WHERE id NOT IN (SELECT series FROM hot) AND NOT EXISTS (SELECT 1 FROM sample WHERE sample.series = series.id)

-- name: first
SELECT min(t) FROM (SELECT min(t) AS t FROM sample WHERE series = :id UNION ALL SELECT min(t) FROM hot WHERE series = :id)
