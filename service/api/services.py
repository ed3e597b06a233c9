"""What every operation may use: the settings, the connections, the line of writers, and the answers that are kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from service.api.answers import Answers
from service.domain.callers import ANYONE, Caller, Scope
from service.domain.errors import Forbidden, Unauthenticated, Unavailable
from service.settings import Settings
from service.storage import keys, revisions
from service.storage.memory import remembering
from service.storage.pool import Connection, Pool, open_pool
from service.storage.watching import Watch

WRITING_MAX: Final = 2
"""Writes that hold a connection at once: one at work and one next in line, so that readers always find theirs."""

REVISION_SECONDS: Final = 1.0
"""How long a read waits for the revision it must have reached."""
PAUSE_SECONDS: Final = 0.01
"""The first pause between two looks at the head; each is twice as long as the one before."""


class Services:
    """The pool is there from the service's start to its stop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.watch = Watch(None if settings.watch_file is None else Path(settings.watch_file))
        self.answers = Answers(self.watch, settings.answers_bytes_max)
        self._line = asyncio.Semaphore(WRITING_MAX)
        self._opened: Pool | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Connections to the database, whose head is followed meanwhile."""
        url = self.settings.database_url
        if url is None:
            raise RuntimeError("The service needs a database; `dateline serve` brings one along.")
        settings, kind = self.settings, remembering(self.watch)
        self._opened = await open_pool(url, settings.pool_size, settings.statement_seconds, kind)
        following = asyncio.create_task(self.watch.follow(self._opened))
        try:
            yield
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
            await self._opened.close()

    @property
    def pool(self) -> Pool:
        if self._opened is None:
            raise ConnectionError("the service has not started")
        return self._opened

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        """A connection to write with, in a transaction. Raises TimeoutError where the line is too long."""
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self.settings.statement_seconds):
                await stack.enter_async_context(self._line)
                connection = await stack.enter_async_context(self.pool.acquire())
            await stack.enter_async_context(connection.transaction())
            yield connection


async def read_caller(services: Services, authorization: str | None, scope: Scope | None) -> Caller:
    """Who calls. Raises Unauthenticated for a key that is none or is missing where one is needed, and Forbidden."""
    caller = ANYONE
    if authorization is not None:
        scheme, _, credentials = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("Authorization must be a Bearer key.")
        async with services.pool.acquire() as connection:
            found = await keys.caller_of(connection, credentials.strip())
        if found is None:
            raise Unauthenticated("This key is unknown or no longer good.")
        caller = found
    if scope is not None and caller.scope is None:
        raise Unauthenticated("This needs a key.")
    if scope == "write" and not caller.writes:
        raise Forbidden(f"The key {caller.name} may only read.")
    return caller


async def await_revision(services: Services, wanted: int) -> None:
    """Waits until the head is at the revision. Raises Unavailable after a second; no connection is held meanwhile."""
    if wanted <= services.watch.reached:
        return
    deadline, pause = asyncio.get_running_loop().time() + REVISION_SECONDS, PAUSE_SECONDS
    while True:
        async with services.pool.acquire() as connection:
            head = await revisions.read_head(connection)
        if head.revision >= wanted:
            return
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise Unavailable(f"The head is at revision {head.revision} and has not reached {wanted}.")
        await asyncio.sleep(min(pause, left))
        pause *= 2
