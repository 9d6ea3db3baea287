"""SQL by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.queries import FOLDER, load

FILE = """
-- Verbs of customers.

-- name: join
-- Takes a number.
select join_queue($1)
    -- once
    where true;

-- name: leave
select 'it''s -- no comment'
"""


def area(folder: Path, text: str) -> Path:
    (folder / "people.sql").write_text(text)
    return folder


def test_a_statement_is_an_attribute_without_its_comments(tmp_path: Path) -> None:
    people = load("people", area(tmp_path, FILE))
    assert people.join == "select join_queue($1)\n    where true;"
    assert people.leave == "select 'it''s -- no comment'"
    assert dir(people) == ["join", "leave"]


def test_an_unknown_name_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    people = load("people", area(tmp_path, FILE))
    with pytest.raises(AttributeError, match=r"db/sql/people\.sql has no statement named jion"):
        people.jion  # noqa: B018


@pytest.mark.parametrize(
    "text",
    [
        "select 1",
        "-- name: two words\nselect 1",
        "-- name: join\nselect 1\n-- name: join\nselect 2",
        "-- name: join\n-- nothing follows\n",
    ],
)
def test_a_file_that_is_not_named_blocks_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"db/sql/people\.sql"):
        load("people", area(tmp_path, text))


def test_a_file_is_read_once(tmp_path: Path) -> None:
    folder = area(tmp_path, FILE)
    first = load("people", folder)
    (folder / "people.sql").unlink()
    assert load("people", folder) is first


def test_every_file_of_the_product_loads() -> None:
    areas = sorted(path.stem for path in FOLDER.glob("*.sql"))
    assert areas
    assert all(dir(load(name)) for name in areas)
