"""Strict reading of bodies: JSON that says each thing once, and every fault of it at once."""

import json
import re
from collections.abc import Sized
from typing import Any, Final

import msgspec
from msgspec import inspect

from service.domain.errors import Fault, InvalidBody, Malformed, nearest
from service.domain.values import INT8_MAX, INT8_MIN, TEXT_MAX, TEXT_PATTERN

DEPTH_MAX: Final = 24
LIST_MAX: Final = 1_000
"""Members of any list or object within a body."""
FAULTS_MAX: Final = 100

# Brackets, and strings whole, so that those inside of them do not count.
_BRACKETS: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
_TEXT: Final = re.compile(TEXT_PATTERN)
# A shorter body without any of these has no string or list too long and nothing in it that is no text.
_SUSPECT: Final = re.compile(r"\\[ubf]|\x7f")


def json_of(body: bytes) -> Any:
    """The JSON value of a body.

    Raises Malformed for what is not UTF-8 or JSON, a member named twice, NUL or half a surrogate pair in a string, a
    number beyond 64 bits, or more than 24 levels; InvalidBody for other control characters, or a string or list longer
    than any may be. A whole number is an int however it was written.
    """
    try:
        text = body.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise Malformed(f"The body is not UTF-8: byte {error.start} has no place there.") from error
    # Depth is counted first: the decoder would go down with the nesting.
    if _depth(text) > DEPTH_MAX:
        raise Malformed(f"The body is nested more than {DEPTH_MAX} levels deep.")
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_float
        )
    except json.JSONDecodeError as error:
        raise Malformed(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from error
    if len(text) > LIST_MAX or _SUSPECT.search(text) is not None:
        faults = _loose_faults(value)
        if faults:
            raise InvalidBody("The body holds what no text or list of ours can.", faults)
    return value


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


def _loose_faults(value: Any) -> list[Fault]:
    """What no schema of ours admits anywhere, free JSON included. Raises Malformed for what is no text at all."""
    faults: list[Fault] = []
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting and len(faults) < FAULTS_MAX:
        pointer, each = waiting.pop()
        if isinstance(each, str):
            faults += _text_faults(each, pointer)
        elif isinstance(each, (dict, list)):
            if len(each) > LIST_MAX and pointer:
                faults.append(Fault(pointer=pointer, detail=f"may have at most {LIST_MAX} members, not {len(each)}"))
            elif isinstance(each, dict):
                for name, member in each.items():
                    faults += _text_faults(name, f"{pointer}/{escaped(name)}")
                    waiting.append((f"{pointer}/{escaped(name)}", member))
            else:
                waiting += [(f"{pointer}/{place}", member) for place, member in enumerate(each)]
    return faults


def _text_faults(text: str, pointer: str) -> list[Fault]:
    if len(text) > TEXT_MAX:
        return [Fault(pointer=pointer, detail=f"may have at most {TEXT_MAX} characters, not {len(text)}")]
    if _TEXT.search(text) is None:
        if "\0" in text:
            raise Malformed("A string of the body holds NUL, which no text can.")
        return [Fault(pointer=pointer, detail="holds control characters other than line breaks and tabs")]
    if any("\ud800" <= character <= "\udfff" for character in text):
        # Escapes may say what UTF-8 cannot.
        raise Malformed("A string of the body holds half a surrogate pair, which no text can.")
    return []


def structure_of(value: Any, shape: Any) -> Any:
    """The JSON value as a struct. Raises InvalidBody with every fault and where it is."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError:
        faults = _faults(value, inspect.type_info(shape), "")[:FAULTS_MAX]
        raise InvalidBody("The body is not of its schema.", faults) from None


def _faults(value: Any, info: inspect.Type, pointer: str) -> list[Fault]:
    """Goes down objects and lists to the members that do not fit, where one conversion would stop at the first."""
    match info:
        case inspect.Metadata():
            return _faults(value, info.type, pointer)
        case inspect.UnionType():
            return _union_faults(value, info, pointer)
        case inspect.StructType() if isinstance(value, dict):
            return _struct_faults(value, info, pointer)
        case inspect.ListType() | inspect.DictType() if isinstance(value, (list, dict)) and not _fits(value, info):
            least, most = info.min_length or 0, info.max_length
            bounds = f"at most {most}" if least == 0 else f"{least} to {most}"
            return [Fault(pointer=pointer, detail=f"may have {bounds} members, not {len(value)}")]
        case inspect.ListType() if isinstance(value, list):
            places = enumerate(value)
            return [found for place, each in places for found in _faults(each, info.item_type, f"{pointer}/{place}")]
        case inspect.DictType() if isinstance(value, dict):
            return _dict_faults(value, info, pointer)
        case _:
            detail = _fault(value, info)
            return [] if detail is None else [Fault(pointer=pointer, detail=detail)]


def _fits(value: Sized, info: inspect.ListType | inspect.DictType) -> bool:
    most = len(value) if info.max_length is None else info.max_length
    return (info.min_length or 0) <= len(value) <= most


def _dict_faults(value: dict[str, Any], info: inspect.DictType, pointer: str) -> list[Fault]:
    faults: list[Fault] = []
    for name, member in value.items():
        where = f"{pointer}/{escaped(name)}"
        named = _faults(name, info.key_type, where)
        faults += [Fault(pointer=where, detail=f"has a name that {fault.detail}") for fault in named]
        faults += _faults(member, info.value_type, where)
    return faults


def _struct_faults(value: dict[str, Any], info: inspect.StructType, pointer: str) -> list[Fault]:
    faults: list[Fault] = []
    fields = {field.encode_name: field for field in info.fields}
    for name, member in value.items():
        where = f"{pointer}/{escaped(name)}"
        if name in fields:
            faults += _faults(member, fields[name].type, where)
        elif name != info.tag_field and info.forbid_unknown_fields:
            faults.append(Fault(pointer=where, detail=f"is not a member of this object{nearest(name, fields)}"))
    for name, field in fields.items():
        if field.required and name not in value:
            faults.append(Fault(pointer=f"{pointer}/{name}", detail="is missing"))
    return faults


def _union_faults(value: Any, info: inspect.UnionType, pointer: str) -> list[Fault]:
    """The faults of the value as the one of the types that it can be meant for: by its tag, or as all but null."""
    others = [each for each in info.types if not isinstance(each, inspect.NoneType)]
    if value is None and len(others) < len(info.types):
        return []
    tagged = [each for each in others if isinstance(each, inspect.StructType) and each.tag_field is not None]
    if len(tagged) == len(others) and isinstance(value, dict):
        name = str(tagged[0].tag_field)
        for each in tagged:
            if value.get(name) == each.tag:
                return _struct_faults(value, each, pointer)
        words = ", ".join(str(each.tag) for each in tagged)
        return [Fault(pointer=f"{pointer}/{name}", detail=f"is not one of {words}" if name in value else "is missing")]
    tried = [_faults(value, each, pointer) for each in others]
    return min(tried, key=len)


def _fault(value: Any, info: inspect.Type) -> str | None:
    """What is wrong with a value that has no members to look at, if anything."""
    match info:
        case inspect.StrType() if isinstance(value, str):
            least, most = info.min_length or 0, info.max_length
            if len(value) < least or (most is not None and len(value) > most):
                return f"may be {least} to {most} characters long, not {len(value)}"
            if info.pattern is not None and re.search(info.pattern, value) is None:
                return f"is not of the form {info.pattern.removesuffix(chr(92) + 'Z')}$"
            return None
        case inspect.LiteralType():
            words = [str(each) for each in info.values]
            if value in info.values:
                return None
            return f"is not one of {', '.join(words)}{nearest(value, words) if isinstance(value, str) else ''}"
        case inspect.IntType() | inspect.FloatType() if isinstance(value, (int, float)) and not isinstance(value, bool):
            if isinstance(info, inspect.IntType) and not isinstance(value, int):
                return "must be a whole number"
            if (info.ge is not None and value < info.ge) or (info.le is not None and value > info.le):
                return f"must be between {info.ge} and {info.le}"
            return None
        case inspect.BoolType() if isinstance(value, bool):
            return None
        case inspect.AnyType():
            return None
    wanted = next((words for kind, words in _JSON_TYPES.items() if isinstance(info, kind)), "something else")
    return f"must be {wanted}, not {_type_name(value)}"


_JSON_TYPES: Final = {
    inspect.StrType: "a string",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.BoolType: "true or false",
    inspect.ListType: "an array",
    inspect.DictType: "an object",
    inspect.StructType: "an object",
}


def _type_name(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case list():
            return "an array"
        case _:
            return "an object"


def escaped(name: str) -> str:
    """A member's name within a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")[:200]
