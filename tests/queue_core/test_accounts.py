"""Logging in to the staff panel: who gets in, and how often one may try."""

from __future__ import annotations

import asyncio
import re
from typing import Literal

import pytest
from argon2 import PasswordHasher

from queue_core import accounts, hashing
from queue_core.accounts import Session
from queue_core.errors import Refused
from queue_core.hashing import HASHER
from tests.members import PASSWORD, Members

HOUR = 3600


async def tries(members: Members, password: str, count: int, login: str = "clinic1", source: str = "") -> list[str]:
    """What so many tries at once are told."""
    sources = [source or f"198.51.100.{n}" for n in range(count)]
    answers = await asyncio.gather(
        *(members.log_in(login, password, source=source) for source in sources), return_exceptions=True
    )
    return [answer.code if isinstance(answer, Refused) else "in" for answer in answers]


async def wait(members: Members, login: str = "clinic1", password: str = PASSWORD, source: str = "203.0.113.1") -> int:
    """For how many seconds this log-in is not even looked at, had it been tried a minute ago.

    A second would be over on a slow machine before it is looked at.
    """
    await members.world.later(-1)
    with pytest.raises(Refused, match="too_many") as refused:
        await members.log_in(login, password, source=source)
    await members.world.later(1)
    return int(refused.value.facts["seconds"]) - 60


async def test_whoever_knows_the_password_gets_a_session(members: Members) -> None:
    token = await members.log_in(" Clinic1 ")
    assert re.fullmatch(r"[\w-]{43}", token)
    session = await members.session(token)
    member = session.member
    assert (member.id, member.login, member.name) == (members.world.clerk_id, "clinic1", "Amina")
    assert (member.role, member.organization, member.branches) == (
        "staff",
        "Afya Bora",
        (members.world.branches["4071"],),
    )
    assert (member.must_change_password, member.has_totp) == (False, False)
    assert (session.counter_id, session.queue_id) == (None, None)
    act = member.act("press-1", "fell asleep")
    assert (act.actor, act.channel, act.actor_id, act.branches) == ("staff", "staff", member.id, member.branches)
    assert (act.request, act.reason) == ("press-1", "fell asleep")
    assert member.act().request != member.act().request


async def test_an_admin_works_in_every_branch(members: Members) -> None:
    member = (await members.session(await members.log_in("admin"))).member
    assert set(member.branches) == set(members.world.branches.values())


async def test_each_log_in_has_a_token_of_its_own_which_is_kept_nowhere_in_clear(members: Members) -> None:
    tokens = {await members.log_in() for _ in range(3)}
    assert len(tokens) == 3
    for table in ("staff_sessions", "staff", "login_tries", "audit_log"):
        stored = str(await members.world.pool.fetch(f"select * from {table}"))  # noqa: S608
        assert not any(token in stored for token in tokens)
        assert PASSWORD not in stored


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("clinic1", "another password"),
        ("clinic1", ""),
        ("nobody", PASSWORD),
        ("", ""),
        ("clinic1\0", PASSWORD),
        ("' or ''='", PASSWORD),
        ("clinic1\udcff", "\udcff\0"),
        ("x" * 100_000, "x" * 100_000),
    ],
)
async def test_whoever_does_not_is_told_one_thing(members: Members, login: str, password: str) -> None:
    with pytest.raises(Refused, match="wrong_login") as refused:
        await members.log_in(login, password)
    assert refused.value.facts == {}


async def test_an_inactive_person_is_an_unknown_one(members: Members) -> None:
    await members.world.pool.execute("update staff set active = false where login = 'clinic1'")
    with pytest.raises(Refused, match="wrong_login") as refused:
        await members.log_in()
    assert refused.value.facts == {}


@pytest.mark.parametrize("login", ["clinic1", "nobody", "gone", "not a login"])
async def test_every_try_costs_the_same_work(members: Members, login: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal time, without a clock: whoever asks, one hash of today's parameters is compared."""
    await members.world.pool.execute("update staff set active = false, login = 'gone' where login = 'bank1'")
    hashing._nobodys()  # noqa: SLF001 - as at any log-in but the first
    seen: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            seen.append(str(hash))
            return super().verify(hash, password)

    monkeypatch.setattr(hashing, "HASHER", Counting(time_cost=2, memory_cost=19456, parallelism=1))
    with pytest.raises(Refused, match="wrong_login"):
        await members.log_in(login, "another password")
    (hashed,) = seen
    assert "$m=19456,t=2,p=1$" in hashed


async def test_an_old_hash_is_made_anew_at_log_in(members: Members) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    await members.world.pool.execute("update staff set password_hash = $1 where login = 'clinic1'", old)
    assert await members.log_in()
    hashed = await members.world.pool.fetchval("select password_hash from staff where login = 'clinic1'")
    assert not HASHER.check_needs_rehash(hashed)
    assert await members.log_in()
    assert await members.world.pool.fetchval("select password_hash from staff where login = 'clinic1'") == hashed


async def test_of_twenty_tries_at_once_five_are_judged(members: Members) -> None:
    answers = await tries(members, "another password", 20)
    assert sorted(answers) == ["too_many"] * 15 + ["wrong_login"] * 5
    assert await wait(members) == 1


async def test_each_try_too_many_has_to_wait_twice_as_long_and_an_hour_at_most(members: Members) -> None:
    await tries(members, "another password", 5)
    seconds = 1
    for _ in range(14):
        assert await wait(members) == seconds
        assert await tries(members, "another password", 3) == ["too_many"] * 3
        await members.world.later(seconds / 60 + 0.001)
        assert await tries(members, "another password", 1) == ["wrong_login"]
        seconds = min(2 * seconds, HOUR)
    assert seconds == HOUR
    await members.world.later(60.1)
    assert await members.log_in()


async def test_an_unknown_login_is_counted_like_any_other(members: Members) -> None:
    assert sorted(await tries(members, "x", 7, login="nobody")) == ["too_many"] * 2 + ["wrong_login"] * 5
    assert await wait(members, "nobody") == 1
    assert await members.log_in()


async def test_a_right_password_forgives_the_wrong_ones(members: Members) -> None:
    for _ in range(3):
        assert await tries(members, "another password", 4) == ["wrong_login"] * 4
        assert await members.log_in()
    assert await members.world.pool.fetchval("select count(*) from login_tries where kind = 'login'") == 0


async def test_a_quarter_of_an_hour_forgives_five_tries(members: Members) -> None:
    await tries(members, "another password", 5)
    await members.world.later(15.1)
    assert await tries(members, "another password", 4) == ["wrong_login"] * 4
    assert await members.log_in()


async def test_slow_guessing_is_five_tries_a_quarter_of_an_hour_and_no_more(members: Members) -> None:
    judged = 0
    for _ in range(4 * 15):  # an hour, a try each minute
        judged += await tries(members, "another password", 1) == ["wrong_login"]
        await members.world.later(1)
    assert judged <= 5 + 4 * 5


async def test_strangers_keep_nobody_out_of_his_own_browser(members: Members) -> None:
    await tries(members, "another password", 5)
    await tries(members, "another password", 30, login="nobody", source="203.0.113.1")
    assert await wait(members) == 1
    own = {"login": "clinic1", "code": "", "source": "203.0.113.1", "browser": "his own"}
    assert await accounts.log_in(members.core, password=PASSWORD, **own)
    assert await wait(members) == 1


async def test_a_known_browser_is_counted_like_a_stranger_by_itself(members: Members) -> None:
    guesses = [
        accounts.log_in(members.core, "clinic1", f"guess {n}", "", f"198.51.100.{n}", "his own") for n in range(8)
    ]
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    assert sorted(str(answer) for answer in answers) == ["too_many"] * 3 + ["wrong_login"] * 5
    assert await members.log_in()
    assert await accounts.log_in(members.core, "clinic1", PASSWORD, "", "198.51.100.1", "another of his")


async def test_one_address_may_try_thirty_times_whatever_logins(members: Members) -> None:
    count = "select count_try($1, $2)"
    waits = [await members.world.pool.fetchval(count, f"login {n}", "203.0.113.1") for n in range(31)]
    assert waits == [0] * 30 + [1]
    assert await wait(members) == 1
    assert await members.log_in(source="203.0.113.2")
    await members.world.later(1 / 60 + 0.001)
    assert await tries(members, "x", 1, "clinic1", "203.0.113.1") == ["wrong_login"]
    assert await wait(members) == 2


async def test_log_ins_that_were_right_do_not_fill_an_address(members: Members) -> None:
    for _ in range(35):
        await members.log_in(source="203.0.113.1")
    level = await members.world.pool.fetchval("select level from login_tries where kind = 'source'")
    assert level < 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:198.51.100.7", "198.51.100.7", True),
        ("198.51.100.7", "198.51.100.8", False),
        ("not an address\0", "not an address\0", True),
    ],
)
async def test_an_address_is_a_host_or_a_network_of_the_sixth_version(
    members: Members, one: str, other: str, *, same: bool
) -> None:
    for source in (one, other):
        with pytest.raises(Refused, match="wrong_login"):
            await members.log_in("nobody", "x", source=source)
    counted = await members.world.pool.fetchval("select count(*) from login_tries where kind = 'source'")
    assert counted == (1 if same else 2)


async def test_what_was_typed_as_a_login_is_not_kept(members: Members, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with pytest.raises(Refused, match="wrong_login"):
        await members.log_in("my password is hunter2", "x")
    assert "hunter2" not in str(await members.world.pool.fetch("select * from login_tries"))
    assert "hunter2" not in caplog.text


async def test_a_password_that_changes_while_it_is_judged_opens_nothing(members: Members) -> None:
    """Between the hash that was compared and the session stands the reset."""
    known = await members.world.row("select id::text, password_hash from staff where login = 'clinic1'")
    await members.world.pool.execute("update staff set password_hash = 'other' where login = 'clinic1'")
    begin = accounts.SQL.begin_session
    refused = await members.world.pool.fetchval(begin, *known.values(), None, None, "token", "login", "source")
    assert refused == "wrong_login"
    assert await members.world.pool.fetchval("select count(*) from staff_sessions") == 0


def test_a_session_shows_its_hash_only() -> None:
    assert set(Session.__annotations__) == {"id", "member", "counter_id", "queue_id", "ends_at"}
