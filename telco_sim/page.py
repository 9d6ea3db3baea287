"""Handsets in a browser: the page at `/telco`, its files, and what it must know of this telco."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from telco_sim.config import NETWORKS
from telco_sim.dialects import DIALECTS
from telco_sim.telco import Telco

HERE = Path(__file__).parent
POLICY = "default-src 'self'; img-src 'self' data:"
TEMPLATES = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)


async def handsets(_request: Request) -> Response:
    """The page; everything on it is drawn by its script."""
    return _page("telco.html", POLICY)


async def demo(request: Request) -> Response:
    """Phones, the application's panel and its board side by side, where this telco was told of them."""
    config = _telco(request).config
    if not config.panel_url or not config.board_url:
        raise HTTPException(404, "This telco was not told of a panel and a board: see --panel-url and --board-url.")
    frames = " ".join(sorted({_origin(url) for url in (config.panel_url, config.board_url)}))
    tour = json.loads(config.tour or "[]")
    return _page("demo.html", f"{POLICY}; frame-src {frames}", config=config, tour=tour)


def _page(name: str, policy: str, **facts: object) -> Response:
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
    return HTMLResponse(TEMPLATES.get_template(name).render(**facts), headers=headers)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


async def setup(request: Request) -> Response:
    """Say what can be dialled, texted and chosen here, and which row of the ledger is the last."""
    telco = _telco(request)
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
            "off": telco.off,
            "last": len(telco.ledger.rows),
        }
    )


def _telco(request: Request) -> Telco:
    telco: Telco = request.app.state.telco
    return telco


routes = [
    Route("/telco", handsets),
    Route("/telco/demo", demo),
    Route("/telco/setup", setup),
    Mount("/telco/static", StaticFiles(directory=HERE / "static")),
]
