"""What changes an event between two revisions beside versions of its own.

Merging actors changes which events a selection chooses, and what a lens shows of them; renaming them, which events
hold what a text asks for; revising the event that `related_to` names, at which events it points. Each such revision is
a turn: the same version of an event is seen through the selection as it was before and after, and the newest turn at
which that differs is when the event changed.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from service.domain.errors import SelectionTooBroad
from service.domain.event import Event
from service.domain.filters import Filters, Related, pointed_at
from service.domain.lenses import Version
from service.domain.selection import Selection
from service.domain.terms import Term, same_actors
from service.domain.text import Text
from service.operations.naming import Namings, of_actors, read_namings
from service.operations.pairing import side_of
from service.operations.selecting import Store, unknown_actors
from service.storage import events, resources
from service.storage.events import Within
from service.storage.pool import Connection

MOVED_MAX: Final = 50_000
"""Events that name actors which are merged, unmerged or renamed between two revisions."""
CHUNK: Final = 500

Merges = Mapping[str, list[tuple[int, str | None]]]
"""For each actor ever merged: when it was, and into which; None where it was unmerged."""
Pointing = list[tuple[int, frozenset[str]]]
"""At which events one event pointed from which revision on, oldest first."""


class Aliases(Mapping[str, str]):
    """The actor that each merged actor stood for at a revision, looked up among all merges as it is asked for."""

    def __init__(self, merges: Merges, unknown: set[str], revision: int) -> None:
        self._merges, self._unknown, self._revision = merges, unknown, revision

    def _into(self, slug: str) -> str | None:
        merges = self._merges.get(slug, [])
        place = bisect_right(merges, self._revision, key=lambda merge: merge[0])
        return merges[place - 1][1] if place else None

    def __getitem__(self, slug: str) -> str:
        end = None if slug in self._unknown else self._into(slug)
        if end is None:
            raise KeyError(slug)
        while (into := self._into(end)) is not None:
            end = into
        return end

    def __iter__(self) -> Iterator[str]:
        return (slug for slug in self._merges if slug not in self._unknown and self._into(slug) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Past:
    """A selection as it was at any revision between two."""

    def __init__(
        self,
        selection: Selection,
        merges: Merges,
        unknown: set[str],
        pointing: Mapping[Related, Pointing],
        namings: Sequence[tuple[Text, Namings]],
    ) -> None:
        self._selection, self._merges, self._unknown = selection, merges, unknown
        self._pointing, self._namings = pointing, namings
        self._texts: dict[tuple[int, int], Text] = {}

    def aliases(self, revision: int) -> Aliases:
        return Aliases(self._merges, self._unknown, revision)

    def shown(self, version: Version, revision: int) -> Event | None:
        """A version as it was seen at the revision, None where it was not chosen."""
        selection = msgspec.structs.replace(
            self._selection,
            lens=msgspec.structs.replace(self._selection.lens, aliases=self.aliases(revision)),
            filters=self._filters(self._selection.filters, revision),
            timeline=self._filters(self._selection.timeline, revision),
        )
        side = side_of(version, selection)
        return side.seen.event if side.seen is not None and side.chosen else None

    def _filters(self, filters: Filters, revision: int) -> Filters:
        for place, (text, namings) in enumerate(self._namings):
            if text == filters.text:
                if (place, revision) not in self._texts:
                    then = of_actors(text, namings.at(revision), self.aliases(revision))
                    self._texts[place, revision] = then
                filters = msgspec.structs.replace(filters, text=self._texts[place, revision])
                break
        if filters.related is None or filters.related not in self._pointing:
            return filters
        pointing = self._pointing[filters.related]
        out = pointing[bisect_right(pointing, revision, key=lambda each: each[0]) - 1][1]
        return msgspec.structs.replace(filters, related=msgspec.structs.replace(filters.related, out=out))


async def read_moved(
    connection: Connection, store: Store, base: Selection, head: Selection, within: Within
) -> dict[int, int]:
    """Events that changed between two revisions without a version of their own, or after it, and at which revision.

    Those that did not change are not among them. Raises SelectionTooBroad.
    """
    since, until = sorted((base.revision, head.revision))
    later = base if base.revision == until else head
    log = await resources.read_merges(connection, until) if store.head.merged is not None else []
    merges: dict[str, list[tuple[int, str | None]]] = {}
    for revision, actor, into in log:
        merges.setdefault(actor, []).append((revision, into))
    pointing = {
        related: await _read_pointing(connection, related, later.lens.hidden, since, until)
        for related in (later.filters.related, later.timeline.related)
        if related is not None and related.out is not None and related.anchor is not None
    }
    namings = [
        (text, await read_namings(connection, text, until))
        for text in (later.filters.text, later.timeline.text)
        if text is not None
    ]
    past = Past(later, merges, await unknown_actors(connection, store, merges), pointing, namings)
    turns = await _turns_of_anchors(connection, pointing.values(), within)
    turned = _turned_by_names(past, namings, since)
    if log and log[-1][0] > since:
        asked = [*_asked(later), *(term for _, each in namings for slug in each.actors for term in naming_terms(slug))]
        for term, revisions in _turned_by_merges(past, asked, later.lens.trims, log, since).items():
            turned.setdefault(term, set()).update(revisions)
    if turned:
        for number, revisions in (await _turns_of_terms(connection, turned, until, within)).items():
            turns.setdefault(number, set()).update(revisions)
    moved: dict[int, int] = {}
    numbers = sorted(turns)
    for start in range(0, len(numbers), CHUNK):
        versions = await events.read_versions(connection, numbers[start : start + CHUNK], until)
        for number, version in versions.items():
            for revision in sorted((each for each in turns[number] if each > version.revision), reverse=True):
                if past.shown(version, revision - 1) != past.shown(version, revision):
                    moved[number] = revision
                    break
    return moved


async def _read_pointing(
    connection: Connection, related: Related, hidden: frozenset[str], since: int, until: int
) -> Pointing:
    """At what the event related to pointed at `since`, and from each revision up to `until` that changed it."""
    anchor = (await events.find_by_id(connection, [related.anchor or ""])).popitem()[1].event
    version = (await events.read_versions(connection, [anchor], since)).get(anchor)
    found = [(since, pointed_at(version, related.types, hidden))]
    after = since
    while history := await events.read_history(connection, anchor, after, until, CHUNK):
        for version in history:
            out = pointed_at(version, related.types, hidden)
            if out != found[-1][1]:
                found.append((version.revision, out))
        after = history[-1].revision
    return found


async def _turns_of_anchors(
    connection: Connection, pointing: Iterable[Pointing], within: Within
) -> dict[int, set[int]]:
    """For each event that was pointed at or no longer is, the revisions that made the difference."""
    turns: dict[str, set[int]] = {}
    for each in pointing:
        for (_, before), (revision, after) in pairwise(each):
            for id in before ^ after:
                turns.setdefault(id, set()).add(revision)
    found = await events.find_by_id(connection, turns) if turns else {}
    return {each.event: turns[id] for id, each in found.items() if within.holds(each)}


async def _turns_of_terms(
    connection: Connection, turned: Mapping[Term, set[int]], until: int, within: Within
) -> dict[int, set[int]]:
    """For each event that stands at `until` under a term that was turned, when it was. Raises SelectionTooBroad."""
    named = await events.find_with(connection, within, turned, until, MOVED_MAX + 1)
    if len(named) > MOVED_MAX:
        raise SelectionTooBroad(
            f"Merges and new names of actors between these revisions bear on more than {MOVED_MAX} events. "
            "Compare revisions that are nearer to each other, or drop the filter, lens or words of these actors."
        )
    found: dict[int, set[int]] = {}
    for number, term in named:
        found.setdefault(number, set()).update(turned[term])
    return found


def _turned_by_merges(
    past: Past, asked: list[Term], trims: bool, log: list[tuple[int, str, str | None]], since: int
) -> dict[Term, set[int]]:
    """The terms that merges after `since` may bear on, and when those were recorded."""
    followers: dict[str, set[str]] = {}
    for _, actor, into in log:
        if into is not None:
            followers.setdefault(into, set()).add(actor)
    turned: dict[Term, set[int]] = {}
    for revision, actor, _ in log:
        if revision > since:
            for term in _turned(past, asked, trims, revision, actor, followers):
                turned.setdefault(term, set()).add(revision)
    return turned


def _turned_by_names(past: Past, namings: Iterable[tuple[Text, Namings]], since: int) -> dict[Term, set[int]]:
    """The terms of actors that came to be called otherwise after `since`, and when."""
    turned: dict[Term, set[int]] = {}
    for revision, actor in (turn for _, each in namings for turn in each.turns(since)):
        for slug in same_actors([actor], past.aliases(revision)):
            for term in naming_terms(slug):
                turned.setdefault(term, set()).add(revision)
    return turned


def naming_terms(slug: str) -> tuple[Term, Term]:
    """The terms of events whose text the actor's names are."""
    return ("actor", slug), ("speaker", slug)


def _asked(selection: Selection) -> Iterator[Term]:
    """The actors that a selection asks for, and as what."""
    for filters in (selection.filters, selection.timeline):
        for dimension, slugs in (
            ("actor", filters.actors),
            ("publisher", filters.claim.publishers),
            ("speaker", filters.claim.speakers),
        ):
            yield from ((dimension, slug) for slug in slugs)
    for slug in selection.lens.accounts or ():
        yield from (("speaker", slug), ("publisher", slug))


def _turned(
    past: Past, asked: Iterable[Term], trims: bool, revision: int, actor: str, followers: Mapping[str, set[str]]
) -> Iterator[Term]:
    """The terms of which the merge of an actor changes what they mean to a selection."""
    before, after = past.aliases(revision - 1), past.aliases(revision)
    ends = {aliases.get(actor, actor) for aliases in (before, after)}
    turned = {slug for slug in _following(actor, followers) if before.get(slug) != after.get(slug)}
    for dimension, slug in asked:
        if slug in turned:
            same = set(same_actors([slug], before)) ^ set(same_actors([slug], after))
        else:
            same = turned if after.get(slug, slug) in ends else set()
        yield from ((dimension, each) for each in same)
    if trims:
        # Two voices become one, or one two, which the standing of what is seen may follow.
        yield from ((dimension, each) for dimension in ("speaker", "publisher") for each in turned)


def _following(actor: str, followers: Mapping[str, set[str]]) -> set[str]:
    """An actor, and all that have ever been merged into it, near or far."""
    found = {actor}
    waiting = [actor]
    while waiting:
        for follower in followers.get(waiting.pop(), set()) - found:
            found.add(follower)
            waiting.append(follower)
    return found
