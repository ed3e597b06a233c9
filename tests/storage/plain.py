"""A plain reading of a store: what a selection chooses, found by looking at everything that is stored.

It shares nothing with the index, its terms or the filters: it takes the documents as JSON, parses their dates anew,
resolves merged actors from the log of merges and asks each condition in turn. Only the arithmetic of dates and of
standing is the service's own, which have tests of their own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import asyncpg
import msgspec

from service.domain import dates
from service.domain.dates import EARLIEST, LATEST
from service.domain.event import Claim, ClaimFacts
from service.domain.filters import Filters
from service.domain.instants import seconds_of_recorded
from service.domain.lenses import Lens
from service.domain.selection import Selection
from service.domain.standing import standing_of


class Stored(NamedTuple):
    """One version of an event, not retracted."""

    event: int
    revision: int
    raw: bytes
    document: dict[str, Any]
    roots: list[list[str]]
    """For each claim, the sources on which it finally rests."""


class Shown(NamedTuple):
    """An event as the lenses show it."""

    event: int
    stored: Stored
    document: dict[str, Any]
    publishers: list[str | None]
    """For each claim that is seen."""
    lo: int
    hi: int
    undated: bool

    @property
    def position(self) -> tuple[bool, int, int, int]:
        return (self.undated, self.lo, self.hi, self.event)


@dataclass(frozen=True)
class Record:
    """All that is stored: versions by event and revision (None: retracted), and what bears on how they are seen."""

    versions: list[tuple[int, int, Stored | None]]
    publishers: list[tuple[int, str, str | None]]
    """From a revision on, who publishes a source."""
    merges: list[tuple[int, str, str | None]]
    """From a revision on, whom an actor stands for."""
    homes: dict[str, str]
    """The collection of each event by id."""

    @property
    def all(self) -> list[Stored]:
        return [version for _, _, version in self.versions if version is not None]

    def at(self, revision: int) -> list[Stored]:
        """What was there at a revision."""
        newest = {event: version for event, recorded, version in self.versions if recorded <= revision}
        return [version for version in newest.values() if version is not None]

    def publisher_of(self, revision: int) -> dict[str, str | None]:
        return {source: publisher for recorded, source, publisher in self.publishers if recorded <= revision}

    def aliases(self, revision: int) -> dict[str, str]:
        """The actor that each merged one stood for."""
        direct = {actor: into for recorded, actor, into in self.merges if recorded <= revision}
        ends = {}
        for actor, into in direct.items():
            end = into
            while end is not None and direct.get(end) is not None:
                end = direct[end]
            if end is not None:
                ends[actor] = end
        return ends


VERSIONS = "SELECT event, revision, document, facts FROM version ORDER BY event, revision"
PUBLISHERS = """
SELECT v.revision, r.slug, v.document ->> 'publisher' FROM resource r JOIN resource_version v USING (resource)
WHERE r.kind = 'source' ORDER BY v.revision
"""
MERGES = """
SELECT m.revision, a.slug, i.slug FROM merge m
JOIN resource a ON a.resource = m.actor LEFT JOIN resource i ON i.resource = m.into_actor ORDER BY m.revision
"""
HOMES = "SELECT e.id::text, c.slug FROM event e JOIN resource c ON c.resource = e.collection"


async def read_all(connection: asyncpg.Connection) -> Record:
    versions = [(row[0], row[1], stored(*row)) for row in await connection.fetch(VERSIONS)]
    publishers, merges = await connection.fetch(PUBLISHERS), await connection.fetch(MERGES)
    homes = await connection.fetch(HOMES)
    return Record(versions, [tuple(r) for r in publishers], [tuple(r) for r in merges], dict(map(tuple, homes)))


def stored(event: int, revision: int, raw: bytes | None, facts: bytes | None) -> Stored | None:
    if raw is None or facts is None:
        return None
    roots = [entry[-1] for entry in msgspec.json.decode(facts)["claims"]]
    return Stored(event, revision, raw, msgspec.json.decode(raw), roots)


def listing(selection: Selection, record: Record) -> list[Shown]:
    """The events that a selection chooses, in its order."""
    chosen = []
    for version in record.at(selection.revision):
        shown = as_seen(selection.lens, selection.revision, record, version)
        if shown is not None and chooses(selection, shown):
            chosen.append(shown)
    dated = sorted((v for v in chosen if not v.undated), key=lambda v: v.position, reverse=selection.descending)
    return dated + sorted((v for v in chosen if v.undated), key=lambda v: v.position)


# --- Lenses


def as_seen(lens: Lens, revision: int, record: Record, version: Stored) -> Shown | None:
    """The event as the lens shows it at a revision, None where it does not."""
    document = dict(version.document)
    publisher_of = record.publisher_of(revision)
    publishers = [publisher_of.get(claim["source"]) for claim in document["claims"]]
    shown = list(zip(document["claims"], publishers, version.roots, strict=True))
    account = lens.accounts is not None or lens.account_sources is not None
    if lens.known != LATEST:
        if not document["claims"] and known_without_claims(document) > lens.known:
            return None
        shown = [each for each in shown if or_else(reached(each[0]), LATEST) <= lens.known]
    if lens.accounts is not None:
        meant = {meaning(slug, lens) for slug in lens.accounts}
        shown = [each for each in shown if {meaning(slug, lens) for slug in tellers(each[0], each[1])} & meant]
    if lens.account_sources is not None:
        shown = [each for each in shown if each[0]["source"] in lens.account_sources]
    if not shown and (document["claims"] or account):
        return None
    document["claims"] = [claim for claim, _, _ in shown]
    if lens.known != LATEST or account:
        document["standing"] = standing(shown, lens)
    if account:
        told = [claim["occurred"] for claim in document["claims"] if claim["occurred"] is not None]
        document["occurred"] = told[-1] if told else document["occurred"]
    document["relations"] = [r for r in document["relations"] if record.homes[r["event"]] not in lens.hidden]
    date = None if document["occurred"] is None else dates.parse(document["occurred"]["edtf"])
    lo, hi = (LATEST, LATEST) if date is None else (or_else(date.start, EARLIEST), or_else(date.end, LATEST))
    return Shown(version.event, version, document, [p for _, p, _ in shown], lo, hi, date is None)


def tellers(claim: Mapping[str, Any], publisher: str | None) -> set[str]:
    """Whose account a claim is part of: that of its first speaker, and of its publisher."""
    return {slug for slug in (*claim["speakers"][:1], publisher) if slug is not None}


def meaning(slug: str, lens: Lens) -> str:
    return lens.aliases.get(slug, slug)


def standing(shown: Iterable[tuple[dict[str, Any], str | None, list[str]]], lens: Lens) -> Any:
    stated = [
        (
            msgspec.convert(claim, Claim),
            ClaimFacts(publisher=publisher, reached=reached(claim), dated_by_source=False, roots=roots),
        )
        for claim, publisher, roots in shown
    ]
    return msgspec.to_builtins(standing_of(stated, lens.aliases))


def known(document: Mapping[str, Any]) -> int:
    """The first second at which the event was publicly known, LATEST where none of its claims has a date."""
    if not document["claims"]:
        return known_without_claims(document)
    return min((each for each in map(reached, document["claims"]) if each is not None), default=LATEST)


def known_without_claims(document: Mapping[str, Any]) -> int:
    occurred = document["occurred"]
    if occurred is not None and occurred["earliest"] is not None:
        return or_else(dates.parse(occurred["edtf"]).start, EARLIEST)
    return seconds_of_recorded(document["created"]["recorded"])


def reached(claim: Mapping[str, Any]) -> int | None:
    """The earliest second at which a claim was public, None where that is not known."""
    return None if claim["published"] is None else or_else(dates.parse(claim["published"]).start, EARLIEST)


def or_else(bound: int | None, instead: int) -> int:
    return instead if bound is None else bound


# --- Filters


def chooses(selection: Selection, shown: Shown) -> bool:
    document = shown.document
    pinned = document["id"] in selection.include
    by_id = pinned or any(document["id"] in (side.ids or ()) for side in (selection.filters, selection.timeline))
    asked_for = {*selection.filters.collections, *selection.timeline.collections}
    in_sight = document["collection"] in selection.sight.listed or (
        document["collection"] in selection.sight.named and (by_id or document["collection"] in asked_for)
    )
    return (
        in_sight
        and document["id"] not in selection.exclude
        and meets(selection.filters, shown, selection.lens)
        and (pinned or meets(selection.timeline, shown, selection.lens))
    )


def meets(filters: Filters, shown: Shown, lens: Lens) -> bool:
    document = shown.document
    return (
        meets_window(filters, shown)
        and (filters.ids is None or document["id"] in filters.ids)
        and (filters.keys is None or document["key"] in filters.keys)
        and one_of(document["collection"], filters.collections)
        and one_of(document["kind"], filters.kinds)
        and one_of(document["phase"], filters.phases)
        and meets_tags(filters, document)
        and meets_participations(filters, document, lens)
        and meets_claims(filters, shown, lens)
        and one_of(document["standing"]["state"], filters.standings)
        and document["standing"]["origins"] >= filters.origins_min
        and meets_language(filters, document)
        and (not filters.countries or any(place["country"] in filters.countries for place in document["places"]))
        and meets_box(filters, document)
        and meets_relations(filters, document)
        and (filters.revisions is None or filters.revisions[0] <= shown.stored.revision <= filters.revisions[1])
    )


def one_of(value: object, asked: tuple[str, ...]) -> bool:
    return not asked or value in asked


def meets_window(filters: Filters, shown: Shown) -> bool:
    if shown.undated:
        return filters.undated
    window = filters.bounds
    return filters.dated and window.lo_min <= shown.lo <= window.lo_max and window.hi_min <= shown.hi <= window.hi_max


def meets_tags(filters: Filters, document: Mapping[str, Any]) -> bool:
    tags = set(document["tags"])
    if filters.all_tags:
        return set(filters.tags) <= tags
    return not filters.tags or not tags.isdisjoint(filters.tags)


def meets_participations(filters: Filters, document: Mapping[str, Any], lens: Lens) -> bool:
    parts = [(meaning(part["actor"], lens), part["role"]) for part in document["actors"]]
    if not filters.actors:
        return not filters.roles or any(role in filters.roles for _, role in parts)
    takes_part = [
        any(actor == meaning(slug, lens) and one_of(role, filters.roles) for actor, role in parts)
        for slug in filters.actors
    ]
    return all(takes_part) if filters.all_actors else any(takes_part)


def meets_claims(filters: Filters, shown: Shown, lens: Lens) -> bool:
    asked = filters.claim
    if not (asked.sources or asked.publishers or asked.speakers or asked.stances or asked.published):
        return True
    publishers = {meaning(slug, lens) for slug in asked.publishers}
    speakers = {meaning(slug, lens) for slug in asked.speakers}
    for claim, publisher in zip(shown.document["claims"], shown.publishers, strict=True):
        if not one_of(claim["source"], asked.sources) or not one_of(claim["stance"], asked.stances):
            continue
        if publishers and (publisher is None or meaning(publisher, lens) not in publishers):
            continue
        if speakers and not speakers & {meaning(slug, lens) for slug in claim["speakers"]}:
            continue
        if asked.published is not None:
            if claim["published"] is None:
                continue
            date = dates.parse(claim["published"])
            start, end = or_else(date.start, EARLIEST), or_else(date.end, LATEST)
            if start > asked.published[1] or end < asked.published[0]:
                continue
        return True
    return False


def meets_language(filters: Filters, document: Mapping[str, Any]) -> bool:
    if not filters.languages:
        return True
    tag = (document["language"] or "").lower()
    return any(tag == asked or tag.startswith(asked + "-") for asked in filters.languages)


def meets_box(filters: Filters, document: Mapping[str, Any]) -> bool:
    box = filters.box
    if box is None:
        return True
    for place in document["places"]:
        latitude, longitude = place["latitude"], place["longitude"]
        if latitude is None or not box.south <= latitude <= box.north:
            continue
        crosses = box.west > box.east
        if (longitude >= box.west or longitude <= box.east) if crosses else box.west <= longitude <= box.east:
            return True
    return False


def meets_relations(filters: Filters, document: Mapping[str, Any]) -> bool:
    related = filters.related
    if related is None:
        return True
    points = [r for r in document["relations"] if not related.types or r["type"] in related.types]
    return document["id"] in (related.out or ()) or any(r["event"] == related.event for r in points)
