-- Staff verbs on people. Each is one transaction in one round trip.

-- name: call_next
select call_next($1, $2, $3, $4, $5)

-- name: call_named
select call_named($1, $2, $3, $4, $5, $6)

-- name: change_ticket
select change_ticket($1, $2, $3, $4, $5)

-- name: transfer
select transfer_ticket($1, $2, $3, $4, $5)
