"""From what a caller sends to what is recorded: the document of an event, the facts beside it, and back again."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

import msgspec

from service.domain import dates
from service.domain.dates import EARLIEST, DateError
from service.domain.errors import Fault, explained
from service.domain.event import (
    Claim,
    ClaimFacts,
    ClaimInput,
    Event,
    EventInput,
    Facts,
    Medium,
    Moment,
    Occurred,
    Participation,
    Place,
    Relation,
)
from service.domain.lenses import Aliases
from service.domain.resources import Source
from service.domain.standing import standing_of
from service.domain.values import sorted_unique

Target = tuple[str | None, str, str]
"""A relation's target: its key, if it has one, its id and its collection."""


@lru_cache(10_000)
def occurred_of(edtf: str) -> Occurred:
    """What follows from a date. Raises DateError."""
    date = dates.recalled(edtf)
    return Occurred(
        edtf=date.edtf,
        earliest=date.earliest,
        latest=date.latest,
        precision=date.precision,
        approximate=date.approximate,
        uncertain=date.uncertain,
        display=date.display,
    )


def faults_of(event: EventInput) -> list[Fault]:
    """What an event that fits its schema still has wrong in itself: dates that are none, members given twice."""
    faults = [*_date_fault(event.occurred, "/occurred")]
    for place, claim in enumerate(event.claims):
        faults += _date_fault(claim.occurred, f"/claims/{place}/occurred")
        faults += _date_fault(claim.published, f"/claims/{place}/published")
    faults += _twice("/actors", [(p.actor, p.role) for p in event.actors], "actor with this role")
    faults += _twice("/claims", [_claim_identity(claim) for claim in event.claims], "claim")
    for place, relation in enumerate(event.relations):
        if relation.key is None and relation.event is None:
            faults.append(Fault(pointer=f"/relations/{place}", detail="needs the key or the id of its target"))
    for place, where in enumerate(event.places):
        if (where.latitude is None) != (where.longitude is None):
            faults.append(Fault(pointer=f"/places/{place}", detail="has only one of latitude and longitude"))
        elif where.name is None and where.country is None and where.latitude is None:
            faults.append(Fault(pointer=f"/places/{place}", detail="says neither name, country nor coordinates"))
    return faults


def date_faults(edtf: str | None, pointer: str) -> list[Fault]:
    """The fault of a text that should be EDTF and is not, if it is not."""
    return list(_date_fault(edtf, pointer))


def _date_fault(edtf: str | None, pointer: str) -> list[Fault]:
    if edtf is None:
        return []
    try:
        dates.recalled(edtf)
    except DateError as error:
        return [Fault(pointer=pointer, detail=explained(error))]
    return []


def _twice(pointer: str, members: list[Any], what: str) -> list[Fault]:
    if len(members) < 2:
        return []
    seen: dict[str, int] = {}
    faults = []
    for place, member in enumerate(members):
        first = seen.setdefault(repr(member), place)
        if first != place:
            faults.append(Fault(pointer=f"{pointer}/{place}", detail=f"is the same {what} as {pointer}/{first}"))
    return faults


def _claim_identity(claim: ClaimInput) -> tuple[Any, ...]:
    return (claim.source, claim.speakers, claim.stance, claim.published, claim.locator)


def render(
    event: EventInput,
    *,
    id: str,
    sources: Mapping[str, Source],
    roots: Callable[[str], list[str]],
    targets: Mapping[tuple[str | None, str | None], Target],
    aliases: Aliases,
    at: Moment,
    created: Moment,
) -> tuple[Event, Facts]:
    """The document and facts of an event whose faults have been ruled out.

    `sources` holds those it names, and `roots` gives those on which one of them finally rests; `targets` finds a
    relation by the key and id given; `aliases` tells which actors have been merged.
    """
    number = UUID(id)
    stated = sorted((_claim_of(claim, number, sources, roots) for claim in event.claims), key=_claim_order)
    relations = []
    for given in event.relations:
        key, target, collection = targets[given.key, given.event]
        reached = None if collection == event.collection else collection
        relations.append((Relation(type=given.type, key=key, event=target), reached))
    relations.sort(key=lambda pair: (pair[0].type, pair[0].key or "", pair[0].event))
    return Event(
        id=id,
        key=event.key,
        collection=event.collection,
        title=event.title,
        summary=event.summary,
        language=event.language,
        occurred=None if event.occurred is None else occurred_of(event.occurred),
        kind=event.kind,
        phase=event.phase,
        actors=sorted(
            (Participation(actor=p.actor, role=p.role, attributes=p.attributes) for p in event.actors),
            key=lambda p: (p.actor, p.role or ""),
        ),
        claims=[claim for claim, _, _ in stated],
        standing=standing_of([(claim, facts) for claim, facts, _ in stated], aliases),
        relations=[relation for relation, _ in relations],
        places=[
            Place(name=p.name, country=p.country, latitude=p.latitude, longitude=p.longitude) for p in event.places
        ],
        tags=sorted_unique(event.tags),
        media=[
            Medium(url=m.url, caption=m.caption, credit=m.credit, alt=m.alt, licence=m.licence) for m in event.media
        ],
        attributes=event.attributes,
        external_ids=event.external_ids,
        revision=at.revision,
        recorded=at.recorded,
        created=created,
    ), Facts(claims=[facts for _, facts, _ in stated], reaches=[reached for _, reached in relations])


def _claim_of(
    claim: ClaimInput, event: UUID, sources: Mapping[str, Source], roots: Callable[[str], list[str]]
) -> tuple[Claim, ClaimFacts, ClaimInput]:
    source = sources[claim.source]
    published = source.published if claim.published is None else claim.published
    reached = None
    if published is not None:
        start = dates.recalled(published).start
        reached = EARLIEST if start is None else start
    identity = msgspec.json.encode(_claim_identity(claim)).decode()
    return (
        Claim(
            id=str(uuid5(event, identity)),
            source=claim.source,
            via=claim.via,
            stance=claim.stance,
            speakers=claim.speakers,
            occurred=None if claim.occurred is None else occurred_of(claim.occurred),
            quote=claim.quote,
            locator=claim.locator,
            published=published,
            confidence=claim.confidence,
        ),
        ClaimFacts(
            publisher=source.publisher,
            reached=reached,
            dated_by_source=claim.published is None,
            roots=roots(claim.source if claim.via is None else claim.via),
        ),
        claim,
    )


def _claim_order(stated: tuple[Claim, ClaimFacts, ClaimInput]) -> tuple[Any, ...]:
    """By the earliest bound of publication, none or an open one before all, then by what identifies a claim."""
    claim, facts, given = stated
    reached = EARLIEST if facts.reached is None else facts.reached
    locator = (claim.locator is not None, claim.locator or "")
    return (reached, claim.source, claim.stance, claim.speakers, given.published or "", locator)


def input_of(event: Event, facts: Facts) -> dict[str, Any]:
    """The input form of a recorded event, as JSON values: what `POST` would have taken to make it."""
    form: dict[str, Any] = msgspec.to_builtins(event)
    for name in ("id", "standing", "revision", "recorded", "created"):
        del form[name]
    form["occurred"] = None if event.occurred is None else event.occurred.edtf
    for given, claim, stated in zip(form["claims"], event.claims, facts.claims, strict=True):
        given["occurred"] = None if claim.occurred is None else claim.occurred.edtf
        if stated.dated_by_source:
            given["published"] = None
    return form
