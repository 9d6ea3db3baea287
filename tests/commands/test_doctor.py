"""`migrate`, `seed` and `doctor`: from an empty database to a healthy world, and what is said of a sick one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.terminal import Terminal, outside, refused
from tests.world import World, phone

Findings = dict[str, tuple[str, str]]


def examined(terminal: Terminal, *, wrong: bool, **changed: str) -> Findings:
    """What the doctor finds: about what -> (state, sentence)."""
    done = terminal.zamu("doctor", "--json", **changed)
    assert (done.returncode, done.stderr) == (int(wrong), "")
    findings = json.loads(done.stdout)["findings"]
    assert any(finding["state"] == "wrong" for finding in findings) is wrong
    return {finding["about"]: (finding["state"], finding["sentence"]) for finding in findings}


@pytest.fixture
def empty(empty_url: str, redis_url: str, tmp_path: Path) -> Terminal:
    """A terminal on a database that nobody has migrated."""
    return Terminal(outside(empty_url, redis_url), tmp_path)


async def test_an_empty_database_becomes_a_healthy_world(empty: Terminal) -> None:
    lacks = refused(empty.zamu("serve"))
    assert lacks.startswith("The database lacks 0001_queues_and_tickets")
    assert lacks.endswith("Nothing was started. Run `zamu migrate`, then try again.")
    assert examined(empty, wrong=True)["database"][1].endswith("Run `zamu migrate`.")
    missing = empty.zamu("migrate", "--check")
    assert (missing.returncode, missing.stdout.split()[0]) == (1, "0001_queues_and_tickets")

    assert empty.zamu("migrate").stdout == missing.stdout
    assert empty.zamu("migrate", "--check").stdout == "Nothing to do: the database is up to date.\n"
    assert examined(empty, wrong=False)["branches"] == ("warning", "There are none. `zamu seed` makes a demo world.")

    seeded = empty.zamu("seed").stdout.splitlines()
    assert [line.split()[0] for line in seeded[:-1]] == ["admin", "manager", "clinic1", "bank1"]
    assert all("first password:" in line for line in seeded[:-1])
    world, people = empty.ask("queue", "list"), empty.ask("staff", "list")
    assert empty.zamu("seed").stdout == "The demo world is there: codes 4071 and 5084.\n"
    assert (empty.ask("queue", "list"), empty.ask("staff", "list")) == (world, people)
    assert "branches" not in examined(empty, wrong=False)


async def test_a_healthy_world_is_found_healthy(terminal: Terminal) -> None:
    outside = {"ZAMU_PUBLIC_URL": "https://q.example.org", "ZAMU_TRUSTED_PROXIES": "10.0.0.5", "ZAMU_AT_API_KEY": "key"}
    told = terminal.zamu("doctor", **outside)
    assert told.returncode == 0
    assert [line.split()[:2] for line in told.stdout.splitlines()] == [
        ["ok", "secrets"],
        ["ok", "database"],
        ["ok", "redis"],
    ]


async def test_a_proxy_that_nobody_named_is_asked_for(terminal: Terminal) -> None:
    told = terminal.zamu("doctor", ZAMU_PUBLIC_URL="https://q.example.org")
    assert "warning  proxy     A proxy answers https://q.example.org. Set ZAMU_TRUSTED_PROXIES" in told.stdout


async def test_texts_that_wait_fail_or_are_unknown_are_counted(terminal: Terminal, world: World) -> None:
    await world.line(1, 2, 3)
    await world.later(2)
    for person, status in ((2, "dead"), (3, "unknown")):
        await world.pool.execute("update notifications set status = $2 where phone = $1", phone(person), status)
    told = terminal.zamu("doctor")
    assert told.returncode == 1
    assert "wrong    texts     1 texts wait for over a minute. See if `zamu serve` or `zamu worker` runs" in told.stdout
    assert "warning  texts     1 texts of today could not be sent." in told.stdout
    assert "warning  texts     1 texts of today were handed over without an answer" in told.stdout
    assert phone(1) not in told.stdout


async def test_servers_that_are_away_are_found_wrong_each_by_itself(terminal: Terminal) -> None:
    away = examined(terminal, wrong=True, ZAMU_REDIS_URL="redis://127.0.0.1:1")
    assert (away["database"][0], away["redis"][0]) == ("ok", "wrong")
    away = examined(terminal, wrong=True, ZAMU_DATABASE_URL="postgresql://zamu@127.0.0.1:1/zamu")
    assert (away["database"][0], away["redis"][0]) == ("wrong", "ok")


async def test_a_redis_that_may_drop_sessions_is_found(terminal: Terminal, redis: Redis) -> None:
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert "Set maxmemory-policy noeviction." in examined(terminal, wrong=False)["redis"][1]
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")


async def test_a_redis_that_hides_its_settings_is_healthy(terminal: Terminal, redis: Redis, redis_url: str) -> None:
    await redis.acl_setuser("guest", enabled=True, nopass=True, keys="*", channels="*", commands=["+@all", "-config"])
    guest = redis_url.replace("unix://", "unix://guest@")
    assert examined(terminal, wrong=False, ZAMU_REDIS_URL=guest)["redis"][0] == "ok"
