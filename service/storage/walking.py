"""Walking the index: the page statement, which finds and orders what a selection may choose.

One statement walks the shortest of a selection's lists, checks the other terms on the fetched version row, and gives
its documents along. What it yields is a superset where a term cannot decide; `listing` rechecks it. Where the terms
decide, the database may join the documents itself, and nothing is done here for each of them.
"""

from functools import reduce
from operator import or_
from typing import Any, Final

from msgspec import Struct

from service.domain.dates import EARLIEST, LATEST
from service.domain.filters import Bounds, Filters
from service.domain.lenses import Position, Version
from service.domain.selection import Selection
from service.domain.terms import Term
from service.storage.groups import Groups
from service.storage.pool import Connection
from service.storage.postings import CLOSED, LENGTHS, TOLD, UNDATED, find_terms

# $1 driving terms
# $2 classes to walk, $3 the lowest bound that each needs to reach, $4 $5 $6 the place that walks begin after
# $7 revision, $8 known, $9 $10 $11 lo_max, hi_min and hi_max of the walks, $12 candidates and $13 rows at most
# $14 $15 events named outright and whether each is pinned, $16 whether undated, $17 $18 $19 the place they begin after
# $20..$23 the request's bounds, $24..$27 the timeline's, $28 whether it takes dated or undated, $29 events excluded
# $30 collections in sight, $31..$34 groups of the request and $35 terms that it wants all of, $36..$40 of the timeline
# $41 $42 revisions between which the request wants versions recorded, $43 $44 the timeline
# $45 terms of another group, where walks are to stop only at events that stand in its lists too; else null
# $46 terms of which the request wants none, $47 and the timeline, $48 whether any of all these may be words
# `met` has a literal limit, from which the planner knows that it may be hashed.
_CHOSEN = """
WITH begun AS MATERIALIZED (
    SELECT b.span, b.stop, {begins} FROM unnest($2::int2[], $3::int8[]) AS b(span, stop)
), walk AS MATERIALIZED (
    SELECT s.term, b.* FROM term_span s JOIN begun b ON b.span = s.span
    WHERE s.term = ANY ($1::int4[]) AND s.postings > 0
), met AS MATERIALIZED (
    SELECT x.event FROM term_span s JOIN begun w ON w.span = s.span
    CROSS JOIN LATERAL (
        SELECT p.event FROM posting p
        WHERE p.term = s.term AND p.span = s.span AND (p.t_lo, p.t_hi, p.event) {beyond} (w.lo, w.hi, w.event)
          AND {stop} AND p.t_hi >= $10 AND p.t_hi <= $11 AND p.since <= $7 AND p.until > $7 AND p.known <= $8
        OFFSET 0
    ) x
    WHERE s.term = ANY ($45::int4[]) AND s.postings > 0
    LIMIT 250000
), {before}found AS ({walked}
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
    SELECT {at}, v.*
    FROM {fetched}
    WHERE v.event <> ALL ($29::int8[]) AND ({pinned} OR v.terms && $30)
      AND v.revision BETWEEN $41 AND $42 AND {stands} @> $35::int4[] AND NOT {stands} && $46::int4[]
      AND ($31::int4[] IS NULL OR {stands} && $31) AND ($32::int4[] IS NULL OR {stands} && $32)
      AND ($33::int4[] IS NULL OR {stands} && $33) AND ($34::int4[] IS NULL OR {stands} && $34)
      AND ({pinned} OR (
          v.revision BETWEEN $43 AND $44 AND {stands} @> $40::int4[] AND NOT {stands} && $47::int4[]
          AND ($36::int4[] IS NULL OR {stands} && $36) AND ($37::int4[] IS NULL OR {stands} && $37)
          AND ($38::int4[] IS NULL OR {stands} && $38) AND ($39::int4[] IS NULL OR {stands} && $39)))
    LIMIT $13
)
"""
# $49 whether facts are wanted of all, $50 terms of collections out of sight, for which they are wanted anyway.
# The last row has no version: it tells the last candidate, how many there were, and the head at that moment.
_PAGE = """
SELECT event, revision, t_lo, t_hi, known, span = 10, document,
       CASE WHEN $49 OR terms && $50::int4[] THEN facts END, actors, sources, at_lo, at_hi, NULL::int8
FROM page
UNION ALL
SELECT last.event, (SELECT revision FROM head), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, last.t_lo, last.t_hi,
       (SELECT count(*) FROM candidate)
FROM (SELECT) always LEFT JOIN LATERAL (
    SELECT * FROM candidate c ORDER BY c.t_lo {reverse}, c.t_hi {reverse}, c.event {reverse} LIMIT 1
) last ON true
"""
# $49 how many are shown, $50 terms of collections out of sight, into which a document of them may point: in its place
# stands a character that no JSON has, and it comes apart from the others, with its facts.
_JOINED = """
, placed AS (SELECT *, terms && $50::int4[] AS hidden, row_number() OVER () AS place FROM page)
SELECT last.event, (SELECT revision FROM head), last.t_lo, last.t_hi,
       found.rows, found.hidden, found.facts, found.ends, found.actors, found.sources, found.documents,
       (SELECT count(*) FROM candidate)
FROM (
    SELECT count(*) AS rows,
           array_agg(convert_to(document::text, 'UTF8')) FILTER (WHERE place <= $49 AND hidden) AS hidden,
           array_agg(convert_to(facts::text, 'UTF8')) FILTER (WHERE place <= $49 AND hidden) AS facts,
           array_agg(ARRAY[at_lo, at_hi, event]) FILTER (WHERE place = $49) AS ends,
           string_agg(array_to_string(actors, ','), ',') FILTER (WHERE place <= $49 AND actors <> '{{}}') AS actors,
           string_agg(array_to_string(sources, ','), ',')
               FILTER (WHERE place <= $49 AND sources <> '{{}}') AS sources,
           convert_to(string_agg(CASE WHEN hidden THEN chr(1) ELSE document::text END, ',')
               FILTER (WHERE place <= $49), 'UTF8') AS documents
    FROM placed
) found LEFT JOIN LATERAL (
    SELECT * FROM candidate c ORDER BY c.t_lo {reverse}, c.t_hi {reverse}, c.event {reverse} LIMIT 1
) last ON true
"""
_WALKED = """
    SELECT x.t_lo, x.t_hi, x.event, false AS pinned FROM walk w CROSS JOIN LATERAL (
        SELECT p.t_lo, p.t_hi, p.event FROM posting p
        WHERE p.term = w.term AND p.span = w.span AND (p.t_lo, p.t_hi, p.event) {beyond} (w.lo, w.hi, w.event)
          AND {stop} AND p.t_hi >= $10 AND p.t_hi <= $11
          AND p.since <= $7 AND p.until > $7 AND p.known <= $8 AND %s
        ORDER BY p.t_lo {order}, p.t_hi {order}, p.event {order} LIMIT $12
    ) x"""
_IN_BOTH = _WALKED % "($45::int4[] IS NULL OR p.event IN (SELECT m.event FROM met m))"
_AS_FAR = _WALKED % "p.t_lo {within} (SELECT coalesce(max(r.t_lo), {farthest}) FROM reach r)"
_EACH = {"before": "", "walked": _IN_BOTH}
# First the lists that are likely to fill a page: of the shortest events most stores have the most, and the longest,
# with which a window begins, have hardly ended before it. The others are then read no further than these reach: for
# each event of some years that reaches a window there may be dozens that began as early, and have ended. Of the past
# those of postings that have been closed since are among the others: most of what was so then is so still.
_IN_TURN = {
    "before": """first AS MATERIALIZED ({in_both}
    WHERE {likely}
), reach AS MATERIALIZED (
    SELECT f.t_lo FROM first f GROUP BY f.t_lo, f.t_hi, f.event ORDER BY f.t_lo {order} OFFSET $12 - 1 LIMIT 1
), """,
    "walked": """
    SELECT * FROM first
  UNION ALL {as_far}
    WHERE NOT {likely}""",
    "in_both": _IN_BOTH,
    "as_far": _AS_FAR,
    "likely": "((w.span & 15 NOT BETWEEN 1 AND 4 AND w.span & 16 = 0) OR $45::int4[] IS NOT NULL)",
}
_ASCENDING = {
    "begins": f"""
        greatest(b.stop, $4::int8) AS lo,
        CASE WHEN b.stop <= $4 THEN $5::int8 ELSE {EARLIEST} END AS hi,
        CASE WHEN b.stop <= $4 THEN $6::int8 ELSE {EARLIEST} END AS event
    """,
    "beyond": ">",
    "stop": "p.t_lo <= $9 AND w.stop <= $9",
    "order": "ASC",
    "within": "<=",
    "farthest": str(LATEST),
    "reverse": "DESC",
}
_DESCENDING = {
    "begins": "$4::int8 AS lo, $5::int8 AS hi, $6::int8 AS event",
    "beyond": "<",
    "stop": "p.t_lo >= w.stop AND $9 >= w.stop",
    "order": "DESC",
    "within": ">=",
    "farthest": str(EARLIEST),
    "reverse": "ASC",
}
_STANDS = {"stands": "(CASE WHEN $48 THEN v.terms || v.words ELSE v.terms END)"}
# Each candidate is looked up by itself, in order, until there are enough.
_ONE_BY_ONE = """
    candidate c CROSS JOIN LATERAL (
        SELECT * FROM version v WHERE {fetch} AND v.revision <= $7
        ORDER BY v.revision DESC LIMIT 1
    ) v
"""
# Events stand at their own dates, and their documents near those of the same time.
_OWN = {
    "places": "SELECT v.t_lo, v.t_hi, v.span = 10",
    "at": "c.t_lo AS at_lo, c.t_hi AS at_hi",
    "fetched": _ONE_BY_ONE.format(fetch="v.t_lo = c.t_lo AND v.event = c.event"),
    "pinned": "c.pinned",
}
# In an account they stand at any date that it may give them; which one it is, is known when it has been seen.
_TOLD = {
    **_OWN,
    "places": """
        SELECT v.t_lo, v.t_hi, v.span = 10
        UNION ALL SELECT v.told[2 * i - 1], v.told[2 * i], false FROM generate_series(1, cardinality(v.told) / 2) i
    """,
    "fetched": _ONE_BY_ONE.format(fetch="v.event = c.event"),
}
# Where all are wanted, and in no order, they are looked up in one go: a quarter less time for fifty thousand of them.
_AT_ONCE = {
    **_OWN,
    "at": "v.t_lo AS at_lo, v.t_hi AS at_hi",
    "fetched": """(
        SELECT DISTINCT ON (v.event) * FROM version v
        WHERE v.event = ANY (ARRAY(SELECT c.event FROM candidate c)) AND v.revision <= $7
        ORDER BY v.event, v.revision DESC
    ) v""",
    "pinned": "v.event IN (SELECT c.event FROM candidate c WHERE c.pinned)",
}
_KEPT = {"kept": "MATERIALIZED"}
# What is only counted goes by as it is found, and no document is fetched for it.
_PASSING = {"kept": "NOT MATERIALIZED"}


def _statement(ending: str, lists: dict[str, str], *parts: dict[str, str]) -> str:
    """The statement with an ending, by how it walks the lists; `parts` fill in the rest."""
    chosen = _CHOSEN
    for name, text in lists.items():
        chosen = chosen.replace(f"{{{name}}}", text)
    return (chosen + ending).format(**reduce(or_, parts, _STANDS))


PAGE_ASCENDING = _statement(_PAGE, _IN_TURN, _ASCENDING, _OWN, _KEPT)
PAGE_DESCENDING = _statement(_PAGE, _IN_TURN, _DESCENDING, _OWN, _KEPT)
JOINED_ASCENDING = _statement(_JOINED, _IN_TURN, _ASCENDING, _OWN, _PASSING)
JOINED_DESCENDING = _statement(_JOINED, _IN_TURN, _DESCENDING, _OWN, _PASSING)
ACCOUNT_ASCENDING = _statement(_PAGE, _IN_TURN, _ASCENDING, _TOLD, _KEPT)
ACCOUNT_DESCENDING = _statement(_PAGE, _IN_TURN, _DESCENDING, _TOLD, _KEPT)


def of_chosen(ending: str, **parts: str) -> str:
    """A statement on what the terms choose, by the rules of the page: in `page`, of those looked at, in `candidate`.

    It takes what `arguments_of` gives, and from $49 on what it needs for itself. What it counts it reads to the end, so
    that no list need wait for another.
    """
    return _statement(ending, _EACH, _ASCENDING, _AT_ONCE, _PASSING, parts)


class Candidate(Struct, frozen=True):
    """A version that the terms allow, and the place at which it was found."""

    version: Version
    position: Position


class Look(Struct, frozen=True):
    """One run of the statement: what the terms allow, in order, and where it came to."""

    last: Position | None
    """The last candidate looked at, None where there was none."""
    exhausted: bool
    """Whether no candidate is left beyond it."""
    looked_at: int
    head: int
    rows: int
    """How many of them the terms allow."""
    end: Position | None
    """The place of the last that was asked for, if so many are allowed."""


class Walk(Look, frozen=True):
    """The versions allowed, for somebody to look at."""

    candidates: list[Candidate]


APART: Final = b"\x01"
"""Stands for a document that comes apart."""


class Joined(Look, frozen=True):
    """The documents of the first of those allowed, joined by commas.

    apart: those that may point into a collection out of sight, each with its facts; APART stands in their place.
    """

    documents: bytes
    apart: list[tuple[bytes, bytes]]
    actors: str
    """Numbers of those that they name, joined by commas; one may be there more than once."""
    sources: str


class Named(Struct, frozen=True):
    """Events asked for outright: whether beside a walk or in place of it, their numbers, and which are pins."""

    walks: bool
    events: list[int] = []
    pinned: list[bool] = []
    excluded: list[int] = []
    beside: tuple[Term, ...] = ()
    """The terms whose events are walked where those named are the rest of what one filter asks for."""


class Bounded(Struct, frozen=True):
    """From where a look goes on, among events with a date or without, and how far: `budget` candidates, `rows` kept.

    `closed` walks postings that have since been closed too; it is needed for every revision but the head. `met` are
    terms of a group with which the walk is merged: its candidates are those that stand in lists of both.
    """

    undated: bool
    rows: int
    budget: int
    closed: bool
    after: Position | None = None
    met: list[int] | None = None


async def walk(
    connection: Connection, selection: Selection, groups: Groups, named: Named, bounded: Bounded, *, facts: bool
) -> Walk:
    """Looks at candidates, and brings the versions that the terms allow."""
    descending, undated = selection.descending and not bounded.undated, bounded.undated
    account = selection.lens.of_account
    statements = (ACCOUNT_ASCENDING, ACCOUNT_DESCENDING) if account else (PAGE_ASCENDING, PAGE_DESCENDING)
    arguments = await arguments_of(connection, selection, groups, named, bounded, descending=descending)
    found = await connection.fetch(statements[descending], *arguments, facts, groups.hidden)
    last = found[-1]
    candidates = [Candidate(Version(*row[:10]), (undated, row[10], row[11], row[0])) for row in map(tuple, found[:-1])]
    return Walk(
        last=None if last[0] is None else (undated, last[10], last[11], last[0]),
        exhausted=last[12] < bounded.budget,
        looked_at=last[12],
        head=last[1],
        rows=len(candidates),
        end=candidates[-1].position if len(candidates) == bounded.rows else None,
        candidates=candidates,
    )


async def join(
    connection: Connection, selection: Selection, groups: Groups, named: Named, bounded: Bounded, *, shown: int
) -> Joined:
    """Looks at candidates, and joins the first `shown` of the documents that the terms allow."""
    descending, undated = selection.descending and not bounded.undated, bounded.undated
    statement = (JOINED_ASCENDING, JOINED_DESCENDING)[descending]
    arguments = await arguments_of(connection, selection, groups, named, bounded, descending=descending)
    (row,) = await connection.fetch(statement, *arguments, shown, groups.hidden)
    event, head, lo, hi, rows, apart, facts, ends, actors, sources, documents, looked_at = row
    return Joined(
        last=None if event is None else (undated, lo, hi, event),
        exhausted=looked_at < bounded.budget,
        looked_at=looked_at,
        head=head,
        rows=rows,
        end=None if ends is None else (undated, *ends[0]),
        documents=documents or b"",
        apart=list(zip(apart or (), facts or (), strict=True)),
        actors=actors or "",
        sources=sources or "",
    )


async def arguments_of(
    connection: Connection,
    selection: Selection,
    groups: Groups,
    named: Named,
    bounded: Bounded,
    *,
    descending: bool = False,
) -> list[Any]:
    """What the statement is given to find what a selection may choose."""
    undated, after = bounded.undated, bounded.after
    request, timeline = selection.filters, selection.timeline
    account = selection.lens.of_account
    bounds = request.bounds & timeline.bounds
    takes_timeline = _takes(timeline, undated) and not groups.impossible_timeline
    walks = named.walks and _takes(request, undated) and takes_timeline and not groups.impossible
    start = _outermost(descending) if after is None else after[1:]
    lo_max = LATEST if undated else bounds.lo_max
    spans, lowest = _streams(bounds, undated, bounded.closed, account)
    driver: list[int] = []
    if walks:
        driver = await _numbers(connection, named.beside) if named.beside else groups.driver.numbers
    return [
        driver,
        spans,
        lowest,
        *(min((lo_max, LATEST, LATEST), start) if descending else start),
        selection.revision,
        selection.lens.known,
        lo_max,
        EARLIEST if undated else bounds.hi_min,
        LATEST if undated else bounds.hi_max,
        bounded.budget,
        bounded.rows,
        named.events if _takes(request, undated) and not groups.impossible else [],
        named.pinned if _takes(request, undated) and not groups.impossible else [],
        undated,
        *start,
        *_limits(request, undated),
        *_limits(timeline, undated),
        takes_timeline,
        named.excluded,
        groups.collections.numbers,
        *groups.checked,
        *(request.revisions or (0, LATEST)),
        *(timeline.revisions or (0, LATEST)),
        bounded.met,
        *groups.unwanted,
        request.text is not None or timeline.text is not None,
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


def _outermost(descending: bool) -> tuple[int, int, int]:
    return (LATEST, LATEST, LATEST) if descending else (EARLIEST, EARLIEST, EARLIEST)


# Every class of dated events as often as there are kinds of postings to be walked.
_SPANS: Final = {
    (account, closed): [
        span | kind
        for kind in ((0, TOLD) if account else (0,))
        for kind in ((kind, kind | CLOSED) if closed else (kind,))
        for span in range(UNDATED)
    ]
    for account in (False, True)
    for closed in (False, True)
}


def _streams(bounds: Bounds, undated: bool, closed: bool, account: bool) -> tuple[list[int], list[int]]:
    """Classes to walk, and the lowest bound that each needs to reach.

    Nothing of a class begins more than its length before a window that it reaches into.
    """
    if undated:
        return ([UNDATED, UNDATED | CLOSED], [EARLIEST] * 2) if closed else ([UNDATED], [EARLIEST])
    lowest, reached = bounds.lo_min, bounds.hi_min + 1
    lows = [max(lowest, reached - length) for length in LENGTHS] + [lowest] * (UNDATED - len(LENGTHS))
    spans = _SPANS[account, closed]
    return spans, lows * (len(spans) // UNDATED)
