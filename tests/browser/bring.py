"""`python -m tests.browser.bring` installs Debian's Chromium for the tests where it can, and says when it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium", "fonts-liberation")  # without a font a page is boxes
PATIENCE = 900  # seconds; 100 MB on a slow line
MISSING = "BROWSER TESTS NOT RUN: THERE IS NO CHROMIUM. Install it (`apt-get install chromium`) and run them again."


def find() -> str | None:
    """The browser on this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def bring() -> str | None:
    """The browser, installed first if it is not there, we are root and this is Debian or the like."""
    if find() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("bringing Chromium for the browser tests …", flush=True)  # noqa: T201
        for words in (("update",), ("install", "--yes", "--no-install-recommends", *PACKAGES)):
            _apt(*words)
    return find()


def _apt(*words: str) -> None:
    """A command of apt-get's; its failure is told and not raised, since the browser may come all the same."""
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(["apt-get", "-qq", *words], env=quiet, stdout=subprocess.DEVNULL, timeout=PATIENCE, check=True)
    except (subprocess.SubprocessError, OSError) as error:
        print(f"apt-get {words[0]}: {error}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__" and bring() is None:
    print(f"\n    {MISSING}\n", file=sys.stderr)  # noqa: T201
