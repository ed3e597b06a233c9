"""Counting what a selection chooses, by the statement that finds it: nothing is fetched but numbers.

It is for selections that the terms decide. All others are walked, and each event looked at.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any, Final

from asyncpg import Record
from msgspec import Struct

from service.domain.selection import Selection
from service.domain.terms import Term
from service.storage import walking
from service.storage.groups import Groups
from service.storage.pool import Connection
from service.storage.postings import find_terms
from service.storage.walking import Bounded, Named

FOUND_MAX: Final = 200_000
"""No statement goes through more events than these; how many there will be is known before, but for writes since."""
MET_MIN: Final = 10_000
"""Lists of so many postings are merged with the shortest other list before any version is fetched."""


class Evaluation(Struct, frozen=True):
    """A selection about to be counted: its terms, and the events that it names."""

    selection: Selection
    groups: Groups
    named: Named


# Every statement ends with a row that tells the head.
CANDIDATES = walking.of_chosen("SELECT count(*), (SELECT revision FROM head) FROM candidate")
# Where no event is in two of the lists, they need not be put in order to know.
FOUND = walking.of_chosen("SELECT count(*), (SELECT revision FROM head) FROM (SELECT FROM found LIMIT $12) looked")


async def has_more(connection: Connection, evaluation: Evaluation, most: int) -> bool:
    """Whether more events than these would have to be looked at, of which the index alone is asked."""
    driver = evaluation.groups.driver
    named = evaluation.named.events or evaluation.named.beside
    apart = not named and (driver is evaluation.groups.collections or len(driver.numbers) == 1)
    number = 0
    for undated in (False, True):
        rows = await _fetch(connection, FOUND if apart else CANDIDATES, evaluation, undated, budget=most + 1)
        number += rows[0][0]
    return number > most


DATES = walking.of_chosen("""
SELECT at_lo, at_hi, count(*), NULL::int8 FROM page GROUP BY at_lo, at_hi
UNION ALL SELECT NULL, NULL, NULL, revision FROM head
""")


async def dates(connection: Connection, evaluation: Evaluation, *, undated: bool) -> Counter[tuple[int, int]]:
    """How many events are chosen with the same bounds, among those with a date or those without."""
    rows = await _fetch(connection, DATES, evaluation, undated)
    return Counter({(row[0], row[1]): row[2] for row in rows[:-1]})


REVISIONS = walking.of_chosen("""
SELECT revision, count(*), NULL::int8 FROM page GROUP BY revision
UNION ALL SELECT NULL, NULL, revision FROM head
""")


async def revisions(connection: Connection, evaluation: Evaluation) -> Counter[int]:
    """How many events are chosen in the version of each revision."""
    counted: Counter[int] = Counter()
    for undated in (False, True):
        for revision, number, _ in (await _fetch(connection, REVISIONS, evaluation, undated))[:-1]:
            counted[revision] += number
    return counted


# What stands for another counts under it, and once in an event: $50 are such terms, $51 those they stand for.
TERMS = walking.of_chosen("""
SELECT t.dimension, t.value, c.events, NULL::int8
FROM (
    SELECT posted.term, count(*) AS events
    FROM (
        SELECT unnest(CASE WHEN page.facets && $50::int4[] THEN ARRAY(
            SELECT DISTINCT coalesce(($51::int4[])[array_position($50::int4[], own.term)], own.term)
            FROM unnest(page.facets) AS own(term)
        ) ELSE page.facets END) AS term
        FROM page
    ) posted
    GROUP BY posted.term
) c
JOIN term t ON t.term = c.term
WHERE t.dimension = ANY ($49::text[])
UNION ALL SELECT NULL, NULL, NULL, revision FROM head
""")


async def values(
    connection: Connection, evaluation: Evaluation, dimensions: Collection[str], of_actors: Collection[str]
) -> tuple[int, dict[str, Counter[str]]]:
    """How many events are chosen, and in each dimension how many of them stand under each value.

    In the dimensions of actors, whoever is merged counts under whom they stand for.
    """
    aliases = evaluation.selection.lens.aliases
    alike = await _alike(connection, evaluation, [name for name in of_actors if name in dimensions])
    counted: dict[str, Counter[str]] = {dimension: Counter() for dimension in (*dimensions, "collection")}
    for undated in (False, True):
        own = list(counted), list(alike), list(alike.values())
        for dimension, value, events, _ in (await _fetch(connection, TERMS, evaluation, undated, *own))[:-1]:
            counted[dimension][aliases.get(value, value) if dimension in of_actors else value] += events
    # Every event is in one collection.
    return counted["collection"].total(), counted


async def _alike(connection: Connection, evaluation: Evaluation, dimensions: Collection[str]) -> dict[int, int]:
    """Terms of merged actors, and the one by which all are counted that stand for the same."""
    aliases = evaluation.selection.lens.aliases

    def terms() -> Iterator[tuple[Term, Term]]:
        for dimension in dimensions:
            for slug, actor in sorted(aliases.items()):
                yield (dimension, slug), (dimension, actor)

    found = await find_terms(connection, [term for pair in terms() for term in pair], closed=False) if aliases else {}
    # Where no event ever named the actor itself, any of those that stand for it will do.
    chosen = {actor: found[actor if actor in found else slug][0] for slug, actor in terms() if slug in found}
    return {found[slug][0]: chosen[actor] for slug, actor in terms() if slug in found}


async def _fetch(
    connection: Connection,
    statement: str,
    evaluation: Evaluation,
    undated: bool,
    *own: Any,
    budget: int = FOUND_MAX,
) -> list[Record]:
    """The rows of a statement on what is chosen, once more where a write has closed postings meanwhile."""
    selection, groups = evaluation.selection, evaluation.groups
    closed = selection.revision != selection.head
    met = groups.met if groups.driver.size > MET_MIN and not evaluation.named.beside else None
    while True:
        arguments = await walking.arguments_of(
            connection,
            selection,
            groups,
            evaluation.named,
            Bounded(undated, rows=budget, budget=budget, closed=closed, met=met),
        )
        rows: list[Record] = await connection.fetch(statement, *arguments, *own)
        if closed or rows[-1][-1] == selection.revision:
            return rows
        closed = True
