"""Looking terms up: what the index has of each group that a selection asks for."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from service.domain.terms import Group
from service.storage.pool import Connection
from service.storage.postings import find_between, find_terms

TERMS_MAX: Final = 1_000
"""A group of more terms that exist is neither walked nor checked by the statement, but rechecked."""
LOOKED_UP_MAX: Final = 4_000
"""So is one of more terms, whether they exist or not."""


class Terms(Struct, frozen=True):
    """One group as the index knows it: its terms that exist, and how many postings they have.

    unsure: the one of them whose events may be what is asked for or not.
    """

    numbers: list[int]
    size: int
    unsure: int | None = None

    @property
    def sure(self) -> list[int]:
        return [number for number in self.numbers if number != self.unsure]


async def look_up(
    connection: Connection, groups: Iterable[Group], whole: Sequence[Group], *, closed: bool
) -> tuple[dict[Group, Terms | None], list[Terms]]:
    """What there is of each group, None where its terms are too many; and of each that is needed whole.

    closed: postings since closed count too.
    """
    few = {group: len(group.terms) <= LOOKED_UP_MAX for group in groups}
    wanted = [group for group in few if few[group]]
    asked = (term for group in (*wanted, *whole) for term in group.terms)
    found = await find_terms(connection, asked, closed=closed)
    between = {
        part: await find_between(connection, part, TERMS_MAX + 1, closed=closed)
        for group in wanted
        for part in group.between
    }

    def known(group: Group) -> Terms:
        rows = [found[term] for term in group.terms if term in found]
        rows += [row for part in group.between for row in between[part]]
        unsure = found[group.unsure][0] if group.unsure in found else None
        return Terms([number for number, _ in rows], sum(size for _, size in rows), unsure)

    there: dict[Group, Terms | None] = dict.fromkeys(few)
    there |= {group: each for group in wanted if len((each := known(group)).numbers) <= TERMS_MAX}
    return there, [known(group) for group in whole]
