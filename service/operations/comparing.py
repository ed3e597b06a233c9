"""A diff: two selections compared.

Where only the revision differs, the work follows what was recorded in between. Else both listings are walked side by
side, and what stands in one only is looked up on the other side.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from service.domain.diff import Added, Change, Changed, Removed, Side, change_between, patch_of_members
from service.domain.errors import Fault, RefusedParameter
from service.domain.event import Event
from service.domain.filters import Filters
from service.domain.lenses import Position, Whole, see
from service.domain.selection import Selection
from service.operations.pairing import (
    NOBODY,
    families_of,
    pairs_apart,
    pairs_of,
    read_sides,
    side_of,
    within_of,
)
from service.operations.selecting import Shown, Store
from service.operations.turning import read_moved
from service.storage import events, listing
from service.storage.events import Within
from service.storage.included import Included, Mentions
from service.storage.listing import Found
from service.storage.pool import Connection

SUMMARY_MAX: Final = 10_000
"""Changes counted for a summary."""
EXAMINED_MAX: Final = 100_000
"""Events looked at for one page: a page that finds little among as many goes on on the next."""
CHUNK: Final = 200

Place = Annotated[list[Whole], Meta(min_length=2, max_length=5)]
"""Where a diff goes on: revision and event number between revisions, else a position in the listings, and after it
whether of two changes at that position the first has been given."""
Step = tuple[Place, Side, Side]
"""What has been looked at, and where. The place is of an event that the caller may see: a cursor may carry it."""


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
    store: Store,
    base: Selection,
    head: Selection,
    after: Place | None,
    limit: int,
    *,
    summed: bool,
    shown: Shown,
    by_key: bool = False,
) -> Comparison:
    """Up to `limit` changes from base to head beyond `after`; with `summed`, the numbers of all of them too.

    `by_key` matches events by key in place of id.
    """
    items: list[Change] = []
    counts = {"added": 0, "removed": 0, "changed": 0}
    resume: Place | None = None
    cut = False
    examined = 0
    async with aclosing(_steps(connection, store, base, head, after, by_key)) as steps:
        async for place, at_base, at_head in steps:
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
        base=await _included(connection, items, base, _on_base, shown),
        head=await _included(connection, items, head, _on_head, shown),
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


async def _included(
    connection: Connection,
    items: Iterable[Change],
    selection: Selection,
    side: Callable[[Change], Event | None],
    shown: Shown,
) -> Included | None:
    mentions = Mentions()
    for event in map(side, items):
        if event is not None:
            shown.mention(event, mentions)
    return await shown.included(connection, mentions, selection.revision, selection.lens.aliases)


def shown_change(change: Change, shown: Shown) -> Any:
    """The change as it is told: its events thinned, and the patch between what is left of them."""
    if shown.fields is None:
        return change
    told: dict[str, Any] = {"op": op_of(change)}
    for name in change.__struct_fields__:
        value = getattr(change, name)
        told[name] = shown.thinned(value) if isinstance(value, Event) else value
    if isinstance(change, Changed):
        told["patch"] = patch_of_members(told["before"], told["after"])
    return told


def _steps(
    connection: Connection, store: Store, base: Selection, head: Selection, after: Place | None, by_key: bool
) -> AsyncGenerator[Step, None]:
    """Events on both sides, in the order of the diff: all that may have changed, and some that have not."""
    if base == head:
        return _nothing()
    if _but_for_revision(base) == _but_for_revision(head):
        return _between_revisions(connection, store, base, head, after, by_key)
    return _between_listings(connection, base, head, after, by_key)


async def _nothing() -> AsyncGenerator[Step, None]:
    nothing: tuple[Step, ...] = ()
    for step in nothing:
        yield step


def _but_for_revision(selection: Selection) -> Selection:
    """The selection without its revision and all that follows from it."""

    def unresolved(filters: Filters) -> Filters:
        if filters.text is not None:
            filters = msgspec.structs.replace(filters, text=msgspec.structs.replace(filters.text, named=()))
        if filters.related is None or filters.related.out is None:
            return filters
        return msgspec.structs.replace(filters, related=msgspec.structs.replace(filters.related, out=frozenset()))

    return msgspec.structs.replace(
        selection,
        revision=0,
        lens=msgspec.structs.replace(selection.lens, aliases={}),
        filters=unresolved(selection.filters),
        timeline=unresolved(selection.timeline),
    )


async def _between_revisions(
    connection: Connection, store: Store, base: Selection, head: Selection, after: Place | None, by_key: bool
) -> AsyncGenerator[Step, None]:
    """By last changing revision, newest first, then by event; of a pair the later change counts, and the head's event.

    What neither side could choose is not even counted, so no answer depends on it.
    """
    since, until = sorted((base.revision, head.revision))
    revision, number = (until + 1, 0) if after is None else _parts(after, 2)
    place = (revision, number)
    within = await within_of(connection, base, head)
    moved = await read_moved(connection, store, base, head, within)
    families = await families_of(connection, within, moved) if by_key and moved else {}
    entries = {(-at, each) for event, at in moved.items() for each in families.get(event, [event])}
    waiting = sorted(entry for entry in entries if entry > (-revision, number))
    while True:
        changed = await events.read_changed(connection, within, since, until, place, CHUNK, by_key=by_key)
        last = len(changed) < CHUNK
        reached = None if last else (-changed[-1][1], changed[-1][0])
        come = [entry for entry in waiting if reached is None or entry <= reached]
        waiting = waiting[len(come) :]
        entered = sorted({*come, *((-at, event) for event, at in changed)})
        for start in range(0, len(entered), CHUNK):
            part = [(-at, event) for at, event in entered[start : start + CHUNK]]
            for step in await _settled_by_change(connection, base, head, part, moved, within if by_key else None):
                yield step
        if last:
            return
        place = (changed[-1][1], changed[-1][0])


async def _settled_by_change(
    connection: Connection,
    base: Selection,
    head: Selection,
    changed: Sequence[tuple[int, int]],
    moved: Mapping[int, int],
    within: Within | None,
) -> list[Step]:
    """Each of the revisions and events with the pair that belongs there, if any; by key where `within` is given."""
    listed = {event for _, event in changed}
    families = {} if within is None else await families_of(connection, within, listed)
    numbers = listed.union(*families.values())
    versions = [await events.read_versions(connection, numbers, side.revision) for side in (base, head)]
    on_base, on_head = (
        {each: side_of(found.get(each), side) for each in numbers}
        for found, side in zip(versions, (base, head), strict=True)
    )
    last = {
        each: max([moved.get(each, 0), *(found[each].revision for found in versions if each in found)])
        for each in numbers
    }
    steps: list[Step] = []
    for revision, event in changed:
        pairs = pairs_of(families.get(event, [event]), on_base, on_head, base, head)
        at_base, at_head = NOBODY, NOBODY
        for pair in pairs:
            if pair.events[-1] == event and max(last[each] for each in pair.events) == revision:
                at_base, at_head = pair.at_base, pair.at_head
        steps.append(([revision, event], at_base, at_head))
    return steps


async def _between_listings(
    connection: Connection, base: Selection, head: Selection, after: Place | None, by_key: bool
) -> AsyncGenerator[Step, None]:
    """By the head's listing; what only the base lists, at its place there."""
    start: Position | None = None
    given = 0
    if after is not None:
        undated, lo, hi, number, given = _parts(after, 5)
        # What stands at a place of which only the first change has been given is looked at again.
        again = given if not head.descending or undated else -given
        start = (bool(undated), lo, hi, number - again)
    # The order is the head's; the base is read in the same, so that places can be compared.
    base = msgspec.structs.replace(base, descending=head.descending)
    within = await within_of(connection, base, head) if by_key else None
    async with (
        aclosing(listing.walk_selection(connection, base, start, CHUNK)) as on_base,
        aclosing(listing.walk_selection(connection, head, start, CHUNK)) as on_head,
        aclosing(_merged(on_base, on_head, head.descending)) as entries,
        aclosing(_chunks(entries)) as chunks,
    ):
        async for chunk in chunks:
            if within is None:
                steps = await _settled(connection, base, head, chunk)
            else:
                steps = await _settled_by_key(connection, base, head, chunk, within)
            for step in steps:
                if step[0] != after:
                    yield step


async def _chunks(entries: AsyncIterator["Entry"]) -> AsyncGenerator[list["Entry"], None]:
    chunk: list[Entry] = []
    async for entry in entries:
        chunk.append(entry)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    yield chunk


Entry = tuple[Position, Found | None, Found | None]
"""A place, and what stands there in the base's listing and in the head's."""


def _parts(place: Place, number: int) -> Place:
    if len(place) != number:
        fault = Fault(parameter="cursor", detail="belongs to another kind of diff")
        raise RefusedParameter("This cursor was not given out by this service.", [fault])
    return place


async def _merged(
    base: AsyncIterator[Found], head: AsyncIterator[Found], descending: bool
) -> AsyncGenerator[Entry, None]:
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


async def _settled(connection: Connection, base: Selection, head: Selection, chunk: Sequence[Entry]) -> list[Step]:
    """Each place of both listings with both its sides; an event that both list is settled at the head's place."""
    only_base = [position[3] for position, _, at_head in chunk if at_head is None]
    only_head = [position[3] for position, at_base, _ in chunk if at_base is None]
    on_head, on_base = await read_sides(connection, only_base, head), await read_sides(connection, only_head, base)
    steps = []
    for position, at_base, at_head in chunk:
        event = position[3]
        if at_head is None and on_head[event].chosen:
            continue
        base_side = on_base[event] if at_base is None else _chosen(at_base, base)
        head_side = on_head[event] if at_head is None else _chosen(at_head, head)
        steps.append((_place(position), base_side, head_side))
    return steps


async def _settled_by_key(
    connection: Connection, base: Selection, head: Selection, chunk: Sequence[Entry], within: Within
) -> list[Step]:
    """The same, events being matched by key; one without a key has no counterpart."""
    listed = {position[3] for position, _, _ in chunk}
    families = await families_of(connection, within, listed)
    numbers = listed.union(*families.values())
    on_base, on_head = await read_sides(connection, numbers, base), await read_sides(connection, numbers, head)
    steps = []
    for position, at_base, at_head in chunk:
        event = position[3]
        if event in families:
            pairs = pairs_of(families[event], on_base, on_head, base, head)
        else:
            pairs = pairs_apart(event, on_base[event], on_head[event])
        # What only the base has stands before what the head has in the same place.
        for pair in sorted(pairs, key=lambda pair: pair.head is not None):
            here = at_base if pair.head is None else at_head
            if pair.events[-1] == event and here is not None:
                first = pair.head is None and at_head is not None
                steps.append((_place(position, first=first), pair.at_base, pair.at_head))
    return steps


def _place(position: Position, *, first: bool = False) -> Place:
    return [*(int(part) for part in position), int(first)]


def _chosen(found: Found, selection: Selection) -> Side:
    return Side(found.seen or see(found.version, selection.lens), True)
