"""Two selections compared: what is added, removed and changed, in what order, and what always holds."""

from typing import Any

import httpx
import jsonpatch
import pytest

from tests.api.calls import (
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
    without,
)


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    """A collection of the test's own; its slug begins every other."""
    make(writer, "collections", slug=unique)
    return unique


def told(diff: Document) -> list[tuple[str, str]]:
    """What happened to which event, in order."""
    return [
        (item["op"], (item["after"] if item["op"] == "changed" else item["event"])["title"]) for item in diff["items"]
    ]


def turned_round(item: Document) -> Document:
    """The same item as the diff in the other direction has it, but for its patch."""
    if item["op"] == "changed":
        return {**without(item, "patch"), "before": item["after"], "after": item["before"]}
    if item["op"] == "added":
        return {**item, "op": "removed"}
    return {**item, "op": "added"}


def check_laws(client: httpx.Client, **query: Any) -> Document:
    """The whole diff, after what must hold of every diff has been seen to hold."""
    base = {name.removeprefix("base_"): value for name, value in query.items() if not name.startswith("head_")}
    head = {name.removeprefix("head_"): value for name, value in query.items() if not name.startswith("base_")}
    diff: Document = get(client, "/v1/diff", limit=500, **query)
    assert diff["next"] is None
    listing = {event["id"]: event for event in get(client, "/v1/events", limit=500, **base)["items"]}
    for item in diff["items"]:
        if item["op"] == "changed":
            assert listing[item["id"]] == item["before"]
            assert jsonpatch.JsonPatch(item["patch"]).apply(item["before"]) == item["after"]
            assert item["id"] == item["after"]["id"]
            assert item["fields"]
            listing[item["id"]] = item["after"]
        elif item["op"] == "added":
            assert item["event"]["id"] not in listing
            listing[item["event"]["id"]] = item["event"]
        else:
            assert listing.pop(item["event"]["id"]) == item["event"]
    # Base plus added, minus removed, with changed replaced, is the head's listing: but for what never is a change.
    there = {event["id"]: event for event in get(client, "/v1/events", limit=500, **head)["items"]}
    kept_apart = ("revision", "recorded")
    assert {id: _meant(without(event, *kept_apart)) for id, event in listing.items()} == {
        id: _meant(without(event, *kept_apart)) for id, event in there.items()
    }
    assert diff["summary"] == {
        op: sum(item["op"] == op for item in diff["items"]) for op in ("added", "removed", "changed")
    }
    # Turned round it says the same the other way.
    swapped = {
        f"{'head_' if name.startswith('base_') else 'base_'}{name[5:]}"
        if name[:5] in ("base_", "head_")
        else name: value
        for name, value in query.items()
    }
    back: Document = get(client, "/v1/diff", limit=500, **swapped)
    round_about = {_id(item): turned_round(item) for item in back["items"]}
    assert {_id(item): without(item, "patch") for item in diff["items"]} == {
        id: without(item, "patch") for id, item in round_about.items()
    }
    # A side compared with itself is the same.
    for prefix, side in (("base", base), ("head", head)):
        itself = get(client, "/v1/diff", **side)
        assert itself["items"] == [], prefix
        assert itself["summary"] == {"added": 0, "removed": 0, "changed": 0}
    # Page by page it is the same; the summary stands on the first.
    read = pages(client, "/v1/diff", limit=1, **query)
    assert [item for page in read for item in page["items"]] == diff["items"]
    assert [page["summary"] for page in read] == [diff["summary"], *[None] * (len(read) - 1)]
    return diff


def _id(item: Document) -> str:
    id: str = item["id"] if item["op"] == "changed" else item["event"]["id"]
    return id


def _meant(event: Document) -> Document:
    return {**event, "claims": [without(claim, "id") for claim in event["claims"]]}


# --- Shape


def test_two_revisions(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    actor = make(writer, "actors", slug=f"{home}-a", name="Before")
    source = make(writer, "sources", slug=f"{home}-s", published="2020")
    gone = make(writer, "events", collection=home, title="gone", actors=[{"actor": actor["slug"]}])
    stays = make(writer, "events", collection=home, title="stays")
    changes = make(writer, "events", collection=home, title="changes", claims=[{"source": source["slug"]}])
    base = head_of(client)
    revise(writer, "actors", actor, name="After")
    made = make(writer, "events", collection=home, title="made", actors=[{"actor": actor["slug"]}])
    never = make(writer, "events", collection=home, title="never")
    remove(writer, "events", never)
    removed = remove(writer, "events", gone)
    denial = {"source": source["slug"], "stance": "denies", "published": "2021"}
    claims = [
        *({name: value for name, value in claim.items() if name != "published"} for claim in changes["claims"]),
        denial,
    ]
    changed = revise(writer, "events", changes, claims=claims)
    assert removed == changed["revision"] - 1
    head = head_of(client)
    diff = get(client, "/v1/diff", base_revision=base, head_revision=head, collection=home)
    assert diff == {
        "base": {"revision": base, "selection": {"collection": home}},
        "head": {"revision": head, "selection": {"collection": home}},
        "summary": {"added": 1, "removed": 1, "changed": 1},
        # By the last changing revision, newest first.
        "items": [
            {
                "op": "changed",
                "id": changes["id"],
                "fields": ["claims", "standing"],
                "before": changes,
                "after": changed,
                "patch": [
                    {"op": "add", "path": "/claims/1", "value": changed["claims"][1]},
                    {"op": "replace", "path": "/standing/state", "value": "denied"},
                    {"op": "replace", "path": "/standing/asserting", "value": 0},
                    {"op": "replace", "path": "/standing/denying", "value": 1},
                    {"op": "replace", "path": "/standing/origins", "value": 0},
                    {"op": "replace", "path": "/standing/first_denied", "value": "2021"},
                    {"op": "replace", "path": "/revision", "value": changed["revision"]},
                    {"op": "replace", "path": "/recorded", "value": changed["recorded"]},
                ],
            },
            {"op": "removed", "event": gone, "other": None, "fields": []},
            {"op": "added", "event": made, "other": None, "fields": []},
        ],
        # What each side's events name, as it was there.
        "included": {
            "base": {"actors": {actor["slug"]: actor}, "sources": {source["slug"]: source}},
            "head": {
                "actors": {actor["slug"]: get(client, address("actors", actor))},
                "sources": {source["slug"]: source},
            },
        },
        "next": None,
    }
    assert stays["title"] not in str(diff)
    assert get(client, "/v1/diff", base_revision=base, head_revision=head, collection=home, include="none") == {
        **diff,
        "included": None,
    }
    # Either side may be the later; one without a lens is the present.
    assert get(client, "/v1/diff", base_revision=base, collection=home) == diff
    back = check_laws(client, base_revision=head, head_revision=base, collection=home)
    assert [turned_round(item) for item in back["items"]] == [
        without(item, "patch") if "patch" in item else item for item in diff["items"]
    ]
    recorded = {row["revision"]: row["recorded"] for row in get(client, "/v1/revisions", limit=20)["items"]}
    instants = {"base_as_of": recorded[base], "head_as_of": recorded[head]}
    assert get(client, "/v1/diff", collection=home, **instants) == diff


def test_the_order_between_revisions(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    source = make(writer, "sources", slug=f"{home}-s", published="2020")
    claims = [{"source": source["slug"]}]
    together = [make(writer, "events", collection=home, title=title, claims=claims) for title in ("x", "y", "z")]
    alone = make(writer, "events", collection=home, title="alone", occurred="1990")
    base = head_of(client)
    revise(writer, "events", alone, summary="first")
    revise(writer, "sources", source, published="2021")
    revise(writer, "events", together[1], summary="last")
    expected = [("changed", title) for title in ("y", "x", "z", "alone")]
    assert told(check_laws(client, base_revision=base, collection=home)) == expected
    # No order turns it, in either direction.
    for order in ("asc", "desc"):
        assert told(get(client, "/v1/diff", base_revision=base, collection=home, order=order)) == expected
    assert told(get(client, "/v1/diff", head_revision=base, collection=home)) == expected


def test_what_is_in_both_worlds_and_only_one_listing(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    came = make(writer, "events", collection=home, title="came", tags=["x"])
    went = make(writer, "events", collection=home, title="went", tags=["kept"])
    base = head_of(client)
    came_then = revise(writer, "events", came, tags=["kept"], summary="now")
    went_then = revise(writer, "events", went, tags=["x"])
    diff = check_laws(client, base_revision=base, collection=home, tag="kept")
    assert diff["items"] == [
        {"op": "removed", "event": went, "other": went_then, "fields": ["tags"]},
        {"op": "added", "event": came_then, "other": came, "fields": ["summary", "tags"]},
    ]
    # Moved into the window it is added, too, and the other side says from where.
    moved = revise(writer, "events", came_then, occurred="1999")
    diff = check_laws(client, base_revision=came_then["revision"], collection=home, from_="1999", to="1999")
    assert diff["items"] == [{"op": "added", "event": moved, "other": came_then, "fields": ["occurred"]}]


def test_what_never_is_a_change_by_itself(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    actor = make(writer, "actors", slug=f"{home}-a")
    source = make(writer, "sources", slug=f"{home}-s", published="2020")
    event = make(writer, "events", collection=home, claims=[{"source": source["slug"]}])
    base = head_of(client)
    # A new publisher makes a new version whose document says nothing new …
    revise(writer, "sources", source, publisher=actor["slug"])
    # … and a date of publication said outright is another claim of the same content.
    revise(writer, "events", event, claims=[{"source": source["slug"], "published": "2020"}])
    now = get(client, address("events", event), include="none")
    assert now["revision"] > event["revision"]
    assert now["claims"][0]["id"] != event["claims"][0]["id"]
    assert check_laws(client, base_revision=base, collection=home)["items"] == []
    # They are in the patch of what changed otherwise.
    revise(writer, "events", event, title="Renamed")
    (item,) = check_laws(client, base_revision=base, collection=home)["items"]
    assert item["fields"] == ["title"]
    assert {operation["path"] for operation in item["patch"]} >= {"/title", "/revision", "/recorded"}
    # Changed and changed back is nothing.
    revise(writer, "events", event, title=event["title"])
    assert get(client, "/v1/diff", base_revision=base, collection=home)["items"] == []


def test_retracted_is_removed(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home, title="event")
    revision = remove(writer, "events", event)
    diff = check_laws(client, base_revision=revision - 1, head_revision=revision, collection=home)
    assert diff["items"] == [{"op": "removed", "event": event, "other": None, "fields": []}]
    diff = check_laws(client, base_revision=event["revision"] - 1, head_revision=revision, collection=home)
    assert diff["items"] == []


# --- Sides that differ in more than the revision


def test_two_known_dates(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    first = make(writer, "sources", slug=f"{home}-1", published="2025-02-19")
    second = make(writer, "sources", slug=f"{home}-2", published="2025-02-20")
    both = [{"source": first["slug"]}, {"source": second["slug"], "stance": "denies"}]
    make(writer, "events", collection=home, title="withdrawal", occurred="2025", claims=both)
    make(writer, "events", collection=home, title="denial", occurred="2025-02-20", claims=both[1:])
    make(writer, "events", collection=home, title="report", occurred="2025-02-19", claims=both[:1])
    diff = check_laws(client, base_known_at="2025-02-19", head_known_at="2025-02-20", collection=home)
    assert told(diff) == [("changed", "withdrawal"), ("added", "denial")]
    changed, added = diff["items"]
    assert changed["fields"] == ["claims", "standing"]
    assert [changed[side]["standing"]["state"] for side in ("before", "after")] == ["reported", "contested"]
    # Before it was known it does not exist there.
    assert (added["other"], added["fields"]) == (None, [])
    assert diff["base"]["selection"] == {"collection": home, "known_at": "2025-02-19"}
    assert diff["head"]["selection"] == {"collection": home, "known_at": "2025-02-20"}
    assert list(diff["included"]["base"]["sources"]) == [first["slug"]]
    assert list(diff["included"]["head"]["sources"]) == [first["slug"], second["slug"]]


def test_listings_are_told_in_the_heads_order(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    for year, tags in (
        ("2001", "a"),
        ("2002", "b"),
        ("2003", "ab"),
        ("2004", "a"),
        ("2005", "b"),
        (None, "a"),
        (None, "b"),
    ):
        make(writer, "events", collection=home, title=f"{year} {tags}", occurred=year, tags=list(tags))
    diff = check_laws(client, base_tag="a", head_tag="b", collection=home)
    forward = [
        ("removed", "2001 a"), ("added", "2002 b"), ("removed", "2004 a"), ("added", "2005 b"), ("removed", "None a"),
        ("added", "None b"),
    ]  # fmt: skip
    assert told(diff) == forward
    # Each exists on the other side, just as it is, outside the selection.
    assert all(item["other"] == item["event"] and item["fields"] == [] for item in diff["items"])
    descending = get(client, "/v1/diff", base_tag="a", head_tag="b", collection=home, order="desc")
    assert told(descending) == [*forward[:4][::-1], *forward[4:]]
    read = pages(client, "/v1/diff", base_tag="a", head_tag="b", collection=home, order="desc", limit=1)
    assert [pair for page in read for pair in told(page)] == told(descending)


def test_an_event_whose_date_moved_is_told_once_at_its_place_in_the_head(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    """Its counterpart is found by id, however far away it stands."""
    names = [f"{number:03}" for number in range(20)]
    events = {name: make(writer, "events", collection=home, title=name, occurred=f"2{name}") for name in names}
    make(writer, "timelines", slug=f"{home}-a", selection={"collection": home, "revision": head_of(client)})
    # What chooses all of them as well, so that the sides differ in more than the revision.
    make(writer, "timelines", slug=f"{home}-b", selection={"collection": home, "phase": "happened"})
    revise(writer, "events", events["000"], occurred="2900")
    revise(writer, "events", events["019"], occurred="1000")
    revise(writer, "events", events["010"], occurred=None)
    diff = check_laws(client, base_timeline=f"{home}-a", head_timeline=f"{home}-b")
    assert told(diff) == [("changed", "019"), ("changed", "000"), ("changed", "010")]
    assert diff["base"]["selection"] == {"timeline": f"{home}-a"}


def test_timelines_compared(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    ids = [
        make(writer, "events", collection=home, title=t, tags=[t], occurred=f"20{n:02}")["id"]
        for n, t in enumerate("abc")
    ]
    first = make(writer, "timelines", slug=f"{home}-1", selection={"collection": home}, exclude=ids[:1])
    make(writer, "timelines", slug=f"{home}-2", selection={"collection": home, "tag": "a"}, include=ids[2:])
    assert told(check_laws(client, base_timeline=f"{home}-1", head_timeline=f"{home}-2")) == [
        ("added", "a"),
        ("removed", "b"),
    ]
    # Each may have an order of its own; the two are compared in the head's.
    make(writer, "timelines", slug=f"{home}-4", selection={"collection": home, "tag": "a", "order": "desc"})
    diff = check_laws(client, base_collection=home, head_timeline=f"{home}-4")
    assert told(diff) == [("removed", "c"), ("removed", "b")]
    make(writer, "timelines", slug=f"{home}-3", selection={"collection": home, "order": "desc"})
    for pair in ((f"{home}-1", f"{home}-3"), (f"{home}-3", f"{home}-1")):
        base, head = pair
        (item,) = check_laws(client, base_timeline=base, head_timeline=head)["items"]
        assert item["event"]["title"] == "a"
    # A definition that changed between two revisions of one timeline shows as what it selects.
    revise(writer, "timelines", first, exclude=[], selection={"collection": home, "tag": "a"})
    diff = check_laws(client, timeline=f"{home}-1", base_revision=first["revision"])
    assert told(diff) == [("added", "a"), ("removed", "b"), ("removed", "c")]


def test_a_side_has_its_own_in_place_of_what_both_have(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    for title in "abc":
        make(writer, "events", collection=home, title=title, tags=[title], occurred="2001")
    make(writer, "collections", slug=f"{home}-2")
    make(writer, "events", collection=f"{home}-2", title="other", tags=["b"], occurred="2001")
    diff = get(client, "/v1/diff", collection=home, tag=["a", "b"], head_tag="c", base_known_at="2000", known_at="2002")
    assert diff["base"]["selection"] == {"collection": home, "tag": ["a", "b"], "known_at": "2000"}
    assert diff["head"]["selection"] == {"collection": home, "tag": "c", "known_at": "2002"}
    assert told(diff) == [("added", "c")]
    diff = check_laws(client, base_collection=home, head_collection=f"{home}-2", tag="b")
    assert told(diff) == [("removed", "b"), ("added", "other")]
    # A lens of recording of one's own takes the place of either kind.
    head = head_of(client)
    recorded = get(client, f"/v1/revisions/{head}")["recorded"]
    diff = get(client, "/v1/diff", collection=home, revision=head, base_as_of=recorded)
    assert (diff["base"]["revision"], diff["head"]["revision"], diff["items"]) == (head, head, [])


@pytest.mark.parametrize(
    ("query", "kind", "where"),
    [
        ("base_from=1999/2000", "refused-parameter", "base_from"),
        ("from=1999/2000&head_from=1999", "refused-parameter", "from"),
        ("head_from=2001&to=2000", "refused-parameter", "head_from"),
        ("base_revision=999999999", "refused-parameter", "base_revision"),
        ("head_as_of=9999-01-01T00:00:00Z", "refused-parameter", "head_as_of"),
        ("base_as_of=2025-01-01T00:00:00Z&base_revision=1", "refused-parameter", "base_revision"),
        ("base_limit=1", "invalid-parameter", "base_limit"),
        ("head_order=asc", "invalid-parameter", "head_order"),
        ("base_cursor=x", "invalid-parameter", "base_cursor"),
        ("base_known_at=2020&base_known_at=2021", "invalid-parameter", "base_known_at"),
        ("haed_tag=a", "invalid-parameter", "haed_tag"),
    ],
)
def test_a_sides_faults_are_named_as_they_were_given(client: httpx.Client, query: str, kind: str, where: str) -> None:
    refused(client.get(f"/v1/diff?{query}"), 400, kind, where)


def test_a_side_without_its_timeline(client: httpx.Client, unique: str) -> None:
    answer = client.get("/v1/diff", params={"base_timeline": unique})
    refused(answer, 404, "not-found", "base_timeline")


# --- Pages


def test_a_page_between_fixed_revisions_never_changes(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    events = [make(writer, "events", collection=home, title=f"{n}", occurred=f"20{n:02}") for n in range(6)]
    base = head_of(client)
    for event in events[:4]:
        revise(writer, "events", event, summary="new")
    head = head_of(client)
    query = {"base_revision": base, "head_revision": head, "collection": home, "limit": 2}
    answer = client.get("/v1/diff", params=query)
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    second = client.get(answer.json()["next"])
    live = client.get("/v1/diff", params={"base_revision": base, "collection": home, "limit": 2})
    assert live.headers["Cache-Control"] == "public, no-cache"
    for event in events:
        revise(writer, "events", event, summary="newer")
    assert client.get("/v1/diff", params=query).content == answer.content
    assert client.get(answer.json()["next"]).content == second.content
    # A reading of the present goes on where it began.
    assert [item["after"]["summary"] for item in client.get(live.json()["next"]).json()["items"]] == ["new", "new"]
    moved = answer.json()["next"].replace(f"base_revision={base}", f"base_revision={base - 1}")
    refused(client.get(moved), 400, "refused-parameter", "cursor")


def test_what_the_caller_may_not_see_is_no_difference(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    private = make(writer, "collections", slug=f"{home}-p", visibility="private")
    event = make(writer, "events", collection=private["slug"], title="hidden", tags=[home])
    base = head_of(client)
    revise(writer, "events", event, title="still hidden")
    make(writer, "events", collection=home, title="seen", tags=[home])
    assert told(check_laws(client, base_revision=base, tag=home)) == [("added", "seen")]
    assert told(check_laws(writer, base_revision=base, tag=home)) == [("added", "seen"), ("changed", "still hidden")]
    assert check_laws(client, base_collection=private["slug"], head_collection=f"{home}-x")["items"] == []
    # Visibility is today's on both sides.
    answer = patch(writer, address("collections", private), {"visibility": "public"})
    assert answer.status_code == 200
    assert told(check_laws(client, base_revision=base, tag=home)) == [("added", "seen"), ("changed", "still hidden")]
