"""A diff: two selections compared.

Where only the revision differs, the work follows what was recorded in between. Else both listings are walked side by
side, and what stands in one only is looked up by id on the other side, never by nearness: dates move.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from service.domain.diff import Added, Change, Changed, Removed, Side, change_between
from service.domain.errors import Fault, RefusedParameter
from service.domain.event import Event
from service.domain.selection import Position, Selection, Version, Whole, actors_named, holds, see, sources_named
from service.storage import events, resources
from service.storage.events import Found
from service.storage.pool import Connection
from service.storage.resources import Included, Mentions

SUMMARY_MAX: Final = 10_000
"""Changes counted for a summary."""
EXAMINED_MAX: Final = 100_000
"""Events looked at for one page: a page that finds little among as many goes on on the next."""
CHUNK: Final = 200

Place = Annotated[list[Whole], Meta(min_length=2, max_length=4)]
"""Where a diff goes on: revision and event number between revisions, else a position in the listings."""
Pair = tuple[Place, Side, Side]


class Summary(Struct, frozen=True):
    added: int
    removed: int
    changed: int


class Comparison(Struct, frozen=True):
    """One page of a diff. summary: None where it was not asked for or the count is out of bounds."""

    items: list[Change]
    summary: Summary | None
    next: Place | None
    base: Included | None
    head: Included | None


async def compare(
    connection: Connection,
    base: Selection,
    head: Selection,
    after: Place | None,
    limit: int,
    *,
    summed: bool,
    include: bool,
) -> Comparison:
    """Up to `limit` changes from base to head beyond `after`; with `summed`, the numbers of all of them too."""
    items: list[Change] = []
    counts = {"added": 0, "removed": 0, "changed": 0}
    resume: Place | None = None
    cut = False
    examined = 0
    async for place, at_base, at_head in _pairs(connection, base, head, after):
        examined += 1
        change = change_between(at_base, at_head)
        full = len(items) == limit
        if change is not None:
            counts[op_of(change)] += 1
            if not full:
                items.append(change)
            elif not summed:
                break
        if not full:
            resume = place
        cut = examined >= EXAMINED_MAX or sum(counts.values()) > SUMMARY_MAX
        if cut:
            break
    total = sum(counts.values())
    return Comparison(
        items=items,
        summary=Summary(**counts) if summed and not cut else None,
        next=resume if cut or total > len(items) else None,
        base=await _included(connection, items, base.revision, _on_base) if include else None,
        head=await _included(connection, items, head.revision, _on_head) if include else None,
    )


def op_of(change: Change) -> str:
    """`added`, `removed` or `changed`."""
    return str(change.__struct_config__.tag)


def _on_base(change: Change) -> Event | None:
    return (
        change.before if isinstance(change, Changed) else change.event if isinstance(change, Removed) else change.other
    )


def _on_head(change: Change) -> Event | None:
    return change.after if isinstance(change, Changed) else change.event if isinstance(change, Added) else change.other


async def _included(connection: Connection, items: Iterable[Change], revision: int, side: Any) -> Included:
    shown = [event for event in map(side, items) if event is not None]
    mentions = Mentions(
        actors={slug for event in shown for slug in actors_named(event)},
        sources={slug for event in shown for slug in sources_named(event)},
    )
    return await resources.read_included(connection, mentions, revision)


def _pairs(connection: Connection, base: Selection, head: Selection, after: Place | None) -> AsyncIterator[Pair]:
    """Events on both sides, in the order of the diff: all that may have changed, and some that have not."""
    if msgspec.structs.replace(base, revision=head.revision) == head:
        return _between_revisions(connection, base, head, after)
    return _between_listings(connection, base, head, after)


async def _between_revisions(
    connection: Connection, base: Selection, head: Selection, after: Place | None
) -> AsyncIterator[Pair]:
    """By last changing revision, newest first, then by event."""
    since, until = sorted((base.revision, head.revision))
    revision, number = (until + 1, 0) if after is None else _parts(after, 2)
    place = (revision, number)
    while True:
        changed = await events.read_changed(connection, since, until, place, CHUNK)
        numbers = [event for event, _ in changed]
        at_base, at_head = await _sides(connection, numbers, base), await _sides(connection, numbers, head)
        for event, revision in changed:
            yield [revision, event], at_base[event], at_head[event]
        if len(changed) < CHUNK:
            return
        place = (changed[-1][1], changed[-1][0])


async def _between_listings(
    connection: Connection, base: Selection, head: Selection, after: Place | None
) -> AsyncIterator[Pair]:
    """By the head's listing; what only the base lists, at its place there."""
    start: Position | None = None
    if after is not None:
        undated, lo, hi, number = _parts(after, 4)
        start = (bool(undated), lo, hi, number)
    # The order is the head's; the base is read in the same, so that places can be compared.
    base = msgspec.structs.replace(base, descending=head.descending)
    chunk: list[tuple[Position, Found | None, Found | None]] = []
    async for entry in _merged(
        events.walk_selection(connection, base, start, CHUNK),
        events.walk_selection(connection, head, start, CHUNK),
        head.descending,
    ):
        chunk.append(entry)
        if len(chunk) == CHUNK:
            for pair in await _settled(connection, base, head, chunk):
                yield pair
            chunk = []
    for pair in await _settled(connection, base, head, chunk):
        yield pair


def _parts(place: Place, number: int) -> Place:
    if len(place) != number:
        fault = Fault(parameter="cursor", detail="belongs to another kind of diff")
        raise RefusedParameter("This cursor was not given out by this service.", [fault])
    return place


async def _merged(
    base: AsyncIterator[Found], head: AsyncIterator[Found], descending: bool
) -> AsyncIterator[tuple[Position, Found | None, Found | None]]:
    """Two listings as one: each place with what stands there on either side."""
    at_base, at_head = await anext(base, None), await anext(head, None)
    while at_base is not None or at_head is not None:
        low = _order(at_base, descending)
        high = _order(at_head, descending)
        if at_base is not None and (high is None or (low is not None and low < high)):
            yield at_base.position, at_base, None
            at_base = await anext(base, None)
        elif at_head is not None and (low is None or (high is not None and high < low)):
            yield at_head.position, None, at_head
            at_head = await anext(head, None)
        elif at_base is not None and at_head is not None:
            yield at_head.position, at_base, at_head
            at_base, at_head = await anext(base, None), await anext(head, None)


def _order(found: Found | None, descending: bool) -> Position | None:
    if found is None:
        return None
    undated, lo, hi, event = found.position
    return (undated, -lo, -hi, -event) if descending and not undated else (undated, lo, hi, event)


async def _settled(
    connection: Connection,
    base: Selection,
    head: Selection,
    chunk: Sequence[tuple[Position, Found | None, Found | None]],
) -> list[Pair]:
    """Each place of both listings with both its sides; an event that both list is settled at the head's place."""
    only_base = [position[3] for position, _, at_head in chunk if at_head is None]
    only_head = [position[3] for position, at_base, _ in chunk if at_base is None]
    on_head, on_base = await _sides(connection, only_base, head), await _sides(connection, only_head, base)
    pairs = []
    for position, at_base, at_head in chunk:
        event = position[3]
        if at_head is None and on_head[event].chosen:
            continue
        base_side = on_base[event] if at_base is None else _chosen(at_base, base)
        head_side = on_head[event] if at_head is None else _chosen(at_head, head)
        pairs.append(([int(part) for part in position], base_side, head_side))
    return pairs


def _chosen(found: Found, selection: Selection) -> Side:
    return Side(found.seen or see(found.version, selection.known), True)


async def _sides(connection: Connection, numbers: Sequence[int], selection: Selection) -> dict[int, Side]:
    """Each event as the selection's lenses show it, and whether it is chosen."""
    versions = await events.read_versions(connection, numbers, selection.revision) if numbers else {}
    return {number: _side(versions.get(number), selection) for number in numbers}


def _side(version: Version | None, selection: Selection) -> Side:
    seen = None if version is None else see(version, selection.known)
    if seen is None or seen.event.collection not in selection.sight.named:
        return Side(None, False)
    return Side(seen, holds(selection, seen))
