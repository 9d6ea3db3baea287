"""What should go wrong: rules for everybody or one phone, for ever or n times, told by HTTP or by a test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SMS_STATUSES = (401, 429, 500)
ENDINGS = ("answer", "cut", "hang")
REPORTS = ("normal", "none", "duplicate", "reordered", "early", "failed", "rejected")
MOST_DELIVERIES = 3


@dataclass(slots=True, kw_only=True, eq=False)
class Fault:
    """A rule for one phone (None: everybody) that applies `count` more times (None: always)."""

    phone: str | None = None
    count: int | None = None
    delay: float = 0.0

    def covers(self, phone: str) -> bool:
        """Tell whether the rule is still in force for this phone."""
        return self.count != 0 and self.phone in (None, phone)

    def spend(self) -> None:
        """Count one application of the rule."""
        if self.count is not None:
            self.count -= 1


@dataclass(slots=True, kw_only=True, eq=False)
class SmsFault(Fault):
    """What goes wrong with one send request.

    - `status`: answer this HTTP status and accept nothing.
    - `code`: answer 201 with this statusCode for the recipient.
    - `delay`: seconds between accepting and replying.
    - `ending`: after accepting, `cut` the connection without a reply, or `hang` until the caller gives up.
    - `reports`: the delivery reports that follow. `early` ones are posted before the reply; `failed` and
      `rejected` carry `reason`, and the text never arrives.
    """

    status: int | None = None
    code: int | None = None
    ending: str = "answer"
    reports: str = "normal"
    reason: str = "DeliveryFailure"

    def __post_init__(self) -> None:
        """Refuse a rule that would silently do nothing."""
        _one_of("status", self.status, (None, *SMS_STATUSES))
        _one_of("ending", self.ending, ENDINGS)
        _one_of("reports", self.reports, REPORTS)


@dataclass(slots=True, kw_only=True, eq=False)
class UssdFault(Fault):
    """What goes wrong with one request of a session.

    - `hop`: only at this request of the session; 1 is the dial.
    - `deliver`: how often the request reaches the application, one after the other or all `at_once`; the last
      answer is shown.
    - `delay`: seconds before the request leaves.
    - `drop_reply`: the answer is lost and the session fails.
    - `hang_up`: the caller is gone once the answer came.
    - `prefilled`: the text of the first request.
    - `empty_input`: what was typed is lost.
    - `phone_number`: sent instead of the caller's.
    """

    hop: int | None = None
    deliver: int = 1
    at_once: bool = False
    drop_reply: bool = False
    hang_up: bool = False
    prefilled: str | None = None
    empty_input: bool = False
    phone_number: str | None = None

    def __post_init__(self) -> None:
        """Refuse a rule that would silently do nothing."""
        _one_of("deliver", self.deliver, range(1, MOST_DELIVERIES + 1))


@dataclass(slots=True)
class Faults:
    """All rules in force; the first one that covers a request is the one that applies."""

    sms: list[SmsFault] = field(default_factory=list)
    ussd: list[UssdFault] = field(default_factory=list)

    @classmethod
    def from_json(cls, rules: Mapping[str, Any]) -> Faults:
        """Build from `{"sms": [{…}], "ussd": [{…}]}`; raises ValueError with a sentence to show."""
        if unknown := set(rules) - {"sms", "ussd"}:
            raise ValueError(f"There are faults for 'sms' and 'ussd' only, not for {sorted(unknown)}.")
        try:
            return cls(
                sms=[SmsFault(**rule) for rule in rules.get("sms", [])],
                ussd=[UssdFault(**rule) for rule in rules.get("ussd", [])],
            )
        except TypeError as error:
            raise ValueError(f"A fault is an object with known fields: {error}.") from error

    def for_sms(self, numbers: Iterable[str]) -> dict[str, SmsFault]:
        """Return the rule of each recipient that has one; a rule counts once for the whole request."""
        chosen: dict[str, SmsFault] = {}
        for number in numbers:
            if rule := next((rule for rule in self.sms if rule.covers(number)), None):
                chosen[number] = rule
        for rule in set(chosen.values()):
            rule.spend()
        return chosen

    def for_ussd(self, phone: str, hop: int) -> UssdFault:
        """Return the rule for this request of a session, or one that changes nothing."""
        for rule in self.ussd:
            if rule.covers(phone) and rule.hop in (None, hop):
                rule.spend()
                return rule
        return UssdFault()


def _one_of(name: str, value: object, allowed: Iterable[object]) -> None:
    choices = list(allowed)
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}, not {value!r}.")
