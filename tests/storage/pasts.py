"""Random pasts, written below HTTP as editors write them, and random selections to ask of them.

Everything is drawn from a `Random` with a fixed seed, so a failure comes back. What a selection should choose of a past
is said by `plain`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeVar

import asyncpg
import msgspec

from service.domain import dates
from service.domain.callers import Caller
from service.domain.dates import EARLIEST, LATEST
from service.domain.event import ClaimInput, EventInput, ParticipationInput, PlaceInput, RelationInput
from service.domain.filters import Bounds, Box, ClaimFilter, Filters, Related
from service.domain.lenses import Lens
from service.domain.resources import ActorInput, CollectionInput, SourceInput
from service.domain.selection import Selection, Sight
from service.domain.values import STANCES, STANDINGS, RelationType, Stance, Visibility
from service.operations import merging
from service.operations.changes import Change
from service.operations.editing import Edit, Note, editing
from service.storage import events, revisions
from service.storage.events import Identity
from tests.storage import plain
from tests.storage.plain import Record, Shown

Word = TypeVar("Word", bound=str)

LIVE_MIN = 12
EDITOR = Caller(key="tests", name="tests", scope="admin")
NOTE = Note("tests", "editor_fix", "a random write")

COLLECTIONS: dict[str, Visibility] = {"main": "public", "side": "public", "aside": "unlisted", "closed": "private"}
PUBLIC = frozenset({"main", "side"})
ANYONE = Sight(listed=PUBLIC, named=PUBLIC | {"aside"}, hidden=frozenset({"closed"}))
INSIDER = Sight(listed=PUBLIC | {"closed"}, named=frozenset(COLLECTIONS))
# Anyone, once a collection that others point into has been made private.
OUTSIDER = Sight(listed=frozenset({"main"}), named=frozenset({"main", "aside"}), hidden=frozenset({"side", "closed"}))

# Drawn with these weights: some are everywhere, some hardly anywhere.
SHARES = {"main": 8, "side": 3, "aside": 1, "closed": 2}
ACTORS = {"a0": 20, "a1": 10, "a2": 5, "a3": 3, "a4": 1, "a5": 1}
SOURCES = {"s0": 10, "s1": 5, "s2": 5, "s3": 2, "s4": 1}
ROLES = {"host": 5, "guest": 3, "victim": 1}
TAGS = {"hot": 10, "mild": 4, "rare": 1}
KINDS = {"visit": 6, "attack": 3, "statement": 1}
PHASES = {"happened": 10, "expected": 3, "cancelled": 1}
LANGUAGES = {"en": 5, "en-GB": 3, "sr": 1, "SR-Latn": 1, "sr-Latn-RS": 1}
COUNTRIES = {"XK": 5, "RS": 3, "US": 1}
TIES: dict[RelationType, int] = {"causes": 3, "follows": 3, "part_of": 1}
WEIGHTS: dict[Stance, int] = {
    "asserts": 8,
    "confirms": 2,
    "corrects": 1,
    "denies": 3,
    "retracts": 1,
    "mentions": 1,
    "expects": 1,
}
# Latitude and longitude: near each other, on edges of cells, at the poles and at 180 degrees.
COORDINATES = [
    (42.66, 21.16),
    (42.0, 21.0),
    (41.99, 20.0),
    (44.8, 20.46),
    (45.267, 19.833),
    (0.0, 0.0),
    (-0.5, -0.5),
    (90.0, 0.0),
    (-90.0, -180.0),
    (10.0, 180.0),
    (10.0, -180.0),
    (12.5, 179.9),
    (-17.7, -179.99),
    (38.9, -77.04),
]

# All classes of length, their longest members and the shortest beyond; open and unknown ends; what shares a bound.
DATES = [
    None, "2008-02-17", "2008-02-17T12:00:00Z", "2008-02-18", "2008-02", "2024-01-01/2024-01-31", "2008",
    "2024-01-01/2024-02-01", "2024-01-01/2024-12-31", "2024-01-01/2025-01-01", "2000/2004", "2000-01-01/2005-01-01",
    "2008/2012", "200X", "2001/2020", "1999-06-10/2008-02-17", "20XX", "1900/2000", "19XX", "1XXX", "1000/2008",
    "-0043", "0000/2008", "Y-17000", "Y-13800000000", "Y-999000/Y-10000", "Y-1100000/Y-10000", "1999/..",
    "2008-02-17/..", "2008/", "../2008", "/1999", "../..", "[1667,1668]", "2025-02-20", "2025-02", "1999-06-12", "1999",
]  # fmt: skip
PUBLISHED = [
    None,
    None,
    "1999-06-10",
    "1999-06",
    "1999",
    "2008-02-17",
    "2025-02-19",
    "2025-02-20T09:00:00Z",
    "2025-02",
    "../2000",
    "2004/2006",
    "199X",
    "[2025-02-20..2025-02-23]",
    "0000-01",
    "9999-12-31",
    "Y-17000",
]
KNOWN = ["0500", "1998", "1999-06-10", "2008-02-17", "2025-02-18", "2025-02-19", "2025-02-20T09:00:00Z", "2026"]


@dataclass
class Past:
    """A store that is written to at random, in the connection's transaction."""

    connection: asyncpg.Connection
    random: Random
    identities: dict[int, Identity] = field(default_factory=dict)
    forms: dict[int, list[EventInput]] = field(default_factory=dict)
    """Every form that each event has had, in order."""
    retracted: set[int] = field(default_factory=set)
    merged: dict[str, str] = field(default_factory=dict)
    """Whom each actor that is merged now has been merged into."""
    head: int = 0

    def copied(self, seed: int) -> "Past":
        forms = {event: list(forms) for event, forms in self.forms.items()}
        return replace(
            self,
            random=Random(seed),
            identities=dict(self.identities),
            forms=forms,
            retracted=set(self.retracted),
            merged=dict(self.merged),
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
            self._merge: 2,
            self._unmerge: 1,
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
        for event in chosen:
            await edit.retract_events(self.identities[event].collection, [event])
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

    async def _merge(self, edit: Edit) -> None:
        actor, into = self.random.sample(list(ACTORS), 2)
        if actor not in self.merged and actor != self._meaning(into):
            await merging.merge(edit, await edit.find("actor", actor), into)
            self.merged[actor] = into

    async def _unmerge(self, edit: Edit) -> None:
        if self.merged:
            actor = self.random.choice(sorted(self.merged))
            await merging.unmerge(edit, await edit.find("actor", actor))
            del self.merged[actor]

    def _meaning(self, actor: str) -> str:
        while actor in self.merged:
            actor = self.merged[actor]
        return actor

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
        return self._revised(EventInput(key=key, collection=collection, title="A"), parts=9)

    def _revised(self, form: EventInput, parts: int = 2) -> EventInput:
        """The form with so many parts drawn anew."""
        drawn: dict[str, Callable[[], Any]] = {
            "title": lambda: f"Event {self.random.randrange(1000)}",
            "occurred": lambda: self.random.choice(DATES),
            "actors": self._participations,
            "claims": self._claims,
            "tags": lambda: self._draw(TAGS, 2),
            "kind": lambda: self.random.choice([None, *self._draw(KINDS, 1)]),
            "phase": lambda: self._one(PHASES),
            "language": lambda: self.random.choice([None, self._one(LANGUAGES)]),
            "places": lambda: [self._place() for _ in range(self.random.randint(0, 2))],
            "relations": lambda: self._relations(form.collection),
        }
        some = self.random.sample(list(drawn), parts)
        return msgspec.structs.replace(form, **{name: drawn[name]() for name in some})

    def _participations(self) -> list[ParticipationInput]:
        parts = {(slug, self.random.choice([None, self._one(ROLES)])) for slug in self._draw(ACTORS, 3)}
        parts |= {(slug, self._one(ROLES)) for slug, _ in sorted(parts, key=str)[:1] if self.random.random() < 0.3}
        return [ParticipationInput(actor=slug, role=role) for slug, role in sorted(parts, key=str)]

    def _claims(self) -> list[ClaimInput]:
        return [self._claim(place) for place in range(self.random.choice([0, 1, 1, 2, 3, 4]))]

    def _claim(self, place: int) -> ClaimInput:
        random = self.random
        return ClaimInput(
            source=self._one(SOURCES),
            via=self._one(SOURCES) if random.random() < 0.1 else None,
            stance=self._one(WEIGHTS),
            speakers=self._draw(ACTORS, 2) if random.random() < 0.5 else [],
            occurred=random.choice(DATES) if random.random() < 0.4 else None,
            locator=f"page {place}",
            published=random.choice(PUBLISHED),
        )

    def _place(self) -> PlaceInput:
        latitude, longitude = self.random.choice(COORDINATES) if self.random.random() < 0.8 else (None, None)
        country = self._one(COUNTRIES) if self.random.random() < 0.7 else None
        return PlaceInput(name="Somewhere", country=country, latitude=latitude, longitude=longitude)

    def _relations(self, collection: str) -> list[RelationInput]:
        """Into the event's own collection, and into those that are public."""
        there = sorted(each.id for each in self.identities.values() if each.collection in PUBLIC | {collection})
        # Few targets, so that some have many that point at them.
        targets = self.random.sample(there[:15], min(len(there[:15]), self.random.choice([0, 0, 1, 2])))
        return [RelationInput(type=self._one(TIES), event=target) for target in targets]

    def _one(self, weights: Mapping[Word, int]) -> Word:
        (value,) = self.random.choices(list(weights), list(weights.values()))
        return value

    def _draw(self, weights: Mapping[Word, int], most: int) -> list[Word]:
        number = self.random.randint(0, most)
        return sorted(set(self.random.choices(list(weights), list(weights.values()), k=number)))

    # What is asked

    def selection(self, record: Record) -> Selection:
        """A selection at random, aimed at what one of the versions shows in most of what it asks."""
        random = self.random
        revision = self.head if random.random() < 0.4 else random.randint(0, self.head)
        sight = random.choice([ANYONE, INSIDER, OUTSIDER])
        lens = self._lens(record.aliases(revision), sight)
        aim = self._aim(record, lens, revision, sight)
        timed = random.random() < 0.4
        ids = [identity.id for identity in self.identities.values()]
        return Selection(
            revision=revision,
            head=self.head,
            sight=sight,
            lens=lens,
            filters=self._filters(aim, record, lens, revision, random.choice([0, 1, 1, 1, 2, 2, 3, 4, 6, 12, 12])),
            timeline=self._filters(aim, record, lens, revision, random.choice([0, 1, 2, 5])) if timed else Filters(),
            include=frozenset(random.sample(ids, random.randint(0, 4))) if timed else frozenset(),
            exclude=frozenset(random.sample(ids, random.choice([0, 5, 40]))) if timed else frozenset(),
            descending=random.random() < 0.5,
        )

    def _lens(self, aliases: dict[str, str], sight: Sight) -> Lens:
        random = self.random
        accounts, account_sources = None, None
        if random.random() < 0.3:
            which = random.choice(["accounts", "accounts", "sources", "both"])
            accounts = frozenset([self._one(ACTORS), *self._draw(ACTORS, 2)]) if which != "sources" else None
            account_sources = frozenset([self._one(SOURCES), *self._draw(SOURCES, 2)]) if which != "accounts" else None
        return Lens(
            known=LATEST if random.random() < 0.6 else self._known(),
            accounts=accounts,
            account_sources=account_sources,
            aliases=aliases,
            hidden=sight.hidden,
        )

    def _known(self) -> int:
        end = dates.parse(self.random.choice(KNOWN)).end
        assert end is not None
        return end

    def _aim(self, record: Record, lens: Lens, revision: int, sight: Sight) -> Shown:
        """An event as the lens shows it; as it would without one, where it shows none of those tried."""
        there = [each for each in record.at(revision) if each.document["collection"] in sight.listed] or record.all
        tried = self.random.sample(there, min(len(there), 8))
        shown = [each for each in (plain.as_seen(lens, revision, record, version) for version in tried) if each]
        # One of which a lens shows less than there is, rather.
        shown.sort(key=lambda each: each.document["standing"] == each.stored.document["standing"])
        if shown:
            return shown[0] if self.random.random() < 0.5 else shown[-1]
        version = tried[-1]
        aim = plain.as_seen(Lens(), version.revision, record, version)
        assert aim is not None
        return aim

    def _filters(self, aim: Shown, record: Record, lens: Lens, revision: int, parts: int) -> Filters:
        """Filters of so many parameters, beside window, ids and keys."""
        random = self.random
        document = aim.document
        undated = random.choice(["include"] * 4 + (["only"] * 2 if aim.undated else ["exclude"] * 3) + ["only"])
        keys = [identity.key for identity in self.identities.values() if identity.key is not None]
        ids = ["01999999-9999-7999-9999-999999999999", *(identity.id for identity in self.identities.values())]
        named = random.random()
        roles = [part["role"] for part in document["actors"] if part["role"] is not None]
        countries = [place["country"] for place in document["places"] if place["country"] is not None]
        ranges = [] if document["language"] is None else document["language"].lower().split("-")
        has_claims = bool(document["claims"])
        drawn: dict[str, tuple[object, Callable[[], Any]]] = {
            "collections": (True, lambda: self._near([document["collection"]], SHARES)),
            "kinds": (document["kind"], lambda: self._near([document["kind"]] if document["kind"] else [], KINDS)),
            "phases": (True, lambda: self._near([document["phase"]], PHASES)),
            "tags": (document["tags"], lambda: self._near(document["tags"], TAGS)),
            "actors": (document["actors"], lambda: self._near([part["actor"] for part in document["actors"]], ACTORS)),
            "roles": (roles, lambda: self._near(roles, ROLES)),
            "claim": (has_claims, lambda: self._claim_filter(aim)),
            "standings": (
                True,
                lambda: self._near([document["standing"]["state"]], dict.fromkeys(STANDINGS, 1)),
            ),
            "origins_min": (has_claims, lambda: random.choice([1, document["standing"]["origins"], 2, 3, 25])),
            "languages": (
                ranges,
                lambda: self._near(["-".join(ranges[: random.randint(1, 3)])] if ranges else [], {"en": 1}),
            ),
            "countries": (countries, lambda: self._near(countries, COUNTRIES)),
            "box": (any(place["latitude"] is not None for place in document["places"]), lambda: self._box(document)),
            "related": (True, lambda: self._related(aim, record, lens, revision)),
            "revisions": (True, lambda: self._revisions(aim)),
        }
        # The claims of an event are what most is asked of.
        likely = [name for name, (has, _) in drawn.items() if has or random.random() < 0.1]
        some = set(random.sample(likely, min(parts, len(likely))))
        some |= {"claim"} if parts and random.random() < 0.25 else set()
        some |= {"origins_min"} if parts and document["standing"]["origins"] > 1 and random.random() < 0.3 else set()
        some |= {"related"} if parts and random.random() < 0.15 else set()
        return Filters(
            bounds=self._window(aim) if random.random() < 0.5 and parts < 6 else Bounds(),
            dated=undated != "only",
            undated=undated != "exclude",
            all_tags="tags" in some and random.random() < 0.5,
            all_actors="actors" in some and random.random() < 0.5,
            ids=frozenset(random.sample(ids, len(ids) // 2)) if named < 0.08 else None,
            keys=frozenset(random.sample(keys, len(keys) // 2)) if 0.05 < named < 0.13 else None,
            **{name: drawn[name][1]() for name in sorted(some)},
        )

    def _near(self, own: list[str], weights: Mapping[str, int]) -> tuple[str, ...]:
        """One of the event's own values, and perhaps others; any value where it has none."""
        first = self.random.choice(own) if own else self._one(weights)
        return tuple(sorted({first, *(self._draw(weights, 4) if self.random.random() < 0.75 else [])}))

    def _claim_filter(self, aim: Shown) -> ClaimFilter:
        """Aimed at one claim mostly; at parts of several, which no one claim need have, at times."""
        random = self.random
        claims = list(zip(aim.document["claims"], aim.publishers, strict=True))
        mixed = random.random() < 0.3
        one = random.choice(claims) if claims else None
        likely = ["sources", "stances", "published", *(["publishers"] if one and one[1] else [])]
        likely += ["speakers"] if one and one[0]["speakers"] else []
        some = random.sample(likely, random.choice([1, 1, 2, 3]))

        def near(name: str, weights: Mapping[str, int], own: Callable[[Any, Any], Iterable[str]]) -> tuple[str, ...]:
            if name not in some:
                return ()
            claim = random.choice(claims) if claims and mixed else one
            return self._near([] if claim is None else list(own(*claim)), weights)

        return ClaimFilter(
            sources=near("sources", SOURCES, lambda claim, _: [claim["source"]]),
            publishers=near("publishers", ACTORS, lambda _, publisher: [publisher] if publisher else []),
            speakers=near("speakers", ACTORS, lambda claim, _: claim["speakers"]),
            stances=near("stances", dict.fromkeys(STANCES, 1), lambda claim, _: [claim["stance"]]),
            published=self._published_window(one and one[0]["published"]) if "published" in some else None,
        )

    def _published_window(self, own: str | None) -> tuple[int, int]:
        """From one bound of a publication, or a second beside, to another; open at either end at times."""
        given = [dates.parse(text) for text in PUBLISHED if text is not None]
        given += [dates.parse(own)] * 10 if own is not None else []
        near = [bound for date in given for bound in (date.start, date.end) if bound is not None]
        first, last = sorted(self.random.choice(near) + self.random.randint(-1, 1) for _ in range(2))
        if self.random.random() < 0.3:
            # A narrow one, whose months are looked up.
            last = first + self.random.choice([0, 86_400, 40 * 86_400])
        return (
            EARLIEST if self.random.random() < 0.2 else first,
            LATEST if self.random.random() < 0.2 else last,
        )

    def _box(self, document: Mapping[str, Any]) -> Box:
        random = self.random
        there = [(each["latitude"], each["longitude"]) for each in document["places"] if each["latitude"] is not None]
        latitude, longitude = random.choice(there or COORDINATES)
        north, east, south, west = (random.choice([0.0, 0.01, 0.7, 5.0, 60.0, 170.0, 179.0]) for _ in range(4))
        west, east = longitude - west, longitude + east
        return Box(
            west=west + 360 if west < -180 else west,
            south=max(latitude - south, -90),
            east=east - 360 if east > 180 else east,
            north=min(latitude + north, 90),
        )

    def _related(self, aim: Shown, record: Record, lens: Lens, revision: int) -> Related:
        """Tied to an event that the caller may see: one that the aim points at, one that points at it, or any."""
        random = self.random
        within = [each for each in record.at(revision) if record.homes[each.document["id"]] not in lens.hidden]
        pointed = [relation["event"] for relation in aim.document["relations"]]
        pointing = [
            each.document["id"]
            for each in within
            if any(relation["event"] == aim.document["id"] for relation in each.document["relations"])
        ]
        into, out = random.choice([(True, False), (False, True), (True, True)])
        likely = (pointed if into else []) + (pointing if out else [])
        other = random.choice(likely or [each.document["id"] for each in within] or [aim.document["id"]])
        types = frozenset([self._one(TIES), *self._draw(TIES, 2)]) if random.random() < 0.5 else frozenset()
        relations = [r for each in within if each.document["id"] == other for r in each.document["relations"]]
        points_at = frozenset(
            r["event"]
            for r in relations
            if (not types or r["type"] in types) and record.homes[r["event"]] not in lens.hidden
        )
        return Related(other if into else None, types, points_at if out else None)

    def _revisions(self, aim: Shown) -> tuple[int, int]:
        first, last = sorted((self.random.randint(0, self.head + 1), aim.stored.revision))
        return self.random.choice([(first, last), (first, last), (first, LATEST), (0, last), (last + 1, last)])

    def _window(self, aim: Shown) -> Bounds:
        """A window whose ends stand at bounds of dates, or a second beside."""
        given = [dates.parse(text) for text in DATES if text is not None]
        near = [bound for date in given for bound in (date.start, date.end) if bound is not None]
        near += [bound for bound in (aim.lo, aim.hi) if EARLIEST < bound < LATEST] * 40
        start, end = sorted(self.random.choice(near) + self.random.randint(-1, 1) for _ in range(2))
        certain, from_given, to_given = (self.random.random() < chance for chance in (0.4, 0.8, 0.8))
        return Bounds(
            lo_min=start if from_given and certain else EARLIEST,
            lo_max=end if to_given else LATEST,
            hi_min=start if from_given else EARLIEST,
            hi_max=end if to_given and certain else LATEST,
        )


async def new_past(connection: asyncpg.Connection, seed: int, length: int) -> Past:
    """A past of up to so many writes on the empty store of the connection's transaction."""
    head = await revisions.read_head(connection)
    assert head.revision == 0, "the store is to be empty"
    past = Past(connection, Random(seed))
    await past.begin()
    await past.write(length)
    return past
