"""Counting a selection: its histogram on one of the three clocks, and its facets.

Where the terms decide, the database counts; where somebody has to look, the selection is walked. What would need more
to be looked at than either may is counted in a sample, and says so.
"""

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec
from msgspec import Struct

from service.domain import dates, facets
from service.domain.dates import EARLIEST, LATEST
from service.domain.errors import Fault, RefusedParameter
from service.domain.facets import Facet, posted_alike, values_of
from service.domain.histogram import (
    BUCKETS_MAX,
    Bucket,
    Buckets,
    Clock,
    Interval,
    Scale,
    Tally,
    cut,
    extremes,
    scale_for,
    shown,
)
from service.domain.sampling import RATES, margin_of
from service.domain.selection import Selection
from service.storage import counting, listing, revisions
from service.storage.counting import Evaluation
from service.storage.groups import Groups, groups_of
from service.storage.listing import Found
from service.storage.pool import Connection

COUNTED_MAX: Final = 100_000
"""Where the index decides, no more events than these are gone through."""
LOOKED_AT_MAX: Final = 25_000
"""Where each has to be looked at, no more than these."""
SAMPLE_MAX: Final = 40_000
"""Nor is a sample ever of more."""
SAMPLE_LOOKED_AT_MAX: Final = 8_000
"""Nor one of which each has to be looked at: twelve thousand took one and a half seconds, for half the margin."""
AHEAD: Final = 4_000
"""How many events are looked for at a time where a selection is walked."""
TURN: Final = 100
"""After so many events others have their turn."""

Span = tuple[int, int]
Spans = tuple[Span, ...]


class Counted(Struct, frozen=True):
    """How many events were found, and for how many each one stands: 1 where all there are were counted."""

    found: int
    rate: int

    @property
    def matching(self) -> int:
        return self.found * self.rate

    @property
    def margin(self) -> int:
        return margin_of(self.found, self.rate)


class Histogram(Struct, frozen=True):
    """Events in buckets of time; undated: those that fall into none, since they have no date on this clock."""

    scale: Scale
    buckets: list[Bucket]
    undated: int
    counted: Counted


class Facets(Struct, frozen=True):
    """How many events have each value of each facet, those with most first."""

    values: dict[Facet, list[tuple[str, int]]]
    counted: Counted


class _Times(Struct, frozen=True):
    """When events are on a clock, in seconds or in revisions: how many have the same spans, how many none."""

    spans: Counter[Spans]
    undated: int

    @property
    def found(self) -> int:
        return self.spans.total() + self.undated


async def read_histogram(
    connection: Connection, selection: Selection, clock: Clock, interval: Interval | None
) -> Histogram:
    """The histogram of a selection; interval: None for one that suits it.

    Raises RefusedParameter for an interval that is too fine.
    """
    indexed = clock != "published" and not selection.lens.of_account
    evaluation, indexed = await _evaluate(connection, selection, indexed=indexed)
    times = await (_indexed if indexed else _walked)(connection, evaluation, clock)
    buckets = await _buckets(connection, selection, clock, interval, times)
    edges = buckets.edges
    if clock == "recorded":
        edges = await revisions.first_since(connection, [datetime.fromtimestamp(edge, UTC) for edge in edges])
    tally = Tally(buckets)
    if edges:
        for spans, number in times.spans.items():
            tally.add([(bisect_right(edges, low) - 1, bisect_right(edges, high) - 1) for low, high in spans], number)
    counted = Counted(times.found, evaluation.selection.sampled)
    return Histogram(buckets.scale, tally.counted(counted.rate), times.undated * counted.rate, counted)


async def read_facets(connection: Connection, selection: Selection, names: Collection[Facet], limit: int) -> Facets:
    """How many events of a selection have each value of the facets named; of each facet the first `limit` values."""
    filters, lens = selection.filters, selection.lens
    indexed = all(posted_alike(name, filters, lens) for name in names)
    evaluation, indexed = await _evaluate(connection, selection, indexed=indexed)
    found, values = 0, dict[str, Counter[str]]()
    if indexed:
        found, values = await counting.values(connection, evaluation, names, facets.OF_ACTORS)
    else:
        values = {name: Counter() for name in names}
        async for each in _walk(connection, evaluation.selection, looks=True):
            found += 1
            for name in names:
                values[name].update(values_of(name, each.seen, filters, lens) if each.seen else ())
    counted = Counted(found, evaluation.selection.sampled)
    return Facets({name: _first(values[name], limit, counted.rate) for name in names}, counted)


def _first(values: Counter[str], limit: int, rate: int) -> list[tuple[str, int]]:
    ordered = sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(value, events * rate) for value, events in ordered[:limit]]


async def _evaluate(connection: Connection, selection: Selection, *, indexed: bool) -> tuple[Evaluation, bool]:
    """The selection, or a sample of it where too many events would have to be looked at; and whether terms decide.

    `indexed` says whether it would do if they did.
    """
    groups = await groups_of(connection, selection)
    evaluation = await _evaluation(connection, selection, groups)
    indexed = indexed and groups.decide
    most = COUNTED_MAX if indexed else LOOKED_AT_MAX
    long = groups.shortest > most or evaluation.named.beside
    if long and await counting.has_more(connection, evaluation, most):
        # Of all that the caller sees no more may be left than is gone through; a fifth is for writes meanwhile.
        left = min(most, SAMPLE_MAX if indexed else SAMPLE_LOOKED_AT_MAX) * 4 // 5
        rate = next((rate for rate in RATES if groups.collections.size <= rate * left), RATES[-1])
        selection = msgspec.structs.replace(selection, sampled=rate)
        evaluation = await _evaluation(connection, selection, await groups_of(connection, selection))
    return evaluation, indexed


async def _evaluation(connection: Connection, selection: Selection, groups: Groups) -> Evaluation:
    return Evaluation(selection, groups, await listing.named_of(connection, selection, groups))


async def _walk(connection: Connection, selection: Selection, *, looks: bool) -> AsyncIterator[Found]:
    """All events of a selection: how many may go by in vain is known before."""
    number = 0
    async for found in listing.walk_selection(
        connection, selection, None, AHEAD, looks=looks, in_vain=2 * LOOKED_AT_MAX
    ):
        yield found
        number += 1
        if number % TURN == 0:
            await asyncio.sleep(0)


# --- When events are


async def _indexed(connection: Connection, evaluation: Evaluation, clock: Clock) -> _Times:
    """As the index has it: of occurrence, or of recording."""
    if clock == "recorded":
        recorded = await counting.revisions(connection, evaluation)
        return _Times(Counter({((revision, revision),): number for revision, number in recorded.items()}), 0)
    dated = await counting.dates(connection, evaluation, undated=False)
    undated = await counting.dates(connection, evaluation, undated=True)
    return _Times(Counter({(span,): number for span, number in dated.items()}), undated.total())


async def _walked(connection: Connection, evaluation: Evaluation, clock: Clock) -> _Times:
    """As it is found by looking at each event."""
    spans: Counter[Spans] = Counter()
    async for found in _walk(connection, evaluation.selection, looks=False):
        spans[_spans_of(found, clock)] += 1
    return _Times(spans, spans.pop((), 0))


def _spans_of(found: Found, clock: Clock) -> Spans:
    """When an event is on a clock, from where to where; nothing where it has no date there."""
    if clock == "recorded":
        return ((found.version.revision, found.version.revision),)
    if clock == "occurred":
        undated, low, high, _ = found.position
        return () if undated else ((low, high),)
    claims = _claims(found.version.document or b"").claims if found.seen is None else found.seen.event.claims
    return tuple(sorted({_span_of(claim.published) for claim in claims if claim.published is not None}))


class _Published(Struct, frozen=True):
    published: str | None


class _Claims(Struct, frozen=True):
    """What of a document says when it was made public."""

    claims: list[_Published]


_claims = msgspec.json.Decoder(_Claims).decode


@lru_cache(maxsize=10_000)
def _span_of(published: str) -> Span:
    date = dates.parse(published)
    return EARLIEST if date.start is None else date.start, LATEST if date.end is None else date.end


# --- In buckets


async def _buckets(
    connection: Connection, selection: Selection, clock: Clock, interval: Interval | None, times: _Times
) -> Buckets:
    """The buckets from the first to the last event, within the window that the request sets on this clock."""
    first, last = extremes(span for spans in times.spans for span in spans)
    if clock == "recorded" and first is not None and last is not None:
        log = await revisions.read_revisions(connection, [first, last])
        first, last = (int(log[revision].recorded.timestamp()) for revision in (first, last))
    window = (EARLIEST, LATEST)
    if clock == "occurred":
        window = (selection.filters.bounds.hi_min, selection.filters.bounds.lo_max)
    elif clock == "published":
        window = selection.filters.claim.published or window
    stretch = shown(first, last, *window) if times.spans else None
    if stretch is None:
        return Buckets(Scale(interval or "year"), [])
    scale = scale_for(*stretch) if interval is None else Scale(interval)
    needed = scale.needed(*stretch)
    if needed > BUCKETS_MAX:
        begin, end = (dates.bound_text(second, False) for second in stretch)
        detail = (
            f"{scale.interval} needs {needed:,} buckets, from {begin} to {end}, and there are at most {BUCKETS_MAX:,}: "
            "narrow the window, or take a longer interval, or auto"
        )
        raise RefusedParameter("The interval is too short.", [Fault(parameter="interval", detail=detail)])
    return cut(scale, *stretch)
