"""The handset in a terminal, as a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from telco_sim.config import Network, TelcoConfig
from telco_sim.testing import RunningTelco, running
from tests.telco_sim.conftest import AMINA, API_KEY, Application

HOLD = "import sys; from telco_sim.phone import main; sys.exit(main(*sys.argv[1:]))"
GREETING = f"{AMINA} on Athena. Dial *384*40# and press Enter; ? for help, q to leave.\n"


async def script(url: str, *lines: str, phone: str = AMINA) -> tuple[int | None, str, str]:
    """Type the lines into a handset and return its exit status, what it printed, and its errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, phone, url,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await process.communicate("\n".join(lines).encode())
    return process.returncode, out.decode(), errors.decode()


async def send(telco: RunningTelco, message: str) -> None:
    form = {"username": "sandbox", "to": AMINA, "message": message, "from": "20880"}
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(f"{telco.url}/version1/messaging", data=form, headers={"apiKey": API_KEY})


async def test_a_script_becomes_a_transcript(telco: RunningTelco) -> None:
    status, out, errors = await script(telco.url, "*384*40#", "1", "q")
    assert (status, errors) == (0, "")
    assert out == GREETING + (
        "dial> *384*40#\n"
        "Welcome\n"
        "1 Join\n"
        "[14 of 160 GSM-7 units, answer within 30 s]\n"
        "reply> 1\n"
        "Your number is A001\n"
        "[19 of 160 GSM-7 units, session ended]\n"
        "dial> q\n"
    )


async def test_the_end_of_the_script_hangs_up(telco: RunningTelco, application: Application) -> None:
    status, _, _ = await script(telco.url, "*384*40#")
    assert status == 0
    assert (await application.wait_for("/end")).form["status"] == "Incomplete"


async def test_hanging_up_and_commands_between_answers(telco: RunningTelco, application: Application) -> None:
    _, out, _ = await script(telco.url, "*384*40#", "7", "send sms", "send", "?", "h", "h", "9")
    texts = [request.form["text"] for request in application.got("/ussd")]
    assert texts == ["", "7", "7*sms", "7*sms*"]
    assert "You said 7*sms*\n" in out
    assert "  *384*40#     dial; any code that begins with * and ends with #\n" in out
    assert out.endswith(
        "reply> h\nYou hung up.\ndial> h\nNo session is open.\ndial> 9\nDial a code first, such as *384*40#.\n"
    )


async def test_texts_are_counted_shown_and_read_again(telco: RunningTelco) -> None:
    await send(telco, "Your turn")
    _, out, _ = await script(telco.url, "sms")
    assert out == GREETING + "1 unread: type sms to read.\ndial> sms\nSMS from 20880: Your turn\n"
    _, out, _ = await script(telco.url, "sms", phone="+254711000002")
    assert out.endswith("dial> sms\nNo texts yet.\n")


async def test_a_script_can_wait_for_a_text(telco: RunningTelco, application: Application) -> None:
    holding = asyncio.create_task(script(telco.url, "*384*40#", "wait", "q"))
    await application.wait_for("/ussd")
    await send(telco, "Your turn")
    _, out, _ = await holding
    assert "SMS from 20880: Your turn\n" in out
    assert out.endswith("reply> q\n")


async def test_a_script_can_text_a_number_and_wait_for_the_answer(
    telco: RunningTelco, application: Application
) -> None:
    telco.connect(inbound_url=f"{application.url}/sms")
    holding = asyncio.create_task(script(telco.url, "sms 20880 JOIN  4071", "wait", "q"))
    asked = await application.wait_for("/sms")
    await send(telco, "You are A001")
    _, out, _ = await holding
    assert (asked.form["from"], asked.form["to"], asked.form["text"]) == (AMINA, "20880", "JOIN  4071")
    assert "dial> sms 20880 JOIN  4071\nSMS to 20880: JOIN  4071\n" in out
    assert "SMS from 20880: You are A001\n" in out


async def test_texting_in_the_middle_of_a_session_leaves_it_open(telco: RunningTelco, application: Application) -> None:
    telco.connect(ussd_url=f"{application.url}/ussd", inbound_url=f"{application.url}/sms")
    _, out, _ = await script(telco.url, "*384*40#", "sms 20880 WHERE", "5", "sms of mine")
    assert "You said 5\n" in out
    assert "You said 5*sms of mine\n" in out
    assert [request.form["text"] for request in application.got("/sms")] == ["WHERE"]


async def test_what_keeps_a_text_from_its_number_is_a_sentence(telco: RunningTelco, application: Application) -> None:
    _, out, errors = await script(telco.url, "sms 20881 JOIN", "sms 20880", "sms 20880 JOIN", "q")
    assert errors == ""
    assert "Nobody takes texts at '20881'; this telco serves 20880.\n" in out
    assert "Write the words after the number: sms 20880 JOIN 4071\n" in out
    assert out.endswith("! The telco has no usable address of the application.\ndial> q\n")
    assert application.received == []


async def test_the_help_says_how_to_text(telco: RunningTelco) -> None:
    _, out, _ = await script(telco.url, "?")
    assert "  sms 20880 WORDS\n               text WORDS to a number: sms 20880 JOIN 4071\n" in out


async def test_what_is_wrong_with_a_reply_is_told_to_the_developer(telco: RunningTelco) -> None:
    telco.connect(ussd_url="http://127.0.0.1:1/")
    _, out, _ = await script(telco.url, "*384*40#")
    assert out.endswith(
        "Network error. External application down. Please try again later.\n"
        "[65 of 160 GSM-7 units, session ended]\n"
        "! The application is not running: the connection was refused.\n"
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://127.0.0.1:99999", "nonsense"])
async def test_no_telco_at_the_address_is_one_sentence(url: str) -> None:
    assert await script(url) == (
        1,
        "",
        f"No telco answers at {url}. Is `make run` going in another terminal?\n",
    )


async def test_something_else_at_the_address_is_one_sentence(application: Application) -> None:
    status, _, errors = await script(application.url)
    assert status == 1
    assert errors == f"What answers at {application.url} is not a telco. Is that the right address?\n"


async def test_a_number_that_is_none_is_one_sentence(telco: RunningTelco) -> None:
    status, _, errors = await script(telco.url, phone="0711")
    assert status == 1
    assert errors == "'0711' is not a phone number: write + and 7 to 15 digits: +254711000001.\n"


class Terminal:
    """A person at a terminal: types, and reads what appears."""

    def __init__(self, master: int, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.shown = ""
        self._master = master

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    async def read_until(self, words: str) -> str:
        """Return what appeared since the last call, up to and with these words."""
        while words not in self.shown:
            self.shown += (await asyncio.wait_for(asyncio.to_thread(os.read, self._master, 4096), 10)).decode()
        before, _, self.shown = self.shown.partition(words)
        return before + words


@asynccontextmanager
async def terminal(url: str) -> AsyncIterator[tuple[Terminal, int]]:
    """Hold a handset at a terminal; yields the terminal and its device."""
    master, device = os.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, AMINA, url, stdin=device, stdout=device, stderr=device
    )
    try:
        yield Terminal(master, process), device
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(device)
        os.close(master)


async def test_a_text_that_arrives_leaves_the_half_typed_answer_alone(
    telco: RunningTelco, application: Application
) -> None:
    async with terminal(telco.url) as (person, device):
        await person.read_until("dial> ")
        before = termios.tcgetattr(device)
        person.type("*384*40#\r")
        screen = await person.read_until("reply> ")
        assert "  │ 1 Join               │\r\n" in screen
        person.type("Achi\x1b[Denx\x7f")
        await person.read_until("reply> Achien")
        await send(telco, "Your turn, go to Room 4")
        assert "\a" in await person.read_until("Your turn, go to Room 4")
        await person.read_until("reply> Achien")
        person.type("g\r")
        screen = await person.read_until("You said Achieng")
        assert "1 new" in screen
        person.type("q\r")
        assert await asyncio.wait_for(person.process.wait(), 10) == 0
        after = termios.tcgetattr(device)
    assert application.got("/ussd")[-1].form["text"] == "Achieng"
    assert not before[3] & termios.ECHO
    assert after[3] & termios.ECHO


async def test_a_session_that_nobody_answers_is_seen_to_end(config: TelcoConfig) -> None:
    hasty = Network(name="Hasty", code="1", idle_seconds=0.3)
    async with running(config) as telco:
        telco.state.insert_sim(AMINA, hasty)
        async with terminal(telco.url) as (person, _):
            person.type("*384*40#\r")
            await person.read_until("The network ended the session: nobody answered for 0 s.")
            await person.read_until("dial> ")
            person.type("\x04")
            assert await asyncio.wait_for(person.process.wait(), 10) == 0


async def test_a_telco_that_disappears_is_noticed_while_nobody_types(config: TelcoConfig) -> None:
    async with AsyncExitStack() as telco_runs:
        telco = await telco_runs.enter_async_context(running(config))
        async with terminal(telco.url) as (person, _):
            await person.read_until("dial> ")
            await telco_runs.aclose()
            await person.read_until(f"No telco answers at {telco.url}.")
            assert await asyncio.wait_for(person.process.wait(), 10) == 1


async def test_a_text_that_is_sent_and_the_one_that_answers_are_drawn(
    telco: RunningTelco, application: Application
) -> None:
    telco.connect(inbound_url=f"{application.url}/sms")
    async with terminal(telco.url) as (person, _):
        await person.read_until("dial> ")
        person.type("sms 20880 JOIN 4071\r")
        await person.read_until("  ▐ SMS to 20880\r\n  ▐ JOIN 4071\r\n")
        await application.wait_for("/sms")
        await send(telco, "You are A001")
        await person.read_until("  ▌ You are A001\r\n")
        person.type("q\r")
        assert await asyncio.wait_for(person.process.wait(), 10) == 0
