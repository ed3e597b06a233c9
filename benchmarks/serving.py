"""A service of its own for one run: an empty store in a temporary folder, on a free port, ended with the run."""

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

import httpx

START_SECONDS_MAX = 120.0


@contextlib.contextmanager
def served(**settings: str) -> Iterator[httpx.Client]:
    """A client with a key that may write."""
    with tempfile.TemporaryDirectory(prefix="dateline-bench-") as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        given = {"DATELINE_DATA_DIR": str(Path(folder, "data")), "DATELINE_PORT": str(port), **settings}
        Path(folder).chmod(0o711)  # PostgreSQL may run as another account.
        environment = {**os.environ, **given}
        service = subprocess.Popen([sys.executable, "-m", "service", "serve", "--no-demo"], env=environment)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=300) as client:
                _await(client, service)
                key = [sys.executable, "-m", "service", "key", "create", "--scope", "write", "--name", "benchmark"]
                made = subprocess.run(key, env=environment, check=True, capture_output=True, text=True)
                client.headers["Authorization"] = f"Bearer {made.stdout.strip()}"
                yield client
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait()


def _await(client: httpx.Client, service: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if client.get("/readyz").status_code == 200:
                return
        if service.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit("The service did not start.")
