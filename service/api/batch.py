"""The batch: reading rows from a JSON array or from lines, and answering what became of each."""

import asyncio
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from types import GenericAlias
from typing import Annotated, Any, Final, TypeAlias, cast

import msgspec
from msgspec import Meta

from service.api import bodies, examples, replies
from service.api.operation import JSON, NDJSON, Answer, Call, Operation, Reply
from service.api.patches import patch_shape
from service.api.problems import ROW_FAULTS_MAX, ROWS_MAX, ROWS_TOLD_MAX, RowOutcome
from service.api.shapes import BatchAnswer
from service.api.writing import IDEMPOTENCY_KEY, NOTE, write
from service.domain import parameters
from service.domain.batch import BatchEvent, parted
from service.domain.errors import Fault, InvalidBody, Malformed, RefusedParameter
from service.domain.event import EventInput
from service.domain.parameters import Parameter
from service.domain.values import Key, Slug
from service.operations.batch import RETRACTED_MAX, Batch, OnExisting, Recorded, Row, record_batch
from service.operations.editing import DEFAULT_COLLECTION, Edit
from service.operations.recording import BREATH

BYTES_MAX: Final = 32 * 2**20
LINES_AT_ONCE: Final = 10_000
GIVEN_MAX: Final = 2**23
"""So many bytes of rows are kept as the events that they are; the others are read again when they are recorded."""
COMMAS_MAX: Final = 64 * ROWS_MAX
"""An array that has more may have more members than can be taken apart in one go."""

Text: TypeAlias = bytes | memoryview | msgspec.Raw

COLLECTION: Final = Parameter(
    name="collection",
    schema=parameters.SLUG,
    example="main",
    description="The collection of every row that names none.",
)
ON_EXISTING: Final = Parameter(
    name="on_existing",
    schema=parameters.words("OnExisting", "merge", "replace", "skip", "fail", default="merge"),
    description=(
        "What a row does whose key is known: revise the event as a merge patch of its input form, be all of it, leave "
        "it as it is, or be refused."
    ),
)
_FLAG: Final = {"type": "boolean", "default": False}
RETRACT_MISSING: Final = Parameter(
    name="retract_missing",
    schema=_FLAG,
    description=(
        "Whether events of `collection`, which must be given, are retracted where no row names them; also those "
        f"without a key. At most {RETRACTED_MAX:,} at once."
    ),
)
DRY_RUN: Final = Parameter(
    name="dry_run", schema=_FLAG, description="Whether the answer is only what would be, and nothing is written."
)

BatchRow: Final = patch_shape("BatchRow", BatchEvent)
BatchRow.__doc__ = (
    "An event as POST /v1/events takes it, with actors and sources by slug or whole. With a known key and "
    "on_existing=merge, a merge patch (RFC 7396) of its input form; else what is null is as if left out, and title is "
    "needed."
)
BatchRows: Final[Any] = Annotated[GenericAlias(list, (BatchRow,)), Meta(max_length=ROWS_MAX)]

_MEMBERS: Final = frozenset(EventInput.__struct_fields__)
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_BLANK: Final = re.compile(rb"[ \t\r\n]*")


async def record_event_batch(call: Call) -> Reply:
    query = {name: given[0] for name, given in call.query.items()}
    collection, dry = query.get("collection"), query.get("dry_run") == "true"
    missing = query.get("retract_missing") == "true"
    if missing and collection is None:
        fault = Fault(parameter="retract_missing", detail="needs collection, of which to retract what is missing")
        raise RefusedParameter("The request has parameters that cannot hold.", [fault])
    most = call.services.settings.body_bytes_max
    batch = Batch(
        rows=await _read_rows(call, collection or DEFAULT_COLLECTION, most),
        on_existing=cast("OnExisting", query.get("on_existing", "merge")),
        retract_missing=collection if missing else None,
    )

    async def change(edit: Edit) -> Reply:
        recorded = await record_batch(edit, batch, call.caller, lambda form: _event_of(form, most))
        body = msgspec.json.encode(_answer(recorded, edit.revision, dry))
        if dry:
            edit.discard()
        return Reply(200, body)

    return await write(call, change, kept=not dry)


def _answer(recorded: Recorded, revision: int, dry: bool) -> BatchAnswer:
    rows = [
        RowOutcome(
            index=outcome.row.index,
            key=outcome.row.key,
            id=None if dry and outcome.result == "created" else outcome.id,
            result=outcome.result,
            errors=[],
        )
        for outcome in recorded.outcomes
    ]
    results = [row.result for row in rows]
    return BatchAnswer(
        revision=revision,
        created=results.count("created"),
        updated=results.count("updated"),
        unchanged=results.count("unchanged"),
        retracted=recorded.retracted,
        rows=rows,
    )


def _event_of(form: Any, most: int) -> EventInput:
    """An input form as strictly as POST takes it. Raises InvalidBody.

    Its parts have been looked at when they were read; what may have grown as they came together is looked at again.
    """
    given: EventInput = bodies.structure_of(form, EventInput)
    if bodies.depth_of(form) > bodies.DEPTH_MAX or len(msgspec.json.encode(form)) > most:
        detail = f"comes to more than {most} bytes or {bodies.DEPTH_MAX} levels of JSON"
        raise InvalidBody("The event is more than can be posted.", [Fault(pointer="", detail=detail)])
    if faults := bodies.loose_faults({"attributes": given.attributes}):
        raise InvalidBody("The event holds what no text or list of ours can.", faults)
    return given


async def _read_rows(call: Call, collection: str, most: int) -> list[Row]:
    """The body's rows, whatever is wrong with each. Raises Malformed for what is no JSON, InvalidBody for too many."""
    if call.media_type != NDJSON and (whole := _whole(call.body)) is not None:
        with suppress(Malformed):
            return await _rows_of(((0, row) for row in whole), collection, most)
    # Which row it is that is no JSON, and where, is told by going through it step by step.
    texts = _lines(call.body) if call.media_type == NDJSON else _members(call.body, most)
    return await _rows_of(texts, collection, most)


def _whole(body: bytes) -> list[msgspec.Raw] | None:
    """The members of a JSON array, none of which is copied; None where that may not be so easy."""
    if body.count(b",") > COMMAS_MAX:
        return None
    try:
        return msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError):
        return None


async def _rows_of(texts: Iterable[tuple[int, Text | None]], collection: str, most: int) -> list[Row]:
    rows: list[Row] = []
    size = 0
    for number, (line, text) in enumerate(texts):
        if number % BREATH == 0:
            await asyncio.sleep(0)
        if text is None:
            continue
        if len(rows) == ROWS_MAX:
            fault = Fault(pointer="", detail=f"may have at most {ROWS_MAX} rows")
            raise InvalidBody("The batch has too many rows.", [fault])
        size += len(memoryview(text))
        try:
            rows.append(_row(len(rows), text, collection, most, kept=size <= GIVEN_MAX))
        except Malformed as error:
            raise _of_row(len(rows), line, error) from error
    return rows


def _of_row(number: int, line: int, error: Malformed) -> Malformed:
    return Malformed(f"Row {number}, which begins in line {line}: {error.detail}")


def _lines(body: bytes) -> Iterator[tuple[int, memoryview | None]]:
    """Lines that are not blank, each with its number; None now and then, so that many blank ones take no long turn."""
    view, start, number = memoryview(body), 0, 0
    while start < len(body):
        number += 1
        end = body.find(b"\n", start) + 1 or len(body)
        if _BLANK.fullmatch(body, start, end) is None:
            yield number, view[start:end]
        elif number % LINES_AT_ONCE == 0:
            yield number, None
        start = end


def _members(body: bytes, most: int) -> Iterator[tuple[int, bytes | None]]:
    """Texts of a JSON array's members, each with the line in which it begins. What is no UTF-8 is left to who reads."""
    text = body.decode("utf-8", "surrogateescape")
    at = _after_space(text, 0)
    if text[at : at + 1] != "[":
        if len(body) <= most:
            bodies.value_of(text)
        raise InvalidBody("The body is not of its schema.", [Fault(pointer="", detail="must be an array")])
    line, counted, number = 1, 0, 0
    at = _after_space(text, at + 1)
    while text[at : at + 1] != "]" or counted:
        start = at
        line += text.count("\n", counted, start)
        counted = start
        try:
            at = bodies.end_of(text, start)
        except Malformed as error:
            raise _of_row(number, line, error) from error
        yield line, text[start:at].encode("utf-8", "surrogateescape")
        at = _after_space(text, at)
        mark = text[at : at + 1]
        if mark == "]":
            break
        if mark != ",":
            detail = f"The body is not JSON: a comma or the array's end is wanted at character {at}."
            raise _of_row(number, line, Malformed(detail))
        at = _after_space(text, at + 1)
        number += 1
    if _after_space(text, at + 1) != len(text):
        raise Malformed(f"The body is not JSON: it goes on after the array's end at character {at}.")


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _row(index: int, line: Text, collection: str, most: int, *, kept: bool) -> Row:
    view = memoryview(line)
    if len(view) > most:
        fault = Fault(pointer="", detail=f"is longer than {most} bytes")
        return Row(index, collection, None, dict, [], [fault])
    text = bodies.text_of(view)
    value = bodies.value_of(text)
    plain = bodies.is_plain(text)
    given = _given(value, collection) if plain else None
    if given is not None:
        # It is read again where it is wanted: kept as it came, it takes no room of its own.
        once = _Given(view, collection, given if kept else None)
        return Row(index, given.collection, given.key, partial(_members_of, view), [], [], once)
    faults = [] if plain else bodies.loose_faults(value)
    if not faults:
        try:
            bodies.structure_of(value, BatchRow)
        except InvalidBody as error:
            faults = list(error.faults)
    members, wholes = parted(value)
    if not isinstance(members, dict):
        return Row(index, collection, None, dict, [], faults)
    return Row(
        index,
        _valid(members.get("collection"), Slug) or collection,
        _valid(members.get("key"), Key),
        lambda: members,
        wholes,
        faults,
    )


def _members_of(view: memoryview) -> Any:
    return bodies.value_of(bodies.text_of(view))


class _Given:
    """The event that a row is. One that was kept is given away, so that it takes no room once it is recorded."""

    def __init__(self, view: memoryview, collection: str, kept: EventInput | None) -> None:
        self._view, self._collection, self._kept = view, collection, kept

    def __call__(self) -> EventInput:
        given, self._kept = self._kept, None
        return given or cast("EventInput", _given(_members_of(self._view), self._collection))


def _given(value: Any, collection: str) -> EventInput | None:
    """The event that a row is by itself, if it is one as a POST would take it, and there is no more to it."""
    if not isinstance(value, dict) or not value.keys() <= _MEMBERS:
        return None
    form = {"collection": collection}
    for name, each in value.items():
        if isinstance(each, dict) and b"null" in msgspec.json.encode(each):
            return None
        if each is not None:
            form[name] = each
    try:
        return msgspec.convert(form, EventInput)
    except msgspec.ValidationError:
        return None


def _valid(value: Any, kind: Any) -> str | None:
    """The text if it is one of the kind."""
    try:
        text: str = msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None
    return text


OPERATIONS = (
    Operation(
        id="recordEventBatch",
        method="POST",
        path="/v1/events/batch",
        tag="events",
        summary="Record many events at once",
        description=(
            f"At most {ROWS_MAX:,} rows, as a JSON array or one on each line, in at most 32 MiB, each row no longer "
            "than a body elsewhere. All are recorded in one revision, or none. A row whose `key` is known revises that "
            "event, or brings it back under its id where it was retracted; a row without `key` makes a new one. "
            "Relations may point by key at any row of the same collection. Actors and sources may be given whole "
            "where a slug stands: what is unknown is made, the first time it is given. A refusal for the rows' sake "
            f"tells in `rows` the first {ROWS_TOLD_MAX:,} rows at fault, each with its first {ROW_FAULTS_MAX} faults, "
            "whose pointers begin with the row's index."
        ),
        parameters=(COLLECTION, ON_EXISTING, RETRACT_MISSING, DRY_RUN),
        headers=(IDEMPOTENCY_KEY, *NOTE),
        bodies={JSON: BatchRows, NDJSON: BatchRow},
        examples=examples.BATCH,
        body_bytes_max=BYTES_MAX,
        run=record_event_batch,
        answers=replies.written(Answer(200, "What became of each row.", {JSON: BatchAnswer}, replies.REVISED)),
        problems=("refused-parameter", "refused", *replies.REFUSED_POSTS),
        scope="write",
    ),
)
