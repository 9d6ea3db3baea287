"""The clinic that the chaos happens in."""

from tests.world import seeded, world

__all__ = ["seeded", "world"]
