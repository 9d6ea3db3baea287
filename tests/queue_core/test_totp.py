"""Codes of an authenticator, and what the second factor changes."""

from __future__ import annotations

import asyncio
import time

import pyotp
import pytest

from queue_core import accounts, totp
from queue_core.errors import Refused
from queue_core.people import reset_password
from tests.members import PASSWORD, Members

RFC = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # the secret of RFC 6238, appendix B


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard_and_good_for_a_step_around(at: int, code: str) -> None:
    step = at // 30
    for moment in (step * 30 - 30, step * 30, step * 30 + 29, step * 30 + 59):
        assert totp.step_of(RFC, code, moment) == step
    for moment in (step * 30 - 31, step * 30 + 60):
        assert totp.step_of(RFC, code, moment) is None


@pytest.mark.parametrize("code", ["", "28708", "2870820", "28708x", "\u0662\u0668\u0667\u0660\u0668\u0662"])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert totp.step_of(RFC, code, 59) is None


def test_a_code_may_be_typed_with_a_space() -> None:
    assert totp.step_of(RFC, " 287 082 ", 59) == 1


def test_an_authenticator_gets_the_secret_by_a_link() -> None:
    assert totp.uri(RFC, "clinic1") == f"otpauth://totp/Zamu:clinic1?secret={RFC}&issuer=Zamu"


async def confirmed(members: Members, token: str) -> str:
    """Makes an authenticator the second factor; its secret."""
    session = await members.session(token)
    secret = await accounts.new_totp(members.core, session.member)
    await accounts.confirm_totp(members.core, session, PASSWORD, pyotp.TOTP(secret).now())
    return secret


async def fresh_code(members: Members, secret: str) -> str:
    """A code of a later step than any before."""
    await members.world.pool.execute("update staff set totp_step = 0")
    return pyotp.TOTP(secret).now()


async def test_the_second_factor_counts_when_its_code_was_shown_once(members: Members) -> None:
    token, other = await members.log_in(), await members.log_in()
    session = await members.session(token)
    await accounts.new_totp(members.core, session.member)
    secret = await accounts.new_totp(members.core, session.member)
    await members.log_in()
    for wrong in ("", pyotp.TOTP(secret).at(time.time() + 600)):
        with pytest.raises(Refused, match="wrong_code"):
            await accounts.confirm_totp(members.core, session, PASSWORD, wrong)
    with pytest.raises(Refused, match="wrong_password"):
        await accounts.confirm_totp(members.core, session, "another password", pyotp.TOTP(secret).now())
    assert not (await members.session(token)).member.has_totp
    await accounts.confirm_totp(members.core, session, PASSWORD, pyotp.TOTP(secret).now())
    assert (await members.session(token)).member.has_totp
    assert await members.over(other)
    assert await members.audit() == ["confirm_totp"]
    with pytest.raises(Refused, match="has_totp"):
        await accounts.new_totp(members.core, session.member)
    with pytest.raises(Refused, match="has_totp"):
        await accounts.confirm_totp(members.core, session, PASSWORD, await fresh_code(members, secret))


async def test_a_log_in_needs_the_code_and_takes_each_once(members: Members) -> None:
    secret = await confirmed(members, await members.log_in())
    with pytest.raises(Refused, match="code_needed"):
        await members.log_in()
    with pytest.raises(Refused, match="wrong_code"):
        await members.log_in(code=pyotp.TOTP(secret).at(time.time() + 600))
    code = await fresh_code(members, secret)
    with pytest.raises(Refused, match="wrong_login"):
        await members.log_in(password="another password", code=code)
    answers = await asyncio.gather(*(members.log_in(code=code) for _ in range(3)), return_exceptions=True)
    assert sorted(str(answer) for answer in answers if isinstance(answer, Refused)) == ["wrong_code"] * 2
    with pytest.raises(Refused, match="wrong_code"):
        await members.log_in(code=code)


async def test_a_code_that_was_used_to_confirm_does_not_log_in(members: Members) -> None:
    session = await members.session(await members.log_in())
    secret = await accounts.new_totp(members.core, session.member)
    code = pyotp.TOTP(secret).now()
    await accounts.confirm_totp(members.core, session, PASSWORD, code)
    with pytest.raises(Refused, match="wrong_code"):
        await members.log_in(code=code)


async def test_wrong_codes_are_tries_and_the_right_password_does_not_forgive_them(members: Members) -> None:
    await confirmed(members, await members.log_in())
    for _ in range(5):
        with pytest.raises(Refused, match="code_needed"):
            await members.log_in()
        with pytest.raises(Refused, match="wrong_code"):
            await members.log_in(code="0")
    with pytest.raises(Refused, match="too_many"):
        await members.log_in()


async def test_without_the_second_factor_a_short_password_must_be_changed(members: Members) -> None:
    token = await members.log_in()
    await confirmed(members, token)
    session = await members.session(token)
    token = await accounts.change_password(members.core, session, PASSWORD, "kx2 mvq8")
    session = await members.session(token)
    with pytest.raises(Refused, match="wrong_password"):
        await accounts.end_totp(members.core, session, PASSWORD)
    await accounts.end_totp(members.core, session, "kx2 mvq8")
    member = (await members.session(token)).member
    assert (member.has_totp, member.must_change_password) == (False, True)
    assert await members.audit() == ["confirm_totp", "change_password", "end_totp"]
    assert await members.log_in(password="kx2 mvq8")


async def test_a_long_password_stays_when_the_second_factor_ends(members: Members) -> None:
    token = await members.log_in()
    await confirmed(members, token)
    await accounts.end_totp(members.core, await members.session(token), PASSWORD)
    assert not (await members.session(token)).member.must_change_password
    assert (await members.world.row("select totp_secret from staff where login = 'clinic1'"))["totp_secret"] is None


async def test_a_reset_password_ends_the_second_factor_of_a_lost_phone(members: Members) -> None:
    await confirmed(members, await members.log_in())
    admin = await members.act("admin")
    assert await members.log_in(password=await reset_password(members.core, admin, "clinic1"))


async def test_the_secret_stands_nowhere_but_with_its_person(
    members: Members, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    secret = await confirmed(members, await members.log_in())
    await members.log_in(code=await fresh_code(members, secret))
    assert secret not in caplog.text
    for table in ("audit_log", "requests", "staff_sessions", "login_tries"):
        assert secret not in str(await members.world.pool.fetch(f"select * from {table}"))  # noqa: S608
