"""Filters: what chooses whole events among those seen, and never alters them.

`hold` is their whole meaning; a parameter of the interface is a member here and a line there. The terms by which the
index finds what may hold are in `terms`.
"""

from collections.abc import Iterable

from msgspec import Struct

from service.domain import dates
from service.domain.dates import EARLIEST, LATEST
from service.domain.event import Claim, ClaimFacts, Event
from service.domain.lenses import Lens, Seen, Version, see
from service.domain.text import Text


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


class ClaimFilter(Struct, frozen=True):
    """What one and the same claim must be; an empty member asks for nothing."""

    sources: tuple[str, ...] = ()
    publishers: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    stances: tuple[str, ...] = ()
    published: tuple[int, int] | None = None
    """Inclusive Unix seconds into which its publication must reach."""

    def hold(self, claim: Claim, facts: ClaimFacts, lens: Lens) -> bool:
        return (
            (not self.sources or claim.source in self.sources)
            and (not self.stances or claim.stance in self.stances)
            and (
                not self.publishers
                or (facts.publisher is not None and _any_of([facts.publisher], self.publishers, lens))
            )
            and (not self.speakers or _any_of(claim.speakers, self.speakers, lens))
            and (self.published is None or _published_in(claim, *self.published))
        )


def _any_of(slugs: Iterable[str], asked: Iterable[str], lens: Lens) -> bool:
    return not {lens.actor(slug) for slug in slugs}.isdisjoint({lens.actor(slug) for slug in asked})


def _published_in(claim: Claim, first: int, last: int) -> bool:
    if claim.published is None:
        return False
    date = dates.recalled(claim.published)
    return (date.start is None or date.start <= last) and (date.end is None or date.end >= first)


class Box(Struct, frozen=True):
    """A field of coordinates in degrees, edges included; one whose west is greater than its east crosses 180°."""

    west: float
    south: float
    east: float
    north: float

    def hold(self, latitude: float, longitude: float) -> bool:
        # 180° east is 180° west.
        either = (longitude, -longitude) if abs(longitude) == 180 else (longitude,)
        return self.south <= latitude <= self.north and any(map(self._spans, either))

    def _spans(self, longitude: float) -> bool:
        if self.west <= self.east:
            return self.west <= longitude <= self.east
        return longitude >= self.west or longitude <= self.east


class Related(Struct, frozen=True):
    """Events tied to one other. types: of the relations that count, empty for all."""

    event: str | None
    """Whose id their own relations must name; None where those do not count."""
    types: frozenset[str]
    out: frozenset[str] | None = None
    """Ids at which that event's relations point; None where those do not count."""
    anchor: str | None = None
    """That event's id, whose ever relations count; None where the caller may not see it."""

    def hold(self, event: Event) -> bool:
        if self.out is not None and event.id in self.out:
            return True
        return self.event is not None and any(
            relation.event == self.event and (not self.types or relation.type in self.types)
            for relation in event.relations
        )


def pointed_at(version: Version | None, types: frozenset[str], hidden: frozenset[str]) -> frozenset[str]:
    """Ids at which an event's relations of these types (none: of all) point, but for those into hidden collections."""
    seen = None if version is None else see(version, Lens(hidden=hidden))
    relations = [] if seen is None else seen.event.relations
    return frozenset(each.event for each in relations if not types or each.type in types)


class Filters(Struct, frozen=True):
    """Everything that one set of parameters asks of an event; all of it must hold, and of a member's values any one."""

    bounds: Bounds = Bounds()
    dated: bool = True
    undated: bool = True
    collections: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    all_tags: bool = False
    actors: tuple[str, ...] = ()
    all_actors: bool = False
    roles: tuple[str, ...] = ()
    claim: ClaimFilter = ClaimFilter()
    standings: tuple[str, ...] = ()
    origins_min: int = 0
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    box: Box | None = None
    text: Text | None = None
    related: Related | None = None
    revisions: tuple[int, int] | None = None
    """First and last revision between which the version was recorded."""
    ids: frozenset[str] | None = None
    keys: frozenset[str] | None = None


def hold(filters: Filters, seen: Seen, lens: Lens) -> bool:
    """Whether an event, as seen, is all that the filters ask for."""
    event = seen.event
    return (
        (filters.undated if seen.undated else filters.dated and filters.bounds.hold(seen.lo, seen.hi))
        and (filters.ids is None or event.id in filters.ids)
        and (filters.keys is None or event.key in filters.keys)
        and (not filters.collections or event.collection in filters.collections)
        and (not filters.kinds or event.kind in filters.kinds)
        and (not filters.phases or event.phase in filters.phases)
        and _tags_hold(filters, event)
        and _participations_hold(filters, event, lens)
        and _claims_hold(filters.claim, seen, lens)
        and (not filters.standings or event.standing.state in filters.standings)
        and event.standing.origins >= filters.origins_min
        and (not filters.languages or any(tag in filters.languages for tag in language_ranges(event.language)))
        and (not filters.countries or any(place.country in filters.countries for place in event.places))
        and (filters.box is None or any(filters.box.hold(*where) for where in coordinates(event)))
        and (filters.related is None or filters.related.hold(event))
        and (filters.text is None or filters.text.hold(event, lens))
        and (filters.revisions is None or filters.revisions[0] <= event.revision <= filters.revisions[1])
    )


def _tags_hold(filters: Filters, event: Event) -> bool:
    enough = all if filters.all_tags else any
    return not filters.tags or enough(tag in event.tags for tag in filters.tags)


def _participations_hold(filters: Filters, event: Event, lens: Lens) -> bool:
    """Actor and role must both be of one participation; of `all_actors`, each of its own."""
    taking_part = {lens.actor(part.actor) for part in event.actors if not filters.roles or part.role in filters.roles}
    if not filters.actors:
        return bool(taking_part) or not filters.roles
    enough = all if filters.all_actors else any
    return enough(lens.actor(slug) in taking_part for slug in filters.actors)


def _claims_hold(asked: ClaimFilter, seen: Seen, lens: Lens) -> bool:
    return asked == ClaimFilter() or any(
        asked.hold(claim, facts, lens) for claim, facts in zip(seen.event.claims, seen.facts, strict=True)
    )


def language_ranges(language: str | None) -> list[str]:
    """The ranges that a language tag falls into, in lower case: for `sr-Latn` that and `sr` (RFC 4647, 3.3.1)."""
    if language is None:
        return []
    parts = language.lower().split("-")
    return ["-".join(parts[: number + 1]) for number in range(len(parts))]


def coordinates(event: Event) -> list[tuple[float, float]]:
    """Latitude and longitude of each of its places that has them."""
    return [
        (place.latitude, place.longitude)
        for place in event.places
        if place.latitude is not None and place.longitude is not None
    ]
