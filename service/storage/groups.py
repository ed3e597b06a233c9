"""A selection's terms as the index knows them: which lists there are, which to walk, and how far at a time."""

from functools import cached_property
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from service.domain import terms
from service.domain.filters import Bounds
from service.domain.selection import Selection
from service.domain.terms import Group
from service.storage.lookup import Terms, look_up
from service.storage.memory import Same, recall
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


class Groups(Struct, frozen=True, dict=True):
    """A selection's terms as the index knows them. An impossible one asks for a term that no event ever had.

    What follows from them is worked out once, and kept in its `__dict__`: the pages of a selection share them.
    """

    collections: Terms
    request: list[Terms]
    timeline: list[Terms]
    unwanted: list[list[int]]
    """Terms that no event may have: of the request, and of the timeline."""
    hidden: list[int]
    decide: bool
    """Whether they choose just what the selection does, so that nobody has to look."""

    @cached_property
    def impossible(self) -> bool:
        return not all(group.numbers for group in self.request)

    @property
    def shortest(self) -> int:
        """How many postings the lists have that are walked."""
        return self.driver.size

    @cached_property
    def driver(self) -> Terms:
        """The group that costs least to walk: mostly that with the fewest postings."""
        return min([*self.request, *self.timeline, self.collections], key=cost_of)

    @cached_property
    def met(self) -> list[int] | None:
        """The terms of the shortest other group, if both it and what is walked may be read in one go."""
        others = [group for group in (*self.request, *self.timeline) if group is not self.driver]
        shortest = min(others, key=lambda group: group.size, default=None)
        if shortest is None or max(shortest.size, self.driver.size) > MET_MAX:
            return None
        return shortest.numbers

    @cached_property
    def impossible_timeline(self) -> bool:
        return not all(group.numbers for group in self.timeline)

    @cached_property
    def checked(self) -> list[list[int] | None]:
        """As the statement checks them, of the request and of the timeline: groups of several terms, and then the terms
        of which each must be there.
        """
        checked: list[list[int] | None] = []
        for side in (self.request, self.timeline):
            several = [group.numbers for group in _several_of(side)]
            every = [group.numbers[0] for group in side if len(group.numbers) == 1]
            checked += [*several, *[None] * (GROUPS_MAX - len(several)), every]
        return checked

    @cached_property
    def passing(self) -> float:
        """Which part of the events that are walked the other groups that are checked let pass, as their sizes say."""
        every = max(self.collections.size, 1)
        passing = 1.0
        for side in (self.request, self.timeline):
            for group in (*(group for group in side if len(group.numbers) == 1), *_several_of(side)):
                if group is not self.driver:
                    passing *= min(1.0, max(group.size, 1) / every)
        return passing


async def groups_of(connection: Connection, selection: Selection) -> Groups:
    """What the index has of a selection's terms, whatever its window of dates."""
    lens = selection.lens
    bare = [replace(side, bounds=Bounds()) for side in (selection.filters, selection.timeline)]
    aliases = Same(lens.aliases) if lens.aliases else None
    through = (lens.known, lens.accounts, lens.account_sources, aliases, lens.hidden)
    past = selection.revision != selection.head
    key = ("groups", *bare, *through, selection.sight, selection.sampled, past)
    return await recall(connection, key, lambda: _find_groups(connection, selection), _weight_of)


def _weight_of(groups: Groups) -> int:
    every = [groups.collections, *groups.request, *groups.timeline]
    return 2_000 + 40 * sum(len(group.numbers) for group in every)


async def _find_groups(connection: Connection, selection: Selection) -> Groups:
    lens, sides = selection.lens, (selection.filters, selection.timeline)
    in_sight = selection.collections if selection.ids is None else selection.sight.named
    sight = Group(tuple(("collection", slug) for slug in in_sight))
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


def _several_of(groups: list[Terms]) -> list[Terms]:
    """The groups of several terms that the statement checks: those that the fewest events pass."""
    return sorted((group for group in groups if len(group.numbers) > 1), key=lambda group: group.size)[:GROUPS_MAX]


def budget_of(groups: Groups, limit: int) -> int:
    """How many candidates to look at for a page: more where the other groups that are checked let few of them pass.

    A list that is walked alone may have a few that are out of sight, for which no second look is to be needed.
    """
    if groups.passing == 1.0:
        return limit if groups.driver is groups.collections else limit + limit // 8
    return int(min(max(2 * limit / groups.passing, 60), BUDGET_MAX))


def rows_of(rows: int, limit: int, chosen: int, wanted: int) -> int:
    """How many rows to ask for, after a look that brought `rows` of which `chosen` were, for `wanted` more.

    As many as will do at that rate, but no more than four times as many as before, since the rate is of a few. A
    quarter of a page is always worth a look.
    """
    enough = wanted
    if chosen < rows:
        enough = min(wanted * rows // max(chosen, 1), 4 * rows, max(limit, ROWS_MAX))
    return max(enough, limit // 4, 1)
