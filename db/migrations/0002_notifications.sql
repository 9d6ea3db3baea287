-- Who was told what, when, did it arrive, what did it cost.

create table notifications (
    id uuid primary key default gen_random_uuid(),
    branch_id uuid references branches,
    ticket_id uuid references tickets,
    phone text,
    channel text not null default 'sms' check (channel in ('sms', 'push', 'email')),
    template text not null,
    language text not null default 'en',
    parameters jsonb not null default '{}',
    body text,
    status text not null default 'queued' check (status in
        ('queued', 'sending', 'sent', 'delivered', 'failed', 'dead', 'expired', 'suppressed', 'unknown')),
    urgency int not null default 5,
    attempts int not null default 0,
    created_at timestamptz not null default clock_timestamp(),
    due_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    lease_token uuid,
    leased_until timestamptz,
    attempted_at timestamptz,
    sent_at timestamptz,
    finished_at timestamptz,
    gateway text,
    provider_id text,
    segments int,
    cost text,
    error text,
    dedupe_key text not null unique
);
comment on column notifications.urgency is 'lower goes first: 0 turn and last call, 1 near, 5 the rest';
comment on column notifications.attempted_at is 'first attempt: the promise is within 5 s of created_at';
comment on column notifications.status is
    'unknown: handed over, answer lost, perhaps sent; suppressed: stopped being true or the person opted out; dead: three attempts failed';

create index notifications_due on notifications (urgency, due_at) where status = 'queued';
create index notifications_leased on notifications (leased_until) where status = 'sending';
create index notifications_by_ticket on notifications (ticket_id);
create index notifications_by_phone on notifications (phone);
create unique index notifications_by_provider_id on notifications (gateway, provider_id) where provider_id is not null;

create table notification_attempts (
    notification_id uuid not null references notifications on delete cascade,
    attempt int not null,
    at timestamptz not null default clock_timestamp(),
    gateway text not null,
    outcome text not null check (outcome in ('sent', 'retry', 'failed', 'unknown')),
    error text,
    primary key (notification_id, attempt)
);

-- A report may arrive before the send is marked: kept by provider id, applied when both are known.
create table delivery_reports (
    id bigint generated always as identity primary key,
    gateway text not null,
    provider_id text not null,
    phone text,
    status text not null,
    reason text,
    raw jsonb not null default '{}',
    received_at timestamptz not null default clock_timestamp()
);
comment on column delivery_reports.phone is 'finds the text whose own answer, with the provider id, was lost';
create index delivery_reports_by_provider_id on delivery_reports (gateway, provider_id);
create index delivery_reports_by_phone on delivery_reports (phone, received_at);

create table ussd_sessions (
    gateway text not null,
    session_key text not null,
    phone text not null,
    state text not null,
    data jsonb not null,
    steps int not null default 0,
    started_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    ended_at timestamptz,
    outcome text,
    primary key (gateway, session_key)
) with (fillfactor = 60);
-- Only what no step changes, so that a step rewrites no index.
create index ussd_sessions_by_phone on ussd_sessions (phone, started_at desc);

-- The sweeper's pulse: a long gap after a start means that the system was down.
create table heartbeats (
    name text primary key,
    at timestamptz not null
);
