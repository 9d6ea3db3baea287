"""The table of attacks is whole: every test that it names is there, and what was seen last is in the docs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.attack import attacks, table
from tests.attack.table import DOC, PROOFS

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("name", PROOFS)
def test_each_attack_has_tests_that_are_there(name: str) -> None:
    for test in PROOFS[name].tests:
        file, _, function = test.partition("::")
        assert re.search(rf"def {function.partition('[')[0] or 'test_'}", (TESTS / file).read_text()), test


def test_each_attack_of_the_table_is_tried() -> None:
    assert set(table.ATTACKS) == set(attacks.ATTACKS)


def test_what_was_seen_last_is_in_the_docs() -> None:
    written = DOC.read_text()
    rows = [line for line in written.splitlines() if line.startswith("| ") and line.count(" | ") == 3]
    assert [proof.fault for proof in PROOFS.values() if f"| {proof.fault} | {proof.done} |" not in written] == []
    assert all(re.search(r"\| [\d]+ \| nothing", row) for row in rows[1:] if "|---" not in row)
