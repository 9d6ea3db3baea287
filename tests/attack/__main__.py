"""`make attack`: try everything that an attacker would, as often as he would, and show the table."""

from __future__ import annotations

import sys

from tests.attack.table import PROOFS, text, write
from tests.faults.__main__ import run
from tests.faults.table import Table

PATIENCE = "faulthandler_timeout=900"  # what an attacker would do takes minutes

if __name__ == "__main__":
    sys.exit(run(Table(PROOFS, text, write), "-o", PATIENCE))
