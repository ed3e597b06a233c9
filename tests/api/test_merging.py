"""Merged actors: two slugs that are one actor from a revision on, and perhaps no longer from a later one."""

from typing import Any

import httpx
import pytest

from tests.api.calls import (
    ETAG,
    Document,
    address,
    by_title,
    get,
    head_of,
    listed,
    make,
    pages,
    patch,
    refused,
    remove,
    revise,
    without,
)
from tests.api.test_diff import check_laws, told
from tests.api.test_keys import holder
from tests.conftest import Live


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    """A collection whose events name x and y; x publishes the source x1, y publishes y1, nobody bare; z is unused.

    part x, part y: one takes part. said: x speaks. agreed: both assert. disputed: y denies it. alone: x asserts it.
    """
    make(writer, "collections", slug=unique)
    for name in ("x", "y", "z"):
        make(writer, "actors", slug=f"{unique}-{name}")
    for name, published in (("x", "2020"), ("y", "2021")):
        make(writer, "sources", slug=f"{unique}-{name}1", publisher=f"{unique}-{name}", published=published)
    make(writer, "sources", slug=f"{unique}-bare", published="2022")

    def event(title: str, *claims: Document, part: str | None = None) -> None:
        actors = [] if part is None else [{"actor": f"{unique}-{part}", "role": "host"}]
        make(writer, "events", collection=unique, title=title, actors=actors, claims=list(claims))

    x1, y1 = ({"source": f"{unique}-{name}1"} for name in ("x", "y"))
    event("part x", part="x")
    event("part y", part="y")
    event("said", {"source": f"{unique}-bare", "speakers": [f"{unique}-x"]})
    event("agreed", x1, y1)
    event("disputed", x1, {**y1, "stance": "denies"})
    event("alone", x1)
    return unique


def merge(writer: httpx.Client, actor: str, into: str, **headers: str) -> httpx.Response:
    return writer.post(f"/v1/actors/{actor}/merge", json={"into": into}, headers=headers)


def unmerge(writer: httpx.Client, actor: str, **headers: str) -> httpx.Response:
    return writer.post(f"/v1/actors/{actor}/unmerge", headers=headers)


def merged(writer: httpx.Client, actor: str, into: str) -> int:
    """The revision of a merge that takes place."""
    return _written(merge(writer, actor, into))


def unmerged(writer: httpx.Client, actor: str) -> int:
    """The revision of an unmerge that takes place."""
    return _written(unmerge(writer, actor))


def _written(answer: httpx.Response) -> int:
    assert answer.status_code == 200, answer.text
    assert "Revision-Unchanged" not in answer.headers
    return int(answer.headers["Revision"])


def states(client: httpx.Client, home: str, **lenses: Any) -> dict[str, str]:
    items = get(client, "/v1/events", collection=home, **lenses)["items"]
    return {event["title"]: event["standing"]["state"] for event in items}


# --- The answer


def test_a_merge_is_answered_with_the_actor(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    before = get(writer, f"/v1/actors/{home}-x")
    head = head_of(client)
    answer = merge(writer, f"{home}-x", f"{home}-y", **{"Revision-Message": "one and the same"})
    assert answer.status_code == 200
    assert answer.headers["Revision"] == str(head + 1)
    assert ETAG.fullmatch(answer.headers["ETag"])
    actor = answer.json()
    assert actor == {**before, "merged_into": f"{home}-y", "revision": head + 1, "recorded": actor["recorded"]}
    entry = get(client, f"/v1/revisions/{head + 1}")
    assert (entry["message"], entry["recorded"]) == ("one and the same", actor["recorded"])
    assert entry["counts"] == {"actors": 1, "revised": 2}
    answer = unmerge(writer, f"{home}-x")
    assert answer.status_code == 200
    assert answer.headers["Revision"] == str(head + 2)
    assert answer.json() == {**before, "revision": head + 2, "recorded": answer.json()["recorded"]}
    assert answer.json()["merged_into"] is None
    assert get(client, f"/v1/revisions/{head + 2}")["counts"] == {"actors": 1, "revised": 2}


def test_said_again_it_changes_nothing(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    answer = unmerge(writer, f"{home}-x")
    head = head_of(client)
    assert (answer.status_code, answer.headers["Revision"]) == (200, str(head))
    assert answer.headers["Revision-Unchanged"] == "true"
    first = merge(writer, f"{home}-x", f"{home}-y")
    again = merge(writer, f"{home}-x", f"{home}-y")
    assert (again.status_code, again.json()) == (200, first.json())
    assert (again.headers["Revision"], again.headers["Revision-Unchanged"]) == (str(head + 1), "true")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert head_of(client) == head + 1
    # An empty body says what no body says.
    assert writer.post(f"/v1/actors/{home}-x/unmerge", json={}).status_code == 200
    assert unmerge(writer, f"{home}-x").headers["Revision-Unchanged"] == "true"


def test_with_an_idempotency_key_it_is_done_once(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    key = {"Idempotency-Key": f"{home}-merge"}
    first = merge(writer, f"{home}-x", f"{home}-y", **key)
    unmerged(writer, f"{home}-x")
    head = head_of(client)
    again = merge(writer, f"{home}-x", f"{home}-y", **key)
    assert (again.json(), again.headers["Revision"]) == (first.json(), first.headers["Revision"])
    assert head_of(client) == head
    refused(merge(writer, f"{home}-x", f"{home}-z", **key), 422, "idempotency-key-reused")


# --- Reading


def test_the_old_slug_leads_to_the_actor(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    before = get(client, f"/v1/actors/{home}-x")
    revision = merged(writer, f"{home}-x", f"{home}-y")
    old, new = f"/v1/actors/{home}-x", f"{client.base_url}/v1/actors/{home}-y"
    recorded = get(client, f"/v1/revisions/{revision}")["recorded"]
    for query in ("", f"?revision={revision}", f"?as_of={recorded}"):
        for anyone in (client, writer):
            answer = anyone.get(f"{old}{query}")
            assert answer.status_code == 308
            assert answer.headers["Location"].replace("%3A", ":") == f"{new}{query}"
            assert anyone.get(answer.headers["Location"]).json()["slug"] == f"{home}-y"
    assert client.head(old).status_code == 308
    # Not before it was merged, and no longer once it is not.
    assert get(client, old, revision=revision - 1) == before
    again = unmerged(writer, f"{home}-x")
    assert get(client, old) == {**before, "revision": again, "recorded": get(client, old)["recorded"]}
    assert client.get(old, params={"revision": revision}).status_code == 308


def test_lists_hold_the_merged_actor(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    revision = merged(writer, f"{home}-x", f"{home}-y")

    def into(**query: Any) -> dict[str, str | None]:
        items = get(client, "/v1/actors", q=home, **query)["items"]
        return {actor["slug"].removeprefix(f"{home}-"): actor["merged_into"] for actor in items}

    assert into() == {"x": f"{home}-y", "y": None}
    assert into(revision=revision - 1) == {"x": None, "y": None}
    unmerged(writer, f"{home}-x")
    assert into() == {"x": None, "y": None}
    assert into(revision=revision) == {"x": f"{home}-y", "y": None}


def test_with_a_merged_actor_comes_the_one_it_stands_for(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    merged(writer, f"{home}-x", f"{home}-z")

    def names(**query: Any) -> list[str]:
        page = get(client, "/v1/events", collection=home, **query)
        for event in page["items"]:
            alone = get(client, address("events", event))
            assert alone["included"]["actors"].keys() <= page["included"]["actors"].keys()
        return [slug.removeprefix(f"{home}-") for slug in page["included"]["actors"]]

    assert names(actor=f"{home}-x") == ["x", "z"]
    # As a speaker and as a publisher too.
    assert names(speaker=f"{home}-x") == ["x", "z"]
    assert names(source=f"{home}-x1", stance="asserts") == ["x", "y", "z"]
    actors = get(client, "/v1/events", actor=f"{home}-z")["included"]["actors"]
    assert actors[f"{home}-x"]["merged_into"] == f"{home}-z"
    # And with all on the way, so that whoever goes from one to the next finds each.
    further = make(writer, "actors", slug=f"{home}-w")
    merged(writer, f"{home}-z", f"{home}-w")
    assert names(actor=f"{home}-x") == ["w", "x", "z"]
    actors = get(client, "/v1/events", actor=f"{home}-x")["included"]["actors"]
    assert [actors[f"{home}-{name}"]["merged_into"] for name in "xzw"] == [f"{home}-z", f"{home}-w", None]
    assert actors[f"{home}-w"] == further
    unmerged(writer, f"{home}-z")
    actors = get(client, "/v1/events", actor=f"{home}-z")["included"]["actors"]
    # Who may see the one may see the other, though nothing names it.
    assert get(client, f"/v1/actors/{home}-z") == actors[f"{home}-z"]
    unmerged(writer, f"{home}-x")
    assert names(actor=f"{home}-x") == ["x"]


def test_documents_keep_the_slugs_they_were_written_with(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    before = by_title(get(client, "/v1/events", collection=home)["items"])
    revision = merged(writer, f"{home}-x", f"{home}-y")
    after = by_title(get(client, "/v1/events", collection=home)["items"])
    kept = ("standing", "revision", "recorded")
    assert {title: without(event, *kept) for title, event in after.items()} == {
        title: without(event, *kept) for title, event in before.items()
    }
    # Only those are revised whose document changes with it.
    assert {title for title in after if after[title]["revision"] == revision} == {"agreed", "disputed"}
    for title in ("part x", "part y", "said", "alone"):
        assert after[title] == before[title]
        assert len(get(client, f"{address('events', after[title])}/history")["items"]) == 1
    # And what is written from now on may still say either.
    event = make(writer, "events", collection=home, actors=[{"actor": f"{home}-x"}])
    assert event["actors"][0]["actor"] == f"{home}-x"


# --- Filters


ACTORS = [
    # By parameter and the slug asked for: at first, and once x is y.
    ("actor", "x", ["part x"], ["part x", "part y"]),
    ("actor", "y", ["part y"], ["part x", "part y"]),
    ("speaker", "x", ["said"], ["said"]),
    ("speaker", "y", [], ["said"]),
    ("publisher", "x", ["agreed", "disputed", "alone"], ["agreed", "disputed", "alone"]),
    ("publisher", "y", ["agreed", "disputed"], ["agreed", "disputed", "alone"]),
    ("according_to", "x", ["said", "agreed", "disputed", "alone"], ["said", "agreed", "disputed", "alone"]),
    ("according_to", "y", ["agreed", "disputed"], ["said", "agreed", "disputed", "alone"]),
]


@pytest.mark.parametrize("direction", ["x into y", "y into x"])
def test_either_slug_finds_both_at_each_revision(
    writer: httpx.Client, client: httpx.Client, home: str, direction: str
) -> None:
    one, other = direction.split(" into ")
    first = merged(writer, f"{home}-{one}", f"{home}-{other}")
    second = unmerged(writer, f"{home}-{one}")
    third = merged(writer, f"{home}-{one}", f"{home}-{other}")
    for parameter, slug, apart, together in ACTORS:
        query = {"collection": home, parameter: f"{home}-{slug}"}
        for revision, expected in (
            (first - 1, apart),
            (first, together),
            (second, apart),
            (third, together),
            (head_of(client), together),
        ):
            assert listed(client, **query, revision=revision) == expected, (parameter, slug, revision)
            read = pages(client, "/v1/events", **query, revision=revision, limit=1)
            assert [page["items"][0]["title"] for page in read if page["items"]] == expected
        assert listed(client, **query) == together


def test_of_one_participation_it_is_still_one(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    both = {"actor": [f"{home}-x", f"{home}-y"], "actor_match": "all", "collection": home}
    assert listed(client, **both) == []
    merged(writer, f"{home}-x", f"{home}-y")
    # The two are one actor, who takes part in each.
    assert listed(client, **both) == ["part x", "part y"]
    assert listed(client, **both, role="host") == ["part x", "part y"]
    assert listed(client, **both, role="guest") == []
    assert listed(client, collection=home, speaker=f"{home}-y", stance="asserts", source=f"{home}-bare") == ["said"]
    assert listed(client, collection=home, publisher=f"{home}-x", stance="denies") == ["disputed"]


def test_a_timeline_of_an_actor_follows(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    make(writer, "timelines", slug=home, selection={"collection": home, "actor": f"{home}-x"})
    make(writer, "timelines", slug=f"{home}-a", selection={"collection": home, "according_to": f"{home}-y"})
    before = head_of(client)
    merged(writer, f"{home}-x", f"{home}-y")
    assert listed(client, timeline=home) == ["part x", "part y"]
    assert listed(client, timeline=home, actor=f"{home}-y") == ["part x", "part y"]
    assert listed(client, timeline=home, revision=before) == ["part x"]
    assert listed(client, timeline=f"{home}-a") == ["said", "agreed", "disputed", "alone"]
    assert listed(client, timeline=f"{home}-a", revision=before) == ["agreed", "disputed"]
    # The document keeps what it was given.
    assert get(client, f"/v1/timelines/{home}")["selection"]["actor"] == f"{home}-x"


def test_a_reading_that_has_begun_goes_on_at_its_revision(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    first = get(client, "/v1/events", collection=home, publisher=f"{home}-y", limit=1)
    merged(writer, f"{home}-x", f"{home}-y")
    rest = client.get(first["next"]).json()
    assert ([event["title"] for event in rest["items"]], rest["next"]) == (["disputed"], None)
    assert rest["items"][0]["standing"]["state"] == "contested"


# --- Standing


def test_two_that_are_one_are_one_voice(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    apart = {"part x": "unsourced", "part y": "unsourced", "said": "reported", "agreed": "corroborated",
             "disputed": "contested", "alone": "reported"}  # fmt: skip
    # The latest claim of the one voice counts: that of y.
    together = {**apart, "agreed": "reported", "disputed": "denied"}
    assert states(client, home) == apart
    first = merged(writer, f"{home}-x", f"{home}-y")
    assert states(client, home) == together
    agreed = by_title(get(client, "/v1/events", collection=home)["items"])["agreed"]
    assert agreed["standing"] == {
        "state": "reported", "asserting": 1, "denying": 0, "sources": 2, "origins": 1, "first_published": "2020",
        "first_denied": None,
    }  # fmt: skip
    second = unmerged(writer, f"{home}-x")
    assert states(client, home) == apart
    assert states(client, home, revision=first - 1) == apart
    assert states(client, home, revision=first) == together
    assert states(client, home, revision=second) == apart
    history = get(client, f"{address('events', agreed)}/history")["items"]
    assert [item["revision"] for item in history] == [agreed["created"]["revision"], first, second]
    assert [item["event"]["standing"]["state"] for item in history] == ["corroborated", "reported", "corroborated"]


def test_standing_is_asked_for_as_it_is_at_each_revision(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    first = merged(writer, f"{home}-x", f"{home}-y")

    def shown(**query: Any) -> list[list[str]]:
        return [listed(client, collection=home, revision=each, **query) for each in (first - 1, first)]

    assert shown(standing="corroborated") == [["agreed"], []]
    assert shown(standing="contested") == [["disputed"], []]
    assert shown(standing="denied") == [[], ["disputed"]]
    assert shown(min_origins=2) == [["agreed"], []]
    # When only x had spoken, the two were as they would be alone.
    assert shown(standing="reported", known_at="2020") == [["agreed", "disputed", "alone"]] * 2
    assert shown(standing="contested", known_at="2021") == [["disputed"], []]


def test_an_event_is_revised_only_where_its_standing_follows(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    """One more claim of one voice says nothing new; one that silences another does."""
    twice = make(writer, "events", collection=home, title="twice", claims=[
        {"source": f"{home}-x1"}, {"source": f"{home}-bare", "speakers": [f"{home}-x"]},
    ])  # fmt: skip
    taken_back = make(writer, "events", collection=home, title="taken back", claims=[
        {"source": f"{home}-x1"}, {"source": f"{home}-bare", "speakers": [f"{home}-y"], "stance": "retracts"},
    ])  # fmt: skip
    assert (twice["standing"]["state"], taken_back["standing"]["state"]) == ("reported", "reported")
    revision = merged(writer, f"{home}-x", f"{home}-y")
    assert get(client, address("events", twice), include="none") == twice
    after = get(client, address("events", taken_back), include="none")
    assert (after["revision"], after["standing"]["state"]) == (revision, "retracted")


# --- Chains


def test_a_chain_is_followed_to_its_end(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    merged(writer, f"{home}-x", f"{home}-y")
    between = head_of(client)
    merged(writer, f"{home}-y", f"{home}-z")
    for name in ("x", "y"):
        answer = client.get(f"/v1/actors/{home}-{name}")
        assert (answer.status_code, answer.headers["Location"]) == (308, f"{client.base_url}/v1/actors/{home}-z")
    for name in ("x", "y", "z"):
        assert listed(client, collection=home, actor=f"{home}-{name}") == ["part x", "part y"]
        assert listed(client, collection=home, speaker=f"{home}-{name}") == ["said"]
    assert listed(client, collection=home, actor=f"{home}-z", revision=between) == []
    page = get(client, "/v1/events", collection=home, actor=f"{home}-z")
    assert f"{home}-z" in page["included"]["actors"]
    # Each says whom it was merged into.
    actors = {actor["slug"]: actor["merged_into"] for actor in get(writer, "/v1/actors", q=home)["items"]}
    assert actors == {f"{home}-x": f"{home}-y", f"{home}-y": f"{home}-z", f"{home}-z": None}
    # Undone in the middle, each half stands alone.
    unmerged(writer, f"{home}-y")
    assert listed(client, collection=home, actor=f"{home}-z") == []
    assert listed(client, collection=home, actor=f"{home}-y") == ["part x", "part y"]
    assert client.get(f"/v1/actors/{home}-x").headers["Location"] == f"{client.base_url}/v1/actors/{home}-y"


def test_a_chain_that_closes_two_voices_changes_their_standing(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    merged(writer, f"{home}-x", f"{home}-z")
    assert states(client, home)["disputed"] == "contested"
    merged(writer, f"{home}-y", f"{home}-z")
    assert states(client, home)["disputed"] == "denied"
    unmerged(writer, f"{home}-x")
    assert states(client, home)["disputed"] == "contested"


def test_what_later_names_a_merged_actor_makes_the_other_visible(
    writer: httpx.Client, client: httpx.Client, unique: str
) -> None:
    make(writer, "collections", slug=unique)
    for name in ("old", "new"):
        make(writer, "actors", slug=f"{unique}-{name}")
    merged(writer, f"{unique}-old", f"{unique}-new")
    refused(client.get(f"/v1/actors/{unique}-old"), 404, "not-found")
    make(writer, "events", collection=unique, actors=[{"actor": f"{unique}-old"}])
    answer = client.get(f"/v1/actors/{unique}-old")
    assert answer.status_code == 308
    assert client.get(answer.headers["Location"]).status_code == 200


# --- Refusals


def test_an_actor_is_not_merged_into_itself(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    refused(merge(writer, f"{home}-x", f"{home}-x"), 422, "refused", "/into")
    merged(writer, f"{home}-x", f"{home}-y")
    merged(writer, f"{home}-y", f"{home}-z")
    head = head_of(client)
    for into in ("x", "y", "z"):
        refused(merge(writer, f"{home}-z", f"{home}-{into}"), 422, "refused", "/into")
    assert head_of(client) == head


def test_an_actor_that_is_merged_is_first_unmerged(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    merged(writer, f"{home}-x", f"{home}-y")
    head = head_of(client)
    refused(merge(writer, f"{home}-x", f"{home}-z"), 409, "in-use")
    refused(patch(writer, f"/v1/actors/{home}-x", {"name": "renamed"}), 409, "in-use")
    refused(writer.delete(f"/v1/actors/{home}-x", headers={"If-Match": "*"}), 409, "in-use")
    assert head_of(client) == head
    unmerged(writer, f"{home}-x")
    assert patch(writer, f"/v1/actors/{home}-x", {"name": "renamed"}).status_code == 200
    assert merge(writer, f"{home}-x", f"{home}-z").status_code == 200


def test_an_actor_that_others_stand_for_is_not_deleted(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    for name in ("old", "new"):
        make(writer, "actors", slug=f"{unique}-{name}")
    merged(writer, f"{unique}-old", f"{unique}-new")
    for name in ("old", "new"):
        refused(writer.delete(f"/v1/actors/{unique}-{name}", headers={"If-Match": "*"}), 409, "in-use")
    # It may be revised, though.
    assert patch(writer, f"/v1/actors/{unique}-new", {"name": "renamed"}).status_code == 200
    unmerged(writer, f"{unique}-old")
    for name in ("old", "new"):
        remove(writer, "actors", {"slug": f"{unique}-{name}"})


def test_what_is_not_there_is_not_merged(writer: httpx.Client, unique: str) -> None:
    make(writer, "actors", slug=f"{unique}-x")
    gone = make(writer, "actors", slug=f"{unique}-gone")
    remove(writer, "actors", gone)
    refused(merge(writer, f"{unique}-nobody", f"{unique}-x"), 404, "not-found")
    refused(unmerge(writer, f"{unique}-nobody"), 404, "not-found")
    refused(merge(writer, f"{unique}-x", f"{unique}-nobody"), 422, "refused", "/into")
    refused(merge(writer, f"{unique}-x", f"{unique}-gone"), 422, "refused", "/into")
    refused(merge(writer, f"{unique}-gone", f"{unique}-x"), 410, "gone")
    refused(unmerge(writer, f"{unique}-gone"), 410, "gone")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "/into"), ({"into": None}, "/into"), ({"into": "No Slug"}, "/into"), ({"into": ["x"]}, "/into"),
        ({"into": "x", "from": "y"}, "/from"),
    ],
)  # fmt: skip
def test_a_merge_names_one_actor_and_nothing_else(
    writer: httpx.Client, unique: str, body: Document, where: str
) -> None:
    make(writer, "actors", slug=unique)
    answer = writer.post(f"/v1/actors/{unique}/merge", json=body)
    refused(answer, 422, "invalid-body", where)


def test_merging_is_writing(live: Live, writer: httpx.Client, client: httpx.Client, home: str) -> None:
    head = head_of(client)
    refused(merge(client, f"{home}-x", f"{home}-y"), 401, "unauthenticated")
    refused(unmerge(client, f"{home}-x"), 401, "unauthenticated")
    with holder(live, "read") as reader:
        refused(merge(reader, f"{home}-x", f"{home}-y"), 403, "forbidden")
        refused(unmerge(reader, f"{home}-x"), 403, "forbidden")
    assert head_of(client) == head
    for method in ("GET", "PUT", "DELETE"):
        refused(writer.request(method, f"/v1/actors/{home}-x/merge"), 405, "method-not-allowed")


def test_a_merged_slug_stays_taken(writer: httpx.Client, home: str) -> None:
    merged(writer, f"{home}-x", f"{home}-y")
    answer = writer.post("/v1/actors", json={"slug": f"{home}-x", "name": "another"})
    refused(answer, 409, "already-exists")


# --- Diffs


def test_a_merge_changes_what_follows_from_it(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    revision = merged(writer, f"{home}-x", f"{home}-y")
    diff = check_laws(client, base_revision=revision - 1, head_revision=revision, collection=home)
    assert told(diff) == [("changed", "agreed"), ("changed", "disputed")]
    assert [item["fields"] for item in diff["items"]] == [["standing"], ["standing"]]


def test_a_merge_brings_events_in_and_takes_them_out(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    revision = merged(writer, f"{home}-x", f"{home}-y")

    def changes(**query: Any) -> list[tuple[str, str]]:
        sides = {"base_revision": revision - 1, "head_revision": revision}
        return told(check_laws(client, **sides, collection=home, **query))

    assert changes(actor=f"{home}-x") == [("added", "part y")]
    assert changes(actor=f"{home}-y") == [("added", "part x")]
    assert changes(speaker=f"{home}-y") == [("added", "said")]
    assert changes(publisher=f"{home}-y") == [("changed", "agreed"), ("changed", "disputed"), ("added", "alone")]
    assert changes(according_to=f"{home}-x", known_at="2020") == []
    assert changes(standing="contested") == [("removed", "disputed")]
    assert changes(standing="denied") == [("added", "disputed")]
    assert changes(actor=f"{home}-z") == []
    unmade = unmerged(writer, f"{home}-x")
    sides = {"base_revision": revision, "head_revision": unmade, "collection": home}
    assert told(check_laws(client, **sides, actor=f"{home}-x")) == [("removed", "part y")]
    assert told(check_laws(client, **sides, standing="contested")) == [("added", "disputed")]


def test_a_merge_brings_claims_into_an_account(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    revision = merged(writer, f"{home}-x", f"{home}-y")
    sides = {"base_revision": revision - 1, "head_revision": revision, "collection": home}
    diff = check_laws(client, **sides, according_to=f"{home}-y")
    by_op = {op: sorted(title for each, title in told(diff) if each == op) for op in ("added", "removed", "changed")}
    assert by_op == {"added": ["alone", "said"], "removed": [], "changed": ["agreed", "disputed"]}
    changed = [item for item in diff["items"] if item["op"] == "changed"]
    assert [len(item[side]["claims"]) for item in changed for side in ("before", "after")] == [1, 2, 1, 2]


def test_in_the_order_of_a_diff_a_merge_stands_at_its_revision(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    events = by_title(get(client, "/v1/events", collection=home)["items"])
    base = head_of(client)
    before = make(writer, "events", collection=home, title="before", actors=[{"actor": f"{home}-y"}])
    revise(writer, "events", events["part y"], summary="before")
    merged(writer, f"{home}-x", f"{home}-y")
    make(writer, "events", collection=home, title="after", actors=[{"actor": f"{home}-y"}])
    diff = check_laws(client, base_revision=base, collection=home, actor=f"{home}-x")
    # The last that brought each in: the merge, though a version is older; within one revision by id.
    assert told(diff) == [("added", "after"), ("added", "part y"), ("added", "before")]
    diff = check_laws(client, base_revision=base, collection=home, actor=f"{home}-y")
    assert told(diff)[:1] == [("added", "after")]
    assert sorted(told(diff)[1:]) == [("added", "before"), ("added", "part x"), ("changed", "part y")]
    revise(writer, "events", before, summary="revised")
    diff = check_laws(client, base_revision=base, collection=home, actor=f"{home}-x")
    assert told(diff)[:2] == [("added", "before"), ("added", "after")]


def test_merged_and_unmerged_is_no_difference(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    base = head_of(client)
    merged(writer, f"{home}-x", f"{home}-y")
    unmerged(writer, f"{home}-x")
    queries: list[Document] = [{}, {"actor": f"{home}-x"}, {"publisher": f"{home}-y"}, {"according_to": f"{home}-y"}]
    for query in queries:
        assert check_laws(client, base_revision=base, collection=home, **query)["items"] == []


def test_two_slugs_of_one_actor_compared_are_the_same(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    sides = {"base_actor": f"{home}-x", "head_actor": f"{home}-y", "collection": home}
    assert len(check_laws(client, **sides)["items"]) == 2
    merged(writer, f"{home}-x", f"{home}-y")
    assert check_laws(client, **sides)["items"] == []
    diff = check_laws(client, base_according_to=f"{home}-x", head_according_to=f"{home}-y", collection=home)
    assert diff["items"] == []


def test_a_diff_by_key_knows_merges(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    make(writer, "events", collection=home, title="keyed", key="k", actors=[{"actor": f"{home}-y"}])
    revision = merged(writer, f"{home}-x", f"{home}-y")
    sides = {"base_revision": revision - 1, "head_revision": revision, "collection": home, "match_on": "key"}
    diff = get(client, "/v1/diff", **sides, actor=f"{home}-x")
    assert sorted(told(diff)) == [("added", "keyed"), ("added", "part y")]
    assert diff["summary"] == {"added": 2, "removed": 0, "changed": 0}
