"""Accounts: events as one actor or one source tells them, on the dates that these give."""

import secrets
from typing import Any

import httpx
import pytest

from tests.api.calls import UNSOURCED, Document, address, by_title, get, head_of, listed, make, pages, refused, revise
from tests.api.test_diff import check_laws, told
from tests.conftest import Live


@pytest.fixture(scope="module")
def scene(live: Live) -> str:
    """The slug of a collection of seven events: p publishes p1 and p2, q publishes q1, bare is published by nobody."""
    home = f"t{secrets.token_hex(6)}"
    with httpx.Client(base_url=live.base_url, headers={"Authorization": f"Bearer {live.key}"}) as writer:
        _make_scene(writer, home)
    return home


def claim(home: str, source: str, occurred: str | None = None, stance: str = "asserts", speakers: str = "") -> Document:
    named = [f"{home}-{name}" for name in speakers.split()]
    return {"source": f"{home}-{source}", "occurred": occurred, "stance": stance, "speakers": named}


def _make_scene(writer: httpx.Client, home: str) -> None:
    make(writer, "collections", slug=home)
    for name in ("p", "q", "s", "t"):
        make(writer, "actors", slug=f"{home}-{name}")
    for name, publisher, published in (("p1", "p", "2020"), ("q1", "q", "2021"), ("p2", "p", "2022")):
        make(writer, "sources", slug=f"{home}-{name}", publisher=f"{home}-{publisher}", published=published)
    make(writer, "sources", slug=f"{home}-bare", published="2023")

    def event(title: str, occurred: str | None, *claims: Document) -> None:
        make(writer, "events", collection=home, title=title, occurred=occurred, claims=list(claims))

    event("1", "2001", claim(home, "p1", "2010"), claim(home, "q1", stance="denies"))
    event("2", "2002", claim(home, "q1", "1990"), claim(home, "p2", speakers="s"))
    event("3", None, claim(home, "p1", "2005"), claim(home, "p2", "2006", "corrects"))
    event("4", "2004", claim(home, "bare", speakers="s t"))
    event("5", "2005")
    event("6", "2003", claim(home, "q1", stance="mentions"))
    event("7", None, claim(home, "q1"))


def own(home: str, selection: Document) -> Document:
    """The selection with the scene's own slugs."""
    return {
        name: [f"{home}-{each}" for each in ([value] if isinstance(value, str) else value)]
        if name.startswith("according_to") or name in ("publisher", "source")
        else value
        for name, value in selection.items()
    }


@pytest.mark.parametrize(
    ("lenses", "expected", "undated"),
    [
        # By the date that the account gives: the latest of its claims that has one, else the event's own.
        ({"according_to": "p"}, "231", ""),
        ({"according_to": "q"}, "216", "7"),
        ({"according_to": ["p", "q"]}, "2631", "7"),
        # A first speaker is the voice; a second is not.
        ({"according_to": "s"}, "24", ""),
        ({"according_to": "t"}, "", ""),
        ({"according_to": "nobody"}, "", ""),
        ({"according_to": ["s", "nobody"]}, "24", ""),
        ({"according_to_source": "p1"}, "31", ""),
        ({"according_to_source": "p2"}, "23", ""),
        ({"according_to_source": ["p1", "bare"]}, "431", ""),
        ({"according_to_source": "nothing"}, "", ""),
        # With both, both must hold of a claim.
        ({"according_to": "s", "according_to_source": "p2"}, "2", ""),
        ({"according_to": "p", "according_to_source": ["p1", "bare", "q1"]}, "31", ""),
        ({"according_to": "q", "according_to_source": "p1"}, "", ""),
        # And what was not yet known is not told.
        ({"according_to": "p", "known_at": "2019"}, "", ""),
        ({"according_to": "p", "known_at": "2020"}, "31", ""),
        ({"according_to": ["p", "q"], "known_at": "2021"}, "2631", "7"),
        ({"according_to": "s", "known_at": "2022"}, "2", ""),
        ({"according_to_source": "q1", "known_at": "2020"}, "", ""),
        # Filters choose among what is told.
        ({"according_to": "p", "publisher": "q"}, "", ""),
        ({"according_to": "p", "stance": "denies"}, "", ""),
        ({"according_to": "q", "stance": "denies"}, "1", ""),
        ({"according_to": "q", "standing": "denied"}, "1", ""),
        ({"according_to": "p", "standing": "reported"}, "21", ""),
        ({"according_to": "p", "standing": "contested"}, "", ""),
        ({"according_to": "p", "min_origins": 1, "published_to": "2021"}, "31", ""),
        # Windows look at the date that is told.
        ({"according_to": "p", "from": "2010"}, "1", ""),
        ({"according_to": "p", "from": "2001", "to": "2001"}, "", ""),
        ({"according_to": "p", "from": "2001", "to": "2006"}, "23", ""),
        ({"according_to": "p", "from": "2006", "to": "2010", "match": "certain"}, "31", ""),
        ({"according_to": "q", "to": "1995"}, "2", ""),
        ({"according_to": "q", "from": "2002", "to": "2002"}, "", ""),
        # What the account dates is no longer undated.
        ({"according_to": "p", "undated": "only"}, "", ""),
        ({"according_to": "q", "undated": "only"}, "", "7"),
        ({"according_to": "q", "undated": "exclude"}, "216", ""),
        ({"according_to": "q", "from": "2001", "undated": "include"}, "16", "7"),
    ],
)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_an_account_is_what_it_tells_on_its_own_dates(
    scene: str, client: httpx.Client, lenses: Document, expected: str, undated: str, order: str
) -> None:
    query = {"collection": scene, "order": order, **own(scene, lenses)}
    right = (expected if order == "asc" else expected[::-1]) + undated
    assert "".join(listed(client, **query)) == right
    assert "".join(listed(client, **query, revision=head_of(client))) == right
    # Cursors are places among the dates told.
    for limit in (1, 2):
        read = pages(client, "/v1/events", **query, limit=limit)
        assert "".join(event["title"] for page in read for event in page["items"]) == right


def test_dates_take_over_in_no_other_lens(scene: str, client: httpx.Client) -> None:
    assert "".join(listed(client, collection=scene)) == "1264537"
    assert "".join(listed(client, collection=scene, known_at="2023")) == "1264537"
    dates = {event["title"]: event["occurred"] for event in get(client, "/v1/events", collection=scene)["items"]}
    assert dates["1"]["edtf"] == "2001"
    assert dates["3"] is None


def test_only_the_accounts_claims_are_seen(scene: str, client: httpx.Client) -> None:
    whole = by_title(get(client, "/v1/events", collection=scene)["items"])["1"]
    by_p = by_title(get(client, "/v1/events", collection=scene, according_to=f"{scene}-p")["items"])["1"]
    by_q = by_title(get(client, "/v1/events", collection=scene, according_to=f"{scene}-q")["items"])["1"]
    alone = {**UNSOURCED, "sources": 1}
    # It is the event but for its claims, what follows from them, and the date.
    assert by_p == {
        **whole,
        "claims": whole["claims"][:1],
        "occurred": whole["claims"][0]["occurred"],
        "standing": {**alone, "state": "reported", "asserting": 1, "origins": 1, "first_published": "2020"},
    }
    assert by_q == {
        **whole,
        "claims": whole["claims"][1:],
        "standing": {**alone, "state": "denied", "denying": 1, "first_denied": "2021"},
    }
    assert by_p["occurred"] == {
        "edtf": "2010", "earliest": "2010-01-01", "latest": "2010-12-31", "precision": "year", "approximate": False,
        "uncertain": False, "display": "2010",
    }  # fmt: skip


def test_standing_is_that_of_the_claims_told(scene: str, client: httpx.Client) -> None:
    def states(**lenses: Any) -> dict[str, str]:
        page = get(client, "/v1/events", collection=scene, **own(scene, lenses))
        return {event["title"]: event["standing"]["state"] for event in page["items"]}

    assert states()["1"] == "contested"
    assert states()["3"] == "corrected"
    assert states(according_to="p") == {"2": "reported", "3": "corrected", "1": "reported"}
    assert states(according_to="q") == {"2": "reported", "1": "denied", "6": "mentioned", "7": "reported"}
    assert states(according_to_source="p1") == {"3": "reported", "1": "reported"}
    assert states(according_to="p", known_at="2020") == {"3": "reported", "1": "reported"}


def test_one_event_is_read_through_an_account(scene: str, client: httpx.Client) -> None:
    events = by_title(get(client, "/v1/events", collection=scene)["items"])
    for lenses in ({"according_to": "p"}, {"according_to": "q"}, {"according_to_source": ["p1", "q1"]},
                   {"according_to": "p", "known_at": "2020"}, {"according_to": ["p", "s"]}):  # fmt: skip
        query = own(scene, lenses)
        page = get(client, "/v1/events", collection=scene, **query)
        shown = by_title(page["items"])
        for title, event in events.items():
            answer = client.get(address("events", event), params=query)
            if title not in shown:
                refused(answer, 404, "not-found")
                continue
            alone = get(client, "/v1/events", id=event["id"], **query)
            assert answer.json() == {**shown[title], "included": alone["included"]}


def test_what_is_not_told_is_not_included(scene: str, client: httpx.Client) -> None:
    (event,) = get(client, "/v1/events", collection=scene, to="2001")["items"]
    for account, names in (("p", (["p"], ["p1"])), ("q", (["q"], ["q1"]))):
        included = get(client, address("events", event), according_to=f"{scene}-{account}")["included"]
        expected = tuple([f"{scene}-{name}" for name in each] for each in names)
        assert (list(included["actors"]), list(included["sources"])) == expected


def test_open_dates_that_are_told_stand_where_open_dates_stand(
    writer: httpx.Client, client: httpx.Client, unique: str
) -> None:
    make(writer, "collections", slug=unique)
    source = make(writer, "sources", slug=f"{unique}-s", published="2020")["slug"]
    for title, occurred, told_date in (
        ("from long ago", "2005", "../2000"), ("until now", "1990", "2001/.."), ("no longer open", "../..", "1999"),
        ("in 1998", "1998", None), ("at last", None, "2003-05-06T07:08:09Z"),
    ):  # fmt: skip
        claims = [{"source": source, "occurred": told_date}]
        make(writer, "events", collection=unique, title=title, occurred=occurred, claims=claims)
    order = ["from long ago", "in 1998", "no longer open", "until now", "at last"]
    query = {"collection": unique, "according_to_source": source}
    assert listed(client, **query) == order
    assert listed(client, **query, order="desc") == order[::-1]
    read = pages(client, "/v1/events", **query, order="desc", limit=1)
    assert [page["items"][0]["title"] for page in read] == order[::-1]
    assert listed(client, **query, from_="2003", to="2003") == ["until now", "at last"]
    assert listed(client, **query, from_="2001", match="certain") == ["until now", "at last"]
    assert listed(client, **query, to="1997") == ["from long ago"]


def test_of_several_dates_the_latest_claims_counts(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    """By when they were published, not by when they were recorded."""
    make(writer, "collections", slug=unique)
    make(writer, "actors", slug=unique)
    for year in ("2020", "2021", "2022"):
        make(writer, "sources", slug=f"{unique}-{year}", publisher=unique, published=year)
    claims = [
        {"source": f"{unique}-2021", "occurred": "1995"},
        {"source": f"{unique}-2020", "occurred": "1999"},
        {"source": f"{unique}-2022"},
    ]
    event = make(writer, "events", collection=unique, occurred="2000", claims=claims)
    path = address("events", event)

    def dated(**lenses: Any) -> str:
        text: str = get(client, path, **lenses)["occurred"]["edtf"]
        return text

    assert dated() == "2000"
    assert dated(according_to=unique) == "1995"
    assert dated(according_to=unique, known_at="2020") == "1999"
    assert dated(according_to_source=f"{unique}-2022") == "2000"
    assert dated(according_to_source=[f"{unique}-2020", f"{unique}-2022"]) == "1999"


def test_an_account_is_that_of_the_revision_read(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    make(writer, "collections", slug=unique)
    for name in ("p", "q"):
        make(writer, "actors", slug=f"{unique}-{name}")
    source = make(writer, "sources", slug=f"{unique}-s", publisher=f"{unique}-p", published="2020")
    stated = [{"source": source["slug"], "occurred": "1999"}]
    first = make(writer, "events", collection=unique, title="event", occurred="2000", claims=stated)
    moved = revise(writer, "events", first, claims=[{"source": source["slug"], "occurred": "1990"}])
    handed = revise(writer, "sources", source, publisher=f"{unique}-q")
    bare = revise(writer, "events", first, claims=[])

    def shown(account: str, revision: int, **window: Any) -> list[str]:
        return listed(client, collection=unique, according_to=f"{unique}-{account}", revision=revision, **window)

    assert shown("p", first["revision"], from_="1999", to="1999") == ["event"]
    assert shown("p", first["revision"], to="1990") == []
    assert shown("p", moved["revision"], to="1990") == ["event"]
    assert shown("p", moved["revision"], from_="1999") == []
    assert (shown("p", handed["revision"]), shown("q", handed["revision"])) == ([], ["event"])
    assert shown("q", handed["revision"], to="1990") == ["event"]
    assert (shown("p", bare["revision"]), shown("q", bare["revision"])) == ([], [])


# --- Timelines


def test_a_timelines_account_is_a_default_that_the_request_replaces(
    scene: str, writer: httpx.Client, client: httpx.Client, unique: str
) -> None:
    def timeline(name: str, **selection: Any) -> str:
        make(writer, "timelines", slug=f"{unique}-{name}", selection={"collection": scene, **own(scene, selection)})
        return f"{unique}-{name}"

    def shown(slug: str, **query: Any) -> str:
        by_path = get(client, f"/v1/timelines/{slug}/events", **own(scene, query))
        assert get(client, "/v1/events", timeline=slug, **own(scene, query)) == by_path
        return "".join(event["title"] for event in by_path["items"])

    p = timeline("p", according_to="p")
    assert shown(p) == "231"
    assert shown(p, **{"from": "2010"}) == "1"
    assert shown(p, according_to="q") == "2167"
    assert shown(p, according_to=["p", "q"]) == "26317"
    # Each parameter by itself: a source asked for narrows the timeline's account.
    assert shown(p, according_to_source="p2") == "23"
    assert shown(p, according_to_source="q1") == ""
    assert shown(p, known_at="2020") == "31"
    source = timeline("s", according_to_source="q1", known_at="2021")
    assert shown(source) == "2167"
    assert shown(source, according_to_source="p1") == "31"
    assert shown(source, according_to_source="p1", known_at="2019") == ""
    assert shown(source, according_to="p") == ""
    several = timeline("several", according_to=["p", "s"], order="desc")
    assert shown(several) == "1342"
    assert shown(several, order="asc") == "2431"


def test_a_timelines_window_looks_at_the_date_told(
    scene: str, writer: httpx.Client, client: httpx.Client, unique: str
) -> None:
    events = by_title(get(client, "/v1/events", collection=scene)["items"])
    make(
        writer,
        "timelines",
        slug=unique,
        selection={"collection": scene, "from": "2005", "to": "2010"},
        include=[events["2"]["id"], events["5"]["id"]],
        exclude=[events["3"]["id"]],
    )
    assert "".join(listed(client, timeline=unique)) == "25"
    # Without claims 5 is in no account, pinned or not; 2 is there at its own date.
    assert "".join(listed(client, timeline=unique, according_to=f"{scene}-p")) == "21"
    assert "".join(listed(client, timeline=unique, according_to=f"{scene}-p", order="desc")) == "12"


# --- Diffs


def test_two_accounts_compared(scene: str, client: httpx.Client) -> None:
    query = {"base_according_to": f"{scene}-p", "head_according_to": f"{scene}-q", "collection": scene}
    diff = check_laws(client, **query)
    # In the order of the head's dates, what is only in the base at its place there.
    assert told(diff) == [("changed", "2"), ("changed", "1"), ("added", "6"), ("removed", "3"), ("added", "7")]
    changed = {item["after"]["title"]: item for item in diff["items"] if item["op"] == "changed"}
    assert changed["1"]["fields"] == ["occurred", "claims", "standing"]
    assert [changed["1"][side]["occurred"]["edtf"] for side in ("before", "after")] == ["2010", "2001"]
    assert [changed["1"][side]["standing"]["state"] for side in ("before", "after")] == ["reported", "denied"]
    # What is in one account only is not there at all in the other.
    assert [item["other"] for item in diff["items"] if item["op"] != "changed"] == [None, None, None]
    assert diff["base"]["selection"] == {"according_to": f"{scene}-p", "collection": scene}
    assert list(diff["included"]["base"]["sources"]) == [f"{scene}-p1", f"{scene}-p2"]
    assert list(diff["included"]["head"]["sources"]) == [f"{scene}-q1"]
    assert told(check_laws(client, **query, order="desc"))[0] == ("removed", "3")


def test_an_account_against_all_that_is_said(scene: str, client: httpx.Client) -> None:
    diff = check_laws(client, head_according_to_source=f"{scene}-p1", collection=scene)
    by_op = {op: sorted(title for each, title in told(diff) if each == op) for op in ("added", "removed", "changed")}
    assert by_op == {"added": [], "removed": ["2", "4", "5", "6", "7"], "changed": ["1", "3"]}
    # In a window the date told brings an event in, which on the other side stands outside.
    diff = check_laws(client, head_according_to=f"{scene}-p", collection=scene, from_="2010", to="2010")
    (item,) = diff["items"]
    assert (item["op"], item["event"]["title"], item["other"]["occurred"]["edtf"]) == ("added", "1", "2001")
    assert item["fields"] == ["occurred", "claims", "standing"]


def test_an_account_at_two_known_dates(scene: str, client: httpx.Client) -> None:
    diff = check_laws(client, according_to=f"{scene}-p", base_known_at="2020", head_known_at="2022", collection=scene)
    assert told(diff) == [("added", "2"), ("changed", "3")]
    assert [diff["items"][1][side]["occurred"]["edtf"] for side in ("before", "after")] == ["2005", "2006"]


def test_an_account_at_two_revisions(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    make(writer, "collections", slug=unique)
    for name in ("p", "q"):
        make(writer, "actors", slug=f"{unique}-{name}")
        make(writer, "sources", slug=f"{unique}-{name}", publisher=f"{unique}-{name}", published="2020")
    by_p, by_q = ({"source": f"{unique}-{name}"} for name in ("p", "q"))
    grows, falls, stays = (
        make(writer, "events", collection=unique, title=title, claims=[mine])
        for title, mine in (("grows", by_q), ("falls", by_p), ("stays", by_p))
    )
    base = head_of(client)
    revise(writer, "events", grows, claims=[by_p, by_q])
    revise(writer, "events", falls, claims=[by_q])
    # What another says of it is no change of this account.
    revise(writer, "events", stays, claims=[by_p, {**by_q, "stance": "denies"}])
    diff = check_laws(client, according_to=f"{unique}-p", base_revision=base, collection=unique)
    assert told(diff) == [("removed", "falls"), ("added", "grows")]
    assert told(check_laws(client, base_revision=base, collection=unique)) == [
        ("changed", "stays"), ("changed", "falls"), ("changed", "grows"),
    ]  # fmt: skip


# --- The dossier


def test_the_dossiers_two_accounts_differ_on_the_withdrawal(reader: httpx.Client) -> None:
    query = {"base_according_to": "bild", "head_according_to": "us-mission-to-nato", "timeline": "kosovo"}
    diff = check_laws(reader, **query)
    (item,) = (each for each in diff["items"] if each["op"] == "changed"
               and each["after"]["key"] == "us-troop-withdrawal")  # fmt: skip
    assert {"claims", "standing"} <= set(item["fields"])
    before, after = item["before"]["standing"], item["after"]["standing"]
    assert (before["asserting"], before["denying"]) == (1, 0)
    assert (after["state"], after["asserting"], after["denying"]) == ("denied", 0, 1)
    for side, account in (("before", "bild"), ("after", "us-mission-to-nato")):
        event = get(reader, address("events", item[side]), according_to=account, include="none")
        assert event == item[side]
