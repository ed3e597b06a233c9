"""What the claims seen amount to, taken together: voices, origins, and the state of an event (api: standing)."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from service.domain.event import Claim, ClaimFacts, Standing
from service.domain.values import StandingState

ASSERTING = frozenset({"asserts", "confirms", "corrects"})
DENYING = frozenset({"denies", "disputes"})
SET_ASIDE = frozenset({"mentions", "expects"})

Stated = tuple[Claim, ClaimFacts]
Voice = tuple[str, str]


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
    tally = Tally(aliases)
    for claim, facts in stated:
        tally.add(claim, facts)
    origins = tally.origins
    return Standing(
        state=tally.state(origins),
        asserting=tally.asserting,
        denying=tally.denying,
        sources=len({claim.source for claim, _ in stated}),
        origins=origins,
        first_published=_first(stated, ASSERTING),
        first_denied=_first(stated, DENYING),
    )


class Tally:
    """Claims taken together one after the other, in their documented order.

    Each costs the same however many came before, so the standing after every one of them is as cheap as the last; but
    for claims that rest on several roots, among which the independent are sought again whenever `origins` is asked.
    """

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self.aliases = aliases
        self.asserting = 0
        self.denying = 0
        self._any = False
        self._correcting = 0
        # By voice, in the order of the claims that count; and of those asserting, what they rest on.
        self._counting: dict[Voice, Stated] = {}
        self._roots: Counter[str] = Counter()
        self._several: dict[Voice, Stated] = {}

    def add(self, claim: Claim, facts: ClaimFacts) -> None:
        self._any = True
        if claim.stance in SET_ASIDE:
            return
        voice = _voice(claim, facts, self.aliases)
        earlier = self._counting.pop(voice, None)
        if earlier is not None:
            self._count(voice, *earlier, -1)
        self._counting[voice] = claim, facts
        self._count(voice, claim, facts, 1)

    def _count(self, voice: Voice, claim: Claim, facts: ClaimFacts, number: int) -> None:
        if claim.stance in DENYING:
            self.denying += number
        if claim.stance not in ASSERTING:
            return
        self.asserting += number
        if claim.stance == "corrects":
            self._correcting += number
        if len(facts.roots) > 1:
            if number > 0:
                self._several[voice] = claim, facts
            else:
                del self._several[voice]
        else:
            root = facts.roots[0]
            self._roots[root] += number
            if not self._roots[root]:
                del self._roots[root]

    @property
    def origins(self) -> int:
        """Independent roots: claims resting on one root first, then those on several, by source slug."""
        number = len(self._roots)
        if self._several:
            counted = set(self._roots)
            for _, facts in sorted(self._several.values(), key=lambda pair: pair[0].source):
                if counted.isdisjoint(facts.roots):
                    number += 1
                    counted.update(facts.roots)
        return number

    def state(self, origins: int) -> StandingState:
        """What they amount to, of so many origins."""
        if not self._any:
            return "unsourced"
        if not self._counting:
            return "mentioned"
        if self.asserting and self.denying:
            return "contested"
        if self.denying:
            return "denied"
        if not self.asserting:
            return "retracted"
        if self._correcting:
            return "corrected"
        return "corroborated" if origins >= 2 else "reported"


def _voice(claim: Claim, facts: ClaimFacts, aliases: Mapping[str, str]) -> Voice:
    """Who stands behind a claim. An actor and a source of the same slug are two voices."""
    actor = claim.speakers[0] if claim.speakers else facts.publisher
    return ("source", claim.source) if actor is None else ("actor", aliases.get(actor, actor))


def _first(stated: Sequence[Stated], stances: frozenset[str]) -> str | None:
    """The publication date of the earliest of these claims that has one, as its source gives it.

    A voice that says a thing again later does not move the day on which it was first said.
    """
    dated = (claim.published for claim, facts in stated if claim.stance in stances and facts.reached is not None)
    return next(dated, None)
