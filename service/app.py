"""The whole service on one screen: every route, and what starts and stops with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar

from service.api import batch, counts, diff, events, merging, resources, revisions
from service.api import service as about
from service.api.document import document_bytes
from service.api.http import EXCEPTION_HANDLERS, handlers_of
from service.api.operation import Operation, Services
from service.api.pages import pages_of
from service.settings import Settings
from service.storage.pool import open_pool

OPERATIONS: tuple[Operation, ...] = (
    *about.OPERATIONS,
    *events.OPERATIONS,
    *counts.OPERATIONS,
    *batch.OPERATIONS,
    *resources.OPERATIONS,
    *merging.OPERATIONS,
    *revisions.OPERATIONS,
    *diff.OPERATIONS,
)


def create_app(settings: Settings) -> Litestar:
    """The service for a database that is migrated. It opens its connections when it starts."""
    services = Services(settings)
    document = document_bytes(OPERATIONS)

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        if settings.database_url is None:
            raise RuntimeError("The service needs a database; `dateline serve` brings one along.")
        services.opened = pool = await open_pool(settings.database_url, settings.pool_size, settings.statement_seconds)
        try:
            yield
        finally:
            await pool.close()

    return Litestar(
        route_handlers=handlers_of((*OPERATIONS, *pages_of(OPERATIONS, document)), services),
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=[lifespan],
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
