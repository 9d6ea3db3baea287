"""The fields of a gateway's request, whatever they came as, read with care."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from urllib.parse import parse_qsl

from queue_core.errors import Refused
from queue_core.phones import normalise
from ussd.request import BadRequest

MOST_FIELDS = 30
NAME = re.compile(r"[!-~]{1,128}")
SERVICE_CODE = re.compile(r"\*[0-9*]{1,9}#")
DIALLED = re.compile(r"(\*\d+\*\d+)((?:\*\d+)*)#?")


class Fields:
    """Every method raises BadRequest for what no such field can be, with `echo`: the fields that are to go back."""

    def __init__(self, values: Mapping[str, object], echoed: Sequence[str] = ()) -> None:
        self._values = values
        self.echo: dict[str, str] = {}
        for name in echoed:
            if text := self.text(name):
                self.echo[name] = text

    def text(self, name: str) -> str:
        """A string, or a number as JSON also writes it, without what no keypad types and no database stores."""
        text = self._written(name)
        return text if text.isprintable() else "".join(char for char in text if char.isprintable())

    def name(self, name: str) -> str:
        """What a session or a request is called."""
        text = self._written(name)
        if not NAME.fullmatch(text):
            raise self.bad(f"{name} is missing, or is no plain word of at most 128 characters.")
        return text

    def says(self, name: str) -> bool:
        """Whether it is true, which some write as a word."""
        value = self._values.get(name)
        return value is True or (isinstance(value, str) and value.casefold() == "true")

    def phone(self, name: str, country: str | None = None) -> str:
        """In E.164. Read as it is dialled in `country`, if there is one, or else as one that only lacks its plus."""
        text = self.text(name)
        if country:
            with suppress(Refused):
                return normalise(text, country)
        try:
            return normalise(f"+{text.lstrip(' +').removeprefix('00')}")
        except Refused:
            raise self.bad(f"{name} is missing, or is no phone number.") from None

    def service_code(self, name: str) -> str:
        """As people dial it, or nothing where it is too strange or too long to be shown to them."""
        digits = self.text(name).strip("*#")
        code = f"*{digits}#"
        return code if SERVICE_CODE.fullmatch(code) else ""

    def inside(self, name: str) -> Fields:
        """An object within; one without fields where there is none."""
        values = self._values.get(name)
        inner = Fields(values if isinstance(values, dict) else {})
        inner.echo = self.echo
        return inner

    def bad(self, problem: str) -> BadRequest:
        return BadRequest(problem, self.echo)

    def _written(self, name: str) -> str:
        value = self._values.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.bad(f"{name} is no text.")
        try:
            return str(value)
        except ValueError:  # thousands of digits
            raise self.bad(f"{name} is too long.") from None


def from_form(data: bytes, echoed: Sequence[str] = ()) -> Fields:
    """The fields of a form, or of the query of an address. Raises BadRequest."""
    try:
        pairs = parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise BadRequest("This is no form in UTF-8.") from None
    values = dict(pairs)
    if len(values) != len(pairs):
        raise BadRequest("A field is there twice.")
    return Fields(values, echoed)


def from_json(data: bytes, echoed: Sequence[str] = ()) -> Fields:
    """The fields of a JSON object. Raises BadRequest."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        raise BadRequest("The body is no JSON.") from None
    if not isinstance(values, dict):
        raise BadRequest("The body is no JSON object.")
    return Fields(values, echoed)


def dialled(text: str, service_code: str = "") -> tuple[str, ...]:
    """What was dialled after the service code; where nobody says how long that is, it has two numbers."""
    if not service_code:
        parts = DIALLED.fullmatch(text)
        return tuple(parts[2].split("*")[1:]) if parts else ()
    start = service_code.removesuffix("#") + "*"
    path = text.removesuffix("#").removeprefix(start)
    return tuple(filter(None, path.split("*"))) if text.startswith(start) else ()
