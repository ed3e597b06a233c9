"""An operation of the interface: what it takes, what it answers, and the function that does it.

The same declaration reads the request strictly, routes it, and describes it in the document, so none of the three can
say what the others do not.
"""

import hashlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Mapping
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import unquote_to_bytes, urlsplit

from msgspec import Struct, field
from xxhash import xxh3_128_hexdigest

from service.api import bodies
from service.api.services import Services
from service.domain import parameters
from service.domain.callers import Caller, Scope
from service.domain.errors import (
    Fault,
    InvalidParameter,
    Malformed,
    NotAcceptable,
    PreconditionRequired,
    RefusedParameter,
    Stale,
    TooLarge,
    UnsupportedMediaType,
    nearest,
)
from service.domain.parameters import Parameter, Query
from service.domain.values import INT8_MAX, TEXT_PATTERN
from service.storage.pool import Pool

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
MARKDOWN: Final = "text/markdown"
HTML: Final = "text/html"
MERGE_PATCH: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
NDJSON: Final = "application/x-ndjson"

QUERY_BYTES_MAX: Final = 16_384
PAIRS_MAX: Final = 1_000


HEADERS_READ: Final = frozenset(
    (
        "accept",
        "accept-encoding",
        "authorization",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "if-none-match",
        "transfer-encoding",
    )
)
"""Every header that any operation is read for; what else a request has is nobody's business."""


class Header(Struct, frozen=True):
    """A request or response header."""

    name: str
    description: str
    schema: Mapping[str, Any]
    required: bool = False
    example: Any = None


class Link(Struct, frozen=True):
    """An operation to go on with; expressions find its parameters and body in what was asked and answered."""

    name: str
    operation: str
    description: str
    parameters: Mapping[str, str]
    body: Mapping[str, str] | None = None


class Answer(Struct, frozen=True):
    """One response of an operation: the shape of its body by media type (None: described as text), and its headers."""

    status: int
    description: str
    content: Mapping[str, Any] = {}
    headers: tuple[Header, ...] = ()
    links: tuple[Link, ...] = ()


_TAG: Final = r'(W/)?"[\u0021\u0023-\u007e]*"'
TAGS_PATTERN: Final = rf"^(\*|{_TAG}([\u0009 ]*,[\u0009 ]*{_TAG})*)\Z"

# Other services' tags are not ours to judge, so any text will do.
IF_NONE_MATCH: Final = Header(
    "If-None-Match",
    "ETags already held: where one is still right, the answer is 304 without a body.",
    {"type": "string", "pattern": TEXT_PATTERN, "maxLength": 4_000},
)


MIN_REVISION: Final = Header(
    "Min-Revision",
    "The revision that the answer must have reached, as `Revision` of a write told it. Where the head is not there "
    "yet, the answer waits up to a second; then it is 503.",
    {"type": "integer", "format": "int64", "minimum": 0, "maximum": INT8_MAX},
    example=1,
)

# Without an example, which tools would send by themselves, and then see no body.
PREFER: Final = Header(
    "Prefer",
    "With return=minimal a write that succeeds is answered with 204, its headers alone. Other preferences are nothing "
    "to this service.",
    {"type": "string", "pattern": TEXT_PATTERN, "maxLength": 1_000},
)


class Reply(Struct, frozen=True):
    """What an operation answers. revision: the resource's own, for its entity tag; None: it is the body's alone."""

    status: int
    body: bytes = b""
    media_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    revision: int | None = None
    tagged: bool = True
    pinned: bool = False
    kept: str | None = None
    """What caches may do with it, where that is not what its being pinned says."""

    @property
    def etag(self) -> str:
        """Strong and opaque: the resource's revision, by which writes are checked, and a digest of the very bytes."""
        # A cryptographic one would take an eighth of a page's time, and keep nobody from what its key lets it write.
        digest = xxh3_128_hexdigest(self.body)[:24]
        return f'"{digest}"' if self.revision is None else f'"{self.revision}-{digest}"'


class Streamed(Struct, frozen=True):
    """An answer that is sent while it is read. revision: the one that it shows, which with the request names it."""

    parts: AsyncGenerator[bytes, None]
    media_type: str
    revision: int
    pinned: bool
    headers: dict[str, str] = field(default_factory=dict)

    def etag(self, asked: Hashable) -> str:
        """The same while the revision is: nothing is known yet of the bytes."""
        digest = hashlib.sha256(repr(asked).encode()).hexdigest()[:24]
        return f'"{self.revision}-{digest}"'


class Call(Struct, frozen=True):
    """A request that has been read: who calls, with what, and what there is to answer with."""

    operation: "Operation"
    services: Services
    caller: Caller
    path: str
    origin: str
    place: Mapping[str, str]
    query: Query
    headers: Mapping[str, str]
    accepted: str
    media_type: str
    body: bytes

    @property
    def pool(self) -> Pool:
        return self.services.pool

    def structure(self, shape: Any) -> Any:
        """The body as a struct."""
        return bodies.structure_of(bodies.json_of(self.body), shape)

    def limit(self) -> int:
        return int(self.query["limit"][0]) if "limit" in self.query else parameters.LIMIT_DEFAULT

    def check_precondition(self, revision: int) -> None:
        """Raises PreconditionRequired or Stale unless If-Match names the resource as it is at its own `revision`."""
        given = self.headers.get("if-match")
        if given is None:
            raise PreconditionRequired("Revising and retracting need If-Match with the ETag that was read.")
        tags = entity_tags(given)
        if "*" not in tags and not any(tag.startswith(f'"{revision}-') for tag in tags):
            raise Stale(f"It has been revised since: it is at revision {revision}.")


Run: TypeAlias = Callable[[Call], Awaitable[Reply | Streamed]]


class Operation(Struct, frozen=True, kw_only=True, dict=True):
    """What is derived from the declaration is worked out once, and kept in its `__dict__`."""

    id: str
    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    tag: str
    summary: str
    run: Run
    answers: tuple[Answer, ...]
    problems: tuple[str, ...] = ()
    description: str | None = None
    place: tuple[Parameter, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    headers: tuple[Header, ...] = ()
    bodies: Mapping[str, Any] = {}
    examples: Mapping[str, Mapping[str, Any]] = {}
    """Bodies by media type and name."""
    body_bytes_max: int | None = None
    """The longest body, where it is another than the setting's."""
    scope: Scope | None = None

    @cached_property
    def conditional(self) -> bool:
        """Whether a reader who holds the answer's tag is told that it is still right."""
        return self.method == "GET" and any(
            header.name == "ETag" for answer in self.answers for header in answer.headers
        )

    @cached_property
    def reads_store(self) -> bool:
        return self.method == "GET" and self.path.startswith("/v1")

    @cached_property
    def brief(self) -> bool:
        """Whether a caller may prefer the answer without its body."""
        return {204} < {answer.status for answer in self.answers}

    @cached_property
    def request_headers(self) -> tuple[Header, ...]:
        """Those that belong to the operation; all know Accept and Authorization."""
        headers = self.headers
        if self.brief:
            headers = (*headers, PREFER)
        if self.reads_store:
            headers = (*headers, MIN_REVISION)
        return (*headers, IF_NONE_MATCH) if self.conditional else headers

    @cached_property
    def headers_known(self) -> frozenset[str]:
        """The lower-case names of every header that a request is read for."""
        return HEADERS_READ | {header.name.lower() for header in self.request_headers}

    @cached_property
    def parameters_known(self) -> Mapping[str, Parameter]:
        """Its parameters by name."""
        return parameters.named(self.parameters)

    @cached_property
    def media_types(self) -> list[str]:
        """What a success can be answered in, the usual one first."""
        return list(dict.fromkeys(kind for answer in self.answers for kind in answer.content))

    @cached_property
    def vary(self) -> str:
        """What of a request, beside its address, the answer to a read rests on.

        With Min-Revision among it, no cache gives an older answer to who has asked for a newer one.
        """
        names = ["Accept"] if len(self.media_types) > 1 else []
        names += ["Accept-Encoding"] if self.conditional else []
        return ", ".join([*names, "Authorization", *(["Min-Revision"] if self.reads_store else [])])


def entity_tags(text: str) -> list[str]:
    """The members of an If-Match or If-None-Match list."""
    return [part.strip() for part in text.split(",") if part.strip()]


def matches(etag: str, if_none_match: str) -> bool:
    """Whether a list of entity tags names this one, by weak comparison."""
    tags = entity_tags(if_none_match)
    return "*" in tags or etag in (tag.removeprefix("W/") for tag in tags)


_PREFERENCE: Final = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')


def prefers_minimal(prefer: str) -> bool:
    """Whether a Prefer header (RFC 7240) asks for return=minimal. The first `return` counts."""
    for preference in _PREFERENCE.findall(prefer):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "return":
            return bool(value.strip() in ("minimal", '"minimal"'))
    return False


def query_of(raw: bytes) -> dict[str, list[str]]:
    """The query string's parameters in the order given. Raises Malformed for bytes that are no UTF-8."""
    if len(raw) > QUERY_BYTES_MAX:
        raise InvalidParameter(f"The query is longer than {QUERY_BYTES_MAX} bytes.")
    query: dict[str, list[str]] = {}
    pairs = [pair for pair in raw.split(b"&") if pair]
    if len(pairs) > PAIRS_MAX:
        raise InvalidParameter(f"The query has more than {PAIRS_MAX} parameters.")
    try:
        for pair in pairs:
            name, _, value = pair.partition(b"=")
            query.setdefault(_unquoted(name), []).append(_unquoted(value))
    except UnicodeDecodeError as error:
        raise Malformed("The query is not UTF-8.") from error
    return query


def _unquoted(part: bytes) -> str:
    if b"%" in part or b"+" in part:
        part = unquote_to_bytes(part.replace(b"+", b" "))
    return part.decode()


def read_query(raw: bytes, known: Mapping[str, Parameter]) -> dict[str, list[str]]:
    """A query string as an operation takes it. Raises a DatelineError for whatever it should not be."""
    query = query_of(raw)
    parameters.check_named(query, known)
    return canonical(followed(query, known))


def followed(query: dict[str, list[str]], known: Mapping[str, Parameter]) -> dict[str, list[str]]:
    """A query whose cursor is a whole `next`, with what that address says and the query does not.

    Raises RefusedParameter where the address is none that could have been given out.
    """
    address = query.get("cursor", [""])[0]
    if "://" not in address:
        return query
    try:
        within = query_of(urlsplit(address).query.encode())
        parameters.check_named(within, known)
        cursor = within["cursor"]
        if "://" in cursor[0]:
            raise KeyError(cursor[0])
    except (KeyError, ValueError, Malformed, InvalidParameter) as error:
        raise RefusedParameter(
            "This cursor was not given out by this service.",
            [Fault(parameter="cursor", detail="is no `next` of a page")],
        ) from error
    return {**within, **query, "cursor": cursor}


def canonical(query: dict[str, list[str]]) -> dict[str, list[str]]:
    """The query in the one order in which all that ask the same are the same: by name, then by value."""
    return {name: sorted(query[name]) for name in sorted(query)}


def check_headers(operation: Operation, headers: Mapping[str, str]) -> None:
    """Raises InvalidParameter for a header of the operation that is not of its schema."""
    faults = []
    for header in operation.request_headers:
        text = headers.get(header.name.lower())
        if text is None:
            continue
        described = Parameter(name=header.name, description="", schema=dict(header.schema))
        if (fault := described.schema_fault(text)) is not None:
            faults.append(Fault(parameter=header.name, detail=f"is {fault}"))
    if faults:
        raise InvalidParameter("The request has headers that cannot be read.", faults)


def accepted_of(operation: Operation, accept: str | None) -> str:
    """The media type to answer in. Raises NotAcceptable where none will do."""
    available = operation.media_types or [JSON]
    if accept is None or not accept.strip():
        return available[0]
    best: tuple[float, int, str] | None = None
    for part in accept.split(",")[:50]:
        wanted, *options = (each.strip().lower() for each in part.split(";"))
        quality = 1.0
        for option in options:
            name, _, value = option.partition("=")
            if name.strip() == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        for place, kind in enumerate(available):
            bare = kind.split(";")[0]
            fits = wanted in ("*/*", bare, bare.split("/")[0] + "/*")
            if fits and quality > 0 and (best is None or (quality, -place) > (best[0], -best[1])):
                best = (quality, place, kind)
    if best is None:
        raise NotAcceptable(f"This is available as {', '.join(kind.split(';')[0] for kind in available)}.")
    return best[2]


def media_type_of(operation: Operation, content_type: str | None) -> str:
    """The media type of the body. Raises UnsupportedMediaType where the operation takes none such."""
    if not operation.bodies:
        return ""
    given = (content_type or "").split(";")
    bare = given[0].strip().lower()
    charset = next(
        (each.partition("=")[2].strip(' "').lower() for each in given[1:] if "charset" in each.lower()),
        "utf-8",
    )
    if bare not in operation.bodies or charset != "utf-8":
        meant = nearest(bare, operation.bodies) if bare not in operation.bodies else ""
        raise UnsupportedMediaType(f"The body must be {' or '.join(operation.bodies)} in UTF-8{meant}.")
    return bare


def check_length(length: int, most: int, borne: int) -> None:
    """Raises TooLarge, which names the longest that a body may be, for one that is longer than can be borne."""
    if length > borne:
        raise TooLarge(f"The body is longer than {most} bytes.")
