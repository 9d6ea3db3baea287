-- What people are told: one row per event, in the transaction of the event. The words live in sms/.

-- How long a text stays true enough to be sent, and how urgent it is.
create or replace function deadline_of(template text) returns interval language sql immutable as $$
    select case
        when template in ('turn', 'last_call') then interval '3 minutes'
        when template in ('near', 'late_ok', 'slower', 'staff_code') then interval '10 minutes'
        when template in ('missed', 'skipped') then interval '15 minutes'
        when template in ('closed_early', 'end_of_day', 'data_gone') then interval '12 hours'
        else interval '30 minutes' end
$$;

create or replace function urgency_of(template text) returns int language sql immutable as $$
    select case when template in ('turn', 'last_call') then 0 when template = 'near' then 1 else 5 end
$$;

-- Tells the holder of a ticket something, with the facts of the event; a walk-in without a phone is told by staff.
-- The event's version (the ticket's own, unless said) stands in the key: the same event cannot be told twice.
create or replace function notify(t tickets, f jsonb, template text, more jsonb default '{}', event bigint default null)
returns void language sql as $$
    insert into notifications (branch_id, ticket_id, phone, template, language, parameters, urgency, expires_at, dedupe_key)
    select (f->>'branch_id')::uuid, t.id, t.phone, template, t.language, text_parameters(f) || more,
           urgency_of(template), clock_timestamp() + deadline_of(template),
           template || ':' || t.id || ':' || coalesce(event, t.version)
     where t.phone is not null
    on conflict (dedupe_key) do nothing
$$;

create or replace function text_parameters(f jsonb) returns jsonb language sql immutable as $$
    select jsonb_build_object('branch', f->'branch', 'code', f->'branch_code', 'phone', f->'branch_phone', 'svc', f->'queue',
                              'tk', f->'label', 'ctr', f->'counter', 'ahead', f->'ahead', 'min', f->'minutes')
$$;

-- Tells those who just crossed the threshold, once per approach. Call it, with the queue locked, after anybody
-- left the waiting line. Only the first few of the line are looked at.
create or replace function alert_near(q queues, day date) returns void language plpgsql as $$
declare
    t tickets;
begin
    for t in
        update tickets set alerted_at = clock_timestamp()
         where id in (select near.id from (select id, alerted_at from tickets
                                            where queue_id = q.id and service_date = day and status = 'waiting'
                                            order by position limit q.alert_threshold + 1) near
                       where near.alerted_at is null)
        returning *
    loop
        perform notify(t, ticket_facts(t), 'near');
    end loop;
end $$;
