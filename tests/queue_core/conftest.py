"""The clinic that every test of the rules happens in."""

from tests.members import members
from tests.world import seeded, world

__all__ = ["members", "seeded", "world"]
