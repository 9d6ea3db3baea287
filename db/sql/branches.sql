-- What managers look at and set. queue_core/branches.py and queue_core/branch_settings.py run these.

-- The actor's branches by code, or the one of a code ($2), each with its lines and their day. Waits and services are measured
-- on everybody who was called today.
-- name: overview
with mine as materialized (
    select b.*, day, (day + b.day_starts_at) at time zone b.timezone as began
      from branches b, lateral service_date(b.timezone, b.day_starts_at, clock_timestamp()) as day
     where may_touch($1, b.id) and ($2::text is null or b.code = $2)
), measured as materialized (
    select q.branch_id, q.id as queue_id,
           round(avg(extract(epoch from t.called_at - t.created_at)) / 60)::int as wait,
           round(avg(extract(epoch from t.completed_at - t.started_at)) / 60)::int as service
      from mine join queues q on q.branch_id = mine.id
      join tickets t on t.queue_id = q.id and t.service_date = mine.day and t.called_at is not null
     group by grouping sets ((q.branch_id), (q.branch_id, q.id))
)
select jsonb_build_object(
    'id', b.id, 'code', b.code, 'name', b.name, 'timezone', b.timezone, 'is_open', b.is_open, 'at', now(), 'version', version_of(b.id),
    'wait', m.wait, 'service', m.service,
    'untold', (select count(*) from notifications
                where branch_id = b.id and status in ('failed', 'dead', 'expired') and created_at >= b.began),
    'lines', (
        select coalesce(jsonb_agg(desk_line(q, b.day) || jsonb_build_object('wait', l.wait, 'service', l.service)
                                  order by q.created_at, q.code), '[]')
          from queues q left join measured l on l.queue_id = q.id where q.branch_id = b.id))
  from mine b left join measured m on m.branch_id = b.id and m.queue_id is null
 order by b.code

-- Today's texts that did not reach anybody, the latest first.
-- name: untold
select n.created_at as at, n.template, n.status, label(q.code, t.number) as label, t.name, q.name as queue
  from branches b join notifications n on n.branch_id = b.id and n.status in ('failed', 'dead', 'expired')
  left join tickets t on t.id = n.ticket_id left join queues q on q.id = t.queue_id
 where b.code = $2 and may_touch($1, b.id)
   and n.created_at >= (today(b.id) + b.day_starts_at) at time zone b.timezone
 order by n.created_at desc limit $3

-- name: history
select a.at, a.entity, a.action, a.details, a.actor, s.name as who, a.channel, a.reason,
       case a.entity when 'ticket' then label(tq.code, t.number) when 'queue' then q.name when 'staff' then p.name
                     when 'counter' then a.details->>'counter' else '' end as what,
       c.name as counter
  from (select * from audit_log where branch_id = (select id from branches where code = $2 and may_touch($1, id))
         order by id desc limit $3) a
  left join staff s on s.id = a.actor_id
  left join tickets t on a.entity = 'ticket' and t.id = a.entity_id left join queues tq on tq.id = t.queue_id
  left join queues q on a.entity = 'queue' and q.id = a.entity_id
  left join staff p on a.entity = 'staff' and p.id = a.entity_id
  left join counters c on c.id = case a.entity when 'ticket' then (a.details->>'counter')::uuid end
 order by a.id desc

-- name: settings
select jsonb_build_object(
    'id', b.id, 'code', b.code, 'name', b.name, 'phone', b.phone, 'address', b.address, 'asks_name', b.asks_name,
    'asks_rating', b.asks_rating, 'is_open', b.is_open, 'opening_hours', b.opening_hours, 'version', b.version,
    'lines', (
        select coalesce(jsonb_agg(jsonb_build_object(
            'id', q.id, 'code', q.code, 'name', q.name, 'status', q.status, 'alert_threshold', q.alert_threshold,
            'call_expiry', ceil(q.call_expiry / 60.0), 'grace', ceil(q.grace / 60.0), 'max_skips', q.max_skips,
            'daily_limit', q.daily_limit) order by q.created_at, q.code), '[]')
          from queues q where q.branch_id = b.id),
    'counters', (
        select coalesce(jsonb_agg(jsonb_build_object(
            'id', c.id, 'name', c.name, 'label', label(q.code, t.number),
            'lines', array(select queue_id from counter_queues where counter_id = c.id)) order by length(c.name), c.name), '[]')
          from counters c left join tickets t on t.counter_id = c.id and t.status in ('called', 'serving')
          left join queues q on q.id = t.queue_id
         where c.branch_id = b.id))
  from branches b where b.code = $2 and may_touch($1, b.id)

-- name: organization
select o.name, o.language from staff s join organizations o on o.id = s.organization_id where s.id = ($1::jsonb->>'actor_id')::uuid

-- name: change_branch
select change_branch($1, $2, $3, $4)

-- name: change_line
select change_line($1, $2, $3, $4)

-- name: add_line
select add_line($1, $2, $3, $4)

-- name: add_counter
select add_counter($1, $2, $3, $4)

-- name: change_counter
select change_counter($1, $2, $3, $4, $5)

-- name: remove_counter
select remove_counter($1, $2)

-- name: add_branch
select add_branch($1, $2, $3, $4)

-- name: change_organization
select change_organization($1, $2, $3)
