-- Claim, hand over, mark; and what delivery reports settle afterwards. sms/outbox.py and sms/delivery.py run these.

-- Takes the most urgent texts that are due ($1: at most so many) under a token ($2) for a short while ($3), of those
-- whose turn it is to go through one gateway ($4). Each beginning of a phone ($5) has its gateways ($6, those that work,
-- in one line), the longest counts, and every attempt goes through the next. A worker that dies here has sent nothing,
-- and the texts go back in line. (The comparison with $4 is made inside, or the planner, who expects next to no match,
-- sorts all that is queued.)
-- name: claim
with routes as materialized (
    select prefix, string_to_array(line, ' ') as ways from unnest($5::text[], $6::text[]) as given (prefix, line)),
due as materialized (
    select id from notifications n
     where status = 'queued' and channel = 'sms' and due_at <= now()
       and (select ways[1 + n.attempts % nullif(cardinality(ways), 0)] = $4 from routes
             where starts_with(coalesce(n.phone, ''), prefix)
             order by length(prefix) desc
             limit 1)
     order by urgency, due_at
     limit $1
       for update of n skip locked)
update notifications n set status = 'sending', lease_token = $2, leased_until = now() + $3
  from due where n.id = due.id
returning n.id

-- The last word before texts leave the house through a gateway ($2): ends those that came too late, stopped being true,
-- are not wanted, go to phones that begin otherwise than all that may be written to ($4; an empty list: all may), or
-- look like pumping: an hour's texts to a hundred phones that differ in their last three digits alone. Counts an attempt
-- for the others. From here on nobody sends them again unless it is certain that they did not go. Templates that are
-- not listed are always true.
-- name: hand_over
with stays_true_while (template, statuses) as (values
    ('joined', '{waiting,called,serving,skipped}'::text[]),
    ('joined_no_wait', '{waiting,called,serving,skipped}'),
    ('moved', '{waiting,called,serving,skipped}'),
    ('near', '{waiting}'),
    ('late_ok', '{waiting}'),
    ('paused', '{waiting}'),
    ('resumed', '{waiting}'),
    ('slower', '{waiting}'),
    ('recovered', '{waiting}'),
    ('turn', '{called}'),
    ('last_call', '{called}'),
    ('skipped', '{skipped}')),
answers (template) as (values ('data_gone'), ('stop'), ('stop_no_ticket'), ('start')),
always (template) as (values ('turn'), ('last_call')), -- also to who has got twelve texts in a day
judged as (
    select n.id, case when n.expires_at <= now() then 'too_late'
                      when n.phone is null then 'no_phone'
                      when not (cardinality($4::text[]) = 0 or exists (select from unnest($4::text[]) as given (beginning)
                                                                        where starts_with(n.phone, beginning))) then 'not_there'
                      when starts_with(n.template, 'staff_') then null -- his work, not his place in a line
                      when c.opted_out_at is not null and n.template not in (select template from answers) then 'opted_out'
                      when today.told + row_number() over (partition by n.phone order by n.due_at, n.id) > 12
                           and n.template not in (select template from answers union select template from always) then 'enough_today'
                      when not t.status = any (s.statuses) then 'no_longer_true'
                      when alike.told + dense_rank() over (partition by left(n.phone, -3) order by n.phone) > 100
                           and n.template not in (select template from answers union select template from always) then 'phones_alike'
                      end as objection
      from notifications n
      left join tickets t on t.id = n.ticket_id
      left join customers c on c.phone = n.phone
      left join stays_true_while s on s.template = n.template
      left join lateral (select count(*) as told from notifications o
                          where o.phone = n.phone and o.attempted_at > now() - interval '1 day' and o.id <> n.id) today on true
      left join lateral (select count(distinct o.phone) as told from notifications o
                          where o.phone between left(n.phone, -3) || '000' and left(n.phone, -3) || '999'
                            and length(o.phone) = length(n.phone) and o.phone <> n.phone
                            and o.attempted_at > now() - interval '1 hour') alike on true
     where n.status = 'sending' and n.lease_token = $1)
update notifications n
   set status = case when objection is null then 'sending'
                     when objection = 'too_late' then 'expired'
                     when objection in ('not_there', 'phones_alike') then 'failed' -- staff call by name
                     else 'suppressed' end,
       error = objection,
       finished_at = case when objection is not null then now() end,
       attempts = n.attempts + (objection is null)::int,
       attempted_at = case when objection is null then coalesce(n.attempted_at, now()) else n.attempted_at end,
       gateway = case when objection is null then $2 else n.gateway end,
       leased_until = case when objection is null then now() + $3 end
  from judged where n.id = judged.id and n.status = 'sending' and n.lease_token = $1
returning n.id, n.phone, n.template, n.language, n.parameters, n.gateway, n.attempts, n.status, n.error,
          n.urgency, n.due_at, n.attempted_at, n.expires_at - now() as expires_in

-- What became of an attempt. A worker that lost the lease to another changes nothing; one that only overslept still
-- knows better than "unknown". Without an outcome ($4) the attempt is taken back, as if it had not been made. Where a
-- report has already named the text, the provider has it whatever it answered: no further attempt.
-- name: mark
with held as (
    select id, phone, attempts, gateway,
           case when provider_id is not null and $3 in ('queued', 'dead') then 'unknown' else $3 end as becomes
      from notifications
     where id = $1 and lease_token = $2 and status in ('sending', 'unknown')
       for update),
marked as (
    update notifications n
       set status = becomes, body = $5, segments = $6, cost = $7, error = $8,
           provider_id = coalesce(n.provider_id,
                                  case when not exists (select from notifications o
                                                         where o.gateway = held.gateway and o.provider_id = $9
                                                           and o.id <> held.id) then $9 end),
           attempts = n.attempts - ($4::text is null)::int,
           due_at = case when becomes = 'queued' then now() + $10::interval * (0.8 + 0.4 * random()) else n.due_at end,
           sent_at = case when becomes = 'sent' then now() end,
           finished_at = case when becomes in ('failed', 'dead') then now() end,
           lease_token = case when becomes <> 'queued' then n.lease_token end,
           leased_until = null
      from held where n.id = held.id
    returning n.status, n.provider_id),
attempted as (
    insert into notification_attempts (notification_id, attempt, gateway, outcome, error)
    select id, attempts, gateway, $4, $8 from held where $4 is not null
    on conflict (notification_id, attempt) do update set outcome = excluded.outcome, error = excluded.error),
unwanted as (
    insert into customers (phone, opted_out_at) select phone, now() from held where $11
    on conflict (phone) do update set opted_out_at = coalesce(customers.opted_out_at, excluded.opted_out_at))
select status, provider_id from marked

-- Leases that ran out. An attempt without an outcome may have reached the provider: unknown, and never sent again by
-- itself. Without one, the worker died before it handed the text over: back in line.
-- name: recover
with lapsed as (
    select id, phone, attempts, gateway, template, language, parameters, attempted_at, provider_id,
           attempts > (select count(*) from notification_attempts where notification_id = n.id) as handed_over
      from notifications n
     where status = 'sending' and leased_until < now()
       for update skip locked),
released as (
    update notifications n
       set status = case when handed_over then 'unknown' else 'queued' end,
           error = case when handed_over then 'worker_lost' end,
           lease_token = case when handed_over then n.lease_token end,
           leased_until = null
      from lapsed where n.id = lapsed.id),
attempted as (
    insert into notification_attempts (notification_id, attempt, gateway, outcome, error)
    select id, attempts, gateway, 'unknown', 'worker_lost' from lapsed where handed_over)
select * from lapsed where handed_over

-- name: expire
update notifications set status = 'expired', error = 'too_late', finished_at = now()
 where status = 'queued' and expires_at <= now()

-- name: keep_report
insert into delivery_reports (gateway, provider_id, phone, status, reason, raw) values ($1, $2, $3, $4, $5, $6)

-- A report gave back our own id ($1), so the provider has the text under its id ($3), whatever it answered and whether
-- or not it answered yet: what would be sent again, or was given up, is not.
-- name: recognise
update notifications
   set provider_id = $3,
       status = case when status in ('queued', 'dead', 'expired', 'suppressed') then 'unknown' else status end,
       finished_at = case when status in ('dead', 'expired', 'suppressed') then null else finished_at end
 where id = $1 and gateway = $2 and attempts > 0 and provider_id is null
   and not exists (select from notifications where gateway = $2 and provider_id = $3)
returning id

-- Brings a text to the best that its reports say, in whatever order they came, and notes who wants no texts. The
-- position in the list is the rank, which never falls. True where a text of this provider id is known.
-- name: settle
with ranks (list) as (values ('{unknown,sent,expired,failed,delivered}'::text[])),
best as (
    select status, reason from delivery_reports, ranks
     where gateway = $1 and provider_id = $2 and status = any (list)
     order by array_position(list, status) desc, id
     limit 1),
settled as (
    update notifications n
       set status = best.status, error = case when best.status in ('failed', 'expired') then best.reason end,
           sent_at = coalesce(n.sent_at, n.attempted_at), finished_at = case when best.status <> 'sent' then now() end
      from best, ranks
     where n.gateway = $1 and n.provider_id = $2
       and array_position(list, n.status) < array_position(list, best.status)),
unwanted as (
    insert into customers (phone, opted_out_at)
    select phone, now() from notifications
     where gateway = $1 and provider_id = $2 and phone is not null
       and exists (select from delivery_reports where gateway = $1 and provider_id = $2 and reason = 'opted_out')
    on conflict (phone) do update set opted_out_at = coalesce(customers.opted_out_at, excluded.opted_out_at))
select exists (select from notifications where gateway = $1 and provider_id = $2)

-- The answer to a send was lost, and with it the provider's id: the first report to the same phone since then that
-- belongs to no other text brings it back. Not while another text to that phone is on its way: it may be that one's. Of
-- several lost texts each needs a report by the same moment, or one of them never arrived and nobody knows which: a report
-- that comes after a later text may be of that one.
-- name: find_lost
with nameless as materialized (
    select id, attempted_at from notifications
     where gateway = $1 and phone = $2 and status = 'unknown' and provider_id is null),
lost as (
    select id, attempted_at from notifications
     where id in (select id from nameless)
     order by attempted_at
     limit 1
       for update skip locked),
heard as (
    select r.provider_id, min(r.received_at) as at from delivery_reports r join lost on r.received_at > lost.attempted_at
     where r.gateway = $1 and r.phone = $2
       and not exists (select from notifications o where o.gateway = $1 and o.provider_id = r.provider_id)
     group by r.provider_id)
update notifications n set provider_id = first.provider_id
  from lost, (select * from heard order by at limit 1) first
 where n.id = lost.id and n.status = 'unknown' and n.provider_id is null
   and not exists (select from notifications o where o.gateway = $1 and o.phone = $2 and o.status = 'sending')
   and exists (select from heard h where (select count(*) from heard e where e.at <= h.at)
                                      >= (select count(*) from nameless where attempted_at < h.at))
returning n.provider_id

-- Texts of the last day that know less than the reports of them: whoever was to apply those died between two statements.
-- name: overlooked
with ranks (list) as (values ('{unknown,sent,expired,failed,delivered}'::text[])),
texts as (
    select n.gateway, n.provider_id, n.phone, n.attempted_at, array_position(list, n.status) as rank from notifications n, ranks
     where n.status in ('sent', 'unknown') and n.attempted_at > now() - interval '1 day')
select distinct t.gateway, t.provider_id, null as phone
  from ranks, texts t join delivery_reports r on r.gateway = t.gateway and r.provider_id = t.provider_id
 where array_position(list, r.status) > t.rank
 union
select t.gateway, null, t.phone
  from texts t join delivery_reports r on r.gateway = t.gateway and r.phone = t.phone and r.received_at > t.attempted_at
 where t.provider_id is null
