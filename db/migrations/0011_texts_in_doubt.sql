-- Looked at every few seconds by whoever watches over us; there are few of them, and the table is long.
create index notifications_in_doubt on notifications (created_at) where status in ('dead', 'unknown');
