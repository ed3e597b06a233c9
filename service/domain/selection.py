"""A selection: lenses through which events are seen, and filters that choose among those seen.

`see` (lenses) and `holds` are the whole meaning of a selection. The posting index (storage/walking.py) only finds and
orders candidates for them; where its terms decide exactly, `holds` need not be asked again.
"""

import hashlib
from typing import Any

import msgspec
from msgspec import Struct

from service.domain.filters import Filters, hold
from service.domain.lenses import Lens, Seen
from service.domain.sampling import is_sampled


class Sight(Struct, frozen=True):
    """What the caller may see of collections, by today's visibility: in lists, when they are named, and not at all."""

    listed: frozenset[str]
    named: frozenset[str]
    hidden: frozenset[str] = frozenset()


class Selection(Struct, frozen=True):
    """What is evaluated: (filters AND ((timeline OR include) AND NOT exclude)), as `sight` allows, through the lens."""

    revision: int
    """Events are read as recorded at this one, of those up to `head`."""
    head: int
    sight: Sight
    lens: Lens = Lens()
    filters: Filters = Filters()
    timeline: Filters = Filters()
    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    descending: bool = False
    sampled: int = 1
    """For how many events each of those chosen stands: a rate of `sampling`, or 1 for all of them."""

    @property
    def collections(self) -> frozenset[str]:
        """The collections within sight of this selection, but for events named by id."""
        return self.sight.listed | (
            self.sight.named & frozenset((*self.filters.collections, *self.timeline.collections))
        )

    @property
    def ids(self) -> frozenset[str] | None:
        """One of the sets of ids that every event chosen is in, but for pins; None where no side names events by id."""
        return self.timeline.ids if self.filters.ids is None else self.filters.ids

    def names(self, id: str) -> bool:
        """Whether the event is named by id, so that it may be of a collection that is in no list."""
        sets = (self.include, self.filters.ids, self.timeline.ids)
        return any(each is not None and id in each for each in sets)

    def at(self, other: "Selection") -> "Selection":
        """This selection, read at the revision of the other."""
        lens = msgspec.structs.replace(self.lens, aliases=other.lens.aliases)
        return msgspec.structs.replace(self, revision=other.revision, lens=lens)


def holds(selection: Selection, seen: Seen) -> bool:
    """Whether the selection chooses this event."""
    event = seen.event
    in_sight = selection.sight.named if selection.names(event.id) else selection.collections
    if event.collection not in in_sight:
        return False
    if event.id in selection.exclude or (selection.sampled > 1 and not is_sampled(event.id, selection.sampled)):
        return False
    return hold(selection.filters, seen, selection.lens) and (
        event.id in selection.include or hold(selection.timeline, seen, selection.lens)
    )


def digest_of(*parts: Any) -> str:
    """A short name for a value, the same in every process: for cursors and entity tags."""
    return hashlib.blake2b(msgspec.json.encode(parts, order="deterministic"), digest_size=12).hexdigest()
