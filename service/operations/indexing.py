"""Bringing a store up to this version of the service: its schema, and the terms by which its events are found."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Final

import asyncpg
import msgspec

from service.domain import terms
from service.domain.event import Event, Facts
from service.domain.lenses import Aliases, told_places
from service.domain.resources import Resource, Source, name_words, searchable
from service.domain.values import INT8_MAX
from service.storage import events, migrating, names, postings, resources, revisions
from service.storage.events import Indexed
from service.storage.pool import Connection, prepare

GENERATION: Final = 6
"""Which terms the service posts. Raise it with every change of `terms.posted`, and stores are indexed anew."""
CHUNK: Final = 1_000

_event = msgspec.json.Decoder(Event).decode
_facts = msgspec.json.Decoder(Facts).decode


async def upgrade(url: str) -> str | None:
    """Migrates to the newest schema, makes the index anew if it lacks terms, and returns the schema reached.

    Raises UnfitDatabase as `migrate` does.
    """
    reached = await migrating.migrate(url)
    connection = await asyncpg.connect(url)
    try:
        await prepare(connection)
        async with connection.transaction():
            await revisions.lock_head(connection)
            if await postings.read_generation(connection) < GENERATION:
                await reindex(connection)
                await postings.write_generation(connection, GENERATION)
    finally:
        await connection.close()
    return reached


async def reindex(connection: Connection) -> None:
    """Finds the words and terms of every version again, and makes the index anew. The caller holds the head."""
    await _reindex_names(connection)
    merged = [revision for revision, _, _ in await resources.read_merges(connection, INT8_MAX)]
    aliases: dict[int, Aliases] = {}
    after = (0, 0)
    while versions := await events.read_every_version(connection, after, CHUNK):
        indexed = []
        decoded = [(v, _event(v.document or b""), _facts(v.facts or b"")) for v in versions]
        named = {claim.source for _, event, _ in decoded for claim in event.claims}
        named |= {claim.via for _, event, _ in decoded for claim in event.claims if claim.via is not None}
        sources = await resources.read_ancestry(connection, named)
        targets = await events.find_by_id(connection, {r.event for _, event, _ in decoded for r in event.relations})
        for version, event, facts in decoded:
            when = bisect_right(merged, version.revision)
            if when not in aliases:
                aliases[when] = await resources.read_aliases(connection, version.revision)
            into = [targets[relation.event].collection for relation in event.relations]
            facts.reaches[:] = [None if each == event.collection else each for each in into]
            found = terms.posted(event, facts, _parents(sources), aliases[when])
            indexed.append(
                Indexed(version.event, version.revision, found, tuple(told_places(event)), msgspec.json.encode(facts))
            )
        await events.index_versions(connection, indexed)
        after = (versions[-1].event, versions[-1].revision)
    await postings.rebuild(connection)


async def _reindex_names(connection: Connection) -> None:
    await names.clear_words(connection)
    after = (0, 0)
    while versions := await names.read_every_version(connection, after, CHUNK):
        decoded: list[tuple[int, int, Resource]] = [
            (number, revision, msgspec.json.decode(document, type=resources.SHAPES[kind]))
            for number, revision, kind, document in versions
        ]
        searches = [(number, revision, searchable(resource)) for number, revision, resource in decoded]
        await names.write_searches(connection, searches)
        words = ((word, number, revision) for number, revision, resource in decoded for word in name_words(resource))
        await names.append_words(connection, words)
        after = versions[-1][:2]


def _parents(sources: Mapping[str, Source]) -> terms.Parents:
    """What a source rests on; nothing where it has been deleted since."""
    return lambda slug: sources[slug].derived_from if slug in sources else ()
