-- Whoever holds it asks nothing on this connection meanwhile. A process that is frozen, or whose machine died without a
-- word, loses it after a minute; what it does when it wakes is done already.
-- name: try_lock
select pg_try_advisory_lock(3, 0) and set_config('idle_session_timeout', '60s', false) is not null

-- name: unlock
select pg_advisory_unlock(3, 0), set_config('idle_session_timeout', '0', false)

-- name: pulse
select pulse($1)

-- Calls and graces past their deadline, and calls that deserve a last one: three minutes without "I am coming".
-- name: due
select id::text, version, case status when 'called' then 'expire_call' else 'expire_grace' end as verb
  from tickets where status in ('called', 'skipped') and deadline <= clock_timestamp()
union all
select id::text, version, 'last_call'
  from tickets t where status = 'called' and called_at <= clock_timestamp() - interval '3 minutes'
   and (deadline is null or deadline > clock_timestamp())
   and 'call' = case action when 'rename' then (select a.action from audit_log a
                                                 where entity = 'ticket' and entity_id = t.id and a.action <> 'rename'
                                                 order by a.version desc limit 1) else action end
 limit 500

-- name: days_over
select q.id as queue_id, d.service_date, b.timezone, b.opening_hours
  from queue_days d join queues q on q.id = d.queue_id join branches b on b.id = q.branch_id
 where not d.over and d.service_date < service_date(b.timezone, b.day_starts_at, clock_timestamp())

-- name: take_time
set local statement_timeout = '60s'

-- name: cut_over
select cut_over($1, $2, $3, $4, $5)

-- Who waits is told once an hour at most when the wait grew by over 20 minutes and by half of what was said.
-- name: slower
select tell_slower()

-- name: still_there
select ask_still_there()

-- No gateway repeats a request after a day, and answers hold phone numbers.
-- name: forget_answers
delete from requests where key in (select key from requests where at < now() - interval '1 day' order by at limit 5000)

-- name: forget_farewells
select forget_farewells()

-- name: forget_sessions
delete from staff_sessions s where not is_alive(s)

-- After a day every bucket is empty.
-- name: forget_tries
delete from login_tries where greatest(tried_at, until) < now() - interval '1 day'
