-- Staff who work by phone: enrolling one, and counting wrong PINs.

-- Where a staff member may work: an admin in every branch of the organization.
create or replace function staff_branches(s staff) returns uuid[] language sql stable as $$
    select coalesce(array_agg(id order by code), '{}') from branches
     where organization_id = s.organization_id and (s.role = 'admin' or id = s.branch_id)
$$;

-- The active staff member of a login, if the actor may manage him.
create or replace function staff_member(act jsonb, p_login text) returns staff language sql stable as $$
    select s.* from staff s
     where login = p_login and active and may_manage(act, s)
$$;

create or replace function audit_staff(act jsonb, s staff, action text, details jsonb default '{}') returns void language sql as $$
    insert into audit_log (branch_id, entity, entity_id, action, details, actor, actor_id, channel, reason, request)
    values (s.branch_id, 'staff', s.id, action, jsonb_strip_nulls(details),
            act->>'actor', (act->>'actor_id')::uuid, act->>'channel', act->>'reason', act->>'request')
$$;

-- Until a phone may get another code: three an hour and six a day. Null when it may now. The phone is to be locked.
create or replace function seconds_to_next_code(p_phone text) returns int language sql stable as $$
    select max(ceil(-seconds_since(created_at + every)))::int
      from (select created_at, row_number() over (order by created_at desc) as place from notifications
             where phone = p_phone and template = 'staff_code' and created_at > clock_timestamp() - interval '1 day') sent
      join (values (3, interval '1 hour'), (6, interval '1 day')) as most (place, every) using (place)
     where created_at + every > clock_timestamp()
$$;

-- enrol: the phone gets a code by text and works once that is confirmed. It ends what was enrolled for this person before.
create or replace function enrol_phone(act jsonb, p_login text, p_phone text, counter text, p_code text, p_code_hash text)
returns jsonb language plpgsql as $$
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

-- confirm: the right code makes the phone the person's own, with a PIN.
create or replace function confirm_phone(act jsonb, p_login text, p_code_hash text, p_pin_hash text) returns jsonb
language plpgsql as $$
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

-- block: the owner of the phone says that somebody else used it.
create or replace function block_phone(act jsonb, p_phone text) returns jsonb language plpgsql as $$
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

-- unlock: ends what wrong PINs did; not a block, for then somebody else knows the PIN.
create or replace function unlock_phone(act jsonb, p_login text) returns jsonb language plpgsql as $$
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

create or replace function minutes_left(until timestamptz) returns int language sql stable as $$
    select greatest(0, ceil(extract(epoch from until - clock_timestamp()) / 60))::int
$$;

-- Counts a try before it is judged, so that none is free however many come at once: the fifth locks, 15 minutes and then
-- 30 and 60, and is let in all the same if it was right. A try of a known request was counted already. Null: no such phone.
create or replace function begin_try(p_phone text, p_request text) returns jsonb language plpgsql as $$
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

-- Whether it was asked lately what became of a called ticket: then that is answered now, else asked. A request that comes
-- again is told the same again.
create or replace function ask_about(p_phone text, ticket uuid, p_request text) returns boolean language plpgsql as $$
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
