"""Our scripts, styles and pictures: read once, named by what is in them, and kept by browsers for ever."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent. `packed` is None where gzip gains nothing."""

    body: bytes
    packed: bytes | None
    digest: str
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    return {path.name: _read(path) for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    packed = gzip.compress(body, mtime=0)
    digest = blake2b(body, digest_size=8).hexdigest()
    return Asset(body, packed if len(packed) < len(body) else None, digest, TYPES[path.suffix])


def url(name: str) -> str:
    """Where a file is, by its name. Raises KeyError where there is none."""
    return f"/static/{name}?v={assets()[name].digest}"


async def serve(request: Request) -> Response:
    """Under its present digest for ever, under another (of a release before or after) only for now."""
    asset = assets().get(request.path_params["name"])
    if asset is None:
        raise HTTPException(404)
    named = request.query_params.get("v") == asset.digest
    headers = {
        "cache-control": FOR_EVER if named else "no-cache",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "vary": "accept-encoding",
    }
    if asset.packed and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, headers=headers | {"content-encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.body, headers=headers, media_type=asset.media_type)


routes = [Route("/static/{name}", serve, methods=["GET"])]
