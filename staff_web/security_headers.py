"""What browsers are told about every page: nothing foreign runs, nobody frames it, nothing is kept."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

YEAR = 365 * 24 * 3600
FRAMED_BY_NOBODY = "frame-ancestors 'none'"


def headers(nonce: str | None) -> dict[str, str]:
    """For one page, whose scripts and styles carry this nonce, which is never used twice; None: it has no scripts."""
    policy = (
        "default-src 'none'",
        f"script-src 'nonce-{nonce}'" if nonce else "script-src 'none'",
        f"style-src 'nonce-{nonce}'" if nonce else "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        FRAMED_BY_NOBODY,
    )
    return {
        "content-security-policy": "; ".join(policy),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",  # with no-referrer a form says that it came from nowhere
        "cross-origin-opener-policy": "same-origin",
        "cache-control": "no-store",
    }


class OnlyHttps:
    """Middleware for a server whose public address is https: browsers come by no other way from now on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["strict-transport-security"] = f"max-age={YEAR}"
            await send(message)

        await self.app(scope, receive, strictly if scope["type"] == "http" else send)


class FramedBy:
    """Middleware for the demo alone: pages of one other origin may show ours in a frame."""

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self.app = app
        self._ancestors = f"frame-ancestors {origin}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = MutableHeaders(scope=message)
                if policy := told.get("content-security-policy"):
                    told["content-security-policy"] = policy.replace(FRAMED_BY_NOBODY, self._ancestors)
            await send(message)

        await self.app(scope, receive, framed if scope["type"] == "http" else send)
