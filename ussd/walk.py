"""From screen to screen: one key after the other, and what is on the screen at the end."""

from __future__ import annotations

from queue_core.errors import Refused
from ussd.delivery import LONGEST_INPUT, MOST_STEPS
from ussd.paging import fit, parts
from ussd.request import Page
from ussd.screens import MACHINE, SCREENS
from ussd.typed import clean
from ussd.visit import AskAgain, View, Visit

MOST_ERRORS = 3  # in a row, then a person's phone number
MOST_DETOURS = 5  # from a screen that knows what the caller needs to the one that he needs


class Notice(Exception):
    """The caller is told something (the name of a text), and his session stays as it was."""


async def walk(visit: Visit, *, seen: bool = False) -> None:
    """Press all that is to be pressed; the session then has the screen that follows as its page.

    `seen`: the caller has the session's screen before him, and the first key answers it.
    """
    session = visit.session
    if any(len(typed.encode()) > LONGEST_INPUT for typed, _ in visit.inputs):
        raise Notice("stopped")
    if seen and _asks_for_rest(visit):
        session.steps += 1
        session.reply, *session.rest = session.rest
    else:
        view = await (_press(visit) if seen else _show(visit))
        while visit.inputs and not SCREENS[session.state].ends:
            view = await _press(visit)
        session.reply, *session.rest = _parts(visit, view)
    screen = SCREENS[session.state]
    session.ended, session.joining = screen.ends and not session.rest, screen.joining
    if mark := visit.marks.mark_of(visit.request):
        session.trail.append(mark)


def notice(visit: Visit, text: str) -> Page:
    """An end that is no screen of the machine."""
    return Page(fit(visit.view(text).body, size=visit.request.screen), ends=True, state=text)


def _asks_for_rest(visit: Visit) -> bool:
    """Whether the next part of the screen is wanted: by its key, or by any where there is no other way on."""
    session = visit.session
    typed = visit.inputs[-1][0] if visit.inputs else ""
    return bool(session.rest) and (SCREENS[session.state].ends or clean(typed) == "98")


def _parts(visit: Visit, view: View) -> tuple[str, ...]:
    phrases = view.template.phrases
    above = phrases.not_a_choice if visit.mistaken else ""
    return parts(view.body, view.moves, above, phrases.more, visit.request.screen)


def fire(visit: Visit, outcome: str) -> None:
    """The machine says where an outcome leads."""
    MACHINE.events[outcome].trigger(visit.session)
    visit.arrived = True


async def _press(visit: Visit) -> View:
    session = visit.session
    typed, visit.step = visit.inputs.popleft()
    if session.steps >= MOST_STEPS:
        raise Notice("stopped")
    session.steps += 1
    visit.arrived = visit.mistaken = False
    errors = session.errors
    outcome = await _outcome(visit, typed)
    if session.errors == errors:
        session.errors = 0
    elif session.errors >= MOST_ERRORS:
        outcome = "stopped"
    if outcome:
        fire(visit, outcome)
    return await _show(visit)


async def _outcome(visit: Visit, typed: str) -> str | None:
    try:
        return await SCREENS[visit.session.state].take(visit, typed)
    except Refused as refusal:
        visit.look_again()
        return refusal.code
    except AskAgain:
        visit.inputs.clear()  # they answer screens that the caller may never have seen
        return None


async def _show(visit: Visit) -> View:
    for _ in range(MOST_DETOURS):
        shown = await SCREENS[visit.session.state].show(visit)
        if isinstance(shown, View):
            return shown
        fire(visit, shown)
    raise RuntimeError(f"No screen wants to be shown, {visit.session.state!r} neither.")
