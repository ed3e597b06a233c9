"""From a query to a selection, and from a selection to a page of it."""

from collections.abc import Collection, Mapping
from contextlib import aclosing
from typing import Any

import msgspec
from msgspec import Struct

from service.domain import asking
from service.domain.asking import Asked, Lenses, RelatedTo
from service.domain.callers import Caller, sight_of
from service.domain.cursors import Cursor
from service.domain.dates import LATEST
from service.domain.errors import Fault, Gone, NotFound, RefusedParameter
from service.domain.event import Event
from service.domain.filters import Filters, Related, pointed_at
from service.domain.lenses import Aliases, Lens, Position, Seen, Version, actors_named, sources_named
from service.domain.parameters import Query
from service.domain.resources import Timeline
from service.domain.selection import Selection, Sight
from service.operations import naming
from service.storage import events, resources, revisions
from service.storage.events import Identity
from service.storage.included import Included, Mentions, read_included
from service.storage.listing import Found, Listing, listing_of
from service.storage.memory import recall
from service.storage.pool import Connection
from service.storage.revisions import Head

_timeline = msgspec.json.Decoder(Timeline).decode
_event = msgspec.json.Decoder(Event).decode


class Store(Struct, frozen=True):
    """Where a read begins: the head, what the caller may see today, and the revision that is newest to this reading."""

    head: Head
    newest: int
    caller: Caller
    sight: Sight


class Reading(Struct, frozen=True):
    """A selection about to be read, and how it was arrived at."""

    selection: Selection
    pinned: bool
    """Whether the same request will have the same answer for ever, visibility apart."""
    newest: int
    """The revision that is newest to the pages that follow: of a pinned reading its own, so that they never change."""


class Page(Struct, frozen=True):
    """Documents in order, joined by commas in some parts, how many they are, what they name, and where to go on."""

    documents: list[bytes]
    rows: int
    included: Included | None
    next: Position | None


async def open_store(connection: Connection, caller: Caller, cursor: Cursor | None = None) -> Store:
    """The head as it is now, or was when the cursor's reading began, and the caller's sight.

    Raises RefusedParameter for a cursor that names a revision this store never had.
    """
    head = await recall(connection, "head", lambda: revisions.read_head(connection))
    sight = await recall(connection, ("sight", caller.scope, caller.collections), lambda: _sight(connection, caller))
    newest = head.revision if cursor is None else cursor.head
    if not 0 <= newest <= head.revision:
        fault = Fault(parameter="cursor", detail="names a revision that is not here")
        raise RefusedParameter("This cursor was not given out by this service.", [fault])
    return Store(head, newest, caller, sight)


async def _sight(connection: Connection, caller: Caller) -> Sight:
    return sight_of(caller, await resources.read_visibilities(connection, "collection"))


async def revision_of(connection: Connection, store: Store, lenses: Lenses) -> tuple[int, bool]:
    """The revision to read, and whether the lens pins it. Raises RefusedParameter for one still to come."""
    if lenses.as_of is not None:
        at = await revisions.revision_at(connection, store.head, lenses.as_of)
        return min(at, store.newest), lenses.as_of <= store.head.recorded
    if lenses.revision is not None:
        if lenses.revision > store.head.revision:
            fault = Fault(parameter="revision", detail=f"the newest revision is {store.head.revision}")
            raise RefusedParameter("There is no such revision yet.", [fault])
        return lenses.revision, True
    return store.newest, False


async def select(connection: Connection, store: Store, asked: Asked) -> Reading:
    """The selection that a query asks for. Raises NotFound or Gone for a timeline that is not there to be read."""
    revision, pinned = await revision_of(connection, store, asked.lenses)
    timeline, lenses, order = Asked(), asked.lenses, asked.order
    include: list[str] = []
    exclude: list[str] = []
    if asked.timeline is not None:
        defined = await find_timeline(connection, store, asked.timeline, revision)
        timeline = stored(defined.selection)
        include, exclude = defined.include, defined.exclude
        lenses = asked.lenses.over(timeline.lenses)
        order = asked.order or timeline.order
        if lenses != asked.lenses:
            # What the timeline pins is still read by its definition of today.
            revision, _ = await revision_of(connection, store, lenses)
    lens = await lens_of(connection, store, lenses, revision)
    selection = Selection(
        revision=revision,
        head=store.head.revision,
        sight=store.sight,
        lens=lens,
        filters=await _resolved(connection, store, asked, lens, revision),
        timeline=await _resolved(connection, store, timeline, lens, revision),
        include=frozenset(include),
        exclude=frozenset(exclude),
        descending=order == "desc",
    )
    return Reading(selection, pinned, revision if pinned else store.newest)


async def lens_of(connection: Connection, store: Store, lenses: Lenses, revision: int) -> Lens:
    """Through what the caller sees events at the revision."""
    return Lens(
        known=LATEST if lenses.known is None else lenses.known,
        accounts=lenses.accounts,
        account_sources=lenses.account_sources,
        aliases=await _aliases(connection, store, revision),
        hidden=store.sight.hidden,
    )


async def _aliases(connection: Connection, store: Store, revision: int) -> Aliases:
    """Whom merged actors stand for, but for those whom only collections out of the caller's sight know."""
    if store.head.merged is None:
        return {}

    async def read() -> Aliases:
        aliases = await resources.read_aliases(connection, revision)
        unknown = await unknown_actors(connection, store, aliases)
        return {slug: actor for slug, actor in aliases.items() if slug not in unknown}

    return await recall(connection, ("aliases", revision, store.sight, store.caller.writes), read)


async def unknown_actors(connection: Connection, store: Store, slugs: Collection[str]) -> set[str]:
    """Those of the merged actors whom only collections out of the caller's sight know."""
    if not slugs or not store.sight.hidden or store.caller.writes:
        return set()
    return await resources.known_only_beyond(connection, "actor", slugs, store.sight.named)


async def _resolved(connection: Connection, store: Store, asked: Asked, lens: Lens, revision: int) -> Filters:
    """The filters, with what only the store can say: what was recorded when, who is called so, at what events point."""
    filters = asked.filters
    if asked.recorded != (None, None):
        between = await revisions.recorded_between(connection, *asked.recorded)
        filters = msgspec.structs.replace(filters, revisions=between)
    if filters.text is not None:
        text = await naming.with_names(connection, filters.text, lens.aliases, revision)
        filters = msgspec.structs.replace(filters, text=text)
    if asked.related is not None:
        related = await _related(connection, store, asked.related, lens, revision)
        filters = msgspec.structs.replace(filters, related=related)
    return filters


async def _related(connection: Connection, store: Store, asked: RelatedTo, lens: Lens, revision: int) -> Related:
    """Ties to an event that the caller may see; to any other there are none."""
    identity = (await events.find_by_id(connection, [asked.event])).get(asked.event)
    if identity is None or identity.collection not in store.sight.named:
        return Related(None, asked.types, frozenset() if asked.out else None)
    out: frozenset[str] | None = None
    if asked.out:
        version = (await events.read_versions(connection, [identity.event], revision)).get(identity.event)
        out = pointed_at(version, asked.types, lens.hidden)
    return Related(asked.event if asked.into else None, asked.types, out, asked.event)


async def find_timeline(connection: Connection, store: Store, slug: str, revision: int) -> Timeline:
    """A timeline as it was defined at the revision, or at first where that was before it was made."""
    row = (await resources.read_resources(connection, "timeline", [slug], revision)).get(slug)
    row = row or await resources.read_first(connection, "timeline", slug)
    fault = Fault(parameter="timeline", detail=f"there is no timeline {slug}")
    if row is None or not await timeline_visible(connection, store, slug):
        raise NotFound(f"There is no timeline {slug}.", [fault])
    if row.document is None:
        raise Gone(
            f"The timeline {slug} was deleted at revision {row.revision}.",
            [Fault(parameter="timeline", detail=f"{slug} was deleted at revision {row.revision}")],
            link=(f"/v1/timelines/{slug}?revision={row.revision - 1}", "predecessor-version"),
        )
    return _timeline(row.document)


async def timeline_visible(connection: Connection, store: Store, slug: str) -> bool:
    """Whether the caller may read the timeline by name, by its visibility of today."""
    visibility = (await resources.read_visibilities(connection, "timeline", slug)).get(slug)
    return visibility in ("public", "unlisted") or (visibility is not None and store.caller.scope is not None)


def stored(selection: dict[str, object]) -> Asked:
    """What a timeline's stored selection asks for; it was checked when it was recorded."""
    return asking.asked(query_of(selection))


def query_of(selection: Mapping[str, object]) -> Query:
    """A stored selection as a query: values as text, a single one as a list of one."""
    return {
        name: [str(each) for each in value] if isinstance(value, list) else [str(value)]
        for name, value in selection.items()
    }


class Shown(Struct, frozen=True):
    """How events are shown: which of their members (None: all), and what comes along of what those name."""

    fields: frozenset[str] | None
    include: frozenset[str]

    def document(self, version: Version, seen: Seen | None, mentions: Mentions) -> bytes:
        """The event's document, what it names added to `mentions`. seen: None where it shows just as it is stored."""
        if self.fields is None and seen is None:
            mentions.actor_numbers.update(map(str, version.actors))
            mentions.source_numbers.update(map(str, version.sources))
            return version.document or b""
        event = _event(version.document or b"") if seen is None else seen.event
        self.mention(event, mentions)
        return msgspec.json.encode(self.thinned(event))

    def thinned(self, event: Event) -> Event | dict[str, Any]:
        """The event with only the members asked for."""
        if self.fields is None:
            return event
        return {name: getattr(event, name) for name in Event.__struct_fields__ if name in self.fields}

    def mention(self, event: Event, mentions: Mentions) -> None:
        """Adds what the members shown of an event name."""
        if self.fields is not None:
            unseen: dict[str, Any] = {name: [] for name in ("actors", "claims") if name not in self.fields}
            event = msgspec.structs.replace(event, **unseen)
        mentions.actors |= actors_named(event)
        mentions.sources |= sources_named(event)

    async def included(
        self, connection: Connection, mentions: Mentions, revision: int, aliases: Aliases
    ) -> Included | None:
        """The actors and sources to come along, as they were at the revision read."""
        if not self.include:
            return None
        found = await read_included(connection, mentions, revision, aliases)
        return {name: found[name] if name in self.include else msgspec.Raw(b"{}") for name in found}


async def read_page(
    connection: Connection, selection: Selection, after: Position | None, limit: int, shown: Shown
) -> Page:
    """Up to `limit` documents of the selection beyond `after`."""
    listing = await listing_of(connection, selection, limit + 1)
    joined = await listing.joined(after, limit) if shown.fields is None else None
    if joined is not None:
        mentions = Mentions(actor_numbers=joined.actors, source_numbers=joined.sources)
        included = await shown.included(connection, mentions, selection.revision, selection.lens.aliases)
        return Page(joined.documents, joined.rows, included, joined.end if joined.more else None)
    mentions = Mentions()
    found, more = await _first(listing, after, limit)
    documents = [shown.document(each.version, each.seen, mentions) for each in found]
    included = await shown.included(connection, mentions, selection.revision, selection.lens.aliases)
    return Page(documents, len(documents), included, found[-1].position if more else None)


async def _first(listing: Listing, after: Position | None, limit: int) -> tuple[list[Found], bool]:
    """Up to `limit` of what is found beyond `after` (which is one or more), and whether there is more."""
    taken: list[Found] = []
    async with aclosing(listing.found(after)) as chosen:
        async for found in chosen:
            if len(taken) == limit:
                return taken, True
            taken.append(found)
    return taken, False


class Chunk(Struct, frozen=True):
    """Events in order as the selection shows them, what they name, and where to go on."""

    events: list[Event]
    included: Included
    next: Position | None


async def read_chunk(connection: Connection, selection: Selection, after: Position | None, limit: int) -> Chunk:
    """Up to `limit` events of the selection beyond `after`, for whoever makes something else of them."""
    listing = await listing_of(connection, selection, limit + 1)
    shown = Shown(None, frozenset(("actors", "sources")))
    mentions = Mentions()
    found, more = await _first(listing, after, limit)
    events = [_event(each.version.document or b"") if each.seen is None else each.seen.event for each in found]
    for event in events:
        shown.mention(event, mentions)
    included = await read_included(connection, mentions, selection.revision, selection.lens.aliases)
    return Chunk(events, included, found[-1].position if more else None)


async def find_event(connection: Connection, store: Store, id: str, revision: int) -> tuple[Identity, Version]:
    """An event that the caller may see, as it was at the revision. Raises NotFound, or Gone once it is retracted."""
    found = await events.read_one(connection, id, revision)
    if found is None or found[0].collection not in store.sight.named:
        raise NotFound(f"There is no event {id}.")
    identity, version = found
    if version is None:
        raise NotFound(f"The event {id} had not been recorded at revision {revision}.")
    if version.document is None:
        raise Gone(
            f"The event {id} was retracted at revision {version.revision}.",
            link=(f"/v1/events/{id}/history", "version-history"),
        )
    return identity, version


async def find_identity(connection: Connection, store: Store, id: str) -> Identity:
    """An event that the caller may see, recorded at any time. Raises NotFound."""
    identity = (await events.find_by_id(connection, [id])).get(id)
    if identity is None or identity.collection not in store.sight.named:
        raise NotFound(f"There is no event {id}.")
    return identity
