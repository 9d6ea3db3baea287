-- What managers change in a branch is audited like everything else, and its failed texts are found without a search.

alter table branches add column version int not null default 1;
comment on column branches.version is 'rises with every change of its settings: who changes what he saw long ago is told';

alter table audit_log drop constraint audit_log_entity_check;
alter table audit_log add constraint audit_log_entity_check
    check (entity in ('ticket', 'queue', 'staff', 'branch', 'counter', 'organization'));
comment on column audit_log.branch_id is 'null: a staff member of every branch, or the organization itself';

-- A counter may be removed; the tickets that were called to it keep its id.
alter table tickets drop constraint tickets_counter_id_fkey;
comment on column tickets.counter_id is 'of a counter that is there while the ticket is called or served, later perhaps gone';

create index notifications_not_told on notifications (branch_id, created_at) where status in ('failed', 'dead', 'expired');
