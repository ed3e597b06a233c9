"""Facets: of each of the values by which events can be chosen, how many of those chosen have it.

A value counts where it would choose the event if it were asked for beside what is asked already. What must hold of one
participation or of one claim is therefore counted in those of which all else that is asked of them holds.
"""

from collections.abc import Iterable
from typing import Final, Literal, get_args

import msgspec

from service.domain.event import Claim, ClaimFacts
from service.domain.filters import ClaimFilter, Filters
from service.domain.lenses import Lens, Seen

Facet = Literal["actor", "source", "publisher", "tag", "kind", "country", "standing"]
FACETS: Final[tuple[Facet, ...]] = get_args(Facet)
FACET_LIMIT_DEFAULT: Final = 20
FACET_LIMIT_MAX: Final = 500


def values_of(facet: Facet, seen: Seen, filters: Filters, lens: Lens) -> set[str]:
    """The values of a facet under which an event counts, as seen, beside what the request's own filters ask."""
    event, asked = seen.event, filters.claim
    match facet:
        case "actor":
            roles = filters.roles
            return {lens.actor(part.actor) for part in event.actors if not roles or part.role in roles}
        case "source":
            rest = msgspec.structs.replace(asked, sources=())
            return {claim.source for claim, facts in _claims(seen) if rest.hold(claim, facts, lens)}
        case "publisher":
            rest = msgspec.structs.replace(asked, publishers=())
            telling = (facts for claim, facts in _claims(seen) if rest.hold(claim, facts, lens))
            return {lens.actor(facts.publisher) for facts in telling if facts.publisher is not None}
        case "tag":
            return set(event.tags)
        case "kind":
            return set() if event.kind is None else {event.kind}
        case "country":
            return {place.country for place in event.places if place.country is not None}
        case "standing":
            return {event.standing.state}


def _claims(seen: Seen) -> Iterable[tuple[Claim, ClaimFacts]]:
    return zip(seen.event.claims, seen.facts, strict=True)


OF_ACTORS: Final[frozenset[Facet]] = frozenset({"actor", "publisher"})
"""Facets whose values are actors: whoever is merged counts under whom they stand for."""
_OF_CLAIMS: Final = frozenset({"source", "publisher", "standing"})


def posted_alike(facet: Facet, filters: Filters, lens: Lens) -> bool:
    """Whether events stand in the index under just the values of a facet that they count under."""
    if facet in _OF_CLAIMS and lens.trims:
        return False
    if facet == "actor":
        return not filters.roles
    if facet == "source":
        return msgspec.structs.replace(filters.claim, sources=()) == ClaimFilter()
    if facet == "publisher":
        return msgspec.structs.replace(filters.claim, publishers=()) == ClaimFilter()
    return True
