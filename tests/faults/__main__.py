"""`make faults`: run every proof, the long ones too, and show the table."""

from __future__ import annotations

import os
import sys

import pytest

from tests.faults.healing import LONG
from tests.faults.proofs import PROOFS
from tests.faults.table import Table

SEEDS = "1-200"


def main() -> int:
    os.environ[LONG] = "1"
    os.environ.setdefault("ZAMU_SEEDS", SEEDS)
    tests = list(dict.fromkeys(f"tests/{test}" for proof in PROOFS.values() for test in proof.tests))
    return pytest.main(["--numprocesses=auto", "--maxprocesses=4", *sys.argv[1:], *tests], plugins=[Table()])


if __name__ == "__main__":
    sys.exit(main())
