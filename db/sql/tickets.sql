-- Customers' verbs. Each is one transaction in one round trip.

-- name: join
select join_queue($1, $2, $3, $4)

-- name: join_first
select join_first($1, $2, $3)

-- name: status
select ticket_facts(t) from active_ticket($1) t where t.id is not null

-- name: look
select ticket_facts(t) from tickets t where id = $1

-- name: dial_in
select dial_in($1)

-- name: leave
select leave_queue($1, $2)

-- name: defer
select defer_ticket($1, $2, $3)

-- name: come_back
select come_back($1, $2)

-- name: coming
select say_coming($1, $2)
