"""The table of attacks in docs/security.md, between its markers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.faults.proofs import Proof, read
from tests.faults.table import Row

DOC: Final = Path(__file__).parents[2] / "docs/security.md"
BEGIN: Final = "<!-- attacks: written by `make attack` -->\n"
END: Final = "<!-- end -->"
HEAD: Final = "| attack | what was tried | tries | what got through |\n|---|---|---|---|\n"
OURS: Final = "attack/test_attacks.py::test_nothing_gets_through[{}]"
NGINX: Final = Proof(
    "slow connections, behind nginx",
    "200 headers and bodies in drops; what is too large; secrets in its logs",
    ("deploy/test_nginx.py",),
)
ATTACKS: Final = read(Path(__file__).with_name("attacks.toml"))
PROOFS: Final = {
    name: Proof(proof.fault, proof.done, (OURS.format(name), *proof.tests)) for name, proof in ATTACKS.items()
} | {"behind nginx": NGINX}


def text(rows: Mapping[str, Row]) -> str:
    return BEGIN + HEAD + "".join(_line(proof, rows[name]) for name, proof in PROOFS.items()) + END


def _line(proof: Proof, row: Row) -> str:
    through = f"**{row.lost}**" if row.lost else "; ".join(["nothing", *row.noted])
    return f"| {proof.fault} | {proof.done} | {row.often} | {through} |\n"


def write(table: str) -> None:
    """Nothing else of the page is touched."""
    before, _, rest = DOC.read_text().partition(BEGIN)
    DOC.write_text(before + table + rest.partition(END)[2])
