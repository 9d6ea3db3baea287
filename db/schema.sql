-- Made by `make schema` from db/migrations and db/functions. Do not edit.

CREATE TABLE public.tickets (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    queue_id uuid NOT NULL,
    service_date date NOT NULL,
    number integer NOT NULL,
    phone text,
    name text,
    language text DEFAULT 'en'::text NOT NULL,
    channel text NOT NULL,
    priority boolean DEFAULT false NOT NULL,
    "position" numeric NOT NULL,
    status text DEFAULT 'waiting'::text NOT NULL,
    action text DEFAULT 'join'::text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    skip_count integer DEFAULT 0 NOT NULL,
    defer_count integer DEFAULT 0 NOT NULL,
    counter_id uuid,
    staff_id uuid,
    deadline timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    called_at timestamp with time zone,
    coming_at timestamp with time zone,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    ended_at timestamp with time zone,
    alerted_at timestamp with time zone,
    told_minutes integer,
    told_at timestamp with time zone,
    rating integer,
    rating_asked_at timestamp with time zone,
    shut_answered_at timestamp with time zone,
    still_asked_at timestamp with time zone,
    CONSTRAINT tickets_channel_check CHECK ((channel = ANY (ARRAY['ussd'::text, 'sms'::text, 'web'::text, 'staff'::text, 'api'::text]))),
    CONSTRAINT tickets_check CHECK (((status = ANY (ARRAY['completed'::text, 'no_show'::text, 'cancelled'::text, 'expired'::text])) = (ended_at IS NOT NULL))),
    CONSTRAINT tickets_name_check CHECK (((length(name) >= 1) AND (length(name) <= 16))),
    CONSTRAINT tickets_number_check CHECK ((number > 0)),
    CONSTRAINT tickets_phone_check CHECK ((phone ~ '^\+[1-9][0-9]{6,14}$'::text)),
    CONSTRAINT tickets_rating_check CHECK (((rating >= 1) AND (rating <= 5))),
    CONSTRAINT tickets_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'called'::text, 'serving'::text, 'skipped'::text, 'completed'::text, 'no_show'::text, 'cancelled'::text, 'expired'::text])))
);

COMMENT ON COLUMN public.tickets."position" IS 'the order of call: the number, or a fraction between two neighbours after late, come back, priority';

COMMENT ON COLUMN public.tickets.action IS 'the verb that made this version; copied to the audit log by a trigger';

COMMENT ON COLUMN public.tickets.counter_id IS 'of a counter that is there while the ticket is called or served, later perhaps gone';

COMMENT ON COLUMN public.tickets.deadline IS 'called: when the call expires; skipped: when the grace ends';

COMMENT ON COLUMN public.tickets.alerted_at IS 'when the person was told to be near, by whatever text, on this approach';

COMMENT ON COLUMN public.tickets.told_minutes IS 'the estimate last told to the person';

COMMENT ON COLUMN public.tickets.shut_answered_at IS 'when the person answered the offer that follows a line closed early';

COMMENT ON COLUMN public.tickets.still_asked_at IS 'when a person who waits for long was asked whether he still wants the place';

CREATE FUNCTION public.active_ticket(p_phone text) RETURNS public.tickets
    LANGUAGE sql STABLE
    AS $$
    select * from tickets where phone = p_phone and status in ('waiting', 'called', 'serving', 'skipped')
$$;

CREATE FUNCTION public.add_branch(act jsonb, p_code text, p_name text, p_phone text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.add_counter(act jsonb, branch_code text, p_name text, lines uuid[]) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.add_line(act jsonb, branch_code text, p_code text, p_name text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.add_person(act jsonb, p_login text, p_name text, p_role text, branch_code text, p_hash text, mark text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    stored jsonb := begin_act(act);
    s staff;
    why text;
begin
    if stored is not null then
        return stored;
    end if;
    select organization_id into s.organization_id from staff where id = (act->>'actor_id')::uuid;
    select id into s.branch_id from branches where code = branch_code and organization_id = s.organization_id;
    s.role := p_role;
    why := case when s.organization_id is not null then why_not(act, s, branch_code) else 'not_allowed' end;
    if why is not null then
        return end_act(act, refusal(why));
    end if;
    insert into staff (organization_id, branch_id, role, login, name, password_hash)
    values (s.organization_id, s.branch_id, p_role, p_login, p_name, p_hash) on conflict (login) do nothing
    returning * into s;
    if s.id is null then
        return end_act(act, refusal('login_taken'));
    end if;
    perform audit_staff(act, s, 'add', jsonb_build_object('role', p_role, 'branch', branch_code));
    return end_act(act, jsonb_build_object('outcome', 'added', 'mark', mark));
end $$;

CREATE FUNCTION public.administered(act jsonb) RETURNS uuid
    LANGUAGE sql STABLE
    AS $$
    select organization_id from staff where id = (act->>'actor_id')::uuid and role = 'admin' and active
$$;

CREATE TABLE public.queues (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    branch_id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    status text DEFAULT 'closed'::text NOT NULL,
    paused_until timestamp with time zone,
    message text DEFAULT ''::text NOT NULL,
    alert_threshold integer DEFAULT 3 NOT NULL,
    call_expiry integer DEFAULT 300 NOT NULL,
    grace integer DEFAULT 900 NOT NULL,
    max_skips integer DEFAULT 2 NOT NULL,
    daily_limit integer,
    avg_service_seconds integer DEFAULT 0 NOT NULL,
    completed_count integer DEFAULT 0 NOT NULL,
    last_completed_at timestamp with time zone,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT queues_alert_threshold_check CHECK (((alert_threshold >= 0) AND (alert_threshold <= 9))),
    CONSTRAINT queues_call_expiry_check CHECK ((call_expiry >= 0)),
    CONSTRAINT queues_code_check CHECK ((code ~ '^[AC-HJ-NP-RT-Y]{1,2}$'::text)),
    CONSTRAINT queues_daily_limit_check CHECK ((daily_limit > 0)),
    CONSTRAINT queues_grace_check CHECK ((grace >= 0)),
    CONSTRAINT queues_max_skips_check CHECK ((max_skips >= 0)),
    CONSTRAINT queues_name_check CHECK ((((length(name) >= 1) AND (length(name) <= 15)) AND (name ~ '^[ -~]+$'::text))),
    CONSTRAINT queues_status_check CHECK ((status = ANY (ARRAY['open'::text, 'paused'::text, 'closed'::text])))
);

COMMENT ON COLUMN public.queues.code IS 'letters that no small screen confuses with digits: not B, I, O, S or Z';

COMMENT ON COLUMN public.queues.call_expiry IS 'seconds a called person has to start; 0 = for ever';

COMMENT ON COLUMN public.queues.grace IS 'seconds a skipped person has to come back';

COMMENT ON COLUMN public.queues.avg_service_seconds IS 'moving average of the gap between completions while people wait; 0 = never measured';

COMMENT ON COLUMN public.queues.last_completed_at IS 'when the running gap began; null while nobody waits';

CREATE FUNCTION public.alert_near(q public.queues, day date) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    t tickets;
begin
    for t in
        update tickets set alerted_at = clock_timestamp()
         where id in (select near.id from (select id, alerted_at from tickets
                                            where queue_id = q.id and service_date = day and status = 'waiting'
                                            order by position limit q.alert_threshold + 1) near
                       where near.alerted_at is null)
        returning *
    loop
        perform notify(t, ticket_facts(t), 'near');
    end loop;
end $$;

CREATE FUNCTION public.ask_about(p_phone text, ticket uuid, p_request text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
declare
    p staff_phones;
    asked boolean;
begin
    select * into p from staff_phones where phone = p_phone for update;
    select (answer->>'asked')::boolean into asked from requests where key = p_request;
    if asked is null then
        asked := coalesce(p.asked_ticket = ticket and p.asked_at > clock_timestamp() - interval '10 minutes', false);
        update staff_phones set asked_ticket = case when not asked then ticket end,
               asked_at = case when not asked then clock_timestamp() end
         where phone = p_phone;
        insert into requests (key, answer) values (p_request, jsonb_build_object('asked', asked));
    end if;
    return asked;
end $$;

CREATE FUNCTION public.ask_still_there() RETURNS integer
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.audit_person(act jsonb, action text, details jsonb) RETURNS void
    LANGUAGE sql
    AS $$
    insert into audit_log (entity, entity_id, action, details, actor, actor_id, channel, reason, request)
    values ('person', gen_random_uuid(), action, details,
            act->>'actor', (act->>'actor_id')::uuid, act->>'channel', act->>'reason', act->>'request')
$$;

CREATE FUNCTION public.audit_queue(act jsonb, q public.queues, action text, was text, details jsonb) RETURNS void
    LANGUAGE sql
    AS $$
    insert into audit_log (branch_id, entity, entity_id, version, action, from_status, to_status, details,
                           actor, actor_id, channel, reason, request)
    values (q.branch_id, 'queue', q.id, q.version, action, was, q.status, details,
            act->>'actor', (act->>'actor_id')::uuid, act->>'channel', act->>'reason', act->>'request')
$$;

CREATE FUNCTION public.audit_setting(act jsonb, branch uuid, entity text, id uuid, action text, details jsonb) RETURNS void
    LANGUAGE sql
    AS $$
    update branches b set version = version + 1 where b.id = branch;
    insert into audit_log (branch_id, entity, entity_id, action, details, actor, actor_id, channel, reason, request)
    values (branch, entity, id, action, details,
            act->>'actor', (act->>'actor_id')::uuid, act->>'channel', act->>'reason', act->>'request')
$$;

CREATE TABLE public.staff (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    branch_id uuid,
    role text NOT NULL,
    name text NOT NULL,
    login text NOT NULL,
    password_hash text NOT NULL,
    must_change_password boolean DEFAULT true NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    totp_secret text,
    totp_on boolean DEFAULT false NOT NULL,
    totp_step bigint DEFAULT 0 NOT NULL,
    counter_id uuid,
    queue_id uuid,
    CONSTRAINT staff_check CHECK (((role = 'admin'::text) OR (branch_id IS NOT NULL))),
    CONSTRAINT staff_check1 CHECK (((totp_secret IS NOT NULL) OR (NOT totp_on))),
    CONSTRAINT staff_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'manager'::text, 'staff'::text])))
);

COMMENT ON COLUMN public.staff.branch_id IS 'null = every branch of the organization';

COMMENT ON COLUMN public.staff.totp_on IS 'a code is wanted at log-in; before, the secret waits to be confirmed';

COMMENT ON COLUMN public.staff.totp_step IS 'the time step of the last code that was taken: none of it or before it is taken again';

COMMENT ON COLUMN public.staff.counter_id IS 'where the person''s next session begins';

CREATE FUNCTION public.audit_staff(act jsonb, s public.staff, action text, details jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE sql
    AS $$
    insert into audit_log (branch_id, entity, entity_id, action, details, actor, actor_id, channel, reason, request)
    values (s.branch_id, 'staff', s.id, action, jsonb_strip_nulls(details),
            act->>'actor', (act->>'actor_id')::uuid, act->>'channel', act->>'reason', act->>'request')
$$;

CREATE FUNCTION public.begin_act(act jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.begin_session(person uuid, verified text, rehashed text, step bigint, token text, login_key text, source_key text) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
    s staff;
begin
    select * into s from staff where id = person and active and password_hash = verified for no key update;
    if s.id is null then
        return 'wrong_login';
    elsif s.totp_on and coalesce(step <= s.totp_step, true) then
        return 'wrong_code';
    end if;
    update staff set totp_step = case when totp_on then step else totp_step end,
           password_hash = coalesce(rehashed, password_hash)
     where id = s.id;
    insert into staff_sessions (token_hash, staff_id, counter_id, queue_id) values (token, s.id, s.counter_id, s.queue_id);
    perform forgive_try(login_key, source_key);
    delete from login_tries where kind = 'login' and who = login_key;
    return null;
end $$;

CREATE FUNCTION public.begin_try(p_phone text, p_request text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    p staff_phones;
begin
    select staff_phones.* into p from staff_phones join staff s on s.id = staff_id
     where phone = p_phone and enrolled_at is not null and blocked_at is null and s.active for update of staff_phones;
    if p.phone is null then
        return null;
    elsif p.locked_until > clock_timestamp() then
        return jsonb_build_object('locked_before', true, 'locked_minutes', minutes_left(p.locked_until));
    end if;
    insert into requests (key, answer) select p_request, '{"outcome": "tried"}' where p_request is not null
    on conflict (key) do nothing;
    if found or p_request is null then
        update staff_phones set failures = (failures + 1) % 5, lockouts = lockouts + (failures = 4)::int,
               locked_until = case when failures = 4 then clock_timestamp() + least(15 * 2 ^ lockouts, 60) * interval '1 minute' end
         where phone = p_phone returning * into p;
    end if;
    return jsonb_build_object('locked_before', false, 'pin_hash', p.pin_hash, 'rolling_hash', p.rolling_hash,
        'tries_left', case when p.locked_until > clock_timestamp() then 0 else 5 - p.failures end,
        'locked_minutes', coalesce(minutes_left(p.locked_until), 0));
end $$;

CREATE FUNCTION public.block_of(place numeric) RETURNS integer
    LANGUAGE sql IMMUTABLE
    AS $$
    select floor(place / 256)::int
$$;

CREATE FUNCTION public.block_phone(act jsonb, p_phone text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    stored jsonb := begin_act(act);
    s staff;
begin
    if stored is not null then
        return stored;
    end if;
    update staff_phones set blocked_at = clock_timestamp() where phone = p_phone and blocked_at is null;
    if found then
        select staff.* into s from staff join staff_phones p on p.staff_id = staff.id where p.phone = p_phone;
        perform audit_staff(act, s, 'block', jsonb_build_object('last4', right(p_phone, 4)));
    end if;
    return end_act(act, jsonb_build_object('outcome', 'blocked'));
end $$;

CREATE FUNCTION public.branch_named(p_code text) RETURNS uuid
    LANGUAGE sql STABLE
    AS $$
    select id from branches where code = p_code
$$;

CREATE FUNCTION public.branch_of(queue uuid) RETURNS uuid
    LANGUAGE sql STABLE
    AS $$
    select branch_id from queues where id = queue
$$;

CREATE TABLE public.counters (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    branch_id uuid NOT NULL,
    name text NOT NULL,
    last_call_at timestamp with time zone,
    CONSTRAINT counters_name_check CHECK ((((length(name) >= 1) AND (length(name) <= 13)) AND (name ~ '^[ -~]+$'::text)))
);

CREATE FUNCTION public.call_locked(act jsonb, ticket uuid, c public.counters, q public.queues) RETURNS public.tickets
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.call_named(act jsonb, ticket uuid, counter uuid, finish text DEFAULT NULL::text, seen integer DEFAULT NULL::integer, at_counter jsonb DEFAULT NULL::jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.call_next(act jsonb, queue uuid, counter text DEFAULT NULL::text, finish text DEFAULT NULL::text, seen jsonb DEFAULT NULL::jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.change_branch(act jsonb, branch_code text, given jsonb, seen integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.change_counter(act jsonb, counter uuid, p_name text, lines uuid[], seen integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.change_line(act jsonb, queue uuid, given jsonb, seen integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.change_organization(act jsonb, p_name text, p_language text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.change_password(act jsonb, session text, verified text, p_hash text, token text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    stored jsonb := begin_act(act);
    s staff;
begin
    if stored is not null then
        return stored;
    end if;
    s := lock_verified(act, session, verified);
    if s.id is null then
        return end_act(act, refusal('wrong_password'));
    end if;
    update staff set password_hash = p_hash, must_change_password = false where id = s.id;
    with ended as (delete from staff_sessions where staff_id = s.id returning *)
    insert into staff_sessions (token_hash, staff_id, counter_id, queue_id)
    select token, s.id, counter_id, queue_id from ended where token_hash = session;
    perform audit_staff(act, s, 'change_password');
    return end_act(act, jsonb_build_object('outcome', 'changed'));
end $$;

CREATE FUNCTION public.change_person(act jsonb, p_login text, p_name text, p_role text, branch_code text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    stored jsonb := begin_act(act);
    was staff;
    s staff;
    why text;
begin
    if stored is not null then
        return stored;
    end if;
    was := lock_person(act, p_login);
    if was.id is null then
        return end_act(act, refusal('no_staff'));
    end if;
    s := was;
    s.name := p_name;
    s.role := p_role;
    s.branch_id := (select id from branches where code = branch_code and organization_id = s.organization_id);
    why := why_not(act, s, branch_code);
    if why is null and p_role <> 'admin' and is_last_admin(was) then
        why := 'last_admin';
    end if;
    if why is not null then
        return end_act(act, refusal(why));
    elsif s is distinct from was then
        update staff set name = s.name, role = s.role, branch_id = s.branch_id where id = s.id;
        if (s.role, s.branch_id) is distinct from (was.role, was.branch_id) then
            delete from staff_sessions where staff_id = s.id;
        end if;
        perform audit_staff(act, s, 'change', jsonb_build_object(
            'name', case when s.name <> was.name then jsonb_build_array(was.name, s.name) end,
            'role', case when s.role <> was.role then jsonb_build_array(was.role, s.role) end,
            'branch', case when s.branch_id is distinct from was.branch_id then jsonb_build_array(
                (select code from branches where id = was.branch_id), branch_code) end));
    end if;
    return end_act(act, jsonb_build_object('outcome', 'changed'));
end $$;

CREATE FUNCTION public.change_queue(act jsonb, queue uuid, verb text, until timestamp with time zone DEFAULT NULL::timestamp with time zone, more jsonb DEFAULT '{}'::jsonb, seen integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.change_ticket(act jsonb, ticket uuid, verb text, seen integer DEFAULT NULL::integer, given jsonb DEFAULT '{}'::jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.check_ticket_step() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if new.version not in (old.version, old.version + 1) or (new.status <> old.status and new.version = old.version) then
        raise exception 'ticket %: version % cannot follow %', old.id, new.version, old.version;
    end if;
    if new.version > old.version and not is_legal_step(old.status, new.status) then
        raise exception 'ticket %: % cannot follow %', old.id, new.status, old.status;
    end if;
    return new;
end $$;

CREATE FUNCTION public.come_back(act jsonb, p_phone text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.complete_locked(act jsonb, ticket uuid) RETURNS public.tickets
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.confirm_phone(act jsonb, p_login text, p_code_hash text, p_pin_hash text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    stored jsonb := begin_act(act);
    s staff := staff_member(act, p_login);
    p staff_phones;
begin
    if stored is not null then
        return stored;
    end if;
    select * into p from staff_phones where staff_id = s.id for update;
    if s.id is null then
        return end_act(act, refusal('no_staff'));
    elsif p.code_hash is null or p.code_expires_at <= clock_timestamp() or p.code_tries >= 5 then
        return end_act(act, refusal('code_over'));
    elsif p.code_hash <> p_code_hash then
        update staff_phones set code_tries = code_tries + 1 where phone = p.phone;
        return end_act(act, refusal('wrong_code', jsonb_build_object('tries_left', 4 - p.code_tries)));
    end if;
    update staff_phones set enrolled_at = clock_timestamp(), pin_hash = p_pin_hash, code_hash = null, code_expires_at = null
     where phone = p.phone;
    perform audit_staff(act, s, 'confirm', jsonb_build_object('last4', right(p.phone, 4)));
    return end_act(act, jsonb_build_object('outcome', 'confirmed'));
end $$;

CREATE FUNCTION public.confirm_totp(act jsonb, session text, verified text, secret text, step bigint) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    stored jsonb := begin_act(act);
    s staff;
begin
    if stored is not null then
        return stored;
    end if;
    s := lock_verified(act, session, verified);
    if s.id is null or s.totp_on then
        return end_act(act, refusal(case when s.id is null then 'wrong_password' else 'has_totp' end));
    elsif step is null or s.totp_secret is distinct from secret then
        return end_act(act, refusal('wrong_code'));
    end if;
    update staff set totp_on = true, totp_step = step where id = s.id;
    delete from staff_sessions where staff_id = s.id and token_hash <> session;
    perform audit_staff(act, s, 'confirm_totp');
    return end_act(act, jsonb_build_object('outcome', 'confirmed'));
end $$;

CREATE FUNCTION public.count_try(login_key text, source_key text) RETURNS integer
    LANGUAGE plpgsql
    AS $$
declare
    seconds int;
begin
    insert into login_tries (kind, who) select kind, who from (values ('login', login_key), ('source', source_key)) k (kind, who)
     where who is not null on conflict do nothing;
    -- In one order, so that two never wait for each other.
    perform from login_tries where (kind, who) in (('login', login_key), ('source', source_key)) order by kind for update;
    select ceil(-seconds_since(max(until))) into seconds
      from login_tries where (kind, who) in (('login', login_key), ('source', source_key));
    if seconds > 0 then
        return seconds;
    end if;
    update login_tries t set level = n.level, tried_at = clock_timestamp(),
           until = case when ceil(n.level) >= n.most then clock_timestamp() + least(2 ^ (ceil(n.level) - n.most), 3600) * interval '1 second' end
      from (select kind, who, most, least(most + 12, 1 + greatest(0, level - most * seconds_since(greatest(tried_at, until)) / 900)) as level
              from login_tries join (values ('login', 5), ('source', 30)) l (name, most) on name = kind
             where (kind, who) in (('login', login_key), ('source', source_key))) n
     where (t.kind, t.who) = (n.kind, n.who);
    return 0;
end $$;

CREATE FUNCTION public.cut_over(act jsonb, queue uuid, day date, due timestamp with time zone, more jsonb) RETURNS integer
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.deadline_of(template text) RETURNS interval
    LANGUAGE sql IMMUTABLE
    AS $$
    select case
        when template in ('turn', 'last_call') then interval '3 minutes'
        when template in ('near', 'late_ok', 'slower', 'staff_code') then interval '10 minutes'
        when template in ('missed', 'skipped') then interval '15 minutes'
        when template in ('closed_early', 'end_of_day', 'data_gone') then interval '12 hours'
        else interval '30 minutes' end
$$;

CREATE FUNCTION public.defer_locked(act jsonb, ticket uuid, minutes integer) RETURNS public.tickets
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.defer_ticket(act jsonb, p_phone text, minutes integer) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.delete_audit(batch integer, keep integer) RETURNS integer
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.delete_customers(after text, batch integer) RETURNS jsonb
    LANGUAGE sql
    AS $$
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

CREATE FUNCTION public.delete_enrolments(batch integer) RETURNS integer
    LANGUAGE sql
    AS $$
    with deleted as (
        delete from staff_phones
         where phone in (select phone from staff_phones
                          where enrolled_at is null and blocked_at is null and created_at < clock_timestamp() - interval '30 days'
                          limit batch)
        returning 1)
    select count(*)::int from deleted
$$;

CREATE FUNCTION public.delete_inbound(batch integer, keep integer) RETURNS integer
    LANGUAGE sql
    AS $$
    with deleted as (
        delete from inbound_messages
         where id in (select id from inbound_messages
                       where phone is null and received_at < clock_timestamp() - make_interval(days => keep) limit batch)
        returning 1)
    select count(*)::int from deleted
$$;

CREATE FUNCTION public.delete_marks(batch integer) RETURNS integer
    LANGUAGE sql
    AS $$
    with deleted as (
        delete from erased_phones
         where mark in (select mark from erased_phones where erased_at < clock_timestamp() - interval '90 days' limit batch)
        returning 1)
    select count(*)::int from deleted
$$;

CREATE FUNCTION public.delete_reports(batch integer, keep integer) RETURNS integer
    LANGUAGE sql
    AS $$
    with deleted as (
        delete from delivery_reports
         where id in (select id from delivery_reports
                       where phone is null and received_at < clock_timestamp() - make_interval(days => keep) limit batch)
        returning 1)
    select count(*)::int from deleted
$$;

CREATE FUNCTION public.delete_texts(batch integer, keep integer) RETURNS integer
    LANGUAGE sql
    AS $$
    with deleted as (
        delete from notifications
         where id in (select id from notifications
                       where ticket_id is null and created_at < clock_timestamp() - make_interval(days => keep) limit batch)
        returning 1)
    select count(*)::int from deleted
$$;

CREATE FUNCTION public.delete_ussd_sessions(batch integer) RETURNS integer
    LANGUAGE sql
    AS $$
    with deleted as (
        delete from ussd_sessions
         where (gateway, session_key) in (select gateway, session_key from ussd_sessions
                                           where started_at < clock_timestamp() - interval '30 days' limit batch)
        returning 1)
    select count(*)::int from deleted
$$;

CREATE FUNCTION public.delete_visits(batch integer, keep integer) RETURNS integer
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    AS $$
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

CREATE FUNCTION public.desk_line(q public.queues, day date) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select jsonb_build_object(
        'id', q.id, 'code', q.code, 'name', q.name, 'status', q.status, 'paused_until', q.paused_until,
        'waiting', people_waiting(q.id, day), 'served', coalesce(d.completed_count, 0),
        'no_shows', (select count(*) from tickets where queue_id = q.id and service_date = day and status = 'no_show'),
        'average', case when q.avg_service_seconds > 0 then ceil(q.avg_service_seconds / 60.0) end,
        'full', coalesce(q.daily_limit <= d.last_number_issued, false))
      from (select) one left join queue_days d on d.queue_id = q.id and d.service_date = day
$$;

CREATE FUNCTION public.desk_tickets(act jsonb, ids uuid[]) RETURNS TABLE(id uuid, facts jsonb)
    LANGUAGE sql STABLE
    AS $$
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

CREATE FUNCTION public.dial_in(p_phone text) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select jsonb_build_object(
        'ticket', (select ticket_facts(t) from active_ticket(p_phone) t where t.id is not null),
        'shut', (select ticket_facts(t) from shut_ticket(p_phone) t where t.id is not null),
        'ratable', (select ticket_facts(t) from ratable_ticket(p_phone) t where t.id is not null and t.rating_asked_at is null),
        'language', (select language from customers where phone = p_phone),
        'opted_out', exists (select from customers where phone = p_phone and opted_out_at is not null))
$$;

CREATE FUNCTION public.differences(was jsonb, given jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
    select coalesce(jsonb_object_agg(key, jsonb_build_array(was->key, value)), '{}')
      from jsonb_each(given) where was->key is distinct from value
$$;

CREATE FUNCTION public.end_act(act jsonb, answer jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
begin
    if act->>'request' is not null then
        insert into requests (key, answer) values (act->>'request', without_person(answer));
    end if;
    return answer;
end $$;

CREATE FUNCTION public.end_all(q public.queues, day date, states text[], new_status text, verb text) RETURNS integer
    LANGUAGE sql
    AS $$
    with ended as (
        update tickets set status = new_status, action = verb, version = version + 1, deadline = null, ended_at = clock_timestamp()
         where queue_id = q.id and service_date = day and status = any (states)
        returning 1)
    select count(*)::int from ended
$$;

CREATE FUNCTION public.end_ticket(act jsonb, ticket uuid, new_status text, verb text) RETURNS public.tickets
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.end_totp(act jsonb, session text, verified text, too_weak boolean) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    stored jsonb := begin_act(act);
    s staff;
begin
    if stored is not null then
        return stored;
    end if;
    s := lock_verified(act, session, verified);
    if s.id is null then
        return end_act(act, refusal('wrong_password'));
    elsif s.totp_on then
        update staff set totp_on = false, totp_secret = null, must_change_password = must_change_password or too_weak
         where id = s.id;
        delete from staff_sessions where staff_id = s.id and token_hash <> session;
        perform audit_staff(act, s, 'end_totp');
    end if;
    return end_act(act, jsonb_build_object('outcome', 'ended'));
end $$;

CREATE TABLE public.staff_sessions (
    token_hash text NOT NULL,
    staff_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    counter_id uuid,
    queue_id uuid
)
WITH (fillfactor='60');

COMMENT ON COLUMN public.staff_sessions.seen_at IS 'the last request that a person made, to the minute';

CREATE FUNCTION public.ends_at(s public.staff_sessions) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
    select least(s.seen_at + interval '30 minutes', s.created_at + interval '12 hours')
$$;

CREATE FUNCTION public.enrol_phone(act jsonb, p_login text, p_phone text, counter text, p_code text, p_code_hash text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    stored jsonb := begin_act(act);
    s staff;
    rooms counters[];
    seconds int;
begin
    if stored is not null then
        return stored;
    end if;
    perform lock_phone(p_phone);
    perform from staff where login = p_login for no key update;
    s := staff_member(act, p_login);
    if s.id is null then
        return end_act(act, refusal('no_staff'));
    elsif exists (select from staff_phones p join staff other on other.id = p.staff_id
                   where phone = p_phone and staff_id <> s.id
                     and (enrolled_at is not null
                          or code_expires_at > clock_timestamp() and other.organization_id <> s.organization_id)) then
        return end_act(act, refusal('phone_taken'));
    end if;
    select array_agg(c) into rooms from counters c where lower(c.name) = lower(counter) and c.branch_id = any (staff_branches(s));
    if counter is not null and cardinality(rooms) is distinct from 1 then
        return end_act(act, refusal('no_counter'));
    end if;
    seconds := seconds_to_next_code(p_phone);
    if seconds > 0 then
        return end_act(act, refusal('too_many', jsonb_build_object('seconds', seconds)));
    end if;
    delete from staff_phones where staff_id = s.id or phone = p_phone;
    insert into staff_phones (phone, staff_id, counter_id, code_hash, code_expires_at)
    values (p_phone, s.id, (rooms[1]).id, p_code_hash, clock_timestamp() + interval '10 minutes');
    insert into notifications (branch_id, phone, template, language, parameters, urgency, expires_at, dedupe_key)
    select s.branch_id, p_phone, 'staff_code', coalesce((select language from customers where phone = p_phone), o.language),
           jsonb_build_object('otp', p_code, 'org', o.name), urgency_of('staff_code'),
           clock_timestamp() + deadline_of('staff_code'), 'staff_code:' || gen_random_uuid()
      from organizations o where o.id = s.organization_id;
    perform audit_staff(act, s, 'enrol', jsonb_build_object('last4', right(p_phone, 4), 'counter', (rooms[1]).name));
    return end_act(act, jsonb_build_object('outcome', 'enrolled'));
end $$;

CREATE FUNCTION public.erase_again(act jsonb, p_phone text, p_mark text, at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    t tickets;
begin
    perform begin_act(act);
    t := lock_ticket_of(act, p_phone);
    if t.id is not null then
        perform end_ticket(act, t.id, 'cancelled', 'erase');
    end if;
    perform forget_phone(p_phone);
    insert into erased_phones values (p_mark, at) on conflict (mark) do update set erased_at = excluded.erased_at;
    perform audit_person(act, 'erase', '{}');
end $$;

CREATE FUNCTION public.erase_customer(act jsonb, p_phone text, mark text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    stored jsonb := begin_act(act);
    t tickets;
    b uuid;
    spoken text := (select language from customers where phone = p_phone);
begin
    if stored is not null then
        return stored;
    end if;
    t := lock_ticket_of(act, p_phone);
    if t.id is not null then
        perform end_ticket(act, t.id, 'cancelled', 'erase');
    end if;
    select q.branch_id into b from tickets join queues q on q.id = queue_id
     where phone = p_phone and ended_at is not null order by ended_at desc limit 1;
    perform forget_phone(p_phone);
    insert into erased_phones select mark where mark is not null
    on conflict on constraint erased_phones_pkey do update set erased_at = excluded.erased_at;
    perform audit_person(act, 'erase', '{}');
    insert into notifications (branch_id, phone, template, language, urgency, expires_at, dedupe_key)
    values (b, p_phone, 'data_gone', coalesce(t.language, spoken, 'en'), urgency_of('data_gone'),
            clock_timestamp() + deadline_of('data_gone'), 'data_gone:' || gen_random_uuid());
    return end_act(act, jsonb_build_object('outcome', 'erased'));
end $$;

CREATE FUNCTION public.estimate(ahead integer, avg_seconds integer, completed integer) RETURNS integer
    LANGUAGE sql IMMUTABLE
    AS $$
    select case when completed >= 10 and avg_seconds > 0 then (ceil(ahead * avg_seconds / 300.0) * 5)::int end
$$;

CREATE FUNCTION public.export_customer(act jsonb, p_phone text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
begin
    perform audit_person(act, 'export', '{}');
    return export_person(p_phone);
end $$;

CREATE FUNCTION public.export_person(p_phone text) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select jsonb_build_object(
        'customers', (select coalesce(jsonb_agg(to_jsonb(c)), '[]') from customers c where phone = p_phone),
        'tickets', (select coalesce(jsonb_agg(to_jsonb(t) || jsonb_build_object(
                               'label', label(q.code, t.number), 'queue', q.name, 'branch', b.name,
                               'history', (select jsonb_agg(jsonb_build_object('at', a.at, 'action', a.action, 'status', a.to_status,
                                                                               'actor', a.actor, 'reason', a.reason) order by a.version)
                                             from audit_log a where a.entity = 'ticket' and a.entity_id = t.id)) order by t.created_at), '[]')
                      from tickets t join queues q on q.id = t.queue_id join branches b on b.id = q.branch_id
                     where t.phone = p_phone),
        'notifications', (select coalesce(jsonb_agg(to_jsonb(n) order by n.created_at), '[]') from notifications n where phone = p_phone),
        'inbound_messages', (select coalesce(jsonb_agg(to_jsonb(m) order by m.received_at), '[]') from inbound_messages m where phone = p_phone),
        'delivery_reports', (select coalesce(jsonb_agg(to_jsonb(r) order by r.received_at), '[]') from delivery_reports r where phone = p_phone),
        'ussd_sessions', (select coalesce(jsonb_agg(to_jsonb(u) order by u.started_at), '[]') from ussd_sessions u where phone = p_phone),
        'staff_phones', (select coalesce(jsonb_agg(jsonb_build_object('login', s.login, 'name', s.name, 'enrolled_at', p.enrolled_at)), '[]')
                           from staff_phones p join staff s on s.id = p.staff_id where p.phone = p_phone))
$$;

CREATE FUNCTION public.finish_locked(act jsonb, t public.tickets, finish text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.forget_farewells() RETURNS integer
    LANGUAGE plpgsql
    AS $$
declare
    n notifications;
    told int := 0;
begin
    for n in select * from notifications
              where template = 'data_gone' and phone is not null
                and (finished_at is not null or created_at < clock_timestamp() - interval '1 day')
              limit 200 for update skip locked
    loop
        update notifications set phone = null, parameters = '{}', body = null where id = n.id;
        update delivery_reports set phone = null, raw = '{}' where phone = n.phone and received_at > n.created_at;
        update delivery_reports set phone = null, raw = '{}' where gateway = n.gateway and provider_id = n.provider_id;
        told := told + 1;
    end loop;
    return told;
end $$;

CREATE FUNCTION public.forget_inbound(batch integer) RETURNS integer
    LANGUAGE sql
    AS $$
    with forgotten as (
        update inbound_messages set phone = null, text = ''
         where id in (select id from inbound_messages
                       where (phone is not null or text <> '') and received_at < clock_timestamp() - interval '30 days' limit batch)
        returning 1)
    select count(*)::int from forgotten
$$;

CREATE FUNCTION public.forget_phone(p_phone text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    visits uuid[] := array(select id from tickets where phone = p_phone and ended_at is not null);
begin
    update delivery_reports set phone = null, raw = '{}' where phone = p_phone;
    -- Others hold the phone in the provider's own words only: they are found by the texts that they are about.
    update delivery_reports r set phone = null, raw = '{}'
      from notifications n where n.phone = p_phone and r.gateway = n.gateway and r.provider_id = n.provider_id;
    update notifications set phone = null, parameters = '{}', body = null,
           status = case when status = 'queued' then 'suppressed' else status end
     where phone = p_phone;
    update tickets set phone = null, name = null where id = any (visits);
    perform forget_reasons(visits);
    update inbound_messages set phone = null, text = '' where phone = p_phone;
    delete from ussd_sessions where phone = p_phone;
    delete from customers where phone = p_phone;
end $$;

CREATE FUNCTION public.forget_reasons(visits uuid[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    perform set_config('zamu.forgetting', 'on', true);
    update audit_log set reason = '(forgotten)'
     where entity = 'ticket' and entity_id = any (visits) and reason <> '(forgotten)';
    perform set_config('zamu.forgetting', 'off', true);
end $$;

CREATE FUNCTION public.forget_reports(batch integer) RETURNS integer
    LANGUAGE sql
    AS $$
    with forgotten as (
        update delivery_reports set phone = null, raw = '{}'
         where id in (select id from delivery_reports
                       where (phone is not null or raw <> '{}') and received_at < clock_timestamp() - interval '30 days' limit batch)
        returning 1)
    select count(*)::int from forgotten
$$;

CREATE FUNCTION public.forget_texts(batch integer) RETURNS integer
    LANGUAGE sql
    AS $$
    with forgotten as (
        update notifications set phone = null, parameters = '{}', body = null
         where id in (select n.id from notifications n left join branches b on b.id = n.branch_id
                       where n.ticket_id is null and n.phone is not null and n.created_at < clock_timestamp() - interval '1 day'
                         and n.created_at < clock_timestamp() - make_interval(days => coalesce(b.contact_days, 30))
                       order by n.created_at limit batch)
        returning 1)
    select count(*)::int from forgotten
$$;

CREATE FUNCTION public.forget_visits(batch integer) RETURNS integer
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    AS $$
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

CREATE FUNCTION public.forgive_try(login_key text, source_key text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    perform from login_tries where (kind, who) in (('login', login_key), ('source', source_key)) order by kind for update;
    update login_tries set level = greatest(0, level - 1), until = null
     where (kind, who) in (('login', login_key), ('source', source_key));
end $$;

CREATE FUNCTION public.free_counter(q public.queues, day date) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    select c.name
      from counters c join counter_queues cq on cq.counter_id = c.id and cq.queue_id = q.id join branches b on b.id = c.branch_id
     where service_date(b.timezone, b.day_starts_at, c.last_call_at) = day
       and is_free(c.id)
     order by c.last_call_at desc limit 1
$$;

CREATE FUNCTION public.has_reason(act jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    select coalesce(act->>'reason' ~ '\S', false)
$$;

CREATE FUNCTION public.insert_ticket(act jsonb, q public.queues, day date, person jsonb, n integer, place numeric, first_in_line boolean, verb text) RETURNS public.tickets
    LANGUAGE sql
    AS $$
    insert into tickets (queue_id, service_date, number, phone, name, language, channel, priority, position, action,
                         alerted_at, told_minutes, told_at)
    select q.id, day, n, person->>'phone', person->>'name', language_of(person, q.branch_id),
           coalesce(person->>'channel', act->>'channel'), first_in_line, place, verb,
           case when ahead <= q.alert_threshold then clock_timestamp() end,
           estimate(ahead, q.avg_service_seconds, q.completed_count), clock_timestamp()
      from people_ahead(q.id, day, place) as ahead
    returning *
$$;

CREATE FUNCTION public.is_active(status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    select status in ('waiting', 'called', 'serving', 'skipped')
$$;

CREATE FUNCTION public.is_alive(s public.staff_sessions) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    select ends_at(s) > clock_timestamp()
$$;

CREATE FUNCTION public.is_free(counter uuid) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    select not exists (select from tickets where counter_id = counter and status in ('called', 'serving'))
$$;

CREATE FUNCTION public.is_last_admin(s public.staff) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    select s.role = 'admin' and s.active and not exists (
        select from staff where organization_id = s.organization_id and role = 'admin' and active and id <> s.id)
$$;

CREATE FUNCTION public.is_legal_step(old_status text, new_status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    select case old_status
        when 'waiting' then new_status in ('waiting', 'called', 'cancelled', 'expired', 'no_show')
        when 'called'  then new_status in ('called', 'waiting', 'serving', 'completed', 'skipped', 'no_show', 'cancelled', 'expired')
        when 'serving' then new_status in ('serving', 'completed', 'no_show', 'cancelled')
        when 'skipped' then new_status in ('skipped', 'waiting', 'called', 'no_show', 'cancelled', 'expired')
        else false end
$$;

CREATE FUNCTION public.issue_ticket(act jsonb, q public.queues, day date, person jsonb, first_in_line boolean) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.join_first(act jsonb, p_phone text, day date) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.join_queue(act jsonb, queue uuid, person jsonb, replace boolean DEFAULT false) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE TABLE public.queue_days (
    queue_id uuid NOT NULL,
    service_date date NOT NULL,
    last_number_issued integer DEFAULT 0 NOT NULL,
    current_number integer DEFAULT 0 NOT NULL,
    completed_count integer DEFAULT 0 NOT NULL,
    over boolean DEFAULT false NOT NULL,
    forgotten integer DEFAULT 0 NOT NULL
);

COMMENT ON COLUMN public.queue_days.over IS 'the day was cut over: nobody waits in it any more';

COMMENT ON COLUMN public.queue_days.forgotten IS 'tickets up to this number hold no phone and no name any more';

CREATE FUNCTION public.keep_figures(d public.queue_days) RETURNS void
    LANGUAGE sql
    AS $$
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

CREATE FUNCTION public.label(code text, number integer) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
    select code || case when number < 1000 then lpad(number::text, 3, '0') else number::text end
$$;

CREATE FUNCTION public.language_of(person jsonb, branch uuid) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    select coalesce(person->>'language', (select language from customers where phone = person->>'phone'), o.language)
      from branches b join organizations o on o.id = b.organization_id where b.id = branch
$$;

CREATE FUNCTION public.language_of_phone(p_phone text) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    select coalesce((select language from customers where phone = p_phone),
                    (select language from organizations order by created_at limit 1), 'en')
$$;

CREATE FUNCTION public.last_called(queue uuid, day date) RETURNS integer
    LANGUAGE sql STABLE
    AS $$
    select t.number from audit_log a join tickets t on t.id = a.entity_id
     where a.branch_id = branch_of(queue) and a.at > clock_timestamp() - interval '1 day' and a.action = 'call'
       and t.queue_id = queue and t.service_date = day and t.called_at is not null
     order by a.at desc limit 1
$$;

CREATE FUNCTION public.leave_queue(act jsonb, p_phone text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE TABLE public.branches (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    address text DEFAULT ''::text NOT NULL,
    phone text NOT NULL,
    timezone text DEFAULT 'Africa/Nairobi'::text NOT NULL,
    day_starts_at time without time zone DEFAULT '04:00:00'::time without time zone NOT NULL,
    opening_hours jsonb DEFAULT '{}'::jsonb NOT NULL,
    is_open boolean DEFAULT true NOT NULL,
    asks_name boolean DEFAULT false NOT NULL,
    asks_rating boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    texts_rating boolean DEFAULT false NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    contact_days integer DEFAULT 30 NOT NULL,
    CONSTRAINT branches_code_check CHECK ((code ~ '^[0-9]{4}$'::text)),
    CONSTRAINT branches_contact_days_check CHECK (((contact_days >= 1) AND (contact_days <= 180))),
    CONSTRAINT branches_name_check CHECK ((((length(name) >= 1) AND (length(name) <= 23)) AND (name ~ '^[ -~]+$'::text))),
    CONSTRAINT branches_phone_check CHECK ((length(phone) <= 13))
);

COMMENT ON COLUMN public.branches.phone IS 'a human to call, as people dial it';

COMMENT ON COLUMN public.branches.day_starts_at IS 'local time at which one service day ends and the next begins';

COMMENT ON COLUMN public.branches.opening_hours IS '{"mon": [["08:30", "17:00"]], …} in local time; a missing day is closed';

COMMENT ON COLUMN public.branches.texts_rating IS 'ask for a rating by text too: off until local law is known to allow it';

COMMENT ON COLUMN public.branches.version IS 'rises with every change of its settings: who changes what he saw long ago is told';

COMMENT ON COLUMN public.branches.contact_days IS 'days after a visit for which the phone and the name stay on the ticket';

CREATE FUNCTION public.lock_branch(act jsonb, branch uuid) RETURNS public.branches
    LANGUAGE plpgsql
    AS $$
declare
    b branches;
begin
    select * into b from branches where id = branch and may_touch(act, id) for no key update;
    return b;
end $$;

CREATE FUNCTION public.lock_counter(q public.queues, counter text) RETURNS public.counters
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.lock_person(act jsonb, p_login text) RETURNS public.staff
    LANGUAGE plpgsql
    AS $$
declare
    s staff;
begin
    perform from organizations where id = (select organization_id from staff where login = p_login) for no key update;
    select * into s from staff where login = p_login and may_manage(act, staff) for no key update;
    return s;
end $$;

CREATE FUNCTION public.lock_phone(phone text) RETURNS void
    LANGUAGE sql
    AS $$
    select pg_advisory_xact_lock(2, hashtext(phone))
$$;

CREATE FUNCTION public.lock_queue(act jsonb, queue uuid) RETURNS public.queues
    LANGUAGE plpgsql
    AS $$
declare
    q queues;
begin
    select * into q from queues where id = queue and may_touch(act, branch_id) for update;
    return q;
end $$;

CREATE FUNCTION public.lock_ticket_of(act jsonb, p_phone text) RETURNS public.tickets
    LANGUAGE plpgsql
    AS $$
declare
    t tickets;
    q queues;
begin
    perform lock_phone(p_phone);
    q := lock_queue(act, (active_ticket(p_phone)).queue_id);
    select * into t from active_ticket(p_phone) mine where mine.queue_id = q.id;
    return t;
end $$;

CREATE FUNCTION public.lock_verified(act jsonb, session text, verified text) RETURNS public.staff
    LANGUAGE plpgsql
    AS $$
declare
    s staff;
begin
    select staff.* into s from staff where id = (act->>'actor_id')::uuid and active and password_hash = verified
       and exists (select from staff_sessions where token_hash = session and staff_id = staff.id) for no key update;
    return s;
end $$;

CREATE FUNCTION public.may_ask_rating(t public.tickets) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    select b.texts_rating and (clock_timestamp() at time zone b.timezone)::time between '08:00' and '18:00'
      from queues q join branches b on b.id = q.branch_id where q.id = t.queue_id
$$;

CREATE FUNCTION public.may_follow(verb text, status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
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

CREATE FUNCTION public.may_manage(act jsonb, s public.staff) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    select act->>'actor_id' is null and may_touch(act, null)
        or exists (select from staff a
                    where a.id = (act->>'actor_id')::uuid and a.active and not a.must_change_password
                      and a.organization_id = s.organization_id
                      and (a.role = 'admin' or a.role = 'manager' and a.branch_id = s.branch_id
                                               and (s.role = 'staff' or s.id = a.id and s.role = a.role)))
$$;

CREATE FUNCTION public.may_touch(act jsonb, branch uuid) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    select act->'branches' is null or act->'branches' = 'null' or act->'branches' ? branch::text
$$;

CREATE FUNCTION public.measure_completion(queue uuid, day date) RETURNS void
    LANGUAGE sql
    AS $$
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

CREATE FUNCTION public.minutes_left(until timestamp with time zone) RETURNS integer
    LANGUAGE sql STABLE
    AS $$
    select greatest(0, ceil(extract(epoch from until - clock_timestamp()) / 60))::int
$$;

CREATE FUNCTION public.move_locked(ticket uuid, passed integer) RETURNS public.tickets
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.next_average(average integer, gap_seconds numeric) RETURNS integer
    LANGUAGE sql IMMUTABLE
    AS $$
    select case when average = 0 then round(gap_seconds) else round(0.7 * average + 0.3 * gap_seconds) end::int
$$;

CREATE FUNCTION public.next_number(queue uuid, day date) RETURNS integer
    LANGUAGE sql
    AS $$
    insert into queue_days (queue_id, service_date, last_number_issued) values (queue, day, 1)
    on conflict (queue_id, service_date) do update set last_number_issued = queue_days.last_number_issued + 1
    returning last_number_issued
$$;

CREATE FUNCTION public.no_show_locked(act jsonb, ticket uuid, verb text) RETURNS public.tickets
    LANGUAGE plpgsql
    AS $$
declare
    t tickets;
begin
    t := end_ticket(act, ticket, 'no_show', verb);
    perform notify(t, ticket_facts(t), 'missed');
    return t;
end $$;

CREATE FUNCTION public.notify(t public.tickets, f jsonb, template text, more jsonb DEFAULT '{}'::jsonb, event bigint DEFAULT NULL::bigint) RETURNS void
    LANGUAGE sql
    AS $$
    insert into notifications (branch_id, ticket_id, phone, template, language, parameters, urgency, expires_at, dedupe_key)
    select (f->>'branch_id')::uuid, t.id, t.phone, template, t.language, text_parameters(f) || more,
           urgency_of(template), clock_timestamp() + deadline_of(template),
           template || ':' || t.id || ':' || coalesce(event, t.version)
     where t.phone is not null
    on conflict (dedupe_key) do nothing
$$;

CREATE FUNCTION public.people_ahead(queue uuid, day date, place numeric) RETURNS integer
    LANGUAGE sql STABLE
    AS $$
    select (
        coalesce((select sum(waiting) from waiting_blocks
                   where queue_id = queue and service_date = day and block < block_of(place)), 0)
        + (select count(*) from tickets
            where queue_id = queue and service_date = day and status = 'waiting'
              and position >= block_of(place)::numeric * 256 and position < place)
    )::int
$$;

CREATE FUNCTION public.people_waiting(queue uuid, day date) RETURNS integer
    LANGUAGE sql STABLE
    AS $$
    select coalesce(sum(waiting), 0)::int from waiting_blocks where queue_id = queue and service_date = day
$$;

CREATE FUNCTION public.place_behind(queue uuid, day date, passed integer) RETURNS numeric
    LANGUAGE sql STABLE
    AS $$
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

CREATE FUNCTION public.place_facts(q public.queues, b public.branches) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select jsonb_build_object('queue_id', q.id, 'queue', q.name, 'queue_code', q.code, 'branch_id', b.id, 'branch', b.name,
                              'branch_code', b.code, 'branch_phone', b.phone, 'timezone', b.timezone,
                              'branch_open', b.is_open, 'opening_hours', b.opening_hours, 'paused_until', q.paused_until)
$$;

CREATE FUNCTION public.pulse(outage interval) RETURNS integer
    LANGUAGE plpgsql
    AS $$
declare
    last timestamptz;
begin
    select at into last from heartbeats where name = 'sweeper' for update;
    insert into heartbeats values ('sweeper', clock_timestamp()) on conflict (name) do update set at = excluded.at;
    return case when last < clock_timestamp() - outage then tell_recovered() else 0 end;
end $$;

CREATE FUNCTION public.ratable_ticket(p_phone text) RETURNS public.tickets
    LANGUAGE sql STABLE
    AS $$
    select t.* from (select * from tickets where phone = p_phone and ended_at > clock_timestamp() - interval '24 hours'
                      order by ended_at desc limit 1) t
      join queues q on q.id = t.queue_id join branches b on b.id = q.branch_id
     where t.status = 'completed' and t.rating is null and b.asks_rating
$$;

CREATE FUNCTION public.rate_visit(act jsonb, p_phone text, stars integer) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    stored jsonb := begin_act(act);
    t tickets;
begin
    if stored is not null then
        return stored;
    end if;
    perform lock_phone(p_phone);
    t := ratable_ticket(p_phone);
    if t.id is null then
        return end_act(act, refusal('no_ticket'));
    end if;
    update tickets set rating = stars where id = t.id;
    return end_act(act, jsonb_build_object('outcome', 'rated', 'ticket', ticket_facts(t)));
end $$;

CREATE FUNCTION public.recall_locked(act jsonb, ticket uuid, verb text) RETURNS public.tickets
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.recalled(t public.tickets, q public.queues) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
    select case when q.call_expiry > 0 then greatest(t.deadline, clock_timestamp() + interval '2 minutes') end
$$;

CREATE FUNCTION public.record_ticket_step() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.refusal(code text, facts jsonb DEFAULT '{}'::jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
    select jsonb_build_object('refused', code) || facts
$$;

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if tg_op = 'TRUNCATE' or current_setting('zamu.forgetting', true) is distinct from 'on' then
        raise exception 'the audit log cannot be changed';
    end if;
    return null;
end $$;

CREATE FUNCTION public.refuse_rewriting() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if to_jsonb(new) - 'reason' <> to_jsonb(old) - 'reason' or new.reason <> '(forgotten)' then
        raise exception 'the audit log cannot be changed';
    end if;
    return new;
end $$;

CREATE FUNCTION public.remove_counter(act jsonb, counter uuid) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.requeue(act jsonb, ticket uuid, passed integer, verb text) RETURNS public.tickets
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.reset_password(act jsonb, p_login text, p_hash text, mark text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    stored jsonb := begin_act(act);
    s staff;
begin
    if stored is not null then
        return stored;
    end if;
    s := lock_person(act, p_login);
    if s.id is null or s.id::text = act->>'actor_id' then
        return end_act(act, refusal(case when s.id is null then 'no_staff' else 'yourself' end));
    end if;
    update staff set password_hash = p_hash, must_change_password = true, totp_on = false, totp_secret = null where id = s.id;
    delete from staff_sessions where staff_id = s.id;
    delete from login_tries where kind = 'login' and who = encode(sha256(p_login::bytea), 'hex');
    perform audit_staff(act, s, 'reset_password');
    return end_act(act, jsonb_build_object('outcome', 'reset', 'mark', mark));
end $$;

CREATE FUNCTION public.say_coming(act jsonb, p_phone text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.seconds_since(moment timestamp with time zone) RETURNS double precision
    LANGUAGE sql STABLE
    AS $$
    select extract(epoch from clock_timestamp() - moment)::double precision
$$;

CREATE FUNCTION public.seconds_to_next_code(p_phone text) RETURNS integer
    LANGUAGE sql STABLE
    AS $$
    select max(ceil(-seconds_since(created_at + every)))::int
      from (select created_at, row_number() over (order by created_at desc) as place from notifications
             where phone = p_phone and template = 'staff_code' and created_at > clock_timestamp() - interval '1 day') sent
      join (values (3, interval '1 hour'), (6, interval '1 day')) as most (place, every) using (place)
     where created_at + every > clock_timestamp()
$$;

CREATE FUNCTION public.serve_lines(counter uuid, lines uuid[]) RETURNS void
    LANGUAGE sql
    AS $$
    delete from counter_queues where counter_id = counter and queue_id <> all (lines);
    insert into counter_queues select counter, unnest(lines) on conflict do nothing
$$;

CREATE FUNCTION public.served_by(counter uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select coalesce(jsonb_agg(q.name order by q.created_at, q.code), '[]')
      from counter_queues join queues q on q.id = queue_id where counter_id = counter
$$;

CREATE FUNCTION public.service_date(timezone text, starts time without time zone, at timestamp with time zone) RETURNS date
    LANGUAGE sql STABLE
    AS $$
    select ((at at time zone timezone) - starts::interval)::date
$$;

CREATE FUNCTION public.set_active(act jsonb, p_login text, p_active boolean) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    stored jsonb := begin_act(act);
    s staff;
begin
    if stored is not null then
        return stored;
    end if;
    s := lock_person(act, p_login);
    if s.id is null then
        return end_act(act, refusal('no_staff'));
    elsif not p_active and is_last_admin(s) then
        return end_act(act, refusal('last_admin'));
    elsif s.active <> p_active then
        update staff set active = p_active where id = s.id;
        delete from staff_sessions where staff_id = s.id;
        perform audit_staff(act, s, case when p_active then 'activate' else 'deactivate' end);
    end if;
    return end_act(act, jsonb_build_object('outcome', case when p_active then 'active' else 'inactive' end));
end $$;

CREATE FUNCTION public.shut_ticket(p_phone text) RETURNS public.tickets
    LANGUAGE sql STABLE
    AS $$
    select t.* from tickets t join queues q on q.id = t.queue_id join branches b on b.id = q.branch_id
     where t.phone = p_phone and t.ended_at is not null and t.status = 'expired' and t.action = 'send_home'
       and t.shut_answered_at is null and t.service_date = service_date(b.timezone, b.day_starts_at, clock_timestamp())
     order by t.ended_at desc limit 1
$$;

CREATE FUNCTION public.skip_locked(act jsonb, ticket uuid, verb text) RETURNS public.tickets
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.staff_branches(s public.staff) RETURNS uuid[]
    LANGUAGE sql STABLE
    AS $$
    select coalesce(array_agg(id order by code), '{}') from branches
     where organization_id = s.organization_id and (s.role = 'admin' or id = s.branch_id)
$$;

CREATE FUNCTION public.staff_member(act jsonb, p_login text) RETURNS public.staff
    LANGUAGE sql STABLE
    AS $$
    select s.* from staff s
     where login = p_login and active and may_manage(act, s)
$$;

CREATE FUNCTION public.take_back_locked(act jsonb, ticket uuid) RETURNS public.tickets
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.take_back_until(act jsonb, t public.tickets) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
    select due from (select t.called_at + interval '60 seconds' as due) minute
     where t.status = 'called' and t.staff_id::text is not distinct from act->>'actor_id' and t.coming_at is null
       and due >= clock_timestamp()
$$;

CREATE TABLE public.inbound_messages (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    gateway text NOT NULL,
    provider_id text NOT NULL,
    phone text,
    recipient text DEFAULT ''::text NOT NULL,
    text text NOT NULL,
    sent_at timestamp with time zone,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    opt_out text,
    leased_until timestamp with time zone,
    handled_at timestamp with time zone,
    command text,
    outcome text,
    attempts integer DEFAULT 0 NOT NULL,
    CONSTRAINT inbound_messages_opt_out_check CHECK ((opt_out = ANY (ARRAY['stop'::text, 'start'::text, 'help'::text]))),
    CONSTRAINT inbound_messages_phone_check CHECK ((phone ~ '^\+[1-9][0-9]{6,14}$'::text)),
    CONSTRAINT inbound_messages_provider_id_check CHECK (((length(provider_id) >= 1) AND (length(provider_id) <= 200)))
);

COMMENT ON COLUMN public.inbound_messages.phone IS 'null: the sender is no phone, such as the operator''s own name';

COMMENT ON COLUMN public.inbound_messages.text IS 'without a staff member''s PIN, which is never stored';

COMMENT ON COLUMN public.inbound_messages.sent_at IS 'as the provider says, in UTC; null: it does not say';

COMMENT ON COLUMN public.inbound_messages.opt_out IS 'what the provider itself did about the text, and told the person';

COMMENT ON COLUMN public.inbound_messages.leased_until IS 'null: in nobody''s hand, so a provider that repeats it is heard at once';

COMMENT ON COLUMN public.inbound_messages.outcome IS 'the text that answers it, or why it has no answer';

COMMENT ON COLUMN public.inbound_messages.attempts IS 'how often it was taken in hand; who has it now knows this number';

CREATE FUNCTION public.take_text(message jsonb, lease interval) RETURNS SETOF public.inbound_messages
    LANGUAGE plpgsql
    AS $$
declare
    m inbound_messages := jsonb_populate_record(null::inbound_messages, message);
begin
    perform pg_advisory_xact_lock(4, hashtext(m.phone));
    return query
    insert into inbound_messages as mine
           (gateway, provider_id, phone, recipient, text, sent_at, opt_out, received_at, leased_until, attempts)
    select m.gateway, m.provider_id, m.phone, m.recipient, m.text, m.sent_at, m.opt_out,
           least(m.received_at, clock_timestamp()), clock_timestamp() + lease, 1
     where not exists (select from inbound_messages other
                        where other.gateway = m.gateway
                          and (other.phone = m.phone and other.text = m.text
                               or other.phone is null and other.text = '' and other.recipient = m.recipient
                                  and other.received_at > now() - interval '1 day')
                          and abs(extract(epoch from other.sent_at - m.sent_at)) <= 1
                          and starts_with(other.provider_id, 'fetched-') <> starts_with(m.provider_id, 'fetched-'))
    on conflict (gateway, provider_id) do update set leased_until = excluded.leased_until, attempts = mine.attempts + 1
     where mine.handled_at is null and (mine.leased_until is null or mine.leased_until < clock_timestamp())
    returning mine.*;
end $$;

CREATE FUNCTION public.tell_all(q public.queues, day date, states text[], template text, more jsonb DEFAULT '{}'::jsonb, due timestamp with time zone DEFAULT clock_timestamp()) RETURNS integer
    LANGUAGE sql
    AS $$
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

CREATE FUNCTION public.tell_recovered() RETURNS integer
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.tell_slower() RETURNS integer
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.text_parameters(f jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
    select jsonb_build_object('branch', f->'branch', 'code', f->'branch_code', 'phone', f->'branch_phone', 'svc', f->'queue',
                              'tk', f->'label', 'ctr', f->'counter', 'ahead', f->'ahead', 'min', f->'minutes')
$$;

CREATE FUNCTION public.ticket_facts(t public.tickets) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
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

CREATE FUNCTION public.tickets_numbered(queue uuid, day date, first integer, last integer) RETURNS uuid[]
    LANGUAGE sql STABLE
    AS $$
    select array(select id from tickets
                  where queue_id = queue and service_date = day and number = any (array(select generate_series(first, last))))
$$;

CREATE FUNCTION public.today(branch uuid) RETURNS date
    LANGUAGE sql STABLE
    AS $$
    select service_date(timezone, day_starts_at, clock_timestamp()) from branches where id = branch
$$;

CREATE FUNCTION public.transfer_ticket(act jsonb, ticket uuid, to_queue uuid, seen integer DEFAULT NULL::integer, next_but_two boolean DEFAULT false) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.unlock_phone(act jsonb, p_login text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
declare
    stored jsonb := begin_act(act);
    s staff := staff_member(act, p_login);
    p staff_phones;
begin
    if stored is not null then
        return stored;
    end if;
    select * into p from staff_phones where staff_id = s.id and enrolled_at is not null for update;
    if s.id is null or p.phone is null then
        return end_act(act, refusal(case when s.id is null then 'no_staff' else 'no_phone' end));
    elsif p.blocked_at is not null then
        return end_act(act, refusal('blocked'));
    end if;
    update staff_phones set failures = 0, lockouts = 0, locked_until = null where phone = p.phone;
    perform audit_staff(act, s, 'unlock', jsonb_build_object('last4', right(p.phone, 4)));
    return end_act(act, jsonb_build_object('outcome', 'unlocked'));
end $$;

CREATE FUNCTION public.urgency_of(template text) RETURNS integer
    LANGUAGE sql IMMUTABLE
    AS $$
    select case when template in ('turn', 'last_call') then 0 when template = 'near' then 1 else 5 end
$$;

CREATE FUNCTION public.version_of(branch uuid) RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
    select coalesce((select id from audit_log where branch_id >= branch and branch_id <= branch order by branch_id desc, id desc limit 1), 0)
$$;

CREATE FUNCTION public.why_no_call(t public.tickets, finish text, seen jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select case
        when (seen->>'id', (seen->>'version')::int) is distinct from (t.id::text, t.version) and seen is not null
        then refusal('stale', case when t.id is null then '{}' else jsonb_build_object('ticket', ticket_facts(t)) end)
        when t.status = 'called' and finish is null then refusal('outstanding', jsonb_build_object('ticket', ticket_facts(t)))
    end
$$;

CREATE FUNCTION public.why_no_counter(branch uuid, counter uuid, p_name text, lines uuid[]) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select case
        when exists (select from counters where branch_id = branch and lower(name) = lower(p_name) and id is distinct from counter)
        then refusal('counter_taken', jsonb_build_object('counter', p_name))
        when exists (select from unnest(lines) line where branch_of(line) is distinct from branch) then refusal('no_queue')
    end
$$;

CREATE FUNCTION public.why_not(act jsonb, s public.staff, branch_code text) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    select case when s.role not in ('admin', 'manager', 'staff') then 'not_allowed'
                when s.branch_id is null and (branch_code is not null or s.role <> 'admin') then 'no_branch'
                when branch_code is not null and not may_touch(act, s.branch_id) then 'no_branch'
                when not may_manage(act, s) then 'not_allowed' end
$$;

CREATE FUNCTION public.why_not(q public.queues, b public.branches, day date) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    select case
        when q.status = 'closed' or not b.is_open then 'closed'
        when q.status = 'paused' then 'paused'
        when q.daily_limit <= (select last_number_issued from queue_days where queue_id = q.id and service_date = day) then 'full'
    end
$$;

CREATE FUNCTION public.why_stale(b public.branches, seen integer) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
    select case when b.version <> seen then refusal('changed_meanwhile', jsonb_build_object('branch', b.name)) end
$$;

CREATE FUNCTION public.with_person(answer jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select answer || coalesce(jsonb_object_agg(e.key, e.value || jsonb_build_object('phone', t.phone, 'name', t.name)), '{}')
      from jsonb_each(answer) e left join tickets t on t.id = (e.value->>'id')::uuid
     where e.value ? 'label' and e.value ? 'id'
$$;

CREATE FUNCTION public.without_person(answer jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
    select answer || coalesce(jsonb_object_agg(key, value || '{"phone": null, "name": null}'), '{}')
      from jsonb_each(answer) where jsonb_typeof(value) = 'object' and value ? 'phone'
$$;

CREATE TABLE public.audit_log (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    branch_id uuid,
    entity text NOT NULL,
    entity_id uuid NOT NULL,
    version integer,
    action text NOT NULL,
    from_status text,
    to_status text,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    actor text NOT NULL,
    actor_id uuid,
    channel text NOT NULL,
    reason text,
    request text,
    CONSTRAINT audit_log_actor_check CHECK ((actor = ANY (ARRAY['customer'::text, 'staff'::text, 'system'::text]))),
    CONSTRAINT audit_log_entity_check CHECK ((entity = ANY (ARRAY['ticket'::text, 'queue'::text, 'staff'::text, 'branch'::text, 'counter'::text, 'organization'::text, 'person'::text, 'retention'::text])))
);

COMMENT ON COLUMN public.audit_log.branch_id IS 'null: a staff member of every branch, or the organization itself';

ALTER TABLE public.audit_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.counter_queues (
    counter_id uuid NOT NULL,
    queue_id uuid NOT NULL
);

CREATE TABLE public.customers (
    phone text NOT NULL,
    language text,
    opted_out_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT customers_phone_check CHECK ((phone ~ '^\+[1-9][0-9]{6,14}$'::text))
);

CREATE TABLE public.daily_figures (
    queue_id uuid NOT NULL,
    service_date date NOT NULL,
    joined integer NOT NULL,
    completed integer NOT NULL,
    no_show integer NOT NULL,
    cancelled integer NOT NULL,
    expired integer NOT NULL,
    called integer NOT NULL,
    wait_seconds bigint NOT NULL,
    served integer NOT NULL,
    service_seconds bigint NOT NULL,
    ratings integer NOT NULL,
    stars integer NOT NULL
);

COMMENT ON TABLE public.daily_figures IS 'what stays of a day when its tickets are deleted: nobody can be told from it';

COMMENT ON COLUMN public.daily_figures.wait_seconds IS 'of all who were called, from joining to the last call';

COMMENT ON COLUMN public.daily_figures.service_seconds IS 'of all who were served, from start to completion';

CREATE TABLE public.delivery_reports (
    id bigint NOT NULL,
    gateway text NOT NULL,
    provider_id text NOT NULL,
    phone text,
    status text NOT NULL,
    reason text,
    raw jsonb DEFAULT '{}'::jsonb NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON COLUMN public.delivery_reports.phone IS 'finds the text whose own answer, with the provider id, was lost';

ALTER TABLE public.delivery_reports ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.delivery_reports_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.erased_phones (
    mark text NOT NULL,
    erased_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON COLUMN public.erased_phones.mark IS 'the phone under a key that is not in the database: who restores a backup erases it again';

CREATE TABLE public.fetch_cursors (
    gateway text NOT NULL,
    last_id text NOT NULL
);

CREATE TABLE public.heartbeats (
    name text NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.login_tries (
    kind text NOT NULL,
    who text NOT NULL,
    level double precision DEFAULT 0 NOT NULL,
    tried_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    until timestamp with time zone,
    CONSTRAINT login_tries_kind_check CHECK ((kind = ANY (ARRAY['login'::text, 'source'::text])))
)
WITH (fillfactor='60');

COMMENT ON COLUMN public.login_tries.who IS 'the hash of what was typed as a login, or the address that asked';

COMMENT ON COLUMN public.login_tries.until IS 'nothing is judged before';

CREATE TABLE public.notification_attempts (
    notification_id uuid NOT NULL,
    attempt integer NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    gateway text NOT NULL,
    outcome text NOT NULL,
    error text,
    CONSTRAINT notification_attempts_outcome_check CHECK ((outcome = ANY (ARRAY['sent'::text, 'retry'::text, 'failed'::text, 'unknown'::text])))
);

CREATE TABLE public.notifications (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    branch_id uuid,
    ticket_id uuid,
    phone text,
    channel text DEFAULT 'sms'::text NOT NULL,
    template text NOT NULL,
    language text DEFAULT 'en'::text NOT NULL,
    parameters jsonb DEFAULT '{}'::jsonb NOT NULL,
    body text,
    status text DEFAULT 'queued'::text NOT NULL,
    urgency integer DEFAULT 5 NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    lease_token uuid,
    leased_until timestamp with time zone,
    attempted_at timestamp with time zone,
    sent_at timestamp with time zone,
    finished_at timestamp with time zone,
    gateway text,
    provider_id text,
    segments integer,
    cost text,
    error text,
    dedupe_key text NOT NULL,
    CONSTRAINT notifications_channel_check CHECK ((channel = ANY (ARRAY['sms'::text, 'push'::text, 'email'::text]))),
    CONSTRAINT notifications_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'sending'::text, 'sent'::text, 'delivered'::text, 'failed'::text, 'dead'::text, 'expired'::text, 'suppressed'::text, 'unknown'::text])))
);

COMMENT ON COLUMN public.notifications.status IS 'unknown: handed over, answer lost, perhaps sent; suppressed: stopped being true or the person opted out; dead: three attempts failed';

COMMENT ON COLUMN public.notifications.urgency IS 'lower goes first: 0 turn and last call, 1 near, 5 the rest';

COMMENT ON COLUMN public.notifications.attempted_at IS 'first attempt: the promise is within 5 s of created_at';

CREATE TABLE public.organizations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    country character(2) DEFAULT 'KE'::bpchar NOT NULL,
    language text DEFAULT 'en'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.requests (
    key text NOT NULL,
    answer jsonb NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT requests_key_check CHECK ((length(key) <= 200))
);

CREATE TABLE public.schema_functions (
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.staff_phones (
    phone text NOT NULL,
    staff_id uuid NOT NULL,
    counter_id uuid,
    pin_hash text,
    code_hash text,
    code_expires_at timestamp with time zone,
    code_tries integer DEFAULT 0 NOT NULL,
    enrolled_at timestamp with time zone,
    used_on date,
    failures integer DEFAULT 0 NOT NULL,
    lockouts integer DEFAULT 0 NOT NULL,
    locked_until timestamp with time zone,
    challenge jsonb,
    asked_ticket uuid,
    asked_at timestamp with time zone,
    rolling_hash text,
    blocked_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT staff_phones_check CHECK (((enrolled_at IS NULL) OR (pin_hash IS NOT NULL))),
    CONSTRAINT staff_phones_phone_check CHECK ((phone ~ '^\+[1-9][0-9]{6,14}$'::text))
);

COMMENT ON COLUMN public.staff_phones.counter_id IS 'where this phone calls people to; null = wherever a counter is free';

COMMENT ON COLUMN public.staff_phones.code_hash IS 'of the code that proves whose phone it is, until it is enrolled';

COMMENT ON COLUMN public.staff_phones.used_on IS 'the branch''s local date of the last command by text';

COMMENT ON COLUMN public.staff_phones.failures IS 'wrong PINs since the last right one, or the last lock';

COMMENT ON COLUMN public.staff_phones.lockouts IS 'locks since the last right PIN: each is longer';

COMMENT ON COLUMN public.staff_phones.challenge IS '{"digits", "verb", "queue_id", "until"}: what a PAUSE or CLOSE by text waits for';

COMMENT ON COLUMN public.staff_phones.asked_ticket IS 'called and not started, and what became of it was asked once';

COMMENT ON COLUMN public.staff_phones.blocked_at IS 'the owner said that a command was not his; only a new enrolment helps';

CREATE TABLE public.ussd_sessions (
    gateway text NOT NULL,
    session_key text NOT NULL,
    phone text NOT NULL,
    state text NOT NULL,
    data jsonb NOT NULL,
    steps integer DEFAULT 0 NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    outcome text
)
WITH (fillfactor='60');

CREATE TABLE public.waiting_blocks (
    queue_id uuid NOT NULL,
    service_date date NOT NULL,
    block integer NOT NULL,
    waiting integer NOT NULL,
    CONSTRAINT waiting_blocks_waiting_check CHECK ((waiting >= 0))
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.branches
    ADD CONSTRAINT branches_code_key UNIQUE (code);

ALTER TABLE ONLY public.branches
    ADD CONSTRAINT branches_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.counter_queues
    ADD CONSTRAINT counter_queues_pkey PRIMARY KEY (counter_id, queue_id);

ALTER TABLE ONLY public.counters
    ADD CONSTRAINT counters_branch_id_name_key UNIQUE (branch_id, name);

ALTER TABLE ONLY public.counters
    ADD CONSTRAINT counters_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (phone);

ALTER TABLE ONLY public.daily_figures
    ADD CONSTRAINT daily_figures_pkey PRIMARY KEY (queue_id, service_date);

ALTER TABLE ONLY public.delivery_reports
    ADD CONSTRAINT delivery_reports_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.erased_phones
    ADD CONSTRAINT erased_phones_pkey PRIMARY KEY (mark);

ALTER TABLE ONLY public.fetch_cursors
    ADD CONSTRAINT fetch_cursors_pkey PRIMARY KEY (gateway);

ALTER TABLE ONLY public.heartbeats
    ADD CONSTRAINT heartbeats_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.inbound_messages
    ADD CONSTRAINT inbound_messages_gateway_provider_id_key UNIQUE (gateway, provider_id);

ALTER TABLE ONLY public.inbound_messages
    ADD CONSTRAINT inbound_messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.login_tries
    ADD CONSTRAINT login_tries_pkey PRIMARY KEY (kind, who);

ALTER TABLE ONLY public.notification_attempts
    ADD CONSTRAINT notification_attempts_pkey PRIMARY KEY (notification_id, attempt);

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_dedupe_key_key UNIQUE (dedupe_key);

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_name_key UNIQUE (name);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.queue_days
    ADD CONSTRAINT queue_days_pkey PRIMARY KEY (queue_id, service_date);

ALTER TABLE ONLY public.queues
    ADD CONSTRAINT queues_branch_id_code_key UNIQUE (branch_id, code);

ALTER TABLE ONLY public.queues
    ADD CONSTRAINT queues_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT requests_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.schema_functions
    ADD CONSTRAINT schema_functions_pkey PRIMARY KEY (checksum);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_login_key UNIQUE (login);

ALTER TABLE ONLY public.staff_phones
    ADD CONSTRAINT staff_phones_pkey PRIMARY KEY (phone);

ALTER TABLE ONLY public.staff_phones
    ADD CONSTRAINT staff_phones_staff_id_key UNIQUE (staff_id);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.staff_sessions
    ADD CONSTRAINT staff_sessions_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_number_queue_id_service_date_key UNIQUE (number, queue_id, service_date);

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.ussd_sessions
    ADD CONSTRAINT ussd_sessions_pkey PRIMARY KEY (gateway, session_key);

ALTER TABLE ONLY public.waiting_blocks
    ADD CONSTRAINT waiting_blocks_pkey PRIMARY KEY (queue_id, service_date, block);

CREATE INDEX audit_by_age ON public.audit_log USING btree (at) WHERE (entity <> 'ticket'::text);

CREATE INDEX audit_by_branch ON public.audit_log USING btree (branch_id, at);

CREATE INDEX audit_by_branch_id ON public.audit_log USING btree (branch_id, id);

CREATE INDEX delivery_reports_by_phone ON public.delivery_reports USING btree (phone, received_at);

CREATE INDEX delivery_reports_by_provider_id ON public.delivery_reports USING btree (gateway, provider_id);

CREATE INDEX delivery_reports_to_forget ON public.delivery_reports USING btree (received_at) WHERE ((phone IS NOT NULL) OR (raw <> '{}'::jsonb));

CREATE INDEX inbound_messages_by_phone ON public.inbound_messages USING btree (phone, received_at);

CREATE INDEX inbound_messages_to_forget ON public.inbound_messages USING btree (received_at) WHERE ((phone IS NOT NULL) OR (text <> ''::text));

CREATE INDEX inbound_messages_unhandled ON public.inbound_messages USING btree (leased_until) WHERE (handled_at IS NULL);

CREATE INDEX notifications_by_phone ON public.notifications USING btree (phone, attempted_at);

CREATE UNIQUE INDEX notifications_by_provider_id ON public.notifications USING btree (gateway, provider_id) WHERE (provider_id IS NOT NULL);

CREATE INDEX notifications_by_ticket ON public.notifications USING btree (ticket_id);

CREATE INDEX notifications_due ON public.notifications USING btree (urgency, due_at) WHERE (status = 'queued'::text);

CREATE INDEX notifications_farewells ON public.notifications USING btree (created_at) WHERE ((template = 'data_gone'::text) AND (phone IS NOT NULL));

CREATE INDEX notifications_in_doubt ON public.notifications USING btree (created_at) WHERE (status = ANY (ARRAY['dead'::text, 'unknown'::text]));

CREATE INDEX notifications_leased ON public.notifications USING btree (leased_until) WHERE (status = 'sending'::text);

CREATE INDEX notifications_not_told ON public.notifications USING btree (branch_id, created_at) WHERE (status = ANY (ARRAY['failed'::text, 'dead'::text, 'expired'::text]));

CREATE INDEX notifications_to_forget ON public.notifications USING btree (created_at) WHERE ((ticket_id IS NULL) AND (phone IS NOT NULL));

CREATE INDEX notifications_without_ticket ON public.notifications USING btree (created_at) WHERE (ticket_id IS NULL);

CREATE UNIQUE INDEX one_active_ticket_per_phone ON public.tickets USING btree (phone) WHERE (status = ANY (ARRAY['waiting'::text, 'called'::text, 'serving'::text, 'skipped'::text]));

CREATE UNIQUE INDEX one_audit_row_per_change ON public.audit_log USING btree (entity_id, version) WHERE (entity = 'ticket'::text);

CREATE UNIQUE INDEX one_person_per_counter ON public.tickets USING btree (counter_id) WHERE (status = ANY (ARRAY['called'::text, 'serving'::text]));

CREATE INDEX queue_days_not_over ON public.queue_days USING btree (service_date) WHERE (NOT over);

CREATE INDEX requests_by_age ON public.requests USING btree (at);

CREATE INDEX staff_sessions_by_staff ON public.staff_sessions USING btree (staff_id);

CREATE INDEX tickets_called ON public.tickets USING btree (queue_id, service_date, called_at) WHERE (called_at IS NOT NULL);

CREATE INDEX tickets_ended_by_phone ON public.tickets USING btree (phone, ended_at DESC) WHERE (ended_at IS NOT NULL);

CREATE INDEX tickets_in_line ON public.tickets USING btree (queue_id, service_date, "position") WHERE (status = 'waiting'::text);

CREATE INDEX tickets_missed ON public.tickets USING btree (queue_id, service_date, status) WHERE (status = ANY (ARRAY['skipped'::text, 'no_show'::text]));

CREATE INDEX tickets_with_deadline ON public.tickets USING btree (deadline) WHERE (status = ANY (ARRAY['called'::text, 'skipped'::text]));

CREATE INDEX ussd_sessions_by_age ON public.ussd_sessions USING btree (started_at);

CREATE INDEX ussd_sessions_by_phone ON public.ussd_sessions USING btree (phone, started_at DESC);

CREATE TRIGGER audit_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_log FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER audit_keeps_what_happened BEFORE UPDATE ON public.audit_log FOR EACH ROW EXECUTE FUNCTION public.refuse_rewriting();

CREATE TRIGGER ticket_recorded AFTER INSERT OR UPDATE ON public.tickets FOR EACH ROW EXECUTE FUNCTION public.record_ticket_step();

CREATE TRIGGER ticket_step BEFORE UPDATE ON public.tickets FOR EACH ROW EXECUTE FUNCTION public.check_ticket_step();

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_branch_id_fkey FOREIGN KEY (branch_id) REFERENCES public.branches(id);

ALTER TABLE ONLY public.branches
    ADD CONSTRAINT branches_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.counter_queues
    ADD CONSTRAINT counter_queues_counter_id_fkey FOREIGN KEY (counter_id) REFERENCES public.counters(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.counter_queues
    ADD CONSTRAINT counter_queues_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES public.queues(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.counters
    ADD CONSTRAINT counters_branch_id_fkey FOREIGN KEY (branch_id) REFERENCES public.branches(id);

ALTER TABLE ONLY public.daily_figures
    ADD CONSTRAINT daily_figures_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES public.queues(id);

ALTER TABLE ONLY public.notification_attempts
    ADD CONSTRAINT notification_attempts_notification_id_fkey FOREIGN KEY (notification_id) REFERENCES public.notifications(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_branch_id_fkey FOREIGN KEY (branch_id) REFERENCES public.branches(id);

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES public.tickets(id);

ALTER TABLE ONLY public.queue_days
    ADD CONSTRAINT queue_days_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES public.queues(id);

ALTER TABLE ONLY public.queues
    ADD CONSTRAINT queues_branch_id_fkey FOREIGN KEY (branch_id) REFERENCES public.branches(id);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_branch_id_fkey FOREIGN KEY (branch_id) REFERENCES public.branches(id);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_counter_id_fkey FOREIGN KEY (counter_id) REFERENCES public.counters(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.staff_phones
    ADD CONSTRAINT staff_phones_counter_id_fkey FOREIGN KEY (counter_id) REFERENCES public.counters(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.staff_phones
    ADD CONSTRAINT staff_phones_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES public.queues(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.staff_sessions
    ADD CONSTRAINT staff_sessions_counter_id_fkey FOREIGN KEY (counter_id) REFERENCES public.counters(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.staff_sessions
    ADD CONSTRAINT staff_sessions_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES public.queues(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.staff_sessions
    ADD CONSTRAINT staff_sessions_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_queue_id_service_date_fkey FOREIGN KEY (queue_id, service_date) REFERENCES public.queue_days(queue_id, service_date);

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);
