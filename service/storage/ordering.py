"""The physical order of versions: events that are read together lie together on the disk.

A page of a listing reads fifty versions that follow each other in time. Where they also lie beside each other it
touches eight blocks, where they lie as they were recorded it touches fifty; which matters once the store is larger than
the memory. Writes append, so order is lost slowly, and put back here a bucket at a time. A version is moved, never
changed: the row is deleted and inserted again by one statement, so whoever reads meanwhile finds it in one place.
"""

from typing import Final

from msgspec import Struct

from service.domain.dates import EARLIEST
from service.storage.pool import Connection

BUCKET: Final = 2_000
"""Versions that are moved by one statement, which holds none but their own rows for some fifty milliseconds."""
STRAYS_SHARE: Final = 0.05
"""A bucket is left alone while fewer of its versions than this lie elsewhere than beside the one before."""

Place = tuple[int, int, int]
"""Where a version stands in time: its lower bound, its event, its revision."""
BEFORE_ALL: Final[Place] = (EARLIEST, EARLIEST, -1)

NEXT_BUCKET = """
WITH bucket AS (
    SELECT v.t_lo, v.event, v.revision, (v.ctid::text::point)[0]::int8 AS block FROM version v
    WHERE (v.t_lo, v.event, v.revision) > ($1, $2, $3) ORDER BY v.t_lo, v.event, v.revision LIMIT $4
), step AS (
    SELECT b.*, b.block - lag(b.block) OVER (ORDER BY b.t_lo, b.event, b.revision) AS far FROM bucket b
)
SELECT count(*), count(*) FILTER (WHERE far NOT BETWEEN 0 AND 1), (
    SELECT array[b.t_lo, b.event, b.revision] FROM bucket b ORDER BY b.t_lo DESC, b.event DESC, b.revision DESC LIMIT 1)
FROM step
"""


class Bucket(Struct, frozen=True):
    """Versions that follow each other in time: how many, how many of them stray, and where the last one stands."""

    versions: int
    strays: int
    last: Place

    @property
    def in_order(self) -> bool:
        return self.strays <= self.versions * STRAYS_SHARE


async def next_bucket(connection: Connection, after: Place) -> Bucket | None:
    """The bucket after a place, None beyond the last."""
    row = await connection.fetchrow(NEXT_BUCKET, *after, BUCKET)
    return None if row is None or row[0] == 0 else Bucket(row[0], row[1], tuple(row[2]))


# The heap takes rows in the order in which they are inserted.
MOVE = """
WITH moved AS (
    DELETE FROM version v
    WHERE (v.t_lo, v.event, v.revision) > ($1, $2, $3) AND (v.t_lo, v.event, v.revision) <= ($4, $5, $6)
    RETURNING v.*
)
INSERT INTO version SELECT * FROM moved ORDER BY t_lo, event, revision
"""


async def move(connection: Connection, after: Place, until: Place) -> None:
    """Lays the versions after one place and up to another beside each other."""
    await connection.execute(MOVE, *after, *until)


# Frees what was moved away from, and notes which blocks all readers see, by which walks need not look at postings.
TIDY = ("VACUUM (ANALYZE) version", "VACUUM (ANALYZE) posting")


async def tidy(connection: Connection) -> None:
    """Makes room where rows were moved from, and renews what the planner knows. Not within a transaction."""
    for statement in TIDY:
        await connection.execute(statement)
