"""What was read before and has not been written since: small things that most reads ask the database for.

A connection of the service remembers them until the watch counts a write. In a transaction, where something may have
been written that nobody else sees, nothing is remembered.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable
from typing import Any, Final, TypeVar

from service.storage.pool import Connection, Lent
from service.storage.watching import Watch

WEIGHT_MAX: Final = 2**24
"""Bytes that are remembered, more or less."""
WEIGHT: Final = 500
"""About what each thing takes beside its bytes."""

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class Same:
    """A thing as part of a key, which only that very thing equals, whatever it holds."""

    __slots__ = ("thing",)

    def __init__(self, thing: object) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.thing is self.thing


class Memory:
    """The things remembered by one process, by kind and key; those remembered first go first."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._empty(None)

    def _empty(self, count: int | None) -> None:
        self._count = count
        self._weight = 0
        self._kinds: dict[Hashable, dict[Any, Any]] = {}
        self._order: deque[tuple[dict[Any, Any], Hashable, int]] = deque()

    def begin(self) -> int | None:
        """The count at which what is now read may be remembered, None where it may not."""
        count = self._watch.count
        if count != self._count:
            self._empty(count)
        return count

    def of(self, kind: Hashable) -> dict[Any, Any]:
        """What is remembered of a kind, by key: to be looked at, until something is waited for."""
        return self._kinds.get(kind, {})

    def keep(self, count: int | None, kind: Hashable, things: Iterable[tuple[Hashable, Any, int]]) -> None:
        """Remembers things read since `begin`, each by its key and with its weight; not if something was written since.

        Of a kind nothing that is None is remembered.
        """
        if count is None or not self._watch.count == self._count == count:
            return
        there = self._kinds.setdefault(kind, {})
        for key, thing, weight in things:
            if thing is not None and key not in there:
                there[key] = thing
                self._order.append((there, key, weight + WEIGHT))
                self._weight += weight + WEIGHT
        while self._weight > WEIGHT_MAX:
            kept, key, weight = self._order.popleft()
            del kept[key]
            self._weight -= weight


class Remembering(Lent):
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
    thing: T | None = memory.of(None).get(key)
    if thing is None:
        thing = await read()
        memory.keep(count, None, [(key, thing, weight(thing))])
    return thing


async def recall_each(
    connection: Connection,
    kind: Hashable,
    keys: Collection[K],
    read: Callable[[list[K]], Awaitable[dict[K, T]]],
    weight: Callable[[T], int] = lambda _: 0,
) -> list[T | None]:
    """The same for many of a kind, each in the place of its key: those not remembered are read together."""
    if not keys:
        return []
    memory = _memory_of(connection)
    if memory is None:
        read_now = await read(list(keys))
        return list(map(read_now.get, keys))
    count = memory.begin()
    there = memory.of(kind)
    found: list[T | None] = list(map(there.get, keys))
    if all(found):
        return found
    missing = [key for key, thing in zip(keys, found, strict=True) if thing is None]
    if missing:
        read_now = await read(missing)
        memory.keep(count, kind, ((key, thing, weight(thing)) for key, thing in read_now.items()))
        found = [read_now.get(key) if thing is None else thing for key, thing in zip(keys, found, strict=True)]
    return found
