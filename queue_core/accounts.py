"""Who is at the staff panel: logging in, sessions, one's own password and second factor."""

from __future__ import annotations

import ipaddress
import logging
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from db.pool import once_more
from db.queries import load
from queue_core import totp
from queue_core.core import Act, Core, perform
from queue_core.errors import Refused
from queue_core.hashing import HASHER, hash_of, matches
from queue_core.passwords import plain, weakness
from queue_core.staff import LOGIN, MAY, Permission, Role

SQL = load("accounts")
log = logging.getLogger("zamu.accounts")


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works here, as of now. `branches` are ids: all of the organization's for an admin."""

    id: str
    login: str
    name: str
    role: Role
    organization_id: str
    organization: str
    branches: tuple[str, ...]
    must_change_password: bool
    has_totp: bool

    def may(self, permission: Permission) -> bool:
        """Nobody may anything while the password is still the printed one."""
        return not self.must_change_password and self.role in MAY[permission]

    def act(self, request: str | None = None, reason: str | None = None) -> Act:
        act = Act("staff", "staff", self.id, reason=reason, branches=self.branches)
        return act if request is None else Act("staff", "staff", self.id, reason, self.branches, request)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which somebody is logged in. `id` is the hash of the token; counter and queue: worked at last.

    `ends_at` is when it is over if nobody does anything more.
    """

    id: str
    member: Member
    counter_id: str | None
    queue_id: str | None
    ends_at: datetime


async def log_in(core: Core, login: str, password: str, code: str, source: str, browser: str = "") -> str:
    """A new session's token, 256 bits that are kept nowhere in clear. `source` is the address that asks.

    Tries are counted by login and by source; in a `browser` (its id) in which this person was before, by that alone:
    nobody's tries elsewhere keep him out of it.

    An unknown login, an inactive person and a wrong password have one answer, in the same time. A person without a
    second factor needs no code; whatever is given is not looked at. Raises Refused: wrong_login, code_needed,
    wrong_code, too_many (facts: seconds).
    """
    login = login.strip().lower()
    keys = (_digest(f"{login}\0{browser}"), None) if browser else (_digest(login), network(source))
    await _count_try(core, *keys)
    known = await core.pool.fetchrow(SQL.credentials, login) if LOGIN.fullmatch(login) else None
    right = await matches(known["password_hash"] if known else None, plain(password))
    if known is None or not right:
        log.warning("log-in refused: wrong_login")
        raise Refused("wrong_login")
    if known["totp_secret"] and not code.strip():
        await core.pool.execute(SQL.forgive_try, *keys)  # no code was tried
        raise Refused("code_needed")
    token = secrets.token_urlsafe(32)
    rehashed = await _rehashed(known["password_hash"], password)
    step = known["totp_secret"] and totp.step_of(known["totp_secret"], code, time.time())
    refused = await core.pool.fetchval(
        SQL.begin_session, known["id"], known["password_hash"], rehashed, step, _digest(token), *keys
    )
    log.info("log-in of %s: %s", known["id"], refused or "in")
    if refused:
        raise Refused(refused)
    return token


async def session(core: Core, token: str, *, active: bool) -> Session | None:
    """The session of a token; None when it is over or the person no longer works here.

    It ends after 30 minutes without an `active` request, which is what a person does and not what a page asks for by
    itself, and after 12 hours in any case.
    """
    row = await once_more(core.pool, lambda connection: connection.fetchrow(SQL.session, _digest(token), active))
    if row is None:
        return None
    facts = dict(row)
    desk = {name: facts.pop(name) for name in ("counter_id", "queue_id", "ends_at")}
    return Session(_digest(token), Member(**{**facts, "branches": tuple(facts["branches"])}), **desk)


async def log_out(core: Core, token: str) -> None:
    await core.pool.execute(SQL.log_out, _digest(token))


async def remember_desk(core: Core, session_id: str, counter_id: str, queue_id: str) -> None:
    """Where this session, and the person's next one, works by default. What is not of his branches is not kept."""
    await core.pool.execute(SQL.remember_desk, session_id, counter_id, queue_id)


async def change_password(core: Core, session: Session, old: str, new: str) -> str:
    """The token of the session that goes on; every other session of the person is over.

    Raises Refused: weak_password (facts: why, and least unless it is the same), wrong_password, too_many (facts:
    seconds).
    """
    member = session.member
    if why := weakness(new, [member.login, member.name, member.organization], second_factor=member.has_totp):
        raise Refused("weak_password", why)
    if plain(old) == plain(new):
        raise Refused("weak_password", {"why": "same"})
    verified = await _verified(core, member, old)
    token = secrets.token_urlsafe(32)
    hashed = await hash_of(plain(new))
    await perform(core, SQL.change_password, member.act(), session.id, verified, hashed, _digest(token))
    return token


async def new_totp(core: Core, member: Member) -> str:
    """A base32 secret for the person's authenticator (`totp.uri`), which `confirm_totp` makes the second factor.

    Until then a newer one replaces it. Raises Refused: has_totp.
    """
    secret = totp.new_secret()
    if not await core.pool.fetchval(SQL.new_totp, member.id, secret):
        raise Refused("has_totp")
    return secret


async def confirm_totp(core: Core, session: Session, password: str, code: str) -> None:
    """From now on the person needs a code to log in; all other sessions are over.

    Raises Refused: wrong_password, wrong_code, has_totp, too_many (facts: seconds).
    """
    verified = await _verified(core, session.member, password)
    secret = await core.pool.fetchval(SQL.unconfirmed_totp, session.member.id)
    step = totp.step_of(secret, code, time.time()) if secret else None
    await perform(core, SQL.confirm_totp, session.member.act(), session.id, verified, secret, step)


async def end_totp(core: Core, session: Session, password: str) -> None:
    """Without the second factor a password must be longer: a short one has to be changed before anything else.

    All other sessions are over. Raises Refused: wrong_password, too_many (facts: seconds).
    """
    verified = await _verified(core, session.member, password)
    too_weak = weakness(password, [], second_factor=False) is not None
    await perform(core, SQL.end_totp, session.member.act(), session.id, verified, too_weak)


async def _verified(core: Core, member: Member, password: str) -> str:
    """The hash that this password is right for. Who is logged in is counted apart from those who try to log in."""
    key = _digest(f"member {member.id}")
    await _count_try(core, key, None)
    known = await core.pool.fetchrow(SQL.credentials, member.login)
    right = await matches(known["password_hash"] if known else None, plain(password))
    if known is None or not right:
        raise Refused("wrong_password")
    await core.pool.execute(SQL.forget_tries, key)
    return str(known["password_hash"])


async def _count_try(core: Core, login_key: str, source_key: str | None) -> None:
    """Counts before anything is judged, so that no try is free however many come at once."""
    if seconds := await core.pool.fetchval(SQL.count_try, login_key, source_key):
        log.warning("log-in refused: too_many")
        raise Refused("too_many", {"seconds": seconds})


async def _rehashed(hashed: str, password: str) -> str | None:
    return await hash_of(plain(password)) if HASHER.check_needs_rehash(hashed) else None


def _digest(secret: str) -> str:
    """Of a token, which nobody guesses, or of what was typed as a login, which may be anything."""
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()


def network(source: str) -> str:
    """What an address is counted as: who has one IPv6 address has a whole /64 of them."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return _digest(source)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.IPv6Network((int(address), 64), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or address)
