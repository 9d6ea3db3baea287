-- An act: who asks, by which channel, under which request key. Travels as one JSON object
-- {"request", "actor", "actor_id", "channel", "reason", "branches"} and is known to the audit trigger for the transaction.

-- Begins an act. Returns the stored answer when this request was already answered, else null.
-- The request's lock comes before every other lock, so a doubled delivery waits for the first and hears its answer.
create or replace function begin_act(act jsonb) returns jsonb language plpgsql as $$
declare
    stored jsonb;
begin
    perform set_config('zamu.act', act::text, true);
    if act->>'request' is not null then
        perform pg_advisory_xact_lock(1, hashtext(act->>'request'));
        select with_person(answer) into stored from requests where key = act->>'request';
    end if;
    return stored;
end $$;

-- Ends an act: the answer is kept in the same transaction as what it tells of.
create or replace function end_act(act jsonb, answer jsonb) returns jsonb language plpgsql as $$
begin
    if act->>'request' is not null then
        insert into requests (key, answer) values (act->>'request', without_person(answer));
    end if;
    return answer;
end $$;

-- An answer is kept without the phone and the name of whom it tells of: they stay on the ticket, where they can be
-- forgotten, and come from there when the answer is given again.
create or replace function without_person(answer jsonb) returns jsonb language sql immutable as $$
    select answer || coalesce(jsonb_object_agg(key, value || '{"phone": null, "name": null}'), '{}')
      from jsonb_each(answer) where jsonb_typeof(value) = 'object' and value ? 'phone'
$$;

create or replace function with_person(answer jsonb) returns jsonb language sql stable as $$
    select answer || coalesce(jsonb_object_agg(e.key, e.value || jsonb_build_object('phone', t.phone, 'name', t.name)), '{}')
      from jsonb_each(answer) e left join tickets t on t.id = (e.value->>'id')::uuid
     where e.value ? 'label' and e.value ? 'id'
$$;

create or replace function refusal(code text, facts jsonb default '{}') returns jsonb language sql immutable as $$
    select jsonb_build_object('refused', code) || facts
$$;

create or replace function has_reason(act jsonb) returns boolean language sql immutable as $$
    select coalesce(act->>'reason' ~ '\S', false)
$$;

-- One phone at a time: the lock that stands before the queue's.
create or replace function lock_phone(phone text) returns void language sql as $$
    select pg_advisory_xact_lock(2, hashtext(phone))
$$;

-- The only way to a queue's row in a write path: locked, and only if the actor may touch its branch.
-- Every statement after it sees what the holder before us committed.
create or replace function lock_queue(act jsonb, queue uuid) returns queues language plpgsql as $$
declare
    q queues;
begin
    select * into q from queues where id = queue and may_touch(act, branch_id) for update;
    return q;
end $$;

-- What an actor may touch: "branches" is absent for customers and the operator, else the ids of the actor's own.
create or replace function may_touch(act jsonb, branch uuid) returns boolean language sql immutable as $$
    select act->'branches' is null or act->'branches' = 'null' or act->'branches' ? branch::text
$$;
