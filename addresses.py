"""Whether the address of a server, as somebody typed it, can be one."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from redis.asyncio import ConnectionPool

HOST = re.compile(r"(?:[^:\[\]]*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?")
HIGHEST_PORT = 65_535


def bad_url(url: str | None, *schemes: str) -> bool:
    if url is None:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return True
    # PostgreSQL takes several hosts, and none where a socket is named elsewhere.
    hosts = [HOST.fullmatch(host) for host in parts.netloc.rpartition("@")[2].split(",")]
    return parts.scheme not in schemes or not all(host and int(host["port"] or 0) <= HIGHEST_PORT for host in hosts)


def bad_networks(text: str | None) -> bool:
    if text is None:
        return False
    try:
        for network in text.split(","):
            ipaddress.ip_network(network.strip())
    except ValueError:
        return True
    return False


def bad_redis(url: str | None) -> bool:
    if url is None:
        return False
    try:
        ConnectionPool.from_url(url)
    except ValueError:
        return True
    return False


def bad_base(url: str | None) -> bool:
    if url is None:
        return False
    if bad_url(url, "http", "https"):
        return True
    parts = urlsplit(url)
    return not parts.hostname or "@" in parts.netloc or url.rstrip("/") != f"{parts.scheme}://{parts.netloc}"
