"""What is wrong with a value that should be of a shape: every fault of it, each with its place and in plain words.

msgspec converts fast and stops at the first fault, in words of its own; this looks again at what it has refused.
"""

import re
from collections.abc import Sized
from typing import Any, Final

from msgspec import inspect

from service.domain.errors import Fault, nearest
from service.domain.values import form_of, lengths


def faults_of(value: Any, info: inspect.Type, pointer: str) -> list[Fault]:
    """Goes down objects and lists to the members that do not fit, where one conversion would stop at the first."""
    match info:
        case inspect.Metadata():
            return faults_of(value, info.type, pointer)
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
            return [found for place, each in places for found in faults_of(each, info.item_type, f"{pointer}/{place}")]
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
        named = faults_of(name, info.key_type, where)
        faults += [Fault(pointer=where, detail=f"has a name that {fault.detail}") for fault in named]
        faults += faults_of(member, info.value_type, where)
    return faults


def _struct_faults(value: dict[str, Any], info: inspect.StructType, pointer: str) -> list[Fault]:
    faults: list[Fault] = []
    fields = {field.encode_name: field for field in info.fields}
    for name, member in value.items():
        where = f"{pointer}/{escaped(name)}"
        if name in fields:
            faults += faults_of(member, fields[name].type, where)
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
    meant = [each for each in others if isinstance(value, dict) == isinstance(each, inspect.StructType)]
    return min((faults_of(value, each, pointer) for each in meant or others), key=len)


def _fault(value: Any, info: inspect.Type) -> str | None:
    """What is wrong with a value that has no members to look at, if anything."""
    match info:
        case inspect.StrType() if isinstance(value, str):
            least, most = info.min_length or 0, info.max_length
            if len(value) < least or (most is not None and len(value) > most):
                return f"must be {lengths(least, most)}, not {len(value)}"
            if info.pattern is not None and re.search(info.pattern, value) is None:
                return f"must be {form_of(info.pattern)}"
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
