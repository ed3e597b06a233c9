"""What the claims seen amount to, taken together: voices, origins, and the state of an event (api: standing)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from service.domain.event import Claim, ClaimFacts, Standing
from service.domain.values import StandingState

ASSERTING = frozenset({"asserts", "confirms", "corrects"})
DENYING = frozenset({"denies", "disputes"})
SET_ASIDE = frozenset({"mentions", "expects"})

Stated = tuple[Claim, ClaimFacts]


def roots_of(start: str, parents: Callable[[str], Iterable[str]]) -> list[str]:
    """The sources on which `start` finally rests: the sinks of its graph, a cycle counting as one.

    A cycle is named by the first of its slugs; one that has a way out is no root itself. `start` without parents is
    its own root. Tarjan's algorithm, iterative, since chains may be longer than Python's stack.
    """
    index: dict[str, int] = {start: 0}
    low: dict[str, int] = {start: 0}
    path = [start]
    on_path = {start}
    component: dict[str, str] = {}
    leaves: dict[str, bool] = {}
    work = [(start, iter(parents(start)))]
    while work:
        node, rest = work[-1]
        for parent in rest:
            if parent not in index:
                index[parent] = low[parent] = len(index)
                path.append(parent)
                on_path.add(parent)
                work.append((parent, iter(parents(parent))))
                break
            if parent in on_path:
                low[node] = min(low[node], index[parent])
        else:
            work.pop()
            if work:
                below = work[-1][0]
                low[below] = min(low[below], low[node])
            if low[node] == index[node]:
                members = set()
                while node not in members:
                    members.add(path.pop())
                on_path -= members
                name = min(members)
                component.update(dict.fromkeys(members, name))
                leaves[name] = all(component[p] == name for member in members for p in parents(member))
    return sorted(name for name, is_root in leaves.items() if is_root)


def standing_of(stated: Sequence[Stated], aliases: Mapping[str, str] = MappingProxyType({})) -> Standing:
    """The standing of claims given in their documented order, which is also the order in which they were made.

    `aliases` tells which actor a merged one stands for: the two are one voice.
    """
    # By voice, in the order of the claims that count.
    counting: dict[tuple[str, str], Stated] = {}
    for claim, facts in stated:
        if claim.stance not in SET_ASIDE:
            voice = _voice(claim, facts, aliases)
            counting.pop(voice, None)
            counting[voice] = (claim, facts)
    asserting = [pair for pair in counting.values() if pair[0].stance in ASSERTING]
    denying = [pair for pair in counting.values() if pair[0].stance in DENYING]
    origins = _origins(asserting)
    return Standing(
        state=_state(stated, counting, asserting, denying, origins),
        asserting=len(asserting),
        denying=len(denying),
        sources=len({claim.source for claim, _ in stated}),
        origins=origins,
        first_published=_first(stated, ASSERTING),
        first_denied=_first(stated, DENYING),
    )


def _voice(claim: Claim, facts: ClaimFacts, aliases: Mapping[str, str]) -> tuple[str, str]:
    """Who stands behind a claim. An actor and a source of the same slug are two voices."""
    actor = claim.speakers[0] if claim.speakers else facts.publisher
    return ("source", claim.source) if actor is None else ("actor", aliases.get(actor, actor))


def _state(
    stated: Sequence[Stated],
    counting: dict[tuple[str, str], Stated],
    asserting: Sequence[Stated],
    denying: Sequence[Stated],
    origins: int,
) -> StandingState:
    if not stated:
        return "unsourced"
    if not counting:
        return "mentioned"
    if not asserting and not denying:
        return "retracted"
    if asserting and denying:
        return "contested"
    if denying:
        return "denied"
    if any(claim.stance == "corrects" for claim, _ in asserting):
        return "corrected"
    return "corroborated" if origins >= 2 else "reported"


def _origins(asserting: Sequence[Stated]) -> int:
    """Independent roots: claims resting on one root first, then those on several, by source slug."""
    counted = {facts.roots[0] for _, facts in asserting if len(facts.roots) == 1}
    number = len(counted)
    several = sorted((pair for pair in asserting if len(pair[1].roots) > 1), key=lambda pair: pair[0].source)
    for _, facts in several:
        if counted.isdisjoint(facts.roots):
            number += 1
            counted.update(facts.roots)
    return number


def _first(stated: Sequence[Stated], stances: frozenset[str]) -> str | None:
    """The publication date of the earliest of these claims that has one, as its source gives it.

    A voice that says a thing again later does not move the day on which it was first said.
    """
    dated = (claim.published for claim, facts in stated if claim.stance in stances and facts.reached is not None)
    return next(dated, None)
