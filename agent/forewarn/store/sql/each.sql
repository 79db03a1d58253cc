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
