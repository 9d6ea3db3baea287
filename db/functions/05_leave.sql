-- What a customer may do with a ticket: leave, be late, come back, say "I am coming".

-- Ends an active ticket whose queue is locked; those behind move up. Returns the ticket as it ended.
create or replace function end_ticket(act jsonb, ticket uuid, new_status text, verb text) returns tickets language plpgsql as $$
declare
    t tickets;
    q queues;
    was text;
begin
    select status into was from tickets where id = ticket;
    update tickets set status = new_status, action = verb, version = version + 1, ended_at = clock_timestamp(), deadline = null,
           completed_at = case when new_status = 'completed' then clock_timestamp() end
     where id = ticket returning * into t;
    if was = 'waiting' then
        select * into q from queues where id = t.queue_id;
        perform alert_near(q, t.service_date);
    end if;
    return t;
end $$;

-- The phone's active ticket with its queue locked; a row of nulls when there is none, or none that the actor may touch.
create or replace function lock_ticket_of(act jsonb, p_phone text) returns tickets language plpgsql as $$
declare
    t tickets;
    q queues;
begin
    perform lock_phone(p_phone);
    q := lock_queue(act, (active_ticket(p_phone)).queue_id);
    select * into t from active_ticket(p_phone) mine where mine.queue_id = q.id;
    return t;
end $$;

-- leave: gives the place up, for good.
create or replace function leave_queue(act jsonb, p_phone text) returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    t tickets;
    f jsonb;
begin
    if stored is not null then
        return stored;
    end if;
    t := lock_ticket_of(act, p_phone);
    if t.id is null then
        return end_act(act, refusal('no_ticket'));
    end if;
    t := end_ticket(act, t.id, 'cancelled', 'leave');
    f := ticket_facts(t);
    perform notify(t, f, 'left');
    return end_act(act, jsonb_build_object('outcome', 'left', 'ticket', f));
end $$;

-- Puts a locked ticket (back) into line behind `passed` people, as a new approach to the counter.
create or replace function requeue(act jsonb, ticket uuid, passed int, verb text) returns tickets language plpgsql as $$
declare
    t tickets;
    q queues;
    place numeric;
    ahead int;
begin
    select * into t from tickets where id = ticket;
    select * into q from queues where id = t.queue_id;
    place := place_behind(t.queue_id, t.service_date, passed);
    update tickets set status = 'waiting', action = verb, version = version + 1, position = place, counter_id = null,
           deadline = null, coming_at = null, alerted_at = null,
           defer_count = defer_count + (verb = 'defer')::int
     where id = ticket;
    ahead := people_ahead(t.queue_id, t.service_date, place);
    update tickets set alerted_at = case when ahead <= q.alert_threshold then clock_timestamp() end,
           told_minutes = estimate(ahead, q.avg_service_seconds, q.completed_count), told_at = clock_timestamp()
     where id = ticket returning * into t;
    perform alert_near(q, t.service_date);
    return t;
end $$;

-- Keeps the number and lets pass as many people as the estimate says are served in `minutes`; five minutes a person
-- while nothing is measured.
create or replace function defer_locked(act jsonb, ticket uuid, minutes int) returns tickets language plpgsql as $$
declare
    t tickets;
    q queues;
    passed int;
begin
    select * into t from tickets where id = ticket;
    select * into q from queues where id = t.queue_id;
    passed := greatest(1, ceil(minutes * 60.0 / coalesce(nullif(q.avg_service_seconds, 0), 300)))::int;
    if t.status = 'waiting' then
        passed := passed + people_ahead(t.queue_id, t.service_date, t.position) + 1;
    end if;
    t := requeue(act, ticket, passed, 'defer');
    perform notify(t, ticket_facts(t), 'late_ok', jsonb_build_object('n', minutes));
    return t;
end $$;

-- defer: twice per ticket.
create or replace function defer_ticket(act jsonb, p_phone text, minutes int) returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    t tickets;
begin
    if stored is not null then
        return stored;
    end if;
    t := lock_ticket_of(act, p_phone);
    if t.status is null or t.status not in ('waiting', 'called') then
        return end_act(act, refusal('no_ticket'));
    end if;
    if t.defer_count >= 2 then
        return end_act(act, refusal('moved_twice', jsonb_build_object('ticket', ticket_facts(t))));
    end if;
    t := defer_locked(act, t.id, minutes);
    return end_act(act, jsonb_build_object('outcome', 'deferred', 'ticket', ticket_facts(t)));
end $$;

-- come_back: a skipped person returns behind the next two people, with the same number.
create or replace function come_back(act jsonb, p_phone text) returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    t tickets;
begin
    if stored is not null then
        return stored;
    end if;
    t := lock_ticket_of(act, p_phone);
    if t.status is distinct from 'skipped' then
        return end_act(act, refusal('no_ticket'));
    end if;
    t := requeue(act, t.id, 2, 'come_back');
    return end_act(act, jsonb_build_object('outcome', 'back', 'ticket', ticket_facts(t)));
end $$;

-- coming: "I am coming" stops the timer of this call.
create or replace function say_coming(act jsonb, p_phone text) returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    t tickets;
begin
    if stored is not null then
        return stored;
    end if;
    t := lock_ticket_of(act, p_phone);
    if t.status is distinct from 'called' then
        return end_act(act, refusal('no_ticket'));
    end if;
    if t.coming_at is null then
        update tickets set action = 'coming', version = version + 1, coming_at = clock_timestamp(), deadline = null
         where id = t.id returning * into t;
    end if;
    return end_act(act, jsonb_build_object('outcome', 'coming', 'ticket', ticket_facts(t)));
end $$;
