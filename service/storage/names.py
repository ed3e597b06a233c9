"""Names of actors by their words: who is called so at a revision. Derived from the versions of actors."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from service.domain.resources import Kind
from service.storage.pool import Connection, insert_many


class Sought(Struct, frozen=True):
    """Names with a word within each of these ranges. whole: documents are wanted, since words do not decide."""

    ranges: tuple[tuple[str, str], ...]
    whole: bool


# $1 which of the names are sought, $2 whether documents are wanted, $3 how many ranges, $4 $5 $6 the ranges of each.
# Of an actor that was revised again by then, what it was called before does not count.
NAMED = """
SELECT q.place, n.slug, n.document
FROM unnest($1::int4[], $2::bool[], $3::int4[]) AS q(place, whole, ranges)
CROSS JOIN LATERAL (
    SELECT r.slug, CASE WHEN q.whole THEN v.document END AS document
    FROM (
        SELECT w.resource, w.revision FROM unnest($4::int4[], $5::text[], $6::text[]) AS p(place, first, last)
        CROSS JOIN LATERAL (
            SELECT DISTINCT w.resource, w.revision FROM actor_word w
            WHERE w.word BETWEEN p.first AND p.last AND w.revision <= $7
        ) w
        WHERE p.place = q.place GROUP BY w.resource, w.revision HAVING count(*) = q.ranges
    ) w
    JOIN resource r ON r.resource = w.resource
    JOIN resource_version v ON v.resource = w.resource AND v.revision = w.revision
    WHERE NOT EXISTS (
        SELECT FROM resource_version l
        WHERE l.resource = w.resource AND l.revision > w.revision AND l.revision <= $7)
    LIMIT $8
) n
"""


async def read_named(
    connection: Connection, sought: Sequence[Sought], revision: int, limit: int
) -> list[list[tuple[str, bytes | None]]]:
    """For each, up to `limit` actors that have such a name at the revision: slug, and document where it is wanted."""
    places = range(len(sought))
    columns = list(places), [s.whole for s in sought], [len(s.ranges) for s in sought]
    found: list[list[tuple[str, bytes | None]]] = [[] for _ in sought]
    for place, slug, document in await connection.fetch(NAMED, *columns, *_ranges(sought), revision, limit):
        found[place].append((slug, document))
    return found


def _ranges(sought: Sequence[Sought]) -> tuple[list[int], list[str], list[str]]:
    every = [(place, *each) for place, names in enumerate(sought) for each in names.ranges]
    return [each[0] for each in every], [each[1] for each in every], [each[2] for each in every]


EVER_NAMED = """
SELECT DISTINCT w.resource FROM (
    SELECT p.place, w.resource, w.revision, count(DISTINCT p.last) AS ranges
    FROM unnest($2::int4[], $3::text[], $4::text[]) AS p(place, first, last)
    JOIN actor_word w ON w.word BETWEEN p.first AND p.last
    WHERE w.revision <= $5 GROUP BY p.place, w.resource, w.revision
) w
WHERE w.ranges = ($1::int4[])[w.place + 1] LIMIT $6
"""
VERSIONS = """
SELECT v.revision, r.slug, v.document FROM unnest($1::int4[]) AS q(resource)
JOIN resource r ON r.resource = q.resource
JOIN resource_version v ON v.resource = q.resource
WHERE v.revision <= $2 ORDER BY v.revision LIMIT $3
"""


async def read_ever_named(connection: Connection, sought: Sequence[Sought], until: int, limit: int) -> list[int]:
    """Numbers of up to `limit` actors that have ever had such a name, up to the revision."""
    numbers = [len(s.ranges) for s in sought]
    return [row[0] for row in await connection.fetch(EVER_NAMED, numbers, *_ranges(sought), until, limit)]


async def read_versions(
    connection: Connection, actors: Iterable[int], until: int, limit: int
) -> list[tuple[int, str, bytes | None]]:
    """Up to `limit` versions of the actors up to the revision, oldest first; document None: deleted."""
    return [(row[0], row[1], row[2]) for row in await connection.fetch(VERSIONS, list(actors), until, limit)]


ADD_WORD = "INSERT INTO actor_word (word, resource, revision) VALUES ($1, $2, $3)"


async def append_words(connection: Connection, words: Iterable[tuple[str, int, int]]) -> None:
    """Records words with the number of the actor of whose names they are, and the revision from which on."""
    await insert_many(connection, ADD_WORD, "actor_word", ("word", "resource", "revision"), sorted(words))


EVERY = """
SELECT v.resource, v.revision, r.kind, v.document FROM resource_version v JOIN resource r USING (resource)
WHERE (v.resource, v.revision) > ($1, $2) AND v.document IS NOT NULL ORDER BY v.resource, v.revision LIMIT $3
"""
SET_SEARCH = "UPDATE resource_version SET search = $3 WHERE resource = $1 AND revision = $2"
CLEAR = "TRUNCATE actor_word"


async def read_every_version(
    connection: Connection, after: tuple[int, int], limit: int
) -> list[tuple[int, int, Kind, bytes]]:
    """Versions of all resources that are not deleted there: number, revision, kind and document."""
    return [(row[0], row[1], row[2], row[3]) for row in await connection.fetch(EVERY, *after, limit)]


async def write_searches(connection: Connection, searches: Sequence[tuple[int, int, str]]) -> None:
    """Notes what lists look into, for versions of resources by number and revision."""
    await connection.executemany(SET_SEARCH, searches)


async def clear_words(connection: Connection) -> None:
    await connection.execute(CLEAR)
