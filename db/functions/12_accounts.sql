-- Staff at the panel: tries, sessions, passwords, the second factor; and who may manage whom.

create or replace function seconds_since(moment timestamptz) returns double precision language sql stable as $$
    select extract(epoch from clock_timestamp() - moment)::double precision
$$;

-- Counts a try before it is judged. Answers the seconds to wait where it must not be judged, which is not counted; else 0.
-- Five per login and thirty per address fill 15 minutes; each one more has to wait: 1 s, 2 s, 4 s … an hour.
create or replace function count_try(login_key text, source_key text) returns int language plpgsql as $$
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

-- A try that was no guess takes back what it counted.
create or replace function forgive_try(login_key text, source_key text) returns void language plpgsql as $$
begin
    perform from login_tries where (kind, who) in (('login', login_key), ('source', source_key)) order by kind for update;
    update login_tries set level = greatest(0, level - 1), until = null
     where (kind, who) in (('login', login_key), ('source', source_key));
end $$;

-- 30 minutes of nobody, 12 hours in any case.
create or replace function ends_at(s staff_sessions) returns timestamptz language sql stable as $$
    select least(s.seen_at + interval '30 minutes', s.created_at + interval '12 hours')
$$;

create or replace function is_alive(s staff_sessions) returns boolean language sql stable as $$
    select ends_at(s) > clock_timestamp()
$$;

-- A session for whoever was verified, unless that is no longer true. Answers the refusal's code, or null.
-- "verified" is the hash that the password was right for, "step" that of the code.
create or replace function begin_session(
    person uuid, verified text, rehashed text, step bigint, token text, login_key text, source_key text
) returns text language plpgsql as $$
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

-- Whoever is logged in here, locked, if what was verified is still true.
create or replace function lock_verified(act jsonb, session text, verified text) returns staff language plpgsql as $$
declare
    s staff;
begin
    select staff.* into s from staff where id = (act->>'actor_id')::uuid and active and password_hash = verified
       and exists (select from staff_sessions where token_hash = session and staff_id = staff.id) for no key update;
    return s;
end $$;

create or replace function change_password(act jsonb, session text, verified text, p_hash text, token text) returns jsonb
language plpgsql as $$
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

-- The code proves that the person's authenticator has the secret.
create or replace function confirm_totp(act jsonb, session text, verified text, secret text, step bigint) returns jsonb
language plpgsql as $$
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

create or replace function end_totp(act jsonb, session text, verified text, too_weak boolean) returns jsonb
language plpgsql as $$
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

-- Whose account an actor may touch: the operator everybody's, an admin the organization's, a manager those of staff in the
-- own branch and his own as it is. Nobody else's, and nobody while his own password is the printed one.
create or replace function may_manage(act jsonb, s staff) returns boolean language sql stable as $$
    select act->>'actor_id' is null and may_touch(act, null)
        or exists (select from staff a
                    where a.id = (act->>'actor_id')::uuid and a.active and not a.must_change_password
                      and a.organization_id = s.organization_id
                      and (a.role = 'admin' or a.role = 'manager' and a.branch_id = s.branch_id
                                               and (s.role = 'staff' or s.id = a.id and s.role = a.role)))
$$;

-- The person of a login, whether active or not, if the actor may manage him. The organization is locked first: of two admins
-- who put each other out, the second finds himself the last one.
create or replace function lock_person(act jsonb, p_login text) returns staff language plpgsql as $$
declare
    s staff;
begin
    perform from organizations where id = (select organization_id from staff where login = p_login) for no key update;
    select * into s from staff where login = p_login and may_manage(act, staff) for no key update;
    return s;
end $$;

create or replace function is_last_admin(s staff) returns boolean language sql stable as $$
    select s.role = 'admin' and s.active and not exists (
        select from staff where organization_id = s.organization_id and role = 'admin' and active and id <> s.id)
$$;

-- What is wrong with giving a person this role at this branch, as a refusal's code; null where nothing is. The row is as it
-- would be, without its branch where there is none of that code.
create or replace function why_not(act jsonb, s staff, branch_code text) returns text language sql stable as $$
    select case when s.role not in ('admin', 'manager', 'staff') then 'not_allowed'
                when s.branch_id is null and (branch_code is not null or s.role <> 'admin') then 'no_branch'
                when branch_code is not null and not may_touch(act, s.branch_id) then 'no_branch'
                when not may_manage(act, s) then 'not_allowed' end
$$;

create or replace function add_person(act jsonb, p_login text, p_name text, p_role text, branch_code text, p_hash text, mark text)
returns jsonb language plpgsql as $$
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

create or replace function change_person(act jsonb, p_login text, p_name text, p_role text, branch_code text) returns jsonb
language plpgsql as $$
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

create or replace function set_active(act jsonb, p_login text, p_active boolean) returns jsonb language plpgsql as $$
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

-- Somebody else's: for one's own the old password is wanted.
create or replace function reset_password(act jsonb, p_login text, p_hash text, mark text) returns jsonb language plpgsql as $$
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
