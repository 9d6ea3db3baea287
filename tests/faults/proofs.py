"""Which tests prove what must happen at each fault F1-F49, and why some faults have none; proofs.toml says it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Proof:
    """A fault, what is done to play it, and the tests: files in tests/, or single tests in them."""

    fault: str
    done: str
    tests: tuple[str, ...]


_READ = tomllib.loads(Path(__file__).with_name("proofs.toml").read_text())
PROOFS = {name: Proof(proof["fault"], proof["done"], tuple(proof["tests"])) for name, proof in _READ["proofs"].items()}
NOT_RUN: dict[str, str] = _READ["not_run"]
