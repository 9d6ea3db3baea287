-- name: set_language
with remembered as (
    insert into customers (phone, language) values ($1, $2)
    on conflict (phone) do update set language = excluded.language)
update tickets set language = $2 where phone = $1 and status in ('waiting', 'called', 'serving', 'skipped')

-- name: opt_out
insert into customers (phone, opted_out_at) values ($1, now())
on conflict (phone) do update set opted_out_at = coalesce(customers.opted_out_at, now())

-- name: opt_in
update customers set opted_out_at = null where phone = $1

-- name: rating_asked
update tickets set rating_asked_at = now() where id = $1

-- name: rate
select rate_visit($1, $2, $3)

-- name: shut_answered
update tickets set shut_answered_at = now() where id = $1

-- name: erase
select erase_customer($1, $2, $3)

-- name: export
select export_customer($1, $2)

-- name: erased
select mark, erased_at from erased_phones

-- name: take_time
set local statement_timeout = '600s'

-- Every phone that anything is kept of.
-- name: phones
select phone from customers union select phone from tickets where phone is not null
 union select phone from notifications where phone is not null union select phone from inbound_messages where phone is not null
 union select phone from delivery_reports where phone is not null union select phone from ussd_sessions

-- name: erase_again
select erase_again($1, $2, $3, $4)
