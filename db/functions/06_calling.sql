-- What staff do with people: call next, recall, start, complete, skip, no-show. Order of locks: counter, queue, ticket.

-- The moving average of the gap between completions while people wait: 0.7 of the old and 0.3 of the new.
create or replace function next_average(average int, gap_seconds numeric) returns int language sql immutable as $$
    select case when average = 0 then round(gap_seconds) else round(0.7 * average + 0.3 * gap_seconds) end::int
$$;

-- Measures one completion of a locked queue. The gap counts only if somebody waited all through it, on one day.
create or replace function measure_completion(queue uuid, day date) returns void language sql as $$
    update queue_days set completed_count = completed_count + 1 where queue_id = queue and service_date = day;
    update queues q set
        completed_count = q.completed_count + 1, version = q.version + 1,
        avg_service_seconds = case
            when q.last_completed_at is null or service_date(b.timezone, b.day_starts_at, q.last_completed_at) <> day
            then q.avg_service_seconds
            else greatest(1, next_average(q.avg_service_seconds, extract(epoch from clock_timestamp() - q.last_completed_at))) end,
        last_completed_at = case when people_waiting(queue, day) > 0 then clock_timestamp() end
     from branches b where q.id = queue and b.id = q.branch_id
$$;

-- Whether a text may ask how it was: the branch wants that, and it is daytime there.
create or replace function may_ask_rating(t tickets) returns boolean language sql stable as $$
    select b.texts_rating and (clock_timestamp() at time zone b.timezone)::time between '08:00' and '18:00'
      from queues q join branches b on b.id = q.branch_id where q.id = t.queue_id
$$;

create or replace function complete_locked(act jsonb, ticket uuid) returns tickets language plpgsql as $$
declare
    t tickets;
begin
    t := end_ticket(act, ticket, 'completed', 'complete');
    perform measure_completion(t.queue_id, t.service_date);
    if may_ask_rating(t) then
        perform notify(t, ticket_facts(t), 'rate_ask');
    end if;
    return t;
end $$;

-- Called and not there: may come back within the grace, but not for ever.
create or replace function skip_locked(act jsonb, ticket uuid, verb text) returns tickets language plpgsql as $$
declare
    t tickets;
    q queues;
begin
    select * into t from tickets where id = ticket;
    select * into q from queues where id = t.queue_id;
    if t.skip_count >= q.max_skips or q.grace = 0 then
        return no_show_locked(act, ticket, verb);
    end if;
    update tickets set status = 'skipped', action = verb, version = version + 1, skip_count = skip_count + 1, coming_at = null,
           deadline = clock_timestamp() + make_interval(secs => q.grace)
     where id = ticket returning * into t;
    perform notify(t, ticket_facts(t), 'skipped', jsonb_build_object('min5', ceil(q.grace / 60.0)));
    return t;
end $$;

create or replace function no_show_locked(act jsonb, ticket uuid, verb text) returns tickets language plpgsql as $$
declare
    t tickets;
begin
    t := end_ticket(act, ticket, 'no_show', verb);
    perform notify(t, ticket_facts(t), 'missed');
    return t;
end $$;

create or replace function recalled(t tickets, q queues) returns timestamptz language sql stable as $$
    select case when q.call_expiry > 0 then greatest(t.deadline, clock_timestamp() + interval '2 minutes') end
$$;

create or replace function recall_locked(act jsonb, ticket uuid, verb text) returns tickets language plpgsql as $$
declare
    t tickets;
    q queues;
begin
    select * into t from tickets where id = ticket;
    select * into q from queues where id = t.queue_id;
    update tickets set action = verb, version = version + 1, coming_at = null, deadline = recalled(t, q)
     where id = ticket returning * into t;
    perform notify(t, ticket_facts(t), 'last_call', jsonb_build_object('min5',
        greatest(1, ceil(extract(epoch from coalesce(t.deadline, clock_timestamp() + interval '2 minutes') - clock_timestamp()) / 60))));
    return t;
end $$;

-- The counter that is to call: the one named, or the first free one that serves the queue. Locked before any queue,
-- so that two presses at one counter come one after the other.
create or replace function lock_counter(q queues, counter text) returns counters language plpgsql as $$
declare
    c counters;
begin
    loop
        select counters.* into c from counters join counter_queues cq on cq.counter_id = counters.id and cq.queue_id = q.id
         where lower(counters.name) = lower(counter) or counter is null and is_free(counters.id)
         order by length(counters.name), counters.name limit 1 for update of counters;
        -- While we waited for the free one, another press may have taken it.
        exit when c.id is null or counter is not null or is_free(c.id);
    end loop;
    return c;
end $$;

-- What stands in the way of a counter's next call, `t` being whom it has; null when nothing does.
create or replace function why_no_call(t tickets, finish text, seen jsonb) returns jsonb language sql stable as $$
    select case
        when (seen->>'id', (seen->>'version')::int) is distinct from (t.id::text, t.version) and seen is not null
        then refusal('stale', case when t.id is null then '{}' else jsonb_build_object('ticket', ticket_facts(t)) end)
        when t.status = 'called' and finish is null then refusal('outstanding', jsonb_build_object('ticket', ticket_facts(t)))
    end
$$;

-- Ends what a counter has, as `finish` says of who was called and not started. Its facts; null when there is nobody.
create or replace function finish_locked(act jsonb, t tickets, finish text) returns jsonb language plpgsql as $$
begin
    if t.id is null then
        return null;
    elsif t.status = 'serving' or finish = 'complete' then
        t := complete_locked(act, t.id);
    elsif finish = 'skip' then
        t := skip_locked(act, t.id, 'skip');
    else
        t := no_show_locked(act, t.id, 'no_show');
    end if;
    return ticket_facts(t);
end $$;

-- call_next: the first waiting person comes to the counter. Whom the counter was serving is completed; whom it only called
-- is not, unless `finish` says how (complete, skip, no_show). `seen` is whom the caller saw there, {"id", "version"} (an id of
-- null: nobody; absent: it does not matter): a stale press changes nothing and hears the truth.
create or replace function call_next(act jsonb, queue uuid, counter text default null, finish text default null, seen jsonb default null)
returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    q queues;
    c counters;
    t tickets;
    day date;
    no jsonb;
    done jsonb;
begin
    if stored is not null then
        return stored;
    end if;
    select * into q from queues where id = queue and may_touch(act, branch_id);
    if q.id is null then
        return refusal('no_queue');
    end if;
    c := lock_counter(q, counter);
    if c.id is null then
        return end_act(act, refusal(case when counter is null then 'no_free_counter' else 'no_counter' end));
    end if;
    perform lock_queue(act, id) from queues
      where id in (queue, (select queue_id from tickets where counter_id = c.id and status in ('called', 'serving'))) order by id;
    select * into q from queues where id = queue;
    select * into t from tickets where counter_id = c.id and status in ('called', 'serving');
    no := why_no_call(t, finish, seen);
    if no is not null then
        return end_act(act, no);
    end if;
    done := finish_locked(act, t, finish);
    day := today(q.branch_id);
    select * into t from tickets where queue_id = queue and service_date = day and status = 'waiting' order by position limit 1;
    if t.id is null then
        return end_act(act, jsonb_build_object('outcome', 'empty', 'counter', c.name, 'finished', done, 'waiting', 0));
    end if;
    t := call_locked(act, t.id, c, q);
    return end_act(act, jsonb_build_object('outcome', 'called', 'ticket', ticket_facts(t), 'counter', c.name, 'finished', done,
                                           'waiting', people_waiting(queue, day)));
end $$;

create or replace function call_locked(act jsonb, ticket uuid, c counters, q queues) returns tickets language plpgsql as $$
declare
    t tickets;
begin
    update tickets set status = 'called', action = 'call', version = version + 1, counter_id = c.id,
           staff_id = (act->>'actor_id')::uuid, called_at = clock_timestamp(), coming_at = null,
           deadline = case when q.call_expiry > 0 then clock_timestamp() + make_interval(secs => q.call_expiry) end
     where id = ticket returning * into t;
    update queue_days set current_number = t.number where queue_id = t.queue_id and service_date = t.service_date;
    update queues set version = version + 1 where id = q.id;
    update counters set last_call_at = clock_timestamp() where id = c.id;
    perform notify(t, ticket_facts(t), 'turn');
    perform alert_near(q, t.service_date);
    return t;
end $$;

-- One staff verb on one ticket: start, complete, skip, no_show, recall, take_back … `seen` is what the staff member saw
-- (null = whatever is true now): a stale press changes nothing and hears the truth. `given` is what a verb needs besides:
-- {"minutes"} to defer, {"passed"} to move, {"name"} to rename.
create or replace function change_ticket(act jsonb, ticket uuid, verb text, seen int default null, given jsonb default '{}')
returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    t tickets;
begin
    if stored is not null then
        return stored;
    end if;
    perform lock_queue(act, queue_id) from tickets where id = ticket;
    select tickets.* into t from tickets join queues q on q.id = queue_id where tickets.id = ticket and may_touch(act, q.branch_id);
    if t.id is null then
        return refusal('no_ticket');
    elsif t.version <> seen then
        return end_act(act, refusal('stale', jsonb_build_object('ticket', ticket_facts(t))));
    elsif not may_follow(verb, t.status) then
        return end_act(act, refusal('wrong_state', jsonb_build_object('ticket', ticket_facts(t))));
    elsif verb = 'take_back' and take_back_until(act, t) is null then
        return end_act(act, refusal('too_late', jsonb_build_object('ticket', ticket_facts(t))));
    elsif verb = 'defer' and t.defer_count >= 2 then
        return end_act(act, refusal('moved_twice', jsonb_build_object('ticket', ticket_facts(t))));
    elsif verb = 'move' and not has_reason(act) then
        return end_act(act, refusal('no_reason'));
    end if;
    case verb
        when 'start' then
            update tickets set status = 'serving', action = verb, version = version + 1, started_at = clock_timestamp(), deadline = null
             where id = ticket returning * into t;
        when 'complete' then t := complete_locked(act, ticket);
        when 'skip', 'expire_call' then t := skip_locked(act, ticket, verb);
        when 'no_show', 'expire_grace' then t := no_show_locked(act, ticket, verb);
        when 'recall', 'last_call' then t := recall_locked(act, ticket, verb);
        when 'leave' then
            t := end_ticket(act, ticket, 'cancelled', verb);
            perform notify(t, ticket_facts(t), 'left');
        when 'come_back' then t := requeue(act, ticket, 2, verb);
        when 'take_back' then t := take_back_locked(act, ticket);
        when 'defer' then t := defer_locked(act, ticket, (given->>'minutes')::int);
        when 'move' then t := move_locked(ticket, (given->>'passed')::int);
        when 'rename' then
            update tickets set name = given->>'name', action = verb, version = version + 1 where id = ticket returning * into t;
    end case;
    return end_act(act, jsonb_build_object('outcome', verb, 'ticket', ticket_facts(t),
                                           'waiting', people_waiting(t.queue_id, t.service_date)));
end $$;

-- Until when the actor may take a call back. Null when it stands: it was somebody else's, a minute is over, or the person
-- has answered.
create or replace function take_back_until(act jsonb, t tickets) returns timestamptz language sql stable as $$
    select due from (select t.called_at + interval '60 seconds' as due) minute
     where t.status = 'called' and t.staff_id::text is not distinct from act->>'actor_id' and t.coming_at is null
       and due >= clock_timestamp()
$$;

-- Whoever was called last in a line on a day: found from the end of the branch's history, for the line may be long.
create or replace function last_called(queue uuid, day date) returns int language sql stable as $$
    select t.number from audit_log a join tickets t on t.id = a.entity_id
     where a.branch_id = branch_of(queue) and a.at > clock_timestamp() - interval '1 day' and a.action = 'call'
       and t.queue_id = queue and t.service_date = day and t.called_at is not null
     order by a.at desc limit 1
$$;

-- Back to the very place in line: a call does not change the position. Who was skipped before it has a new grace.
-- The number on the board is the one before.
create or replace function take_back_locked(act jsonb, ticket uuid) returns tickets language plpgsql as $$
declare
    was text := (select from_status from audit_log where entity = 'ticket' and entity_id = ticket and action = 'call'
                  order by version desc limit 1);
    t tickets;
begin
    update tickets set status = was, action = 'take_back', version = version + 1, counter_id = null, staff_id = null, called_at = null,
           deadline = case when was = 'skipped' then (select clock_timestamp() + make_interval(secs => grace)
                                                        from queues where id = queue_id) end
     where id = ticket returning * into t;
    update queue_days set current_number = coalesce(last_called(queue_id, service_date), 0)
     where queue_id = t.queue_id and service_date = t.service_date and current_number = t.number;
    update queues set version = version + 1 where id = t.queue_id;
    return t;
end $$;

-- To which states a staff verb applies.
create or replace function may_follow(verb text, status text) returns boolean language sql immutable as $$
    select case verb
        when 'start' then status = 'called'
        when 'complete' then status in ('called', 'serving')
        when 'no_show' then status in ('called', 'serving', 'skipped')
        when 'come_back' then status = 'skipped'
        when 'expire_grace' then status = 'skipped'
        when 'call' then status in ('waiting', 'skipped')
        when 'move' then status = 'waiting'
        when 'defer' then status in ('waiting', 'called')
        when 'leave' then is_active(status)
        when 'transfer' then is_active(status)
        when 'rename' then is_active(status)
        else status = 'called' end
$$;
