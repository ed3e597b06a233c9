"""A private collection is nowhere: what nobody but its readers ever learns of it, whatever is asked, when and how.

Each test has a public and a private collection whose things are alike, but that all names in the private one hold a
word that stands nowhere else. The word, and the private events' ids, are then looked for in whole answers.
"""

import base64
import secrets
from collections.abc import Iterator
from itertools import chain
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from tests.api.calls import KEYED, Document, address, get, head_of, listed, make, pages, patch, refused, remove, revise
from tests.api.test_keys import holder
from tests.conftest import Live


class World(msgspec.Struct, frozen=True):
    """home: the public collection, the tag of all events, in the names of everything.

    word: in the slugs, keys, names and messages of everything that only the private collection knows.
    """

    home: str
    word: str
    seen: Document
    pointing: Document
    hidden: Document
    retracted: Document
    began: int
    ended: int

    @property
    def secret(self) -> str:
        return f"{self.word}-c"

    @property
    def revisions(self) -> range:
        return range(self.began, self.ended + 1)

    @property
    def ids(self) -> list[str]:
        claims = [*self.hidden["claims"], *self.retracted["claims"]]
        return [self.hidden["id"], self.retracted["id"], *(claim["id"] for claim in claims)]

    def found_in(self, answer: httpx.Response) -> list[str]:
        """What of the private collection the answer tells, in its body, its headers or the place in its cursor."""
        told = "\n".join([*(f"{name}: {value}" for name, value in answer.headers.items()), answer.text])
        found = [needle for needle in (self.word, *self.ids) if needle in told]
        cursor = answer.links.get("next", {}).get("url", "").partition("cursor=")[2]
        numbers = set(_numbers_in(cursor)) & {number_of(self.hidden["id"]), number_of(self.retracted["id"])}
        return found + [f"event number {number}" for number in numbers]


def number_of(id: str) -> int:
    """An event's number, which the leading bits of its id are."""
    value = UUID(id).int
    return (value >> 80) << 18 | (value >> 64 & 0xFFF) << 6 | value >> 56 & 0x3F


def _numbers_in(cursor: str) -> Iterator[int]:
    if cursor:
        _, _, place = msgspec.msgpack.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        yield from (part for part in place if isinstance(part, int))


def make_world(writer: httpx.Client, visibility: str = "private") -> World:
    """The private collection was public at first: a public event points at one of its events, a timeline pins it."""
    home, word = f"t{secrets.token_hex(6)}", f"w{secrets.token_hex(6)}"
    began = head_of(writer)
    with httpx.Client(base_url=writer.base_url, headers=writer.headers, timeout=30) as telling:
        telling.headers["Revision-Message"] = f"about {word}"
        events: dict[str, Document] = {}
        for name, slug, by in (("seen", home, writer), ("hidden", word, telling)):
            make(by, "collections", slug=home if name == "seen" else f"{word}-c", title=f"{home} {slug}")
            for actor in ("a", "press", "speaker"):
                make(by, "actors", slug=f"{slug}-{actor}", name=f"{home} {slug}")
            for source in ("root", "s"):
                make(
                    by,
                    "sources",
                    slug=f"{slug}-{source}",
                    title=f"{home} {slug}",
                    publisher=f"{slug}-press",
                    published="2020" if source == "root" else "2021",
                    derived_from=[] if source == "root" else [f"{slug}-root"],
                )
            events[name] = make(
                by,
                "events",
                collection=home if name == "seen" else f"{word}-c",
                title=f"{home} {slug}",
                key=f"{slug}-k",
                tags=[home],
                occurred="2001" if name == "seen" else "2000",
                actors=[{"actor": f"{slug}-a", "role": slug}],
                claims=[{"source": f"{slug}-s", "via": f"{slug}-root", "speakers": [f"{slug}-speaker"]}],
                places=[{"name": f"{home} {slug}"}],
                attributes={slug: slug},
                relations=[] if name == "seen" else [{"type": "causes", "event": events["seen"]["id"]}],
            )
        pointing = make(
            writer,
            "events",
            collection=home,
            title=home,
            tags=[home],
            occurred="2003",
            relations=[{"type": "follows", "event": events["hidden"]["id"]}],
        )
        retracted = make(
            telling,
            "events",
            collection=f"{word}-c",
            title=f"{home} {word}",
            key=f"{word}-gone",
            tags=[home],
            occurred="2002",
            claims=[{"source": f"{word}-s"}],
        )
        make(
            writer,
            "timelines",
            slug=home,
            title=home,
            selection={"collection": [home, f"{word}-c"], "tag": home},
            include=[events["hidden"]["id"], events["seen"]["id"]],
            exclude=[retracted["id"]],
        )
        make(writer, "timelines", slug=f"{home}-tag", title=home, selection={"tag": home})
        revise(telling, "collections", {"slug": f"{word}-c"}, visibility=visibility)
        revise(telling, "events", events["hidden"], summary=word)
        remove(telling, "events", retracted)
    return World(home, word, events["seen"], pointing, events["hidden"], retracted, began, head_of(writer))


@pytest.fixture(scope="module")
def world(live: Live) -> Iterator[World]:
    """To be read; who changes something makes a world of their own."""
    with httpx.Client(base_url=live.base_url, headers={"Authorization": f"Bearer {live.key}"}, timeout=30) as writer:
        yield make_world(writer)


@pytest.fixture(scope="module", params=["anyone", "a reader of another collection"])
def outsider(request: pytest.FixtureRequest, live: Live, world: World) -> Iterator[httpx.Client]:
    """Whoever may not see the private collection."""
    if request.param == "anyone":
        with httpx.Client(base_url=live.base_url, timeout=30) as anyone:
            yield anyone
    else:
        with holder(live, "read", world.home, f"{world.home}-other") as reader:
            yield reader


@pytest.fixture(scope="module")
def insider(live: Live, world: World) -> Iterator[httpx.Client]:
    """The holder of a reading key for the private collection."""
    with holder(live, "read", world.secret) as reader:
        yield reader


@pytest.fixture
def own(writer: httpx.Client) -> World:
    """A world that the test may change."""
    return make_world(writer)


def every_page(client: httpx.Client, path: str) -> Iterator[httpx.Response]:
    """The answers of a reading, page by page."""
    while True:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        yield answer
        if "next" not in answer.links:
            return
        path = answer.links["next"]["url"]


# Requests that name nothing private; where the private collection is in sight, each tells of it.
READS = {
    "a listing": "/v1/events?tag={home}",
    "a listing page by page": "/v1/events?tag={home}&limit=1",
    "a listing backwards": "/v1/events?tag={home}&limit=1&order=desc",
    "a window": "/v1/events?tag={home}&from=2000&to=2000",
    "what was known": "/v1/events?tag={home}&known_at=2022",
    "a claim's date": "/v1/events?tag={home}&published_from=2021&published_to=2021",
    "a standing": "/v1/events?tag={home}&standing=reported&min_origins=1",
    "single members": "/v1/events?tag={home}&fields=id,key,title,actors,claims,relations",
    "what points at an event": "/v1/events?related_to={seen}&direction=in",
    "what an event points at": "/v1/events?related_to={pointing}&direction=out",
    "what holds words": "/v1/events?q=%22{home}%22",
    "what holds a beginning": "/v1/events?q={home}*&limit=1",
    "what is tied to an event": "/v1/events?related_to={pointing}&direction=both&relation=follows&relation=causes",
    "an event that points there": "/v1/events/{pointing}",
    "its history": "/v1/events/{pointing}/history",
    "a timeline": "/v1/timelines/{home}",
    "timelines": "/v1/timelines?q={home}",
    "a timeline's events": "/v1/timelines/{home}/events",
    "a timeline of a tag": "/v1/timelines/{home}-tag/events?limit=1",
    "a timeline by parameter": "/v1/events?timeline={home}&limit=1",
    "actors": "/v1/actors?q={home}",
    "actors page by page": "/v1/actors?q={home}&limit=1",
    "sources": "/v1/sources?q={home}",
    "collections": "/v1/collections?q={home}",
    "a diff of revisions": "/v1/diff?tag={home}&base_revision={began}&head_revision={ended}",
    "a diff of revisions page by page": "/v1/diff?tag={home}&base_revision={began}&head_revision={ended}&limit=1",
    "a diff backwards": "/v1/diff?tag={home}&base_revision={ended}&head_revision={began}&limit=1",
    "a diff of listings": "/v1/diff?base_tag=none&head_tag={home}&limit=1",
    "a diff of what was known": "/v1/diff?tag={home}&base_known_at=2019&head_known_at=2022&limit=1",
    "a diff by key": "/v1/diff?base_tag={home}&head_tag=none&match_on=key&limit=1",
    "a diff of timelines": "/v1/diff?base_timeline={home}&head_timeline={home}-tag&head_from=2003",
}


def filled(path: str, world: World) -> str:
    return path.format(
        home=world.home,
        word=world.word,
        secret=world.secret,
        seen=world.seen["id"],
        pointing=world.pointing["id"],
        hidden=world.hidden["id"],
        retracted=world.retracted["id"],
        seen_at=world.retracted["revision"],
        began=world.began,
        ended=world.ended,
    )


@pytest.mark.parametrize("path", READS.values(), ids=READS.keys())
def test_no_answer_tells_of_it(path: str, outsider: httpx.Client, insider: httpx.Client, world: World) -> None:
    path = filled(path, world)
    for answer in every_page(outsider, path):
        assert world.found_in(answer) == []
    assert any(world.found_in(answer) for answer in every_page(insider, path))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/diff?tag={home}&base_revision={began}",
        "/v1/diff?base_tag=none&head_tag={home}",
    ],
)
def test_no_change_note_tells_of_it(path: str, outsider: httpx.Client, insider: httpx.Client, world: World) -> None:
    path = filled(path, world)
    note = {"Accept": "text/markdown"}
    assert world.found_in(outsider.get(path, headers=note)) == []
    assert world.word in insider.get(path, headers=note).text


@pytest.mark.parametrize(
    "path",
    ["/v1/events?tag={home}", "/v1/events?timeline={home}", "/v1/actors?q={home}", "/v1/sources?q={home}",
     "/v1/collections?q={home}", "/v1/timelines?q={home}", "/v1/diff?tag={home}&head_tag=none"],
)  # fmt: skip
def test_no_revision_tells_of_it_not_even_when_it_was_public(path: str, outsider: httpx.Client, world: World) -> None:
    path = filled(path, world)
    for revision in world.revisions:
        for answer in every_page(outsider, f"{path}&revision={revision}"):
            assert world.found_in(answer) == []


def test_an_event_that_points_there_is_the_same_at_every_revision_but_for_that(
    outsider: httpx.Client, insider: httpx.Client, world: World
) -> None:
    path = address("events", world.pointing)
    shown, whole = get(outsider, path), get(insider, path)
    assert whole["relations"] == world.pointing["relations"]
    assert shown == {**whole, "relations": []}
    at = get(outsider, path, revision=world.pointing["revision"])
    assert at == shown
    (first,) = get(outsider, f"{path}/history")["items"]
    assert first["event"] == {**world.pointing, "relations": []}


def test_counts_leave_it_out(outsider: httpx.Client, insider: httpx.Client, world: World) -> None:
    for query, mine, all_of_it in (
        ({"tag": world.home, "base_revision": world.began, "head_revision": world.ended}, 2, 3),
        ({"base_tag": "none", "head_tag": world.home}, 2, 3),
        ({"base_tag": "none", "head_tag": world.home, "match_on": "key"}, 2, 3),
        ({"base_tag": "none", "head_timeline": world.home}, 2, 3),
    ):
        assert get(outsider, "/v1/diff", **query)["summary"]["added"] == mine
        assert get(insider, "/v1/diff", **query)["summary"]["added"] == all_of_it


def test_the_log_has_numbers_and_times_of_it_and_nothing_else(
    outsider: httpx.Client, insider: httpx.Client, world: World
) -> None:
    told = 0
    for revision in world.revisions[1:]:
        answer = outsider.get(f"/v1/revisions/{revision}")
        assert world.found_in(answer) == []
        entry, whole = answer.json(), get(insider, f"/v1/revisions/{revision}")
        assert (entry["revision"], entry["recorded"]) == (revision, whole["recorded"])
        if world.word in (whole["message"] or ""):
            told += 1
            assert [entry[name] for name in ("author", "cause", "message", "counts")] == [None] * 4
            assert whole["author"]
            assert whole["counts"]
        elif whole["counts"]:
            assert entry == whole
    # All that was written about it: a collection, three actors, two sources, two events, a revision of each kind.
    assert told == 11
    for answer in chain(
        every_page(outsider, "/v1/revisions?limit=500"), every_page(outsider, "/v1/revisions?order=asc&limit=500")
    ):
        assert world.found_in(answer) == []


def test_what_is_named_there_and_here_counts_only_here(
    live: Live, writer: httpx.Client, client: httpx.Client, own: World
) -> None:
    source = make(writer, "sources", slug=f"{own.home}-both", published="2020")
    for collection in (own.home, own.secret):
        make(writer, "events", collection=collection, claims=[{"source": source["slug"]}])
    revised = revise(writer, "sources", source, published="2021")["revision"]
    assert get(client, f"/v1/revisions/{revised}")["counts"] == {"revised": 1, "sources": 1}
    with holder(live, "read", own.secret) as insider:
        assert get(insider, f"/v1/revisions/{revised}")["counts"] == {"revised": 2, "sources": 1}


# --- What it is called by

# Requests that name something private, with the end of its slug after the word: `@` is where the name stands.
BY_SLUG = {
    "a collection": ("/v1/collections/@", "-c"),
    "a collection when it was public": ("/v1/collections/@?revision={seen_at}", "-c"),
    "an actor": ("/v1/actors/@", "-a"),
    "an actor when it was public": ("/v1/actors/@?revision={seen_at}", "-a"),
    "a publisher": ("/v1/actors/@", "-press"),
    "a speaker": ("/v1/actors/@", "-speaker"),
    "a source": ("/v1/sources/@", "-s"),
    "what a source rests on": ("/v1/sources/@", "-root"),
    "events of a collection": ("/v1/events?collection=@", "-c"),
    "events of an actor": ("/v1/events?actor=@", "-a"),
    "events of a role": ("/v1/events?role=@", ""),
    "events of a source": ("/v1/events?source=@", "-s"),
    "events of a publisher": ("/v1/events?publisher=@", "-press"),
    "events of a speaker": ("/v1/events?speaker=@", "-speaker"),
    "events of a word": ("/v1/events?q=@", ""),
    "events without a word": ("/v1/events?tag={home}&q=-@", ""),
    "an account": ("/v1/events?according_to=@", "-press"),
    "a source's account": ("/v1/events?according_to_source=@", "-s"),
    "an event by key": ("/v1/events?key=@", "-k"),
    "an event by key when it was public": ("/v1/events?key=@&revision={seen_at}", "-k"),
    "an event by key and collection": ("/v1/events?key=@&collection={secret}", "-k"),
    "a search for actors": ("/v1/actors?q=@", ""),
    "a search for sources": ("/v1/sources?q=@", ""),
    "a search for collections": ("/v1/collections?q=@", ""),
    "a diff of a collection": ("/v1/diff?base_collection=@&head_tag=none", "-c"),
    "a diff of a collection's revisions": ("/v1/diff?collection=@&base_revision=0", "-c"),
    "a diff of a key": ("/v1/diff?base_key=@&head_tag=none&match_on=key", "-k"),
}
BY_ID = {
    "an event": "/v1/events/@",
    "an event when it was public": "/v1/events/@?revision={seen_at}",
    "its history": "/v1/events/@/history",
    "an event by id": "/v1/events?id=@",
    "an event by id when it was public": "/v1/events?id=@&revision={seen_at}",
    "what points at it": "/v1/events?related_to=@",
    "what it points at": "/v1/events?related_to=@&direction=out",
    "what is tied to it": "/v1/events?related_to=@&direction=both",
    "a diff of it": "/v1/diff?base_id=@&head_tag=none",
    "a diff of what is tied to it": "/v1/diff?base_related_to=@&base_direction=both&head_tag=none",
    "a diff of its revisions": "/v1/diff?id=@&base_revision=0",
}


def answer_but_for(client: httpx.Client, path: str, name: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of the answer about a name, `@` in its place, without what follows from its letters."""
    answer = client.get(path.replace("@", name))
    headers = {
        key: value for key, value in answer.headers.items() if key not in ("etag", "date", "content-length", "server")
    }
    return answer.status_code, headers, answer.text.replace(name, "@")


@pytest.mark.parametrize(("path", "end"), BY_SLUG.values(), ids=BY_SLUG.keys())
def test_its_names_are_as_good_as_never_given(
    path: str, end: str, outsider: httpx.Client, insider: httpx.Client, world: World
) -> None:
    path = filled(path, world)
    nobody = f"{world.word[::-1]}{end}"
    shown = answer_but_for(outsider, path, f"{world.word}{end}")
    assert shown == answer_but_for(outsider, path, nobody)
    assert answer_but_for(insider, path, f"{world.word}{end}") != answer_but_for(insider, path, nobody)


@pytest.mark.parametrize("path", BY_ID.values(), ids=BY_ID.keys())
@pytest.mark.parametrize("which", ["hidden", "retracted"])
def test_its_ids_are_as_good_as_never_given(
    path: str, which: str, outsider: httpx.Client, insider: httpx.Client, world: World
) -> None:
    path = filled(path, world)
    id, nobody = getattr(world, which)["id"], "0199cdef-0000-7000-8000-000000000000"
    assert answer_but_for(outsider, path, id) == answer_but_for(outsider, path, nobody)
    if which == "hidden":
        assert answer_but_for(insider, path, id) != answer_but_for(insider, path, nobody)


def test_who_writes_elsewhere_learns_nothing_of_it(live: Live, world: World) -> None:
    """What a writer's refusals say of its names and ids, they say of any."""
    id, nobody = world.hidden["id"], "0199cdef-0000-7000-8000-000000000000"
    with holder(live, "write", world.home) as elsewhere:

        def refusal(method: str, path: str, name: str, body: Any) -> tuple[int, str | None, str]:
            kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
            content = msgspec.json.encode(body).replace(b"@", name.encode())
            answer = elsewhere.request(
                method,
                path.replace("@", name),
                content=content or None,
                headers={"If-Match": "*", "Content-Type": kind},
            )
            assert answer.status_code >= 400
            return answer.status_code, answer.headers.get("Location"), answer.text.replace(name, "@")

        for method, path, body, names in (
            ("POST", "/v1/events", {"title": "x", "collection": "@"}, "slug"),
            ("POST", "/v1/events", {"title": "x", "collection": "@", "key": f"{world.word}-k"}, "slug"),
            ("PATCH", "/v1/collections/@", {"title": "x"}, "slug"),
            ("DELETE", "/v1/collections/@", None, "slug"),
            ("POST", "/v1/collections", {"slug": "@", "title": "x"}, "slug"),
            ("PATCH", "/v1/events/@", {"title": "x"}, "id"),
            ("DELETE", "/v1/events/@", None, "id"),
            ("POST", "/v1/events", {"title": "x", "collection": world.home,
                                    "relations": [{"type": "causes", "event": "@"}]}, "id"),
            ("POST", "/v1/events/batch", [{"title": "x", "collection": "@"}], "slug"),
            ("POST", "/v1/events/batch?collection=@", [{"title": "x", "key": f"{world.word}-k"}], "slug"),
            ("POST", "/v1/events/batch?collection=@&on_existing=fail", [{"key": f"{world.word}-k"}], "slug"),
            ("POST", "/v1/events/batch?dry_run=true", [{"title": "x", "collection": world.home,
                                                        "relations": [{"type": "causes", "event": "@"}]}], "id"),
            ("POST", "/v1/events/@/revert", {"revision": world.hidden["revision"]}, "id"),
            ("POST", "/v1/timelines", {"slug": f"{world.home}-x", "title": "x", "include": ["@"]}, "id"),
            ("POST", "/v1/timelines", {"slug": f"{world.home}-x", "title": "x", "exclude": ["@"]}, "id"),
            ("PATCH", f"/v1/timelines/{world.home}-tag", {"include": ["@"]}, "id"),
        ):  # fmt: skip
            there, never = (world.secret, f"{world.word[::-1]}-c") if names == "slug" else (id, nobody)
            assert refusal(method, path, there, body) == refusal(method, path, never, body), (method, path, body)


# --- Timelines


def test_a_timelines_document_has_the_pins_and_collections_in_sight(
    outsider: httpx.Client, insider: httpx.Client, world: World
) -> None:
    for client, collections, include, exclude in (
        (outsider, [world.home], [world.seen["id"]], []),
        (insider, [world.home, world.secret], [world.hidden["id"], world.seen["id"]], [world.retracted["id"]]),
    ):
        timeline = get(client, f"/v1/timelines/{world.home}")
        assert timeline["selection"] == {"collection": collections, "tag": world.home}
        assert (timeline["include"], timeline["exclude"]) == (include, exclude)
        (item,) = (each for each in get(client, "/v1/timelines", q=world.home)["items"] if each["slug"] == world.home)
        assert item == timeline


def test_a_timeline_of_nothing_in_sight_chooses_nothing(
    writer: httpx.Client, outsider: httpx.Client, insider: httpx.Client, world: World
) -> None:
    hidden = world.hidden
    (actor,), (claim,) = hidden["actors"], hidden["claims"]
    for selection in (
        {"collection": world.secret},
        {"id": [hidden["id"]]},
        {"key": hidden["key"]},
        {"actor": actor["actor"]},
        {"speaker": claim["speakers"]},
        {"publisher": f"{world.word}-press"},
        {"according_to": f"{world.word}-speaker"},
        {"source": [claim["source"]]},
        {"according_to_source": claim["source"]},
    ):
        slug = f"{world.home}-only-{secrets.token_hex(3)}"
        make(writer, "timelines", slug=slug, selection=selection)
        answer = outsider.get(f"/v1/timelines/{slug}")
        assert world.found_in(answer) == []
        assert answer.json()["selection"] == {next(iter(selection)): []}
        assert listed(outsider, timeline=slug) == []
        assert listed(insider, timeline=slug) == [world.hidden["title"]]


def test_who_revises_a_timeline_keeps_the_pins_out_of_sight(live: Live, writer: httpx.Client, own: World) -> None:
    with holder(live, "write", own.home) as elsewhere:
        timeline = {"slug": own.home}
        assert own.found_in(patch(elsewhere, f"/v1/timelines/{own.home}", {"title": "renamed"})) == []
        assert own.found_in(patch(elsewhere, f"/v1/timelines/{own.home}", {"include": [own.pointing["id"]]})) == []
        whole = get(writer, address("timelines", timeline))
    assert whole["title"] == "renamed"
    assert whole["selection"] == {"collection": [own.home, own.secret], "tag": own.home}
    assert set(whole["include"]) == {own.pointing["id"], own.hidden["id"]}
    assert whole["exclude"] == [own.retracted["id"]]


def test_a_private_timeline_is_nowhere(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    begin = head_of(client)
    slug = f"{unique}-line"
    timeline = make(writer, "timelines", slug=slug)
    revise(writer, "timelines", timeline, visibility="private")
    head = head_of(client)
    for path in ("/v1/timelines/@", f"/v1/timelines/@?revision={timeline['revision']}", "/v1/timelines/@/events",
                 "/v1/events?timeline=@", "/v1/diff?base_timeline=@"):  # fmt: skip
        assert answer_but_for(client, path, slug) == answer_but_for(client, path, slug[::-1])
    for query in ({"q": unique}, {"q": unique, "revision": timeline["revision"]}):
        assert get(client, "/v1/timelines", **query)["items"] == []
        assert len(get(writer, "/v1/timelines", **query)["items"]) == 1
    for revision in range(begin + 1, head + 1):
        entry = get(client, f"/v1/revisions/{revision}")
        assert (entry["author"], entry["counts"]) == (None, None)
    remove(writer, "timelines", timeline)
    assert answer_but_for(client, "/v1/timelines/@", slug) == answer_but_for(client, "/v1/timelines/@", slug[::-1])


# --- Writes to it


def test_a_write_to_it_leaves_no_trace(writer: httpx.Client, client: httpx.Client, own: World) -> None:
    """Not in a tag, nor in a byte but for the number of the newest revision."""
    pinned = {"tag": own.home, "revision": head_of(client)}
    listings = ["/v1/events", "/v1/actors", "/v1/sources", "/v1/collections", "/v1/timelines"]
    single = [
        address("events", own.seen),
        address("events", own.pointing),
        f"/v1/timelines/{own.home}",
        f"/v1/actors/{own.home}-a",
        f"/v1/sources/{own.home}-s",
        f"/v1/collections/{own.home}",
        f"/v1/events?tag={own.home}&revision={pinned['revision']}",
        f"/v1/diff?tag={own.home}&base_revision={own.began}&head_revision={pinned['revision']}",
    ]

    def live() -> list[Document]:
        pages_ = [get(client, path, **({"tag": own.home} if path == "/v1/events" else {"q": own.home}))
                  for path in listings]  # fmt: skip
        return [{**page, "revision": None} for page in pages_] + [
            {**get(client, f"/v1/events/{own.pointing['id']}/history"), "revision": None}
        ]

    def tags() -> list[tuple[str, bytes]]:
        answers = [client.get(path) for path in single]
        return [(answer.headers["ETag"], answer.content) for answer in answers]

    before, shown = tags(), live()
    base = head_of(client)
    revise(writer, "events", own.hidden, title="renamed", relations=[])
    revise(writer, "actors", {"slug": f"{own.word}-a"}, name=f"{own.home} renamed")
    revise(writer, "sources", {"slug": f"{own.word}-s"}, published="2022")
    make(writer, "actors", slug=f"{own.word}-new", name=own.home)
    new = make(writer, "events", collection=own.secret, tags=[own.home], actors=[{"actor": f"{own.word}-new"}])
    answer = writer.post(f"/v1/actors/{own.word}-new/merge", json={"into": f"{own.word}-a"})
    assert answer.status_code == 200
    remove(writer, "events", new)
    remove(writer, "events", own.hidden)
    assert tags() == before
    assert live() == shown
    diff = get(client, "/v1/diff", base_revision=base, tag=own.home)
    assert (diff["items"], diff["summary"]) == ([], {"added": 0, "removed": 0, "changed": 0})
    for revision in range(base + 1, head_of(client) + 1):
        entry = get(client, f"/v1/revisions/{revision}")
        assert [entry[name] for name in ("author", "cause", "message", "counts")] == [None] * 4


# --- When it becomes private

# Whatever was in hand when it was public; after the change it is followed again.
HELD = {
    "a listing": "/v1/events?tag={home}&limit=1",
    "a listing backwards": "/v1/events?tag={home}&limit=1&order=desc",
    "a pinned listing": "/v1/events?tag={home}&limit=1&revision={ended}",
    "a listing of it": "/v1/events?collection={home}&collection={secret}&limit=1&order=desc&fields=title,id",
    "a timeline": "/v1/timelines/{home}/events?limit=1",
    "actors": "/v1/actors?q={home}&limit=1",
    "sources": "/v1/sources?q={home}&limit=1",
    "collections": "/v1/collections?q={home}&limit=1",
    "a diff of revisions": "/v1/diff?tag={home}&base_revision={began}&head_revision={ended}&limit=1",
    "a diff of listings": "/v1/diff?base_tag=none&head_tag={home}&limit=1",
    "a diff by key": "/v1/diff?base_tag=none&head_tag={home}&match_on=key&limit=1",
}


def without_addresses(world: World, answer: httpx.Response) -> list[str]:
    """What an answer tells of the private collection, but for the request's own parameters in addresses."""
    if world.secret in str(answer.url):
        body = {**answer.json(), "next": None}
        answer = httpx.Response(200, json=body)
    return world.found_in(answer)


@pytest.mark.parametrize("path", HELD.values(), ids=HELD.keys())
def test_a_cursor_given_out_before_tells_nothing_after(path: str, writer: httpx.Client, client: httpx.Client) -> None:
    world = make_world(writer, visibility="public")
    path = filled(path, world)
    held = [answer.links["next"]["url"] for answer in every_page(client, path) if "next" in answer.links]
    assert any(without_addresses(world, client.get(page)) for page in held)
    revise(writer, "collections", {"slug": world.secret}, visibility="private")
    for page in held:
        for answer in every_page(client, page):
            assert without_addresses(world, answer) == []


def test_a_tag_given_out_before_is_good_for_nothing_after(writer: httpx.Client, client: httpx.Client) -> None:
    world = make_world(writer, visibility="public")
    lists = [path for path in READS.values() if "{hidden}" not in path]
    paths = [filled(path, world) for path in lists]
    gone = [
        address("events", world.hidden),
        f"/v1/events/{world.hidden['id']}/history",
        f"/v1/events/{world.retracted['id']}/history",
        f"/v1/collections/{world.secret}",
        f"/v1/actors/{world.word}-a",
        f"/v1/sources/{world.word}-s",
    ]
    tags = {path: client.get(path).headers["ETag"] for path in (*paths, *gone)}
    for path in (*paths, *gone):
        assert client.get(path, headers={"If-None-Match": tags[path]}).status_code == 304, path
    told = {path: world.found_in(client.get(path)) for path in paths}
    revise(writer, "collections", {"slug": world.secret}, visibility="private")
    for path in gone:
        refused(client.get(path, headers={"If-None-Match": tags[path]}), 404, "not-found")
        refused(client.get(path, headers={"If-None-Match": "*"}), 404, "not-found")
    for path in paths:
        answer = client.get(path, headers={"If-None-Match": tags[path]})
        # Where it was told of, the answer is another now.
        assert answer.status_code == 200 or not told[path], path
        assert world.found_in(answer) == []


def test_a_relation_into_it_goes_from_every_revision_and_diff(writer: httpx.Client, client: httpx.Client) -> None:
    world = make_world(writer, visibility="public")
    path = address("events", world.pointing)
    other = {"type": "causes", "event": world.seen["id"]}
    revise(writer, "events", world.pointing, relations=[other, {"type": "follows", "event": world.hidden["id"]}])
    assert len(get(client, path)["relations"]) == 2
    revise(writer, "collections", {"slug": world.secret}, visibility="private")
    assert [each["event"] for each in get(client, path)["relations"]] == [world.seen["id"]]
    assert get(client, path, revision=world.pointing["revision"])["relations"] == []
    history = client.get(f"{path}/history")
    assert world.found_in(history) == []
    assert [len(item["event"]["relations"]) for item in history.json()["items"]] == [0, 1]
    note = client.get(f"{path}/history", headers={"Accept": "text/markdown"})
    assert world.found_in(note) == []
    assert "relations: changed" in note.text
    query = {"base_revision": world.pointing["revision"], "id": world.pointing["id"]}
    diff = client.get("/v1/diff", params=query)
    assert world.found_in(diff) == []
    assert [item["fields"] for item in diff.json()["items"]] == [["relations"]]
    # To take the hidden relation away is no change that anyone outside would see.
    base = head_of(client)
    revise(writer, "events", world.pointing, relations=[other])
    diff = client.get("/v1/diff", params={**query, "base_revision": base})
    assert diff.json()["items"] == []


# --- When it becomes public


def test_once_public_it_is_everywhere_as_it_always_was(
    live: Live, writer: httpx.Client, client: httpx.Client, own: World
) -> None:
    paths = [filled(path, own) for path in READS.values()]
    paths += [f"/v1/events?tag={own.home}&revision={revision}" for revision in own.revisions]
    paths += [address("events", own.hidden), f"/v1/events/{own.retracted['id']}/history"]
    revise(writer, "collections", {"slug": own.secret}, visibility="public")
    with holder(live, "read") as reader:
        for path in paths:
            assert client.get(path).content == reader.get(path).content, path
    assert own.found_in(client.get(f"/v1/events?tag={own.home}&revision={own.ended}"))
    for revision in own.revisions[1:]:
        assert get(client, f"/v1/revisions/{revision}")["author"] == "tests"


def test_a_cursor_given_out_before_goes_on_with_what_has_become_public(
    writer: httpx.Client, client: httpx.Client, own: World
) -> None:
    """Visibility is today's on each page, of the revision that the reading began with."""
    for year in (2004, 2005):
        make(writer, "events", collection=own.home, title=str(year), tags=[own.home], occurred=str(year))
    make(writer, "events", collection=own.secret, title="come to light", tags=[own.home], occurred="2004-06")
    first = get(client, "/v1/events", tag=own.home, limit=3)
    assert [event["title"] for event in first["items"]][2] == "2004"
    revise(writer, "collections", {"slug": own.secret}, visibility="public")
    rest = client.get(first["next"]).json()
    assert [event["title"] for event in rest["items"]] == ["come to light", "2005"]
    assert rest["revision"] == first["revision"]


def test_a_tag_given_out_before_does_not_hide_what_has_become_public(
    writer: httpx.Client, client: httpx.Client, own: World
) -> None:
    pinned = f"/v1/events?tag={own.home}&revision={own.ended}"
    paths = [pinned, f"/v1/timelines/{own.home}", address("events", own.pointing), f"/v1/actors?q={own.home}"]
    tags = {path: client.get(path).headers["ETag"] for path in paths}
    revise(writer, "collections", {"slug": own.secret}, visibility="public")
    for path in paths:
        answer = client.get(path, headers={"If-None-Match": tags[path]})
        assert answer.status_code == 200
        assert own.found_in(answer)


def test_what_depends_on_who_asks_is_stored_for_nobody_else(
    outsider: httpx.Client, insider: httpx.Client, world: World
) -> None:
    for path in (filled(path, world) for path in READS.values()):
        for answer in (outsider.get(path), insider.get(path)):
            assert "Authorization" in answer.headers["Vary"]
            if "Authorization" in answer.request.headers:
                assert answer.headers["Cache-Control"] == KEYED


# --- Actors and sources


def test_a_merge_into_a_name_known_only_there_shows_no_more_than_that_name(
    writer: httpx.Client, client: httpx.Client, own: World
) -> None:
    """A visible actor that stands for another makes that other one visible, and nothing that it takes part in."""
    answer = writer.post(f"/v1/actors/{own.home}-a/merge", json={"into": f"{own.word}-a"})
    assert answer.status_code == 200
    page = get(client, "/v1/events", tag=own.home, actor=f"{own.word}-a")
    assert [event["title"] for event in page["items"]] == [own.seen["title"]]
    assert f"{own.word}-a" in page["included"]["actors"]
    moved = client.get(f"/v1/actors/{own.home}-a")
    assert (moved.status_code, moved.headers["Location"]) == (308, f"{client.base_url}/v1/actors/{own.word}-a")
    assert client.get(moved.headers["Location"]).status_code == 200
    refused(client.get(f"/v1/actors/{own.word}-press"), 404, "not-found")


def test_a_name_known_only_there_that_is_merged_stays_unknown(
    writer: httpx.Client, client: httpx.Client, own: World
) -> None:
    answer = writer.post(f"/v1/actors/{own.word}-a/merge", json={"into": f"{own.home}-a"})
    assert answer.status_code == 200
    refused(client.get(f"/v1/actors/{own.word}-a"), 404, "not-found")
    for path in (
        f"/v1/actors?q={own.home}",
        f"/v1/actors/{own.home}-a",
        f"/v1/events?tag={own.home}",
        f"/v1/events?actor={own.home}-a",
        f"/v1/diff?base_revision={own.began}&actor={own.home}-a",
    ):
        assert own.found_in(client.get(path)) == []


def test_what_a_visible_source_rests_on_is_visible(writer: httpx.Client, client: httpx.Client, own: World) -> None:
    """A root of a visible source, near or far, and who published it; not what else rests on the same root."""
    make(writer, "sources", slug=f"{own.home}-middle", derived_from=[f"{own.word}-root"])
    source = make(writer, "sources", slug=f"{own.home}-near", derived_from=[f"{own.home}-middle"])
    make(writer, "events", collection=own.home, claims=[{"source": source["slug"]}])
    for path in (f"sources/{own.home}-middle", f"sources/{own.word}-root", f"actors/{own.word}-press"):
        assert client.get(f"/v1/{path}").status_code == 200, path
    for path in (f"sources/{own.word}-s", f"actors/{own.word}-a", f"actors/{own.word}-speaker"):
        refused(client.get(f"/v1/{path}"), 404, "not-found")


def test_what_a_visible_source_comes_to_rest_on_becomes_visible(
    writer: httpx.Client, client: httpx.Client, own: World
) -> None:
    refused(client.get(f"/v1/sources/{own.word}-root"), 404, "not-found")
    before = head_of(client)
    revise(writer, "sources", {"slug": f"{own.home}-root"}, derived_from=[f"{own.word}-root"])
    assert client.get(f"/v1/sources/{own.word}-root").status_code == 200
    refused(client.get(f"/v1/sources/{own.word}-root?revision={before}"), 404, "not-found")


# --- Unlisted: by name, and in no list or count that does not name it


@pytest.fixture(scope="module")
def unlisted(live: Live) -> World:
    with httpx.Client(base_url=live.base_url, headers={"Authorization": f"Bearer {live.key}"}, timeout=30) as writer:
        return make_world(writer, visibility="unlisted")


UNNAMED = {
    name: path
    for name, path in READS.items()
    if not any(part in path for part in ("/v1/timelines/{home}", "timeline={home}", "/v1/timelines?", "{pointing}"))
}


@pytest.mark.parametrize("path", UNNAMED.values(), ids=UNNAMED.keys())
def test_unlisted_is_in_no_list_that_does_not_name_it(path: str, client: httpx.Client, unlisted: World) -> None:
    path = filled(path, unlisted)
    # A public event names it by its key and id, and nothing else of it.
    needles = (unlisted.secret, unlisted.hidden["title"], f"{unlisted.word}-a", f"{unlisted.word}-s", unlisted.ids[2])
    for answer in every_page(client, path):
        assert [needle for needle in needles if needle in answer.text] == []


@pytest.mark.parametrize("direction", ["out", "both"])
def test_unlisted_is_not_what_a_visible_event_points_at(direction: str, client: httpx.Client, unlisted: World) -> None:
    query = {"related_to": unlisted.pointing["id"], "direction": direction}
    assert listed(client, **query) == []
    assert listed(client, **query, collection=unlisted.secret) == [unlisted.hidden["title"]]


def test_unlisted_is_counted_nowhere(client: httpx.Client, unlisted: World) -> None:
    query = {"tag": unlisted.home, "base_revision": unlisted.began, "head_revision": unlisted.ended}
    assert get(client, "/v1/diff", **query)["summary"] == {"added": 2, "removed": 0, "changed": 0}
    named = {**query, "collection": [unlisted.home, unlisted.secret]}
    assert get(client, "/v1/diff", **named)["summary"] == {"added": 3, "removed": 0, "changed": 0}
    for revision in unlisted.revisions[1:]:
        assert unlisted.word not in client.get(f"/v1/revisions/{revision}").text


def test_a_timeline_of_events_named_by_id_has_the_unlisted_ones(
    writer: httpx.Client, client: httpx.Client, unlisted: World, unique: str
) -> None:
    hidden, seen = unlisted.hidden, unlisted.seen
    make(writer, "timelines", slug=unique, selection={"id": [hidden["id"], seen["id"]]})
    path = f"/v1/timelines/{unique}/events"
    assert {each["id"] for each in get(client, path)["items"]} == {hidden["id"], seen["id"]}
    for narrower in ({"collection": unlisted.secret}, {"id": hidden["id"]}, {"key": hidden["key"]}):
        assert [each["id"] for each in get(client, path, **narrower)["items"]] == [hidden["id"]]
    counted = get(client, "/v1/events/facets", timeline=unique, facet="tag")["tag"]
    assert {each["value"]: each["count"] for each in counted}[unlisted.home] == 2
    query = {"base_timeline": unique, "head_timeline": unique, "head_tag": "none-has-it"}
    for by in ("id", "key"):
        removed = [each["event"]["id"] for each in get(client, "/v1/diff", match_on=by, **query)["items"]]
        assert set(removed) == {hidden["id"], seen["id"]}
    make(writer, "collections", slug=unique)
    twin = make(writer, "events", collection=unique, key=hidden["key"])
    query = {"base_timeline": unique, "base_key": hidden["key"], "head_collection": unique}
    (change,) = get(client, "/v1/diff", match_on="key", **query)["items"]
    assert (change["op"], change["before"]["id"], change["after"]["id"]) == ("changed", hidden["id"], twin["id"])


def test_unlisted_is_no_other_of_a_key(writer: httpx.Client, client: httpx.Client, unlisted: World) -> None:
    """An event with the same key is told of as `other` only where its collection is listed or named."""
    twin = make(writer, "events", collection=unlisted.home, key=unlisted.hidden["key"], tags=["twin"])
    query = {"match_on": "key", "base_revision": unlisted.ended, "base_tag": "none", "head_id": twin["id"]}
    (item,) = get(client, "/v1/diff", **query)["items"]
    assert item["other"] is None
    (item,) = get(client, "/v1/diff", **query, base_collection=[unlisted.home, unlisted.secret])["items"]
    assert item["other"]["id"] == unlisted.hidden["id"]
    remove(writer, "events", twin)


def test_unlisted_is_readable_by_name(client: httpx.Client, unlisted: World) -> None:
    title = unlisted.hidden["title"]
    assert get(client, f"/v1/collections/{unlisted.secret}")["visibility"] == "unlisted"
    assert listed(client, collection=unlisted.secret) == [title]
    assert listed(client, id=unlisted.hidden["id"]) == [title]
    assert listed(client, timeline=unlisted.home) == [title, unlisted.seen["title"], unlisted.pointing["title"]]
    assert listed(client, timeline=f"{unlisted.home}-tag") == [unlisted.seen["title"], unlisted.pointing["title"]]
    event = get(client, address("events", unlisted.hidden))
    assert sorted(event["included"]["actors"]) == [f"{unlisted.word}-{name}" for name in ("a", "press", "speaker")]
    assert len(get(client, f"/v1/events/{unlisted.hidden['id']}/history")["items"]) == 2
    for path in (f"actors/{unlisted.word}-a", f"actors/{unlisted.word}-press", f"sources/{unlisted.word}-root"):
        assert client.get(f"/v1/{path}").status_code == 200


def test_an_unlisted_timeline_is_readable_by_name_only(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    timeline = make(writer, "timelines", slug=unique, visibility="unlisted")
    assert get(client, "/v1/timelines", q=unique)["items"] == []
    assert get(client, f"/v1/timelines/{unique}") == timeline
    assert client.get(f"/v1/timelines/{unique}/events").status_code == 200
    assert get(client, f"/v1/revisions/{timeline['revision']}")["counts"] is None


def test_pages_of_what_is_left_are_full(outsider: httpx.Client, world: World) -> None:
    """No short page and no page too many betrays that something was passed over."""
    read = pages(outsider, "/v1/events", tag=world.home, limit=1)
    assert [len(page["items"]) for page in read] == [1, 1]
    read = pages(outsider, "/v1/actors", q=world.home, limit=1)
    assert [len(page["items"]) for page in read] == [1, 1, 1]
    query = {"tag": world.home, "base_revision": world.began, "head_revision": world.ended, "limit": 1}
    assert [len(page["items"]) for page in pages(outsider, "/v1/diff", **query)] == [1, 1]


def test_a_merged_name_known_only_there_is_as_good_as_never_given(
    writer: httpx.Client, client: httpx.Client, own: World
) -> None:
    """That it stands for a visible actor is not told to who asks for it."""
    claim = {"source": f"{own.home}-s", "speakers": [f"{own.home}-a"]}
    make(writer, "events", collection=own.home, claims=[claim])
    answer = writer.post(f"/v1/actors/{own.word}-a/merge", json={"into": f"{own.home}-a"})
    assert answer.status_code == 200
    for parameter in ("actor", "speaker", "publisher", "according_to"):
        path = f"/v1/events?{parameter}=@"
        assert answer_but_for(client, path, f"{own.word}-a") == answer_but_for(client, path, f"{own.word[::-1]}-a")
        assert get(client, "/v1/events", **{parameter: f"{own.home}-a"}) is not None
    assert len(listed(writer, speaker=f"{own.word}-a")) == 1


def test_what_a_chain_of_merges_ends_in_is_visible(writer: httpx.Client, client: httpx.Client, own: World) -> None:
    """In whatever order its links were made."""
    for name in ("middle", "end"):
        make(writer, "actors", slug=f"{own.home}-{name}")
    for actor, into in (("middle", "end"), ("a", "middle")):
        answer = writer.post(f"/v1/actors/{own.home}-{actor}/merge", json={"into": f"{own.home}-{into}"})
        assert answer.status_code == 200
    moved = client.get(f"/v1/actors/{own.home}-a")
    assert (moved.status_code, moved.headers["Location"]) == (308, f"{client.base_url}/v1/actors/{own.home}-end")
    assert client.get(moved.headers["Location"]).status_code == 200


def test_who_revises_an_event_learns_nothing_of_what_it_points_at_out_of_sight(
    live: Live, writer: httpx.Client, own: World
) -> None:
    path = address("events", own.pointing)
    with holder(live, "write", own.home) as elsewhere:
        steps = [{"op": "copy", "from": "/relations/0/event", "path": "/summary"}]
        refused(patch(elsewhere, path, steps, kind="application/json-patch+json"), 422, "refused", "/0")
        relation = {"type": "causes", "event": own.seen["id"]}
        assert own.found_in(patch(elsewhere, path, {"title": "renamed", "relations": [relation]})) == []
    # And takes nothing of it away.
    event = get(writer, path)
    assert event["title"] == "renamed"
    assert {each["event"] for each in event["relations"]} == {own.seen["id"], own.hidden["id"]}


def test_once_deleted_it_stays_nowhere(writer: httpx.Client, client: httpx.Client, own: World) -> None:
    remove(writer, "events", own.hidden)
    remove(writer, "collections", {"slug": own.secret})
    for path, name in (
        ("/v1/collections/@", own.secret),
        ("/v1/events?collection=@", own.secret),
        (f"/v1/events?collection=@&revision={own.ended}", own.secret),
        (f"/v1/collections/@?revision={own.ended}", own.secret),
    ):
        assert answer_but_for(client, path, name) == answer_but_for(client, path, f"{own.word[::-1]}-c")
    for path in (f"/v1/events/{own.hidden['id']}", f"/v1/events/{own.hidden['id']}/history"):
        refused(client.get(path), 404, "not-found")
    assert own.found_in(client.get(f"/v1/events?tag={own.home}&revision={own.ended}")) == []
    assert own.found_in(client.get(f"/v1/timelines/{own.home}")) == []
