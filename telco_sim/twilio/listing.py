"""One page of the account's messages, newest first, with the filters that a lookup uses."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from telco_sim.twilio.errors import INVALID_PARAMETER, RefusedError
from telco_sim.twilio.message import Message

PAGE, LARGEST_PAGE = 50, 1000
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def page(messages: Sequence[Message], path: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the page that `query` asks for; raises RefusedError for a date or a size that is none."""
    filters = _filters(query)
    chosen = [message for message in reversed(messages) if all(matches(message) for matches in filters)]
    number = _whole(query, "Page", 0)
    size = min(_whole(query, "PageSize", PAGE), LARGEST_PAGE) or PAGE
    # The token is the last message shown, so that a page does not move when a message is added.
    token = query.get("PageToken", "").removeprefix("PA")
    start = next((at for at, message in enumerate(chosen, 1) if message.sid == token), 0)
    shown = chosen[start : start + size]
    rest = len(chosen) > start + size
    following = {**query, "PageSize": size, "Page": number + 1, "PageToken": f"PA{shown[-1].sid}"} if rest else {}
    return {
        "end": start + max(len(shown) - 1, 0),
        "first_page_uri": f"{path}?{urlencode({**_without_page(query), 'PageSize': size, 'Page': 0})}",
        "messages": [message.as_json() for message in shown],
        "next_page_uri": f"{path}?{urlencode(following)}" if rest else None,
        "page": number,
        "page_size": size,
        "previous_page_uri": None,
        "start": start,
        "uri": f"{path}?{urlencode(query)}",
    }


def _without_page(query: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if not name.startswith("Page")}


def _filters(query: Mapping[str, str]) -> list[Callable[[Message], bool]]:
    filters: dict[str, Callable[[Message], bool]] = {
        "To": lambda message: message.to == query["To"],
        "From": lambda message: message.sender == query["From"],
    }
    spans = {name: _span(query[name]) for name in ("DateSent", "DateSent>", "DateSent<") if name in query}
    for name, (begin, end) in spans.items():
        first = begin if name != "DateSent<" else EARLIEST
        last = end if name != "DateSent>" else LATEST
        filters[name] = functools.partial(_left_between, first, last)
    return [matches for name, matches in filters.items() if name in query]


def _left_between(begin: datetime, end: datetime, message: Message) -> bool:
    # A message that has not left yet is found by when it was made: it will leave a moment later.
    return begin <= (message.sent or message.created) < end


def _span(text: str) -> tuple[datetime, datetime]:
    """Return where a day or a second begins and ends; both of Twilio's comparisons include it."""
    try:
        moment = datetime.fromisoformat(text)
        begin = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return begin, begin + (SECOND if "T" in text else DAY)
    except (ValueError, OverflowError):
        raise RefusedError(INVALID_PARAMETER) from None


def _whole(query: Mapping[str, str], name: str, otherwise: int) -> int:
    value = query.get(name, str(otherwise))
    if not value.isascii() or not value.isdigit():
        raise RefusedError(INVALID_PARAMETER)
    return int(value)
