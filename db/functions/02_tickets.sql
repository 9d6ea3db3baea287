-- What is true of every ticket: its label, its service day, its place, its history.

create or replace function label(code text, number int) returns text language sql immutable as $$
    select code || case when number < 1000 then lpad(number::text, 3, '0') else number::text end
$$;

-- The service day of an instant: the branch's local date, begun at its own hour and not at midnight.
create or replace function service_date(timezone text, starts time, at timestamptz) returns date language sql stable as $$
    select ((at at time zone timezone) - starts::interval)::date
$$;

create or replace function today(branch uuid) returns date language sql stable as $$
    select service_date(timezone, day_starts_at, clock_timestamp()) from branches where id = branch
$$;

create or replace function branch_of(queue uuid) returns uuid language sql stable as $$
    select branch_id from queues where id = queue
$$;

create or replace function is_active(status text) returns boolean language sql immutable as $$
    select status in ('waiting', 'called', 'serving', 'skipped')
$$;

create or replace function block_of(place numeric) returns int language sql immutable as $$
    select floor(place / 256)::int
$$;

-- People ahead of a place: the waiting tickets that would be called before it. The one definition.
create or replace function people_ahead(queue uuid, day date, place numeric) returns int language sql stable as $$
    select (
        coalesce((select sum(waiting) from waiting_blocks
                   where queue_id = queue and service_date = day and block < block_of(place)), 0)
        + (select count(*) from tickets
            where queue_id = queue and service_date = day and status = 'waiting'
              and position >= block_of(place)::numeric * 256 and position < place)
    )::int
$$;

create or replace function people_waiting(queue uuid, day date) returns int language sql stable as $$
    select coalesce(sum(waiting), 0)::int from waiting_blocks where queue_id = queue and service_date = day
$$;

-- Minutes, rounded up to 5; null while fewer than ten completions were ever measured.
create or replace function estimate(ahead int, avg_seconds int, completed int) returns int language sql immutable as $$
    select case when completed >= 10 and avg_seconds > 0 then (ceil(ahead * avg_seconds / 300.0) * 5)::int end
$$;

-- Everything that any channel shows of one ticket.
create or replace function ticket_facts(t tickets) returns jsonb language sql stable as $$
    select jsonb_build_object(
        'id', t.id, 'label', label(q.code, t.number), 'number', t.number, 'status', t.status, 'version', t.version,
        'phone', t.phone, 'name', t.name, 'language', t.language, 'service_date', t.service_date,
        'today', t.service_date = service_date(b.timezone, b.day_starts_at, clock_timestamp()),
        'queue_id', q.id, 'queue', q.name, 'queue_code', q.code, 'queue_status', q.status,
        'branch_id', b.id, 'branch', b.name, 'branch_code', b.code, 'branch_phone', b.phone, 'timezone', b.timezone,
        'counter', c.name, 'called_at', t.called_at, 'coming', t.coming_at is not null, 'deadline', t.deadline,
        'defer_count', t.defer_count, 'skip_count', t.skip_count, 'alert_threshold', q.alert_threshold,
        'ahead', a.ahead, 'minutes', estimate(a.ahead, q.avg_service_seconds, q.completed_count))
    from queues q join branches b on b.id = q.branch_id left join counters c on c.id = t.counter_id,
         lateral (select case when t.status = 'waiting'
                         then people_ahead(t.queue_id, t.service_date, t.position) else 0 end as ahead) a
    where q.id = t.queue_id
$$;

create or replace function active_ticket(p_phone text) returns tickets language sql stable as $$
    select * from tickets where phone = p_phone and status in ('waiting', 'called', 'serving', 'skipped')
$$;

-- Which step may follow which. Anything else is a fault of ours and is refused by the database.
create or replace function is_legal_step(old_status text, new_status text) returns boolean language sql immutable as $$
    select case old_status
        when 'waiting' then new_status in ('waiting', 'called', 'cancelled', 'expired', 'no_show')
        when 'called'  then new_status in ('called', 'waiting', 'serving', 'completed', 'skipped', 'no_show', 'cancelled', 'expired')
        when 'serving' then new_status in ('serving', 'completed', 'no_show', 'cancelled')
        when 'skipped' then new_status in ('skipped', 'waiting', 'called', 'no_show', 'cancelled', 'expired')
        else false end
$$;

-- Keeps the history honest: a changed status without a new version, a skipped version or an illegal step cannot be stored.
create or replace function check_ticket_step() returns trigger language plpgsql as $$
begin
    if new.version not in (old.version, old.version + 1) or (new.status <> old.status and new.version = old.version) then
        raise exception 'ticket %: version % cannot follow %', old.id, new.version, old.version;
    end if;
    if new.version > old.version and not is_legal_step(old.status, new.status) then
        raise exception 'ticket %: % cannot follow %', old.id, new.status, old.status;
    end if;
    return new;
end $$;

-- One audit row per version, and the count of who waits, in the same statement as the change.
create or replace function record_ticket_step() returns trigger language plpgsql as $$
declare
    act jsonb := coalesce(nullif(current_setting('zamu.act', true), ''), '{"actor": "system", "channel": "database"}')::jsonb;
    was text := case when tg_op = 'UPDATE' then old.status end;
begin
    if tg_op = 'INSERT' or new.version > old.version then
        insert into audit_log (branch_id, entity, entity_id, version, action, from_status, to_status, details,
                               actor, actor_id, channel, reason, request)
        select q.branch_id, 'ticket', new.id, new.version, new.action, was, new.status,
               jsonb_strip_nulls(jsonb_build_object('position', new.position, 'counter', new.counter_id)),
               act->>'actor', (act->>'actor_id')::uuid, act->>'channel', act->>'reason', act->>'request'
          from queues q where q.id = new.queue_id;
    end if;
    if was = 'waiting' and (new.status <> 'waiting' or new.position <> old.position) then
        update waiting_blocks set waiting = waiting - 1
         where queue_id = old.queue_id and service_date = old.service_date and block = block_of(old.position);
    end if;
    if was = 'waiting' and new.status <> 'waiting' then
        update queues set last_completed_at = null -- nobody waits: the running gap measures nothing any more
         where id = new.queue_id and last_completed_at is not null and people_waiting(new.queue_id, new.service_date) = 0;
    end if;
    if new.status = 'waiting' and (was is distinct from 'waiting' or new.position <> old.position) then
        insert into waiting_blocks values (new.queue_id, new.service_date, block_of(new.position), 1)
        on conflict (queue_id, service_date, block) do update set waiting = waiting_blocks.waiting + 1;
    end if;
    return null;
end $$;

create or replace trigger ticket_step before update on tickets for each row execute function check_ticket_step();
create or replace trigger ticket_recorded after insert or update on tickets for each row execute function record_ticket_step();

create or replace function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log cannot be changed';
end $$;

create or replace trigger audit_is_append_only before update or delete or truncate on audit_log
    for each statement execute function refuse_change();

create or replace function audit_queue(act jsonb, q queues, action text, was text, details jsonb) returns void language sql as $$
    insert into audit_log (branch_id, entity, entity_id, version, action, from_status, to_status, details,
                           actor, actor_id, channel, reason, request)
    values (q.branch_id, 'queue', q.id, q.version, action, was, q.status, details,
            act->>'actor', (act->>'actor_id')::uuid, act->>'channel', act->>'reason', act->>'request')
$$;
