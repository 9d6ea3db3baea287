-- How often a text was taken in hand: what fails each time is set aside, and does not hold up the others.

alter table inbound_messages add column attempts int not null default 0;
comment on column inbound_messages.attempts is 'how often it was taken in hand; who has it now knows this number';
comment on column inbound_messages.leased_until is 'null: in nobody''s hand, so a provider that repeats it is heard at once';
