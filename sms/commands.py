"""The grammar of texts: from what somebody typed to a command and what follows it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sms import pins
from sms.typed import number, plain
from sms.words import FIRST, exact, near

# Done although mistyped: a wrong guess changes nothing, or nothing that cannot be undone at once.
DONE_WHEN_NEAR = {"customer": {"join", "status", "lang", "help"}, "staff": {"next", "recall", "list", "count"}}
STRONG = {"STOP", "STOPALL", "UNSUBSCRIBE", "OPTOUT"}  # wherever they stand, nothing else is meant
ALONE = {"no"}  # said in a sentence they mean nothing
JOINED_TO_NUMBER = re.compile(r"([A-Z]+)(\d.*)")
ROLLING = re.compile(r"(?<![^\W_])\d{4}\W*$")
TICKET = re.compile(r"([A-Z]{1,2})0*([1-9]\d*)")
AS_PRINTED = re.compile(r"[A-Z]{1,2}\d{3}")


@dataclass(frozen=True, slots=True)
class Command:
    """`rest` is what follows, in capitals, `said` the same as it was typed.

    `guessed`: it was mistyped. `sure` is False for a guess that would hurt if it were wrong: it is asked back.
    """

    verb: str
    rest: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    guessed: bool = False
    sure: bool = True


def _said(text: str, keyword: str, keep: str = "") -> list[str]:
    """The words of a text behind the `keyword` of a short code that is shared."""
    said = plain(text, keep)
    return said[1:] if keyword and said and said[0].upper() == keyword.upper() else said


def wants_no_texts(text: str, language: str, *, keyword: str = "", in_line: bool = True) -> bool:
    """Whether a text says stop, alone or first or in a sentence. It comes before everything else.

    A word that means both "leave" and "stop" means this to whoever is not `in_line`.
    """
    typed = [word.upper() for word in _said(text, keyword)]
    if not typed:
        return False
    meant = {exact("customer", typed[0], language), exact("customer", " ".join(typed[:2]), language)}
    return "stop" in meant or bool(STRONG & set(typed)) or ("leave_or_stop" in meant and not in_line)


def read(text: str, language: str, *, keyword: str = "", side: str = "customer") -> Command | None:
    """The command of a text; None where nobody can tell. `keyword` is the first word of a short code that is shared."""
    said = _said(text, keyword, keep="-" if side == "staff" else "")
    typed = [word.upper() for word in said]
    if not typed:
        return Command("help") if "?" in text else None
    for taken in (2, 1):
        if (command := exact(side, " ".join(typed[:taken]), language)) and not (command in ALONE and typed[taken:]):
            return Command(command, tuple(typed[taken:]), tuple(said[taken:]))
    if side == "customer" and (meant := _without_a_word(typed)):
        return meant
    split = JOINED_TO_NUMBER.fullmatch(typed[0])
    if split and (command := exact(side, split[1], language)) and command not in ALONE:
        rest = (split[2], *typed[1:])
        return Command(command, rest, (split[2], *said[1:]))
    return _guess(side, typed, said)


def _without_a_word(typed: list[str]) -> Command | None:
    """Digits alone: the code of a place, or how it was, perhaps with thanks; a ticket's number asks for its place."""
    first, more = typed[0], "".join(typed[1:])
    if first.isdecimal() and len(first) == 1 and not any(char.isdecimal() for char in more):
        return Command("stars", (first,))
    if (first + more).isdecimal() and len(first + more) == 4:
        return Command("join", tuple(typed), tuple(typed))
    if more or not TICKET.fullmatch(first):
        return None
    # L12 is "late 12", L012 a ticket of line L.
    letters = first.rstrip("0123456789")
    return Command("status") if AS_PRINTED.fullmatch(first) or not exact("customer", letters, FIRST) else None


def _guess(side: str, typed: list[str], said: list[str]) -> Command | None:
    taken = 2 if side == "staff" and typed[0] == "NO" else 1  # "no shwo"
    meant = near(side, "".join(typed[:taken]))
    if len(meant) != 1:
        return None
    (command,) = meant
    if command == "leave_or_stop":
        command = "leave"
    sure = command in DONE_WHEN_NEAR[side]
    return Command(command, tuple(typed[taken:]), tuple(said[taken:]), guessed=True, sure=sure)


def without_pin(text: str, keyword: str = "") -> tuple[str, str | None]:
    """The text as it may be written: every six digits are hidden. And the PIN, or rolling code, of a staff command."""
    found = pins.find(text, parted=not _joins(text, keyword))
    text = pins.hide(text, found)
    if not for_staff(text, keyword=keyword):
        return text, None
    if found:
        return text, found[-1].digits
    code = ROLLING.search(text)
    return (text[: code.start()].rstrip(), plain(code[0])[0]) if code else (text, None)


def _joins(text: str, keyword: str) -> bool:
    """Then digits in parts are the code of a place: JOIN 40 71 10."""
    command = read(text, FIRST, keyword=keyword)
    return command is not None and command.verb == "join"


def for_staff(text: str, language: str = FIRST, *, keyword: str = "") -> Command | None:
    """The staff command of a text. A customer's exact word is never taken for a mistyped staff command."""
    command = read(text, language, keyword=keyword, side="staff")
    if command and command.guessed:
        meant = read(text, language, keyword=keyword)
        if meant and not meant.guessed:
            return None
    return command


def code_of(rest: tuple[str, ...]) -> tuple[str | None, int]:
    """The 4-digit code at the beginning, which may be typed in parts, and how many words it took."""
    digits = ""
    for taken, word in enumerate(rest, 1):
        part = number(word)
        if part is None or len(digits + part) > 4:
            break
        digits += part
        if len(digits) == 4:
            return digits, taken
    return None, 0


def is_ticket(rest: tuple[str, ...], label: str) -> bool:
    """Whether what was typed names this ticket: A047 is A47 and "A 047" too."""
    own = TICKET.fullmatch(label)
    typed = "".join(rest)
    if own is None or not typed.startswith(own[1]):
        return False
    digits = number(typed.removeprefix(own[1]))
    return digits is not None and digits.lstrip("0") == own[2]


def ticket_in(rest: tuple[str, ...]) -> tuple[str, ...]:
    """The words at the beginning that may name a ticket: none without a digit."""
    words = rest[:2] if _has_digit(rest[1:2]) else rest[:1]
    return words if _has_digit(words) else ()


def _has_digit(words: tuple[str, ...]) -> bool:
    return any(char.isdecimal() for word in words for char in word)
