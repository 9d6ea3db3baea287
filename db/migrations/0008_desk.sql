-- What a desk looks at again and again: who may come back, who did not show up, how long those called had waited.

create index tickets_missed on tickets (queue_id, service_date, status) where status in ('skipped', 'no_show');
create index tickets_called on tickets (queue_id, service_date, called_at) where called_at is not null;
