"""`python -m tests.scenes.clinic_morning` writes clinic_morning.yaml: a morning of 60 customers, from a seed."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

Step = dict[str, Any]
Track = list[Step]

SEED = 20261121
HERE = Path(__file__).with_suffix(".yaml")
CODE, QUICK = "*384*40#", "*384*40*4071#"
TO = "20880"
MINUTES = 120
PASSWORD = "a-password-that-all-of-them-chose"
DOCTOR, PHARMACY = "1", "2"
COUNTERS = {"Room 1": ("Doctor", 12), "Room 2": ("Doctor", 12), "Room 3": ("Pharmacy", 11)}
ABROAD = {"beem": "Vodacom Tanzania", "safaricom": "Safaricom"}
NUMBERS = {"beem": "+2557620000", "safaricom": "+2547220000"}
DIALECTS = ("hubtel", "nalo", "arkesel", "beem", "infobip", "mtn", "safaricom", "airtel")
PATIENT = 60  # seconds that are not scaled: a busy machine has them too

# What goes wrong, for one phone each: by the name of the customer's story.
USSD_FAULTS: dict[str, dict[str, Any]] = {
    "sent_thrice": {"deliver": 3, "at_once": True},
    "sent_twice": {"deliver": 2},
    "reply_lost": {"drop_reply": True, "hop": 3, "count": 1},
    "caller_gone": {"hang_up": True, "hop": 2, "count": 1},
    "overtaken": {"overtaken": True},
    "two_sessions": {"twin": True, "count": 1},
    "star": {"star": True, "hop": 2, "count": 1},
    "nothing_typed": {"empty_input": True, "hop": 2, "count": 1},
    "other_phone": {"phone_number": "+254799999999", "hop": 2, "count": 1},
    "whole_path": {"prefilled": f"4071*{DOCTOR}*1"},
    "late_request": {"delay": 0.5},
}
SMS_FAULTS: dict[str, dict[str, Any]] = {
    "provider_500": {"status": 500, "count": 1},
    "provider_429": {"status": 429, "count": 1},
    "reports_mixed": {"reports": "reordered"},
    "reports_twice": {"reports": "duplicate"},
    "report_first": {"reports": "early"},
    "no_report": {"reports": "none"},
}
TEXT_FAULTS: dict[str, dict[str, Any]] = {
    "texts_thrice": {"deliver": 3, "at_once": True},
    "texts_twice": {"deliver": 2},
    "texts_late": {"delay": 0.5},
}
OFF = ("phone_off_1", "phone_off_2", "phone_off_3")
LEAVERS = ("leaves_1", "leaves_2", "leaves_3", "leaves_4")
BY_HAND = ("in_the_browser_1", "in_the_browser_2", "in_the_browser_3")
PLAIN = 60 - sum(map(len, (USSD_FAULTS, SMS_FAULTS, TEXT_FAULTS, OFF, LEAVERS, BY_HAND, DIALECTS)))


class Morning:
    """Writes the tracks; the same seed writes the same ones."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def think(self) -> Step:
        return {"pause": round(self.chance.uniform(2, 9), 1)}

    def call(self, who: str, code: str, *keys: str) -> Track:
        """A code that is dialled, and a pause for thought before each answer."""
        steps: Track = [{"dial": {"phone": who, "code": code}}]
        for each in keys:
            steps += [self.think(), {"press": {"phone": who, "keys": each}}]
        return steps

    def joined(self, who: str) -> Track:
        return [saw(who, "Your number is "), hears(who, "your number is ")]

    def join(self, who: str, line: str) -> Track:
        """By the poster's code or through the menu."""
        path = (QUICK, line, "1") if self.chance.random() < 0.5 else (CODE, "1", "4071", line, "1")
        return [*self.call(who, *path), *self.joined(who)]

    def by_text(self, who: str, letter: str) -> Track:
        return [{"text": {"phone": who, "to": TO, "text": f"JOIN 4071 {letter}"}}, hears(who, "your number is ")]

    def story(self, who: str, line: str) -> Track:
        """What one customer does, once he has come."""
        if tell := getattr(self, f"_{who}", None):
            return list(tell(who, line))
        if who in DIALECTS:
            return [*self.call(who, CODE, "1", "4071", line, "1"), *self.joined(who)]
        if who in TEXT_FAULTS:
            return [*self.by_text(who, "A"), {"pause": 300}, {"text": {"phone": who, "to": TO, "text": "STATUS"}}]
        if who in USSD_FAULTS or who in SMS_FAULTS:
            return [*self.call(who, QUICK, line, "1"), *self.joined(who)]
        return [*self.join(who, line), *self._afterwards(who)]

    def _afterwards(self, who: str) -> Track:
        if who in OFF:
            return [{"switch_off": {"phone": who}}, *self._wakes(who)]
        if who in LEAVERS:
            return [{"pause": 60}, *self.call(who, CODE, "3", "2"), saw(who, "is closed")]
        if who in BY_HAND:
            return [{"pause": 600}, {"dial": {"phone": who, "code": CODE}}, saw(who, "A0")]
        words = self.chance.choice(["STATUS", "LATE 10"])
        text: Track = [{"pause": 400}, {"text": {"phone": who, "to": TO, "text": words}}]
        look: Track = [{"pause": 500}, *self.call(who, CODE), {"hangup": {"phone": who}}]
        tracks: list[Track] = [[], text, look]
        return self.chance.choice(tracks)

    def _wakes(self, who: str) -> Track:
        """The last of them only when everybody has gone home."""
        return [] if who == OFF[-1] else [{"pause": 1500}, {"switch_on": {"phone": who}}]

    def _reply_lost(self, who: str, line: str) -> Track:
        again: Track = [{"pause": 30}, {"dial": {"phone": who, "code": CODE}}, saw(who, "Kilimani Clinic")]
        lost = [*self.call(who, QUICK, line, "1"), saw(who, "Network error", open=False)]
        return [*lost, hears(who, "your number is "), *again]

    def _caller_gone(self, who: str, line: str) -> Track:
        gone = [*self.call(who, QUICK, line), saw(who, "Join now?", open=False), {"pause": 30}]
        return [*gone, *self.call(who, CODE, "1", "1"), *self.joined(who)]

    def _star(self, who: str, line: str) -> Track:
        return [*self.call(who, QUICK, line), saw(who, "", open=True), *self._from_the_top(who, line)]

    _other_phone = _star

    def _nothing_typed(self, who: str, line: str) -> Track:
        return [*self.call(who, QUICK, line), saw(who, "Choose a line", open=True), *self._from_the_top(who, line)]

    def _two_sessions(self, who: str, line: str) -> Track:
        """Whichever comes first joins, and the other one shows the same place."""
        return [*self.call(who, QUICK, line, "1"), saw(who, "A0"), hears(who, "your number is ")]

    def _whole_path(self, who: str, _line: str) -> Track:
        return [*self.call(who, CODE), *self.joined(who)]

    def _from_the_top(self, who: str, line: str) -> Track:
        return [{"hangup": {"phone": who}}, {"pause": 20}, *self.call(who, QUICK, line, "1"), *self.joined(who)]

    def counter(self, room: str) -> Track:
        """A clerk who has so many people to call, one of whom is not there."""
        line, people = COUNTERS[room]
        absent = self.chance.randrange(3, people - 3)
        desk = {"url": "/staff/desk", "links": [f"{line} at {room}"]}
        steps: Track = [{"pause": 300}]
        for person in range(people):
            called = {**desk, "button": "Call next", "contains": f"was called to {room}", "within": PATIENT}
            steps += [{"click": called}, {"pause": round(self.chance.uniform(20, 60))}]
            if person == absent:
                steps.append({"click": {**desk, "button": "Skip", "contains": "was skipped"}})
                continue
            steps.append({"click": {**desk, "button": "Start", "contains": "is being served"}})
            steps.append({"pause": round(self.chance.uniform(300, 600))})
            steps.append({"click": {**desk, "button": "Complete", "contains": "is done"}})
        return steps


def saw(who: str, words: str, **more: bool) -> Step:
    return {"expect": {"phone": who, "screen": words, **more}}


def hears(who: str, words: str) -> Step:
    return {"wait": {"phone": who, "text": words, "within": PATIENT}}


def people() -> list[str]:
    plain = [f"customer_{number:02}" for number in range(1, PLAIN + 1)]
    return [*USSD_FAULTS, *SMS_FAULTS, *TEXT_FAULTS, *OFF, *LEAVERS, *BY_HAND, *DIALECTS, *plain]


def sim(who: str, number: int) -> dict[str, str]:
    if who not in DIALECTS:
        return {"number": f"+2547110001{number:02}"}
    start = NUMBERS.get(who, "+2332412345")
    return {"number": f"{start}{number:02}", "network": ABROAD.get(who, "MTN Ghana"), "dialect": who}


def lines(morning: Morning) -> dict[str, str]:
    """Who goes where: a third to the pharmacy, but for those whose story names the doctor."""
    plain = [who for who in people() if who.startswith("customer") or who in DIALECTS]
    chosen = set(morning.chance.sample(plain, 20))
    return {who: PHARMACY if who in chosen else DOCTOR for who in people()}


def faults() -> dict[str, Any]:
    phones = {who: sim(who, number)["number"] for number, who in enumerate(people(), 1)}
    kinds = {"ussd": USSD_FAULTS, "sms": SMS_FAULTS, "inbound": TEXT_FAULTS}
    return {kind: [{"phone": phones[who], **rule} for who, rule in rules.items()] for kind, rules in kinds.items()}


def scene() -> dict[str, Any]:
    morning = Morning(SEED)
    where = lines(morning)
    come = {who: round(morning.chance.uniform(0, 80) * 60) for who in people()}
    # Who leaves does so from a long line, before he is called.
    come |= {who: round(morning.chance.uniform(70, 85) * 60) for who in LEAVERS}
    customers = [
        [{"pause": come[who]}, *morning.story(who, where[who])] for who in sorted(come, key=lambda who: come[who])
    ]
    login = {"login": "clinic1", "password": PASSWORD}
    home = {"url": "/staff/desk", "button": "Send", "contains": "sent home"}
    return {
        "name": "a morning at the clinic",
        "phones": {who: sim(who, number) for number, who in enumerate(people(), 1)},
        "steps": [
            {"faults": faults()},
            {"click": {"url": "/staff/login", "button": "Log in", "fields": login, "contains": "Where do you work?"}},
            {"together": [*customers, *map(morning.counter, COUNTERS)]},
            {"click": {**home, "links": ["Doctor at Room 1", "Close …"]}},
            {"click": {**home, "links": ["Pharmacy at Room 3", "Close …"]}},
            {"switch_on": {"phone": OFF[-1]}},
            hears(OFF[-1], "Kilimani Clinic"),
        ],
    }


def written() -> str:
    """The file: JSON is YAML, and one step a line is read and compared."""
    told = scene()
    out = [
        f"# Written by `python -m tests.scenes.clinic_morning` from the seed {SEED}: change that, not this.",
        f"# {len(told['phones'])} customers, {len(COUNTERS)} counters, {MINUTES} minutes: --speed 60 plays it in two.",
        f"name: {told['name']}",
        "phones:",
        *(f"  {who}: {_said(sim)}" for who, sim in told["phones"].items()),
        "steps:",
    ]
    for step in told["steps"]:
        [(kind, what)] = step.items()
        if kind != "together":
            out.append(f"- {kind}: {_said(what)}")
            continue
        out.append("- together:")
        for track in what:
            out += [f"  {'- -' if first else '  -'} {_said(step)}" for first, step in _first(track)]
    return "\n".join(out) + "\n"


def _first(track: Track) -> list[tuple[bool, Step]]:
    return [(index == 0, step) for index, step in enumerate(track)]


def _said(what: object) -> str:
    return json.dumps(what, ensure_ascii=False)


if __name__ == "__main__":
    HERE.write_text(written())
