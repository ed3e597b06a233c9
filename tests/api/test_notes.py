"""The change note: a diff in Markdown, which a reader understands."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.calls import address, get, head_of, make, refused, remove, revise


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    """A collection of the test's own; its slug begins every other."""
    make(writer, "collections", slug=unique)
    return unique


def note(client: httpx.Client, accept: str = "text/markdown", **query: Any) -> str:
    answer = client.get("/v1/diff", params=query, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].split(";")[0] == "text/markdown"
    return answer.text


def lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line)


def test_a_note_tells_what_came_went_and_changed(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    make(writer, "actors", slug=f"{home}-p", name="The Paper")
    make(writer, "actors", slug=f"{home}-m", name="The Mission")
    make(writer, "actors", slug=f"{home}-o", name="An official")
    report = make(writer, "sources", slug=f"{home}-r", title="Report", published="2025-02-19", publisher=f"{home}-p")
    denial = make(writer, "sources", slug=f"{home}-d", title="Denial", published="2025-02-20")
    asserted = {"source": report["slug"], "speakers": [f"{home}-o"]}
    denied = {"source": denial["slug"], "stance": "denies", "speakers": [f"{home}-m", f"{home}-o"]}
    withdrawal = make(
        writer,
        "events",
        collection=home,
        title="Withdrawal",
        occurred="2025-02/..",
        phase="hypothetical",
        actors=[{"actor": f"{home}-o", "role": "speaker"}],
        claims=[asserted],
        tags=["a"],
    )
    gone = make(writer, "events", collection=home, title="Gone", claims=[{"source": report["slug"]}])
    base = head_of(client)
    revise(
        writer,
        "events",
        withdrawal,
        title="Troop withdrawal",
        summary="Retold",
        occurred="2025-03",
        phase="expected",
        kind="move",
        actors=[{"actor": f"{home}-m"}],
        claims=[asserted, denied],
        tags=["b"],
        places=[{"country": "XK"}],
    )
    remove(writer, "events", gone)
    make(
        writer,
        "events",
        collection=home,
        title="Made",
        occurred="1999",
        claims=[{"source": report["slug"], "stance": "mentions"}],
    )
    head = head_of(client)
    assert note(client, base_revision=base, head_revision=head, collection=home) == (
        f"""\
# Changes from revision {base} to revision {head}

Both sides: in collection {home}.

1 added, 1 removed, 1 changed.

## Added

- **Made** (1999): mentioned
  - Report, 2025-02-19, mentions it

## Removed

- **Gone** (undated): reported
  - Report, 2025-02-19, asserts it

## Changed

- **Troop withdrawal** (March 2025): contested
  - title: Withdrawal → Troop withdrawal
  - summary: – → Retold
  - date: from February 2025 → March 2025
  - kind: – → move
  - phase: hypothetical → expected
  - actors: with The Mission
  - actors: without An official as speaker
  - new: The Mission and An official, in Denial, 2025-02-20, deny it
  - standing: reported → contested
  - places: changed
  - tags: with b
  - tags: without a
"""
    )


def test_a_note_without_changes(client: httpx.Client, home: str) -> None:
    head = head_of(client)
    assert note(client, base_revision=head, head_revision=head, collection=home) == (
        f"# The same on both sides\n\nBoth sides: at revision {head}, in collection {home}.\n\n"
        "0 added, 0 removed, 0 changed.\n"
    )


def test_what_stands_outside_on_the_other_side(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home, title="Moved", occurred="1990")
    base = head_of(client)
    revise(writer, "events", event, occurred="1999", summary="now")
    text = note(client, base_revision=base, collection=home, **{"from": "1999"})
    assert list(lines(text))[-2:] == [
        "- **Moved** (1999): unsourced",
        f"  - at revision {base} it is outside the selection, with other summary and date",
    ]


def test_two_accounts_side_by_side(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    """What differs is the headline, and each side's words stand under its own name."""
    make(writer, "actors", slug=f"{home}-p", name="The Paper")
    make(writer, "actors", slug=f"{home}-m", name="The Mission")
    for slug, title, published in (("r", "Report", "2025-02-19"), ("d", "Denial", "2025-02-20")):
        publisher = f"{home}-{'p' if slug == 'r' else 'm'}"
        make(writer, "sources", slug=f"{home}-{slug}", title=title, published=published, publisher=publisher)
    said = {"source": f"{home}-r", "occurred": "2025-03"}
    denied = {"source": f"{home}-d", "stance": "denies"}
    make(writer, "events", collection=home, title="Withdrawal", occurred="2025", claims=[said, denied])
    make(writer, "events", collection=home, title="Report", claims=[{"source": f"{home}-r"}])
    make(writer, "events", collection=home, title="Answer", claims=[{"source": f"{home}-d"}])
    head = head_of(client)
    sides = {"base_according_to": f"{home}-p", "head_according_to": f"{home}-m"}
    assert note(client, collection=home, revision=head, **sides) == (
        f"""\
# According to The Paper, and according to The Mission

Both sides: at revision {head}, in collection {home}.

1 in both, told differently; 1 only according to The Paper; 1 only according to The Mission.

## In both, told differently

- **Withdrawal**
  - according to The Paper: reported, March 2025
    - Report, 2025-02-19, asserts it (March 2025)
  - according to The Mission: denied, 2025
    - Denial, 2025-02-20, denies it

## Only according to The Paper

- **Report** (undated): reported
  - Report, 2025-02-19, asserts it

## Only according to The Mission

- **Answer** (undated): reported
  - Denial, 2025-02-20, asserts it
"""
    )
    sources = {"base_according_to_source": f"{home}-r", "head_according_to_source": f"{home}-d"}
    assert note(client, collection=home, **sources).startswith("# According to Report, and according to Denial\n")
    # Without names there are slugs.
    assert note(client, collection=home, include="none", **sides).startswith(
        f"# According to {home}-p, and according to {home}-m\n"
    )
    one = note(client, collection=home, head_according_to=f"{home}-m", key="none")
    assert one.startswith(f"# According to anyone, and according to {home}-m\n")


def test_two_days_of_publication(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    make(writer, "sources", slug=f"{home}-r", title="Report", published="2025-02-19")
    make(writer, "events", collection=home, title="Told", claims=[{"source": f"{home}-r"}])
    head = head_of(client)
    days = {"base_known_at": "2025-02-18", "head_known_at": "2025-02-19"}
    told = list(lines(note(client, collection=home, **days)))
    assert told[:4] == [
        "# Changes from what was known by 2025-02-18 to what was known by 2025-02-19",
        f"Both sides: at revision {head}, in collection {home}.",
        "1 added, 0 removed, 0 changed.",
        "## Added",
    ]
    (title, *_) = lines(note(client, collection=home, base_revision=head - 1, **days))
    assert title == (
        f"# Changes from what was known by 2025-02-18 at revision {head - 1} "
        f"to what was known by 2025-02-19 at revision {head}"
    )


def test_two_timelines(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    for tag in ("a", "b"):
        make(writer, "events", collection=home, title=f"In {tag}", tags=[tag])
        make(writer, "timelines", slug=f"{home}-{tag}", title=tag, selection={"collection": [home], "tag": [tag]})
    told = list(lines(note(client, base_timeline=f"{home}-a", head_timeline=f"{home}-b")))
    assert told[0] == f"# In timeline {home}-a, and in timeline {home}-b"
    assert told[2:] == [
        f"0 in both, told differently; 1 only in timeline {home}-a; 1 only in timeline {home}-b.",
        f"## Only in timeline {home}-a",
        "- **In a** (undated): unsourced",
        f"## Only in timeline {home}-b",
        "- **In b** (undated): unsourced",
    ]


def test_two_collections_by_key(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    """The same claim has another id in another event; it is told only where it differs."""
    make(writer, "collections", slug=f"{home}-b")
    make(writer, "sources", slug=f"{home}-s", title="Shared")
    make(writer, "sources", slug=f"{home}-t", title="Its own")
    shared = {"source": f"{home}-s"}
    other = {"source": f"{home}-t", "stance": "mentions"}
    make(writer, "events", collection=home, key="k", title="Old", claims=[shared], tags=["x", "y"])
    make(
        writer, "events", collection=f"{home}-b", key="k", title="New", kind="report", claims=[shared, other],
        tags=["y"], places=[{"country": "XK"}], occurred="1999",
    )  # fmt: skip
    head = head_of(client)
    sides = {"base_collection": home, "head_collection": f"{home}-b", "match_on": "key"}
    assert note(client, **sides) == (
        f"""\
# In collection {home}, and in collection {home}-b

Both sides: at revision {head}.

1 in both, told differently; 0 only in collection {home}; 0 only in collection {home}-b.

## In both, told differently

- **New**
  - in collection {home}: reported, undated
    - title: Old
    - kind: –
    - tags: x
  - in collection {home}-b: reported, 1999
    - title: New
    - kind: report
    - Its own, mentions it
  - not alike: places
"""
    )


def test_sides_that_differ_in_many_things(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    make(writer, "events", collection=home, title="Both", kind="report", tags=["a"])
    told = list(lines(note(client, collection=home, base_kind="report", head_tag=["a", "b"], head_kind="x_y")))
    assert told[0] == "# With kind=report, without tag, and with kind=x\\_y, with tag=a,b"
    assert told[2:] == [
        "0 in both, told differently; 1 only in the base; 0 only in the head.",
        "## Only in the base",
        "- **Both** (undated): unsourced",
    ]


def test_what_is_gone_is_told_by_name(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    """A claim, and a part taken, that only the base holds are named by the base."""
    make(writer, "actors", slug=f"{home}-p", name="Somebody")
    make(writer, "sources", slug=f"{home}-s", title="Named")
    part, claim = {"actor": f"{home}-p"}, {"source": f"{home}-s", "speakers": [f"{home}-p"]}
    event = make(writer, "events", collection=home, title="x", actors=[part], claims=[claim])
    base = head_of(client)
    revise(writer, "events", event, actors=[], claims=[])
    told = list(lines(note(client, base_revision=base, collection=home)))
    assert told[-3:] == [
        "  - actors: without Somebody",
        "  - gone: Somebody, in Named, asserts it",
        "  - standing: reported → unsourced",
    ]


def test_text_is_text(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    """Whatever a title holds, it is no Markdown, no HTML, and stays on its line."""
    head = head_of(client)
    make(writer, "events", collection=home, title="*bold* _it_ `x` [a](b) <b> & # | ~ \\ end", tags=["x"])
    (line,) = (line for line in lines(note(client, base_revision=head, collection=home)) if line.startswith("- "))
    assert line == (
        "- **\\*bold\\* \\_it\\_ \\`x\\` \\[a\\](b) \\<b\\> \\& \\# \\| \\~ \\\\ end** (undated): unsourced"
    )
    event = make(writer, "events", collection=home, title="Lines", summary="old")
    head = head_of(client)
    revise(writer, "events", event, summary="one\n\n# two\n- three")
    assert "  - summary: old → one \\# two - three" in list(lines(note(client, base_revision=head, collection=home)))


def test_pages_of_a_note_lead_on(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    head = head_of(client)
    for title in ("One", "Two", "Three"):
        make(writer, "events", collection=home, title=title)
    text = note(client, base_revision=head, collection=home, limit=2)
    *rest, last = lines(text)
    assert "3 added, 0 removed, 0 changed." in rest
    assert last.startswith("[More changes](")
    following = client.get(last.removeprefix("[More changes](").removesuffix(")"), headers={"Accept": "text/markdown"})
    assert following.status_code == 200
    assert [line for line in lines(following.text) if line.startswith("- ")] == ["- **One** (undated): unsourced"]
    assert "added" not in following.text.split("##")[0]
    # JSON's next may be read as a note, and the other way round.
    page = client.get("/v1/diff", params={"base_revision": head, "collection": home, "limit": 2}).json()
    assert client.get(page["next"], headers={"Accept": "text/markdown"}).text == following.text


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("text/markdown", "text/markdown"),
        ("text/*", "text/markdown"),
        ("text/markdown;q=0.5, application/json;q=0.4", "text/markdown"),
        ("application/json, text/markdown", "application/json"),
        ("application/json;q=0.1, text/markdown;q=0.2", "text/markdown"),
        ("*/*", "application/json"),
        ("", "application/json"),
    ],
)
def test_the_reader_chooses(client: httpx.Client, accept: str, media_type: str) -> None:
    head = head_of(client)
    answer = client.get("/v1/diff", params={"base_revision": head}, headers={"Accept": accept})
    assert answer.headers["Content-Type"].split(";")[0] == media_type
    assert "Accept" in answer.headers["Vary"]
    again = client.get(
        "/v1/diff", params={"base_revision": head}, headers={"Accept": accept, "If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304


def test_other_media_types_are_not_here(client: httpx.Client) -> None:
    for accept in ("text/html", "application/xml", "text/markdown;q=0, application/json;q=0"):
        refused(client.get("/v1/diff", params={"base_revision": 1}, headers={"Accept": accept}), 406, "not-acceptable")


def test_names_are_slugs_where_nothing_is_included(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    source = make(writer, "sources", slug=f"{home}-s", title="Named")
    head = head_of(client)
    event = make(writer, "events", collection=home, title="x", claims=[{"source": source["slug"]}])
    assert f"  - {source['slug']}, asserts it" in note(client, base_revision=head, collection=home, include="none")
    assert "  - Named, asserts it" in note(client, base_revision=head, collection=home)
    assert get(client, address("events", event))["claims"][0]["published"] is None


# --- The history of one event


def history(client: httpx.Client, event: dict[str, Any], **query: Any) -> str:
    path = f"{address('events', event)}/history"
    answer = client.get(path, params=query, headers={"Accept": "text/markdown"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].split(";")[0] == "text/markdown"
    # The note has a tag of its own, which is not that of the JSON.
    for accept, status in (("text/markdown", 304), ("application/json", 200)):
        held = {"Accept": accept, "If-None-Match": answer.headers["ETag"]}
        assert client.get(path, params=query, headers=held).status_code == status
    return answer.text


def test_a_history_tells_what_each_revision_made_of_the_event(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    make(writer, "actors", slug=f"{home}-m", name="The Mission")
    paper = make(writer, "actors", slug=f"{home}-p")
    report = make(writer, "sources", slug=f"{home}-r", title="Report", published="2025-02-19")
    asserted = {"source": report["slug"], "speakers": [f"{home}-m"]}
    event = make(writer, "events", collection=home, title="With_drawal", occurred="2025-02/..", claims=[asserted])
    answer = writer.patch(
        address("events", event),
        json={"title": "Withdrawal", "claims": [{**asserted, "stance": "denies"}]},
        headers={
            "Content-Type": "application/merge-patch+json",
            "If-Match": "*",
            "Revision-Cause": "source_correction",
            "Revision-Message": "Told *anew*",
        },
    )
    assert answer.status_code == 200, answer.text
    revise(writer, "actors", {"slug": f"{home}-m"}, name="The Mission to NATO")
    revise(writer, "sources", report, publisher=paper["slug"])
    remove(writer, "events", event)
    back = writer.post(f"{address('events', event)}/revert", json={"revision": event["revision"]})
    assert back.status_code == 200, back.text
    items = get(client, f"{address('events', event)}/history")["items"]
    heads = [f"## Revision {item['revision']}, {item['recorded']}" for item in items]
    assert (
        history(client, event)
        == f"""\
# History of With\\_drawal

{heads[0]}

tests

- **With\\_drawal** (from February 2025): reported
  - The Mission to NATO, in Report, 2025-02-19, asserts it

{heads[1]}

tests (source correction). Told \\*anew\\*

- **Withdrawal** (from February 2025): denied
  - title: With\\_drawal → Withdrawal
  - new: The Mission to NATO, in Report, 2025-02-19, denies it
  - gone: The Mission to NATO, in Report, 2025-02-19, asserts it
  - standing: reported → denied

{heads[2]}

tests

- **Withdrawal** (from February 2025): denied
  - the same, on other grounds

{heads[3]}

tests

- Retracted

{heads[4]}

tests

- **With\\_drawal** (from February 2025): reported
  - The Mission to NATO, in Report, 2025-02-19, asserts it
"""
    )


def test_a_history_in_pages_goes_on_from_the_item_before(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home, title="First")
    revise(writer, "events", event, title="Second")
    remove(writer, "events", event)
    page = client.get(f"{address('events', event)}/history", params={"limit": 1}, headers={"Accept": "text/markdown"})
    assert page.headers["Link"].endswith('>; rel="next"')
    next = page.headers["Link"].split(">")[0].removeprefix("<")
    assert f"[More revisions]({next})" in page.text
    assert "title" not in page.text
    second = client.get(next, headers={"Accept": "text/markdown"})
    assert "  - title: First → Second" in second.text
    next = second.headers["Link"].split(">")[0].removeprefix("<")
    last = client.get(next, headers={"Accept": "text/markdown"}).text
    assert last.startswith(f"# History of the event {event['id']}\n")
    assert "- Retracted" in last
    refused(client.get(next, headers={"Accept": "text/html"}), 406, "not-acceptable")
