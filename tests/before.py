"""`make before`: the tests of an earlier commit, with its code, on the schema and the functions of this tree.

While a deploy goes on, old processes work on the new schema. What they cannot bear is a migration that did not expand
first: this finds it. Left out are tests that are about the schema's own text, or about how fast a machine is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCHEMA = ("db/migrations", "db/functions", "db/schema.sql")
ABOUT_THE_TREE = (
    "tests/browser",
    "tests/story",
    "tests/faults",
    "tests/simulation",
    "tests/test_imports.py",
    "tests/db/test_migrate.py",
    "tests/db/test_plans.py",
    "tests/chaos/test_chaos_core.py",  # it rewrites functions, and knows their text
)


def main(commit: str = "HEAD~1", *options: str) -> int:
    """Exit with pytest's status. Nothing in this tree is changed; the commit is checked out elsewhere for as long."""
    with tempfile.TemporaryDirectory(prefix="zamu-before-") as place:
        tree = Path(place, "tree")
        _git("worktree", "add", "--detach", "--quiet", str(tree), commit)
        try:
            for name in SCHEMA:
                _replace(ROOT / name, tree / name)
            (tree / ".venv").symlink_to(ROOT / ".venv")
            return _test(tree, options)
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _replace(new: Path, old: Path) -> None:
    if new.is_dir():
        shutil.rmtree(old)
        shutil.copytree(new, old)
    else:
        shutil.copy(new, old)


def _test(tree: Path, options: tuple[str, ...]) -> int:
    ignored = [f"--ignore={path}" for path in ABOUT_THE_TREE]
    command = [sys.executable, "-m", "pytest", "--numprocesses=auto", "--maxprocesses=4", *ignored, *options]
    # The installed package is this tree; the other one goes before it, also for the processes that tests start.
    return subprocess.run(command, cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)}, check=False).returncode


def _git(*words: str) -> None:
    subprocess.run(["git", *words], cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
