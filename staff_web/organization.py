"""The organization, for its admins."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from queue_core import branch_settings, branches
from queue_core.errors import Refused
from sms.texts import languages
from staff_web import said
from staff_web.guard import Visit
from staff_web.pages import page

ORGANIZATION: Final = "/staff/organization"


async def show(visit: Visit) -> Response:
    found = await branches.organization(visit.core, visit.member.act())
    return page(visit, "organization.html", organization=found, languages=languages())


async def change(visit: Visit) -> Response:
    """A language in which there are texts: nobody must be told nothing."""
    language = visit.text("language")
    if language not in languages():
        raise Refused("bad_language")
    await branch_settings.change_organization(visit.core, visit.act(), visit.text("name"), language)
    return said.then(ORGANIZATION, "The organization was saved.")
