"""A selection: lenses through which events are seen, and filters that choose among those seen.

`see` and `holds` are the whole meaning of a selection. The posting index (storage/postings.py) only finds and orders
candidates for them; where its terms decide exactly, `holds` need not be asked again.
"""

import hashlib
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from service.domain import dates
from service.domain.dates import EARLIEST, LATEST
from service.domain.event import Claim, Event, EventInput, Facts, Moment, Occurred
from service.domain.instants import seconds_of_recorded
from service.domain.standing import standing_of

Term = tuple[str, str]
"""A dimension and a value of it, such as ("actor", "bild")."""

Whole = Annotated[int, Meta(ge=EARLIEST, le=LATEST)]
Position = tuple[bool, Whole, Whole, Whole]
"""A place in a listing: whether undated, lower bound, upper bound, event number."""


class Bounds(Struct, frozen=True):
    """A window on both bounds of an event's date, in inclusive Unix seconds."""

    lo_min: int = EARLIEST
    lo_max: int = LATEST
    hi_min: int = EARLIEST
    hi_max: int = LATEST

    def __and__(self, other: "Bounds") -> "Bounds":
        return Bounds(
            lo_min=max(self.lo_min, other.lo_min),
            lo_max=min(self.lo_max, other.lo_max),
            hi_min=max(self.hi_min, other.hi_min),
            hi_max=min(self.hi_max, other.hi_max),
        )

    def hold(self, lo: int, hi: int) -> bool:
        return self.lo_min <= lo <= self.lo_max and self.hi_min <= hi <= self.hi_max


class Group(Struct, frozen=True):
    """Terms of one dimension, any of which will do."""

    dimension: str
    values: tuple[str, ...]


class Filters(Struct, frozen=True):
    """Everything that one set of parameters asks of an event; all of it must hold."""

    bounds: Bounds = Bounds()
    dated: bool = True
    undated: bool = True
    groups: tuple[Group, ...] = ()
    ids: frozenset[str] | None = None
    keys: frozenset[str] | None = None

    @property
    def collections(self) -> frozenset[str]:
        """The collections asked for by name."""
        return frozenset(value for group in self.groups if group.dimension == "collection" for value in group.values)


class Sight(Struct, frozen=True):
    """What the caller may see, by today's visibility: collections in lists, and those shown to who names them."""

    listed: frozenset[str]
    named: frozenset[str]


class Selection(Struct, frozen=True):
    """What is evaluated: (filters AND ((timeline OR include) AND NOT exclude)), as `sight` allows, through lenses."""

    revision: int
    """Events are read as recorded at this one, of those up to `head`."""
    head: int
    sight: Sight
    filters: Filters = Filters()
    timeline: Filters = Filters()
    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    known: int = LATEST
    """Last second of what was publicly known; LATEST is all that is recorded."""
    descending: bool = False

    @property
    def trims(self) -> bool:
        """Whether a lens may take claims away, so that documents are not served as they are stored."""
        return self.known != LATEST

    @property
    def collections(self) -> frozenset[str]:
        """The collections within sight of this selection, but for events named by id."""
        return self.sight.listed | (self.sight.named & (self.filters.collections | self.timeline.collections))


class Version(Struct, frozen=True):
    """One recorded state of an event, as storage holds it: document None once retracted, facts where asked for."""

    event: int
    revision: int
    lo: int
    hi: int
    known: int
    undated: bool
    document: bytes | None
    facts: bytes | None
    actors: list[int]
    sources: list[int]


class Seen(Struct, frozen=True):
    """An event as the lenses show it, with what orders and chooses it."""

    number: int
    event: Event
    lo: int
    hi: int
    undated: bool

    @property
    def position(self) -> Position:
        return (self.undated, self.lo, self.hi, self.number)


_decode_event = msgspec.json.Decoder(Event).decode
_decode_facts = msgspec.json.Decoder(Facts).decode


def see(version: Version, known: int = LATEST) -> Seen | None:
    """The event as it was publicly known by then: claims published later, and what rests on them alone, are absent."""
    if version.document is None or version.known > known:
        return None
    event = _decode_event(version.document)
    if known != LATEST and event.claims:
        facts = _decode_facts(version.facts or b"")
        seen = [
            (claim, stated)
            for claim, stated in zip(event.claims, facts.claims, strict=True)
            if stated.reached is not None and stated.reached <= known
        ]
        event = msgspec.structs.replace(event, claims=[claim for claim, _ in seen], standing=standing_of(seen))
    return Seen(version.event, event, version.lo, version.hi, version.undated)


def known_from(occurred: Occurred | None, claims: list[Claim], facts: Facts, created: Moment) -> int:
    """The first second at which the event was publicly known; LATEST where no claim of it has a date."""
    if claims:
        return min((f.reached for f in facts.claims if f.reached is not None), default=LATEST)
    if occurred is not None and occurred.earliest is not None:
        start = dates.parse(occurred.edtf).start
        return EARLIEST if start is None else start
    return seconds_of_recorded(created.recorded)


def bounds_of(occurred: str | None) -> tuple[int, int, bool]:
    """Lower and upper bound for order and window, and whether there is no date at all."""
    if occurred is None:
        return LATEST, LATEST, True
    date = dates.parse(occurred)
    return (
        EARLIEST if date.start is None else date.start,
        LATEST if date.end is None else date.end,
        False,
    )


def terms_of(event: Event) -> Iterator[Term]:
    """The terms by which an event, as seen, is chosen."""
    yield "collection", event.collection
    yield "phase", event.phase
    if event.kind is not None:
        yield "kind", event.kind
    for participation in event.actors:
        yield "actor", participation.actor
    for claim in event.claims:
        yield "source", claim.source
        for speaker in claim.speakers:
            yield "speaker", speaker
    for tag in event.tags:
        yield "tag", tag


def holds(selection: Selection, seen: Seen) -> bool:
    """Whether the selection chooses this event."""
    event = seen.event
    named = event.id in selection.include or (selection.filters.ids is not None and event.id in selection.filters.ids)
    if event.collection not in selection.collections and not (named and event.collection in selection.sight.named):
        return False
    if event.id in selection.exclude:
        return False
    terms = frozenset(terms_of(event))
    return _hold(selection.filters, seen, terms) and (
        event.id in selection.include or _hold(selection.timeline, seen, terms)
    )


def _hold(filters: Filters, seen: Seen, terms: frozenset[Term]) -> bool:
    return (
        (filters.undated if seen.undated else filters.dated and filters.bounds.hold(seen.lo, seen.hi))
        and (filters.ids is None or seen.event.id in filters.ids)
        and (filters.keys is None or seen.event.key in filters.keys)
        and all(any((group.dimension, value) in terms for value in group.values) for group in filters.groups)
    )


def actors_named(event: Event | EventInput) -> set[str]:
    """The actors that the event, as seen, names itself."""
    return {p.actor for p in event.actors} | {speaker for claim in event.claims for speaker in claim.speakers}


def sources_named(event: Event | EventInput) -> set[str]:
    """The sources that the event, as seen, names itself."""
    return {c.source for c in event.claims} | {c.via for c in event.claims if c.via is not None}


def digest_of(*parts: Any) -> str:
    """A short name for a value, the same in every process: for cursors and entity tags."""
    return hashlib.blake2b(msgspec.json.encode(parts, order="deterministic"), digest_size=12).hexdigest()
