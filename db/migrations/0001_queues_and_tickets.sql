-- Organizations, branches, queues, counters, people, tickets: who waits where.

create table organizations (
    id uuid primary key default gen_random_uuid(),
    name text not null unique,
    country char(2) not null default 'KE',
    language text not null default 'en',
    created_at timestamptz not null default now()
);

create table branches (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references organizations,
    code text not null unique check (code ~ '^[0-9]{4}$'),
    name text not null check (length(name) between 1 and 23 and name ~ '^[ -~]+$'),
    address text not null default '',
    phone text not null check (length(phone) <= 13),
    timezone text not null default 'Africa/Nairobi',
    day_starts_at time not null default '04:00',
    opening_hours jsonb not null default '{}',
    is_open boolean not null default true,
    asks_name boolean not null default false,
    asks_rating boolean not null default true,
    created_at timestamptz not null default now()
);
comment on column branches.phone is 'a human to call, as people dial it';
comment on column branches.opening_hours is '{"mon": [["08:30", "17:00"]], …} in local time; a missing day is closed';
comment on column branches.day_starts_at is 'local time at which one service day ends and the next begins';

create table queues (
    id uuid primary key default gen_random_uuid(),
    branch_id uuid not null references branches,
    code text not null check (code ~ '^[AC-HJ-NP-RT-Y]{1,2}$'),
    name text not null check (length(name) between 1 and 15 and name ~ '^[ -~]+$'),
    status text not null default 'closed' check (status in ('open', 'paused', 'closed')),
    paused_until timestamptz,
    message text not null default '',
    alert_threshold int not null default 3 check (alert_threshold between 0 and 9),
    call_expiry int not null default 300 check (call_expiry >= 0),
    grace int not null default 900 check (grace >= 0),
    max_skips int not null default 2 check (max_skips >= 0),
    daily_limit int check (daily_limit > 0),
    avg_service_seconds int not null default 0,
    completed_count int not null default 0,
    last_completed_at timestamptz,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    unique (branch_id, code)
);
comment on column queues.code is 'letters that no small screen confuses with digits: not B, I, O, S or Z';
comment on column queues.call_expiry is 'seconds a called person has to start; 0 = for ever';
comment on column queues.grace is 'seconds a skipped person has to come back';
comment on column queues.avg_service_seconds is 'moving average of the gap between completions while people wait; 0 = never measured';
comment on column queues.last_completed_at is 'when the running gap began; null while nobody waits';

-- Numbers restart every service day. The row may not exist yet: never a place to lock.
create table queue_days (
    queue_id uuid not null references queues,
    service_date date not null,
    last_number_issued int not null default 0,
    current_number int not null default 0,
    completed_count int not null default 0,
    over boolean not null default false,
    primary key (queue_id, service_date)
);
comment on column queue_days.over is 'the day was cut over: nobody waits in it any more';
create index queue_days_not_over on queue_days (service_date) where not over;

create table counters (
    id uuid primary key default gen_random_uuid(),
    branch_id uuid not null references branches,
    name text not null check (length(name) between 1 and 13 and name ~ '^[ -~]+$'),
    last_call_at timestamptz,
    unique (branch_id, name)
);

create table counter_queues (
    counter_id uuid not null references counters on delete cascade,
    queue_id uuid not null references queues on delete cascade,
    primary key (counter_id, queue_id)
);

create table customers (
    phone text primary key check (phone ~ '^\+[1-9][0-9]{6,14}$'),
    name text,
    language text,
    opted_out_at timestamptz,
    created_at timestamptz not null default now()
);

create table staff (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references organizations,
    branch_id uuid references branches,
    role text not null check (role in ('admin', 'manager', 'staff')),
    name text not null,
    login text not null unique,
    phone text unique,
    password_hash text not null,
    must_change_password boolean not null default true,
    pin_hash text,
    active boolean not null default true,
    created_at timestamptz not null default now(),
    check (role = 'admin' or branch_id is not null)
);
comment on column staff.branch_id is 'null = every branch of the organization';

create table tickets (
    id uuid primary key default gen_random_uuid(),
    queue_id uuid not null,
    service_date date not null,
    number int not null check (number > 0),
    phone text check (phone ~ '^\+[1-9][0-9]{6,14}$'),
    name text check (length(name) between 1 and 16),
    language text not null default 'en',
    channel text not null check (channel in ('ussd', 'sms', 'web', 'staff', 'api')),
    priority boolean not null default false,
    position numeric not null,
    status text not null default 'waiting'
        check (status in ('waiting', 'called', 'serving', 'skipped', 'completed', 'no_show', 'cancelled', 'expired')),
    action text not null default 'join',
    version int not null default 1,
    skip_count int not null default 0,
    defer_count int not null default 0,
    counter_id uuid references counters,
    staff_id uuid references staff,
    deadline timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    called_at timestamptz,
    coming_at timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    ended_at timestamptz,
    alerted_at timestamptz,
    told_minutes int,
    told_at timestamptz,
    rating int check (rating between 1 and 5),
    rating_asked_at timestamptz,
    shut_answered_at timestamptz,
    foreign key (queue_id, service_date) references queue_days,
    -- The number first: a planner without statistics must not take this index for the one that holds the line.
    unique (number, queue_id, service_date),
    check ((status in ('completed', 'no_show', 'cancelled', 'expired')) = (ended_at is not null))
);
comment on column tickets.position is 'the order of call: the number, or a fraction between two neighbours after late, come back, priority';
comment on column tickets.action is 'the verb that made this version; copied to the audit log by a trigger';
comment on column tickets.deadline is 'called: when the call expires; skipped: when the grace ends';
comment on column tickets.alerted_at is 'when the person was told to be near, by whatever text, on this approach';
comment on column tickets.told_minutes is 'the estimate last told to the person';
comment on column tickets.shut_answered_at is 'when the person answered the offer that follows a line closed early';

-- One active ticket per phone: the rule of the product, held by the database.
create unique index one_active_ticket_per_phone on tickets (phone)
    where status in ('waiting', 'called', 'serving', 'skipped');
create unique index one_person_per_counter on tickets (counter_id) where status in ('called', 'serving');
create index tickets_in_line on tickets (queue_id, service_date, position) where status = 'waiting';
create index tickets_with_deadline on tickets (deadline) where status in ('called', 'skipped');
create index tickets_ended_by_phone on tickets (phone, ended_at desc) where ended_at is not null;

-- How many wait in each stretch of 256 positions: people ahead of the hundred-thousandth in microseconds.
create table waiting_blocks (
    queue_id uuid not null,
    service_date date not null,
    block int not null,
    waiting int not null check (waiting >= 0),
    primary key (queue_id, service_date, block)
) with (fillfactor = 50);

create table audit_log (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    branch_id uuid not null references branches,
    entity text not null check (entity in ('ticket', 'queue', 'staff')),
    entity_id uuid not null,
    version int,
    action text not null,
    from_status text,
    to_status text,
    details jsonb not null default '{}',
    actor text not null check (actor in ('customer', 'staff', 'system')),
    actor_id uuid,
    channel text not null,
    reason text,
    request text
);
create unique index one_audit_row_per_change on audit_log (entity_id, version) where entity = 'ticket';
create index audit_by_branch on audit_log (branch_id, at);

-- What was answered to a request that may be delivered again.
create table requests (
    key text primary key check (length(key) <= 200),
    answer jsonb not null,
    at timestamptz not null default now()
);
create index requests_by_age on requests (at);
