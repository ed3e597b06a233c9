"""Histograms and facets, as a caller relies on them."""

from typing import Any

import httpx
import pytest

from tests.api.calls import KEYED, LIVE, PINNED, Document, get, make, refused, revise

HISTOGRAM, FACETS = "/v1/events/histogram", "/v1/events/facets"
NAMES = ("actor", "source", "publisher", "tag", "kind", "country", "standing")


def histogram(client: httpx.Client, **params: Any) -> Document:
    return get(client, HISTOGRAM, **params)


def buckets(client: httpx.Client, **params: Any) -> list[tuple[str, int, int]]:
    """The first day of each bucket, and its two numbers."""
    return [(each["start"], each["count"], each["certain"]) for each in histogram(client, **params)["buckets"]]


def facet(client: httpx.Client, name: str, **params: Any) -> list[tuple[str, int]]:
    return [(each["value"], each["count"]) for each in get(client, FACETS, facet=name, **params)[name]]


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    make(writer, "collections", slug=unique)
    return unique


def dated(writer: httpx.Client, home: str, *dates: str | None) -> None:
    for date in dates:
        make(writer, "events", collection=home, occurred=date)


def test_an_event_counts_wherever_its_date_reaches(client: httpx.Client, writer: httpx.Client, home: str) -> None:
    dated(writer, home, "1999-06-10", "1999", "1998/2001", "2000-12-31/..", None)
    answer = histogram(client, collection=home, interval="year")
    assert answer == {
        "interval": "year",
        "step": 1,
        "on": "occurred",
        "buckets": [
            {"start": "1998-01-01", "end": "1998-12-31", "count": 1, "certain": 0},
            {"start": "1999-01-01", "end": "1999-12-31", "count": 3, "certain": 2},
            {"start": "2000-01-01", "end": "2000-12-31", "count": 2, "certain": 0},
            {"start": "2001-01-01", "end": "2001-12-31", "count": 2, "certain": 0},
        ],
        "undated": 1,
        "matching": 5,
        "approximate": False,
        "margin": 0,
        "revision": answer["revision"],
    }


def test_buckets_stay_in_the_window(client: httpx.Client, writer: httpx.Client, home: str) -> None:
    dated(writer, home, "1990/2010", "1999-06", "2003")
    assert buckets(client, collection=home, interval="year", from_="1999", to="2001") == [
        ("1999-01-01", 2, 1),
        ("2000-01-01", 1, 0),
        ("2001-01-01", 1, 0),
    ]
    # The window is wider than what there is, and makes no bucket of its own.
    assert buckets(client, collection=home, interval="decade", from_="0001", to="9999") == [
        ("1990-01-01", 2, 1),
        ("2000-01-01", 2, 1),
        ("2010-01-01", 1, 0),
    ]
    assert buckets(client, collection=home, interval="year", match="certain", from_="1999", to="2003") == [
        ("1999-01-01", 1, 1),
        ("2000-01-01", 0, 0),
        ("2001-01-01", 0, 0),
        ("2002-01-01", 0, 0),
        ("2003-01-01", 1, 1),
    ]


def test_an_open_end_makes_no_buckets(client: httpx.Client, writer: httpx.Client, home: str) -> None:
    dated(writer, home, "1999/..", "../1950", "../..")
    assert buckets(client, collection=home, interval="year")[0] == ("1950-01-01", 2, 0)
    assert buckets(client, collection=home, interval="year")[-1] == ("1999-01-01", 2, 0)
    assert buckets(client, collection=home, interval="year", from_="2005") == [("2005-01-01", 2, 0)]


def test_what_has_no_bound_at_all_is_told_and_in_no_bucket(
    client: httpx.Client, writer: httpx.Client, home: str
) -> None:
    dated(writer, home, "../..", None)
    answer = histogram(client, collection=home)
    assert (answer["buckets"], answer["undated"], answer["matching"]) == ([], 1, 2)
    assert buckets(client, collection=home, interval="year", from_="2005", to="2006") == [
        ("2005-01-01", 1, 0),
        ("2006-01-01", 1, 0),
    ]
    assert histogram(client, collection=home, kind="nothing")["matching"] == 0


@pytest.mark.parametrize(
    ("dates", "interval", "step", "first", "last"),
    [
        (("2025-02-19", "2025-02-20"), "day", 1, "2025-02-19", "2025-02-20"),
        (("2024-02-19", "2025-02-20"), "week", 1, "2024-02-19", "2025-02-17"),
        (("1926-01-01", "2025-02-20"), "year", 1, "1926-01-01", "2025-01-01"),
        (("-0043-03-15", "2025-02-20"), "century", 1, "-0100-01-01", "2000-01-01"),
        (("Y-13800000000", "2025-02-20"), "millennium", 200_000, "-13800000000-01-01", "0000-01-01"),
        (("Y-200000000000", "Y200000000000"), "millennium", 5_000_000, "-200000000000-01-01", "+200000000000-01-01"),
    ],
)
def test_auto_finds_an_interval_for_every_stretch(
    client: httpx.Client,
    writer: httpx.Client,
    home: str,
    dates: tuple[str, str],
    interval: str,
    step: int,
    first: str,
    last: str,
) -> None:
    dated(writer, home, *dates)
    answer = histogram(client, collection=home)
    assert (answer["interval"], answer["step"]) == (interval, step)
    assert len(answer["buckets"]) <= 100
    assert (answer["buckets"][0]["start"], answer["buckets"][-1]["start"]) == (first, last)
    assert sum(bucket["certain"] for bucket in answer["buckets"]) == 2


def test_an_interval_that_needs_too_many_buckets_is_refused(
    client: httpx.Client, writer: httpx.Client, home: str
) -> None:
    dated(writer, home, "1000-01-01", "1999-12-31")
    assert len(buckets(client, collection=home, interval="year")) == 1_000
    dated(writer, home, "2000-01-01")
    answer = client.get(HISTOGRAM, params={"collection": home, "interval": "year"})
    (fault,) = refused(answer, 400, "refused-parameter", "interval")["errors"]
    assert fault["detail"].startswith("year needs 1,001 buckets, from 1000-01-01 to 2000-01-01")
    assert len(buckets(client, collection=home, interval="year", from_="1990")) == 2


def test_by_publication_an_event_counts_once_in_each_bucket(
    client: httpx.Client, writer: httpx.Client, home: str
) -> None:
    for name, published in (("a", "2025-02-19"), ("b", "2025-02-20"), ("c", "2025-02"), ("d", None)):
        make(writer, "sources", slug=f"{home}-{name}", published=published)
    for names in ("ab", "aac", "d", ""):
        claims = [{"source": f"{home}-{name}", "locator": str(place)} for place, name in enumerate(names)]
        make(writer, "events", collection=home, occurred="1999", claims=claims)
    params = {"collection": home, "on": "published", "published_from": "2025-02-18", "published_to": "2025-02-21"}
    assert buckets(client, interval="day", **params) == [
        ("2025-02-18", 1, 0),
        ("2025-02-19", 2, 2),
        ("2025-02-20", 2, 1),
        ("2025-02-21", 1, 0),
    ]
    answer = histogram(client, collection=home, on="published", interval="month")
    assert [tuple(each.values()) for each in answer["buckets"]] == [("2025-02-01", "2025-02-28", 2, 2)]
    assert (answer["undated"], answer["matching"]) == (2, 4)
    # What was not yet made public is not seen.
    known = histogram(
        client, collection=home, on="published", interval="day", known_at="2025-02-19", source=f"{home}-b"
    )
    assert known["matching"] == 0
    known = histogram(
        client, collection=home, on="published", interval="day", known_at="2025-02-19", source=f"{home}-a"
    )
    assert {(each["start"], each["count"]) for each in known["buckets"]} >= {("2025-02-19", 2), ("2025-02-20", 1)}


def test_by_recording_the_version_read_counts(client: httpx.Client, writer: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home)
    answer = histogram(client, collection=home, on="recorded", interval="day")
    day = event["recorded"][:10]
    assert [tuple(each.values()) for each in answer["buckets"]] == [(day, day, 1, 1)]
    assert answer["undated"] == 0
    assert histogram(client, collection=home, on="recorded", recorded_to="2000-01-01T00:00:00Z")["buckets"] == []


def test_counts_follow_the_lenses_and_stay_at_a_revision(client: httpx.Client, writer: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home, occurred="1999", tags=["first"])
    later = revise(writer, "events", event, occurred="2008", tags=["second"])
    for revision, year, tag in ((event["revision"], "1999", "first"), (later["revision"], "2008", "second")):
        assert buckets(client, collection=home, interval="year", revision=revision) == [(f"{year}-01-01", 1, 1)]
        assert facet(client, "tag", collection=home, revision=revision) == [(tag, 1)]
        assert get(client, FACETS, collection=home, revision=revision)["revision"] == revision


def test_facets_are_whole_and_in_order(client: httpx.Client, writer: httpx.Client, home: str) -> None:
    make(writer, "actors", slug=f"{home}-paper")
    make(writer, "sources", slug=f"{home}-article", publisher=f"{home}-paper")
    place = {"name": "Pristina", "country": "XK"}
    claims = [{"source": f"{home}-article"}, {"source": f"{home}-article", "stance": "denies", "locator": "2"}]
    make(writer, "events", collection=home, kind="visit", tags=["a", "b"], places=[place, place], claims=claims)
    make(writer, "events", collection=home, tags=["b", "c"], actors=[{"actor": f"{home}-paper", "role": "host"}])
    answer = get(client, FACETS, collection=home)
    expected = {
        "actor": [(f"{home}-paper", 1)],
        "source": [(f"{home}-article", 1)],
        "publisher": [(f"{home}-paper", 1)],
        "tag": [("b", 2), ("a", 1), ("c", 1)],
        "kind": [("visit", 1)],
        "country": [("XK", 1)],
        "standing": [("denied", 1), ("unsourced", 1)],
    }
    assert {name: [tuple(each.values()) for each in answer[name]] for name in NAMES} == expected
    rest = {"matching": 2, "approximate": False, "margin": 0, "revision": answer["revision"]}
    assert {name: value for name, value in answer.items() if name not in NAMES} == rest
    some = get(client, FACETS, collection=home, facet=["tag", "kind"], facet_limit=1)
    assert some["tag"] == [{"value": "b", "count": 2}]
    assert [name for name in NAMES if some[name] is None] == ["actor", "source", "publisher", "country", "standing"]


def test_a_value_counts_in_the_claim_and_the_participation_that_are_asked_for(
    client: httpx.Client, writer: httpx.Client, home: str
) -> None:
    for name in ("a", "b"):
        make(writer, "actors", slug=f"{home}-{name}")
        make(writer, "sources", slug=f"{home}-{name}", publisher=f"{home}-{name}")
    make(
        writer,
        "events",
        collection=home,
        actors=[{"actor": f"{home}-a", "role": "host"}, {"actor": f"{home}-b", "role": "guest"}],
        claims=[{"source": f"{home}-a"}, {"source": f"{home}-b", "stance": "denies"}],
    )
    for name in ("actor", "source", "publisher"):
        assert facet(client, name, collection=home) == [(f"{home}-a", 1), (f"{home}-b", 1)]
    assert facet(client, "actor", collection=home, role="guest") == [(f"{home}-b", 1)]
    assert facet(client, "source", collection=home, stance="denies") == [(f"{home}-b", 1)]
    assert facet(client, "publisher", collection=home, stance="asserts") == [(f"{home}-a", 1)]
    # What is asked of a facet's own parameter does not narrow it: these are what it could be widened to.
    assert facet(client, "source", collection=home, source=f"{home}-a") == [(f"{home}-a", 1), (f"{home}-b", 1)]


def test_merged_actors_count_once_under_the_one_they_stand_for(
    client: httpx.Client, writer: httpx.Client, home: str
) -> None:
    for name in ("a", "b", "c"):
        make(writer, "actors", slug=f"{home}-{name}")
    for names in ("ab", "b", "a"):
        make(writer, "events", collection=home, actors=[{"actor": f"{home}-{name}"} for name in names])
    merged = writer.post(f"/v1/actors/{home}-a/merge", json={"into": f"{home}-b"})
    assert facet(client, "actor", collection=home) == [(f"{home}-b", 3)]
    before = int(merged.headers["Revision"]) - 1
    assert facet(client, "actor", collection=home, revision=before) == [(f"{home}-a", 2), (f"{home}-b", 2)]
    # Whom no event ever named, some stand for all the same.
    writer.post(f"/v1/actors/{home}-b/merge", json={"into": f"{home}-c"}).raise_for_status()
    assert facet(client, "actor", collection=home) == [(f"{home}-c", 3)]
    assert facet(client, "actor", collection=home, kind="none") == []


def test_a_timeline_is_counted_with_its_pins(client: httpx.Client, writer: httpx.Client, home: str) -> None:
    first = make(writer, "events", collection=home, occurred="1999", kind="visit")
    second = make(writer, "events", collection=home, occurred="2001")
    third = make(writer, "events", collection=home, occurred="2000", kind="visit")
    selection = {"collection": home, "kind": "visit"}
    make(writer, "timelines", slug=home, selection=selection, include=[second["id"]], exclude=[third["id"]])
    assert buckets(client, timeline=home, interval="year") == [
        ("1999-01-01", 1, 1),
        ("2000-01-01", 0, 0),
        ("2001-01-01", 1, 1),
    ]
    assert facet(client, "kind", timeline=home) == [("visit", 1)]
    assert first["kind"] == "visit"
    for path in (HISTOGRAM, FACETS):
        refused(client.get(path, params={"timeline": f"{home}-nobody"}), 404, "not-found", "timeline")


def test_what_is_hidden_counts_nowhere(client: httpx.Client, writer: httpx.Client, home: str) -> None:
    hidden, unlisted = f"{home}-hidden", f"{home}-unlisted"
    make(writer, "collections", slug=hidden, visibility="private")
    make(writer, "collections", slug=unlisted, visibility="unlisted")
    for slug in (home, hidden, unlisted):
        make(writer, "events", collection=slug, occurred="1999", tags=[home], kind=slug)
    assert facet(client, "kind", tag=home) == [(home, 1)]
    assert facet(writer, "kind", tag=home) == [(home, 1), (hidden, 1)]
    assert facet(client, "kind", tag=home, collection=[home, hidden, unlisted]) == [(home, 1), (unlisted, 1)]
    assert buckets(client, tag=home, interval="year") == [("1999-01-01", 1, 1)]
    assert buckets(writer, tag=home, interval="year") == [("1999-01-01", 2, 2)]


@pytest.mark.parametrize("path", [HISTOGRAM, FACETS])
@pytest.mark.parametrize("name", ["cursor", "limit", "order", "fields", "include"])
def test_what_shapes_a_page_is_no_parameter_of_a_count(client: httpx.Client, path: str, name: str) -> None:
    value = {"limit": "1", "order": "asc", "fields": "id", "include": "none"}.get(name, "abc")
    problem = refused(client.get(path, params={name: value}), 400, "invalid-parameter", name)
    assert problem["errors"][0]["detail"].startswith("unknown parameter")


@pytest.mark.parametrize(
    ("path", "query", "detail"),
    [
        (HISTOGRAM, {"interval": "years"}, "'years' is not one of auto, day, week,"),
        (HISTOGRAM, {"on": "known"}, "'known' is not one of occurred, published, recorded"),
        (HISTOGRAM, {"facet": "tag"}, "unknown parameter"),
        (FACETS, {"facet": "tags"}, "'tags' is not one of actor, source,"),
        (FACETS, {"facet_limit": "501"}, "'501' is not between 1 and 500"),
        (FACETS, {"interval": "day"}, "unknown parameter"),
        (FACETS, {"revision": "999999999"}, "the newest revision is"),
    ],
)
def test_what_cannot_be_read_is_refused(client: httpx.Client, path: str, query: dict[str, str], detail: str) -> None:
    response = client.get(path, params=query)
    assert response.status_code == 400
    (fault,) = response.json()["errors"]
    assert fault["parameter"] in query
    assert fault["detail"].startswith(detail)


@pytest.mark.parametrize("path", [HISTOGRAM, FACETS])
def test_counts_are_kept_as_listings_are(client: httpx.Client, writer: httpx.Client, home: str, path: str) -> None:
    event = make(writer, "events", collection=home, occurred="1999")
    first = client.get(path, params={"collection": home})
    assert first.headers["Cache-Control"] == LIVE
    held = {"If-None-Match": first.headers["ETag"]}
    revision = {"collection": home, "revision": event["revision"]}
    assert client.get(path, params=revision).headers["Cache-Control"] == PINNED
    assert writer.get(path, params=revision).headers["Cache-Control"] == KEYED
    assert client.get(path, params={"collection": home}, headers=held).status_code == 304
    make(writer, "events", collection=home, occurred="2000")
    assert client.get(path, params={"collection": home}, headers=held).status_code == 200


def test_the_dossier_shows_what_was_known_when(reader: httpx.Client) -> None:
    """The stops at which a reader travelling through what was known sees something new."""
    days = buckets(reader, on="published", interval="day", published_from="2025-02-19", published_to="2025-02-20")
    assert [(day, certain > 0) for day, _, certain in days] == [("2025-02-19", True), ("2025-02-20", True)]
    assert facet(reader, "standing", known_at="2025-02-19", key="us-troop-withdrawal") == [("reported", 1)]
    assert facet(reader, "standing", known_at="2025-02-20", key="us-troop-withdrawal") == [("contested", 1)]
