"""Patches between JSON documents: made and applied (RFC 6902), and merged (RFC 7396).

Values are what `json.loads` gives.
"""

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any, Final

Operation = dict[str, Any]


class PatchError(ValueError):
    """A patch that does not apply: the place of the operation in it, and what is wrong."""

    def __init__(self, place: int, reason: str) -> None:
        super().__init__(reason)
        self.place = place


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
            return ("actor", repr(member["actor"]), repr(member["role"]))
        if "type" in member and "event" in member:
            return ("relation", repr(member["type"]), repr(member["event"]))
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


_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


def applied(document: Any, patch: Sequence[Operation], copied_max: int) -> Any:
    """`document`, which it may change, with the operations of a JSON patch applied, in their order.

    `copied_max` bounds what all `copy` operations bring in, about as JSON's length: copies of copies double each time.
    Raises PatchError where an operation does not apply.
    """
    for place, operation in enumerate(patch):
        try:
            if operation["op"] == "copy":
                copied_max -= _weight(_at(document, _path(operation, "from")))
                if copied_max < 0:
                    raise ValueError("copies too much")
            document = _applied(document, operation)
        except ValueError as error:
            raise PatchError(place, str(error)) from None
        except RecursionError:
            raise PatchError(place, "goes too deep") from None
    return document


def _applied(document: Any, operation: Operation) -> Any:
    path = _path(operation, "path")
    match operation["op"]:
        case "add":
            return _put(document, path, deepcopy(_value(operation)), new=True)
        case "remove":
            _remove(document, path)
            return document
        case "replace":
            return _put(document, path, deepcopy(_value(operation)), new=False)
        case "move":
            start = _path(operation, "from")
            if len(start) < len(path) and path[: len(start)] == start:
                raise ValueError("a value cannot be moved into itself")
            value = _at(document, start)
            if start == path:
                return document
            _remove(document, start)
            return _put(document, path, value, new=True)
        case "copy":
            return _put(document, path, deepcopy(_at(document, _path(operation, "from"))), new=True)
        case "test":
            if not same(_at(document, path), _value(operation)):
                raise ValueError(f"{operation['path']} is not what it is tested for")
            return document
        case other:
            raise ValueError(f"{other} is no operation")


def _value(operation: Operation) -> Any:
    if "value" not in operation:
        raise ValueError(f"{operation['op']} needs a value")
    return operation["value"]


def _path(operation: Operation, member: str) -> list[str]:
    """The steps of the JSON pointer (RFC 6901) in one of an operation's members."""
    pointer = operation.get(member)
    if not isinstance(pointer, str):
        raise ValueError(f"{operation['op']} needs {member}")
    if pointer and not pointer.startswith("/"):
        raise ValueError(f"{pointer[:100]} is no JSON pointer: it begins with a slash")
    if re.search(r"~(?![01])", pointer):
        raise ValueError(f"{pointer[:100]} is no JSON pointer: ~ is written ~0, and / within a name ~1")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _at(document: Any, path: Sequence[str]) -> Any:
    for step in path:
        document = document[_step(document, step)]
    return document


def _step(parent: Any, step: str, *, new: bool = False) -> Any:
    """The name or index by which a step goes on from an object or list; `new` may be beside those that are there."""
    if isinstance(parent, dict):
        if not new and step not in parent:
            raise ValueError(f"there is no member {step[:100]}")
        return step
    if isinstance(parent, list):
        if new and step == "-":
            return len(parent)
        if _INDEX.fullmatch(step) is None or int(step) >= len(parent) + new:
            raise ValueError(f"{step[:100]} is no index of a list of {len(parent)}")
        return int(step)
    raise ValueError(f"there is neither object nor list that could have {step[:100]}")


def _put(document: Any, path: Sequence[str], value: Any, *, new: bool) -> Any:
    if not path:
        return value
    parent = _at(document, path[:-1])
    step = _step(parent, path[-1], new=new)
    if new and isinstance(parent, list):
        parent.insert(step, value)
    else:
        parent[step] = value
    return document


def _remove(document: Any, path: Sequence[str]) -> None:
    if not path:
        raise ValueError("the whole document cannot be removed")
    parent = _at(document, path[:-1])
    del parent[_step(parent, path[-1])]


def _weight(value: Any) -> int:
    """About the length of a value as JSON."""
    weight, waiting = 0, [value]
    while waiting:
        each = waiting.pop()
        weight += 2
        if isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, str):
            weight += len(each)
    return weight
