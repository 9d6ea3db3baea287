"""The attacks of attacks.toml by their names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from tests.attack import floods, guessing, injection, oversize, panel, pumping, slow, smuggling, webhooks
from tests.attack.house import House

# Each gives how often it tried, and fails as soon as one try got something.
ATTACKS: Final[dict[str, Callable[[House], Awaitable[int]]]] = {
    "forged": webhooks.forged,
    "replayed": webhooks.replayed,
    "guessed": webhooks.guessed,
    "timed": webhooks.timed,
    "elsewhere": panel.elsewhere,
    "other sites": panel.other_sites,
    "no press": panel.without_pressing,
    "sessions": panel.sessions,
    "one phone": floods.one_phone,
    "many phones": floods.many_phones,
    "pages": floods.pages,
    "sockets": floods.sockets,
    "PIN by text": guessing.pin_by_text,
    "PIN by dialling": guessing.pin_by_dialling,
    "challenge": guessing.challenge,
    "passwords": guessing.passwords,
    "codes": guessing.codes,
    "enrolment": guessing.enrolment,
    "join codes": guessing.join_codes,
    "who exists": guessing.who_exists,
    "slow": slow.alone,
    "large": oversize.requests,
    "endless": oversize.endless,
    "frames": oversize.frames,
    "headers": injection.header_lines,
    "led away": injection.led_away,
    "callers": injection.callers,
    "logs": injection.log_lines,
    "hidden": smuggling.hidden,
    "odd lines": smuggling.odd_lines,
    # These are the last: texts go out from here on, and whoever may close a line does so.
    "pumped": pumping.of_a_range,
    "abroad": pumping.abroad,
    "one person": pumping.of_one_person,
    "fields": injection.fields,
    "roles": panel.roles,
}
