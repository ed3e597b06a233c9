"""From a checked query to what it asks for: filters, lenses and how to show what is found.

Nothing here knows a store: which revision an instant means, or at what an event points, is for `operations.selecting`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeAlias

from msgspec import Struct

from service.domain import dates, values
from service.domain.dates import EARLIEST, LATEST
from service.domain.errors import Fault, RefusedParameter, explained
from service.domain.filters import Bounds, Box, ClaimFilter, Filters
from service.domain.instants import instant_of
from service.domain.parameters import Query
from service.domain.text import read_text


class Lenses(Struct, frozen=True):
    """Through what events are seen; None where the request does not say."""

    as_of: datetime | None = None
    revision: int | None = None
    known: int | None = None
    accounts: frozenset[str] | None = None
    account_sources: frozenset[str] | None = None

    def over(self, defaults: "Lenses") -> "Lenses":
        """These lenses, and the defaults for those that are not given."""
        recorded = self if (self.as_of, self.revision) != (None, None) else defaults
        return Lenses(
            as_of=recorded.as_of,
            revision=recorded.revision,
            known=defaults.known if self.known is None else self.known,
            accounts=defaults.accounts if self.accounts is None else self.accounts,
            account_sources=defaults.account_sources if self.account_sources is None else self.account_sources,
        )


class RelatedTo(Struct, frozen=True):
    """Which events are asked for by their ties to one: that point at it (into), that it points at (out), or either."""

    event: str
    types: frozenset[str]
    into: bool
    out: bool


class Asked(Struct, frozen=True):
    """What one set of selection parameters asks for, read but not yet resolved against a store."""

    filters: Filters = Filters()
    related: RelatedTo | None = None
    recorded: tuple[datetime | None, datetime | None] = (None, None)
    """First and last instant at which the version read was recorded."""
    lenses: Lenses = Lenses()
    timeline: str | None = None
    order: str | None = None


Read: TypeAlias = Callable[[str], Any]

_SETS: Final = {
    "collection": "collections",
    "kind": "kinds",
    "phase": "phases",
    "tag": "tags",
    "actor": "actors",
    "role": "roles",
    "standing": "standings",
    "country": "countries",
}
_SETS_OF_CLAIMS: Final = {"source": "sources", "publisher": "publishers", "speaker": "speakers", "stance": "stances"}
"""Parameters of which any value will do, and the members that hold them."""


def asked(query: Query) -> Asked:
    """What a checked query asks for. Raises RefusedParameter where values contradict each other or name no date."""
    if not query:
        return Asked()
    faults: list[Fault] = []

    def one(name: str, read: Read) -> Any:
        try:
            return read(query[name][0]) if name in query else None
        except ValueError as error:
            faults.append(Fault(parameter=name, detail=str(error)))
            return None

    first, last, known = one("from", _date), one("to", _date), one("known_at", _date)
    published = one("published_from", _date), one("published_to", _date)
    recorded = one("recorded_from", instant_of), one("recorded_to", instant_of)
    as_of, box, text = one("as_of", instant_of), one("bbox", _box), one("q", read_text)
    for name, low, high in (
        ("from", first and first.start, last and last.end),
        ("published_from", published[0] and published[0].start, published[1] and published[1].end),
        ("recorded_from", *recorded),
    ):
        if low is not None and high is not None and low > high:
            other = name.replace("from", "to")
            faults.append(Fault(parameter=name, detail=f"{query[name][0]} begins after {query[other][0]} ends"))
    if "as_of" in query and "revision" in query:
        faults.append(Fault(parameter="revision", detail="not together with as_of: both say what had been recorded"))
    if "related_to" not in query:
        faults += [
            Fault(parameter=name, detail="only together with related_to")
            for name in ("relation", "direction")
            if name in query
        ]
    if faults:
        raise RefusedParameter("The request has parameters that cannot hold.", faults)

    certain = query.get("match") == ["certain"]
    window = Bounds(
        lo_min=first.start if first is not None and certain else EARLIEST,
        lo_max=LATEST if last is None else last.end,
        hi_min=EARLIEST if first is None else first.start,
        hi_max=last.end if last is not None and certain else LATEST,
    )
    undated = query.get("undated", ["include" if window == Bounds() else "exclude"])[0]
    # What is not asked for is not made: most queries have but one or two of all these.
    members: dict[str, Any] = {member: _all(query, name) for name, member in _SETS.items() if name in query}
    of_claims: dict[str, Any] = {member: _all(query, name) for name, member in _SETS_OF_CLAIMS.items() if name in query}
    if published != (None, None):
        of_claims["published"] = (
            EARLIEST if published[0] is None else published[0].start,
            LATEST if published[1] is None else published[1].end,
        )
    if of_claims:
        members["claim"] = ClaimFilter(**of_claims)
    if "language" in query:
        members["languages"] = tuple(values.sorted_unique(text.lower() for text in query["language"]))
    return Asked(
        filters=Filters(
            bounds=window,
            dated=undated != "only",
            undated=undated != "exclude",
            all_tags=query.get("tag_match") == ["all"],
            all_actors=query.get("actor_match") == ["all"],
            origins_min=int(query.get("min_origins", ["0"])[0]),
            box=box,
            text=text,
            ids=frozenset(query["id"]) if "id" in query else None,
            keys=frozenset(query["key"]) if "key" in query else None,
            **members,
        ),
        related=_related(query),
        recorded=recorded,
        lenses=Lenses(
            as_of=as_of,
            revision=int(query["revision"][0]) if "revision" in query else None,
            known=None if known is None else known.end,
            accounts=frozenset(query["according_to"]) if "according_to" in query else None,
            account_sources=frozenset(query["according_to_source"]) if "according_to_source" in query else None,
        ),
        timeline=query.get("timeline", [None])[0],
        order=query.get("order", [None])[0],
    )


def fields_of(query: Query) -> frozenset[str] | None:
    """The members of events that are asked for; None for all."""
    return frozenset(query["fields"][0].split(",")) if "fields" in query else None


def included_of(query: Query) -> frozenset[str]:
    """What is to come along of what events name: actors, sources, both or neither."""
    return frozenset(query.get("include", ["actors,sources"])[0].split(",")) - {"none"}


def _all(query: Query, name: str) -> tuple[str, ...]:
    return tuple(values.sorted_unique(query[name]))


def _related(query: Query) -> RelatedTo | None:
    if "related_to" not in query:
        return None
    direction = query.get("direction", ["in"])[0]
    return RelatedTo(
        event=query["related_to"][0],
        types=frozenset(query.get("relation", ())),
        into=direction != "out",
        out=direction != "in",
    )


def _box(text: str) -> Box:
    west, south, east, north = (float(part) for part in text.split(","))
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= 90 and -90 <= north <= 90):
        raise ValueError("longitudes are -180 to 180 and latitudes -90 to 90: minLon,minLat,maxLon,maxLat")
    if south > north:
        raise ValueError(f"its south, {south:g}, lies north of its north, {north:g}: minLon,minLat,maxLon,maxLat")
    return Box(west=west, south=south, east=east, north=north)


def _date(text: str) -> dates.Date:
    try:
        date = dates.recalled(text)
    except dates.DateError as error:
        raise ValueError(explained(error)) from error
    if not date.is_point:
        raise ValueError(f"{text} is an interval or a set; one date or date-time is wanted, with its whole span")
    return date
