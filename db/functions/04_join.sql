-- Joining: a phone gets one place in one line.

-- The place behind the first `passed` waiting people, or last when fewer wait. Halving is exact: a product of numerics
-- keeps every digit. All places stay below the next number, so whoever joins later stands behind them.
create or replace function place_behind(queue uuid, day date, passed int) returns numeric language sql stable as $$
    select case when before is null and after is null then last_number_issued + 0.5
                when before is null then after - 1
                else (before + coalesce(after, last_number_issued + 1)) * 0.5 end
      from (select max(position) filter (where place <= passed) as before,
                   min(position) filter (where place > passed) as after
              from (select position, row_number() over (order by position) as place
                      from (select position from tickets
                             where queue_id = queue and service_date = day and status = 'waiting'
                             order by position limit passed + 1) first_few) placed) neighbours,
           queue_days
     where queue_id = queue and service_date = day
$$;

create or replace function is_free(counter uuid) returns boolean language sql stable as $$
    select not exists (select from tickets where counter_id = counter and status in ('called', 'serving'))
$$;

-- A counter that called somebody today and has nobody now: where a person with no one ahead may walk at once.
create or replace function free_counter(q queues, day date) returns text language sql stable as $$
    select c.name
      from counters c join counter_queues cq on cq.counter_id = c.id and cq.queue_id = q.id join branches b on b.id = c.branch_id
     where service_date(b.timezone, b.day_starts_at, c.last_call_at) = day
       and is_free(c.id)
     order by c.last_call_at desc limit 1
$$;

create or replace function place_facts(q queues, b branches) returns jsonb language sql stable as $$
    select jsonb_build_object('queue_id', q.id, 'queue', q.name, 'queue_code', q.code, 'branch_id', b.id, 'branch', b.name,
                              'branch_code', b.code, 'branch_phone', b.phone, 'timezone', b.timezone,
                              'branch_open', b.is_open, 'opening_hours', b.opening_hours, 'paused_until', q.paused_until)
$$;

-- Why a line takes nobody now, or null when it does.
create or replace function why_not(q queues, b branches, day date) returns text language sql stable as $$
    select case
        when q.status = 'closed' or not b.is_open then 'closed'
        when q.status = 'paused' then 'paused'
        when q.daily_limit <= (select last_number_issued from queue_days where queue_id = q.id and service_date = day) then 'full'
    end
$$;

-- The next number of a day: taken only when nothing can refuse any more, so that no number is lost.
create or replace function next_number(queue uuid, day date) returns int language sql as $$
    insert into queue_days (queue_id, service_date, last_number_issued) values (queue, day, 1)
    on conflict (queue_id, service_date) do update set last_number_issued = queue_days.last_number_issued + 1
    returning last_number_issued
$$;

-- What the person speaks: as said now, as remembered for the phone, as the organization does.
create or replace function language_of(person jsonb, branch uuid) returns text language sql stable as $$
    select coalesce(person->>'language', (select language from customers where phone = person->>'phone'), o.language)
      from branches b join organizations o on o.id = b.organization_id where b.id = branch
$$;

-- The row of a new ticket. Who begins near is told so by the text that tells of the place.
create or replace function insert_ticket(act jsonb, q queues, day date, person jsonb, n int, place numeric, first_in_line boolean,
                                         verb text) returns tickets language sql as $$
    insert into tickets (queue_id, service_date, number, phone, name, language, channel, priority, position, action,
                         alerted_at, told_minutes, told_at)
    select q.id, day, n, person->>'phone', person->>'name', language_of(person, q.branch_id),
           coalesce(person->>'channel', act->>'channel'), first_in_line, place, verb,
           case when ahead <= q.alert_threshold then clock_timestamp() end,
           estimate(ahead, q.avg_service_seconds, q.completed_count), clock_timestamp()
      from people_ahead(q.id, day, place) as ahead
    returning *
$$;

-- A new ticket of a locked queue.
create or replace function issue_ticket(act jsonb, q queues, day date, person jsonb, first_in_line boolean) returns jsonb
language plpgsql as $$
declare
    t tickets;
    f jsonb;
    n int := next_number(q.id, day);
    place numeric := n;
    walk_to text;
begin
    if first_in_line and people_waiting(q.id, day) > 0 then
        place := place_behind(q.id, day, (select count(*)::int from tickets
                                           where queue_id = q.id and service_date = day and status = 'waiting' and priority));
    end if;
    t := insert_ticket(act, q, day, person, n, place, first_in_line, 'join');
    f := ticket_facts(t);
    if (f->>'ahead')::int = 0 and (f->>'today')::boolean then
        walk_to := free_counter(q, day);
    end if;
    if walk_to is null then
        -- Whom staff put in line may know nothing of it, or may not want it.
        perform notify(t, f, case when act->>'actor' = 'staff' then 'added' else 'joined' end);
    else
        perform notify(t, f, 'joined_no_wait', jsonb_build_object('ctr', walk_to));
    end if;
    return f;
end $$;

-- join: one active ticket per phone. `replace` leaves the present line and joins the new one in one transaction,
-- or keeps the old place when the new line takes nobody.
create or replace function join_queue(act jsonb, queue uuid, person jsonb, replace boolean default false) returns jsonb
language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    mine tickets;
    left_queue uuid;
    q queues;
    b branches;
    day date;
    no text;
begin
    if stored is not null then
        return stored;
    end if;
    if person->>'phone' is not null then
        perform lock_phone(person->>'phone');
        mine := active_ticket(person->>'phone');
    end if;
    if mine.id is not null and (not replace or mine.queue_id = queue or not may_touch(act, branch_of(mine.queue_id))) then
        return end_act(act, jsonb_build_object('outcome', 'already', 'ticket', ticket_facts(mine)));
    end if;
    left_queue := mine.queue_id;
    perform lock_queue(act, id) from queues where id in (queue, left_queue) order by id;
    select * into q from queues where id = queue and may_touch(act, branch_id);
    if q.id is null then
        return refusal('no_queue');
    end if;
    select * into b from branches where id = q.branch_id;
    day := service_date(b.timezone, b.day_starts_at, clock_timestamp());
    no := why_not(q, b, day);
    if no is not null then
        return end_act(act, refusal(no, place_facts(q, b)));
    end if;
    if (active_ticket(person->>'phone')).id = mine.id then -- unless staff or the clock ended it before we held its line
        perform end_ticket(act, mine.id, 'cancelled', 'replace');
    end if;
    insert into customers (phone, language) select person->>'phone', person->>'language'
     where person->>'phone' is not null
    on conflict (phone) do nothing;
    return end_act(act, jsonb_build_object('outcome', 'joined', 'ticket', issue_ticket(act, q, day, person, false),
                                           'left_queue', left_queue));
end $$;

-- First in line on the day after a line closed early on a person: a ticket of that day, before everybody without one.
create or replace function join_first(act jsonb, p_phone text, day date) returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    shut tickets;
    q queues;
begin
    if stored is not null then
        return stored;
    end if;
    perform lock_phone(p_phone);
    if (active_ticket(p_phone)).id is not null then
        return end_act(act, jsonb_build_object('outcome', 'already', 'ticket', ticket_facts(active_ticket(p_phone))));
    end if;
    shut := shut_ticket(p_phone);
    if shut.id is null then
        return end_act(act, refusal('no_ticket'));
    end if;
    q := lock_queue(act, shut.queue_id);
    update tickets set shut_answered_at = clock_timestamp() where id = shut.id;
    return end_act(act, jsonb_build_object('outcome', 'joined', 'ticket',
        issue_ticket(act, q, day, jsonb_build_object('phone', p_phone, 'name', shut.name, 'language', shut.language), true)));
end $$;
