"""What a command says of itself, and of a mistake in typing it: neither needs a server, or good settings."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from cli import main
from settings import TABLE
from tests.terminal import Terminal


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))


COMMANDS = dict(_commands(main))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_helps_and_says_what_it_is_for(words: tuple[str, ...]) -> None:
    for option in ("--help", "-h"):
        helped = CliRunner().invoke(main, [*words, option], env={"ZAMU_SECRET_KEY": "too short"})
        assert helped.exit_code == 0
        assert helped.output.startswith(f"Usage: main {' '.join(words)}")
        assert (COMMANDS[words].help or "").split("\n")[0] in " ".join(helped.output.split())


def test_the_help_lists_every_command_and_serve_lists_every_setting() -> None:
    listed = CliRunner().invoke(main, ["--help"]).output
    assert all(f"\n  {name} " in listed for name in main.commands)
    explained = CliRunner().invoke(main, ["serve", "--help"]).output
    assert all(name in explained for name, _, _ in TABLE)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("nonsense", "No such command 'nonsense'."),
        ("queue", "Usage: main queue"),
        ("queue call-next", "Missing argument 'QUEUE'."),
        ("queue call-next 4071/A --finish perhaps", "'perhaps' is not one of 'complete', 'skip', 'no-show'."),
        ("queue pause 4071/A --minutes 0", "0 is not in the range 1<=x<=600."),
        ("queue list everything", "Got unexpected extra argument (everything)"),
        ("ticket join 4071/A", "Missing argument 'PHONE'."),
        ("ticket dance 4071/A001", "No such command 'dance'."),
        ("serve --port 65536", "65536 is not in the range 1<=x<=65535."),
        ("serve --port http", "'http' is not a valid integer"),
        ("serve --workers 0", "0 is not in the range 1<=x<=64."),
        ("demo --telco-port 0", "0 is not in the range 1<=x<=65535."),
        ("staff add amina --role king", "'king' is not one of 'admin', 'manager', 'staff'."),
        ("doctor --jason", "No such option '--jason'"),
    ],
)
def test_wrong_usage_is_explained_with_exit_status_2(words: str, problem: str) -> None:
    wrong = CliRunner().invoke(main, words.split(), env={"ZAMU_SECRET_KEY": "too short"})
    assert wrong.exit_code == 2
    assert problem in wrong.stderr


async def test_an_installed_command_behaves_so_as_a_process(terminal: Terminal) -> None:
    helped = terminal.zamu("ticket", "--help")
    assert helped.returncode == 0
    assert helped.stdout.startswith("Usage: zamu ticket")
    wrong = terminal.zamu("ticket", "join")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "Traceback" not in wrong.stderr
