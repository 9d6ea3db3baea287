-- Texts from people. sms/inbox.py runs these.

-- Takes a text in hand, unless it is handled or in somebody's hand: a row comes back for whoever is to handle it. In the
-- list that a provider keeps a text has another id than in its callback: it is the same if all else is.
-- name: receive
insert into inbound_messages (gateway, provider_id, phone, recipient, text, sent_at, opt_out, leased_until)
select $1, $2, $3, $4, $5, $6, $7, now() + $8
 where not exists (select from inbound_messages other
                    where other.gateway = $1 and other.phone = $3 and other.text = $5
                      and abs(extract(epoch from other.sent_at - $6)) <= 1
                      and starts_with(other.provider_id, 'fetched-') <> starts_with($2, 'fetched-'))
on conflict (gateway, provider_id) do update set leased_until = excluded.leased_until
 where inbound_messages.handled_at is null and inbound_messages.leased_until < now()
returning id::text

-- Texts whose handler died: taken in hand anew.
-- name: take_over
update inbound_messages set leased_until = now() + $1
 where id in (select id from inbound_messages where handled_at is null and leased_until < now()
               order by received_at limit 50 for update skip locked)
returning id::text, gateway, provider_id, phone, recipient, text, sent_at, received_at, opt_out

-- Whether the verb of a text was done before its handler died: then the event's own text tells of it.
-- name: done_before
select exists (select from requests where key = $1 and not answer ? 'refused')

-- name: handled
update inbound_messages set handled_at = now(), leased_until = null, command = $2, outcome = $3 where id = $1::uuid

-- All that decides an answer, in one statement: what is true of the phone ($1), and what it sent of late beside this text
-- ($2): how many in a minute and in ten, and what it was told in an hour.
-- name: facts
select jsonb_build_object(
    'facts', dial_in($1),
    'language', language_of_phone($1),
    'ratable', (select ticket_facts(t) from ratable_ticket($1) t where t.id is not null),
    'lately', (select jsonb_build_object(
        'a_minute', count(*) filter (where received_at > now() - interval '1 minute'),
        'ten_minutes', count(*) filter (where received_at > now() - interval '10 minutes'),
        'told', coalesce(jsonb_agg(outcome) filter (where outcome is not null), '[]'),
        'leave_asked', coalesce(bool_or(outcome = 'leave_ask' and received_at > now() - interval '10 minutes'), false))
      from inbound_messages
     where phone = $1 and id <> $2::uuid and received_at > now() - interval '1 hour'))

-- Queues an answer, once for each text that it answers.
-- name: reply
insert into notifications (branch_id, ticket_id, phone, template, language, parameters, urgency, expires_at, dedupe_key)
values ($1::uuid, $2::uuid, $3, $4, coalesce($5, language_of_phone($3)),
        $6, urgency_of($4), clock_timestamp() + deadline_of($4), $7)
on conflict (dedupe_key) do nothing

-- name: fetched_until
select last_id from fetch_cursors where gateway = $1

-- name: set_fetched_until
insert into fetch_cursors (gateway, last_id) values ($1, $2) on conflict (gateway) do update set last_id = excluded.last_id
