-- name: put_finding
INSERT INTO finding (n, id, state, incident, probe, rule, series, moved_at, kind, opened_at, body)
VALUES (:n, :id, :state, :incident, :probe, :rule, :series, :moved_at, :kind, :opened_at, :body)
ON CONFLICT (n) DO UPDATE SET
  state = excluded.state, incident = excluded.incident, probe = excluded.probe, rule = excluded.rule, series = excluded.series,
  moved_at = excluded.moved_at, kind = excluded.kind, opened_at = excluded.opened_at, body = excluded.body

-- name: put_incident
INSERT INTO incident (n, id, state, incident, level, opened_at, soon_at, body)
VALUES (:n, :id, :state, :incident, :level, :opened_at, :soon_at, :body)
ON CONFLICT (n) DO UPDATE SET
  state = excluded.state, incident = excluded.incident, level = excluded.level, opened_at = excluded.opened_at, soon_at =
  excluded.soon_at, body = excluded.body

-- name: put_due
INSERT INTO due (n, id, state, incident, next_at, what, subject, due_at, body)
VALUES (:n, :id, :state, :incident, :next_at, :what, :subject, :due_at, :body)
ON CONFLICT (n) DO UPDATE SET
  state = excluded.state, incident = excluded.incident, next_at = excluded.next_at, what = excluded.what, subject =
  excluded.subject, due_at = excluded.due_at, body = excluded.body

-- name: put_hold
INSERT INTO hold (n, id, state, incident, body)
VALUES (:n, :id, :state, :incident, :body)
ON CONFLICT (n) DO UPDATE SET
  state = excluded.state, incident = excluded.incident, body = excluded.body

-- name: put_message
INSERT INTO message (n, id, state, incident, kind, body)
VALUES (:n, :id, :state, :incident, :kind, :body)
ON CONFLICT (n) DO UPDATE SET
  state = excluded.state, incident = excluded.incident, kind = excluded.kind, body = excluded.body

-- name: put_run
INSERT INTO run (n, id, state, incident, ended_at, body)
VALUES (:n, :id, :state, :incident, :ended_at, :body)
ON CONFLICT (n) DO UPDATE SET
  state = excluded.state, incident = excluded.incident, ended_at = excluded.ended_at, body = excluded.body

-- name: put_measure
INSERT INTO measure (id, state, incident, body)
VALUES (:id, :state, :incident, :body)
ON CONFLICT (id) DO UPDATE SET
  state = excluded.state, incident = excluded.incident, body = excluded.body

-- name: put_guard
INSERT INTO guard (id, state, incident, body)
VALUES (:id, :state, :incident, :body)
ON CONFLICT (id) DO UPDATE SET
  state = excluded.state, incident = excluded.incident, body = excluded.body

-- name: put_change
INSERT INTO change (n, id, state, incident, body) VALUES (:n, :id, :state, :incident, :body)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body
-- name: put_score
INSERT INTO score (id, state, incident, body)
VALUES (:id, :state, :incident, :body)
ON CONFLICT (id) DO UPDATE SET
  state = excluded.state, incident = excluded.incident, body = excluded.body

-- name: add_entry
INSERT INTO timeline (incident, at, body) VALUES (:incident, :at, :body)

-- name: add_action
INSERT INTO outbox (n, id, kind, ref, at, again, urgency, body) VALUES (:n, :id, :kind, :ref, :at, :again, :urgency, :body)

-- name: count_up
INSERT INTO counter (name, value) VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)

-- name: first_start
INSERT INTO fact (name, value) VALUES ('first_start', :at) ON CONFLICT (name) DO NOTHING

-- name: claim
UPDATE outbox SET owner = :me, lease_until = :until
 WHERE n IN (
   SELECT n FROM outbox
    WHERE done_at IS NULL AND at <= :now AND (owner IS NULL OR (again = 1 AND lease_until <= :now))
    ORDER BY urgency, at, n LIMIT :most)
RETURNING urgency, at, n, kind, body

-- name: release
UPDATE outbox SET owner = NULL, lease_until = NULL
 WHERE done_at IS NULL AND id IN (SELECT value FROM json_each(:ids))

-- name: done
UPDATE outbox SET done_at = :now WHERE id = :id AND done_at IS NULL

-- name: forget_done
DELETE FROM outbox WHERE n IN (SELECT n FROM outbox WHERE done_at < :before LIMIT :most)

-- name: next_action
SELECT min(CASE WHEN owner IS NULL THEN at ELSE max(at, lease_until) END) FROM outbox
 WHERE done_at IS NULL AND (owner IS NULL OR again = 1)

-- name: actions
SELECT kind, body FROM outbox WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY n

-- name: in_flight
SELECT id FROM outbox WHERE done_at IS NULL AND owner IS NOT NULL ORDER BY n

-- name: leased
SELECT ref, id FROM outbox WHERE done_at IS NULL AND owner IS NOT NULL AND kind = 'send' ORDER BY n

-- name: timeline
SELECT body FROM timeline WHERE incident = :incident ORDER BY n

-- name: load_incidents
SELECT body FROM incident
 WHERE state IN (SELECT value FROM json_each(:unended))
    OR id IN (SELECT incident FROM due WHERE state = 'open')
    OR id IN (SELECT incident FROM message WHERE state IN (SELECT value FROM json_each(:moving)))
    OR id IN (SELECT incident FROM run WHERE ended_at IS NULL)
 ORDER BY n

-- name: load_findings
SELECT body FROM finding
 WHERE state = 'open'
    OR incident IN (SELECT value FROM json_each(:incidents))
    OR n IN (
      SELECT max(n) FROM finding
       WHERE moved_at >= (SELECT max(moved_at) FROM finding) - 86400
       GROUP BY probe, rule, series)
 ORDER BY n

-- name: load_dues
SELECT body FROM due WHERE state = 'open' ORDER BY n

-- name: load_holds
SELECT body FROM hold WHERE state = 'open' ORDER BY n

-- name: load_messages
SELECT body FROM message
 WHERE state IN (SELECT value FROM json_each(:moving)) OR incident IN (SELECT value FROM json_each(:incidents))
 ORDER BY n

-- name: load_runs
SELECT body FROM run WHERE ended_at IS NULL OR incident IN (SELECT value FROM json_each(:incidents)) ORDER BY n

-- name: load_measures
SELECT body FROM measure ORDER BY n

-- name: load_guards
SELECT body FROM guard ORDER BY n

-- name: load_changes
SELECT body FROM (SELECT n, body FROM change ORDER BY n DESC LIMIT 300) ORDER BY n
-- name: load_scores
SELECT body FROM score ORDER BY n

-- name: load_counters
SELECT name, value FROM counter

-- name: load_first_start
SELECT value FROM fact WHERE name = 'first_start'

-- name: put_words_incident
INSERT OR REPLACE INTO sought_incident (rowid, words) VALUES (:n, :words)

-- name: put_words_message
INSERT OR REPLACE INTO sought_message (rowid, words) VALUES (:n, :words)

-- name: put_fact
INSERT INTO fact (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: fact
SELECT value FROM fact WHERE name = :name

-- The lists that people look at. INDEXED BY, since SQLite would take the index of the state and sort; it says so if one is gone.

-- name: unresolved
SELECT state, level, count(*) FROM incident WHERE state IN ('ahead', 'open', 'acknowledged', 'mitigated') GROUP BY state, level

-- name: finding_counts
SELECT (SELECT count(*) FROM finding WHERE state = 'open'),
       (SELECT count(*) FROM finding INDEXED BY finding_task WHERE state = 'open' AND incident IS NULL AND kind <> 'cannot-see'),
       (SELECT count(*) FROM finding INDEXED BY finding_blind WHERE state = 'open' AND kind = 'cannot-see')

-- name: live
SELECT body FROM incident INDEXED BY incident_live WHERE state IN ('open', 'acknowledged', 'mitigated')
ORDER BY level, opened_at, n LIMIT :limit

-- name: live_after
SELECT body FROM incident INDEXED BY incident_live WHERE state IN ('open', 'acknowledged', 'mitigated')
   AND (level, opened_at, n) > (SELECT level, opened_at, n FROM incident WHERE id = :after)
ORDER BY level, opened_at, n LIMIT :limit

-- name: ahead
SELECT body FROM incident INDEXED BY incident_ahead WHERE state = 'ahead' ORDER BY soon_at, n LIMIT :limit

-- name: ahead_after
SELECT body FROM incident INDEXED BY incident_ahead WHERE state = 'ahead' AND (soon_at, n) > (SELECT soon_at, n FROM incident WHERE id = :after)
ORDER BY soon_at, n LIMIT :limit

-- name: tasks
SELECT body FROM finding INDEXED BY finding_task WHERE state = 'open' AND incident IS NULL AND kind <> 'cannot-see' ORDER BY n DESC LIMIT :limit

-- name: findings_of_probe
SELECT body FROM finding INDEXED BY finding_probe WHERE probe = :probe AND state = 'open' ORDER BY n DESC LIMIT :limit

-- name: fired
SELECT rule, series, count(*) FROM finding WHERE probe = :probe AND opened_at >= :since GROUP BY rule, series

-- name: next_updates
SELECT incident, min(due_at) FROM due INDEXED BY due_update
 WHERE state = 'open' AND what = 'update.customer' AND incident IN (SELECT value FROM json_each(:incidents)) GROUP BY incident

-- name: dues_of_incidents
SELECT body FROM due
 WHERE incident IN (SELECT value FROM json_each(:ids)) AND what NOT IN (SELECT value FROM json_each(:hidden)) ORDER BY n

-- name: open_dues_of
SELECT body FROM due INDEXED BY due_subject WHERE state = 'open' AND subject IN (SELECT value FROM json_each(:ids)) ORDER BY n
