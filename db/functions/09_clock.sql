-- What the sweeper tells people: the line is slower than said, the system was down.

create or replace function tell_slower() returns int language plpgsql as $$
declare
    t tickets;
    f jsonb;
    told int := 0;
begin
    for t in
        select tickets.* from tickets join queues q on q.id = queue_id
         where tickets.status = 'waiting' and told_minutes is not null and told_at < clock_timestamp() - interval '1 hour'
           and estimate(people_ahead(queue_id, service_date, position), q.avg_service_seconds, q.completed_count)
               > greatest(told_minutes + 20, told_minutes * 1.5)
         limit 200 for update of tickets skip locked -- no line is locked here, so nobody is waited for
    loop
        f := ticket_facts(t);
        perform notify(t, f, 'slower', event => extract(epoch from clock_timestamp())::bigint);
        update tickets set told_minutes = (f->>'minutes')::int, told_at = clock_timestamp() where id = t.id;
        told := told + 1;
    end loop;
    return told;
end $$;

-- The sweeper's pulse; after a gap longer than `outage` everybody is told, in the transaction of the pulse that saw it.
create or replace function pulse(outage interval) returns int language plpgsql as $$
declare
    last timestamptz;
begin
    select at into last from heartbeats where name = 'sweeper' for update;
    insert into heartbeats values ('sweeper', clock_timestamp()) on conflict (name) do update set at = excluded.at;
    return case when last < clock_timestamp() - outage then tell_recovered() else 0 end;
end $$;

-- One text per waiting person after an outage, in order of the line; whatever was queued before is told by it too.
create or replace function tell_recovered() returns int language plpgsql as $$
declare
    q queues;
    told int := 0;
begin
    for q in select * from queues order by id for update loop
        update queues set version = version + 1 where id = q.id returning * into q;
        told := told + tell_all(q, today(q.branch_id), '{waiting}', 'recovered');
    end loop;
    update notifications n set status = 'suppressed', error = 'told after the outage', finished_at = clock_timestamp()
     where status = 'queued' and template in ('joined', 'near', 'slower', 'paused', 'resumed', 'late_ok')
       and exists (select from notifications r where r.ticket_id = n.ticket_id and r.template = 'recovered' and r.status = 'queued');
    return told;
end $$;

-- Asks those who wait for over 90 minutes and gave no sign of life in that time whether they still want their place; once.
create or replace function ask_still_there() returns int language plpgsql as $$
declare
    long_ago timestamptz := clock_timestamp() - interval '90 minutes';
    asked int := 0;
    t tickets;
begin
    for t in
        update tickets set still_asked_at = clock_timestamp()
         where id in (
            select w.id from tickets w join queues q on q.id = w.queue_id
             where w.status = 'waiting' and w.still_asked_at is null and w.phone is not null and w.created_at < long_ago
               and w.service_date = today(q.branch_id)
               and not exists (select from audit_log where entity_id = w.id and actor = 'customer' and at > long_ago)
               and not exists (select from ussd_sessions where phone = w.phone and seen_at > long_ago)
               and not exists (select from inbound_messages where phone = w.phone and received_at > long_ago)
             for update of w skip locked)
        returning *
    loop
        perform notify(t, ticket_facts(t), 'still_there');
        asked := asked + 1;
    end loop;
    return asked;
end $$;
