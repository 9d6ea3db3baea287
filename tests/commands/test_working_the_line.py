"""An operator works a line from the terminal: what is done, what is refused, and what scripts are told."""

from __future__ import annotations

import json

from tests.terminal import Terminal, refused
from tests.world import World, phone

DOCTOR = "4071/A"
PLACE = {"ahead": 0, "minutes": None, "counter": None}


async def test_a_ticket_goes_from_the_line_to_the_door(terminal: Terminal, world: World) -> None:
    assert terminal.ask("ticket", "join", DOCTOR, phone(1), "--name", "Wanjikũ") == PLACE | {
        "ticket": "A001",
        "status": "waiting",
    }
    assert (await world.holds(1)).name == "Wanjiku"
    assert terminal.ask("queue", "call-next", DOCTOR, "--counter", "room 2") == {
        "ticket": "A001",
        "counter": "Room 2",
        "waiting": 0,
        "finished": None,
    }
    for verb, status in (("recall", "called"), ("start", "serving"), ("complete", "completed")):
        assert terminal.ask("ticket", verb, "4071/a001")["status"] == status
    assert terminal.zamu("ticket", "status", "4071/A001").stdout == "A001 is completed, 0 ahead.\n"
    assert await world.texts(1) == ["added", "turn", "last_call"]


async def test_a_missed_call_is_skipped_and_the_person_comes_back(terminal: Terminal, world: World) -> None:
    await world.line(1, 2)
    await world.called("Room 1")
    assert terminal.zamu("ticket", "skip", "4071/A001").stdout == "A001 is skipped. 1 waiting.\n"
    assert terminal.zamu("ticket", "come-back", "4071/A001").stdout == "A001 is waiting. 2 waiting.\n"
    assert terminal.zamu("ticket", "leave", "4071/A001").stdout == "A001 is cancelled. 1 waiting.\n"
    await world.called("Room 1")
    assert terminal.ask("ticket", "no-show", "4071/A002")["status"] == "no_show"


async def test_a_phone_that_joins_again_keeps_its_place(terminal: Terminal) -> None:
    first = terminal.zamu("ticket", "join", DOCTOR, phone(1))
    again = terminal.zamu("ticket", "join", "4071/P", phone(1))
    assert first.stdout == "A001 is in line at Kilimani Clinic, Doctor: 0 ahead.\n"
    assert again.stdout == "A001 was already in line at Kilimani Clinic, Doctor: 0 ahead.\n"


async def test_a_line_is_paused_opened_and_closed(terminal: Terminal, world: World) -> None:
    await world.line(1, 2)
    assert terminal.ask("queue", "pause", DOCTOR, "--minutes", "20") == {
        "queue": DOCTOR,
        "status": "paused",
        "affected": 2,
        "waiting": 2,
    }
    assert "Open it: `zamu queue open 4071/A`" in refused(terminal.zamu("ticket", "join", DOCTOR, phone(3)))
    assert terminal.zamu("queue", "open", DOCTOR).stdout == "Doctor (4071/A) is open. 2 waiting.\n"
    closed = terminal.zamu("queue", "close", DOCTOR, "--send-home")
    assert closed.stdout == "Doctor (4071/A) is closed; 2 people were sent home. 0 waiting.\n"
    listed = {row["queue"]: (row["status"], row["waiting"]) for row in terminal.ask("queue", "list")["queues"]}
    assert listed.pop(DOCTOR) == ("closed", 0)
    assert set(listed.values()) == {("open", 0)}


async def test_a_refusal_says_why_and_what_to_do_to_people_and_to_scripts(terminal: Terminal, world: World) -> None:
    await world.line(1, 2)
    await world.called("Room 1")
    cases = [
        ("queue call-next 4071/A --counter", "Room 1", "outstanding", "has not started. Nobody was called."),
        ("queue call-next 4071/A --counter", "Room 9", "no_counter", "No counter of that name is there."),
        ("queue open", "4071/Q", "no_queue", "`zamu queue list` shows all of them."),
        ("ticket status", "4071/A099", "no_ticket", "There is no such ticket today."),
        ("ticket start", "4071/A002", "wrong_state", "A002 is waiting now. Nothing was changed."),
        ("ticket join 4071/A", "911", "bad_phone", "Write it like +254711000001."),
    ]
    for words, last, code, why in cases:
        told = terminal.zamu(*words.split(), last, "--json")
        assert (told.returncode, told.stderr) == (1, "")
        answer = json.loads(told.stdout)
        assert answer.keys() == {"refused", "reason"}
        assert answer["refused"] == code
        assert why in answer["reason"]
    assert refused(terminal.zamu("queue", "call-next", DOCTOR, "--counter", "Room 1")).endswith("--finish no-show.")


async def test_with_every_counter_taken_and_with_no_one_waiting_it_is_said(terminal: Terminal, world: World) -> None:
    assert terminal.zamu("queue", "call-next", DOCTOR).stdout == "No one is waiting. 0 waiting.\n"
    await world.line(1, 2, 3, 4)
    for room in range(1, 5):
        await world.called(f"Room {room}")
    assert "Every counter of this queue has somebody." in refused(terminal.zamu("queue", "call-next", DOCTOR))


async def test_words_that_are_no_text_at_all_are_refused_in_words(terminal: Terminal, world: World) -> None:
    """A name in another encoding, as a script may hand it over."""
    assert "Nothing was changed." in refused(terminal.zamu("queue", "open", "\udcff"))
    assert terminal.zamu("ticket", "join", DOCTOR, phone(1), "--name", "\udcff").returncode == 2
    assert terminal.zamu("ticket", "join", DOCTOR, phone(1), "--name", "x" * 3000).returncode == 0
    assert (await world.holds(1)).name == "x" * 16
