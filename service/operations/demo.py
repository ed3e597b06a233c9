"""The demo dossier: a small, true story to look at, recorded as an editor would have recorded it."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct

from service.domain.callers import Caller
from service.domain.event import EventInput
from service.domain.resources import ActorInput, CollectionInput, Kind, SourceInput, TimelineInput
from service.domain.values import Cause
from service.operations.changes import Change
from service.operations.editing import Edit, Note, editing
from service.storage import events, revisions
from service.storage.pool import Pool

AUTHOR = "dateline demo"
EDITOR = Caller(key=None, name=AUTHOR, scope="admin")


class Recorded(Struct, forbid_unknown_fields=True):
    """What one revision of the dossier records, in the input form."""

    message: str
    cause: Cause
    collections: list[CollectionInput] = []
    actors: list[ActorInput] = []
    sources: list[SourceInput] = []
    events: list[EventInput] = []
    timelines: list[TimelineInput] = []


class Dossier(Struct, forbid_unknown_fields=True):
    revisions: list[Recorded]


def read_dossier() -> Dossier:
    return msgspec.json.decode(files("service.operations").joinpath("dossier.json").read_bytes(), type=Dossier)


async def load_demo(pool: Pool, report: Callable[[str], None]) -> bool:
    """Loads the dossier into a store that holds nothing yet, wholly or not at all; tells whether it did."""
    async with pool.acquire() as connection, connection.transaction():
        head, _ = await revisions.lock_head(connection)
        if head.revision > 0:
            return False
        report("Loading the demo dossier")
        for recorded in read_dossier().revisions:
            async with editing(connection, Note(AUTHOR, recorded.cause, recorded.message)) as edit:
                await _record(edit, recorded)
    return True


async def _record(edit: Edit, recorded: Recorded) -> None:
    for collection in recorded.collections:
        await _put(edit, "collection", collection)
    for actor in recorded.actors:
        await _put(edit, "actor", actor)
    for source in recorded.sources:
        await _put(edit, "source", source)
    new: list[EventInput] = []
    revised: list[Change] = []
    for event in recorded.events:
        known = await events.find_by_key(edit.connection, [event.collection], [event.key or ""])
        if not known:
            new.append(event)
        for identity in known:
            versions = await events.read_versions(edit.connection, [identity.event], edit.after.revision)
            revised.append(Change(event, identity, versions[identity.event]))
    await edit.create_events(new, EDITOR)
    await edit.revise_events(revised)
    for timeline in recorded.timelines:
        await _put(edit, "timeline", timeline)


async def _put(edit: Edit, kind: Kind, given: Any) -> None:
    rows = await edit.existing(kind, [given.slug])
    if given.slug in rows:
        await edit.revise_resource(kind, rows[given.slug], given)
    else:
        await edit.create_resource(kind, given)
