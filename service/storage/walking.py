"""Walking the index: the page statement, which finds and orders what a selection may choose.

One statement walks the shortest of a selection's lists, checks the other terms on the fetched version row, and gives
its documents along. What it yields is a superset where a term cannot decide; `listing` rechecks it.
"""

import math
from typing import Final

from msgspec import Struct

from service.domain import terms
from service.domain.dates import EARLIEST, LATEST
from service.domain.filters import Bounds, Filters
from service.domain.lenses import Position, Version
from service.domain.selection import Selection
from service.domain.terms import Group, Term
from service.storage.pool import Connection
from service.storage.postings import CLOSED, LENGTHS, TOLD, UNDATED, find_between, find_terms

GROUPS_MAX: Final = 4
"""How many groups of several terms the statement checks for the request, and for a timeline; more are rechecked."""
DRIVING_TERMS_MAX: Final = 1_000
"""A group of more terms is checked, but their lists are not walked."""
BUDGET_MAX: Final = 2_000
LIST_COST: Final = 12
"""What it costs to begin walking one more list, in candidates looked at."""
CHECKED_TERMS: Final = 50
"""So many terms of a group take as long to be checked on a candidate as the candidate takes to be fetched."""

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
    def impossible_timeline(self) -> bool:
        return not all(group.numbers for group in self.timeline)

    @property
    def checked(self) -> list[Terms]:
        """The groups that the statement checks, but for the collections."""
        return [*_several(self.request)[:GROUPS_MAX], *_single(self.request),
                *_several(self.timeline)[:GROUPS_MAX], *_single(self.timeline)]  # fmt: skip

    @property
    def shortest(self) -> int:
        """How many postings the shortest list has that can be walked."""
        return min(group.size for group in self._driving)

    @property
    def _driving(self) -> list[Terms]:
        return [*(group for group in (*self.request, *self.timeline) if group.drives), self.collections]

    def passing(self, driver: Terms) -> float:
        """What part of the driver's events the other groups let pass, if they are as common there as anywhere."""
        every = max(self.collections.size, 1)
        others = (group.size for group in self.checked if group is not driver)
        return math.prod(min(1.0, max(size, 1) / every) for size in others)

    def driver(self, limit: int) -> Terms:
        """The group of which a page of so many events is found with the least work.

        Of several groups the one with the fewest postings leaves the fewest candidates to look at; one of very many
        terms takes long to begin with, and to check where it does not drive.
        """

        def cost(group: Terms) -> float:
            looked_at = min(limit / self.passing(group), max(group.size, 1))
            others = sum(len(other.numbers) for other in _several(self.checked) if other is not group)
            return looked_at * (1 + others / CHECKED_TERMS) + len(group.numbers) * LIST_COST

        return min(self._driving, key=lambda group: (cost(group), group.size))


def _several(groups: list[Terms]) -> list[Terms]:
    return [group for group in groups if len(group.numbers) > 1]


def _single(groups: list[Terms]) -> list[Terms]:
    return [group for group in groups if len(group.numbers) == 1]


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
        part: await find_between(connection, part, closed=closed)
        for group in (*request, *timeline)
        for part in group.between
    }

    def known(group: Group) -> Terms:
        rows = [found[term] for term in group.terms if term in found]
        rows += [row for part in group.between for row in between[part]]
        drives = group.drives and len(rows) <= DRIVING_TERMS_MAX
        return Terms([number for number, _ in rows], sum(size for _, size in rows), drives)

    sides = [[known(group) for group in side] for side in (request, timeline)]
    return Groups(
        collections=known(sight),
        request=sides[0],
        timeline=sides[1],
        hidden=[found[term][0] for term in hidden if term in found],
        exact=terms.is_exact(selection.filters, selection.lens)
        and terms.is_exact(selection.timeline, selection.lens)
        and all(len(_several(side)) <= GROUPS_MAX for side in sides),
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
    beside: list[Term] | None = None
    """The terms whose events are walked where those named are the rest of what one filter asks for."""


async def walk(
    connection: Connection,
    selection: Selection,
    groups: Groups,
    named: Named,
    *,
    undated: bool,
    after: Position | None,
    driver: Terms,
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
    lists: list[int] = []
    if walks:
        lists = driver.numbers if named.beside is None else await _numbers(connection, named.beside)
    rows = await connection.fetch(
        statements[descending],
        lists,
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


async def _numbers(connection: Connection, wanted: list[Term]) -> list[int]:
    return [number for number, _ in (await find_terms(connection, wanted, closed=False)).values()]


def _takes(filters: Filters, undated: bool) -> bool:
    return filters.undated if undated else filters.dated


def _limits(filters: Filters, undated: bool) -> tuple[int, int, int, int]:
    if undated:
        return EARLIEST, LATEST, EARLIEST, LATEST
    bounds = filters.bounds
    return bounds.lo_min, bounds.lo_max, bounds.hi_min, bounds.hi_max


def _checked(groups: list[Terms]) -> list[list[int] | None]:
    """The groups as the statement checks them: those of several terms, and the terms of which each must be there."""
    several = [group.numbers for group in _several(groups)][:GROUPS_MAX]
    every = [group.numbers[0] for group in _single(groups)]
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


def budget_of(groups: Groups, driver: Terms, limit: int) -> int:
    """How many candidates to look at for a page: more where the other groups let few of them pass."""
    passing = groups.passing(driver)
    return limit if passing == 1.0 else int(min(max(2 * limit / passing, 60), BUDGET_MAX))
