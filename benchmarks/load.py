"""The service under load, beside what it is measured by: one table, and the same as JSON with every round.

    python -m benchmarks.load [--events 1000000] [--store FOLDER] [--rounds 5] [--seconds 4] [--batches 3] [--json FILE]

All that is compared is measured in one run, in rounds, one measure after the other in each: the service with so many
workers, the same server with answers that are there already (`constant`), and PostgreSQL itself, in which pgbench runs
the statements that the service runs (`recorded`). Requests come from wrk, over 16 connections that stay open. A
comparison is the median of the rounds' ratios, with the least and the greatest of them behind it.

Uncached pages lie in a window of about five years that no request before had; cached ones are asked for again.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import httpx

from benchmarks import batches
from benchmarks.loading import connect
from benchmarks.loads import CLIENTS, CONNECTIONS, Load, ask, require_wrk, run_statements
from benchmarks.processes import memory_of, workers_of
from benchmarks.recorded import record
from benchmarks.serving import Serving, free_port, running, service
from benchmarks.stores import Store, kept

EVENTS = 1_000_000
ROUNDS, SECONDS, BATCHES = 5, 4.0, 3
ADDRESSES = 20_000
"""So many in a round that none is asked for twice, or only after all others."""
SAMPLED = 40
"""Pages of which pgbench runs the statements."""
BATCH_LEAST = 0.7
MEMORY_MAX = 200
PACKED = ("Accept-Encoding", "zstd")


class Compared(NamedTuple):
    """One line of the table: a measure, what it is measured by, and the ratio of requests a second it should have."""

    name: str
    measure: str
    beside: str
    least: float


COMPARED = (
    Compared("uncached page of 50", "page", "page in pgbench", 0.6),
    Compared("cached page of 50", "cached page", "constant of that size", 0.9),
    Compared("cached page of 50, packed by zstd", "cached page, zstd", "constant of its packed size", 0.9),
    Compared("304", "not modified", "constant of 1 KB", 1.0),
    Compared("as-of page beside current page", "as-of page", "page", 0.8),
    Compared("single event, uncached", "event", "event in pgbench", 0.5),
    Compared("single event, cached", "cached event", "constant of its size", 0.9),
)

Measure = Callable[[int], Load]


def windows(random: Random) -> Iterator[str]:
    """Windows of five years, give or take half a year, no two alike but by chance."""
    while True:
        begin = date(1905, 1, 1) + timedelta(days=random.randrange(115 * 365))
        yield f"from={begin}&to={begin + timedelta(days=1_826 + random.randrange(-180, 180))}"


def pages(seed: object, number: int, more: str = "") -> list[str]:
    """Addresses of pages of fifty."""
    drawn = windows(Random(f"pages {seed}"))
    return [f"/v1/events?{next(drawn)}{more}" for _ in range(number)]


SHOWN = """
SELECT e.id FROM unnest($1::uuid[]) WITH ORDINALITY q(id, place) JOIN event e ON e.id = q.id
JOIN resource c ON c.resource = e.collection
CROSS JOIN LATERAL (SELECT document FROM version v WHERE v.event = e.event ORDER BY v.revision DESC LIMIT 1) v
WHERE v.document IS NOT NULL AND c.slug <> 'closed' ORDER BY q.place
"""


async def events(store: Store, seed: str, number: int) -> list[str]:
    """Addresses of single events that are there for everyone."""
    generated = store.generated
    numbers = Random(f"events {seed}").sample(range(generated.total), min(number, generated.total))
    connection = await connect(store.url)
    found = await connection.fetch(SHOWN, [generated.place(each).id for each in numbers])
    await connection.close()
    return [f"/v1/events/{row[0]}" for row in found]


class Bench:
    """The measures of one run."""

    def __init__(self, store: Store, serving: Serving, constant: Serving, seconds: float) -> None:
        self.store, self.serving, self.constant, self.seconds = store, serving, constant, seconds
        self.generated = store.generated
        self.past = f"&as_of={self.generated.recorded(500).isoformat().replace('+00:00', 'Z')}"
        self.client = httpx.Client(base_url=serving.origin, timeout=60)
        self.page = pages("cached", 1)[0]
        self.event = asyncio.run(events(store, "cached", 20))[0]
        self.packed = int(self._get(self.page, **dict([PACKED])).headers["Content-Length"])
        self.sizes = {address: len(self._get(address).content) for address in (self.page, self.event)}

    def _get(self, address: str, **headers: str) -> httpx.Response:
        answer = self.client.get(address, headers={"Accept-Encoding": "identity", **headers})
        if answer.status_code not in (200, 304):
            sys.exit(f"{address}: {answer.status_code} {answer.text[:500]}")
        return answer

    def measures(self) -> dict[str, Measure]:
        """What is measured, by name; each takes the number of its round."""
        sampled = asyncio.run(record(self.store.url, pages("sampled", SAMPLED)))
        self.steps = {"page": sampled.steps()}
        single = asyncio.run(record(self.store.url, asyncio.run(events(self.store, "sampled", SAMPLED))))
        self.steps["event"] = single.steps()
        tag = self._get(self.page).headers["ETag"]
        if self._get(self.page, **{"If-None-Match": tag}).status_code != 304:
            sys.exit("the tag of a page does not give a 304")
        singles = asyncio.run(events(self.store, "asked", 10 * ADDRESSES))

        def turned(number: int) -> list[str]:
            start = number * len(singles) // 16 % len(singles)
            return (singles[start:] + singles[:start])[:ADDRESSES]

        return {
            "page": lambda number: self._ask(pages(number, ADDRESSES)),
            "page in pgbench": lambda _: run_statements(self.store.database, sampled, self.seconds),
            "as-of page": lambda number: self._ask(pages(number, ADDRESSES, self.past)),
            "cached page": lambda _: self._ask([self.page]),
            "constant of that size": lambda _: self._ask_constant(self.sizes[self.page]),
            "cached page, zstd": lambda _: self._ask([self.page], PACKED),
            "constant of its packed size": lambda _: self._ask_constant(self.packed),
            "not modified": lambda _: self._ask([self.page], ("If-None-Match", tag)),
            "constant of 1 KB": lambda _: self._ask_constant(1024),
            "event": lambda number: self._ask(turned(number)),
            "event in pgbench": lambda _: run_statements(self.store.database, single, self.seconds),
            "cached event": lambda _: self._ask([self.event]),
            "constant of its size": lambda _: self._ask_constant(self.sizes[self.event]),
        }

    def _ask(self, addresses: list[str], *headers: tuple[str, str]) -> Load:
        at = {"service": self.serving.pid, "database": self.store.database.pid}
        return ask(self.serving.origin, addresses, self.seconds, headers=headers, **at)

    def _ask_constant(self, size: int) -> Load:
        at = {"service": self.constant.pid, "database": self.store.database.pid}
        return ask(self.constant.origin, [f"/{size}"], self.seconds, **at)


def run(store: Store, arguments: argparse.Namespace) -> dict[str, Any]:
    settings = {"DATELINE_DATABASE_URL": store.url, "DATELINE_WORKERS": str(arguments.workers)}
    settings["DATELINE_STATEMENT_SECONDS"] = "120"  # A batch may take its time on a busy machine.
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.constant", str(port), str(arguments.workers)]
    with service(**settings) as serving, running(command, port, "/1024", {}) as constant:
        bench = Bench(store, serving, constant, arguments.seconds)
        rounds = measured(bench, arguments.rounds)
        ingested = batches.measure(store, serving.origin, arguments.batches) if arguments.batches else []
        memory = [memory_of(worker) for worker in workers_of(serving.pid)]
    return {
        "events": arguments.events,
        "workers": arguments.workers,
        "connections": CONNECTIONS,
        "clients": CLIENTS,
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "built": sys.base_prefix,
        "bytes": {"page": bench.sizes[bench.page], "packed": bench.packed, "event": bench.sizes[bench.event]},
        "steps": bench.steps,
        "rounds": {name: [load._asdict() for load in loads] for name, loads in rounds.items()},
        "batches": ingested,
        "memory": [each._asdict() for each in memory],
        "lines": [
            *lines(rounds),
            *([line_of("batch beside COPY", ratios_of_batches(ingested), BATCH_LEAST)] if ingested else []),
            memory_line(max(each.most for each in memory)),
        ],
    }


def measured(bench: Bench, rounds: int) -> dict[str, list[Load]]:
    """Every measure, once in each round, after one round that does not count."""
    measures = bench.measures()
    found: dict[str, list[Load]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name, measure in measures.items():
            load = measure(number)
            if number:
                found[name].append(load)
        say(f"round {number} of {rounds}" if number else "warmed up")
    return found


def lines(rounds: dict[str, list[Load]]) -> list[dict[str, Any]]:
    told = []
    for name, measure, beside, least in COMPARED:
        ratios = [ours.rate / theirs.rate for ours, theirs in zip(rounds[measure], rounds[beside], strict=True)]
        told.append(line_of(name, ratios, least))
    return told


def ratios_of_batches(ingested: list[dict[str, float]]) -> list[float]:
    return [each["batch"] / each["copy"] for each in ingested]


def line_of(name: str, ratios: list[float], least: float) -> dict[str, Any]:
    ratio = statistics.median(ratios)
    return {
        "name": name,
        "value": ratio,
        "low": min(ratios),
        "high": max(ratios),
        "bound": f">= {least}",
        "met": ratio >= least,
    }


def memory_line(most: float) -> dict[str, Any]:
    bound = {"bound": f"<= {MEMORY_MAX}", "met": most <= MEMORY_MAX}
    return {"name": "memory of a worker at its most, MB", "value": most, "low": most, "high": most, **bound}


def table_of(result: dict[str, Any]) -> str:
    """The result for people."""
    size, shown = result["events"], result["bytes"]
    rows = [
        f"{size:,} events, {result['processors']} processors, {result['workers']} workers, "
        f"{result['connections']} connections of wrk, {result['clients']} clients of pgbench, "
        f"Python {result['python']} of {result['built']}; "
        f"a page has {shown['page']:,} bytes, packed {shown['packed']:,}, an event {shown['event']:,}",
        "",
        f"{'':28}{'requests/s':>11}{'from':>9}{'to':>9}{'p50 ms':>9}{'p99 ms':>9}{'µs service':>12}{'µs database':>12}",
    ]
    for name, loads in result["rounds"].items():
        rates = [load["rate"] for load in loads]
        middle = {key: statistics.median(load[key] for load in loads) for key in Load._fields}
        rows.append(
            f"{name:28}{middle['rate']:11,.0f}{min(rates):9,.0f}{max(rates):9,.0f}{middle['p50']:9.2f}"
            f"{middle['p99']:9.2f}{middle['cpu_service']:12,.0f}{middle['cpu_database']:12,.0f}"
        )
    rows += ["", f"{'':38}{'ratio':>8}{'from':>8}{'to':>8}{'wanted':>10}"]
    for line in result["lines"]:
        figures = f"{line['value']:8.2f}{line['low']:8.2f}{line['high']:8.2f}{line['bound']:>10}"
        rows.append(f"{line['name']:38}{figures}  {'yes' if line['met'] else 'NO'}")
    for name, steps in result["steps"].items():
        rows += ["", f"What the service asks the database for one {name}, uncached, and how often, in how many ms:"]
        rows += [f"{often:8.2f}{took:9.2f}  {statement[:100]}" for statement, often, took in steps]
    return "\n".join(rows)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given = os.environ
    parser.add_argument("--events", type=int, default=int(given.get("EVENTS", EVENTS)))
    parser.add_argument("--store", type=Path, default=given.get("STORE"), help="folder to keep the store in")
    parser.add_argument("--rounds", type=int, default=int(given.get("ROUNDS", ROUNDS)))
    parser.add_argument("--seconds", type=float, default=float(given.get("DURATION", SECONDS)), help="of each measure")
    parser.add_argument("--batches", type=int, default=int(given.get("BATCHES", BATCHES)), help="rounds of batches")
    parser.add_argument("--workers", type=int, default=int(given.get("WORKERS", os.cpu_count() or 2)))
    parser.add_argument("--json", type=Path, default=Path(given.get("JSON", "bench.json")), help="file for all of it")
    arguments = parser.parse_args()
    require_wrk()
    with kept(arguments.events, arguments.store) as store:
        say(f"{arguments.events:,} events, loaded in {store.loaded:.0f} s")
        result = run(store, arguments)
        arguments.json.write_text(json.dumps(result, indent=1))
        print(table_of(result))
        print(f"\nEvery round is in {arguments.json}.", flush=True)


if __name__ == "__main__":
    main()
