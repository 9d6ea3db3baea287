-- What is kept about a person beyond the ticket: language, opt-out, rating, the wish to be forgotten.

-- What somebody reads of whom no ticket tells: as remembered for the phone, or as the first organization does.
create or replace function language_of_phone(p_phone text) returns text language sql stable as $$
    select coalesce((select language from customers where phone = p_phone),
                    (select language from organizations order by created_at limit 1), 'en')
$$;

-- The ticket that an early close left unserved, until the next service day or an answer to the offer.
create or replace function shut_ticket(p_phone text) returns tickets language sql stable as $$
    select t.* from tickets t join queues q on q.id = t.queue_id join branches b on b.id = q.branch_id
     where t.phone = p_phone and t.ended_at is not null and t.status = 'expired' and t.action = 'send_home'
       and t.shut_answered_at is null and t.service_date = service_date(b.timezone, b.day_starts_at, clock_timestamp())
     order by t.ended_at desc limit 1
$$;

-- The visit that may be rated: the last one of the past 24 hours, unless it was asked about already.
create or replace function ratable_ticket(p_phone text) returns tickets language sql stable as $$
    select t.* from (select * from tickets where phone = p_phone and ended_at > clock_timestamp() - interval '24 hours'
                      order by ended_at desc limit 1) t
      join queues q on q.id = t.queue_id join branches b on b.id = q.branch_id
     where t.status = 'completed' and t.rating is null and b.asks_rating
$$;

-- All that decides which screen a caller sees first, in one statement.
create or replace function dial_in(p_phone text) returns jsonb language sql stable as $$
    select jsonb_build_object(
        'ticket', (select ticket_facts(t) from active_ticket(p_phone) t where t.id is not null),
        'shut', (select ticket_facts(t) from shut_ticket(p_phone) t where t.id is not null),
        'ratable', (select ticket_facts(t) from ratable_ticket(p_phone) t where t.id is not null and t.rating_asked_at is null),
        'language', (select language from customers where phone = p_phone),
        'opted_out', exists (select from customers where phone = p_phone and opted_out_at is not null))
$$;

create or replace function rate_visit(act jsonb, p_phone text, stars int) returns jsonb language plpgsql as $$
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

-- erase: leaves the line and takes the phone and the name off everything. `mark` is the phone under a key that is not here.
-- One last text says so, and its row forgets the phone once it is settled.
create or replace function erase_customer(act jsonb, p_phone text, mark text default null) returns jsonb language plpgsql as $$
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

-- The last text to who was erased has told what it had to, or never will: a report may come for a day.
create or replace function forget_farewells() returns int language plpgsql as $$
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
