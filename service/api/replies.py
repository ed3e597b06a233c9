"""What answers have in common: addresses, entity tags, headers, and the bytes of a page."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, quote_plus

import msgspec

from service.api.examples import HOST
from service.api.operation import Answer, Call, Header, Link, Reply
from service.domain import values
from service.domain.cursors import Cursor, bound_of, cursor_text
from service.domain.errors import Fault, Forbidden, Refused
from service.storage.included import Included

ETAG: Final = Header(
    "ETag",
    "Strong and opaque; send it as If-Match to revise, as If-None-Match to ask for news.",
    {"type": "string", "pattern": r'^"[!#-~]*"\Z', "maxLength": 100},
    True,
    example='"5-0f2d3c4b5a69788796a5b4c3"',
)
LINK_SCHEMA: Final = {"type": "string", "pattern": r'^<[!-~]+>; rel="[a-z-]+"\Z', "maxLength": 40_000}
LINK: Final = Header(
    "Link",
    "The next page, as rel=next.",
    LINK_SCHEMA,
    example=f'<{HOST}/v1/actors?limit=1&cursor=k7hiYzk5ZDFk>; rel="next"',
)
LOCATION: Final = Header(
    "Location",
    "Address of what was made.",
    {"type": "string", "format": "uri", "maxLength": 2_000},
    True,
    example=f"{HOST}/v1/actors/kfor",
)
REVISION: Final = Header("Revision", "The head after the write.", msgspec.json.schema(values.Revision), True)
UNCHANGED: Final = Header(
    "Revision-Unchanged",
    "true where the write said nothing new and made no revision.",
    {"type": "string", "enum": ["true"]},
)
APPLIED: Final = Header(
    "Preference-Applied",
    "The preference by which there is no body.",
    {"type": "string", "enum": ["return=minimal"]},
    True,
)

TAGGED: Final = (ETAG,)
PAGED: Final = (ETAG, LINK)
WRITTEN: Final = (REVISION,)
CREATED: Final = (ETAG, LOCATION, REVISION)
REVISED: Final = (ETAG, REVISION, UNCHANGED)

# Where the tag to revise with is found.
_READ_TAG: Final = {"If-Match": "$response.header.ETag"}


WRITE_LINK: Final = Link(
    "readRevision", "readRevision", "Read the write that made it so.", {"number": "$response.body#/revision"}
)


def next_link(operation: str, *place: str) -> tuple[Link, ...]:
    """From a page to the next one of the same reading; `place` names the parameters of the path."""
    parameters = {"cursor": "$response.body#/next"} | {name: f"$request.path.{name}" for name in place}
    return (Link(f"{operation}Next", operation, "Read the next page, where there is one.", parameters),)


def links_of(kind: str, name: str, *, verb: str = "delete") -> tuple[Link, ...]:
    """From an answer that holds one thing to what can be done with it; `name` is the member that identifies it."""
    this = {name: f"$response.body#/{name}"}
    thing = kind.capitalize()
    return (
        WRITE_LINK,
        Link(f"read{thing}", f"read{thing}", "Read it as it is.", this),
        Link(f"revise{thing}", f"revise{thing}", "Revise it as it was answered.", this | _READ_TAG),
        Link(f"{verb}{thing}", f"{verb}{thing}", f"{verb.capitalize()} it as it was answered.", this | _READ_TAG),
    )


EVENT_LINKS: Final = (
    *links_of("event", "id", verb="retract"),
    Link("readEventHistory", "readEventHistory", "Read every revision of it.", {"id": "$response.body#/id"}),
    Link(
        "revertEvent",
        "revertEvent",
        "Put it back as it was answered.",
        {"id": "$response.body#/id"},
        {"revision": "$response.body#/revision"},
    ),
)
RETRACTED_LINKS: Final = (
    Link("readHistoryAfter", "readEventHistory", "Read what it was.", {"id": "$request.path.id"}),
)


def written(answer: Answer) -> tuple[Answer, Answer]:
    """What a write answers: as told, and for who prefers it the headers alone."""
    return answer, Answer(204, "The same without a body, as preferred.", {}, (*answer.headers, APPLIED))


REFUSED_BODIES: Final = ("invalid-body", "too-large", "unsupported-media-type")
REFUSED_POSTS: Final = ("idempotency-key-in-use", "idempotency-key-reused", *REFUSED_BODIES)
REFUSED_CHANGES: Final = ("precondition-required", "stale")


quoted = lru_cache(maxsize=1_000)(quote_plus)


def following(call: Call, head: int, place: Sequence[Any]) -> str:
    """The address of the page after `place`, in a reading that began at this head."""
    cursor = cursor_text(Cursor(bound_of(call.query, call.path), head, list(place)))
    query = [
        f"{quoted(name)}={quoted(value)}" for name, given in call.query.items() if name != "cursor" for value in given
    ]
    return f"{call.origin}{quote(call.path)}?{'&'.join([*query, f'cursor={cursor}'])}"


def page_bytes(documents: Sequence[bytes], included: Included | None, next: str | None, revision: int) -> bytes:
    """A page of stored documents, joined and never decoded."""
    parts = [b'{"items":[', b",".join(documents), b'],"included":', *_included(included)]
    return b"".join([*parts, b',"next":', msgspec.json.encode(next), b',"revision":%d}' % revision])


def event_bytes(document: bytes, included: Included | None) -> bytes:
    """One event's document, with what it names beside its own members."""
    return document if included is None else b"".join([document[:-1], b',"included":', *_included(included), b"}"])


def _included(included: Included | None) -> Sequence[bytes | msgspec.Raw]:
    if included is None:
        return [b"null"]
    return [b'{"actors":', included["actors"], b',"sources":', included["sources"], b"}"]


def paged(body: bytes, next: str | None, *, pinned: bool = False) -> Reply:
    headers = {} if next is None else {"Link": f'<{next}>; rel="next"'}
    return Reply(200, body, headers=headers, pinned=pinned)


def check_reach(call: Call, collection: str) -> None:
    """Raises Forbidden where the key is not good for the collection."""
    if not call.caller.reaches(collection):
        raise Forbidden(f"This key does not write to the collection {collection}.")


def refuse_renaming(recorded: Any, given: Any, names: Sequence[str]) -> None:
    """Raises Refused where a patch changes what identifies the thing."""
    faults = [
        Fault(pointer=f"/{name}", detail="never changes")
        for name in names
        if getattr(recorded, name) != getattr(given, name)
    ]
    if faults:
        raise Refused("Identifiers never change.", faults)
