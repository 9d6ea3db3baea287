-- name: facts
select current_setting('server_version') as version,
       current_setting('transaction_read_only') = 'on' as read_only,
       coalesce((select extract(epoch from clock_timestamp() - at)::float8 from heartbeats where name = 'sweeper'), 0) as silent,
       (select count(*) from branches) as branches,
       (select count(*) from notifications where status = 'queued' and due_at < now() - interval '1 minute') as late,
       (select count(*) from notifications where status = 'dead' and created_at > now() - interval '1 day') as dead,
       (select count(*) from notifications where status = 'unknown' and created_at > now() - interval '1 day') as unknown,
       (select count(*) from inbound_messages
         where handled_at is null and received_at < now() - interval '1 minute') as unhandled
