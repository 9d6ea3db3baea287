"""A morning without a computer: customers text, a clerk runs the counter by text; the guide shows what was said."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.story.town import Town, town

GUIDE = Path(__file__).parents[2] / "docs" / "texting.md"
BEGIN, END = "<!-- transcript: written by tests/story/test_counter_by_text.py -->\n```text\n", "```\n<!-- end -->"
AMINA, BARAKA, CLERK = "+254711000001", "+254711000002", "+254711000091"
LINE = re.compile(r"(SMS (?:to|from) 20880: .*)")


class Handset:
    """A phone in a terminal, and what was texted to and from it, as a stranger may read it."""

    def __init__(self, here: Town, number: str, name: str) -> None:
        self.here, self.number, self.name = here, number, name

    def text(self, *texts: str) -> list[str]:
        """Each of them, answered before the next one is typed; an empty one waits for one answer more."""
        keys = [key for text in texts for key in (*([f"sms 20880 {text}"] if text else []), "wait")]
        telco = f"http://127.0.0.1:{self.here.telco_port}"
        shown = self.here.zamu("phone", self.number, "--telco", telco, typed="\n".join([*keys, "q\n"])).stdout
        return _in_order([f"{self.name}: {said}" for said in LINE.findall(shown)])


def _in_order(said: list[str]) -> list[str]:
    """Two texts that leave together arrive in either order; the notice is shown last."""
    for place in range(len(said) - 1):
        if "Not you?" in said[place] and "SMS from" in said[place + 1]:
            said[place : place + 2] = reversed(said[place : place + 2])
    return said


def _anywhen(said: list[str], pin: str) -> str:
    """The same whatever the time is, and whatever was drawn by lot."""
    text = "\n".join(said) + "\n"
    text = re.sub(r"\b\d\d:\d\d\b", "10:30", text)
    return re.sub(r"OK \d\d\b", "OK 73", text).replace(pin, "482913")


def _digits(said: list[str]) -> str:
    found = re.findall(r"Reply OK (\d\d)", "\n".join(said))
    return str(found[-1])


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("town")) as made:
        yield made


def _enrolled(here: Town) -> str:
    """The clerk's phone works for the clinic; its PIN."""
    assert here.zamu("staff", "enrol", "clinic1", CLERK, "--counter", "Room 1").returncode == 0
    code = re.search(r"\d{6}", here.texts(CLERK, at_least=1)[0])
    assert code
    return str(here.ask("staff", "confirm", "clinic1", code[0], "--generate")["pin"])


def test_customers_ask_and_a_clerk_commands_and_the_guide_shows_it(here: Town) -> None:
    pin = _enrolled(here)
    amina, baraka, clerk = Handset(here, AMINA, "Amina"), Handset(here, BARAKA, "Baraka"), Handset(here, CLERK, "clerk")
    said = amina.text("JOIN 4071", "JOIN 4071 A Amina") + baraka.text("j 4O71 doctor", "STATUS", "late 10")
    said += clerk.text(f"NEXT DOC {pin}", "", f"RECALL DOC {pin}", f"SKIP DOC {pin}", f"DONE DOC {pin}")
    said += clerk.text(f"PAUSE DOC 30 {pin}")
    said += clerk.text(f"OK {_digits(said)}", "", f"OPEN DOC {pin}", f"LIST DOC {pin}", f"COUNT DOC {pin}")
    said += amina.text("BACK", "LEAVE") + clerk.text(f"CLOSE DOC {pin}")
    said += clerk.text(f"OK {_digits(said)}", "")
    shown = _anywhen(said, pin)
    before, _, rest = GUIDE.read_text().partition(BEGIN)
    kept, _, after = rest.partition(END)
    if os.environ.get("WRITE_README"):
        GUIDE.write_text(before + BEGIN + shown + END + after)
    else:
        assert kept == shown
    assert pin not in here.said
