"""The log of committed writes."""

from typing import Final

import msgspec

from service.api import replies
from service.api.operation import JSON, Answer, Call, Operation, Reply
from service.api.shapes import LogItem, LogPage
from service.domain import parameters
from service.domain.errors import NotFound
from service.domain.instants import recorded_text
from service.domain.parameters import Parameter, cursor_of
from service.domain.selection import Whole
from service.domain.values import INT8_MAX
from service.operations.selecting import Store, open_store
from service.storage import revisions
from service.storage.revisions import LogRow

NUMBER: Final = Parameter(
    name="number",
    schema={"type": "integer", "format": "int64", "minimum": 1, "maximum": INT8_MAX},
    description="The revision's number.",
)
NEWEST_FIRST: Final = msgspec.structs.replace(
    parameters.ORDER,
    schema={"type": "string", "enum": ["asc", "desc"], "default": "desc"},
    description="By number: the newest first (desc) or the first.",
)

_counts = msgspec.json.Decoder(dict[str, dict[str, int]]).decode


async def list_revisions(call: Call) -> Reply:
    cursor = cursor_of(call.query, call.path, tuple[Whole])
    descending, limit = call.query.get("order") != ["asc"], call.limit()
    async with call.pool.acquire() as connection:
        store = await open_store(connection, call.caller, cursor)
        first = INT8_MAX if descending else 0
        after = first if cursor is None else int(cursor.place[0])
        rows = await revisions.read_log(connection, after, store.newest, limit + 1, descending)
    next = replies.following(call, store.newest, [rows[limit - 1].revision]) if len(rows) > limit else None
    page = LogPage(items=[_item(row, store) for row in rows[:limit]], next=next, revision=store.newest)
    return replies.paged(msgspec.json.encode(page), next)


async def read_revision(call: Call) -> Reply:
    number = int(call.place["number"])
    async with call.pool.acquire() as connection:
        store = await open_store(connection, call.caller)
        row = (await revisions.read_revisions(connection, [number])).get(number)
    if row is None:
        raise NotFound(f"There is no revision {number}; the newest is {store.head.revision}.")
    return Reply(200, msgspec.json.encode(_item(row, store)))


def _item(row: LogRow, store: Store) -> LogItem:
    """A revision as the caller may see it: what it did to collections out of sight is left out."""
    counts: dict[str, int] = {}
    for collection, numbers in _counts(row.counts).items():
        if collection == "" or collection in store.sight.listed:
            for what, number in numbers.items():
                counts[what] = counts.get(what, 0) + number
    return LogItem(
        revision=row.revision,
        recorded=recorded_text(row.recorded),
        author=row.author if counts else None,
        cause=row.cause if counts else None,
        message=row.message if counts else None,
        counts=counts or None,
    )


OPERATIONS = (
    Operation(
        id="listRevisions",
        method="GET",
        path="/v1/revisions",
        tag="revisions",
        summary="List the log of writes",
        parameters=(NEWEST_FIRST, parameters.LIMIT, parameters.CURSOR),
        run=list_revisions,
        answers=(Answer(200, "One page of the log.", {JSON: LogPage}, replies.PAGED),),
        problems=("invalid-parameter", "refused-parameter", "malformed-request"),
    ),
    Operation(
        id="readRevision",
        method="GET",
        path="/v1/revisions/{number}",
        tag="revisions",
        summary="Read one entry of the log",
        place=(NUMBER,),
        run=read_revision,
        answers=(Answer(200, "The revision.", {JSON: LogItem}, replies.TAGGED),),
        problems=("invalid-parameter", "malformed-request", "not-found"),
    ),
)
