"""Services for one run, on free ports of this machine, ended with the run."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import uvicorn
from uvicorn.supervisors import Multiprocess

START_SECONDS_MAX = 120.0


class Serving(NamedTuple):
    """A server that answers: where, and as which process."""

    origin: str
    pid: int


@contextlib.contextmanager
def served(**settings: str) -> Iterator[httpx.Client]:
    """A client with a key that may write, of a service on an empty store of its own."""
    with tempfile.TemporaryDirectory(prefix="dateline-bench-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL may run as another account.
        given = {"DATELINE_DATA_DIR": str(Path(folder, "data")), **settings}
        with service(**given) as serving, httpx.Client(base_url=serving.origin, timeout=300) as client:
            key = [sys.executable, "-m", "service", "key", "create", "--scope", "write", "--name", "benchmark"]
            made = subprocess.run(key, env=os.environ | given, check=True, capture_output=True, text=True)
            client.headers["Authorization"] = f"Bearer {made.stdout.strip()}"
            yield client


@contextlib.contextmanager
def service(**settings: str) -> Iterator[Serving]:
    """The service with these settings."""
    port = free_port()
    command = [sys.executable, "-m", "service", "serve", "--no-demo"]
    with running(command, port, "/readyz", settings | {"DATELINE_PORT": str(port)}) as serving:
        yield serving


@contextlib.contextmanager
def running(command: list[str], port: int, ready: str, settings: dict[str, str]) -> Iterator[Serving]:
    """A server, from when it answers what it is asked at `ready` until it has ended."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DATELINE_")}
    server = subprocess.Popen(command, env=inherited | settings)
    try:
        origin = f"http://127.0.0.1:{port}"
        _await(origin + ready, server)
        yield Serving(origin, server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def serve(app: str, port: int, workers: int, **options: Any) -> None:
    """Serves an application on the port, as `dateline serve` does, until it is told to end."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.set_inheritable(True)
    listener.bind(("127.0.0.1", port))
    config = uvicorn.Config(app, workers=workers, access_log=False, server_header=False, log_config=None, **options)
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    if workers > 1:
        Multiprocess(config, sockets=[listener]).run()
    else:
        uvicorn.Server(config).run(sockets=[listener])


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _await(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(address).status_code == 200:
                return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit("The server did not start.")
