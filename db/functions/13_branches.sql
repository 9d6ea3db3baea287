-- What managers set: a branch and its hours, its lines and counters; and what admins do: a new branch, the organization.

-- Every change of a branch's settings is audited and makes the next version of them.
create or replace function audit_setting(act jsonb, branch uuid, entity text, id uuid, action text, details jsonb) returns void
language sql as $$
    update branches b set version = version + 1 where b.id = branch;
    insert into audit_log (branch_id, entity, entity_id, action, details, actor, actor_id, channel, reason, request)
    values (branch, entity, id, action, details,
            act->>'actor', (act->>'actor_id')::uuid, act->>'channel', act->>'reason', act->>'request')
$$;

-- What is given and was something else before: {"name": ["old", "new"]}.
create or replace function differences(was jsonb, given jsonb) returns jsonb language sql immutable as $$
    select coalesce(jsonb_object_agg(key, jsonb_build_array(was->key, value)), '{}')
      from jsonb_each(given) where was->key is distinct from value
$$;

-- One change of a branch's settings at a time. Its lock comes before those of counters and queues.
create or replace function lock_branch(act jsonb, branch uuid) returns branches language plpgsql as $$
declare
    b branches;
begin
    select * into b from branches where id = branch and may_touch(act, id) for no key update;
    return b;
end $$;

-- What is said to whoever chose from settings that have changed since; null while they have not.
create or replace function why_stale(b branches, seen int) returns jsonb language sql immutable as $$
    select case when b.version <> seen then refusal('changed_meanwhile', jsonb_build_object('branch', b.name)) end
$$;

create or replace function branch_named(p_code text) returns uuid language sql stable as $$
    select id from branches where code = p_code
$$;

-- `given` holds new values by the names of columns; `seen` is the version that they were chosen from.
create or replace function change_branch(act jsonb, branch_code text, given jsonb, seen int default null) returns jsonb
language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    b branches;
    changed jsonb;
begin
    if stored is not null then
        return stored;
    end if;
    b := lock_branch(act, branch_named(branch_code));
    if b.id is null then
        return refusal('no_branch');
    elsif why_stale(b, seen) is not null then
        return end_act(act, why_stale(b, seen));
    end if;
    changed := differences(to_jsonb(b), given);
    if changed <> '{}' then
        b := jsonb_populate_record(b, given);
        update branches set name = b.name, phone = b.phone, address = b.address, asks_name = b.asks_name, asks_rating = b.asks_rating,
               is_open = b.is_open, opening_hours = b.opening_hours
         where id = b.id;
        perform audit_setting(act, b.id, 'branch', b.id, 'change', changed);
    end if;
    return end_act(act, jsonb_build_object('outcome', 'changed', 'branch', b.name,
        'lines', (select coalesce(jsonb_agg(id), '[]') from queues where branch_id = b.id)));
end $$;

-- The same of a line; `seen` is the version of its branch. Who is within a wider threshold is told at once, like anybody who comes near.
create or replace function change_line(act jsonb, queue uuid, given jsonb, seen int default null) returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    b branches;
    q queues;
    changed jsonb;
begin
    if stored is not null then
        return stored;
    end if;
    b := lock_branch(act, branch_of(queue));
    if b.id is null then
        return refusal('no_queue');
    elsif why_stale(b, seen) is not null then
        return end_act(act, why_stale(b, seen));
    end if;
    q := lock_queue(act, queue);
    changed := differences(to_jsonb(q), given);
    if changed <> '{}' then
        q := jsonb_populate_record(q, given);
        update queues set name = q.name, alert_threshold = q.alert_threshold, call_expiry = q.call_expiry, grace = q.grace,
               max_skips = q.max_skips, daily_limit = q.daily_limit, version = version + 1
         where id = q.id returning * into q;
        if changed ? 'alert_threshold' then
            perform alert_near(q, today(q.branch_id));
        end if;
        update branches set version = version + 1 where id = b.id;
        perform audit_queue(act, q, 'change', q.status, changed);
    end if;
    return end_act(act, jsonb_build_object('outcome', 'changed', 'queue', q.name));
end $$;

-- A new line is closed, and every counter of the branch serves it.
create or replace function add_line(act jsonb, branch_code text, p_code text, p_name text) returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    b branches;
    q queues;
begin
    if stored is not null then
        return stored;
    end if;
    b := lock_branch(act, branch_named(branch_code));
    if b.id is null then
        return refusal('no_branch');
    end if;
    insert into queues (branch_id, code, name) values (b.id, p_code, p_name) on conflict (branch_id, code) do nothing returning * into q;
    if q.id is null then
        return end_act(act, refusal('line_taken', jsonb_build_object('code', p_code)));
    end if;
    insert into counter_queues select id, q.id from counters where branch_id = b.id;
    update branches set version = version + 1 where id = b.id;
    perform audit_queue(act, q, 'add', null, jsonb_build_object('name', p_name));
    return end_act(act, jsonb_build_object('outcome', 'added', 'queue', q.name, 'id', q.id));
end $$;

create or replace function add_counter(act jsonb, branch_code text, p_name text, lines uuid[]) returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    b branches;
    c counters;
    no jsonb;
begin
    if stored is not null then
        return stored;
    end if;
    b := lock_branch(act, branch_named(branch_code));
    if b.id is null then
        return refusal('no_branch');
    end if;
    no := why_no_counter(b.id, null, p_name, lines);
    if no is not null then
        return end_act(act, no);
    end if;
    insert into counters (branch_id, name) values (b.id, p_name) returning * into c;
    perform serve_lines(c.id, lines);
    perform audit_setting(act, b.id, 'counter', c.id, 'add', jsonb_build_object('counter', c.name, 'lines', served_by(c.id)));
    return end_act(act, jsonb_build_object('outcome', 'added', 'counter', c.name));
end $$;

create or replace function change_counter(act jsonb, counter uuid, p_name text, lines uuid[], seen int default null) returns jsonb
language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    b branches;
    c counters;
    no jsonb;
    was jsonb;
    changed jsonb;
begin
    if stored is not null then
        return stored;
    end if;
    b := lock_branch(act, (select branch_id from counters where id = counter));
    select * into c from counters where id = counter and branch_id = b.id for update;
    if c.id is null then
        return refusal('no_counter');
    end if;
    no := coalesce(why_stale(b, seen), why_no_counter(b.id, c.id, p_name, lines));
    if no is not null then
        return end_act(act, no);
    end if;
    was := jsonb_build_object('name', c.name, 'lines', served_by(c.id));
    update counters set name = p_name where id = c.id;
    perform serve_lines(c.id, lines);
    changed := differences(was, jsonb_build_object('name', p_name, 'lines', served_by(c.id)));
    if changed <> '{}' then
        perform audit_setting(act, b.id, 'counter', c.id, 'change', changed || jsonb_build_object('counter', c.name));
    end if;
    return end_act(act, jsonb_build_object('outcome', 'changed', 'counter', p_name));
end $$;

-- Not while somebody is there. What is remembered of it (phones, desks) is forgotten by the tables.
create or replace function remove_counter(act jsonb, counter uuid) returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    b branches;
    c counters;
    person text;
begin
    if stored is not null then
        return stored;
    end if;
    b := lock_branch(act, (select branch_id from counters where id = counter));
    select * into c from counters where id = counter and branch_id = b.id for update; -- nobody is called there meanwhile
    if c.id is null then
        return refusal('no_counter');
    end if;
    select label(q.code, t.number) into person from tickets t join queues q on q.id = t.queue_id
     where t.counter_id = c.id and t.status in ('called', 'serving');
    if person is not null then
        return end_act(act, refusal('counter_busy', jsonb_build_object('counter', c.name, 'label', person)));
    end if;
    delete from counters where id = c.id;
    perform audit_setting(act, b.id, 'counter', c.id, 'remove', jsonb_build_object('counter', c.name));
    return end_act(act, jsonb_build_object('outcome', 'removed', 'counter', c.name));
end $$;

-- Staff name a counter by text as well, in any case of letters.
create or replace function why_no_counter(branch uuid, counter uuid, p_name text, lines uuid[]) returns jsonb language sql stable as $$
    select case
        when exists (select from counters where branch_id = branch and lower(name) = lower(p_name) and id is distinct from counter)
        then refusal('counter_taken', jsonb_build_object('counter', p_name))
        when exists (select from unnest(lines) line where branch_of(line) is distinct from branch) then refusal('no_queue')
    end
$$;

create or replace function serve_lines(counter uuid, lines uuid[]) returns void language sql as $$
    delete from counter_queues where counter_id = counter and queue_id <> all (lines);
    insert into counter_queues select counter, unnest(lines) on conflict do nothing
$$;

create or replace function served_by(counter uuid) returns jsonb language sql stable as $$
    select coalesce(jsonb_agg(q.name order by q.created_at, q.code), '[]')
      from counter_queues join queues q on q.id = queue_id where counter_id = counter
$$;

-- The organization that an admin is of.
create or replace function administered(act jsonb) returns uuid language sql stable as $$
    select organization_id from staff where id = (act->>'actor_id')::uuid and role = 'admin' and active
$$;

-- The clock of a new branch is that of the organization's first one.
create or replace function add_branch(act jsonb, p_code text, p_name text, p_phone text) returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    organization uuid := administered(act);
    b branches;
begin
    if stored is not null then
        return stored;
    elsif organization is null then
        return end_act(act, refusal('not_allowed'));
    end if;
    insert into branches (organization_id, code, name, phone, timezone)
    values (organization, p_code, p_name, p_phone,
            coalesce((select timezone from branches where organization_id = organization order by created_at, code limit 1),
                     'Africa/Nairobi'))
    on conflict (code) do nothing returning * into b;
    if b.id is null then
        return end_act(act, refusal('code_taken', jsonb_build_object('code', p_code)));
    end if;
    perform audit_setting(act, b.id, 'branch', b.id, 'add', jsonb_build_object('code', b.code, 'name', b.name));
    return end_act(act, jsonb_build_object('outcome', 'added', 'branch', b.name));
end $$;

create or replace function change_organization(act jsonb, p_name text, p_language text) returns jsonb language plpgsql as $$
declare
    stored jsonb := begin_act(act);
    o organizations;
    changed jsonb;
begin
    if stored is not null then
        return stored;
    end if;
    select * into o from organizations where id = administered(act) for no key update;
    if o.id is null then
        return end_act(act, refusal('not_allowed'));
    end if;
    changed := differences(to_jsonb(o), jsonb_build_object('name', p_name, 'language', p_language));
    if changed <> '{}' then
        update organizations set name = p_name, language = p_language where id = o.id;
        perform audit_setting(act, null, 'organization', o.id, 'change', changed);
    end if;
    return end_act(act, jsonb_build_object('outcome', 'changed'));
exception when unique_violation then
    return end_act(act, refusal('name_taken', jsonb_build_object('name', p_name)));
end $$;
