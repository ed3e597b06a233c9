"""Answers that are kept for a repeated Idempotency-Key: for a day, by caller, and never longer."""

import asyncpg

from service.storage import idempotency
from service.storage.idempotency import Answer

ANSWER = Answer(201, {"Location": "/v1/events/1", "Revision": "7"}, b'{"title":"\xc3\xa9"}')
OTHER = Answer(200, {}, b"")


async def test_an_answer_comes_back_as_it_was_given(connection: asyncpg.Connection) -> None:
    assert await idempotency.kept(connection, "caller", "key") is None
    await idempotency.keep(connection, "caller", "key", b"digest", ANSWER)
    await idempotency.keep(connection, "another", "key", b"other", OTHER)
    assert await idempotency.kept(connection, "caller", "key") == (b"digest", ANSWER)
    assert await idempotency.kept(connection, "another", "key") == (b"other", OTHER)
    assert await idempotency.kept(connection, "caller", "another key") is None


async def test_an_answer_past_its_day_is_none_and_makes_room(connection: asyncpg.Connection) -> None:
    for key in ("old", "older"):
        await idempotency.keep(connection, "caller", key, b"digest", ANSWER)
    await idempotency.keep(connection, "caller", "new", b"digest", ANSWER)
    lasting = await connection.fetchval("SELECT min(kept_until) - now() = interval '1 day' FROM idempotency")
    assert lasting
    await connection.execute("UPDATE idempotency SET kept_until = now() WHERE key LIKE 'old%'")
    assert await idempotency.kept(connection, "caller", "old") is None
    await idempotency.keep(connection, "caller", "old", b"another", OTHER)
    assert await idempotency.kept(connection, "caller", "old") == (b"another", OTHER)
    assert await connection.fetchval("SELECT array_agg(key ORDER BY key) FROM idempotency") == ["new", "old"]


async def test_a_key_in_use_is_its_callers_alone_and_free_with_the_transaction(
    connection: asyncpg.Connection, database_url: str
) -> None:
    other = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            assert await idempotency.lock(connection, "caller", "key")
            async with other.transaction():
                assert not await idempotency.lock(other, "caller", "key")
                assert await idempotency.lock(other, "caller", "other key")
                assert await idempotency.lock(other, "other caller", "key")
    finally:
        await other.close()
