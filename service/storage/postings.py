"""The posting index: which events a selection may choose, in date order, at the head and in the past.

`term -> class of length, bounds, event, revisions`. Here it is written and made anew; `walking` reads it. Nothing of
the record lives in it: `rebuild` makes it from the versions.
"""

import asyncio
import io
import struct
from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

from msgspec import Struct

from service.domain.dates import LATEST
from service.domain.terms import Term
from service.storage.memory import recall, recall_each
from service.storage.pool import COPIED_MAX, COPIED_MIN, Connection

DAY: Final = 86_400
# The longest span of each class, in seconds. Beyond: 8 longer, 9 open end, 10 without a date.
LENGTHS: Final = tuple(days * DAY for days in (1, 31, 366, 1_827, 7_305, 36_525, 365_250, 365_250_000))
LONGER: Final = 8
OPEN: Final = 9
UNDATED: Final = 10
CLOSED: Final = 16
TOLD: Final = 32
"""Added to the class where an account of an event gives it another date than its own."""
BREATH: Final = 500
"""Places put in order before others may go on."""


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


class Place(NamedTuple):
    """Where a version stands in the index under each of its terms. Places order as the index does within a term."""

    span: int
    lo: int
    hi: int
    event: int
    known: int


def places_of(span: int, lo: int, hi: int, event: int, known: int, told: Sequence[int]) -> list[Place]:
    """The place of a version's own date, and one for each other date that accounts give it. told: bounds in pairs."""
    places = [Place(span, lo, hi, event, known)]
    for lower, upper in zip(told[::2], told[1::2], strict=True):
        places.append(Place(span_of(lower, upper, False) | TOLD, lower, upper, event, known))
    return places


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


Numbers: TypeAlias = "array[int]"


class Gathered:
    """Places with the terms of each, to be gone through by term and place. Four bytes are held for each posting."""

    def __init__(self) -> None:
        self._found: list[tuple[Place, Numbers]] = []

    def add(self, place: Place, terms: Collection[int]) -> None:
        if terms:
            self._found.append((place, array("i", terms)))

    async def in_order(self) -> "Ordered":
        self._found.sort(key=itemgetter(0))
        ranks: defaultdict[int, Numbers] = defaultdict(lambda: array("i"))
        for rank, (_, terms) in enumerate(self._found):
            if rank % BREATH == BREATH - 1:
                await asyncio.sleep(0)
            for term in terms:
                ranks[term].append(rank)
        return Ordered([place for place, _ in self._found], sorted(ranks.items()))


class Ordered(Struct, frozen=True):
    """Postings in the order of the index: places, and for each term the ranks of its places."""

    places: list[Place]
    ranks: list[tuple[int, Numbers]]

    def sizes(self) -> Iterator[tuple[tuple[int, int], int]]:
        """How many there are of each term and class."""
        spans = [place.span for place in self.places]
        for term, ranks in self.ranks:
            for span, number in Counter(map(spans.__getitem__, ranks)).items():
                yield (term, span), number

    def pieces(self) -> Iterator[list[tuple[int, Numbers]]]:
        """Terms with ranks, no more in one piece than one statement writes."""
        piece: list[tuple[int, Numbers]] = []
        left = COPIED_MAX
        for term, ranks in self.ranks:
            start = 0
            while start < len(ranks):
                part = ranks[start : start + left]
                piece.append((term, part))
                start, left = start + len(part), left - len(part)
                if not left:
                    yield piece
                    piece, left = [], COPIED_MAX
        if piece:
            yield piece

    def columns(self, piece: list[tuple[int, Numbers]]) -> list[tuple[int, ...]]:
        """Term, class, bounds, event, and from when it was known, of each posting of a piece."""
        rows = [(term, *self.places[rank]) for term, ranks in piece for rank in ranks]
        return list(zip(*rows, strict=True))


_INT4 = struct.Struct(">i").pack
_PLACE = struct.Struct(">ihiqiqiqiqiqiq").pack
_ROW = struct.pack(">hi", len(POSTING_COLUMNS), 4)
_BEGIN, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


def copied(place: Place, since: int, until: int = LATEST) -> bytes:
    """All but the term of a posting's row, as COPY takes it."""
    span = place.span if until == LATEST else place.span | CLOSED
    return _PLACE(2, span, 8, place.lo, 8, place.hi, 8, place.event, 8, since, 8, until, 8, place.known)


def with_terms(terms: Iterable[int], rest: bytes) -> bytes:
    """Rows that differ in their terms alone. rest: what `copied` gives."""
    return b"".join([_ROW + _INT4(term) + rest for term in terms])


def with_places(term: int, rests: Iterable[bytes]) -> bytes:
    """Rows of one term."""
    begin = _ROW + _INT4(term)
    return b"".join([begin + rest for rest in rests])


async def copy_postings(connection: Connection, rows: Iterable[bytes]) -> None:
    """Appends rows that `with_terms` and `with_places` give."""
    source = io.BytesIO(b"".join((_BEGIN, *rows, _END)))
    await connection.copy_to_table("posting", source=source, columns=POSTING_COLUMNS, format="binary")


class Turnover:
    """Postings to be closed and opened at one revision, gathered from any number of versions.

    They are written in the order of the index, so that each of its pages is touched once for all of them.
    """

    def __init__(self) -> None:
        self._closing, self._opening = Gathered(), Gathered()

    def open(self, places: Iterable[Place], terms: Collection[int]) -> None:
        """A version begins where the event had none."""
        for place in places:
            self._opening.add(place, terms)

    def replace(
        self, before: Collection[Place], old: Iterable[int], after: Collection[Place], new: Iterable[int]
    ) -> None:
        """A version follows another; a term that goes on at the same place stays one posting."""
        was, now = set(old), set(new)
        for place in before:
            self._closing.add(place, was - now if place in after else was)
        for place in after:
            self._opening.add(place, now - was if place in before else now)

    async def write(self, connection: Connection, revision: int) -> None:
        """Writes what was gathered. The caller holds the head."""
        closing, opening = await self._closing.in_order(), await self._opening.in_order()
        counts: Counter[tuple[int, int]] = Counter(dict(opening.sizes()))
        for (term, span), number in closing.sizes():
            counts[term, span] -= number
            counts[term, span | CLOSED] += number
        for piece in closing.pieces():
            await connection.execute(CLOSE, revision, *closing.columns(piece)[:5])
        if sum(len(ranks) for _, ranks in opening.ranks) >= COPIED_MIN:
            rests = [copied(place, revision) for place in opening.places]
            for piece in opening.pieces():
                rows = (with_places(term, map(rests.__getitem__, ranks)) for term, ranks in piece)
                await copy_postings(connection, rows)
        elif opening.ranks:
            for piece in opening.pieces():
                await connection.execute(OPEN_POSTINGS, revision, *opening.columns(piece))
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
