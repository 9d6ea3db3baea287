"""What Twilio reads in the answer to an inbound text, as strictly as it reads it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from telco_sim.exchange import Answer

OK = 200
XML_TYPES = frozenset({"text/xml", "application/xml"})


class TwimlError(Exception):
    """The answer is not TwiML; the message begins with Twilio's error code."""


def messages_in(answer: Answer) -> list[str]:
    """Return the body of each <Message>; raises TwimlError."""
    if answer.status != OK:
        raise TwimlError(f"11200: the application answered HTTP {answer.status}.")
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in XML_TYPES:
        raise TwimlError(f"12300: the content type must be text/xml, not {content_type!r}.")
    return [_body(verb) for verb in _response(answer.body)]


def _response(body: bytes) -> ET.Element:
    try:
        root = ET.fromstring(body)  # noqa: S314 - the application under test wrote it
    except ET.ParseError as error:
        raise TwimlError(f"12100: the answer is not XML: {error}.") from None
    if root.tag != "Response":
        raise TwimlError(f"12100: the answer must be a <Response>, not a <{root.tag}>.")
    return root


def _body(verb: ET.Element) -> str:
    if verb.tag != "Message":
        raise TwimlError(f"14101: this telco knows the verb <Message> only, not <{verb.tag}>.")
    inner = verb.find("Body")
    return ((verb if inner is None else inner).text or "").strip()
