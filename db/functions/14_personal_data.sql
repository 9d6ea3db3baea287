-- What is known of one person, taken off or shown; and the only way past the guard of the audit log.

-- Everything that holds the phone, as it is kept; the person's own copy.
create or replace function export_person(p_phone text) returns jsonb language sql stable as $$
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

create or replace function export_customer(act jsonb, p_phone text) returns jsonb language plpgsql as $$
begin
    perform audit_person(act, 'export', '{}');
    return export_person(p_phone);
end $$;

-- That something was done with somebody's data, not with whose.
create or replace function audit_person(act jsonb, action text, details jsonb) returns void language sql as $$
    insert into audit_log (entity, entity_id, action, details, actor, actor_id, channel, reason, request)
    values ('person', gen_random_uuid(), action, details,
            act->>'actor', (act->>'actor_id')::uuid, act->>'channel', act->>'reason', act->>'request')
$$;

-- Takes the phone and the name off everything that is kept of ended visits; numbers and times stay, nobody's any more.
create or replace function forget_phone(p_phone text) returns void language plpgsql as $$
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

-- Staff's own words about a visit may name the person. That there was a reason stays known.
create or replace function forget_reasons(visits uuid[]) returns void language plpgsql as $$
begin
    perform set_config('zamu.forgetting', 'on', true);
    update audit_log set reason = '(forgotten)'
     where entity = 'ticket' and entity_id = any (visits) and reason <> '(forgotten)';
    perform set_config('zamu.forgetting', 'off', true);
end $$;

-- Erases once more who asked for it after the moment that a backup was restored to. Nobody is told: they were, then.
create or replace function erase_again(act jsonb, p_phone text, p_mark text, at timestamptz) returns void language plpgsql as $$
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

-- The audit log grows. What is past its time may be deleted and a reason forgotten, by the functions that say so here and
-- in 15_retention.sql; nothing else may change, and never all of it at once.
create or replace function refuse_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'TRUNCATE' or current_setting('zamu.forgetting', true) is distinct from 'on' then
        raise exception 'the audit log cannot be changed';
    end if;
    return null;
end $$;

create or replace function refuse_rewriting() returns trigger language plpgsql as $$
begin
    if to_jsonb(new) - 'reason' <> to_jsonb(old) - 'reason' or new.reason <> '(forgotten)' then
        raise exception 'the audit log cannot be changed';
    end if;
    return new;
end $$;

create or replace trigger audit_keeps_what_happened before update on audit_log for each row execute function refuse_rewriting();
