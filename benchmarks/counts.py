"""What it costs to count: histograms and facets of selections of every size, through lenses and in the past.

    python -m benchmarks.counts [--events 20000] [--store FOLDER] [--url ADDRESS] [NAME …]

The store is `generated`, or one that is loaded already. Each line of the table is one answer, read by anyone, without
HTTP around it: its median time, and of that how long the service and the database were at work, which is what counts on
a machine that does other things too; how many events match, how many buckets or values came, and, where it is a
sample's, for how many events each of it stands.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.stores import kept
from service.domain import asking, parameters
from service.domain.callers import ANYONE
from service.domain.facets import FACETS
from service.operations import counting, selecting
from service.storage.pool import open_pool

ROUNDS = 7
SECONDS_MAX = 5.0
"""A case is read again and again for no longer than this."""


class Asked(NamedTuple):
    """What to count, as the query of its address; on: the clock of a histogram, None for facets."""

    name: str
    query: str = ""
    on: Any = "occurred"


CASES = (
    Asked("histogram, all"),
    Asked("histogram, five years", "from=1990&to=1994"),
    Asked("histogram, hot actor", "actor=hot"),
    Asked("histogram, middling actor", "actor=mid"),
    Asked("histogram, hot actor and tag", "actor=hot&tag=hot"),
    Asked("histogram, hot actor and a tag it never has", "actor=hot&tag=cold"),
    Asked("histogram, all, half of the past", "revision=500"),
    Asked("histogram, all, known_at 2005", "known_at=2005"),
    Asked("histogram, hot actor, known_at 2005", "actor=hot&known_at=2005"),
    Asked("histogram, denied, known_at 2005", "standing=denied&known_at=2005"),
    Asked("histogram, according to one of many", "according_to=a1"),
    Asked("histogram, according to a publisher", "according_to=publisher-0"),
    Asked("histogram, box", "bbox=20.9,42.5,21.3,42.8"),
    Asked("histogram, timeline with pins", "timeline=war"),
    Asked("histogram, recorded, all", "", "recorded"),
    Asked("histogram, recorded, middling actor", "actor=mid", "recorded"),
    Asked("histogram, published, all", "", "published"),
    Asked("histogram, published, middling actor", "actor=mid", "published"),
    Asked("facets, all", "", None),
    Asked("facets, five years", "from=1990&to=1994", None),
    Asked("facets, hot actor", "actor=hot", None),
    Asked("facets, middling actor", "actor=mid", None),
    Asked("facets, hot actor and tag", "actor=hot&tag=hot", None),
    Asked("facets, all, known_at 2005", "known_at=2005", None),
    Asked("facets, middling actor, known_at 2005", "actor=mid&known_at=2005", None),
    Asked("facets, a stance", "stance=denies", None),
    Asked("facets, timeline with pins", "timeline=war", None),
)


class Measured(NamedTuple):
    milliseconds: float
    at_work: float
    matching: int
    told: int
    rate: int


async def count(connection: Any, case: Asked) -> tuple[int, int, int]:
    """How many events match, how many buckets or values are told, and for how many events each one stands."""
    query: dict[str, list[str]] = {}
    for part in filter(None, case.query.split("&")):
        name, _, value = part.partition("=")
        query.setdefault(name, []).append(value)
    parameters.check(query, parameters.SELECTION)
    store = await selecting.open_store(connection, ANYONE)
    reading = await selecting.select(connection, store, asking.asked(query))
    if case.on is None:
        facets = await counting.read_facets(connection, reading.selection, FACETS, 20)
        return facets.counted.matching, sum(map(len, facets.values.values())), facets.counted.rate
    histogram = await counting.read_histogram(connection, reading.selection, case.on, None)
    return histogram.counted.matching, len(histogram.buckets), histogram.counted.rate


def worked(server: int) -> float:
    """Seconds for which this process and that of the connection have been at work."""
    ticks = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[11:13]
    return time.process_time() + sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


async def measure(connection: Any, case: Asked) -> Measured:
    server = await connection.fetchval("SELECT pg_backend_pid()")
    found = await count(connection, case)
    times: list[float] = []
    before = worked(server)
    while len(times) < ROUNDS and sum(times) < SECONDS_MAX:
        began = time.perf_counter()
        await count(connection, case)
        times.append(time.perf_counter() - began)
    at_work = (worked(server) - before) / len(times)
    return Measured(statistics.median(times) * 1000, at_work * 1000, *found)


async def run(url: str, names: list[str]) -> None:
    pool = await open_pool(url, 1, 3_600)
    async with pool.acquire() as connection:
        print(f"{await connection.fetchval('SELECT count(*) FROM event')} events", flush=True)
        print(
            f"{'count':45}" + "".join(f"{column:>12}" for column in ("ms", "at work ms", "matching", "told", "one in"))
        )
        for case in CASES:
            if names and not any(name in case.name for name in names):
                continue
            told = await measure(connection, case)
            figures = f"{told.milliseconds:12.1f}{told.at_work:12.1f}{told.matching:12}{told.told:12}{told.rate:12}"
            print(f"{case.name:45}{figures}", flush=True)
    await pool.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000, help="how many events to load")
    parser.add_argument("--store", type=Path, help="folder to keep the store in")
    parser.add_argument("--url", help="address of a database with a generated store")
    parser.add_argument("names", nargs="*", help="only cases whose name contains one of these")
    arguments = parser.parse_args()
    if arguments.url is not None:
        asyncio.run(run(arguments.url, arguments.names))
        return
    if not 1_000 <= arguments.events <= 10_000_000:
        sys.exit("between 1,000 and 10,000,000 events")
    with kept(arguments.events, arguments.store) as store:
        asyncio.run(run(store.url, arguments.names))


if __name__ == "__main__":
    main()
