-- Logging in to the staff panel: sessions, the second factor, tries.

alter table staff
    add column totp_secret text,
    add column totp_on boolean not null default false,
    add column totp_step bigint not null default 0,
    add column counter_id uuid references counters on delete set null,
    add column queue_id uuid references queues on delete set null,
    add check (totp_secret is not null or not totp_on);
comment on column staff.totp_on is 'a code is wanted at log-in; before, the secret waits to be confirmed';
comment on column staff.totp_step is 'the time step of the last code that was taken: none of it or before it is taken again';
comment on column staff.counter_id is 'where the person''s next session begins';

create table staff_sessions (
    token_hash text primary key,
    staff_id uuid not null references staff on delete cascade,
    created_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp(),
    counter_id uuid references counters on delete set null,
    queue_id uuid references queues on delete set null
) with (fillfactor = 60);
comment on column staff_sessions.seen_at is 'the last request that a person made, to the minute';
create index staff_sessions_by_staff on staff_sessions (staff_id);

-- A bucket that tries fill and time empties. It may overflow: then one has to wait, and meanwhile nothing leaves it.
create table login_tries (
    kind text not null check (kind in ('login', 'source')),
    who text not null,
    level double precision not null default 0,
    tried_at timestamptz not null default clock_timestamp(),
    until timestamptz,
    primary key (kind, who)
) with (fillfactor = 60);
comment on column login_tries.who is 'the hash of what was typed as a login, or the address that asked';
comment on column login_tries.until is 'nothing is judged before';
