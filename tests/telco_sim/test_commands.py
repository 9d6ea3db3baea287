"""`zamu telco`, on a telco in this process."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from click.testing import CliRunner, Result

from cli import main
from telco_sim.testing import RunningTelco
from tests.telco_sim.conftest import AMINA, SHORT_CODE

NOBODY = "http://127.0.0.1:1"


async def zamu(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["telco", *words])


def scene(folder: Path, expected: str) -> str:
    path = folder / "scene.yaml"
    path.write_text(f"""
steps:
- dial: {{phone: "{AMINA}", code: "{SHORT_CODE}"}}
- expect: {{phone: "{AMINA}", screen: {expected}}}
""")
    return str(path)


async def test_a_scene_prints_its_ledger_and_ends_well(telco: RunningTelco, tmp_path: Path) -> None:
    done = await zamu("run", scene(tmp_path, "Welcome"), "--telco", telco.url)
    told = json.loads(done.stdout)
    assert (done.exit_code, told["held"], told["broken"]) == (0, 1, [])
    assert [row["kind"] for row in told["ledger"]] == ["ussd.request", "ussd.reply"]


async def test_a_scene_whose_expectation_breaks_ends_with_1(telco: RunningTelco, tmp_path: Path) -> None:
    done = await zamu("run", scene(tmp_path, "Goodbye"), "--telco", telco.url)
    assert done.exit_code == 1
    assert done.stderr == f"Step 2, expect: {AMINA} showed 'Welcome\\n1 Join', without 'Goodbye'.\n"


async def test_what_is_no_scene_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "scene.yaml").write_text("steps: [{fly: {}}]")
    done = await zamu("run", str(tmp_path / "scene.yaml"))
    assert done.exit_code == 2
    assert "Step 1: there is no 'fly'" in done.stderr


async def test_no_telco_is_one_sentence(tmp_path: Path) -> None:
    for done in (await zamu("run", scene(tmp_path, "x"), "--telco", NOBODY), await zamu("load", "--telco", NOBODY)):
        assert done.exit_code == 1
        assert done.stderr == f"Error: No telco answers at {NOBODY}. Is `make run` going in another terminal?\n"


async def test_a_load_is_reported_for_scripts_and_for_people(telco: RunningTelco) -> None:
    few = ["--telco", telco.url, "--code", SHORT_CODE, "--keys", "1", "--pace", "0", "--drop", "0", "--texts", "0"]
    few += ["--phones", "1", "--rate", "10", "--seconds", "0.1"]
    told = json.loads((await zamu("load", *few, "--json")).stdout)
    assert (told["calls"], told["success"]) == (1, 1.0)
    done = await zamu("load", *few)
    assert done.exit_code == 0
    assert "well            100.00% of those who did not hang up\n" in done.stdout
    assert "promises        all kept" in done.stdout


async def test_a_broken_promise_ends_a_load_with_1(telco: RunningTelco) -> None:
    words = ["--telco", telco.url, "--code", SHORT_CODE, "--keys", "1", "--pace", "0", "--drop", "0"]
    done = await zamu("load", *words, "--phones", "4", "--rate", "40", "--seconds", "0.1")
    assert done.exit_code == 1
    assert "A number was given to two phones." in done.stdout
