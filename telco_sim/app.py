"""The telco over HTTP: the gateway's SMS API, and the control API that a handset and tests use."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from telco_sim import inbound, page, sms, texting, ussd
from telco_sim.config import NETWORKS, TelcoConfig
from telco_sim.dialects import DIALECTS
from telco_sim.faults import Faults
from telco_sim.telco import Telco
from telco_sim.twilio import sending

LONGEST_WAIT_SECONDS = 60.0


def create_app(config: TelcoConfig) -> Starlette:
    """Build one telco; its state is `app.state.telco`."""
    telco = Telco(config)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await telco.aclose()

    app = Starlette(
        lifespan=lifespan,
        exception_handlers={HTTPException: _refused, ValueError: _refused},
        routes=[
            Route("/version1/messaging", sms.messaging, methods=["POST"]),
            Route("/version1/messaging", inbound.fetch),
            Route("/2010-04-01/Accounts/{account}/Messages.json", sending.create, methods=["POST"]),
            Route("/2010-04-01/Accounts/{account}/Messages.json", sending.listed),
            Route("/telco/dial", dial, methods=["POST"]),
            Route("/telco/press", press, methods=["POST"]),
            Route("/telco/hangup", hang_up, methods=["POST"]),
            Route("/telco/text", text, methods=["POST"]),
            Route("/telco/power", power, methods=["POST"]),
            Route("/telco/optout", opt_out, methods=["POST"]),
            Route("/telco/inbox/{phone}", inbox),
            Route("/telco/ledger", ledger),
            Route("/telco/faults", get_faults),
            Route("/telco/faults", set_faults, methods=["POST"]),
            Route("/telco/faults", clear_faults, methods=["DELETE"]),
            Route("/healthz", health),
            *page.routes,
        ],
    )
    app.state.telco = telco
    return app


async def dial(request: Request) -> Response:
    """`{phone, code}`, optionally `network` and `dialect` (a preset's name each), to the first screen."""
    body = await _body(request, "phone", "code")
    telco = _telco(request)
    phone = _phone(body["phone"])
    if name := body.get("network"):
        telco.insert_sim(phone, NETWORKS[_known("network", name, NETWORKS)])
    if name := body.get("dialect"):
        telco.choose_dialect(phone, _known("dialect", name, DIALECTS))
    return JSONResponse((await ussd.dial(telco, phone, body["code"])).as_json())


async def press(request: Request) -> Response:
    """`{session, input}` to the next screen."""
    body = await _body(request, "session", "input")
    return JSONResponse((await ussd.press(_telco(request), body["session"], body["input"])).as_json())


async def hang_up(request: Request) -> Response:
    """`{session}` to an empty, closed screen."""
    body = await _body(request, "session")
    return JSONResponse((await ussd.hang_up(_telco(request), body["session"])).as_json())


async def text(request: Request) -> Response:
    """`{phone, to, text}` to what the application first answered to each copy: `{answers: [{status, error}]}`."""
    body = await _body(request, "phone", "to", "text")
    answers = await texting.text(_telco(request), _phone(body["phone"]), body["to"], body["text"])
    return JSONResponse({"answers": [{"status": answer.status, "error": answer.error} for answer in answers]})


async def opt_out(request: Request) -> Response:
    """`{phone, sender}`: the sender, made of letters, is stopped for this phone."""
    body = await _body(request, "phone", "sender")
    answer = await texting.opt_out(_telco(request), _phone(body["phone"]), body["sender"])
    return JSONResponse({"status": answer.status, "error": answer.error})


async def power(request: Request) -> Response:
    """`{phone, on}`: the phone is switched on, or off."""
    body = await _body(request, "phone")
    if not isinstance(body.get("on"), bool):
        raise ValueError("on must be true or false.")  # noqa: TRY004 - what ValueErrors say is answered
    ussd.switch(_telco(request), _phone(body["phone"]), on=body["on"])
    return Response(status_code=204)


async def inbox(request: Request) -> Response:
    """Texts of a phone after ledger row `after`; waits up to `wait` seconds for one."""
    phone = _phone(request.path_params["phone"])
    wait = min(float(request.query_params.get("wait", 0)), LONGEST_WAIT_SECONDS)
    after = int(request.query_params.get("after", 0))
    texts = await _telco(request).wait_for_texts(phone, after, wait)
    return JSONResponse({"texts": [text.as_json() for text in texts]})


async def ledger(request: Request) -> Response:
    """Return the rows after row `after`; waits up to `wait` seconds for one."""
    telco = _telco(request)
    wait = min(float(request.query_params.get("wait", 0)), LONGEST_WAIT_SECONDS)
    after = int(request.query_params.get("after", 0))
    rows = await telco.ledger.wait(after, 0 if telco.stopping else wait)
    return JSONResponse({"rows": [row.as_json() for row in rows]})


async def get_faults(request: Request) -> Response:
    """Return the faults in force, as `set_faults` takes them, without those that are spent."""
    return JSONResponse(_telco(request).faults.as_json())


async def set_faults(request: Request) -> Response:
    """`{"sms": […], "ussd": […], "inbound": […], "twilio": […]}` replaces all faults in force."""
    _telco(request).faults = Faults.from_json(await _body(request))
    return Response(status_code=204)


async def clear_faults(request: Request) -> Response:
    """Let everything work again."""
    _telco(request).faults = Faults()
    return Response(status_code=204)


async def health(request: Request) -> Response:
    """Say who answers, which code to dial and which numbers to text."""
    config = _telco(request).config
    return JSONResponse(
        {
            "status": "ok",
            "service": "telco",
            "code": config.service_code,
            "network": config.network.name,
            "numbers": config.numbers,
        }
    )


async def _refused(_request: Request, error: Exception) -> Response:
    status, message = (error.status_code, error.detail) if isinstance(error, HTTPException) else (400, str(error))
    return JSONResponse({"error": message}, status_code=status)


async def _body(request: Request, *strings: str) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict) or not all(isinstance(body.get(name), str) for name in strings):
        fields = f" with the text fields {', '.join(strings)}" if strings else ""
        raise ValueError(f"The body must be a JSON object{fields}.")
    return body


def _phone(number: str) -> str:
    if not re.fullmatch(r"\+\d{7,15}", number):
        raise ValueError(f"{number!r} is not a phone number: write + and 7 to 15 digits: +254711000001.")
    return number


def _known(what: str, name: object, choices: Iterable[str]) -> str:
    if name not in list(choices):
        raise ValueError(f"There is no {what} {name!r}: choose one of {', '.join(choices)}.")
    return str(name)


def _telco(request: Request) -> Telco:
    telco: Telco = request.app.state.telco
    return telco
