"""After a small morning with several processes, what the dashboard and the alerts ask for is there."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml  # type: ignore[import-untyped]

from monitoring.folder import MEMORY
from monitoring.metrics import REGISTRY
from monitoring.stores import FAMILIES
from telco_sim.testing import RunningTelco
from tests.monitoring.scraping import Scrape, scrape
from tests.staff_web.browsing import token_of
from tests.terminal import SECRET, START_SECONDS, Process, Terminal
from tests.world import phone

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = DEPLOY / "grafana/zamu.json"
ALERTS = DEPLOY / "prometheus/alerts.yml"
RUNBOOK = DEPLOY.parent / "docs/runbook.md"
NAME = re.compile(r"\bzamu_[a-z_]+")
# Nothing of the kind happens on a good morning.
TROUBLE = {"zamu_limits_hit_total", "zamu_gateway_rests", "zamu_archive_fails"}
KEYS = ("", "4071", "4071*1", "4071*1*1")
PROMTOOL = shutil.which("promtool")


def asked_for() -> dict[str, list[str]]:
    """The names in every expression, and where it stands."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = {f"panel {panel['title']}": [one["expr"] for one in panel.get("targets", ())] for panel in panels}
    asked |= {f"alert {rule['alert']}": [rule["expr"]] for rule in rules()}
    return {where: NAME.findall(" ".join(given)) for where, given in asked.items()}


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    given: list[dict[str, Any]] = group["rules"]
    return given


def dial_in(client: httpx.Client, person: int) -> None:
    for text in KEYS:
        fields = {"sessionId": f"s{person}", "phoneNumber": phone(person), "serviceCode": "*384*40#", "text": text}
        assert client.post(f"/hooks/africastalking/ussd/{SECRET}", data=fields).text.startswith(("CON", "END"))


def morning(server: Process, terminal: Terminal) -> None:
    """Three join, one is called, one texts, somebody gets a secret wrong and somebody a password."""
    # A connection a request, so that every process gets some.
    close = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30, limits=close) as client:
        for person in (1, 2, 3):
            dial_in(client, person)
        terminal.ask("queue", "call-next", "4071/A")
        text = {"id": "in-1", "from": phone(2), "to": "20880", "text": "STATUS", "date": "2026-01-01T00:00:00Z"}
        client.post(f"/hooks/africastalking/sms/{SECRET}", data=text).raise_for_status()
        assert client.post("/hooks/africastalking/ussd/wrong-secret-of-somebody").status_code == 404
        door = client.get("/staff/login")
        cookie, token = door.headers["set-cookie"].partition(";")[0], token_of(door)
        tried = {"csrf": token, "login": "admin", "password": "wrong"}
        client.cookies.clear()
        assert client.post("/staff/login", data=tried, headers={"cookie": cookie}).status_code == 422


def settled(url: str) -> Scrape:
    """Once all texts are out and reported, and every process has said how it is."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        seen = scrape(url)
        if seen.total("zamu_delivery_reports_total") and seen.total("zamu_processes") == 3:
            return seen
        assert time.monotonic() < deadline, seen.text
        time.sleep(0.3)


async def test_two_web_processes_and_a_worker_count_together_and_what_is_asked_for_is_there(
    terminal: Terminal, telco: RunningTelco, sender: dict[str, str]
) -> None:
    with terminal.serving("--workers", "2", **sender) as server, terminal.running("worker", **sender) as worker:
        telco.connect(delivery_url=f"{server.url}/hooks/africastalking/delivery/{SECRET}")
        worker.wait_for("Sending texts")
        await asyncio.to_thread(morning, server, terminal)
        seen = await asyncio.to_thread(settled, server.url)

        assert seen.total("zamu_hop_seconds_count", gateway="africastalking") == 3 * len(KEYS)
        assert seen.total("zamu_hop_seconds_count", screen="joined") == 3
        route = "/hooks/{gateway}/ussd/{secret}"
        assert seen.total("zamu_request_seconds_count", route=route, status="404") == 1
        assert seen.total("zamu_waiting", branch="4071", line="A") == 2
        assert seen.total("zamu_tickets_today", channel="ussd") == 3
        assert seen.total("zamu_hand_over_seconds_count", template="turn") == 1
        unknown = {where: set(names) - seen.names - TROUBLE for where, names in asked_for().items()}
        assert {where: names for where, names in unknown.items() if names} == {}
        assert seen.names.isdisjoint(TROUBLE)
        assert SECRET not in seen.text
        assert phone(1)[1:] not in seen.text

        _kill_one(server)
        after = scrape(server.url)
        while after.total("zamu_processes") != 3:
            after = scrape(server.url)
        assert after.total("zamu_hop_seconds_count") == 3 * len(KEYS)
        _lint(after)


def _kill_one(server: Process) -> None:
    """Of the web processes: they alone have counted keys."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    counting = {file.stem.rpartition("_")[2] for file in MEMORY.glob("zamu-metrics-*/histogram_*.db")}
    os.kill(int(next(child for child in children if child in counting)), signal.SIGKILL)


def _lint(seen: Scrape) -> None:
    if PROMTOOL:
        told = subprocess.run(
            [PROMTOOL, "check", "metrics"], input=seen.text, capture_output=True, text=True, check=False
        )
        assert (told.returncode, told.stderr) == (0, "")


def test_whatever_happens_only_on_a_bad_day_is_counted_too() -> None:
    families = list(REGISTRY.collect())
    declared = {f"{family.name}{'_total' if family.type == 'counter' else ''}" for family in families}
    assert declared | set(FAMILIES) >= TROUBLE


def test_every_alert_has_a_runbook_that_says_what_people_feel_or_what_to_do() -> None:
    sections: dict[str, str] = dict(
        re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOK.read_text(), re.MULTILINE | re.DOTALL)
    )
    wrong = []
    for rule in rules():
        name, said = rule["alert"], rule["annotations"]
        severity = {"page": "*Page.*", "look": "*Look"}[rule["labels"]["severity"]]
        section = sections.pop(name, "")
        if said["runbook_url"] != f"docs/runbook.md#{name.lower()}" or not section.startswith(severity):
            wrong.append(name)
        if "- Do:" not in section and "- Look:" not in section:
            wrong.append(name)
    assert wrong == []
    assert sections == {}


@pytest.mark.skipif(
    not PROMTOOL, reason="PROMTOOL IS MISSING: the alerts are not loaded. `apt-get install prometheus` brings it."
)
def test_prometheus_loads_its_settings_and_the_alerts() -> None:
    told = subprocess.run(
        [str(PROMTOOL), "check", "config", DEPLOY / "prometheus/prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"{len(rules())} rules found" in told.stdout


def test_every_panel_of_the_dashboard_has_its_own_place_and_asks_something() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] == "row" or panel["targets"]
