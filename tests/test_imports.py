"""The direction of imports: the contracts in pyproject.toml name every package, and they bite."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

TREE = Path(__file__).parent.parent
SETTINGS = tomllib.loads((TREE / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = [contract["name"] for contract in SETTINGS["contracts"]]
DOWNWARDS, WIRING, CORE, SDKS, GATEWAYS, TELCO, NEEDLESS = CONTRACTS
GATEWAY = "sms/gateways/africastalking.py"

FORBIDDEN = [
    ("db/pool.py", "import queue_core", DOWNWARDS),
    ("queue_core/tickets.py", "import sms.outbox", DOWNWARDS),
    ("sms/outbox.py", "import webhooks", DOWNWARDS),
    ("ussd/engine.py", "import sms.texts", DOWNWARDS),
    ("sms/commands.py", "import ussd.engine", DOWNWARDS),
    ("webhooks/routes.py", "import commands", DOWNWARDS),
    ("ussd/engine.py", "import settings", WIRING),
    ("webhooks/routes.py", "def late():\n    import app", WIRING),
    ("queue_core/tickets.py", "from starlette.requests import Request", CORE),
    ("queue_core/tickets.py", "import redis.asyncio", CORE),
    ("db/pool.py", "import jinja2", CORE),
    ("queue_core/calling.py", "import prometheus_client", CORE),
    ("queue_core/calling.py", "import monitoring.metrics", DOWNWARDS),
    ("monitoring/stores.py", "import sms.spool", DOWNWARDS),
    ("monitoring/stores.py", "import settings", WIRING),
    ("sms/outbox.py", "import africastalking", SDKS),
    ("webhooks/routes.py", "def late():\n    import httpx", SDKS),
    (GATEWAY, "import sms.gateways.console", GATEWAYS),
    ("ussd/gateways/africastalking.py", "import ussd.gateways.hubtel", GATEWAYS),
    ("telco_sim/control.py", "import db", TELCO),
    ("telco_sim/control.py", "import ussd.gateways.africastalking", TELCO),
    ("sms/outbox.py", "import telco_sim", NEEDLESS),
]
ALLOWED = [
    (GATEWAY, "def send():\n    import africastalking\n    import httpx"),
    ("sms/outbox.py", "import sms.gateways.africastalking\nimport monitoring.metrics"),
    ("webhooks/routes.py", "import sms.commands\nimport ussd.engine"),
    ("commands/serve.py", "import app\nimport telco_sim\nimport uvicorn"),
    ("telco_sim/control.py", "import starlette\nimport httpx"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Our packages, empty, with our contracts."""
    shutil.copy(TREE / "pyproject.toml", tmp_path)
    for package in [*SETTINGS["root_packages"], "sms/gateways", "ussd/gateways"]:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    for line in (*FORBIDDEN, *ALLOWED):
        (tmp_path / line[0]).touch()
    for name in ("sms/texts.py", "sms/gateways/console.py", "ussd/gateways/hubtel.py"):
        (tmp_path / name).touch()
    return tmp_path


def lint(tree: Path) -> str:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    result = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    return result.stdout + result.stderr


def broken(report: str) -> list[str]:
    return [name for name in CONTRACTS if f"{name} BROKEN" in report]


@pytest.mark.parametrize(("path", "line", "contract"), FORBIDDEN)
def test_a_forbidden_import_breaks_its_contract(tree: Path, path: str, line: str, contract: str) -> None:
    (tree / path).write_text(line)
    assert broken(lint(tree)) == [contract]


def test_what_the_design_allows_breaks_nothing(tree: Path) -> None:
    for path, lines in ALLOWED:
        (tree / path).write_text(lines)
    report = lint(tree)
    assert broken(report) == []
    assert f"{len(CONTRACTS)} kept, 0 broken" in report


def test_every_package_at_the_root_is_under_contract() -> None:
    packages = sorted(path.parent.name for path in TREE.glob("*/__init__.py"))
    assert sorted(SETTINGS["root_packages"]) == packages


def test_an_sdk_is_imported_only_where_it_is_used() -> None:
    eager = []
    for path in (*TREE.glob("sms/gateways/*.py"), *TREE.glob("ussd/gateways/*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                eager += [f"{path.name}: {name}" for name in names if name.startswith(("africastalking", "twilio"))]
    assert eager == []
