"""Every text, report and opt-out of the wire formats, as it comes over HTTP: thrice and shuffled, it means the same."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

import pytest

from telco_sim.twilio.signing import signature
from tests.webhooks.conftest import PUBLIC_URL, SECRET, TWILIO_TOKEN, Server

GOLDEN = Path(__file__).parents[1] / "golden"
TEXT_ID, SID = "ec9adc86-51d5-4bc8-8eb0-0000000000", "SM000000000000000000000000000000"
AMINA, JOINER, STOPPER, AMERICAN = "+254711000001", "+254711000002", "+254711000003", "+14155550101"
SEEDS: Final = (1, 2)
# How often each comes, and how: one right after the other, all and then all again, at once, or shuffled with a seed.
DELIVERIES: Final[list[tuple[int, str | int]]] = [
    *[(1, how) for how in ("all", "at once", *SEEDS)],
    *[(times, how) for times in (2, 3) for how in ("each", "all", "at once", *SEEDS)],
]

TICKETS = """
select label(q.code, t.number), t.status, t.phone from tickets t join queues q on q.id = t.queue_id order by 1
"""
TAKEN = "select provider_id, outcome from inbound_messages where handled_at is not null"
TEXTS = "select phone, template, status, error from notifications order by 1, 2"
OPTED_OUT = "select phone from customers where opted_out_at is not null order by 1"
ON_ITS_WAY = """
insert into notifications (id, phone, template, status, gateway, provider_id, attempts, attempted_at, expires_at,
                           dedupe_key)
values ($1, $2, 'near', case when $4::text is null then 'unknown' else 'sent' end, $3, $4, 1, now(),
        now() + interval '1 hour', 'sent:' || $2::text)
"""


@dataclass(frozen=True, slots=True)
class Golden:
    """A request of a provider, made out to this server: with its secret, and signed where Twilio would."""

    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class World:
    """What is true in the end. `texts` are those to people: phone, template, status and error."""

    tickets: list[tuple[str, str, str]]
    taken: dict[str, str]
    texts: list[tuple[str, str, str, str | None]]
    opted_out: list[str]


def _africastalking(path: str, body: bytes) -> Golden:
    return Golden(path.replace("SECRET", SECRET), body)


def _twilio(path: str, body: bytes) -> Golden:
    kind, _, reference = path.partition("?m=")
    hook = "sms" if kind == "/twilio/sms" else "delivery"
    path = f"/hooks/twilio/{hook}/{SECRET}" + (f"?m={UUID(int=int(reference))}" if reference else "")
    fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return Golden(path, body, {"x-twilio-signature": signature(TWILIO_TOKEN, PUBLIC_URL + path, fields)})


def golden(folder: str, make: Callable[[str, bytes], Golden]) -> dict[str, Golden]:
    """The requests of a folder by the first three letters of their names."""
    requests = {}
    for file in sorted((GOLDEN / folder).glob("*.http")):
        head, _, body = file.read_bytes().partition(b"\n\n")
        requests[file.name[:3]] = make(head.split()[1].decode(), body.removesuffix(b"\n"))
    return requests


AFRICASTALKING = golden("africastalking_sms", _africastalking)
TWILIO = golden("twilio_webhooks", _twilio)
ORDER_MATTERS = ("X01", "X02", "X03", "X04", "X05", "X06", "X07")
NOWHERE = "G29"  # we sell no subscriptions

# Texts of ours to a phone, and the provider's name for each; None where its answer was lost. Reports tell of them.
AFRICASTALKING_SENT = {
    1: (AMINA, f"ATXid_{1:032}"),
    2: ("+254711000021", f"ATXid_{2:032}"),
    3: ("+254711000022", f"ATXid_{3:032}"),
    4: ("+254711000023", f"ATXid_{4:032}"),
    5: ("+254711000025", f"ATXid_{5:032}"),
    6: ("+254711000026", None),
}
TWILIO_SENT = {42: (AMINA, None), 43: (AMERICAN, f"{SID}07")}

AFTER_AFRICASTALKING = World(
    tickets=[("A001", "waiting", "+254711000004"), ("P001", "waiting", "+254711000008")],
    taken={
        f"{TEXT_ID}01": "bad_code",
        f"{TEXT_ID}02": "did_you_mean",
        f"{TEXT_ID}20": "no_phone",
        f"{TEXT_ID}21": "joined",
        f"{TEXT_ID}22": "did_you_mean",
        f"{TEXT_ID}23": "status_none",
        f"{TEXT_ID}24": "unknown",
        f"{TEXT_ID}25": "joined",
        f"{TEXT_ID}26": "unknown",
        f"{TEXT_ID}27": "help",
        f"{TEXT_ID}28": "unknown",
        f"{TEXT_ID}29": "unknown",
        f"{TEXT_ID}30": "no_phone",
    },
    texts=[
        (AMINA, "bad_code", "queued", None),
        (AMINA, "did_you_mean", "queued", None),
        (AMINA, "near", "delivered", None),
        ("+254711000004", "joined", "queued", None),
        ("+254711000005", "did_you_mean", "queued", None),
        ("+254711000006", "status_none", "queued", None),
        ("+254711000007", "unknown", "queued", None),
        ("+254711000008", "joined", "queued", None),
        ("+254711000009", "unknown", "queued", None),
        ("+254711000010", "help", "queued", None),
        ("+254711000011", "unknown", "queued", None),
        ("+254711000012", "unknown", "queued", None),
        ("+254711000021", "near", "delivered", None),
        ("+254711000022", "near", "failed", None),
        ("+254711000023", "near", "sent", None),
        ("+254711000025", "near", "failed", "opted_out"),
        ("+254711000026", "near", "delivered", None),
    ],
    opted_out=[AMINA, "+254711000025", "+254711000028"],
)
AFTER_TWILIO = World(
    tickets=[],
    taken={f"{SID}01": "bad_code", f"{SID}02": "did_you_mean", f"{SID}03": "silence"},
    texts=[
        (AMERICAN, "did_you_mean", "queued", None),
        (AMERICAN, "near", "failed", "opted_out"),
        (AMINA, "bad_code", "queued", None),
        (AMINA, "near", "delivered", None),
    ],
    opted_out=[AMERICAN],
)


def arranged(names: Sequence[str], times: int, order: str | int) -> list[str]:
    """The names as they come; `order` is that of DELIVERIES."""
    if order == "each":
        return [name for name in names for _ in range(times)]
    arranged = list(names) * times
    if isinstance(order, int):
        random.Random(order).shuffle(arranged)
    return arranged


async def deliver(server: Server, requests: dict[str, Golden], names: Sequence[str], *, together: bool = False) -> None:
    """What Africa's Talking and Twilio do; both want to hear 200."""
    print(*names)  # noqa: T201 - the order, should it fail

    async def one(name: str) -> int:
        request = requests[name]
        return (await server.form(request.path, request.body, **request.headers)).status_code

    statuses = await asyncio.gather(*map(one, names)) if together else [await one(name) for name in names]
    assert statuses == [404 if name == NOWHERE else 200 for name in names]


async def sent_before(server: Server, gateway: str, texts: dict[int, tuple[str, str | None]]) -> None:
    for number, (phone, provider_id) in texts.items():
        await server.pool.execute(ON_ITS_WAY, UUID(int=number), phone, gateway, provider_id)


async def end_of(server: Server) -> World:
    """Every text that came must be handled, and be there once."""
    ids = [row[0] for row in await server.pool.fetch("select provider_id from inbound_messages")]
    taken = {row[0]: row[1] for row in await server.pool.fetch(TAKEN)}
    assert sorted(ids) == sorted(taken)
    return World(
        tickets=[tuple(row) for row in await server.pool.fetch(TICKETS)],
        taken=taken,
        texts=[tuple(row) for row in await server.pool.fetch(TEXTS)],
        opted_out=[row[0] for row in await server.pool.fetch(OPTED_OUT)],
    )


@pytest.mark.parametrize(("times", "order"), DELIVERIES)
async def test_what_africas_talking_posts_means_the_same_in_any_number_and_order(
    server: Server, times: int, order: str | int
) -> None:
    await sent_before(server, "africastalking", AFRICASTALKING_SENT)
    names = arranged([name for name in AFRICASTALKING if name not in ORDER_MATTERS], times, order)
    await deliver(server, AFRICASTALKING, names, together=order == "at once")
    assert await end_of(server) == AFTER_AFRICASTALKING


@pytest.mark.parametrize(("times", "order"), DELIVERIES)
async def test_what_twilio_posts_means_the_same_in_any_number_and_order(
    server: Server, times: int, order: str | int
) -> None:
    await sent_before(server, "twilio", TWILIO_SENT)
    await deliver(server, TWILIO, arranged(list(TWILIO), times, order), together=order == "at once")
    assert await end_of(server) == AFTER_TWILIO


def after(names: Sequence[str]) -> World:
    """Where order matters: each text does, when it first comes, what was possible then, and nothing ever after."""
    place, tickets, taken, out = "", dict[str, str](), dict[str, str](), False
    for name in dict.fromkeys(names):
        match name:
            case "X01" | "X04":  # JOIN A, and JOIN P
                outcome = "already" if place else "joined"
                place = place or {"X01": "A001", "X04": "P001"}[name]
                tickets.setdefault(place, "waiting")
            case "X02":  # STATUS
                outcome = "status_waiting" if place else "status_none"
            case "X03" if place == "A001":  # LEAVE A001
                outcome, place, tickets["A001"] = "left", "", "cancelled"
            case "X03":
                outcome = "leave_ask" if place else "status_none"
            case "X05":
                outcome, out = "stop_no_ticket", True
            case "X06":
                outcome, out = "start", False
            case _:
                outcome = "help"
        taken[f"{TEXT_ID}{int(name[1:]) + 10}"] = outcome
    texts = [(JOINER if int(text_id[-2:]) < 15 else STOPPER, said, "queued", None) for text_id, said in taken.items()]
    waiting = [(label, status, JOINER) for label, status in sorted(tickets.items())]
    return World(waiting, taken, sorted(texts, key=lambda text: text[:2]), [STOPPER] if out else [])


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize(
    "order",
    [
        ("X01", "X02", "X03", "X04", "X05", "X06", "X07"),
        ("X03", "X01", "X02", "X06", "X05"),  # LEAVE before JOIN, START before STOP
        ("X04", "X03", "X01", "X02"),  # LEAVE A001 while the place is P001
        *SEEDS,
    ],
)
async def test_where_order_matters_the_first_delivery_of_each_text_counts_and_no_later_one(
    server: Server, order: tuple[str, ...] | int, times: int
) -> None:
    names = arranged(ORDER_MATTERS, times, order) if isinstance(order, int) else list(order) * times
    await deliver(server, AFRICASTALKING, names)
    assert await end_of(server) == after(names)


async def test_a_leave_that_overtakes_its_join_leaves_no_ghost_behind(server: Server) -> None:
    await deliver(server, AFRICASTALKING, ["X03", "X03"])
    assert (await end_of(server)).tickets == []
    await deliver(server, AFRICASTALKING, ["X01", "X03", "X01"])
    assert (await end_of(server)).tickets == [("A001", "waiting", JOINER)]
