"""Good requests for every route, one example of what comes of bending one, and how many such are tried."""

from __future__ import annotations

import os
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from hypothesis import HealthCheck, settings

from tests.fuzz import pages, recorded
from tests.fuzz.claims import refused, well_formed
from tests.fuzz.doors import door_of
from tests.fuzz.kept import changes
from tests.fuzz.place import Place
from tests.fuzz.recorded import Talk, sealed
from tests.fuzz.wire import Answer, Asked, ask

# ZAMU_FUZZ=20 tries twenty times as many, and others in each run. Without it they are the same each time, so that a
# change of ours is to blame for what fails, and whoever runs it again sees the same.
MANY: Final = int(os.environ.get("ZAMU_FUZZ", "1"))

# What a refusal changes all the same: guesses and calls are counted, and whoever presses twice hears twice the same.
GUESSES: Final = {"login_tries"}
COUNTED: Final = {
    "POST /staff/login": GUESSES,
    "POST /staff/password": GUESSES,
    "POST /staff/totp/confirm": GUESSES,
    "POST /staff/totp/end": GUESSES,
    "POST /staff/people/{login}/phone/confirm": {"staff_phones"},  # at the code that a phone was sent
}
CALLS: Final = "redis b'ussd-limit:"
PRESSES: Final = "requests"
# What a look changes: where somebody works is where his next session begins.
LOOKED: Final = {"GET /staff/desk/{counter:uuid}/{queue:uuid}": {"staff", "staff_sessions"}}
# Where what was typed is kept.
TEXTS: Final = {"tickets", "queues", "branches", "counters", "staff", "organizations"}
SAFE: Final = {"GET", "HEAD", "OPTIONS", "TRACE"}


class Known(dict[str, list[Talk]]):
    """Talks by the name of the route that their last request comes to. Too many to be shown with what fails."""

    def __repr__(self) -> str:
        return f"<talks with {len(self)} routes>"


def examples(number: int) -> settings:
    """So many, or as many times more as are asked for."""
    return settings(
        max_examples=number * MANY,
        derandomize=MANY == 1,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )


async def known(place: Place) -> Known:
    """All that are recorded, and all that the pages of this place send."""
    found = Known()
    for talk in [*recorded.talks(), *await pages.talks(place)]:
        if door := door_of(talk[-1]):
            found.setdefault(door, []).append(talk)
    return found


async def lived(place: Place, talk: Talk, looks: Sequence[Asked] = ()) -> Answer:
    """All of a talk, and what must hold of its last request; afterwards everything is as before.

    What was done can be seen on the page to which the browser is led, and on those of `looks`.
    """
    *before, last = map(sealed, talk)
    after = None
    try:
        for asked in before:
            await ask(place.url, asked)
        first = await place.kept.stored() if before else place.kept.first
        with place.alarms.silent():
            answer = await ask(place.url, last)
        after = await place.kept.stored()
        changed = changes(first, after)
        _right(last, answer, changed)
        if answer.status == HTTPStatus.SEE_OTHER:
            after = None  # for a look may leave something, too
            await _led(place, last, answer)
            for look in looks if changed & TEXTS else ():
                _right(look, await ask(place.url, look), set())
    except Exception as problem:
        problem.add_note(f"Asked: {[asked.raw() for asked in (*before, last)]}")
        raise
    finally:
        await place.kept.put_back(after)
    return answer


async def _led(place: Place, pressed: Asked, answer: Answer) -> None:
    path, _, query = answer.header("location").encode().partition(b"?")
    assert path.startswith(b"/staff")
    told = (value.partition(";")[0].encode() for name, value in answer.headers if name == "set-cookie")
    cookies = b"; ".join((pressed.header(b"cookie"), *told))
    look = Asked("GET", path, query, ((b"host", b"queue.example.org"), (b"cookie", cookies)))
    _right(look, await ask(place.url, look), set())


def _right(asked: Asked, answer: Answer, changed: set[str]) -> None:
    door = door_of(asked) or ""
    try:
        well_formed(asked, answer, door)
        if refused(answer):
            kept = PRESSES if door.startswith("POST /staff") else CALLS if "/ussd/" in door else "nothing"
            assert {name for name in changed if not name.startswith(kept)} <= COUNTED.get(door, set())
        elif asked.method in SAFE and "/hooks/" not in door:
            assert changed <= LOOKED.get(door, set())
    except Exception as problem:
        problem.add_note(f"Told: {answer}\nChanged: {sorted(changed)}")
        raise
