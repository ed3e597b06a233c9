"""Laws of the interface: random histories, written to the real service and to the plain model, then compared.

Every example has collections, actors, sources and timelines of its own, by slugs no other example uses, and
each of its selections names its collections, so one running service carries all examples. Ids, revision
numbers and recorded times are taken from the service's answers; all else in a document is the model's to say.
`DATELINE_EXAMPLES_LAWS` is the number of examples for each law; without it every run has the same few.
"""

import json
import os
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count, cycle
from typing import Any, Protocol

import httpx
import jsonpatch
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.model import (
    OTHERS,
    PINS,
    Document,
    Form,
    Model,
    Selection,
    Snapshot,
    compared,
    filled,
    merged,
    ordered,
    see,
    settled,
    span,
    without_pins,
)

EXAMPLES = int(os.environ.get("DATELINE_EXAMPLES_LAWS", "25"))
SECONDS_FOR_ONE_EXAMPLE = 30

pytestmark = pytest.mark.timeout(EXAMPLES * SECONDS_FOR_ONE_EXAMPLE)
laws = settings(
    max_examples=EXAMPLES,
    derandomize="DATELINE_EXAMPLES_LAWS" not in os.environ,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

# --- Vocabularies: small, so that things meet. Names become slugs of the example's own.

ACTORS = ["a0", "a1", "a2", "a3", "a4"]
SOURCES = ["s0", "s1", "s2", "s3", "s4", "s5"]
COLLECTIONS = ["c0", "c1"]
TIMELINES = ["t0", "t1"]
NAMES = {*ACTORS, *SOURCES, *COLLECTIONS, *TIMELINES}
KEYS = [f"key {number}" for number in range(10)]
TAGS = ["kfor", "nato", "visit"]
KINDS = ["attack", "statement"]
PHASES = ["happened", "expected", "hypothetical", "cancelled", "not_happened"]
STANCES = ["asserts", "confirms", "denies", "disputes", "corrects", "retracts", "expects", "mentions"]
RELATIONS = ["responds_to", "causes", "depends_on"]
DATES = [
    "1999", "1999-06", "1999-06-10", "1999-01-01", "1999-01-01T00:00:00Z", "1999-06-10T23:59:59Z",
    "1999-06-10T12:00:00Z", "1999~", "199X", "1999/..", "1999-06/", "1999-06-12/2008", "../2008-02-17", "/1999",
    "2008-02-17", "2008-02-17?", "2008-02-17/2008-02-18", "2025-02/..", "0000-02", "-0043",
    "-0043-03-15/1999",
]  # fmt: skip
# No text is in both, so that no two claims of one event end as equals but for their ids.
PUBLISHED_OF_SOURCES = ["1999-06-10", "2008-02-17", "2025-02-19", "2025-02", "../2000"]
PUBLISHED_OF_CLAIMS = ["1999-06-11", "2008-02", "2025-02-01", "2025-02-20", "2025-02-19~", "../1999"]
KNOWN_DATES = ["-0044", "1999-06-10", "2000", "2008-02-17T12:00:00Z", "2025-02-18", "2025-02-19", "2025"]
WINDOWS: list[Form] = [
    {"from": "1999"}, {"from": "1999-06-10T12:00:00Z"}, {"from": "2008-02-18"}, {"from": "2025"},
    {"to": "1998"}, {"to": "1999-06-10"}, {"to": "1999-06-10T12:00:00Z"}, {"to": "2008"}, {"to": "0000"},
    {"from": "-0043", "to": "0000"}, {"from": "199X", "to": "199X"}, {"from": "1999-06", "to": "1999-06"},
    {"from": "1999", "to": "2008-02-17"}, {"from": "1999-01-01T00:00:00Z", "to": "1999-01-01T00:00:00Z"},
]  # fmt: skip
# Three roots, two sources that share one of them, and one from which a single revision makes a cycle.
FIRST_SOURCES: dict[str, Form] = {
    "s0": {"published": "2025-02-19", "publisher": "a0"},
    "s1": {"published": "2008-02-17", "derived_from": ["s0", "s2"]},
    "s2": {},
    "s3": {"published": "../2000", "publisher": "a0"},
    "s4": {"published": "1999-06-10", "publisher": "a1", "derived_from": ["s2", "s3"]},
    "s5": {"published": "2025-02", "derived_from": ["s3"]},
}
PLACES = [
    {"name": "Kosovo", "country": "XK", "latitude": 42.6, "longitude": 20.9},
    {"name": "Riyadh", "country": "SA"},
]
PICTURE = {
    "url": "https://example.org/troops.jpg",
    "caption": "Troops",
    "credit": "A. Nobody",
    "alt": "Troops on a road",
    "licence": "CC0-1.0",
}

# --- Forms

Forms = st.SearchStrategy[Form]

one_of = st.sampled_from
picks = st.integers(0, 20)
"""Stands for one of the ids or revisions of an example, which are not known before it runs."""


def form(required: dict[str, Any] | None = None, /, **optional: Any) -> Forms:
    return st.fixed_dictionaries(required or {}, optional=optional)


def some(values: list[str], least: int = 0, most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(one_of(values), min_size=least, max_size=most, unique=True)


def chosen(values: list[str], most: int = 3) -> st.SearchStrategy[list[str]]:
    """The values of a repeatable parameter."""
    return some(values, 1, most).map(sorted)


def claim_identity(claim: Form) -> tuple[Any, ...]:
    named = (claim.get(name) for name in ("source", "stance", "published", "locator"))
    return *named, *claim.get("speakers", [])


# The last of each are rarely named, so that some are out of use at times and can be deleted.
actor_names = one_of([*ACTORS, *ACTORS[:3] * 2])
source_names = one_of([*SOURCES, *SOURCES[:4] * 2])
amounts = st.builds(lambda value: {"value": value, "bound": "over", "unit": "persons"}, st.integers(1, 600))
claims = form(
    {"source": source_names, "stance": one_of(STANCES)},
    via=source_names,
    speakers=st.lists(actor_names, max_size=2, unique=True),
    published=one_of([None, *PUBLISHED_OF_CLAIMS]),
    occurred=one_of(DATES),
    quote=st.just("We are not aware of any discussions"),
    locator=one_of(["p. 1", "p. 2"]),
)
participations = form(
    {"actor": actor_names},
    role=one_of(["subject", "speaker"]),
    attributes=st.dictionaries(st.just("troops"), amounts),
)
relations = form({"type": one_of(RELATIONS), "pick": picks, "by_key": st.booleans()})
usual_fields: dict[str, st.SearchStrategy[Any]] = {
    "title": one_of(["First", "Second"]),
    "occurred": one_of([None, None, None, *DATES]),
    "actors": st.lists(participations, max_size=3, unique_by=lambda part: (part["actor"], part.get("role"))),
    "claims": st.lists(claims, max_size=4, unique_by=claim_identity),
    "tags": some(TAGS),
    "kind": one_of([None, *KINDS]),
}
further_fields: dict[str, st.SearchStrategy[Any]] = {
    "summary": one_of(["Said once", "Said again"]),
    "language": one_of(["en", "sq"]),
    "phase": one_of(PHASES),
    "relations": st.lists(relations, max_size=2),
    "places": st.lists(one_of(PLACES), max_size=2),
    "media": st.lists(st.just(PICTURE), max_size=1),
    "attributes": st.dictionaries(one_of(["troops", "losses"]), amounts, max_size=2),
    "external_ids": st.dictionaries(st.just("wikidata"), one_of(["Q1246", "Q7184"])),
}
events = form(
    {"collection": one_of(["c0", "c0", "c1"]), "key": one_of([None, *KEYS]), **usual_fields}, **further_fields
)
event_patches = form(
    title=usual_fields["title"],
    **{name: st.none() | each for name, each in (usual_fields | further_fields).items() if name != "title"},
)
source_patches = form(
    title=one_of(["Renamed", "Renamed again"]),
    publisher=one_of([None, *ACTORS]),
    published=one_of([None, *PUBLISHED_OF_SOURCES]),
    derived_from=one_of([None, ["s0"], ["s1"], ["s3"], ["s5"], ["s0", "s2"], ["s1", "s3"]]),
)
actor_patches = form(name=one_of(["Renamed", "Renamed again"]), aliases=some(["Alias", "Other"]))

# --- Selections


def together(*parts: Forms) -> Forms:
    return st.tuples(*parts).map(lambda forms: {name: each[name] for each in forms for name in each})


def weighted(*choices: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One of the choices, drawn the more often the more often it is given."""
    return one_of(choices).flatmap(lambda choice: choice)


def several(part: Forms, most: int) -> Forms:
    return st.lists(part, max_size=most).map(lambda forms: {name: each[name] for each in forms for name in each})


undated = one_of(["include", "only", "exclude"])
any_or_all = one_of(["any", "all"])
windows = together(one_of(WINDOWS), form(match=one_of(["possible", "certain"]), undated=undated))
plain_filters: Forms = weighted(
    *[windows] * 4,
    *[form({"actor": chosen(ACTORS)}, actor_match=any_or_all)] * 2,
    form({"undated": undated}),
    form({"tag": chosen(TAGS)}, tag_match=any_or_all),
    form({"source": chosen(SOURCES)}),
    form({"kind": chosen(KINDS)}),
    form({"phase": chosen(PHASES)}),
    form({"key": chosen(KEYS, 8)}),
)
# The first is defined and read more often, so that it is mostly there when it is asked for.
timeline_names = one_of([*TIMELINES, TIMELINES[0]])
timelines = form({"timeline": timeline_names})
idents = form({"id": st.lists(picks, min_size=1, max_size=6)})


def any_filters(most: int) -> Forms:
    return several(weighted(*[plain_filters] * 3, timelines, idents), most)


known: Forms = form({"known_at": one_of(KNOWN_DATES) | picks})
maybe_known: Forms = st.just({}) | known
old_pins: Forms = form({"revision": st.integers(1, 20)}) | form({"as_of": st.tuples(picks, st.booleans())})
pins: Forms = st.just({}) | old_pins
orders: Forms = one_of([{}, {"order": "asc"}, {"order": "desc"}])
homes: Forms = one_of([{"collection": names} for names in (["c0", "c1"], ["c0", "c1"], ["c0"], ["c1"])])
selections = together(homes, any_filters(2), maybe_known, pins, orders)

Sides = tuple[Form, Form, Form, Form]
sides: st.SearchStrategy[Sides] = st.one_of(
    # One selection at two revisions or instants; what was known at two dates; any two selections.
    st.tuples(together(homes, any_filters(1), maybe_known), old_pins, pins, st.just({})),
    st.tuples(together(homes, any_filters(1), pins), known, known, orders),
    st.tuples(homes, together(any_filters(1), pins), together(any_filters(1), pins), orders),
)
"""What both sides of a diff share, what the base has more, what the head has more, and an order for both."""

# --- Writes: the name of a method of `World`, and what it takes

Write = tuple[Any, ...]
History = list[Write]

creations: st.SearchStrategy[Write] = st.tuples(st.just("create"), events)
patches: st.SearchStrategy[Write] = st.tuples(st.just("patch"), picks, event_patches)
revised_sources: st.SearchStrategy[Write] = st.tuples(st.just("revise_source"), one_of(SOURCES), source_patches)
definitions: st.SearchStrategy[Write] = st.tuples(
    st.just("define"),
    timeline_names,
    together(several(plain_filters, 2), maybe_known),
    st.lists(picks, max_size=2),
    st.lists(picks, max_size=2),
)
# The first writes nothing and is what others shrink to, so that histories may be long and failures short.
writes: st.SearchStrategy[Write] = weighted(
    st.just(("rest",)),
    *[creations] * 2,
    *[patches] * 4,
    *[revised_sources] * 3,
    *[definitions] * 3,
    st.tuples(st.just("repeat"), picks),
    st.tuples(st.just("retract"), picks),
    st.tuples(st.just("revise_actor"), one_of(ACTORS), actor_patches),
    st.tuples(st.just("delete"), one_of([*SOURCES[2:], *ACTORS[2:]])),
)
histories: st.SearchStrategy[History] = st.tuples(
    st.lists(creations, min_size=3, max_size=8), st.lists(writes, min_size=8, max_size=12)
).map(lambda parts: parts[0] + parts[1])

# --- One example: the same history in the service and in the model


class Live(Protocol):
    """A running service: where it answers, and a key that may write."""

    base_url: str
    key: str


class Store:
    """Requests to the service, and a fresh prefix for the names of each example."""

    def __init__(self, client: httpx.Client, key: str) -> None:
        self.client = client
        self.authorization = {"Authorization": f"Bearer {key}"}
        run = secrets.token_hex(4)
        self.prefixes = (f"x{run}-{number}" for number in count())

    def read(self, path: str, params: Selection | None = None) -> httpx.Response:
        # Actors and sources that no event has named yet are there for writers alone.
        named = path.startswith(("/v1/actors/", "/v1/sources/"))
        response = self.client.get(path, params=params, headers=self.authorization if named else {})
        assert response.status_code == 200, (str(response.url), response.text)
        return response

    def create(self, path: str, body: Form) -> httpx.Response:
        return self.client.post(path, json=body, headers=self.authorization)

    def patch(self, path: str, body: Form, etag: str) -> httpx.Response:
        headers = {"Content-Type": "application/merge-patch+json", "If-Match": etag}
        return self.client.patch(path, content=json.dumps(body), headers=self.authorization | headers)

    def delete(self, path: str) -> httpx.Response:
        etag = self.read(path).headers["ETag"]
        return self.client.delete(path, headers=self.authorization | {"If-Match": etag})


class World:
    """An example in progress: it turns drawn names and picks into its slugs, ids and revisions."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.prefix = next(store.prefixes)
        self.model = Model()
        for collection in COLLECTIONS:
            self.create_named("collections", collection, {"title": f"The {collection}"})

    # Names and picks

    def own(self, value: Any) -> Any:
        """The same structure with every name in it made this example's slug."""
        if isinstance(value, dict):
            return {name: self.own(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.own(member) for member in value]
        return f"{self.prefix}-{value}" if isinstance(value, str) and value in NAMES else value

    def revisions(self) -> list[Snapshot]:
        return self.model.snapshots[1:]

    def ever_created(self) -> list[str]:
        return list({ident: None for snapshot in self.revisions() for ident in snapshot.events})

    def pick_standing(self, pick: int) -> str | None:
        standing = list(self.model.head.events)
        return standing[pick % len(standing)] if standing else None

    def selection(self, drawn: Form) -> Form:
        """A drawn selection as it goes into a query, without what would be refused: a timeline not yet defined, say."""
        selection: Form = self.own(drawn)
        snapshots = self.revisions()[::-1]
        if "revision" in selection:
            selection["revision"] = str(snapshots[selection["revision"] % len(snapshots)].revision)
        if "as_of" in selection:
            pick, just_before = selection["as_of"]
            recorded = snapshots[pick % len(snapshots)].recorded
            selection["as_of"] = moment_before(recorded) if just_before else recorded
        if isinstance(selection.get("known_at"), int):
            recorded = snapshots[selection["known_at"] % len(snapshots)].recorded
            selection["known_at"] = recorded[: len("2025-02-19T12:00:00")] + "Z"
        if "id" in selection:
            created = self.ever_created()
            selection["id"] = sorted({created[pick % len(created)] for pick in selection["id"]})
        if not any(selection.get("timeline") in snapshot.timelines for snapshot in snapshots):
            selection.pop("timeline", None)
        if turned_round(selection):
            del selection["to"]
        return selection

    def related(self, drawn: list[Form], collection: str, subject: str | None) -> list[Form]:
        """Relations from `subject` to other standing events, by key where asked for and possible."""
        found = {}
        for relation in drawn:
            target = self.pick_standing(relation["pick"])
            if target is not None and target != subject:
                named = self.model.head.events[target].form
                by_key = relation["by_key"] and named["key"] and named["collection"] == collection
                pointer = {"key": named["key"]} if by_key else {"event": target}
                found[relation["type"], target] = {"type": relation["type"], **pointer}
        return list(found.values())

    # Writing

    def play(self, history: History) -> None:
        for verb, *details in history:
            event(f"write {verb}")
            getattr(self, verb)(*details)

    def rest(self) -> None:
        """Write nothing."""

    def new_revision(self, response: httpx.Response) -> int:
        revision = int(response.headers["Revision"])
        assert revision > self.model.head.revision
        assert "Revision-Unchanged" not in response.headers
        return revision

    def ensure(self, value: Any) -> None:
        """Create the actors and sources that a drawn structure names, where they do not stand."""
        if isinstance(value, dict | list):
            for member in value.values() if isinstance(value, dict) else value:
                self.ensure(member)
        elif value in ACTORS and self.own(value) not in self.model.head.actors:
            self.create_named("actors", value, {"name": f"The {value}", "type": "organisation"})
        elif value in SOURCES and self.own(value) not in self.model.head.sources:
            drawn = {"title": f"The {value}", "type": "article", **FIRST_SOURCES[value]}
            self.ensure(drawn)
            self.create_named("sources", value, drawn)

    def create_named(self, kind: str, name: str, drawn: Form) -> None:
        slug, sent = self.own(name), self.own(drawn)
        response = self.store.create(f"/v1/{kind}", {"slug": slug, **sent})
        assert response.status_code == 201, response.text
        document = response.json()
        revision = self.new_revision(response)
        self.model.record(revision, document["recorded"], kind, slug, filled(OTHERS[kind], sent))
        self.check_named(kind, document, self.model.head)

    def create(self, drawn: Form) -> None:
        self.ensure(drawn)
        sent = self.own(drawn)
        sent["relations"] = self.related(drawn.get("relations", []), sent["collection"], None)
        response = self.store.create("/v1/events", sent)
        if self.model.holder_of_key(sent["collection"], sent.get("key")) is not None:
            assert response.status_code == 409, response.text
            return
        assert response.status_code == 201, response.text
        document = response.json()
        revision, recorded = self.new_revision(response), document["recorded"]
        self.model.record(revision, recorded, "events", document["id"], self.model.whole_event(sent))
        self.check_written(document)

    def patch(self, pick: int, drawn: Form) -> None:
        ident = self.pick_standing(pick)
        if ident is None:
            return
        self.ensure(drawn)
        stands = self.model.head.events[ident].form
        patch = self.own(drawn)
        if drawn.get("relations"):
            patch["relations"] = self.related(drawn["relations"], stands["collection"], ident)
        elif "relations" not in drawn:
            # A relation to an event retracted since might not be taken again.
            kept = [each for each in stands["relations"] if each["event"] in self.model.head.events]
            if kept != stands["relations"]:
                patch["relations"] = [{"type": each["type"], "event": each["event"]} for each in kept]
        self.patch_event(ident, patch)

    def repeat(self, pick: int) -> None:
        """Send again what stands already."""
        ident = self.pick_standing(pick)
        if ident is not None:
            stands = self.model.head.events[ident].form
            self.patch_event(ident, {"title": stands["title"], "tags": stands["tags"][::-1]})

    def patch_event(self, ident: str, patch: Form) -> None:
        whole = self.model.whole_event(merged(self.model.head.events[ident].form, patch))
        self.check_written(self.send_patch("events", ident, patch, whole))

    def patch_named(self, kind: str, slug: str, patch: Form) -> None:
        whole = filled(OTHERS[kind], merged(self.model.head.table(kind)[slug].form, patch))
        self.check_named(kind, self.send_patch(kind, slug, patch, whole), self.model.head)

    def send_patch(self, kind: str, ident: str, patch: Form, whole: Form) -> Document:
        path = f"/v1/{kind}/{ident}"
        etag = self.store.read(path).headers["ETag"]
        response = self.store.patch(path, patch, etag)
        assert response.status_code == 200, response.text
        document: Document = response.json()
        if self.model.changes_nothing(kind, ident, whole):
            event("a write that changes nothing")
            assert response.headers["Revision-Unchanged"] == "true"
            assert response.headers["ETag"] == etag
        else:
            self.model.record(self.new_revision(response), document["recorded"], kind, ident, whole)
            assert response.headers["ETag"] != etag
        return document

    def retract(self, pick: int) -> None:
        ident = self.pick_standing(pick)
        if ident is not None:
            self.remove("events", ident)
            assert self.store.client.get(f"/v1/events/{ident}").status_code == 410

    def remove(self, kind: str, ident: str) -> None:
        response = self.store.delete(f"/v1/{kind}/{ident}")
        assert response.status_code == 204, response.text
        revision = self.new_revision(response)
        recorded = self.store.read(f"/v1/revisions/{revision}").json()["recorded"]
        self.model.record(revision, recorded, kind, ident, None)

    def revise_actor(self, name: str, drawn: Form) -> None:
        self.ensure(name)
        self.patch_named("actors", self.own(name), drawn)

    def revise_source(self, name: str, drawn: Form) -> None:
        patch = dict(drawn)
        if patch.get("derived_from"):
            patch["derived_from"] = [further for further in patch["derived_from"] if further != name]
        self.ensure([name, patch])
        slug, before = self.own(name), self.model.head.revision
        self.patch_named("sources", slug, self.own(patch))
        if self.model.head.revision > before:
            self.learn_what_followed(slug)

    def learn_what_followed(self, source: str) -> None:
        """Of the events resting on a revised source, the service may give a version to more than it must."""
        query = {"collection": self.own(COLLECTIONS), "limit": 500}
        items = self.store.read("/v1/events", query).json()["items"]
        now = self.model.head
        revised = {item["id"] for item in items if item["revision"] == now.revision}
        must = {ident for ident, entry in now.events.items() if entry.revision == now.revision}
        assert must <= revised <= must | self.model.may_follow(source)
        self.model.revise_with_head(revised - must)

    def delete(self, name: str) -> None:
        """Delete an actor or source, which is refused while in use; what a timeline names is left alone."""
        self.ensure(name)
        kind, slug = "actors" if name in ACTORS else "sources", self.own(name)
        if slug in json.dumps([entry.form for entry in self.model.head.timelines.values()]):
            return
        if self.model.in_use(kind, slug):
            refused = self.store.delete(f"/v1/{kind}/{slug}")
            assert refused.status_code == 409, refused.text
        else:
            self.remove(kind, slug)
            assert self.store.client.get(f"/v1/{kind}/{slug}").status_code in (404, 410)

    def define(self, name: str, drawn: Form, include: list[int], exclude: list[int]) -> None:
        """Make a timeline, or give it another definition altogether."""
        pinned = {
            list_name: sorted({ident for pick in each if (ident := self.pick_standing(pick))})
            for list_name, each in (("include", include), ("exclude", exclude))
        }
        sent: Form = {"title": f"The {name}", "selection": self.selection(drawn), **pinned}
        slug = self.own(name)
        if slug in self.model.head.timelines:
            former = self.model.head.timelines[slug].form["selection"]
            sent["selection"] = {**dict.fromkeys(former), **sent["selection"]}
            self.patch_named("timelines", slug, sent)
        else:
            self.create_named("timelines", name, sent)

    # Reading

    def check_named(self, kind: str, document: Document, snapshot: Snapshot) -> None:
        """What an actor, source, collection or timeline says of itself is what it was at a snapshot."""
        entry = snapshot.table(kind)[document["slug"]]
        expected = {**entry.form, "revision": entry.revision, "recorded": entry.recorded}
        assert {name: document[name] for name in expected} == expected

    def check_written(self, document: Document) -> None:
        assert differences([plain(document)], all_settled([self.model.seen(document["id"], {})])) == []

    def listing(self, selection: Form) -> Document:
        """The service's answer, once found equal to the model's in content and order."""
        page: Document = self.store.read("/v1/events", {**selection, "limit": 500}).json()
        assert differences([plain(item) for item in page["items"]], all_settled(self.model.listing(selection))) == []
        assert page["next"] is None
        self.check_included(page["included"], page["items"], self.model.view(selection)[0])
        return page

    def check_included(self, included: Document, documents: list[Document], snapshot: Snapshot) -> None:
        """Every actor and source that the documents name is there once, as it was."""
        named: dict[str, set[str]] = {"actors": set(), "sources": set()}
        for document in documents:
            named["actors"] |= {part["actor"] for part in document["actors"]}
            for claim in document["claims"]:
                named["actors"] |= set(claim["speakers"])
                named["sources"] |= {claim["source"], claim["via"]} - {None}
        for kind, slugs in named.items():
            members = included[kind].values() if isinstance(included[kind], dict) else included[kind]
            present = [member["slug"] for member in members]
            assert len(set(present)) == len(present)
            assert slugs <= set(present)
            for member in members:
                self.check_named(kind, member, snapshot)

    def check_history(self, ident: str) -> None:
        """Every version of an event, at whichever end its history begins."""
        items = self.store.read(f"/v1/events/{ident}/history").json()["items"]
        items.sort(key=lambda item: int(item["revision"]))
        snapshots = [self.model.at(revision) for revision, _ in self.model.versions(ident)]
        stamps = [(item["revision"], item["recorded"]) for item in items]
        assert stamps == [(snapshot.revision, snapshot.recorded) for snapshot in snapshots]
        documents = [item["event"] and plain(item["event"]) for item in items]
        assert differences(documents, all_settled([see(snapshot, ident, {}) for snapshot in snapshots])) == []

    def check_single(self, ident: str, selection: Form) -> None:
        """One event through the lenses alone."""
        lenses = {name: selection[name] for name in (*PINS, "known_at") if name in selection}
        expected = self.model.seen(ident, lenses)
        response = self.store.client.get(f"/v1/events/{ident}", params=lenses)
        if expected is None:
            assert response.status_code in (404, 410), response.text
        else:
            assert response.status_code == 200, response.text
            assert plain(response.json()) == settled(expected)

    def diff(self, base: Form, head: Form, limit: int = 500) -> list[Document]:
        """All items of the service's diff, read page by page."""
        first = page = self.store.read("/v1/diff", {**two_sided(base, head), "limit": limit}).json()
        items = list(page["items"])
        for _ in range(500):
            for side, selection in (("base", base), ("head", head)):
                documents = [each for item in page["items"] for each in documents_of(item, side)]
                self.check_included(page["included"][side], documents, self.model.view(selection)[0])
            if page["next"] is None:
                break
            page = self.store.read(page["next"]).json()
            items += page["items"]
        assert page["next"] is None
        operations = [item["op"] for item in items]
        assert first["summary"] == {each: operations.count(each) for each in ("added", "removed", "changed")}
        for side, selection in (("base", base), ("head", head)):
            if "revision" in selection:
                assert first[side]["revision"] == int(selection["revision"])
        return items


def turned_round(selection: Form) -> bool:
    """Whether two windows drawn for one selection have become one that ends before it begins."""
    return {"from", "to"} <= selection.keys() and span(selection["from"]).low > span(selection["to"]).high


def moment_before(recorded: str) -> str:
    moment = datetime.fromisoformat(recorded) - timedelta(milliseconds=1)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def plain(document: Document) -> Document:
    """A document without what the model cannot know, each of which is at least there, and its sets sorted."""
    rest = {name: value for name, value in document.items() if name != "included"}
    if rest["occurred"] is not None:
        rest["occurred"] = dict(rest["occurred"])
        assert rest["occurred"].pop("display")
    rest["claims"] = [dict(claim) for claim in rest["claims"]]
    for claim in rest["claims"]:
        assert claim.pop("id")
        if isinstance(claim["occurred"], dict):
            claim["occurred"] = claim["occurred"]["edtf"]
    return settled(rest)


def differences(given: Any, expected: Any, path: str = "") -> list[str]:
    """Where two JSON values differ: each place with what is there and what should be."""
    if isinstance(given, dict) and isinstance(expected, dict) and given.keys() == expected.keys():
        return [line for name in given for line in differences(given[name], expected[name], f"{path}/{name}")]
    if isinstance(given, list) and isinstance(expected, list) and len(given) == len(expected):
        pairs = enumerate(zip(given, expected, strict=True))
        return [line for place, pair in pairs for line in differences(*pair, f"{path}/{place}")]
    return [] if given == expected else [f"{path}: {given!r} should be {expected!r}"]


def all_settled(documents: Sequence[Document | None]) -> list[Document | None]:
    return [document and settled(document) for document in documents]


def two_sided(base: Form, head: Form) -> Form:
    """The parameters of a diff: what both sides share without a prefix, the rest for its side."""
    shared = {name: value for name, value in base.items() if head.get(name) == value}
    query = dict(shared)
    for side, selection in (("base", base), ("head", head)):
        query |= {f"{side}_{name}": value for name, value in selection.items() if name not in shared}
    return query


def subject(item: Document) -> str:
    return str(item["id"] if item["op"] == "changed" else item["event"]["id"])


def documents_of(item: Document, side: str) -> list[Document]:
    """The documents of an item that come from one side."""
    here, elsewhere = ("before", "removed") if side == "base" else ("after", "added")
    member = here if item["op"] == "changed" else "event" if item["op"] == elsewhere else "other"
    return [item[member]] if item[member] is not None else []


# --- The laws


@pytest.fixture(scope="module")
def store(live: Live) -> Iterator[Store]:
    with httpx.Client(base_url=live.base_url, timeout=30) as client:
        yield Store(client, live.key)


@laws
@given(history=histories, drawn=st.lists(selections, min_size=8, max_size=16))
def test_listings_through_the_lenses_equal_the_models(store: Store, history: History, drawn: list[Form]) -> None:
    world = World(store)
    world.play(history)
    for each in drawn:
        selection = world.selection(each)
        page = world.listing(selection)
        for name in selection:
            event(f"read {name}")
        event("a listing" if page["items"] else "an empty listing")
        if "timeline" in selection:
            rest = {name: value for name, value in selection.items() if name != "timeline"}
            path = f"/v1/timelines/{selection['timeline']}/events"
            assert store.read(path, {**rest, "limit": 500}).json() == page
    everything = {"collection": world.own(COLLECTIONS)}
    for snapshot, pin in zip(world.revisions(), cycle(PINS), strict=False):
        moment = {"revision": str(snapshot.revision), "as_of": snapshot.recorded}[pin]
        assert world.listing({**everything, pin: moment})["revision"] == snapshot.revision
    for ident, each in zip(world.ever_created(), cycle(drawn), strict=False):
        world.check_history(ident)
        world.check_single(ident, world.selection(each))


@laws
@given(
    history=histories,
    drawn=st.lists(selections, min_size=3, max_size=6),
    later=st.lists(writes, min_size=1, max_size=8),
)
def test_the_past_never_changes(store: Store, history: History, drawn: list[Form], later: History) -> None:
    world = World(store)
    world.play(history)
    now = {"revision": str(world.model.head.revision)}
    pinned = [each if set(PINS) & each.keys() else each | now for each in map(world.selection, drawn)]
    base, *heads = ({**selection, "order": "asc"} for selection in pinned)
    queries: list[tuple[str, Form]] = [
        *(("/v1/events", {**selection, "limit": 500}) for selection in pinned),
        *(("/v1/diff", two_sided(base, head)) for head in heads),
        *((f"/v1/events/{ident}", now) for ident in world.model.head.events),
    ]
    before = [store.read(path, query).content for path, query in queries]
    world.play(later)
    assert [store.read(path, query).content for path, query in queries] == before


@laws
@given(history=histories, drawn=st.lists(sides, min_size=2, max_size=5), limit=st.integers(1, 5))
def test_a_diff_leads_from_the_base_to_the_head(store: Store, history: History, drawn: list[Sides], limit: int) -> None:
    world = World(store)
    world.play(history)
    for shared, of_base, of_head, order in drawn:
        base, head = world.selection(shared | of_base), world.selection(shared | of_head)
        if without_pins(base) != without_pins(head):
            base, head = base | order, head | order
        items = world.diff(base, head)
        for item in items or [{"op": "no"}]:
            event(f"{item['op']} item")
        check_against_model(items, world.model.diff(base, head))
        check_patches(items)
        check_composition(items, world.listing(base)["items"], world.listing(head)["items"], head)
        check_turned_round(items, world.diff(head, base))
        assert world.diff(base, head, limit) == items
        assert world.diff(base, base) == world.diff(head, head) == []


def check_against_model(items: list[Document], expected: list[Document]) -> None:
    """Members, order, documents on both sides and named fields are the model's."""
    assert [(item["op"], subject(item)) for item in items] == [(item["op"], item["id"]) for item in expected]
    for item, modelled in zip(items, expected, strict=True):
        names = ("before", "after") if item["op"] == "changed" else ("event", "other")
        assert [item[name] and plain(item[name]) for name in names] == all_settled([modelled[name] for name in names])
        assert set(item.get("fields") or []) == modelled.get("fields", set())


def check_patches(items: list[Document]) -> None:
    for item in items:
        if item["op"] == "changed":
            assert jsonpatch.apply_patch(item["before"], item["patch"]) == item["after"]


def check_composition(items: list[Document], base: list[Document], head: list[Document], selection: Form) -> None:
    """Base plus added, minus removed, with changed replaced, is the head's listing."""
    composed = {document["id"]: document for document in base}
    for item in items:
        if item["op"] == "added":
            assert item["event"]["id"] not in composed
            composed[item["event"]["id"]] = item["event"]
        elif item["op"] == "removed":
            assert composed.pop(item["event"]["id"]) == item["event"]
        else:
            assert composed[item["id"]] == item["before"]
            composed[item["id"]] = item["after"]
    result = ordered(composed.values(), selection.get("order", "asc"))
    assert [document["id"] for document in result] == [document["id"] for document in head]
    touched = {subject(item) for item in items}
    for document, listed in zip(result, head, strict=True):
        if document["id"] in touched:
            assert document == listed
        else:
            # Where nothing is said to have changed, only what is never a change by itself may differ.
            assert compared(plain(document)) == compared(plain(listed))


def check_turned_round(items: list[Document], reverse: list[Document]) -> None:
    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    turned = {subject(item): item for item in reverse}
    assert len(turned) == len(reverse) == len(items)
    for item in items:
        other = turned[subject(item)]
        assert other["op"] == opposite[item["op"]]
        assert set(other.get("fields") or []) == set(item.get("fields") or [])
        if item["op"] == "changed":
            assert (other["before"], other["after"]) == (item["after"], item["before"])
        else:
            assert (other["event"], other["other"]) == (item["event"], item["other"])


@laws
@given(
    history=histories,
    drawn=selections,
    edits=st.lists(writes, max_size=12),
    limits=st.lists(st.integers(1, 3), min_size=1, max_size=3),
)
def test_pages_add_up_to_the_listing_while_edits_move_dates(
    store: Store, history: History, drawn: Form, edits: History, limits: list[int]
) -> None:
    world = World(store)
    world.play(history)
    selection = world.selection(drawn)
    whole = world.listing(selection)
    sizes, left = cycle(limits), list(edits)
    page = store.read("/v1/events", {**selection, "limit": next(sizes)}).json()
    pages = [page]
    while page["next"] is not None and len(pages) < 100:
        # Whatever is edited between pages, and whatever the size of the next, a cursor keeps to its revision.
        world.play([left.pop() for _ in range(min(2, len(left)))])
        following = httpx.URL(page["next"]).copy_set_param("limit", next(sizes))
        page = store.read(str(following)).json()
        assert page["revision"] == whole["revision"]
        pages.append(page)
    event("one page" if len(pages) == 1 else "several pages")
    assert page["next"] is None
    assert [item for each in pages for item in each["items"]] == whole["items"]
