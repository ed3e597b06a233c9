"""Patches between JSON documents: made (RFC 6902) and merged (RFC 7396). Values are what `json.loads` gives."""

from collections.abc import Iterator
from typing import Any

Operation = dict[str, Any]


def patch_between(before: Any, after: Any) -> list[Operation]:
    """Operations that turn `before` into `after`, in the order in which they apply."""
    return list(_differences(before, after, ""))


def _differences(before: Any, after: Any, path: str) -> Iterator[Operation]:
    if same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before:
            if name not in after:
                yield {"op": "remove", "path": f"{path}/{_escaped(name)}"}
        for name, value in after.items():
            where = f"{path}/{_escaped(name)}"
            if name in before:
                yield from _differences(before[name], value, where)
            else:
                yield {"op": "add", "path": where, "value": value}
    elif isinstance(before, list) and isinstance(after, list):
        yield from _list_differences(before, after, path)
    else:
        yield {"op": "replace", "path": path, "value": after}


def _list_differences(before: list[Any], after: list[Any], path: str) -> Iterator[Operation]:
    """Members are matched by what identifies them, so that a claim put in front does not rewrite those behind it."""
    new = [_identity(member) for member in after]
    kept = set(new)
    standing: list[Any] = []
    for place in range(len(before) - 1, -1, -1):
        if _identity(before[place]) in kept:
            standing.append(before[place])
        else:
            yield {"op": "remove", "path": f"{path}/{place}"}
    standing.reverse()
    old = [_identity(member) for member in standing]
    known = set(old)
    if len(known) != len(old) or len(kept) != len(new) or old != [identity for identity in new if identity in known]:
        yield from _place_differences(standing, after, path)
        return
    there = dict(zip(old, standing, strict=True))
    for place, member in enumerate(after):
        if new[place] in there:
            yield from _differences(there[new[place]], member, f"{path}/{place}")
        else:
            yield {"op": "add", "path": f"{path}/{place}", "value": member}


def _place_differences(before: list[Any], after: list[Any], path: str) -> Iterator[Operation]:
    """Place by place, for lists whose members changed their order or cannot be told apart."""
    for place in range(len(before) - 1, len(after) - 1, -1):
        yield {"op": "remove", "path": f"{path}/{place}"}
    for place, (old, new) in enumerate(zip(before, after, strict=False)):
        yield from _differences(old, new, f"{path}/{place}")
    for place in range(len(before), len(after)):
        yield {"op": "add", "path": f"{path}/{place}", "value": after[place]}


def _identity(member: Any) -> Any:
    if isinstance(member, dict):
        if isinstance(member.get("id"), str):
            return ("id", member["id"])
        if "actor" in member and "role" in member:
            return ("actor", member["actor"], member["role"])
        if "type" in member and "event" in member:
            return ("relation", member["type"], member["event"])
        return ("value", repr(member))
    return (type(member).__name__, repr(member))


def same(one: Any, other: Any) -> bool:
    """Equality as JSON has it: true is not 1, and 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def merged(target: Any, patch: Any) -> Any:
    """`target` with a merge patch applied: null takes a member away, objects merge, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
