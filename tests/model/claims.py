"""Claims: their order, the voices and origins behind them, and the standing they amount to."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.model.dates import UNBOUNDED_START, span
from tests.model.forms import Document, Form

Aliases = Mapping[str, str]
"""The actor that each merged actor stands for; one that is not merged stands for itself."""

ASSERTING = ("asserts", "confirms", "corrects")
DENYING = ("denies", "disputes")
SET_ASIDE = ("mentions", "expects")


def claim_order(given: Form, published: str | None) -> tuple[Any, ...]:
    """The documented order of claims, which also tells the latest of a voice: by date, then by what identifies one.

    Reading: `published` null and an open start are both earlier than every date, so a claim of unknown date never
    overrides a dated one; a date taken over from the source counts as null where claims are told apart; a null
    locator comes before any other.
    """
    low = UNBOUNDED_START if published is None else span(published).low
    return low, given["source"], given["stance"], given["speakers"], given["published"] or "", given["locator"] or ""


def speaking(claim: Form, sources: Mapping[str, Form]) -> str | None:
    """The actor who speaks in a claim, if there is one: its first speaker, else the source's publisher."""
    publisher: str | None = sources[claim["source"]]["publisher"]
    return claim["speakers"][0] if claim["speakers"] else publisher


def voice(claim: Form, sources: Mapping[str, Form], aliases: Aliases) -> tuple[str, str]:
    """Who stands behind a claim; merged actors are one. An actor and a source of the same slug are two voices."""
    actor = speaking(claim, sources)
    return ("source", claim["source"]) if actor is None else ("actor", aliases.get(actor, actor))


def reach(source: str, sources: Mapping[str, Form]) -> frozenset[str]:
    """The source itself and all it is derived from, near and far."""
    found = {source}
    for _ in sources:
        found |= {further for each in found for further in sources[each]["derived_from"]}
    return frozenset(found)


def roots(claim: Form, sources: Mapping[str, Form]) -> set[frozenset[str]]:
    """The root sources of a claim, each as the set of sources that are this root: one, or those of a cycle.

    Reading: a cycle is a root where nothing leads out of it; where something does, the root lies further on.
    """
    found = set()
    for source in reach(claim["via"] or claim["source"], sources):
        onwards = reach(source, sources)
        if all(source in reach(further, sources) for further in onwards):
            found.add(onwards)
    return found


def count_origins(asserting: list[Form], sources: Mapping[str, Form]) -> int:
    """How many independent origins stand behind the asserting claims.

    Reading: a claim that touches a counted root adds none and marks none; only one that adds marks its roots.
    So every origin counted shares no root with another. Among claims of one source their order decides.
    """
    rooted = [roots(claim, sources) for claim in sorted(asserting, key=lambda claim: str(claim["source"]))]
    counted = {root for each in rooted if len(each) == 1 for root in each}
    origins = len(counted)
    for each in rooted:
        if len(each) > 1 and not each & counted:
            origins += 1
            counted |= each
    return origins


def first_date(claims: Iterable[Form]) -> str | None:
    """Reading: the claim's date is its `published` as it stands; claims without one are passed over."""
    return next((str(claim["published"]) for claim in claims if claim["published"] is not None), None)


def standing(claims: list[Form], sources: Mapping[str, Form], aliases: Aliases) -> Document:
    """What claims amount to, given in their documented order.

    Reading: the claims whose voices and origins are counted are those that count, the latest of each voice; the
    first dates are of all that assert or deny, since saying a thing again does not move when it was first said.
    """
    latest: dict[tuple[str, str], Form] = {}
    for claim in claims:
        if claim["stance"] not in SET_ASIDE:
            who = voice(claim, sources, aliases)
            latest.pop(who, None)
            latest[who] = claim
    asserting = [claim for claim in latest.values() if claim["stance"] in ASSERTING]
    denying = [claim for claim in latest.values() if claim["stance"] in DENYING]
    origins = count_origins(asserting, sources)
    if not claims:
        state = "unsourced"
    elif not latest:
        state = "mentioned"
    elif not asserting and not denying:
        state = "retracted"
    elif asserting and denying:
        state = "contested"
    elif denying:
        state = "denied"
    elif any(claim["stance"] == "corrects" for claim in asserting):
        state = "corrected"
    elif origins >= 2:
        state = "corroborated"
    else:
        state = "reported"
    return {
        "state": state,
        "asserting": len(asserting),
        "denying": len(denying),
        "sources": len({claim["source"] for claim in claims}),
        "origins": origins,
        "first_published": first_date(claim for claim in claims if claim["stance"] in ASSERTING),
        "first_denied": first_date(claim for claim in claims if claim["stance"] in DENYING),
    }
