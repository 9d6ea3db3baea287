-- What people text us: each once, however often the provider delivers it.

create table inbound_messages (
    id uuid primary key default gen_random_uuid(),
    gateway text not null,
    provider_id text not null check (length(provider_id) between 1 and 200),
    phone text check (phone ~ '^\+[1-9][0-9]{6,14}$'),
    recipient text not null default '',
    text text not null,
    sent_at timestamptz,
    received_at timestamptz not null default clock_timestamp(),
    opt_out text check (opt_out in ('stop', 'start', 'help')),
    leased_until timestamptz,
    handled_at timestamptz,
    command text,
    outcome text,
    unique (gateway, provider_id)
);
comment on column inbound_messages.phone is 'null: the sender is no phone, such as the operator''s own name';
comment on column inbound_messages.text is 'without a staff member''s PIN, which is never stored';
comment on column inbound_messages.sent_at is 'as the provider says, in UTC; null: it does not say';
comment on column inbound_messages.opt_out is 'what the provider itself did about the text, and told the person';
comment on column inbound_messages.outcome is 'the text that answers it, or why it has no answer';

create index inbound_messages_by_phone on inbound_messages (phone, received_at);
create index inbound_messages_unhandled on inbound_messages (leased_until) where handled_at is null;

alter table branches add column texts_rating boolean not null default false;
comment on column branches.texts_rating is 'ask for a rating by text too: off until local law is known to allow it';

alter table tickets add column still_asked_at timestamptz;
comment on column tickets.still_asked_at is 'when a person who waits for long was asked whether he still wants the place';

-- How far the list of received texts that a provider keeps was read.
create table fetch_cursors (
    gateway text primary key,
    last_id text not null
);
