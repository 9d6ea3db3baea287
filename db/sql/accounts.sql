-- Logging in to the staff panel, and managing who may. queue_core/accounts.py and queue_core/people.py run these.

-- name: count_try
select count_try($1, $2)

-- name: forgive_try
select forgive_try($1, $2)

-- name: forget_tries
delete from login_tries where kind = 'login' and who = $1

-- name: credentials
select id::text, password_hash, case when totp_on then totp_secret end as totp_secret from staff where login = $1 and active

-- name: begin_session
select begin_session($1, $2, $3, $4, $5, $6, $7)

-- One write a minute is enough to know who was away for thirty.
-- name: session
with touched as (
    update staff_sessions s set seen_at = clock_timestamp()
     where token_hash = $1 and $2 and seen_at < clock_timestamp() - interval '1 minute' and is_alive(s)
    returning ends_at(s)
)
select s.id::text, s.login, s.name, s.role, s.organization_id::text, o.name as organization,
       staff_branches(s)::text[] as branches, s.must_change_password, s.totp_on as has_totp,
       e.counter_id::text, e.queue_id::text, coalesce((select ends_at from touched), ends_at(e)) as ends_at
  from staff_sessions e join staff s on s.id = e.staff_id join organizations o on o.id = s.organization_id
 where e.token_hash = $1 and is_alive(e) and s.active

-- name: log_out
delete from staff_sessions where token_hash = $1

-- The person's row first: who changes a password takes it before the sessions.
-- name: remember_desk
with desk as (
    select s.id, c.id as counter_id, q.id as queue_id
      from staff_sessions e join staff s on s.id = e.staff_id
      join counters c on c.id = $2::uuid join queues q on q.id = $3::uuid and q.branch_id = c.branch_id
     where e.token_hash = $1 and c.branch_id = any (staff_branches(s))
), next as (
    update staff s set counter_id = desk.counter_id, queue_id = desk.queue_id from desk where s.id = desk.id
    returning s.counter_id, s.queue_id
)
update staff_sessions e set counter_id = next.counter_id, queue_id = next.queue_id from next where e.token_hash = $1

-- name: change_password
select change_password($1, $2, $3, $4, $5)

-- name: new_totp
update staff set totp_secret = $2 where id = $1::uuid and not totp_on returning true

-- name: unconfirmed_totp
select totp_secret from staff where id = $1::uuid and not totp_on

-- name: confirm_totp
select confirm_totp($1, $2, $3, $4, $5)

-- name: end_totp
select end_totp($1, $2, $3, $4)

-- name: people
select s.id::text, s.login, s.name, s.role, b.code as branch, s.active, s.must_change_password, s.totp_on as has_totp,
       right(p.phone, 4) as phone, c.name as phone_counter,
       case when p.blocked_at is not null then 'blocked' when p.enrolled_at is null and p.phone is not null then 'unconfirmed'
            when p.locked_until > clock_timestamp() then 'locked' when p.phone is not null then 'enrolled' end as phone_state
  from staff s left join branches b on b.id = s.branch_id
  left join staff_phones p on p.staff_id = s.id left join counters c on c.id = p.counter_id
 where may_manage($1, s)
 order by b.code nulls first, s.login

-- name: add_person
select add_person($1, $2, $3, $4, $5, $6, $7)

-- name: change_person
select change_person($1, $2, $3, $4, $5)

-- name: set_active
select set_active($1, $2, $3)

-- name: reset_password
select reset_password($1, $2, $3, $4)
