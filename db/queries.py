"""SQL by name: `db/sql/<area>.sql` holds blocks that begin with `-- name: words`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "sql"
MARK = "-- name:"


class Queries:
    """The statements of one area, each an attribute: `load("tickets").join` is its SQL."""

    def __init__(self, area: str, statements: dict[str, str]) -> None:
        self._area = area
        self._statements = statements

    def __getattr__(self, name: str) -> str:
        try:
            return self._statements[name]
        except KeyError:
            raise AttributeError(f"db/sql/{self._area}.sql has no statement named {name}") from None

    def __dir__(self) -> list[str]:
        return sorted(self._statements)


@cache
def load(area: str, folder: Path = FOLDER) -> Queries:
    """The statements of an area, without their comments. Raises ValueError where the file is not blocks."""
    before, *blocks = (folder / f"{area}.sql").read_text().split(MARK)
    if _statement(before):
        raise ValueError(f"db/sql/{area}.sql has SQL before its first `{MARK}`")
    statements: dict[str, str] = {}
    for block in blocks:
        name, _, sql = block.partition("\n")
        name = name.strip()
        if not name.isidentifier() or name in statements or not _statement(sql):
            raise ValueError(f"db/sql/{area}.sql: `{MARK} {name}` is no name, is there twice, or has no SQL")
        statements[name] = _statement(sql)
    return Queries(area, statements)


def _statement(text: str) -> str:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return "\n".join(lines).strip()
