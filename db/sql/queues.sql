-- name: place
select jsonb_build_object(
    'id', b.id, 'code', b.code, 'name', b.name, 'phone', b.phone, 'timezone', b.timezone, 'is_open', b.is_open,
    'asks_name', b.asks_name, 'opening_hours', b.opening_hours,
    'lines', coalesce((
        select jsonb_agg(jsonb_build_object(
            'id', q.id, 'code', q.code, 'name', q.name, 'status', q.status, 'waiting', w.waiting,
            'minutes', estimate(w.waiting, q.avg_service_seconds, q.completed_count), 'paused_until', q.paused_until,
            'full', coalesce(q.daily_limit <= (select last_number_issued from queue_days
                                                where queue_id = q.id and service_date = day), false)) order by q.created_at, q.code)
          from queues q, lateral people_waiting(q.id, day) as w (waiting)
         where q.branch_id = b.id), '[]'))
  from branches b, lateral service_date(b.timezone, b.day_starts_at, clock_timestamp()) as day
 where b.code = $1

-- name: open_places
select code, name from branches b
 where is_open and exists (select from queues where branch_id = b.id and status = 'open')
   and position(' ' || lower($1) in ' ' || lower(name)) > 0
 order by name limit $2

-- name: find
select q.id::text, q.name, q.code, q.status, b.code as branch_code, b.name as branch, b.timezone, b.opening_hours,
       people_waiting(q.id, today(b.id)) as waiting
  from queues q join branches b on b.id = q.branch_id
 where b.code = $1 and q.code = $2 and may_touch($3, b.id)

-- name: facts
select b.timezone, b.opening_hours from queues q join branches b on b.id = q.branch_id where q.id = $1 and may_touch($2, b.id)

-- name: find_ticket
select t.id::text from tickets t join queues q on q.id = t.queue_id join branches b on b.id = q.branch_id
 where b.code = $1 and q.code = $2 and t.number = $3 and t.service_date = today(b.id) and may_touch($4, b.id)

-- name: listing
select b.code || '/' || q.code as queue, b.name as branch, q.name, q.status, people_waiting(q.id, day) as waiting,
       (select label(q.code, current_number) from queue_days where queue_id = q.id and service_date = day and current_number > 0)
           as last_called
  from queues q join branches b on b.id = q.branch_id, lateral service_date(b.timezone, b.day_starts_at, clock_timestamp()) as day
 where may_touch($1, b.id)
 order by 1

-- name: change_queue
select change_queue($1, $2, $3, $4, $5, $6)
