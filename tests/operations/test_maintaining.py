"""Upkeep: versions are moved together, and nobody who reads or writes meanwhile notices."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from service.operations.maintaining import Upkeep, keep_order
from service.storage import ordering
from service.storage.embedded import EmbeddedPostgres
from service.storage.migrating import migrate
from service.storage.pool import prepare
from tests.conftest import new_folder
from tests.storage.pasts import Past, new_past

EVERYTHING = "SELECT v::text FROM version v ORDER BY event, revision"


@pytest.fixture(scope="module")
def own_url() -> Iterator[str]:
    """A database of its own: what is moved is committed, and vacuuming is no part of a transaction."""
    with new_folder() as folder, EmbeddedPostgres(folder) as server:
        asyncio.run(migrate(server.dsn))
        yield server.dsn


@pytest.fixture
async def past(own_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Past]:
    """A store whose versions lie as they were written, in small buckets."""
    monkeypatch.setattr(ordering, "BUCKET", 25)
    opened = await asyncpg.connect(own_url)
    await prepare(opened)
    if await opened.fetchval("SELECT revision FROM head") > 0:
        await opened.execute(
            "TRUNCATE version, posting, term_span, term, event, resource, resource_version, merge CASCADE"
        )
        await opened.execute("TRUNCATE revision CASCADE; UPDATE head SET revision = 0")
    yield await new_past(opened, seed=7, length=250)
    await opened.close()


async def strays(connection: asyncpg.Connection) -> Upkeep:
    found, after = Upkeep(), ordering.BEFORE_ALL
    while (bucket := await ordering.next_bucket(connection, after)) is not None:
        assert bucket.last > after
        found.versions += bucket.versions
        found.strays += bucket.strays
        after = bucket.last
    return found


async def test_what_strays_is_moved_and_nothing_else_is_changed(past: Past) -> None:
    connection = past.connection
    every = await connection.fetch(EVERYTHING)
    before = await strays(connection)
    assert before.versions == len(every) > 200
    assert before.strays > before.versions / 4
    said: list[str] = []
    done = await keep_order(connection, said.append)
    assert (done.versions, done.strays) == (before.versions, before.strays)
    assert done.moved > 0
    assert await connection.fetch(EVERYTHING) == every
    after = await strays(connection)
    assert after.strays < before.strays / 4
    again = await keep_order(connection, said.append)
    assert again.strays == after.strays
    assert again.moved < done.moved


async def test_readers_and_writers_go_on_meanwhile(past: Past, own_url: str) -> None:
    """Each read finds every version once; a write held open in the middle neither waits nor is waited for."""
    every = await past.connection.fetch(EVERYTHING)
    done = asyncio.Event()

    async def read() -> int:
        reader = await asyncpg.connect(own_url)
        times = 0
        while not done.is_set() or times == 0:
            assert await reader.fetch(EVERYTHING) == every
            times += 1
        await reader.close()
        return times

    async def upkeep() -> Upkeep:
        keeper = await asyncpg.connect(own_url)
        try:
            return await keep_order(keeper, lambda _: None)
        finally:
            done.set()
            await keeper.close()

    writer = await asyncpg.connect(own_url)
    transaction = writer.transaction()
    await transaction.start()
    await writer.execute("SELECT FROM head FOR UPDATE")
    try:
        kept, times = await asyncio.gather(upkeep(), read())
    finally:
        await transaction.rollback()
        await writer.close()
    assert kept.moved > 0
    assert times > 0
    assert await past.connection.fetch(EVERYTHING) == every


async def test_an_empty_store_is_in_order(own_url: str) -> None:
    connection = await asyncpg.connect(own_url)
    await connection.execute("TRUNCATE version CASCADE")
    assert await keep_order(connection, lambda _: None) == Upkeep()
    await connection.close()
