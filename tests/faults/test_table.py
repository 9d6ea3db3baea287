"""The table of faults is whole: every fault has its tests, which are there, or a reason why it has none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.proofs import NOT_RUN, PROOFS
from tests.faults.table import DOC

FAULTS = [f"F{number}" for number in range(1, 50)]
TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_tests_that_are_there_or_a_reason(fault: str) -> None:
    assert (fault in PROOFS) != (fault in NOT_RUN)
    for test in PROOFS[fault].tests if fault in PROOFS else ():
        file, _, name = test.partition("::")
        assert re.search(rf"def {name or 'test_'}", (TESTS / file).read_text()), test


def test_what_was_seen_last_is_in_the_docs() -> None:
    written = DOC.read_text()
    assert [fault for fault in (*PROOFS, *NOT_RUN) if f"| {fault} |" not in written] == []
    assert "**" not in written  # nothing was lost
