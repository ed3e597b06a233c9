"""Writing: every write is one revision, held in line by the head, and appends; nothing recorded is touched.

A write is `async with editing(connection, …) as edit:`, its changes on `edit`, and a revision at the end if anything
changed. Reads inside see what has been written so far.
"""

from collections.abc import AsyncIterator, Collection, Container, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from secrets import randbits
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from service.domain.callers import Caller, sight_of
from service.domain.errors import Exists, Fault, Forbidden, Gone, InUse, NotFound, Refused
from service.domain.event import Event, EventInput, Facts, Moment
from service.domain.instants import recorded_text
from service.domain.lenses import Aliases, sources_named
from service.domain.resources import (
    Actor,
    ActorInput,
    CollectionInput,
    Kind,
    Resource,
    Source,
    SourceInput,
    TimelineInput,
    name_words,
    searchable,
)
from service.domain.terms import Term
from service.operations.changes import Change, again, posted, source_faults
from service.operations.recording import PART, Recording
from service.operations.uses import Use, note_uses, under, uses_of
from service.storage import events, resources, revisions
from service.storage.events import Identity
from service.storage.pool import Connection
from service.storage.resources import NewState, Row
from service.storage.turnover import Turnover

ResourceInput = ActorInput | SourceInput | CollectionInput | TimelineInput

DEFAULT_COLLECTION: Final = "main"
MADE_MAX: Final = 1 << 18
"""How many events one revision can make: their numbers differ in 18 bits."""
FOLLOWING_MAX: Final = 50_000
"""How many events one source's revision may carry along."""

_event = msgspec.json.Decoder(Event).decode
_facts = msgspec.json.Decoder(Facts).decode


class Note(Struct, frozen=True):
    """What a writer says of a write: who it is, why, and in words."""

    author: str
    cause: str | None = None
    message: str | None = None


class Edit:
    """One revision in the making."""

    def __init__(self, connection: Connection, head: revisions.Head, after: revisions.Head) -> None:
        self.connection = connection
        self.before = head
        self.after = after
        self.moment = Moment(revision=after.revision, recorded=recorded_text(after.recorded))
        self.counts: dict[str, dict[str, int]] = {}
        self.versions = 0
        self.discarded = False
        self._events_made = 0

    @property
    def changed(self) -> bool:
        return bool(self.counts)

    @property
    def revision(self) -> int:
        """The head once this edit is committed."""
        return self.after.revision if self.changed and not self.discarded else self.before.revision

    def discard(self) -> None:
        """Has everything rolled back at the end, as if it had only been tried."""
        self.discarded = True

    def _count(self, collection: str, what: str, number: int = 1) -> None:
        counts = self.counts.setdefault(collection, {})
        counts[what] = counts.get(what, 0) + number

    # Resources

    async def find(self, kind: Kind, slug: str) -> Row:
        """The resource as it is now. Raises NotFound, or Gone once it has been deleted."""
        row = (await resources.read_resources(self.connection, kind, [slug], self.after.revision)).get(slug)
        if row is None:
            raise NotFound(f"There is no {kind} {slug}.")
        if row.document is None:
            raise Gone(
                f"The {kind} {slug} was deleted at revision {row.revision}.",
                link=(f"/v1/{kind}s/{slug}?revision={row.revision - 1}", "predecessor-version"),
            )
        return row

    async def create_resource(self, kind: Kind, given: ResourceInput) -> Resource:
        """Makes a resource, or makes a deleted one again. Raises Exists where the slug is taken, Refused for faults."""
        row = (await resources.read_resources(self.connection, kind, [given.slug], self.after.revision)).get(given.slug)
        if row is not None and row.document is not None:
            raise Exists(f"The {kind} {given.slug} exists.", link=(f"/v1/{kind}s/{given.slug}", "item"))
        return await self._put_resource(kind, given, None)

    async def revise_resource(self, kind: Kind, row: Row, given: ResourceInput) -> Resource:
        """Makes `given` of a resource; one that says nothing new is left as it is."""
        if given.slug != row.slug:
            raise Refused("A slug never changes.", [Fault(pointer="/slug", detail=f"is {row.slug} for good")])
        return await self._put_resource(kind, given, row)

    async def _put_resource(self, kind: Kind, given: ResourceInput, row: Row | None) -> Resource:
        was: Resource | None = None
        if row is not None and row.document is not None:
            was = msgspec.json.decode(row.document, type=resources.SHAPES[kind])
        if isinstance(was, Actor) and was.merged_into is not None:
            raise InUse(f"The actor {was.slug} is merged into {was.merged_into}; unmerge it first.")
        await self._refuse_faults(given)
        state = self._state(kind, given)
        if was is not None and state == msgspec.structs.replace(was, revision=state.revision, recorded=state.recorded):
            return was
        await self.put_state(kind, state)
        if isinstance(was, Source) and isinstance(state, Source) and _bears_on_events(was, state):
            await self._revise_following(state.slug)
        return state

    def _state(self, kind: Kind, given: ResourceInput) -> Resource:
        fields: dict[str, Any] = {name: getattr(given, name) for name in given.__struct_fields__}
        if kind == "actor":
            fields["merged_into"] = None
        state: Resource = resources.SHAPES[kind](**fields, revision=self.moment.revision, recorded=self.moment.recorded)
        return state

    async def create_resources(self, kind: Kind, given: Sequence[ResourceInput]) -> None:
        """Makes resources whose slugs name nothing now and whose faults have been ruled out."""
        if given:
            await self._put_states(kind, [self._state(kind, each) for each in given])

    async def put_state(self, kind: Kind, state: Resource) -> None:
        """Records what a resource is from this revision on."""
        await self._put_states(kind, [state])

    async def _put_states(self, kind: Kind, states: Sequence[Resource]) -> None:
        new = [
            NewState(state.slug, msgspec.json.encode(state), searchable(state), name_words(state)) for state in states
        ]
        await resources.append_states(self.connection, kind, self.after.revision, new)
        self._count("", f"{kind}s", len(states))
        if kind == "source":
            await self._spread_uses([state.slug for state in states])

    async def _spread_uses(self, sources: Sequence[str]) -> None:
        """Notes what sources now rest on as used wherever they were ever used, be all events there retracted since."""
        using = await resources.read_using(self.connection, "source", sources)
        if using:
            beneath = await resources.read_ancestry(self.connection, {source for source, _ in using})
            uses: set[Use] = set()
            for source, collection in using:
                uses |= uses_of(collection, under(source, beneath))
            aliases = await resources.read_aliases(self.connection, self.after.revision)
            await note_uses(self.connection, uses, aliases, self.after.revision)

    async def _refuse_faults(self, given: ResourceInput) -> None:
        faults: list[Fault] = []
        if isinstance(given, SourceInput):
            publishers = await self.existing("actor", [] if given.publisher is None else [given.publisher])
            faults += source_faults(given, publishers, await self.existing("source", given.derived_from))
        if faults:
            raise Refused("The source cannot be recorded as it is.", faults)

    async def existing(self, kind: Kind, slugs: Iterable[str]) -> dict[str, Row]:
        """Those of the slugs that name something now."""
        rows = await resources.read_resources(self.connection, kind, set(slugs), self.after.revision)
        return {slug: row for slug, row in rows.items() if row.document is not None}

    async def delete_resource(self, kind: Kind, row: Row) -> None:
        """Deletes a resource from this revision on. Raises InUse where an event or a source names it."""
        naming: dict[Kind, list[Term]] = {
            "actor": [("actor", row.slug), ("speaker", row.slug)],
            "source": [("basis", row.slug)],
            "collection": [("collection", row.slug)],
            "timeline": [],
        }
        if await events.any_live_with(self.connection, naming[kind]):
            raise InUse(f"The {kind} {row.slug} is in use: an event names it.")
        if kind == "actor":
            await self._refuse_merged(row.slug)
        if kind in ("actor", "source"):
            source = await resources.source_naming(self.connection, kind, row.slug)
            if source is not None:
                raise InUse(f"The {kind} {row.slug} is in use: the source {source} names it.")
        await resources.append_states(self.connection, kind, self.after.revision, [NewState(row.slug, None)])
        self._count("", f"{kind}s")

    async def _refuse_merged(self, actor: str) -> None:
        """Raises InUse where an actor stands for another, or another for it."""
        aliases = await resources.read_aliases(self.connection, self.after.revision)
        if actor in aliases:
            raise InUse(f"The actor {actor} is merged into {aliases[actor]}; unmerge it first.")
        merged = next((alias for alias, into in aliases.items() if into == actor), None)
        if merged is not None:
            raise InUse(f"The actor {actor} is in use: {merged} is merged into it.")

    async def _revise_following(self, source: str) -> None:
        """Renders anew the events whose dates or standing rest on a source that has been revised."""
        numbers = await events.live_with(self.connection, [("basis", source)], FOLLOWING_MAX + 1)
        if len(numbers) > FOLLOWING_MAX:
            raise InUse(f"More than {FOLLOWING_MAX} events rest on the source {source}; it cannot be revised at once.")
        await self.render_again(numbers)

    # Events

    async def create_event(self, given: EventInput, caller: Caller) -> Event:
        """Records a new event. Raises Exists or Gone where its key is taken, Refused for faults."""
        (event,) = await self.create_events([given], caller)
        return event

    async def create_events(self, given: Sequence[EventInput], caller: Caller) -> list[Event]:
        """Records new events, which may relate to each other."""
        await self.ensure_default({event.collection for event in given}, caller)
        open_to = await self.collections_open_to(caller, {event.collection for event in given})
        changes = []
        for event in given:
            if event.collection in open_to and event.key is not None:
                await self._refuse_taken(event.collection, event.key)
            changes.append(Change(event, self.new_identity(event.collection, event.key), None))
        return await self._record(changes, open_to)

    async def collections_open_to(self, caller: Caller, slugs: Iterable[str]) -> frozenset[str]:
        """Those of the collections that the caller writes to. Raises Forbidden for one that may only be seen."""
        there = await resources.read_collections(self.connection, slugs, self.after.revision)
        sight = sight_of(caller, {slug: collection.visibility for slug, collection in there.items()})
        for slug in sorted(sight.named):
            if not caller.reaches(slug):
                raise Forbidden(f"This key does not write to the collection {slug}.")
        return sight.named

    async def ensure_default(self, named: Container[str], caller: Caller) -> None:
        """Makes the collection that events belong to by default, where it is named and a store has never had it."""
        if DEFAULT_COLLECTION not in named or not caller.reaches(DEFAULT_COLLECTION):
            return
        if not await resources.read_resources(self.connection, "collection", [DEFAULT_COLLECTION], self.after.revision):
            given = CollectionInput(slug=DEFAULT_COLLECTION, title=DEFAULT_COLLECTION.capitalize())
            await self._put_resource("collection", given, None)

    async def revise_events(self, changes: Sequence[Change]) -> list[Event]:
        """Makes new versions of events; those that say nothing new are left as they are."""
        return await self._record(changes)

    async def render_again(self, numbers: Sequence[int], stood: Aliases | None = None) -> None:
        """Records anew what has changed of live events because what they follow from has.

        stood: whom merged actors stood for when they were last recorded, where that has changed.
        """
        recording = self.recording([])
        for start in range(0, len(numbers), PART):
            versions = await events.read_versions(self.connection, numbers[start : start + PART], self.after.revision)
            decoded = [(v, _event(v.document or b""), _facts(v.facts or b"")) for v in versions.values()]
            if stood is None:
                changes = [again(*each) for each in decoded]
            else:
                named = {slug for _, event, _ in decoded for slug in sources_named(event)}
                sources = await resources.read_ancestry(self.connection, named)
                changes = [again(v, event, facts, posted(event, facts, sources, stood)) for v, event, facts in decoded]
            await recording.add(changes)
        await recording.finish()

    def recording(self, identities: Collection[Identity], collections: Container[str] | None = None) -> Recording:
        """What takes new events and new versions, at most one of each event; see there."""
        return Recording(self.connection, self.moment, self._appended, identities, collections)

    def _appended(self, collection: str, anew: bool) -> None:
        self._count(collection, "created" if anew else "revised")
        self.versions += 1

    async def retract_events(self, collection: str, numbers: Sequence[int]) -> None:
        """Takes events of a collection out from this revision on; they stay readable before."""
        turnover = Turnover()
        for start in range(0, len(numbers), PART):
            gone = await events.retractions_of(self.connection, numbers[start : start + PART])
            await events.append_versions(self.connection, self.after.revision, gone, {}, turnover)
        await turnover.write(self.connection, self.after.revision)
        if numbers:
            self.versions += len(numbers)
            self._count(collection, "retracted", len(numbers))

    async def _refuse_taken(self, collection: str, key: str) -> None:
        for there in await events.find_by_key(self.connection, [collection], [key]):
            version = (await events.read_versions(self.connection, [there.event], self.after.revision))[there.event]
            if version.document is None:
                raise Exists(
                    f"The key {key} belongs to an event that was retracted at revision {version.revision}.",
                    link=(f"/v1/events/{there.id}/history", "version-history"),
                )
            raise Exists(
                f"The key {key} belongs to another event of {collection}.",
                link=(f"/v1/events/{there.id}", "item"),
            )

    def new_identity(self, collection: str, key: str | None) -> Identity:
        """Who a new event is.

        Its id is a UUID of version 7 whose 63 leading bits of time and place are the event's number.

        Recorded times rise strictly, so numbers rise with revisions, and ids order as numbers do.
        """
        milliseconds = int(self.after.recorded.timestamp() * 1000 + 0.5)
        place = self._events_made
        if place >= MADE_MAX:
            raise Refused(f"One revision cannot make more than {MADE_MAX:,} events.")
        self._events_made += 1
        value = milliseconds << 80 | 0x7 << 76 | (place >> 6) << 64 | 0b10 << 62 | (place & 63) << 56 | randbits(56)
        return Identity(milliseconds * MADE_MAX + place, str(UUID(int=value)), collection, key)

    async def _record(self, changes: Sequence[Change], collections: Container[str] | None = None) -> list[Event]:
        recording = self.recording([change.identity for change in changes], collections)
        done: list[Event] = []
        for start in range(0, len(changes), PART):
            done += await recording.add(changes[start : start + PART])
        await recording.finish()
        return done


class _Discarded(Exception):
    """Ends a transaction that has only been tried."""


@asynccontextmanager
async def editing(connection: Connection, note: Note) -> AsyncIterator[Edit]:
    """A transaction that holds the head, and is one revision if anything changes in it.

    Raising leaves nothing behind. Inside another transaction it is a part of that one.
    """
    with suppress(_Discarded):
        async with connection.transaction():
            head, after = await revisions.lock_head(connection)
            edit = Edit(connection, head, after)
            yield edit
            if edit.discarded:
                raise _Discarded
            if edit.changed:
                await revisions.append_revision(
                    connection, after, note.author, note.cause, note.message, edit.counts, edit.versions
                )


def _bears_on_events(was: Source, state: Source) -> bool:
    return (was.publisher, was.published, was.derived_from) != (
        state.publisher,
        state.published,
        state.derived_from,
    )
