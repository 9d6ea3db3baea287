"""Who may call us, and how little those learn who may not."""

from __future__ import annotations

import json

import pytest

from tests.webhooks.conftest import NEXT_SECRET, SECRET, Server

GOOD = json.dumps({"session_id": "s1", "phone": "+254711000001", "selection": ""}).encode()


async def test_both_secrets_work_while_one_replaces_the_other(server: Server) -> None:
    for secret in (SECRET, NEXT_SECRET):
        assert (await server.dial(secret)).text.startswith("CON Zamu")
        assert (await server.choose(GOOD, secret)).json()["end"] is False


async def test_a_wrong_secret_is_answered_like_any_unknown_path(server: Server) -> None:
    wrong = await server.dial("not-the-secret")
    unknown = await server.client.post("/no/such/path")
    assert (wrong.status_code, wrong.text) == (unknown.status_code, unknown.text) == (404, "Not Found")


@pytest.mark.parametrize("hook", ["ussd", "ussd-end", "delivery"])
async def test_every_hook_asks_for_the_secret(server: Server, hook: str) -> None:
    assert (await server.form(f"/hooks/africastalking/{hook}/wrong", b"")).status_code == 404
    assert (await server.form(f"/hooks/africastalking/{hook}/{SECRET}", b"")).status_code == 200


async def test_an_unknown_gateway_does_not_exist_even_with_the_secret(server: Server) -> None:
    assert (await server.form(f"/hooks/nobody/ussd/{SECRET}", b"")).status_code == 404


async def test_the_json_contract_without_its_header_is_refused_and_changes_nothing(server: Server) -> None:
    for refused in (await server.choose(GOOD, ""), await server.choose(GOOD, "é" * 20)):
        assert refused.status_code == 401
        assert "Nothing was changed" in refused.text
    assert await server.pool.fetchval("select count(*) from ussd_sessions") == 0


async def test_a_get_changes_nothing(server: Server) -> None:
    assert (await server.client.get(f"/hooks/africastalking/ussd/{SECRET}")).status_code == 405


async def test_no_secret_and_no_phone_number_is_ever_logged(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    await server.dial()
    await server.dial("another-secret-that-is-wrong")
    await server.dial(phoneNumber="+254799888777", sessionId="ATUid_1")  # another phone in that session
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("zamu"))
    assert "hooks" in logged
    for secret in (SECRET, "another-secret", "254711000001", "254799888777"):
        assert secret not in logged
