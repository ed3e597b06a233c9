"""Merging actors and letting them stand for themselves again."""

from typing import Annotated

from msgspec import Meta

from service.api import examples, replies
from service.api.operation import JSON, Answer, Call, Operation, Reply
from service.api.resources import check_uses, find, shown, slug_of
from service.api.writing import IDEMPOTENCY_KEY, NOTE, write
from service.domain import values
from service.domain.event import Input
from service.domain.resources import Actor
from service.operations import merging
from service.operations.editing import Edit
from service.operations.selecting import open_store
from service.storage.resources import Row


class MergeInto(Input, frozen=True, kw_only=True):
    """Whom an actor is to stand for."""

    into: Annotated[values.Slug, Meta(description="The actor that it is from now on.")]


async def merge_actor(call: Call) -> Reply:
    given = call.structure(MergeInto)

    async def change(edit: Edit) -> Reply:
        return shown(call, "actor", await merging.merge(edit, await _actor(edit, call), given.into), 200)

    return await write(call, change)


async def unmerge_actor(call: Call) -> Reply:
    async def change(edit: Edit) -> Reply:
        return shown(call, "actor", await merging.unmerge(edit, await _actor(edit, call)), 200)

    return await write(call, change)


async def _actor(edit: Edit, call: Call) -> Row:
    store = await open_store(edit.connection, call.caller)
    row = await find(edit.connection, store, "actor", call.place["slug"], edit.before.revision)
    await check_uses(edit, call, "actor", row.slug)
    return row


OPERATIONS = (
    Operation(
        id="mergeActor",
        method="POST",
        path="/v1/actors/{slug}/merge",
        tag="actors",
        summary="Merge an actor into another",
        description=(
            "From this revision on the two are one wherever actors are asked for and voices are counted. Documents "
            "keep the slugs they were written with; reading the merged actor leads to the other."
        ),
        place=(slug_of("actor"),),
        headers=(IDEMPOTENCY_KEY, *NOTE),
        bodies={JSON: MergeInto},
        examples=examples.MERGE,
        run=merge_actor,
        answers=replies.written(
            Answer(200, "The actor, which now stands for the other.", {JSON: Actor}, replies.REVISED)
        ),
        problems=("not-found", "gone", "in-use", "refused", *replies.REFUSED_POSTS),
        scope="write",
    ),
    Operation(
        id="unmergeActor",
        method="POST",
        path="/v1/actors/{slug}/unmerge",
        tag="actors",
        summary="Let a merged actor stand for itself again",
        description="From this revision on; at earlier ones it stays merged.",
        place=(slug_of("actor"),),
        headers=(IDEMPOTENCY_KEY, *NOTE),
        run=unmerge_actor,
        answers=replies.written(Answer(200, "The actor, which stands for itself.", {JSON: Actor}, replies.REVISED)),
        problems=("not-found", "gone", "in-use", "idempotency-key-in-use", "idempotency-key-reused"),
        scope="write",
    ),
)
