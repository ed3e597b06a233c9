"""Actors, sources, collections and timelines: the same six operations for each."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from service.api import events, examples, replies, stored
from service.api.operation import JSON, JSON_PATCH, MERGE_PATCH, Answer, Call, Link, Operation, Reply
from service.api.patches import JsonPatch, patch_shape
from service.api.shapes import ActorPage, CollectionPage, EventPage, SourcePage, TimelinePage
from service.api.writing import IDEMPOTENCY_KEY, IF_MATCH, NOTE, patched, read_patch, write
from service.domain import parameters, values
from service.domain.asking import asked
from service.domain.cursors import cursor_of
from service.domain.errors import (
    Forbidden,
    Gone,
    InvalidBody,
    NotFound,
)
from service.domain.parameters import Parameter
from service.domain.resources import (
    Actor,
    ActorInput,
    Collection,
    CollectionInput,
    Kind,
    Resource,
    Source,
    SourceInput,
    Timeline,
    TimelineInput,
)
from service.domain.words import folded
from service.operations import selecting, timelines
from service.operations.editing import Edit
from service.operations.selecting import Store, open_store
from service.storage import resources
from service.storage.pool import Connection
from service.storage.resources import Row, Shown

SEARCH: Final = Parameter(
    name="q",
    schema={"type": "string", "minLength": 1, "maxLength": 200, "pattern": values.LINE_PATTERN},
    example="kosovo",
    description="Words that the slug and names must hold; accents and case are ignored.",
)
RECORDED: Final = tuple(lens for lens in parameters.LENSES if lens.name in ("as_of", "revision"))


class Kept(Struct, frozen=True):
    """What there is to know of one kind of resource."""

    kind: Kind
    one: str
    given: type[Struct]
    shape: type[Struct]
    page: type[Struct]
    patch: type[Struct]

    @property
    def path(self) -> str:
        return f"/v1/{self.kind}s"


KINDS: Final = (
    Kept("actor", "an actor", ActorInput, Actor, ActorPage, patch_shape("ActorPatch", ActorInput)),
    Kept("source", "a source", SourceInput, Source, SourcePage, patch_shape("SourcePatch", SourceInput)),
    Kept(
        "collection",
        "a collection",
        CollectionInput,
        Collection,
        CollectionPage,
        patch_shape("CollectionPatch", CollectionInput),
    ),
    Kept(
        "timeline",
        "a timeline",
        TimelineInput,
        Timeline,
        TimelinePage,
        patch_shape("TimelinePatch", TimelineInput),
    ),
)

SHOWN: Final[dict[Kind, str]] = {
    "actor": "Without a key that may write, those that visible events use, or the sources that they rest on.",
    "source": "Without a key that may write, those that visible events use, or rest on by other sources.",
    "collection": "Those that are public, and those that the key is good for.",
    "timeline": (
        "Those that are public; with a key, private ones too. Collections, events, keys, actors and sources out of "
        "the caller's sight are left out of their definitions."
    ),
}
KEPT_FROM: Final[dict[Kind, str]] = {
    "actor": " A key for some collections alone does so with those that no event of another has used.",
    "source": " A key for some collections alone does so with those that no event of another has used.",
    "collection": "",
    "timeline": "",
}
REFUSED_CREATED: Final[tuple[Kind, ...]] = ("source", "timeline")
"""Kinds that name others, who may not be there."""
IN_USE_REVISED: Final[tuple[Kind, ...]] = ("actor", "source")
"""Kinds that cannot be revised while they stand for another, or while too many events would follow."""
IN_USE_DELETED: Final[tuple[Kind, ...]] = ("actor", "source", "collection")
"""Kinds that others name."""
MOVED: Final = (Answer(308, "It stands for another actor, who is there.", {}, (replies.LOCATION,)),)
SERVICE_MEMBERS: Final = ("revision", "recorded", "merged_into")


async def shown_to(store: Store, kind: Kind) -> Shown:
    """Which resources of the kind the caller's lists hold."""
    if kind == "collection":
        return Shown(slugs=store.sight.listed)
    if kind == "timeline":
        return Shown(visibilities=("public",) if store.caller.scope is None else ("public", "private"))
    return Shown() if store.caller.writes else Shown(used_in=store.sight.listed)


async def may_read(connection: Connection, store: Store, kind: Kind, slug: str, revision: int) -> bool:
    """Whether the caller may read the resource by its slug."""
    if kind == "collection":
        return slug in store.sight.named
    if kind == "timeline":
        return await selecting.timeline_visible(connection, store, slug)
    return store.caller.writes or bool(
        await resources.used_among(connection, kind, [slug], revision, store.sight.named)
    )


async def find(connection: Connection, store: Store, kind: Kind, slug: str, revision: int) -> Row:
    """A resource as it was at the revision. Raises NotFound, or Gone where it had been deleted."""
    row = (await resources.read_resources(connection, kind, [slug], revision)).get(slug)
    if row is None or not await may_read(connection, store, kind, slug, revision):
        raise NotFound(f"There is no {kind} {slug}.")
    if row.document is None:
        raise Gone(
            f"The {kind} {slug} was deleted at revision {row.revision}.",
            link=(f"/v1/{kind}s/{slug}?revision={row.revision - 1}", "predecessor-version"),
        )
    return row


async def documents_shown(
    connection: Connection, store: Store, kind: Kind, rows: Sequence[Row], revision: int
) -> list[bytes]:
    """The documents as the caller may see them at the revision: those of timelines without what is out of sight."""
    documents = [row.document or b"null" for row in rows]
    if kind != "timeline" or store.caller.sees_everything:
        return documents
    defined = [msgspec.json.decode(document, type=Timeline) for document in documents]
    return [msgspec.json.encode(each) for each in await timelines.shown_timelines(connection, store, defined, revision)]


def slug_of(kind: Kind) -> Parameter:
    return Parameter(
        name="slug", schema=parameters.SLUG, example=examples.SLUGS[kind], description=f"The slug of the {kind}."
    )


def operations_of(kept: Kept) -> tuple[Operation, ...]:
    """List, create, read, revise and delete one kind of resource."""
    kind, name = kept.kind, kept.kind.capitalize()

    async def list_them(call: Call) -> Reply:
        cursor = cursor_of(call.query, call.path, tuple[values.Slug])
        wants = asked(call.query)
        words = folded(call.query["q"][0]).split() if "q" in call.query else []
        async with call.pool.acquire() as connection:
            store = await open_store(connection, call.caller, cursor)
            revision, pinned = await selecting.revision_of(connection, store, wants.lenses)
            rows = await resources.list_resources(
                connection,
                kind,
                after="" if cursor is None else str(cursor.place[0]),
                revision=revision,
                words=words,
                shown=await shown_to(store, kind),
                limit=call.limit() + 1,
            )
            more = len(rows) > call.limit()
            rows = rows[: call.limit()]
            documents = await documents_shown(connection, store, kind, rows, revision)
        next = replies.following(call, revision if pinned else store.newest, [rows[-1].slug]) if more else None
        page = {
            "items": [msgspec.Raw(document) for document in documents],
            "next": next,
            "revision": revision,
        }
        return replies.paged(msgspec.json.encode(page), next, pinned=pinned)

    async def create(call: Call) -> Reply:
        given = _given(call, kept)

        async def change(edit: Edit) -> Reply:
            _check_scope(call, kind, given)
            store = await open_store(edit.connection, call.caller)
            if isinstance(given, TimelineInput):
                await timelines.check_pins(edit.connection, store, given)
            return await _answered(edit, call, store, await edit.create_resource(kind, given), 201)

        return await write(call, change)

    async def read(call: Call) -> Reply:
        wants = asked(call.query)
        async with call.pool.acquire() as connection:
            store = await open_store(connection, call.caller)
            revision, pinned = await selecting.revision_of(connection, store, wants.lenses)
            row = await find(connection, store, kind, call.place["slug"], revision)
            actor = (await resources.read_aliases(connection, revision)).get(row.slug) if kind == "actor" else None
            (document,) = await documents_shown(connection, store, kind, [row], revision)
        if actor is not None:
            query = urlencode([(name, value) for name, given in call.query.items() for value in given])
            address = f"{call.origin}/v1/actors/{actor}" + (f"?{query}" if query else "")
            return Reply(308, headers={"Location": address}, tagged=False)
        return Reply(200, document, revision=row.revision, pinned=pinned)

    async def revise(call: Call) -> Reply:
        patch = read_patch(call)

        async def change(edit: Edit) -> Reply:
            store, row, recorded = await _current(edit, call)
            seen = recorded
            if isinstance(recorded, Timeline):
                (seen,) = await timelines.shown_timelines(edit.connection, store, [recorded], edit.before.revision)
            form = {name: value for name, value in msgspec.to_builtins(seen).items() if name not in SERVICE_MEMBERS}
            given = patched(call, patch, form, kept.given)
            if isinstance(given, TimelineInput):
                await timelines.check_pins(edit.connection, store, given)
                given = timelines.restored(given, seen, recorded)
                stored.check(given.selection)
            _check_scope(call, kind, given)
            return await _answered(edit, call, store, await edit.revise_resource(kind, row, given), 200)

        return await write(call, change)

    async def delete(call: Call) -> Reply:
        async def change(edit: Edit) -> Reply:
            _, row, recorded = await _current(edit, call)
            _check_scope(call, kind, recorded)
            await edit.delete_resource(kind, row)
            return Reply(204, tagged=False)

        return await write(call, change)

    async def _answered(edit: Edit, call: Call, store: Store, state: Resource, status: int) -> Reply:
        if isinstance(state, Timeline):
            (state,) = await timelines.shown_timelines(edit.connection, store, [state], state.revision)
        return shown(call, kind, state, status)

    async def _current(edit: Edit, call: Call) -> tuple[Store, Row, Any]:
        store = await open_store(edit.connection, call.caller)
        row = await find(edit.connection, store, kind, call.place["slug"], edit.before.revision)
        await check_uses(edit, call, kind, row.slug)
        call.check_precondition(row.revision)
        return store, row, msgspec.json.decode(row.document or b"", type=kept.shape)

    slug = slug_of(kind)
    links = replies.links_of(kind, "slug") + ((EVENTS_LINK,) if kind == "timeline" else ())
    one = f"{kept.path}/{{slug}}"
    return (
        Operation(
            id=f"list{name}s",
            method="GET",
            path=kept.path,
            tag=f"{kind}s",
            summary=f"List {kind}s",
            description=f"In the order of their slugs, as they are or were at a revision. {SHOWN[kind]}",
            parameters=(SEARCH, *RECORDED, parameters.LIMIT, parameters.CURSOR),
            run=list_them,
            answers=(
                Answer(
                    200,
                    "One page, in the order of their slugs.",
                    {JSON: kept.page},
                    replies.PAGED,
                    replies.next_link(f"list{name}s"),
                ),
            ),
            problems=("refused-parameter",),
        ),
        Operation(
            id=f"create{name}",
            method="POST",
            path=kept.path,
            tag=f"{kind}s",
            summary=f"Make {kept.one}",
            description="A slug that was deleted and is made again is the same one continued.",
            headers=(IDEMPOTENCY_KEY, *NOTE),
            bodies={JSON: kept.given},
            examples=examples.CREATED[kind],
            run=create,
            answers=replies.written(Answer(201, "It is made.", {JSON: kept.shape}, replies.CREATED, links)),
            problems=(
                "already-exists",
                *(("refused",) if kind in REFUSED_CREATED else ()),
                *replies.REFUSED_POSTS,
            ),
            scope="write",
        ),
        Operation(
            id=f"read{name}",
            method="GET",
            path=one,
            tag=f"{kind}s",
            summary=f"Read {kept.one}",
            description="As it is, or as it had been recorded at a revision or instant.",
            place=(slug,),
            parameters=RECORDED,
            run=read,
            answers=(
                Answer(200, "As it is, or was at the revision.", {JSON: kept.shape}, replies.TAGGED, links),
                *(MOVED if kind == "actor" else ()),
            ),
            problems=("refused-parameter", "not-found", "gone"),
        ),
        Operation(
            id=f"revise{name}",
            method="PATCH",
            path=one,
            tag=f"{kind}s",
            summary=f"Revise {kept.one}",
            description="The patch applies to what would have been posted to make it as it is; its slug never changes."
            + KEPT_FROM[kind],
            place=(slug,),
            headers=(IF_MATCH, *NOTE),
            bodies={MERGE_PATCH: kept.patch, JSON_PATCH: JsonPatch},
            examples=examples.PATCHED[kind],
            run=revise,
            answers=replies.written(Answer(200, "As it now is.", {JSON: kept.shape}, replies.REVISED, links)),
            problems=(
                "not-found",
                "gone",
                *(("in-use",) if kind in IN_USE_REVISED else ()),
                "refused",
                *replies.REFUSED_CHANGES,
                *replies.REFUSED_BODIES,
            ),
            scope="write",
        ),
        Operation(
            id=f"delete{name}",
            method="DELETE",
            path=one,
            tag=f"{kind}s",
            summary=f"Delete {kept.one}",
            description=("Refused while it is in use; at" if kind in IN_USE_DELETED else "At")
            + f" earlier revisions it stays readable.{KEPT_FROM[kind]}",
            place=(slug,),
            headers=(IF_MATCH, *NOTE),
            run=delete,
            answers=(Answer(204, "It is deleted.", {}, replies.WRITTEN),),
            problems=(
                "not-found",
                "gone",
                *(("in-use",) if kind in IN_USE_DELETED else ()),
                *replies.REFUSED_CHANGES,
            ),
            scope="write",
        ),
    )


def _given(call: Call, kept: Kept) -> Any:
    given = call.structure(kept.given)
    if isinstance(given, TimelineInput):
        if faults := stored.faults_of(given.selection):
            raise InvalidBody("The timeline's selection is not of its schema.", faults)
        stored.check(given.selection)
    return given


def _check_scope(call: Call, kind: Kind, given: Any) -> None:
    """Raises Forbidden where a key for some collections would make or change another."""
    if kind == "collection" and not call.caller.reaches(given.slug):
        raise Forbidden(f"This key does not write to the collection {given.slug}.")


async def check_uses(edit: Edit, call: Call, kind: Kind, slug: str) -> None:
    """Raises Forbidden where a key for some collections would change what events of another rest on."""
    reach = call.caller.collections
    if reach is None or kind not in ("actor", "source"):
        return
    if await resources.is_used_beyond(edit.connection, kind, slug, reach):
        raise Forbidden(f"Events of collections that this key does not reach use the {kind} {slug}.")


def shown(call: Call, kind: Kind, state: Resource, status: int) -> Reply:
    headers = {"Location": f"{call.origin}/v1/{kind}s/{state.slug}"} if status == 201 else {}
    return Reply(status, msgspec.json.encode(state), headers=headers, revision=state.revision)


EVENTS_LINK: Final = Link(
    "listTimelineEvents", "listTimelineEvents", "Read the events that it chooses.", {"slug": "$response.body#/slug"}
)


async def list_timeline_events(call: Call) -> Reply:
    wants = asked(call.query)
    return await events.page_of_selection(call, msgspec.structs.replace(wants, timeline=call.place["slug"]))


OPERATIONS = (
    *(operation for kept in KINDS for operation in operations_of(kept)),
    Operation(
        id="listTimelineEvents",
        method="GET",
        path="/v1/timelines/{slug}/events",
        tag="timelines",
        summary="List the events of a timeline",
        description="The same as listing events with `timeline`.",
        place=(slug_of("timeline"),),
        parameters=tuple(each for each in parameters.LISTING if each.name != "timeline"),
        run=list_timeline_events,
        answers=(
            Answer(
                200,
                "One page of the timeline, in order.",
                {JSON: EventPage},
                replies.PAGED,
                replies.next_link("listTimelineEvents", "slug"),
            ),
        ),
        problems=(
            "refused-parameter",
            "selection-too-broad",
            "not-found",
            "gone",
        ),
    ),
)
