"""Stores of generated events, each in a folder, where a later run finds it again."""

import asyncio
import contextlib
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks import writing
from benchmarks.generated import WORDS, Generated, generated_of
from benchmarks.loading import load
from benchmarks.loads import Database
from benchmarks.serving import service
from service.operations import indexing
from service.storage.embedded import EmbeddedPostgres
from service.storage.folder import DATABASE, ROLE, SOCKET_PORT

MARK = "store.json"
"""Beside the cluster once it is loaded: how many events, from what code, and when, from which their ids follow."""


class Store(NamedTuple):
    """A running database with generated events."""

    generated: Generated
    url: str
    database: Database
    loaded: float
    """How many seconds it took to load."""


@contextlib.contextmanager
def kept(size: int, folder: Path | None, copies: int | None = None) -> Iterator[Store]:
    """The store of so many events, made first where the folder has none; without a folder one for this run alone.

    copies: how many there are to be of each event that is made; None: as few as can be, or as many as are there.
    """
    with contextlib.ExitStack() as until:
        if folder is None:
            folder = Path(until.enter_context(tempfile.TemporaryDirectory(prefix="dateline-bench-", dir="/tmp")))
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)  # PostgreSQL may run as another account.
        mark = folder / MARK
        if not (mark.exists() and json.loads(mark.read_text())["seconds"]):
            _make(size, folder, mark, copies)
        told = json.loads(mark.read_text())
        if told["events"] != size:
            sys.exit(f"{folder} holds {told['events']:,} events, not {size:,}: name another folder")
        if told["code"] != code():
            sys.exit(f"{folder} was made before the generator was changed: remove it, or name another folder")
        now = datetime.fromisoformat(told["now"])
        generated = _generated(size, now, told.get("copies"))
        if copies not in (None, generated.copies):
            sys.exit(f"{folder} has {generated.copies} of each event, not {copies}: name another folder")
        server = until.enter_context(EmbeddedPostgres(folder / "data"))
        asyncio.run(indexing.upgrade(server.dsn))
        host = server.dsn.partition("host=")[2].partition("&")[0]
        database = Database(host, str(SOCKET_PORT), ROLE, DATABASE, server.pid or 0)
        asyncio.run(_settle(server.dsn, generated))
        try:
            yield Store(generated, server.dsn, database, told["seconds"])
        finally:
            asyncio.run(writing.rewind(server.dsn))


async def _settle(url: str, generated: Generated) -> None:
    """Brings the store to the revision that it is kept at."""
    head = await writing.rewind(url)
    if head < writing.BASE:
        with service(DATELINE_DATABASE_URL=url, DATELINE_STATEMENT_SECONDS="120") as serving:
            await writing.change(url, serving.origin, generated)


def code() -> str:
    """What the events are made by."""
    made_by = Path(__file__).with_name("generated.py").read_bytes() + str(WORDS).encode()
    return hashlib.sha256(made_by).hexdigest()[:16]


def _generated(size: int, now: datetime, copies: int | None) -> Generated:
    if copies is None:
        return generated_of(size, now)
    if size % copies:
        sys.exit(f"{size:,} events are not {copies} times the same number")
    return Generated(size // copies, now, copies)


def _make(size: int, folder: Path, mark: Path, copies: int | None) -> None:
    """Loads the store. What a load that was cut off has left is thrown away."""
    data = folder / "data"
    if data.exists() and not mark.exists():
        sys.exit(f"{data} is there, and is no store of the benchmarks: name another folder")
    shutil.rmtree(data, ignore_errors=True)
    told = {"events": size, "code": code(), "now": datetime.now(UTC).isoformat(), "seconds": None, "copies": copies}
    mark.write_text(json.dumps(told))
    began = time.perf_counter()
    now = datetime.fromisoformat(told["now"])
    load(data, _generated(size, now, copies), now, lambda line: print(line, file=sys.stderr, flush=True))
    mark.write_text(json.dumps(told | {"seconds": time.perf_counter() - began}))
