"""Lenses: how a recorded version of an event is seen by what was publicly known, whose account it is, and who asks.

`see` is the whole meaning of a lens. What it leaves out is left out everywhere: of the document, of its standing, of
the date by which it is ordered, and so of what filters can choose.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from service.domain import dates
from service.domain.dates import EARLIEST, LATEST
from service.domain.event import Claim, ClaimFacts, Event, EventInput, Facts, Moment, Occurred
from service.domain.instants import seconds_of_recorded
from service.domain.standing import standing_of

Whole = Annotated[int, Meta(ge=EARLIEST, le=LATEST)]
Position = tuple[bool, Whole, Whole, Whole]
"""A place in a listing: whether undated, lower bound, upper bound, event number."""

Aliases = Mapping[str, str]
"""The actor that each merged actor stands for, by slug, at one revision."""


class Lens(Struct, frozen=True):
    """Through what a version is seen."""

    known: int = LATEST
    """Last second of what was publicly known; LATEST is all that is recorded."""
    accounts: frozenset[str] | None = None
    """Actors whose claims are seen, as voice or publisher."""
    account_sources: frozenset[str] | None = None
    """Sources whose claims are seen."""
    aliases: Aliases = {}
    hidden: frozenset[str] = frozenset()
    """Collections out of the caller's sight, into which no relation is shown."""

    @property
    def of_account(self) -> bool:
        """Whether claims, and the dates they give, speak for the event itself."""
        return self.accounts is not None or self.account_sources is not None

    @property
    def trims(self) -> bool:
        """Whether claims may be taken away, so that documents are not served as they are stored."""
        return self.known != LATEST or self.of_account

    def actor(self, slug: str) -> str:
        """The actor that a slug stands for."""
        return self.aliases.get(slug, slug)

    def shows(self, claim: Claim, facts: ClaimFacts) -> bool:
        """Whether a claim is seen: published by then, and told by one of the accounts."""
        if self.known != LATEST and (facts.reached is None or facts.reached > self.known):
            return False
        if self.account_sources is not None and claim.source not in self.account_sources:
            return False
        if self.accounts is None:
            return True
        teller = claim.speakers[0] if claim.speakers else facts.publisher
        told_by = {self.actor(slug) for slug in (teller, facts.publisher) if slug is not None}
        return not told_by.isdisjoint({self.actor(slug) for slug in self.accounts})


class Version(Struct, frozen=True):
    """One recorded state of an event, as storage holds it: document None once retracted, facts where asked for."""

    event: int
    revision: int
    lo: int
    hi: int
    known: int
    undated: bool
    document: bytes | None
    facts: bytes | None
    actors: list[int]
    sources: list[int]


class Seen(Struct, frozen=True):
    """An event as the lenses show it, with what orders and chooses it.

    facts: of the claims seen, in their order. whole: it shows just as it is stored.
    """

    number: int
    event: Event
    facts: list[ClaimFacts]
    lo: int
    hi: int
    undated: bool
    whole: bool

    @property
    def position(self) -> Position:
        return (self.undated, self.lo, self.hi, self.number)


_decode_event = msgspec.json.Decoder(Event).decode
_decode_facts = msgspec.json.Decoder(Facts).decode


def see(version: Version, lens: Lens) -> Seen | None:
    """The event as the lens shows it, or None where it does not: retracted, not yet known, or no part of the account.

    Without its facts a version can be seen only where no lens takes claims away, and no filter will ask about them.
    """
    if version.document is None or version.known > lens.known:
        return None
    event = _decode_event(version.document)
    facts = _decode_facts(version.facts or b"{}")
    told = facts.claims
    lo, hi, undated, whole = version.lo, version.hi, version.undated, not lens.trims
    if lens.trims:
        shown = [pair for pair in zip(event.claims, told, strict=True) if lens.shows(*pair)]
        if not shown and (event.claims or lens.of_account):
            return None
        told = [each for _, each in shown]
        event = msgspec.structs.replace(
            event, claims=[claim for claim, _ in shown], standing=standing_of(shown, lens.aliases)
        )
        if lens.of_account and (occurred := _told_date(event)) is not None:
            event = msgspec.structs.replace(event, occurred=occurred)
            lo, hi, undated = bounds_of(occurred.edtf)
    if lens.hidden and any(reached in lens.hidden for reached in facts.reaches):
        event, whole = _in_sight(event, facts, lens), False
    return Seen(version.event, event, told, lo, hi, undated, whole)


def _in_sight(event: Event, facts: Facts, lens: Lens) -> Event:
    there = zip(event.relations, facts.reaches, strict=True)
    return msgspec.structs.replace(event, relations=[each for each, into in there if into not in lens.hidden])


def in_sight(document: bytes, facts: bytes, lens: Lens) -> bytes:
    """A document as it is stored, but for its relations into collections out of sight."""
    return msgspec.json.encode(_in_sight(_decode_event(document), _decode_facts(facts), lens))


class _Reaches(Struct, frozen=True):
    reaches: list[str | None] = []


_decode_reaches = msgspec.json.Decoder(_Reaches).decode


def shows_whole(version: Version, lens: Lens) -> bool:
    """Whether a version that is not retracted shows through the lens just as it is stored; its facts are at hand."""
    return not lens.trims and (
        not lens.hidden or lens.hidden.isdisjoint(_decode_reaches(version.facts or b"{}").reaches)
    )


def _told_date(event: Event) -> Occurred | None:
    """The date that the latest of the claims gives that give one."""
    return next((claim.occurred for claim in reversed(event.claims) if claim.occurred is not None), None)


def known_from(occurred: Occurred | None, claims: list[Claim], facts: Facts, created: Moment) -> int:
    """The first second at which the event was publicly known; LATEST where no claim of it has a date."""
    if claims:
        return min((f.reached for f in facts.claims if f.reached is not None), default=LATEST)
    if occurred is not None and occurred.earliest is not None:
        start = dates.recalled(occurred.edtf).start
        return EARLIEST if start is None else start
    return seconds_of_recorded(created.recorded)


def bounds_of(occurred: str | None) -> tuple[int, int, bool]:
    """Lower and upper bound for order and window, and whether there is no date at all."""
    if occurred is None:
        return LATEST, LATEST, True
    date = dates.recalled(occurred)
    return (
        EARLIEST if date.start is None else date.start,
        LATEST if date.end is None else date.end,
        False,
    )


def told_places(event: Event) -> list[tuple[int, int]]:
    """The bounds of all dates other than the event's own that an account of it may give."""
    own = None if event.occurred is None else bounds_of(event.occurred.edtf)[:2]
    told = {bounds_of(claim.occurred.edtf)[:2] for claim in event.claims if claim.occurred is not None}
    return sorted(told - {own})


def actors_named(event: Event | EventInput) -> set[str]:
    """The actors that the event, as seen, names itself."""
    return {p.actor for p in event.actors} | {speaker for claim in event.claims for speaker in claim.speakers}


def sources_named(event: Event | EventInput) -> set[str]:
    """The sources that the event, as seen, names itself."""
    return {c.source for c in event.claims} | {c.via for c in event.claims if c.via is not None}
