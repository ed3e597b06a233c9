"""Filters, windows, order, paging and timelines: which events a selection lists, and in what order."""

import random
import secrets
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest

from tests.api.calls import Document, address, get, head_of, listed, make, pages, refused, remove, revise
from tests.conftest import Live


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    """A collection of the test's own; its slug begins every other."""
    make(writer, "collections", slug=unique)
    return unique


def dated(writer: httpx.Client, home: str, *dates: str | None) -> dict[str | None, Document]:
    """Events of these dates, each with its date as title, made in no order."""
    mixed = list(dates)
    random.Random(5).shuffle(mixed)
    return {date: make(writer, "events", collection=home, title=date or "undated", occurred=date) for date in mixed}


# --- Order


def test_events_come_by_lower_then_upper_bound_then_id(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    dates = [
        "../..", "/1999", "../2000", "Y-200000000000", "-0043", "0000", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z",
        "1970-01-01", "1999-01-01", "1999-01", "1999", "199X-12-31/2005", "1999-01-01/..", "2025-02-19",
        "2025-02-19T00:00:01Z", "Y200000000000",
    ]  # fmt: skip
    # A decade's first day is its lower bound.
    dates.insert(9, dates.pop(dates.index("199X-12-31/2005")))
    # `../..` begins with all that are open and ends after them.
    order = ["/1999", "../2000", "../..", *dates[3:]]
    dated(writer, home, *dates)
    twins = [make(writer, "events", collection=home, title=f"twin {letter}", occurred="1985") for letter in "ab"]
    undated = [make(writer, "events", collection=home, title=f"undated {letter}") for letter in "ab"]
    place = order.index("199X-12-31/2005")
    expected = [*order[:place], "twin a", "twin b", *order[place:]]
    assert listed(client, collection=home) == [*expected, "undated a", "undated b"]
    assert listed(client, collection=home, order="asc") == [*expected, "undated a", "undated b"]
    # The exact reverse, but for those without a date: they follow in both, by id.
    assert listed(client, collection=home, order="desc") == [*expected[::-1], "undated a", "undated b"]
    assert [each["id"] for each in (*twins, *undated)] == sorted(each["id"] for each in (*twins, *undated))


# --- Windows

SPANS = ["1998", "1998-12-31T23:59:59Z", "1998/1999", "1999-06", "1999-12-31", "1999/2000", "2000-01-01", "1998/2001",
         "../1998", "../1999-06", "1999/..", "1998/..", "2000-06/..", "../..", "/2005", "199X"]  # fmt: skip


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        # The whole span of each end counts.
        ({"from_": "1999", "to": "1999"},
         ["1998/1999", "1999-06", "1999-12-31", "1999/2000", "1998/2001", "../1999-06", "1999/..", "1998/..", "../..",
          "/2005", "199X"]),
        ({"from_": "1999", "to": "1999", "match": "certain"}, ["1999-06", "1999-12-31"]),
        ({"to": "1998"},
         ["1998", "1998-12-31T23:59:59Z", "1998/1999", "1998/2001", "../1998", "../1999-06", "1998/..", "../..",
          "/2005", "199X"]),
        ({"to": "1998", "match": "certain"}, ["1998", "1998-12-31T23:59:59Z", "../1998"]),
        ({"from_": "2000"},
         ["1999/2000", "2000-01-01", "1998/2001", "1999/..", "1998/..", "2000-06/..", "../..", "/2005"]),
        ({"from_": "2000", "match": "certain"}, ["2000-01-01", "2000-06/.."]),
        ({"from_": "1999-12-31T23:59:59Z", "to": "1999-12-31T23:59:59Z"},
         ["1998/1999", "1999-12-31", "1999/2000", "1998/2001", "1999/..", "1998/..", "../..", "/2005", "199X"]),
        ({"from_": "2000-01-01T00:00:00Z", "to": "2000-01-01T00:00:00Z"},
         ["1999/2000", "2000-01-01", "1998/2001", "1999/..", "1998/..", "../..", "/2005"]),
        ({"from_": "1998-12-31T23:59:59", "to": "1998-12-31T23:59:59", "match": "certain"}, ["1998-12-31T23:59:59Z"]),
        ({"from_": "199X", "to": "199X", "match": "certain"},
         ["1998", "1998-12-31T23:59:59Z", "1998/1999", "1999-06", "1999-12-31", "199X"]),
        ({"from_": "1999-06", "to": "1999"},
         ["1998/1999", "1999-06", "1999-12-31", "1999/2000", "1998/2001", "../1999-06", "1999/..", "1998/..", "../..",
          "/2005", "199X"]),
        ({"match": "certain"}, SPANS),
        ({"from_": "2010"}, ["1999/..", "1998/..", "2000-06/..", "../.."]),
        ({"to": "-0500"}, ["../1998", "../1999-06", "../..", "/2005"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_window_holds_what_may_or_must_lie_in_it(
    spans_home: str, client: httpx.Client, window: Document, expected: list[str], order: str
) -> None:
    shown = listed(client, collection=spans_home, order=order, **window)
    assert sorted(set(shown) - {"undated"}) == sorted(expected)
    # Without a window come the undated too, with one they do not.
    assert ("undated" in shown) == (not set(window) & {"from_", "to"})
    assert len(shown) == len(set(shown))
    both = {"undated": "include"} | window
    assert listed(client, collection=spans_home, order=order, **both)[-1] == "undated"
    assert listed(client, collection=spans_home, order=order, undated="only", **window) == ["undated"]
    assert "undated" not in listed(client, collection=spans_home, order=order, undated="exclude", **window)


@pytest.fixture(scope="module")
def spans_home(live: Live) -> str:
    with httpx.Client(base_url=live.base_url, headers={"Authorization": f"Bearer {live.key}"}) as writer:
        make(writer, "collections", slug="window-spans")
        dated(writer, "window-spans", *SPANS, None)
    return "window-spans"


@pytest.mark.parametrize(
    ("query", "kind", "where"),
    [
        ("from=1999/2000", "refused-parameter", "from"), ("to=[1999,2000]", "refused-parameter", "to"),
        ("from=../2000", "refused-parameter", "from"), ("from=2025-02-30", "refused-parameter", "from"),
        ("to=soon", "refused-parameter", "to"), ("from=2009&to=2008", "refused-parameter", "from"),
        ("from=2008-06-02&to=2008-06-01", "refused-parameter", "from"),
        ("known_at=1999/2000", "refused-parameter", "known_at"),
        ("from=", "invalid-parameter", "from"), ("match=maybe", "invalid-parameter", "match"),
        ("undated=yes", "invalid-parameter", "undated"), ("order=up", "invalid-parameter", "order"),
        ("limit=501", "invalid-parameter", "limit"), ("limit=0", "invalid-parameter", "limit"),
        ("limit=1.0", "invalid-parameter", "limit"), ("actor=Nato", "invalid-parameter", "actor"),
        ("phase=happend", "invalid-parameter", "phase"), ("id=1", "invalid-parameter", "id"),
        ("tag=%20a", "invalid-parameter", "tag"), ("include=all", "invalid-parameter", "include"),
        ("revision=one", "invalid-parameter", "revision"), ("as_of=2025-01-01", "invalid-parameter", "as_of"),
        ("as_of=2025-02-30T00:00:00Z", "refused-parameter", "as_of"),
        ("from=1999&from=2000", "invalid-parameter", "from"), ("order=asc&order=asc", "invalid-parameter", "order"),
        ("timeline=a&timeline=b", "invalid-parameter", "timeline"),
        ("match=certain&match=possible", "invalid-parameter", "match"), ("q=%22open", "refused-parameter", "q"),
    ],
)  # fmt: skip
def test_a_parameter_that_cannot_be_read_is_named(client: httpx.Client, query: str, kind: str, where: str) -> None:
    refused(client.get(f"/v1/events?{query}"), 400, kind, where)


def test_an_unknown_parameter_names_the_nearest(client: httpx.Client) -> None:
    problem = refused(client.get("/v1/events?actr=a&knownat=2025&zzzzz=1&TAG=a&tag=a"), 400, "invalid-parameter",
                      "actr", "knownat", "zzzzz", "TAG")  # fmt: skip
    details = [fault["detail"] for fault in problem["errors"]]
    assert "did you mean actor?" in details[0]
    assert "did you mean known_at?" in details[1]
    assert "did you mean" not in details[2]
    assert "did you mean tag?" in details[3]
    # What belongs to a later read is not here yet, and is not passed over.
    for name in ("on", "interval"):
        refused(client.get("/v1/events", params={name: "1"}), 400, "invalid-parameter", name)


# --- Filters


@pytest.fixture(scope="module")
def cast(live: Live) -> str:
    """The slug of a collection of six events which every filter can tell apart."""
    home = f"t{secrets.token_hex(6)}"
    with httpx.Client(base_url=live.base_url, headers={"Authorization": f"Bearer {live.key}"}) as writer:
        _make_cast(writer, home)
    return home


def _make_cast(writer: httpx.Client, home: str) -> None:
    make(writer, "collections", slug=home)
    for name in ("nato", "kfor", "us"):
        make(writer, "actors", slug=f"{home}-{name}")
        make(writer, "sources", slug=f"{home}-{name}")

    def event(title: str, actors: str = "", sources: str = "", **rest: Any) -> None:
        parts = [{"actor": f"{home}-{name}"} for name in actors.split()]
        claims = [{"source": f"{home}-{name}"} for name in sources.split()]
        make(writer, "events", collection=home, title=title, key=f"key {title}", actors=parts, claims=claims, **rest)

    event("1", "nato", "nato", occurred="2001", tags=["a"], kind="visit")
    event("2", "nato kfor", "nato kfor", occurred="2002", tags=["a", "b"], kind="attack", phase="expected")
    event("3", "kfor", "us", occurred="2003", tags=["b", "c"], kind="visit", phase="cancelled")
    event("4", "us kfor nato", "", occurred="2004", tags=["a", "b", "c"])
    event("5", "", "kfor", occurred="2005", phase="not_happened")
    event("6", "us", "us", phase="hypothetical")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"actor": "nato"}, "124"), ({"actor": ["nato", "us"]}, "1246"),
        ({"actor": ["nato", "us"], "actor_match": "any"}, "1246"),
        ({"actor": ["nato", "kfor"], "actor_match": "all"}, "24"),
        ({"actor": ["nato", "kfor", "us"], "actor_match": "all"}, "4"), ({"actor": ["nato", "nobody"]}, "124"),
        ({"actor": ["nato", "nobody"], "actor_match": "all"}, ""), ({"actor": "nobody"}, ""),
        ({"source": "kfor"}, "25"), ({"source": ["kfor", "us"]}, "2356"), ({"source": "nobody"}, ""),
        ({"tag": "a"}, "124"), ({"tag": ["a", "c"]}, "1234"), ({"tag": ["b", "c"], "tag_match": "all"}, "34"),
        ({"tag": "A"}, ""), ({"kind": "visit"}, "13"), ({"kind": ["visit", "attack"]}, "123"),
        ({"phase": "happened"}, "14"), ({"phase": ["expected", "cancelled", "not_happened", "hypothetical"]}, "2356"),
        ({"key": "key 3"}, "3"), ({"key": ["key 5", "key 1", "key 9"]}, "15"), ({"key": "key"}, ""),
        ({"actor": "nato", "tag": "b"}, "24"), ({"actor": "nato", "tag": "b", "kind": "attack"}, "2"),
        ({"actor": ["nato", "us"], "source": "us"}, "6"), ({"key": ["key 1", "key 2"], "tag": "b"}, "2"),
        ({"actor": "nato", "from_": "2002", "to": "2003"}, "2"), ({"actor": "us", "undated": "only"}, "6"),
        ({"actor": "us", "undated": "exclude"}, "4"), ({"from_": "2004", "undated": "include"}, "456"),
        # More groups than the index checks by itself.
        ({"tag": ["a", "b", "c"], "tag_match": "all", "actor": ["nato", "us", "kfor"], "actor_match": "all"}, "4"),
        ({"tag": ["a", "b"], "tag_match": "all", "actor": ["nato", "kfor"], "actor_match": "all", "kind": "attack",
          "phase": "expected", "source": "nato"}, "2"),
        ({"tag": ["a", "b"], "tag_match": "all", "actor": ["nato", "kfor"], "actor_match": "all", "kind": "attack",
          "phase": "happened", "source": "nato"}, ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_repeats_are_or_and_different_parameters_and(
    cast: str, client: httpx.Client, filters: Document, expected: str, order: str
) -> None:
    own = {
        name: [f"{cast}-{each}" for each in ([value] if isinstance(value, str) else value)]
        if name in ("actor", "source")
        else value
        for name, value in filters.items()
    }
    undated = "6" if expected.endswith("6") else ""
    right = expected if order == "asc" else expected.removesuffix("6")[::-1] + undated
    assert "".join(listed(client, collection=cast, order=order, **own)) == right
    # At the revision that is the head, and page by page, it is the same.
    assert "".join(listed(client, collection=cast, order=order, revision=head_of(client), **own)) == right
    read = pages(client, "/v1/events", collection=cast, order=order, limit=1, **own)
    assert "".join(event["title"] for page in read for event in page["items"]) == right


def test_collections_and_ids(cast: str, writer: httpx.Client, client: httpx.Client) -> None:
    make(writer, "collections", slug=f"{cast}-2")
    other = make(writer, "events", collection=f"{cast}-2", title="other", key="key 1", occurred="1999")
    assert listed(client, collection=[cast, f"{cast}-2"], to="2002") == ["other", "1", "2"]
    assert listed(client, collection=f"{cast}-nowhere") == []
    # The same key in each collection asked for.
    assert listed(client, collection=[cast, f"{cast}-2"], key="key 1") == ["other", "1"]
    first = get(client, "/v1/events", collection=cast, key="key 1")["items"][0]
    nowhere = "0199cdef-0000-7000-8000-000000000000"
    assert listed(client, id=[first["id"], other["id"], nowhere]) == ["other", "1"]
    assert listed(client, id=[first["id"], other["id"]], collection=cast) == ["1"]
    assert listed(client, id=[first["id"], other["id"]], key="key 1", order="desc") == ["1", "other"]
    assert listed(client, id=first["id"], key="key 2") == []


def test_repeats_are_bounded(client: httpx.Client) -> None:
    assert client.get("/v1/events", params={"tag": [str(number) for number in range(100)]}).status_code == 200
    answer = client.get("/v1/events", params={"tag": [str(number) for number in range(101)]})
    refused(answer, 400, "invalid-parameter", "tag")


def test_unlisted_is_readable_by_name_and_private_by_key(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    collections = [make(writer, "collections", slug=f"{home}-{name}") for name in ("u", "p")]
    for name in ("u", "p"):
        make(writer, "actors", slug=f"{home}-{name}")
        make(writer, "sources", slug=f"{home}-{name}", publisher=f"{home}-{name}")
    unlisted, private = (
        make(
            writer,
            "events",
            collection=each["slug"],
            title=each["slug"],
            tags=[home],
            key="k",
            actors=[{"actor": each["slug"]}],
            claims=[{"source": each["slug"]}] if each["slug"].endswith("-p") else [],
        )
        for each in collections
    )
    make(writer, "events", collection=home, title=home, tags=[home])
    make(writer, "timelines", slug=f"{home}-u", selection={"collection": f"{home}-u"})
    make(writer, "timelines", slug=f"{home}-pin", selection={"tag": home}, include=[unlisted["id"], private["id"]])
    revise(writer, "collections", collections[0], visibility="unlisted")
    revise(writer, "collections", collections[1], visibility="private")
    # In no list that does not name it.
    assert listed(client, tag=home) == [home]
    assert listed(writer, tag=home) == [f"{home}-p", home]
    # By its slug, an id, its own timeline.
    assert listed(client, collection=[f"{home}-u", home]) == [f"{home}-u", home]
    assert listed(client, id=unlisted["id"]) == [f"{home}-u"]
    assert listed(client, timeline=f"{home}-u") == [f"{home}-u"]
    assert listed(client, timeline=f"{home}-pin") == [f"{home}-u", home]
    assert client.get(address("events", unlisted)).is_success
    # A key alone does not name a collection.
    assert listed(client, key="k", tag=home) == []
    # What is private is nowhere to whom has no key, at no revision; and is there to whom has.
    for asked in (
        {"collection": f"{home}-p"},
        {"id": private["id"]},
        {"id": private["id"], "revision": private["revision"]},
    ):
        assert listed(client, **asked) == []
        assert listed(writer, **asked) == [f"{home}-p"]
    assert listed(writer, timeline=f"{home}-pin") == [f"{home}-u", f"{home}-p", home]
    # Nor does what only it names come along.
    names = get(client, "/v1/events", timeline=f"{home}-pin")["included"]
    assert (list(names["actors"]), list(names["sources"])) == ([f"{home}-u"], [])
    names = get(writer, "/v1/events", timeline=f"{home}-pin")["included"]
    assert (list(names["actors"]), list(names["sources"])) == ([f"{home}-p", f"{home}-u"], [f"{home}-p"])


# --- Paging


def test_pages_together_are_the_listing_whatever_is_written_meanwhile(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    dates: list[str | None] = [f"20{number:02}" for number in range(12)] + [None, None, None]
    events = [
        make(writer, "events", collection=home, title=str(number), occurred=date) for number, date in enumerate(dates)
    ]
    for order in ("asc", "desc"):
        whole = get(client, "/v1/events", collection=home, order=order)
        assert whole["next"] is None
        page = get(client, "/v1/events", collection=home, order=order, limit=4)
        shown = list(page["items"])
        number = 0
        while page["next"] is not None:
            # Dates move across the cursor, and events come and go.
            revise(writer, "events", events[number], occurred="2030" if number % 2 else "1990")
            make(writer, "events", collection=home, title=f"new {order} {number}", occurred="2005-06")
            number += 1
            page = client.get(page["next"]).json()
            assert len(page["items"]) == min(4, 15 - len(shown))
            shown += page["items"]
            assert page["revision"] == whole["revision"]
        assert shown == whole["items"]
        for event in get(client, "/v1/events", collection=home)["items"]:
            if event["title"].startswith("new"):
                remove(writer, "events", event)
        for event, date in zip(events, dates, strict=True):
            revise(writer, "events", event, occurred=date)


def test_a_cursor_is_bound_to_everything_but_limit(cast: str, client: httpx.Client) -> None:
    first = get(client, "/v1/events", collection=cast, tag=["a", "b"], limit=1)
    query = {
        name: values[0] if len(values) == 1 else values
        for name, values in parse_qs(urlsplit(first["next"]).query).items()
    }
    assert query["limit"] == "1"

    def follow(path: str = "/v1/events", **changes: Any) -> httpx.Response:
        changed = {name: value for name, value in {**query, **changes}.items() if value is not None}
        return client.get(path, params=changed)

    assert [event["title"] for event in follow().json()["items"]] == ["2"]
    assert [event["title"] for event in follow(limit="2").json()["items"]] == ["2", "3"]
    # In what order the repeats stand is not another selection.
    assert [event["title"] for event in follow(tag=["b", "a"]).json()["items"]] == ["2"]
    others: list[Document] = [
        {"tag": ["a", "c"]}, {"tag": "a"}, {"collection": None}, {"order": "desc"}, {"known_at": "2025"},
        {"kind": "visit"},
        {"revision": str(first["revision"])}, {"include": "none"}, {"undated": "only"},
    ]  # fmt: skip
    for changes in others:
        refused(follow(**changes), 400, "refused-parameter", "cursor")
    refused(client.get("/v1/diff", params=query), 400, "refused-parameter", "cursor")
    for text in ("AAAA", "x", query["cursor"][:-4], query["cursor"][4:], query["cursor"] + "AAAA"):
        refused(follow(cursor=text), 400, "refused-parameter", "cursor")
    refused(follow(cursor=""), 400, "invalid-parameter", "cursor")
    refused(follow(cursor="a b"), 400, "invalid-parameter", "cursor")


def test_a_whole_next_is_a_cursor_that_brings_its_selection(cast: str, client: httpx.Client) -> None:
    first = get(client, "/v1/events", collection=cast, tag=["a", "b"], limit=1)

    def follow(cursor: str = first["next"], path: str = "/v1/events", **query: Any) -> httpx.Response:
        return client.get(path, params={"cursor": cursor, **query})

    assert follow().content == client.get(first["next"]).content
    assert follow(collection=cast).content == client.get(first["next"]).content
    assert [event["title"] for event in follow(limit="2").json()["items"]] == ["2", "3"]
    assert follow(follow().json()["next"]).json()["items"][0]["title"] == "3"
    bare = parse_qs(urlsplit(first["next"]).query)["cursor"][0]
    for answer in (
        follow(tag=["a"]),
        follow(path="/v1/actors"),
        follow(first["next"].replace("tag=a", "tag=c")),
        follow(first["next"].replace("cursor=", "cursr=")),
        follow(first["next"].replace(bare, "https://example.com/?cursor=1")),
        follow("https://example.com/%ff?cursor=%ff"),
        follow("http://[?cursor=1"),
    ):
        refused(answer, 400, "refused-parameter", "cursor")


@pytest.mark.parametrize(
    "path", ["/v1/actors", "/v1/sources", "/v1/revisions", "/v1/diff?base_revision=0", "/v1/events"]
)
def test_every_listing_goes_on_by_its_next_alone(path: str, cast: str, client: httpx.Client) -> None:
    first = client.get(path, params={"limit": 1} | dict(parse_qsl(urlsplit(path).query))).json()
    again = client.get(path.partition("?")[0], params={"cursor": first["next"]})
    assert again.status_code == 200
    assert again.content == client.get(first["next"]).content


def test_what_the_caller_may_see_is_checked_on_each_page(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    make(writer, "collections", slug=f"{home}-2")
    for year in range(2001, 2004):
        make(writer, "events", collection=home, title=f"{year}", occurred=str(year))
        make(writer, "events", collection=f"{home}-2", title=f"{year} b", occurred=f"{year}-06")
    page = get(client, "/v1/events", collection=[home, f"{home}-2"], limit=2)
    assert [event["title"] for event in page["items"]] == ["2001", "2001 b"]
    answer = writer.patch(f"/v1/collections/{home}-2", json={"visibility": "private"},
                          headers={"If-Match": "*", "Content-Type": "application/merge-patch+json"})  # fmt: skip
    assert answer.status_code == 200
    assert [event["title"] for event in client.get(page["next"]).json()["items"]] == ["2002", "2003"]


def test_an_address_of_next_stands_for_itself(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    """Whatever characters a parameter holds, the next page asks for the same."""
    tag = 'ü & = + % / ? # " , 時'
    for year in ("2001", "2002", "2003"):
        make(writer, "events", collection=home, title=year, occurred=year, tags=[tag])
    read = pages(client, "/v1/events", collection=home, tag=tag, limit=1)
    assert [event["title"] for page in read for event in page["items"]] == ["2001", "2002", "2003"]
    assert parse_qs(urlsplit(read[0]["next"]).query)["tag"] == [tag]
    assert urlencode({"tag": tag}) in read[0]["next"]


# --- Timelines


def test_a_timeline_is_its_selection_with_pins_without_exclusions(
    cast: str, writer: httpx.Client, client: httpx.Client
) -> None:
    ids = {event["title"]: event["id"] for event in get(client, "/v1/events", collection=cast)["items"]}

    def timeline(name: str, include: str = "", exclude: str = "", **selection: Any) -> str:
        slug = f"{cast}-{name}"
        pins = {"include": [ids[title] for title in include], "exclude": [ids[title] for title in exclude]}
        make(writer, "timelines", slug=slug, selection={"collection": cast, **selection}, **pins)
        return slug

    def shown(slug: str, **selection: Any) -> str:
        by_parameter = get(client, "/v1/events", timeline=slug, **selection)
        by_path = get(client, f"/v1/timelines/{slug}/events", **selection)
        assert by_path == by_parameter
        read = pages(client, f"/v1/timelines/{slug}/events", limit=1, **selection)
        assert [event for page in read for event in page["items"]] == by_path["items"]
        return "".join(event["title"] for event in by_path["items"])

    assert shown(timeline("all")) == "123456"
    assert shown(timeline("a", tag="a")) == "124"
    # ((selection ∪ include) − exclude): a pin needs no filter of the timeline's, an exclusion outdoes all.
    pinned = timeline("pins", tag="a", include="56", exclude="1")
    assert shown(pinned) == "2456"
    assert shown(timeline("both", tag="a", include="5", exclude="5")) == "124"
    # The request's own parameters choose among them, pins too.
    assert shown(pinned, to="2004") == "24"
    assert shown(pinned, actor=f"{cast}-us") == "46"
    assert shown(pinned, phase="not_happened") == "5"
    assert shown(pinned, id=[ids["1"], ids["3"], ids["5"]]) == "5"
    assert shown(pinned, key="key 6") == "6"
    assert shown(pinned, undated="only") == "6"
    assert shown(pinned, collection="main") == ""
    assert shown(timeline("window", **{"from": "2002", "to": "2003"}, include="6")) == "236"
    # A selection may name its events by key and id, and a request narrow it.
    assert shown(timeline("keys", key=["key 1", "key 2"], include="3")) == "123"
    assert shown(timeline("ids", id=[ids["4"], ids["5"]])) == "45"
    assert shown(f"{cast}-ids", tag="a") == "4"
    # All but the excluded, page by page, from the first on.
    assert shown(timeline("late", exclude="1234")) == "56"
    assert shown(timeline("last", exclude="12345")) == "6"
    # Pins only, where nothing else fits.
    assert shown(timeline("nothing", tag="nothing", include="31")) == "13"
    # Its order holds unless the request has one.
    backwards = timeline("desc", order="desc", include="6")
    assert shown(backwards) == "543216"
    assert shown(backwards, order="asc") == "123456"


def test_a_timeline_that_is_not_there(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    refused(client.get(f"/v1/timelines/{unique}/events"), 404, "not-found", "timeline")
    refused(client.get("/v1/events", params={"timeline": unique}), 404, "not-found", "timeline")
    timeline = make(writer, "timelines", slug=unique)
    deleted = remove(writer, "timelines", timeline)
    refused(client.get(f"/v1/timelines/{unique}/events"), 410, "gone", "timeline")
    assert client.get(f"/v1/timelines/{unique}/events", params={"revision": deleted - 1}).status_code == 200
    make(writer, "timelines", slug=f"{unique}-p", visibility="private")
    refused(client.get(f"/v1/timelines/{unique}-p/events"), 404, "not-found", "timeline")
    assert writer.get(f"/v1/timelines/{unique}-p/events").status_code == 200
    refused(client.get(f"/v1/timelines/{unique}/events?timeline=x"), 400, "invalid-parameter", "timeline")


def test_many_pins(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    """More exclusions than a page holds, spread over what is listed."""
    events = [
        make(writer, "events", collection=home, title=f"{number:02}", occurred=f"20{number:02}") for number in range(30)
    ]
    exclude = [event["id"] for number, event in enumerate(events) if number % 10 != 9]
    make(writer, "timelines", slug=home, selection={"collection": home}, exclude=exclude)
    assert listed(client, timeline=home) == ["09", "19", "29"]
    for limit in (1, 2, 3):
        read = pages(client, "/v1/events", timeline=home, limit=limit)
        assert [event["title"] for page in read for event in page["items"]] == ["09", "19", "29"]
    assert listed(client, timeline=home, order="desc", limit=1) == ["29"]
