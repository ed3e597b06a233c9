"""Events: listed, created, read, revised, retracted, and their history."""

from typing import Final

import msgspec

from service.api import examples, replies
from service.api.notes import note_of_history
from service.api.operation import JSON, JSON_PATCH, MARKDOWN, MERGE_PATCH, Answer, Call, Operation, Reply
from service.api.patches import JsonPatch, patch_shape
from service.api.shapes import EventPage, EventWithIncluded, HistoryItem, HistoryPage, RevertInput
from service.api.writing import IDEMPOTENCY_KEY, IF_MATCH, IF_MATCH_MAYBE, NOTE, patched, read_patch, write
from service.domain import asking, parameters
from service.domain.asking import Asked, Lenses, asked
from service.domain.cursors import cursor_of
from service.domain.diff import patch_of
from service.domain.errors import Fault, NotFound, Refused
from service.domain.event import Event, EventInput, Facts, RelationInput
from service.domain.instants import recorded_text
from service.domain.lenses import Lens, Position, Version, Whole, actors_named, see, shows_whole, sources_named
from service.domain.parameters import Parameter, Query
from service.domain.rendering import input_of
from service.domain.values import UUID_PATTERN
from service.operations import selecting
from service.operations.changes import Change
from service.operations.editing import Edit
from service.operations.selecting import Shown, open_store
from service.storage import events, revisions
from service.storage.included import Mentions, read_included
from service.storage.pool import Connection
from service.storage.revisions import LogRow

ID: Final = Parameter(
    name="id",
    schema={"type": "string", "format": "uuid", "pattern": UUID_PATTERN, "minLength": 36, "maxLength": 36},
    description="The event's id.",
)
EVENT_PATCH: Final = patch_shape("EventPatch", EventInput)

_event = msgspec.json.Decoder(Event).decode
_facts = msgspec.json.Decoder(Facts).decode


async def list_events(call: Call) -> Reply:
    return await page_of_selection(call, asked(call.query))


async def page_of_selection(call: Call, wants: Asked) -> Reply:
    """One page of the selection asked for."""
    cursor = cursor_of(call.query, call.path, Position)
    async with call.pool.acquire() as connection:
        store = await open_store(connection, call.caller, cursor)
        reading = await selecting.select(connection, store, wants)
        after: Position | None = None if cursor is None else msgspec.convert(cursor.place, Position)
        page = await selecting.read_page(connection, reading.selection, after, call.limit(), shown_to(call.query))
    next = None if page.next is None else replies.following(call, reading.newest, page.next)
    body = replies.page_bytes(page.documents, page.included, next, reading.selection.revision)
    return replies.paged(body, next, pinned=reading.pinned)


def shown_to(query: Query) -> Shown:
    """How a checked query wants events shown."""
    return Shown(asking.fields_of(query), asking.included_of(query))


async def create_event(call: Call) -> Reply:
    given = call.structure(EventInput)

    async def change(edit: Edit) -> Reply:
        event = await edit.create_event(given, call.caller)
        return await _shown(edit, call, event, 201)

    return await write(call, change)


async def read_event(call: Call) -> Reply:
    wants = asked(call.query)
    async with call.pool.acquire() as connection:
        store = await open_store(connection, call.caller)
        revision, pinned = await selecting.revision_of(connection, store, wants.lenses)
        _, version = await selecting.find_event(connection, store, call.place["id"], revision)
        lens = await selecting.lens_of(connection, store, wants.lenses, revision)
        whole = shows_whole(version, lens)
        seen = None if whole else see(version, lens)
        if seen is None and not whole:
            raise NotFound(f"The event {call.place['id']} is not there through these lenses.")
        mentions, shown = Mentions(), shown_to(call.query)
        document = shown.document(version, seen, mentions)
        included = await shown.included(connection, mentions, revision, lens.aliases)
    body = replies.event_bytes(document, included)
    return Reply(200, body, revision=version.revision, pinned=pinned)


async def _shown(edit: Edit, call: Call, event: Event, status: int) -> Reply:
    """An event just written, as its writer sees it."""
    store = await open_store(edit.connection, call.caller)
    lens = await selecting.lens_of(edit.connection, store, Lenses(), edit.revision)
    if lens.hidden and event.relations:
        _, version = await selecting.find_event(edit.connection, store, event.id, edit.after.revision)
        seen = see(version, lens)
        event = event if seen is None else seen.event
    return await _answered(edit.connection, call, event, status, edit.revision, lens)


async def _answered(connection: Connection, call: Call, event: Event, status: int, revision: int, lens: Lens) -> Reply:
    """One event, with what it names beside its own members."""
    mentions, shown = Mentions(), shown_to(call.query)
    shown.mention(event, mentions)
    included = await shown.included(connection, mentions, revision, lens.aliases)
    body = replies.event_bytes(msgspec.json.encode(event), included)
    address = f"{call.origin}/v1/events/{event.id}"
    headers = {"Location": address} if status == 201 else {}
    return Reply(status, body, headers=headers, revision=event.revision)


async def revise_event(call: Call) -> Reply:
    patch = read_patch(call)

    async def change(edit: Edit) -> Reply:
        store = await open_store(edit.connection, call.caller)
        identity, version = await selecting.find_event(edit.connection, store, call.place["id"], edit.before.revision)
        replies.check_reach(call, identity.collection)
        call.check_precondition(version.revision)
        recorded, facts = _event(version.document or b""), _facts(version.facts or b"")
        seen = see(version, Lens(hidden=store.sight.hidden))
        shown = recorded if seen is None else seen.event
        given = patched(call, patch, input_of(shown, facts), EventInput)
        replies.refuse_renaming(recorded, given, ("key", "collection"))
        # Who does not see a relation neither reads nor takes it away.
        unseen = [relation for relation in recorded.relations if relation not in shown.relations]
        if unseen:
            kept = msgspec.convert(msgspec.to_builtins(unseen), list[RelationInput])
            given = msgspec.structs.replace(given, relations=[*given.relations, *kept])
        (event,) = await edit.revise_events([Change(given, identity, version)])
        return await _shown(edit, call, event, 200)

    return await write(call, change)


async def retract_event(call: Call) -> Reply:
    async def change(edit: Edit) -> Reply:
        store = await open_store(edit.connection, call.caller)
        identity, version = await selecting.find_event(edit.connection, store, call.place["id"], edit.before.revision)
        replies.check_reach(call, identity.collection)
        call.check_precondition(version.revision)
        await edit.retract_events(identity.collection, [identity.event])
        return Reply(204, tagged=False)

    return await write(call, change)


async def revert_event(call: Call) -> Reply:
    wanted = call.structure(RevertInput).revision

    async def change(edit: Edit) -> Reply:
        store = await open_store(edit.connection, call.caller)
        identity = await selecting.find_identity(edit.connection, store, call.place["id"])
        replies.check_reach(call, identity.collection)
        newest = (await events.read_versions(edit.connection, [identity.event], edit.before.revision))[identity.event]
        if "if-match" in call.headers:
            call.check_precondition(newest.revision)
        then = (await events.read_versions(edit.connection, [identity.event], wanted)).get(identity.event)
        if wanted > edit.before.revision:
            raise _not_put_back(f"there is no such revision yet; the newest is {edit.before.revision}")
        if then is None:
            raise _not_put_back("the event had not been recorded at this revision")
        if then.document is None:
            raise _not_put_back(f"the event was retracted at revision {then.revision}")
        given = msgspec.convert(input_of(_event(then.document), _facts(then.facts or b"")), EventInput)
        live = (await events.read_last_live(edit.connection, [identity.event]))[identity.event]
        try:
            (event,) = await edit.revise_events([Change(given, identity, live, returns=newest.document is None)])
        except Refused as error:
            raise _not_put_back(*(f"{fault.detail}, at {fault.pointer} as it was" for fault in error.faults)) from None
        return await _shown(edit, call, event, 200)

    return await write(call, change)


def _not_put_back(*details: str) -> Refused:
    faults = [Fault(pointer="/revision", detail=detail) for detail in details]
    return Refused("The event cannot be put back as it was then.", faults)


async def read_history(call: Call) -> Reply:
    cursor = cursor_of(call.query, call.path, tuple[Whole])
    async with call.pool.acquire() as connection:
        store = await open_store(connection, call.caller, cursor)
        identity = await selecting.find_identity(connection, store, call.place["id"])
        after, limit = 0 if cursor is None else int(cursor.place[0]), call.limit()
        lens = Lens(hidden=store.sight.hidden)
        versions = await events.read_history(connection, identity.event, after, store.newest, limit + 1)
        previous = (await events.read_versions(connection, [identity.event], after)).get(identity.event)
        log = await revisions.read_revisions(connection, [version.revision for version in versions])
        before = None if previous is None else see(previous, lens)
        start = None if before is None else before.event
        items = []
        for version in versions[:limit]:
            items.append(_history_item(version, previous, log[version.revision], lens))
            previous = version
        mentions = Mentions()
        for event in (start, *(item.event for item in items)) if call.accepted == MARKDOWN else ():
            if event is not None:
                mentions.actors |= actors_named(event)
                mentions.sources |= sources_named(event)
        included = await read_included(connection, mentions, store.newest, {})
    next = None if len(versions) <= limit else replies.following(call, store.newest, [versions[limit - 1].revision])
    if call.accepted == MARKDOWN:
        note = note_of_history(identity.id, items, start, included, next).encode()
        return msgspec.structs.replace(replies.paged(note, next), media_type=MARKDOWN)
    return replies.paged(msgspec.json.encode(HistoryPage(items=items, next=next, revision=store.newest)), next)


def _history_item(version: Version, previous: Version | None, log: LogRow, lens: Lens) -> HistoryItem:
    now, then = see(version, lens), None if previous is None else see(previous, lens)
    event, before = None if now is None else now.event, None if then is None else then.event
    return HistoryItem(
        revision=log.revision,
        recorded=recorded_text(log.recorded),
        author=log.author,
        cause=log.cause,
        message=log.message,
        event=event,
        patch=None if event is None or before is None else patch_of(before, event),
    )


LINKS = replies.EVENT_LINKS
READ = (*parameters.LENSES, parameters.INCLUDE)

OPERATIONS = (
    Operation(
        id="listEvents",
        method="GET",
        path="/v1/events",
        tag="events",
        summary="List the events of a selection",
        description=(
            "Lenses (`as_of`, `revision`, `known_at`, `according_to`) say through what events are seen; the other "
            "parameters choose among those seen. Different parameters must all hold; of a repeated one, "
            "any value will do. All pages of a reading show the same revision, whatever is written "
            "meanwhile."
        ),
        parameters=parameters.LISTING,
        run=list_events,
        answers=(
            Answer(
                200,
                "One page of the selection, in order.",
                {JSON: EventPage},
                replies.PAGED,
                replies.next_link("listEvents"),
            ),
        ),
        problems=("refused-parameter", "selection-too-broad", "not-found", "gone"),
    ),
    Operation(
        id="createEvent",
        method="POST",
        path="/v1/events",
        tag="events",
        summary="Record a new event",
        description=(
            "What the service computes (bounds of dates, standing, ids) is not sent. A `key` that is "
            "taken is refused with the address of the event that has it."
        ),
        headers=(IDEMPOTENCY_KEY, *NOTE),
        bodies={JSON: EventInput},
        examples=examples.EVENT,
        run=create_event,
        answers=replies.written(
            Answer(201, "The event as recorded.", {JSON: EventWithIncluded}, replies.CREATED, LINKS)
        ),
        problems=("already-exists", "refused", *replies.REFUSED_POSTS),
        scope="write",
    ),
    Operation(
        id="readEvent",
        method="GET",
        path="/v1/events/{id}",
        tag="events",
        summary="Read an event",
        description="As it is, or through lenses as it had been recorded and was publicly known.",
        place=(ID,),
        parameters=READ,
        run=read_event,
        answers=(Answer(200, "The event as the lenses show it.", {JSON: EventWithIncluded}, replies.TAGGED, LINKS),),
        problems=("refused-parameter", "not-found", "gone"),
    ),
    Operation(
        id="reviseEvent",
        method="PATCH",
        path="/v1/events/{id}",
        tag="events",
        summary="Revise an event",
        description="The patch applies to the input form: what would have been posted to make the event as it is.",
        place=(ID,),
        headers=(IF_MATCH, *NOTE),
        bodies={MERGE_PATCH: EVENT_PATCH, JSON_PATCH: JsonPatch},
        examples=examples.EVENT_PATCH,
        run=revise_event,
        answers=replies.written(
            Answer(200, "The event as it now is.", {JSON: EventWithIncluded}, replies.REVISED, LINKS)
        ),
        problems=(
            "not-found",
            "gone",
            "refused",
            *replies.REFUSED_CHANGES,
            *replies.REFUSED_BODIES,
        ),
        scope="write",
    ),
    Operation(
        id="retractEvent",
        method="DELETE",
        path="/v1/events/{id}",
        tag="events",
        summary="Retract an event",
        description="Appends a revision from which on the event is gone; at earlier ones it stays readable.",
        place=(ID,),
        headers=(IF_MATCH, *NOTE),
        run=retract_event,
        answers=(Answer(204, "It is retracted.", {}, replies.WRITTEN, replies.RETRACTED_LINKS),),
        problems=("not-found", "gone", *replies.REFUSED_CHANGES),
        scope="write",
    ),
    Operation(
        id="revertEvent",
        method="POST",
        path="/v1/events/{id}/revert",
        tag="events",
        summary="Put an earlier revision of an event back",
        description=(
            "Records anew what had been sent to make the event as it was at a revision, with the actors and sources of "
            "today. It may have been retracted since, and then comes back under its id."
        ),
        place=(ID,),
        headers=(IF_MATCH_MAYBE, IDEMPOTENCY_KEY, *NOTE),
        bodies={JSON: RevertInput},
        examples=examples.REVERT,
        run=revert_event,
        answers=replies.written(
            Answer(200, "The event as it now is.", {JSON: EventWithIncluded}, replies.REVISED, LINKS)
        ),
        problems=("not-found", "stale", "refused", *replies.REFUSED_POSTS),
        scope="write",
    ),
    Operation(
        id="readEventHistory",
        method="GET",
        path="/v1/events/{id}/history",
        tag="events",
        summary="Read every revision of an event",
        description=(
            "In the order in which they were recorded, each with the patch from the one before; also once "
            "it is retracted. As Markdown it is a note of what each revision changed, with names as they now are."
        ),
        place=(ID,),
        parameters=(parameters.LIMIT, parameters.CURSOR),
        run=read_history,
        answers=(
            Answer(
                200,
                "Its revisions in the order in which they were recorded.",
                {JSON: HistoryPage, MARKDOWN: None},
                replies.PAGED,
                replies.next_link("readEventHistory", "id"),
            ),
        ),
        problems=("refused-parameter", "not-found"),
    ),
)
