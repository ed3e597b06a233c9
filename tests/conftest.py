"""Fixtures, and the policy behind them.

Nothing is mocked. Tests of the interface talk HTTP to the service as a user starts it: a process of its own, on an
embedded PostgreSQL of its own, in a data folder that is made for the session and removed with it. Stores are shared, so
a test names its things after itself (`unique`) and asks for its own collection; only `live` is written to, `dossier`
holds the demo and is read. Tests of a statement below HTTP get a migrated database, and a transaction that is rolled
back. Whatever needs a store to itself, to stop or to break, starts one and ends it.

`make test` runs files of tests side by side, each process of pytest's with stores of its own; `pytest` alone runs them
one after the other. What a test has counted it says with `tell`, and the summary shows it.
"""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import hypothesis
import pytest

from service.storage.embedded import EmbeddedPostgres, joined
from service.storage.keys import make_key
from service.storage.migrating import migrate
from service.storage.pool import prepare

# While looking for a fault, `--hypothesis-profile=first` shows the first example that fails, without making it small.
hypothesis.settings.register_profile("first", phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate])

# No test speaks TLS, yet each client that httpx makes would read all certificates of the machine, which takes 40 ms.
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = os.devnull

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS_MAX = 120
LONGEST = (
    "tests/contract/test_schemathesis.py",
    "tests/api/test_laws.py",
    "tests/faults/test_service.py",
    "tests/api/test_planted.py",
)
"""Begun before the others, so that where two processes share the files neither is left with one of these at the end."""

TOLD = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TOLD] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ranks = {config.rootpath / name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(LONGEST)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process that runs a part of the tests hands over what they said."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["told"] = session.config.stash[TOLD]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The process that began the others takes it over, if they came to an end."""
    node.config.stash[TOLD] += getattr(node, "workeroutput", {}).get("told", [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if told := terminalreporter.config.stash[TOLD]:
        terminalreporter.section("what the tests counted", sep="-")
        for line in told:
            terminalreporter.write_line(line)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Says a line in the summary of the whole run."""
    return request.config.stash[TOLD].append


@dataclass(frozen=True)
class Live:
    """A running service: where it is, a key that may write, and the process that serves."""

    base_url: str
    key: str
    data_dir: Path
    process: subprocess.Popen[bytes]


@contextmanager
def new_folder() -> Iterator[Path]:
    """A data folder that PostgreSQL's account can reach, as pytest's own under a private parent may not be."""
    folder = Path(tempfile.mkdtemp(prefix="dateline-test-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        yield folder / "data"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DATELINE_")}
    return {**inherited, "DATELINE_DATA_DIR": str(data_dir), **settings}


@contextmanager
def served(data_dir: Path, *arguments: str, **settings: str) -> Iterator[Live]:
    """The service as `dateline serve` runs it, until the block ends."""
    port = free_port()
    given = environment(data_dir, DATELINE_PORT=str(port), **settings)
    log_path = data_dir.parent / "service.log"
    log = log_path.open("ab")
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "serve", *arguments], cwd=ROOT, env=given, stdout=log, stderr=log
    )
    try:
        await_ready(f"http://127.0.0.1:{port}", process, log_path)
        elsewhere = settings.get("DATELINE_DATABASE_URL")
        with ThreadPoolExecutor(1) as beside, nullcontext(elsewhere) if elsewhere else joined(data_dir) as url:
            # Where a test is asynchronous, its loop runs already.
            key = beside.submit(asyncio.run, new_key(url)).result()
        yield Live(f"http://127.0.0.1:{port}", key, data_dir, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        log.close()


async def new_key(url: str) -> str:
    """A key that may write, as `dateline key create` makes it."""
    connection = await asyncpg.connect(url)
    try:
        return await make_key(connection, "tests", "write", None)
    finally:
        await connection.close()


def await_ready(base_url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{base_url}/readyz").status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise RuntimeError(f"the service did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    """A service on a store that was empty when the session began."""
    with new_folder() as folder, served(folder, "--no-demo") as running:
        with httpx.Client(base_url=running.base_url, headers={"Authorization": f"Bearer {running.key}"}) as client:
            client.post("/v1/collections", json={"slug": "main", "title": "Main"}).raise_for_status()
        yield running


@pytest.fixture(scope="session")
def dossier() -> Iterator[Live]:
    """A service with the demo dossier, to be read."""
    with new_folder() as folder, served(folder) as running:
        yield running


@pytest.fixture(scope="session")
def client(live: Live) -> Iterator[httpx.Client]:
    """Anyone, at the live service."""
    with httpx.Client(base_url=live.base_url, timeout=30) as anyone:
        yield anyone


@pytest.fixture(scope="session")
def writer(live: Live) -> Iterator[httpx.Client]:
    """The holder of a write key, at the live service."""
    with httpx.Client(base_url=live.base_url, headers={"Authorization": f"Bearer {live.key}"}, timeout=30) as holder:
        yield holder


@pytest.fixture(scope="session")
def reader(dossier: Live) -> Iterator[httpx.Client]:
    """Anyone, at the dossier."""
    with httpx.Client(base_url=dossier.base_url, timeout=30) as anyone:
        yield anyone


@pytest.fixture
def unique() -> str:
    """A slug that nothing else in the store has."""
    return f"t{secrets.token_hex(6)}"


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A migrated database of its own, for tests below HTTP."""
    with new_folder() as folder, EmbeddedPostgres(folder) as server:
        asyncio.run(migrate(server.dsn))
        asyncio.run(_leave_unvacuumed(server.dsn))
        yield server.dsn


async def _leave_unvacuumed(dsn: str) -> None:
    """Here all tables are empty but for what a test has not rolled back yet.

    Once autovacuum had noted that, each statement would be planned for tables of no rows, whatever the test then reads.
    """
    connection = await asyncpg.connect(dsn)
    for (table,) in await connection.fetch(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ):
        await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    await connection.close()


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection whose transaction is rolled back with the test."""
    opened = await asyncpg.connect(database_url)
    await prepare(opened)
    transaction = opened.transaction()
    await transaction.start()
    try:
        yield opened
    finally:
        await transaction.rollback()
        await opened.close()
