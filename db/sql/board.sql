-- What a wall may show, and what changed since. No name and no phone is read here.

-- name: board
select jsonb_build_object(
    'code', b.code, 'name', b.name, 'timezone', b.timezone, 'is_open', b.is_open, 'opening_hours', b.opening_hours,
    'language', o.language,
    'version', version_of(b.id),
    'counters', coalesce((
        select jsonb_agg(jsonb_build_object(
            'name', c.name, 'label', label(q.code, t.number), 'status', t.status, 'called_at', t.called_at)
            order by length(c.name), c.name)
          from (select * from counters where branch_id = b.id order by length(name), name limit 40) c
          left join tickets t on t.counter_id = c.id and t.status in ('called', 'serving')
          left join queues q on q.id = t.queue_id), '[]'),
    'lines', coalesce((
        select jsonb_agg(jsonb_build_object(
            'code', q.code, 'name', q.name, 'status', q.status, 'paused_until', q.paused_until,
            'waiting', people_waiting(q.id, day),
            'full', coalesce(q.daily_limit <= (select last_number_issued from queue_days
                                                where queue_id = q.id and service_date = day), false),
            'next', array(select label(q.code, number) from tickets
                           where queue_id = q.id and service_date = day and status = 'waiting' order by position limit 3))
            order by q.created_at, q.code)
          from queues q where q.branch_id = b.id), '[]'))
  from branches b join organizations o on o.id = b.organization_id,
       lateral service_date(b.timezone, b.day_starts_at, clock_timestamp()) as day
 where b.code = $1

-- What a subscription names: a branch, a line of it, or a ticket.
-- name: branch
select b.id::text as branch_id, array(select id::text from queues where branch_id = b.id) as lines,
       version_of(b.id) as version
  from branches b where b.code = $1

-- name: line
select b.id::text as branch_id, array[q.id::text] as lines,
       version_of(b.id) as version
  from branches b join queues q on q.branch_id = b.id where b.code = $1 and q.code = $2

-- name: ticket
select q.branch_id::text, array[q.id::text] as lines,
       version_of(q.branch_id) as version
  from tickets t join queues q on q.id = t.queue_id where t.id = $1

-- What happened in branches ($1) after an audit id each ($2), line by line, without what is known ($3: line -> audit id).
-- name: moved
select b.id::text as branch_id, b.code, version_of(b.id) as version,
       coalesce((
        select jsonb_agg(jsonb_build_object(
            'id', q.id, 'code', q.code, 'status', q.status, 'last', m.last, 'calls', m.calls,
            'waiting', people_waiting(q.id, service_date(b.timezone, b.day_starts_at, clock_timestamp()))) order by m.last)
          from (select coalesce(t.queue_id, a.entity_id) as id, max(a.id) as last,
                       coalesce(jsonb_agg(jsonb_build_object('label', label(tq.code, t.number), 'counter', c.name, 'called_at', t.called_at,
                                                             'again', a.from_status = 'called') order by a.id)
                                filter (where t.number is not null and a.to_status = 'called' and
                                              (a.from_status <> 'called' or a.action in ('recall', 'last_call'))), '[]') as calls
                  from audit_log a
                  left join tickets t on a.entity = 'ticket' and t.id = a.entity_id
                  left join queues tq on tq.id = t.queue_id
                  left join counters c on c.id = (a.details->>'counter')::uuid
                 where a.branch_id = b.id and a.id > w.after and a.entity in ('ticket', 'queue')
                   and a.id > coalesce(($3::jsonb->>coalesce(t.queue_id, a.entity_id)::text)::bigint, 0)
                 group by 1) m
          join queues q on q.id = m.id), '[]') as lines
  from unnest($1::uuid[], $2::bigint[]) as w (id, after) join branches b on b.id = w.id

-- name: tickets
select t.id::text, t.queue_id::text, t.status, a.ahead, estimate(a.ahead, q.avg_service_seconds, q.completed_count) as minutes
  from tickets t join queues q on q.id = t.queue_id,
       lateral (select case when t.status = 'waiting' then people_ahead(t.queue_id, t.service_date, t.position) else 0 end) a (ahead)
 where t.id = any ($1::uuid[])
