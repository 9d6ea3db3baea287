"""No provider: every text is written to the log, for a first look at the product."""

from __future__ import annotations

import logging

from sms.sending import Sent

log = logging.getLogger("zamu.sms.console")


class Console:
    """Delivers to whoever reads the log."""

    code = "console"

    async def send(self, phone: str, body: str, *, reference: str) -> Sent:
        log.info("SMS to %s*****%s: %s", phone[:5], phone[-3:], body)
        return Sent(provider_id=reference)

    async def close(self) -> None:
        return
