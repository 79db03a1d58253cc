-- name: add_series
INSERT INTO series (probe, target, metric, labels, bundle) VALUES (:probe, :target, :metric, :labels, :bundle)

-- name: series_id
SELECT id, bundle FROM series WHERE probe = :probe AND target = :target AND metric = :metric AND labels = :labels

-- name: of_target
SELECT id, bundle, metric, labels FROM series WHERE probe = :probe AND target = :target

-- name: bundle_with_room
SELECT bundle FROM series WHERE probe = :probe AND target = :target GROUP BY bundle HAVING count(*) < :most LIMIT 1

-- name: new_bundle
SELECT coalesce(max(bundle), 0) + 1 FROM (
  SELECT max(bundle) AS bundle FROM series UNION ALL SELECT max(bundle) FROM warm UNION ALL SELECT max(bundle) FROM chunk
  UNION ALL SELECT max(bundle) FROM hot)

-- name: all_series
SELECT id, bundle, probe, target, metric, labels FROM series WHERE :probe IS NULL OR probe = :probe ORDER BY id

-- name: add_shape
INSERT INTO shape (bundle, series) VALUES (:bundle, :series) ON CONFLICT (series) DO NOTHING

-- name: shape_id
SELECT id FROM shape WHERE series = :series

-- name: shapes
SELECT id, series FROM shape WHERE bundle = :bundle

-- name: all_shapes
SELECT id, series FROM shape

-- name: append
INSERT INTO hot (bundle, shape, t, body) VALUES (?, ?, ?, ?)

-- name: hot_rows
SELECT count(*) FROM hot

-- name: hot_by_bundle
SELECT bundle, count(*) FROM hot GROUP BY bundle

-- name: warm_by_bundle
SELECT bundle, count(*) FROM warm GROUP BY bundle

-- name: open_by_bundle
SELECT bundle, sum(runs) FROM chunk WHERE runs < :full AND id > 0 GROUP BY bundle

-- name: warm_up
INSERT INTO warm (bundle, t, n, shape, body) SELECT bundle, t, n, shape, body FROM hot ORDER BY bundle, t, n

-- name: empty_hot
DELETE FROM hot

-- name: read_hot
SELECT shape, t, body FROM hot WHERE bundle = :bundle AND t >= :since AND t < :until ORDER BY n

-- name: read_warm
SELECT shape, t, body FROM warm WHERE bundle = :bundle AND t >= :since AND t < :until ORDER BY t, n

-- name: warm_to_seal
SELECT shape, t, body FROM warm WHERE bundle = :bundle ORDER BY t, n LIMIT :most

-- name: cool
DELETE FROM warm WHERE bundle = :bundle AND t <= :last

-- name: chunks
SELECT chunk.id, t0, t1, since, data FROM chunk JOIN body ON body.id = chunk.id
 WHERE bundle = :bundle AND t1 >= :since AND t0 < :until ORDER BY chunk.id

-- name: chunk_spans
SELECT id, t0, t1, since FROM chunk WHERE bundle = :bundle ORDER BY id

-- name: body
SELECT data FROM body WHERE id = :id

-- name: open_chunks
SELECT chunk.id, since, data FROM chunk JOIN body ON body.id = chunk.id
 WHERE bundle = :bundle AND runs < :full AND chunk.id > 0 ORDER BY chunk.id

-- name: add_body
INSERT INTO body (id, data) VALUES (:id, :data)

-- name: last_chunk
SELECT max(0, coalesce(max(id), 0)) FROM body

-- name: first_chunk
SELECT min(0, coalesce(min(id), 0)) FROM body

-- name: add_chunk
INSERT INTO chunk (bundle, id, t0, t1, runs, since) VALUES (:bundle, :id, :t0, :t1, :runs, :t0)

-- name: drop_chunk
DELETE FROM chunk WHERE bundle = :bundle AND id = :id

-- name: drop_body
DELETE FROM body WHERE id = :id

-- name: read_old
SELECT t, value FROM old WHERE series = :id AND t >= :since AND t < :until ORDER BY t

-- name: any_old
SELECT series FROM old LIMIT 1

-- name: old_bundle
SELECT bundle FROM series WHERE id = (SELECT series FROM old LIMIT 1)

-- name: ids_of_bundle
SELECT id FROM series WHERE bundle = :bundle

-- name: orphans_old
DELETE FROM old WHERE series NOT IN (SELECT id FROM series)

-- name: old_until
SELECT t FROM old WHERE series = :id ORDER BY t LIMIT 1 OFFSET :most

-- name: forget_old
DELETE FROM old WHERE series = :id AND t < :until

-- name: last_old
SELECT t, value FROM old WHERE series = :id ORDER BY t DESC LIMIT 1

-- name: first_old
SELECT min(t) FROM old WHERE series = :id AND t >= :since

-- name: bundle_last_warm
SELECT shape, t, body FROM warm WHERE bundle = :bundle ORDER BY t DESC, n DESC

-- name: last_hot
SELECT shape, t, body FROM hot ORDER BY t, n

-- name: put_cursor
INSERT INTO cursor (probe, body) VALUES (:probe, :body) ON CONFLICT (probe) DO UPDATE SET body = excluded.body

-- name: get_cursor
SELECT body FROM cursor WHERE probe = :probe

-- name: old_hot
SELECT shape, count(*) FROM hot WHERE t < :before GROUP BY shape

-- name: prune_hot
DELETE FROM hot WHERE t < :before

-- name: old_warm
SELECT shape, t, n FROM warm WHERE bundle = :bundle AND t < :before ORDER BY t, n LIMIT :most

-- name: prune_warm
DELETE FROM warm WHERE bundle = :bundle AND (t < :t OR (t = :t AND n <= :n))

-- name: old_chunks
SELECT chunk.id, t1, since, data FROM chunk JOIN body ON body.id = chunk.id
 WHERE bundle = :bundle AND t0 < :before AND since < :before LIMIT :most

-- name: trim
UPDATE chunk SET since = :before WHERE bundle = :bundle AND id = :id

-- name: prune_old
DELETE FROM old WHERE series = :id
  AND t < coalesce((SELECT t FROM old WHERE series = :id AND t < :before ORDER BY t LIMIT 1 OFFSET :most), :before)

-- name: used_shapes
SELECT shape FROM hot WHERE bundle = :bundle UNION SELECT shape FROM warm WHERE bundle = :bundle

-- name: forget_series
DELETE FROM series WHERE id = :id

-- name: idle_shapes
DELETE FROM shape WHERE id NOT IN (SELECT shape FROM hot) AND id NOT IN (SELECT shape FROM warm)

-- name: to_roll
SELECT here.bundle, until FROM (SELECT DISTINCT bundle FROM series) AS here LEFT JOIN roll_mark ON roll_mark.bundle = here.bundle
 WHERE until IS NULL OR until < :end ORDER BY until LIMIT :most

-- name: mark
INSERT INTO roll_mark (bundle, until) VALUES (:bundle, :until) ON CONFLICT (bundle) DO UPDATE SET until = excluded.until

-- name: marked
SELECT until FROM roll_mark WHERE bundle = :bundle

-- name: add_rolled
INSERT OR REPLACE INTO rolled (step, bundle, day, data) VALUES (:step, :bundle, :day, :data)

-- name: read_rolled
SELECT data FROM rolled WHERE bundle = :bundle AND step = :step AND day > :since AND day < :until ORDER BY day

-- name: all_rolled
SELECT data FROM rolled WHERE bundle = :bundle

-- name: prune_rolled
DELETE FROM rolled WHERE id IN (SELECT id FROM rolled WHERE step = :step AND day <= :day LIMIT :most)

-- name: forget_marks
DELETE FROM roll_mark WHERE bundle NOT IN (SELECT bundle FROM series)
