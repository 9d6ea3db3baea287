"""What Twilio sends: believed when it is signed, and handled once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest

from telco_sim.twilio.signing import signature
from tests.webhooks.conftest import PUBLIC_URL, SECRET, TWILIO_TOKEN, Server

GOLDEN = Path(__file__).parents[1] / "golden" / "twilio_webhooks"
SMS, DELIVERY = f"/hooks/twilio/sms/{SECRET}", f"/hooks/twilio/delivery/{SECRET}"
NO_WORDS = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


def golden(name: str) -> dict[str, str]:
    (path,) = GOLDEN.glob(f"{name}_*.http")
    return dict(
        parse_qsl(
            path.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")[2].decode().strip(), keep_blank_values=True
        )
    )


async def post(server: Server, path: str, fields: dict[str, str], token: str = TWILIO_TOKEN) -> httpx.Response:
    """As Twilio posts it: signed over the address that it knows."""
    signed = {"x-twilio-signature": signature(token, PUBLIC_URL + path, fields)}
    return await server.form(path, urlencode(fields).encode(), **signed)


@pytest.mark.parametrize("name", ["G30", "G31", "G32"])
@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_text_is_handled_once_however_often_it_comes(server: Server, name: str, times: int) -> None:
    fields = golden(name)
    answers = [await post(server, SMS, fields) for _ in range(times)]
    answers += await asyncio.gather(*(post(server, SMS, fields) for _ in range(times)))
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, NO_WORDS)}
    assert all(answer.headers["content-type"].startswith("text/xml") for answer in answers)
    assert await server.pool.fetchval("select count(*) from inbound_messages where handled_at is not null") == 1
    stopped = name == "G32"
    assert await server.pool.fetchval("select count(*) from notifications") == (0 if stopped else 1)
    assert await server.pool.fetchval("select count(opted_out_at) from customers") == int(stopped)


async def test_a_person_joins_by_twilio(server: Server) -> None:
    fields = golden("G30") | {"Body": "JOIN 4071 A", "From": "+254711000001"}
    await post(server, SMS, fields)
    assert await server.pool.fetchval("select channel from tickets where phone = '+254711000001'") == "sms"


@pytest.mark.parametrize("token", ["", "another-token", TWILIO_TOKEN[:-1]])
async def test_what_twilio_did_not_sign_is_refused_and_nothing_is_read(server: Server, token: str) -> None:
    answer = await post(server, SMS, golden("G30"), token or "nobody")
    assert answer.status_code == 403
    assert answer.text == "The signature is missing or wrong. Nothing was changed."
    unsigned = await server.form(SMS, urlencode(golden("G30")).encode())
    assert unsigned.status_code == 403
    assert await server.pool.fetchval("select count(*) from inbound_messages") == 0


async def test_a_changed_body_a_dropped_blank_field_and_another_path_break_the_signature(server: Server) -> None:
    fields = golden("G30")
    good = signature(TWILIO_TOKEN, PUBLIC_URL + SMS, fields)
    kept = {name: value for name, value in fields.items() if value}
    for path, body in [
        (SMS, fields | {"Body": "LEAVE"}),
        (SMS, kept),
        (f"{SMS}?m=1", fields),
        (DELIVERY, fields),
    ]:
        answer = await server.form(path, urlencode(body).encode(), **{"x-twilio-signature": good})
        assert answer.status_code == 403
    assert await server.pool.fetchval("select count(*) from inbound_messages") == 0


async def test_the_next_token_is_believed_while_one_replaces_the_other(server: Server) -> None:
    assert (await post(server, SMS, golden("G30"), "the-token-after-it")).status_code == 200


async def test_a_wrong_secret_in_the_path_learns_nothing_even_with_a_signature(server: Server) -> None:
    path = "/hooks/twilio/sms/a-guess"
    assert (await post(server, path, golden("G30"))).status_code == 404


@pytest.mark.parametrize("name", ["G35", "G36", "G38"])
async def test_a_report_settles_the_text_that_its_address_names(server: Server, name: str) -> None:
    row = await server.pool.fetchval(
        "insert into notifications (phone, template, status, gateway, attempts, expires_at, dedupe_key)"
        " values ('+254711000001', 'start', 'unknown', 'twilio', 1, now() + interval '1 hour', 'x') returning id"
    )
    path = f"{DELIVERY}?m={row}"
    for _ in range(3):
        assert (await post(server, path, golden(name))).status_code == 200
    status = await server.pool.fetchval("select status from notifications where id = $1", row)
    assert status == ("delivered" if name == "G35" else "failed")


async def test_a_report_that_nobody_understands_is_answered_all_the_same(server: Server) -> None:
    assert (await post(server, DELIVERY, {"MessageStatus": "delivered"})).status_code == 200


async def test_a_good_signature_over_fields_cut_at_other_places_does_nothing_again(server: Server) -> None:
    """Twilio signs names and values in one row: an id that swallows the field after it would be another text's."""
    fields = golden("G30") | {"Body": "JOIN 4071 A"}
    good = {"x-twilio-signature": signature(TWILIO_TOKEN, PUBLIC_URL + SMS, fields)}
    assert (await server.form(SMS, urlencode(fields).encode(), **good)).status_code == 200
    swallowing = fields | {"MessageSid": fields["MessageSid"] + "NumMedia" + fields["NumMedia"]}
    del swallowing["NumMedia"]
    answer = await server.form(SMS, urlencode(swallowing).encode(), **good)
    assert (answer.status_code, answer.text) == (400, "A text needs an id. Nothing was changed.")
    assert await server.pool.fetchval("select count(*) from inbound_messages") == 1
