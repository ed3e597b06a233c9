"""Problem documents (RFC 9457): the one table from domain errors to HTTP."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from service.domain.errors import DatelineError, Fault, RefusedRow, RefusedRows
from service.domain.event import Output
from service.domain.values import CONTROL, TEXT_PATTERN, Count, Id, Key, Line, Outcome

PATH: Final = "/problems/"
DETAIL_MAX: Final = 2_000
FAULTS_MAX: Final = 100
ROWS_MAX: Final = 10_000
"""Rows of one batch."""
ROWS_TOLD_MAX: Final = 1_000
ROW_FAULTS_MAX: Final = 10


class Kind(Struct, frozen=True):
    """A kind of problem: its status, its title, what the caller can do, and what one reads like."""

    status: int
    title: str
    advice: str
    detail: str
    faults: tuple[Fault, ...] = ()


KINDS: Final[Mapping[str, Kind]] = {
    "malformed-request": Kind(
        400,
        "The request cannot be read",
        "Send well-formed HTTP, UTF-8 and JSON: no duplicate member names, no NUL, no number beyond 64 bits.",
        "The body is not JSON: Expecting value at line 1, column 10.",
    ),
    "invalid-parameter": Kind(
        400,
        "A parameter is unknown or not of its schema",
        "Each entry of `errors` names a parameter and, where one is near, the known name.",
        "The request has parameters that cannot be read.",
        (Fault(parameter="acto", detail="unknown parameter; did you mean actor?"),),
    ),
    "refused-parameter": Kind(
        400,
        "A parameter's value cannot hold",
        "The value has the right form but means nothing here: no such date, a window turned round, an "
        "instant still to come, a cursor of another selection.",
        "The request has parameters that cannot hold.",
        (Fault(parameter="from", detail="2025 begins after 2008 ends"),),
    ),
    "selection-too-broad": Kind(
        400,
        "The selection is too broad",
        "Narrow the window of dates, or drop a filter that rarely meets the others.",
        "The filters rarely meet in this window.",
    ),
    "unauthenticated": Kind(
        401,
        "A key is needed",
        "Send `Authorization: Bearer` with a key that is still good.",
        "This key is unknown or no longer good.",
    ),
    "forbidden": Kind(
        403,
        "The key does not allow this",
        "Use a key with the scope and the collections that this needs.",
        "The key reader may only read.",
    ),
    "not-found": Kind(
        404,
        "There is nothing here",
        "Check the address; what a key may not see is not found either.",
        "There is no timeline kosovoo.",
        (Fault(parameter="timeline", detail="there is no timeline kosovoo"),),
    ),
    "method-not-allowed": Kind(
        405,
        "This address does not know the method",
        "`Allow` lists the methods that it knows.",
        "PUT is not known at this address.",
    ),
    "not-acceptable": Kind(
        406,
        "None of the accepted media types is available",
        "Accept application/json, or what the operation names.",
        "This is available as application/json.",
    ),
    "already-exists": Kind(
        409,
        "The key or slug is taken",
        "`Location` leads to what is there.",
        "The actor kfor exists.",
    ),
    "in-use": Kind(
        409,
        "It is in use",
        "Revise or retract what names it first.",
        "The actor kfor is in use: an event names it.",
    ),
    "idempotency-key-in-use": Kind(
        409,
        "A request with this Idempotency-Key is running",
        "Repeat the request a little later.",
        "A request with this Idempotency-Key is being worked on.",
    ),
    "gone": Kind(
        410,
        "It is no more",
        "`Link` leads to its history; it stays readable at earlier revisions.",
        "The actor kfor was deleted at revision 6.",
    ),
    "stale": Kind(
        412,
        "It has changed since it was read",
        "Read it again and repeat the change with the new ETag.",
        "It has been revised since: it is at revision 6.",
    ),
    "too-large": Kind(
        413,
        "The body is too large",
        "Send less at once.",
        "The body is longer than 1048576 bytes.",
    ),
    "unsupported-media-type": Kind(
        415,
        "The body's media type is not taken here",
        "Send one of the media types that the operation names.",
        "The body must be application/json in UTF-8.",
    ),
    "invalid-body": Kind(
        422,
        "The body is not of its schema",
        "Each entry of `errors` points at a member.",
        "The body is not of its schema.",
        (Fault(pointer="/title", detail="is missing"),),
    ),
    "refused": Kind(
        422,
        "The body cannot be recorded",
        "The body has the right form but names an unknown slug, gives no date that exists, says a thing "
        "twice or changes what never changes.",
        "The event cannot be recorded as it is.",
        (Fault(pointer="/actors/0/actor", detail="there is no actor kforce"),),
    ),
    "idempotency-key-reused": Kind(
        422,
        "The Idempotency-Key belongs to another request",
        "Use a new key for a new request.",
        "This Idempotency-Key was sent with another request before.",
    ),
    "precondition-required": Kind(
        428,
        "If-Match is needed",
        "Send the ETag of what was read, so that nobody's change is lost.",
        "Revising and retracting need If-Match with the ETag that was read.",
    ),
    "internal": Kind(
        500,
        "The service failed",
        "The fault is the service's; it has been logged.",
        "The fault is the service's; it has been logged.",
    ),
    "not-made": Kind(
        501,
        "This service does not make that",
        "Ask for the format that it answers in.",
        "This service answers oEmbed as JSON alone.",
        (Fault(parameter="format", detail="only json"),),
    ),
    "unavailable": Kind(
        503,
        "The service cannot answer for a moment",
        "Repeat the request after `Retry-After` seconds.",
        "The database did not answer.",
    ),
}


Detail = Annotated[
    str,
    Meta(title="Detail", pattern=TEXT_PATTERN, max_length=DETAIL_MAX, description="What is wrong, in English."),
]
_CONTROL: Final = re.compile(f"[{CONTROL}]")


class ProblemFault(Struct, frozen=True, kw_only=True):
    """One thing that is wrong, and where: a place in the body or a parameter, or neither where it is the whole."""

    detail: Detail
    pointer: (
        Annotated[
            str,
            Meta(
                max_length=DETAIL_MAX,
                description="JSON Pointer into the body.",
                extra_json_schema={"format": "json-pointer"},
            ),
        ]
        | UnsetType
    ) = UNSET
    parameter: (
        Annotated[
            str, Meta(max_length=DETAIL_MAX, pattern=TEXT_PATTERN, description="Name of the parameter or header.")
        ]
        | UnsetType
    ) = UNSET


class RowOutcome(Output, frozen=True, kw_only=True):
    """What became of one row of a batch."""

    index: Annotated[Count, Meta(description="Its place among the rows, from 0.")]
    key: Key | None
    id: Annotated[Id | None, Meta(description="The event's; null where none has been made.")]
    result: Outcome
    errors: Annotated[
        list[ProblemFault],
        Meta(max_length=ROW_FAULTS_MAX, description="The first faults of a row that is refused."),
    ]


class Problem(Output, frozen=True, kw_only=True):
    """What went wrong, for people and programs."""

    type: Annotated[
        str,
        Meta(
            description="Stable name of the kind of problem, an address relative to the service.",
            pattern=r"^/problems/[a-z]+(-[a-z]+)*\Z",
            max_length=100,
        ),
    ]
    title: Line
    status: Annotated[int, Meta(ge=400, le=599, extra_json_schema={"format": "int32"})]
    detail: Detail
    errors: Annotated[
        list[ProblemFault],
        Meta(
            description="Each fault, with the parameter or the JSON pointer of what is wrong.",
            max_length=FAULTS_MAX,
        ),
    ]
    rows: (
        Annotated[
            list[RowOutcome],
            Meta(
                description="Of a batch that is refused for its rows, and nowhere else: the first rows with faults.",
                max_length=ROWS_TOLD_MAX,
            ),
        ]
        | UnsetType
    ) = UNSET


def problem_of(error: DatelineError) -> Problem:
    problem = made(error.problem, error.detail, error.faults)
    if isinstance(error, RefusedRows):
        rows = [_row(each) for each in error.rows[:ROWS_TOLD_MAX]]
        return msgspec.structs.replace(problem, rows=rows)
    return problem


def _row(row: RefusedRow) -> RowOutcome:
    errors = [_shown(fault) for fault in row.faults[:ROW_FAULTS_MAX]]
    return RowOutcome(index=row.index, key=row.key, id=row.id, result="refused", errors=errors)


def made(name: str, detail: str, faults: Sequence[Fault] = ()) -> Problem:
    """A problem of the kind, cut where it is longer than the document admits."""
    kind = KINDS[name]
    return Problem(
        type=PATH + name,
        title=kind.title,
        status=kind.status,
        detail=_told(detail),
        errors=[_shown(fault) for fault in faults[:FAULTS_MAX]],
    )


def _shown(fault: Fault) -> ProblemFault:
    return ProblemFault(
        detail=_told(fault.detail),
        pointer=UNSET if fault.pointer is None else fault.pointer[:DETAIL_MAX],
        parameter=UNSET if fault.parameter is None else _told(fault.parameter),
    )


def _told(text: str) -> str:
    """The text, which may repeat what a caller sent, cut and without control characters."""
    return _CONTROL.sub("\ufffd", text[:DETAIL_MAX])


def example_of(name: str) -> dict[str, Any]:
    """What a problem of the kind reads like, as JSON values."""
    kind = KINDS[name]
    example: dict[str, Any] = msgspec.to_builtins(made(name, kind.detail, kind.faults))
    return example
