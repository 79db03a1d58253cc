-- name: put
INSERT INTO state (probe, rule, series, text, seen, data) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (probe, rule, series) DO UPDATE SET text = excluded.text, seen = excluded.seen, data = excluded.data

-- name: of
SELECT probe, rule, series, text, seen, data FROM state WHERE probe = :probe ORDER BY rule, series

-- name: drop
DELETE FROM state WHERE probe = ? AND rule = ? AND series = ?

-- name: probes
SELECT DISTINCT probe FROM state

-- name: drop_probe
DELETE FROM state WHERE probe = :probe
