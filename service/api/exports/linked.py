"""schema.org as JSON-LD: an Event, a Claim for each that is made of it, and a ClaimReview where one is a denial.

The vocabulary is named in place of a context that would have to be fetched, so that any processor reads it by itself.
"""

from typing import Any, Final

import msgspec

from service.api.exports.forms import (
    About,
    Entry,
    Format,
    Loss,
    Separated,
    Written,
    date_losses,
    iri,
    is_iso,
    is_whole,
    parts_of,
    stated,
)
from service.domain.event import Claim, Occurred

CONTEXT: Final = {"@vocab": "https://schema.org/"}
DENYING: Final = ("denies", "disputes")
# schema.org has no word for what was expected and has not happened, or only may.
STATUS: Final = {"happened": "EventScheduled", "expected": "EventScheduled", "cancelled": "EventCancelled"}
YEARS: Final = range(1, 10_000)


def iri_of(id: str) -> str:
    return f"urn:uuid:{id}"


class JsonLd(Format):
    name = "jsonld"
    media_type = "application/ld+json"
    suffix = "jsonld"
    carries = frozenset(
        {
            *("id", "title", "summary", "language", "occurred", "phase", "actors.actor", "places", "tags", "media.url"),
            *("claims.source", "claims.stance", "claims.speakers", "claims.quote", "claims.published"),
        }
    )

    def __init__(self, about: About) -> None:
        super().__init__(about)
        self._separated = Separated()

    def begin(self) -> bytes:
        return msgspec.json.encode({"@context": CONTEXT})[:-1] + b',"@graph":['

    def write(self, entry: Entry) -> Written:
        event = entry.event
        lost: set[Loss] = set()
        node: dict[str, Any] = {
            "@id": iri_of(event.id),
            "@type": "Event",
            "identifier": event.id,
            "name": event.title,
            "url": entry.address,
        }
        if event.summary:
            node["description"] = event.summary
        if event.language:
            node["inLanguage"] = event.language
        if event.occurred is None:
            lost.add("undated")
        else:
            dates, lost_of_date = _dates(event.occurred)
            node |= dates
            lost |= lost_of_date
        if event.phase in STATUS:
            node["eventStatus"] = {"@id": f"https://schema.org/{STATUS[event.phase]}"}
        if event.phase not in ("happened", "cancelled"):
            lost.add("phase")
        if event.tags:
            node["keywords"] = event.tags
        if event.actors:
            node["about"] = [
                {"@type": _type(entry, each.actor), "name": entry.actor(each.actor)} for each in event.actors
            ]
        if event.places:
            node["location"] = [_place(place) for place in event.places]
        if event.media:
            node["image"] = [iri(medium.url) for medium in event.media]
        claims = [_claim(entry, claim) for claim in event.claims]
        if claims:
            node["subjectOf"] = [{"@id": claim["@id"]} for claim in claims]
        if any(claim.published and not is_iso(claim.published) for claim in event.claims):
            lost.add("claims")
        reviews = [_review(entry, claim) for claim in event.claims if claim.stance in DENYING]
        parts = (self._separated(msgspec.json.encode(each)) for each in (node, *claims, *reviews))
        return Written(b"".join(parts), frozenset(lost))

    def end(self) -> bytes:
        return b"]}"


def _dates(occurred: Occurred) -> tuple[dict[str, str], frozenset[Loss]]:
    """The dates as ISO 8601 has them: a year or a month where that is all there is, else the first and the last day."""
    bounds = {"startDate": occurred.earliest, "endDate": occurred.latest}
    lost = set(date_losses(occurred))
    dates = {}
    for name, bound in bounds.items():
        if bound is None:
            continue
        year, month, *_ = parts_of(bound)
        if year not in YEARS:
            lost.add("before_common_era" if year < 1 else "out_of_range")
            continue
        dates[name] = bound
    if is_whole(occurred) and len(dates) == 2:
        lost.discard("precision")
        if stated(occurred) < 3:
            year, month, *_ = parts_of(bounds["startDate"] or "")
            dates = {"startDate": f"{year:04d}" if stated(occurred) == 1 else f"{year:04d}-{month:02d}"}
    if occurred.earliest is None:
        lost.add("open_start")
    return dates, frozenset(lost)


def _type(entry: Entry, slug: str) -> str:
    found = entry.actors.get(slug)
    return {"person": "Person", "organisation": "Organization"}.get("" if found is None else found.type, "Thing")


def _place(place: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"@type": "Place"}
    if place.name:
        found["name"] = place.name
    if place.country:
        found["address"] = {"@type": "PostalAddress", "addressCountry": place.country}
    if place.latitude is not None:
        found["geo"] = {"@type": "GeoCoordinates", "latitude": place.latitude, "longitude": place.longitude}
    return found


def _authors(entry: Entry, claim: Claim) -> list[dict[str, str]]:
    """Who speaks, or else who has published it."""
    source = entry.sources.get(claim.source)
    slugs = claim.speakers or ([source.publisher] if source is not None and source.publisher is not None else [])
    return [{"@type": _type(entry, slug), "name": entry.actor(slug)} for slug in slugs]


def _published(claim: Claim) -> dict[str, str]:
    """When it was made public, where schema.org has such a date: none of an interval, nor one in doubt."""
    return {"datePublished": claim.published} if claim.published and is_iso(claim.published) else {}


def _claim(entry: Entry, claim: Claim) -> dict[str, Any]:
    appearance: dict[str, str] = {"@type": "CreativeWork", "name": entry.source(claim.source)}
    if url := entry.url(claim.source):
        appearance["url"] = url
    node: dict[str, Any] = {
        "@id": iri_of(claim.id),
        "@type": "Claim",
        "about": {"@id": iri_of(entry.event.id)},
        "name": f"{claim.stance}: {entry.event.title}",
        "appearance": appearance,
    }
    if claim.quote:
        node["text"] = claim.quote
    if authors := _authors(entry, claim):
        node["author"] = authors
    return node | _published(claim)


def _review(entry: Entry, claim: Claim) -> dict[str, Any]:
    node: dict[str, Any] = {
        "@id": iri_of(claim.id) + "#review",
        "@type": "ClaimReview",
        "claimReviewed": entry.event.title,
        "itemReviewed": {"@id": iri_of(entry.event.id)},
        "reviewRating": {
            "@type": "Rating",
            "alternateName": {"denies": "Denied", "disputes": "Disputed"}[claim.stance],
        },
        "url": entry.url(claim.source) or entry.address,
    }
    if authors := _authors(entry, claim):
        node["author"] = authors
    return node | _published(claim)
