"""The grammar of texts: from what somebody typed to a command and what follows it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from sms.words import FIRST, exact, near

LONGEST = 160
# Done although mistyped: a wrong guess changes nothing, or nothing that cannot be undone at once.
DONE_WHEN_NEAR = {"customer": {"join", "status", "lang", "help"}, "staff": {"next", "recall", "list", "count"}}
STRONG = {"STOP", "STOPALL", "UNSUBSCRIBE", "OPTOUT"}  # wherever they stand, nothing else is meant
LOOK_ALIKES = str.maketrans("OILSB", "01158")
JOINED_TO_NUMBER = re.compile(r"([A-Z]+)(\d.*)")
PIN = re.compile(r"(?:^|\D)(\d{4}|\d{6})\W*$")  # a PIN has six digits, a rolling code four
TICKET = re.compile(r"([A-Z]{1,2})0*([1-9]\d*)")


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


def plain(text: str, keep: str = "") -> list[str]:
    """What was typed as single words: no accents, marks, invisible characters or punctuation but `keep`."""
    decomposed = unicodedata.normalize("NFKD", text[: LONGEST * 4])
    shown = "".join(
        char
        for char in decomposed
        if unicodedata.category(char) not in {"Mn", "Cf", "Cc", "Cs", "Co"} or char in "\n\t"
    )
    return "".join(char if char.isalnum() or char in keep else " " for char in shown)[:LONGEST].split()


def number(word: str) -> str | None:
    """The digits that a word stands for: O is 0, I and L are 1, S is 5, B is 8. None where it is no number."""
    digits = word.translate(LOOK_ALIKES)
    return digits if digits.isdecimal() and digits.isascii() else None


def wants_no_texts(text: str, language: str) -> bool:
    """Whether a text says stop, alone or first or in a sentence. It comes before everything else."""
    typed = [word.upper() for word in plain(text)]
    if not typed:
        return False
    pair = " ".join(typed[:2])
    return (
        exact("customer", typed[0], language) == "stop"
        or exact("customer", pair, language) == "stop"
        or bool(STRONG & set(typed))
    )


def read(text: str, language: str, *, keyword: str = "", side: str = "customer") -> Command | None:
    """The command of a text; None where nobody can tell. `keyword` is the first word of a short code that is shared."""
    said = plain(text, keep="-" if side == "staff" else "")
    typed = [word.upper() for word in said]
    if keyword and typed and typed[0] == keyword.upper():
        said, typed = said[1:], typed[1:]
    if not typed:
        return Command("help") if "?" in text else None
    if command := exact(side, " ".join(typed[:2]), language):
        return Command(command, tuple(typed[2:]), tuple(said[2:]))
    if command := exact(side, typed[0], language):
        return Command(command, tuple(typed[1:]), tuple(said[1:]))
    if side == "customer" and (meant := _without_a_word(typed)):
        return meant
    if (split := JOINED_TO_NUMBER.fullmatch(typed[0])) and (command := exact(side, split[1], language)):
        rest = (split[2], *typed[1:])
        return Command(command, rest, (split[2], *said[1:]))
    return _guess(side, typed, said)


def _without_a_word(typed: list[str]) -> Command | None:
    """Digits alone: the code of a place, or how it was; a ticket's number alone asks for its place."""
    if all(word.isdecimal() for word in typed):
        digits = "".join(typed)
        if len(digits) == 4:
            return Command("join", tuple(typed), tuple(typed))
        if len(digits) == 1:
            return Command("stars", (digits,))
    if len(typed) == 1 and TICKET.fullmatch(typed[0]) and not exact("customer", typed[0].rstrip("0123456789"), "en"):
        return Command("status", ())
    return None


def _guess(side: str, typed: list[str], said: list[str]) -> Command | None:
    meant = near(side, typed[0])
    if len(meant) != 1:
        return None
    (command,) = meant
    if command == "leave_or_stop":
        command = "leave"
    return Command(command, tuple(typed[1:]), tuple(said[1:]), guessed=True, sure=command in DONE_WHEN_NEAR[side])


def without_pin(text: str) -> tuple[str, str | None]:
    """A staff member's text without its PIN, and the PIN. Any other text stays as it is."""
    found = PIN.search(text) if for_staff(text) else None
    return (text[: found.start()].rstrip(), found[1]) if found else (text, None)


def may_hold_a_pin(text: str) -> bool:
    """Whether the text is one that must not be written anywhere as it is."""
    return without_pin(text)[1] is not None


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
    typed = TICKET.fullmatch(_as_label("".join(rest)))
    own = TICKET.fullmatch(label)
    return bool(typed and own and typed.groups() == own.groups())


def _as_label(word: str) -> str:
    """The letters of a ticket stay letters, what follows are digits."""
    for letters in (1, 2):
        digits = number(word[letters:])
        if digits and word[:letters].isalpha():
            return word[:letters] + digits
    return word
