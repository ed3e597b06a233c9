"""The diff: two selections compared, as JSON or as a note that people read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from msgspec import Struct

from service.api import replies
from service.api.events import shown_to
from service.api.notes import note_of
from service.api.operation import JSON, MARKDOWN, Answer, Call, Operation, Reply
from service.api.shapes import Diff, DiffSide
from service.domain import parameters
from service.domain.asking import asked
from service.domain.callers import Caller
from service.domain.cursors import cursor_of
from service.domain.errors import DatelineError
from service.domain.parameters import Parameter, Query
from service.operations import selecting
from service.operations.comparing import Comparison, Place, compare, shown_change
from service.operations.selecting import open_store
from service.storage.pool import Connection

# What one side reads is told by its `revision`; how both are shown is no part of a selection.
NOT_SELECTING: Final = frozenset({"as_of", "revision", "order", "limit", "cursor", "include", "fields", "match_on"})


def side_of(query: Query, prefix: str) -> Query:
    """One side's own query: its prefixed parameters in place of those given for both."""
    own = {name.removeprefix(prefix): given for name, given in query.items() if name.startswith(prefix)}
    both = {name: given for name, given in query.items() if not name.startswith(("base_", "head_"))}
    if own.keys() & {"as_of", "revision"}:
        both = {name: given for name, given in both.items() if name not in ("as_of", "revision")}
    return both | own


def _prefixed(prefix: str) -> tuple[Parameter, ...]:
    side = prefix.removesuffix("_")
    return tuple(
        msgspec.structs.replace(
            each,
            name=prefix + each.name,
            # What is not said for one side is as it is said for both.
            schema={name: value for name, value in each.schema.items() if name != "default"},
            description=f"{each.name}, for the {side} alone.",
            example=EXAMPLES.get(prefix + each.name),
        )
        for each in parameters.SELECTION
    )


MATCH_ON: Final = Parameter(
    name="match_on",
    schema=parameters.words("MatchOn", "id", "key", default="id"),
    description="By what an event of one side is the same as one of the other; by key, one without matches none.",
)
EXAMPLES: Final = {"base_known_at": "2025-02-19", "head_known_at": "2025-02-20"}
# What is in one account is not both reported and denied: of all examples together nothing would change.
NO_EXAMPLES: Final = frozenset({"according_to", "according_to_source", "standing"})
PARAMETERS: Final = (
    *(
        msgspec.structs.replace(each, example=None) if each.name in NO_EXAMPLES else each
        for each in parameters.SELECTION
    ),
    *_prefixed("base_"),
    *_prefixed("head_"),
    parameters.ORDER,
    parameters.LIMIT,
    parameters.CURSOR,
    parameters.FIELDS,
    parameters.INCLUDE,
    MATCH_ON,
)


class Compared(Struct, frozen=True):
    """A page of a diff, and what was compared."""

    base: DiffSide
    head: DiffSide
    page: Comparison
    newest: int
    pinned: bool


async def compare_sides(connection: Connection, caller: Caller, query: Query, path: str, limit: int) -> Compared:
    """The diff that a checked query asks for, of what the caller may see."""
    base_query, head_query = side_of(query, "base_"), side_of(query, "head_")
    with _faults_of_side(query, "base_"):
        base_wants = asked(base_query)
    with _faults_of_side(query, "head_"):
        head_wants = asked(head_query)
    cursor = cursor_of(query, path, Place)
    store = await open_store(connection, caller, cursor)
    with _faults_of_side(query, "base_"):
        base = await selecting.select(connection, store, base_wants)
    with _faults_of_side(query, "head_"):
        head = await selecting.select(connection, store, head_wants)
    after = None if cursor is None else cursor.place
    return Compared(
        base=DiffSide(revision=base.selection.revision, selection=_told(base_query)),
        head=DiffSide(revision=head.selection.revision, selection=_told(head_query)),
        page=await compare(
            connection,
            store,
            base.selection,
            head.selection,
            after,
            limit,
            summed=cursor is None,
            shown=shown_to(query),
            by_key=query.get("match_on") == ["key"],
        ),
        newest=max(base.newest, head.newest),
        pinned=base.pinned and head.pinned,
    )


@contextmanager
def _faults_of_side(query: Query, prefix: str) -> Iterator[None]:
    """Gives the parameters in a refusal's faults the names under which this side was given them."""
    try:
        yield
    except DatelineError as error:
        error.faults = tuple(
            msgspec.structs.replace(fault, parameter=f"{prefix}{fault.parameter}")
            if f"{prefix}{fault.parameter}" in query
            else fault
            for fault in error.faults
        )
        raise


async def read_diff(call: Call) -> Reply:
    async with call.pool.acquire() as connection:
        diff = await compare_sides(connection, call.caller, call.query, call.path, call.limit())
    page = diff.page
    next = None if page.next is None else replies.following(call, diff.newest, page.next)
    if call.accepted == MARKDOWN:
        note = note_of(diff.base, diff.head, page, next).encode()
        return msgspec.structs.replace(replies.paged(note, next, pinned=diff.pinned), media_type=MARKDOWN)
    body = {
        "base": diff.base,
        "head": diff.head,
        "summary": page.summary,
        "items": [shown_change(change, shown_to(call.query)) for change in page.items],
        "included": None if page.base is None else {"base": page.base, "head": page.head},
        "next": next,
    }
    return replies.paged(msgspec.json.encode(body), next, pinned=diff.pinned)


def _told(query: Query) -> dict[str, Any]:
    return {name: given if len(given) > 1 else given[0] for name, given in query.items() if name not in NOT_SELECTING}


OPERATIONS = (
    Operation(
        id="readDiff",
        method="GET",
        path="/v1/diff",
        tag="diff",
        summary="Compare two selections",
        description=(
            "All selection parameters hold for both sides; with `base_` or `head_` before the name, for one side "
            "alone, in place of what is given for both. A diff between two revisions comes newest change first, any "
            "other in the order of the head's listing."
        ),
        parameters=PARAMETERS,
        run=read_diff,
        answers=(
            Answer(
                200,
                "One page of the changes from base to head.",
                {JSON: Diff, MARKDOWN: None},
                replies.PAGED,
                replies.next_link("readDiff"),
            ),
        ),
        problems=(
            "refused-parameter",
            "selection-too-broad",
            "not-found",
            "gone",
        ),
    ),
)
