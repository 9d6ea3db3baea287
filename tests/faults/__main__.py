"""`make faults`: run every proof, the long ones too, and show the table."""

from __future__ import annotations

import os
import sys

import pytest

from tests.faults.healing import LONG
from tests.faults.proofs import PROOFS
from tests.faults.table import DOC, Table, text

SEEDS = "1-200"


def run(table: Table, *options: str) -> int:
    """All that the table names, the long ones too."""
    os.environ[LONG] = "1"
    os.environ.setdefault("ZAMU_SEEDS", SEEDS)
    tests = list(dict.fromkeys(f"tests/{test}" for proof in table.proofs.values() for test in proof.tests))
    return pytest.main(["--numprocesses=auto", "--maxprocesses=4", *options, *sys.argv[1:], *tests], plugins=[table])


if __name__ == "__main__":
    sys.exit(run(Table(PROOFS, text, DOC.write_text)))
