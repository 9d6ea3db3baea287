"""Where the processes of one machine keep what they count, so that any of them can answer for all."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"  # the library reads it when it is imported, and never again
# The files are mapped: on a disk that is full, the system would kill whoever counts one more.
MEMORY: Final = Path("/dev/shm")  # noqa: S108
PREFIX: Final = "zamu-metrics-"
JUST_MADE: Final = 60  # seconds; whoever made it may not have counted yet


def share(data_dir: Path) -> None:
    """Count together with every process of this data folder from now on, as will the children of this one.

    To be called before `monitoring.metrics` is imported. Where nobody else is alive all begins at zero. Raises OSError.
    """
    place = data_dir / "metrics"
    if MEMORY.is_dir():
        _sweep()
        place = MEMORY / (PREFIX + blake2b(str(data_dir.resolve()).encode(), digest_size=8).hexdigest())
    if not _is_in_use(place):
        for file in place.glob("*.db"):
            file.unlink(missing_ok=True)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if place.stat().st_uid != os.getuid():
        raise PermissionError(f"{place} is another user's, and nothing can be counted there. Remove it.")
    os.environ[VARIABLE] = str(place)


def shared() -> Path | None:
    """None where this process counts for itself, or somebody removed what was counted together."""
    given = os.environ.get(VARIABLE)
    return Path(given) if given and Path(given).is_dir() else None


def bury(place: Path) -> None:
    """What a process that was killed said of its present is not true any more; what it counted stays."""
    for file in place.glob("gauge_live*.db"):
        if not _is_alive(file):
            file.unlink(missing_ok=True)


def _sweep() -> None:
    """Remove what other installations counted of which nothing runs."""
    for place in MEMORY.glob(f"{PREFIX}*"):
        with suppress(OSError):  # somebody else's, or gone meanwhile
            if time.time() - place.stat().st_mtime > JUST_MADE and not _is_in_use(place):
                shutil.rmtree(place)


def _is_in_use(place: Path) -> bool:
    return any(_is_alive(file) for file in place.glob("*.db"))


def _is_alive(file: Path) -> bool:
    """Whether the process that wrote a file such as `counter_4711.db` still runs."""
    number = file.stem.rpartition("_")[2]
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass
    return True
