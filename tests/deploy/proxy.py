"""The sample for nginx at work before a server of ours, on ports of this machine and with a certificate of a day."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.story.town import free_port
from tests.terminal import START_SECONDS

SAMPLE = Path(__file__).parents[2] / "deploy/nginx/zamu.conf"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
MISSING = "NGINX IS MISSING: its sample is not tried. Install it (`apt-get install nginx-light`) and run this again."
NAME = "queue.example.org"
SERVER = "server 127.0.0.1:8000 max_fails=0;"
PATIENCE_OF_SAMPLE, PATIENCE_OF_TEST = "timeout 10s;", "timeout 2s;"

AROUND = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/errors;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/fast;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    access_log {folder}/access;
    include {folder}/zamu.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where it listens, and who is to be trusted. The side door is the one with the certificate, without it."""

    port: int
    plain_port: int
    side_port: int
    trusted: ssl.SSLContext

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.port}"


@contextlib.contextmanager
def before(zamu_ports: Iterable[int], folder: Path) -> Iterator[Proxy]:
    """A proxy before the servers at these ports."""
    made = Proxy(free_port(), free_port(), free_port(), _certificate(folder))
    (folder / "zamu.conf").write_text(_on_this_machine(made, zamu_ports, folder))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user))
    command = [str(NGINX), "-p", str(folder), "-e", str(folder / "errors"), "-c", str(folder / "nginx.conf")]
    subprocess.run([*command, "-t"], check=True, capture_output=True, text=True)
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _listens(made.port):
            assert process.poll() is None, (folder / "errors").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield made
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _on_this_machine(made: Proxy, zamu_ports: Iterable[int], folder: Path) -> str:
    """The sample, with nothing changed but where things are and how patient it is."""
    text = SAMPLE.read_text()
    servers = "\n    ".join(SERVER.replace("8000", str(port)) for port in zamu_ports)
    for given, here in (
        (SERVER, servers),
        ("listen 80;", f"listen 127.0.0.1:{made.plain_port};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{made.side_port};\n    listen 127.0.0.1:{made.port} ssl"),
        ("    listen [::]:80;\n", ""),
        ("    listen [::]:443 ssl http2;\n", ""),
        (f"/etc/letsencrypt/live/{NAME}", str(folder)),
        ("/var/cache/nginx", str(folder)),
        ("/var/log/nginx/error.log", str(folder / "errors")),
        (PATIENCE_OF_SAMPLE, PATIENCE_OF_TEST),
    ):
        assert given in text, given
        text = text.replace(given, here)
    return text


def _certificate(folder: Path) -> ssl.SSLContext:
    own, key = folder / "fullchain.pem", folder / "privkey.pem"
    words = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN={NAME}"
    named = ["-addext", f"subjectAltName=DNS:{NAME}", "-keyout", str(key), "-out", str(own)]
    subprocess.run(["openssl", *words.split(), *named], check=True, capture_output=True)
    return ssl.create_default_context(cafile=str(own))
