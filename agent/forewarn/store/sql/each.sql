-- name: get
SELECT body FROM {kind} WHERE id = :id

-- name: counts
SELECT state, count(*) FROM {kind} GROUP BY state

-- name: number
SELECT n FROM {kind} WHERE id = :id

-- name: find
SELECT body FROM {kind} WHERE true

-- name: in_state
AND state = :state

-- name: in_states
AND state IN (SELECT value FROM json_each(:states))

-- name: of_incident
AND incident = :incident

-- name: older
AND n < :after

-- name: younger
AND n > :after

-- name: newest_first
ORDER BY n DESC LIMIT :limit

-- name: oldest_first
ORDER BY n LIMIT :limit

-- name: get_all
SELECT id, body FROM {kind} WHERE id IN (SELECT value FROM json_each(:ids))

-- name: counts_of
SELECT state, count(*) FROM {kind} WHERE state IN (SELECT value FROM json_each(:states)) GROUP BY state

-- name: of_kind
AND kind = :kind

-- name: shown
AND what NOT IN (SELECT value FROM json_each(:hidden))

-- name: sought
SELECT body FROM {kind} WHERE n IN (
  SELECT rowid FROM sought_{kind} WHERE sought_{kind} MATCH :words AND rowid < :before ORDER BY rowid DESC LIMIT :limit)
ORDER BY n DESC

-- name: unsought
SELECT n, body FROM {kind} WHERE n > :after AND NOT EXISTS (SELECT 1 FROM sought_{kind} WHERE rowid = n) ORDER BY n LIMIT :limit

-- name: words_of
SELECT words FROM sought_{kind} WHERE rowid = :n
