"""A selection's terms as the index knows them: which lists there are, which to walk, and how far at a time."""

from typing import Final

from msgspec import Struct

from service.domain import terms
from service.domain.selection import Selection
from service.domain.terms import Group
from service.storage.lookup import Terms, look_up
from service.storage.pool import Connection

GROUPS_MAX: Final = 4
"""How many groups of several terms the statement checks for the request, and for a timeline; more are rechecked."""
LISTS_CHEAP: Final = 16
"""So many lists walked beside each other cost about as much as what is done with their events."""
BUDGET_MAX: Final = 2_000
MET_MAX: Final = 220_000
"""Lists of no more postings are merged. The statement's own bound lies higher, since writes go on between the two."""
ROWS_MAX: Final = 1_000
"""No look brings more documents than these, unless the caller asks for more."""


def cost_of(group: Terms) -> float:
    """What walking a group costs beside others: every look reads on in each list, unless a few read them out."""
    return group.size * (1 + min(len(group.numbers) / LISTS_CHEAP, group.size / BUDGET_MAX))


class Groups(Struct, frozen=True):
    """A selection's terms as the index knows them. An impossible one asks for a term that no event ever had."""

    collections: Terms
    request: list[Terms]
    timeline: list[Terms]
    unwanted: list[list[int]]
    """Terms that no event may have: of the request, and of the timeline."""
    hidden: list[int]
    decide: bool
    """Whether they choose just what the selection does, so that nobody has to look."""

    @property
    def impossible(self) -> bool:
        return not all(group.numbers for group in self.request)

    @property
    def shortest(self) -> int:
        """How many postings the lists have that are walked."""
        return self.driver.size

    @property
    def driver(self) -> Terms:
        """The group that costs least to walk: mostly that with the fewest postings."""
        return min([*self.request, *self.timeline, self.collections], key=cost_of)

    @property
    def met(self) -> list[int] | None:
        """The terms of the shortest other group, if both it and what is walked may be read in one go."""
        others = [group for group in (*self.request, *self.timeline) if group is not self.driver]
        shortest = min(others, key=lambda group: group.size, default=None)
        if shortest is None or max(shortest.size, self.driver.size) > MET_MAX:
            return None
        return shortest.numbers

    @property
    def impossible_timeline(self) -> bool:
        return not all(group.numbers for group in self.timeline)


async def groups_of(connection: Connection, selection: Selection) -> Groups:
    """What the index has of a selection's terms."""
    lens, sides = selection.lens, (selection.filters, selection.timeline)
    named = selection.filters.ids is not None
    sight = Group(tuple(("collection", slug) for slug in (selection.sight.named if named else selection.collections)))
    hidden = Group(tuple(("reaches", slug) for slug in lens.hidden))
    wanted = [list(terms.asked(side, lens)) for side in sides]
    excluded = [list(terms.excluded(side, lens)) for side in sides]
    exact = all(
        terms.is_exact(side, lens, (*groups, *others))
        for side, groups, others in zip(sides, wanted, excluded, strict=True)
    )
    wanted[0] += terms.of_account(lens)
    if selection.sampled > 1:
        wanted[0].append(Group((terms.sample(selection.sampled),)))
    unwanted = [[group for group in side if group.exact] for side in excluded]
    asked = [group for side in (*wanted, *unwanted) for group in side]
    past = selection.revision != selection.head
    there, (collections, reaching) = await look_up(connection, asked, [sight, hidden], closed=past)
    checked, left_out = (
        [[found for group in side if (found := there[group]) is not None] for side in both]
        for both in (wanted, unwanted)
    )
    return Groups(
        collections=collections,
        request=checked[0],
        timeline=checked[1],
        unwanted=[[number for group in side for number in group.sure] for side in left_out],
        hidden=reaching.numbers,
        decide=exact
        and all(found is not None and found.unsure is None for found in map(there.get, asked))
        and all(sum(len(group.numbers) > 1 for group in side) <= GROUPS_MAX for side in checked),
    )


def several_of(groups: list[Terms]) -> list[Terms]:
    """The groups of several terms that the statement checks: those that the fewest events pass."""
    return sorted((group for group in groups if len(group.numbers) > 1), key=lambda group: group.size)[:GROUPS_MAX]


def budget_of(groups: Groups, limit: int) -> int:
    """How many candidates to look at for a page: more where the other groups that are checked let few of them pass.

    A list that is walked alone may have a few that are out of sight, for which no second look is to be needed.
    """
    driver = groups.driver
    every = max(groups.collections.size, 1)
    passing = 1.0
    for side in (groups.request, groups.timeline):
        for group in (*(group for group in side if len(group.numbers) == 1), *several_of(side)):
            if group is not driver:
                passing *= min(1.0, max(group.size, 1) / every)
    if passing == 1.0:
        return limit if driver is groups.collections else limit + limit // 8
    return int(min(max(2 * limit / passing, 60), BUDGET_MAX))


def rows_of(rows: int, limit: int, chosen: int, wanted: int) -> int:
    """How many rows to ask for, after a look that brought `rows` of which `chosen` were, for `wanted` more.

    As many as will do at that rate, but no more than four times as many as before, since the rate is of a few. A
    quarter of a page is always worth a look.
    """
    enough = wanted
    if chosen < rows:
        enough = min(wanted * rows // max(chosen, 1), 4 * rows, max(limit, ROWS_MAX))
    return max(enough, limit // 4, 1)
