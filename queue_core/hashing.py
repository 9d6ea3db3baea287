"""Hashing what people remember: passwords and PINs, away from the loop and never many at once."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

MOST_HASHES = 2

# OWASP's floor (19 MiB, 2 passes, 1 lane): a small host must survive several logins at once.
HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)

Result = TypeVar("Result")

_hashers = ThreadPoolExecutor(MOST_HASHES, "hasher")


async def hash_of(secret: str | bytes) -> str:
    return await _apart(HASHER.hash, secret)


async def matches(hashed: str | None, secret: str | bytes) -> bool:
    """Whether the hash is this secret's. Without a hash, never; it takes as long."""
    return await _apart(_matches, hashed, secret)


async def _apart(work: Callable[..., Result], *args: object) -> Result:
    """Hashing takes 30 ms and 19 MiB."""
    return await asyncio.get_running_loop().run_in_executor(_hashers, partial(work, *args))


def _matches(hashed: str | None, secret: str | bytes) -> bool:
    nobodys = _nobodys()  # made on the first call, whoever asks
    try:
        return HASHER.verify(hashed or nobodys, secret)
    except VerifyMismatchError:
        return False


@cache
def _nobodys() -> str:
    return HASHER.hash(secrets.token_bytes())
