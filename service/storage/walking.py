"""Walking the index: the page statement, which finds and orders what a selection may choose.

One statement walks the shortest of a selection's lists, checks the other terms on the fetched version row, and gives
its documents along. What it yields is a superset where a term cannot decide; `listing` rechecks it.
"""

from typing import Any, Final

from msgspec import Struct

from service.domain import terms
from service.domain.dates import EARLIEST, LATEST
from service.domain.filters import Bounds, Filters
from service.domain.lenses import Position, Version
from service.domain.selection import Selection
from service.domain.terms import Group, Term
from service.storage.lookup import Terms, look_up
from service.storage.pool import Connection
from service.storage.postings import CLOSED, LENGTHS, TOLD, UNDATED, find_terms

GROUPS_MAX: Final = 4
"""How many groups of several terms the statement checks for the request, and for a timeline; more are rechecked."""
LISTS_CHEAP: Final = 16
"""So many lists walked beside each other cost about as much as what is done with their events."""
BUDGET_MAX: Final = 2_000
MET_MAX: Final = 220_000
"""Lists of no more postings are merged. The statement's own bound lies higher, since writes go on between the two."""
ROWS_MAX: Final = 1_000
"""No look brings more documents than these, unless the caller asks for more."""

# $1 driving terms
# $2 classes to walk, $3 $4 $5 the place each begins after, $6 the lower bound at which each ends when descending
# $7 revision, $8 known, $9 $10 $11 lo_max, hi_min and hi_max of the walks, $12 candidates and $13 rows at most
# $14 $15 events named outright and whether each is pinned, $16 whether undated, $17 $18 $19 the place they begin after
# $20..$23 the request's bounds, $24..$27 the timeline's, $28 whether it takes dated or undated, $29 events excluded
# $30 collections in sight, $31..$34 groups of the request and $35 terms that it wants all of, $36..$40 of the timeline
# $41 $42 revisions between which the request wants versions recorded, $43 $44 the timeline
# $45 terms of another group, where walks are to stop only at events that stand in its lists too; else null
# $46 terms of which the request wants none, $47 and the timeline
# Of the page itself: $48 whether facts are wanted of all, $49 terms of collections out of sight, for which they are
# wanted anyway.
# `met` has a literal limit, from which the planner knows that it may be hashed.
# The last row has no version: it tells the last candidate, how many there were, and the head at that moment.
_CHOSEN = """
WITH walk AS MATERIALIZED (
    SELECT s.term, b.* FROM term_span s
    JOIN unnest($2::int2[], $3::int8[], $4::int8[], $5::int8[], $6::int8[]) AS b(span, lo, hi, event, stop)
      ON b.span = s.span
    WHERE s.term = ANY ($1::int4[]) AND s.postings > 0
), met AS MATERIALIZED (
    SELECT x.event FROM term_span s
    JOIN unnest($2::int2[], $3::int8[], $4::int8[], $5::int8[], $6::int8[]) AS w(span, lo, hi, event, stop)
      ON w.span = s.span
    CROSS JOIN LATERAL (
        SELECT p.event FROM posting p
        WHERE p.term = s.term AND p.span = s.span AND (p.t_lo, p.t_hi, p.event) {beyond} (w.lo, w.hi, w.event)
          AND {stop} AND p.t_hi >= $10 AND p.t_hi <= $11 AND p.since <= $7 AND p.until > $7 AND p.known <= $8
        OFFSET 0
    ) x
    WHERE s.term = ANY ($45::int4[]) AND s.postings > 0
    LIMIT 250000
), found AS (
    SELECT x.t_lo, x.t_hi, x.event, false AS pinned FROM walk w CROSS JOIN LATERAL (
        SELECT p.t_lo, p.t_hi, p.event FROM posting p
        WHERE p.term = w.term AND p.span = w.span AND (p.t_lo, p.t_hi, p.event) {beyond} (w.lo, w.hi, w.event)
          AND {stop} AND p.t_hi >= $10 AND p.t_hi <= $11
          AND p.since <= $7 AND p.until > $7 AND p.known <= $8
          AND ($45::int4[] IS NULL OR p.event IN (SELECT m.event FROM met m))
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
), page AS {kept} (
    SELECT c.t_lo AS at_lo, c.t_hi AS at_hi, v.*
    FROM candidate c CROSS JOIN LATERAL (
        SELECT * FROM version v WHERE {fetch} AND v.revision <= $7
        ORDER BY v.revision DESC LIMIT 1
    ) v
    WHERE c.event <> ALL ($29::int8[]) AND (c.pinned OR v.terms && $30)
      AND v.revision BETWEEN $41 AND $42 AND v.terms @> $35::int4[] AND NOT v.terms && $46::int4[]
      AND ($31::int4[] IS NULL OR v.terms && $31) AND ($32::int4[] IS NULL OR v.terms && $32)
      AND ($33::int4[] IS NULL OR v.terms && $33) AND ($34::int4[] IS NULL OR v.terms && $34)
      AND (c.pinned OR (
          v.revision BETWEEN $43 AND $44 AND v.terms @> $40::int4[] AND NOT v.terms && $47::int4[]
          AND ($36::int4[] IS NULL OR v.terms && $36) AND ($37::int4[] IS NULL OR v.terms && $37)
          AND ($38::int4[] IS NULL OR v.terms && $38) AND ($39::int4[] IS NULL OR v.terms && $39)))
    LIMIT $13
)
"""
_PAGE = """
SELECT event, revision, t_lo, t_hi, known, span = 10, document,
       CASE WHEN $48 OR terms && $49::int4[] THEN facts END, actors, sources, at_lo, at_hi, NULL::int8
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
_KEPT = {"kept": "MATERIALIZED"}
# What is only counted goes by as it is found, and no document is fetched for it.
_PASSING = {"kept": "NOT MATERIALIZED"}
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
PAGE_ASCENDING = (_CHOSEN + _PAGE).format(**_ASCENDING, **_OWN, **_KEPT)
PAGE_DESCENDING = (_CHOSEN + _PAGE).format(**_DESCENDING, **_OWN, **_KEPT)
ACCOUNT_ASCENDING = (_CHOSEN + _PAGE).format(**_ASCENDING, **_TOLD, **_KEPT)
ACCOUNT_DESCENDING = (_CHOSEN + _PAGE).format(**_DESCENDING, **_TOLD, **_KEPT)


def of_chosen(ending: str, **parts: str) -> str:
    """A statement on what the terms choose, by the rules of the page: in `page`, of those looked at, in `candidate`.

    It takes what `arguments_of` gives, and from $48 on what it needs for itself.
    """
    return _CHOSEN.format(**_ASCENDING, **_OWN, **_PASSING) + ending.format(**parts)


def cost_of(group: Terms) -> float:
    """What walking a group costs beside others: every look reads on in each list, unless a few read them out."""
    return group.size * (1 + min(len(group.numbers) / LISTS_CHEAP, group.size / BUDGET_MAX))


class Groups(Struct, frozen=True):
    """A selection's terms as the index knows them. An impossible one asks for a term that no event ever had."""

    collections: Terms
    request: list[Terms]
    timeline: list[Terms]
    unwanted: list[list[int]]
    """Terms that no event may have: of the request, and of the timeline."""
    hidden: list[int]
    decide: bool
    """Whether they choose just what the selection does, so that nobody has to look."""

    @property
    def impossible(self) -> bool:
        return not all(group.numbers for group in self.request)

    @property
    def shortest(self) -> int:
        """How many postings the lists have that are walked."""
        return self.driver.size

    @property
    def driver(self) -> Terms:
        """The group that costs least to walk: mostly that with the fewest postings."""
        return min([*self.request, *self.timeline, self.collections], key=cost_of)

    @property
    def met(self) -> list[int] | None:
        """The terms of the shortest other group, if both it and what is walked may be read in one go."""
        others = [group for group in (*self.request, *self.timeline) if group is not self.driver]
        shortest = min(others, key=lambda group: group.size, default=None)
        if shortest is None or max(shortest.size, self.driver.size) > MET_MAX:
            return None
        return shortest.numbers

    @property
    def impossible_timeline(self) -> bool:
        return not all(group.numbers for group in self.timeline)


async def groups_of(connection: Connection, selection: Selection) -> Groups:
    """What the index has of a selection's terms."""
    lens, sides = selection.lens, (selection.filters, selection.timeline)
    named = selection.filters.ids is not None
    sight = Group(tuple(("collection", slug) for slug in (selection.sight.named if named else selection.collections)))
    hidden = Group(tuple(("reaches", slug) for slug in lens.hidden))
    wanted = [list(terms.asked(side, lens)) for side in sides]
    wanted[0] += terms.of_account(lens)
    if selection.sampled > 1:
        wanted[0].append(Group((terms.sample(selection.sampled),)))
    unwanted = [[group for group in terms.excluded(side, lens) if group.exact] for side in sides]
    asked = [group for side in (*wanted, *unwanted) for group in side]
    past = selection.revision != selection.head
    there, (collections, reaching) = await look_up(connection, asked, [sight, hidden], closed=past)
    checked, left_out = (
        [[found for group in side if (found := there[group]) is not None] for side in both]
        for both in (wanted, unwanted)
    )
    return Groups(
        collections=collections,
        request=checked[0],
        timeline=checked[1],
        unwanted=[[number for group in side for number in group.sure] for side in left_out],
        hidden=reaching.numbers,
        decide=all(terms.is_exact(side, lens) for side in sides)
        and all(found is not None and found.unsure is None for found in map(there.get, asked))
        and all(sum(len(group.numbers) > 1 for group in side) <= GROUPS_MAX for side in checked),
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
    beside: tuple[Term, ...] = ()
    """The terms whose events are walked where those named are the rest of what one filter asks for."""


async def walk(
    connection: Connection,
    selection: Selection,
    groups: Groups,
    named: Named,
    *,
    undated: bool,
    after: Position | None,
    rows: int,
    budget: int,
    closed: bool,
    facts: bool,
    met: list[int] | None = None,
) -> Walk:
    """Looks at up to `budget` candidates beyond `after`, among events with a date or without, and keeps up to `rows`.

    `closed` walks postings that have since been closed too; it is needed for every revision but the head. `met` are
    terms of a group with which the walk is merged: its candidates are those that stand in lists of both.
    """
    descending = selection.descending and not undated
    account = selection.lens.of_account
    statements = (ACCOUNT_ASCENDING, ACCOUNT_DESCENDING) if account else (PAGE_ASCENDING, PAGE_DESCENDING)
    arguments = await arguments_of(
        connection,
        selection,
        groups,
        named,
        undated=undated,
        descending=descending,
        after=after,
        rows=rows,
        budget=budget,
        closed=closed,
        met=met,
    )
    found = await connection.fetch(statements[descending], *arguments, facts, groups.hidden)
    last = found[-1]
    return Walk(
        candidates=[
            Candidate(Version(*row[:10]), (undated, row[10], row[11], row[0])) for row in map(tuple, found[:-1])
        ],
        last=None if last[0] is None else (undated, last[10], last[11], last[0]),
        exhausted=last[12] < budget,
        looked_at=last[12],
        head=last[1],
    )


async def arguments_of(
    connection: Connection,
    selection: Selection,
    groups: Groups,
    named: Named,
    *,
    undated: bool,
    descending: bool = False,
    after: Position | None = None,
    rows: int,
    budget: int,
    closed: bool,
    met: list[int] | None,
) -> list[Any]:
    """What the statement is given to find what a selection may choose."""
    request, timeline = selection.filters, selection.timeline
    account = selection.lens.of_account
    bounds = request.bounds & timeline.bounds
    takes_timeline = _takes(timeline, undated) and not groups.impossible_timeline
    walks = named.walks and _takes(request, undated) and takes_timeline and not groups.impossible
    start = _outermost(descending) if after is None else after[1:]
    spans, places, stops = _streams(bounds, undated, descending, None if after is None else after[1:], closed, account)
    driver: list[int] = []
    if walks:
        driver = await _numbers(connection, named.beside) if named.beside else groups.driver.numbers
    return [
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
        rows,
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
        met,
        *groups.unwanted,
    ]


async def _numbers(connection: Connection, named: tuple[Term, ...]) -> list[int]:
    return [number for number, _ in (await find_terms(connection, named, closed=False)).values()]


def _takes(filters: Filters, undated: bool) -> bool:
    return filters.undated if undated else filters.dated


def _limits(filters: Filters, undated: bool) -> tuple[int, int, int, int]:
    if undated:
        return EARLIEST, LATEST, EARLIEST, LATEST
    bounds = filters.bounds
    return bounds.lo_min, bounds.lo_max, bounds.hi_min, bounds.hi_max


def _checked(groups: list[Terms]) -> list[list[int] | None]:
    """The groups as the statement checks them: those of several terms, and the terms of which each must be there."""
    several: list[list[int] | None] = [group.numbers for group in _several(groups)]
    every = [group.numbers[0] for group in groups if len(group.numbers) == 1]
    return [*several, *[None] * (GROUPS_MAX - len(several)), every]


def _several(groups: list[Terms]) -> list[Terms]:
    """The groups of several terms that the statement checks: those that the fewest events pass."""
    return sorted((group for group in groups if len(group.numbers) > 1), key=lambda group: group.size)[:GROUPS_MAX]


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
    """How many candidates to look at for a page: more where the other groups that are checked let few of them pass."""
    driver = groups.driver
    every = max(groups.collections.size, 1)
    passing = 1.0
    for side in (groups.request, groups.timeline):
        for group in (*(group for group in side if len(group.numbers) == 1), *_several(side)):
            if group is not driver:
                passing *= min(1.0, max(group.size, 1) / every)
    return limit if passing == 1.0 else int(min(max(2 * limit / passing, 60), BUDGET_MAX))


def rows_of(rows: int, limit: int, chosen: int, wanted: int) -> int:
    """How many rows to ask for, after a look that brought `rows` of which `chosen` were, for `wanted` more.

    As many as will do at that rate, but no more than four times as many as before, since the rate is of a few.
    """
    enough = wanted * rows // max(chosen, 1) if chosen < rows else wanted
    return max(limit, min(enough, 4 * rows, ROWS_MAX))
