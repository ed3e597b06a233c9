"""What can go wrong, named for the caller. HTTP statuses are given to these in api/problems.py, nowhere else."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from msgspec import Struct

from service.domain.dates import DateError


class Fault(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong, and where: a JSON pointer into the body, or a parameter's name."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None


class DatelineError(Exception):
    """A refusal that the caller can understand and act upon."""

    problem: str
    """Stable name of the kind of refusal, the last part of the problem's `type`."""

    def __init__(self, detail: str, faults: Sequence[Fault] = (), link: tuple[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)
        self.link = link
        """An address to go on from and its relation: of the existing resource, or of the history."""


class Malformed(DatelineError):
    problem = "malformed-request"


class InvalidParameter(DatelineError):
    problem = "invalid-parameter"


class RefusedParameter(DatelineError):
    problem = "refused-parameter"


class SelectionTooBroad(DatelineError):
    problem = "selection-too-broad"


class Unauthenticated(DatelineError):
    problem = "unauthenticated"


class Forbidden(DatelineError):
    problem = "forbidden"


class NotFound(DatelineError):
    problem = "not-found"


class MethodNotAllowed(DatelineError):
    problem = "method-not-allowed"


class NotAcceptable(DatelineError):
    problem = "not-acceptable"


class Exists(DatelineError):
    problem = "already-exists"


class InUse(DatelineError):
    problem = "in-use"


class StillRunning(DatelineError):
    problem = "idempotency-key-in-use"


class Gone(DatelineError):
    problem = "gone"


class Stale(DatelineError):
    problem = "stale"


class TooLarge(DatelineError):
    problem = "too-large"


class UnsupportedMediaType(DatelineError):
    problem = "unsupported-media-type"


class InvalidBody(DatelineError):
    problem = "invalid-body"


class Refused(DatelineError):
    problem = "refused"


class RefusedRow(Struct, frozen=True):
    """A row of a batch that cannot be recorded, by its place in the batch, and why."""

    index: int
    key: str | None
    id: str | None
    faults: list[Fault]


class RefusedRows(Refused):
    """A batch with rows that cannot be recorded."""

    def __init__(self, detail: str, rows: Sequence[RefusedRow]) -> None:
        super().__init__(detail, [fault for row in rows for fault in row.faults])
        self.rows = tuple(rows)


class KeyReused(DatelineError):
    problem = "idempotency-key-reused"


class PreconditionRequired(DatelineError):
    problem = "precondition-required"


class NotMade(DatelineError):
    problem = "not-made"


class Unavailable(DatelineError):
    problem = "unavailable"


def explained(error: DateError) -> str:
    """What is wrong with a date, where, and what may have been meant."""
    return str(error) if error.suggestion is None else f"{error}; did you mean {error.suggestion}?"


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?` with the known word nearest to this one, whatever its case, or nothing where none is near."""
    by_lower = {each.lower(): each for each in known}
    close = get_close_matches(word[:100].lower(), list(by_lower), n=1, cutoff=0.6)
    return f"; did you mean {by_lower[close[0]]}?" if close else ""
