"""The service with one rule of it made wrong, to see that the laws notice: `python -m tests.api.planted BUG serve`.

Nothing in the service knows of this. A bug replaces a name or two in this process before the command runs, so the
service must be one process (one worker, as is the default).
"""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from service import __main__ as command
from service.domain import asking, dates, diff, filters, lenses, rendering, standing, terms
from service.domain.asking import Lenses
from service.domain.dates import EARLIEST, LATEST
from service.domain.filters import Box, ClaimFilter
from service.domain.histogram import Tally
from service.domain.lenses import Lens
from service.domain.text import Phrase
from service.operations import comparing, counting, naming, pairing, selecting, turning
from service.storage import counting as counted
from service.storage import names, resources, walking

replace: Callable[..., Any] = msgspec.structs.replace
Wrong = Callable[[Any], Any]
"""Makes of what is right what is wrong."""


def ties_reversed(statement: str) -> str:
    """Events of the same date in the other order."""
    for order, other in (("ASC", "DESC"), ("DESC", "ASC")):
        if f"f.event {order} " in statement:
            return statement.replace(f"f.event {order} ", f"f.event {other} ")
    raise ValueError(statement)


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


def found_by_different_participations(find: Any) -> Any:
    def wrong(asked: Any, lens: Any) -> Any:
        yield from find(replace(asked, roles=()), lens)
        yield from find(replace(asked, actors=()), lens)

    return wrong


def of_first_claims(standing_of: Any) -> Any:
    return lambda stated, *rest: standing_of(list(stated)[::-1], *rest)


def certainly(published_in: Any) -> Any:
    def wrong(claim: Any, first: int, last: int) -> bool:
        before, after = published_in(claim, EARLIEST, first - 1), published_in(claim, last + 1, LATEST)
        return published_in(claim, first, last) and not before and not after

    return wrong


def flat(_: Any) -> Any:
    return lambda box, latitude, longitude: box.west <= longitude <= box.east and box.south <= latitude <= box.north


def apart(_: Any) -> Any:
    return lambda phrase, words: all(any(map(piece.fits, words)) for piece in phrase.pieces)


def both_of_either(read: Any) -> Any:
    def wrong(text: str) -> Any:
        asked = read(text)
        return replace(asked, wanted=tuple((phrase,) for some in asked.wanted for phrase in some))

    return wrong


def called_as_today(read: Any) -> Any:
    async def wrong(connection: Any, sought: Any, revision: int, limit: int) -> Any:
        return await read(connection, sought, LATEST, limit)

    return wrong


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
    def wrong(base: list[int], head: list[int]) -> list[tuple[int | None, int | None]]:
        left = [(number, number if number in head else None) for number in base]
        return [*left, *((None, number) for number in head if number not in base)]

    return wrong


class Bug(NamedTuple):
    """A wrong rule: the law that it breaks, and each name that is replaced: where it stands, the name, what becomes."""

    law: str
    replaced: tuple[tuple[Any, str, Wrong], ...]


def in_law(name: str, *replaced: tuple[Any, str, Wrong]) -> Bug:
    return Bug(f"test_{name}", replaced)


LISTINGS = "listings_through_the_lenses_equal_the_models"
DIFFS = "a_diff_leads_from_the_base_to_the_head"
COUNTED = "counts_equal_the_models"
SIGHT = "what_a_caller_may_not_see_is_nowhere"
BUGS: dict[str, Bug] = {
    "confirming does not assert": in_law(LISTINGS, (standing, "ASSERTING", lambda right: right - {"confirms"})),
    "a voice keeps its first claim": in_law(
        LISTINGS, *((module, "standing_of", of_first_claims) for module in (rendering, lenses))
    ),
    "ties are reversed": in_law(
        LISTINGS,
        *(
            (walking, f"{name}_{way}", ties_reversed)
            for name in ("PAGE", "JOINED", "ACCOUNT")
            for way in ("ASCENDING", "DESCENDING")
        ),
    ),
    "known_at looks at the latest bound": in_law(LISTINGS, (Lens, "shows", seen_from_the_latest_bound)),
    "an account's date does not take over": in_law(LISTINGS, (lenses, "_told_date", lambda right: lambda event: None)),
    "publishers alone give an account": in_law(LISTINGS, (Lens, "shows", told_by_publishers)),
    "a timeline's lenses stay": in_law(
        LISTINGS, (Lenses, "over", lambda right: lambda given, defaults: right(defaults, given))
    ),
    "merges are ignored": in_law(LISTINGS, (resources, "read_aliases", not_resolved)),
    "claim filters hold of different claims": in_law(LISTINGS, (filters, "_claims_hold", of_different_claims)),
    "actor and role hold of different participations": in_law(
        LISTINGS,
        (filters, "_participations_hold", of_different_participations),
        (terms, "_participations", found_by_different_participations),
    ),
    "no box crosses 180°": in_law(LISTINGS, (Box, "hold", flat)),
    "publications must lie in the window": in_law(LISTINGS, (filters, "_published_in", certainly)),
    "exclusions of a timeline are forgotten": in_law(LISTINGS, (selecting, "select", without_exclusions)),
    "words of a phrase stand apart": in_law(LISTINGS, (Phrase, "stands_in", apart)),
    "or is and": in_law(LISTINGS, (asking, "read_text", both_of_either)),
    "a name counts for the past": in_law(LISTINGS, (names, "read_named", called_as_today)),
    "names of merged actors are nobody's": in_law(
        LISTINGS, (naming, "of_actors", lambda right: lambda text, named, aliases: right(text, named, {}))
    ),
    "a new name is no change": in_law(DIFFS, (turning, "_turned_by_names", lambda right: lambda *given: {})),
    "what is private is listed": in_law(
        SIGHT,
        (selecting, "sight_of", lambda right: lambda caller, known: right(caller, dict.fromkeys(known, "public"))),
    ),
    "what is unlisted is listed": in_law(
        SIGHT,
        (selecting, "sight_of", lambda right: lambda *given: replace(right(*given), listed=right(*given).named)),
    ),
    "relations into what is hidden are shown": in_law(
        SIGHT, (selecting, "sight_of", lambda right: lambda *given: replace(right(*given), hidden=frozenset()))
    ),
    "a new standing is no change": in_law(
        DIFFS,
        (
            diff,
            "fields_between",
            lambda right: lambda *sides: [name for name in right(*sides) if name != "standing"],
        ),
    ),
    "what exists outside a selection is not told": in_law(DIFFS, (comparing, "change_between", without_other)),
    "an event counts only where it begins": in_law(
        COUNTED,
        (
            Tally,
            "add",
            lambda right: lambda tally, ranges, number: right(tally, [(each[0], each[0]) for each in ranges], number),
        ),
    ),
    "values count in other claims than those asked for": in_law(
        COUNTED, (counting, "posted_alike", lambda right: lambda *given: True)
    ),
    "merged actors count beside those they stand for": in_law(COUNTED, (counted, "_alike", not_resolved)),
    "keys are not matched": in_law(DIFFS, (pairing, "counterparts", matched_by_id)),
}


def plant(bug: str) -> None:
    for owner, name, wrong in BUGS[bug].replaced:
        setattr(owner, name, wrong(getattr(owner, name)))


if __name__ == "__main__":
    plant(sys.argv.pop(1))
    command.main()
