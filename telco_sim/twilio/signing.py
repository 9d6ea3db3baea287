"""Twilio's signature of what it posts, and the two addresses of the application: the believed and the real one."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from telco_sim.config import TelcoConfig


def signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    """Return the value of X-Twilio-Signature: HMAC-SHA1 over the address and the fields sorted by name, blanks kept."""
    signed = url + "".join(f"{name}{value}" for name, value in sorted(fields.items()))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def signed_headers(config: TelcoConfig, url: str, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the header for a post to `url`, signed over the address that the application believes in."""
    real = _origin(url)
    believed = (config.public_url.rstrip("/") or real) + url.removeprefix(real)
    return {"X-Twilio-Signature": signature(config.twilio_auth_token, believed, fields)}


def reachable(config: TelcoConfig, url: str) -> str:
    """Return where to post what the application wants at its public address."""
    public = config.public_url.rstrip("/")
    if public and url.startswith(f"{public}/") and config.twilio_inbound_url:
        return _origin(config.twilio_inbound_url) + url.removeprefix(public)
    return url


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
