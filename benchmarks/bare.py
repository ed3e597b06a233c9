"""A handler of litestar that does nothing but pass on what one statement finds: what the libraries allow.

    python -m benchmarks.bare PORT WORKERS

The statements are the last that the service runs for each of some addresses (`recorded`), in a file that BARE_RUNS
names, on the database of DATELINE_DATABASE_URL. Nothing of a request is read, checked or bounded, nothing comes along
with the documents, and the answer has neither entity tag nor cursor.
"""

import itertools
import os
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from litestar import Litestar, Response, get

from benchmarks.recorded import Recorded
from benchmarks.serving import serve
from service.api.wire import Wire
from service.settings import settings_from
from service.storage.pool import open_pool

RUNS = "BARE_RUNS"


def write_runs(pages: Recorded, events: Recorded, path: Path) -> None:
    """Leaves the statements where a server finds them."""
    path.write_bytes(pickle.dumps({"page": _last(pages), "event": _last(events)}))


def _last(recorded: Recorded) -> list[tuple[str, tuple[Any, ...]]]:
    return [(runs[-1].statement, tuple(runs[-1].arguments)) for runs in recorded.pages]


def _longest(row: Sequence[Any]) -> bytes:
    return max((value for value in row if isinstance(value, bytes)), key=len)


def create_app() -> Litestar:
    settings = settings_from(os.environ)
    runs = {name: itertools.cycle(each) for name, each in pickle.loads(Path(os.environ[RUNS]).read_bytes()).items()}
    pools: list[Any] = []

    async def start() -> None:
        pools.append(await open_pool(settings.database_url or "", settings.pool_size, settings.statement_seconds))

    @get("/page")
    async def page() -> Response[bytes]:
        return Response(b'{"items":[%s]}' % await found("page"), media_type="application/json")

    @get("/event")
    async def event() -> Response[bytes]:
        return Response(await found("event"), media_type="application/json")

    async def found(name: str) -> bytes:
        statement, arguments = next(runs[name])
        async with pools[0].acquire() as connection:
            return _longest(await connection.fetchrow(statement, *arguments))

    return Litestar([page, event], on_startup=[start], openapi_config=None)


def main() -> None:
    port, workers = map(int, sys.argv[1:])
    serve("benchmarks.bare:create_app", port, workers, http=Wire, factory=True)


if __name__ == "__main__":
    main()
