"""The posting index: which events a selection may choose, in date order, at the head and in the past.

`term -> class of length, bounds, event, revisions`. One statement walks the shortest of a selection's lists, checks the
other terms on the fetched version row, and gives its documents along. Nothing of the record lives here: `rebuild`
makes it anew from the versions.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from service.domain.dates import EARLIEST, LATEST
from service.domain.selection import Filters, Position, Selection, Term, Version
from service.storage.pool import COPIED_MIN, Connection

DAY: Final = 86_400
# The longest span of each class, in seconds. Beyond: 8 longer, 9 open end, 10 without a date.
LENGTHS: Final = tuple(days * DAY for days in (1, 31, 366, 1_827, 7_305, 36_525, 365_250, 365_250_000))
LONGER: Final = 8
OPEN: Final = 9
UNDATED: Final = 10
CLOSED: Final = 16

GROUPS_MAX: Final = 4
"""How many groups of terms the statement checks for the request, and as many for a timeline; more are rechecked."""
BUDGET_MAX: Final = 2_000
CANDIDATES_MAX: Final = 50_000


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
FIND_TERMS = """
SELECT t.dimension, t.value, t.term, coalesce((
    SELECT sum(s.postings) FROM term_span s WHERE s.term = t.term AND (s.span < 16 OR $3)), 0)::int8
FROM unnest($1::text[], $2::text[]) AS q(dimension, value) JOIN term t USING (dimension, value)
"""


async def find_terms(connection: Connection, terms: Iterable[Term], *, closed: bool) -> dict[Term, tuple[int, int]]:
    """Number of each term that exists, and how many postings it has, those since closed among them or not."""
    wanted = sorted(set(terms))
    rows = await connection.fetch(FIND_TERMS, [term[0] for term in wanted], [term[1] for term in wanted], closed)
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


ADD_TERMS = """
INSERT INTO term (term, dimension, value)
SELECT (SELECT coalesce(max(term), 0) FROM term) + row_number() OVER (ORDER BY q.place), q.dimension, q.value
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS q(dimension, value, place)
"""


async def ensure_terms(connection: Connection, terms: Iterable[Term]) -> dict[Term, int]:
    """Numbers of all the terms, new ones included. The caller holds the head."""
    wanted = set(terms)
    found = await find_terms(connection, wanted, closed=False)
    missing = sorted(wanted - found.keys())
    if missing:
        await connection.execute(ADD_TERMS, [term[0] for term in missing], [term[1] for term in missing])
        found |= await find_terms(connection, missing, closed=False)
    return {term: number for term, (number, _) in found.items()}


class Place(Struct, frozen=True):
    """Where the postings of one version stand."""

    event: int
    lo: int
    hi: int
    span: int
    known: int


class Posting(Struct, frozen=True):
    """One term of one version, to be opened or closed."""

    term: int
    place: Place

    @property
    def order(self) -> tuple[int, int, int, int, int]:
        """The order of the index: writing in it touches each of its pages once."""
        return (self.term, self.place.span, self.place.lo, self.place.hi, self.place.event)


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
    closing, opening = sorted(closed, key=lambda p: p.order), sorted(opened, key=lambda p: p.order)
    counts: dict[tuple[int, int], int] = {}
    for posting in closing:
        for span, number in ((posting.place.span, -1), (posting.place.span | CLOSED, 1)):
            counts[posting.term, span] = counts.get((posting.term, span), 0) + number
    for posting in opening:
        at = posting.term, posting.place.span
        counts[at] = counts.get(at, 0) + 1
    if closing:
        await connection.execute(CLOSE, revision, *_columns(closing))
    if len(opening) >= COPIED_MIN:
        rows = [(*posting.order, revision, LATEST, posting.place.known) for posting in opening]
        await connection.copy_records_to_table("posting", records=rows, columns=POSTING_COLUMNS)
    elif opening:
        known = [posting.place.known for posting in opening]
        await connection.execute(OPEN_POSTINGS, revision, *_columns(opening), known)
    if counts:
        keys = sorted(counts)
        await connection.execute(COUNT, [k[0] for k in keys], [k[1] for k in keys], [counts[k] for k in keys])


def _columns(postings: Sequence[Posting]) -> tuple[list[int], ...]:
    orders = [posting.order for posting in postings]
    return tuple([order[column] for order in orders] for column in range(5))


# $1 driving terms
# $2 classes to walk, $3 $4 $5 the place each begins after, $6 the lower bound at which each ends when descending
# $7 revision, $8 known, $9 $10 $11 lo_max, hi_min and hi_max of the walks, $12 candidates and $13 rows at most
# $14 $15 events named outright and whether each is pinned, $16 whether undated, $17 $18 $19 the place they begin after
# $20..$23 the request's bounds, $24..$27 the timeline's, $28 whether it takes dated or undated, $29 events excluded
# $30 collections in sight, $31..$34 groups of the request, $35..$38 of the timeline, $39 whether facts are wanted
# The last row has no version: it tells the last candidate, how many there were, and the head at that moment.
_PAGE = """
WITH walk AS MATERIALIZED (
    SELECT s.term, b.* FROM term_span s
    JOIN unnest($2::int2[], $3::int8[], $4::int8[], $5::int8[], $6::int8[]) AS b(span, lo, hi, event, stop)
      ON b.span = s.span
    WHERE s.term = ANY ($1::int4[]) AND s.postings > 0
), found AS (
    SELECT x.t_lo, x.t_hi, x.event, false AS pinned FROM walk w CROSS JOIN LATERAL (
        SELECT p.t_lo, p.t_hi, p.event FROM posting p
        WHERE p.term = w.term AND p.span = w.span AND (p.t_lo, p.t_hi, p.event) {beyond} (w.lo, w.hi, w.event)
          AND {stop} AND p.t_hi >= $10 AND p.t_hi <= $11
          AND p.since <= $7 AND p.until > $7 AND p.known <= $8
        ORDER BY p.t_lo {order}, p.t_hi {order}, p.event {order} LIMIT $12
    ) x
  UNION ALL
    SELECT v.t_lo, v.t_hi, v.event, n.pinned FROM unnest($14::int8[], $15::bool[]) AS n(event, pinned)
    CROSS JOIN LATERAL (
        SELECT * FROM version v WHERE v.event = n.event AND v.revision <= $7 ORDER BY v.revision DESC LIMIT 1
    ) v
    WHERE v.document IS NOT NULL AND v.known <= $8 AND (v.span = 10) = $16
      AND (v.t_lo, v.t_hi, v.event) {beyond} ($17::int8, $18::int8, $19::int8)
      AND v.t_lo BETWEEN $20 AND $21 AND v.t_hi BETWEEN $22 AND $23
      AND (n.pinned OR ($28 AND v.t_lo BETWEEN $24 AND $25 AND v.t_hi BETWEEN $26 AND $27))
), candidate AS MATERIALIZED (
    SELECT f.t_lo, f.t_hi, f.event, bool_or(f.pinned) AS pinned FROM found f
    GROUP BY f.t_lo, f.t_hi, f.event
    ORDER BY f.t_lo {order}, f.t_hi {order}, f.event {order} LIMIT $12
), page AS MATERIALIZED (
    SELECT c.t_lo, c.t_hi, c.event, v.revision, v.known, v.document, v.facts, v.actors, v.sources
    FROM candidate c CROSS JOIN LATERAL (
        SELECT * FROM version v WHERE v.t_lo = c.t_lo AND v.event = c.event AND v.revision <= $7
        ORDER BY v.revision DESC LIMIT 1
    ) v
    WHERE c.event <> ALL ($29::int8[]) AND (c.pinned OR v.terms && $30)
      AND ($31::int4[] IS NULL OR v.terms && $31) AND ($32::int4[] IS NULL OR v.terms && $32)
      AND ($33::int4[] IS NULL OR v.terms && $33) AND ($34::int4[] IS NULL OR v.terms && $34)
      AND (c.pinned OR (
          ($35::int4[] IS NULL OR v.terms && $35) AND ($36::int4[] IS NULL OR v.terms && $36)
          AND ($37::int4[] IS NULL OR v.terms && $37) AND ($38::int4[] IS NULL OR v.terms && $38)))
    LIMIT $13
)
SELECT event, revision, t_lo, t_hi, known, document, CASE WHEN $39 THEN facts END AS facts, actors, sources, NULL::int8
FROM page
UNION ALL
SELECT last.event, (SELECT revision FROM head), last.t_lo, last.t_hi, NULL, NULL, NULL, NULL, NULL,
       (SELECT count(*) FROM candidate)
FROM (SELECT) always LEFT JOIN LATERAL (
    SELECT * FROM candidate c ORDER BY c.t_lo {reverse}, c.t_hi {reverse}, c.event {reverse} LIMIT 1
) last ON true
"""
PAGE_ASCENDING = _PAGE.format(beyond=">", stop="p.t_lo <= $9 AND w.stop <= $9", order="ASC", reverse="DESC")
PAGE_DESCENDING = _PAGE.format(beyond="<", stop="p.t_lo >= w.stop AND $9 >= w.stop", order="DESC", reverse="ASC")


class Groups(Struct, frozen=True):
    """A selection's terms as the index knows them. An impossible one asks for a term that no event ever had."""

    collections: list[int]
    request: list[list[int]]
    timeline: list[list[int]]
    sizes: Mapping[int, int]
    impossible: bool = False
    impossible_timeline: bool = False


async def groups_of(connection: Connection, selection: Selection) -> Groups:
    """The numbers of a selection's terms."""
    named = selection.filters.ids is not None
    sight = selection.sight.named if named else selection.collections
    asked = [("collection", slug) for slug in sight]
    for group in (*selection.filters.groups, *selection.timeline.groups):
        asked += [(group.dimension, value) for value in group.values]
    found = await find_terms(connection, asked, closed=selection.revision != selection.head)

    def numbers(dimension: str, values: Iterable[str]) -> list[int]:
        return [found[dimension, value][0] for value in values if (dimension, value) in found]

    request = [numbers(group.dimension, group.values) for group in selection.filters.groups]
    timeline = [numbers(group.dimension, group.values) for group in selection.timeline.groups]
    return Groups(
        collections=numbers("collection", sight),
        request=request,
        timeline=timeline,
        sizes=dict(found.values()),
        impossible=not all(request),
        impossible_timeline=not all(timeline),
    )


class Walk(Struct, frozen=True):
    """One run of the page statement: the versions that the terms allow, in order, and where it came to."""

    versions: list[Version]
    last: Position | None
    """The last candidate looked at, None where there was none."""
    exhausted: bool
    """Whether no candidate is left beyond it."""
    candidates: int
    head: int


class Named(Struct, frozen=True):
    """Events asked for outright: whether beside a walk or in place of it, their numbers, and which are pins."""

    walks: bool
    events: list[int] = []
    pinned: list[bool] = []
    excluded: list[int] = []


async def walk(
    connection: Connection,
    selection: Selection,
    groups: Groups,
    named: Named,
    *,
    undated: bool,
    after: Position | None,
    limit: int,
    budget: int,
    closed: bool,
    facts: bool,
) -> Walk:
    """Looks at up to `budget` candidates beyond `after`, among events with a date or without, and keeps up to `limit`.

    `closed` walks postings that have since been closed too; it is needed for every revision but the head.
    """
    request, timeline = selection.filters, selection.timeline
    descending = selection.descending and not undated
    bounds = request.bounds & timeline.bounds
    takes_timeline = _takes(timeline, undated) and not groups.impossible_timeline
    walks = named.walks and _takes(request, undated) and takes_timeline
    start = _outermost(descending) if after is None else after[1:]
    spans, places, stops = _streams(bounds, undated, descending, None if after is None else after[1:], closed)
    rows = await connection.fetch(
        PAGE_DESCENDING if descending else PAGE_ASCENDING,
        _driver(groups) if walks and not groups.impossible else [],
        spans,
        [place[0] for place in places],
        [place[1] for place in places],
        [place[2] for place in places],
        stops,
        selection.revision,
        selection.known,
        LATEST if undated else bounds.lo_max,
        EARLIEST if undated else bounds.hi_min,
        LATEST if undated else bounds.hi_max,
        budget,
        limit,
        named.events if _takes(request, undated) and not groups.impossible else [],
        named.pinned if _takes(request, undated) and not groups.impossible else [],
        undated,
        *start,
        *_limits(request, undated),
        *_limits(timeline, undated),
        takes_timeline,
        named.excluded,
        groups.collections,
        *_padded(groups.request),
        *_padded(groups.timeline),
        facts,
    )
    last = rows[-1]
    versions = [_version(row, undated) for row in rows[:-1]]
    return Walk(
        versions=versions,
        last=None if last["event"] is None else (undated, last["t_lo"], last["t_hi"], last["event"]),
        exhausted=last[9] < budget,
        candidates=last[9],
        head=last["revision"],
    )


def _version(row: Any, undated: bool) -> Version:
    return Version(row[0], row[1], row[2], row[3], row[4], undated, row[5], row[6], row[7], row[8])


def _takes(filters: Filters, undated: bool) -> bool:
    return filters.undated if undated else filters.dated


def _limits(filters: Filters, undated: bool) -> tuple[int, int, int, int]:
    if undated:
        return EARLIEST, LATEST, EARLIEST, LATEST
    bounds = filters.bounds
    return bounds.lo_min, bounds.lo_max, bounds.hi_min, bounds.hi_max


def _padded(groups: list[list[int]]) -> list[list[int] | None]:
    shown: list[list[int] | None] = list(groups[:GROUPS_MAX])
    return shown + [None] * (GROUPS_MAX - len(shown))


def _outermost(descending: bool) -> tuple[int, int, int]:
    return (LATEST, LATEST, LATEST) if descending else (EARLIEST, EARLIEST, EARLIEST)


def _streams(
    bounds: Any, undated: bool, descending: bool, after: tuple[int, int, int] | None, closed: bool
) -> tuple[list[int], list[tuple[int, int, int]], list[int]]:
    """Classes to walk, the place after which each begins, and the lowest bound it needs to reach.

    Nothing of a class begins more than its length before a window that it reaches into.
    """
    spans, places, stops = [], [], []
    for span in (UNDATED,) if undated else range(UNDATED):
        lowest = EARLIEST if undated else bounds.lo_min
        if not undated and span < len(LENGTHS) and bounds.hi_min > EARLIEST + LENGTHS[span]:
            lowest = max(lowest, bounds.hi_min - LENGTHS[span] + 1)
        if descending:
            first = (LATEST if undated else bounds.lo_max, LATEST, LATEST)
            place = first if after is None else min(first, after)
        else:
            first = (lowest, EARLIEST, EARLIEST)
            place = first if after is None else max(first, after)
        for kind in (span, span | CLOSED) if closed else (span,):
            spans.append(kind)
            places.append(place)
            stops.append(lowest)
    return spans, places, stops


def _driver(groups: Groups) -> list[int]:
    """The group with the fewest postings: the shortest list to walk."""
    every = [*groups.request, *groups.timeline, groups.collections]
    return min(every, key=lambda terms: sum(groups.sizes.get(term, 0) for term in terms))


def budget_of(groups: Groups, limit: int) -> int:
    """How many candidates to look at for a page: more where the other groups let few of them pass."""
    sizes = [sum(groups.sizes.get(term, 0) for term in terms) for terms in (*groups.request, *groups.timeline)]
    if not sizes:
        return limit
    every = max(sum(groups.sizes.get(term, 0) for term in groups.collections), 1)
    passing = 1.0
    for size in sorted(sizes)[1:]:
        passing *= min(1.0, max(size, 1) / every)
    return limit if passing == 1.0 else int(min(max(2 * limit / passing, 60), BUDGET_MAX))


CLEAR = "TRUNCATE posting, term_span"
# A term that goes on from version to version at the same place is one posting, from its first revision to its last.
REBUILD = """
INSERT INTO posting (term, span, t_lo, t_hi, event, since, until, known)
WITH version_term AS (
    SELECT unnest(v.terms) AS term, v.span, v.t_lo, v.t_hi, v.event, v.known, v.revision AS since,
           lead(v.revision, 1, 9223372036854775807) OVER (PARTITION BY v.event ORDER BY v.revision) AS until
    FROM version v
), numbered AS (
    SELECT *, coalesce(lag(until) OVER place = since, false) AS goes_on FROM version_term
    WINDOW place AS (PARTITION BY term, span, t_lo, t_hi, event, known ORDER BY since)
), run AS (
    SELECT *, count(*) FILTER (WHERE NOT goes_on) OVER (
        PARTITION BY term, span, t_lo, t_hi, event, known ORDER BY since) AS number
    FROM numbered
)
SELECT term, CASE WHEN max(until) = 9223372036854775807 THEN span ELSE span | 16::int2 END AS class,
       t_lo, t_hi, event, min(since), max(until), known
FROM run GROUP BY term, span, t_lo, t_hi, event, known, number
ORDER BY term, class, t_lo, t_hi, event
"""
RECOUNT = "INSERT INTO term_span (term, span, postings) SELECT term, span, count(*) FROM posting GROUP BY term, span"


async def rebuild(connection: Connection) -> None:
    """Makes the index anew from the versions, in the caller's transaction, which should hold the head."""
    for statement in (CLEAR, REBUILD, RECOUNT):
        await connection.execute(statement)
