"""The main job, end to end, as a newcomer runs it; what is shown on the way stands in the README."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.story.town import Town, town

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- transcript: written by tests/story/test_first_morning.py -->\n```text\n", "```\n<!-- end -->"
PHONES = [f"+25471100000{n}" for n in range(1, 6)]


def _dialled(shown: str) -> str:
    """What the handset showed, without what counts its characters."""
    return (
        re.sub(r"^\[.*\]\n", "", shown, flags=re.MULTILINE)
        .split("q to leave.\n")[1]
        .removesuffix("dial> q\n")
        .removesuffix("reply> q\n")
    )


def _transcript(here: Town) -> str:
    parts = ["$ zamu phone\n", _dialled(here.phone(PHONES[0], "*384*40#", "1", "4071", "1", "1"))]
    parts.append(f"SMS: {here.texts(PHONES[0], at_least=1)[0]}\n\n")
    for number in PHONES[1:]:
        here.phone(number, "*384*40*4071#", "1", "1")
    last = PHONES[-1]
    assert len(here.texts(last, at_least=1)) == 1
    call = ("queue", "call-next", "4071/A")
    parts += [f"$ zamu {' '.join(call)}\n{here.zamu(*call).stdout}" for _ in range(4)]
    parts.append(f"\nSMS to the first: {here.texts(PHONES[0], at_least=2)[1]}\n")
    parts.append(f"SMS to the fifth: {here.texts(last, at_least=2)[1]}\n\n")
    parts.append(f"$ zamu phone {last}\n" + _dialled(here.phone(last, "*384*40#")))
    return "".join(parts)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("town")) as made:
        yield made


@pytest.fixture(scope="module")
def transcript(here: Town) -> str:
    return _transcript(here)


def test_five_people_join_four_are_called_and_the_readme_shows_it(transcript: str) -> None:
    readme = README.read_text()
    before, _, rest = readme.partition(BEGIN)
    shown, _, after = rest.partition(END)
    if os.environ.get("WRITE_README"):
        README.write_text(before + BEGIN + transcript + END + after)
    else:
        assert shown == transcript


def test_the_near_text_comes_exactly_once_and_each_call_has_its_text(here: Town, transcript: str) -> None:
    assert transcript
    for number in PHONES[:4]:
        joined, turn = here.texts(number, at_least=2)
        assert "your number is A00" in joined
        assert "IT IS YOUR TURN" in turn
    joined, near = here.texts(PHONES[4], at_least=2)
    assert "4 ahead" in joined
    assert "you are near. 3 ahead" in near


def test_joining_again_by_any_channel_shows_the_same_ticket(here: Town, transcript: str) -> None:
    assert transcript
    by_phone = here.phone(PHONES[4], "*384*40*5084#", "1", "1")
    assert "You already have A005" in by_phone
    by_terminal = here.ask("ticket", "join", "4071/P", PHONES[4])
    assert by_terminal["ticket"] == "A005"
    by_json = httpx.post(
        f"{here.url}/ussd/inbound",
        json={"session_id": "one", "phone": PHONES[4], "selection": ""},
        headers={"X-Webhook-Secret": here.secret},
    )
    assert "A005" in by_json.json()["text"]
    assert here.ask("queue", "list")["queues"][0]["waiting"] == 1


def test_calling_with_somebody_outstanding_asks_what_became_of_him(here: Town, transcript: str) -> None:
    assert transcript
    refused = here.zamu("queue", "call-next", "4071/A", "--counter", "Room 1")
    assert refused.returncode == 1
    assert "A001 was called to Room 1" in refused.stderr
    called = here.ask("queue", "call-next", "4071/A", "--counter", "Room 1", "--finish", "no-show")
    assert called == {"ticket": "A005", "counter": "Room 1", "waiting": 0, "finished": "A001"}
    assert "you were not there" in here.texts(PHONES[0], at_least=3)[2]


def test_no_phone_number_secret_or_password_is_in_the_terminal(here: Town, transcript: str) -> None:
    assert transcript
    logged = "\n".join(line for line in here.said.splitlines() if line.startswith("{"))
    assert "session" in logged or "hooks" in logged
    assert here.secret not in here.said
    for number in PHONES:
        assert number.removeprefix("+") not in logged
