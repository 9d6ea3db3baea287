"""The table of faults, made from a run of the tests that prove them: printed, and written down when asked to."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.proofs import NOT_RUN, PROOFS, Proof

ROOT = Path(__file__).parents[2]
DOC = ROOT / "docs/faults.md"
HEAD = """# Faults

What was broken on purpose, and what became of it. Made by `make faults`, which runs every test named in
`tests/faults/proofs.toml` and writes this file where `WRITE_README=1`. Whoever joined, called or was told is compared
from outside with what is in the database (`tests/invariants.py`), and with the provider's books where texts are sent.
*How often*: cases, kills, texts or simulated queue-days that ended well. *Lost*: tests in which a place, a text or an
answer was lost, doubled or wrong. *Healed*: the longest time from the end of the fault until everybody in the test was
served as before, while people and gateways asked again as they do; a dash where it was not timed.

| fault | what was broken | what was done | how often | lost | healed |
|---|---|---|---|---|---|
"""
THROUGH = """
## A load through kills

`zamu telco load` with a clerk at the panel, on three web processes behind nginx (`deploy/nginx`) and two workers. Every
ten seconds `kill -9` ends the next web process, which is started again a second later; Redis is emptied, PostgreSQL is
restarted, Redis is killed and started again (`tests/faults/test_load_through_kills.py`). Whoever hears no number dials
once more. All of it runs on two cores, beside the other proofs.

| what | measured |
|---|---|
"""
NOT_HERE = "\n## What cannot be played on one machine\n\n| fault | why, and what stands in for it |\n|---|---|\n"
END = """
A seed of the simulation is five lines of two days of fourteen people, with a provider that loses answers and workers
that die; `ZAMU_SEEDS=17 .venv/bin/pytest tests/simulation -k seed` lives one again, key by key.
"""


@dataclass(slots=True)
class Row:
    """What a run says of one fault."""

    times: int = 0
    lost: int = 0
    skipped: int = 0
    healed: list[float] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)

    @property
    def often(self) -> str:
        return f"{self.times}" + (f" ({self.skipped} could not run)" if self.skipped else "")

    def words(self) -> str:
        lost = "nothing" if not self.lost else f"**{self.lost}**"
        healed = f"{max(self.healed):.1f} s" if self.healed else "-"
        return f"{self.often} | {lost} | {healed}"


class Table:
    """Collects reports; a test may prove several things. `text` makes the table of what was seen, `write` keeps it."""

    def __init__(
        self,
        proofs: Mapping[str, Proof],
        text: Callable[[Mapping[str, Row]], str],
        write: Callable[[str], object],
    ) -> None:
        self.proofs = proofs
        self._text = text
        self._write = write
        self._rows: dict[str, Row] = defaultdict(Row)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, proof in self.proofs.items():
            if any(_is(report.nodeid, test) for test in proof.tests):
                self._count(self._rows[name], report)

    def _count(self, row: Row, report: pytest.TestReport) -> None:
        row.lost += report.failed
        row.skipped += report.skipped
        if report.when == "call" and report.passed:
            told = dict(report.user_properties)
            row.times += int(str(told.get("times", 1)))
            row.healed += [float(str(told["healed"]))] if "healed" in told else []
            row.noted += [str(told["noted"])] if "noted" in told else []

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        text = self._text(self._rows)
        terminalreporter.write(text)
        if os.environ.get("WRITE_README") == "1":
            self._write(text)


def text(rows: Mapping[str, Row]) -> str:
    """docs/faults.md."""
    seen = [f"| {name} | {proof.fault} | {proof.done} | {rows[name].words()} |\n" for name, proof in PROOFS.items()]
    not_here = [f"| {name} | {why} |\n" for name, why in NOT_RUN.items()]
    return HEAD + "".join([*seen, THROUGH, *rows["F1"].noted, NOT_HERE, *not_here, END])


def _is(nodeid: str, test: str) -> bool:
    return nodeid == f"tests/{test}" or nodeid.startswith((f"tests/{test}::", f"tests/{test}["))
