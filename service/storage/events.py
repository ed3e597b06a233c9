"""Events: their identity, their recorded versions, and the listing of a selection."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct

from service.domain.facets import FACETS
from service.domain.lenses import Version
from service.domain.terms import Term
from service.storage import postings, resources
from service.storage.pool import Connection, insert_many
from service.storage.turnover import Turnover, places_of


class Identity(Struct, frozen=True):
    """An event that has ever been recorded."""

    event: int
    id: str
    collection: str
    key: str | None


BY_ID = """
SELECT e.event, e.id, c.slug, e.key FROM event e JOIN resource c ON c.resource = e.collection
WHERE e.id = ANY ($1::uuid[])
"""
BY_KEY = """
SELECT e.event, e.id, c.slug, e.key FROM resource c JOIN event e ON e.collection = c.resource
WHERE c.kind = 'collection' AND c.slug = ANY ($1::text[]) AND e.key = ANY ($2::text[])
"""


async def find_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, Identity]:
    rows = await connection.fetch(BY_ID, [UUID(id) for id in ids])
    return {str(row[1]): Identity(row[0], str(row[1]), row[2], row[3]) for row in rows}


ONE_AT = """
SELECT e.event, e.id, c.slug, e.key,
       v.event, v.revision, v.t_lo, v.t_hi, v.known, v.span = 10, v.document, v.facts, v.actors, v.sources
FROM event e JOIN resource c ON c.resource = e.collection
LEFT JOIN LATERAL (
    SELECT * FROM version v WHERE v.event = e.event AND v.revision <= $2 ORDER BY v.revision DESC LIMIT 1
) v ON true
WHERE e.id = $1
"""


async def read_one(connection: Connection, id: str, revision: int) -> tuple[Identity, Version | None] | None:
    """An event that has ever been recorded, and its newest version up to the revision, if it had been by then."""
    row = await connection.fetchrow(ONE_AT, UUID(id), revision)
    if row is None:
        return None
    event, ident, collection, key, *version = row
    return Identity(event, str(ident), collection, key), None if version[0] is None else Version(*version)


BY_NUMBER = """
SELECT e.event, e.id, c.slug, e.key FROM event e JOIN resource c ON c.resource = e.collection
WHERE e.event = ANY ($1::int8[])
"""


async def find_by_number(connection: Connection, numbers: Iterable[int]) -> dict[int, Identity]:
    rows = await connection.fetch(BY_NUMBER, list(numbers))
    return {row[0]: Identity(row[0], str(row[1]), row[2], row[3]) for row in rows}


async def find_by_key(connection: Connection, collections: Iterable[str], keys: Iterable[str]) -> list[Identity]:
    rows = await connection.fetch(BY_KEY, list(collections), list(keys))
    return [Identity(row[0], str(row[1]), row[2], row[3]) for row in rows]


# Each event is looked for within its collection, and never through all collections for its key, which looks as cheap to
# a planner as long as there are few of them.
EACH_BY_KEY = """
SELECT e.event, e.id, c.slug, e.key FROM unnest($1::text[], $2::text[]) AS q(collection, key)
JOIN resource c ON c.kind = 'collection' AND c.slug = q.collection
CROSS JOIN LATERAL (
    SELECT * FROM event e WHERE e.collection = c.resource AND e.key = q.key LIMIT 1
) e
"""


async def find_each_by_key(connection: Connection, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Identity]:
    """The events of these collections and keys."""
    wanted = list(set(keys))
    rows = await connection.fetch(EACH_BY_KEY, [pair[0] for pair in wanted], [pair[1] for pair in wanted])
    return {(row[2], row[3]): Identity(row[0], str(row[1]), row[2], row[3]) for row in rows}


AT = """
SELECT v.event, v.revision, v.t_lo, v.t_hi, v.known, v.span = 10, v.document, v.facts, v.actors, v.sources
FROM unnest($1::int8[]) AS q(event) CROSS JOIN LATERAL (
    SELECT * FROM version v WHERE v.event = q.event AND v.revision <= $2 ORDER BY v.revision DESC LIMIT 1
) v
"""


async def read_versions(connection: Connection, events: Iterable[int], revision: int) -> dict[int, Version]:
    """The newest version up to the revision of each event that had been recorded by then; retracted ones too."""
    rows = await connection.fetch(AT, list(events), revision)
    return {row[0]: Version(*row) for row in rows}


# Of one that is live that is its newest version.
LAST_LIVE = """
SELECT v.event, v.revision, v.t_lo, v.t_hi, v.known, v.span = 10, v.document, v.facts, v.actors, v.sources
FROM unnest($1::int8[]) AS q(event) CROSS JOIN LATERAL (
    SELECT * FROM version v WHERE v.event = q.event AND v.document IS NOT NULL ORDER BY v.revision DESC LIMIT 1
) v
"""


async def read_last_live(connection: Connection, events: Iterable[int]) -> dict[int, Version]:
    """Each event as it is, or was before it was retracted."""
    rows = await connection.fetch(LAST_LIVE, list(events))
    return {row[0]: Version(*row) for row in rows}


LIVE_NOW = """
SELECT q.event FROM unnest($1::int8[]) AS q(event) CROSS JOIN LATERAL (
    SELECT v.document IS NOT NULL AS live FROM version v WHERE v.event = q.event ORDER BY v.revision DESC LIMIT 1
) v
WHERE v.live
"""


async def read_live(connection: Connection, events: Iterable[int]) -> set[int]:
    """Those of the events that are not retracted."""
    return {row[0] for row in await connection.fetch(LIVE_NOW, list(events))}


HISTORY = """
SELECT v.event, v.revision, v.t_lo, v.t_hi, v.known, v.span = 10, v.document, v.facts, v.actors, v.sources
FROM version v WHERE v.event = $1 AND v.revision > $2 AND v.revision <= $3 ORDER BY v.revision LIMIT $4
"""


async def read_history(connection: Connection, event: int, after: int, head: int, limit: int) -> list[Version]:
    """Versions of one event in the order in which they were recorded."""
    return [Version(*row) for row in await connection.fetch(HISTORY, event, after, head, limit)]


class Within(Struct, frozen=True):
    """Events that may be looked at: those of some collections, by slug and number, and some by their own number."""

    collections: dict[str, int]
    events: frozenset[int] = frozenset()

    def holds(self, identity: Identity) -> bool:
        return identity.collection in self.collections or identity.event in self.events

    @property
    def columns(self) -> tuple[list[int], list[int]]:
        return list(self.collections.values()), list(self.events)


SAME_KEY = """
SELECT e.event, e.key FROM event e
WHERE e.key = ANY ($3::text[]) AND (e.collection = ANY ($1::int4[]) OR e.event = ANY ($2::int8[])) ORDER BY e.event
"""


async def find_same_key(connection: Connection, within: Within, keys: Iterable[str]) -> dict[str, list[int]]:
    """The events of each of these keys, by number."""
    found: dict[str, list[int]] = {}
    for row in await connection.fetch(SAME_KEY, *within.columns, list(keys)):
        found.setdefault(row[1], []).append(row[0])
    return found


CHANGED = """
SELECT v.event, v.revision FROM version v JOIN event e USING (event)
WHERE v.revision > $3 AND v.revision <= least($4::int8, $5::int8) AND (v.revision < $5 OR v.event > $6)
  AND (e.collection = ANY ($1::int4[]) OR e.event = ANY ($2::int8[]))
  AND NOT EXISTS (SELECT FROM version w WHERE w.event = v.event AND w.revision > v.revision AND w.revision <= $4)
ORDER BY v.revision DESC, v.event LIMIT $7
"""
CHANGED_KEYS = """
SELECT DISTINCT t.event, v.revision FROM version v JOIN event e USING (event) CROSS JOIN LATERAL (
    SELECT e.event
    UNION ALL SELECT o.event FROM event o WHERE o.key = e.key AND o.collection = ANY ($1::int4[])
    UNION ALL SELECT o.event FROM event o WHERE o.key = e.key AND o.event = ANY ($2::int8[])
) t
WHERE v.revision > $3 AND v.revision <= least($4::int8, $5::int8) AND (v.revision < $5 OR t.event > $6)
  AND (e.collection = ANY ($1::int4[]) OR e.event = ANY ($2::int8[]))
  AND NOT EXISTS (SELECT FROM version w WHERE w.event = v.event AND w.revision > v.revision AND w.revision <= $4)
ORDER BY v.revision DESC, t.event LIMIT $7
"""


async def read_changed(
    connection: Connection,
    within: Within,
    since: int,
    until: int,
    after: tuple[int, int],
    limit: int,
    *,
    by_key: bool = False,
) -> list[tuple[int, int]]:
    """Events with versions in (since, until], each with its last revision there: newest first, then by number.

    `after` is the revision and event number to go on from. `by_key` gives with each event, and at its revision, all
    others of its key.
    """
    statement = CHANGED_KEYS if by_key else CHANGED
    rows = await connection.fetch(statement, *within.columns, since, until, *after, limit)
    return [(row[0], row[1]) for row in rows]


LIVE = """
FROM term t JOIN posting p ON p.term = t.term
WHERE (t.dimension, t.value) IN (SELECT * FROM unnest($1::text[], $2::text[]))
  AND p.span = ANY ('{0,1,2,3,4,5,6,7,8,9,10}'::int2[])
"""
LIVE_WITH = f"SELECT DISTINCT p.event {LIVE} ORDER BY p.event LIMIT $3"
ANY_LIVE_WITH = f"SELECT EXISTS (SELECT {LIVE})"


async def live_with(connection: Connection, terms: Sequence[Term], limit: int) -> list[int]:
    """Numbers of events that have one of the terms now."""
    rows = await connection.fetch(LIVE_WITH, [term[0] for term in terms], [term[1] for term in terms], limit)
    return [row[0] for row in rows]


async def any_live_with(connection: Connection, terms: Sequence[Term]) -> bool:
    """Whether an event has one of the terms now."""
    return bool(await connection.fetchval(ANY_LIVE_WITH, [term[0] for term in terms], [term[1] for term in terms]))


WITH_AT = """
SELECT DISTINCT p.event, t.dimension, t.value
FROM unnest($3::text[], $4::text[]) AS q(dimension, value) JOIN term t USING (dimension, value)
JOIN posting p ON p.term = t.term JOIN event e ON e.event = p.event
WHERE p.since <= $5 AND p.until > $5 AND (e.collection = ANY ($1::int4[]) OR e.event = ANY ($2::int8[])) LIMIT $6
"""


async def find_with(
    connection: Connection, within: Within, terms: Iterable[Term], revision: int, limit: int
) -> list[tuple[int, Term]]:
    """Events that have one of the terms at the revision, with that term."""
    wanted = list(terms)
    columns = [term[0] for term in wanted], [term[1] for term in wanted]
    rows = await connection.fetch(WITH_AT, *within.columns, *columns, revision, limit)
    return [(row[0], (row[1], row[2])) for row in rows]


class Written(Struct, frozen=True):
    """A version to be recorded. terms: those it is found by, none when it is retracted."""

    event: int
    lo: int
    hi: int
    undated: bool
    known: int
    told: tuple[tuple[int, int], ...]
    terms: frozenset[Term]
    actors: frozenset[str]
    sources: frozenset[str]
    document: bytes | None
    facts: bytes | None


ADD_EVENTS = """
INSERT INTO event (event, id, collection, key)
SELECT q.event, q.id, c.resource, q.key
FROM unnest($1::int8[], $2::uuid[], $3::text[], $4::text[]) AS q(event, id, collection, key)
JOIN resource c ON c.kind = 'collection' AND c.slug = q.collection
"""


async def append_events(connection: Connection, events: Sequence[Identity]) -> None:
    columns = zip(*((e.event, UUID(e.id), e.collection, e.key) for e in events), strict=True)
    await connection.execute(ADD_EVENTS, *(list(column) for column in columns))


PLACES = """
SELECT v.event, v.t_lo, v.t_hi, v.span, v.known, v.told, v.terms || v.words AS terms
FROM unnest($1::int8[]) AS q(event) CROSS JOIN LATERAL (
    SELECT * FROM version v WHERE v.event = q.event ORDER BY v.revision DESC LIMIT 1
) v
"""
ADD_VERSION = """
INSERT INTO version (
    event, revision, t_lo, t_hi, span, known, told, terms, words, facets, actors, sources, document, facts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""


VERSION_COLUMNS: Final = (
    *("event", "revision", "t_lo", "t_hi", "span", "known", "told"),
    *("terms", "words", "facets", "actors", "sources", "document", "facts"),
)


_WORDS: Final = frozenset({"word", "words"})
_COUNTED: Final = frozenset({*FACETS, "collection"})


def columns_of(stands: Iterable[Term], numbers: Mapping[Term, int]) -> tuple[list[int], list[int], list[int]]:
    """What a version is found by, as its row has it: terms that are no words, words, and terms that are counted."""
    terms: list[int] = []
    words: list[int] = []
    facets: list[int] = []
    for term in stands:
        number, dimension = numbers[term], term[0]
        if dimension in _WORDS:
            words.append(number)
        else:
            terms.append(number)
            if dimension in _COUNTED:
                facets.append(number)
    return sorted(terms), sorted(words), sorted(facets)


async def append_versions(
    connection: Connection, revision: int, versions: Sequence[Written], known: dict[Term, int], turnover: Turnover
) -> None:
    """Records what these events are from the revision on, and what becomes of the index. The caller holds the head.

    known: numbers of terms met before in the same transaction, to which those of these versions are added. turnover:
    what is for the caller to write after the last version of the transaction; it is written here as often as it fills.
    """
    before = {row["event"]: row for row in await connection.fetch(PLACES, [version.event for version in versions])}
    # A set told what it lacks of a dict hashes nothing anew.
    new = set[Term]().union(*(version.terms.difference(known) for version in versions))
    terms = await postings.ensure_terms(connection, new, known)
    actors = await resources.read_numbers(connection, "actor", {a for v in versions for a in v.actors})
    sources = await resources.read_numbers(connection, "source", {s for v in versions for s in v.sources})
    rows = []
    for version in versions:
        span = postings.span_of(version.lo, version.hi, version.undated)
        told = [bound for pair in version.told for bound in pair]
        places = places_of(span, version.lo, version.hi, version.event, version.known, told)
        columns = columns_of(version.terms, terms)
        numbers = [*columns[0], *columns[1]]
        old = before.get(version.event)
        if old is None:
            turnover.open(places, numbers)
        else:
            stood = places_of(old["span"], old["t_lo"], old["t_hi"], version.event, old["known"], old["told"])
            turnover.replace(stood, old["terms"], places, numbers)
        rows.append(
            (
                version.event,
                revision,
                version.lo,
                version.hi,
                span,
                version.known,
                told,
                *columns,
                sorted(actors[slug] for slug in version.actors),
                sorted(sources[slug] for slug in version.sources),
                version.document,
                version.facts,
            )
        )
    await insert_many(connection, ADD_VERSION, "version", VERSION_COLUMNS, rows)
    if turnover.full:
        await turnover.write(connection, revision)


async def retractions_of(connection: Connection, numbers: Sequence[int]) -> list[Written]:
    """What takes these events out: versions in the places where they now stand, and found by nothing."""
    rows = await connection.fetch(PLACES, numbers)
    return [
        Written(
            event=row["event"],
            lo=row["t_lo"],
            hi=row["t_hi"],
            undated=row["span"] == postings.UNDATED,
            known=row["known"],
            told=(),
            terms=frozenset(),
            actors=frozenset(),
            sources=frozenset(),
            document=None,
            facts=None,
        )
        for row in rows
    ]


EVERY = """
SELECT v.event, v.revision, v.t_lo, v.t_hi, v.known, v.span = 10, v.document, v.facts, v.actors, v.sources
FROM version v WHERE (v.event, v.revision) > ($1, $2) AND v.document IS NOT NULL
ORDER BY v.event, v.revision LIMIT $3
"""


async def read_every_version(connection: Connection, after: tuple[int, int], limit: int) -> list[Version]:
    """Versions that hold a document, of all events, by event and revision."""
    return [Version(*row) for row in await connection.fetch(EVERY, *after, limit)]


class Indexed(Struct, frozen=True):
    """What of a version follows from its document, and is found again when the service looks for more than it did."""

    event: int
    revision: int
    terms: frozenset[Term]
    told: tuple[tuple[int, int], ...]
    facts: bytes


INDEX_VERSION = """
UPDATE version SET terms = $3, words = $4, facets = $5, told = $6, facts = $7 WHERE event = $1 AND revision = $2
"""


async def index_versions(connection: Connection, versions: Sequence[Indexed]) -> None:
    """Notes the terms of versions; the postings are for `postings.rebuild` to make. The caller holds the head."""
    terms = await postings.ensure_terms(connection, {term for version in versions for term in version.terms}, {})
    rows = [
        (v.event, v.revision, *columns_of(v.terms, terms), [b for pair in v.told for b in pair], v.facts)
        for v in versions
    ]
    await connection.executemany(INDEX_VERSION, rows)
