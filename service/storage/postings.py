"""The posting index: which events a selection may choose, in date order, at the head and in the past.

`term -> class of length, bounds, event, revisions`. One statement walks the shortest of a selection's lists, checks the
other terms on the fetched version row, and gives its documents along. Nothing of the record lives here: `rebuild`
makes it anew from the versions.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from service.domain import terms
from service.domain.dates import EARLIEST, LATEST
from service.domain.filters import Bounds, Filters
from service.domain.lenses import Position, Version
from service.domain.selection import Selection
from service.domain.terms import Group, Term
from service.storage.pool import COPIED_MIN, Connection

DAY: Final = 86_400
# The longest span of each class, in seconds. Beyond: 8 longer, 9 open end, 10 without a date.
LENGTHS: Final = tuple(days * DAY for days in (1, 31, 366, 1_827, 7_305, 36_525, 365_250, 365_250_000))
LONGER: Final = 8
OPEN: Final = 9
UNDATED: Final = 10
CLOSED: Final = 16
TOLD: Final = 32
"""Added to the class where an account of an event gives it another date than its own."""

GROUPS_MAX: Final = 4
"""How many groups of several terms the statement checks for the request, and for a timeline; more are rechecked."""
DRIVING_TERMS_MAX: Final = 1_000
"""A group of more terms is checked, but their lists are not walked."""
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
WHERE t.dimension = $1 AND t.value COLLATE "C" BETWEEN $2 AND $4
"""
FIND_TERMS, FIND_BETWEEN = _FIND_TERMS.format(size=_SIZE), _FIND_BETWEEN.format(size=_SIZE)


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
    told: tuple[tuple[int, int], ...] = ()
    """Bounds of other dates that accounts of the event give it."""

    @property
    def all(self) -> "list[Place]":
        """This place, and those that accounts of the event give it."""
        return [
            msgspec.structs.replace(self, told=()),
            *(Place(self.event, lo, hi, span_of(lo, hi, False) | TOLD, self.known) for lo, hi in self.told),
        ]


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
# $30 collections in sight, $31..$34 groups of the request and $35 terms that it wants all of, $36..$40 of the timeline
# $41 $42 revisions between which the request wants versions recorded, $43 $44 the timeline
# $45 whether facts are wanted of all, $46 terms of collections out of sight, for which they are wanted anyway
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
    SELECT at.t_lo, at.t_hi, v.event, n.pinned FROM unnest($14::int8[], $15::bool[]) AS n(event, pinned)
    CROSS JOIN LATERAL (
        SELECT * FROM version v WHERE v.event = n.event AND v.revision <= $7 ORDER BY v.revision DESC LIMIT 1
    ) v
    CROSS JOIN LATERAL ({places}) AS at(t_lo, t_hi, undated)
    WHERE v.document IS NOT NULL AND v.known <= $8 AND at.undated = $16
      AND (at.t_lo, at.t_hi, v.event) {beyond} ($17::int8, $18::int8, $19::int8)
      AND at.t_lo BETWEEN $20 AND $21 AND at.t_hi BETWEEN $22 AND $23
      AND (n.pinned OR ($28 AND at.t_lo BETWEEN $24 AND $25 AND at.t_hi BETWEEN $26 AND $27))
), candidate AS MATERIALIZED (
    SELECT f.t_lo, f.t_hi, f.event, bool_or(f.pinned) AS pinned FROM found f
    GROUP BY f.t_lo, f.t_hi, f.event
    ORDER BY f.t_lo {order}, f.t_hi {order}, f.event {order} LIMIT $12
), page AS MATERIALIZED (
    SELECT c.t_lo AS at_lo, c.t_hi AS at_hi, v.*
    FROM candidate c CROSS JOIN LATERAL (
        SELECT * FROM version v WHERE {fetch} AND v.revision <= $7
        ORDER BY v.revision DESC LIMIT 1
    ) v
    WHERE c.event <> ALL ($29::int8[]) AND (c.pinned OR v.terms && $30)
      AND v.revision BETWEEN $41 AND $42 AND v.terms @> $35::int4[]
      AND ($31::int4[] IS NULL OR v.terms && $31) AND ($32::int4[] IS NULL OR v.terms && $32)
      AND ($33::int4[] IS NULL OR v.terms && $33) AND ($34::int4[] IS NULL OR v.terms && $34)
      AND (c.pinned OR (
          v.revision BETWEEN $43 AND $44 AND v.terms @> $40::int4[]
          AND ($36::int4[] IS NULL OR v.terms && $36) AND ($37::int4[] IS NULL OR v.terms && $37)
          AND ($38::int4[] IS NULL OR v.terms && $38) AND ($39::int4[] IS NULL OR v.terms && $39)))
    LIMIT $13
)
SELECT event, revision, t_lo, t_hi, known, span = 10, document,
       CASE WHEN $45 OR terms && $46::int4[] THEN facts END, actors, sources, at_lo, at_hi, NULL::int8
FROM page
UNION ALL
SELECT last.event, (SELECT revision FROM head), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, last.t_lo, last.t_hi,
       (SELECT count(*) FROM candidate)
FROM (SELECT) always LEFT JOIN LATERAL (
    SELECT * FROM candidate c ORDER BY c.t_lo {reverse}, c.t_hi {reverse}, c.event {reverse} LIMIT 1
) last ON true
"""
_ASCENDING = {"beyond": ">", "stop": "p.t_lo <= $9 AND w.stop <= $9", "order": "ASC", "reverse": "DESC"}
_DESCENDING = {"beyond": "<", "stop": "p.t_lo >= w.stop AND $9 >= w.stop", "order": "DESC", "reverse": "ASC"}
# Events stand at their own dates, and their documents near those of the same time.
_OWN = {"places": "SELECT v.t_lo, v.t_hi, v.span = 10", "fetch": "v.t_lo = c.t_lo AND v.event = c.event"}
# In an account they stand at any date that it may give them; which one it is, is known when it has been seen.
_TOLD = {
    "places": """
        SELECT v.t_lo, v.t_hi, v.span = 10
        UNION ALL SELECT v.told[2 * i - 1], v.told[2 * i], false FROM generate_series(1, cardinality(v.told) / 2) i
    """,
    "fetch": "v.event = c.event",
}
PAGE_ASCENDING = _PAGE.format(**_ASCENDING, **_OWN)
PAGE_DESCENDING = _PAGE.format(**_DESCENDING, **_OWN)
ACCOUNT_ASCENDING = _PAGE.format(**_ASCENDING, **_TOLD)
ACCOUNT_DESCENDING = _PAGE.format(**_DESCENDING, **_TOLD)


class Terms(Struct, frozen=True):
    """One group of a selection as the index knows it: its terms that exist, and how many postings they have."""

    numbers: list[int]
    size: int
    drives: bool


class Groups(Struct, frozen=True):
    """A selection's terms as the index knows them. An impossible one asks for a term that no event ever had."""

    collections: Terms
    request: list[Terms]
    timeline: list[Terms]
    hidden: list[int]
    exact: bool

    @property
    def impossible(self) -> bool:
        return not all(group.numbers for group in self.request)

    @property
    def shortest(self) -> int:
        """How many postings the shortest list has that can be walked."""
        return self.driver.size

    @property
    def driver(self) -> Terms:
        """The group with the fewest postings."""
        every = [group for group in (*self.request, *self.timeline) if group.drives]
        return min([*every, self.collections], key=lambda group: group.size)

    @property
    def impossible_timeline(self) -> bool:
        return not all(group.numbers for group in self.timeline)


async def groups_of(connection: Connection, selection: Selection) -> Groups:
    """The numbers of a selection's terms."""
    named = selection.filters.ids is not None
    sight = Group(tuple(("collection", slug) for slug in (selection.sight.named if named else selection.collections)))
    hidden: list[Term] = [("reaches", slug) for slug in selection.lens.hidden]
    request = [*terms.asked(selection.filters, selection.lens), *terms.of_account(selection.lens)]
    timeline = list(terms.asked(selection.timeline, selection.lens))
    closed = selection.revision != selection.head
    wanted = [term for group in (sight, *request, *timeline) for term in group.terms]
    found = await find_terms(connection, [*wanted, *hidden], closed=closed)
    between = {
        part: await connection.fetch(FIND_BETWEEN, part[0], part[1], closed, part[2])
        for group in (*request, *timeline)
        for part in group.between
    }

    def known(group: Group) -> Terms:
        rows = [found[term] for term in group.terms if term in found]
        rows += [(row[0], row[1]) for part in group.between for row in between[part]]
        drives = group.drives and len(rows) <= DRIVING_TERMS_MAX
        return Terms([number for number, _ in rows], sum(size for _, size in rows), drives)

    several = ([group for group in side if len(known(group).numbers) > 1] for side in (request, timeline))
    return Groups(
        collections=known(sight),
        request=[known(group) for group in request],
        timeline=[known(group) for group in timeline],
        hidden=[found[term][0] for term in hidden if term in found],
        exact=terms.is_exact(selection.filters, selection.lens)
        and terms.is_exact(selection.timeline, selection.lens)
        and all(len(side) <= GROUPS_MAX for side in several),
    )


class Candidate(Struct, frozen=True):
    """A version that the terms allow, and the place at which it was found."""

    version: Version
    position: Position


class Walk(Struct, frozen=True):
    """One run of the page statement: what the terms allow, in order, and where it came to."""

    candidates: list[Candidate]
    last: Position | None
    """The last candidate looked at, None where there was none."""
    exhausted: bool
    """Whether no candidate is left beyond it."""
    looked_at: int
    head: int


class Named(Struct, frozen=True):
    """Events asked for outright: whether beside a walk or in place of it, their numbers, and which are pins."""

    walks: bool
    events: list[int] = []
    pinned: list[bool] = []
    excluded: list[int] = []
    beside: Term | None = None
    """The term whose events are walked where those named are the rest of what one filter asks for."""


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
    account = selection.lens.of_account
    bounds = request.bounds & timeline.bounds
    takes_timeline = _takes(timeline, undated) and not groups.impossible_timeline
    walks = named.walks and _takes(request, undated) and takes_timeline and not groups.impossible
    start = _outermost(descending) if after is None else after[1:]
    spans, places, stops = _streams(bounds, undated, descending, None if after is None else after[1:], closed, account)
    statements = (ACCOUNT_ASCENDING, ACCOUNT_DESCENDING) if account else (PAGE_ASCENDING, PAGE_DESCENDING)
    driver: list[int] = []
    if walks:
        driver = groups.driver.numbers if named.beside is None else await _numbers(connection, named.beside)
    rows = await connection.fetch(
        statements[descending],
        driver,
        spans,
        [place[0] for place in places],
        [place[1] for place in places],
        [place[2] for place in places],
        stops,
        selection.revision,
        selection.lens.known,
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
        groups.collections.numbers,
        *_checked(groups.request),
        *_checked(groups.timeline),
        *(request.revisions or (0, LATEST)),
        *(timeline.revisions or (0, LATEST)),
        facts,
        groups.hidden,
    )
    last = rows[-1]
    return Walk(
        candidates=[
            Candidate(Version(*row[:10]), (undated, row[10], row[11], row[0])) for row in map(tuple, rows[:-1])
        ],
        last=None if last[0] is None else (undated, last[10], last[11], last[0]),
        exhausted=last[12] < budget,
        looked_at=last[12],
        head=last[1],
    )


async def _numbers(connection: Connection, term: Term) -> list[int]:
    return [number for number, _ in (await find_terms(connection, [term], closed=False)).values()]


def _takes(filters: Filters, undated: bool) -> bool:
    return filters.undated if undated else filters.dated


def _limits(filters: Filters, undated: bool) -> tuple[int, int, int, int]:
    if undated:
        return EARLIEST, LATEST, EARLIEST, LATEST
    bounds = filters.bounds
    return bounds.lo_min, bounds.lo_max, bounds.hi_min, bounds.hi_max


def _checked(groups: list[Terms]) -> list[list[int] | None]:
    """The groups as the statement checks them: those of several terms, and the terms of which each must be there."""
    several = [group.numbers for group in groups if len(group.numbers) > 1][:GROUPS_MAX]
    every = [group.numbers[0] for group in groups if len(group.numbers) == 1]
    return [*several, *[None] * (GROUPS_MAX - len(several)), every]


def _outermost(descending: bool) -> tuple[int, int, int]:
    return (LATEST, LATEST, LATEST) if descending else (EARLIEST, EARLIEST, EARLIEST)


def _streams(
    bounds: Bounds,
    undated: bool,
    descending: bool,
    after: tuple[int, int, int] | None,
    closed: bool,
    account: bool,
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
        kinds = [span, span | TOLD] if account and not undated else [span]
        for kind in [*kinds, *(kind | CLOSED for kind in kinds)] if closed else kinds:
            spans.append(kind)
            places.append(place)
            stops.append(lowest)
    return spans, places, stops


def budget_of(groups: Groups, limit: int) -> int:
    """How many candidates to look at for a page: more where the other groups let few of them pass."""
    sizes = sorted(group.size for group in (*groups.request, *groups.timeline))
    if not sizes:
        return limit
    every = max(groups.collections.size, 1)
    passing = 1.0
    for size in sizes[1:]:
        passing *= min(1.0, max(size, 1) / every)
    return limit if passing == 1.0 else int(min(max(2 * limit / passing, 60), BUDGET_MAX))


CLEAR = "TRUNCATE posting, term_span"
# A term that goes on from version to version at the same place is one posting, from its first revision to its last.
_CLASS = " ".join(f"WHEN told.hi::numeric - told.lo < {length} THEN {span}" for span, length in enumerate(LENGTHS))
_REBUILD = """
INSERT INTO posting (term, span, t_lo, t_hi, event, since, until, known)
WITH lasting AS (
    SELECT v.*, lead(v.revision, 1, {latest}) OVER (PARTITION BY v.event ORDER BY v.revision) AS until FROM version v
), placed AS (
    SELECT v.terms, p.span, p.t_lo, p.t_hi, v.event, v.known, v.revision AS since, v.until
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
