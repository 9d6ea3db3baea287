"""The provider's ledger against our rows: what was sent, how often, to whom and when (invariants I14-I18 and I25)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from db.pool import Pool
from telco_sim.ledger import Row
from telco_sim.recipients import ACCEPTED
from telco_sim.testing import RunningTelco

# Rises only: whatever comes later than a report of delivery knows less.
RANKS = ("unknown", "sent", "expired", "failed", "delivered")

WATCH = """
create table seen_statuses (nth bigint generated always as identity, id uuid, status text);
create function see_status() returns trigger language plpgsql as
    $$ begin insert into seen_statuses (id, status) values (new.id, new.status); return null; end $$;
create trigger see_status after insert or update of status on notifications for each row execute function see_status()
"""
SEEN = "select array_agg(status order by nth) from seen_statuses group by id"
# At night the end of a day waits for the morning.
UNENDED = """
select template || ' is ' || status from notifications
 where status not in ('sent', 'delivered', 'failed', 'dead', 'expired', 'suppressed', 'unknown')
   and due_at < now() + interval '1 hour'
"""
# `lost`: the row itself says that for some time nobody knew.
TEXTS = """
select n.phone, n.template, n.status, n.provider_id, n.segments, n.expires_at, t.ended_at, c.opted_out_at,
       exists (select from notification_attempts a where a.notification_id = n.id and a.outcome = 'unknown') as lost
  from notifications n left join tickets t on t.id = n.ticket_id left join customers c on c.phone = n.phone
 where n.attempts > 0
"""
# These tell of an end or of an opt-out, so they come after it.
AFTER_THE_END = {"left", "data_gone", "rating", "sent_home", "expired"}
AFTER_OPT_OUT = {"stop", "stop_no_ticket", "start", "data_gone"}

Text = Mapping[str, Any]


async def watch(pool: Pool) -> None:
    """Write down every status that a text has from now on."""
    await pool.execute(WATCH)


async def wrong(pool: Pool, telco: RunningTelco) -> list[str]:
    """What does not hold once nothing is to be sent any more; empty when all is well."""
    texts = [dict(row) for row in await pool.fetch(TEXTS)]
    taken = {row.data["messageId"]: row for row in telco.ledger.of("sms.message") if row.data["statusCode"] in ACCEPTED}
    return [
        *[f"I14: {row[0]}" for row in await pool.fetch(UNENDED)],
        *_too_seldom_or_too_often(texts, taken),
        *[
            finding
            for text in texts
            if text["provider_id"] in taken
            for finding in _at(text, taken[text["provider_id"]])
        ],
        *[f"I18: a text was {row[0]}" for row in await pool.fetch(SEEN) if fell(row[0])],
    ]


def _too_seldom_or_too_often(texts: Sequence[Text], taken: Mapping[str, Row]) -> Iterator[str]:
    names = {text["provider_id"] for text in texts}
    for text in texts:
        if text["status"] in ("sent", "delivered") and text["provider_id"] not in taken:
            yield f"I15: {text['template']} is {text['status']}, and the provider never had it"
    nameless = Counter(row.phone for name, row in taken.items() if name not in names)
    lost = Counter(text["phone"] for text in texts if text["lost"] and not text["provider_id"])
    yield from (f"I15: {extra} texts to {phone} of which nobody knows" for phone, extra in (nameless - lost).items())
    unsure = {text["phone"] for text in texts if text["lost"]}
    said = Counter((row.phone, row.data["text"]) for row in taken.values())
    for (phone, words), times in said.items():
        if times > (2 if phone in unsure else 1):
            yield f"I15: {phone} was told {times} times: {words}"


def _at(text: Text, row: Row) -> Iterator[str]:
    """What is wrong with a text that the provider took, with the time and the price at which it did."""
    if row.time > text["expires_at"]:
        yield f"I16: {text['template']} was sent past its deadline"
    if text["ended_at"] and row.time > text["ended_at"] and text["template"] not in AFTER_THE_END:
        yield f"I16: {text['template']} was sent after its ticket ended"
    if text["opted_out_at"] and row.time > text["opted_out_at"] and text["template"] not in AFTER_OPT_OUT:
        yield f"I17: {text['template']} was sent to somebody who opted out"
    if text["segments"] != row.data["parts"] and (text["segments"] or not text["lost"]):
        yield f"I25: {text['template']} is counted as {text['segments']} SMS and billed as {row.data['parts']}"


def fell(statuses: list[str]) -> bool:
    """Whether a later status of a text knows less than one before it."""
    ranks = [RANKS.index(status) for status in statuses if status in RANKS]
    return ranks != sorted(ranks)
