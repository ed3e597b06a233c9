"""What comes along with an answer: the actors and sources that its documents name, as they were at its revision."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TypeAlias

import msgspec
from msgspec import Struct, field

from service.domain.resources import Kind
from service.storage.memory import Same, recall, recall_each
from service.storage.pool import Connection
from service.storage.resources import read_numbers, read_steps

# With each source comes its publisher's number; it was checked to be there when the source was recorded.
BY_NUMBER = """
SELECT r.resource, r.slug, v.document, p.resource
FROM unnest($1::int4[]) AS q(resource)
JOIN resource r ON r.resource = q.resource
CROSS JOIN LATERAL (
    SELECT v.document FROM resource_version v
    WHERE v.resource = r.resource AND v.revision <= $2 ORDER BY v.revision DESC LIMIT 1
) v
LEFT JOIN resource p ON r.kind = 'source' AND p.kind = 'actor' AND p.slug = v.document ->> 'publisher'
WHERE v.document IS NOT NULL
"""

Included = dict[str, msgspec.Raw]
"""`actors` and `sources`: an object of documents by slug."""


class Mentions(Struct):
    """What the documents of an answer name: by slug, or where only the version was looked at by number.

    Numbers are text, as they come with a page: nothing is calculated with them.
    """

    actors: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)
    actor_numbers: set[str] = field(default_factory=set)
    source_numbers: set[str] = field(default_factory=set)


async def read_included(
    connection: Connection, mentions: Mentions, revision: int, aliases: Mapping[str, str]
) -> Included:
    """The actors and sources mentioned, and the sources' publishers, as they were at the revision.

    With a merged actor come all on the way to whom it stands for.
    """
    numbers = mentions.source_numbers | await _as_text(connection, "source", mentions.sources)
    sources = await _sources_by_number(connection, numbers, revision)
    publishers = {publisher for _, publisher in sources if publisher is not None}
    numbers = mentions.actor_numbers | publishers | await _as_text(connection, "actor", mentions.actors)
    actors = await _actors_by_number(connection, numbers, revision)
    if aliases:
        steps = await _steps_by_number(connection, aliases, revision)
        others = set().union(*(steps[each] for each in steps.keys() & numbers)) - numbers
        actors += await _actors_by_number(connection, others, revision)
    return {"actors": _object_of(actors), "sources": _object_of([member for member, _ in sources])}


# An actor or a source is here what it is in `included`, a member of an object: its slug and its document. A page has
# hundreds of them, lying about in memory, and most of the time is spent to fetch them; nothing else is touched of each.


def _object_of(members: Iterable[bytes]) -> msgspec.Raw:
    """By slug, since the quotation mark that ends one sorts before all that it may go on with."""
    return msgspec.Raw(b"{%s}" % b",".join(sorted(members)))


Steps: TypeAlias = Mapping[str, list[str]]
"""For each merged actor all on the way to whom it stands for, by number."""


async def _steps_by_number(connection: Connection, aliases: Mapping[str, str], revision: int) -> Steps:
    read = partial(_read_steps, connection, aliases, revision)
    return await recall(connection, ("merged", Same(aliases), revision), read, lambda each: 200 * len(each))


async def _read_steps(connection: Connection, aliases: Mapping[str, str], revision: int) -> Steps:
    steps = await read_steps(connection, aliases, revision)
    numbers = await read_numbers(connection, "actor", {slug for step in steps for slug in step})
    found: dict[str, list[str]] = {}
    for slug, actor in steps:
        found.setdefault(str(numbers[slug]), []).append(str(numbers[actor]))
    return found


async def _as_text(connection: Connection, kind: Kind, slugs: set[str]) -> set[str]:
    return set(map(str, (await read_numbers(connection, kind, slugs)).values())) if slugs else set()


async def _actors_by_number(connection: Connection, numbers: set[str], revision: int) -> list[bytes]:
    read = partial(_read_actors, connection, revision)
    found = await recall_each(connection, ("actor", BY_NUMBER, revision), numbers, read, len)
    return list(filter(None, found))


async def _read_actors(connection: Connection, revision: int, numbers: list[str]) -> dict[str, bytes]:
    rows = await connection.fetch(BY_NUMBER, list(map(int, numbers)), revision)
    return {str(number): _member(slug, document) for number, slug, document, _ in rows}


Told: TypeAlias = tuple[bytes, str | None]
"""A source, and the number of its publisher."""


async def _sources_by_number(connection: Connection, numbers: set[str], revision: int) -> list[Told]:
    read = partial(_read_sources, connection, revision)
    found = await recall_each(connection, ("source", BY_NUMBER, revision), numbers, read, lambda told: len(told[0]))
    return list(filter(None, found))


async def _read_sources(connection: Connection, revision: int, numbers: list[str]) -> dict[str, Told]:
    rows = await connection.fetch(BY_NUMBER, list(map(int, numbers)), revision)
    return {
        str(number): (_member(slug, document), None if publisher is None else str(publisher))
        for number, slug, document, publisher in rows
    }


def _member(slug: str, document: bytes) -> bytes:
    return b'"%s":%s' % (slug.encode(), document)
