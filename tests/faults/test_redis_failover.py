"""A Redis that fails over to one that knows an older state of every conversation costs nobody his place."""

from __future__ import annotations

import asyncio
import signal

from tests.faults.conftest import Cellar
from tests.faults.healing import Healing
from tests.faults.test_redis_away import all_get_there, everybody, is_called
from tests.terminal import Terminal


async def test_a_redis_that_comes_back_with_old_states_between_any_two_keys_costs_nobody_his_place(
    cellar: Cellar, upstairs: Terminal, healing: Healing
) -> None:
    with upstairs.serving() as server:
        walkers = everybody(cellar, server.url)
        await asyncio.gather(*(walker.start() for walker in walkers))
        await cellar.save_valkey()
        try:
            await asyncio.gather(*(walker.press() for walker in walkers))
            await cellar.stop_valkey(signal.SIGKILL)
            cellar.start(cellar.valkey)  # with what was saved a key ago
            healing.begin()
            await is_called(server, "ok")
            await all_get_there(cellar, walkers)
            healing.done()
        finally:
            cellar.forget_save()
        assert "Traceback" not in server.said
