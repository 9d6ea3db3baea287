-- Who was told in the last hour, and which phones beside his: both are asked before each text leaves.
drop index notifications_by_phone;
create index notifications_by_phone on notifications (phone, attempted_at);
