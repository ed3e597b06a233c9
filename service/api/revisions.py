"""The log of committed writes."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from service.api import replies
from service.api.operation import JSON, Answer, Call, Operation, Reply
from service.api.shapes import LogItem, LogPage
from service.domain import parameters
from service.domain.cursors import cursor_of
from service.domain.errors import NotFound
from service.domain.instants import recorded_text
from service.domain.lenses import Whole
from service.domain.parameters import Parameter, words
from service.domain.values import INT8_MAX
from service.operations.selecting import Store, open_store
from service.storage import revisions
from service.storage.pool import Connection
from service.storage.revisions import LogRow

NUMBER: Final = Parameter(
    name="number",
    schema={"type": "integer", "format": "int64", "minimum": 1, "maximum": INT8_MAX},
    example=5,
    description="The revision's number.",
)
NEWEST_FIRST: Final = msgspec.structs.replace(
    parameters.ORDER,
    schema=words("Order", "asc", "desc", default="desc"),
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
        items = await _items(connection, store, rows[:limit])
    next = replies.following(call, store.newest, [rows[limit - 1].revision]) if len(rows) > limit else None
    page = LogPage(items=items, next=next, revision=store.newest)
    return replies.paged(msgspec.json.encode(page), next)


async def read_revision(call: Call) -> Reply:
    number = int(call.place["number"])
    async with call.pool.acquire() as connection:
        store = await open_store(connection, call.caller)
        row = (await revisions.read_revisions(connection, [number])).get(number)
        if row is None:
            raise NotFound(f"There is no revision {number}; the newest is {store.head.revision}.")
        (item,) = await _items(connection, store, [row])
    return Reply(200, msgspec.json.encode(item), pinned=True)


async def _items(connection: Connection, store: Store, rows: Sequence[LogRow]) -> list[LogItem]:
    """Revisions as the caller may see them: what they did out of sight is left out."""
    by_row = [_counts(row.counts) for row in rows]
    resources = await revisions.count_resources(
        connection,
        [row.revision for row, counts in zip(rows, by_row, strict=True) if "" in counts],
        collections=store.sight.listed,
        every_name=store.caller.writes,
        timelines=("public",) if store.caller.scope is None else ("public", "private"),
    )
    items = []
    for row, counts in zip(rows, by_row, strict=True):
        seen = Counter(resources.get(row.revision, {}))
        for collection in counts.keys() & store.sight.listed:
            seen.update(counts[collection])
        items.append(_item(row, dict(sorted(seen.items()))))
    return items


def _item(row: LogRow, counts: dict[str, int]) -> LogItem:
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
        description=(
            "Every write is one revision, numbered without gaps; of a write to what the caller may not "
            "see, author, message and counts are null."
        ),
        parameters=(NEWEST_FIRST, parameters.LIMIT, parameters.CURSOR),
        run=list_revisions,
        answers=(
            Answer(200, "One page of the log.", {JSON: LogPage}, replies.PAGED, replies.next_link("listRevisions")),
        ),
        problems=("refused-parameter",),
    ),
    Operation(
        id="readRevision",
        method="GET",
        path="/v1/revisions/{number}",
        tag="revisions",
        summary="Read one entry of the log",
        description="When it was written, by whom, why and in what words, and how much it wrote.",
        place=(NUMBER,),
        run=read_revision,
        answers=(Answer(200, "The revision.", {JSON: LogItem}, replies.TAGGED),),
        problems=("not-found",),
    ),
)
