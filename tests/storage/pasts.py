"""Random pasts, written below HTTP as editors write them, and a plain reading of what a selection then chooses.

The reading shares nothing with the index: it looks at every document that is stored, parses its dates anew and asks
each condition in turn. Everything is drawn from a `Random` with a fixed seed, so a failure comes back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, NamedTuple

import asyncpg
import msgspec

from service.domain import dates
from service.domain.callers import Caller
from service.domain.dates import EARLIEST, LATEST
from service.domain.event import ClaimInput, EventInput, ParticipationInput
from service.domain.instants import seconds_of_recorded
from service.domain.resources import ActorInput, CollectionInput, SourceInput
from service.domain.selection import Bounds, Filters, Group, Selection, Sight
from service.domain.values import Visibility
from service.operations.editing import Change, Edit, Note, editing
from service.storage import events, revisions
from service.storage.events import Identity

LIVE_MIN = 12
EDITOR = Caller(key="tests", name="tests", scope="admin")
NOTE = Note("tests", "editor_fix", "a random write")

COLLECTIONS: dict[str, Visibility] = {"main": "public", "side": "public", "aside": "unlisted", "closed": "private"}
PUBLIC = frozenset({"main", "side"})
ANYONE = Sight(listed=PUBLIC, named=PUBLIC | {"aside"})
INSIDER = Sight(listed=PUBLIC | {"closed"}, named=frozenset(COLLECTIONS))

# Drawn with these weights: some are everywhere, some hardly anywhere.
SHARES = {"main": 8, "side": 3, "aside": 1, "closed": 2}
ACTORS = {"a0": 20, "a1": 10, "a2": 5, "a3": 3, "a4": 1}
SOURCES = {"s0": 10, "s1": 5, "s2": 5, "s3": 2, "s4": 1}
TAGS = {"hot": 10, "mild": 4, "rare": 1}
KINDS = {"visit": 6, "attack": 3, "statement": 1}
PHASES = {"happened": 10, "expected": 3, "cancelled": 1}

# All classes of length, their longest members and the shortest beyond; open and unknown ends; what shares a bound.
DATES = [
    None, "2008-02-17", "2008-02-17T12:00:00Z", "2008-02-18", "2008-02", "2024-01-01/2024-01-31", "2008",
    "2024-01-01/2024-02-01", "2024-01-01/2024-12-31", "2024-01-01/2025-01-01", "2000/2004", "2000-01-01/2005-01-01",
    "2008/2012", "200X", "2001/2020", "1999-06-10/2008-02-17", "20XX", "1900/2000", "19XX", "1XXX", "1000/2008",
    "-0043", "0000/2008", "Y-17000", "Y-13800000000", "Y-999000/Y-10000", "Y-1100000/Y-10000", "1999/..",
    "2008-02-17/..", "2008/", "../2008", "/1999", "../..", "[1667,1668]", "2025-02-20", "2025-02", "1999-06-12", "1999",
]  # fmt: skip
PUBLISHED = [None, None, "1999-06-10", "2008-02-17", "2025-02-19", "2025-02-20T09:00:00Z", "2025-02", "../2000"]
KNOWN = ["1998", "1999-06-10", "2008-02-17", "2025-02-18", "2025-02-19", "2025-02-20T09:00:00Z", "2026"]


class Stored(NamedTuple):
    """One version as a reader without an index finds it."""

    event: int
    revision: int
    raw: bytes
    document: dict[str, Any]
    lo: int
    hi: int
    undated: bool
    known: int

    @property
    def position(self) -> tuple[bool, int, int, int]:
        return (self.undated, self.lo, self.hi, self.event)


@dataclass
class Past:
    """A store that is written to at random, in the connection's transaction."""

    connection: asyncpg.Connection
    random: Random
    identities: dict[int, Identity] = field(default_factory=dict)
    forms: dict[int, list[EventInput]] = field(default_factory=dict)
    """Every form that each event has had, in order."""
    retracted: set[int] = field(default_factory=set)
    head: int = 0

    def copied(self, seed: int) -> "Past":
        forms = {event: list(forms) for event, forms in self.forms.items()}
        return replace(
            self, random=Random(seed), identities=dict(self.identities), forms=forms, retracted=set(self.retracted)
        )

    async def begin(self) -> None:
        async with editing(self.connection, NOTE) as edit:
            for slug, visibility in COLLECTIONS.items():
                await edit.create_resource("collection", CollectionInput(slug=slug, title=slug, visibility=visibility))
            for slug in ACTORS:
                await edit.create_resource("actor", ActorInput(slug=slug, name=slug))
            for slug in SOURCES:
                await edit.create_resource("source", SourceInput(slug=slug, title=slug))
        self.head = edit.revision

    async def write(self, times: int) -> None:
        """Writes so many times; what says nothing new makes no revision."""
        # An event that goes away comes back sooner or later: those are the intervals an index gets wrong.
        writes = {
            self._create: 5,
            self._revise: 6,
            self._move_back: 3,
            self._retract: 2,
            self._revive: 2,
            self._source: 1,
        }
        for _ in range(times):
            (write,) = self.random.choices(list(writes), list(writes.values()))
            write = self._create if len(self._live) < LIVE_MIN else write
            async with editing(self.connection, NOTE) as edit:
                await write(edit)
            self.head = edit.revision

    async def retitle(self, event: int, title: str) -> None:
        """Changes the words of an event and nothing else."""
        async with editing(self.connection, NOTE) as edit:
            await self.change_title(edit, event, title)
        self.head = edit.revision

    async def change_title(self, edit: Edit, event: int, title: str) -> None:
        await self._put(edit, {event: msgspec.structs.replace(self.forms[event][-1], title=title)})

    # The kinds of write

    async def _create(self, edit: Edit) -> None:
        made = [self._form() for _ in range(self.random.randint(1, 4))]
        created = await edit.create_events(made, EDITOR)
        found = await events.find_by_id(self.connection, [event.id for event in created])
        for form, event in zip(made, created, strict=True):
            identity = found[event.id]
            self.identities[identity.event] = identity
            self.forms[identity.event] = [form]

    async def _revise(self, edit: Edit) -> None:
        await self._put(edit, {event: self._revised(self.forms[event][-1]) for event in self._some(self._live)})

    async def _move_back(self, edit: Edit) -> None:
        """To where, and what, it was before: A to B to A."""
        await self._put(edit, {event: self.random.choice(self.forms[event]) for event in self._some(self._live)})

    async def _revive(self, edit: Edit) -> None:
        await self._put(edit, {event: self.random.choice(self.forms[event]) for event in self._some(self.retracted)})

    async def _retract(self, edit: Edit) -> None:
        chosen = self._some(self._live)[:2]
        for event, version in (await events.read_versions(self.connection, chosen, edit.before.revision)).items():
            await edit.retract_event(self.identities[event], version)
        self.retracted |= set(chosen)

    async def _source(self, edit: Edit) -> None:
        """Revises what dates, voices and origins of the source's claims follow from."""
        slug = self.random.choice(list(SOURCES))
        others = [other for other in SOURCES if other > slug]
        given = SourceInput(
            slug=slug,
            title=slug,
            published=self.random.choice(PUBLISHED),
            publisher=self.random.choice([None, *ACTORS]),
            derived_from=self.random.sample(others, min(len(others), self.random.randint(0, 2))),
        )
        await edit.revise_resource("source", await edit.find("source", slug), given)

    async def _put(self, edit: Edit, forms: dict[int, EventInput]) -> None:
        versions = await events.read_versions(self.connection, forms, edit.before.revision)
        await edit.revise_events(
            [Change(form, self.identities[event], versions[event]) for event, form in forms.items()]
        )
        for event, form in forms.items():
            self.forms[event].append(form)
        self.retracted -= forms.keys()

    @property
    def _live(self) -> set[int]:
        return self.forms.keys() - self.retracted

    def _some(self, of: set[int]) -> list[int]:
        return self.random.sample(sorted(of), min(len(of), self.random.randint(1, 5)))

    # What is written

    def _form(self) -> EventInput:
        key = f"key {len(self.forms)} {self.random.randrange(10**9)}" if self.random.random() < 0.7 else None
        collection = self.random.choices(list(SHARES), list(SHARES.values()))[0]
        return self._revised(EventInput(key=key, collection=collection, title="A"), parts=6)

    def _revised(self, form: EventInput, parts: int = 2) -> EventInput:
        """The form with up to so many parts drawn anew."""
        some = self.random.sample(["title", "occurred", "actors", "claims", "tags", "kind", "phase"], parts)
        drawn = {
            "title": f"Event {self.random.randrange(1000)}",
            "occurred": self.random.choice(DATES),
            "actors": [ParticipationInput(actor=slug) for slug in self._draw(ACTORS, 3)],
            "claims": [self._claim(slug) for slug in self._draw(SOURCES, 2)],
            "tags": self._draw(TAGS, 2),
            "kind": self.random.choice([None, *self._draw(KINDS, 1)]),
            "phase": self.random.choices(list(PHASES), list(PHASES.values()))[0],
        }
        return msgspec.structs.replace(form, **{name: drawn[name] for name in some})

    def _claim(self, source: str) -> ClaimInput:
        return ClaimInput(
            source=source,
            speakers=self._draw(ACTORS, 1) if self.random.random() < 0.5 else [],
            published=self.random.choice(PUBLISHED),
        )

    def _draw(self, weights: dict[str, int], most: int) -> list[str]:
        number = self.random.randint(0, most)
        return sorted(set(self.random.choices(list(weights), list(weights.values()), k=number)))

    # What is asked

    def selection(self, versions: list[Stored]) -> Selection:
        """A selection at random, aimed at one of the versions in most of what it asks."""
        random = self.random
        revision = self.head if random.random() < 0.4 else random.randint(0, self.head)
        aim = random.choice(versions)
        timed = random.random() < 0.4
        ids = [identity.id for identity in self.identities.values()]
        return Selection(
            revision=revision,
            head=self.head,
            sight=random.choice([ANYONE, INSIDER]),
            filters=self._filters(aim, versions, random.choice([0, 0, 1, 1, 2, 3, 4, 5, 6])),
            timeline=self._filters(aim, versions, random.choice([0, 1, 2, 5])) if timed else Filters(),
            include=frozenset(random.sample(ids, random.randint(0, 4))) if timed else frozenset(),
            exclude=frozenset(random.sample(ids, random.choice([0, 5, 40]))) if timed else frozenset(),
            known=LATEST if random.random() < 0.6 else self._known(),
            descending=random.random() < 0.5,
        )

    def _known(self) -> int:
        end = dates.parse(self.random.choice(KNOWN)).end
        assert end is not None
        return end

    def _filters(self, aim: Stored, versions: list[Stored], groups: int) -> Filters:
        random = self.random
        window = self._window(versions) if random.random() < 0.5 else Bounds()
        undated = random.choice(["include"] * 4 + ["only", "exclude", "exclude", "exclude"])
        has = sorted(terms_of(aim.document, LATEST))
        chosen = [random.choice(has) for _ in range(groups)]
        keys = [identity.key for identity in self.identities.values() if identity.key is not None]
        ids = ["01999999-9999-7999-9999-999999999999", *(identity.id for identity in self.identities.values())]
        named = random.random()
        return Filters(
            bounds=window,
            dated=undated != "only",
            undated=undated != "exclude",
            groups=tuple(Group(dimension, tuple(self._values(dimension, value))) for dimension, value in chosen),
            ids=frozenset(random.sample(ids, len(ids) // 3)) if named < 0.12 else None,
            keys=frozenset(random.sample(keys, len(keys) // 3)) if 0.08 < named < 0.2 else None,
        )

    def _values(self, dimension: str, value: str) -> Iterator[str]:
        vocabulary = {"actor": ACTORS, "source": SOURCES, "tag": TAGS, "speaker": ACTORS, "collection": SHARES}
        yield value
        if self.random.random() < 0.5:
            yield from self._draw(vocabulary.get(dimension, {"none such": 1}), 2)

    def _window(self, versions: list[Stored]) -> Bounds:
        """A window whose ends stand at bounds of events, or a second beside."""
        near = [bound for each in versions for bound in (each.lo, each.hi) if EARLIEST < bound < LATEST]
        start, end = sorted(self.random.choice(near) + self.random.randint(-1, 1) for _ in range(2))
        certain, from_given, to_given = (self.random.random() < chance for chance in (0.4, 0.8, 0.8))
        return Bounds(
            lo_min=start if from_given and certain else EARLIEST,
            lo_max=end if to_given else LATEST,
            hi_min=start if from_given else EARLIEST,
            hi_max=end if to_given and certain else LATEST,
        )


# --- The plain reading

ALL = "SELECT event, revision, document FROM version ORDER BY event, revision"


async def read_all(connection: asyncpg.Connection) -> list[tuple[int, int, Stored | None]]:
    """Every version there is by event and revision, None where it is retracted."""
    return [(row[0], row[1], stored(*row)) for row in await connection.fetch(ALL)]


def stored(event: int, revision: int, raw: bytes | None) -> Stored | None:
    if raw is None:
        return None
    document = msgspec.json.decode(raw)
    occurred = document["occurred"]
    date = None if occurred is None else dates.parse(occurred["edtf"])
    lo, hi = (LATEST, LATEST) if date is None else (or_else(date.start, EARLIEST), or_else(date.end, LATEST))
    published = [each for each in map(reached, document["claims"]) if each is not None]
    if document["claims"]:
        known = min(published, default=LATEST)
    elif occurred is not None and occurred["earliest"] is not None:
        known = lo
    else:
        known = seconds_of_recorded(document["created"]["recorded"])
    return Stored(event, revision, raw, document, lo, hi, date is None, known)


def reached(claim: dict[str, Any]) -> int | None:
    """The earliest second at which a claim was public, None where that is not known."""
    return None if claim["published"] is None else or_else(dates.parse(claim["published"]).start, EARLIEST)


def or_else(bound: int | None, instead: int) -> int:
    return instead if bound is None else bound


def at(versions: list[tuple[int, int, Stored | None]], revision: int) -> list[Stored]:
    """What was there at a revision."""
    newest = {event: version for event, recorded, version in versions if recorded <= revision}
    return [version for version in newest.values() if version is not None]


def listing(selection: Selection, there: list[Stored]) -> list[Stored]:
    """The events that a selection chooses among those there, in its order."""
    chosen = [version for version in there if chooses(selection, version)]
    dated = sorted((v for v in chosen if not v.undated), key=lambda v: v.position, reverse=selection.descending)
    return dated + sorted((v for v in chosen if v.undated), key=lambda v: v.position)


def chooses(selection: Selection, version: Stored) -> bool:
    document = version.document
    if version.known > selection.known or document["id"] in selection.exclude:
        return False
    asked_for = {
        value
        for filters in (selection.filters, selection.timeline)
        for group in filters.groups
        for value in group.values
        if group.dimension == "collection"
    }
    by_id = document["id"] in selection.include or document["id"] in (selection.filters.ids or ())
    shown = document["collection"] in selection.sight.listed
    if not shown and not (
        document["collection"] in selection.sight.named and (by_id or document["collection"] in asked_for)
    ):
        return False
    pinned = document["id"] in selection.include
    return meets(selection.filters, version, selection.known) and (
        pinned or meets(selection.timeline, version, selection.known)
    )


def meets(filters: Filters, version: Stored, known: int) -> bool:
    document = version.document
    if filters.ids is not None and document["id"] not in filters.ids:
        return False
    if filters.keys is not None and document["key"] not in filters.keys:
        return False
    if version.undated:
        if not filters.undated:
            return False
    elif not filters.dated:
        return False
    else:
        window = filters.bounds
        if version.lo < window.lo_min or version.lo > window.lo_max:
            return False
        if version.hi < window.hi_min or version.hi > window.hi_max:
            return False
    terms = terms_of(document, known)
    return all(any((group.dimension, value) in terms for value in group.values) for group in filters.groups)


def terms_of(document: dict[str, Any], known: int) -> set[tuple[str, str]]:
    seen = [c for c in document["claims"] if known == LATEST or or_else(reached(c), LATEST) <= known]
    terms = {("collection", document["collection"]), ("phase", document["phase"])}
    terms |= {("kind", document["kind"])} if document["kind"] is not None else set()
    terms |= {("actor", participation["actor"]) for participation in document["actors"]}
    terms |= {("source", claim["source"]) for claim in seen}
    terms |= {("speaker", speaker) for claim in seen for speaker in claim["speakers"]}
    return terms | {("tag", tag) for tag in document["tags"]}


async def new_past(connection: asyncpg.Connection, seed: int, length: int) -> Past:
    """A past of up to so many writes on the empty store of the connection's transaction."""
    head = await revisions.read_head(connection)
    assert head.revision == 0, "the store is to be empty"
    past = Past(connection, Random(seed))
    await past.begin()
    await past.write(length)
    return past
