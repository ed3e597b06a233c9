"""Entity tags, conditions and caches: what is still right, what is stale, what may be kept."""

import re
from typing import Any

import httpx
import pytest

from tests.api.calls import (
    ETAG,
    JSON_PATCH,
    KEYED,
    LIVE,
    MERGE_PATCH,
    PINNED,
    Document,
    address,
    get,
    head_of,
    make,
    patch,
    refused,
    remove,
    revise,
)
from tests.conftest import Live

KINDS = ("events", "actors", "sources", "collections", "timelines")


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    """A collection of the test's own; its slug begins every other."""
    make(writer, "collections", slug=unique)
    return unique


def some(writer: httpx.Client, home: str, kind: str) -> Document:
    """One of the kind, and the member that names it."""
    return make(writer, kind, collection=home) if kind == "events" else make(writer, kind, slug=f"{home}-it")


def named(kind: str, text: str) -> Document:
    return {"name" if kind == "actors" else "title": text}


# --- Reading


def reads_of(home: str, event: Document) -> list[str]:
    return [
        "/v1",
        f"/v1/events?collection={home}",
        f"/v1/events/{event['id']}",
        f"/v1/events/{event['id']}/history",
        f"/v1/collections/{home}",
        "/v1/collections",
        "/v1/timelines",
        f"/v1/timelines/{home}-t",
        f"/v1/timelines/{home}-t/events",
        "/v1/revisions",
        f"/v1/revisions/{event['revision']}",
        f"/v1/diff?base_revision=0&collection={home}",
    ]


def test_every_read_has_a_strong_tag_by_which_it_is_304(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home)
    make(writer, "timelines", slug=f"{home}-t", selection={"collection": home})
    for path in reads_of(home, event):
        read = client.get(path)
        etag = read.headers["ETag"]
        assert read.status_code == 200
        assert ETAG.fullmatch(etag), path
        assert client.get(path).headers["ETag"] == etag
        # A list, a weak tag, any tag at all; other services' are passed over.
        for held in (etag, f'"other", {etag}', f'W/"x",{etag} , "y"', f"W/{etag}", "*"):
            answer = client.get(path, headers={"If-None-Match": held})
            assert (answer.status_code, answer.content) == (304, b""), (path, held)
            for name in ("ETag", "Cache-Control", "Vary"):
                assert answer.headers[name] == read.headers[name]
        for held in ('"other"', etag.strip('"'), f'{etag[:-2]}{"0" if etag[-2] != "0" else "1"}"', '""'):
            answer = client.get(path, headers={"If-None-Match": held})
            assert (answer.status_code, answer.content) == (200, read.content), (path, held)
        head = client.head(path, headers={"If-None-Match": etag})
        assert (head.status_code, head.headers["ETag"]) == (304, etag)


def test_a_lists_tag_changes_with_any_visible_write_to_it(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    actor = make(writer, "actors", slug=f"{home}-a")
    event = make(writer, "events", collection=home, actors=[{"actor": actor["slug"]}])
    path = f"/v1/events?collection={home}"
    seen = {client.get(path).headers["ETag"]}

    def is_new() -> bool:
        etag = client.get(path).headers["ETag"]
        new = etag not in seen
        seen.add(etag)
        return new

    revise(writer, "events", event, summary="s")
    assert is_new()
    make(writer, "events", collection=home)
    assert is_new()
    revise(writer, "actors", actor, name="Renamed")
    assert is_new()
    remove(writer, "events", event)
    assert is_new()


# --- Writing


@pytest.mark.parametrize("kind", KINDS)
def test_revising_and_retracting_need_if_match(writer: httpx.Client, home: str, kind: str) -> None:
    thing = some(writer, home, kind)
    path = address(kind, thing)
    before = head_of(writer)
    refused(patch(writer, path, named(kind, "x"), if_match=None), 428, "precondition-required")
    refused(writer.delete(path), 428, "precondition-required")
    assert head_of(writer) == before
    assert writer.get(path).json()["revision"] == thing["revision"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_tag_of_an_earlier_revision_is_stale(writer: httpx.Client, home: str, kind: str) -> None:
    thing = some(writer, home, kind)
    path = address(kind, thing)
    first = writer.get(path).headers["ETag"]
    answer = patch(writer, path, named(kind, "second"), if_match=first)
    assert answer.status_code == 200
    second = answer.headers["ETag"]
    assert second == writer.get(path).headers["ETag"] != first
    before = head_of(writer)
    number = answer.json()["revision"]
    for stale in (first, f"W/{second}", f'"other", {first}', '"other"', '""', f'"{number}"'):
        refused(patch(writer, path, named(kind, "third"), if_match=stale), 412, "stale")
        refused(writer.delete(path, headers={"If-Match": stale}), 412, "stale")
    assert head_of(writer) == before
    third = patch(writer, path, named(kind, "third"), if_match=f'"other", {second} , {first}')
    assert third.status_code == 200
    assert patch(writer, path, named(kind, "fourth"), if_match="*").status_code == 200
    assert writer.delete(path, headers={"If-Match": writer.get(path).headers["ETag"]}).status_code == 204


@pytest.mark.parametrize("text", ["12", "W/12", '"a" "b"', '"a', "*, *", ""])
def test_what_is_no_list_of_tags(writer: httpx.Client, home: str, text: str) -> None:
    event = make(writer, "events", collection=home)
    answer = patch(writer, address("events", event), {"title": "x"}, if_match=text)
    refused(answer, 400, "invalid-parameter", "If-Match")


def test_a_tag_tells_of_the_resources_own_revision(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    """What is read anew because a name in it changed is not stale to a writer."""
    actor = make(writer, "actors", slug=f"{home}-a")
    event = make(writer, "events", collection=home, actors=[{"actor": actor["slug"]}])
    path = address("events", event)
    tags = [client.get(path).headers["ETag"]]
    tags.append(client.get(path, params={"include": "none"}).headers["ETag"])
    tags.append(client.get(path, params={"revision": event["revision"]}).headers["ETag"])
    revise(writer, "actors", actor, name="Renamed")
    answer = client.get(path, headers={"If-None-Match": tags[0]})
    assert answer.status_code == 200
    assert answer.json()["included"]["actors"][actor["slug"]]["name"] == "Renamed"
    for number, tag in enumerate(tags):
        # Each write takes the tag of the revision before it, so say the same again and leave it as it is.
        same = patch(writer, path, {"title": event["title"]}, if_match=tag)
        assert (same.status_code, same.headers["Revision-Unchanged"]) == (200, "true"), number
    renamed = patch(writer, path, {"title": "Renamed"}, if_match=tags[0])
    assert renamed.status_code == 200
    # A past revision's tag is the past's.
    for tag in tags:
        refused(patch(writer, path, {"title": "x"}, if_match=tag), 412, "stale")
    then = client.get(path, params={"revision": event["revision"]}).headers["ETag"]
    refused(patch(writer, path, {"title": "x"}, if_match=then), 412, "stale")


def test_an_event_carried_along_by_its_source_is_stale(writer: httpx.Client, home: str) -> None:
    source = make(writer, "sources", slug=f"{home}-s", published="2020")
    event = make(writer, "events", collection=home, claims=[{"source": source["slug"]}])
    path = address("events", event)
    tag = writer.get(path).headers["ETag"]
    revise(writer, "sources", source, title="Renamed")
    assert patch(writer, path, {}, if_match=tag).status_code == 200
    revise(writer, "sources", source, published="2021")
    refused(patch(writer, path, {}, if_match=tag), 412, "stale")


# --- Saying nothing new


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("media_type", [MERGE_PATCH, JSON_PATCH])
def test_a_write_that_changes_nothing_makes_no_revision(
    writer: httpx.Client, home: str, kind: str, media_type: str
) -> None:
    thing = some(writer, home, kind)
    path = address(kind, thing)
    read = writer.get(path)
    (name,) = named(kind, "")
    make(writer, "actors", slug=f"{home}-another")
    head = head_of(writer)
    replace = [{"op": "replace", "path": f"/{name}", "value": thing[name]}]
    bodies: list[Any] = [{}, {name: thing[name]}] if media_type == MERGE_PATCH else [[], replace]
    for body in bodies:
        answer = patch(writer, path, body, if_match=read.headers["ETag"], kind=media_type)
        assert answer.status_code == 200
        assert answer.content == read.content
        assert answer.headers["ETag"] == read.headers["ETag"]
        assert answer.headers["Revision"] == str(head)
        assert answer.headers["Revision-Unchanged"] == "true"
    assert head_of(writer) == head
    changed = patch(writer, path, named(kind, "Other"))
    assert changed.headers["Revision"] == str(head + 1)
    assert "Revision-Unchanged" not in changed.headers


def test_the_whole_input_again_says_nothing_new(writer: httpx.Client, home: str) -> None:
    source = make(writer, "sources", slug=f"{home}-s", published="2020")["slug"]
    actor = make(writer, "actors", slug=f"{home}-a")["slug"]
    target = make(writer, "events", collection=home, key="target")
    form = {
        "title": "x",
        "collection": home,
        "key": "k",
        "occurred": "1999~",
        "actors": [{"actor": actor, "attributes": {"b": 1, "a": {"d": 2, "c": 3.5}}}],
        "claims": [{"source": source, "stance": "denies"}, {"source": source}],
        "relations": [{"type": "follows", "key": "target"}, {"type": "causes", "event": target["id"]}],
        "tags": ["b", "a", "b"],
        "attributes": {"b": [1, 2], "a": None},
    }
    event = make(writer, "events", **form)
    turned = {
        **form,
        "actors": [{"actor": actor, "attributes": {"a": {"c": 3.5, "d": 2}, "b": 1}}],
        "claims": form["claims"][::-1],
        "relations": [{"type": "causes", "key": "target"}, {"type": "follows", "event": target["id"]}],
        "tags": ["a", "b"],
    }
    # A merge patch cannot say null, so it is left out where it stands already.
    turned["attributes"] = {"b": [1, 2]}
    for body in ({**form, "attributes": {}}, turned):
        answer = patch(writer, address("events", event), body)
        assert (answer.status_code, answer.headers.get("Revision-Unchanged")) == (200, "true"), answer.text
    # The members of an object have no order.
    again = [
        {"op": "replace", "path": "/attributes", "value": {"a": None, "b": [1.0, 2]}},
        {"op": "move", "from": "/actors/0/attributes/a", "path": "/summary"},
        {"op": "move", "from": "/summary", "path": "/actors/0/attributes/a"},
        {"op": "add", "path": "/summary", "value": None},
    ]
    answer = patch(writer, address("events", event), again, kind=JSON_PATCH)
    assert (answer.status_code, answer.headers.get("Revision-Unchanged")) == (200, "true"), answer.text
    # A list has one, and true is not 1.
    for value in ([2, 1], [True, 2]):
        answer = patch(writer, address("events", event), {"attributes": {"b": value}})
        assert "Revision-Unchanged" not in answer.headers


# --- Caches


def test_unkeyed_reads_pinned_to_a_revision_may_be_cached_for_a_day(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    event = make(writer, "events", collection=home)
    make(writer, "timelines", slug=f"{home}-t", selection={"collection": home})
    head = head_of(client)
    recorded = get(client, f"/v1/revisions/{head}")["recorded"]
    pins = ({"revision": head}, {"as_of": recorded})
    for path in (
        f"/v1/events?collection={home}",
        f"/v1/events/{event['id']}",
        f"/v1/collections/{home}",
        "/v1/sources",
        f"/v1/timelines/{home}-t",
        f"/v1/timelines/{home}-t/events",
    ):
        address, _, query = path.partition("?")
        asked = dict(pair.split("=") for pair in query.split("&") if pair)
        for pin in pins:
            pinned = client.get(address, params={**asked, **pin})
            assert pinned.headers["Cache-Control"] == PINNED, path
            assert pinned.headers["Vary"] == "Accept-Encoding, Authorization, Min-Revision"
            # With a key, whose holder may see more, nobody else keeps it.
            keyed = writer.get(address, params={**asked, **pin})
            assert keyed.headers["Cache-Control"] == KEYED
        assert client.get(path).headers["Cache-Control"] == LIVE
    both = {"base_revision": head - 1, "head_revision": head}
    assert client.get("/v1/diff", params=both).headers["Cache-Control"] == PINNED
    assert client.get(f"/v1/revisions/{head}").headers["Cache-Control"] == PINNED
    one = {"base_revision": head}
    assert client.get("/v1/diff", params=one).headers["Cache-Control"] == LIVE


def test_what_a_timeline_pins_is_no_pin_of_the_requests(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    """Its definition may change, and with it what the same request answers."""
    event = make(writer, "events", collection=home)
    selection = {"collection": home, "revision": event["revision"]}
    timeline = make(writer, "timelines", slug=f"{home}-t", selection=selection)
    path = f"/v1/timelines/{home}-t/events"
    answer = client.get(path)
    assert [each["id"] for each in answer.json()["items"]] == [event["id"]]
    assert answer.headers["Cache-Control"] == LIVE
    diff = client.get("/v1/diff", params={"base_timeline": f"{home}-t", "head_revision": event["revision"]})
    assert diff.headers["Cache-Control"] == LIVE
    revise(writer, "timelines", timeline, exclude=[event["id"]])
    assert client.get(path).json()["items"] == []


def test_a_pinned_page_never_changes(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    """Not even the address of the next."""
    for _ in range(3):
        make(writer, "events", collection=home)
    head = head_of(client)
    paths = [
        f"/v1/events?collection={home}&limit=1&revision={head}",
        f"/v1/collections?limit=1&revision={head}",
        f"/v1/diff?collection={home}&limit=1&base_revision=0&head_revision={head}",
    ]
    before = [client.get(path) for path in paths]
    assert all(answer.json()["next"] for answer in before)
    make(writer, "events", collection=home)
    for path, answer in zip(paths, before, strict=True):
        now = client.get(path)
        assert now.content == answer.content
        assert now.headers["ETag"] == answer.headers["ETag"]
        assert client.get(now.json()["next"]).status_code == 200


def test_a_cursor_pins_a_reading_too(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    for name in "abc":
        make(writer, "timelines", slug=f"{home}-{name}", selection={"collection": home})
        event = make(writer, "events", collection=home, key=name)
    revise(writer, "events", event, summary="s")
    firsts = [
        client.get(path)
        for path in (
            f"/v1/events?collection={home}&limit=1",
            f"/v1/timelines/{home}-a/events?limit=1",
            f"/v1/events/{event['id']}/history?limit=1",
            f"/v1/timelines?q={home}&limit=1",
            "/v1/revisions?limit=1",
            "/v1/revisions?limit=1&order=asc",
            f"/v1/diff?collection={home}&limit=1&base_revision=0",
        )
    ]
    seconds = [client.get(first.json()["next"]) for first in firsts]
    # Whatever is written meanwhile, also to what the pages hold and to the timeline itself.
    revise(writer, "events", event, title="Another", key="c")
    make(writer, "events", collection=home)
    make(writer, "timelines", slug=f"{home}-b2")
    timeline = get(client, f"/v1/timelines/{home}-a")
    revise(writer, "timelines", timeline, selection={"collection": home, "order": "desc"})
    for first, second in zip(firsts, seconds, strict=True):
        assert first.headers["Cache-Control"] == LIVE
        assert second.headers["Cache-Control"] == PINNED
        again = client.get(second.request.url)
        assert (again.status_code, again.content) == (200, second.content), second.request.url


class Cache:
    """A shared cache that keeps all that it may for as long as it may (RFC 9111 and 5861), on a clock of the test's."""

    def __init__(self, service: httpx.Client) -> None:
        self.service, self.now = service, 0
        self.held: dict[tuple[str, ...], tuple[int, httpx.Response]] = {}
        self.varies: dict[str, list[str]] = {}

    def get(self, path: str, **headers: str) -> httpx.Response:
        given = httpx.Headers({name.replace("_", "-"): value for name, value in headers.items()})
        held = self.held.get(self.key(path, given))
        if held is not None and self.now - held[0] <= self.lifetime(held[1]):
            return held[1]
        answer = self.service.get(path, headers=given)
        if "public" in answer.headers["Cache-Control"] and self.lifetime(answer):
            self.varies[path] = answer.headers["Vary"].split(", ")
            self.held[self.key(path, given)] = (self.now, answer)
        return answer

    def key(self, path: str, headers: httpx.Headers) -> tuple[str, ...]:
        return (path, *(headers.get(name, "") for name in self.varies.get(path, [])))

    def lifetime(self, answer: httpx.Response) -> int:
        found = re.findall(r"(?:max-age|stale-while-revalidate)=(\d+)", answer.headers["Cache-Control"])
        return sum(int(seconds) for seconds in found)


def test_behind_a_cache_a_writer_and_who_asks_for_a_revision_miss_nothing(
    live: Live, writer: httpx.Client, home: str
) -> None:
    """Everyone else is ten seconds behind at most."""
    event = make(writer, "events", collection=home, title="before")
    path, key = f"/v1/events/{event['id']}", f"Bearer {live.key}"
    with httpx.Client(base_url=live.base_url) as service:
        cache = Cache(service)

        def titles(**headers: str) -> str:
            title: str = cache.get(path, **headers).json()["title"]
            return title

        then = str(event["revision"])
        assert [titles(), titles(Authorization=key), titles(Min_Revision=then)] == ["before"] * 3
        now = patch(writer, path, {"title": "after"}).headers["Revision"]
        assert titles(Authorization=key) == "after"
        assert titles(Min_Revision=now) == "after"
        cache.now = 10
        assert titles() == titles(Min_Revision=then) == "before"
        cache.now = 11
        assert titles() == titles(Min_Revision=then) == "after"
        refused(cache.get(path, Min_Revision=str(10**9)), 503, "unavailable")
        assert len(cache.held) == 3


def test_writes_are_kept_by_nobody(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    created = writer.post("/v1/events", json={"title": "x", "collection": home})
    revised = patch(writer, created.headers["Location"], {"title": "y"})
    removed = writer.delete(created.headers["Location"], headers={"If-Match": "*"})
    refusal = client.get("/v1/events/nothing")
    for answer in (created, revised, removed, refusal):
        assert answer.headers["Cache-Control"] == "no-store"
