"""What was read before and has not been written since: small things that most reads ask the database for.

A connection of the service remembers them until the watch counts a write. In a transaction, where something may have
been written that nobody else sees, nothing is remembered.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Any, Final, TypeVar

import asyncpg

from service.storage.pool import Connection
from service.storage.watching import Watch

WEIGHT_MAX: Final = 2**24
"""Bytes that are remembered, more or less."""
WEIGHT: Final = 500
"""About what each thing takes beside its bytes."""

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class Memory:
    """The things remembered by one process; those remembered first go first."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._empty(None)

    def _empty(self, count: int | None) -> None:
        self._count = count
        self._weight = 0
        self._things: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def begin(self) -> int | None:
        """The count at which what is now read may be remembered, None where it may not."""
        count = self._watch.count
        if count != self._count:
            self._empty(count)
        return count

    def get(self, key: Hashable) -> Any:
        """The thing, or None: nothing that is remembered is None."""
        found = self._things.get(key)
        return None if found is None else found[0]

    def keep(self, count: int | None, key: Hashable, thing: Any, weight: int) -> None:
        """Remembers a thing that was read since `begin`, unless something has been written meanwhile."""
        if count is None or thing is None or not self._watch.count == self._count == count or key in self._things:
            return
        self._things[key] = (thing, weight + WEIGHT)
        self._weight += weight + WEIGHT
        while self._weight > WEIGHT_MAX:
            _, (_, lost) = self._things.popitem(last=False)
            self._weight -= lost


class Remembering(asyncpg.Connection):
    """A connection of one service."""

    memory: Memory


def remembering(watch: Watch) -> type[Remembering]:
    """The connections of a service, which share what they remember."""
    return type("Remembering", (Remembering,), {"memory": Memory(watch)})


def _memory_of(connection: Connection) -> Memory | None:
    memory: Memory | None = getattr(connection, "memory", None)
    return None if memory is None or connection.is_in_transaction() else memory


async def recall(
    connection: Connection, key: Hashable, read: Callable[[], Awaitable[T]], weight: Callable[[T], int] = lambda _: 0
) -> T:
    """What `read` reads, by a key that says all that it reads; remembered from before, or read now.

    weight: the bytes of a thing that takes more than a few.
    """
    memory = _memory_of(connection)
    if memory is None:
        return await read()
    count = memory.begin()
    thing: T | None = memory.get(key)
    if thing is None:
        thing = await read()
        memory.keep(count, key, thing, weight(thing))
    return thing


async def recall_each(
    connection: Connection,
    kind: Hashable,
    keys: Iterable[K],
    read: Callable[[list[K]], Awaitable[dict[K, T]]],
    weight: Callable[[T], int],
) -> dict[K, T]:
    """The same for many of a kind: those not remembered are read together."""
    memory = _memory_of(connection)
    if memory is None:
        every = list(keys)
        return await read(every) if every else {}
    count = memory.begin()
    found: dict[K, T] = {}
    missing: list[K] = []
    for key in keys:
        thing = memory.get((kind, key))
        if thing is None:
            missing.append(key)
        else:
            found[key] = thing
    if missing:
        for key, thing in (await read(missing)).items():
            found[key] = thing
            memory.keep(count, (kind, key), thing, weight(thing))
    return found
