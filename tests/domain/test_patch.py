"""Patches between JSON documents: made, applied and merged, judged by the PyPI `jsonpatch` package and the RFCs."""

import json
import os
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonpatch
import jsonpointer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.patch import PatchError, applied, merged, patch_between, same

SHARED = Path(os.environ.get("DATELINE_SHARED", Path(__file__).resolve().parents[3] / "shared"))
PLENTY = 1_000_000


def cases_of(name: str) -> list[Any]:
    path = SHARED / "data" / "json-patch" / name
    if not path.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"{path} is not here"))]
    cases = [case for case in json.loads(path.read_text()) if "patch" in case and not case.get("disabled")]
    return [pytest.param(case, id=case.get("comment", str(place))) for place, case in enumerate(cases)]


def outcome(document: Any, patch: list[Any]) -> Any:
    """What a patch leaves of a copy of the document, or the error with which it does not apply."""
    before = deepcopy(patch)
    try:
        return applied(deepcopy(document), patch, PLENTY)
    except PatchError as error:
        return error
    finally:
        assert patch == before


# --- Applied


@pytest.mark.parametrize("case", [*cases_of("tests.json"), *cases_of("spec_tests.json")])
def test_the_common_cases(case: dict[str, Any]) -> None:
    result = outcome(case["doc"], case["patch"])
    assert isinstance(result, PatchError) == ("error" in case), (result, case.get("error"))
    if "expected" in case:
        assert same(result, case["expected"])


names = st.sampled_from(["a", "b", "~", "/", "", "0", "1", "-", "01", "é"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, 0.5, "", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(names, values, max_size=3) | st.lists(values, max_size=3)
pointers = st.lists(names, max_size=3).map(
    lambda steps: "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
)
operations = st.one_of(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "replace", "test"]), "path": pointers, "value": values},
        optional={"from": pointers},
    ),
    st.fixed_dictionaries({"op": st.sampled_from(["move", "copy"]), "path": pointers, "from": pointers}),
    st.fixed_dictionaries({"op": st.just("remove"), "path": pointers}),
)


def holds_one_and_true(*parts: Any) -> bool:
    """Whether Python's equality, by which the package tests, may take true for 1."""
    return "true" in (text := json.dumps(parts)) or "false" in text


@given(documents, st.lists(operations, max_size=5))
def test_applies_what_the_package_applies(document: Any, patch: list[Any]) -> None:
    try:
        expected = jsonpatch.JsonPatch(patch).apply(document)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError) as error:
        expected = error
    result = outcome(document, patch)
    if isinstance(result, PatchError):
        assert 0 <= result.place < len(patch)
        assert str(result)
        # Where the package is looser: true is not 1 in JSON, and the whole document cannot be taken away.
        tests = any(operation["op"] == "test" for operation in patch)
        whole = any(
            operation["op"] in ("remove", "move") and operation.get("from", operation["path"]) == ""
            for operation in patch
        )
        loose = (tests and holds_one_and_true(document, patch)) or whole
        assert isinstance(expected, Exception) or loose
    else:
        assert same(result, expected)


def test_a_patch_is_left_as_it_is() -> None:
    patch = [{"op": "add", "path": "/a", "value": {}}, {"op": "add", "path": "/a/b", "value": 1}]
    assert outcome({}, patch) == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ({"op": "test", "path": "/flag", "value": 1}, "/flag is not what it is tested for"),
        ({"op": "test", "path": "/no", "value": 1}, "there is no member no"),
        ({"op": "replace", "path": "/list/2", "value": 1}, "2 is no index of a list of 2"),
        ({"op": "add", "path": "/list/3", "value": 1}, "3 is no index of a list of 2"),
        ({"op": "add", "path": "/list/01", "value": 1}, "01 is no index of a list of 2"),
        ({"op": "add", "path": "/list/١", "value": 1}, "١ is no index of a list of 2"),
        ({"op": "remove", "path": "/list/-"}, "- is no index of a list of 2"),
        ({"op": "remove", "path": ""}, "the whole document cannot be removed"),
        ({"op": "add", "path": "/text/0", "value": 1}, "there is neither object nor list that could have 0"),
        ({"op": "add", "path": "flag", "value": 1}, "flag is no JSON pointer: it begins with a slash"),
        ({"op": "add", "path": "/~2", "value": 1}, "/~2 is no JSON pointer: ~ is written ~0, and / within a name ~1"),
        ({"op": "add", "path": "/flag"}, "add needs a value"),
        ({"op": "copy", "path": "/flag"}, "copy needs from"),
        ({"op": "move", "from": "/object", "path": "/object/in"}, "a value cannot be moved into itself"),
        ({"op": "copy", "from": "/text", "path": "/more"}, "copies too much"),
        ({"op": "put", "path": "/flag"}, "put is no operation"),
    ],
)
def test_why_a_patch_does_not_apply(operation: dict[str, Any], reason: str) -> None:
    document = {"flag": True, "list": [1, 2], "text": "x" * 100, "object": {"in": 1}}
    first = {"op": "test", "path": "/flag", "value": True}
    with pytest.raises(PatchError) as refusal:
        applied(document, [first, operation], 50)
    assert (refusal.value.place, str(refusal.value)) == (1, reason)


def test_copies_of_copies_are_bounded() -> None:
    doubling = [{"op": "copy", "from": "/a", "path": f"/a/{number}"} for number in range(200)]
    with pytest.raises(PatchError, match="copies too much") as refusal:
        applied({"a": {"text": "x" * 10}}, doubling, 100_000)
    assert refusal.value.place < 20
    # A move may lead nowhere too deep to follow.
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"a": deep}
    with pytest.raises(PatchError, match="goes too deep"):
        applied({"deep": deep}, [{"op": "copy", "from": "/deep", "path": "/again"}], PLENTY)


# --- Made

members = st.fixed_dictionaries({"id": st.sampled_from("abcd"), "n": st.integers(0, 2)})
parts = st.fixed_dictionaries({"actor": st.sampled_from("ab") | values, "role": st.none() | st.just("r") | values})
ties = st.fixed_dictionaries({"type": st.sampled_from("ab") | values, "event": st.sampled_from("ab") | values})
lists = st.lists(members | parts | ties | values, max_size=6)
made = st.dictionaries(st.sampled_from(["claims", "a/b", "m~n"]), lists | values, max_size=3)


@given(made, made)
def test_a_patch_made_turns_the_one_into_the_other(before: Any, after: Any) -> None:
    patch = patch_between(before, after)
    assert same(jsonpatch.JsonPatch(patch).apply(before), after)
    assert same(applied(deepcopy(before), patch, PLENTY), after)
    assert (patch == []) == same(before, after)
    assert {operation["op"] for operation in patch} <= {"add", "remove", "replace"}
    assert json.loads(json.dumps(patch)) == patch


@given(made, lists, lists)
def test_it_takes_no_more_operations_than_there_are_differences(rest: Any, before: list[Any], after: list[Any]) -> None:
    patch = patch_between({**rest, "list": before}, {**rest, "list": after})
    assert all(operation["path"].startswith("/list") for operation in patch)


def test_members_are_told_apart_by_what_identifies_them() -> None:
    claims = [{"id": letter, "stance": "asserts"} for letter in "abc"]
    first = {"id": "z", "stance": "denies"}
    assert patch_between({"claims": claims}, {"claims": [first, *claims]}) == [
        {"op": "add", "path": "/claims/0", "value": first}
    ]
    assert patch_between({"claims": claims}, {"claims": claims[1:]}) == [{"op": "remove", "path": "/claims/0"}]
    changed = [claims[0], {**claims[1], "stance": "denies"}, claims[2]]
    assert patch_between({"claims": claims}, {"claims": [first, *changed]}) == [
        {"op": "add", "path": "/claims/0", "value": first},
        {"op": "replace", "path": "/claims/2/stance", "value": "denies"},
    ]


# --- Merged


# RFC 7396, appendix A.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_cases_of_the_rfc_merge(target: Any, patch: Any, result: Any) -> None:
    before = deepcopy(target)
    assert merged(target, patch) == result
    assert target == before


# --- Equal


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (0, None, False),
        ("1", 1, False),
        ([1, True], [1.0, 1], False),
        ({"a": 1, "b": [0]}, {"b": [0.0], "a": 1}, True),
        ({"a": None}, {}, False),
        ([], {}, False),
        (2**53 + 1, float(2**53), False),
    ],
)
def test_equality_is_that_of_json(one: Any, other: Any, equal: bool) -> None:
    assert same(one, other) is equal
    assert same(other, one) is equal
