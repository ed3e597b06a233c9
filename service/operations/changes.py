"""Changes: events as they are to be, whether all that they and their sources name is there, and what they come to."""

from collections.abc import Collection, Container, Mapping, Sequence
from functools import cache

import msgspec
from msgspec import Struct

from service.domain import rendering, terms
from service.domain.errors import Fault, Refused
from service.domain.event import Event, EventInput, Facts, Moment, Relation
from service.domain.lenses import (
    Aliases,
    Version,
    actors_named,
    bounds_of,
    known_from,
    sources_named,
    told_places,
)
from service.domain.patch import same
from service.domain.resources import Source, SourceInput
from service.domain.standing import roots_of
from service.domain.terms import Term
from service.storage import events, resources
from service.storage.events import Identity, Written
from service.storage.pool import Connection


class Change(Struct, frozen=True):
    """An event as it is to be, who it is, and what it was (None: it is new).

    stood: the terms under which it was found, where those may change though the event does not.
    """

    given: EventInput
    identity: Identity
    version: Version | None
    stood: frozenset[Term] | None = None
    returns: bool = False
    """It had been retracted and comes back; `version` is what it was before."""


def again(version: Version, event: Event, facts: Facts, stood: frozenset[Term] | None = None) -> Change:
    """An event as it is, to be recorded anew because what it follows from has changed."""
    form = msgspec.convert(rendering.input_of(event, facts), EventInput)
    return Change(form, Identity(version.event, event.id, event.collection, event.key), version, stood)


def posted(event: Event, facts: Facts, sources: Mapping[str, Source], aliases: Aliases) -> frozenset[Term]:
    """The terms under which an event stands; `sources` holds all on which it rests."""
    return terms.posted(event, facts, lambda slug: sources[slug].derived_from, aliases)


class RefusedChanges(Refused):
    """Events cannot be recorded as they are: the faults of each by its place among the changes."""

    def __init__(self, by_place: Mapping[int, list[Fault]]) -> None:
        first = next(iter(by_place.values()), [])
        super().__init__("The event cannot be recorded as it is.", first)
        self.by_place = by_place


_event = msgspec.json.Decoder(Event).decode


class _Relations(Struct):
    relations: list[Relation]


_relations = msgspec.json.Decoder(_Relations).decode


async def _targets_of(
    connection: Connection,
    revision: int,
    changes: Sequence[Change],
    ids_there: Mapping[str, Identity],
    keys_there: Mapping[tuple[str, str | None], Identity],
) -> dict[int, dict[tuple[str | None, str | None], rendering.Target]]:
    """For each event, the targets of its relations that exist: by key in its collection, by id in a public one too.

    ids_there and keys_there: events that may not have been appended yet. What an event already points at may have gone
    out of public sight since, and stays.
    """
    relations = [(change, relation) for change in changes for relation in change.given.relations]
    ids = {r.event for _, r in relations if r.event is not None}
    keys = {(change.identity.collection, r.key) for change, r in relations if r.key is not None}
    if not relations:
        return {}
    by_id = {id: ids_there[id] for id in ids & ids_there.keys()}
    by_key = {key: keys_there[key] for key in keys & keys_there.keys()}
    by_id |= await events.find_by_id(connection, ids - by_id.keys())
    by_key |= await events.find_each_by_key(connection, keys - by_key.keys())
    there = await resources.read_collections(connection, {found.collection for found in by_id.values()}, revision)
    public = {slug for slug, collection in there.items() if collection.visibility == "public"}
    pointed = {
        change.identity.event: {relation.event for relation in _relations(change.version.document).relations}
        for change in changes
        if change.given.relations and change.version is not None and change.version.document is not None
    }
    targets: dict[int, dict[tuple[str | None, str | None], rendering.Target]] = {c.identity.event: {} for c in changes}
    for change, relation in relations:
        target = by_id.get(relation.event) if relation.event is not None else None
        if relation.key is not None and relation.event is None:
            target = by_key.get((change.identity.collection, relation.key))
        if target is None or (relation.key is not None and target.key != relation.key):
            continue
        if (
            target.collection == change.identity.collection
            or target.collection in public
            or target.id in pointed.get(change.identity.event, ())
        ):
            found_at = (target.key, target.id, target.collection)
            targets[change.identity.event][relation.key, relation.event] = found_at
    return targets


def source_faults(given: SourceInput, actors: Container[str], sources: Container[str]) -> list[Fault]:
    """What keeps a source from being recorded where there are these actors and sources."""
    faults = rendering.date_faults(given.published, "/published")
    if given.publisher is not None and given.publisher not in actors:
        faults.append(unknown("actor", given.publisher, "/publisher"))
    for place, slug in enumerate(given.derived_from):
        if slug not in sources:
            faults.append(unknown("source", slug, f"/derived_from/{place}"))
        elif slug in given.derived_from[:place]:
            faults.append(Fault(pointer=f"/derived_from/{place}", detail=f"names {slug} again"))
    return faults


def reference_faults(
    event: EventInput,
    actors: Container[str],
    sources: Mapping[str, Source],
    targets: Mapping[tuple[str | None, str | None], rendering.Target],
) -> list[Fault]:
    faults = [
        unknown("actor", p.actor, f"/actors/{place}/actor")
        for place, p in enumerate(event.actors)
        if p.actor not in actors
    ]
    for place, claim in enumerate(event.claims):
        if claim.source not in sources:
            faults.append(unknown("source", claim.source, f"/claims/{place}/source"))
        if claim.via is not None and claim.via not in sources:
            faults.append(unknown("source", claim.via, f"/claims/{place}/via"))
        faults += [
            unknown("actor", speaker, f"/claims/{place}/speakers/{number}")
            for number, speaker in enumerate(claim.speakers)
            if speaker not in actors
        ]
    pointing: dict[tuple[str, rendering.Target], int] = {}
    for place, relation in enumerate(event.relations):
        target = targets.get((relation.key, relation.event))
        if target is not None:
            first = pointing.setdefault((relation.type, target), place)
            if first != place:
                pointer = f"/relations/{place}"
                faults.append(Fault(pointer=pointer, detail=f"is the same relation as /relations/{first}"))
        elif (relation.key, relation.event) != (None, None):
            member = "key" if relation.event is None else "event"
            faults.append(
                Fault(
                    pointer=f"/relations/{place}/{member}",
                    detail=f"there is no event {getattr(relation, member)} in this collection or a public one",
                )
            )
    return faults


def unknown(kind: str, slug: str, pointer: str) -> Fault:
    return Fault(pointer=pointer, detail=f"there is no {kind} {slug}")


class Naming:
    """What the events of an edit name, as it is now; all that is named by many of them is looked up once.

    identities: events that are yet to be appended, or are there.
    """

    def __init__(self, connection: Connection, revision: int, identities: Collection[Identity]) -> None:
        self._connection, self._revision = connection, revision
        self._by_id = {each.id: each for each in identities}
        self._by_key = {(each.collection, each.key): each for each in identities}
        self.sources: dict[str, Source] = {}
        self.aliases: Aliases = {}
        # What a source rests on is looked up with it, and stays as it is meanwhile.
        self._roots = cache(lambda slug: roots_of(slug, lambda each: self.sources[each].derived_from))
        self._looked = False
        self._actors: set[str] = set()
        self._targets: dict[int, dict[tuple[str | None, str | None], rendering.Target]] = {}

    async def look_up(self, changes: Sequence[Change]) -> None:
        """Looks up what these changes name, and forgets what others pointed at."""
        if not self._looked:
            self._looked, self.aliases = True, await resources.read_aliases(self._connection, self._revision)
        claims = [claim for change in changes for claim in change.given.claims]
        named = {claim.source for claim in claims} | {claim.via for claim in claims if claim.via is not None}
        if named := named - self.sources.keys():
            self.sources |= await resources.read_ancestry(self._connection, named)
        actors = {slug for change in changes for slug in actors_named(change.given)} - self._actors
        if actors:
            rows = await resources.read_resources(self._connection, "actor", actors, self._revision)
            self._actors |= {slug for slug, row in rows.items() if row.document is not None}
        self._targets = await _targets_of(self._connection, self._revision, changes, self._by_id, self._by_key)

    def faults_of(self, change: Change) -> list[Fault]:
        targets = self._targets.get(change.identity.event, {})
        return [
            *rendering.faults_of(change.given),
            *reference_faults(change.given, self._actors, self.sources, targets),
        ]

    def rendered(self, change: Change, at: Moment) -> tuple[Event, Written | None]:
        """The event as it now is, and what is to be recorded of it: None where it says nothing new."""
        was = None
        if change.version is not None and change.version.document is not None:
            was = _event(change.version.document)
        event, facts = rendering.render(
            change.given,
            id=change.identity.id,
            sources=self.sources,
            roots=self._roots,
            targets=self._targets.get(change.identity.event, {}),
            aliases=self.aliases,
            at=at,
            created=at if was is None else was.created,
        )
        facts_bytes = msgspec.json.encode(facts)
        stands = posted(event, facts, self.sources, self.aliases)
        stated = None if change.version is None or change.returns else change.version.facts
        if was is not None and facts_bytes == stated and change.stood in (None, stands):
            again = msgspec.structs.replace(event, revision=was.revision, recorded=was.recorded)
            if same(msgspec.to_builtins(again), msgspec.to_builtins(was)):
                return was, None
        lo, hi, undated = bounds_of(change.given.occurred)
        return event, Written(
            event=change.identity.event,
            lo=lo,
            hi=hi,
            undated=undated,
            known=known_from(event.occurred, event.claims, facts, event.created),
            told=tuple(told_places(event)),
            terms=stands,
            actors=frozenset(actors_named(event)),
            sources=frozenset(sources_named(event)),
            document=msgspec.json.encode(event),
            facts=facts_bytes,
        )
