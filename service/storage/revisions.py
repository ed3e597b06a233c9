"""The log of committed writes: the head and its lock, the next number, and what was recorded by when."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from service.domain.errors import Fault, RefusedParameter
from service.domain.values import INT8_MAX, Cause
from service.storage.memory import recall
from service.storage.pool import Connection


class Head(Struct, frozen=True):
    """The newest committed revision, when it was recorded (UTC), and the last one that merged or unmerged an actor."""

    revision: int
    recorded: datetime
    merged: int | None = None


class LogRow(Struct, frozen=True):
    revision: int
    recorded: datetime
    author: str
    cause: Cause | None
    message: str | None
    counts: bytes


HEAD = "SELECT revision, recorded, (SELECT max(revision) FROM merge) AS merged FROM head"


async def read_head(connection: Connection) -> Head:
    return msgspec.convert(await connection.fetchrow(HEAD), Head)


# The row lock is held to the end of the transaction: writers pass one by one, so numbers follow commit order and a
# rolled-back write leaves no gap.
LOCK_HEAD = "SELECT revision, recorded, clock_timestamp() AS now FROM head FOR UPDATE"


async def lock_head(connection: Connection) -> tuple[Head, Head]:
    """The head as it is, and as the write that now holds it would make it.

    `recorded` is cut to the millisecond, as the interface shows it, and rises strictly even if the clock does not.
    """
    (row,) = await connection.fetch(LOCK_HEAD)
    head = Head(row["revision"], row["recorded"])
    now = row["now"].astimezone(UTC)
    now -= timedelta(microseconds=now.microsecond % 1000)
    return head, Head(head.revision + 1, max(now, head.recorded + timedelta(milliseconds=1)))


APPEND = """
WITH moved AS (UPDATE head SET revision = $1, recorded = $2)
INSERT INTO revision (revision, recorded, author, cause, message, counts, versions)
SELECT $1, $2, $3, $4, $5, $6, $7 + coalesce((SELECT versions FROM revision WHERE revision = $1 - 1), 0)
"""


async def append_revision(
    connection: Connection,
    head: Head,
    author: str,
    cause: str | None,
    message: str | None,
    counts: Mapping[str, Any],
    versions: int,
) -> None:
    """Makes `head` the newest revision. What it holds is written before or after in the same transaction."""
    await connection.execute(
        APPEND, head.revision, head.recorded, author, cause, message, msgspec.json.encode(counts), versions
    )


AS_OF = "SELECT coalesce(max(revision), 0) FROM revision WHERE recorded <= $1"


async def revision_at(connection: Connection, head: Head, as_of: datetime, parameter: str = "as_of") -> int:
    """The last revision recorded by then. Raises RefusedParameter for an instant that is still to come."""
    if as_of > max(head.recorded, datetime.now(UTC)):
        fault = Fault(parameter=parameter, detail="is in the future")
        raise RefusedParameter("What will have been recorded is not known yet.", [fault])

    async def read() -> int:
        return int(await connection.fetchval(AS_OF, as_of))

    return await recall(connection, (AS_OF, as_of), read)


RECORDED_BETWEEN = """
SELECT (SELECT min(revision) FROM revision WHERE recorded >= coalesce($1::timestamptz, '-infinity')),
       (SELECT max(revision) FROM revision WHERE recorded <= coalesce($2::timestamptz, 'infinity'))
"""


async def recorded_between(connection: Connection, first: datetime | None, last: datetime | None) -> tuple[int, int]:
    """The first and last revision recorded from one instant to another, None being no bound.

    Where there is none, the first is beyond the last.
    """
    low, high = await connection.fetchrow(RECORDED_BETWEEN, first, last) or (None, None)
    return (INT8_MAX if low is None else low), (0 if high is None else INT8_MAX if last is None else high)


FIRST_SINCE = """
SELECT (SELECT r.revision FROM revision r WHERE r.recorded >= q.instant ORDER BY r.recorded LIMIT 1)
FROM unnest($1::timestamptz[]) WITH ORDINALITY AS q(instant, place) ORDER BY q.place
"""


async def first_since(connection: Connection, instants: Iterable[datetime]) -> list[int]:
    """The first revision recorded at each instant or later; beyond all revisions where there is none."""
    rows = await connection.fetch(FIRST_SINCE, list(instants))
    return [INT8_MAX if row[0] is None else row[0] for row in rows]


LOG_DESCENDING = """
SELECT revision, recorded, author, cause, message, counts FROM revision
WHERE revision < $1 AND revision <= $2 ORDER BY revision DESC LIMIT $3
"""
LOG_ASCENDING = """
SELECT revision, recorded, author, cause, message, counts FROM revision
WHERE revision > $1 AND revision <= $2 ORDER BY revision LIMIT $3
"""


async def read_log(connection: Connection, after: int, head: int, limit: int, descending: bool) -> list[LogRow]:
    """Revisions up to `head`, beyond `after` in the direction read."""
    rows = await connection.fetch(LOG_DESCENDING if descending else LOG_ASCENDING, after, head, limit)
    return msgspec.convert(rows, list[LogRow])


THESE = "SELECT revision, recorded, author, cause, message, counts FROM revision WHERE revision = ANY ($1::int8[])"


async def read_revisions(connection: Connection, numbers: Iterable[int]) -> dict[int, LogRow]:
    rows = await connection.fetch(THESE, list(numbers))
    return {row["revision"]: msgspec.convert(row, LogRow) for row in rows}


# `$2`: collections in the caller's lists; `$3`: whether every actor and source is in sight; `$4`: the visibilities of
# today with which a timeline is.
RESOURCES_SEEN = """
SELECT v.revision, r.kind, count(*) FROM resource_version v JOIN resource r ON r.resource = v.resource
WHERE v.revision = ANY ($1::int8[]) AND CASE
    WHEN r.kind = 'collection' THEN r.slug = ANY ($2::text[])
    WHEN r.kind = 'timeline' THEN (
        SELECT t.document ->> 'visibility' FROM resource_version t
        WHERE t.resource = r.resource AND t.document IS NOT NULL ORDER BY t.revision DESC LIMIT 1) = ANY ($4::text[])
    ELSE $3 OR EXISTS (
        SELECT FROM resource_use u JOIN resource c ON c.resource = u.collection
        WHERE u.resource = r.resource AND c.slug = ANY ($2::text[]))
END
GROUP BY v.revision, r.kind
"""


async def count_resources(
    connection: Connection,
    numbers: Iterable[int],
    *,
    collections: Iterable[str],
    every_name: bool,
    timelines: Iterable[str],
) -> dict[int, dict[str, int]]:
    """How many actors, sources, collections and timelines within sight each of these revisions wrote, by plural."""
    counts: dict[int, dict[str, int]] = {}
    for revision, kind, number in await connection.fetch(
        RESOURCES_SEEN, list(numbers), list(collections), every_name, list(timelines)
    ):
        counts.setdefault(revision, {})[f"{kind}s"] = number
    return counts
