"""The service with one rule of it made wrong, to see that the laws notice: `python -m tests.api.planted BUG serve`.

Nothing in the service knows of this. A bug replaces one name in this process before the command runs, so the service
must be one process (one worker, as is the default).
"""

import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from service import __main__ as command
from service.domain import dates, diff, filters, lenses, standing
from service.domain.dates import LATEST
from service.domain.filters import Box, ClaimFilter
from service.domain.lenses import Lens
from service.domain.parameters import Lenses
from service.operations import comparing, selecting
from service.storage import events, resources

replace: Callable[..., Any] = msgspec.structs.replace
Wrong = Callable[[Any], Any]
"""Makes of what is right what is wrong."""


def ties_reversed(walk: Any) -> Any:
    async def wrong(*given: Any) -> AsyncIterator[Any]:
        tied: list[Any] = []
        async for found in walk(*given):
            if tied and tied[-1].position[:3] != found.position[:3]:
                for each in reversed(tied):
                    yield each
                tied = []
            tied.append(found)
        for each in reversed(tied):
            yield each

    return wrong


def seen_from_the_latest_bound(shows: Any) -> Any:
    def wrong(lens: Any, claim: Any, facts: Any) -> Any:
        end = None if claim.published is None else dates.parse(claim.published).end
        late = replace(facts, reached=LATEST if end is None else end)
        return shows(lens, claim, facts if claim.published is None else late)

    return wrong


def told_by_publishers(shows: Any) -> Any:
    return lambda lens, claim, facts: shows(lens, replace(claim, speakers=[]), facts)


def not_resolved(_: Any) -> Any:
    async def wrong(*given: Any) -> dict[str, str]:
        return {}

    return wrong


def of_different_claims(claims_hold: Any) -> Any:
    def wrong(asked: Any, seen: Any, lens: Any) -> bool:
        members = ({name: getattr(asked, name)} for name in ClaimFilter.__struct_fields__)
        return all(claims_hold(ClaimFilter(**member), seen, lens) for member in members)

    return wrong


def of_different_participations(hold: Any) -> Any:
    return lambda asked, *rest: hold(replace(asked, roles=()), *rest) and hold(replace(asked, actors=()), *rest)


def flat(_: Any) -> Any:
    return lambda box, latitude, longitude: box.west <= longitude <= box.east and box.south <= latitude <= box.north


def without_exclusions(select: Any) -> Any:
    async def wrong(*given: Any) -> Any:
        reading = await select(*given)
        return replace(reading, selection=replace(reading.selection, exclude=frozenset()))

    return wrong


def without_other(change_between: Any) -> Any:
    def wrong(*sides: Any) -> Any:
        change = change_between(*sides)
        return replace(change, other=None, fields=[]) if hasattr(change, "other") else change

    return wrong


def matched_by_id(_: Any) -> Any:
    return lambda named, on_base, on_head: {
        each.event: each.event
        for same in named.values()
        for each in same
        if on_base[each.event].chosen and on_head[each.event].chosen
    }


BUGS: dict[str, tuple[Any, str, Wrong]] = {
    "confirming does not assert": (standing, "ASSERTING", lambda right: right - {"confirms"}),
    "a voice keeps its first claim": (
        standing,
        "standing_of",
        lambda right: lambda stated, *rest: right(list(stated)[::-1], *rest),
    ),
    "ties are reversed": (events, "walk_selection", ties_reversed),
    "known_at looks at the latest bound": (Lens, "shows", seen_from_the_latest_bound),
    "an account's date does not take over": (lenses, "_told_date", lambda right: lambda event: None),
    "publishers alone give an account": (Lens, "shows", told_by_publishers),
    "a timeline's lenses stay": (Lenses, "over", lambda right: lambda given, defaults: right(defaults, given)),
    "merges are ignored": (resources, "read_aliases", not_resolved),
    "claim filters hold of different claims": (filters, "_claims_hold", of_different_claims),
    "actor and role hold of different participations": (filters, "_participations_hold", of_different_participations),
    "no box crosses 180°": (Box, "hold", flat),
    "claims without a date match": (
        filters,
        "_published_in",
        lambda right: lambda claim, *window: claim.published is None or right(claim, *window),
    ),
    "what is private is listed": (
        selecting,
        "sight_of",
        lambda right: lambda caller, known: right(caller, dict.fromkeys(known, "public")),
    ),
    "what is unlisted is listed": (
        selecting,
        "sight_of",
        lambda right: lambda *given: replace(right(*given), listed=right(*given).named),
    ),
    "relations into what is hidden are shown": (
        selecting,
        "sight_of",
        lambda right: lambda *given: replace(right(*given), hidden=frozenset()),
    ),
    "exclusions of a timeline are forgotten": (selecting, "select", without_exclusions),
    "a new standing is no change": (
        diff,
        "fields_between",
        lambda right: lambda *sides: [name for name in right(*sides) if name != "standing"],
    ),
    "what exists outside a selection is not told": (comparing, "change_between", without_other),
    "keys are not matched": (comparing, "_counterparts", matched_by_id),
}
"""Each bug: where the name stands, the name, and what makes it wrong."""


def plant(bug: str) -> None:
    owner, name, wrong = BUGS[bug]
    setattr(owner, name, wrong(getattr(owner, name)))


if __name__ == "__main__":
    plant(sys.argv.pop(1))
    command.main()
