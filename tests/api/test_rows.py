"""A row of a batch that is plain, and an event by itself, is read the short way; it comes to what the long way does."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.api import batch, bodies
from service.domain.errors import InvalidBody, Malformed
from service.domain.patch import merged

MOST = 100_000
COUNTED: Counter[str] = Counter()

texts = st.text(max_size=8) | st.sampled_from(["", "a", "null", "[[", "x,[y", "\\", "\u0001", "\u007f", "é", "ß"])
leaves = st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats(allow_nan=False) | texts
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
slugs = st.sampled_from(["kfor", "nato", "Kosovo", ""])
claims = st.fixed_dictionaries(
    {"source": slugs | st.fixed_dictionaries({"slug": slugs, "title": st.just("One")})},
    optional={"stance": st.sampled_from(["asserts", "denies", "sings"]), "quote": texts, "published": leaves},
)
WELL: dict[str, st.SearchStrategy[Any]] = {
    "title": st.just("A day"),
    "key": slugs,
    "collection": slugs | st.none(),
    "summary": st.none() | texts,
    "occurred": st.sampled_from(["1999-06-10", "1999", None]),
    "actors": st.lists(st.fixed_dictionaries({"actor": slugs}, optional={"role": texts}), max_size=2),
    "claims": st.lists(claims, max_size=2),
    "tags": st.lists(slugs, max_size=2),
    "attributes": st.dictionaries(texts, values, max_size=3),
    "external_ids": st.dictionaries(texts, st.none() | texts, max_size=2),
    "places": st.lists(st.fixed_dictionaries({"country": st.sampled_from(["XK", "xk"])}), max_size=1),
}


@st.composite
def rows(draw: st.DrawFn) -> Any:
    """Mostly an event, with what is seldom one among its members."""
    names = draw(st.sets(st.sampled_from(sorted(WELL)))) | {"title"}
    row: dict[str, Any] = {name: draw(WELL[name]) for name in sorted(names)}
    if draw(st.integers(0, 3)) == 0:
        row[draw(st.sampled_from([*WELL, "revision", "nonsense"]))] = draw(values)
    return row


def spaced(draw: Callable[[Any], Any], value: Any) -> str:
    return json.dumps(
        value,
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, 1])),
        separators=draw(st.sampled_from([(",", ":"), (", ", " : ")])),
    )


Read = tuple[str, Any, Any, Any, Any]


def read(text: str) -> Read:
    """What a row is read as: its collection, key, faults, and the event that it is by itself or why it is none."""
    try:
        row = batch._row(0, text.encode(), "main", MOST, kept=True)
    except Malformed as error:
        return ("malformed", error.detail, None, None, None)
    event: Any = None if row.given is None else row.given()
    if row.given is not None:
        assert row.given() == event  # What was given away is read again.
    elif not row.faults:
        try:
            event = batch._event_of(merged({}, row.members() | {"collection": row.collection}), MOST)
        except InvalidBody as error:
            event = error.faults
    COUNTED["short" if row.given is not None else "faulty" if row.faults else "long"] += 1
    said = None if row.faults else row.members()
    return ("read", row.collection, row.key, row.faults, (event, said, [whole.slug for whole in row.wholes]))


@settings(max_examples=400, deadline=None)
@given(row=rows() | values, draws=st.data())
@example(row={"title": "A", "nonsense": None}, draws=None)
@example(row={"title": "A", "attributes": {"a": {"b": None}}}, draws=None)
@example(row={"title": "A", "external_ids": {"wikidata": None}}, draws=None)
@example(row={"title": "A", "attributes": {"a": [[[[[[1]]]]]]}}, draws=None)
@example(row={"title": "A", "attributes": {"a": list(range(1_001))}}, draws=None)
@example(row={"title": "A", "summary": "x" * 20_001}, draws=None)
@example(row={"title": "A", "attributes": {"a": 1.0, "b": 2.5}}, draws=None)
def test_both_ways_come_to_the_same(row: Any, draws: Any) -> None:
    text = json.dumps(row) if draws is None else spaced(draws.draw, row)
    short = read(text)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bodies, "is_plain", lambda text: False)
        long = read(text)
    assert short == long


def test_both_ways_were_taken() -> None:
    assert min(COUNTED[name] for name in ("short", "long", "faulty")) > 20, COUNTED
