"""What should go wrong: rules for everybody or one phone, for ever or n times, told by HTTP or by a test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

SMS_STATUSES = (401, 429, 500)
ENDINGS = ("answer", "cut", "hang")
REPORTS = ("normal", "none", "duplicate", "reordered", "early", "failed", "rejected")
TWILIO_STATUSES = (401, 429, 500, 503)
TWILIO_REPORTS = ("normal", "none", "duplicate", "reordered", "early", "failed", "undelivered")
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
    - `star`: an asterisk stands after what was typed, as after a slip of the thumb.
    - `phone_number`: sent instead of the caller's.
    - `overtaken`: a copy of the request is under way for so long that the session's next one comes first.
    - `twin`: with the dial a second session of the same phone begins, and gets every key that the first one gets.
    """

    hop: int | None = None
    deliver: int = 1
    at_once: bool = False
    drop_reply: bool = False
    hang_up: bool = False
    prefilled: str | None = None
    empty_input: bool = False
    star: bool = False
    phone_number: str | None = None
    overtaken: bool = False
    twin: bool = False

    def __post_init__(self) -> None:
        """Refuse a rule that would silently do nothing."""
        _one_of("deliver", self.deliver, range(1, MOST_DELIVERIES + 1))


@dataclass(slots=True, kw_only=True, eq=False)
class InboundFault(Fault):
    """What goes wrong with one text that a phone sends to the application.

    - `deliver`: how often it reaches the application, one after the other or all `at_once`; 0: never.
    - `delay`: seconds before it leaves.
    - `overtaken`: it leaves only after the next text of the same phone.
    - `date`: sent instead of the time; Twilio's dialect has none.
    """

    deliver: int = 1
    at_once: bool = False
    overtaken: bool = False
    date: str | None = None

    def __post_init__(self) -> None:
        """Refuse a rule that would silently do nothing."""
        _one_of("deliver", self.deliver, range(MOST_DELIVERIES + 1))


@dataclass(slots=True, kw_only=True, eq=False)
class TwilioFault(Fault):
    """What goes wrong with one text that is sent through Twilio's dialect.

    - `status`: answer this HTTP status and accept nothing.
    - `code`: refuse the recipient with this error code of Twilio's.
    - `delay`: seconds between accepting and replying.
    - `ending`: after accepting, `cut` the connection without a reply, or `hang` until the caller gives up.
    - `reports`: the status callbacks that follow. `early` ones are posted before the reply; `failed` and
      `undelivered` carry `error_code`, and the text never arrives.
    """

    status: int | None = None
    code: int | None = None
    ending: str = "answer"
    reports: str = "normal"
    error_code: int = 30003

    def __post_init__(self) -> None:
        """Refuse a rule that would silently do nothing."""
        _one_of("status", self.status, (None, *TWILIO_STATUSES))
        _one_of("ending", self.ending, ENDINGS)
        _one_of("reports", self.reports, TWILIO_REPORTS)


KINDS: dict[str, type[Fault]] = {
    "inbound": InboundFault,
    "sms": SmsFault,
    "twilio": TwilioFault,
    "ussd": UssdFault,
}
F = TypeVar("F", bound=Fault)


@dataclass(slots=True)
class Faults:
    """All rules in force; the first one that covers a request is the one that applies."""

    sms: list[SmsFault] = field(default_factory=list)
    ussd: list[UssdFault] = field(default_factory=list)
    inbound: list[InboundFault] = field(default_factory=list)
    twilio: list[TwilioFault] = field(default_factory=list)

    @classmethod
    def from_json(cls, rules: Mapping[str, Any]) -> Faults:
        """Build from `{"sms": [{…}], "ussd": [{…}]}`; raises ValueError with a sentence to show."""
        if unknown := set(rules) - set(KINDS):
            raise ValueError(f"There are faults for {', '.join(map(repr, KINDS))} only, not for {sorted(unknown)}.")
        try:
            made: dict[str, Any] = {kind: [KINDS[kind](**rule) for rule in of_kind] for kind, of_kind in rules.items()}
            return cls(**made)
        except TypeError as error:
            raise ValueError(f"A fault is an object with known fields: {error}.") from error

    def as_json(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rules that are not spent, so that `from_json` makes them again."""
        return {kind: [asdict(rule) for rule in getattr(self, kind) if rule.count != 0] for kind in KINDS}

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
        return _spent(rule for rule in self.ussd if rule.covers(phone) and rule.hop in (None, hop)) or UssdFault()

    def for_inbound(self, phone: str) -> InboundFault:
        """Return the rule for this text of a phone, or one that changes nothing."""
        return _spent(rule for rule in self.inbound if rule.covers(phone)) or InboundFault()

    def for_twilio(self, number: str) -> TwilioFault:
        """Return the rule for this text to a number, or one that changes nothing."""
        return _spent(rule for rule in self.twilio if rule.covers(number)) or TwilioFault()


def _spent(rules: Iterator[F]) -> F | None:
    rule = next(rules, None)
    if rule:
        rule.spend()
    return rule


def _one_of(name: str, value: object, allowed: Iterable[object]) -> None:
    choices = list(allowed)
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}, not {value!r}.")
