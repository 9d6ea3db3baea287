-- name: facts
select current_setting('server_version') as version,
       (select count(*) from branches) as branches,
       (select count(*) from notifications where status = 'queued' and due_at < now() - interval '1 minute') as late,
       (select count(*) from notifications where status = 'dead' and created_at > now() - interval '1 day') as dead,
       (select count(*) from notifications where status = 'unknown' and created_at > now() - interval '1 day') as unknown
