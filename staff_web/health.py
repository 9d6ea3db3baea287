"""What is well and what is not, in words, for admins; the same checks as those of `zamu doctor`."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from staff_web.guard import Visit
from staff_web.pages import page

HEALTH: Final = "/staff/health"
ORDER: Final = ("wrong", "warning", "ok")


async def show(visit: Visit) -> Response:
    found = sorted(await visit.request.state.checkup(), key=lambda finding: ORDER.index(finding.state))
    return page(visit, "health.html", findings=found, worst=found[0].state)
