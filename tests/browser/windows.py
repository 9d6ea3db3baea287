"""Browser windows for a test: each of a person of his own, and whatever goes wrong inside fails the test."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, WebError


@dataclass(slots=True)
class Windows:
    """Windows that share nothing: no cookie, no storage, no cache."""

    browser: Browser
    troubles: list[str] = field(default_factory=list)
    _forgiven: list[str] = field(default_factory=list)
    _open: list[BrowserContext] = field(default_factory=list)

    async def open(
        self,
        site: str,
        *,
        scripts: bool = True,
        width: int = 1280,
        height: int = 800,
        colors: Literal["light", "dark"] = "light",
    ) -> Page:
        """A window in which paths are those of `site`.

        `scripts` False is a browser without JavaScript, in which of the checks only `fits` works.
        Its tab's `context.set_offline(True)` fails requests but leaves open WebSockets be; see `cable`.
        """
        context = await self.browser.new_context(
            base_url=site,
            java_script_enabled=scripts,
            viewport={"width": width, "height": height},
            color_scheme=colors,
            reduced_motion="reduce",  # or a color that still fades in would be measured
            locale="en-GB",
            timezone_id="Africa/Nairobi",
        )
        self._open.append(context)
        self._watch(context, site)
        return await context.new_page()

    def forgive(self, *patterns: str) -> None:
        """Troubles that the test makes on purpose: a page that is not there (`status of 404`), a lost network."""
        self._forgiven.extend(patterns)

    def unforgiven(self) -> list[str]:
        """What went wrong: errors in the console, those of scripts, violations of the CSP, requests to other hosts."""
        return [trouble for trouble in self.troubles if not any(re.search(each, trouble) for each in self._forgiven)]

    async def close(self) -> None:
        while self._open:
            await self._open.pop().close()

    def _watch(self, context: BrowserContext, site: str) -> None:
        def console(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.troubles.append(f"console: {message.text} at {message.location['url']}")

        def script(error: WebError) -> None:
            self.troubles.append(f"script: {error.error}")

        def request(made: Request) -> None:
            if not made.url.startswith((f"{site}/", "data:", "blob:")):
                self.troubles.append(f"foreign host: {made.url}")

        context.on("console", console)
        context.on("weberror", script)
        context.on("request", request)
