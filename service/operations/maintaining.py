"""Upkeep beside a running service: versions are laid in the order of time, a bucket at a time."""

from collections.abc import Callable
from typing import Final

import asyncpg
from msgspec import Struct

from service.storage import ordering
from service.storage.pool import Connection

TIDIED_AFTER: Final = 50
"""Buckets after which the room that they left is freed for those to come."""


class Upkeep(Struct):
    """What was found and done, in versions."""

    versions: int = 0
    strays: int = 0
    moved: int = 0


async def keep_order(connection: Connection, say: Callable[[str], None]) -> Upkeep:
    """Goes through all versions in the order of time and moves together those that stray.

    It can be ended at any moment and begun again: what is in order is left alone.
    """
    upkeep, after, moved = Upkeep(), ordering.BEFORE_ALL, 0
    while (bucket := await ordering.next_bucket(connection, after)) is not None:
        upkeep.versions += bucket.versions
        upkeep.strays += bucket.strays
        if not bucket.in_order:
            await ordering.move(connection, after, bucket.last)
            upkeep.moved += bucket.versions
            moved += 1
            if moved % TIDIED_AFTER == 0:
                await ordering.tidy(connection)
                say(f"{upkeep.versions} versions looked at, {upkeep.moved} moved")
        after = bucket.last
    await ordering.tidy(connection)
    return upkeep


async def maintain(url: str, say: Callable[[str], None]) -> Upkeep:
    """The same, on a connection of its own without a time-out, for vacuuming a large store takes minutes."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await keep_order(connection, say)
    finally:
        await connection.close()
