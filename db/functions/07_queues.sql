-- What staff do with a whole line: open, pause, resume, close; and what the clock does: the end of the service day.

-- Tells the same thing to everybody with a ticket of that day in one of the given states, in one statement.
create or replace function tell_all(q queues, day date, states text[], template text, more jsonb default '{}',
                                    due timestamptz default clock_timestamp()) returns int language sql as $$
    with told as (
        insert into notifications (branch_id, ticket_id, phone, template, language, parameters, urgency, due_at, expires_at, dedupe_key)
        select b.id, t.id, t.phone, template, t.language,
               jsonb_build_object('branch', b.name, 'code', b.code, 'phone', b.phone, 'svc', q.name, 'tk', label(q.code, t.number),
                                  'ahead', t.ahead, 'min', estimate(t.ahead, q.avg_service_seconds, q.completed_count)) || more,
               urgency_of(template), due, due + deadline_of(template), template || ':' || t.id || ':' || q.version
          from (select *, (count(*) filter (where status = 'waiting') over (order by position rows unbounded preceding)
                           - (status = 'waiting')::int)::int as ahead
                  from tickets where queue_id = q.id and service_date = day and status = any (states)) t
          join branches b on b.id = q.branch_id
         where t.phone is not null
        on conflict (dedupe_key) do nothing
        returning 1)
    select count(*)::int from told
$$;

-- Ends every ticket of a day that is in one of the given states.
create or replace function end_all(q queues, day date, states text[], new_status text, verb text) returns int language sql as $$
    with ended as (
        update tickets set status = new_status, action = verb, version = version + 1, deadline = null, ended_at = clock_timestamp()
         where queue_id = q.id and service_date = day and status = any (states)
        returning 1)
    select count(*)::int from ended
$$;

-- open, resume, pause, serve_out, send_home. `more` goes into the text: {"until": "10:30"} or {"day": 0, "time": "08:30"}.
-- `seen` is how many waited when it was decided to send them home: more are not sent, for nobody can undo it.
create or replace function change_queue(act jsonb, queue uuid, verb text, until timestamptz default null, more jsonb default '{}',
                                        seen int default null)
returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    q queues;
    was text;
    day date;
    affected int := 0;
begin
    if stored is not null then
        return stored;
    end if;
    q := lock_queue(act, queue);
    if q.id is null then
        return refusal('no_queue');
    elsif verb = 'pause' and q.status = 'closed' then
        return end_act(act, refusal('not_open', jsonb_build_object('queue', q.name)));
    end if;
    was := q.status;
    day := today(q.branch_id);
    if verb = 'send_home' and people_waiting(queue, day) > seen then
        return end_act(act, refusal('more_wait', jsonb_build_object('queue', q.name, 'waiting', people_waiting(queue, day))));
    end if;
    update queues set version = version + 1, status = case verb when 'pause' then 'paused' when 'open' then 'open'
                                                                when 'resume' then 'open' else 'closed' end,
           paused_until = case verb when 'pause' then until end
     where id = queue returning * into q;
    if verb = 'pause' then
        affected := tell_all(q, day, '{waiting}', 'paused', more);
    elsif was = 'paused' and q.status = 'open' then
        affected := tell_all(q, day, '{waiting}', 'resumed');
    elsif verb = 'send_home' then
        perform tell_all(q, day, '{waiting,skipped}', 'closed_early', more);
        affected := end_all(q, day, '{waiting,skipped}', 'expired', 'send_home');
    end if;
    perform audit_queue(act, q, verb, was, jsonb_build_object('affected', affected));
    return end_act(act, jsonb_build_object('outcome', verb, 'was', was, 'status', q.status, 'queue', q.name, 'affected', affected,
                                           'waiting', people_waiting(queue, day)));
end $$;

-- The service day is over: what still waits expires and is told in the morning; who is being served was served.
create or replace function cut_over(act jsonb, queue uuid, day date, due timestamptz, more jsonb) returns int language plpgsql as $$
declare
    q queues;
    ended int;
begin
    perform begin_act(act);
    q := lock_queue(act, queue);
    if day >= today(q.branch_id) or (select over from queue_days where queue_id = queue and service_date = day) then
        return 0;
    end if;
    update queues set version = version + 1, last_completed_at = null where id = queue returning * into q;
    perform tell_all(q, day, '{waiting,called,skipped}', 'end_of_day', more, due);
    ended := end_all(q, day, '{waiting,called,skipped}', 'expired', 'cut_over');
    update tickets set status = 'completed', action = 'cut_over', version = version + 1, ended_at = clock_timestamp(),
           completed_at = clock_timestamp()
     where queue_id = queue and service_date = day and status = 'serving';
    update queue_days set over = true where queue_id = queue and service_date = day;
    perform audit_queue(act, q, 'cut_over', q.status, jsonb_build_object('day', day, 'ended', ended));
    return ended;
end $$;
