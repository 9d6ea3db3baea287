"""Which tests prove what must happen at each fault F1-F49, and why some faults have none; proofs.toml says it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Proof:
    """A fault, what is done to play it, and the tests: files in tests/, or single tests in them."""

    fault: str
    done: str
    tests: tuple[str, ...]


def read(path: Path, *, under: str = "") -> dict[str, Proof]:
    """The proofs of a file by their names."""
    found: Mapping[str, Any] = tomllib.loads(path.read_text())
    return {
        name: Proof(proof["fault"], proof["done"], tuple(proof.get("tests", ())))
        for name, proof in (found[under] if under else found).items()
    }


_FILE = Path(__file__).with_name("proofs.toml")
PROOFS = read(_FILE, under="proofs")
NOT_RUN: dict[str, str] = tomllib.loads(_FILE.read_text())["not_run"]
