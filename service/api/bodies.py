"""Strict reading of bodies: JSON that says each thing once, and every fault of it at once."""

import json
import re
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import inspect

from service.api.faults import escaped, faults_of
from service.domain.errors import Fault, InvalidBody, Malformed
from service.domain.values import CONTROL, INT8_MAX, INT8_MIN, TEXT_MAX, TEXT_PATTERN

DEPTH_MAX: Final = 24
LIST_MAX: Final = 1_000
"""Members of any list or object within a body."""
LISTS_MAX: Final = 4
"""Lists directly within each other."""
FAULTS_MAX: Final = 100

# Brackets, and strings whole, so that those inside of them do not count.
_BRACKETS: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
# A value that holds no other.
_SINGLE: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[^\s,\[\]{}"]+', re.DOTALL)
_TEXT: Final = re.compile(TEXT_PATTERN)
# Escapes may say what UTF-8 cannot.
_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")
# What `loose_faults` could find something by: an escape, a control character, a list right within another.
_LOOSE: Final = re.compile(rf"[\\{CONTROL}]|[\[,]\s*\[")


def json_of(body: bytes) -> Any:
    """The JSON value of a body.

    Raises Malformed for what is not UTF-8 or JSON, a member named twice, NUL or half a surrogate pair in a string, a
    number beyond 64 bits, or more than 24 levels; InvalidBody for other control characters, a string or list that is
    too long, or too many lists within lists. A whole number is an int however it was written.
    """
    value = value_of(text_of(body))
    if faults := loose_faults(value):
        raise InvalidBody("The body holds what no text or list of ours can.", faults)
    return value


def text_of(body: bytes | memoryview) -> str:
    try:
        return str(body, "utf-8", "strict")
    except UnicodeDecodeError as error:
        raise Malformed(f"The body is not UTF-8: byte {error.start} has no place there.") from error


def value_of(text: str) -> Any:
    """The JSON value of a text. Raises Malformed; `loose_faults` has still to be asked."""
    # Depth is counted first: the decoder would go down with the nesting.
    if text.count("{") + text.count("[") > DEPTH_MAX and _depth(text) > DEPTH_MAX:
        raise Malformed(f"The body is nested more than {DEPTH_MAX} levels deep.")
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_float
        )
    except json.JSONDecodeError as error:
        raise Malformed(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from error


def end_of(text: str, start: int) -> int:
    """Where the JSON value ends that begins at `start`, if it is one. Raises Malformed for one that goes too deep."""
    if text[start : start + 1] not in ("{", "["):
        found = _SINGLE.match(text, start)
        return start if found is None else found.end()
    depth = 0
    for token in _BRACKETS.finditer(text, start):
        mark = token.group()[0]
        depth += (mark in "{[") - (mark in "}]")
        if depth == 0:
            return token.end()
        if depth > DEPTH_MAX:
            raise Malformed(f"The body has a value at character {start} that is more than {DEPTH_MAX} levels deep.")
    return len(text)


def _depth(text: str) -> int:
    deepest = depth = 0
    for token in _BRACKETS.finditer(text):
        match token.group()[0]:
            case "[" | "{":
                depth += 1
                deepest = max(deepest, depth)
            case "]" | "}":
                depth -= 1
    return deepest


def depth_of(value: Any) -> int:
    """How many lists and objects are within each other."""
    deepest, level = 0, [value]
    while level := [each for each in level if isinstance(each, (dict, list))]:
        deepest += 1
        level = [member for each in level for member in (each.values() if isinstance(each, dict) else each)]
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise Malformed(f"An object of the body has the member {twice[:80]!r} twice.")
    return value


def _constant(name: str) -> Any:
    raise Malformed(f"{name} is no JSON number.")


def _integer(text: str) -> int:
    if len(text) > 20 or not INT8_MIN <= int(text) <= INT8_MAX:
        raise Malformed(f"The whole number {text[:40]} does not fit into 64 bits.")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not -(2.0**63) <= value < 2.0**63:
        raise Malformed(f"The number {text[:40]} does not fit into 64 bits.")
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def is_plain(text: str) -> bool:
    """Whether `loose_faults` will find nothing in the value of a text, told without going through it."""
    return len(text) <= TEXT_MAX and text.count(",") < LIST_MAX and _LOOSE.search(text) is None


def loose_faults(value: Any) -> list[Fault]:
    """What no schema of ours admits anywhere, free JSON included. Raises Malformed for what is no text at all."""
    faults: list[Fault] = []
    waiting: list[tuple[str, Any, int]] = [("", value, 0)]
    while waiting and len(faults) < FAULTS_MAX:
        pointer, each, lists = waiting.pop()
        if isinstance(each, str):
            faults += _text_faults(each, pointer)
        elif isinstance(each, (dict, list)) and len(each) > LIST_MAX and pointer:
            faults.append(Fault(pointer=pointer, detail=f"may have at most {LIST_MAX} members, not {len(each)}"))
        elif isinstance(each, dict):
            for name, member in each.items():
                faults += _text_faults(name, f"{pointer}/{escaped(name)}")
                waiting.append((f"{pointer}/{escaped(name)}", member, 0))
        elif isinstance(each, list) and lists == LISTS_MAX:
            faults.append(Fault(pointer=pointer, detail=f"is more than {LISTS_MAX} lists within each other"))
        elif isinstance(each, list):
            waiting += [(f"{pointer}/{place}", member, lists + 1) for place, member in enumerate(each)]
    return faults


def _text_faults(text: str, pointer: str) -> list[Fault]:
    if len(text) > TEXT_MAX:
        return [Fault(pointer=pointer, detail=f"may have at most {TEXT_MAX} characters, not {len(text)}")]
    if _TEXT.search(text) is None:
        if "\0" in text:
            raise Malformed("A string of the body holds NUL, which no text can.")
        return [Fault(pointer=pointer, detail="holds control characters other than line breaks and tabs")]
    if _HALF_PAIR.search(text) is not None:
        raise Malformed("A string of the body holds half a surrogate pair, which no text can.")
    return []


def structure_of(value: Any, shape: Any) -> Any:
    """The JSON value as a struct. Raises InvalidBody with every fault and where it is."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError:
        faults = faults_of(value, _info(shape), "")[:FAULTS_MAX]
        raise InvalidBody("The body is not of its schema.", faults) from None


@cache
def _info(shape: Any) -> inspect.Type:
    """What msgspec knows of a shape, found once: a batch may have ten thousand rows to refuse."""
    return inspect.type_info(shape)
