"""A handler of litestar that does nothing but pass on what one statement finds: what the libraries allow.

    python -m benchmarks.bare PORT WORKERS

The statements are the last that the service runs for each of some addresses (`recorded`), in a file that BARE_RUNS
names, on the database of DATELINE_DATABASE_URL. An answer has the same bytes as the service's: what comes along with
the documents, and the next address, are there already. Nothing of a request is read, checked or bounded, and there is
no entity tag.
"""

import itertools
import os
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from litestar import Litestar, Response, get

from benchmarks.recorded import Recorded
from benchmarks.serving import serve
from service.api.wire import Wire
from service.settings import settings_from
from service.storage.pool import open_pool

RUNS = "BARE_RUNS"


ITEMS, INCLUDED = b'{"items":[', b',"included":'


class Ready(NamedTuple):
    """One answer: its statement, and what of it is there already: `rest` goes behind what the statement finds."""

    statement: str
    arguments: tuple[Any, ...]
    items: bytes
    """Sent in place of a page of which a document comes apart, which the service looks at."""
    rest: bytes


def ready_of(recorded: Recorded, answers: Sequence[bytes]) -> list[Ready]:
    """For each address its last statement, and the answer from what comes along on."""
    return [
        Ready(runs[-1].statement, tuple(runs[-1].arguments), answer[len(ITEMS) : end - 1], answer[end:])
        for runs, answer in zip(recorded.pages, answers, strict=True)
        for end in (answer.rindex(INCLUDED),)
    ]


def write_runs(pages: list[Ready], events: list[Ready], path: Path) -> None:
    """Leaves them where a server finds them."""
    path.write_bytes(pickle.dumps({"page": pages, "event": events}))


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
        documents, rest = await found("page")
        return Response(b"".join([ITEMS, documents, b"]", rest]), media_type="application/json")

    @get("/event")
    async def event() -> Response[bytes]:
        document, rest = await found("event")
        return Response(b"".join([document[:-1], rest]), media_type="application/json")

    async def found(name: str) -> tuple[bytes, bytes]:
        ready = next(runs[name])
        async with pools[0].acquire() as connection:
            row = await connection.fetchrow(ready.statement, *ready.arguments)
        return ready.items if row.get("hidden") else _longest(row), ready.rest

    return Litestar([page, event], on_startup=[start], openapi_config=None)


def main() -> None:
    port, workers = map(int, sys.argv[1:])
    serve("benchmarks.bare:create_app", port, workers, http=Wire, factory=True)


if __name__ == "__main__":
    main()
