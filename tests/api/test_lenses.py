"""Lenses: what had been recorded by then, and what was publicly known by then."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.api.calls import (
    LIVE,
    PINNED,
    UNSOURCED,
    Document,
    address,
    by_title,
    get,
    head_of,
    listed,
    make,
    pages,
    refused,
    remove,
    revise,
    without,
)
from tests.conftest import Live


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    """A collection of the test's own; its slug begins every other."""
    make(writer, "collections", slug=unique)
    return unique


def moved(recorded: str, milliseconds: int) -> str:
    """A recorded time, so much later."""
    instant = datetime.fromisoformat(recorded) + timedelta(milliseconds=milliseconds)
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


# --- What had been recorded


def test_every_revision_stays_as_it_was(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    actor = make(writer, "actors", slug=f"{home}-a", name="Before")
    source = make(writer, "sources", slug=f"{home}-s", published="2020", title="Before")
    then: list[tuple[Document, Document]] = []

    def remember() -> None:
        page = get(client, "/v1/events", collection=home)
        events = {event["id"]: get(client, f"/v1/events/{event['id']}") for event in page["items"]}
        then.append((page, events))

    first = make(writer, "events", collection=home, occurred="1999", actors=[{"actor": actor["slug"]}])
    remember()
    second = make(writer, "events", collection=home, occurred="1998", claims=[{"source": source["slug"]}])
    remember()
    revise(writer, "events", first, occurred="1997", title="Moved")
    remember()
    revise(writer, "actors", actor, name="After")
    remember()
    revise(writer, "sources", source, published="2021", title="After")
    remember()
    remove(writer, "events", first)
    remember()
    make(writer, "events", collection=home, title="Third")
    remember()
    assert len({page["revision"] for page, _ in then}) == len(then)
    log = {row["revision"]: row["recorded"] for row in get(client, "/v1/revisions", limit=20)["items"]}
    for page, events in then:
        revision, recorded = page["revision"], log[page["revision"]]
        assert get(client, "/v1/events", collection=home, revision=revision) == page
        assert get(client, "/v1/events", collection=home, as_of=recorded) == page
        # Until the next is recorded, and in any zone.
        assert get(client, "/v1/events", collection=home, as_of=recorded.replace("Z", "999Z")) == page
        assert get(client, "/v1/events", collection=home, as_of=recorded.replace("Z", "+00:00")) == page
        for id, event in events.items():
            assert get(client, f"/v1/events/{id}", revision=revision) == event
            assert get(client, f"/v1/events/{id}", as_of=recorded) == event
    # Names belong to the revision, too.
    assert then[1][0]["included"]["actors"][actor["slug"]] == actor
    assert then[1][0]["included"]["sources"][source["slug"]] == source
    assert then[4][0]["included"]["actors"][actor["slug"]]["name"] == "After"
    assert then[4][0]["items"][1]["claims"][0]["published"] == "2021"
    assert [event["id"] for event in then[5][0]["items"]] == [second["id"]]
    just_before = moved(log[then[2][0]["revision"]], -1)
    assert get(client, "/v1/events", collection=home, as_of=just_before)["revision"] < then[2][0]["revision"]


def test_recorded_rises_strictly(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    for number in range(20):
        make(writer, "events", collection=home, title=str(number))
    rows = get(client, "/v1/revisions", limit=20)["items"]
    assert [row["revision"] for row in rows] == list(range(rows[0]["revision"], rows[0]["revision"] - 20, -1))
    recorded = [row["recorded"] for row in rows]
    assert sorted(set(recorded), reverse=True) == recorded


def test_before_the_first_revision_there_is_nothing(client: httpx.Client) -> None:
    empty = {"items": [], "included": {"actors": {}, "sources": {}}, "next": None, "revision": 0}
    assert get(client, "/v1/events", revision=0) == empty
    assert get(client, "/v1/events", as_of="1970-01-01T00:00:00Z") == empty
    assert get(client, "/v1/events", as_of="0001-01-01T00:00:00Z") == empty
    for kind in ("actors", "sources", "collections", "timelines"):
        assert get(client, f"/v1/{kind}", revision=0) == without(empty, "included")


def test_what_is_still_to_come_is_refused(client: httpx.Client) -> None:
    head = head_of(client)
    for path in ("/v1/events", "/v1/actors", "/v1/timelines"):
        refused(client.get(path, params={"revision": head + 1}), 400, "refused-parameter", "revision")
        refused(client.get(path, params={"as_of": "9999-12-31T23:59:59Z"}), 400, "refused-parameter", "as_of")
        both = {"revision": head, "as_of": "2025-01-01T00:00:00Z"}
        refused(client.get(path, params=both), 400, "refused-parameter", "revision")
    event = client.get("/v1/events", params={"limit": 1}).json()["items"][0]["id"]
    refused(client.get(f"/v1/events/{event}", params={"revision": head + 1}), 400, "refused-parameter", "revision")
    for text in ("2025-02-20T25:00:00Z", "2025-02-20", "2025-02-20T09:14:03", "2025-02-20T09:14:60Z", "now"):
        refused(client.get("/v1/events", params={"as_of": text}), 400, "invalid-parameter", "as_of")


def test_an_instant_after_the_heads_is_live(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    """Until the next revision it reads the head; what a write records by then is seen by none who asked before."""
    event = make(writer, "events", collection=home)
    later = moved(event["recorded"], 2)
    while True:
        answer = client.get("/v1/events", params={"collection": home, "as_of": later})
        if answer.status_code == 200:
            break
        refused(answer, 400, "refused-parameter", "as_of")
    assert [each["id"] for each in answer.json()["items"]] == [event["id"]]
    assert answer.headers["Cache-Control"] == LIVE
    make(writer, "events", collection=home)
    pinned = client.get("/v1/events", params={"collection": home, "as_of": later})
    assert pinned.json() == answer.json()
    assert pinned.headers["Cache-Control"] == PINNED


# --- Timelines are read at the same revision


def test_a_timeline_is_read_at_the_revision(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    for tag in "abc":
        make(writer, "events", collection=home, title=tag, tags=[tag], occurred=f"199{ord(tag) % 10}")
    before = head_of(client)
    timeline = make(writer, "timelines", slug=home, selection={"collection": home, "tag": "a"})
    second = revise(writer, "timelines", timeline, selection={"tag": "b"})
    deleted = remove(writer, "timelines", timeline)
    again = make(writer, "timelines", slug=home, selection={"collection": home, "tag": "c"})
    assert listed(client, timeline=home) == ["c"]
    assert listed(client, timeline=home, revision=timeline["revision"]) == ["a"]
    assert listed(client, timeline=home, revision=second["revision"]) == ["b"]
    assert listed(client, timeline=home, as_of=second["recorded"]) == ["b"]
    refused(client.get("/v1/events", params={"timeline": home, "revision": deleted}), 410, "gone", "timeline")
    assert listed(client, timeline=home, revision=again["revision"]) == ["c"]
    # Before its creation its first definition applies, to what was there.
    assert listed(client, timeline=home, revision=before) == ["a"]
    assert listed(client, timeline=home, revision=timeline["revision"] - 4) == []


def test_a_timelines_lenses_are_defaults_that_the_request_replaces(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    early = make(writer, "sources", slug=f"{home}-early", published="2020")["slug"]
    late = make(writer, "sources", slug=f"{home}-late", published="2022")["slug"]
    first = make(writer, "events", collection=home, title="early", claims=[{"source": early}, {"source": late}])
    second = make(writer, "events", collection=home, title="late", claims=[{"source": late}])
    by_revision = {"collection": home, "revision": first["revision"]}
    make(writer, "timelines", slug=f"{home}-r", selection=by_revision)
    make(writer, "timelines", slug=f"{home}-t", selection={"collection": home, "as_of": first["recorded"]})
    make(writer, "timelines", slug=f"{home}-k", selection={"collection": home, "known_at": "2020"})
    make(writer, "timelines", slug=f"{home}-b", selection={**by_revision, "known_at": "2021"})
    head = head_of(client)

    def shown(name: str, **lenses: Any) -> tuple[list[str], int, int]:
        page = get(client, f"/v1/timelines/{home}-{name}/events", **lenses)
        claims = [len(event["claims"]) for event in page["items"]]
        return [event["title"] for event in page["items"]], sum(claims), page["revision"]

    assert shown("r") == shown("t") == (["early"], 2, first["revision"])
    assert shown("r", revision=head) == shown("t", revision=head) == (["early", "late"], 3, head)
    assert shown("r", as_of=second["recorded"]) == (["early", "late"], 3, second["revision"])
    assert shown("k") == (["early"], 1, head)
    assert shown("k", known_at="2022") == (["early", "late"], 3, head)
    # One lens leaves the other as the timeline has it.
    assert shown("b") == (["early"], 1, first["revision"])
    assert shown("b", known_at="2022") == (["early"], 2, first["revision"])
    assert shown("b", revision=head) == (["early"], 1, head)
    # A timeline pinned by its own lens is as cacheable as one by the request's.
    answer = client.get(f"/v1/timelines/{home}-k/events", params={"revision": head})
    assert answer.headers["Cache-Control"] == PINNED


# --- What was publicly known


@pytest.fixture(scope="module")
def known(live: Live) -> Iterator[str]:
    """Events whose claims and dates reach the public at different times."""
    with httpx.Client(base_url=live.base_url, headers={"Authorization": f"Bearer {live.key}"}) as writer:
        home = "known-at"
        make(writer, "collections", slug=home)
        make(writer, "actors", slug=f"{home}-spokesman")
        for date in ("1999-06-10", "2025-02-19", "2025-02-20", "2025-02"):
            make(writer, "sources", slug=f"{home}-{date}", published=date)
        make(writer, "sources", slug=f"{home}-open", published="../2000")
        make(writer, "sources", slug=f"{home}-none")

        def event(title: str, occurred: str | None, **claims: str) -> None:
            sources = {f"{home}-{name.strip('_').replace('_', '-')}": stance for name, stance in claims.items()}
            stated = [{"source": source, "stance": stance} for source, stance in sources.items()]
            make(writer, "events", collection=home, title=title, occurred=occurred, claims=stated)

        event("deployed", "1999-06-12", _1999_06_10="asserts")
        event("denied later", "2025/..", _2025_02_19="asserts", _2025_02_20="denies")
        event("mission", "2025-02-20", _2025_02_20="asserts")
        event("vague", "2025-02-10", _2025_02="asserts")
        event("undated claim", "1990", none="asserts")
        event("partly dated", "1990", none="denies", _2025_02_20="asserts")
        event("open claim", "1995", open="asserts")
        event("unsourced", "2008-02-17")
        event("unsourced open", "../1000")
        event("unsourced undated", None)
        yield home


@pytest.mark.parametrize(
    ("known_at", "expected"),
    [
        ("-0043", ["open claim"]),
        ("1999-06-09", ["open claim"]),
        ("1999-06-10", ["open claim", "deployed"]),
        ("1999-06-10T00:00:00Z", ["open claim", "deployed"]),
        ("1999-06-09T23:59:59Z", ["open claim"]),
        # Its whole span counts.
        ("1999", ["open claim", "deployed"]),
        ("2008-02-16", ["open claim", "deployed"]),
        ("2008", ["open claim", "deployed", "unsourced"]),
        # The earliest bound decides when a claim is reached.
        ("2025-02-01", ["open claim", "deployed", "unsourced", "vague"]),
        ("2025-02-19", ["open claim", "deployed", "unsourced", "denied later", "vague"]),
        ("2025-02-20", ["partly dated", "open claim", "deployed", "unsourced", "denied later", "vague", "mission"]),
        ("2025-02", ["partly dated", "open claim", "deployed", "unsourced", "denied later", "vague", "mission"]),
        # What has no claim and no lower bound is there from when it was recorded.
        ("9999", ["unsourced open", "partly dated", "open claim", "deployed", "unsourced", "denied later", "vague",
                  "mission", "unsourced undated"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_what_was_publicly_known_by_then(
    known: str, client: httpx.Client, known_at: str, expected: list[str], order: str
) -> None:
    undated = expected[-1:] if expected[-1] == "unsourced undated" else []
    dated = expected[: len(expected) - len(undated)]
    right = (dated if order == "asc" else dated[::-1]) + undated
    assert listed(client, collection=known, known_at=known_at, order=order) == right
    read = pages(client, "/v1/events", collection=known, known_at=known_at, order=order, limit=2)
    assert [event["title"] for page in read for event in page["items"]] == right
    # Read one by one it is the same.
    for event in get(client, "/v1/events", collection=known)["items"]:
        answer = client.get(address("events", event), params={"known_at": known_at})
        if event["title"] in expected:
            assert answer.status_code == 200
        else:
            refused(answer, 404, "not-found")


def test_claims_published_later_are_not_seen(known: str, client: httpx.Client) -> None:
    events = by_title(get(client, "/v1/events", collection=known)["items"])
    whole = events["denied later"]
    path = address("events", whole)
    reported = {
        "state": "reported", "asserting": 1, "denying": 0, "sources": 1, "origins": 1, "first_published": "2025-02-19",
        "first_denied": None,
    }  # fmt: skip
    contested = {**reported, "state": "contested", "denying": 1, "sources": 2, "first_denied": "2025-02-20"}
    assert whole["standing"] == contested
    first = get(client, path, known_at="2025-02-19")
    asserted, denied = (f"{known}-2025-02-19", f"{known}-2025-02-20")
    assert without(first, "included") == {**whole, "claims": whole["claims"][:1], "standing": reported}
    # Nor is what only they name.
    assert list(first["included"]["sources"]) == [asserted]
    then = get(client, path, known_at="2025-02-20")
    assert without(then, "included") == whole
    assert list(then["included"]["sources"]) == [asserted, denied]
    page = get(client, "/v1/events", collection=known, known_at="2025-02-19", id=whole["id"])
    assert page["items"] == [without(first, "included")]
    assert page["included"] == first["included"]
    # Filters choose among what is seen.
    assert "denied later" in listed(client, collection=known, source=denied)
    assert listed(client, collection=known, source=denied, known_at="2025-02-19") == []
    assert listed(client, collection=known, source=asserted, known_at="2025-02-19") == ["denied later"]
    # One without a date never is, though the event is there for another.
    partly = events["partly dated"]
    assert partly["standing"]["state"] == "contested"
    seen = get(client, address("events", partly), known_at="9999", include="none")
    assert [claim["source"] for claim in seen["claims"]] == [f"{known}-2025-02-20"]
    assert seen["standing"]["state"] == "reported"
    assert events["unsourced"]["standing"] == UNSOURCED


def test_the_two_lenses_go_together(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    """What was known by then, as it had been recorded by then."""
    source = make(writer, "sources", slug=f"{home}-s", published="2020")
    event = make(writer, "events", collection=home, title="event", claims=[{"source": source["slug"]}])
    corrected = revise(writer, "sources", source, published="2022")
    assert listed(client, collection=home, known_at="2021") == []
    assert listed(client, collection=home, known_at="2021", revision=event["revision"]) == ["event"]
    assert listed(client, collection=home, known_at="2022") == ["event"]
    assert listed(client, collection=home, known_at="2021", as_of=corrected["recorded"]) == []
    claimed = revise(writer, "events", event, claims=[{"source": source["slug"], "published": "2019"}])
    assert listed(client, collection=home, known_at="2019") == ["event"]
    assert listed(client, collection=home, known_at="2019", revision=claimed["revision"] - 1) == []


def test_a_later_claim_takes_the_place_of_its_voices_earlier_one(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    make(writer, "actors", slug=f"{home}-p")
    for year in ("2001", "2003", "2005"):
        make(writer, "sources", slug=f"{home}-{year}", published=year, publisher=f"{home}-p")
    stances = {"2001": "asserts", "2003": "denies", "2005": "retracts"}
    claims = [{"source": f"{home}-{year}", "stance": stance} for year, stance in stances.items()]
    event = make(writer, "events", collection=home, claims=claims)
    path = address("events", event)
    standings = {year: get(client, path, known_at=year)["standing"] for year in stances}
    assert [(each["state"], each["asserting"], each["denying"], each["sources"]) for each in standings.values()] == [
        ("reported", 1, 0, 1),
        ("denied", 0, 1, 2),
        ("retracted", 0, 0, 3),
    ]


def test_an_event_without_date_or_claims_is_known_from_its_recording(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    event = make(writer, "events", collection=home, title="undated")
    second, day = event["recorded"][:19], event["recorded"][:10]
    assert listed(client, collection=home, known_at=f"{second}Z") == ["undated"]
    assert listed(client, collection=home, known_at=day) == ["undated"]
    before = moved(event["recorded"], -1000)[:19]
    assert listed(client, collection=home, known_at=f"{before}Z") == []
    # From its creation: later revisions do not take it away.
    revised = revise(writer, "events", event, title="renamed")
    assert revised["created"]["recorded"] == event["recorded"]
    assert listed(client, collection=home, known_at=f"{second}Z") == ["renamed"]
    assert listed(client, collection=home, known_at=f"{before}Z") == []
