"""Laws of the interface: random histories, written to the real service and to the plain model, then compared.

`DATELINE_EXAMPLES_LAWS` is the number of examples for each law; without it every run has the same few.
"""

import os
from collections.abc import Callable, Iterator
from functools import wraps
from itertools import cycle, product
from typing import Any

import httpx
import jsonpatch
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.storage.embedded import joined
from tests.api.strategies import (
    CALLERS,
    COLLECTIONS,
    KEYS,
    TOUR,
    VISIBILITIES,
    WRITES,
    History,
    Sides,
    comparisons,
    counts,
    histories,
    keyed_events,
    one_of,
    readings,
    some_writes,
    thinnings,
    weighted,
)
from tests.api.world import (
    COUNTS,
    Store,
    World,
    agree,
    all_settled,
    count_reading,
    documents_of,
    opened_store,
    plain,
    subject,
    two_sided,
)
from tests.conftest import Live
from tests.model import (
    CLOCKS,
    COMPANIONS,
    FACETS,
    FILTERS,
    INTERVALS,
    LENSES,
    PINS,
    Document,
    Form,
    compared,
    ordered,
    thinned,
)

FEW = 25
EXAMPLES = int(os.environ.get("DATELINE_EXAMPLES_LAWS", FEW))
SECONDS_FOR_ONE_EXAMPLE = 30

pytestmark = pytest.mark.timeout(EXAMPLES * SECONDS_FOR_ONE_EXAMPLE)
laws = settings(
    max_examples=EXAMPLES,
    derandomize="DATELINE_EXAMPLES_LAWS" not in os.environ,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)

Law = Callable[..., None]
LAWS: dict[str, tuple[Law, dict[str, Any]]] = {}
"""Each law, before it is given examples, and what it is given."""


def law(**strategies: Any) -> Callable[[Law], Law]:
    """Makes a test of a law, and keeps it to be tried on services that break it."""

    def decorated(check: Law) -> Law:
        @wraps(check)
        def counted(*given: Any, **drawn: Any) -> None:
            COUNTS["law", check.__name__] += 1
            check(*given, **drawn)

        LAWS[check.__name__] = check, strategies
        return laws(given(**strategies)(counted))

    return decorated


Reading = tuple[str, Form]
Comparison = tuple[str, str, Sides]
Count = tuple[Reading, str, str]


@pytest.fixture(scope="module")
def store(live: Live) -> Iterator[Store]:
    with joined(live.data_dir) as dsn, opened_store(live, dsn) as opened:
        yield opened


TOURS = cycle([("writer", each) for each in TOUR[start::8]] for start in range(8))


@law(history=histories, drawn=st.lists(readings, min_size=8, max_size=16), fields=thinnings)
def test_listings_through_the_lenses_equal_the_models(
    store: Store, history: History, drawn: list[Reading], fields: list[str]
) -> None:
    world = World(store)
    world.play(history)
    for caller, each in drawn + next(TOURS):
        selection = world.selection(each)
        page = world.listing(selection, caller)
        count_reading(caller, selection)
        COUNTS["listing", "of some events" if page["items"] else "empty"] += 1
        if page["revision"] is None:
            continue
        if fields:
            check_thinned(world, selection, caller, page, fields)
        if "timeline" in selection:
            rest = {name: value for name, value in selection.items() if name != "timeline"}
            path = f"/v1/timelines/{selection['timeline']}/events"
            assert world.read(path, {**rest, "limit": 500}, caller).json() == page
    everything = {"collection": world.own(list(COLLECTIONS))}
    for snapshot, pin in zip(world.revisions(), cycle(PINS), strict=False):
        moment = {"revision": str(snapshot.revision), "as_of": snapshot.recorded}[pin]
        assert world.listing({**everything, pin: moment})["revision"] == snapshot.revision
    for ident, (caller, each) in zip(world.ever_created(), cycle(drawn), strict=False):
        world.check_history(ident, caller)
        world.check_single(ident, world.selection(each), caller)
    check_merged(world)


@law(history=histories, drawn=st.lists(counts, min_size=3, max_size=6))
def test_counts_equal_the_models(store: Store, history: History, drawn: list[Count]) -> None:
    """And the count of a value is how many events are listed with that value asked for too."""
    world = World(store)
    world.play(history)
    tour = [(reading, *how) for reading, how in zip(next(TOURS), product(CLOCKS, ["auto", *INTERVALS]), strict=False)]
    for (caller, each), on, interval in drawn + tour:
        selection = world.selection(each)
        told = world.counts(selection, caller, on, interval)
        count_reading(caller, selection)
        COUNTS["histogram", "none" if told is None else f"{on} by {told['interval']}"] += 1
        if told is None:
            continue
        page = world.listing(selection, caller)
        assert (told["matching"], told["revision"]) == (len(page["items"]), page["revision"])
        for name in FACETS:
            if name not in selection and told["facets"][name]:
                chosen = told["facets"][name][len(page["items"]) % len(told["facets"][name])]
                COUNTS["facet", name] += 1
                narrowed = world.listing({**selection, name: [chosen["value"]]}, caller)
                assert len(narrowed["items"]) == chosen["count"], (name, chosen)


def check_thinned(world: World, selection: Form, caller: str, page: Document, fields: list[str]) -> None:
    """`fields` leaves of each document what it names, and of `included` what that names."""
    COUNTS["parameter", "fields"] += 1
    query = {**selection, "limit": 500, "fields": ",".join(fields)}
    thin = world.read("/v1/events", query, caller).json()
    assert thin["items"] == [thinned(item, fields) for item in page["items"]]
    assert {**thin, "items": [], "included": {}} == {**page, "items": [], "included": {}}
    world.check_included(thin["included"], thin["items"], world.model.view(selection)[0].snapshot)


def check_merged(world: World) -> None:
    """Reading a merged actor leads to the one it stands for."""
    head = world.model.head
    for slug, entry in head.actors.items():
        response = world.get(f"/v1/actors/{slug}")
        if entry.form["merged_into"] is None:
            assert response.status_code == 200, response.text
        else:
            assert response.status_code == 308, response.text
            assert httpx.URL(response.headers["Location"]).path == f"/v1/actors/{head.actor(slug)}"


@law(
    history=histories,
    drawn=st.lists(readings, min_size=3, max_size=6),
    later=st.lists(some_writes("show"), min_size=1, max_size=8),
)
def test_the_past_never_changes(store: Store, history: History, drawn: list[Reading], later: History) -> None:
    """What the caller may see is today's, so collections keep their visibility meanwhile."""
    world = World(store)
    world.play(history)
    now = {"revision": str(world.model.head.revision)}
    pinned = [
        (caller, each if set(PINS) & each.keys() else each | now)
        for caller, each in ((caller, world.selection(each)) for caller, each in drawn)
    ]
    (_, base), *heads = ((caller, {**selection, "order": "asc"}) for caller, selection in pinned)
    queries: list[tuple[str, Form, str]] = [
        *(("/v1/events", {**selection, "limit": 500}, caller) for caller, selection in pinned),
        *(("/v1/diff", two_sided(base, head), caller) for caller, head in heads),
        *((f"/v1/events/{ident}", now, "writer") for ident in world.model.head.events),
        *((f"/v1/actors/{slug}", now, "writer") for slug in world.model.head.actors),
    ]
    before = [told(world.get(*query)) for query in queries]
    world.play(later)
    for query, then in zip(queries, before, strict=True):
        # A private timeline may be shown later, and a public one no more.
        if "timeline" not in json_names(query[1]) or query[2] == "writer":
            assert told(world.get(*query)) == then


def told(response: httpx.Response) -> tuple[int, bytes]:
    assert response.status_code in (200, 308, 404), (str(response.url), response.text)
    return response.status_code, response.content


def json_names(query: Form) -> set[str]:
    return {name.removeprefix("base_").removeprefix("head_") for name in query}


@law(
    history=histories,
    drawn=st.lists(comparisons, min_size=3, max_size=6),
    limit=st.integers(1, 5),
    fields=thinnings,
)
def test_a_diff_leads_from_the_base_to_the_head(
    store: Store, history: History, drawn: list[Comparison], limit: int, fields: list[str]
) -> None:
    world = World(store)
    world.play(history)
    for caller, match_on, (shared, of_base, of_head, order) in drawn:
        base, head = (world.selection(shared | own) | order for own in (of_base, of_head))
        asking = world.callers[caller]
        if not all(
            world.model.timeline_in_sight(side["timeline"], asking) for side in (base, head) if "timeline" in side
        ):
            continue
        check_diff(world, base, head, caller, match_on, limit)
        if fields:
            check_thinned_diff(world, base, head, caller, match_on, fields)


def check_diff(world: World, base: Form, head: Form, caller: str, match_on: str, limit: int) -> None:
    asking = world.callers[caller]
    how: Form = {"match_on": match_on} if match_on == "key" else {}
    whole = world.diff(base, head, caller, how)
    count_diff(base, head, caller, match_on, whole)
    check_against_model(whole, world.model.diff(base, head, match_on, asking))
    check_patches(whole)
    order = world.model.order_of(head, world.model.view(head)[1])
    check_composition(whole, world.listing(base, caller)["items"], world.listing(head, caller)["items"], order)
    check_turned_round(whole, world.diff(head, base, caller, how))
    assert world.diff(base, head, caller, how, limit) == whole
    assert world.diff(base, base, caller, how) == world.diff(head, head, caller, how) == []


def count_diff(base: Form, head: Form, caller: str, match_on: str, items: list[Document]) -> None:
    apart = sorted({name for name in base.keys() | head.keys() if base.get(name) != head.get(name)})
    COUNTS["diff", f"matched on {match_on}, differing in {', '.join(apart) or 'nothing'}"] += 1
    for name in apart or ["nothing"]:
        COUNTS["diff of", name] += 1
    for item in items:
        COUNTS[
            "diff item", item["op"] if item["op"] == "changed" or item["other"] is None else item["op"] + ", other"
        ] += 1
    for side in (base, head):
        count_reading(caller, side)


def check_against_model(items: list[Document], expected: list[Document]) -> None:
    """Members, order, documents on both sides and named fields are the model's."""
    assert [(item["op"], subject(item)) for item in items] == [(item["op"], item["id"]) for item in expected]
    for item, modelled in zip(items, expected, strict=True):
        names = ("before", "after") if item["op"] == "changed" else ("event", "other")
        given = [item[name] and plain(item[name]) for name in names]
        agree(given, all_settled([modelled[name] for name in names]))
        assert set(item.get("fields") or []) == modelled.get("fields", set())


def check_patches(items: list[Document]) -> None:
    for item in items:
        if item["op"] == "changed":
            assert jsonpatch.apply_patch(item["before"], item["patch"]) == item["after"]


def check_composition(items: list[Document], base: list[Document], head: list[Document], order: str) -> None:
    """Base plus added, minus removed, with changed replaced, is the head's listing."""
    composed = {document["id"]: document for document in base}
    for item in items:
        if item["op"] == "removed":
            assert composed.pop(item["event"]["id"]) == item["event"]
        elif item["op"] == "changed":
            assert composed.pop(item["before"]["id"]) == item["before"]
    for item in items:
        if item["op"] != "removed":
            document = item["event"] if item["op"] == "added" else item["after"]
            assert document["id"] not in composed
            composed[document["id"]] = document
    touched = {document["id"] for item in items for document in documents_of(item, "head")}
    names = {document["id"]: document for document in head}
    result = {other_name(ident, document, composed, names): document for ident, document in composed.items()}
    assert result.keys() == names.keys()
    for ident, document in result.items():
        if ident in touched:
            assert document == names[ident]
        else:
            # Where nothing is said to have changed, only what is never a change by itself may differ.
            assert compared(plain(document)) == compared(plain(names[ident]))
    assert [document["id"] for document in ordered((names[ident] for ident in result), order)] == list(names)


def other_name(ident: str, document: Document, composed: dict[str, Document], names: dict[str, Document]) -> str | None:
    """An event's id in the head: of two that are matched by key and say the same, only the base's has been met."""
    if ident in names:
        return ident
    same_key = [each for each in composed if each not in names and composed[each]["key"] == document["key"]]
    free = [each for each in names if each not in composed and names[each]["key"] == document["key"]]
    pairs = dict(zip(sorted(same_key), sorted(free), strict=False))
    return pairs.get(ident) if document["key"] is not None else None


def check_turned_round(items: list[Document], reverse: list[Document]) -> None:
    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    turned = {
        (item["op"], item["before"]["id"] if item["op"] == "changed" else subject(item)): item for item in reverse
    }
    assert len(turned) == len(reverse) == len(items)
    for item in items:
        other = turned[opposite[item["op"]], subject(item)]
        assert set(other.get("fields") or []) == set(item.get("fields") or [])
        if item["op"] == "changed":
            assert (other["before"], other["after"]) == (item["after"], item["before"])
        else:
            assert (other["event"], other["other"]) == (item["event"], item["other"])


def check_thinned_diff(world: World, base: Form, head: Form, caller: str, match_on: str, fields: list[str]) -> None:
    """`fields` thins what the items hold and leaves which there are, and what they say has changed."""
    COUNTS["parameter", "fields of a diff"] += 1
    whole = world.diff(base, head, caller, {"match_on": match_on})
    thin = world.diff(base, head, caller, {"match_on": match_on, "fields": ",".join(fields)})
    assert [(item["op"], item.get("fields")) for item in thin] == [(item["op"], item.get("fields")) for item in whole]
    for item, full in zip(thin, whole, strict=True):
        for name in ("before", "after") if item["op"] == "changed" else ("event", "other"):
            assert item[name] == thinned(full[name], fields)
        if item["op"] == "changed":
            assert item["id"] == full["id"]
            assert jsonpatch.apply_patch(item["before"], item["patch"]) == item["after"]


@law(
    history=histories,
    reading=readings,
    edits=st.lists(some_writes("show"), max_size=12),
    limits=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    shown=weighted(st.none(), *[st.tuples(one_of(list(COLLECTIONS)), one_of(VISIBILITIES))] * 2),
)
def test_pages_add_up_to_the_listing_while_edits_move_dates(
    store: Store,
    history: History,
    reading: Reading,
    edits: History,
    limits: list[int],
    shown: tuple[str, str] | None,
) -> None:
    """Whatever is edited between pages, and whatever their sizes, they are of one revision; visibility is today's."""
    world = World(store)
    world.play(history)
    caller, selection = reading[0], world.selection(reading[1])
    whole = world.listing(selection, caller)
    if whole["revision"] is None:
        return
    sizes = cycle(limits)
    left = [each for each in edits if each[0] != "define"]
    page = world.read("/v1/events", {**selection, "limit": next(sizes)}, caller).json()
    pages = [page]
    if shown is not None and page["next"] is not None:
        world.show(*shown)
        whole["items"] = page["items"] + listed_after(page["items"][-1], world, selection, caller, whole["revision"])
    while page["next"] is not None and len(pages) < 100:
        world.play([left.pop() for _ in range(min(2, len(left)))])
        following = httpx.URL(page["next"]).copy_set_param("limit", next(sizes))
        page = world.read(str(following), None, caller).json()
        assert page["revision"] == whole["revision"]
        pages.append(page)
    COUNTS["pages", "one" if len(pages) == 1 else "several" if shown is None else "several, visibility changed"] += 1
    assert page["next"] is None
    assert [item for each in pages for item in each["items"]] == whole["items"]


def listed_after(last: Document, world: World, selection: Form, caller: str, revision: int) -> list[Document]:
    """What of a listing at a revision is in the caller's sight now, and stands after a document."""
    pinned = {name: value for name, value in selection.items() if name not in PINS} | {"revision": str(revision)}
    items: list[Document] = world.listing(pinned, caller)["items"]
    order = world.model.order_of(selection, world.model.view(selection)[1])
    places = [item["id"] for item in ordered([last, *(item for item in items if item["id"] != last["id"])], order)]
    follow = places[places.index(last["id"]) + 1 :]
    return [item for item in items if item["id"] in follow]


@law(
    history=histories,
    name=one_of(list(COLLECTIONS)),
    kept=st.sets(st.integers(0, 8), min_size=1),
    more=st.lists(keyed_events, max_size=3),
    lines=st.booleans(),
)
def test_what_a_batch_retracts_comes_back_unchanged(
    store: Store, history: History, more: list[Form], name: str, kept: set[int], lines: bool
) -> None:
    """A collection sent in part, what is missing being retracted, and then as a whole is the collection as it was."""
    world = World(store)
    world.play([*history, *(("create", {**each, "collection": name}) for each in more)])
    home, model = world.own(name), world.model
    before = model.head.revision
    forms = [entry.form for ident, entry in model.head.events.items() if model.homes[ident] == home]
    keys = [
        form["key"]
        for form in forms
        if form["key"] is not None and len(world.kept_relations(form)) == len(form["relations"])
    ]
    how = {"collection": name, "on_existing": "merge", "lines": lines}
    some = [{"key": key} for place, key in enumerate(keys) if place in kept]
    if not some:
        return
    world.send_batch(some, how | {"retract_missing": True})
    world.send_batch([{"key": key} for key in keys], how | {"retract_missing": False})
    base = {"collection": [home], "revision": str(before)}
    items = world.diff(base, {"collection": [home]}, "writer", {})
    COUNTS["batch", "brought some back" if len(keys) > len(some) else "retracted none with a key"] += 1
    lost = [form for form in forms if form["key"] not in keys]
    assert [item["op"] for item in items] == ["removed"] * len(lost)


# --- What a caller may not see


@law(history=histories, caller=one_of(CALLERS[:2]), drawn=st.lists(readings, min_size=2, max_size=4))
def test_what_a_caller_may_not_see_is_nowhere(
    store: Store, history: History, caller: str, drawn: list[Reading]
) -> None:
    """The bytes of no answer hold a private collection's slug, or an event of it by id, key or title."""
    world = World(store)
    world.play(history)
    secrets = hidden_texts(world, caller)
    COUNTS["secrets", "some" if secrets else "none"] += 1
    for path, query in open_addresses(world, drawn, caller):
        response = world.get(path, query, caller)
        assert response.status_code in (200, 404, 410), (str(response.url), response.text)
        for secret in secrets:
            assert secret not in response.text + str(response.headers), (secret, str(response.url))
    check_names(world, caller)
    check_hidden(world, caller)


def hidden_texts(world: World, caller: str) -> list[str]:
    """What only those know who see what the caller does not. Titles of events name their collection."""
    model, asking = world.model, world.callers[caller]
    unseen = model.unseen(asking)
    collections = [slug for slug in world.own(list(COLLECTIONS)) if not model.in_reach(slug, asking)]
    keys = {True: set[str](), False: set[str]()}
    for snapshot in world.revisions():
        for ident, entry in snapshot.events.items():
            keys[ident in unseen] |= {entry.form["key"]} - {None}
    used = model.used(asking, named=True)
    names = [
        slug
        for kind in ("actors", "sources")
        for snapshot in world.revisions()
        for slug in snapshot.table(kind).keys() - used[kind]
    ]
    return [*collections, *unseen, *(keys[True] - keys[False]), *dict.fromkeys(names)]


def open_addresses(world: World, drawn: list[Reading], caller: str) -> Iterator[tuple[str, Form]]:
    """Reads that name nothing hidden, of everything there is to read."""
    model = world.model
    first, last = world.revisions()[0].revision, model.head.revision
    keys, words = {"key": world.own(KEYS), "limit": 500}, {"q": world.prefix, "limit": 500}
    yield "/v1", {}
    yield "/v1/events", {"recorded_from": world.revisions()[0].recorded, "limit": 500}
    yield "/v1/events", {"recorded_from": world.revisions()[0].recorded, "limit": 1, "order": "desc"}
    yield "/v1/revisions", {"limit": min(500, last - first + 1)}
    for kind in ("actors", "sources", "collections"):
        yield f"/v1/{kind}", words
    for ident in world.ever_created():
        if ident not in model.unseen(world.callers[caller]):
            yield f"/v1/events/{ident}", {}
            yield f"/v1/events/{ident}/history", {}
    for snapshot in world.revisions()[:: max(1, len(world.revisions()) // 4)]:
        yield f"/v1/revisions/{snapshot.revision}", {}
        for match_on in ("id", "key"):
            yield "/v1/diff", {"base_revision": snapshot.revision, "head_revision": last, "match_on": match_on}
        yield "/v1/diff", {"base_revision": last, "head_revision": max(first, snapshot.revision), "limit": 1}
    for _, each in drawn:
        # Selections that stay in the example by what is open, and answers that do not tell the query again.
        selection = world.selection({**each, "order": "asc"})
        named = {"timeline", "collection", "key", "id", *OF_NAMES} & selection.keys()
        selection = {name: value for name, value in selection.items() if name not in named}
        yield "/v1/events", {**selection, "recorded_from": world.revisions()[0].recorded, "limit": 500}
        yield "/v1/events", {**selection, **keys}


OF_NAMES = (
    "related_to",
    "relation",
    "direction",
    "actor",
    "source",
    "publisher",
    "speaker",
    "according_to",
    "according_to_source",
)


def check_names(world: World, caller: str) -> None:
    """Actors, sources, collections and timelines are there, by name and in lists, for whom they should be."""
    model, asking = world.model, world.callers[caller]
    for kind in ("actors", "sources"):
        for named in (False, True):
            used = model.used(asking, named)[kind]
            if named:
                check_by_name(world, caller, kind, used)
            else:
                assert listed_names(world, caller, kind) == used & model.head.table(kind).keys()
    shown = {slug: model.visibility("collections", slug) for slug in model.head.collections}
    reached = {slug for slug in shown if model.in_reach(slug, asking)}
    check_by_name(world, caller, "collections", reached)
    assert listed_names(world, caller, "collections") == {slug for slug in reached if shown[slug] != "unlisted"}
    shown = {slug: model.visibility("timelines", slug) for slug in model.head.timelines}
    reached = {slug for slug in shown if model.timeline_in_sight(slug, asking)}
    check_by_name(world, caller, "timelines", reached)
    assert listed_names(world, caller, "timelines") == {slug for slug in reached if shown[slug] != "unlisted"}


def listed_names(world: World, caller: str, kind: str) -> set[str]:
    page = world.read(f"/v1/{kind}", {"q": world.prefix, "limit": 500}, caller).json()
    return {item["slug"] for item in page["items"]}


def check_by_name(world: World, caller: str, kind: str, there: set[str]) -> None:
    for slug in {slug for snapshot in world.revisions() for slug in snapshot.table(kind)}:
        status = world.get(f"/v1/{kind}/{slug}", None, caller).status_code
        if slug not in there:
            assert status == 404, (kind, slug, status)
        elif slug not in world.model.head.table(kind):
            assert status == 410, (kind, slug, status)
        else:
            assert status in (200, 308), (kind, slug, status)


def check_hidden(world: World, caller: str) -> None:
    """An event out of sight is not there by its id, at no revision, and has no history."""
    for ident in world.ever_created():
        world.check_history(ident, caller)
        for snapshot in world.revisions()[:: max(1, len(world.revisions()) // 4)]:
            world.check_single(ident, {"revision": str(snapshot.revision)}, caller)


# --- What the examples were


def test_every_kind_of_write_lens_parameter_and_diff_occurred() -> None:
    """Of the few examples of every run, so that none of them can fall out of the laws unnoticed."""
    if any(COUNTS["law", name] < FEW for name in LAWS):
        pytest.skip("not all laws have had their examples in this run")
    expected = {
        "write": {
            *WRITES,
            *("batch: merge", "batch: replace", "batch: skip", "batch: fail", "batch at fault", "batch sent twice"),
            *("batch makes actors", "batch makes sources", "batch retracts what is missing", "batch brings back"),
            *("revert of a revision", "revert after retraction", "unmerge of a merged actor", "redefine"),
        },
        "parameter": {*FILTERS, *COMPANIONS, *LENSES, "timeline", "order", "fields", "fields of a diff"},
        "caller": set(CALLERS),
        "diff of": {"revision", "as_of", "known_at", "according_to", "according_to_source", "timeline", "collection"},
        "diff item": {"added", "removed", "changed", "added, other", "removed, other"},
        "pages": {"one", "several", "several, visibility changed"},
        "secrets": {"some"},
        "facet": set(FACETS),
    }
    missing = {(kind, name) for kind, names in expected.items() for name in names if not COUNTS[kind, name]}
    assert missing == set()
