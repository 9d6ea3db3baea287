"""The gateway's USSD side: dial, press and hang up, each answered by the screen that the caller sees."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from dataclasses import dataclass
from typing import Any

from telco_sim.config import DEFAULT_DIALECT
from telco_sim.dialects import DIALECTS
from telco_sim.dialects.dialect import Request, Shown, Unreadable
from telco_sim.exchange import Answer
from telco_sim.faults import UssdFault
from telco_sim.screen import INVALID_CODE, NETWORK_ERROR, SESSION_OVER, Screen
from telco_sim.session import Ending, Session
from telco_sim.telco import Telco

END_EVENT_SECONDS = 10.0


async def dial(telco: Telco, phone: str, code: str) -> Screen:
    """Open a session: `*384*40#`, or with digits after the code, `*384*40*4071#`."""
    extension = _extension(code, telco.config.service_code)
    if extension is None:
        return Screen(INVALID_CODE, open=False, error=f"This telco serves {telco.config.service_code} only.")
    if telco.is_off(phone):
        return Screen("", open=False, error="The phone is switched off.")
    session = _begin(telco, phone)
    if extension and telco.config.prefill:
        session.inputs.append(extension)
    return await _hop(telco, session)


def _begin(telco: Telco, phone: str) -> Session:
    name = telco.dialect_of(phone)
    session = Session(
        phone,
        telco.network_of(phone),
        telco.config.service_code,
        dialect=name,
        id=DIALECTS[name].new_id(),
        bare_star=telco.config.bare_star,
    )
    telco.sessions[session.id] = session
    return session


async def press(telco: Telco, session_id: str, keys: str) -> Screen:
    """Answer the screen of an open session with `keys`, sent as they are, also when empty."""
    session = telco.sessions.get(session_id)
    if session is None:
        return Screen(SESSION_OVER, open=False, session=session_id, error="No such session is open.")
    session.stop_clock()
    session.inputs.append(keys)
    return await _hop(telco, session)


async def hang_up(telco: Telco, session_id: str) -> Screen:
    """End a session from the phone. One that has ended already stays as it was."""
    session = telco.sessions.get(session_id)
    if session is not None:
        _close(telco, session, Ending.HUNG_UP)
    return Screen("", open=False, session=session_id)


def switch(telco: Telco, phone: str, *, on: bool) -> None:
    """Switch a phone on, so that what waited for it arrives, or off, which ends its sessions."""
    if not on:
        for session in [each for each in telco.sessions.values() if each.phone == phone]:
            _close(telco, session, Ending.HUNG_UP)
    telco.switch(phone, on=on)


async def _hop(telco: Telco, session: Session) -> Screen:
    session.hops += 1
    fault = telco.faults.for_ussd(session.phone, session.hops)
    _disturb_inputs(session, fault)
    if fault.twin and session.hops == 1:
        session.twin = _begin(telco, session.phone)
    await asyncio.sleep(fault.delay)
    late, session.late = session.late, []
    answer, _ = await asyncio.gather(_deliver(telco, session, fault), _deliver_twin(telco, session))
    for copy in late:
        await copy()
    if session.closed:
        return Screen(SESSION_OVER, open=False, session=session.id, error="The session ended before the reply came.")
    try:
        shown = _read(session, answer, fault)
    except Unreadable as error:
        session.error = str(error)
        _close(telco, session, Ending.FAILED)
        return Screen(NETWORK_ERROR, open=False, session=session.id, error=session.error)
    return _show(telco, session, shown, fault)


def _disturb_inputs(session: Session, fault: UssdFault) -> None:
    if fault.prefilled is not None and session.hops == 1:
        session.inputs[:] = [fault.prefilled]
    if fault.empty_input and session.hops > 1:
        session.inputs[-1] = ""
    if fault.star and session.hops > 1:
        session.inputs[-1] += "*"


async def _deliver_twin(telco: Telco, session: Session) -> None:
    """Nobody sees what the other session is answered; that the application sees both is the point."""
    if twin := session.twin:
        twin.hops, twin.inputs = session.hops, list(session.inputs)
        answer = await _post(telco, twin, _build(twin, twin.phone))
        with contextlib.suppress(Unreadable):
            _read(twin, answer, UssdFault())


async def _deliver(telco: Telco, session: Session, fault: UssdFault) -> Answer:
    request = _build(session, fault.phone_number or session.phone)
    post = functools.partial(_post, telco, session, request)
    if fault.overtaken:
        session.late.append(post)
    if fault.at_once:
        return (await asyncio.gather(*(post() for _ in range(fault.deliver))))[-1]
    for _ in range(fault.deliver - 1):
        await post()
    return await post()


@dataclass(frozen=True, slots=True)
class _Built:
    """A request as it leaves: a copy of it stays the same, whatever is typed meanwhile."""

    hop: int
    fields: dict[str, Any]
    request: Request


def _build(session: Session, phone: str) -> _Built:
    request = DIALECTS[session.dialect].request(session, phone)
    return _Built(session.hops, _told(session, session.request_fields(phone), request), request)


async def _post(telco: Telco, session: Session, built: _Built) -> Answer:
    telco.ledger.write("ussd.request", session.phone, hop=built.hop, **built.fields)
    url, _ = telco.config.urls_of(session.dialect)
    answer = await _send(telco, url, built.request, session.network.reply_seconds)
    telco.ledger.write(
        "ussd.reply",
        session.phone,
        sessionId=session.id,
        hop=built.hop,
        status=answer.status,
        body=answer.body.decode(errors="replace"),
        error=answer.error,
    )
    return answer


async def _send(telco: Telco, url: str, request: Request, seconds: float) -> Answer:
    address = url + request.tail if url else ""
    return await telco.callbacks.send(request.method, address, request.body, seconds=seconds, headers=request.headers)


def _told(session: Session, ours: dict[str, str], request: Request | None) -> dict[str, Any]:
    """What the ledger says of a request: always in the words of Africa's Talking, and then in the gateway's own."""
    if session.dialect == DEFAULT_DIALECT:
        return ours
    return {**ours, "dialect": session.dialect, "sent": request.fields if request else None}


def _read(session: Session, answer: Answer, fault: UssdFault) -> Shown:
    if fault.drop_reply:
        raise Unreadable("The reply of the application was lost.")
    session.last_reply = answer.body.decode(errors="replace")
    if answer.error:
        raise Unreadable(answer.error)
    return DIALECTS[session.dialect].read(session, answer)


def _show(telco: Telco, session: Session, shown: Shown, fault: UssdFault) -> Screen:
    if not shown.open:
        _close(telco, session, Ending.DONE)
    elif fault.hang_up:
        _close(telco, session, Ending.HUNG_UP)
    elif not session.seconds_left:
        _close(telco, session, Ending.TIMED_OUT)
    if session.closed:
        return Screen(shown.text, open=False, session=session.id)
    loop = asyncio.get_running_loop()
    session.clock = loop.call_later(session.seconds_left, _close, telco, session, Ending.TIMED_OUT)
    return Screen(shown.text, open=True, session=session.id, seconds=session.seconds_left, total=session.total_left)


def _close(telco: Telco, session: Session, ending: Ending) -> None:
    session.closed = True
    session.stop_clock()
    telco.sessions.pop(session.id, None)
    telco.callbacks.background(_post_end(telco, session, ending))
    if session.twin:
        _close(telco, session.twin, ending)


async def _post_end(telco: Telco, session: Session, ending: Ending) -> None:
    answer = Answer(0, error="No end event was posted.")
    request = DIALECTS[session.dialect].ending(session, ending)
    fields = _told(session, session.end_fields(ending), request)
    _, url = telco.config.urls_of(session.dialect)
    if request and telco.config.end_events and url:
        answer = await _send(telco, url, request, END_EVENT_SECONDS)
    telco.ledger.write("ussd.end", session.phone, **fields, answered=answer.status, answerError=answer.error)


def _extension(code: str, service_code: str) -> str | None:
    """Return what was dialled after the service code, empty for the code alone, None for another code."""
    stem = service_code.removesuffix("#")
    if code == service_code:
        return ""
    if code.startswith(f"{stem}*") and code.endswith("#"):
        return code.removeprefix(f"{stem}*").removesuffix("#")
    return None
