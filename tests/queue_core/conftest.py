"""The clinic that every test of the rules happens in."""

from tests.world import seeded, world

__all__ = ["seeded", "world"]
