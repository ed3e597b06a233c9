"""The posting index: which events a selection may choose, in date order, at the head and in the past.

`term -> class of length, bounds, event, revisions`. Here are its terms, and how it is made anew from the versions, for
nothing of the record lives in it; `turnover` brings it along with each write, and `walking` reads it.
"""

from collections.abc import Iterable
from typing import Final

from service.domain.dates import LATEST
from service.domain.terms import Term
from service.storage.memory import recall, recall_each
from service.storage.pool import Connection

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

    asked = sorted(set(terms))
    found = await recall_each(connection, (FIND_TERMS, closed), asked, read)
    return {term: known for term, known in zip(asked, found, strict=True) if known is not None}


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
    wanted = set(terms).difference(known)
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
