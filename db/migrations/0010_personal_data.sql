-- How long people are remembered, what stays of a day without them, and who is to be erased again after a restore.

alter table branches add column contact_days int not null default 30 check (contact_days between 1 and 180);
comment on column branches.contact_days is 'days after a visit for which the phone and the name stay on the ticket';

alter table queue_days add column forgotten int not null default 0;
comment on column queue_days.forgotten is 'tickets up to this number hold no phone and no name any more';

-- Sums, so that days and lines can be added up.
create table daily_figures (
    queue_id uuid not null references queues,
    service_date date not null,
    joined int not null,
    completed int not null,
    no_show int not null,
    cancelled int not null,
    expired int not null,
    called int not null,
    wait_seconds bigint not null,
    served int not null,
    service_seconds bigint not null,
    ratings int not null,
    stars int not null,
    primary key (queue_id, service_date)
);
comment on table daily_figures is 'what stays of a day when its tickets are deleted: nobody can be told from it';
comment on column daily_figures.wait_seconds is 'of all who were called, from joining to the last call';
comment on column daily_figures.service_seconds is 'of all who were served, from start to completion';

create table erased_phones (
    mark text primary key,
    erased_at timestamptz not null default clock_timestamp()
);
comment on column erased_phones.mark is 'the phone under a key that is not in the database: who restores a backup erases it again';

alter table audit_log drop constraint audit_log_entity_check;
alter table audit_log add constraint audit_log_entity_check
    check (entity in ('ticket', 'queue', 'staff', 'branch', 'counter', 'organization', 'person', 'retention'));

-- What is to be forgotten or deleted is found without a search; what was, is in these no more.
create index audit_by_age on audit_log (at) where entity <> 'ticket';
create index delivery_reports_to_forget on delivery_reports (received_at) where phone is not null or raw <> '{}';
create index inbound_messages_to_forget on inbound_messages (received_at) where phone is not null or text <> '';
create index notifications_to_forget on notifications (created_at) where ticket_id is null and phone is not null;
create index notifications_without_ticket on notifications (created_at) where ticket_id is null;
create index notifications_farewells on notifications (created_at) where template = 'data_gone' and phone is not null;
create index ussd_sessions_by_age on ussd_sessions (started_at);

-- It takes the mark as well; functions are made anew after this, and there must not be two.
drop function if exists erase_customer(jsonb, text);
