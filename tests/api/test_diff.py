"""Two selections compared: what is added, removed and changed, in what order, and what always holds."""

from typing import Any

import httpx
import jsonpatch
import pytest

from tests.api.calls import (
    LIVE,
    PINNED,
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


def test_a_merge_places_only_what_it_changes(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    """Under a lens too: what a merged actor tells stays where it was, unless its standing or listing changes."""
    for name in ("a", "b", "c"):
        make(writer, "actors", slug=f"{home}-{name}", name=name)
    make(writer, "sources", slug=f"{home}-s", title="s", published="2000")

    def claims(*names: str) -> list[Document]:
        return [
            {"source": f"{home}-s", "speakers": [f"{home}-{name}"], "stance": stance}
            for name, stance in zip(names, ("asserts", "denies"), strict=False)
        ]

    make(writer, "events", collection=home, title="comes", claims=claims("b"))
    base = head_of(client)
    make(writer, "events", collection=home, title="untouched", claims=claims("a"))
    make(writer, "events", collection=home, title="newer", occurred="1999")
    writer.post(f"/v1/actors/{home}-a/merge", json={"into": f"{home}-b"}).raise_for_status()
    query = {"base_revision": base, "collection": home}
    both = {"according_to": [f"{home}-a", f"{home}-b"]}
    for lens, seen in (({}, ["newer"]), ({"known_at": "2001"}, ["newer"]), (both, [])):
        assert told(check_laws(client, **query, **lens)) == [("added", title) for title in [*seen, "untouched"]]
    writer.post(f"/v1/actors/{home}-a/unmerge").raise_for_status()
    make(writer, "events", collection=home, title="newest", claims=claims("a"))
    writer.post(f"/v1/actors/{home}-c/merge", json={"into": f"{home}-b"}).raise_for_status()
    writer.post(f"/v1/actors/{home}-b/merge", json={"into": f"{home}-a"}).raise_for_status()
    # Merged and let go in between, what was made then is told at the last of the two.
    diff = check_laws(client, **query, according_to=f"{home}-a")
    assert told(diff) == [("added", "comes"), ("added", "newest"), ("added", "untouched")]
    until = diff["head"]["revision"] - 2
    diff = check_laws(client, **query, head_revision=until, according_to=f"{home}-b")
    assert told(diff) == []


def test_what_an_event_points_at_is_placed_where_that_was_revised(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    x, y, z = (make(writer, "events", collection=home, title=title, occurred="2001") for title in "xyz")

    def at(*pointed: Document) -> list[Document]:
        return [{"type": "causes", "event": each["id"]} for each in pointed]

    anchor = make(writer, "events", collection=home, title="anchor", relations=at(x, z))
    base = head_of(client)
    revise(writer, "events", anchor, relations=at(y, z))
    revise(writer, "events", z, summary="new")
    for direction in ("out", "both"):
        query = {"base_revision": base, "related_to": anchor["id"], "direction": direction}
        # By id where the anchor's revision moved two.
        expected = [("changed", "z"), ("removed", "x"), ("added", "y")]
        assert told(check_laws(client, **query)) == expected
    # However much later the head is, what has been told stays in its place.
    make(writer, "events", collection=home, title="later")
    assert told(check_laws(client, **query)) == expected
    revise(writer, "events", anchor, relations=at(y))
    assert told(check_laws(client, **query)) == [("removed", "z"), ("removed", "x"), ("added", "y")]


def test_two_events_to_related_to_are_two_selections(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    x, y = (
        make(writer, "events", collection=home, title=title, occurred=f"200{day}") for day, title in enumerate("xy")
    )
    anchors = [
        make(writer, "events", collection=home, title="anchor", relations=[{"type": "causes", "event": each["id"]}])
        for each in (y, x)
    ]
    query = {f"{side}_related_to": each["id"] for side, each in zip(("base", "head"), anchors, strict=True)}
    # In the order of the listing: more than a revision is between them.
    assert told(get(client, "/v1/diff", direction="out", **query)) == [("added", "x"), ("removed", "y")]


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
    assert answer.headers["Cache-Control"] == PINNED
    second = client.get(answer.json()["next"])
    live = client.get("/v1/diff", params={"base_revision": base, "collection": home, "limit": 2})
    assert live.headers["Cache-Control"] == LIVE
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


# --- Matched by key


def check_laws_by_key(client: httpx.Client, **query: Any) -> Document:
    """The whole diff by key, after what must hold of every such diff has been seen to hold."""
    base = {name.removeprefix("base_"): value for name, value in query.items() if not name.startswith("head_")}
    head = {name.removeprefix("head_"): value for name, value in query.items() if not name.startswith("base_")}
    diff: Document = get(client, "/v1/diff", match_on="key", limit=500, **query)
    listing = {event["id"]: event for event in get(client, "/v1/events", limit=500, **base)["items"]}
    came = {}
    for item in diff["items"]:
        if item["op"] == "changed":
            assert listing.pop(item["before"]["id"]) == item["before"]
            assert jsonpatch.JsonPatch(item["patch"]).apply(item["before"]) == item["after"]
            assert item["id"] == item["after"]["id"]
            assert item["before"]["key"] == item["after"]["key"]
            came[item["id"]] = item["after"]
        elif item["op"] == "added":
            came[item["event"]["id"]] = item["event"]
        else:
            assert listing.pop(item["event"]["id"]) == item["event"]
    # What is left of the base has a counterpart of the same content in the head, which nothing has been said of.
    there = {event["id"]: event for event in get(client, "/v1/events", limit=500, **head)["items"]}
    assert there.items() >= came.items()
    kept_apart = ("id", "collection", "revision", "recorded", "created")
    left = [_meant(without(event, *kept_apart)) for id, event in there.items() if id not in came]
    same = [_meant(without(event, *kept_apart)) for event in listing.values()]
    assert sorted(left, key=str) == sorted(same, key=str)
    read = pages(client, "/v1/diff", match_on="key", limit=1, **query)
    assert [item for page in read for item in page["items"]] == diff["items"]
    assert diff["summary"] == {op: sum(item["op"] == op for item in diff["items"]) for op in diff["summary"]}
    swapped = {
        f"{'head_' if name.startswith('base_') else 'base_'}{name[5:]}"
        if name[:5] in ("base_", "head_")
        else name: value
        for name, value in query.items()
    }
    back = get(client, "/v1/diff", match_on="key", limit=500, **swapped)
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    assert sorted(told(back)) == sorted(
        (turned[op], item["before" if op == "changed" else "event"]["title"])
        for item in diff["items"]
        for op in [item["op"]]
    )
    return diff


@pytest.fixture
def twins(writer: httpx.Client, home: str) -> tuple[str, str]:
    """Two collections whose events have keys in common."""
    for name in ("a", "b"):
        make(writer, "collections", slug=f"{home}-{name}")
    return f"{home}-a", f"{home}-b"


def test_by_key_two_collections_are_compared(
    writer: httpx.Client, client: httpx.Client, twins: tuple[str, str]
) -> None:
    a, b = twins

    def event(collection: str, key: str | None, occurred: str, **rest: Any) -> Document:
        return make(writer, "events", collection=collection, key=key, occurred=occurred, **{"title": key, **rest})

    event(a, "same", "2001")
    event(b, "same", "2001")
    before = event(a, "moved", "2002")
    event(a, "gone", "2003")
    bare = event(a, None, "2004", title="no key")
    event(b, None, "2004", title="no key")
    after = event(b, "moved", "2009", summary="later")
    event(b, "new", "2003-06")
    diff = check_laws_by_key(client, base_collection=a, head_collection=b)
    # In the order of the head's listing, what only the base lists at its place there.
    assert told(diff) == [
        ("removed", "gone"), ("added", "new"), ("removed", "no key"), ("added", "no key"), ("changed", "moved"),
    ]  # fmt: skip
    changed = diff["items"][-1]
    assert (changed["id"], changed["before"], changed["after"]) == (after["id"], before, after)
    # What the service gives out is no change by itself, and is in the patch.
    assert changed["fields"] == ["summary", "occurred"]
    assert {"/id", "/collection", "/summary"} <= {operation["path"] for operation in changed["patch"]}
    # What has a key is there on the other side, outside the selection; what has none is matched by nothing.
    assert [item["other"] for item in diff["items"][:-1]] == [
        None if item["event"]["key"] is None else item["event"] for item in diff["items"][:-1]
    ]
    backwards = check_laws_by_key(client, base_collection=a, head_collection=b, order="desc")
    assert told(backwards) == [
        ("changed", "moved"), ("added", "no key"), ("removed", "no key"), ("added", "new"), ("removed", "gone"),
    ]  # fmt: skip
    # By id none is the same as another.
    by_id = get(client, "/v1/diff", base_collection=a, head_collection=b, match_on="id")
    assert by_id["summary"] == {"added": 4, "removed": 4, "changed": 0}
    assert by_id == get(client, "/v1/diff", base_collection=a, head_collection=b)
    assert bare["key"] is None


def test_by_key_equal_sides_are_equal(writer: httpx.Client, client: httpx.Client, twins: tuple[str, str]) -> None:
    a, b = twins
    make(writer, "events", collection=a, title="no key")
    for collection in twins:
        make(writer, "events", collection=collection, key="k")
    for query in (
        {"collection": a},
        {"base_collection": [a, b], "head_collection": [b, a]},
        {"base_collection": a, "head_collection": b, "key": "k"},
    ):
        diff = check_laws_by_key(client, **query)
        assert (diff["items"], diff["summary"]) == ([], {"added": 0, "removed": 0, "changed": 0})


def test_by_key_without_a_key_nothing_is_the_same(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    """Not even itself, where the sides differ in more than the revision: it is both removed and added, at one place."""
    make(writer, "events", collection=home, title="x", occurred="2001", tags=["t"])
    make(writer, "events", collection=home, title="y", occurred="2002", tags=["t"], key="y")
    diff = check_laws_by_key(client, collection=home, head_tag="t")
    assert told(diff) == [("removed", "x"), ("added", "x")]


def test_by_key_between_revisions_what_has_none_is_matched_by_id(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    bare = make(writer, "events", collection=home, title="bare")
    keyed = make(writer, "events", collection=home, title="keyed", key="k")
    make(writer, "events", collection=home, title="stays")
    base = head_of(client)
    revise(writer, "events", bare, summary="new")
    revise(writer, "events", keyed, summary="new")
    make(writer, "events", collection=home, title="came")
    query = {"base_revision": base, "collection": home}
    diff = get(client, "/v1/diff", **query, match_on="key")
    assert told(diff) == [("added", "came"), ("changed", "keyed"), ("changed", "bare")]
    assert diff == get(client, "/v1/diff", **query)


def test_by_key_between_revisions_what_has_one_is_matched_by_key(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    """An event moved from one collection to another is one change, at the later of the two that made it."""
    other = f"{home}-other"
    make(writer, "collections", slug=other)
    moved = make(writer, "events", collection=home, title="here", key=f"{home}-moved")
    gone = make(writer, "events", collection=home, title="gone", key=f"{home}-gone")
    base = head_of(client)
    revise(writer, "events", gone, summary="changed before the other was made")
    early = get(client, "/v1/diff", match_on="key", collection=[home, other], base_revision=base)
    make(writer, "events", collection=other, title="there", key=f"{home}-moved")
    make(writer, "events", title="between", collection=home)
    there = make(writer, "events", collection=other, title="gone too", key=f"{home}-gone")
    remove(writer, "events", moved)
    diff = get(client, "/v1/diff", match_on="key", collection=[home, other], base_revision=base)
    assert told(diff) == [("changed", "there"), ("added", "gone too"), ("added", "between"), ("changed", "gone")]
    assert diff["items"][0]["before"]["title"] == "here"
    assert diff["items"][1]["other"] is None
    remove(writer, "events", gone)
    query = {"match_on": "key", "collection": [home, other], "base_revision": base}
    assert get(client, "/v1/diff", **query, head_revision=early["head"]["revision"])["items"] == early["items"]
    diff = get(client, "/v1/diff", **query)
    assert told(diff) == [("changed", "gone too"), ("changed", "there"), ("added", "between")]
    paged = [item for page in pages(client, "/v1/diff", limit=1, **query) for item in page["items"]]
    assert paged == diff["items"]
    assert diff["summary"] == {"added": 1, "removed": 0, "changed": 2}
    # In one collection alone it is gone, and stands in another.
    removed = get(client, "/v1/diff", **{**query, "collection": home})["items"][0]
    assert (removed["op"], removed["event"]["id"], removed["other"]["id"]) == ("removed", gone["id"], there["id"])
    back = get(client, "/v1/diff", match_on="key", collection=home, head_revision=base)["items"][0]
    assert (back["op"], back["event"]["id"], back["other"]["id"]) == ("added", gone["id"], there["id"])


def test_by_key_what_is_unlisted_and_unnamed_is_no_counterpart(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    aside = f"{home}-aside"
    make(writer, "collections", slug=aside, visibility="unlisted")
    pinned = make(writer, "events", collection=aside, title="pinned", key=f"{home}-pinned", tags=["t"])
    make(writer, "events", collection=aside, title="aside", key=home)
    event = make(writer, "events", collection=home, title="here", key=home)
    base = head_of(client)
    removed_at = remove(writer, "events", event)
    one = {"match_on": "key", "id": [event["id"], pinned["id"]], "base_revision": base}
    for query in (one, {**one, "base_tag": [], "head_tag": "t"}):
        (item,) = get(client, "/v1/diff", **query)["items"]
        assert (item["op"], item["event"]["id"], item["other"]) == ("removed", event["id"], None)
    (item,) = get(client, "/v1/diff", match_on="key", base_collection=home, head_collection=[home, aside],
                  base_revision=base, head_revision=removed_at, key=home)["items"]  # fmt: skip
    assert (item["op"], item["after"]["title"]) == ("changed", "aside")


def test_by_key_the_very_same_event_comes_first_and_the_rest_by_id(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    for name in "abcd":
        make(writer, "collections", slug=f"{home}-{name}")
        make(writer, "events", collection=f"{home}-{name}", title=name, key="k", occurred="2001")

    def pairs(base: str, head: str) -> list[tuple[str, str]]:
        diff = check_laws_by_key(
            client,
            base_collection=[f"{home}-{name}" for name in base],
            head_collection=[f"{home}-{name}" for name in head],
        )
        return sorted(
            (item["before"]["title"], item["after"]["title"])
            if item["op"] == "changed"
            else (item["event"]["title"], "") if item["op"] == "removed" else ("", item["event"]["title"])
            for item in diff["items"]
        )  # fmt: skip

    assert pairs("a", "b") == [("a", "b")]
    assert pairs("ab", "bc") == [("a", "c")]
    assert pairs("ad", "bc") == [("a", "b"), ("d", "c")]
    assert pairs("abc", "bd") == [("a", "d"), ("c", "")]
    assert pairs("c", "abcd") == [("", "a"), ("", "b"), ("", "d")]


def test_by_key_other_is_the_event_with_the_key_outside_the_selection(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    found = {}
    for name in "abc":
        make(writer, "collections", slug=f"{home}-{name}")
        tags = ["head"] if name == "b" else []
        found[name] = make(writer, "events", collection=f"{home}-{name}", title=name, key=home, tags=tags)

    def other(**query: Any) -> str:
        (item,) = get(client, "/v1/diff", match_on="key", head_tag="head", base_tag="none", **query)["items"]
        assert (item["op"], item["event"]) == ("added", found["b"])
        if item["other"] is None:
            return ""
        assert item["fields"] == ([] if item["other"]["id"] == found["b"]["id"] else ["title", "tags"])
        title: str = item["other"]["title"]
        return title

    names = {name: f"{home}-{name}" for name in "abc"}
    head = {"head_collection": names["b"]}
    # In the collections that the side asks for first, then the very same event, then by id.
    assert other(**head, base_collection=names["c"]) == "c"
    assert other(**head, base_collection=[names["a"], names["c"]]) == "a"
    assert other(**head, base_collection=[names["b"], names["c"]]) == "b"
    assert other(**head) == "b"
    before = found["b"]["revision"] - 1
    assert other(**head, base_revision=before) == "a"
    assert other(**head, base_collection=names["c"], base_revision=before) == "a"
    remove(writer, "events", found["a"])
    assert other(**head, base_known_at="0001") == ""


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("match_on=name", "match_on"),
        ("match_on=", "match_on"),
        ("match_on=id&match_on=key", "match_on"),
        ("base_match_on=key", "base_match_on"),
    ],
)
def test_what_is_matched_on_is_key_or_id(client: httpx.Client, query: str, where: str) -> None:
    refused(client.get(f"/v1/diff?{query}"), 400, "invalid-parameter", where)


def test_a_cursor_is_bound_to_what_is_matched_on(
    writer: httpx.Client, client: httpx.Client, twins: tuple[str, str]
) -> None:
    a, b = twins
    for key in ("1", "2"):
        make(writer, "events", collection=a, key=key)
    page = get(client, "/v1/diff", base_collection=a, head_collection=b, match_on="key", limit=1)
    assert client.get(page["next"]).status_code == 200
    refused(client.get(page["next"].replace("match_on=key", "match_on=id")), 400, "refused-parameter", "cursor")


# --- Single members


def test_fields_thin_the_events_and_nothing_else(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    actor = make(writer, "actors", slug=f"{home}-a")["slug"]
    source = make(writer, "sources", slug=f"{home}-s")["slug"]
    changes, goes, moves = (
        make(writer, "events", collection=home, title=title, tags=["t"]) for title in ("changes", "goes", "moves")
    )
    base = head_of(client)
    revise(writer, "events", changes, title="changed", summary="new", actors=[{"actor": actor}])
    remove(writer, "events", goes)
    revise(writer, "events", moves, tags=[], claims=[{"source": source}])
    make(writer, "events", collection=home, title="comes", tags=["t"])
    query = {"base_revision": base, "collection": home, "tag": "t"}
    whole = get(client, "/v1/diff", **query)
    assert [item["op"] for item in whole["items"]] == ["added", "removed", "removed", "changed"]
    for fields in ("title", "id,title,summary", "tags", "actors,claims"):
        thin = get(client, "/v1/diff", **query, fields=fields)
        assert thin["summary"] == whole["summary"]
        for item, full in zip(thin["items"], whole["items"], strict=True):
            events = {name for name in ("event", "other", "before", "after") if full.get(name) is not None}
            for name in events:
                assert item[name] == {member: full[name][member] for member in fields.split(",")}
            # They are the same changes: `fields` of an item goes on naming all that differ.
            assert without(item, *events, "patch") == without(full, *events, "patch")
            if item["op"] == "changed":
                assert jsonpatch.JsonPatch(item["patch"]).apply(item["before"]) == item["after"]
    # What is shown has not changed, though the event has.
    (changed,) = (item for item in get(client, "/v1/diff", **query, fields="tags")["items"] if item["op"] == "changed")
    assert (changed["fields"], changed["patch"]) == (["title", "summary", "actors"], [])
    assert changed["id"] == changes["id"]


def test_with_fields_included_holds_what_the_shown_members_name(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    actor = make(writer, "actors", slug=f"{home}-a")["slug"]
    source = make(writer, "sources", slug=f"{home}-s")["slug"]
    base = head_of(client)
    make(writer, "events", collection=home, actors=[{"actor": actor}], claims=[{"source": source}])

    def names(**query: Any) -> tuple[list[str], list[str]]:
        included = get(client, "/v1/diff", base_revision=base, collection=home, **query)["included"]
        assert included["base"] == {"actors": {}, "sources": {}}
        return list(included["head"]["actors"]), list(included["head"]["sources"])

    assert names() == ([actor], [source])
    assert names(fields="title,actors") == ([actor], [])
    assert names(fields="claims") == ([], [source])
    assert names(fields="title") == ([], [])
    assert names(include="sources") == ([], [source])
    assert get(client, "/v1/diff", base_revision=base, collection=home, include="none")["included"] is None


def test_fields_and_key_go_together_page_by_page(
    writer: httpx.Client, client: httpx.Client, twins: tuple[str, str]
) -> None:
    a, b = twins
    for number in range(5):
        make(writer, "events", collection=a, key=f"k{number}", title="before", occurred=f"200{number}")
        make(writer, "events", collection=b, key=f"k{number}", title="after", occurred=f"200{number}")
    query = {"base_collection": a, "head_collection": b, "match_on": "key", "fields": "key,title"}
    read = pages(client, "/v1/diff", **query, limit=2)
    assert [len(page["items"]) for page in read] == [2, 2, 1]
    assert [(item["before"], item["after"]) for page in read for item in page["items"]] == [
        ({"key": f"k{number}", "title": "before"}, {"key": f"k{number}", "title": "after"}) for number in range(5)
    ]
    assert {len(item["patch"]) for page in read for item in page["items"]} == {1}


@pytest.mark.parametrize("query", ["base_fields=title", "head_include=none", "fields=titel"])
def test_how_changes_are_shown_is_no_matter_of_a_side(client: httpx.Client, query: str) -> None:
    refused(client.get(f"/v1/diff?{query}"), 400, "invalid-parameter", query.partition("=")[0])
