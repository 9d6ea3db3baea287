-- The invariants of the queue over its tables. Each statement finds violations, in words; none when all is well.

-- Every step of every ticket with the one before and the one after it. The ids of a line's audit rows follow its lock.
-- name: history
create or replace temp view history as
select a.id, a.at, t.id as ticket, t.queue_id, t.service_date, t.number, t.phone, t.priority, a.version, a.action, a.reason,
       a.from_status, a.to_status, (a.details->>'position')::numeric as place, a.details->>'counter' as counter,
       lag(a.to_status) over w as before, lag((a.details->>'position')::numeric) over w as place_before,
       row_number() over w as nth, lead(a.id) over w as next_id, lead(a.at) over w as next_at
  from audit_log a join tickets t on t.id = a.entity_id
 where a.entity = 'ticket'
window w as (partition by a.entity_id order by a.version, a.id)

-- Which steps an action may make: written down once more, not read from what is checked.
-- name: legal_steps
create or replace temp view legal_steps (action, from_status, to_status) as values
    ('join', null, 'waiting'),
    ('call', 'waiting', 'called'), ('call', 'skipped', 'called'),
    ('take_back', 'called', 'waiting'), ('take_back', 'called', 'skipped'), ('start', 'called', 'serving'),
    ('coming', 'called', 'called'), ('recall', 'called', 'called'), ('last_call', 'called', 'called'),
    ('complete', 'called', 'completed'), ('complete', 'serving', 'completed'),
    ('skip', 'called', 'skipped'), ('skip', 'called', 'no_show'),
    ('expire_call', 'called', 'skipped'), ('expire_call', 'called', 'no_show'), ('expire_grace', 'skipped', 'no_show'),
    ('no_show', 'called', 'no_show'), ('no_show', 'serving', 'no_show'), ('no_show', 'skipped', 'no_show'),
    ('move', 'waiting', 'waiting'), ('transfer', null, 'waiting'), ('transfer', 'waiting', 'cancelled'),
    ('transfer', 'called', 'cancelled'), ('transfer', 'serving', 'cancelled'), ('transfer', 'skipped', 'cancelled'),
    ('rename', 'waiting', 'waiting'), ('rename', 'called', 'called'), ('rename', 'serving', 'serving'),
    ('rename', 'skipped', 'skipped'),
    ('defer', 'waiting', 'waiting'), ('defer', 'called', 'waiting'), ('come_back', 'skipped', 'waiting'),
    ('leave', 'waiting', 'cancelled'), ('leave', 'called', 'cancelled'), ('leave', 'serving', 'cancelled'),
    ('leave', 'skipped', 'cancelled'),
    ('replace', 'waiting', 'cancelled'), ('replace', 'called', 'cancelled'), ('replace', 'serving', 'cancelled'),
    ('replace', 'skipped', 'cancelled'),
    ('erase', 'waiting', 'cancelled'), ('erase', 'called', 'cancelled'), ('erase', 'serving', 'cancelled'),
    ('erase', 'skipped', 'cancelled'),
    ('send_home', 'waiting', 'expired'), ('send_home', 'skipped', 'expired'),
    ('cut_over', 'waiting', 'expired'), ('cut_over', 'called', 'expired'), ('cut_over', 'skipped', 'expired'),
    ('cut_over', 'serving', 'completed')

-- At most one active ticket per phone, now and ever.
-- name: I1
with lives as (
    select ticket, phone, min(id) as born,
           min(id) filter (where to_status in ('completed', 'no_show', 'cancelled', 'expired')) as ended
      from history where phone is not null group by ticket, phone
)
select 'a phone had two active tickets at once'
  from lives a join lives b on a.phone = b.phone and a.born < b.born and (a.ended is null or b.born < a.ended)
union all
select 'a phone has ' || count(*) || ' active tickets'
  from tickets where status in ('waiting', 'called', 'serving', 'skipped') and phone is not null
 group by phone having count(*) > 1

-- Numbers are 1..n without gap or repeat per line and service day.
-- name: I2
select 'numbers ' || min(number) || '..' || max(number) || ' on ' || count(*) || ' tickets'
  from tickets group by queue_id, service_date
having min(number) <> 1 or max(number) <> count(*) or count(distinct number) <> count(*)

-- The counter row equals the number of tickets.
-- name: I3
select 'the counter row says ' || d.last_number_issued || ' for ' || count(t.id) || ' tickets'
  from queue_days d left join tickets t using (queue_id, service_date)
 group by d.queue_id, d.service_date having count(t.id) <> d.last_number_issued

-- Exactly one audit row per change.
-- name: I4
select 'number ' || t.number || ' has version ' || t.version || ' and ' || count(a.id) || ' audit rows'
  from tickets t left join audit_log a on a.entity_id = t.id
 group by t.id having count(a.id) <> t.version

-- Audit rows form an unbroken chain of legal steps.
-- name: I5
select 'number ' || number || ': ' || action || ' from ' || coalesce(from_status, 'nothing') || ' to ' || to_status
  from history h
 where version <> nth or from_status is distinct from before
    or not exists (select from legal_steps l where l.action = h.action and l.to_status = h.to_status
                                               and l.from_status is not distinct from h.from_status)

-- The last audit row is the present state.
-- name: I6
select 'number ' || t.number || ' is ' || t.status || ', and was last audited as ' || coalesce(h.to_status, 'nothing')
  from tickets t left join history h on h.ticket = t.id and h.next_id is null
 where h.to_status is distinct from t.status

-- At most one called person per counter, now and ever.
-- name: I7
with at_counter as (select * from history where to_status in ('called', 'serving') and counter is not null)
select 'numbers ' || a.number || ' and ' || b.number || ' were at one counter'
  from at_counter a join at_counter b
    on a.counter = b.counter and a.ticket <> b.ticket and a.id < b.id and (a.next_id is null or b.id < a.next_id)

-- Each call has exactly one turn text, each turn text one call. The key of a text ends with the version that it tells of.
-- name: I8
with calls as (
    select ticket, version from history where action = 'call' and phone is not null
), told as (
    select ticket_id as ticket, split_part(dedupe_key, ':', 3)::int as version from notifications where template = 'turn' and phone is not null
)
select case when calls.ticket is null then 'a turn text without its call' else 'a call without its turn text' end
  from calls full join told using (ticket, version)
 where calls.ticket is null or told.ticket is null

-- Each request calls at most one person.
-- name: I9
select 'one request made ' || count(*) || ' calls'
  from audit_log where action = 'call' group by request having count(*) > 1

-- People are called in order but for a call with a reason, and only late, come back, priority and a move with a reason
-- change the order.
-- name: I10
select 'number ' || called.number || ' was called before ' || waiting.number
  from history called join history waiting using (queue_id, service_date)
 where called.action = 'call' and called.reason is null and waiting.to_status = 'waiting' and waiting.ticket <> called.ticket
   and waiting.id < called.id and (waiting.next_id is null or called.id < waiting.next_id)
   and waiting.place < called.place
union all
select 'number ' || number || ' was moved by ' || action
  from history
 where action = 'join' and not priority and place <> number
    or place <> place_before and action not in ('defer', 'come_back') and (action <> 'move' or reason is null)

-- Whoever has a ticket was told so, once, with its number.
-- name: I12
select 'number ' || t.number || ' was told ' || count(n.id) || ' times of its number'
  from tickets t join queues q on q.id = t.queue_id
  left join notifications n on n.ticket_id = t.id and n.phone = t.phone and n.template in ('joined', 'joined_no_wait', 'added', 'moved')
                           and n.parameters->>'tk' = label(q.code, t.number)
 where t.phone is not null
 group by t.id having count(n.id) <> 1

-- The counts of who waits equal a recount.
-- name: I22
select 'block ' || block || ' says ' || coalesce(b.waiting, 0) || ' where ' || coalesce(n.waiting, 0) || ' wait'
  from waiting_blocks b full join (
    select queue_id, service_date, floor(position / 256)::int as block, count(*) as waiting
      from tickets where status = 'waiting' group by 1, 2, 3) n using (queue_id, service_date, block)
 where coalesce(b.waiting, 0) <> coalesce(n.waiting, 0)

-- No join after a pause or a close.
-- name: F41
with doors as (
    select id, entity_id, to_status, lead(id) over (partition by entity_id order by id) as next_id
      from audit_log where entity = 'queue'
)
select 'number ' || number || ' joined a line that was ' || doors.to_status
  from history h join doors on doors.entity_id = h.queue_id and doors.id < h.id
                           and (doors.next_id is null or h.id < doors.next_id)
 where h.action = 'join' and not h.priority and doors.to_status <> 'open'

-- name: has_that_ticket
select exists (select from tickets t join queues q on q.id = t.queue_id where t.phone = $1 and label(q.code, t.number) = $2)

-- Somebody who waited in a line (`4071/A`) all the time between two instants.
-- name: waited_throughout
select h.number
  from history h join queues q on q.id = h.queue_id join branches b on b.id = q.branch_id
 where h.to_status = 'waiting' and b.code || '/' || q.code = $1 and h.service_date = today(b.id)
   and extract(epoch from h.at) < $2::float8 and (h.next_at is null or extract(epoch from h.next_at) > $3::float8)
 limit 1
