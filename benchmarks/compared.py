"""Uncached pages of this service beside what one would otherwise write (`usual`), over the same events.

    python -m benchmarks.compared [--events 100000] [--store FOLDER] [--rounds 3] [--seconds 4]

All three are served by as many workers of the same server on the same database, each in its turn. The windows are of
five years, drawn anew for each request. This is for information: the other two answer an easier question, with less.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.schema import CreateSchema, DropSchema

from benchmarks import usual
from benchmarks.load import ADDRESSES, pages
from benchmarks.loading import connect
from benchmarks.loads import Load, ask, require_wrk
from benchmarks.processes import memory_of, workers_of
from benchmarks.serving import Serving, free_port, running, service
from benchmarks.stores import Store, kept
from service.domain.dates import parse

EVENTS = 100_000
AT_ONCE = 5_000
SHOWN = """
SELECT v.t_lo, v.document FROM event e JOIN resource c ON c.resource = e.collection AND c.slug <> 'closed'
CROSS JOIN LATERAL (SELECT * FROM version v WHERE v.event = e.event ORDER BY v.revision DESC LIMIT 1) v
WHERE v.document IS NOT NULL AND v.span <> 10
"""
NAMED = """
SELECT r.slug, v.document FROM resource r
CROSS JOIN LATERAL (SELECT * FROM resource_version v WHERE v.resource = r.resource ORDER BY v.revision DESC LIMIT 1) v
WHERE r.kind = $1
"""


def url_of(store: Store) -> str:
    """The store's database as SQLAlchemy has it."""
    at = store.database
    return f"postgresql+asyncpg://{at.user}@/{at.name}?host={at.host}&port={at.port}"


async def fill(store: Store) -> None:
    """Makes the tables and puts the events into them."""
    await empty(store)
    engine = create_async_engine(url_of(store))
    async with engine.begin() as making:
        await making.execute(CreateSchema(usual.SCHEMA))
        await making.run_sync(usual.Base.metadata.create_all)
    await engine.dispose()
    connection = await connect(store.url)
    for kind, columns in (("actor", ("name", "type")), ("source", ("title", "publisher", "published"))):
        rows = []
        for slug, document in await connection.fetch(NAMED, kind):
            told = json.loads(document)
            rows.append((slug, *(told[name] for name in columns), document))
        await _copy(connection, kind, ("slug", *columns, "document"), rows)
    reading = await connect(store.url)
    async with reading.transaction():
        cursor = await reading.cursor(SHOWN)
        while found := await cursor.fetch(AT_ONCE):
            await _append(connection, [(row[0], row[1], json.loads(row[1])) for row in found])
    await reading.close()
    await connection.execute("ANALYZE")
    await connection.close()


async def _append(connection: Any, found: list[tuple[int, bytes, dict[str, Any]]]) -> None:
    events, participations, claims = [], [], []
    for begins, document, told in found:
        id, occurred = told["id"], told["occurred"] and told["occurred"]["edtf"]
        standing = told["standing"]["state"]
        columns = (told["title"], told["summary"], told["kind"], occurred, standing, told["tags"])
        events.append((id, *columns, begins, document))
        for place, each in enumerate(told["actors"]):
            participations.append((id, place, each["actor"], each["role"]))
        for place, each in enumerate(told["claims"]):
            claims.append((id, place, each["source"], each["stance"], each["published"], each["quote"]))
    names = ("id", "title", "summary", "kind", "occurred", "standing", "tags", "begins", "document")
    await _copy(connection, "event", names, events)
    await _copy(connection, "participation", ("event_id", "place", "actor_slug", "role"), participations)
    await _copy(connection, "claim", ("event_id", "place", "source_slug", "stance", "published", "quote"), claims)


async def _copy(connection: Any, table: str, columns: tuple[str, ...], rows: list[Any]) -> None:
    await connection.copy_records_to_table(table, schema_name=usual.SCHEMA, columns=columns, records=rows)


async def empty(store: Store) -> None:
    engine = create_async_engine(url_of(store))
    async with engine.begin() as making:
        await making.execute(DropSchema(usual.SCHEMA, cascade=True, if_exists=True))
    await engine.dispose()


@contextmanager
def serving_usual(store: Store, workers: int) -> Iterator[Serving]:
    port = free_port()
    first = window(pages("first", 1)[0])
    command = [sys.executable, "-m", "benchmarks.usual", str(port), str(workers)]
    with running(command, port, f"/usual/events?{first}", {usual.URL: url_of(store)}) as serving:
        yield serving


def window(address: str) -> str:
    """The window of one of our addresses in seconds, as the others take it."""
    told = httpx.URL(address).params
    return f"begin={parse(told['from']).start}&end={parse(told['to']).end}"


def measured(store: Store, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    ours = {"DATELINE_DATABASE_URL": store.url, "DATELINE_WORKERS": str(arguments.workers)}
    with service(**ours) as serving, serving_usual(store, arguments.workers) as others:
        at = {"this service": serving, "FastAPI, tuned": others, "FastAPI, the usual way": others}
        paths = {"FastAPI, tuned": "/tuned/events", "FastAPI, the usual way": "/usual/events"}
        loads: dict[str, list[Load]] = {name: [] for name in at}
        for number in range(arguments.rounds + 1):
            addresses = pages(f"compared {number}", ADDRESSES)
            for name, server in at.items():
                asked = [f"{paths[name]}?{window(each)}" for each in addresses] if name in paths else addresses
                load = ask(server.origin, asked, arguments.seconds, service=server.pid, database=store.database.pid)
                loads[name] += [load] if number else []
        address = pages("sized", 1)[0]
        lines = []
        for name, server in at.items():
            asked_for = f"{paths[name]}?{window(address)}" if name in paths else address
            plain = {"Accept-Encoding": "identity"}
            size = len(httpx.get(server.origin + asked_for, headers=plain, timeout=60).content)
            most = max(memory_of(worker).most for worker in workers_of(server.pid))
            middle = {key: statistics.median(load._asdict()[key] for load in loads[name]) for key in Load._fields}
            rates = [one.rate / other.rate for one, other in zip(loads[name], loads["this service"], strict=True)]
            lines.append({"name": name, **middle, "beside": statistics.median(rates), "bytes": size, "memory": most})
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given = os.environ
    parser.add_argument("--events", type=int, default=int(given.get("EVENTS", EVENTS)))
    parser.add_argument("--store", type=Path, default=given.get("STORE"), help="folder to keep the store in")
    parser.add_argument("--rounds", type=int, default=int(given.get("ROUNDS", 3)))
    parser.add_argument("--seconds", type=float, default=float(given.get("DURATION", 4)), help="of each measure")
    parser.add_argument("--workers", type=int, default=int(given.get("WORKERS", os.cpu_count() or 2)))
    parser.add_argument(
        "--json", type=Path, default=Path(given.get("JSON", "compared.json")), help="file for all of it"
    )
    arguments = parser.parse_args()
    require_wrk()
    with kept(arguments.events, arguments.store) as store:
        try:
            asyncio.run(fill(store))
            lines = measured(store, arguments)
        finally:
            asyncio.run(empty(store))
    arguments.json.write_text(json.dumps(lines, indent=1))
    print(f"{arguments.events:,} events, {arguments.workers} workers each, pages of fifty, asked for once")
    print(
        f"\n{'':26}{'requests/s':>11}{'beside us':>11}{'p50 ms':>9}{'p99 ms':>9}{'µs service':>12}{'µs database':>12}",
        end="",
    )
    print(f"{'bytes':>10}{'MB':>7}")
    for line in lines:
        print(
            f"{line['name']:26}{line['rate']:11,.0f}{line['beside']:11.2f}{line['p50']:9.1f}{line['p99']:9.1f}"
            f"{line['cpu_service']:12,.0f}{line['cpu_database']:12,.0f}{line['bytes']:10,}{line['memory']:7.0f}"
        )


if __name__ == "__main__":
    main()
