-- What time takes away. Each function does one small part, so that nobody waits for it, and says how much it did: 0 when
-- nothing is left to do. queue_core/retention.py calls them until then. A part is small: whatever the planner believes of
-- a table, it must not be read as a whole for it.

-- The tickets of a day by their numbers: the index that keeps these unique finds them.
create or replace function tickets_numbered(queue uuid, day date, first int, last int) returns uuid[] language sql stable as $$
    select array(select id from tickets
                  where queue_id = queue and service_date = day and number = any (array(select generate_series(first, last))))
$$;

-- Phones and names leave the tickets of days that are long enough ago for their branch, and all texts about them.
create or replace function forget_visits(batch int) returns int language plpgsql set enable_seqscan = off as $$
declare
    d queue_days;
    upto int;
    visits uuid[];
begin
    select qd.* into d from queue_days qd join queues q on q.id = qd.queue_id join branches b on b.id = q.branch_id
     where qd.over and qd.forgotten < qd.last_number_issued
       and qd.service_date < service_date(b.timezone, b.day_starts_at, clock_timestamp()) - b.contact_days
     order by qd.service_date limit 1 for update of qd;
    if not found then
        return 0;
    end if;
    upto := least(d.forgotten + batch, d.last_number_issued);
    visits := tickets_numbered(d.queue_id, d.service_date, d.forgotten + 1, upto);
    update tickets set phone = null, name = null where id = any (visits) and (phone is not null or name is not null);
    update notifications set phone = null, parameters = '{}', body = null where ticket_id = any (visits);
    perform forget_reasons(visits);
    update queue_days set forgotten = upto where queue_id = d.queue_id and service_date = d.service_date;
    return upto - d.forgotten;
end $$;

create or replace function forget_texts(batch int) returns int language sql as $$
    with forgotten as (
        update notifications set phone = null, parameters = '{}', body = null
         where id in (select n.id from notifications n left join branches b on b.id = n.branch_id
                       where n.ticket_id is null and n.phone is not null and n.created_at < clock_timestamp() - interval '1 day'
                         and n.created_at < clock_timestamp() - make_interval(days => coalesce(b.contact_days, 30))
                       order by n.created_at limit batch)
        returning 1)
    select count(*)::int from forgotten
$$;

create or replace function forget_inbound(batch int) returns int language sql as $$
    with forgotten as (
        update inbound_messages set phone = null, text = ''
         where id in (select id from inbound_messages
                       where (phone is not null or text <> '') and received_at < clock_timestamp() - interval '30 days' limit batch)
        returning 1)
    select count(*)::int from forgotten
$$;

create or replace function forget_reports(batch int) returns int language sql as $$
    with forgotten as (
        update delivery_reports set phone = null, raw = '{}'
         where id in (select id from delivery_reports
                       where (phone is not null or raw <> '{}') and received_at < clock_timestamp() - interval '30 days' limit batch)
        returning 1)
    select count(*)::int from forgotten
$$;

create or replace function delete_ussd_sessions(batch int) returns int language sql as $$
    with deleted as (
        delete from ussd_sessions
         where (gateway, session_key) in (select gateway, session_key from ussd_sessions
                                           where started_at < clock_timestamp() - interval '30 days' limit batch)
        returning 1)
    select count(*)::int from deleted
$$;

create or replace function delete_enrolments(batch int) returns int language sql as $$
    with deleted as (
        delete from staff_phones
         where phone in (select phone from staff_phones
                          where enrolled_at is null and blocked_at is null and created_at < clock_timestamp() - interval '30 days'
                          limit batch)
        returning 1)
    select count(*)::int from deleted
$$;

-- A language chosen long ago by somebody of whom nothing else is kept. Of who opted out the phone alone stays,
-- for he must not be texted. Looks at the `batch` phones after one; where that stops, to go on from, and how many went.
create or replace function delete_customers(after text, batch int) returns jsonb language sql as $$
    with part as materialized (select * from customers where phone > after order by phone limit batch),
    absent as materialized (
        select * from part p
         where p.created_at < clock_timestamp() - interval '30 days'
           and not exists (select from tickets t where t.phone = p.phone and t.status in ('waiting', 'called', 'serving', 'skipped'))
           and not exists (select from tickets t where t.phone = p.phone and t.ended_at is not null)
           and not exists (select from ussd_sessions u where u.phone = p.phone)),
    deleted as (
        delete from customers c using absent a where c.phone = a.phone and a.opted_out_at is null returning 1)
    select jsonb_build_object('after', (select max(phone) from part), 'deleted', (select count(*) from deleted))
$$;

-- A day that is over goes from its last number down, so that its numbers stay 1..n meanwhile; its figures stay.
create or replace function delete_visits(batch int, keep int) returns int language plpgsql set enable_seqscan = off as $$
declare
    d queue_days;
    first int;
    visits uuid[];
begin
    select qd.* into d from queue_days qd join queues q on q.id = qd.queue_id join branches b on b.id = q.branch_id
     where qd.over and qd.service_date < service_date(b.timezone, b.day_starts_at, clock_timestamp()) - keep
     order by qd.service_date limit 1 for update of qd;
    if not found then
        return 0;
    end if;
    perform keep_figures(d);
    first := greatest(d.last_number_issued - batch, 0) + 1;
    visits := tickets_numbered(d.queue_id, d.service_date, first, d.last_number_issued);
    perform set_config('zamu.forgetting', 'on', true);
    delete from audit_log where entity = 'ticket' and entity_id = any (visits);
    perform set_config('zamu.forgetting', 'off', true);
    delete from notifications where ticket_id = any (visits);
    delete from tickets where id = any (visits);
    if first > 1 then
        update queue_days set last_number_issued = first - 1, forgotten = least(forgotten, first - 1)
         where queue_id = d.queue_id and service_date = d.service_date;
    else
        delete from waiting_blocks where queue_id = d.queue_id and service_date = d.service_date;
        delete from queue_days where queue_id = d.queue_id and service_date = d.service_date;
    end if;
    return greatest(cardinality(visits), 1);
end $$;

create or replace function keep_figures(d queue_days) returns void language sql as $$
    insert into daily_figures
    select d.queue_id, d.service_date, count(*),
           count(*) filter (where status = 'completed'), count(*) filter (where status = 'no_show'),
           count(*) filter (where status = 'cancelled'), count(*) filter (where status = 'expired'),
           count(called_at), coalesce(sum(extract(epoch from called_at - created_at)), 0)::bigint,
           count(*) filter (where completed_at is not null and started_at is not null),
           coalesce(sum(extract(epoch from completed_at - started_at)), 0)::bigint,
           count(rating), coalesce(sum(rating), 0)
      from tickets where id = any (tickets_numbered(d.queue_id, d.service_date, 1, d.last_number_issued))
    on conflict (queue_id, service_date) do nothing
$$;

create or replace function delete_texts(batch int, keep int) returns int language sql as $$
    with deleted as (
        delete from notifications
         where id in (select id from notifications
                       where ticket_id is null and created_at < clock_timestamp() - make_interval(days => keep) limit batch)
        returning 1)
    select count(*)::int from deleted
$$;

create or replace function delete_inbound(batch int, keep int) returns int language sql as $$
    with deleted as (
        delete from inbound_messages
         where id in (select id from inbound_messages
                       where phone is null and received_at < clock_timestamp() - make_interval(days => keep) limit batch)
        returning 1)
    select count(*)::int from deleted
$$;

create or replace function delete_reports(batch int, keep int) returns int language sql as $$
    with deleted as (
        delete from delivery_reports
         where id in (select id from delivery_reports
                       where phone is null and received_at < clock_timestamp() - make_interval(days => keep) limit batch)
        returning 1)
    select count(*)::int from deleted
$$;

-- What happened to lines, staff and settings; the history of a ticket goes with its day.
create or replace function delete_audit(batch int, keep int) returns int language plpgsql as $$
declare
    deleted int;
begin
    perform set_config('zamu.forgetting', 'on', true);
    delete from audit_log
     where id in (select id from audit_log
                   where entity <> 'ticket' and at < clock_timestamp() - make_interval(days => keep) limit batch);
    get diagnostics deleted = row_count;
    perform set_config('zamu.forgetting', 'off', true);
    return deleted;
end $$;

-- A little longer than any backup that still holds them.
create or replace function delete_marks(batch int) returns int language sql as $$
    with deleted as (
        delete from erased_phones
         where mark in (select mark from erased_phones where erased_at < clock_timestamp() - interval '90 days' limit batch)
        returning 1)
    select count(*)::int from deleted
$$;
