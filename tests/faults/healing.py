"""What a test of a fault tells the table: how often it was done, and how long it took to heal."""

from __future__ import annotations

import faulthandler
import sys
import time
from collections.abc import Callable

import pytest

LONG = "ZAMU_LONG_TESTS"  # set while tests that take minutes are to run


class Healing:
    """From `begin`, when the fault is over, to `done`, when people are served as before; the longest counts."""

    def __init__(self, record: Callable[[str, object], None]) -> None:
        self._record = record
        self._began = time.monotonic()

    def begin(self) -> None:
        self._began = time.monotonic()

    def done(self) -> None:
        self._record("healed", time.monotonic() - self._began)

    def times(self, number: int) -> None:
        """So often in this one test."""
        self._record("times", number)


def hangs_after(seconds: float) -> None:
    """For a test that takes longer than others do: only past this it hangs, and ends the run."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__ or sys.stderr)


@pytest.fixture
def healing(record_property: Callable[[str, object], None]) -> Healing:
    return Healing(record_property)
