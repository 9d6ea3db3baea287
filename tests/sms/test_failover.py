from __future__ import annotations

import asyncio
import logging

import pytest

from db.pool import Pool
from sms.failover import FAILURES, REST_SECONDS, Failover
from sms.sending import SendFailed, Sent
from tests.sms.conftest import AMINA, FINAL, REFUSED, RETRY, UNKNOWN, Queue, Scripted, Slow, outbox_of, state
from tests.sms.test_outbox import overdue
from tests.sms.test_outbox_running import running, until

UGANDAN = "+256711000001"


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("sms.failover.monotonic", clock)
    return clock


def failing(way: Failover, times: int, failure: SendFailed = RETRY) -> None:
    for _ in range(times):
        way.begin("first")
        way.heard("first", failure)


@pytest.mark.parametrize("failure", [RETRY, UNKNOWN])
def test_a_gateway_rests_after_five_failures_in_a_row(failure: SendFailed) -> None:
    gateways = Failover([Scripted(code="first"), Scripted(code="second")])
    failing(gateways, FAILURES - 1, failure)
    assert gateways.routes == ([""], ["first second"])
    failing(gateways, 1, failure)
    assert gateways.routes == ([""], ["second"])
    assert gateways.room("first", 64) == 0


@pytest.mark.parametrize("answer", [Sent("id"), FINAL])
def test_a_text_that_is_answered_ends_the_row(answer: Sent | SendFailed) -> None:
    gateways = Failover([Scripted(code="first")])
    for _ in range(3):
        failing(gateways, FAILURES - 1)
        gateways.heard("first", answer)
    assert gateways.room("first", 64) == 64


def test_what_is_wrong_with_single_texts_rests_no_gateway() -> None:
    gateways = Failover([Scripted(code="first")])
    failing(gateways, 50, FINAL)
    assert gateways.room("first", 64) == 64


def test_after_its_rest_one_text_tries_it_and_the_others_go_elsewhere(clock: Clock) -> None:
    gateways = Failover([Scripted(code="second"), Scripted(code="first")])
    failing(gateways, FAILURES)
    clock.now += REST_SECONDS
    assert gateways.codes[0] == "first"
    assert gateways.room("first", 64) == 1
    gateways.begin("first")
    assert gateways.room("first", 64) == 0
    assert gateways.routes == ([""], ["second"])


def test_a_trial_that_succeeds_lets_all_through_and_one_that_fails_none(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    gateways = Failover([Scripted(code="first")])
    failing(gateways, FAILURES)
    for _ in range(3):
        clock.now += REST_SECONDS
        failing(gateways, 1)
        assert gateways.room("first", 64) == 0
    clock.now += REST_SECONDS
    gateways.begin("first")
    assert gateways.heard("first", Sent("id"))
    assert gateways.room("first", 64) == 64
    assert not gateways.heard("first", Sent("id"))
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_a_trial_of_which_nothing_is_heard_is_followed_by_another(clock: Clock) -> None:
    gateways = Failover([Scripted(code="first")])
    failing(gateways, FAILURES)
    for _ in range(2):
        clock.now += REST_SECONDS
        assert gateways.room("first", 64) == 1
        gateways.begin("first")


def test_advice_about_a_single_text_is_told(caplog: pytest.LogCaptureFixture) -> None:
    gateways = Failover([Scripted(code="first")])
    gateways.heard("first", SendFailed("region_not_allowed", "final", advice="Allow the country."))
    assert "Allow the country." in caplog.text


async def test_texts_wait_while_their_only_gateway_rests_and_one_tries_it(
    pool: Pool, queue: Queue, clock: Clock
) -> None:
    texts = [await queue() for _ in range(20)]
    provider = Scripted(*[RETRY] * (FAILURES + 1))
    outbox = outbox_of(pool, provider, in_flight=FAILURES)
    await outbox.drain()
    assert len(provider.ledger) == FAILURES
    await overdue(pool)
    clock.now += REST_SECONDS
    await outbox.drain()
    assert len(provider.ledger) == FAILURES + 1
    await overdue(pool)
    clock.now += REST_SECONDS
    await outbox.drain()
    assert {(await state(pool, text))["status"] for text in texts} == {"sent"}


async def test_an_urgent_text_goes_round_a_gateway_that_rests(pool: Pool, queue: Queue) -> None:
    first, second = Scripted(*[UNKNOWN] * FAILURES, code="first"), Scripted(code="second")
    outbox = outbox_of(pool, first, second, in_flight=FAILURES)
    lost = [await queue() for _ in range(FAILURES)]
    await outbox.drain()
    turn = await queue("turn")
    await outbox.drain()
    assert (await state(pool, turn))["gateway"] == "second"
    assert {(await state(pool, text))["status"] for text in lost} == {"unknown"}
    assert len(second.ledger) == 1


def test_the_longest_beginning_of_a_phone_names_its_gateways() -> None:
    gateways = Failover(
        [Scripted(code="first"), Scripted(code="second")], {"+25": ["second"], "+254": ["second", "first"]}
    )
    assert dict(zip(*gateways.routes, strict=True)) == {"": "first second", "+25": "second", "+254": "second first"}


@pytest.mark.parametrize("unknown", [{"routes": {"+254": ["nobody"]}}, {"rates": {"nobody": 1.0}}])
def test_a_gateway_that_nobody_knows_is_refused(unknown: dict[str, dict[str, object]]) -> None:
    with pytest.raises(KeyError):
        Failover([Scripted(code="first")], **unknown)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("phone", "order"),
    [(UGANDAN, "second second"), (AMINA, "second first"), ("+254722000001", "first second")],
)
async def test_each_country_has_its_own_order(phone: str, order: str, pool: Pool, queue: Queue) -> None:
    text = await queue(phone=phone)
    gateways = [Scripted(*[RETRY] * 2, code=code) for code in ("first", "second")]
    tried = []
    for _ in range(2):
        await outbox_of(pool, *gateways, routes={"+256": ["second"], "+25471": ["second", "first"]}).drain()
        await overdue(pool)
        tried.append((await state(pool, text))["gateway"])
    assert " ".join(tried) == order


async def test_a_text_without_any_gateway_that_works_waits_and_others_go(pool: Pool, queue: Queue) -> None:
    first, second = Scripted(REFUSED, code="first"), Scripted(code="second")
    outbox = outbox_of(pool, first, second, routes={"+254": ["first"], "+256": ["second"]}, in_flight=1)
    stuck = [await queue("turn", phone=AMINA) for _ in range(3)]
    ugandan = await queue(phone=UGANDAN)
    await outbox.drain()
    assert {(await state(pool, text))["status"] for text in stuck} == {"queued"}
    assert (await state(pool, ugandan))["status"] == "sent"


async def test_a_slow_gateway_holds_up_only_its_own_texts(pool: Pool, queue: Queue) -> None:
    slow, quick = Slow(), Scripted(code="quick")
    for _ in range(3):
        await queue(phone=AMINA)
    ugandan = await queue(phone=UGANDAN)
    outbox = outbox_of(pool, slow, quick, routes={"+254": ["scripted"], "+256": ["quick"]}, in_flight=1)
    async with running(outbox):
        await slow.asked.wait()
        await until(pool, ugandan, "sent")
        slow.may_answer.set()


def test_a_gateway_takes_no_more_than_its_rate_over_any_time(clock: Clock) -> None:
    gateways, taken = Failover([Scripted()], rates={"scripted": 10}), []
    for _ in range(1000):
        for _ in range(gateways.room("scripted", 64)):
            gateways.begin("scripted")
            taken.append(clock.now)
        pause = gateways.pause
        assert pause is not None
        clock.now += pause / 3
    for begin in taken:
        assert len([at for at in taken if begin <= at < begin + 1 - 1e-6]) <= 11
    assert len(taken) >= 10 * (clock.now - 1000) - 1


def test_a_rest_saves_up_no_more_than_a_tenth_of_a_second(clock: Clock) -> None:
    gateways = Failover([Scripted()], rates={"scripted": 100})
    clock.now += 3600
    assert gateways.room("scripted", 64) == 10
    assert gateways.pause is None


async def test_with_a_rate_every_text_is_sent_and_the_most_urgent_first(pool: Pool, queue: Queue) -> None:
    provider = Scripted()
    for template in ("joined", "near", "joined", "turn", "near"):
        await queue(template)
    await outbox_of(pool, provider, rates={"scripted": 20}).drain()
    words = ("IS YOUR TURN", "you are near", "you are near", "your number is", "your number is")
    assert [word in body for word, (_, body) in zip(words, provider.ledger, strict=True)] == [True] * 5


async def test_a_text_that_waits_for_its_turn_is_not_claimed_and_no_connection_waits(
    pool: Pool, queue: Queue, clock: Clock
) -> None:
    texts = [await queue() for _ in range(5)]
    provider = Scripted()
    outbox = outbox_of(pool, provider, rates={"scripted": 1})
    async with running(outbox):
        await until(pool, texts[0], "sent")
        turn = await queue("turn")
        outbox.wake()
        assert [(await state(pool, text))["status"] for text in texts[1:]] == ["queued"] * 4
        async with asyncio.timeout(10):
            while pool.get_idle_size() < pool.get_size():  # noqa: ASYNC110 - a pool wakes nobody
                await asyncio.sleep(0.01)
        clock.now += 1
        outbox.wake()
        await until(pool, turn, "sent")
    assert len(provider.ledger) == 2


def test_the_operator_is_told_what_rests_and_why(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    gateways = Failover([Scripted(code="first")])
    failing(gateways, FAILURES)
    assert "first failed 5 times in a row (provider_error)" in caplog.text
