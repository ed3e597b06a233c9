"""Uses: which actors and sources the events of a collection name or rest on, by which others see them.

A use once noted stays, so that the past is seen as it was. With a merged actor all on the way to whom it stands for are
used, since its document leads there.
"""

from collections.abc import Iterable, Mapping

from service.domain.lenses import Aliases
from service.domain.resources import Kind, Source
from service.storage import resources
from service.storage.pool import Connection

Use = tuple[str, Kind, str]
"""A collection, and the kind and slug of what its events use."""


def uses_of(collection: str, sources: Iterable[Source]) -> set[Use]:
    """The uses that sources are put to, and with them their publishers."""
    uses: set[Use] = set()
    for source in sources:
        uses.add((collection, "source", source.slug))
        if source.publisher is not None:
            uses.add((collection, "actor", source.publisher))
    return uses


def under(slug: str, sources: Mapping[str, Source]) -> list[Source]:
    """The source, and all on which it rests, near and far; `sources` holds them by slug, and may hold others."""
    found: dict[str, Source] = {}
    waiting = [slug]
    while waiting:
        if (each := waiting.pop()) in sources and each not in found:
            found[each] = sources[each]
            waiting += sources[each].derived_from
    return list(found.values())


async def note_uses(connection: Connection, uses: set[Use], aliases: Aliases, revision: int) -> None:
    """Records the uses from the revision on. aliases: whom merged actors stand for. The caller holds the head."""
    numbers: dict[tuple[Kind, str], int] = {}
    kinds: tuple[Kind, ...] = ("actor", "source")
    slugs = {kind: {slug for _, of, slug in uses if of == kind} for kind in kinds}
    for kind in kinds:
        found = await resources.read_numbers(connection, kind, slugs[kind])
        numbers |= {(kind, slug): number for slug, number in found.items()}
    collections = await resources.read_numbers(connection, "collection", {use[0] for use in uses})
    pairs = [(numbers[kind, slug], collections[collection]) for collection, kind, slug in uses]
    await resources.append_uses(connection, pairs, revision)
    if merged := slugs["actor"] & aliases.keys():
        await pass_on_uses(connection, merged, revision)


async def pass_on_uses(connection: Connection, actors: Iterable[str], revision: int) -> None:
    """Records that whoever uses one of the actors uses those that it is merged into, near and far, at the revision."""
    await resources.append_uses_of(connection, await resources.read_steps(connection, actors, revision), revision)
