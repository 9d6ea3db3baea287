-- Texts from people. sms/inbox.py runs these.

-- name: receive
select id::text, attempts, phone, text from take_text($1, $2)

-- Texts whose handler died, and those that came back into nobody's hand so long ago ($1) that no provider repeats them:
-- taken in hand anew.
-- name: take_over
update inbound_messages set leased_until = now() + $1, attempts = attempts + 1
 where id in (select id from inbound_messages
               where handled_at is null and coalesce(leased_until, received_at + $1) < now()
               order by received_at limit 50 for update skip locked)
returning id::text, attempts, gateway, provider_id, phone, recipient, text, sent_at, opt_out, received_at

-- What was taken in hand so often ($1) and never handled is set aside, for a human to look at.
-- name: give_up
update inbound_messages set handled_at = now(), leased_until = null, outcome = 'failed'
 where handled_at is null and attempts >= $1 and coalesce(leased_until, received_at + $2) < now()
returning id::text

-- Out of the hand ($2: which one), for the next.
-- name: put_back
update inbound_messages set leased_until = null where id = $1::uuid and attempts = $2 and handled_at is null

-- Ends a text and queues its answers ($4), once for each text that they answer. What was erased meanwhile is not answered.
-- name: handled
with mine as (
    update inbound_messages set handled_at = now(), leased_until = null, command = $2, outcome = $3 where id = $1::uuid
    returning id, phone),
answers as (
    select a.*, mine.phone, coalesce(a.language, language_of_phone(mine.phone)) as spoken,
           'reply:' || mine.id || ':' || a.place as dedupe_key
      from mine, jsonb_to_recordset($4) as a (place int, branch_id uuid, ticket_id uuid, template text, language text,
                                              parameters jsonb)
     where mine.phone is not null)
insert into notifications (branch_id, ticket_id, phone, template, language, parameters, urgency, expires_at, dedupe_key)
select branch_id, ticket_id, phone, template, spoken, parameters,
       urgency_of(template), clock_timestamp() + deadline_of(template), dedupe_key
  from answers
on conflict (dedupe_key) do nothing

-- All that decides an answer, in one statement: what is true of the phone ($1) and of this text ($2), and what the phone
-- sent of late beside it: how many in a minute and in ten, and what it was told in an hour. A text is old after $3. The
-- bare word LEAVE is an answer if the question was put before it, about the ticket of now.
-- name: facts
with mine as (
    select received_at, least(sent_at, received_at) < now() - $3::interval as old from inbound_messages where id = $2::uuid)
select jsonb_build_object(
    'facts', dial_in($1),
    'language', language_of_phone($1),
    'ratable', (select ticket_facts(t) from ratable_ticket($1) t where t.id is not null),
    'old', (select old from mine),
    'done', exists (select from requests
                     where key in ('sms:' || $2::text, 'sms:' || $2::text || ':again') and not answer ? 'refused'),
    'lately', (select jsonb_build_object(
        'a_minute', count(*) filter (where received_at > now() - interval '1 minute'),
        'ten_minutes', count(*) filter (where received_at > now() - interval '10 minutes'),
        'told', coalesce(jsonb_agg(outcome) filter (where outcome is not null), '[]'),
        'leave_asked', coalesce(
            max(received_at) filter (where outcome = 'leave_ask' and received_at < (select received_at from mine))
            > greatest(now() - interval '10 minutes', max(received_at) filter (where outcome = 'left'),
                       (select created_at from active_ticket($1))), false))
      from inbound_messages
     where phone = $1 and id <> $2::uuid and received_at > now() - interval '1 hour'))

-- name: fetched_until
select last_id from fetch_cursors where gateway = $1

-- name: set_fetched_until
insert into fetch_cursors (gateway, last_id) values ($1, $2) on conflict (gateway) do update set last_id = excluded.last_id
