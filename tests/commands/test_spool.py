"""Texts that come while the database is away must have a place: without one nothing starts (F11)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sms.spool import Spool
from tests.story.town import free_port
from tests.terminal import Terminal


@pytest.mark.parametrize("command", [["serve", "--port", str(free_port())], ["worker"]], ids=["serve", "worker"])
def test_a_spool_that_cannot_be_written_stops_the_start_with_one_sentence(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "spool").write_text("not a folder")
    ran = Terminal({"ZAMU_DATA_DIR": str(tmp_path)}, tmp_path).zamu(*command)
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"Error: Zamu cannot keep its data in {tmp_path}/spool: ")
    assert "Nothing was started." in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert not (tmp_path / "postgres").exists()


def test_a_spool_that_was_tried_is_empty(tmp_path: Path) -> None:
    Spool(tmp_path / "spool").check()
    assert list((tmp_path / "spool").iterdir()) == []
