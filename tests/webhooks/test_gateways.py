"""Every USSD gateway over HTTP: whole conversations, cut off and taken up again, repeats, and who may call."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter

import httpx
import pytest
from starlette.applications import Starlette

from queue_core.text import units
from tests.ussd.gateways.dialects import DIALECTS, Phone, Seen, Sent
from tests.webhooks.conftest import SECRET, USSD_SECRETS, Server
from tests.world import MIDDAY
from webhooks.routes import routes

TICKETS = (
    "select label(q.code, t.number), t.status from tickets t join queues q on q.id = t.queue_id where t.phone = $1"
)

CODE = attrgetter("code")
WITH_PATH = [dialect for dialect in DIALECTS if dialect.passes_path]
WITH_NAMES = [dialect for dialect in DIALECTS if dialect.names_requests]
WITH_ABORT = [dialect for dialect in DIALECTS if dialect().gone()]


def secret_of(code: str) -> str:
    return USSD_SECRETS.get(code, SECRET)


async def send(server: Server, code: str, sent: Sent, secret: str | None = None) -> httpx.Response:
    url = f"/hooks/{code}/ussd/{secret or secret_of(code)}{sent.path}"
    if sent.method == "GET":
        return await server.client.get(f"{url}?{sent.data.decode()}")
    return await server.client.request(sent.method, url, content=sent.data)


@dataclass
class Caller:
    """Somebody with a phone of this gateway, who reads screens that come in parts to their end."""

    server: Server
    phone: Phone
    seen: Seen = field(default_factory=lambda: Seen("", over=True))

    async def dial(self, path: str = "") -> str:
        return await self.take(self.phone.dial(path))

    async def press(self, *keys: str) -> str:
        for key in keys:
            assert not self.seen.over, self.seen
            await self.take(self.phone.press(key))
        return self.seen.text

    async def whole(self) -> str:
        """All parts of the screen."""
        text = self.seen.text
        while text.endswith("98 More"):
            text = text.removesuffix("98 More") + await self.press("98")
        return text

    async def take(self, sent: Sent) -> str:
        self.seen = await self.answer(sent)
        assert self.seen.text
        assert units(self.seen.text) <= self.phone.screen
        return self.seen.text

    async def answer(self, sent: Sent) -> Seen:
        response = await send(self.server, self.phone.code, sent)
        assert response.status_code == 200
        return self.phone.read(response.text, response.headers)

    async def hang_up(self) -> None:
        if gone := self.phone.gone():
            assert (await self.answer(gone)).text == ""

    async def tickets(self) -> list[tuple[str, str]]:
        return [tuple(row) for row in await self.server.pool.fetch(TICKETS, self.phone.number)]


@pytest.fixture(params=DIALECTS, ids=CODE)
async def caller(request: pytest.FixtureRequest, server: Server) -> Caller:
    await server.pool.execute(MIDDAY)
    return Caller(server, request.param())


async def join(caller: Caller) -> None:
    await caller.dial()
    await caller.press("1", "4071", "1", "1")
    text = await caller.whole()
    assert "A001" in text
    assert caller.seen.over


async def test_a_caller_joins_looks_and_leaves(caller: Caller) -> None:
    await join(caller)
    assert await caller.tickets() == [("A001", "waiting")]
    assert (await caller.dial()).startswith("A001 ")
    await caller.press("1")
    assert "A001" in await caller.whole()
    await caller.press("3")
    assert "Leave" in await caller.whole()
    await caller.press("2")
    await caller.whole()
    assert caller.seen.over
    assert await caller.tickets() == [("A001", "cancelled")]
    assert "Join a line" in await caller.dial()


@pytest.mark.parametrize("caller", WITH_PATH, indirect=True, ids=CODE)
async def test_what_is_dialled_after_the_code_is_pressed(caller: Caller) -> None:
    await caller.dial("4071*1")
    assert "1 Yes" in await caller.whole()
    await caller.press("1")
    assert await caller.tickets() == [("A001", "waiting")]


async def test_who_was_cut_off_while_joining_goes_on_when_he_dials_again(caller: Caller) -> None:
    await caller.dial()
    await caller.press("1", "4071", "1")
    await caller.hang_up()
    assert await caller.tickets() == []
    await caller.dial()
    assert "1 Continue" in await caller.whole()
    await caller.press("1", "1")
    assert await caller.tickets() == [("A001", "waiting")]


@pytest.mark.parametrize("caller", WITH_ABORT, indirect=True, ids=CODE)
async def test_who_hung_up_is_known_to_be_gone(caller: Caller) -> None:
    await caller.dial()
    await caller.press("1")
    for _ in range(3):
        await caller.hang_up()
    query = "select outcome from ussd_sessions where gateway = $1"
    assert await caller.server.pool.fetchval(query, caller.phone.code) == "dropped"


@pytest.mark.parametrize("caller", WITH_ABORT, indirect=True, ids=CODE)
async def test_the_end_of_a_session_that_nobody_knows_is_taken_calmly(caller: Caller) -> None:
    await caller.hang_up()


async def test_a_call_that_comes_thrice_is_one_call(caller: Caller) -> None:
    sent = caller.phone.dial()
    screens = {(await caller.answer(sent)).text for _ in range(3)}
    assert len(screens) == 1
    assert await caller.server.pool.fetchval("select count(*) from ussd_sessions") == 1


@pytest.mark.parametrize("caller", WITH_NAMES, indirect=True, ids=CODE)
async def test_a_key_that_comes_thrice_is_pressed_once_where_requests_have_names(caller: Caller) -> None:
    await caller.dial()
    for key in ("1", "4071", "1", "1"):
        sent = caller.phone.press(key)
        assert len({(await caller.answer(sent)).text for _ in range(3)}) == 1
    assert await caller.tickets() == [("A001", "waiting")]


async def test_keys_that_come_thrice_never_make_two_tickets(caller: Caller) -> None:
    await caller.dial()
    for key in ("1", "4071", "1", "1"):
        sent = caller.phone.press(key)
        for _ in range(3):
            assert (await send(caller.server, caller.phone.code, sent)).status_code == 200
    assert len(await caller.tickets()) <= 1


async def test_a_wrong_secret_is_answered_like_any_unknown_path(caller: Caller) -> None:
    code, sent = caller.phone.code, caller.phone.dial()
    other = next(secret for name, secret in USSD_SECRETS.items() if name != code)
    for secret in ("wrong", "wrong/", other, f"{secret_of(code)}x"):
        answer = await send(caller.server, code, sent, secret)
        assert (answer.status_code, answer.text) == (404, "Not Found")
    assert await caller.server.pool.fetchval("select count(*) from ussd_sessions") == 0


@pytest.mark.parametrize("dialect", DIALECTS[1:], ids=CODE)
async def test_a_gateway_that_has_no_secret_does_not_exist(dialect: type[Phone]) -> None:
    transport = httpx.ASGITransport(Starlette(routes=routes((SECRET,), {})))
    async with httpx.AsyncClient(transport=transport, base_url="http://zamu") as client:
        for secret in ("", "None", SECRET, USSD_SECRETS[dialect.code]):
            for method in ("GET", "POST", "PUT"):
                path = f"/hooks/{dialect.code}/ussd/{secret}{dialect().dial().path}"
                answer = await client.request(method, path)
                assert (answer.status_code, answer.text) == (404, "Not Found")


async def test_another_method_is_refused_to_who_knows_the_secret_and_unknown_to_others(caller: Caller) -> None:
    sent = caller.phone.dial()
    for method in {"GET", "POST", "PUT"} - {sent.method, "PUT" if caller.phone.code == "infobip" else ""}:
        other = Sent(sent.data, method, sent.path)
        refused = await send(caller.server, caller.phone.code, other)
        assert refused.status_code == 405
        assert "Nothing was changed" in refused.text
        unknown = await send(caller.server, caller.phone.code, other, "wrong")
        assert (unknown.status_code, unknown.text) == (404, "Not Found")


async def test_what_is_no_request_is_answered_in_words_and_changes_nothing(caller: Caller) -> None:
    sent = caller.phone.dial()
    for data in (b"", b"[]", b"{}", b"%ff", b"{", b'{"sessionId": {}}', b"a=1&a=1", b"x" * 20_000):
        response = await send(caller.server, caller.phone.code, Sent(data, sent.method, sent.path))
        assert response.status_code == 200
        assert "Nothing was changed" in response.text
    assert await caller.server.pool.fetchval("select count(*) from ussd_sessions") == 0


async def test_no_secret_and_no_phone_number_is_ever_logged(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    await caller.dial()
    await caller.press("1")
    await caller.hang_up()
    await send(caller.server, caller.phone.code, Sent(b"x=1", caller.phone.dial().method))
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("zamu"))
    assert "hooks" in logged
    for secret in (secret_of(caller.phone.code), caller.phone.number.removeprefix("+")):
        assert secret not in logged
