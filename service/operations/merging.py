"""Merging actors: from one revision on an actor stands for another, and from a later one perhaps for itself again.

Nothing is rewritten: documents keep the slugs they were written with, and readers resolve them as of the revision they
read. Only events whose standing follows from who the voices are get versions of their own.
"""

import msgspec

from service.domain.errors import Fault, InUse, Refused
from service.domain.resources import Actor
from service.domain.terms import same_actors
from service.operations.editing import FOLLOWING_MAX, Edit
from service.operations.uses import pass_on_uses
from service.storage import events, resources
from service.storage.resources import Row

_actor = msgspec.json.Decoder(Actor).decode


async def merge(edit: Edit, row: Row, into: str) -> Actor:
    """Lets an actor stand for another. Raises Refused for one that is not there or is itself, InUse where merged."""
    actor = _actor(row.document or b"")
    if actor.merged_into == into:
        return actor
    if actor.merged_into is not None:
        raise InUse(f"The actor {row.slug} is merged into {actor.merged_into}; unmerge it first.")
    aliases = await resources.read_aliases(edit.connection, edit.after.revision)
    if into not in await edit.existing("actor", [into]):
        raise Refused("The actor cannot be merged.", [Fault(pointer="/into", detail=f"there is no actor {into}")])
    if aliases.get(into, into) == row.slug:
        raise Refused("The actor cannot be merged.", [Fault(pointer="/into", detail=f"stands for {row.slug} itself")])
    return await _stand_for(edit, actor, into)


async def unmerge(edit: Edit, row: Row) -> Actor:
    """Lets an actor stand for itself again; one that does is left as it is."""
    actor = _actor(row.document or b"")
    return actor if actor.merged_into is None else await _stand_for(edit, actor, None)


async def _stand_for(edit: Edit, actor: Actor, into: str | None) -> Actor:
    aliases = await resources.read_aliases(edit.connection, edit.after.revision)
    # All that stand for the same actor; those among them whose meaning stays have nothing new to say.
    same = same_actors([actor.slug], aliases)
    naming = [(dimension, slug) for slug in same for dimension in ("speaker", "publisher")]
    numbers = await events.live_with(edit.connection, naming, FOLLOWING_MAX + 1)
    if len(numbers) > FOLLOWING_MAX:
        raise InUse(
            f"{actor.slug} stands behind claims on more than {FOLLOWING_MAX} events, too many for one revision."
        )
    state = msgspec.structs.replace(
        actor, merged_into=into, revision=edit.moment.revision, recorded=edit.moment.recorded
    )
    await resources.append_merge(edit.connection, actor.slug, edit.after.revision, into)
    await edit.put_state("actor", state)
    await pass_on_uses(edit.connection, same, edit.after.revision)
    await edit.render_again(numbers, aliases)
    return state
