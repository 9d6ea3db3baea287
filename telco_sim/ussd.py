"""The gateway's USSD side: dial, press and hang up, each answered by the screen that the caller sees."""

from __future__ import annotations

import asyncio

from telco_sim.callbacks import encode_form
from telco_sim.exchange import Answer
from telco_sim.faults import UssdFault
from telco_sim.screen import INVALID_CODE, NETWORK_ERROR, PREFIX_LENGTH, SESSION_OVER, Screen, refusal
from telco_sim.session import Session
from telco_sim.telco import Telco

HOP_LABEL = "at-ussd-hop-metadata"
END_EVENT_SECONDS = 10.0


async def dial(telco: Telco, phone: str, code: str) -> Screen:
    """Open a session: `*384*40#`, or with digits after the code, `*384*40*4071#`."""
    extension = _extension(code, telco.config.service_code)
    if extension is None:
        return Screen(INVALID_CODE, open=False, error=f"This telco serves {telco.config.service_code} only.")
    session = Session(phone, telco.network_of(phone), telco.config.service_code)
    if extension and telco.config.prefill:
        session.inputs.append(extension)
    telco.sessions[session.id] = session
    return await _hop(telco, session)


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
        _close(telco, session, "Incomplete")
    return Screen("", open=False, session=session_id)


async def _hop(telco: Telco, session: Session) -> Screen:
    session.hops += 1
    fault = telco.faults.for_ussd(session.phone, session.hops)
    _disturb_inputs(session, fault)
    await asyncio.sleep(fault.delay)
    answer = await _deliver(telco, session, fault)
    if session.closed:
        return Screen(SESSION_OVER, open=False, session=session.id, error="The session ended before the reply came.")
    if error := _judge(session, answer, fault):
        _close(telco, session, "Failed", error)
        return Screen(NETWORK_ERROR, open=False, session=session.id, error=error)
    return _show(telco, session, fault)


def _disturb_inputs(session: Session, fault: UssdFault) -> None:
    if fault.prefilled is not None and session.hops == 1:
        session.inputs[:] = [fault.prefilled]
    if fault.empty_input and session.hops > 1:
        session.inputs[-1] = ""


async def _deliver(telco: Telco, session: Session, fault: UssdFault) -> Answer:
    if fault.at_once:
        copies = (_request(telco, session, fault) for _ in range(fault.deliver))
        return (await asyncio.gather(*copies))[-1]
    for _ in range(fault.deliver - 1):
        await _request(telco, session, fault)
    return await _request(telco, session, fault)


async def _request(telco: Telco, session: Session, fault: UssdFault) -> Answer:
    hop, fields = session.hops, session.request_fields(fault.phone_number or session.phone)
    telco.ledger.write("ussd.request", session.phone, hop=hop, **fields)
    form = encode_form(fields, bare_star=telco.config.bare_star)
    headers = {HOP_LABEL: session.last_label} if session.last_label else {}
    answer = await telco.callbacks.post(
        telco.config.ussd_url,
        form,
        seconds=session.network.reply_seconds,
        headers=headers,
    )
    body = answer.body.decode(errors="replace")
    telco.ledger.write(
        "ussd.reply",
        session.phone,
        sessionId=session.id,
        hop=hop,
        status=answer.status,
        body=body,
        error=answer.error,
    )
    return answer


def _judge(session: Session, answer: Answer, fault: UssdFault) -> str:
    if fault.drop_reply:
        return "The reply of the application was lost."
    session.last_reply = answer.body.decode(errors="replace")
    session.label(answer.headers.get(HOP_LABEL, ""))
    return answer.error or refusal(answer.status, answer.body)


def _show(telco: Telco, session: Session, fault: UssdFault) -> Screen:
    text = session.last_reply[PREFIX_LENGTH:]
    if session.last_reply.startswith("END "):
        _close(telco, session, "Success")
    elif fault.hang_up or not session.seconds_left:
        _close(telco, session, "Incomplete")
    else:
        loop = asyncio.get_running_loop()
        session.clock = loop.call_later(session.seconds_left, _close, telco, session, "Incomplete")
    seconds = 0.0 if session.closed else session.seconds_left
    return Screen(text, open=not session.closed, session=session.id, seconds=seconds)


def _close(telco: Telco, session: Session, status: str, error: str = "") -> None:
    session.closed = True
    session.stop_clock()
    telco.sessions.pop(session.id, None)
    telco.callbacks.background(_post_end(telco, session, session.end_fields(status, error)))


async def _post_end(telco: Telco, session: Session, fields: dict[str, str]) -> None:
    answer = Answer(0, error="No end event was posted.")
    if telco.config.end_events and telco.config.ussd_end_url:
        answer = await telco.callbacks.post(
            telco.config.ussd_end_url,
            encode_form(fields, bare_star=telco.config.bare_star),
            seconds=END_EVENT_SECONDS,
        )
    telco.ledger.write("ussd.end", session.phone, **fields, answered=answer.status, answerError=answer.error)


def _extension(code: str, service_code: str) -> str | None:
    """Return what was dialled after the service code, empty for the code alone, None for another code."""
    stem = service_code.removesuffix("#")
    if code == service_code:
        return ""
    if code.startswith(f"{stem}*") and code.endswith("#"):
        return code.removeprefix(f"{stem}*").removesuffix("#")
    return None
