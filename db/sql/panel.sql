-- What the desk shows, each in one round trip. queue_core/panel.py runs these.

-- A counter ($2) and the lines that it serves, with the people of one of them ($3), at most so many ($4) who wait and as
-- many who may come back. Null where the actor may touch no such counter; without a line where it does not serve that one.
-- name: desk
with here as materialized (
    select c.id as counter_id, c.name as counter, b.id, b.code, b.name, b.timezone, b.is_open, today(b.id) as day
      from counters c join branches b on b.id = c.branch_id where c.id = $2::uuid and may_touch($1, b.id)),
chosen as materialized (
    select queue_id from here join counter_queues using (counter_id) where queue_id = $3::uuid),
shown as materialized (
    (select 'current' as part, id, 0::numeric as place from tickets
      where counter_id = (select counter_id from here) and status in ('called', 'serving'))
    union all
    (select 'waiting', id, position from tickets
      where queue_id = (select queue_id from chosen) and service_date = (select day from here) and status = 'waiting'
      order by position limit $4)
    union all
    (select 'skipped', id, -extract(epoch from deadline) from tickets
      where queue_id = (select queue_id from chosen) and service_date = (select day from here) and status = 'skipped'
      order by deadline desc limit $4)),
people as materialized (
    select part, place, facts from shown join desk_tickets($1, array(select id from shown)) using (id))
select jsonb_build_object(
    'version', version_of(here.id), 'at', now(),
    'branch', jsonb_build_object('id', here.id, 'code', here.code, 'name', here.name, 'timezone', here.timezone,
                                 'is_open', here.is_open),
    'counter', jsonb_build_object('id', here.counter_id, 'name', here.counter), 'line', (select queue_id from chosen),
    'lines', (
        select jsonb_agg(desk_line(q, here.day) order by q.created_at, q.code)
          from counter_queues cq join queues q on q.id = cq.queue_id where cq.counter_id = here.counter_id),
    'current', (select facts from people where part = 'current'),
    'waiting', (select coalesce(jsonb_agg(facts order by place), '[]') from people where part = 'waiting'),
    'skipped', (select coalesce(jsonb_agg(facts order by place), '[]') from people where part = 'skipped'))
  from here

-- name: ticket
select jsonb_build_object(
    'ticket', facts, 'phone', t.phone,
    'ahead', case when t.status = 'waiting' then people_ahead(t.queue_id, t.service_date, t.position) else 0 end,
    'lines', (
        select coalesce(jsonb_agg(desk_line(o, today(o.branch_id)) order by o.created_at, o.code), '[]')
          from queues o where o.branch_id = q.branch_id and o.id <> q.id),
    'history', (
        select jsonb_agg(jsonb_build_object('at', a.at, 'action', a.action, 'status', a.to_status, 'actor', a.actor,
                                            'name', s.name, 'channel', a.channel, 'reason', a.reason) order by a.version)
          from audit_log a left join staff s on s.id = a.actor_id where a.entity = 'ticket' and a.entity_id = t.id))
  from tickets t join queues q on q.id = t.queue_id cross join desk_tickets($1, array[$2::uuid])
 where t.id = $2::uuid and may_touch($1, q.branch_id)

-- name: choices
select jsonb_build_object('id', b.id, 'code', b.code, 'name', b.name, 'counters', coalesce((
    select jsonb_agg(jsonb_build_object(
        'id', c.id, 'name', c.name,
        'lines', coalesce((
            select jsonb_agg(jsonb_build_object('id', o.id, 'code', o.code, 'name', o.name) order by o.created_at, o.code)
              from counter_queues cq join queues o on o.id = cq.queue_id where cq.counter_id = c.id), '[]'))
        order by length(c.name), c.name)
      from counters c where c.branch_id = b.id), '[]'))
  from branches b where may_touch($1, b.id)
 order by b.code
