"""What uses an actor or a source: who sees it, and which keys may change it."""

from collections.abc import Iterator
from itertools import permutations

import httpx
import pytest

from tests.api.calls import address, get, make, patch, refused, remove, revise
from tests.api.test_keys import holder
from tests.conftest import Live


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    """A collection of the test's own; its slug begins every other."""
    make(writer, "collections", slug=unique)
    return unique


@pytest.fixture
def limited(live: Live, home: str) -> Iterator[httpx.Client]:
    """The holder of a key for the test's own collection alone."""
    with holder(live, "write", home) as client:
        yield client


def make_chain(writer: httpx.Client, home: str) -> list[str]:
    """An agency's wire, a paper's report that rests on it, and a digest that rests on the report; the digest last."""
    below: list[str] = []
    for name, publisher in (("wire", f"{home}-agency"), ("report", f"{home}-paper"), ("digest", None)):
        if publisher is not None:
            make(writer, "actors", slug=publisher)
        make(writer, "sources", slug=f"{home}-{name}", publisher=publisher, derived_from=below)
        below = [f"{home}-{name}"]
    return [f"actors/{home}-agency", f"actors/{home}-paper", *(f"sources/{home}-{n}" for n in ("wire", "report"))]


def statuses(client: httpx.Client, paths: list[str]) -> set[int]:
    return {client.get(f"/v1/{path}").status_code for path in paths}


def test_what_sources_rest_on_is_seen_with_the_event(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    beneath = make_chain(writer, home)
    assert statuses(client, [*beneath, f"sources/{home}-digest"]) == {404}
    event = make(writer, "events", collection=home, claims=[{"source": f"{home}-digest"}])
    assert statuses(client, [*beneath, f"sources/{home}-digest"]) == {200}
    names = [item["slug"] for item in get(client, "/v1/sources", q=home)["items"]]
    assert names == [f"{home}-digest", f"{home}-report", f"{home}-wire"]
    for path in beneath:
        assert client.get(f"/v1/{path}", params={"revision": event["revision"] - 1}).status_code == 404


def test_what_via_names_is_used_with_all_beneath(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    beneath = make_chain(writer, home)
    make(writer, "sources", slug=home)
    make(writer, "events", collection=home, claims=[{"source": home, "via": f"{home}-digest"}])
    assert statuses(client, beneath) == {200}


def test_what_a_source_comes_to_rest_on_is_seen_from_then_on(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    beneath = make_chain(writer, home)
    source = make(writer, "sources", slug=home)
    make(writer, "events", collection=home, claims=[{"source": home}])
    assert statuses(client, beneath) == {404}
    revise(writer, "sources", source, derived_from=[f"{home}-digest"])
    assert statuses(client, beneath) == {200}
    # Between what it rests on already: nothing changes for any event, and it is used all the same.
    make(writer, "sources", slug=f"{home}-copy", derived_from=[f"{home}-wire"])
    assert statuses(client, [f"sources/{home}-copy"]) == {404}
    revise(writer, "sources", {"slug": f"{home}-report"}, derived_from=[f"{home}-wire", f"{home}-copy"])
    assert statuses(client, [f"sources/{home}-copy"]) == {200}


def test_what_private_events_rest_on_is_not_seen(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    beneath = make_chain(writer, home)
    make(writer, "collections", slug=f"{home}-private", visibility="private")
    make(writer, "events", collection=f"{home}-private", claims=[{"source": f"{home}-digest"}])
    assert statuses(client, beneath) == {404}


def test_a_limited_key_changes_what_only_its_own_collections_use(
    writer: httpx.Client, limited: httpx.Client, home: str
) -> None:
    actor = make(limited, "actors", slug=f"{home}-a")
    source = make(limited, "sources", slug=f"{home}-s", publisher=f"{home}-a")
    assert revise(limited, "actors", actor, description="Not used yet")["description"] == "Not used yet"
    event = make(limited, "events", collection=home, claims=[{"source": f"{home}-s"}])
    assert revise(limited, "sources", source, published="2001")["published"] == "2001"
    assert get(limited, address("events", event))["standing"]["first_published"] == "2001"
    remove(limited, "events", event)
    remove(limited, "sources", source)
    make(limited, "actors", slug=f"{home}-b")
    for verb, body in (("merge", {"into": f"{home}-b"}), ("unmerge", None)):
        assert limited.post(f"{address('actors', actor)}/{verb}", json=body).status_code == 200
    remove(limited, "actors", actor)
    make(limited, "actors", slug=f"{home}-a", name="Made again")


def test_a_limited_key_does_not_change_what_others_use(writer: httpx.Client, limited: httpx.Client, home: str) -> None:
    beneath = make_chain(writer, home)
    make(writer, "actors", slug=f"{home}-part")
    make(writer, "collections", slug=f"{home}-other")
    make(writer, "events", collection=home, claims=[{"source": f"{home}-digest"}])
    assert patch(limited, f"/v1/{beneath[0]}", {"name": "Renamed"}).status_code == 200
    other = make(
        writer,
        "events",
        collection=f"{home}-other",
        actors=[{"actor": f"{home}-part"}],
        claims=[{"source": f"{home}-digest"}],
    )
    # Neither now nor once the event is gone, which may come back.
    for _ in range(2):
        for path in (*beneath, f"actors/{home}-part", f"sources/{home}-digest"):
            name = "name" if path.startswith("actors") else "title"
            refused(patch(limited, f"/v1/{path}", {name: "Changed"}), 403, "forbidden")
            refused(limited.delete(f"/v1/{path}", headers={"If-Match": "*"}), 403, "forbidden")
            if path.startswith("actors"):
                merge = {"into": f"{home}-paper" if path.endswith("part") else f"{home}-part"}
                refused(limited.post(f"/v1/{path}/merge", json=merge), 403, "forbidden")
                refused(limited.post(f"/v1/{path}/unmerge"), 403, "forbidden")
            assert patch(writer, f"/v1/{path}", {name: "Changed"}).status_code == 200
        if get(writer, "/v1/events", id=other["id"])["items"]:
            remove(writer, "events", other)


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
@pytest.mark.parametrize("named", ["before", "after"])
def test_whoever_sees_a_merged_actor_sees_all_on_the_way_to_whom_it_stands_for(
    writer: httpx.Client, client: httpx.Client, home: str, order: tuple[int, ...], named: str
) -> None:
    """In whatever order a chain of merges comes about, and whether it was there when the event was recorded or not."""
    chain = [f"{home}-{name}" for name in ("w", "x", "y", "z")]
    for slug in chain:
        make(writer, "actors", slug=slug)
    paths = [f"actors/{slug}" for slug in chain]
    if named == "before":
        make(writer, "events", collection=home, actors=[{"actor": chain[0]}])
    for step in order:
        assert writer.post(f"/v1/actors/{chain[step]}/merge", json={"into": chain[step + 1]}).status_code == 200
    if named == "after":
        assert statuses(client, paths) == {404}
        make(writer, "events", collection=home, actors=[{"actor": chain[0]}])
    assert [client.get(f"/v1/{path}").status_code for path in paths] == [308, 308, 308, 200]
    assert [item["slug"] for item in get(client, "/v1/actors", q=home)["items"]] == chain


@pytest.mark.parametrize("name", ["near", "far"])
@pytest.mark.parametrize("change", ["revised", "made again"])
def test_what_a_source_comes_to_rest_on_is_used_where_its_events_have_been_retracted(
    writer: httpx.Client, client: httpx.Client, home: str, change: str, name: str
) -> None:
    """Whoever has seen a source goes on to see all of it, also what is told of it once no event names it any more."""
    for slug in (f"{home}-agency", f"{home}-paper"):
        make(writer, "actors", slug=slug)
    make(writer, "sources", slug=f"{home}-wire", publisher=f"{home}-agency")
    source = make(writer, "sources", slug=f"{home}-report")
    event = make(writer, "events", collection=home, claims=[{"source": source["slug"]}])
    remove(writer, "events", event)
    paths = [f"actors/{home}-paper"] if name == "near" else [f"actors/{home}-agency", f"sources/{home}-wire"]
    assert statuses(client, paths) == {404}
    told = {"publisher": f"{home}-paper"} if name == "near" else {"derived_from": [f"{home}-wire"]}
    if change == "revised":
        revise(writer, "sources", source, **told)
    else:
        remove(writer, "sources", source)
        make(writer, "sources", slug=source["slug"], **told)
    assert statuses(client, paths) == {200}
    listed = [item["slug"] for item in get(client, "/v1/actors", q=home)["items"]]
    assert listed == [f"{home}-{'paper' if name == 'near' else 'agency'}"]
