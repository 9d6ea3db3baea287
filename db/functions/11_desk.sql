-- What staff at a desk do besides calling the next: call by name, send on to another line, move in line.

-- call_named: one person comes to the counter out of turn, for a reason. Whom the counter has is dealt with as by call_next;
-- `seen` is the ticket's version, `at_counter` what call_next knows as `seen`.
create or replace function call_named(act jsonb, ticket uuid, counter uuid, finish text default null, seen int default null,
                                      at_counter jsonb default null) returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    t tickets;
    q queues;
    c counters;
    had tickets;
    no jsonb;
    done jsonb;
begin
    if stored is not null then
        return stored;
    end if;
    select queues.* into q from queues join tickets on queue_id = queues.id
     where tickets.id = ticket and may_touch(act, branch_id);
    if q.id is null then
        return refusal('no_ticket');
    end if;
    select counters.* into c from counters join counter_queues cq on cq.counter_id = counters.id and cq.queue_id = q.id
     where counters.id = counter for update of counters;
    if c.id is null then
        return end_act(act, refusal('no_counter'));
    end if;
    perform lock_queue(act, id) from queues
      where id in (q.id, (select queue_id from tickets where counter_id = c.id and status in ('called', 'serving'))) order by id;
    select * into q from queues where id = q.id;
    select * into t from tickets where id = ticket;
    select * into had from tickets where counter_id = c.id and status in ('called', 'serving');
    if t.version <> seen then
        return end_act(act, refusal('stale', jsonb_build_object('ticket', ticket_facts(t))));
    elsif not may_follow('call', t.status) or t.service_date <> today(q.branch_id) then
        return end_act(act, refusal('wrong_state', jsonb_build_object('ticket', ticket_facts(t))));
    elsif not has_reason(act) then
        return end_act(act, refusal('no_reason'));
    end if;
    no := why_no_call(had, finish, at_counter);
    if no is not null then
        return end_act(act, no);
    end if;
    done := finish_locked(act, had, finish);
    t := call_locked(act, ticket, c, q);
    return end_act(act, jsonb_build_object('outcome', 'called', 'ticket', ticket_facts(t), 'counter', c.name, 'finished', done,
                                           'waiting', people_waiting(q.id, t.service_date)));
end $$;

-- transfer: the ticket ends and the person has a new one in another line of the branch, at its end or behind the next two
-- people. A pause stops newcomers, not whom staff send on. Who was being served was served: that is measured.
create or replace function transfer_ticket(act jsonb, ticket uuid, to_queue uuid, seen int default null, next_but_two boolean default false)
returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    old tickets;
    t tickets;
    q queues;
    b branches;
    day date;
    no text;
    was text;
    n int;
    place numeric;
begin
    if stored is not null then
        return stored;
    end if;
    perform lock_phone(phone) from tickets where id = ticket and phone is not null and may_touch(act, branch_of(queue_id));
    perform lock_queue(act, id) from queues where id in (to_queue, (select queue_id from tickets where id = ticket)) order by id;
    select * into old from tickets where id = ticket and may_touch(act, branch_of(queue_id));
    if old.id is null then
        return refusal('no_ticket');
    end if;
    select * into q from queues where id = to_queue and branch_id = branch_of(old.queue_id);
    select * into b from branches where id = q.branch_id;
    day := today(q.branch_id);
    if q.id is null then
        return end_act(act, refusal('no_queue'));
    elsif old.version <> seen then
        return end_act(act, refusal('stale', jsonb_build_object('ticket', ticket_facts(old))));
    elsif not may_follow('transfer', old.status) or old.service_date <> day then
        return end_act(act, refusal('wrong_state', jsonb_build_object('ticket', ticket_facts(old))));
    elsif q.id = old.queue_id then
        return end_act(act, refusal('same_queue', jsonb_build_object('ticket', ticket_facts(old))));
    end if;
    if q.status = 'paused' then
        q.status := 'open';
    end if;
    no := why_not(q, b, day);
    if no is not null then
        return end_act(act, refusal(no, place_facts(q, b)));
    end if;
    was := old.status;
    old := end_ticket(act, old.id, 'cancelled', 'transfer');
    if was = 'serving' then
        perform measure_completion(old.queue_id, old.service_date);
    end if;
    n := next_number(q.id, day);
    place := case when next_but_two and people_waiting(q.id, day) > 0 then place_behind(q.id, day, 2) else n end;
    t := insert_ticket(act, q, day, to_jsonb(old), n, place, false, 'transfer');
    perform notify(t, ticket_facts(t), 'moved');
    return end_act(act, jsonb_build_object('outcome', 'moved', 'old', ticket_facts(old), 'new', ticket_facts(t),
                                           'waiting', people_waiting(q.id, day)));
end $$;

-- Puts a waiting ticket behind the first `passed` other people. No text tells of it: who comes near by it is told like
-- anybody who comes near, and who stays near has been told.
create or replace function move_locked(ticket uuid, passed int) returns tickets language plpgsql as $$
declare
    t tickets;
    q queues;
begin
    select * into t from tickets where id = ticket;
    select * into q from queues where id = t.queue_id;
    if passed > people_ahead(t.queue_id, t.service_date, t.position) then
        passed := passed + 1; -- he is one of those counted
    end if;
    update tickets set position = place_behind(queue_id, service_date, greatest(passed, 0)), action = 'move', version = version + 1
     where id = ticket returning * into t;
    if people_ahead(t.queue_id, t.service_date, t.position) > q.alert_threshold then
        update tickets set alerted_at = null where id = ticket;
    end if;
    perform alert_near(q, t.service_date);
    select * into t from tickets where id = ticket;
    return t;
end $$;

-- The last change in a branch: its greatest audit id. Asked for as a range, which only the index of branch and id can answer:
-- where another branch is the busy one, the planner would walk back through all that happened there.
create or replace function version_of(branch uuid) returns bigint language sql stable as $$
    select coalesce((select id from audit_log where branch_id >= branch and branch_id <= branch order by branch_id desc, id desc limit 1), 0)
$$;

-- What the desk shows of tickets. Silent: why no text reaches the person.
create or replace function desk_tickets(act jsonb, ids uuid[]) returns table (id uuid, facts jsonb) language sql stable as $$
    select t.id, jsonb_build_object(
        'id', t.id, 'label', label(q.code, t.number), 'name', t.name, 'status', t.status, 'version', t.version,
        'queue_id', q.id, 'queue', q.name, 'created_at', t.created_at, 'called_at', t.called_at, 'started_at', t.started_at,
        'deadline', t.deadline, 'coming', t.coming_at is not null, 'priority', t.priority,
        'silent', case when t.phone is null then 'no_phone' when c.opted_out_at is not null then 'opted_out'
                       when latest.status in ('failed', 'dead', 'expired') then 'not_told' end,
        'can_take_back', take_back_until(act, t) is not null)
      from tickets t join queues q on q.id = t.queue_id left join customers c on c.phone = t.phone
      left join lateral (select status from notifications where ticket_id = t.id and status <> 'suppressed'
                          order by created_at desc limit 1) latest on true
     where t.id = any (ids)
$$;

-- A line and its day.
create or replace function desk_line(q queues, day date) returns jsonb language sql stable as $$
    select jsonb_build_object(
        'id', q.id, 'code', q.code, 'name', q.name, 'status', q.status, 'paused_until', q.paused_until,
        'waiting', people_waiting(q.id, day), 'served', coalesce(d.completed_count, 0),
        'no_shows', (select count(*) from tickets where queue_id = q.id and service_date = day and status = 'no_show'),
        'average', case when q.avg_service_seconds > 0 then ceil(q.avg_service_seconds / 60.0) end,
        'full', coalesce(q.daily_limit <= d.last_number_issued, false))
      from (select) one left join queue_days d on d.queue_id = q.id and d.service_date = day
$$;
