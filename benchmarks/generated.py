"""Generated events, the same for the same size: made by a fixed seed. `loading` loads them past the write path.

Events lie between 1900 and 2025, with days, months, years, spans, open ends and none; recorded in random order over a
thousand revisions, one in five of them revised since and one in a hundred retracted. They have up to four actors with
roles and up to four claims, of sources with publishers that rest on each other, a few in a hundred denying, and one in
fifty with a date of its own; languages, places, tags and relations. Some values are hot, some middling, some rare. A
few actors have been merged, and some relations lead into a collection that is private.
"""

import os
from bisect import bisect
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from itertools import accumulate
from random import Random
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from service.domain import rendering, terms
from service.domain.event import (
    ClaimInput,
    Event,
    EventInput,
    Facts,
    Moment,
    ParticipationInput,
    PlaceInput,
    RelationInput,
)
from service.domain.instants import recorded_text
from service.domain.lenses import actors_named, bounds_of, known_from, sources_named, told_places
from service.domain.resources import Actor, Collection, Source, Timeline
from service.domain.standing import roots_of
from service.domain.terms import Term
from service.domain.values import Phase

SEED = 2025
REVISIONS = 1_000
VOCABULARY = 50_000
WORDS = int(os.environ.get("WORDS", "12"))
"""Of the vocabulary, in each event: they are a seventh of what its terms take on the disk."""
MADE_MAX = 1_000_000
"""Of a store of so many millions only one is made, and the others are copies of it under names of their own."""
COPY = 1 << 14
"""How far apart in the numbers of events the copies of one are: more than a revision makes."""
FIRST = 2
"""The first revision that makes events; all else is made before."""
ACTORS = 2_000
PUBLISHERS = 200
SOURCES = 2_000
MERGED = {"hot-once": "hot", "a7": "a8", "a9": "a8", "publisher-3": "publisher-4"}
PHASES: dict[Phase, int] = {"happened": 90, "expected": 9, "cancelled": 1}
ROLES = {"subject": 50, "host": 20, "guest": 15, "speaker": 14, "victim": 1}
LANGUAGES = {None: 20, "en": 45, "en-GB": 10, "de": 10, "sr": 8, "sr-Latn": 6, "sq": 1}
COUNTRIES = {"US": 30, "RS": 20, "XK": 15, "DE": 15, "FR": 10, "AL": 9, "VU": 1}
STANCES = {"asserts": 80, "confirms": 8, "mentions": 5, "denies": 3, "corrects": 2, "expects": 1, "retracts": 1}
RELATIONS = {"follows": 60, "causes": 25, "responds_to": 14, "same_as": 1}
PUBLISHED = {"day": 85, "month": 8, "year": 4, "decade": 1, "none": 2}
OCCURRED = {
    "day": 600, "month": 150, "year": 90, "days": 60, "months": 30, "years": 30, "decade": 20, "open": 15, "none": 5,
}  # fmt: skip
LENGTHS = {"days": 10, "months": 200, "years": 3_000}
TOWNS = [(42.66, 21.16), (44.8, 20.46), (38.9, -77.0), (52.5, 13.4), (48.85, 2.35), (-17.73, 168.3), (-18.1, 178.4)]


class Version(Struct, frozen=True):
    """A row of the version table, with names in place of numbers."""

    event: int
    revision: int
    lo: int
    hi: int
    undated: bool
    known: int
    terms: frozenset[Term]
    actors: set[str]
    sources: set[str]
    document: bytes | None
    facts: bytes | None
    told: list[int]


class Place(Struct, frozen=True):
    """What a number of an event says of it: who it is, where it belongs, and when it was made."""

    number: int
    event: int
    id: UUID
    collection: str
    created: int

    @property
    def key(self) -> str:
        return f"event-{self.number}"


class Generated:
    """What is in a store of so many events: those that are made, `size`, and copies of them, `total` together."""

    def __init__(self, size: int, now: datetime, copies: int = 1) -> None:
        self.size, self.copies, self.total = size, copies, size * copies
        self.begin = now.replace(microsecond=0) - timedelta(minutes=REVISIONS + 2)
        self.sources = {source.slug: source for source in self._sources()}
        self._roots = cache(lambda slug: roots_of(slug, lambda each: self.sources[each].derived_from))

    def recorded(self, revision: int) -> datetime:
        return self.begin + timedelta(minutes=revision)

    def place(self, number: int) -> Place:
        """The event of a number: all that another needs to point at it."""
        made = REVISIONS - FIRST
        # What comes after all copies belongs to revisions that are still to come.
        copy = number // self.size if number < self.total else self.copies - 1
        first = number - copy * self.size
        created = FIRST + first * made // self.size
        place = first - -(-(created - FIRST) * self.size // made) + (copy * COPY if number < self.total else 0)
        milliseconds = int(self.recorded(created).timestamp() * 1000)
        value = milliseconds << 80 | 0x7 << 76 | (place >> 6) << 64 | 0b10 << 62 | (place & 63) << 56 | number
        private = first % 50 == 49
        collection = "closed" if private else "side" if first % 20 == 3 else "main"
        return Place(number, milliseconds << 18 | place, UUID(int=value), collection, created)

    # Actors, sources, collections and a timeline

    def named(self) -> dict[Any, list[Any]]:
        """Documents by kind."""
        slugs = ["hot", "hot-once", "mid", "rare", *(f"a{number}" for number in range(ACTORS))]
        slugs += [f"publisher-{number}" for number in range(PUBLISHERS)]
        pins = [str(self.place(number * (self.size // 60)).id) for number in range(50)]
        return {
            "collection": [
                self._made(Collection, slug=slug, title=slug, visibility=visibility)
                for slug, visibility in (("main", "public"), ("side", "public"), ("closed", "private"))
            ],
            "actor": [
                self._made(
                    Actor, slug=slug, name=f"The actor {slug}", type="organisation", merged_into=MERGED.get(slug)
                )
                for slug in slugs
            ],
            "source": list(self.sources.values()),
            "timeline": [
                self._made(
                    Timeline,
                    slug="war",
                    title="The war",
                    visibility="public",
                    selection={"tag": ["hot"], "kind": ["kind-1", "kind-2"]},
                    include=pins[:20],
                    exclude=pins[20:],
                )
            ],
        }

    def _sources(self) -> Iterator[Source]:
        random = Random(f"{SEED} sources")
        for number in range(SOURCES):
            # A few publish much: every tenth source is of the first one.
            publisher = 0 if number % 10 == 0 else random.randrange(PUBLISHERS)
            rests_on = [f"s{random.randrange(number)}" for _ in range(random.choice([0, 0, 1, 2]))] if number else []
            yield self._made(
                Source,
                slug=f"s{number}",
                title=f"Report {number}",
                publisher=f"publisher-{publisher}",
                type="article",
                published="2000",
                derived_from=sorted(set(rests_on)),
            )

    def _made(self, shape: Any, **own: Any) -> Any:
        empty: dict[str, Any] = {"names": {}, "aliases": [], "external_ids": {}, "derived_from": []}
        at = {"revision": 1, "recorded": recorded_text(self.recorded(1))}
        values = dict.fromkeys(shape.__struct_fields__) | empty | at | own
        return shape(**{name: values[name] for name in shape.__struct_fields__})

    # Events

    def versions(self, first: int, last: int) -> Iterator[tuple[Place, list[Version]]]:
        """The events of these numbers, with all that has been recorded of each."""
        for number in range(first, last):
            random = Random(SEED << 32 | number)
            place = self.place(number)
            form = self._form(place, random)
            versions = [self._version(place, form, place.created)]
            if random.random() < 0.2 and place.created < REVISIONS - 2:
                later = random.randint(place.created + 1, REVISIONS - 1)
                versions.append(self._version(place, self._revised(form, random), later))
            if random.random() < 0.01:
                versions.append(self._retracted(versions[-1]))
            yield place, versions

    def _form(self, place: Place, random: Random) -> EventInput:
        number = place.number
        is_hot = random.random() < 0.2
        actors = [random.choice(["hot", "hot", "hot", "hot-once"])] if is_hot else []
        actors += ["mid"] if random.random() < 0.01 else []
        actors += ["rare"] if number % (self.size // 20) == 7 else []
        actors += [f"a{actor}" for actor in random.sample(range(ACTORS), random.randint(1, 3))]
        tags = [f"tag-{random.randrange(50)}" for _ in range(random.randint(0, 2))]
        tags += ["hot"] if random.random() < 0.2 else []
        tags += ["cold"] if not is_hot and random.random() < 0.25 else []
        return EventInput(
            key=place.key,
            collection=place.collection,
            title=f"What happened under number {number}",
            summary=self._summary(number),
            language=one(LANGUAGES, random),
            occurred=occurred(random),
            kind=f"kind-{random.randrange(10)}",
            phase=one(PHASES, random),
            actors=[ParticipationInput(actor=slug, role=one(ROLES, random)) for slug in actors[:4]],
            claims=[self._claim(page, random) for page in range(random.choice([0, 1, 1, 2, 2, 2, 3, 4]))],
            relations=self._relations(place, random),
            places=places(random),
            tags=sorted(set(tags)),
        )

    def _summary(self, number: int) -> str:
        """A dozen words as a language has them, a few very often and most hardly ever, and some to be looked for."""
        random = Random(SEED << 33 | number)
        words = [f"word{int(VOCABULARY ** random.random())}" for _ in range(WORDS)]
        words += ["common ground"] if random.random() < 0.2 else []
        words += ["middling"] if random.random() < 0.01 else []
        words += ["uncommon"] if number % (self.size // 20) == 9 else []
        return " ".join(words)

    def _claim(self, page: int, random: Random) -> ClaimInput:
        return ClaimInput(
            source=f"s{random.randrange(SOURCES)}",
            via=f"s{random.randrange(SOURCES)}" if random.random() < 0.05 else None,
            stance=one(STANCES, random),
            speakers=[random.choice(["hot", f"a{random.randrange(ACTORS)}"])] if random.random() < 0.3 else [],
            occurred=str(day(random)) if random.random() < 0.02 else None,
            published=published(random),
            quote="As it was said there.",
            locator=f"page {page}",
        )

    def _relations(self, place: Place, random: Random) -> list[RelationInput]:
        """To any event of the same collection, and to one of two that many point at; few into the private one."""
        numbers = {random.randrange(self.size)} if random.random() < 0.1 else set()
        numbers |= {0} if random.random() < 0.02 else set()
        numbers |= {1} if random.random() < 0.0005 else set()
        # What number 0 itself points at: a hundred events.
        numbers |= {100 + 7 * each for each in range(100)} if place.number == 0 else set()
        return [
            RelationInput(type=one(RELATIONS, random), event=str(self.place(number).id))
            for number in sorted(numbers - {place.number})
        ]

    def _revised(self, form: EventInput, random: Random) -> EventInput:
        part = random.choice(["title", "occurred", "tags", "kind", "claims"])
        values = {
            "title": form.title + ", told better",
            "occurred": occurred(random),
            "tags": ["hot"],
            "kind": "kind-1",
            "claims": [*form.claims, self._claim(9, random)],
        }
        return msgspec.structs.replace(form, **{part: values[part]})

    def _moment(self, revision: int) -> Moment:
        return Moment(revision=revision, recorded=recorded_text(self.recorded(revision)))

    def _version(self, place: Place, form: EventInput, revision: int) -> Version:
        event, facts = self._rendered(place, form, revision)
        lo, hi, undated = bounds_of(form.occurred)
        return Version(
            event=place.event,
            revision=revision,
            lo=lo,
            hi=hi,
            undated=undated,
            known=known_from(event.occurred, event.claims, facts, event.created),
            terms=terms.posted(event, facts, lambda slug: self.sources[slug].derived_from, MERGED),
            actors=actors_named(event),
            sources=sources_named(event),
            document=msgspec.json.encode(event),
            facts=msgspec.json.encode(facts),
            told=[bound for pair in told_places(event) for bound in pair],
        )

    def _rendered(self, place: Place, form: EventInput, revision: int) -> tuple[Event, Facts]:
        targets: dict[tuple[str | None, str | None], rendering.Target] = {}
        for relation in form.relations:
            target = self.place(int(str(relation.event)[-12:], 16))
            targets[None, relation.event] = (target.key, str(target.id), target.collection)
        return rendering.render(
            form,
            id=str(place.id),
            sources=self.sources,
            roots=self._roots,
            targets=targets,
            aliases=MERGED,
            at=self._moment(revision),
            created=self._moment(place.created),
        )

    def _retracted(self, last: Version) -> Version:
        """All go in the last revision."""
        gone: dict[str, Any] = {"terms": frozenset(), "actors": set(), "sources": set(), "told": []}
        return msgspec.structs.replace(last, revision=REVISIONS, document=None, facts=None, **gone)


def generated_of(total: int, now: datetime) -> Generated:
    """What is in a store of so many events, which is made in parts where it is large."""
    copies = -(-total // MADE_MAX)
    if total % copies:
        raise ValueError(f"{total:,} events are not so many times the same number of no more than {MADE_MAX:,}")
    return Generated(total // copies, now, copies)


def one(weights: dict[Any, int], random: Random) -> Any:
    values, upto = _weighed(id(weights), weights)
    return values[bisect(upto, random.random() * upto[-1], 0, len(upto) - 1)]


_KNOWN: dict[int, tuple[list[Any], list[int]]] = {}


def _weighed(number: int, weights: dict[Any, int]) -> tuple[list[Any], list[int]]:
    """Values, and the sum of the weights up to each. number: of the object, which is there as long as this module."""
    if number not in _KNOWN:
        _KNOWN[number] = (list(weights), list(accumulate(weights.values())))
    return _KNOWN[number]


def day(random: Random, since: int = 1900) -> date:
    return date(since, 1, 1) + timedelta(days=random.randrange((2026 - since) * 365))


def published(random: Random) -> str | None:
    """Most to the day, some to the month or year, few not even so, few not at all."""
    told = day(random, 1980)
    return text_of(one(PUBLISHED, random), told)


def places(random: Random) -> list[PlaceInput]:
    """Most near a town, some anywhere, some without coordinates."""
    if random.random() < 0.2:
        return []
    latitude, longitude = random.choice(TOWNS)
    if random.random() < 0.2:
        latitude, longitude = random.uniform(-90, 90), random.uniform(-180, 180)
    else:
        latitude, longitude = latitude + random.gauss(0, 1), longitude + random.gauss(0, 1)
    where: tuple[float | None, float | None] = (round(latitude, 4), round((longitude + 180) % 360 - 180, 4))
    if random.random() < 0.2:
        where = (None, None)
    return [PlaceInput(name="Somewhere", country=one(COUNTRIES, random), latitude=where[0], longitude=where[1])]


def occurred(random: Random) -> str | None:
    start = day(random)
    kind = one(OCCURRED, random)
    if kind in LENGTHS:
        return f"{start}/{start + timedelta(days=random.randint(1, LENGTHS[kind]))}"
    return f"{start}/.." if kind == "open" else text_of(kind, start)


def text_of(precision: str, date: date) -> str | None:
    """The date, no more precise than that."""
    text = date.isoformat()
    return {"day": text, "month": text[:7], "year": text[:4], "decade": text[:3] + "X"}.get(precision)
