"""Pairing: what of one side stands against what of the other, by id or by key, never by nearness: dates move."""

from collections.abc import Collection, Iterable, Sequence
from itertools import zip_longest
from typing import Final

from msgspec import Struct

from service.domain.diff import Side
from service.domain.lenses import Version, see
from service.domain.selection import Selection, holds
from service.storage import events, resources
from service.storage.events import Within
from service.storage.pool import Connection

NOBODY: Final = Side(None, False)


class Pair(Struct, frozen=True):
    """Two sides of one change. base, head: the events that either selection chooses there, None where it chooses none.

    Where there is none, its side is what exists outside the selection, if anything does.
    """

    base: int | None
    head: int | None
    at_base: Side
    at_head: Side

    @property
    def events(self) -> list[int]:
        return [number for number in (self.base, self.head) if number is not None]


async def within_of(connection: Connection, base: Selection, head: Selection) -> Within:
    """All events that either side may choose: those of its collections, and those that it names by id."""
    ids = frozenset().union(*((*side.include, *(side.ids or ())) for side in (base, head)))
    found = await events.find_by_id(connection, ids) if ids else {}
    named = base.sight.named | head.sight.named
    pinned = frozenset(each.event for each in found.values() if each.collection in named)
    collections = await resources.read_numbers(connection, "collection", base.collections | head.collections)
    return Within(collections, pinned)


async def families_of(connection: Connection, within: Within, numbers: Collection[int]) -> dict[int, list[int]]:
    """For each event that has a key, all events of that key."""
    found = await events.find_by_number(connection, numbers)
    keys = {identity.key for identity in found.values() if identity.key is not None}
    named = await events.find_same_key(connection, within, keys) if keys else {}
    return {number: named.get(each.key, [number]) for number, each in found.items() if each.key is not None}


def side_of(version: Version | None, selection: Selection) -> Side:
    """An event as the selection's lenses show it, and whether it is chosen."""
    seen = None if version is None else see(version, selection.lens)
    if seen is None or seen.event.collection not in selection.sight.named:
        return NOBODY
    return Side(seen, holds(selection, seen))


async def read_sides(connection: Connection, numbers: Collection[int], selection: Selection) -> dict[int, Side]:
    """Each of the events as it is on one side."""
    versions = await events.read_versions(connection, numbers, selection.revision) if numbers else {}
    return {number: side_of(versions.get(number), selection) for number in numbers}


def pairs_of(
    family: Sequence[int], on_base: dict[int, Side], on_head: dict[int, Side], base: Selection, head: Selection
) -> list[Pair]:
    """All that either side chooses of events that are the same by id or key, each once.

    The very same event is paired first, the rest in order of id.
    """
    pairs = []
    for left, right in counterparts(
        [number for number in family if on_base[number].chosen], [number for number in family if on_head[number].chosen]
    ):
        at_base = _other(family, on_base, base, right) if left is None else on_base[left]
        at_head = _other(family, on_head, head, left) if right is None else on_head[right]
        pairs.append(Pair(left, right, at_base, at_head))
    return pairs


def pairs_apart(number: int, on_base: Side, on_head: Side) -> list[Pair]:
    """What either side chooses of an event that is matched with nothing, not even with itself."""
    pairs = [Pair(number, None, on_base, NOBODY)] if on_base.chosen else []
    return [*pairs, Pair(None, number, NOBODY, on_head)] if on_head.chosen else pairs


def counterparts(base: Iterable[int], head: Iterable[int]) -> list[tuple[int | None, int | None]]:
    """Events of one key, as either side chooses them, side by side."""
    left, right = set(base), set(head)
    same = [(number, number) for number in sorted(left & right)]
    return [*same, *zip_longest(sorted(left - right), sorted(right - left))]


def _other(family: Iterable[int], sides: dict[int, Side], selection: Selection, event: int | None) -> Side:
    """What of a family exists on a side outside the selection; in the collections asked for, if there is any."""
    asked = {*selection.filters.collections, *selection.timeline.collections}
    there = [
        (seen.event.collection not in asked, number != event, number)
        for number in family
        if (seen := sides[number].seen) is not None and not sides[number].chosen
    ]
    return sides[min(there)[2]] if there else NOBODY
