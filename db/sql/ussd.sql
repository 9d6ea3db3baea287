-- USSD sessions behind Redis.

-- name: session
select data::text from ussd_sessions
 where gateway = $1 and session_key = $2 and seen_at > now() - interval '10 minutes'

-- What decides the first screen, and the last thing that the phone was doing.
-- name: dial_in
select dial_in($1) as facts, (select data::text from ussd_sessions
                               where phone = $1 and seen_at > now() - interval '10 minutes'
                               order by started_at desc limit 1) as last

-- Many sessions at once. A session lives for minutes and Redis has it too: nobody waits for the disk.
-- name: save_sessions
with quick as materialized (select set_config('synchronous_commit', 'off', true))
insert into ussd_sessions (gateway, session_key, phone, state, data, steps, started_at, ended_at, outcome)
select s.gateway, s.session_key, s.phone, s.state, s.data::jsonb, s.steps, to_timestamp(s.started_at),
       case when s.ended then now() end, case when s.ended then 'end' end
  from quick, unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::float8[], $8::bool[])
           as s (gateway, session_key, phone, state, data, steps, started_at, ended)
on conflict (gateway, session_key) do update
   set phone = excluded.phone, state = excluded.state, data = excluded.data, steps = excluded.steps, seen_at = now(),
       started_at = excluded.started_at, ended_at = excluded.ended_at, outcome = excluded.outcome
 where (excluded.started_at, excluded.steps) >= (ussd_sessions.started_at, ussd_sessions.steps)

-- The gateway says that a session is over before we ended it.
-- name: drop_session
update ussd_sessions set ended_at = now(), outcome = 'dropped'
 where gateway = $1 and session_key = $2 and ended_at is null

-- What was answered to verbs before: (key, answer).
-- name: answers
select key, with_person(answer) as answer from requests where key = any($1::text[])
