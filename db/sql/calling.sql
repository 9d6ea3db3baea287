-- Staff verbs on people. Each is one transaction in one round trip.

-- name: call_next
select call_next($1, $2, $3, $4, $5)

-- name: change_ticket
select change_ticket($1, $2, $3, $4)
