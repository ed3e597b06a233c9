"""A store of generated events, loaded past the write path, by as many processes as there are processors.

Each process makes events by the thousand, with all that has been recorded of them, and copies their rows and postings
into bare tables; indexes and constraints are made at the end, from what the schema had. Meanwhile PostgreSQL neither
flushes nor logs what it can do without: a load that is cut off leaves nothing to go on from.

What is left is what the write path would have left: events in the order in which they were recorded, so that versions
do not lie by date, and the same postings as `rebuild` makes of them, which a test compares.
"""

import asyncio
import contextlib
import functools
import gc
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from benchmarks import generated
from benchmarks.generated import COPY, FIRST, MERGED, REVISIONS, Generated, Version
from service.domain import dates, lenses, rendering, terms
from service.domain.resources import name_words
from service.domain.terms import Term
from service.operations import indexing
from service.operations.indexing import GENERATION
from service.storage import postings, resources, turnover
from service.storage.embedded import EmbeddedPostgres
from service.storage.events import columns_of
from service.storage.pool import prepare
from service.storage.resources import NewState
from service.storage.turnover import Place, copied, copy_postings, with_terms

CHUNK = 1_000
REMEMBERED = 100_000
"""So many dates are read once; there are half as many days."""
TABLES = ("event", "version", "posting", "term", "term_span")
LOADING = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_compression": "off",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "max_parallel_maintenance_workers": "2",
}

Numbers = dict[tuple[str, str], int]


def load(folder: Path, made: Generated, now: datetime, say: Callable[[str], None] = lambda _: None) -> None:
    """Makes a store of events in an empty folder; they are as old as `now` says."""
    with EmbeddedPostgres(folder) as server:
        asyncio.run(indexing.upgrade(server.dsn))
    with _hurried(folder), EmbeddedPostgres(folder) as server:
        asyncio.run(_load(server.dsn, made, now, say))
    os.sync()


@contextlib.contextmanager
def _hurried(folder: Path) -> Iterator[None]:
    """PostgreSQL with the settings of a load, in the file that ALTER SYSTEM writes."""
    settings = folder / "postgres" / "postgresql.auto.conf"
    usual = settings.read_text()
    settings.write_text(usual + "".join(f"{name} = '{value}'\n" for name, value in LOADING.items()))
    try:
        yield
    finally:
        settings.write_text(usual)


async def _load(url: str, made: Generated, now: datetime, say: Callable[[str], None]) -> None:
    began = time.perf_counter()

    def told(what: str) -> None:
        say(f"{time.perf_counter() - began:7.0f} s  {what}")

    connection = await connect(url)
    async with connection.transaction():
        numbers = await _named(connection, made)
    again = await _bare(connection)
    found, written = await asyncio.to_thread(_in_processes, url, made.size, now, numbers)
    await connection.copy_records_to_table("term", records=((number, *term) for term, number in found.items()))
    told("events are made and copied")
    del found
    if made.copies > 1:
        await multiply(connection, made, [step for step in again[0] if " ON public.posting " in step])
        again[0] = [step for step in again[0] if " ON public.posting " not in step]
        told(f"there are {made.copies} of each")
    await asyncio.gather(_count(url), _run(url, again))
    told("indexes are made")
    await _log(connection, made, [number * made.copies for number in written])
    await postings.write_generation(connection, GENERATION)
    await asyncio.gather(_run(url, [["VACUUM (ANALYZE) posting"]]), connection.execute("VACUUM (ANALYZE) version"))
    await connection.execute("VACUUM (ANALYZE)")
    told("vacuumed")
    await connection.close()


async def connect(url: str) -> asyncpg.Connection:
    connection = await asyncpg.connect(url, command_timeout=36_000)
    await prepare(connection)
    return connection


async def _named(connection: asyncpg.Connection, made: Generated) -> Numbers:
    """Records the actors, sources, collections and the timeline, and gives their numbers."""
    numbers: Numbers = {}
    for kind, documents in made.named().items():
        states = [NewState(each.slug, msgspec.json.encode(each), each.slug, name_words(each)) for each in documents]
        await resources.append_states(connection, kind, 1, states)
        found = await resources.read_numbers(connection, kind, [each.slug for each in documents])
        numbers |= {(kind, slug): number for slug, number in found.items()}
    for actor, into in MERGED.items():
        await resources.append_merge(connection, actor, 1, into)
    # The revisions that these are recorded at are there by the end of the transaction.
    await _log(connection, made, [0] * (REVISIONS + 1))
    return numbers


LOG = """
INSERT INTO revision (revision, recorded, author, counts, versions) VALUES ($1, $2, 'benchmark', '{}', $3)
ON CONFLICT (revision) DO UPDATE SET versions = excluded.versions
"""


async def _log(connection: asyncpg.Connection, made: Generated, written: list[int]) -> None:
    rows, versions = [], 0
    for revision in range(1, REVISIONS + 1):
        versions += written[revision]
        rows.append((revision, made.recorded(revision), versions))
    await connection.executemany(LOG, rows)
    await connection.execute("UPDATE head SET (revision, recorded) = ($1, $2)", *rows[-1][:2])


# --- Indexes and constraints

CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid) FROM pg_constraint
WHERE (conrelid::regclass::text = ANY ($1) OR confrelid::regclass::text = ANY ($1)) AND contype IN ('f', 'p', 'u')
ORDER BY contype
"""
INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid::regclass::text = ANY ($1)
ORDER BY indrelid::regclass::text <> 'posting'
"""


async def _bare(connection: asyncpg.Connection) -> list[list[str]]:
    """Takes indexes and constraints away, and gives the statements that make them again, in steps."""
    foreign, own = [], []
    for table, name, kind, definition in await connection.fetch(CONSTRAINTS, TABLES):
        made = f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"
        (foreign if kind == "f" else own).append(made)
        await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    indexes = await connection.fetch(INDEXES, TABLES)
    for name, _ in indexes:
        await connection.execute(f"DROP INDEX {name}")
    return [[*(definition for _, definition in indexes), *own], foreign]


async def _run(url: str, steps: list[list[str]]) -> None:
    connection = await connect(url)
    await connection.execute("SET maintenance_work_mem = '1GB'")
    for statement in (statement for step in steps for statement in step):
        await connection.execute(statement)
    await connection.close()


async def _count(url: str) -> None:
    connection = await connect(url)
    await connection.execute("SET work_mem = '1GB'")
    await connection.execute(postings.RECOUNT)
    await connection.close()


# --- Copies

# What an id says: the event's number in its first 63 bits, and which of all events it is in its last 56.
IDENTITY = """
CREATE FUNCTION pg_temp.identity(event bigint, number bigint) RETURNS uuid IMMUTABLE LANGUAGE sql RETURN (
    lpad(to_hex(event >> 18), 12, '0') || '7' || lpad(to_hex((event & 262143) >> 6), 3, '0')
    || to_hex(128 | (event & 63)) || lpad(to_hex(number), 14, '0'))::uuid
"""
COPIED = """
CREATE TEMP TABLE copied AS
SELECT e.event, e.event + k * $2::bigint AS copy, e.id, e.collection, e.key, n.number + k * $3::bigint AS number
FROM event e CROSS JOIN LATERAL (SELECT substr(e.key, 7)::bigint) AS n(number) CROSS JOIN generate_series(1, $1) k
"""
EVENTS = """
INSERT INTO event (event, id, collection, key)
SELECT copy, pg_temp.identity(copy, number), collection, 'event-' || number FROM copied
"""
VERSIONS = """
INSERT INTO version (
    event, revision, t_lo, t_hi, span, known, told, terms, words, facets, actors, sources, document, facts)
SELECT c.copy, v.revision, v.t_lo, v.t_hi, v.span, v.known, v.told, v.terms, v.words, v.facets, v.actors, v.sources,
       replace(replace(v.document::text, c.id::text, pg_temp.identity(c.copy, c.number)::text),
               '"key":"' || c.key || '"', '"key":"event-' || c.number || '"')::json,
       v.facts
FROM copied c JOIN version v ON v.event = c.event
"""
POSTINGS = """
INSERT INTO posting (term, span, t_lo, t_hi, event, since, until, known)
SELECT m.term, m.span, m.t_lo, m.t_hi, m.event + k * $2::bigint, m.since, m.until, m.known
FROM (SELECT * FROM made ORDER BY term, span, t_lo, t_hi, event) m CROSS JOIN generate_series(0, $1) k
"""


async def multiply(connection: asyncpg.Connection, made: Generated, indexes: list[str]) -> None:
    """Adds the copies to what was made. indexes: of postings, which are put in in their order, so that none is sorted.

    Copies say what they are copies of in all but their names; what they relate to is the same.
    """
    if made.size // (REVISIONS - FIRST) + 2 > COPY:
        sys.exit(f"{made.size:,} events do not leave room for copies in the numbers of a revision")
    more = made.copies - 1
    await connection.execute("SET work_mem = '1GB'; SET maintenance_work_mem = '1GB'")
    await connection.execute(IDENTITY)
    await connection.execute(COPIED, more, COPY, made.size)
    await connection.execute("ANALYZE copied")
    await connection.execute(VERSIONS)
    await connection.execute(EVENTS)
    await connection.execute("CREATE UNLOGGED TABLE made AS TABLE posting")
    await connection.execute("CREATE INDEX ON made (term, span, t_lo, t_hi, event, since, until, known)")
    await connection.execute("VACUUM made")
    await connection.execute("TRUNCATE posting")  # By itself, so that its room on the disk is free at once.
    async with connection.transaction():
        # An index is made beside its rows where they come in its order, for which the planner would sort them.
        await connection.execute("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off")
        for statement in indexes:
            await connection.execute(statement)
        await connection.execute(POSTINGS, more, COPY)
    await connection.execute("DROP TABLE made; DROP TABLE copied")


# --- Making events


def _in_processes(url: str, size: int, now: datetime, numbers: Numbers) -> tuple[dict[Term, int], list[int]]:
    """Has the events made, gives each term its number, and tells how many versions each revision has."""
    context = multiprocessing.get_context("spawn")
    following = context.Value("q", 0)
    found: dict[Term, int] = {}
    written = [0] * (REVISIONS + 1)
    pipes: list[Pipe] = []
    workers = []
    for _ in range(os.cpu_count() or 1):
        ours, theirs = context.Pipe()
        workers.append(context.Process(target=_make, args=(url, size, now, numbers, following, theirs), daemon=True))
        workers[-1].start()
        theirs.close()
        pipes.append(ours)
    while pipes:
        for pipe in wait(pipes):
            assert isinstance(pipe, Pipe)
            try:
                asked = pipe.recv()
            except EOFError:
                pipes.remove(pipe)
                continue
            if isinstance(asked, list):
                written = [one + other for one, other in zip(written, asked, strict=True)]
            else:
                pipe.send([found.setdefault(term, len(found) + 1) for term in asked])
    for worker in workers:
        worker.join()
        if worker.exitcode:
            sys.exit("a process that was making events has failed")
    return found, written


def _make(url: str, size: int, now: datetime, numbers: Numbers, following: Any, pipe: Pipe) -> None:
    gc.set_threshold(100_000, 20, 100)  # Little of what is made goes round in circles.
    made = Generated(size, now)
    _remember()
    asyncio.run(Making(made, numbers, following, pipe).run(url))


def _remember() -> None:
    """Has each date read once."""
    remember = functools.lru_cache(REMEMBERED)
    dates.parse = terms.parse = remember(dates.parse)
    terms.bound_text = remember(terms.bound_text)
    rendering.occurred_of = remember(rendering.occurred_of)
    generated.bounds_of = lenses.bounds_of = remember(lenses.bounds_of)


class Making:
    """One process's part of the work."""

    def __init__(self, made: Generated, numbers: Numbers, following: Any, pipe: Pipe) -> None:
        self.made, self.numbers, self.following, self.pipe = made, numbers, following, pipe
        self.terms: dict[Term, int] = {}
        self.written = [0] * (REVISIONS + 1)

    async def run(self, url: str) -> None:
        connection = await connect(url)
        while (first := self._next()) < self.made.size:
            events, versions, copied = self._chunk(first, min(first + CHUNK, self.made.size))
            await connection.copy_records_to_table("event", records=events)
            await connection.copy_records_to_table("version", records=versions)
            await copy_postings(connection, copied)
        await connection.close()
        self.pipe.send(self.written)

    def _next(self) -> int:
        with self.following.get_lock():
            first: int = self.following.value
            self.following.value = first + CHUNK
        return first

    def _chunk(self, first: int, last: int) -> tuple[list[Any], list[Any], list[bytes]]:
        """Rows of events and versions, and postings as COPY takes them."""
        made = list(self.made.versions(first, last))
        self._number({term for _, versions in made for version in versions for term in version.terms})
        events = [(p.event, p.id, self.numbers["collection", p.collection], p.key) for p, _ in made]
        rows = []
        for version in (version for _, versions in made for version in versions):
            self.written[version.revision] += 1
            rows.append(row_of(version, self.terms, self.numbers))
        return events, rows, [part for _, versions in made for part in self._postings(versions)]

    def _number(self, terms: set[Term]) -> None:
        missing = list(terms - self.terms.keys())
        if missing:
            self.pipe.send(tuple(missing))
            self.terms.update(zip(missing, self.pipe.recv(), strict=True))

    def _postings(self, versions: list[Version]) -> Iterator[bytes]:
        """All postings of an event. A term that goes on at the same place has one, from its first revision on."""
        if len(versions) == 1:
            (version,) = versions
            numbers = [self.terms[term] for term in version.terms]
            for place in places_of(version):
                yield with_terms(numbers, copied(place, version.revision))
            return
        since: dict[tuple[Place, int], int] = {}
        for version in versions:
            places, numbers = places_of(version), [self.terms[term] for term in version.terms]
            now = {(place, number) for place in places for number in numbers}
            for key in since.keys() - now:
                yield with_terms([key[1]], copied(key[0], since.pop(key), version.revision))
            for key in now:
                since.setdefault(key, version.revision)
        for (place, number), revision in since.items():
            yield with_terms([number], copied(place, revision))


def row_of(version: Version, terms: Mapping[Term, int], numbers: Numbers) -> tuple[Any, ...]:
    """Its row in the table."""
    columns = columns_of(version.terms, terms)
    return (
        version.event,
        version.revision,
        version.lo,
        version.hi,
        postings.span_of(version.lo, version.hi, version.undated),
        version.known,
        columns[0],
        sorted(numbers["actor", slug] for slug in version.actors),
        sorted(numbers["source", slug] for slug in version.sources),
        version.document,
        version.facts,
        version.told,
        *columns[1:],
    )


def places_of(version: Version) -> list[Place]:
    span = postings.span_of(version.lo, version.hi, version.undated)
    return turnover.places_of(span, version.lo, version.hi, version.event, version.known, version.told)
