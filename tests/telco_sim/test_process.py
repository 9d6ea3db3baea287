"""The telco as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.telco_sim.conftest import AMINA, SHORT_CODE, Application
from tests.telco_sim.twilio_account import ACCOUNT, NUMBER, PUBLIC, TOKEN, valid

Process = asyncio.subprocess.Process


@asynccontextmanager
async def telco_process(*options: str, **environment: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "telco_sim",
        *options,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def address(process: Process) -> str:
    """Return where the process listens, from the sentence with which it starts."""
    assert process.stdout
    line = (await process.stdout.readline()).decode()
    assert line.startswith("The telco listens on http://127.0.0.1:")
    return line.split()[4].rstrip(":")


async def test_options_may_come_from_the_environment(application: Application) -> None:
    async with telco_process(
        TELCO_PORT="0", TELCO_API_KEY="from-env", TELCO_USSD_URL=f"{application.url}/ussd"
    ) as process:
        async with httpx.AsyncClient(base_url=await address(process), trust_env=False) as http:
            dialled = await http.post("/telco/dial", json={"phone": AMINA, "code": SHORT_CODE})
            form = {"username": "sandbox", "to": AMINA, "message": "Hi", "from": "20880"}
            sent = await http.post("/version1/messaging", data=form, headers={"apiKey": "from-env"})
        assert dialled.json()["text"] == "Welcome\n1 Join"
        assert sent.json()["SMSMessageData"]["Message"].startswith("Sent to 1/1")


async def test_other_gateways_are_configured_by_the_environment(application: Application) -> None:
    environment = {"TELCO_PORT": "0", "TELCO_API_KEY": "k", "TELCO_SAFARICOM_URL": f"{application.url}/raw"}
    async with (
        telco_process("--dialect-url", "nalo", f"{application.url}/nalo", **environment) as process,
        httpx.AsyncClient(base_url=await address(process), trust_env=False) as http,
    ):
        assert list((await http.get("/telco/setup")).json()["dialects"]) == ["nalo", "safaricom"]
        await http.post("/telco/dial", json={"phone": AMINA, "code": SHORT_CODE, "dialect": "safaricom"})
        await application.wait_for("/raw")


async def test_texts_in_both_dialects_are_configured_by_the_environment(application: Application) -> None:
    async with (
        telco_process(
            TELCO_PORT="0",
            TELCO_API_KEY="k",
            TELCO_INBOUND_URL=f"{application.url}/sms",
            TELCO_OPTOUT_URL=f"{application.url}/optout",
            TELCO_SENDERS="20880 CLINIC",
            TELCO_TWILIO_ACCOUNT_SID=ACCOUNT,
            TELCO_TWILIO_AUTH_TOKEN=TOKEN,
            TELCO_TWILIO_SENDERS=NUMBER,
            TELCO_TWILIO_INBOUND_URL=f"{application.url}/twilio/sms",
            TELCO_PUBLIC_URL=PUBLIC,
        ) as process,
        httpx.AsyncClient(base_url=await address(process), trust_env=False) as http,
    ):
        for number in ("20880", NUMBER):
            await http.post("/telco/text", json={"phone": AMINA, "to": number, "text": "JOIN"})
        await http.post("/telco/optout", json={"phone": AMINA, "sender": "CLINIC"})
        assert (await http.get("/healthz")).json()["numbers"] == ["20880", NUMBER]
    signed = application.got("/twilio/sms")[0]
    assert valid(f"{PUBLIC}/twilio/sms", signed.form, signed.headers["x-twilio-signature"])
    assert application.got("/sms")[0].form["text"] == "JOIN"
    assert application.got("/optout")[0].form["senderId"] == "CLINIC"


async def test_sigterm_stops_the_telco_while_requests_wait(application: Application) -> None:
    application.held = True
    async with telco_process("--port", "0", "--api-key", "k", "--ussd-url", f"{application.url}/ussd") as process:
        async with httpx.AsyncClient(base_url=await address(process), trust_env=False, timeout=30) as http:
            polling = asyncio.create_task(http.get(f"/telco/inbox/{AMINA}?wait=60"))
            call = {"phone": AMINA, "code": SHORT_CODE}
            dialling = asyncio.create_task(http.post("/telco/dial", json=call))
            await application.wait_for("/ussd")
            process.send_signal(signal.SIGTERM)
            assert (await polling).json() == {"texts": []}
            assert (await dialling).json()["error"] == "The telco is stopping."
        assert await asyncio.wait_for(process.wait(), 5) == 0
        assert process.stderr
        assert await process.stderr.read() == b""


async def test_a_taken_port_is_one_sentence(application: Application) -> None:
    port = application.url.rpartition(":")[2]
    async with telco_process("--port", port, "--api-key", "k") as process:
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert errors.decode() == (
        f"Port {port} on 127.0.0.1 is already in use: stop the other program or choose another port.\n"
    )


async def test_an_address_of_another_machine_is_one_sentence() -> None:
    async with telco_process("--host", "192.0.2.1", "--api-key", "k") as process:
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert errors.decode().startswith("Cannot listen on 192.0.2.1: ")
    assert len(errors.splitlines()) == 1


async def test_a_missing_key_names_the_option_and_its_variable() -> None:
    async with telco_process() as process:
        _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"--api-key" in errors
    assert b"TELCO_API_KEY" in errors
