"""Handsets in a browser: the page at `/telco`, its files, and what it must know of this telco."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from telco_sim.config import NETWORKS
from telco_sim.dialects import DIALECTS
from telco_sim.telco import Telco

HERE = Path(__file__).parent
HEADERS = {"Content-Security-Policy": "default-src 'self'; img-src 'self' data:", "Cache-Control": "no-cache"}


async def handsets(_request: Request) -> Response:
    """The page; everything on it is drawn by its script."""
    return FileResponse(HERE / "templates/telco.html", headers=HEADERS)


async def setup(request: Request) -> Response:
    """Say what can be dialled, texted and chosen here, and which row of the ledger is the last."""
    telco: Telco = request.app.state.telco
    config = telco.config
    networks = {
        network.name: {"country": network.country, "idle": network.idle_seconds, "total": network.session_seconds}
        for network in [config.network, *NETWORKS.values()]
    }
    dialects = {name: dialect.label for name, dialect in DIALECTS.items() if config.urls_of(name)[0]}
    return JSONResponse(
        {
            "code": config.service_code,
            "numbers": config.numbers,
            "network": config.network.name,
            "networks": networks,
            "dialects": dialects,
            "twilio": bool(config.twilio_account_sid),
            "last": len(telco.ledger.rows),
        }
    )


routes = [
    Route("/telco", handsets),
    Route("/telco/setup", setup),
    Mount("/telco/static", StaticFiles(directory=HERE / "static")),
]
