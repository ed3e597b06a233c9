"""Connections are lent to one user at a time, again and again, and none is lost or lent broken."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from service.storage import pool as pools
from service.storage.pool import Connection, Pool, open_pool

BACKEND = "SELECT pg_backend_pid()"
ENOUGH_SECONDS = 20.0


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database_url, 2, 10)
    yield opened
    async with asyncio.timeout(ENOUGH_SECONDS):
        await opened.close()


async def backend_of(connection: Connection) -> int:
    number: int = await connection.fetchval(BACKEND)
    return number


async def test_what_was_given_back_is_lent_again(pool: Pool) -> None:
    async with pool.acquire() as first, pool.acquire() as second:
        there = {await backend_of(first), await backend_of(second)}
    assert len(there) == 2
    for _ in range(5):
        async with pool.acquire() as connection:
            last = await backend_of(connection)
            async with pool.acquire() as other:
                assert {last, await backend_of(other)} == there
    async with pool.acquire() as connection:
        assert await backend_of(connection) == last


async def test_who_comes_when_all_are_lent_waits_for_one(pool: Pool) -> None:
    served: list[int] = []

    async def use(number: int) -> None:
        async with pool.acquire() as connection:
            await backend_of(connection)
            served.append(number)

    async with pool.acquire(), pool.acquire():
        waiting = [asyncio.create_task(use(number)) for number in range(6)]
        await asyncio.sleep(0.1)
        assert served == []
        given_up = waiting.pop(1)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
    async with asyncio.timeout(ENOUGH_SECONDS):
        await asyncio.gather(*waiting)
        assert sorted(served) == [0, 2, 3, 4, 5]
        # Nobody has kept one.
        async with pool.acquire() as first, pool.acquire() as second:
            assert await backend_of(first) != await backend_of(second)


async def test_what_was_left_running_is_cancelled_before_anybody_else_comes(pool: Pool) -> None:
    async def use() -> None:
        async with pool.acquire() as connection:
            await connection.execute("SELECT pg_sleep(30)")

    hurried = [asyncio.create_task(use()) for _ in range(2)]
    await asyncio.sleep(0.2)
    for task in hurried:
        task.cancel()
    await asyncio.gather(*hurried, return_exceptions=True)
    assert pool._library.get_idle_size() == 2, "the library has waited for them"
    async with asyncio.timeout(ENOUGH_SECONDS / 2), pool.acquire() as first, pool.acquire() as second:
        assert await backend_of(first) != await backend_of(second)
        running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(30)%' AND state = 'active'"
        assert await first.fetchval(running) == 0


async def test_a_statement_that_fails_costs_nobody_a_connection(pool: Pool) -> None:
    for _ in range(5):
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with pool.acquire() as connection, connection.transaction():
                await connection.fetchval("SELECT 1 / 0")
    async with asyncio.timeout(ENOUGH_SECONDS), pool.acquire() as first, pool.acquire() as second:
        assert not first.is_in_transaction()
        assert await backend_of(first) != await backend_of(second)


async def test_what_was_closed_meanwhile_is_not_lent(pool: Pool) -> None:
    async with pool.acquire() as first, pool.acquire() as second:
        gone = {await backend_of(first), await backend_of(second)}
    async with pool.acquire() as connection:
        ending = next(iter(gone - {await backend_of(connection)}))
        assert await connection.fetchval("SELECT pg_terminate_backend($1)", ending)
        await asyncio.sleep(0.2)
        async with pool.acquire() as other:
            assert await backend_of(other) not in gone


async def test_what_lay_idle_goes_back_to_the_library(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pool.acquire(), pool.acquire():
        pass
    library = pool._library
    assert library.get_idle_size() == 0, "both are at hand"
    monkeypatch.setattr(pools, "IDLE_SECONDS", -1.0)
    async with pool.acquire():
        pass
    assert library.get_idle_size() == 1
    async with asyncio.timeout(ENOUGH_SECONDS), pool.acquire() as first, pool.acquire() as second:
        assert await backend_of(first) != await backend_of(second)


async def test_closing_waits_for_what_is_lent(database_url: str) -> None:
    opened = await open_pool(database_url, 2, 10)
    async with opened.acquire() as connection:
        closing = asyncio.create_task(opened.close())
        await asyncio.sleep(0.1)
        assert not closing.done()
        assert await connection.fetchval("SELECT 1") == 1
    async with asyncio.timeout(ENOUGH_SECONDS):
        await closing
    assert connection.is_closed()
