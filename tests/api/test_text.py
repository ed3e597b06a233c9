"""`q`: words, phrases and names, in any script, as they are seen and as they were called."""

import secrets

import httpx
import pytest

from tests.api.calls import Document, get, head_of, listed, make, pages, refused, remove, revise
from tests.api.test_diff import check_laws, told
from tests.api.test_keys import holder
from tests.conftest import Live


@pytest.fixture(scope="module")
def scene(live: Live) -> str:
    """The slug of a collection of events A to H, whose texts are in several languages and scripts."""
    home = f"t{secrets.token_hex(6)}"
    with httpx.Client(base_url=live.base_url, headers={"Authorization": f"Bearer {live.key}"}) as writer:
        _make_scene(writer, home)
    return home


def _make_scene(writer: httpx.Client, home: str) -> None:
    make(writer, "collections", slug=home)
    make(writer, "actors", slug=f"{home}-putin", name="Vladimir Putin", names={"ru": "Владимир Путин"})
    make(writer, "actors", slug=f"{home}-duric", name="Marko Đurić", aliases=["The Minister"])
    make(writer, "sources", slug=f"{home}-early", title="Unsearched", published="2020")
    make(writer, "sources", slug=f"{home}-late", published="2022")

    def event(title: str, summary: str | None = None, **rest: object) -> None:
        make(writer, "events", collection=home, title=title, summary=summary, **rest)

    event("A", "Over 600 American troops leave Priština, the mission said.", occurred="2001")
    event("B", "Trupat lënë Prishtinën. O'Brien’s co-operation ended.", occurred="2002")
    event("C", "Посета Приштини: министар у Москви", occurred="2003", places=[{"name": "Kosovo Polje"}])
    event("D", "北京大学で会談。東京タワー", occurred="2004")
    event("E", "زيارة الرّئيس إلى بلغراد", occurred="2005", actors=[{"actor": f"{home}-putin"}])
    event("F", "รัฐมนตรีเดินทางถึงกรุงเทพมหานคร", occurred="2006")
    claims = [
        {"source": f"{home}-early", "quote": "No troops will leave", "speakers": [f"{home}-duric"]},
        {"source": f"{home}-late", "quote": "They have left", "stance": "denies", "speakers": [f"{home}-putin"]},
    ]
    event("G", claims=claims, occurred="2007")
    event("H", "Eine Straße in Łódź", occurred="2008", tags=["troops"])


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("troops", "AG"), ("TROOPS Priština", "A"), ("pristina", "A"), ("priština or prishtinën", "AB"), ("a", "A"),
        ('"American troops"', "A"), ('"troops American"', ""), ('"troops leave"', "A"), ('"leave the"', ""),
        ('"said A"', ""), ("trupat troops", ""), ("600", "A"), ("prist*", "A"), ("prish* or trup*", "B"),
        ('"amer* tro*"', "A"), ("o'brien", "B"), ("obrien", ""), ("brien", "B"), ("cooperation", ""), ("co-op*", "B"),
        ("troops -leave", ""), ("troops -american", "G"), ('troops -"will leave"', "A"), ("-troops -a -b -c -d", "EFH"),
        ("приштини", "C"), ("МОСКВИ", "C"), ("kosovo", "C"), ('"kosovo polje"', "C"), ('"polje kosovo"', ""),
        ("strasse", "H"), ("lodz", "H"), ("LÓDŹ", "H"),
        ("北京", "D"), ("京", "D"), ("学", "D"), ("大学で会", "D"), ("大会", ""), ("京東", ""), ("タワー 北京", "D"),
        ("ﾀﾜｰ", "D"), ("-京 -troops -a", "BCEFH"), ("กรุงเทพ", "F"), ("เทพกรุง", ""),
        ("الرئيس", "E"), ("بلغراد", "E"),
        ("putin", "EG"), ("Путин", "EG"), ('"Vladimir Putin"', "EG"), ('"Putin Vladimir"', ""),
        ("vladimir путин", "EG"), ('"vladimir владимир"', ""), ("djuric", ""), ("đurić", "G"), ("minister", "G"),
        ("putin -minister", "E"),
        ("unsearched", ""), ("\u201ethey have\u201d", "G"), ("troops & -", "AG"), ('"" troops', "AG"),
        ('"or" or 600', "A"), ("nothing-like-it", ""), ("zz*", ""), ("-zz*", "ABCDEFGH"), ("x" * 400, ""),
        ("left leave", "G"), ("left said", ""),
    ],
)  # fmt: skip
def test_what_a_text_finds(client: httpx.Client, scene: str, text: str, titles: str) -> None:
    assert "".join(listed(client, collection=scene, q=text)) == titles
    assert "".join(listed(client, collection=scene, q=text, order="desc")) == titles[::-1]
    assert "".join(listed(client, collection=scene, q=text, revision=head_of(client))) == titles


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("...", "there is no word in it to look for"),
        ('troops "over 600', "the quotation mark at character 8 is not closed"),
        ("or troops", "'or' at character 1 is not between"),
        ("troops OR", "'OR' at character 8 is not between"),
        ("troops or -leave", "'or' at character 8 is not between"),
        ("-troops or leave", "'or' at character 9 is not between"),
        ("tro*ps", "'*' at character 4 is not at the end of a word"),
        ('"troops"*', "'*' at character 9 is not at the end of a word"),
        ("over t*", "'t*' is too short: at least 2 letters begin a word"),
        (" ".join(map(str, range(21))), "it asks for 21 words and phrases, and may for 20"),
        ('"' + "a " * 61 + '"', "its phrases have 61 words, and may have 60"),
    ],
)
def test_a_text_that_cannot_be_read(client: httpx.Client, writer: httpx.Client, text: str, detail: str) -> None:
    problem = refused(client.get("/v1/events", params={"q": text}), 400, "refused-parameter", "q")
    assert problem["errors"][0]["detail"].startswith(detail)
    timeline = {"slug": "never", "title": "Never", "selection": {"q": text}}
    refused(writer.post("/v1/timelines", json=timeline), 422, "refused", "/selection/q")
    refused(client.get("/v1/diff", params={"base_q": text, "head_q": "troops"}), 400, "refused-parameter", "base_q")


def test_a_text_has_a_bound_and_is_given_once(client: httpx.Client) -> None:
    for given in ("", "x" * 501, ["a", "b"]):
        refused(client.get("/v1/events", params={"q": given}), 400, "invalid-parameter", "q")


@pytest.mark.parametrize(
    ("text", "selection", "titles"),
    [
        ("left", {"known_at": "2021"}, ""), ("left", {"known_at": "2022"}, "G"), ("leave", {"known_at": "2021"}, "ABG"),
        ("putin", {"known_at": "2021"}, "E"), ("-left", {"known_at": "2021", "from": "2007"}, "GH"),
        ("-left", {"from": "2007"}, "H"), ("minister", {"according_to_source": "late"}, ""),
        ("putin", {"according_to_source": "late"}, "G"), ("troops", {"according_to_source": "late"}, ""),
        ("troops", {"tag": "troops"}, ""), ("troops", {"from": "2002"}, "G"), ("troops", {"stance": "denies"}, "G"),
    ],
)  # fmt: skip
def test_lenses_show_what_is_searched(
    client: httpx.Client, scene: str, text: str, selection: Document, titles: str
) -> None:
    asked = {**selection}
    if "according_to_source" in asked:
        asked["according_to_source"] = f"{scene}-{asked['according_to_source']}"
    if text == "leave":
        titles = "".join(title for title in titles if title != "B")
    assert "".join(listed(client, collection=scene, q=text, **asked)) == titles


def test_pages_of_a_text_add_up(client: httpx.Client, scene: str) -> None:
    for text in ("troops or kosovo or 北京", "-troops", "putin"):
        whole = listed(client, collection=scene, q=text)
        paged = pages(client, "/v1/events", collection=scene, q=text, limit=1)
        assert [event["title"] for page in paged for event in page["items"]] == whole
        assert len(whole) > 1


def test_a_text_is_bound_into_the_cursor(client: httpx.Client, scene: str) -> None:
    cursor = get(client, "/v1/events", collection=scene, q="troops", limit=1)["next"].rsplit("cursor=", 1)[1]
    query = {"collection": scene, "q": "kosovo", "limit": 1, "cursor": cursor}
    refused(client.get("/v1/events", params=query), 400, "refused-parameter", "cursor")


def test_a_timeline_of_a_text(client: httpx.Client, writer: httpx.Client, scene: str, unique: str) -> None:
    make(writer, "timelines", slug=unique, selection={"q": "troops or putin", "collection": scene})
    assert "".join(listed(client, timeline=unique)) == "AEG"
    assert "".join(listed(client, timeline=unique, q="-minister")) == "AE"
    compared = get(client, "/v1/diff", timeline=unique, head_q="putin")
    assert [(item["op"], item["event"]["title"]) for item in compared["items"]] == [("removed", "A")]


# --- Names


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    """A collection in which x takes part in one event, and y in another and speaks in a third."""
    make(writer, "collections", slug=unique)
    make(writer, "actors", slug=f"{unique}-x", name="Xavier One")
    make(writer, "actors", slug=f"{unique}-y", name="Yvonne Two", aliases=["La Ministre"])
    make(writer, "sources", slug=f"{unique}-s")
    make(writer, "events", collection=unique, title="x", actors=[{"actor": f"{unique}-x"}])
    make(writer, "events", collection=unique, title="y", actors=[{"actor": f"{unique}-y"}])
    claims = [{"source": f"{unique}-s", "speakers": [f"{unique}-y"]}]
    make(writer, "events", collection=unique, title="said", claims=claims)
    return unique


def test_a_rename_counts_from_its_revision_on(client: httpx.Client, writer: httpx.Client, home: str) -> None:
    before = head_of(client)
    revise(writer, "actors", {"slug": f"{home}-y"}, name="Yolanda Three")
    after = head_of(client)
    both = ["y", "said"]
    for text, then, now in (("yvonne", both, []), ("yolanda", [], both), ("ministre", both, both)):
        assert listed(client, collection=home, q=text) == listed(client, collection=home, q=text, revision=after) == now
        assert listed(client, collection=home, q=text, revision=before) == then
    for text, ops in (("yvonne", ["removed y", "removed said"]), ("yolanda or xavier", ["added y", "added said"]),
                      ("-yvonne", ["added y", "added said"]), ("ministre", []), ('"yolanda two"', [])):  # fmt: skip
        compared = check_laws(client, collection=home, q=text, base_revision=before, head_revision=after)
        assert told(compared) == [tuple(op.split()) for op in ops]


def test_the_names_of_merged_actors_are_one_actors(client: httpx.Client, writer: httpx.Client, home: str) -> None:
    before = head_of(client)
    merged = writer.post(f"/v1/actors/{home}-x/merge", json={"into": f"{home}-y"})
    assert merged.status_code == 200, merged.text
    after = head_of(client)
    for text in ("xavier", "ministre", '"yvonne two"', "xavier yvonne"):
        assert listed(client, collection=home, q=text) == ["x", "y", "said"]
    # Two names are not one.
    assert listed(client, collection=home, q='"xavier yvonne"') == listed(client, collection=home, q="-xavier") == []
    assert listed(client, collection=home, q="xavier", revision=before) == ["x"]
    ministre = {"collection": home, "q": "ministre"}
    compared = check_laws(client, **ministre, base_revision=before, head_revision=after)
    assert told(compared) == [("added", "x")]
    assert writer.post(f"/v1/actors/{home}-x/unmerge", json={}).status_code == 200
    assert listed(client, collection=home, q="xavier") == ["x"]
    compared = check_laws(client, **ministre, base_revision=after, head_revision=head_of(client))
    assert told(compared) == [("removed", "x")]


def test_a_name_known_only_to_a_private_collection_finds_nothing(
    live: Live, client: httpx.Client, writer: httpx.Client, home: str
) -> None:
    make(writer, "collections", slug=f"{home}-hidden", visibility="private")
    make(writer, "actors", slug=f"{home}-z", name="Zacharias Secret")
    make(writer, "events", collection=f"{home}-hidden", title="hidden secret", actors=[{"actor": f"{home}-z"}])
    assert listed(client, q="zacharias") == listed(client, q='"hidden secret"', collection=f"{home}-hidden") == []
    assert listed(writer, q="zacharias", collection=f"{home}-hidden") == ["hidden secret"]
    assert writer.post(f"/v1/actors/{home}-z/merge", json={"into": f"{home}-y"}).status_code == 200
    assert listed(client, q="zacharias", collection=home) == []
    assert listed(client, q="-zacharias", collection=home) == ["x", "y", "said"]
    assert listed(writer, q="zacharias", collection=home) == ["y", "said"]
    with holder(live, "read", f"{home}-hidden") as reader:
        assert listed(reader, q="zacharias", collection=home) == ["y", "said"]


def test_what_was_said_before_a_revision_is_found_there(
    client: httpx.Client, writer: httpx.Client, unique: str
) -> None:
    make(writer, "collections", slug=unique)
    event = make(writer, "events", collection=unique, title="An armistice", occurred="1999")
    before = head_of(client)
    revise(writer, "events", event, title="A peace", summary="It lasted.")
    assert listed(client, collection=unique, q="armistice") == []
    assert listed(client, collection=unique, q="armistice", revision=before) == ["An armistice"]
    assert listed(client, collection=unique, q="peace lasted") == ["A peace"]
    remove(writer, "events", event)
    assert listed(client, collection=unique, q="peace") == []


def test_every_word_of_a_long_event_is_found(client: httpx.Client, writer: httpx.Client, unique: str) -> None:
    """Also beyond what is posted of one event, and of a word longer than what is posted of a word."""
    make(writer, "collections", slug=unique)
    make(writer, "sources", slug=f"{unique}-s")
    long = "donau" * 20
    quotes = [" ".join(f"w{place}x{number}" for number in range(1_500)) for place in range(4)]
    claims = [{"source": f"{unique}-s", "locator": str(place), "quote": quote} for place, quote in enumerate(quotes)]
    make(writer, "events", collection=unique, title="many", claims=claims)
    make(writer, "events", collection=unique, title=f"long {long}")
    for text in ("w0x0", "w3x1499", "w3x1499 w0x7", '"w3x1498 w3x1499"', "many", "w3x149*"):
        assert listed(client, collection=unique, q=text) == ["many"], text
    for text in (long, f"{long[:70]}*", f"{long[:60]}*"):
        assert listed(client, collection=unique, q=text) == [f"long {long}"], text
    for text in (long[:60], f"{long}x*", "w3x1500", "w4x0"):
        assert listed(client, collection=unique, q=text) == [], text
