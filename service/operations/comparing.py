"""A diff: two selections compared.

Where only the revision differs, the work follows what was recorded in between. Else both listings are walked side by
side, and what stands in one only is looked up on the other side by id or key, never by nearness: dates move.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from service.domain.diff import Added, Change, Changed, Removed, Side, change_between, patch_of_members
from service.domain.errors import Fault, RefusedParameter, SelectionTooBroad
from service.domain.event import Event
from service.domain.filters import Filters
from service.domain.lenses import Position, Version, Whole, see
from service.domain.selection import Selection, holds
from service.domain.terms import Term, same_actors
from service.operations.selecting import Shown
from service.storage import events, listing, resources
from service.storage.events import Identity
from service.storage.listing import Found
from service.storage.pool import Connection
from service.storage.resources import Included, Mentions

SUMMARY_MAX: Final = 10_000
"""Changes counted for a summary."""
EXAMINED_MAX: Final = 100_000
"""Events looked at for one page: a page that finds little among as many goes on on the next."""
MOVED_MAX: Final = 50_000
"""Events that merges of actors may bring in or take out between two revisions."""
CHUNK: Final = 200

Place = Annotated[list[Whole], Meta(min_length=2, max_length=5)]
"""Where a diff goes on: revision and event number between revisions, else a position in the listings, and after it
whether of two changes at that position the first has been given."""
Pair = tuple[Place, Side, Side]

NOBODY: Final = Side(None, False)


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
    async for place, at_base, at_head in _pairs(connection, base, head, after, by_key):
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


def _pairs(
    connection: Connection, base: Selection, head: Selection, after: Place | None, by_key: bool
) -> AsyncIterator[Pair]:
    """Events on both sides, in the order of the diff: all that may have changed, and some that have not."""
    if base == head:
        return _nothing()
    if _but_for_revision(base) == _but_for_revision(head):
        return _between_revisions(connection, base, head, after)
    return _between_listings(connection, base, head, after, by_key)


async def _nothing() -> AsyncIterator[Pair]:
    nothing: tuple[Pair, ...] = ()
    for pair in nothing:
        yield pair


def _but_for_revision(selection: Selection) -> Selection:
    """The selection without its revision and all that follows from it."""

    def unresolved(filters: Filters) -> Filters:
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
    connection: Connection, base: Selection, head: Selection, after: Place | None
) -> AsyncIterator[Pair]:
    """By last changing revision, newest first, then by event."""
    since, until = sorted((base.revision, head.revision))
    revision, number = (until + 1, 0) if after is None else _parts(after, 2)
    place = (revision, number)
    moved = await _moved(connection, base, head)
    waiting = sorted((-at, event) for event, at in moved.items() if (-at, event) > (-revision, number))
    while True:
        changed = await events.read_changed(connection, since, until, place, CHUNK)
        last = len(changed) < CHUNK
        entries = [(-at, event) for event, at in changed if event not in moved]
        reached = None if last else (-changed[-1][1], changed[-1][0])
        come = [entry for entry in waiting if reached is None or entry < reached]
        waiting = waiting[len(come) :]
        entries = sorted(entries + come)
        for start in range(0, len(entries), CHUNK):
            part = entries[start : start + CHUNK]
            numbers = [event for _, event in part]
            at_base, at_head = await _sides(connection, numbers, base), await _sides(connection, numbers, head)
            for at, event in part:
                yield [-at, event], at_base[event], at_head[event]
        if last:
            return
        place = (changed[-1][1], changed[-1][0])


async def _moved(connection: Connection, base: Selection, head: Selection) -> dict[int, int]:
    """Events that come or go between two revisions though no version of theirs says so, and at which revision.

    Those named by actors that are merged or unmerged in between, and those at which one event no longer points or has
    come to. An event whose own last version is newer is not among them. Raises SelectionTooBroad.
    """
    since, until = sorted((base.revision, head.revision))
    at: dict[int, int] = {}
    terms = await _merged_terms(connection, base, head, since, until)
    if terms:
        named = await events.ever_with(connection, terms.keys(), since, until, MOVED_MAX + 1)
        if len(named) > MOVED_MAX:
            raise SelectionTooBroad(
                f"Merges of actors between these revisions bear on more than {MOVED_MAX} events. "
                "Compare revisions that are nearer to each other, or drop the filter or lens of these actors."
            )
        for event, term in named:
            at[event] = max(at.get(event, 0), terms[term])
    for mine, other in ((base.filters, head.filters), (base.timeline, head.timeline)):
        if mine.related is not None and other.related is not None and mine.related.out != other.related.out:
            ids = (mine.related.out or frozenset()) ^ (other.related.out or frozenset())
            anchored = await events.find_by_id(connection, ids)
            at |= {each.event: max(at.get(each.event, 0), until) for each in anchored.values()}
    versions = await events.read_versions(connection, at, until) if at else {}
    return {event: moved for event, moved in at.items() if event in versions and versions[event].revision < moved}


async def _merged_terms(
    connection: Connection, base: Selection, head: Selection, since: int, until: int
) -> dict[Term, int]:
    """The terms of which merges in between change what they mean to the selection, and when each last did."""
    merges = await resources.read_merges(connection, since, until)
    if not merges:
        return {}
    before, after = base.lens.aliases, head.lens.aliases
    moved: set[Term] = set()

    def of(dimensions: Sequence[str], slugs: Iterable[str]) -> None:
        changed = set(same_actors(slugs, before)) ^ set(same_actors(slugs, after))
        moved.update((dimension, slug) for dimension in dimensions for slug in changed)

    for filters in (base.filters, base.timeline):
        for actor in filters.actors:
            of(("actor",), [actor])
        for publisher in filters.claim.publishers:
            of(("publisher",), [publisher])
        for speaker in filters.claim.speakers:
            of(("speaker",), [speaker])
    for account in base.lens.accounts or ():
        of(("speaker", "publisher"), [account])
    if base.lens.trims:
        voices = {slug for slug in before.keys() | after.keys() if before.get(slug) != after.get(slug)}
        moved |= {(dimension, slug) for dimension in ("speaker", "publisher") for slug in voices}

    def when(slug: str) -> int:
        same = {*same_actors([slug], before), *same_actors([slug], after)}
        return max((revision for revision, actor in merges if actor in same), default=merges[-1][0])

    return {term: when(term[1]) for term in moved}


async def _between_listings(
    connection: Connection, base: Selection, head: Selection, after: Place | None, by_key: bool
) -> AsyncIterator[Pair]:
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
    settle = _settled_by_key if by_key else _settled
    chunk: list[Entry] = []
    async for entry in _merged(
        listing.walk_selection(connection, base, start, CHUNK),
        listing.walk_selection(connection, head, start, CHUNK),
        head.descending,
    ):
        chunk.append(entry)
        if len(chunk) == CHUNK:
            for pair in await settle(connection, base, head, chunk):
                if pair[0] != after:
                    yield pair
            chunk = []
    for pair in await settle(connection, base, head, chunk):
        if pair[0] != after:
            yield pair


Entry = tuple[Position, Found | None, Found | None]
"""A place, and what stands there in the base's listing and in the head's."""


def _parts(place: Place, number: int) -> Place:
    if len(place) != number:
        fault = Fault(parameter="cursor", detail="belongs to another kind of diff")
        raise RefusedParameter("This cursor was not given out by this service.", [fault])
    return place


async def _merged(base: AsyncIterator[Found], head: AsyncIterator[Found], descending: bool) -> AsyncIterator[Entry]:
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


async def _settled(connection: Connection, base: Selection, head: Selection, chunk: Sequence[Entry]) -> list[Pair]:
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
        pairs.append((_place(position), base_side, head_side))
    return pairs


async def _settled_by_key(
    connection: Connection, base: Selection, head: Selection, chunk: Sequence[Entry]
) -> list[Pair]:
    """The same, events being matched by key; one without a key has no counterpart."""
    found = await events.find_by_number(connection, {position[3] for position, _, _ in chunk})
    keys = {identity.key for identity in found.values() if identity.key is not None}
    named: dict[str, list[Identity]] = {}
    # What is unlisted is looked into where it is named, be it by the id of an event found there.
    within = base.collections | head.collections | {identity.collection for identity in found.values()}
    for identity in await events.find_by_key(connection, within, keys):
        named.setdefault(identity.key or "", []).append(identity)
    numbers = sorted({identity.event for same in named.values() for identity in same})
    on_base, on_head = await _sides(connection, numbers, base), await _sides(connection, numbers, head)
    counterparts = _counterparts(named, on_base, on_head)
    pairs = []
    for position, at_base, at_head in chunk:
        event, key = position[3], found[position[3]].key
        same = named.get(key or "", []) if key is not None else []
        if at_base is not None and not (event in counterparts and at_head is None):
            if counterparts.get(event) == event:
                # Both list it, and here.
                pairs.append((_place(position), _chosen(at_base, base), on_head[event]))
                continue
            if event not in counterparts:
                other = _other(same, on_head, head, event)
                pairs.append((_place(position, first=at_head is not None), _chosen(at_base, base), other))
        if at_head is not None:
            matching = next((number for number, head_number in counterparts.items() if head_number == event), None)
            side = _other(same, on_base, base, event) if matching is None else on_base[matching]
            pairs.append((_place(position), side, _chosen(at_head, head)))
    return pairs


def _counterparts(
    named: dict[str, list[Identity]], on_base: dict[int, Side], on_head: dict[int, Side]
) -> dict[int, int]:
    """For each event that the base lists, the one of its key that the head lists: itself, or else in order of id."""
    found: dict[int, int] = {}
    for same in named.values():
        listed = [each.event for each in same if on_base[each.event].chosen]
        there = [each.event for each in same if on_head[each.event].chosen]
        both = set(listed) & set(there)
        found |= {event: event for event in both}
        rest = zip(sorted(set(listed) - both), sorted(set(there) - both), strict=False)
        found.update(rest)
    return found


def _other(same: Iterable[Identity], sides: dict[int, Side], selection: Selection, event: int) -> Side:
    """What of an event's key exists on a side outside the selection; in the collections asked for, if there is any."""
    asked = {*selection.filters.collections, *selection.timeline.collections}
    there = [each for each in same if sides[each.event].seen is not None and not sides[each.event].chosen]
    there.sort(key=lambda each: (each.collection not in asked, each.event != event, each.event))
    return sides[there[0].event] if there else NOBODY


def _place(position: Position, *, first: bool = False) -> Place:
    return [*(int(part) for part in position), int(first)]


def _chosen(found: Found, selection: Selection) -> Side:
    return Side(found.seen or see(found.version, selection.lens), True)


async def _sides(connection: Connection, numbers: Sequence[int], selection: Selection) -> dict[int, Side]:
    """Each event as the selection's lenses show it, and whether it is chosen."""
    versions = await events.read_versions(connection, numbers, selection.revision) if numbers else {}
    return {number: _side(versions.get(number), selection) for number in numbers}


def _side(version: Version | None, selection: Selection) -> Side:
    seen = None if version is None else see(version, selection.lens)
    if seen is None or seen.event.collection not in selection.sight.named:
        return NOBODY
    return Side(seen, holds(selection, seen))
