"""What a provider sends when somebody texts us: once each, and never lost."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import httpx
import pytest

from tests.webhooks.conftest import SECRET, Server

GOOD = {
    "date": "2026-11-21T06:04:45Z",
    "from": "+254711000001",
    "id": "ec9adc86-51d5-4bc8-8eb0-d8ab0bb53dc3",
    "linkId": "",
    "text": "JOIN 4071 A",
    "to": "20880",
    "cost": "KES 1.00",
    "networkCode": "63902",
}


async def text(server: Server, secret: str = SECRET, **fields: str) -> httpx.Response:
    return await server.form(f"/hooks/africastalking/sms/{secret}", urlencode(GOOD | fields).encode())


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_text_is_taken_once_however_often_it_comes(server: Server, times: int) -> None:
    answers = [await text(server) for _ in range(times)]
    answers += await asyncio.gather(*(text(server) for _ in range(times)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"")}
    assert await server.pool.fetchval("select count(*) from inbound_messages") == 1
    assert await server.pool.fetchval("select count(*) from tickets") == 1
    assert await server.pool.fetchval("select count(*) from notifications") == 1


@pytest.mark.parametrize("date", ["2017-05-03 06:04:45", "2017-05-03T06:04:45Z", "2018-03-19T08:34:18.445Z"])
async def test_every_way_to_write_a_date_is_read(server: Server, date: str) -> None:
    assert (await text(server, date=date)).status_code == 200
    at = await server.pool.fetchval("select sent_at from inbound_messages")
    assert at.isoformat()[:10] == date[:10]


@pytest.mark.parametrize(
    "changed",
    [
        {"date": "yesterday"},
        {"date": "0001-01-01T00:00:00+05:00"},
        {"date": "9999-12-31T23:59:59-05:00"},
        {"date": "9999-12-31T23:59:59"},
        {"from": "MTN"},
        {"from": ""},
        {"text": ""},
        {"text": "\0" * 10},
        {"text": "😀" * 900},
        {"to": "x" * 999},
    ],
)
async def test_whatever_is_odd_about_a_text_it_is_kept_and_nothing_breaks(
    server: Server, changed: dict[str, str]
) -> None:
    assert (await text(server, **changed)).status_code == 200
    assert await server.pool.fetchval("select count(*) from inbound_messages where handled_at is not null") == 1


async def test_an_id_with_a_line_break_begins_no_header(server: Server) -> None:
    answer = await text(server, id="1\r\nSet-Cookie: a=b\x07é")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-request-id"] == "africastalking:1Set-Cookie: a=b"


async def test_a_text_without_an_id_is_refused(server: Server) -> None:
    answer = await text(server, id="")
    assert (answer.status_code, answer.text) == (400, "A text needs an id. Nothing was changed.")


async def test_a_wrong_secret_learns_nothing(server: Server) -> None:
    wrong, nowhere = await text(server, secret="guess"), await server.client.post("/nowhere")
    assert (wrong.status_code, wrong.content) == (nowhere.status_code, nowhere.content) == (404, b"Not Found")
    assert await server.pool.fetchval("select count(*) from inbound_messages") == 0


async def test_an_opt_out_at_the_provider_is_heeded(server: Server) -> None:
    body = urlencode({"senderId": "ZAMU", "phoneNumber": "+254711000001"}).encode()
    for _ in range(2):
        assert (await server.form(f"/hooks/africastalking/opt-out/{SECRET}", body)).status_code == 200
    assert await server.pool.fetchval("select phone from customers where opted_out_at is not null") == "+254711000001"
    assert (await server.form(f"/hooks/africastalking/opt-out/{SECRET}", b"")).status_code == 200
