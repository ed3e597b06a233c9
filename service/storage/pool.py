"""Connections: how they are opened, and which failures mean that the database is away for a moment."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = asyncpg.Connection

IDLE_SECONDS: Final = 60.0
"""After so long without use a connection goes back to the library's pool, which in time closes it."""
VERSION_MIN: Final = 18
COPIED_MIN: Final = 100
"""From so many rows on, copying them is worth its round trips."""
COPIED_MAX: Final = 20_000
"""No statement writes more rows: where the disk is slow, it would run out of time."""

UNAVAILABLE: Final = (
    ConnectionError,
    TimeoutError,
    asyncio.TimeoutError,
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    asyncpg.DeadlockDetectedError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.DiskFullError,
)
"""What passes: a lost or refused connection, a server that starts, stops or fails over, a statement out of time."""


class UnfitDatabase(Exception):
    """The database cannot be used as it is; the text says why and what to do."""


async def prepare(connection: asyncpg.Connection) -> None:
    """JSON columns travel as the bytes they are: a document is never decoded between the disk and the caller."""
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=_same_bytes, decoder=_same_bytes, format="binary"
    )


def _same_bytes(value: bytes) -> bytes:
    return value


async def _no_reset(connection: Connection) -> None:
    """Nothing here sets session state, so there is none to reset; the query would cost a round trip each time."""


async def insert_many(
    connection: Connection, statement: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Inserts rows of a table's columns, which `statement` takes one by one: few by the statement, many by COPY."""
    if len(rows) < COPIED_MIN:
        await connection.executemany(statement, rows)
    else:
        await copy_rows(connection, table, columns, rows)


async def copy_rows(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Inserts rows of a table's columns by COPY, in pieces."""
    for start in range(0, len(rows), COPIED_MAX):
        await connection.copy_records_to_table(table, records=rows[start : start + COPIED_MAX], columns=columns)


class Lent(asyncpg.Connection):
    """A connection of a pool, which its library hands out behind a proxy."""

    @property
    def itself(self) -> "Lent":
        """The connection without the proxy, through which each call takes as long again as many of them do."""
        return self


class Pool:
    """Connections that one user after another has to itself.

    One that was given back is lent again at once: what the library's pool does between two users, in a task of its own,
    takes as long as a short statement. It goes there when it is closed, or its use ended in an error, after which a
    statement may have to be cancelled; when somebody waits there for one; and when it has lain idle.
    """

    def __init__(self, library: asyncpg.Pool) -> None:
        self._library = library
        self._idle: deque[tuple[_Held, float]] = deque()
        self._waiting = 0
        self._closing = False

    def acquire(self) -> "_Loan":
        """A connection for the length of an `async with`; waits until there is one."""
        return _Loan(self)

    async def close(self) -> None:
        """Closes all connections, once those in use have been given back."""
        self._closing = True
        while self._idle:
            await self._release(self._idle.pop()[0])
        await self._library.close()

    async def take(self) -> "_Held":
        while self._idle:
            held, _ = self._idle.pop()
            if not held.connection.is_closed():
                return held
            # The library has noticed, and lends another in its place.
        self._waiting += 1
        try:
            proxy: Any = await self._library.acquire()
        finally:
            self._waiting -= 1
        return _Held(proxy, proxy.itself)

    async def give_back(self, held: "_Held", *, failed: bool) -> None:
        if failed or self._waiting or self._closing or held.connection.is_closed():
            await self._release(held)
            return
        now = time.monotonic()
        self._idle.append((held, now))
        if now - self._idle[0][1] > IDLE_SECONDS:
            await self._release(self._idle.popleft()[0])

    async def _release(self, held: "_Held") -> None:
        await self._library.release(held.proxy)


class _Held(NamedTuple):
    """A connection, and the proxy by which the library knows it."""

    proxy: PoolConnectionProxy
    connection: Connection


class _Loan:
    __slots__ = ("_held", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Connection:
        self._held = await self._pool.take()
        return self._held.connection

    async def __aexit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._pool.give_back(self._held, failed=kind is not None)


async def open_pool(url: str, size: int, statement_seconds: float, kind: type[Lent] = Lent) -> Pool:
    """A pool of up to `size` connections to PostgreSQL 18 or newer. Raises UnfitDatabase for an older one.

    A database that is away for a moment is no reason not to begin: what asks the pool meanwhile is told so.
    """
    library = await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=size,
        init=prepare,
        connection_class=kind,
        reset=_no_reset,
        command_timeout=statement_seconds + 5,
        timeout=10,
        server_settings={
            "application_name": "dateline",
            "jit": "off",
            # The other cores belong to other requests, and to start a worker takes longer than most pages.
            "max_parallel_workers_per_gather": "0",
            # The page statement has a shape that leaves no bad plan, and planning it anew costs as much as running it.
            "plan_cache_mode": "force_generic_plan",
            "statement_timeout": str(int(statement_seconds * 1000)),
            "idle_in_transaction_session_timeout": "60000",
        },
    )
    pool = Pool(library)
    try:
        async with pool.acquire() as connection:
            major = connection.get_server_version().major
    except UNAVAILABLE:
        return pool
    if major < VERSION_MIN:
        await pool.close()
        raise UnfitDatabase(f"The database is PostgreSQL {major}; dateline needs {VERSION_MIN} or newer.")
    return pool
