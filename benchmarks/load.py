"""The service under load, beside what it is measured by: one table, and the same as JSON with every round.

    python -m benchmarks.load [--events 1000000] [--store FOLDER] [--rounds 5] [--seconds 4] [--batches 3] [--json FILE]

All that is compared is measured in one run, in rounds, one measure after the other in each: the service with so many
workers, the same server with answers that are there already (`constant`), and PostgreSQL itself, in which pgbench runs
the statements that the service runs (`recorded`). Requests come from wrk, over 16 connections that stay open. A
comparison is the median of the rounds' ratios, with the least and the greatest of them behind it.

Pages lie in windows of about five years. Uncached ones, and single events, are those whose statements pgbench runs, and
are asked of a service that keeps no answers; cached ones are asked for again. Beside them stand, for information, pages
and events of which no two are alike, as many clients of pgbench as there are connections, and a handler that does
nothing but pass on what the statement finds, with the rest of the answer at hand (`bare`).
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import httpx

from benchmarks import bare, batches
from benchmarks.batches import Ingested
from benchmarks.loading import connect
from benchmarks.loads import CLIENTS, CONNECTIONS, Load, ask, require_wrk, run_statements
from benchmarks.processes import memory_of, workers_of
from benchmarks.recorded import Recorded, record
from benchmarks.serving import Serving, free_port, running, service
from benchmarks.stores import Store, kept

EVENTS = 1_000_000
ROUNDS, SECONDS, BATCHES = 5, 4.0, 3
ADDRESSES = 20_000
"""So many in a round that none is asked for twice, or only after all others."""
SAMPLED = 40
"""Pages of which pgbench runs the statements."""
BATCHED = (("batch beside COPY", True, 0.7), ("batch beside COPY as it comes", False, None))
"""Lines on batches: whether COPY has its rows in the order of the index, and the least that is wanted."""
MEMORY_MAX = 200
PACKED = ("Accept-Encoding", "zstd")
MET = {True: "yes", False: "NO", None: ""}


class Compared(NamedTuple):
    """One line of the table: a measure, what it is measured by, and the ratio of requests a second it should have.

    Without one the line is for information.
    """

    name: str
    measure: str
    beside: str
    least: float | None = None


COMPARED = (
    Compared("uncached page of 50", "page", "page in pgbench", 0.6),
    Compared("cached page of 50", "cached page", "constant of that size", 0.9),
    Compared("cached page of 50, packed by zstd", "cached page, zstd", "constant of its packed size", 0.9),
    Compared("304", "not modified", "constant of 1 KB", 1.0),
    Compared("as-of page beside current page", "as-of page", "page", 0.8),
    Compared("single event, uncached", "event", "event in pgbench", 0.5),
    Compared("single event, cached", "cached event", "constant of its size", 0.9),
    Compared("pages of which no two are alike", "other pages", "page in pgbench"),
    Compared("page, pgbench with 16 clients", "page", "page in pgbench, 16"),
    Compared("bare handler, page", "bare page", "page in pgbench"),
    Compared("events of which no two are alike", "other events", "event in pgbench"),
    Compared("bare handler, event", "bare event", "event in pgbench"),
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

    def __init__(self, store: Store, servers: "Servers", sampled: "Sampled", seconds: float) -> None:
        self.store, self.servers, self.sampled, self.seconds = store, servers, sampled, seconds
        self.generated = store.generated
        self.past = f"&as_of={self.generated.recorded(500).isoformat().replace('+00:00', 'Z')}"
        self.client = httpx.Client(base_url=servers.service.origin, timeout=60)
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
        sampled = self.sampled
        tag = self._get(self.page).headers["ETag"]
        if self._get(self.page, **{"If-None-Match": tag}).status_code != 304:
            sys.exit("the tag of a page does not give a 304")
        singles = asyncio.run(events(self.store, "asked", 10 * ADDRESSES))

        def turned(number: int) -> list[str]:
            start = number * len(singles) // 16 % len(singles)
            return (singles[start:] + singles[:start])[:ADDRESSES]

        return {
            "page": lambda _: self._ask(sampled.addresses, self.servers.keeping_none),
            "page in pgbench": lambda _: self._run(sampled.pages),
            "page in pgbench, 16": lambda _: self._run(sampled.pages, CONNECTIONS),
            "bare page": lambda _: self._ask(["/page"], self.servers.bare),
            "other pages": lambda number: self._ask(pages(number, ADDRESSES)),
            "as-of page": lambda _: self._ask(
                [f"{each}{self.past}" for each in sampled.addresses], self.servers.keeping_none
            ),
            "cached page": lambda _: self._ask([self.page]),
            "constant of that size": lambda _: self._ask_constant(self.sizes[self.page]),
            "cached page, zstd": lambda _: self._ask([self.page], None, PACKED),
            "constant of its packed size": lambda _: self._ask_constant(self.packed),
            "not modified": lambda _: self._ask([self.page], None, ("If-None-Match", tag)),
            "constant of 1 KB": lambda _: self._ask_constant(1024),
            "event": lambda _: self._ask(sampled.event_addresses, self.servers.keeping_none),
            "event in pgbench": lambda _: self._run(sampled.events),
            "bare event": lambda _: self._ask(["/event"], self.servers.bare),
            "other events": lambda number: self._ask(turned(number)),
            "cached event": lambda _: self._ask([self.event]),
            "constant of its size": lambda _: self._ask_constant(self.sizes[self.event]),
        }

    def _ask(self, addresses: list[str], server: Serving | None = None, *headers: tuple[str, str]) -> Load:
        """Asks the service, or another server."""
        asked = server or self.servers.service
        at = {"service": asked.pid, "database": self.store.database.pid}
        return ask(asked.origin, addresses, self.seconds, headers=headers, **at)

    def _ask_constant(self, size: int) -> Load:
        return self._ask([f"/{size}"], self.servers.constant)

    def _run(self, recorded: Recorded, clients: int = CLIENTS) -> Load:
        return run_statements(self.store.database, recorded, self.seconds, clients)


class Servers(NamedTuple):
    """What is asked: the service, one that keeps no answers, one of constant answers, and a bare handler."""

    service: Serving
    keeping_none: Serving
    constant: Serving
    bare: Serving


class Sampled(NamedTuple):
    """Pages and single events by their addresses, and the statements that the service runs for them."""

    addresses: list[str]
    pages: Recorded
    event_addresses: list[str]
    events: Recorded

    @classmethod
    def of(cls, store: Store) -> "Sampled":
        addresses, singles = pages("sampled", SAMPLED), asyncio.run(events(store, "sampled", SAMPLED))
        recorded = [asyncio.run(record(store.url, each)) for each in (addresses, singles)]
        return cls(addresses, recorded[0], singles, recorded[1])


def run(store: Store, arguments: argparse.Namespace) -> dict[str, Any]:
    workers = str(arguments.workers)
    settings = {"DATELINE_DATABASE_URL": store.url, "DATELINE_WORKERS": workers}
    settings["DATELINE_STATEMENT_SECONDS"] = "120"  # A batch may take its time on a busy machine.
    sampled = Sampled.of(store)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="dateline-bare-"))
        runs = Path(folder, "runs")

        def beside(module: str, ready: str, more: dict[str, str]) -> Serving:
            port = free_port()
            command = [sys.executable, "-m", module, str(port), workers]
            return stack.enter_context(running(command, port, ready, more))

        plain = stack.enter_context(service(**settings, DATELINE_ANSWERS_BYTES_MAX="0"))
        answers = [answers_of(plain, each) for each in (sampled.addresses, sampled.event_addresses)]
        bare.write_runs(bare.ready_of(sampled.pages, answers[0]), bare.ready_of(sampled.events, answers[1]), runs)
        servers = Servers(
            stack.enter_context(service(**settings)),
            plain,
            beside("benchmarks.constant", "/1024", {}),
            beside("benchmarks.bare", "/event", settings | {bare.RUNS: str(runs)}),
        )
        for path, known in zip(("/page", "/event"), answers, strict=True):
            if not set(answers_of(servers.bare, [path])) <= set(known):
                sys.exit(f"the bare handler's {path} is not what the service answers")
        bench = Bench(store, servers, sampled, arguments.seconds)
        rounds = measured(bench, arguments.rounds)
        origin = servers.service.origin
        ingested = {
            name: batches.measure(store, origin, arguments.batches, in_order=in_order) if arguments.batches else []
            for name, in_order, _ in BATCHED
        }
        serving = (servers.service, servers.keeping_none)
        memory = [memory_of(worker) for server in serving for worker in workers_of(server.pid)]
    return {
        "events": arguments.events,
        "workers": arguments.workers,
        "connections": CONNECTIONS,
        "clients": CLIENTS,
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "built": sys.base_prefix,
        "bytes": {"page": bench.sizes[bench.page], "packed": bench.packed, "event": bench.sizes[bench.event]},
        "steps": {"page": sampled.pages.steps(), "event": sampled.events.steps()},
        "rounds": {name: [load._asdict() for load in loads] for name, loads in rounds.items()},
        "batches": {name: [each._asdict() for each in rounds] for name, rounds in ingested.items()},
        "memory": [each._asdict() for each in memory],
        "lines": [
            *lines(rounds),
            *(batch_line(name, ingested[name], least) for name, _, least in BATCHED if arguments.batches),
            memory_line(max(each.most for each in memory)),
        ],
    }


def answers_of(serving: Serving, addresses: list[str]) -> list[bytes]:
    with httpx.Client(base_url=serving.origin, headers={"Accept-Encoding": "identity"}, timeout=60) as client:
        return [client.get(address).content for address in addresses]


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


def batch_line(name: str, ingested: list[Ingested], least: float | None) -> dict[str, Any]:
    return line_of(name, [each.batch / each.copy for each in ingested], least)


def line_of(name: str, ratios: list[float], least: float | None) -> dict[str, Any]:
    ratio = statistics.median(ratios)
    bound = {"bound": "", "met": None} if least is None else {"bound": f">= {least}", "met": ratio >= least}
    return {"name": name, "value": ratio, "low": min(ratios), "high": max(ratios), **bound}


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
        rows.append(f"{line['name']:38}{figures}  {MET[line['met']]}".rstrip())
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
