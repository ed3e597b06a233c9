"""Strict reading of bodies: JSON that says each thing once, and every fault of it at once."""

import json
from typing import Annotated, Any, Final

import msgspec
from msgspec import inspect

from service.domain.errors import Fault, InvalidBody, Malformed

DEPTH_MAX: Final = 24
FAULTS_MAX: Final = 100


def json_of(body: bytes) -> Any:
    """The JSON value of a body.

    Raises Malformed for what is not UTF-8 or JSON, a member named twice, NUL or half a surrogate pair in a string, a
    number beyond 64 bits, or more than 24 levels.
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
    if "\\u" in text:
        _refuse_unpaired(value)
    return value


def _depth(text: str) -> int:
    deepest = depth = 0
    quoted = escaped = False
    for character in text:
        if quoted:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                quoted = False
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
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
    if len(text) > 20 or not -(2**63) <= int(text) < 2**63:
        raise Malformed(f"The whole number {text[:40]} does not fit into 64 bits.")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not -(2.0**63) <= value < 2.0**63:
        raise Malformed(f"The number {text[:40]} does not fit into 64 bits.")
    return value


def _refuse_unpaired(value: Any) -> None:
    """Escapes may say what UTF-8 cannot."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in each):
            raise Malformed("A string of the body holds NUL or half a surrogate pair, which no text can.")


def structure_of(value: Any, shape: Any) -> Any:
    """The JSON value as a struct. Raises InvalidBody with every fault and where it is."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError:
        faults = _faults(value, inspect.type_info(shape), "")[:FAULTS_MAX]
        raise InvalidBody("The body is not of its schema.", faults) from None


def _faults(value: Any, info: inspect.Type, pointer: str) -> list[Fault]:
    """Goes down objects and lists to the members that do not fit, where one conversion would stop at the first."""
    if isinstance(info, inspect.Metadata):
        return _faults(value, info.type, pointer)
    if isinstance(info, inspect.StructType) and isinstance(value, dict):
        faults: list[Fault] = []
        fields = {field.encode_name: field for field in info.fields}
        for name, member in value.items():
            where = f"{pointer}/{escaped(name)}"
            if name not in fields:
                faults.append(Fault(pointer=where, detail="is not a member of this object"))
            else:
                faults += _faults(member, fields[name].type, where)
        for name, field in fields.items():
            if field.required and name not in value:
                faults.append(Fault(pointer=f"{pointer}/{name}", detail="is missing"))
        return faults
    if isinstance(info, inspect.ListType) and isinstance(value, list):
        if (info.max_length is not None and len(value) > info.max_length) or (
            info.min_length is not None and len(value) < info.min_length
        ):
            most = (
                f"at most {info.max_length}" if info.min_length is None else f"{info.min_length} to {info.max_length}"
            )
            return [Fault(pointer=pointer, detail=f"may have {most} members, not {len(value)}")]
        return [f for place, member in enumerate(value) for f in _faults(member, info.item_type, f"{pointer}/{place}")]
    return [Fault(pointer=pointer, detail=text) for text in _fault(value, info)]


def _fault(value: Any, info: inspect.Type) -> list[str]:
    """What is wrong with a value that has no members worth looking at one by one."""
    if isinstance(info, inspect.Metadata):
        return _fault(value, info.type)
    if isinstance(info, inspect.UnionType):
        if value is None and any(isinstance(each, inspect.NoneType) for each in info.types):
            return []
        others = [each for each in info.types if not isinstance(each, inspect.NoneType)]
        tried = [_fault(value, each) for each in others]
        return [] if any(not found for found in tried) else tried[0]
    if isinstance(info, inspect.AnyType):
        return []
    if isinstance(info, inspect.LiteralType):
        words = ", ".join(str(each) for each in info.values)
        return [] if value in info.values else [f"is not one of {words}"]
    try:
        msgspec.convert(value, _type_of(info))
    except msgspec.ValidationError as error:
        return [_readable(str(error))]
    return []


def _type_of(info: inspect.Type) -> Any:
    """The annotation that an inspected type came from, for one conversion."""
    if isinstance(info, inspect.Metadata):
        return _type_of(info.type)
    match info:
        case inspect.StrType():
            return _limited(str, pattern=info.pattern, min_length=info.min_length, max_length=info.max_length)
        case inspect.IntType():
            return _limited(int, ge=info.ge, le=info.le, gt=info.gt, lt=info.lt)
        case inspect.FloatType():
            return _limited(float, ge=info.ge, le=info.le, gt=info.gt, lt=info.lt)
        case inspect.BoolType():
            return bool
        case inspect.DictType():
            return _limited(dict[_type_of(info.key_type), _type_of(info.value_type)], max_length=info.max_length)  # type: ignore[misc]
        case inspect.ListType():
            return _limited(list[_type_of(info.item_type)], max_length=info.max_length)  # type: ignore[misc]
        case inspect.StructType():
            return info.cls
        case _:
            return Any


def _limited(of: Any, **limits: Any) -> Any:
    given = {name: limit for name, limit in limits.items() if limit is not None}
    return Annotated[of, msgspec.Meta(**given)] if given else of


def _readable(message: str) -> str:
    """msgspec's words for a fault, without its own notation of the place."""
    text = message.split(" - at `")[0].replace("Expected `", "must be `", 1).replace("\\Z", "$")
    return text[:1].lower() + text[1:]


def escaped(name: str) -> str:
    """A member's name within a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")[:200]
