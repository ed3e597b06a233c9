"""Writing to a store over HTTP, and taking away again what was written, so that a store that is kept stays the same."""

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import msgspec

from benchmarks.generated import REVISIONS, Generated
from benchmarks.loading import connect
from service.storage import keys, postings

CHANGED = 1_000
SECONDS_MAX = 600.0
BASE = REVISIONS + 1
"""The revision that `change` makes, the last of a store as it is kept."""


@contextlib.asynccontextmanager
async def writer(connection: asyncpg.Connection, origin: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key that may write, for as long as it is used."""
    key = await keys.make_key(connection, "benchmark", "write", None)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    try:
        async with httpx.AsyncClient(base_url=origin, headers=headers, timeout=SECONDS_MAX) as client:
            yield client
    finally:
        await connection.execute("DELETE FROM key WHERE key = $1", key.split("_")[1])


async def post(client: httpx.AsyncClient, rows: list[Any]) -> float:
    """Sends one batch, and tells how many seconds it took."""
    body = b"\n".join(map(msgspec.json.encode, rows))
    began = time.perf_counter()
    answer = await client.post("/v1/events/batch", content=body)
    seconds = time.perf_counter() - began
    if answer.status_code != 200:
        raise SystemExit(f"the batch was refused: {answer.status_code} {answer.text[:1000]}")
    return seconds


CHANGE = """
SELECT e.key, c.slug, v.document FROM event e JOIN resource c ON c.resource = e.collection
CROSS JOIN LATERAL (SELECT document FROM version v WHERE v.event = e.event ORDER BY revision DESC LIMIT 1) v
WHERE c.slug = 'main' AND v.document IS NOT NULL AND e.key = ANY ($1)
"""


async def change(url: str, origin: str, made: Generated) -> None:
    """Makes one more revision, of a thousand changes: titles, dates and tags of events all over the store."""
    connection = await connect(url)
    wanted = [f"event-{number * made.total // (2 * CHANGED)}" for number in range(2 * CHANGED)]
    rows = (await connection.fetch(CHANGE, wanted))[:CHANGED]
    changes: list[dict[str, Any]] = [{"title": "Told otherwise"}, {"occurred": "1962-05"}, {"tags": ["told anew"]}]
    sent = [
        {"key": key, "collection": collection, **changes[place % len(changes)]}
        for place, (key, collection, _) in enumerate(rows)
    ]
    async with writer(connection, origin) as client:
        await post(client, sent)
    await connection.close()


REWIND = (
    "DELETE FROM posting WHERE since > $1",
    "DELETE FROM version WHERE revision > $1",
    "DELETE FROM event e WHERE NOT EXISTS (SELECT FROM version v WHERE v.event = e.event) AND $1 > 0",
    "DELETE FROM resource_use WHERE since > $1",
    "DELETE FROM revision WHERE revision > $1",
    "UPDATE head SET (revision, recorded) = (SELECT revision, recorded FROM revision WHERE revision = $1)",
    "DELETE FROM term_span WHERE $1 > 0",
)


async def rewind(url: str) -> int:
    """Takes away what was written after the revision that a store is kept at; gives the head."""
    connection = await connect(url)
    head: int = await connection.fetchval("SELECT revision FROM head")
    if head > BASE:
        async with connection.transaction():
            for statement in REWIND:
                await connection.execute(statement, BASE)
            await connection.execute(postings.RECOUNT)
        for table in ("posting", "version", "event", "term_span"):
            await connection.execute(f"VACUUM (ANALYZE) {table}")
    await connection.close()
    return min(head, BASE)
