"""Actors, sources, collections and timelines: their shapes, lists, lives, and who sees them."""

from typing import Any

import httpx
import pytest

from tests.api.calls import (
    ACTOR,
    COLLECTION,
    JSON_PATCH,
    RECORDED,
    SOURCE,
    TIMELINE,
    Document,
    address,
    get,
    head_of,
    make,
    pages,
    patch,
    refused,
    remove,
    revise,
)

KINDS = ("actors", "sources", "collections", "timelines")
SHAPES = {"actors": ACTOR, "sources": SOURCE, "collections": COLLECTION, "timelines": TIMELINE}


def name_of(kind: str) -> str:
    return "name" if kind == "actors" else "title"


FULL: dict[str, Document] = {
    "actors": {
        "type": "organisation",
        "names": {"de": "Nordatlantikrat", "sr-Cyrl": "НАТО"},
        "aliases": ["Alliance", "NATO"],
        "description": "Two\nlines",
        "external_ids": {"wikidata": "Q7184"},
    },
    "sources": {
        "url": "https://example.org/a?b=c",
        "type": "article",
        "published": "[2025-02-20..2025-02-23]",
        "language": "de",
        "archive_url": "https://archive.example.org/a",
        "archive_sha256": "0123456789abcdef" * 4,
        "external_ids": {"doi": "10.1/x"},
    },
    "collections": {
        "description": "All of it",
        "licence": "CC-BY-4.0",
        "attribution": "The editors",
        "visibility": "unlisted",
    },
    "timelines": {
        "description": "All of it",
        "language": "en",
        "selection": {"tag": ["a", "b"], "from": "1999", "revision": 1, "order": "desc"},
        "visibility": "private",
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_member_is_always_there(writer: httpx.Client, client: httpx.Client, unique: str, kind: str) -> None:
    before = head_of(writer)
    answer = writer.post(f"/v1/{kind}", json={"slug": unique, name_of(kind): "Its name"})
    assert answer.status_code == 201
    least = answer.json()
    assert RECORDED.fullmatch(least["recorded"])
    rest = {"revision": before + 1, "recorded": least["recorded"]}
    assert least == {"slug": unique, name_of(kind): "Its name", **SHAPES[kind], **rest}
    assert answer.headers["Location"] == f"{str(writer.base_url).rstrip('/')}/v1/{kind}/{unique}"
    assert answer.headers["Revision"] == str(before + 1)

    full = make(writer, kind, slug=f"{unique}-2", **FULL[kind])
    assert full == {
        **SHAPES[kind],
        **FULL[kind],
        "slug": f"{unique}-2",
        name_of(kind): f"{unique}-2",
        "revision": before + 2,
        "recorded": full["recorded"],
    }
    read = writer.get(f"/v1/{kind}/{unique}")
    assert read.content == answer.content
    assert read.headers["ETag"] == answer.headers["ETag"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("slug", ["Upper", "-a", "a-", "a--b", "a_b", "é", "", "a" * 81, None, 5])
def test_a_slug_has_its_form(writer: httpx.Client, kind: str, slug: Any) -> None:
    answer = writer.post(f"/v1/{kind}", json={"slug": slug, name_of(kind): "x"})
    refused(answer, 422, "invalid-body", "/slug")


@pytest.mark.parametrize("kind", KINDS)
def test_a_slug_is_taken_once_and_never_changes(writer: httpx.Client, unique: str, kind: str) -> None:
    thing = make(writer, kind, slug=unique)
    taken = writer.post(f"/v1/{kind}", json={"slug": unique, name_of(kind): "Other"})
    refused(taken, 409, "already-exists")
    assert taken.headers["Location"] == f"{str(writer.base_url).rstrip('/')}/v1/{kind}/{unique}"
    assert writer.get(taken.headers["Location"]).json() == thing
    refused(patch(writer, address(kind, thing), {"slug": f"{unique}-2"}), 422, "refused", "/slug")
    same = patch(writer, address(kind, thing), {"slug": unique})
    assert (same.status_code, same.headers["Revision-Unchanged"]) == (200, "true")
    # Each kind has slugs of its own.
    for other in KINDS:
        if other != kind:
            make(writer, other, slug=unique)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_service_gives_is_refused(writer: httpx.Client, unique: str, kind: str) -> None:
    computed = {"revision": 1, "recorded": "2025-01-01T00:00:00.000Z", "merged_into": None, "nonsense": 1}
    form = {"slug": unique, name_of(kind): "x", **computed}
    refused(writer.post(f"/v1/{kind}", json=form), 422, "invalid-body", *(f"/{name}" for name in computed))
    thing = make(writer, kind, slug=unique)
    for name in computed:
        answer = patch(writer, address(kind, thing), {name: computed[name] or 1})
        assert answer.status_code == 422
        assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/{name}"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_resource_is_revised_and_read_as_it_was(
    writer: httpx.Client, client: httpx.Client, unique: str, kind: str
) -> None:
    fields = FULL[kind] | ({"visibility": "public"} if "visibility" in FULL[kind] else {})
    first = make(writer, kind, slug=unique, **fields)
    path = address(kind, first)
    second = revise(writer, kind, first, **{name_of(kind): "Renamed"})
    assert second == {
        **first,
        name_of(kind): "Renamed",
        "revision": second["revision"],
        "recorded": second["recorded"],
    }
    assert second["revision"] > first["revision"]
    operations = [{"op": "replace", "path": f"/{name_of(kind)}", "value": "Again"}]
    answer = patch(writer, path, operations, kind=JSON_PATCH)
    assert answer.json() == {**second, name_of(kind): "Again", **_moment(answer.json())}
    assert get(writer, path, revision=first["revision"]) == first
    assert get(writer, path, as_of=second["recorded"]) == second
    refused(writer.get(path, params={"revision": first["revision"] - 1}), 404, "not-found")


def _moment(thing: Document) -> Document:
    return {"revision": thing["revision"], "recorded": thing["recorded"]}


@pytest.mark.parametrize("kind", KINDS)
def test_a_slug_deleted_and_made_again_is_the_same_continued(
    writer: httpx.Client, client: httpx.Client, unique: str, kind: str
) -> None:
    first = make(writer, kind, slug=unique)
    path = address(kind, first)
    refused(writer.delete(path), 428, "precondition-required")
    deleted = remove(writer, kind, first)
    gone = writer.get(path)
    refused(gone, 410, "gone")
    before = f"{path}?revision={deleted - 1}"
    assert gone.headers["Link"] == f'<{str(writer.base_url).rstrip("/")}{before}>; rel="predecessor-version"'
    assert writer.get(f"{path}?revision={deleted - 1}").json() == first
    refused(patch(writer, path, {name_of(kind): "x"}), 410, "gone")
    refused(writer.delete(path, headers={"If-Match": "*"}), 410, "gone")
    assert get(writer, f"/v1/{kind}", q=unique)["items"] == []
    assert get(writer, f"/v1/{kind}", q=unique, revision=deleted - 1)["items"] == [first]

    again = make(writer, kind, slug=unique, **{name_of(kind): "Again"})
    assert again == {**first, name_of(kind): "Again", **_moment(again)}
    assert get(writer, f"/v1/{kind}", q=unique)["items"] == [again]
    # What was is still there, between them nothing.
    assert get(writer, path, revision=deleted - 1) == first
    refused(writer.get(path, params={"revision": deleted}), 410, "gone")
    assert get(writer, path) == again


def test_a_deleted_source_made_again_is_what_claims_meant(writer: httpx.Client, unique: str) -> None:
    home = make(writer, "collections", slug=unique)["slug"]
    source = make(writer, "sources", slug=unique, published="2020")
    event = make(writer, "events", collection=home, claims=[{"source": unique}])
    remove(writer, "events", event)
    remove(writer, "sources", source)
    make(writer, "sources", slug=unique, published="2021", title="Again")
    path = address("events", event)
    assert get(writer, path, revision=event["revision"])["included"]["sources"] == {unique: source}
    fresh = make(writer, "events", collection=home, claims=[{"source": unique}])
    assert fresh["claims"][0]["published"] == "2021"


def test_deleting_what_is_in_use_is_refused(writer: httpx.Client, unique: str) -> None:
    home = make(writer, "collections", slug=unique)
    part, speaker, publisher = (make(writer, "actors", slug=f"{unique}-{name}") for name in ("part", "speak", "pub"))
    root = make(writer, "sources", slug=f"{unique}-root")
    middle = make(writer, "sources", slug=f"{unique}-mid", derived_from=[root["slug"]])
    via = make(writer, "sources", slug=f"{unique}-via")
    source = make(
        writer, "sources", slug=f"{unique}-source", publisher=publisher["slug"], derived_from=[middle["slug"]]
    )
    claim = {"source": source["slug"], "via": via["slug"], "speakers": [speaker["slug"]]}
    event = make(writer, "events", collection=unique, actors=[{"actor": part["slug"]}], claims=[claim])

    def in_use(kind: str, thing: Document) -> None:
        before = head_of(writer)
        refused(writer.delete(address(kind, thing), headers={"If-Match": "*"}), 409, "in-use")
        assert head_of(writer) == before

    for actor in (part, speaker, publisher):
        in_use("actors", actor)
    for each in (root, middle, via, source):
        in_use("sources", each)
    in_use("collections", home)
    # Once the event is gone, only what other sources name is in use; from the top down all can go.
    remove(writer, "events", event)
    in_use("actors", publisher)
    in_use("sources", root)
    for each in (source, via, middle, root):
        remove(writer, "sources", each)
    for actor in (part, speaker, publisher):
        remove(writer, "actors", actor)
    remove(writer, "collections", home)
    # A timeline is in nobody's way, and its event neither.
    timeline = make(writer, "timelines", slug=unique, include=[event["id"]])
    remove(writer, "timelines", timeline)


# --- Sources


def test_every_fault_of_a_source_is_named(writer: httpx.Client, unique: str) -> None:
    make(writer, "sources", slug=f"{unique}-1")
    form = {
        "slug": unique,
        "title": "x",
        "publisher": f"{unique}-nobody",
        "published": "soon",
        "derived_from": [f"{unique}-1", f"{unique}-nothing", f"{unique}-1", unique],
    }
    where = ["/published", "/publisher", "/derived_from/1", "/derived_from/2", "/derived_from/3"]
    refused(writer.post("/v1/sources", json=form), 422, "refused", *where)
    source = make(writer, "sources", slug=unique)
    revision = patch(writer, address("sources", source), {**form, "slug": unique})
    # Of itself a source may say that it is derived: a circle is one root.
    refused(revision, 422, "refused", *where[:-1])


@pytest.mark.parametrize(
    "members",
    [
        {"url": "example.org"}, {"url": "http://"}, {"archive_sha256": "A" * 64}, {"archive_sha256": "a" * 63},
        {"type": "book"}, {"language": "e"}, {"derived_from": ["x"] * 51}, {"derived_from": "x"}, {"published": 2020},
    ],
)  # fmt: skip
def test_a_source_that_does_not_fit(writer: httpx.Client, unique: str, members: Document) -> None:
    (name,) = members
    answer = writer.post("/v1/sources", json={"slug": unique, "title": "x", **members})
    refused(answer, 422, "invalid-body", f"/{name}")


def test_sources_may_run_in_circles(writer: httpx.Client, unique: str) -> None:
    home = make(writer, "collections", slug=unique)["slug"]
    first = make(writer, "sources", slug=f"{unique}-a")
    second = make(writer, "sources", slug=f"{unique}-b", derived_from=[first["slug"]])
    claims = [{"source": first["slug"]}, {"source": second["slug"]}]
    event = make(writer, "events", collection=home, claims=claims)
    revise(writer, "sources", first, derived_from=[second["slug"]])
    assert get(writer, address("events", event))["standing"]["origins"] == 1
    revise(writer, "sources", first, derived_from=[])
    revise(writer, "sources", second, derived_from=[])
    assert get(writer, address("events", event))["standing"]["origins"] == 2


# --- Lists


@pytest.mark.parametrize("kind", KINDS)
def test_lists_come_by_slug_and_page_by_page(
    writer: httpx.Client, client: httpx.Client, unique: str, kind: str
) -> None:
    made = [make(writer, kind, slug=f"{unique}-{letter}") for letter in "bdace"]
    by_slug = sorted(made, key=lambda thing: thing["slug"])
    whole = get(writer, f"/v1/{kind}", q=unique)
    assert whole == {"items": by_slug, "next": None, "revision": head_of(writer)}
    read = pages(writer, f"/v1/{kind}", q=unique, limit=2)
    assert [page["items"] for page in read] == [by_slug[:2], by_slug[2:4], by_slug[4:]]
    # A reading goes on at the revision at which it began.
    first = get(writer, f"/v1/{kind}", q=unique, limit=2)
    remove(writer, kind, by_slug[3])
    make(writer, kind, slug=f"{unique}-bb")
    rest = writer.get(first["next"]).json()
    assert rest["items"] == by_slug[2:4]
    assert rest["revision"] == first["revision"]
    assert [thing["slug"][-2:] for thing in get(writer, f"/v1/{kind}", q=unique)["items"]] == [
        "-a", "-b", "bb", "-c", "-e",
    ]  # fmt: skip
    moved = writer.get(first["next"].replace(f"/v1/{kind}?", "/v1/revisions?").replace(f"q={unique}&", ""))
    refused(moved, 400, "refused-parameter", "cursor")


def test_lists_are_searched_without_case_and_accents(writer: httpx.Client, unique: str) -> None:
    town = make(
        writer,
        "actors",
        slug=unique,
        name="Priština",
        names={"sq": "Prishtinë"},
        aliases=["Kosova 100%", "under_score"],
        description="capital",
    )

    def found(q: str) -> bool:
        return town in get(writer, "/v1/actors", q=q, limit=500)["items"]

    for q in ("PRISTINA", "prištin", "prishtine", "100%", "r_sc", f"{unique} pristina", f"  {unique.upper()}  "):
        assert found(q), q
    # Every word must be there, none is a pattern, and a description is no name.
    for q in (f"{unique} belgrade", "prist_na", "prist%na", "capital"):
        assert not found(q), q
    source = make(writer, "sources", slug=unique, title="Der Spiegel – Nr. 3")
    assert get(writer, "/v1/sources", q=f"spiegel {unique}")["items"] == [source]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("limit=0", "limit"), ("limit=501", "limit"), ("limit=x", "limit"), ("q=", "q"), ("revision=-1", "revision"),
        ("limit=1&limit=2", "limit"), ("order=desc", "order"), ("cursor=!", "cursor"), ("slug=a", "slug"),
    ],
)  # fmt: skip
def test_lists_refuse_what_they_do_not_know(client: httpx.Client, query: str, where: str) -> None:
    for kind in KINDS:
        refused(client.get(f"/v1/{kind}?{query}"), 400, "invalid-parameter", where)


def test_lists_as_they_were(writer: httpx.Client, unique: str) -> None:
    first = make(writer, "sources", slug=unique, title="One")
    second = revise(writer, "sources", first, title="Two")
    assert get(writer, "/v1/sources", q=unique, revision=first["revision"])["items"] == [first]
    assert get(writer, "/v1/sources", q=unique, as_of=second["recorded"])["items"] == [second]
    # What is searched is the past's words, too.
    assert get(writer, "/v1/sources", q=f"{unique} one", revision=first["revision"])["items"] == [first]
    assert get(writer, "/v1/sources", q=f"{unique} one")["items"] == []
    assert get(writer, "/v1/sources", q=unique, revision=first["revision"] - 1) == {
        "items": [],
        "next": None,
        "revision": first["revision"] - 1,
    }


# --- Timelines


def test_a_timeline_comes_back_as_it_was_sent(writer: httpx.Client, unique: str) -> None:
    home = make(writer, "collections", slug=unique)["slug"]
    events = [make(writer, "events", collection=home)["id"] for _ in range(2)]
    selection = {
        "from": "1999",
        "to": "2025-02-20",
        "match": "certain",
        "undated": "include",
        "actor": ["a", "b"],
        "actor_match": "all",
        "source": "s",
        "tag": ["t"],
        "tag_match": "any",
        "kind": "visit",
        "collection": [home],
        "phase": ["happened", "expected"],
        "key": "a key",
        "id": events,
        "as_of": "2025-02-20T12:00:00Z",
        "known_at": "2025-02",
        "order": "desc",
    }
    timeline = make(writer, "timelines", slug=unique, selection=selection, include=events, exclude=events[:1])
    assert timeline == {
        **TIMELINE,
        "slug": unique,
        "title": unique,
        "selection": selection,
        "include": events,
        "exclude": events[:1],
        **_moment(timeline),
    }


@pytest.mark.parametrize(
    ("selection", "where"),
    [
        ({"frm": "1999"}, "/selection/frm"), ({"from": "1999/2000"}, "/selection/from"),
        ({"from": "199"}, "/selection/from"),
        ({"from": "2001", "to": "2000"}, "/selection/from"), ({"match": "maybe"}, "/selection/match"),
        ({"from": ["1999", "2000"]}, "/selection/from"), ({"tag": ["a", " b"]}, "/selection/tag"),
        ({"timeline": "t"}, "/selection/timeline"), ({"cursor": "c"}, "/selection/cursor"),
        ({"limit": 5}, "/selection/limit"), ({"fields": "title"}, "/selection/fields"),
        ({"as_of": "2025-01-01T00:00:00Z", "revision": 3}, "/selection/revision"),
        ({"tag": {}}, "/selection/tag"), ({"tag": None}, "/selection/tag"), ({"tag": True}, "/selection/tag"),
        ({"tag": []}, "/selection/tag"), ({"tag": [["a"]]}, "/selection/tag"),
        ({"revision": 1.5}, "/selection/revision"),
        ({"revision": -1}, "/selection/revision"), ({"known_at": "../2000"}, "/selection/known_at"),
    ],
)  # fmt: skip
def test_a_selection_that_cannot_be_evaluated_is_refused(
    writer: httpx.Client, unique: str, selection: Document, where: str
) -> None:
    answer = writer.post("/v1/timelines", json={"slug": unique, "title": "x", "selection": selection})
    assert answer.status_code == 422, answer.text
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [where]
    thing = make(writer, "timelines", slug=unique)
    merged = patch(writer, address("timelines", thing), {"selection": {**selection, "kind": "visit"}})
    if selection != {"tag": None}:
        assert merged.status_code == 422, merged.text
        assert [fault["pointer"] for fault in merged.json()["errors"]] == [where]


def test_pins_are_events_and_at_most_500(writer: httpx.Client, unique: str) -> None:
    home = make(writer, "collections", slug=unique)["slug"]
    event = make(writer, "events", collection=home)
    gone = make(writer, "events", collection=home)
    remove(writer, "events", gone)
    nowhere = "0199cdef-0000-7000-8000-000000000000"
    form = {"slug": unique, "title": "x", "include": [event["id"], nowhere], "exclude": [nowhere, gone["id"]]}
    refused(writer.post("/v1/timelines", json=form), 422, "refused", "/include/1", "/exclude/0")
    form = {"slug": unique, "title": "x", "include": [event["id"]] * 501, "exclude": ["x"]}
    refused(writer.post("/v1/timelines", json=form), 422, "invalid-body", "/include", "/exclude/0")
    make(writer, "timelines", slug=unique, include=[event["id"]] * 500, exclude=[gone["id"]])


# --- Who sees what


def test_actors_and_sources_are_seen_where_a_visible_event_uses_them(
    writer: httpx.Client, client: httpx.Client, unique: str
) -> None:
    make(writer, "collections", slug=unique)
    make(writer, "collections", slug=f"{unique}-p", visibility="private")
    names = ("part", "speaker", "publisher")
    actors = [make(writer, "actors", slug=f"{unique}-{name}") for name in names]
    root = make(writer, "sources", slug=f"{unique}-root")
    source = make(writer, "sources", slug=f"{unique}-source", publisher=actors[2]["slug"], derived_from=[root["slug"]])
    via = make(writer, "sources", slug=f"{unique}-via")
    used = [*(("actors", actor) for actor in actors), ("sources", source), ("sources", via), ("sources", root)]
    other = make(writer, "sources", slug=f"{unique}-other", derived_from=[root["slug"]])

    def seen_by(anyone: httpx.Client) -> list[str]:
        found = [
            thing["slug"] for kind, thing in [*used, ("sources", other)] if anyone.get(address(kind, thing)).is_success
        ]
        lists = [get(anyone, f"/v1/{kind}", q=unique)["items"] for kind in ("actors", "sources")]
        assert sorted(found) == sorted(thing["slug"] for each in lists for thing in each)
        return [slug.removeprefix(f"{unique}-") for slug in found]

    everything = ["part", "speaker", "publisher", "source", "via", "root", "other"]
    assert seen_by(client) == []
    assert seen_by(writer) == everything
    claim = {"source": source["slug"], "via": via["slug"], "speakers": [actors[1]["slug"]]}
    form = {"actors": [{"actor": actors[0]["slug"]}], "claims": [claim]}
    make(writer, "events", collection=f"{unique}-p", **form)
    assert seen_by(client) == []
    for kind, thing in used:
        refused(client.get(address(kind, thing)), 404, "not-found")
    event = make(writer, "events", collection=unique, **form)
    assert seen_by(client) == everything[:-1]
    # It was used, and the event is readable as it was: retracting it hides nothing.
    remove(writer, "events", event)
    assert seen_by(client) == everything[:-1]


@pytest.mark.parametrize("kind", ["collections", "timelines"])
def test_visibility_is_todays(writer: httpx.Client, client: httpx.Client, unique: str, kind: str) -> None:
    thing = make(writer, kind, slug=unique)
    path = address(kind, thing)

    def seen() -> tuple[bool, bool, bool]:
        """By its slug, by its slug as it was at first, and in the list."""
        first = client.get(path, params={"revision": thing["revision"]})
        in_list = get(client, f"/v1/{kind}", q=unique)["items"]
        return client.get(path).is_success, first.is_success, bool(in_list)

    assert seen() == (True, True, True)
    revise(writer, kind, thing, visibility="unlisted")
    assert seen() == (True, True, False)
    revise(writer, kind, thing, visibility="private")
    assert seen() == (False, False, False)
    refused(client.get(path), 404, "not-found")
    assert writer.get(path).is_success
    revise(writer, kind, thing, visibility="public")
    assert seen() == (True, True, True)
