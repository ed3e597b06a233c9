"""A batch over HTTP beside COPY of as many rows, made beforehand, into the same tables with the same indexes.

All take events that the generator makes beyond those of the store, in one revision each. COPY has its rows as bytes;
dates, claims, terms and numbers are all behind it. It is given them twice: with the postings in the order of the index,
which is the most that can be asked, and as they come, event by event.
"""

import asyncio
import io
import time
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

import asyncpg
import httpx
import msgspec

from benchmarks.generated import SEED, Generated, Version
from benchmarks.loading import Numbers, connect, places_of, row_of
from benchmarks.stores import Store
from benchmarks.writing import post, writer
from service.domain.terms import Term
from service.storage import postings, resources
from service.storage.turnover import copied, copy_postings, with_terms

ROWS = 10_000
"""As many as a batch may have."""


class Ingested(NamedTuple):
    """Events a second, of a batch and of COPY right after it."""

    batch: float
    copy: float


def measure(store: Store, origin: str, rounds: int, *, in_order: bool) -> list[Ingested]:
    """Rounds of both, after one that does not count, of events beyond all that are there; for `rewind` to take away."""
    return asyncio.run(_measure(store, origin, rounds, in_order=in_order))


async def _measure(store: Store, origin: str, rounds: int, *, in_order: bool) -> list[Ingested]:
    connection = await connect(store.url)
    there: int = await connection.fetchval("SELECT count(*) FROM event")
    numbers = await _numbers(connection, store.generated)
    found = []
    async with writer(connection, origin) as client:
        for number in range(rounds + 1):
            first = there + 2 * number * ROWS
            batch = await _post(client, store.generated, first)
            copy = await _copy(connection, store.generated, first + ROWS, numbers, in_order=in_order)
            found += [Ingested(batch, copy)] if number else []
    await connection.close()
    return found


async def _post(client: httpx.AsyncClient, made: Generated, first: int) -> float:
    return ROWS / await post(client, [form_of(made, number) for number in range(first, first + ROWS)])


def form_of(made: Generated, number: int) -> Any:
    """What would be sent to make the event of a number, without relations, some of which lead to what is retracted."""
    return msgspec.structs.replace(made._form(made.place(number), Random(SEED << 32 | number)), relations=[])


async def _numbers(connection: asyncpg.Connection, made: Generated) -> Numbers:
    numbers: Numbers = {}
    for kind, documents in made.named().items():
        found = await resources.read_numbers(connection, kind, [each.slug for each in documents])
        numbers |= {(kind, slug): number for slug, number in found.items()}
    return numbers


LOG = """
WITH moved AS (UPDATE head SET revision = revision + 1, recorded = clock_timestamp() RETURNING revision, recorded)
INSERT INTO revision (revision, recorded, author, counts, versions)
SELECT revision, recorded, 'benchmark', '{}', 0 FROM moved
"""


async def _copy(
    connection: asyncpg.Connection, made: Generated, first: int, numbers: Numbers, *, in_order: bool
) -> float:
    revision = 1 + await connection.fetchval("SELECT revision FROM head")
    versions = [msgspec.structs.replace(told[0], revision=revision) for _, told in made.versions(first, first + ROWS)]
    places = [made.place(number) for number in range(first, first + ROWS)]
    wanted = {term for version in versions for term in version.terms}
    async with connection.transaction():
        terms = await postings.ensure_terms(connection, wanted, {})
    events = [(p.event, p.id, numbers["collection", p.collection], p.key) for p in places]
    parts = {
        "event": await _bytes_of(connection, "event", events),
        "version": await _bytes_of(connection, "version", [row_of(each, terms, numbers) for each in versions]),
    }
    rows = list(_postings(versions, terms, in_order=in_order))
    began = time.perf_counter()
    async with connection.transaction():
        await connection.execute(LOG)
        for table, content in parts.items():
            await connection.copy_to_table(table, source=io.BytesIO(content), format="binary")
        await copy_postings(connection, rows)
    return ROWS / (time.perf_counter() - began)


async def _bytes_of(connection: asyncpg.Connection, table: str, rows: list[Any]) -> bytes:
    """The rows as COPY takes them."""
    async with connection.transaction():
        # A name of its own: the client remembers the columns of each.
        await connection.execute(f"CREATE TEMP TABLE kept_{table} (LIKE {table}) ON COMMIT DROP")
        await connection.copy_records_to_table(f"kept_{table}", records=rows)
        content = io.BytesIO()
        await connection.copy_from_query(f"SELECT * FROM kept_{table}", output=content, format="binary")
    return content.getvalue()


def _postings(versions: list[Version], terms: Mapping[Term, int], *, in_order: bool) -> Iterator[bytes]:
    every = [
        (terms[term], place, version.revision)
        for version in versions
        for place in places_of(version)
        for term in version.terms
    ]
    for number, place, revision in sorted(every) if in_order else every:
        yield with_terms([number], copied(place, revision))
