"""Problem documents (RFC 9457): the one table from domain errors to HTTP."""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from service.domain.errors import DatelineError, Fault
from service.domain.event import Output

PATH: Final = "/problems/"


class Kind(Struct, frozen=True):
    """A kind of problem: its status, its title, and what the caller can do."""

    status: int
    title: str
    advice: str


KINDS: Final[Mapping[str, Kind]] = {
    "malformed-request": Kind(
        400,
        "The request cannot be read",
        "Send well-formed HTTP, UTF-8 and JSON: no duplicate member names, no NUL, no number beyond 64 bits.",
    ),
    "invalid-parameter": Kind(
        400,
        "A parameter is unknown or not of its schema",
        "Each entry of `errors` names a parameter and, where one is near, the known name.",
    ),
    "refused-parameter": Kind(
        400,
        "A parameter's value cannot hold",
        "The value has the right form but means nothing here: no such date, a window turned round, an instant still to "
        "come, a cursor of another selection.",
    ),
    "selection-too-broad": Kind(
        400,
        "The selection is too broad",
        "Narrow the window of dates, or drop a filter that rarely meets the others.",
    ),
    "unauthenticated": Kind(401, "A key is needed", "Send `Authorization: Bearer` with a key that is still good."),
    "forbidden": Kind(
        403, "The key does not allow this", "Use a key with the scope and the collections that this needs."
    ),
    "not-found": Kind(404, "There is nothing here", "Check the address; what a key may not see is not found either."),
    "method-not-allowed": Kind(
        405, "This address does not know the method", "`Allow` lists the methods that it knows."
    ),
    "not-acceptable": Kind(
        406,
        "None of the accepted media types is available",
        "Accept application/json, or what the operation names.",
    ),
    "already-exists": Kind(409, "The key or slug is taken", "`Location` leads to what is there."),
    "in-use": Kind(409, "It is in use", "Revise or retract what names it first."),
    "idempotency-key-in-use": Kind(
        409, "A request with this Idempotency-Key is running", "Repeat the request a little later."
    ),
    "gone": Kind(410, "It was retracted", "`Link` leads to its history; it stays readable at earlier revisions."),
    "stale": Kind(412, "It has changed since it was read", "Read it again and repeat the change with the new ETag."),
    "too-large": Kind(413, "The body is too large", "Send less at once."),
    "unsupported-media-type": Kind(
        415,
        "The body's media type is not taken here",
        "Send one of the media types that the operation names.",
    ),
    "invalid-body": Kind(422, "The body is not of its schema", "Each entry of `errors` points at a member."),
    "refused": Kind(
        422,
        "The body cannot be recorded",
        "The body has the right form but names an unknown slug, gives no date that exists, says a thing twice or "
        "changes what never changes.",
    ),
    "idempotency-key-reused": Kind(
        422, "The Idempotency-Key belongs to another request", "Use a new key for a new request."
    ),
    "precondition-required": Kind(
        428, "If-Match is needed", "Send the ETag of what was read, so that nobody's change is lost."
    ),
    "internal": Kind(500, "The service failed", "The fault is the service's; it has been logged."),
    "unavailable": Kind(
        503, "The service cannot answer for a moment", "Repeat the request after `Retry-After` seconds."
    ),
}


class Problem(Output, frozen=True, kw_only=True):
    """What went wrong, for people and programs."""

    type: Annotated[
        str,
        Meta(
            description="Stable name of the kind of problem, an address relative to the service.",
            max_length=100,
        ),
    ]
    title: Annotated[str, Meta(max_length=200)]
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: Annotated[str, Meta(max_length=2_000)]
    errors: Annotated[
        list[Fault],
        Meta(
            description="Each fault, with the parameter or the JSON pointer of what is wrong.",
            max_length=1_000,
        ),
    ]


ERRORS_SHOWN_MAX: Final = 100


def problem_of(error: DatelineError) -> Problem:
    kind = KINDS[error.problem]
    return Problem(
        type=PATH + error.problem,
        title=kind.title,
        status=kind.status,
        detail=error.detail[:2_000],
        errors=list(error.faults[:ERRORS_SHOWN_MAX]),
    )


def problem_bytes(problem: Problem) -> bytes:
    return msgspec.json.encode(problem)
