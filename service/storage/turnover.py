"""What a write changes in the posting index: postings that end with it and postings that begin, in any number."""

import asyncio
import struct
from array import array
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

from msgspec import Struct

from service.domain.dates import LATEST
from service.storage.pool import COPIED_MAX, COPIED_MIN, Connection
from service.storage.postings import CLOSED, TOLD, span_of

BREATH: Final = 500
"""Places put in order before others may go on."""
SENT_AT_ONCE: Final = 2**16
"""Bytes of a COPY."""
GATHERED_MAX: Final = 1_000_000
"""Postings that wait together to be written: four bytes each, and the more of them, the fewer pages are met twice."""


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
        self.postings = 0

    def add(self, place: Place, terms: Collection[int]) -> None:
        if terms:
            self._found.append((place, array("i", terms)))
            self.postings += len(terms)

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

    def sizes(self) -> Iterator[tuple[int, int, int]]:
        """Each term and class, and how many there are of them."""
        spans = [place.span for place in self.places]
        for term, ranks in self.ranks:
            for span, number in Counter(map(spans.__getitem__, ranks)).items():
                yield term, span, number

    def moves(self) -> Iterator[tuple[int, int, int]]:
        """By how many each term and class is less and more once all of them are closed."""
        for term, span, number in self.sizes():
            yield term, span, -number
            yield term, span | CLOSED, number

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
    """Appends rows that `with_terms` and `with_places` give, which are made while the database takes those before."""
    await connection.copy_to_table("posting", source=_sent(rows), columns=POSTING_COLUMNS, format="binary")


async def _sent(rows: Iterable[bytes]) -> AsyncIterator[bytes]:
    waiting, size = [_BEGIN], 0
    for row in rows:
        waiting.append(row)
        size += len(row)
        if size >= SENT_AT_ONCE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join((*waiting, _END))


class Turnover:
    """Postings to be closed and opened at one revision, gathered from any number of versions.

    They are written in the order of the index, so that each of its pages is touched once for all of them.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._closing, self._opening = Gathered(), Gathered()

    @property
    def full(self) -> bool:
        """Whether it is to be written before more is gathered."""
        return self._closing.postings + self._opening.postings >= GATHERED_MAX

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
        """Writes what was gathered, and begins anew. The caller holds the head."""
        closing, opening = await self._closing.in_order(), await self._opening.in_order()
        self._begin()
        for piece in closing.pieces():
            await connection.execute(CLOSE, revision, *closing.columns(piece)[:5])
        if sum(len(ranks) for _, ranks in opening.ranks) >= COPIED_MIN:
            rests = [copied(place, revision) for place in opening.places]
            for piece in opening.pieces():
                rows = (with_places(term, map(rests.__getitem__, ranks)) for term, ranks in piece)
                await copy_postings(connection, rows)
        else:
            for piece in opening.pieces():
                await connection.execute(OPEN_POSTINGS, revision, *opening.columns(piece))
        counted = chain(opening.sizes(), closing.moves())
        while part := list(islice(counted, COPIED_MAX)):
            await connection.execute(COUNT, *zip(*part, strict=True))
