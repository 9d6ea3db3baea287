-- name: seed
with org as (
    insert into organizations (name) values ($1) on conflict (name) do nothing returning id
), world as (
    select b.* from jsonb_to_recordset($2) as b (code text, name text, phone text, hours jsonb, queues jsonb, counters jsonb)
), branch as (
    insert into branches (organization_id, code, name, phone, opening_hours)
    select org.id, w.code, w.name, w.phone, w.hours from org, world w returning id, code
), queue as (
    insert into queues (branch_id, code, name, status, created_at)
    select branch.id, q->>0, q->>1, 'open', now() + place * interval '1 microsecond'
      from branch join world using (code), jsonb_array_elements(world.queues) with ordinality as line (q, place)
    returning id, branch_id
), counter as (
    insert into counters (branch_id, name)
    select branch.id, c from branch join world using (code), jsonb_array_elements_text(world.counters) as c
    returning id, branch_id
)
insert into counter_queues (counter_id, queue_id)
select counter.id, queue.id from counter join queue using (branch_id)
