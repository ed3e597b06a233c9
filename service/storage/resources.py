"""Actors, sources, collections and timelines by slug, as they were at any revision."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from service.domain.resources import Actor, Collection, Kind, Source, Timeline
from service.domain.values import Visibility
from service.storage import names
from service.storage.memory import recall_each
from service.storage.pool import Connection

SHAPES: Mapping[Kind, Any] = {
    "actor": Actor,
    "source": Source,
    "collection": Collection,
    "timeline": Timeline,
}


class Row(Struct, frozen=True):
    """A resource at a revision; document None: deleted by then."""

    resource: int
    slug: str
    revision: int
    document: bytes | None


AT = """
SELECT r.resource, r.slug, v.revision, v.document
FROM unnest($2::text[]) AS q(slug)
JOIN resource r ON r.kind = $1 AND r.slug = q.slug
CROSS JOIN LATERAL (
    SELECT v.revision, v.document FROM resource_version v
    WHERE v.resource = r.resource AND v.revision <= $3 ORDER BY v.revision DESC LIMIT 1
) v
"""


async def read_resources(connection: Connection, kind: Kind, slugs: Iterable[str], revision: int) -> dict[str, Row]:
    """Those of the slugs that existed at the revision or had been deleted by then."""
    rows = await connection.fetch(AT, kind, list(slugs), revision)
    return {row["slug"]: msgspec.convert(row, Row) for row in rows}


async def read_collections(connection: Connection, slugs: Iterable[str], revision: int) -> dict[str, Collection]:
    """Those of the collections that there are at the revision."""
    rows = await read_resources(connection, "collection", set(slugs), revision)
    there = {slug: row.document for slug, row in rows.items() if row.document is not None}
    return {slug: msgspec.json.decode(document, type=Collection) for slug, document in there.items()}


FIRST = """
SELECT r.resource, r.slug, v.revision, v.document
FROM resource r JOIN resource_version v ON v.resource = r.resource AND v.revision = r.created
WHERE r.kind = $1 AND r.slug = $2
"""


async def read_first(connection: Connection, kind: Kind, slug: str) -> Row | None:
    """A resource as it was first made."""
    row = await connection.fetchrow(FIRST, kind, slug)
    return None if row is None else msgspec.convert(row, Row)


ANCESTORS = """
WITH RECURSIVE rests(slug, document) AS (
    SELECT q.slug, v.document FROM unnest($1::text[]) AS q(slug)
    JOIN resource r ON r.kind = 'source' AND r.slug = q.slug
    CROSS JOIN LATERAL (
        SELECT v.document::text FROM resource_version v WHERE v.resource = r.resource ORDER BY v.revision DESC LIMIT 1
    ) v(document)
  UNION
    SELECT r.slug, v.document FROM rests
    CROSS JOIN LATERAL json_array_elements_text(rests.document::json -> 'derived_from') AS p(slug)
    JOIN resource r ON r.kind = 'source' AND r.slug = p.slug
    CROSS JOIN LATERAL (
        SELECT v.document::text FROM resource_version v WHERE v.resource = r.resource ORDER BY v.revision DESC LIMIT 1
    ) v(document)
)
SELECT slug, document::json FROM rests WHERE document IS NOT NULL
"""


async def read_ancestry(connection: Connection, slugs: Iterable[str]) -> dict[str, Source]:
    """The sources named, and all that they rest on, as they are now."""
    rows = await connection.fetch(ANCESTORS, list(slugs))
    return {row["slug"]: msgspec.json.decode(row["document"], type=Source) for row in rows}


# Each actor's newest word by then on whom it stands for; the chains are followed to their ends. `$2`: whose every step
# is asked for; a null array asks for the ends of all.
CHAINS = """
WITH RECURSIVE direct AS (
    SELECT DISTINCT ON (m.actor) m.actor, m.into_actor FROM merge m WHERE m.revision <= $1
    ORDER BY m.actor, m.revision DESC
), chain(actor, into_actor) AS (
    SELECT actor, into_actor FROM direct WHERE into_actor IS NOT NULL
  UNION
    SELECT c.actor, d.into_actor FROM chain c JOIN direct d ON d.actor = c.into_actor AND d.into_actor IS NOT NULL
)
SELECT a.slug, i.slug FROM chain c
JOIN resource a ON a.resource = c.actor JOIN resource i ON i.resource = c.into_actor
WHERE CASE WHEN $2::text[] IS NULL
    THEN NOT EXISTS (SELECT FROM direct d WHERE d.actor = c.into_actor AND d.into_actor IS NOT NULL)
    ELSE a.slug = ANY ($2) END
"""


async def read_aliases(connection: Connection, revision: int) -> dict[str, str]:
    """The actor that each merged one stood for at the revision, by slug."""
    return {row[0]: row[1] for row in await connection.fetch(CHAINS, revision, None)}


async def read_steps(connection: Connection, slugs: Iterable[str], revision: int) -> list[tuple[str, str]]:
    """Each of the actors that was merged at the revision, with every one on the way to whom it stood for."""
    return [(row[0], row[1]) for row in await connection.fetch(CHAINS, revision, list(slugs))]


MERGES = """
SELECT m.revision, a.slug, i.slug FROM merge m JOIN resource a ON a.resource = m.actor
LEFT JOIN resource i ON i.resource = m.into_actor
WHERE m.revision <= $1 ORDER BY m.revision
"""


async def read_merges(connection: Connection, until: int) -> list[tuple[int, str, str | None]]:
    """Every merge and unmerge up to a revision: when, of which actor, and into which (None: unmerged)."""
    return [(row[0], row[1], row[2]) for row in await connection.fetch(MERGES, until)]


ADD_MERGE = """
INSERT INTO merge (actor, revision, into_actor)
SELECT a.resource, $2, (SELECT resource FROM resource WHERE kind = 'actor' AND slug = $3)
FROM resource a WHERE a.kind = 'actor' AND a.slug = $1
"""


async def append_merge(connection: Connection, actor: str, revision: int, into: str | None) -> None:
    """Records whom an actor stands for from the revision on. The caller holds the head."""
    await connection.execute(ADD_MERGE, actor, revision, into)


SOURCES_NAMING = """
SELECT r.slug FROM resource r CROSS JOIN LATERAL (
    SELECT v.document FROM resource_version v WHERE v.resource = r.resource ORDER BY v.revision DESC LIMIT 1
) v
WHERE r.kind = 'source' AND v.document IS NOT NULL AND r.slug <> $2 AND (
    ($1 = 'actor' AND v.document ->> 'publisher' = $2)
    OR ($1 = 'source' AND $2 IN (SELECT json_array_elements_text(v.document -> 'derived_from'))))
ORDER BY r.slug LIMIT 1
"""


async def source_naming(connection: Connection, kind: Kind, slug: str) -> str | None:
    """A source that now names the actor as publisher, or rests on the source; None where there is none."""
    found: str | None = await connection.fetchval(SOURCES_NAMING, kind, slug)
    return found


VISIBILITIES = """
SELECT r.slug, v.document ->> 'visibility' FROM resource r CROSS JOIN LATERAL (
    SELECT v.document FROM resource_version v
    WHERE v.resource = r.resource AND v.document IS NOT NULL ORDER BY v.revision DESC LIMIT 1
) v WHERE r.kind = $1 AND ($2::text IS NULL OR r.slug = $2)
"""


async def read_visibilities(connection: Connection, kind: Kind, slug: str | None = None) -> dict[str, Visibility]:
    """Today's visibility of every collection or timeline, or of the one named; of a deleted one, its last."""
    return {row[0]: row[1] for row in await connection.fetch(VISIBILITIES, kind, slug)}


class NewState(Struct, frozen=True):
    """What a resource is from a revision on; document None: deleted. words: those of an actor's names."""

    slug: str
    document: bytes | None
    search: str = ""
    words: frozenset[str] = frozenset()


NEXT_NUMBER = "SELECT coalesce(max(resource), 0) FROM resource"
ADD = """
INSERT INTO resource (resource, kind, slug, created)
SELECT $1 + row_number() OVER (ORDER BY q.place), $2, q.slug, $3
FROM unnest($4::text[]) WITH ORDINALITY AS q(slug, place)
WHERE NOT EXISTS (SELECT FROM resource r WHERE r.kind = $2 AND r.slug = q.slug)
"""
ADD_STATES = """
INSERT INTO resource_version (resource, revision, document, search)
SELECT r.resource, $2, q.document, q.search
FROM unnest($3::text[], $4::json[], $5::text[]) AS q(slug, document, search)
JOIN resource r ON r.kind = $1 AND r.slug = q.slug
"""


async def append_states(connection: Connection, kind: Kind, revision: int, states: Sequence[NewState]) -> None:
    """Records what these resources are from the revision on. The caller holds the head."""
    slugs = [state.slug for state in states]
    await connection.execute(ADD, await connection.fetchval(NEXT_NUMBER), kind, revision, slugs)
    documents, searches = [state.document for state in states], [state.search for state in states]
    await connection.execute(ADD_STATES, kind, revision, slugs, documents, searches)
    if any(state.words for state in states):
        numbers = await read_numbers(connection, kind, slugs)
        words = ((word, numbers[state.slug], revision) for state in states for word in state.words)
        await names.append_words(connection, words)


NUMBERS = "SELECT slug, resource FROM resource WHERE kind = $1 AND slug = ANY($2::text[])"


async def read_numbers(connection: Connection, kind: Kind, slugs: Iterable[str]) -> dict[str, int]:
    """The numbers of those of the slugs that are there."""

    async def read(missing: list[str]) -> dict[str, int]:
        return {row["slug"]: row["resource"] for row in await connection.fetch(NUMBERS, kind, missing)}

    wanted = set(slugs)
    found = await recall_each(connection, (NUMBERS, kind), wanted, read)
    return {slug: number for slug, number in zip(wanted, found, strict=True) if number is not None}


ADD_USES = """
INSERT INTO resource_use (resource, collection, since)
SELECT q.resource, q.collection, $3 FROM unnest($1::int4[], $2::int4[]) AS q(resource, collection)
ON CONFLICT DO NOTHING
"""


async def append_uses(connection: Connection, uses: Iterable[tuple[int, int]], revision: int) -> None:
    """Records that events of a collection name a resource or rest on it; the first time counts."""
    pairs = sorted(set(uses))
    await connection.execute(ADD_USES, [pair[0] for pair in pairs], [pair[1] for pair in pairs], revision)


ADD_USES_OF = """
INSERT INTO resource_use (resource, collection, since)
SELECT DISTINCT i.resource, u.collection, $3::int8 FROM unnest($1::text[], $2::text[]) AS q(actor, into_actor)
JOIN resource a ON a.kind = 'actor' AND a.slug = q.actor JOIN resource i ON i.kind = 'actor' AND i.slug = q.into_actor
JOIN resource_use u ON u.resource = a.resource
ON CONFLICT DO NOTHING
"""


async def append_uses_of(connection: Connection, pairs: Sequence[tuple[str, str]], revision: int) -> None:
    """Records of each pair of actors that whoever uses the first uses the second, from the revision on."""
    await connection.execute(ADD_USES_OF, [pair[0] for pair in pairs], [pair[1] for pair in pairs], revision)


# A null array asks for nothing. `$5`: collections whose events had named the resource by the revision; `$6`: what its
# visibility may be today; `$7`: slugs that may be seen whatever the rest says. `IS TRUE` keeps the collections a set
# that is hashed once: there may be thousands, and as a list or a join they are gone through for every resource.
LIST = """
SELECT r.resource, r.slug, v.revision, v.document FROM resource r
CROSS JOIN LATERAL (
    SELECT v.revision, v.document, v.search FROM resource_version v
    WHERE v.resource = r.resource AND v.revision <= $3 ORDER BY v.revision DESC LIMIT 1
) v
WHERE r.kind = $1 AND r.slug > $2 AND v.document IS NOT NULL
  AND ($4::text[] IS NULL OR v.search LIKE ALL ($4))
  AND ($5::text[] IS NULL OR EXISTS (
      SELECT FROM resource_use u WHERE u.resource = r.resource AND u.since <= $3 AND (u.collection IN (
          SELECT c.resource FROM resource c WHERE c.kind = 'collection' AND c.slug = ANY ($5))) IS TRUE))
  AND ($6::text[] IS NULL OR (
      SELECT t.document ->> 'visibility' FROM resource_version t
      WHERE t.resource = r.resource AND t.document IS NOT NULL ORDER BY t.revision DESC LIMIT 1) = ANY ($6))
  AND ($7::text[] IS NULL OR r.slug = ANY ($7))
ORDER BY r.slug LIMIT $8
"""


class Shown(Struct, frozen=True):
    """Which resources a list may hold; None: no limit of that kind."""

    used_in: frozenset[str] | None = None
    visibilities: tuple[str, ...] | None = None
    slugs: frozenset[str] | None = None


async def list_resources(
    connection: Connection,
    kind: Kind,
    *,
    after: str,
    revision: int,
    words: Sequence[str],
    shown: Shown,
    limit: int,
) -> list[Row]:
    """Resources in the order of their slugs, beyond `after`, whose search text holds every one of the words."""
    patterns = ["%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%" for word in words]
    rows = await connection.fetch(
        LIST,
        kind,
        after,
        revision,
        patterns or None,
        None if shown.used_in is None else sorted(shown.used_in),
        shown.visibilities,
        None if shown.slugs is None else sorted(shown.slugs),
        limit,
    )
    return [msgspec.convert(row, Row) for row in rows]


USED = """
SELECT DISTINCT r.slug FROM resource r
JOIN resource_use u ON u.resource = r.resource JOIN resource c ON c.resource = u.collection
WHERE r.kind = $1 AND r.slug = ANY ($2::text[]) AND u.since <= $3 AND c.slug = ANY ($4::text[])
"""


async def used_among(
    connection: Connection, kind: Kind, slugs: Iterable[str], revision: int, collections: Iterable[str]
) -> set[str]:
    """Those of the resources that events of these collections had named, or rested on, by the revision."""
    return {row[0] for row in await connection.fetch(USED, kind, list(slugs), revision, list(collections))}


USING = """
SELECT r.slug, c.slug FROM resource_use u
JOIN resource r ON r.resource = u.resource JOIN resource c ON c.resource = u.collection
WHERE r.kind = $1 AND r.slug = ANY ($2::text[])
"""


async def read_using(connection: Connection, kind: Kind, slugs: Sequence[str]) -> list[tuple[str, str]]:
    """Each of the resources with each collection whose events have ever named it or rested on it."""
    return [(row[0], row[1]) for row in await connection.fetch(USING, kind, slugs)]


USED_BEYOND = """
SELECT EXISTS (
    SELECT FROM resource_use u JOIN resource r ON r.resource = u.resource JOIN resource c ON c.resource = u.collection
    WHERE r.kind = $1 AND r.slug = $2 AND c.slug <> ALL ($3::text[]))
"""


async def is_used_beyond(connection: Connection, kind: Kind, slug: str, collections: Iterable[str]) -> bool:
    """Whether an event of any other collection has ever named the resource or rested on it."""
    return bool(await connection.fetchval(USED_BEYOND, kind, slug, list(collections)))


KNOWN_ONLY_BEYOND = """
SELECT r.slug FROM resource r
JOIN resource_use u ON u.resource = r.resource JOIN resource c ON c.resource = u.collection
WHERE r.kind = $1 AND r.slug = ANY ($2::text[])
GROUP BY r.slug HAVING NOT bool_or(c.slug = ANY ($3::text[]))
"""


async def known_only_beyond(
    connection: Connection, kind: Kind, slugs: Iterable[str], collections: Iterable[str]
) -> set[str]:
    """Those of the slugs that have been named by events, and by none of these collections."""
    return {row[0] for row in await connection.fetch(KNOWN_ONLY_BEYOND, kind, list(slugs), list(collections))}
