from __future__ import annotations

import sys
from pathlib import Path

import pytest
from starlette.responses import HTMLResponse, PlainTextResponse

from telco_sim.faults import Faults
from telco_sim.player import ACTS, Played, play
from telco_sim.scene import SceneError, read
from telco_sim.testing import RunningTelco
from tests.telco_sim.conftest import AMINA, Application


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scene.yaml"


async def played(path: Path, telco: RunningTelco, text: str, *, speed: float = 1.0, site: str = "") -> Played:
    path.write_text(text)
    return await play(read(path, ACTS), telco.url, speed=speed, site=site)


JOINS = f"""
name: she joins
phones:
  amina: {{number: "{AMINA}", network: Safaricom}}
steps:
- dial: {{phone: amina, code: "*384*40#"}}
- expect: {{phone: amina, screen: 1 Join, open: true}}
- pause: 600
- press: {{phone: amina, keys: 1}}
- expect: {{phone: amina, screen: Your number is A001, open: false}}
"""


async def test_a_scene_is_played_and_its_ledger_returned(path: Path, telco: RunningTelco) -> None:
    done = await played(path, telco, JOINS, speed=1e6)
    assert (done.scene, done.held, done.broken) == ("she joins", 2, [])
    assert [row["kind"] for row in done.ledger][:4] == ["ussd.request", "ussd.reply"] * 2
    assert done.ledger[0]["data"]["networkCode"] == "63902"


async def test_the_ledger_of_a_scene_begins_with_the_scene(path: Path, telco: RunningTelco) -> None:
    await telco.phone(AMINA).dial("*384*40#")
    done = await played(path, telco, JOINS, speed=1e6)
    assert done.ledger[0]["number"] == 3


async def test_what_did_not_hold_is_told_and_the_scene_goes_on(path: Path, telco: RunningTelco) -> None:
    steps = f"""
steps:
- press: {{phone: "{AMINA}", keys: 1}}
- dial: {{phone: "{AMINA}", code: "*384*40#"}}
- expect: {{phone: "{AMINA}", screen: Goodbye}}
- expect: {{phone: "{AMINA}", open: false}}
- expect: {{phone: "{AMINA}", open: true}}
- wait: {{phone: "{AMINA}", text: turn, within: 0.05}}
- text: {{phone: "{AMINA}", to: 99999, text: hello}}
- run: {{command: [there-is-no-such-command]}}
"""
    done = await played(path, telco, steps)
    assert done.held == 1
    assert [sentence.partition(":")[0] for sentence in done.broken] == [
        "Step 1, press",
        "Step 3, expect",
        "Step 4, expect",
        "Step 6, wait",
        "Step 7, text",
        "Step 8, run",
    ]
    assert done.broken[1] == f"Step 3, expect: {AMINA} showed 'Welcome\\n1 Join', without 'Goodbye'."


async def test_faults_go_on_and_off(path: Path, telco: RunningTelco) -> None:
    steps = f"""
steps:
- faults: {{ussd: [{{drop_reply: true}}]}}
- dial: {{phone: "{AMINA}", code: "*384*40#"}}
- expect: {{phone: "{AMINA}", screen: Network error, open: false}}
- faults: {{}}
- dial: {{phone: "{AMINA}", code: "*384*40#"}}
- expect: {{phone: "{AMINA}", open: true}}
"""
    assert (await played(path, telco, steps)).broken == []
    assert telco.faults.as_json() == Faults().as_json()


async def test_staff_act_by_http_and_by_command(path: Path, telco: RunningTelco, application: Application) -> None:
    steps = f"""
steps:
- http: {{url: /call, form: {{queue: A}}, status: 200}}
- http: {{url: /ussd, form: {{text: "1"}}, contains: A001}}
- http: {{url: /ussd, form: {{text: "1"}}, contains: A002, within: 0.1}}
- run: {{command: ["{sys.executable}", "-c", "print(7 * 6)"], contains: "42"}}
- run: {{command: ["{sys.executable}", "-c", "raise SystemExit(3)"]}}
"""
    done = await played(path, telco, steps, site=application.url)
    assert application.got("/call")[0].form == {"queue": "A"}
    assert done.held == 3
    assert done.broken == [
        "Step 3, http: it answered 200 without 'A002'.",
        "Step 5, run: it answered 3 instead of 0: ",
    ]


PAGE = """<a href="/desk">Room <b>1</b></a>
<form method="post" action="/call"><input name="csrf" value="t"><button disabled>Call</button></form>
<form method="post" action="/call"><input name="csrf" value="t"><input name="who"><button name="how" value="now">
Call next <small>A001</small></button></form>"""


async def test_staff_press_buttons_of_a_page(path: Path, telco: RunningTelco, application: Application) -> None:
    application.answers["/"] = application.answers["/desk"] = lambda _form: HTMLResponse(PAGE)
    application.answers["/call"] = lambda form: PlainTextResponse(f"called {form}")
    steps = """
steps:
- click: {url: /, button: Call next, links: [Room 1], fields: {who: Amina}, contains: called}
- click: {url: /, button: Skip}
- click: {url: /, button: Call next, links: [Room 2]}
- click: {url: /, button: Call next, contains: A002}
"""
    done = await played(path, telco, steps, site=application.url)
    assert application.got("/call")[0].form == {"csrf": "t", "who": "Amina", "how": "now"}
    assert done.held == 1
    assert done.broken == [
        "Step 2, click: there was no 'Skip'.",
        "Step 3, click: there was no 'Call next'.",
        "Step 4, click: it answered 200 without 'A002'.",
    ]


async def test_a_phone_is_switched_off_and_on(path: Path, telco: RunningTelco) -> None:
    steps = f"""
steps:
- switch_off: {{phone: "{AMINA}"}}
- dial: {{phone: "{AMINA}", code: "*384*40#"}}
- expect: {{phone: "{AMINA}", screen: "", open: false}}
- switch_on: {{phone: "{AMINA}"}}
- dial: {{phone: "{AMINA}", code: "*384*40#"}}
- expect: {{phone: "{AMINA}", open: true}}
"""
    assert (await played(path, telco, steps)).broken == []


async def test_what_happens_together_happens_at_the_same_time(
    path: Path, telco: RunningTelco, application: Application
) -> None:
    application.held = True
    steps = f"""
steps:
- together:
  - - dial: {{phone: "{AMINA}", code: "*384*40#"}}
    - expect: {{phone: "{AMINA}", open: true}}
  - - http: {{url: "{application.url}/let-go", within: 5}}
"""
    application.answers["/let-go"] = application.answer

    async def let_go() -> None:
        await application.wait_for("/ussd")
        await application.wait_for("/let-go")
        application.release.set()

    letting = telco.state.callbacks.background(let_go())
    assert (await played(path, telco, steps)).broken == []
    await letting


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("steps: [", "is not YAML"),
        ("- dial", "must have steps"),
        ("steps: []\nactors: {}", "must have steps"),
        ("steps: [dial]", "Step 1 must have one name"),
        ("steps: [{fly: {}}]", "Step 1: there is no 'fly'; there are dial, press, "),
        ("steps: [{dial: {phone: a}}]", "Step 1: dial takes phone, code: missing a required argument: 'code'."),
        ("steps: [{together: [[{pause: 1}], [{pause: {}}]]}]", "Step 1.2.1: pause takes value"),
        ("phones: {a: {colour: red}}\nsteps: []", "Phone 'a': write its name in quotes"),
        ("phones: {+254711000001: {}}\nsteps: []", "Phone 254711000001: write its name in quotes"),
    ],
)
def test_a_file_that_is_no_scene_is_refused_in_words(path: Path, text: str, sentence: str) -> None:
    path.write_text(text)
    with pytest.raises(SceneError) as refused:
        read(path, ACTS)
    assert sentence in str(refused.value)
