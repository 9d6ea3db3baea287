"""The second factor: six digits that an authenticator makes of a secret and the time (RFC 6238)."""

from __future__ import annotations

import re
from hmac import compare_digest
from typing import Final

import pyotp

SECONDS: Final = 30  # a code's step
DRIFT: Final = 1  # how many steps an authenticator's clock may be off

CODE = re.compile(r"[0-9]{6}")


def new_secret() -> str:
    """160 bits in base32, to be typed or scanned."""
    return pyotp.random_base32()


def uri(secret: str, login: str) -> str:
    """What an authenticator reads from a link or a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="Zamu")


def step_of(secret: str, code: str, at: float) -> int | None:
    """Which step near the time `at` (seconds of the epoch) the code is of; None for a wrong one."""
    code = "".join(code.split())
    if not CODE.fullmatch(code):
        return None
    now = int(at) // SECONDS
    clock = pyotp.TOTP(secret, interval=SECONDS)
    near = range(now - DRIFT, now + DRIFT + 1)
    return next((step for step in near if compare_digest(clock.generate_otp(step), code)), None)
