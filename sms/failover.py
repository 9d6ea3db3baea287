"""Which gateways may be used: one whose account is refused rests, and a human is told once."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from sms.sending import Gateway, SendFailed

log = logging.getLogger("zamu.sms")

REST_SECONDS = 30


class Failover:
    """Gateways in the order of preference."""

    def __init__(self, gateways: Sequence[Gateway]) -> None:
        self._gateways = {gateway.code: gateway for gateway in gateways}
        self._rests_until: dict[str, float] = {}

    def __getitem__(self, code: str) -> Gateway:
        return self._gateways[code]

    @property
    def open(self) -> list[str]:
        """The codes of those that do not rest."""
        now = time.monotonic()
        return [code for code in self._gateways if self._rests_until.get(code, 0) <= now]

    def rest(self, code: str, failure: SendFailed) -> None:
        """Send nothing this way for a while. What is queued stays queued until it is too late for it."""
        if code not in self.open:
            return
        self._rests_until[code] = time.monotonic() + REST_SECONDS
        log.error(
            "%s refuses every text (%s); they stay queued, and it is tried again in %s s. %s",
            code,
            failure.code,
            REST_SECONDS,
            failure.advice,
        )
