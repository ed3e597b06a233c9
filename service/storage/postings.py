"""The posting index: which events a selection may choose, in date order, at the head and in the past.

`term -> class of length, bounds, event, revisions`. Here it is written and made anew; `walking` reads it. Nothing of
the record lives in it: `rebuild` makes it from the versions.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from msgspec import Struct

from service.domain.dates import LATEST
from service.domain.terms import Term
from service.storage.memory import recall, recall_each
from service.storage.pool import COPIED_MAX, COPIED_MIN, Connection, copy_rows

DAY: Final = 86_400
# The longest span of each class, in seconds. Beyond: 8 longer, 9 open end, 10 without a date.
LENGTHS: Final = tuple(days * DAY for days in (1, 31, 366, 1_827, 7_305, 36_525, 365_250, 365_250_000))
LONGER: Final = 8
OPEN: Final = 9
UNDATED: Final = 10
CLOSED: Final = 16
TOLD: Final = 32
"""Added to the class where an account of an event gives it another date than its own."""


def span_of(lo: int, hi: int, undated: bool) -> int:
    """The class of a date's length: walks of one class need not start earlier than its longest span before a window."""
    if undated:
        return UNDATED
    if hi == LATEST:
        return OPEN
    for span, length in enumerate(LENGTHS):
        if hi - lo < length:
            return span
    return LONGER


# A walk of the present meets no closed posting, so those do not count there.
_SIZE = """
coalesce((
    SELECT sum(s.postings) FROM term_span s WHERE s.term = t.term AND (s.span & 16 = 0 OR $3)), 0)::int8
"""
_FIND_TERMS = """
SELECT t.dimension, t.value, t.term, {size}
FROM unnest($1::text[], $2::text[]) AS q(dimension, value) JOIN term t USING (dimension, value)
"""
_FIND_BETWEEN = """
SELECT t.term, {size} FROM term t
WHERE t.dimension = $1 AND t.value COLLATE "C" BETWEEN $2 AND $4 LIMIT $5
"""
FIND_TERMS, FIND_BETWEEN = _FIND_TERMS.format(size=_SIZE), _FIND_BETWEEN.format(size=_SIZE)


async def find_terms(connection: Connection, terms: Iterable[Term], *, closed: bool) -> dict[Term, tuple[int, int]]:
    """Number of each term that exists, and how many postings it has, those since closed among them or not."""

    async def read(wanted: list[Term]) -> dict[Term, tuple[int, int]]:
        rows = await connection.fetch(FIND_TERMS, [term[0] for term in wanted], [term[1] for term in wanted], closed)
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}

    return await recall_each(connection, (FIND_TERMS, closed), sorted(set(terms)), read, lambda _: 0)


async def find_between(
    connection: Connection, part: tuple[str, str, str], limit: int, *, closed: bool
) -> list[tuple[int, int]]:
    """Numbers of up to `limit` terms of a dimension from one value to another, and how many postings each has."""
    dimension, first, last = part

    async def read() -> list[tuple[int, int]]:
        return [(row[0], row[1]) for row in await connection.fetch(FIND_BETWEEN, dimension, first, closed, last, limit)]

    return await recall(connection, (FIND_BETWEEN, part, limit, closed), read)


NUMBERS = """
SELECT t.dimension, t.value, t.term FROM unnest($1::text[], $2::text[]) AS q(dimension, value)
JOIN term t USING (dimension, value)
"""
ADD_TERMS = """
INSERT INTO term (term, dimension, value)
SELECT (SELECT coalesce(max(term), 0) FROM term) + row_number() OVER (ORDER BY q.place), q.dimension, q.value
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS q(dimension, value, place)
"""


async def ensure_terms(connection: Connection, terms: Iterable[Term], known: dict[Term, int]) -> dict[Term, int]:
    """Adds to those known the numbers of all the terms, new ones included. The caller holds the head."""
    wanted = set(terms) - known.keys()
    if wanted:
        known |= await _numbers_of(connection, wanted)
    missing = sorted(wanted - known.keys())
    if missing:
        await connection.execute(ADD_TERMS, [term[0] for term in missing], [term[1] for term in missing])
        known |= await _numbers_of(connection, missing)
    return known


async def _numbers_of(connection: Connection, terms: Iterable[Term]) -> dict[Term, int]:
    wanted = list(terms)
    rows = await connection.fetch(NUMBERS, [term[0] for term in wanted], [term[1] for term in wanted])
    return {(row[0], row[1]): row[2] for row in rows}


Posting: TypeAlias = tuple[int, int, int, int, int, int]
"""One term of one version, to be opened or closed: term, class, lower and upper bound, event, and from when it was
known. They order as the index does: writing in that order touches each of its pages once."""


class Place(Struct, frozen=True):
    """Where the postings of one version stand."""

    event: int
    lo: int
    hi: int
    span: int
    known: int
    told: tuple[tuple[int, int], ...] = ()
    """Bounds of other dates that accounts of the event give it."""

    def postings(self, terms: Iterable[int]) -> Iterator[Posting]:
        """Those of the terms, at this place and at those that accounts of the event give it."""
        places = [(self.span, self.lo, self.hi), *((span_of(lo, hi, False) | TOLD, lo, hi) for lo, hi in self.told)]
        return ((term, *place, self.event, self.known) for term in terms for place in places)


# The LATERAL with its LIMIT makes one index probe of each posting; five equalities in a join were estimated at one row
# and merged with the whole index.
CLOSE = """
UPDATE posting SET until = $1, span = posting.span | 16
WHERE ctid = ANY (ARRAY(
    SELECT x.ctid
    FROM unnest($2::int4[], $3::int2[], $4::int8[], $5::int8[], $6::int8[]) AS q(term, span, lo, hi, event)
    CROSS JOIN LATERAL (
        SELECT p.ctid FROM posting p
        WHERE p.term = q.term AND p.span = q.span AND p.t_lo = q.lo AND p.t_hi = q.hi AND p.event = q.event
          AND p.until = 9223372036854775807 LIMIT 1
    ) x
))
"""
OPEN_POSTINGS = """
INSERT INTO posting (term, span, t_lo, t_hi, event, since, until, known)
SELECT q.term, q.span, q.lo, q.hi, q.event, $1, 9223372036854775807, q.known
FROM unnest($2::int4[], $3::int2[], $4::int8[], $5::int8[], $6::int8[], $7::int8[])
     AS q(term, span, lo, hi, event, known)
"""
POSTING_COLUMNS: Final = ("term", "span", "t_lo", "t_hi", "event", "since", "until", "known")
COUNT = """
INSERT INTO term_span (term, span, postings)
SELECT q.term, q.span, sum(q.postings) FROM unnest($1::int4[], $2::int2[], $3::int8[]) AS q(term, span, postings)
GROUP BY q.term, q.span
ON CONFLICT (term, span) DO UPDATE SET postings = term_span.postings + excluded.postings
"""


async def write_postings(
    connection: Connection, revision: int, closed: Iterable[Posting], opened: Iterable[Posting]
) -> None:
    """Closes and opens postings at a revision. The caller holds the head."""
    closing, opening = sorted(closed), sorted(opened)
    counts: Counter[tuple[int, int]] = Counter((posting[0], posting[1]) for posting in opening)
    counts.subtract((posting[0], posting[1]) for posting in closing)
    counts.update((posting[0], posting[1] | CLOSED) for posting in closing)
    for start in range(0, len(closing), COPIED_MAX):
        places = list(zip(*closing[start : start + COPIED_MAX], strict=True))[:5]
        await connection.execute(CLOSE, revision, *places)
    if len(opening) >= COPIED_MIN:
        rows = [(*posting[:5], revision, LATEST, posting[5]) for posting in opening]
        await copy_rows(connection, "posting", POSTING_COLUMNS, rows)
    elif opening:
        await connection.execute(OPEN_POSTINGS, revision, *zip(*opening, strict=True))
    if counts:
        keys = sorted(counts)
        await connection.execute(COUNT, [k[0] for k in keys], [k[1] for k in keys], [counts[k] for k in keys])


CLEAR = "TRUNCATE posting, term_span"
# A term that goes on from version to version at the same place is one posting, from its first revision to its last.
_CLASS = " ".join(f"WHEN told.hi::numeric - told.lo < {length} THEN {span}" for span, length in enumerate(LENGTHS))
_REBUILD = """
INSERT INTO posting (term, span, t_lo, t_hi, event, since, until, known)
WITH lasting AS (
    SELECT v.*, lead(v.revision, 1, {latest}) OVER (PARTITION BY v.event ORDER BY v.revision) AS until FROM version v
), placed AS (
    SELECT v.terms || v.words AS terms, p.span, p.t_lo, p.t_hi, v.event, v.known, v.revision AS since, v.until
    FROM lasting v CROSS JOIN LATERAL (
        SELECT v.span, v.t_lo, v.t_hi
        UNION ALL
        SELECT (CASE WHEN told.hi = {latest} THEN {open} {classes} ELSE {longer} END | {told})::int2, told.lo, told.hi
        FROM generate_series(1, cardinality(v.told) / 2) i
        CROSS JOIN LATERAL (SELECT v.told[2 * i - 1], v.told[2 * i]) AS told(lo, hi)
    ) p
), numbered AS (
    SELECT *, coalesce(lag(until) OVER place = since, false) AS goes_on
    FROM (SELECT unnest(terms) AS term, span, t_lo, t_hi, event, known, since, until FROM placed) version_term
    WINDOW place AS (PARTITION BY term, span, t_lo, t_hi, event, known ORDER BY since)
), run AS (
    SELECT *, count(*) FILTER (WHERE NOT goes_on) OVER (
        PARTITION BY term, span, t_lo, t_hi, event, known ORDER BY since) AS number
    FROM numbered
)
SELECT term, CASE WHEN max(until) = {latest} THEN span ELSE span | {closed}::int2 END AS class,
       t_lo, t_hi, event, min(since), max(until), known
FROM run GROUP BY term, span, t_lo, t_hi, event, known, number
ORDER BY term, class, t_lo, t_hi, event
"""
REBUILD = _REBUILD.format(latest=LATEST, open=OPEN, classes=_CLASS, longer=LONGER, told=TOLD, closed=CLOSED)
RECOUNT = "INSERT INTO term_span (term, span, postings) SELECT term, span, count(*) FROM posting GROUP BY term, span"


async def rebuild(connection: Connection) -> None:
    """Makes the index anew from the versions, in the caller's transaction, which should hold the head."""
    for statement in (CLEAR, REBUILD, RECOUNT):
        await connection.execute(statement)


GENERATION = "SELECT index_generation FROM head"
SET_GENERATION = "UPDATE head SET index_generation = $1"


async def read_generation(connection: Connection) -> int:
    """Which terms the index holds."""
    return int(await connection.fetchval(GENERATION))


async def write_generation(connection: Connection, generation: int) -> None:
    await connection.execute(SET_GENERATION, generation)
