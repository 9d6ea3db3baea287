"""A scene is a file that says what people do with their phones; here it is read, and refused in words."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Step = dict[str, Any]
PARTS = {"name", "phones", "steps"}
SIM = {"number", "network", "dialect"}


class SceneError(Exception):
    """The file is no scene; the message is the sentence to show."""


@dataclass(frozen=True, slots=True)
class Scene:
    """`phones` are SIM cards by the name that the steps use, which is the number itself where none is given."""

    name: str
    phones: Mapping[str, Mapping[str, str]]
    steps: list[Step]

    def number(self, phone: str) -> str:
        """Return the number of a phone; one that the scene does not list is its own number."""
        return self.phones.get(phone, {}).get("number", phone)


def read(path: Path, kinds: Mapping[str, Callable[..., Any]]) -> Scene:
    """Read a scene whose steps are calls of `kinds`; raises SceneError with the step that is wrong."""
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - only who plays a scene pays for it

    try:
        told = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise SceneError(f"{path} cannot be read: {error}.") from None
    except yaml.YAMLError as error:
        raise SceneError(f"{path} is not YAML: {error}") from None
    if not isinstance(told, dict) or set(told) - PARTS or not isinstance(told.get("steps"), list):
        raise SceneError(f"{path} must have steps, and may have a name and phones; nothing else.")
    _check(told["steps"], kinds)
    return Scene(str(told.get("name", path.stem)), _phones(told.get("phones") or {}), told["steps"])


def _phones(told: object) -> dict[str, dict[str, str]]:
    if not isinstance(told, dict):
        raise SceneError("phones must say for each phone its number, network or dialect.")
    for name, sim in told.items():
        if not isinstance(name, str) or not isinstance(sim or {}, dict) or set(sim or {}) - SIM:
            raise SceneError(f"Phone {name!r}: write its name in quotes, then number, network or dialect.")
    return {name: dict(sim or {}) for name, sim in told.items()}


def _check(steps: object, kinds: Mapping[str, Callable[..., Any]], where: str = "") -> None:
    if not isinstance(steps, list):
        raise SceneError(f"Step {where or '?'} must be a list of steps.")
    for index, step in enumerate(steps, 1):
        here = f"{where}{index}"
        if not isinstance(step, dict) or len(step) != 1:
            raise SceneError(f"Step {here} must have one name, such as `dial: {{…}}`, not {step!r}.")
        [(kind, what)] = step.items()
        if kind == "together":
            for track, each in enumerate(what if isinstance(what, list) else [what], 1):
                _check(each, kinds, f"{here}.{track}.")
        elif kind not in kinds:
            raise SceneError(f"Step {here}: there is no {kind!r}; there are {', '.join([*kinds, 'together'])}.")
        else:
            _check_call(here, kind, kinds[kind], what)


def _check_call(here: str, kind: str, act: Callable[..., Any], what: object) -> None:
    signature = inspect.signature(act)
    try:
        signature.bind(None, **arguments(what))  # the first parameter is the player
    except TypeError as error:
        names = ", ".join(list(signature.parameters)[1:])
        raise SceneError(f"Step {here}: {kind} takes {names}: {error}.") from None


def arguments(what: object) -> dict[str, Any]:
    """What a step says: an object, or one value alone, as in `pause: 2`."""
    return what if isinstance(what, dict) else {"value": what}
