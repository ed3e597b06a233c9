"""What one page of fifty events costs, for selections of many kinds: time, shared buffers, and whether a plan is bad.

    python -m benchmarks.pages [--events 20000] [--plans FOLDER]

A store of its own is made with a fixed seed: events over 1900 to 2025 with days, months, years, spans and open ends,
three actors and two claims each, recorded in random order over a thousand revisions, one in five of them revised
since. It is loaded past the write path, and its index by `rebuild`.

    page ms    median of reading the page as the service does, with the actors and sources it names
    looks      how many times the page statement ran for it
    plan ms, buffers    of those runs, by EXPLAIN ANALYZE of the generic plan
    most rows  the most that any one step of a plan read; `!` where that is half of all events, or a whole table
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from service.domain import parameters, rendering
from service.domain.errors import SelectionTooBroad
from service.domain.event import ClaimInput, EventInput, Moment, ParticipationInput
from service.domain.instants import recorded_text
from service.domain.resources import Actor, Collection, Source
from service.domain.selection import (
    Position,
    Selection,
    Sight,
    actors_named,
    bounds_of,
    known_from,
    sources_named,
)
from service.domain.values import Phase
from service.operations import selecting
from service.storage import postings, resources, revisions
from service.storage.embedded import EmbeddedPostgres
from service.storage.migrating import migrate
from service.storage.pool import Connection, open_pool
from service.storage.resources import NewState

SEED = 2025
REVISIONS = 1_000
ACTORS = 2_000
SOURCES = 2_000
PAGE_SIZE = 50
ROUNDS = 15
TABLES = ("posting", "version", "event", "resource_version")
PHASES: list[Phase] = ["happened", "expected", "cancelled"]
SIGHT = Sight(listed=frozenset({"main"}), named=frozenset({"main"}))


class Asked(NamedTuple):
    """A selection to measure, at a share of all revisions. deep: beginning in the middle of its listing."""

    name: str
    query: dict[str, list[str]] = {}
    at: float = 1.0
    deep: bool = False


SELECTIONS = (
    Asked("all, earliest first"),
    Asked("all, latest first", {"order": ["desc"]}),
    Asked("five years", {"from": ["1990"], "to": ["1994"]}),
    Asked("five years, latest first", {"from": ["1990"], "to": ["1994"], "order": ["desc"]}),
    Asked("the last year", {"from": ["2025"]}),
    Asked("certainly in one month", {"from": ["1990-05"], "to": ["1990-05"], "match": ["certain"]}),
    Asked("hot actor (1 in 5)", {"actor": ["hot"]}),
    Asked("hot actor, five years", {"actor": ["hot"], "from": ["1990"], "to": ["1994"]}),
    Asked("middling actor (1 in 100)", {"actor": ["mid"]}),
    Asked("rare actor (20 events)", {"actor": ["rare"]}),
    Asked("twenty actors, any", {"actor": [f"a{number}" for number in range(20)]}),
    Asked("hot actor and hot tag", {"actor": ["hot"], "tag": ["hot"]}),
    Asked("hot actor and hot tag, five years", {"actor": ["hot"], "tag": ["hot"], "from": ["1990"], "to": ["1994"]}),
    Asked("four groups", {"actor": ["hot"], "tag": ["hot"], "kind": ["kind-1", "kind-2"], "phase": ["expected"]}),
    Asked("hot actor and a tag it never has", {"actor": ["hot"], "tag": ["cold"]}),
    Asked("known at 2005", {"known_at": ["2005"]}),
    Asked("known at 1990, where little was", {"known_at": ["1990"]}),
    Asked("source, known at 2005", {"source": ["s1"], "known_at": ["2005"]}),
    Asked("hot actor, half of the past", {"actor": ["hot"]}, at=0.5),
    Asked("all, half of the past", at=0.5),
    Asked("all, a hundredth of the past", at=0.01),
    Asked("hot actor, a hundredth of the past", {"actor": ["hot"]}, at=0.01),
    Asked("all, deep in the listing", deep=True),
    Asked("hot actor, deep, latest first", {"actor": ["hot"], "order": ["desc"]}, deep=True),
    Asked("without a date", {"undated": ["only"]}),
)


# --- The store


def forms(size: int, random: Random) -> Iterator[EventInput]:
    """Events as an editor would have sent them."""
    for number in range(size):
        is_hot = random.random() < 0.2
        actors = ["hot"] if is_hot else []
        actors += ["mid"] if random.random() < 0.01 else []
        actors += ["rare"] if number % (size // 20) == 7 else []
        actors += [f"a{actor}" for actor in random.sample(range(ACTORS), 3)]
        tags = [f"tag-{random.randrange(50)}" for _ in range(random.randint(0, 2))]
        tags += ["hot"] if random.random() < 0.2 else []
        tags += ["cold"] if not is_hot and random.random() < 0.25 else []
        yield EventInput(
            key=f"event-{number}",
            title=f"What happened under number {number}",
            summary="Some words about it, as many as people usually find for a thing like this, and no more.",
            occurred=occurred(random),
            kind=f"kind-{random.randrange(10)}",
            phase=random.choices(PHASES, [90, 9, 1])[0],
            actors=[ParticipationInput(actor=slug) for slug in actors[:3]],
            claims=[
                ClaimInput(source=f"s{source}", published=str(day(random, 1980)), quote="As it was said there.")
                for source in random.sample(range(SOURCES), 2)
            ],
            tags=sorted(set(tags)),
        )


def day(random: Random, since: int = 1900) -> date:
    return date(since, 1, 1) + timedelta(days=random.randrange((2026 - since) * 365))


def occurred(random: Random) -> str | None:
    start = day(random)
    kind = random.choices(
        ["day", "month", "year", "days", "months", "years", "decade", "open", "none"],
        [600, 150, 90, 60, 30, 30, 20, 15, 5],
    )[0]
    lengths = {"days": 10, "months": 200, "years": 3_000}
    if kind in lengths:
        return f"{start}/{start + timedelta(days=random.randint(1, lengths[kind]))}"
    texts = {"day": str(start), "month": f"{start:%Y-%m}", "year": f"{start:%Y}", "decade": f"{start.year // 10}X"}
    return texts.get(kind) or (f"{start}/.." if kind == "open" else None)


def revised(form: EventInput, random: Random) -> EventInput:
    part = random.choice(["title", "occurred", "tags", "kind"])
    values = {"title": form.title + ", told better", "occurred": occurred(random), "tags": ["hot"], "kind": "kind-1"}
    return msgspec.structs.replace(form, **{part: values[part]})


class Loading:
    """A store in the making, past the write path."""

    def __init__(self, connection: Connection, size: int) -> None:
        self.connection = connection
        self.size = size
        self.random = Random(SEED)
        self.begin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=REVISIONS + 2)
        self.terms: dict[tuple[str, str], int] = {}

    async def load(self) -> None:
        async with self.connection.transaction():
            await self._resources()
            await self._events()
            await self._copy("term", ((number, *term) for term, number in self.terms.items()))
            await postings.rebuild(self.connection)
        await self.connection.execute("VACUUM (ANALYZE)")

    def _recorded(self, revision: int) -> datetime:
        return self.begin + timedelta(minutes=revision)

    async def _resources(self) -> None:
        at = {"revision": 1, "recorded": recorded_text(self._recorded(1))}
        nothing: dict[str, Any] = dict.fromkeys(
            ("description", "licence", "attribution", "merged_into", "url", "language", "archive_url", "archive_sha256")
        )
        empty: dict[str, Any] = {"names": {}, "aliases": [], "external_ids": {}, "derived_from": []}
        rest = nothing | empty | at
        made: dict[Any, list[Any]] = {
            "collection": [Collection(**_fit(Collection, rest, slug="main", title="Main", visibility="public"))],
            "actor": [
                Actor(**_fit(Actor, rest, slug=slug, name=f"The actor {slug}", type="organisation"))
                for slug in ("hot", "mid", "rare", *(f"a{number}" for number in range(ACTORS)))
            ],
            "source": [
                Source(
                    **_fit(
                        Source,
                        rest,
                        slug=f"s{number}",
                        title=f"Report {number}",
                        publisher=f"a{number % ACTORS}",
                        type="article",
                        published="2000",
                    )
                )
                for number in range(SOURCES)
            ],
        }
        self.sources = {source.slug: source for source in made["source"]}
        self.numbers: dict[str, int] = {}
        for kind, documents in made.items():
            states = [NewState(each.slug, msgspec.json.encode(each), each.slug) for each in documents]
            await resources.append_states(self.connection, kind, 1, states)
            self.numbers |= await resources.read_numbers(self.connection, kind, [each.slug for each in documents])

    async def _events(self) -> None:
        identities: list[tuple[int, UUID, int, str | None]] = []
        versions: list[tuple[Any, ...]] = []
        for number, form in enumerate(forms(self.size, self.random)):
            created = 2 + number * REVISIONS // self.size
            milliseconds = int(self._recorded(created).timestamp() * 1000)
            event, id = milliseconds << 18 | number, UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | number)
            identities.append((event, id, self.numbers["main"], form.key))
            moment = self._moment(created)
            versions.append(self._version(event, id, created, form, moment))
            if self.random.random() < 0.2 and created < REVISIONS:
                later = self.random.randint(created + 1, REVISIONS + 1)
                versions.append(self._version(event, id, later, revised(form, self.random), moment))
        per_revision = [0] * (REVISIONS + 2)
        for version in versions:
            per_revision[version[1]] += 1
        log = []
        for revision in range(1, REVISIONS + 2):
            per_revision[revision] += per_revision[revision - 1]
            log.append((revision, self._recorded(revision), "benchmark", None, None, b"{}", per_revision[revision]))
        await self._copy("revision", log)
        await self._copy("event", identities)
        await self._copy("version", versions)
        await self.connection.execute("UPDATE head SET (revision, recorded) = ($1, $2)", log[-1][0], log[-1][1])

    def _moment(self, revision: int) -> Moment:
        return Moment(revision=revision, recorded=recorded_text(self._recorded(revision)))

    def _version(self, event: int, id: UUID, revision: int, form: EventInput, created: Moment) -> tuple[Any, ...]:
        rendered, facts = rendering.render(
            form, id=str(id), sources=self.sources, targets={}, at=self._moment(revision), created=created
        )
        lo, hi, undated = bounds_of(form.occurred)
        terms = rendering.found_by(rendered, self.sources)
        return (
            event,
            revision,
            lo,
            hi,
            postings.span_of(lo, hi, undated),
            known_from(rendered.occurred, rendered.claims, facts, created),
            sorted(self.terms.setdefault(term, len(self.terms) + 1) for term in terms),
            sorted(self.numbers[slug] for slug in actors_named(rendered)),
            sorted(self.numbers[slug] for slug in sources_named(rendered)),
            msgspec.json.encode(rendered),
            msgspec.json.encode(facts),
        )

    async def _copy(self, table: str, rows: Any) -> None:
        await self.connection.copy_records_to_table(table, records=rows)


def _fit(shape: Any, values: dict[str, Any], **own: Any) -> dict[str, Any]:
    return {name: value for name, value in (values | own).items() if name in shape.__struct_fields__}


# --- Measuring


class Recorder:
    """A connection that remembers the runs of the page statement."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.runs: list[tuple[str, tuple[Any, ...]]] = []

    async def fetch(self, statement: str, *arguments: Any) -> Any:
        if statement in STATEMENTS.values():
            self.runs.append((statement, arguments))
        return await self.connection.fetch(statement, *arguments)


STATEMENTS = {"ascending": postings.PAGE_ASCENDING, "descending": postings.PAGE_DESCENDING}


def literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, (list, tuple)):
        return "'{" + ",".join(map(literal, value)) + "}'"
    return str(value).lower()


async def explain(connection: Any, statement: str, arguments: Sequence[Any]) -> dict[str, Any]:
    """The generic plan of one run, and what it took."""
    (name,) = (name for name, text in STATEMENTS.items() if text == statement)
    run = f"EXECUTE {name}({', '.join(map(literal, arguments))})"
    text = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {run}")
    plan: dict[str, Any] = json.loads(text)[0]
    return plan


def steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for step in plan.get("Plans", ()):
        yield from steps(step)


def rows_read(step: dict[str, Any]) -> int:
    """How many rows a step gave on or threw away."""
    removed: float = sum(value for name, value in step.items() if name.startswith("Rows Removed by "))
    given: float = step["Actual Rows"]
    return round((given + removed) * int(step["Actual Loops"]))


class Measured(NamedTuple):
    name: str
    rows: int
    page: float
    looks: int
    plan: float
    buffers: int
    most: int
    flag: bool


async def measure(connection: Any, asked: Asked, size: int, plans: Path | None) -> Measured:
    selection = await selection_of(connection, asked)
    after = await middle_of(connection) if asked.deep else None
    recorder = Recorder(connection)
    refused = False
    try:
        page = await selecting.read_page(recorder, selection, after, PAGE_SIZE, include=False)  # type: ignore[arg-type]
        count = len(page.documents)
    except SelectionTooBroad:
        refused, count = True, -1
    times = []
    for _ in range(3 if refused else ROUNDS):
        began = time.perf_counter()
        try:
            await selecting.read_page(connection, selection, after, PAGE_SIZE, include=True)
        except SelectionTooBroad:
            assert refused
        times.append(time.perf_counter() - began)
    explained = [await explain(connection, *run) for run in recorder.runs]
    every = [step for each in explained for step in steps(each["Plan"])]
    most = max(rows_read(step) for step in every)
    scans = any(step["Node Type"] == "Seq Scan" and step["Relation Name"] in TABLES for step in every)
    if plans is not None:
        (plans / f"{asked.name.replace(' ', '-')}.json").write_text(json.dumps(explained, indent=1))
    return Measured(
        name=asked.name,
        rows=count,
        page=statistics.median(times) * 1000,
        looks=len(recorder.runs),
        plan=sum(each["Execution Time"] for each in explained),
        buffers=sum(each["Plan"]["Shared Hit Blocks"] + each["Plan"]["Shared Read Blocks"] for each in explained),
        most=most,
        flag=scans or most >= size / 2,
    )


async def selection_of(connection: Any, asked: Asked) -> Selection:
    head = await revisions.read_head(connection)
    wants = parameters.asked(asked.query)
    return Selection(
        revision=round(head.revision * asked.at),
        head=head.revision,
        sight=SIGHT,
        filters=wants.filters,
        known=selecting.known_of(wants.lenses),
        descending=wants.order == "desc",
    )


MIDDLE = """
SELECT v.t_lo, v.t_hi, v.event FROM version v WHERE v.t_lo >= $1 ORDER BY v.t_lo, v.event LIMIT 1
"""


async def middle_of(connection: Any) -> Position:
    row = await connection.fetchrow(MIDDLE, bounds_of("1962-07-01")[0])
    return (False, row[0], row[1], row[2])


async def run(size: int, url: str, plans: Path | None) -> None:
    await migrate(url)
    pool = await open_pool(url, 1, 600)
    async with pool.acquire() as connection:
        began = time.perf_counter()
        await Loading(connection, size).load()
        print(f"{size} events loaded in {time.perf_counter() - began:.0f} s", flush=True)
        for name, statement in STATEMENTS.items():
            await connection.execute(f"PREPARE {name} AS {statement}")
        columns = ("rows", "page ms", "looks", "plan ms", "buffers", "most rows")
        print(f"{'page of fifty':40}" + "".join(f"{column:>10}" for column in columns))
        for asked in SELECTIONS:
            told = await measure(connection, asked, size, plans)
            rows = "refused" if told.rows < 0 else str(told.rows)
            figures = f"{rows:>10}{told.page:10.2f}{told.looks:10}{told.plan:10.2f}{told.buffers:10}{told.most:10}"
            print(f"{told.name:40}{figures}{' !' if told.flag else ''}", flush=True)
    await pool.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000, help="how many events to load")
    parser.add_argument("--plans", type=Path, help="folder for the plans as JSON")
    arguments = parser.parse_args()
    if not 100 <= arguments.events < 1 << 18:
        sys.exit("between 100 and 262,143 events")
    with tempfile.TemporaryDirectory(prefix="dateline-benchmark-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        with EmbeddedPostgres(Path(folder) / "data") as server:
            asyncio.run(run(arguments.events, server.dsn, arguments.plans))


if __name__ == "__main__":
    main()
