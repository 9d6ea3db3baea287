"""Processes of one installation count together; what is over is not counted for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitoring import folder
from monitoring.folder import VARIABLE, bury, share, shared

COUNT = """
import sys
from pathlib import Path
from monitoring.folder import share
share(Path(sys.argv[1]))
from monitoring.metrics import LIMITS, SOCKETS
LIMITS.labels("sockets").inc()
SOCKETS.set(7)
print("counted", flush=True)
sys.stdin.read()
"""
ASK = """
import sys
from pathlib import Path
from monitoring.folder import share
share(Path(sys.argv[1]))
from monitoring.scrape import exposition
from monitoring.stores import Samples
print(exposition(Samples()).decode())
"""


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place like /dev/shm; whoever runs these tests shares nothing."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(folder, "MEMORY", tmp_path)
    yield tmp_path
    os.environ.pop(VARIABLE, None)


def counting(data_dir: Path) -> subprocess.Popen[str]:
    """A process that counted one, and lives."""
    child = subprocess.Popen(
        [sys.executable, "-c", COUNT, data_dir], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    assert child.stdout.readline() == "counted\n"
    return child


def asked(data_dir: Path) -> str:
    return subprocess.run([sys.executable, "-c", ASK, data_dir], capture_output=True, text=True, check=True).stdout


def test_a_killed_process_keeps_what_it_counted_and_is_no_longer_there(tmp_path: Path) -> None:
    one, other = counting(tmp_path / "a"), counting(tmp_path / "a")
    with one, other:
        assert 'zamu_limits_hit_total{limit="sockets"} 2.0' in asked(tmp_path / "a")
        assert "zamu_sockets_open 14.0" in asked(tmp_path / "a")
        one.kill()
        one.wait()
        assert 'zamu_limits_hit_total{limit="sockets"} 2.0' in asked(tmp_path / "a")
        assert "zamu_sockets_open 7.0" in asked(tmp_path / "a")
        assert "zamu_limits_hit_total{" not in asked(tmp_path / "b")
        other.kill()
    assert "zamu_limits_hit_total{" not in asked(tmp_path / "a")


def test_who_starts_removes_what_nobody_counts_in_and_nothing_else(memory: Path) -> None:
    nobody = 2**22 + 1
    places = {"zamu-metrics-dead": nobody, "zamu-metrics-alive": os.getpid(), "zamu-metrics-new": nobody}
    for name, process in places.items():
        (memory / name).mkdir()
        (memory / name / f"counter_{process}.db").touch()
        if name != "zamu-metrics-new":
            os.utime(memory / name, (0, 0))
    (memory / "somebody-elses").mkdir()
    os.utime(memory / "somebody-elses", (0, 0))
    share(memory / "data")
    mine = shared()
    assert mine
    left = {path.name for path in memory.iterdir()}
    assert left == {"zamu-metrics-alive", "zamu-metrics-new", "somebody-elses", mine.name}


def test_without_memory_for_files_they_are_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MEMORY", tmp_path / "missing")
    share(tmp_path / "data")
    assert shared() == tmp_path / "data/metrics"


def test_only_the_present_of_a_dead_process_is_forgotten(tmp_path: Path) -> None:
    for name in ("gauge_livesum", "gauge_livemax", "counter", "histogram"):
        (tmp_path / f"{name}_{2**22 + 1}.db").touch()
        (tmp_path / f"{name}_{os.getpid()}.db").touch()
    bury(tmp_path)
    assert {path.name for path in tmp_path.glob(f"*_{2**22 + 1}.db")} == {
        f"counter_{2**22 + 1}.db",
        f"histogram_{2**22 + 1}.db",
    }
    assert len(list(tmp_path.glob(f"*_{os.getpid()}.db"))) == 4
