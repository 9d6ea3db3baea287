-- Samples for a scrape, a row each: how it is called, its labels, its value. No name and no phone is read here.

-- $1: at most so many lines, the longest first; `zamu_waiting_all` has everybody.
-- name: samples
with days as materialized (
    select d.queue_id, d.service_date, b.code as branch, q.code as line
      from queue_days d join queues q on q.id = d.queue_id join branches b on b.id = q.branch_id
     where not d.over),
waiting as materialized (
    select d.branch, d.line, coalesce(sum(w.waiting), 0) as waiting
      from days d left join waiting_blocks w on w.queue_id = d.queue_id and w.service_date = d.service_date
     group by d.branch, d.line),
today as materialized (
    select d.branch, t.channel, t.status, t.called_at, t.called_at - t.created_at as waited
      from days d join tickets t on t.queue_id = d.queue_id and t.service_date = d.service_date),
queued as (
    select count(*) as texts, min(due_at) as since from notifications where status = 'queued' and due_at <= now()),
unhandled as (
    select count(*) as texts, min(received_at) as since from inbound_messages where handled_at is null)
select 'zamu_waiting' as name, jsonb_build_object('branch', branch, 'line', line) as labels, waiting::float8 as value
  from (select * from waiting order by waiting desc, branch, line limit $1) longest
union all select 'zamu_waiting_all', '{}', coalesce(sum(waiting), 0) from waiting
union all select 'zamu_tickets_today', jsonb_build_object('channel', channel), count(*) from today group by channel
union all select 'zamu_called_today', '{}', count(called_at) from today
union all
select 'zamu_ended_today', jsonb_build_object('status', ends.status), count(today.status)
  from unnest('{completed,no_show,cancelled,expired}'::text[]) as ends (status)
  left join today on today.status = ends.status group by ends.status
union all select 'zamu_waited_seconds_today', '{}', coalesce(extract(epoch from sum(waited)), 0) from today
union all select 'zamu_texts_queued', '{}', texts from queued
union all select 'zamu_texts_queued_oldest_seconds', '{}', coalesce(extract(epoch from now() - since), 0) from queued
union all
select 'zamu_texts_in_doubt', '{"state": "dead"}', count(*) from notifications
 where status = 'dead' and created_at > now() - interval '1 day'
union all
select 'zamu_texts_in_doubt', '{"state": "unknown"}', count(*) from notifications
 where status = 'unknown' and created_at > now() - interval '1 day'
union all select 'zamu_texts_unhandled', '{}', texts from unhandled
union all select 'zamu_texts_unhandled_oldest_seconds', '{}', coalesce(extract(epoch from now() - since), 0) from unhandled
union all
select 'zamu_sweeper_silent_seconds', '{}', extract(epoch from clock_timestamp() - at) from heartbeats where name = 'sweeper'
union all
select 'zamu_database_writable', '{}', (current_setting('transaction_read_only') = 'off')::int
union all
select 'zamu_database_connections', '{}', count(*) from pg_stat_activity where backend_type = 'client backend'
union all select 'zamu_database_connections_most', '{}', current_setting('max_connections')::float8
union all
select 'zamu_archive_fails', '{}', (last_failed_time > coalesce(last_archived_time, '-infinity'))::int
  from pg_stat_archiver where last_failed_time is not null
