-- Staff who work by phone. queue_core/staff_phones.py runs these.

-- name: of
select p.phone, s.id::text as staff_id, s.login, s.name, s.role, o.name as organization, staff_branches(s)::text[] as branches,
       b.name as branch, c.name as counter, p.used_on, coalesce(minutes_left(p.locked_until), 0) as locked_minutes
  from staff_phones p join staff s on s.id = p.staff_id join organizations o on o.id = s.organization_id
  left join branches b on b.id = s.branch_id and s.role <> 'admin'
  left join counters c on c.id = p.counter_id and c.branch_id = any (staff_branches(s))
 where p.phone = $1 and p.enrolled_at is not null and p.blocked_at is null and s.active

-- name: enrol
select enrol_phone($1, $2, $3, $4, $5, $6)

-- name: confirm
select confirm_phone($1, $2, $3, $4)

-- name: block
select block_phone($1, $2)

-- name: unlock
select unlock_phone($1, $2)

-- name: begin_try
select begin_try($1, $2)

-- A right PIN: whatever was wrong before is forgotten.
-- name: right
update staff_phones set failures = 0, lockouts = 0, locked_until = null where phone = $1

-- The same for a rolling code ($2: its hash), which is used up; nothing comes back for whoever came second.
-- name: right_once
update staff_phones set failures = 0, lockouts = 0, locked_until = null, rolling_hash = null
 where phone = $1 and rolling_hash = $2
returning true

-- name: set_rolling
update staff_phones set rolling_hash = $2 where phone = $1

-- name: set_challenge
update staff_phones
   set challenge = jsonb_build_object('digits', $2::text, 'verb', $3::text, 'queue_id', $4::text,
                                      'until', clock_timestamp() + interval '2 minutes')
 where phone = $1

-- Whatever digits ($2) come: the challenge is over.
-- name: take_challenge
with held as (select phone, challenge from staff_phones where phone = $1 and challenge is not null for update),
taken as (update staff_phones p set challenge = null from held where p.phone = held.phone)
select challenge->>'verb' as verb, challenge->>'queue_id' as queue_id from held
 where challenge->>'digits' = $2 and (challenge->>'until')::timestamptz > clock_timestamp()

-- name: ask_about
select ask_about($1, $2, $3)

-- An admin of every branch has the day of the organization's first one.
-- name: first_use_today
with today as (select (clock_timestamp() at time zone b.timezone)::date as day
                 from staff_phones p join staff s on s.id = p.staff_id
                 join branches b on b.id = (staff_branches(s))[1] where p.phone = $1)
update staff_phones set used_on = today.day from today where phone = $1 and used_on is distinct from today.day
returning true

-- name: lines
select q.id::text, q.code, q.name, b.code as branch_code, b.name as branch, b.timezone, q.status,
       people_waiting(q.id, today(b.id)) as waiting
  from staff_phones p join staff s on s.id = p.staff_id
  join branches b on b.id = any (staff_branches(s)) join queues q on q.branch_id = b.id
 where p.phone = $1 and (p.counter_id is null or exists (select from counter_queues cq
                                                          where cq.counter_id = p.counter_id and cq.queue_id = q.id))
 order by b.code, q.created_at, q.code

-- name: current_at
select ticket_facts(t) from queues q join counters c on c.branch_id = q.branch_id and lower(c.name) = lower($3)
  join tickets t on t.counter_id = c.id and t.status in ('called', 'serving')
 where q.id = $2::uuid and may_touch($1, q.branch_id)

-- name: current_of
select ticket_facts(t) from queues q join tickets t on t.queue_id = q.id and t.status in ('called', 'serving')
 where q.id = $2::uuid and may_touch($1, q.branch_id) and t.staff_id = ($1::jsonb->>'actor_id')::uuid
 order by t.called_at desc limit 1

-- name: figures
select people_waiting(q.id, day) as waiting,
       (select count(*) from tickets t where t.queue_id = q.id and t.status in ('called', 'serving'))::int as busy,
       coalesce(d.completed_count, 0) as served,
       case when q.avg_service_seconds > 0 then ceil(q.avg_service_seconds / 60.0)::int end as average,
       case when d.current_number > 0 then label(q.code, d.current_number) end as current
  from queues q cross join lateral today(q.branch_id) as day
  left join queue_days d on d.queue_id = q.id and d.service_date = day
 where q.id = $2::uuid and may_touch($1, q.branch_id)

-- name: waiting
select label(q.code, t.number) as label, t.name
  from (select number, name, position from tickets
         where queue_id = $2::uuid and status = 'waiting'
           and service_date = (select today(branch_id) from queues where id = $2::uuid and may_touch($1, branch_id))
         order by position offset $3 limit $4) t
  join queues q on q.id = $2::uuid
 order by t.position
