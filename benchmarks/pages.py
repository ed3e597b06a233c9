"""What one page of fifty events costs: every parameter, every lens, and combinations of two and more.

    python -m benchmarks.pages [--events 20000] [--store FOLDER] [--plans FOLDER] [NAME …]

The store is `generated`, and kept in the folder for a later run. Cases are queries as clients write them,
read by anyone; with names, only those that contain one of them. Each line of the table is one page:

    rows       events on the page, or `refused` where it is too broad a selection
    page ms    median of reading it as the service does, from the query to the actors and sources that it names
    looks      how many times the page statement ran for it, and `seen` how many candidates it looked at
    plan ms, buffers    of all its statements, by EXPLAIN ANALYZE of their generic plans
    most rows  the most that any one step of a plan read; `!` where that is half of all events, or a whole table
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from benchmarks.generated import REVISIONS, Generated
from benchmarks.stores import Store, kept
from service.domain import asking, parameters
from service.domain.callers import ANYONE
from service.domain.errors import SelectionTooBroad
from service.domain.lenses import Position, bounds_of
from service.domain.parameters import LIMIT_DEFAULT, LISTING
from service.operations import selecting
from service.operations.selecting import Shown
from service.storage import walking
from service.storage.pool import open_pool

ROUNDS = 15
SECONDS_MAX = 3.0
"""A case is read again and again for no longer than this."""
TABLES = ("posting", "version", "event", "term", "term_span", "resource_version")
STATEMENTS = {
    walking.PAGE_ASCENDING, walking.PAGE_DESCENDING, walking.ACCOUNT_ASCENDING, walking.ACCOUNT_DESCENDING,
    walking.JOINED_ASCENDING, walking.JOINED_DESCENDING,
}  # fmt: skip


class Asked(NamedTuple):
    """A page to measure, as the query of its address. deep: beginning in the middle of its listing."""

    name: str
    query: str = ""
    deep: bool = False


# `{…}` is filled in from the store: hub, the id of an event that many point at, ids, instants.
CASES = (
    Asked("all"),
    Asked("order, latest first", "order=desc"),
    Asked("limit of 500", "limit=500"),
    Asked("cursor, deep", deep=True),
    Asked("cursor, deep, latest first", "order=desc", deep=True),
    Asked("fields", "fields=key,title,occurred"),
    Asked("include nothing", "include=none"),
    # Dates
    Asked("from", "from=2025"),
    Asked("to", "to=1900-01"),
    Asked("from and to, five years", "from=1990&to=1994"),
    Asked("from and to, latest first", "from=1990&to=1994&order=desc"),
    Asked("match certain, one month", "from=1990-05&to=1990-05&match=certain"),
    Asked("undated only", "undated=only"),
    Asked("undated with a window", "from=2025&undated=include"),
    Asked("published_from", "published_from=2025-11"),
    Asked("published_to", "published_to=1980-01"),
    Asked("published, one day", "published_from=2001-05-17&published_to=2001-05-17"),
    Asked("published, ten years", "published_from=1991&published_to=2000"),
    Asked("recorded_from, the last 20 revisions", "recorded_from={recorded_980}"),
    Asked("recorded_to, the first 20 revisions", "recorded_to={recorded_20}"),
    Asked("recorded, half of all", "recorded_from={recorded_250}&recorded_to={recorded_750}"),
    # Participations and claims
    Asked("actor, hot (1 in 5), merged", "actor=hot"),
    Asked("actor, middling (1 in 100)", "actor=mid"),
    Asked("actor, rare (20 events)", "actor=rare"),
    Asked("actor, twenty, any", "&".join(f"actor=a{number}" for number in range(20))),
    Asked("actor_match all, hot and middling", "actor=hot&actor=mid&actor_match=all"),
    Asked("actor_match all, hot and one of many", "actor=hot&actor=a1&actor_match=all"),
    Asked("role, common", "role=subject"),
    Asked("role, rare", "role=victim"),
    Asked("role of one actor", "actor=hot&role=victim"),
    Asked("source", "source=s1"),
    Asked("publisher, hot (1 in 10)", "publisher=publisher-0"),
    Asked("publisher, one of many", "publisher=publisher-77"),
    Asked("publisher, merged", "publisher=publisher-3"),
    Asked("speaker, hot", "speaker=hot"),
    Asked("speaker, one of many", "speaker=a1"),
    Asked("stance, common", "stance=asserts"),
    Asked("stance, denies", "stance=denies"),
    Asked("one claim: publisher and stance", "publisher=publisher-0&stance=denies"),
    Asked("one claim: speaker, stance, published", "speaker=hot&stance=denies&published_from=2001&published_to=2003"),
    Asked("one claim: source and published", "source=s1&published_from=2001-05&published_to=2001-06"),
    Asked("one claim: rare publisher, speaker, stance", "publisher=publisher-77&speaker=hot&stance=retracts"),
    *(
        Asked(f"standing {state}", f"standing={state}")
        for state in ("unsourced", "mentioned", "retracted", "contested", "denied", "corrected", "corroborated")
    ),
    Asked("standing reported", "standing=reported"),
    Asked("min_origins 1", "min_origins=1"),
    Asked("min_origins 3", "min_origins=3"),
    Asked("min_origins 30, where none are", "min_origins=30"),
    # Words and places
    Asked("tag, hot", "tag=hot"),
    Asked("tag, one of fifty", "tag=tag-7"),
    Asked("tag_match all", "tag=tag-7&tag=tag-8&tag_match=all"),
    Asked("kind", "kind=kind-3"),
    Asked("collection", "collection=side"),
    Asked("phase, common", "phase=happened"),
    Asked("phase, rare", "phase=cancelled"),
    Asked("language en, with en-GB", "language=en"),
    Asked("language sr-Latn", "language=sr-Latn"),
    Asked("country, common", "country=US"),
    Asked("country, rare", "country=VU"),
    Asked("bbox, a town", "bbox=20.9,42.5,21.3,42.8"),
    Asked("bbox, a block", "bbox=21.155,42.655,21.165,42.665"),
    Asked("bbox, half of Europe", "bbox=0,40,30,60"),
    Asked("bbox, the whole world", "bbox=-180,-90,180,90"),
    Asked("bbox across 180 degrees", "bbox=177,-20,-178,-15"),
    Asked("bbox, an ocean", "bbox=-40,-5,-30,5"),
    # Full text
    Asked("q, a rare word (20 events)", "q=uncommon"),
    Asked("q, a middling word (1 in 100)", "q=middling"),
    Asked("q, a common word (1 in 5)", "q=common"),
    Asked("q, a word in everything", "q=happened"),
    Asked("q, two words, common and middling", "q=common middling"),
    Asked("q, two words that rarely meet", "q=word400 word500"),
    Asked("q, either of two", "q=middling or uncommon"),
    Asked("q, a phrase, common", 'q="common ground"'),
    Asked("q, a phrase that is not there", 'q="ground common"'),
    Asked("q, excluding a common word", "q=-common"),
    Asked("q, excluding a word of many", "q=-happened"),
    Asked("q, common without middling", "q=common -middling"),
    Asked("q, what begins so, many", "q=comm*"),
    Asked("q, what begins so, of a thousand words", "q=word12*"),
    Asked("q, a name, middling", "q=mid"),
    Asked("q, a name, hot, merged", "q=hot"),
    Asked("q, a name as a phrase", 'q="actor mid"'),
    Asked("q, a word of two thousand names", "q=actor"),
    Asked("q and actor", "q=middling&actor=hot"),
    Asked("q, known_at", "q=common&known_at=2005"),
    Asked("q, half of the past", "q=middling&revision=500"),
    Asked("q, according_to", "q=common&according_to=publisher-0"),
    # Relations, names, timelines
    Asked("related_to, many point at it", "related_to={hub}"),
    Asked("related_to, few point at it", "related_to={lesser_hub}"),
    Asked("relation, rare type", "related_to={hub}&relation=same_as"),
    Asked("direction out", "related_to={hub}&direction=out"),
    Asked("direction both", "related_to={hub}&direction=both"),
    Asked("key", "key=event-7&key=event-70"),
    Asked("id", "id={first}&id={second}"),
    Asked("id, a hundred", "{hundred}"),
    Asked("timeline with pins", "timeline=war"),
    Asked("timeline with pins, five years", "timeline=war&from=1990&to=1994"),
    Asked("timeline with pins, latest first", "timeline=war&order=desc", deep=True),
    Asked("timeline and an actor", "timeline=war&actor=hot"),
    # Lenses
    Asked("as_of, half of the past", "as_of={recorded_500}"),
    Asked("revision, half of the past", "revision=500"),
    Asked("revision, a hundredth of the past", "revision=10"),
    Asked("revision, the first of them", "revision=2"),
    Asked("known_at 2005", "known_at=2005"),
    Asked("known_at 1981, where little was", "known_at=1981"),
    Asked("known_at, latest first", "known_at=1990&order=desc"),
    Asked("according_to, hot", "according_to=hot"),
    Asked("according_to, a publisher", "according_to=publisher-0"),
    Asked("according_to, one of many", "according_to=a1"),
    Asked("according_to, five", "&".join(f"according_to=publisher-{number}" for number in range(5))),
    Asked("according_to, latest first, deep", "according_to=publisher-0&order=desc", deep=True),
    Asked("according_to_source", "according_to_source=s1"),
    # Filters together
    Asked("actor and tag, hot", "actor=hot&tag=hot"),
    Asked("actor and tag, hot, five years", "actor=hot&tag=hot&from=1990&to=1994"),
    Asked("actor and a tag it never has", "actor=hot&tag=cold"),
    Asked("actor and a tag it never has, five years", "actor=hot&tag=cold&from=1990&to=1994"),
    Asked("actor, tag, kinds and phase", "actor=hot&tag=hot&kind=kind-1&kind=kind-2&phase=expected"),
    Asked("rare by rare", "actor=mid&role=victim"),
    Asked("country and kind", "country=XK&kind=kind-3"),
    Asked("rare country and denied", "country=VU&standing=denied"),
    Asked("bbox and actor", "bbox=20.9,42.5,21.3,42.8&actor=hot"),
    Asked("bbox, five years", "bbox=20.9,42.5,21.3,42.8&from=1990&to=1994"),
    Asked("contested and many origins", "standing=contested&min_origins=2"),
    Asked("language, country and stance", "language=sr&country=XK&stance=denies"),
    Asked("related and kind", "related_to={hub}&kind=kind-3"),
    Asked("published and publisher", "published_from=2001&published_to=2001&publisher=publisher-77"),
    Asked("published early and from late", "published_to=1980-03&from=2024"),
    Asked("recorded lately and actor", "recorded_from={recorded_980}&actor=hot"),
    Asked("recorded half and rare role", "recorded_from={recorded_250}&recorded_to={recorded_750}&role=victim"),
    Asked(
        "six groups of several",
        "kind=kind-1&kind=kind-2&tag=hot&tag=tag-1&country=US&country=XK&language=en&language=de"
        "&phase=happened&phase=expected&standing=reported&standing=contested",
    ),
    # Lenses and filters
    Asked("actor, half of the past", "actor=hot&revision=500"),
    Asked("actor, a hundredth of the past", "actor=hot&revision=10"),
    Asked("actor and tag, half of the past", "actor=hot&tag=hot&revision=500&order=desc"),
    Asked("actor, known_at 2005", "actor=hot&known_at=2005"),
    Asked("source, known_at 2005", "source=s1&known_at=2005"),
    Asked("contested, known_at 2005", "standing=contested&known_at=2005"),
    Asked("denied, known_at 1990", "standing=denied&known_at=1990"),
    Asked("min_origins 2, known_at 1990", "min_origins=2&known_at=1990"),
    Asked("stance denies, known_at 1990", "stance=denies&known_at=1990"),
    Asked("timeline, known_at 2005", "timeline=war&known_at=2005"),
    Asked("timeline, half of the past", "timeline=war&revision=500"),
    Asked("known_at and according_to", "known_at=2005&according_to=publisher-0"),
    Asked("known_at early and according_to", "known_at=1981&according_to=publisher-0"),
    Asked("known_at and according_to, a past", "known_at=2005&according_to=publisher-0&revision=500"),
    Asked("all three lenses, latest first", "known_at=2005&according_to=publisher-0&revision=100&order=desc"),
    Asked("known_at and a past", "known_at=2005&revision=100"),
    Asked("according_to, five years", "according_to=publisher-0&from=1990&to=1994"),
    Asked("according_to and actor", "according_to=publisher-0&actor=hot"),
    Asked("according_to, denied", "according_to=publisher-0&standing=denied"),
    Asked("according_to and stance", "according_to=hot&stance=denies"),
    Asked("according_to and its source", "according_to=publisher-0&according_to_source=s10"),
    Asked("according_to and another's source", "according_to=publisher-1&according_to_source=s10"),
    Asked("according_to, timeline", "according_to=publisher-0&timeline=war"),
    Asked("bbox, half of the past", "bbox=0,40,30,60&revision=500"),
    Asked("published, half of the past", "published_from=2001&published_to=2001&revision=500"),
)  # fmt: skip


def query_of(asked: Asked, generated: Generated) -> parameters.Query:
    """The case's query as the interface would have read it."""
    place = {number: str(generated.place(number).id) for number in (0, 1, generated.total // 3, generated.total // 2)}
    first, second = list(place.values())[2:]
    hundred = "&".join(f"id={generated.place(number * (generated.total // 100)).id}" for number in range(100))
    instants = {f"recorded_{revision}": generated.recorded(revision) for revision in (20, 250, 500, 750, 980)}
    text = asked.query.format(
        hub=place[0],
        lesser_hub=place[1],
        first=first,
        second=second,
        hundred=hundred,
        **{name: instant.isoformat().replace("+00:00", "Z") for name, instant in instants.items()},
    )
    query: dict[str, list[str]] = {}
    for part in filter(None, text.split("&")):
        name, _, value = part.partition("=")
        query.setdefault(name, []).append(value)
    parameters.check(query, LISTING)
    return query


class Recorder:
    """A connection that remembers its statements, and how many candidates the page statement looked at."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.runs: list[tuple[str, tuple[Any, ...]]] = []
        self.looks = 0
        self.seen = 0

    async def fetch(self, statement: str, *arguments: Any) -> Any:
        self.runs.append((statement, arguments))
        rows = await self.connection.fetch(statement, *arguments)
        if statement in STATEMENTS:
            self.looks += 1
            self.seen += rows[-1][-1]
        return rows

    async def fetchrow(self, statement: str, *arguments: Any) -> Any:
        self.runs.append((statement, arguments))
        return await self.connection.fetchrow(statement, *arguments)

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        self.runs.append((statement, arguments))
        return await self.connection.fetchval(statement, *arguments)


class Plans:
    """Generic plans of statements that have been run, each prepared once."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.names: dict[str, str] = {}

    async def explain(self, statement: str, arguments: Sequence[Any]) -> dict[str, Any]:
        """The plan of one run, and what it took."""
        if statement not in self.names:
            self.names[statement] = f"run_{len(self.names)}"
            await self.connection.execute(f"PREPARE {self.names[statement]} AS {statement}")
        given = f"({', '.join(map(literal, arguments))})" if arguments else ""
        run = f"EXECUTE {self.names[statement]}{given}"
        text = await self.connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {run}")
        plan: dict[str, Any] = json.loads(text)[0]
        return plan


def literal(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "ARRAY[" + ", ".join(map(literal, value)) + "]" if value else "'{}'"
    if isinstance(value, (str, UUID, datetime)):
        return "'" + str(value).replace("'", "''") + "'" + ("::uuid" if isinstance(value, UUID) else "")
    return "NULL" if value is None else str(value).lower()


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
    rows: int
    page: float
    looks: int
    seen: int
    plan: float
    buffers: int
    most: int
    flag: bool


async def read(connection: Any, query: parameters.Query, after: Position | None) -> int | None:
    """How many events the page has, None where the selection is refused as too broad."""
    wants = asking.asked(query)
    limit = int(query.get("limit", [str(LIMIT_DEFAULT)])[0])
    store = await selecting.open_store(connection, ANYONE)
    reading = await selecting.select(connection, store, wants)
    shown = Shown(asking.fields_of(query), asking.included_of(query))
    try:
        page = await selecting.read_page(connection, reading.selection, after, limit, shown)
    except SelectionTooBroad:
        return None
    return page.rows


async def measure(connection: Any, plans: Plans, asked: Asked, generated: Generated, folder: Path | None) -> Measured:
    query = query_of(asked, generated)
    after = await middle_of(connection) if asked.deep else None
    recorder = Recorder(connection)
    rows = await read(recorder, query, after)
    times: list[float] = []
    while len(times) < ROUNDS and sum(times) < SECONDS_MAX:
        began = time.perf_counter()
        await read(connection, query, after)
        times.append(time.perf_counter() - began)
    explained = [await plans.explain(*run) for run in recorder.runs]
    every = [step for each in explained for step in steps(each["Plan"])]
    most = max(map(rows_read, every))
    scans = any(step["Node Type"] == "Seq Scan" and step["Relation Name"] in TABLES for step in every)
    if folder is not None:
        (folder / f"{asked.name.replace(' ', '-')}.json").write_text(json.dumps(explained, indent=1))
    return Measured(
        rows=-1 if rows is None else rows,
        page=statistics.median(times) * 1000,
        looks=recorder.looks,
        seen=recorder.seen,
        plan=sum(each["Execution Time"] for each in explained),
        buffers=sum(each["Plan"]["Shared Hit Blocks"] + each["Plan"]["Shared Read Blocks"] for each in explained),
        most=most,
        flag=scans or most >= generated.total / 2,
    )


MIDDLE = """
SELECT v.t_lo, v.t_hi, v.event FROM version v WHERE v.t_lo >= $1 ORDER BY v.t_lo, v.event LIMIT 1
"""


async def middle_of(connection: Any) -> Position:
    row = await connection.fetchrow(MIDDLE, bounds_of("1962-07-01")[0])
    return (False, row[0], row[1], row[2])


SIZES = """
SELECT relname, pg_table_size(oid), pg_indexes_size(oid), reltuples::int8 FROM pg_class
WHERE relname IN ('posting', 'version', 'event', 'term', 'term_span', 'actor_word') ORDER BY relname
"""


async def run(store: Store, folder: Path | None, names: Sequence[str]) -> None:
    pool = await open_pool(store.url, 1, 3_600)
    async with pool.acquire() as connection:
        print(f"{store.generated.total} events, {REVISIONS} revisions, loaded in {store.loaded:.0f} s", flush=True)
        for table, heap, indexes, rows in await connection.fetch(SIZES):
            print(f"  {table}: {rows} rows, {heap / 2**20:.0f} MB and {indexes / 2**20:.0f} MB of indexes", flush=True)
        columns = ("rows", "page ms", "looks", "seen", "plan ms", "buffers", "most rows")
        print(f"{'page':45}" + "".join(f"{column:>10}" for column in columns))
        plans = Plans(connection)
        for asked in CASES:
            if names and not any(name in asked.name for name in names):
                continue
            told = await measure(connection, plans, asked, store.generated, folder)
            shown = "refused" if told.rows < 0 else str(told.rows)
            figures = f"{shown:>10}{told.page:10.2f}{told.looks:10}{told.seen:10}"
            figures += f"{told.plan:10.2f}{told.buffers:10}{told.most:10}"
            print(f"{asked.name:45}{figures}{' !' if told.flag else ''}", flush=True)
    await pool.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000, help="how many events to load")
    parser.add_argument("--store", type=Path, help="folder to keep the store in")
    parser.add_argument("--plans", type=Path, help="folder for the plans as JSON")
    parser.add_argument("names", nargs="*", help="only cases whose name contains one of these")
    arguments = parser.parse_args()
    if not 1_000 <= arguments.events <= 10_000_000:
        sys.exit("between 1,000 and 10,000,000 events")
    asked = {part.partition("=")[0] for case in CASES for part in case.query.split("&")}
    missing = {parameter.name for parameter in LISTING} - asked - {"cursor"}
    if missing:
        sys.exit(f"no case asks for {', '.join(sorted(missing))}")
    with kept(arguments.events, arguments.store) as store:
        asyncio.run(run(store, arguments.plans, arguments.names))


if __name__ == "__main__":
    main()
