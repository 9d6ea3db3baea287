"""The application's own table of routes, each of them with a name."""

from __future__ import annotations

import re
from functools import cache
from typing import Final
from urllib.parse import unquote

from starlette.routing import BaseRoute, Match, Route, WebSocketRoute

from tests.fuzz.place import application
from tests.fuzz.wire import Asked
from tests.webhooks.conftest import USSD_SECRETS

PARAMETER: Final = re.compile(r"\{(\w+)(?::\w+)?\}")
# Those with an address of their own, and those that read on after the secret; see webhooks/routes.py.
GATEWAYS: Final = ("africastalking", *USSD_SECRETS)
WITH_PATH: Final = ("infobip",)
NOWHERE: Final = {
    "ZAMU_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "ZAMU_REDIS_URL": "redis://127.0.0.1:1/0",
    "ZAMU_DATA_DIR": "/nowhere",
}


@cache
def routes() -> tuple[BaseRoute, ...]:
    """In the order in which they are tried."""
    return tuple(application(NOWHERE).routes)


def doors() -> list[str]:
    """The names of all that is asked by plain HTTP; what one route does for several gateways has several."""
    names = []
    for route in routes():
        if isinstance(route, Route):
            names += [_name(route, gateway) for gateway in _gateways(route)]
    return names


def sockets() -> list[str]:
    """The paths of all that is open for long."""
    return [route.path for route in routes() if isinstance(route, WebSocketRoute)]


def strangers() -> list[BaseRoute]:
    """Routes of a kind that nothing here asks."""
    return [route for route in routes() if not isinstance(route, Route | WebSocketRoute)]


def door_of(asked: Asked) -> str | None:
    """The name of the route that answers; None where there is none."""
    scope = {"type": "http", "method": asked.method, "path": unquote(asked.path.decode()), "headers": []}
    for route in routes():
        match, found = route.matches(scope)
        if match is Match.FULL and isinstance(route, Route):
            return _name(route, str(found["path_params"].get("gateway", "")))
    return None


def parameters_of(route: Route) -> list[str]:
    return PARAMETER.findall(route.path)


def _gateways(route: Route) -> tuple[str, ...]:
    if "{gateway}" not in route.path:
        return ("",)
    return WITH_PATH if "{path:path}" in route.path else GATEWAYS


def _name(route: Route, gateway: str) -> str:
    """Routes for several gateways answer each by other methods, so theirs are not named."""
    if gateway or "{gateway}" in route.path:
        return route.path.replace("{gateway}", gateway)
    return " ".join([*sorted((route.methods or set()) - {"HEAD"}), route.path])
