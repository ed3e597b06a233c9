"""Cursors: where a paged reading stands, bound to the query it began with."""

import base64
import binascii
from typing import Any

import msgspec
from msgspec import Struct

from service.domain.errors import Fault, RefusedParameter
from service.domain.parameters import Query
from service.domain.selection import digest_of


class Cursor(Struct, frozen=True, array_like=True):
    """Where a paged reading stands: bound to the query it began with, and to the head as it then was."""

    bound: str
    head: int
    place: list[Any]


def cursor_text(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(cursor)).rstrip(b"=").decode()


def cursor_of(query: Query, path: str, place: Any) -> Cursor | None:
    """The cursor in a query, if any, its place being of the type given.

    Raises RefusedParameter where it belongs to another query or was never given out.
    """
    if "cursor" not in query:
        return None
    text = query["cursor"][0]
    try:
        cursor = msgspec.msgpack.decode(
            base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True), type=Cursor
        )
        msgspec.convert(cursor.place, place)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise RefusedParameter(
            "This cursor was not given out by this service.",
            [Fault(parameter="cursor", detail="not a cursor")],
        ) from error
    if cursor.bound != bound_of(query, path):
        fault = Fault(
            parameter="cursor",
            detail="belongs to a reading with other parameters; follow `next` as it stands",
        )
        raise RefusedParameter("This cursor belongs to another selection.", [fault])
    return cursor


def bound_of(query: Query, path: str) -> str:
    """The name of everything a cursor is bound to: the path and all parameters but `limit` and the cursor itself."""
    rest = {name: sorted(given) for name, given in query.items() if name not in ("limit", "cursor")}
    return digest_of(path, rest)
