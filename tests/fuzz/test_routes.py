"""Every route of the application, whichever there are: reached by what is right, and upset by nothing that is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.bent import COOKIES, READ, bent, strange
from tests.fuzz.doors import doors, strangers
from tests.fuzz.fields import with_each_field
from tests.fuzz.place import Place
from tests.fuzz.recorded import Talk
from tests.fuzz.talks import Known, examples, lived
from tests.fuzz.wild import BROKEN, SEEN, SURE
from tests.fuzz.wire import Asked

ONE_LOOP = pytest.mark.asyncio(loop_scope="package")
REACHED = {200, 303, 304, 422}
TO_LOG_IN = "/staff/login"
SHOWN = (
    *(
        "GET /staff/desk/{counter:uuid}/{queue:uuid}",
        "GET /staff/desk/{counter:uuid}/{queue:uuid}/tickets/{ticket:uuid}",
    ),
    *("GET /staff/branches", "GET /staff/branches/{code}", "GET /staff/branches/{code}/settings", "GET /staff/people"),
    *("GET /staff/people/{login}", "GET /staff/organization", "GET /display/{code}"),
)
ADDRESS = b"x-forwarded-for"
LOG_OUT = "POST /staff/logout"


@ONE_LOOP
@pytest.mark.parametrize("door", doors())
async def test_somebody_knows_how_to_reach_each_route(place: Place, talks: Known, door: str) -> None:
    """Else what is bent here would be refused at the door, whatever it is."""
    assert door in talks, f"No page has a form for {door}, and nothing that is recorded goes there: see tests/fuzz."
    for talk in talks[door]:
        answer = await lived(place, talk)
        if answer.status in REACHED and (door == LOG_OUT or not answer.header("location").startswith(TO_LOG_IN)):
            return
    pytest.fail(f"None of the {len(talks[door])} requests that should be right for {door} is.")


def test_every_route_is_one_that_is_asked_here() -> None:
    assert strangers() == []


@ONE_LOOP
@pytest.mark.parametrize("door", doors())
async def test_each_field_of_each_route_meets_what_breaks_programs(place: Place, talks: Known, door: str) -> None:
    looks = [talks[look][0][-1] for look in SHOWN]
    fields: dict[str, tuple[Talk, Callable[[str], Asked]]] = {}
    for talk in sorted(talks[door], key=len):
        for name, change in with_each_field(talk[-1]).items():
            fields.setdefault(name.partition("-")[0], (talk[:-1], change))  # of hours-mon, hours-tue … one is enough
    for before, change in fields.values():
        for words in SURE:
            await lived(place, (*before, change(words)), looks if words in SEEN else ())


@ONE_LOOP
@pytest.mark.parametrize("door", [door for door in doors() if "/staff" not in door])  # there all is read by one reader
async def test_a_body_that_is_none_is_answered_in_order(place: Place, talks: Known, door: str) -> None:
    *before, last = talks[door][0]
    for body in BROKEN if last.body else ():
        await lived(place, (*before, replace(last, body=body)))


@ONE_LOOP
async def test_who_logs_in_may_have_any_address_and_any_cookies(place: Place, talks: Known) -> None:
    """Here both are read by us, and not only by the server."""
    good = talks["POST /staff/login"][0][-1]
    for address in READ[ADDRESS]:
        await lived(place, (replace(good, headers=(*good.headers, (ADDRESS, address))),))
    for cookie in COOKIES:
        cookies = b"; ".join((good.header(b"cookie"), cookie))
        await lived(place, (replace(good, headers=good.with_header(b"cookie", cookies)),))


@ONE_LOOP
@pytest.mark.parametrize("door", doors())
@examples(5)
@given(data=st.data())
async def test_a_bent_request_is_answered_in_order_and_a_refusal_changes_nothing(
    place: Place, talks: Known, door: str, data: st.DataObject
) -> None:
    *before, last = data.draw(st.sampled_from(talks[door]))
    await lived(place, (*before, data.draw(bent(last))))


@ONE_LOOP
@examples(25)
@given(asked=strange())
async def test_an_address_where_nothing_is_is_answered_in_order(place: Place, asked: Asked) -> None:
    await lived(place, (asked,))
