-- Texts from people: each is in one hand at a time.

-- Takes a text in hand, unless it is handled or in somebody's hand: a row comes back for whoever is to handle it. In the
-- list that a provider keeps a text has another id than in its callback: it is the same if all else is, or if all else of
-- it was erased. The lock of the phone's texts is for those two that come at once.
create or replace function take_text(message jsonb, lease interval) returns setof inbound_messages language plpgsql as $$
declare
    m inbound_messages := jsonb_populate_record(null::inbound_messages, message);
begin
    perform pg_advisory_xact_lock(4, hashtext(m.phone));
    return query
    insert into inbound_messages as mine
           (gateway, provider_id, phone, recipient, text, sent_at, opt_out, received_at, leased_until, attempts)
    select m.gateway, m.provider_id, m.phone, m.recipient, m.text, m.sent_at, m.opt_out,
           least(m.received_at, clock_timestamp()), clock_timestamp() + lease, 1
     where not exists (select from inbound_messages other
                        where other.gateway = m.gateway
                          and (other.phone = m.phone and other.text = m.text
                               or other.phone is null and other.text = '' and other.recipient = m.recipient
                                  and other.received_at > now() - interval '1 day')
                          and abs(extract(epoch from other.sent_at - m.sent_at)) <= 1
                          and starts_with(other.provider_id, 'fetched-') <> starts_with(m.provider_id, 'fetched-'))
    on conflict (gateway, provider_id) do update set leased_until = excluded.leased_until, attempts = mine.attempts + 1
     where mine.handled_at is null and (mine.leased_until is null or mine.leased_until < clock_timestamp())
    returning mine.*;
end $$;
