"""Standing over HTTP: who is the voice, what is an origin, and which dates count."""

from typing import Any

import httpx
import pytest

from tests.api.calls import UNSOURCED, Document, address, get, make, revise


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    """A collection, actors p and q, and sources: p1, p2 published by p, q1 by q, bare1 and bare2 by nobody."""
    make(writer, "collections", slug=unique)
    for name in ("p", "q"):
        make(writer, "actors", slug=f"{unique}-{name}")
    for name, publisher in (("p1", "p"), ("p2", "p"), ("q1", "q"), ("bare1", None), ("bare2", None)):
        rest = {} if publisher is None else {"publisher": f"{unique}-{publisher}"}
        make(writer, "sources", slug=f"{unique}-{name}", published=f"202{len(name) % 10}", **rest)
    return unique


def stated(home: str, *claims: Document) -> list[Document]:
    """Claims whose sources and speakers are named without the test's own slug."""
    return [
        {
            **claim,
            "source": f"{home}-{claim['source']}",
            **({"via": f"{home}-{claim['via']}"} if "via" in claim else {}),
            "speakers": [f"{home}-{name}" for name in claim.get("speakers", [])],
        }
        for claim in claims
    ]


def standing(state: str, asserting: int, denying: int, sources: int, origins: int, **first: Any) -> Document:
    dates = {"first_published": None, "first_denied": None, **first}
    return {
        "state": state,
        "asserting": asserting,
        "denying": denying,
        "sources": sources,
        "origins": origins,
        **dates,
    }


def test_a_voice_is_the_first_speaker_else_the_publisher_else_the_source(writer: httpx.Client, home: str) -> None:
    def voices(*claims: Document) -> int:
        event = make(writer, "events", collection=home, claims=stated(home, *claims))
        number: int = event["standing"]["asserting"]
        return number

    assert voices({"source": "p1"}, {"source": "p2"}) == 1
    assert voices({"source": "p1"}, {"source": "q1"}) == 2
    assert voices({"source": "bare1"}, {"source": "bare2"}) == 2
    assert voices({"source": "p1", "speakers": ["q"]}, {"source": "q1"}) == 1
    assert voices({"source": "p1", "speakers": ["q"]}, {"source": "p2"}) == 2
    # Only the first speaker speaks for the claim.
    assert voices({"source": "p1", "speakers": ["p", "q"]}, {"source": "q1"}) == 2
    assert voices({"source": "q1", "speakers": ["p", "q"]}, {"source": "p1", "speakers": ["p"]}) == 1


def test_the_latest_of_a_voice_is_told_by_publication_then_order(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    def state(*claims: Document) -> str:
        event = make(writer, "events", collection=home, claims=stated(home, *claims))
        found: str = event["standing"]["state"]
        return found

    asserts, denies = {"source": "p1", "stance": "asserts"}, {"source": "p2", "stance": "denies"}
    assert state({**asserts, "published": "2020"}, {**denies, "published": "2021"}) == "denied"
    assert state({**asserts, "published": "2022"}, {**denies, "published": "2021"}) == "reported"
    # By its earliest bound: all of 2021 begins before 2 January.
    assert state({**asserts, "published": "2021"}, {**denies, "published": "2021-01-02"}) == "denied"
    assert state({**asserts, "published": "2021-01-02"}, {**denies, "published": "2021"}) == "reported"
    # An open beginning or no date at all is before every date.
    assert state({**asserts, "published": "../2030"}, {**denies, "published": "2000"}) == "denied"
    # On the same day the order of claims decides: by source, then stance.
    assert state({**asserts, "published": "2021"}, {**denies, "published": "2021"}) == "denied"
    same = [{"source": "p1", "stance": stance, "published": "2021"} for stance in ("denies", "asserts", "confirms")]
    assert state(*same) == "denied"
    assert state(*same[1:]) == "reported"


def test_mentions_and_expectations_are_set_aside(writer: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home, claims=stated(home, {"source": "p1", "stance": "expects"}))
    assert event["standing"] == standing("mentioned", 0, 0, 1, 0)
    claims = stated(
        home,
        {"source": "p1", "published": "2020"},
        {"source": "p2", "stance": "mentions", "published": "2022"},
        {"source": "q1", "stance": "expects", "published": "2019"},
    )
    event = revise(writer, "events", event, claims=claims)
    assert event["standing"] == standing("reported", 1, 0, 3, 1, first_published="2020")
    assert revise(writer, "events", event, claims=[])["standing"] == UNSOURCED


def test_first_dates_are_when_it_was_first_said(writer: httpx.Client, home: str) -> None:
    claims = stated(
        home,
        {"source": "bare1", "published": "2020-05"},
        {"source": "bare2", "published": "2020-04~"},
        {"source": "q1", "stance": "disputes", "published": "2021"},
        {"source": "p1", "stance": "denies", "published": "2020-06-01"},
        {"source": "p1", "stance": "mentions", "published": "2001"},
    )
    event = make(writer, "events", collection=home, claims=claims)
    firsts = {"first_published": "2020-04~", "first_denied": "2020-06-01"}
    assert event["standing"] == standing("contested", 2, 2, 4, 2, **firsts)
    # Whoever says it again, or takes it back, does not move that day.
    later = stated(
        home,
        {"source": "bare2", "stance": "retracts", "published": "2022"},
        {"source": "p1", "stance": "disputes", "published": "2022"},
    )
    event = revise(writer, "events", event, claims=claims + later)
    assert event["standing"] == standing("contested", 1, 2, 4, 1, **firsts)


def test_origins_follow_derivation_and_via(writer: httpx.Client, home: str) -> None:
    make(writer, "sources", slug=f"{home}-root")
    make(writer, "sources", slug=f"{home}-other")
    middle = make(writer, "sources", slug=f"{home}-middle", derived_from=[f"{home}-root"])
    for number in range(12):
        make(writer, "sources", slug=f"{home}-article{number}", derived_from=[middle["slug"]])
    articles = [{"source": f"article{number}"} for number in range(12)]
    event = make(writer, "events", collection=home, claims=stated(home, *articles))
    # Twelve articles quoting one report are one origin.
    assert event["standing"] == standing("reported", 12, 0, 12, 1)
    # A claim's own via takes the place of what its source is derived from.
    told = [*articles, {"source": "article0", "via": "other", "locator": "p. 2", "speakers": ["p"]}]
    assert revise(writer, "events", event, claims=stated(home, *told))["standing"] == standing(
        "corroborated", 13, 0, 12, 2
    )
    # What a source is found to rest on counts for every event at once.
    revise(writer, "sources", middle, derived_from=[f"{home}-root", f"{home}-other"])
    shown = get(writer, address("events", event))["standing"]
    assert shown == standing("reported", 13, 0, 12, 1)
    # In circles, too.
    revise(writer, "sources", {"slug": f"{home}-root"}, derived_from=[f"{home}-other"])
    revise(writer, "sources", {"slug": f"{home}-other"}, derived_from=[f"{home}-root"])
    assert get(writer, address("events", event))["standing"]["origins"] == 1


def test_a_retraction_takes_back_its_voices_claim(writer: httpx.Client, home: str) -> None:
    claims = stated(home, {"source": "p1", "published": "2020"}, {"source": "q1", "published": "2020"})
    event = make(writer, "events", collection=home, claims=claims)
    assert event["standing"]["state"] == "corroborated"
    first = stated(home, {"source": "p2", "stance": "retracts", "published": "2021"})
    assert revise(writer, "events", event, claims=claims + first)["standing"] == standing(
        "reported", 1, 0, 3, 1, first_published="2020"
    )
    second = stated(home, {"source": "q1", "stance": "retracts", "published": "2021"})
    assert revise(writer, "events", event, claims=claims + first + second)["standing"] == standing(
        "retracted", 0, 0, 3, 0, first_published="2020"
    )


def test_a_correction_is_told_from_a_report(writer: httpx.Client, home: str) -> None:
    claims = stated(
        home,
        {"source": "p1", "published": "2020"},
        {"source": "p1", "stance": "corrects", "published": "2021"},
        {"source": "q1", "published": "2022"},
    )
    event = make(writer, "events", collection=home, claims=claims)
    assert event["standing"] == standing("corrected", 2, 0, 2, 2, first_published="2020")
    denied = stated(home, {"source": "bare1", "stance": "disputes", "published": "2023"})
    assert revise(writer, "events", event, claims=claims + denied)["standing"]["state"] == "contested"
