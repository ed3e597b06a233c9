"""The whole service on one screen: every route, and what starts and stops with it."""

from litestar import Litestar

from service.api import batch, counts, diff, events, export, merging, resources, revisions
from service.api import service as about
from service.api.answers import Front
from service.api.document import document_bytes
from service.api.embedding import OPERATIONS as EMBEDDING
from service.api.http import EXCEPTION_HANDLERS, handlers_of
from service.api.operation import Operation
from service.api.pages import pages_of
from service.api.services import Services
from service.settings import Settings

OPERATIONS: tuple[Operation, ...] = (
    *about.OPERATIONS,
    *events.OPERATIONS,
    *counts.OPERATIONS,
    *export.OPERATIONS,
    *batch.OPERATIONS,
    *resources.OPERATIONS,
    *merging.OPERATIONS,
    *revisions.OPERATIONS,
    *diff.OPERATIONS,
    *EMBEDDING,
)


def create_app(settings: Settings) -> Front:
    """The service for a database that is migrated. It opens its connections when it starts."""
    services = Services(settings)
    document = document_bytes(OPERATIONS)
    app = Litestar(
        route_handlers=handlers_of((*OPERATIONS, *pages_of(OPERATIONS, document)), services),
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=[lambda _app: services.opened()],
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    return Front(app, services.answers)
