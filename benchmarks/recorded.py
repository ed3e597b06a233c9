"""The statements that the service runs for a request, recorded as they go to the database, and as a pgbench script."""

import asyncio
import contextlib
import re
import statistics
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import httpx

from service.app import create_app
from service.settings import settings_from
from service.storage import pool

Arguments = Sequence[Any]


class Run(NamedTuple):
    """A statement as it was run, and how long its answer took."""

    statement: str
    arguments: Arguments
    seconds: float


class Recorded(NamedTuple):
    """What the service runs for each of some addresses, and the settings that it connects with."""

    pages: list[list[Run]]
    settings: dict[str, str]

    def steps(self) -> list[tuple[str, float, float]]:
        """Each statement, how often it is run for a page, and the median of its milliseconds."""
        seconds: dict[str, list[float]] = {}
        for run in (run for page in self.pages for run in page):
            seconds.setdefault(" ".join(run.statement.split()), []).append(run.seconds)
        return [
            (statement, len(each) / len(self.pages), statistics.median(each) * 1000)
            for statement, each in seconds.items()
        ]


IDLE_SECONDS = 1.0
PLAIN = {"Accept-Encoding": "identity"}
SETTINGS = """
SELECT name, setting FROM pg_settings
WHERE source = 'client' AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone')
"""


async def record(url: str, addresses: Sequence[str]) -> Recorded:
    """What the service, as each worker makes it, runs for each of the addresses once it has been asked for all of them.

    So it remembers what it needs to find out once; answers it does not keep. What it runs unasked is left out.
    """
    runs: list[Run] = []
    settings: dict[str, str] = {}
    prepare = pool.prepare

    async def prepare_and_listen(connection: asyncpg.Connection) -> None:
        await prepare(connection)
        settings.update(map(tuple, await connection.fetch(SETTINGS)))
        connection.add_query_logger(lambda told: runs.append(Run(told.query, told.args, told.elapsed)))

    pages: list[list[Run]] = []
    pool.prepare = prepare_and_listen
    try:
        async with client(url) as asking:
            for address in addresses:
                await answered(asking, address)
            runs.clear()
            await asyncio.sleep(IDLE_SECONDS)
            unasked = {run.statement for run in runs}
            for address in addresses:
                runs.clear()
                await answered(asking, address)
                pages.append([run for run in runs if run.statement not in unasked])
    finally:
        pool.prepare = prepare
    return Recorded(pages, settings)


async def answered(asking: httpx.AsyncClient, address: str) -> None:
    answer = await asking.get(address)
    if answer.status_code != 200:
        raise SystemExit(f"{address}: {answer.status_code} {answer.text[:500]}")
    await asyncio.sleep(0)  # The library tells of a statement at the event loop's next turn.


@contextlib.asynccontextmanager
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service on this database, within this process, started and ended as a server would."""
    app: Any = create_app(settings_from({"DATELINE_DATABASE_URL": url, "DATELINE_ANSWERS_BYTES_MAX": "0"}))
    asked: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    begun = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    lifespan = asyncio.create_task(app(begun, asked.get, told.put))
    await asked.put({"type": "lifespan.startup"})
    assert (await told.get())["type"] == "lifespan.startup.complete"
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=PLAIN) as asking:
        yield asking
    await asked.put({"type": "lifespan.shutdown"})
    assert (await told.get())["type"] == "lifespan.shutdown.complete"
    await lifespan


def script_of(runs: Sequence[Run], prefix: str) -> tuple[str, dict[str, str]]:
    """A pgbench script of the statements, and the variables that it takes its arguments from.

    As variables they stay arguments of the prepared statement, which so has the plan that it has in the service. A
    variable cannot be null, so nulls are written into the statement; pgbench is spared what rests on them.
    """
    variables: dict[str, str] = {}
    parts = []
    for place, run in enumerate(runs):

        def argument(match: re.Match[str], run: Run = run, place: int = place) -> str:
            value = run.arguments[int(match[1]) - 1]
            if value is None:
                return "NULL"
            name = f"{prefix}_{place}_{match[1]}"
            variables[name] = text_of(value)
            return f":{name}"

        parts.append(re.sub(r"\$(\d+)", argument, run.statement).strip() + ";\n")
    return "".join(parts), variables


def text_of(value: Any) -> str:
    """A value as PostgreSQL reads it."""
    if isinstance(value, (list, tuple)):
        return "{" + ",".join("NULL" if each is None else _element(each) for each in value) + "}"
    if isinstance(value, bool):
        return "t" if value else "f"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _element(value: Any) -> str:
    if isinstance(value, (str, UUID)):
        return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text_of(value)
