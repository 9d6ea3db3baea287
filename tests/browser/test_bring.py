"""Where no browser can be had the tests pass, and nobody can overlook that these did not run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.bring import MISSING

TREE = Path(__file__).parents[2]


def run(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A Python command on a machine that has nothing but what is in `path`."""
    return subprocess.run(
        [sys.executable, *words],
        env=os.environ | {"PATH": str(path)},
        cwd=TREE,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_browser_that_cannot_be_brought_is_told_in_capitals_and_is_no_failure(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "tests.browser.bring")
    assert (done.returncode, done.stdout) == (0, "")
    assert MISSING in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs")
def test_an_apt_that_fails_is_told_and_is_no_failure(tmp_path: Path) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\nexit 100\n")
    apt.chmod(0o755)
    done = run(tmp_path, "-m", "tests.browser.bring")
    assert done.returncode == 0
    assert "apt-get install: " in done.stderr
    assert MISSING in done.stderr


def test_a_run_without_a_browser_ends_with_those_words(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider", "tests/browser/test_fixtures.py", "-k", "good_page")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"1 {MISSING}" in done.stdout.splitlines()
    assert "1 skipped" in done.stdout
