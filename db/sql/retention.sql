-- What time takes away, once a day. queue_core/retention.py runs these: $1 is the size of a part, $2 the days that are kept.

-- name: try_lock
select pg_try_advisory_lock(3, 1)

-- name: unlock
select pg_advisory_unlock(3, 1)

-- name: is_due
select not exists (select from heartbeats where name = 'retention' and at > now() - interval '23 hours')

-- name: forget_visits
select forget_visits($1)

-- name: forget_texts
select forget_texts($1)

-- name: forget_inbound
select forget_inbound($1)

-- name: forget_reports
select forget_reports($1)

-- name: delete_ussd_sessions
select delete_ussd_sessions($1)

-- name: delete_enrolments
select delete_enrolments($1)

-- name: delete_marks
select delete_marks($1)

-- name: delete_customers
select delete_customers($1, $2)

-- name: delete_visits
select delete_visits($1, $2)

-- name: delete_texts
select delete_texts($1, $2)

-- name: delete_inbound
select delete_inbound($1, $2)

-- name: delete_reports
select delete_reports($1, $2)

-- name: delete_audit
select delete_audit($1, $2)

-- Whatever was done is itself told in the audit log: how many of what, of nobody.
-- name: finish
with marked as (
    insert into heartbeats values ('retention', clock_timestamp()) on conflict (name) do update set at = excluded.at)
insert into audit_log (entity, entity_id, action, details, actor, channel)
select 'retention', gen_random_uuid(), 'forget', $1::jsonb, 'system', 'system' where $1::jsonb <> '{}'
