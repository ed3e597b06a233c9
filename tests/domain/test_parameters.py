"""Selection parameters as values: what is read, what is refused, and what a cursor is bound to."""

import base64
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import parameters
from service.domain.asking import Asked, Lenses, RelatedTo, asked, fields_of, included_of
from service.domain.cursors import Cursor, bound_of, cursor_of, cursor_text
from service.domain.dates import EARLIEST, LATEST
from service.domain.errors import InvalidParameter, RefusedParameter
from service.domain.filters import Bounds, Box, ClaimFilter, Filters
from service.domain.lenses import Position
from service.domain.parameters import LISTING, STORABLE, Query, check
from service.domain.text import Phrase, Piece, Text

DAY = 86_400


def faults_of(query: Query) -> list[tuple[str | None, str]]:
    with pytest.raises(InvalidParameter) as refusal:
        check(query, LISTING)
    return [(fault.parameter, fault.detail) for fault in refusal.value.faults]


def refusals_of(query: Query) -> list[str | None]:
    check(query, LISTING)
    with pytest.raises(RefusedParameter) as refusal:
        asked(query)
    return [fault.parameter for fault in refusal.value.faults]


# --- Reading


def test_an_empty_query_asks_for_everything() -> None:
    check({}, LISTING)
    assert asked({}) == Asked(
        filters=Filters(bounds=Bounds(EARLIEST, LATEST, EARLIEST, LATEST), dated=True, undated=True),
        lenses=Lenses(),
        timeline=None,
        order=None,
    )


def test_everything_at_once() -> None:
    query = {
        "from": ["1970-01-02"],
        "to": ["1970-01-03"],
        "match": ["certain"],
        "undated": ["include"],
        "published_from": ["1970-01-02"],
        "published_to": ["1970"],
        "recorded_from": ["2025-02-20T10:14:03+01:00"],
        "recorded_to": ["2025-02-20T09:14:03.5Z"],
        "actor": ["b", "a", "b"],
        "actor_match": ["all"],
        "role": ["subject", "host"],
        "source": ["s"],
        "publisher": ["p"],
        "speaker": ["y", "x"],
        "stance": ["denies", "asserts"],
        "standing": ["contested"],
        "min_origins": ["2"],
        "tag": ["y", "x"],
        "tag_match": ["all"],
        "kind": ["visit"],
        "collection": ["main", "other"],
        "phase": ["happened"],
        "language": ["sr-Latn", "EN"],
        "country": ["XK", "RS"],
        "bbox": ["18,-41.5,-24,47"],
        "q": ['Priština or "free elections" -kfor'],
        "related_to": ["0199cdef-0000-7000-8000-000000000001"],
        "relation": ["causes", "follows"],
        "direction": ["both"],
        "key": ["k 1", "k 2"],
        "id": ["0199cdef-0000-7000-8000-000000000000"],
        "timeline": ["kosovo"],
        "as_of": ["2025-02-20T10:14:03.1234567+01:00"],
        "known_at": ["1970"],
        "according_to": ["bild", "a"],
        "according_to_source": ["s"],
        "order": ["desc"],
        "limit": ["500"],
        "fields": ["title,occurred"],
        "include": ["none"],
    }
    assert query.keys() | {"revision", "cursor"} == {parameter.name for parameter in LISTING}
    check(query, LISTING)
    moment = datetime(2025, 2, 20, 9, 14, 3, tzinfo=UTC)
    assert asked(query) == Asked(
        filters=Filters(
            bounds=Bounds(lo_min=DAY, lo_max=3 * DAY - 1, hi_min=DAY, hi_max=3 * DAY - 1),
            dated=True,
            undated=True,
            collections=("main", "other"),
            kinds=("visit",),
            phases=("happened",),
            tags=("x", "y"),
            all_tags=True,
            actors=("a", "b"),
            all_actors=True,
            roles=("host", "subject"),
            claim=ClaimFilter(
                sources=("s",),
                publishers=("p",),
                speakers=("x", "y"),
                stances=("asserts", "denies"),
                published=(DAY, 365 * DAY - 1),
            ),
            standings=("contested",),
            origins_min=2,
            languages=("en", "sr-latn"),
            countries=("RS", "XK"),
            box=Box(west=18, south=-41.5, east=-24, north=47),
            text=Text(
                wanted=((Phrase((Piece("pristina"),)), Phrase((Piece("free"), Piece("elections", 1)))),),
                unwanted=(Phrase((Piece("kfor"),)),),
            ),
            ids=frozenset(query["id"]),
            keys=frozenset(query["key"]),
        ),
        related=RelatedTo(query["related_to"][0], frozenset({"causes", "follows"}), into=True, out=True),
        recorded=(moment, moment.replace(microsecond=500_000)),
        lenses=Lenses(
            as_of=moment.replace(microsecond=123456),
            revision=None,
            known=365 * DAY - 1,
            accounts=frozenset({"a", "bild"}),
            account_sources=frozenset({"s"}),
        ),
        timeline="kosovo",
        order="desc",
    )
    assert fields_of(query) == {"title", "occurred"}
    assert included_of(query) == frozenset()


@pytest.mark.parametrize(
    ("query", "published"),
    [
        ({}, None),
        ({"published_from": "1970-01-02"}, (DAY, LATEST)),
        ({"published_to": "1970-01-02"}, (EARLIEST, 2 * DAY - 1)),
        ({"published_from": "1970", "published_to": "1970"}, (0, 365 * DAY - 1)),
    ],
)
def test_windows_of_publication(query: dict[str, str], published: tuple[int, int] | None) -> None:
    assert asked({name: [text] for name, text in query.items()}).filters.claim == ClaimFilter(published=published)


@pytest.mark.parametrize(
    ("direction", "into", "out"), [(None, True, False), ("in", True, False), ("out", False, True), ("both", True, True)]
)
def test_directions(direction: str | None, into: bool, out: bool) -> None:
    query = {"related_to": ["0199cdef-0000-7000-8000-000000000001"]} | ({"direction": [direction]} if direction else {})
    assert asked(query).related == RelatedTo(query["related_to"][0], frozenset(), into=into, out=out)


@pytest.mark.parametrize(
    ("include", "kinds"),
    [
        (None, {"actors", "sources"}),
        ("actors,sources", {"actors", "sources"}),
        ("sources", {"sources"}),
        ("none", set()),
    ],
)
def test_what_comes_along(include: str | None, kinds: set[str]) -> None:
    assert included_of({} if include is None else {"include": [include]}) == kinds
    assert fields_of({}) is None


@pytest.mark.parametrize(
    ("query", "bounds"),
    [
        ({"from": "1970-01-02"}, Bounds(hi_min=DAY)),
        ({"from": "1970-01-02", "match": "certain"}, Bounds(lo_min=DAY, hi_min=DAY)),
        ({"to": "1970-01-02"}, Bounds(lo_max=2 * DAY - 1)),
        ({"to": "1970-01-02", "match": "certain"}, Bounds(lo_max=2 * DAY - 1, hi_max=2 * DAY - 1)),
        ({"from": "1970", "to": "1970"}, Bounds(hi_min=0, lo_max=365 * DAY - 1)),
        ({"from": "1969-12-31T23:59:59Z", "to": "1969-12-31T23:59:59Z"}, Bounds(hi_min=-1, lo_max=-1)),
        ({"match": "certain"}, Bounds()),
    ],
)
def test_windows(query: dict[str, str], bounds: Bounds) -> None:
    wants = asked({name: [text] for name, text in query.items()})
    assert wants.filters.bounds == bounds
    assert wants.filters.undated == (bounds == Bounds())


@pytest.mark.parametrize(
    ("query", "dated", "undated"),
    [
        ({}, True, True),
        ({"undated": "include"}, True, True),
        ({"undated": "only"}, False, True),
        ({"undated": "exclude"}, True, False),
        ({"from": "1999"}, True, False),
        ({"to": "1999", "undated": "include"}, True, True),
        ({"to": "1999", "undated": "only"}, False, True),
    ],
)
def test_undated(query: dict[str, str], dated: bool, undated: bool) -> None:
    filters = asked({name: [text] for name, text in query.items()}).filters
    assert (filters.dated, filters.undated) == (dated, undated)


def test_a_request_replaces_a_lens_and_leaves_the_other() -> None:
    instant = datetime(2025, 1, 1, tzinfo=UTC)
    defaults = Lenses(revision=3, known=7)
    assert Lenses().over(defaults) == defaults
    assert Lenses(as_of=instant).over(defaults) == Lenses(as_of=instant, revision=None, known=7)
    assert Lenses(revision=0).over(Lenses(as_of=instant)) == Lenses(revision=0)
    assert Lenses(known=0).over(defaults) == Lenses(revision=3, known=0)
    # Whose account it is, each parameter by itself.
    bild, document = frozenset({"bild"}), frozenset({"a-document"})
    told = Lenses(known=7, accounts=bild, account_sources=document)
    assert Lenses().over(told) == told
    assert Lenses(accounts=frozenset({"tass"})).over(told) == Lenses(None, None, 7, frozenset({"tass"}), document)
    assert Lenses(account_sources=frozenset({"x"})).over(told) == Lenses(None, None, 7, bild, frozenset({"x"}))


# --- Refusing


def test_every_fault_is_named_at_once() -> None:
    faults = faults_of(
        {
            "actr": ["a"],
            "from": ["1999", "2000"],
            "limit": ["many"],
            "tag": ["ok", " x"],
            "phase": ["happend"],
            "match": ["certian"],
        }
    )
    assert faults == [
        ("actr", "unknown parameter; did you mean actor?"),
        ("from", "may be given only once"),
        ("limit", "'many' is not a whole number"),
        ("tag", faults[3][1]),
        ("phase", "'happend' is not one of happened, expected, hypothetical, cancelled, not_happened; "
                  "did you mean happened?"),
        ("match", "'certian' is not one of possible, certain; did you mean certain?"),
    ]  # fmt: skip
    assert faults[3][1] == ("' x' is not text on one line, without control characters, and without spaces at its ends")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("limit", "0"), ("limit", "501"), ("limit", "1e2"), ("limit", "+1"), ("limit", "١"), ("limit", ""),
        ("limit", "1 "),
        ("revision", "-1"), ("revision", "9223372036854775808"), ("revision", "1" * 30),
        ("actor", "a--b"), ("actor", "A"), ("actor", "a\n"), ("actor", "a" * 81), ("actor", ""),
        ("key", "k\n"), ("key", " k"), ("key", "k" * 201), ("key", "a\0b"),
        ("id", "0199CDEF-0000-7000-8000-000000000000"), ("id", "0199cdef00007000800000000000000"),
        ("from", ""), ("from", "1" * 257), ("as_of", "2025-01-01T00:00:00"), ("as_of", "2025-01-01T24:00:00Z"),
        ("cursor", "a+b"), ("cursor", "a" * 201), ("order", "ASC"),
        ("include", "sources,actors"), ("include", ""), ("fields", "titel"), ("fields", ""), ("fields", "title,"),
        ("fields", "title, key"), ("country", "xk"), ("country", "XKX"), ("language", "e"), ("language", "en_GB"),
        ("bbox", "18,41,24"), ("bbox", "18,41,24,47,1"), ("bbox", "18, 41,24,47"), ("bbox", "18,41,24,"),
        ("bbox", "1e1,41,24,47"), ("bbox", "nan,41,24,47"), ("bbox", "٣,41,24,47"),
        ("stance", "doubts"), ("standing", "known"), ("relation", "before"), ("direction", "up"),
        ("related_to", "k 1"), ("min_origins", "-1"), ("min_origins", "10001"), ("min_origins", "1.5"),
        ("recorded_from", "2025-02-20"), ("recorded_to", "2025-02-20T10:14:03"), ("role", " x"),
        ("according_to", "Bild"), ("according_to_source", "a--b"),
    ],
)  # fmt: skip
def test_what_is_not_of_a_parameters_schema(name: str, text: str) -> None:
    assert [parameter for parameter, _ in faults_of({name: [text]})] == [name]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"from": "1999/2000"}, ["from"]),
        ({"from": "{1999,2000}", "to": "[..2000]", "known_at": ".."}, ["from", "to", "known_at"]),
        ({"from": "2025-02-30", "to": "x"}, ["from", "to"]),
        ({"from": "2000-01-01T00:00:01Z", "to": "2000-01-01T00:00:00Z"}, ["from"]),
        ({"as_of": "2025-02-29T00:00:00Z"}, ["as_of"]),
        ({"as_of": "2025-02-28T00:00:00Z", "revision": "1"}, ["revision"]),
        ({"published_from": "2000/2001", "published_to": ".."}, ["published_from", "published_to"]),
        ({"published_from": "2001", "published_to": "2000"}, ["published_from"]),
        ({"recorded_from": "2025-02-28T00:00:01Z", "recorded_to": "2025-02-28T01:00:00+01:00"}, ["recorded_from"]),
        ({"recorded_from": "2025-02-30T00:00:00Z"}, ["recorded_from"]),
        ({"bbox": "18,47,24,41"}, ["bbox"]),
        ({"bbox": "18,41,180.5,47"}, ["bbox"]),
        ({"bbox": "18,-91,24,47"}, ["bbox"]),
        ({"relation": "causes", "direction": "out"}, ["relation", "direction"]),
    ],
)
def test_what_has_a_form_and_no_meaning(query: dict[str, str], where: list[str]) -> None:
    assert refusals_of({name: [text] for name, text in query.items()}) == where


def test_every_form_is_told_in_words() -> None:
    for parameter in (*LISTING, *STORABLE):
        if (fault := parameter.schema_fault("\u0001" * parameter.schema.get("minLength", 1))) is not None:
            assert "^" not in fault, parameter.name


def test_a_plus_that_an_address_turned_into_a_space_is_explained() -> None:
    with pytest.raises(RefusedParameter) as refusal:
        asked({"as_of": ["2025-02-20T10:14:03 01:00"]})
    assert "%2B" in refusal.value.faults[0].detail


def faulty(query: Query) -> set[str | None]:
    """Parameters that are refused, of a query that may be right."""
    try:
        check(query, LISTING)
        asked(query)
    except (InvalidParameter, RefusedParameter) as error:
        return {fault.parameter for fault in error.faults} or {None}
    return set()


WORDS = (
    "1999", "1999/2000", "2025-02-20T10:14:03Z", "2025-02-30T10:14:03Z", "a", "1", "certain", "only",
    "1,2,3,4", "1,2,3,-4", "1,2,3,999", "XK", "en", "asserts", "causes", "both", "title,key",
)  # fmt: skip
words = st.text(max_size=30) | st.sampled_from(WORDS)
names = st.text(max_size=12) | st.sampled_from([each.name for each in LISTING])


@given(st.dictionaries(names, st.lists(words, min_size=1, max_size=3), max_size=4))
def test_whatever_is_asked_is_read_or_refused_by_name(query: dict[str, list[str]]) -> None:
    assert faulty(query) <= query.keys()


def test_a_timeline_stores_what_selects_and_nothing_that_pages() -> None:
    names = {parameter.name for parameter in STORABLE}
    assert names == {parameter.name for parameter in LISTING} - {"timeline", "cursor", "limit", "fields", "include"}


# --- Cursors

bounds = st.integers(EARLIEST, LATEST)
positions = st.tuples(st.booleans(), bounds, bounds, bounds)


@given(positions, st.integers(0, LATEST))
def test_a_cursor_comes_back_as_it_was_given(place: Position, head: int) -> None:
    query: Query = {"actor": ["a", "b"], "limit": ["5"]}
    cursor = Cursor(bound_of(query, "/v1/events"), head, list(place))
    text = cursor_text(cursor)
    check({**query, "cursor": [text]}, LISTING)
    for limit in ("5", "6"):
        again = {"actor": ["b", "a"], "limit": [limit], "cursor": [text]}
        assert cursor_of(again, "/v1/events", Position) == cursor


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"actor": ["a"]}, "/v1/diff"),
        ({"actor": ["a", "b"]}, "/v1/events"),
        ({"actor": ["a"], "order": ["asc"]}, "/v1/events"),
        ({"tag": ["a"]}, "/v1/events"),
        ({}, "/v1/events"),
    ],
)
def test_a_cursor_is_bound_to_its_query(query: dict[str, list[str]], path: str) -> None:
    text = cursor_text(Cursor(bound_of({"actor": ["a"]}, "/v1/events"), 1, [False, 0, 0, 0]))
    with pytest.raises(RefusedParameter) as refusal:
        cursor_of({**query, "cursor": [text]}, path, Position)
    assert [fault.parameter for fault in refusal.value.faults] == ["cursor"]


@given(st.text("ABCabc012-_", min_size=1, max_size=120) | st.binary(max_size=90).map(
    lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode() or "A"
))  # fmt: skip
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(RefusedParameter):
        cursor_of({"cursor": [text]}, "/v1/events", Position)


# A place made up by hand must not reach the store as something that it cannot hold.
@pytest.mark.parametrize(
    "place", [[False, 0, 0], [0, 0, 0, 0], [False, 2**63, 0, 0], [False, 0, "0", 0], [False, 0, 0, 0, 0], None, "x"]
)
def test_a_cursor_with_another_kind_of_place_is_refused(place: object) -> None:
    bound = bound_of({}, "/v1/events")
    text = base64.urlsafe_b64encode(msgspec.msgpack.encode([bound, 1, place])).rstrip(b"=").decode()
    with pytest.raises(RefusedParameter):
        cursor_of({"cursor": [text]}, "/v1/events", Position)


def test_the_longest_cursor_fits_into_its_schema() -> None:
    slug = cursor_text(Cursor(bound_of({}, "/v1/actors"), LATEST, ["a" * 80]))
    place = cursor_text(Cursor(bound_of({}, "/v1/events"), LATEST, [True, EARLIEST, LATEST, EARLIEST]))
    longest = parameters.CURSOR.schema["maxLength"]
    assert max(len(slug), len(place)) <= longest
