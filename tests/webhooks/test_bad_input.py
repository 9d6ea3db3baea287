"""Rubbish at the door (F55-F57, F61, F62), and what exactly is said of it; tests/fuzz brings much more of it."""

from __future__ import annotations

import pytest

from tests.webhooks.conftest import SECRET, Server

AT = f"/hooks/africastalking/ussd/{SECRET}"
GOOD = "sessionId=ATUid_1&phoneNumber=%2B254711000001&serviceCode=%2A384%2A40%23&text="


async def changed(server: Server) -> int:
    """How much of the database rubbish touched."""
    rows: int = await server.pool.fetchval(
        "select (select count(*) from tickets) + (select count(*) from notifications)"
        " + (select count(*) from customers) + (select count(*) from ussd_sessions)"
    )
    return rows


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"sessionId=ATUid_1&text=",
        b"phoneNumber=%2B254711000001&text=",
        b"sessionId=&phoneNumber=%2B254711000001&text=",
        b"sessionId=ATUid_1&phoneNumber=nobody&text=",
        b"sessionId=ATUid_1&phoneNumber=%2B254711000001;ext=5&text=",
        b"sessionId=ATUid_1&phoneNumber=%2B254711000001&phoneNumber=%2B254711000002&text=",
        b"sessionId=%00&phoneNumber=%2B254711000001&text=",
        b"sessionId=%ff%fe&phoneNumber=%2B254711000001&text=",
        b"\xff\xfe\x00",
        b"%ZZ=%ZZ",
        b"&" * 3000,
        b"a=1&" * 3000,
        b'{"session_id": "s1"}',
        GOOD.replace("ATUid_1", "x" * 200).encode(),
    ],
)
async def test_a_broken_form_is_answered_with_an_end_in_plain_words_and_changes_nothing(
    server: Server, body: bytes
) -> None:
    answer = await server.form(AT, body)
    assert answer.status_code == 200
    assert answer.text.startswith("END Sorry")
    assert "Nothing was changed" in answer.text
    assert await changed(server) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"[" * 20_000,
        b'{"session_id": "s1", "selection": ""}',
        b'{"phone": "+254711000001", "selection": ""}',
        b'{"session_id": "s1", "phone": 5, "selection": ""}',
        b'{"session_id": "s1", "phone": "+254711000001", "selection": {}}',
        b'{"session_id": "s1", "phone": "+254711000001", "selection": true}',
        b"\xff",
    ],
)
async def test_broken_json_is_answered_with_an_end_and_with_what_is_wrong(server: Server, body: bytes) -> None:
    answer = await server.choose(body)
    assert answer.status_code == 200
    said = answer.json()
    assert said["end"] is True
    assert said["text"].startswith("Sorry")
    assert said["error"]
    assert await changed(server) == 0


@pytest.mark.parametrize("path", [AT, f"/hooks/africastalking/delivery/{SECRET}", "/ussd/inbound"])
async def test_a_body_of_a_megabyte_is_refused_unread(server: Server, path: str) -> None:
    async def endless() -> object:
        for _ in range(1000):
            yield b"a=1&" * 256

    headers = {"X-Webhook-Secret": SECRET}
    declared = await server.client.post(path, content=b"x" * 1_000_000, headers=headers)
    streamed = await server.client.post(path, content=endless(), headers=headers)  # type: ignore[arg-type]
    for answer in (declared, streamed):
        assert answer.status_code == 413
        assert "too long" in answer.text


async def test_a_chain_of_ten_thousand_steps_ends_in_words(server: Server) -> None:
    answer = await server.dial(text="*".join("1" * 5000))
    assert answer.status_code == 200
    assert answer.text.startswith("END We did not understand")


async def test_another_phone_in_a_session_starts_fresh(server: Server) -> None:
    await server.dial(text="")
    first = await server.dial(text="4071")
    assert "Choose a line" in first.text
    other = await server.dial(text="", phoneNumber="+254711000002")
    assert other.text.startswith("CON Zamu")
