"""Whether every value of one JSON Schema is a value of another, and where not.

Values are sent under one schema and read under another: requests are sent under the old document and read under the
new, answers the other way round. What cannot be decided, such as whether one pattern is within another, counts as not.
Schemas are those of OpenAPI 3.1, `$ref` within the document only. `oneOf` is read as `anyOf`.
"""

import json
import math
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final, Literal, NamedTuple

import jsonschema

Schema = dict[str, Any] | bool
Direction = Literal["request", "response"]

TYPES: Final = ("null", "boolean", "number", "string", "array", "object")
# What says nothing of which values are taken. `default` is compared by itself.
ANNOTATIONS: Final = {
    "$comment", "default", "deprecated", "description", "discriminator", "example", "examples", "externalDocs",
    "readOnly", "title", "writeOnly", "xml",
}  # fmt: skip
AT_LEAST: Final = ("minLength", "minItems", "minProperties")
AT_MOST: Final = ("maxLength", "maxItems", "maxProperties")
RANGE: Final = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
NESTED: Final = ("items", "additionalProperties", "propertyNames")
# Keywords that merge into one value. Of any other, a merged schema has a list of values that hold together.
AS_WRITTEN: Final = {"$ref", "type", "enum", "properties", "required", *AT_LEAST, *AT_MOST, *RANGE, *NESTED}
# Which keywords speak of values of one type alone; any other is compared whatever the type is.
SPEAKS_OF: Final = {
    "minLength": "string", "maxLength": "string", "pattern": "string",
    "minItems": "array", "maxItems": "array", "uniqueItems": "array", "contains": "array", "prefixItems": "array",
    "minProperties": "object", "maxProperties": "object", "patternProperties": "object",
    "dependentRequired": "object", "dependentSchemas": "object", "unevaluatedProperties": "object",
    "multipleOf": "number",
}  # fmt: skip
# What changes the meaning of the keywords beside it, so that taking it away narrows too.
WITH_OTHERS: Final = {"patternProperties", "prefixItems", "unevaluatedItems", "unevaluatedProperties"}
INTEGERS: Final = {"int32": 2**31, "int64": 2**63}
# What is without effect, or compared as a range.
IDLE: Final[dict[str, list[Any]]] = {"format": [*INTEGERS], "uniqueItems": [False]}
MOST_WAYS: Final = 1000


class Place(NamedTuple):
    """The steps from an operation to a schema, and those from the nearest component that both sides name alike."""

    trail: tuple[str, ...]
    anchor: tuple[str, ...]

    def step(self, name: str) -> "Place":
        return Place((*self.trail, name), (*self.anchor, name))

    def component(self, reference: str) -> "Place":
        return Place(self.trail, (reference,))


class Gap(NamedTuple):
    """A place where what is sent may be something that is not read."""

    place: Place
    why: str


def both(one: Schema, other: Schema) -> Schema:
    """A schema of what the two have in common. Equal for equal parts, so that recursion comes to an end."""
    if one is False or other is False:
        return False
    parts = {
        json.dumps(part, sort_keys=True): part
        for schema in (one, other)
        if schema is not True
        for part in (schema["allOf"] if isinstance(schema, dict) and set(schema) == {"allOf"} else [schema])
    }
    if not parts:
        return True
    ordered = [parts[key] for key in sorted(parts)]
    return ordered[0] if len(ordered) == 1 else {"allOf": ordered}


def common_types(one: list[str], other: list[str]) -> list[str]:
    shared = [each for each in one if each in other]
    if "integer" not in shared and "integer" in {*one, *other} and {"integer", "number"} <= {*one, *other}:
        shared = [*(each for each in shared if each != "number"), "integer"]
    return shared


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The keywords of two schemas that hold together, both as `own` makes them."""
    result = {**other, **one}
    for keyword in one.keys() & other.keys():
        x, y = one[keyword], other[keyword]
        if keyword == "type":
            result[keyword] = common_types(x, y)
        elif keyword == "enum":
            result[keyword] = [value for value in x if is_among(value, y)]
        elif keyword in AT_LEAST or keyword in RANGE[:2]:
            result[keyword] = max(x, y)
        elif keyword in AT_MOST or keyword in RANGE[2:]:
            result[keyword] = min(x, y)
        elif keyword in NESTED:
            result[keyword] = both(x, y)
        elif keyword not in ("properties", "$ref"):
            result[keyword] = [*x, *(value for value in y if value not in x)]
    members = [side.get("properties", {}) for side in (one, other)]
    rest = [side.get("additionalProperties", True) for side in (one, other)]
    if any(members):
        names = dict.fromkeys(chain(*members))
        result["properties"] = {n: both(members[0].get(n, rest[0]), members[1].get(n, rest[1])) for n in names}
    return result


def of_every_name(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with what it says of members of any name said where each member and all the others are told."""
    if schema.get("patternProperties", {}).keys() != {""}:
        return schema
    said = schema["patternProperties"][""]
    told = {keyword: value for keyword, value in schema.items() if keyword != "patternProperties"}
    told["properties"] = {name: both(each, said) for name, each in schema.get("properties", {}).items()}
    told["additionalProperties"] = both(schema.get("additionalProperties", True), said)
    return told


def own(schema: dict[str, Any]) -> dict[str, Any]:
    """What the schema says itself, each keyword in a form that can be merged."""
    result: dict[str, Any] = {}
    for keyword, value in of_every_name(schema).items():
        if keyword in ANNOTATIONS or keyword in ("$ref", "allOf", "anyOf", "oneOf"):
            continue
        if keyword == "const":
            keyword, value = "enum", [value]
        elif keyword == "type":
            value = [value] if isinstance(value, str) else value
        elif keyword not in AS_WRITTEN:
            value = [value]
        result = merged(result, {keyword: value}) if keyword in result else {**result, keyword: value}
    return result


def is_among(value: Any, values: list[Any]) -> bool:
    """As JSON compares: true is not 1, and 1 is 1.0."""
    return any(value == each and isinstance(value, bool) == isinstance(each, bool) for each in values)


def is_of(value: Any, kind: str) -> bool:
    return bool(jsonschema.Draft202012Validator({"type": kind}).is_valid(value))


class Side:
    """One document, by which the references of its schemas are followed."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def resolve(self, value: Any) -> Any:
        """What a chain of references leads to: components other than schemas."""
        for _ in range(MOST_WAYS):
            if not (isinstance(value, dict) and "$ref" in value):
                return value
            value = self.at(value["$ref"])
        raise ValueError("references lead to one another")

    def at(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise ValueError(f"not a reference within the document: {reference}")
        found: Any = self.document
        for part in reference[2:].split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        return found

    def defaults(self, schema: Schema) -> list[Any]:
        """What stands for a value that is left out: one or none."""
        for _ in range(MOST_WAYS):
            if not isinstance(schema, dict) or "default" in schema or "$ref" not in schema:
                break
            schema = self.at(schema["$ref"])
        return [schema["default"]] if isinstance(schema, dict) and "default" in schema else []

    def ways(self, schema: Schema) -> list[dict[str, Any]]:
        """The schema as alternatives without `allOf` and `anyOf`, each of one type.

        An alternative that is nothing but a component, or one of its alternatives, tells which in `$ref`.
        """
        result = []
        for way in self._spread(schema, frozenset()):
            for kind in way.get("type", TYPES):
                if "enum" not in way:
                    result.append({**way, "type": kind})
                elif values := [value for value in way["enum"] if is_of(value, kind)]:
                    result.append({**way, "type": kind, "enum": values})
        return result

    def written(self, way: dict[str, Any]) -> dict[str, Any]:
        """An alternative as a schema again, whose references lead where those of the document do."""
        parts = [
            {keyword: each}
            for keyword, value in way.items()
            for each in (value if keyword not in AS_WRITTEN else [value])
            if keyword != "$ref"
        ]
        return {"components": self.document.get("components", {}), "allOf": parts}

    def _spread(self, schema: Schema, following: frozenset[str]) -> list[dict[str, Any]]:
        if isinstance(schema, bool):
            return [{}] if schema else []
        choices = [self._spread(each, following) for each in schema.get("allOf", [])]
        reference = schema.get("$ref")
        if reference is not None and reference not in following:
            found = self._spread(self.at(reference), following | {reference})
            choices.append([{"$ref": reference, **way} for way in found])
        choices += [
            [way for each in schema[keyword] for way in self._spread(each, following)]
            for keyword in ("anyOf", "oneOf")
            if keyword in schema
        ]
        base = own(schema)
        if not base and len(choices) == 1:
            return choices[0]
        ways = [base]
        for options in choices:
            ways = [merged(way, option) for way in ways for option in options]
            if len(ways) > MOST_WAYS:
                raise ValueError(f"a schema has more than {MOST_WAYS} alternatives")
        return [{keyword: value for keyword, value in way.items() if keyword != "$ref"} for way in ways]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def altered(old: Side, new: Side) -> set[str]:
    """References to schemas that differ between the documents, themselves or in what they refer to."""
    schemas = [side.document.get("components", {}).get("schemas", {}) for side in (old, new)]
    prefix = "#/components/schemas/"
    names = schemas[0].keys() | schemas[1].keys()
    users: dict[str, set[str]] = {}
    for name in names:
        for reference in references([side.get(name) for side in schemas]):
            users.setdefault(reference, set()).add(prefix + name)
    waiting = [prefix + name for name in names if schemas[0].get(name) != schemas[1].get(name)]
    found: set[str] = set()
    while waiting:
        reference = waiting.pop()
        if reference not in found:
            found.add(reference)
            waiting.extend(users.get(reference, ()))
    return found


class Inclusion:
    """Compares schemas of an old and a new document, in the direction in which their values travel."""

    def __init__(self, old: Side, new: Side, direction: Direction) -> None:
        self.is_request = direction == "request"
        self.sent, self.read = (old, new) if self.is_request else (new, old)
        self._altered = altered(old, new)
        self._open: set[tuple[str, str]] = set()

    def gaps(self, sent: Schema, read: Schema, place: Place) -> list[Gap]:
        """Where a value of `sent` may be no value of `read`; none where every one is."""
        if sent == read and self._altered.isdisjoint(references(sent)):
            return []
        # Of schemas that lead back to themselves: what is being compared holds unless it is refuted elsewhere.
        pair = (json.dumps(sent, sort_keys=True), json.dumps(read, sort_keys=True))
        if pair in self._open:
            return []
        found = list(self._defaults(sent, read, place))
        if isinstance(sent, dict) and isinstance(read, dict) and sent.get("$ref", 0) == read.get("$ref", 1):
            place = place.component(sent["$ref"])
        self._open.add(pair)
        try:
            found.extend(self._alternatives(sent, read, place))
        finally:
            self._open.remove(pair)
        return list(dict.fromkeys(found))

    def _defaults(self, sent: Schema, read: Schema, place: Place) -> Iterator[Gap]:
        """What is left out means something else. In answers a default means nothing."""
        if self.is_request:
            before, after = self.sent.defaults(sent), self.read.defaults(read)
            if before and after and not is_among(before[0], after):
                yield Gap(place, self._changed("default", before[0], after[0]))

    def _alternatives(self, sent: Schema, read: Schema, place: Place) -> Iterator[Gap]:
        readable = self.read.ways(read)
        strange: list[str] = []
        for way in self.sent.ways(sent):
            fitting = [each for each in readable if each["type"] in _wider(way["type"])]
            if not fitting:
                strange.append(way["type"])
                continue
            # Values that are listed may each have an alternative of its own.
            pieces = [{**way, "enum": [value]} for value in way["enum"]] if "enum" in way else [way]
            for piece in pieces:
                yield from self._closest(piece, fitting, place)
        if strange:
            kinds = ", ".join(dict.fromkeys(strange))
            yield Gap(place, f"{kinds} is no longer taken" if self.is_request else f"may now be {kinds}")

    def _closest(self, way: dict[str, Any], fitting: list[dict[str, Any]], place: Place) -> list[Gap]:
        """No gaps if one of the alternatives takes the whole way; else those to its namesake, or to the nearest."""
        best: tuple[bool, int, list[Gap]] | None = None
        for each in sorted(fitting, key=lambda each: not _alike(way, each)):
            alike = _alike(way, each)
            gaps = list(self._keywords(way, each, place.component(way["$ref"]) if alike else place))
            if not gaps:
                return []
            if best is None or (not alike, len(gaps)) < best[:2]:
                best = (not alike, len(gaps), gaps)
        return best[2] if best else []

    def _changed(self, word: str, sent: Any, read: Any) -> str:
        before, after = (sent, read) if self.is_request else (read, sent)
        said = ["unset" if each is None else json.dumps(each, ensure_ascii=False) for each in (before, after)]
        return f"{word} was {said[0]}, is now {said[1]}"

    def _keywords(self, sent: dict[str, Any], read: dict[str, Any], place: Place) -> Iterator[Gap]:
        """Compares two alternatives, keyword by keyword."""
        kind = sent["type"]
        if "enum" in sent:
            taken = jsonschema.Draft202012Validator(self.read.written(read))
            extra = [value for value in sent["enum"] if not taken.is_valid(value)]
            if extra:
                values = ", ".join(json.dumps(each, ensure_ascii=False) for each in extra)
                yield Gap(place, f"{values} is no longer taken" if self.is_request else f"may now be {values}")
            return
        if "enum" in read:
            word = "values are now listed" if self.is_request else "values are no longer listed"
            yield Gap(place, word)
            return
        if kind in ("number", "integer"):
            yield from self._range(sent, read, place)
        for keyword in AT_LEAST:
            if _speaks(keyword, kind) and read.get(keyword, 0) > sent.get(keyword, 0):
                yield Gap(place, self._changed(keyword, sent.get(keyword), read[keyword]))
        for keyword in AT_MOST:
            if _speaks(keyword, kind) and keyword in read and read[keyword] < sent.get(keyword, math.inf):
                yield Gap(place, self._changed(keyword, sent.get(keyword), read[keyword]))
        for keyword in sorted((read.keys() | (sent.keys() & WITH_OTHERS)) - AS_WRITTEN):
            if _speaks(keyword, kind):
                yield from self._listed(keyword, sent, read, place)
        if kind == "array":
            yield from self.gaps(sent.get("items", True), read.get("items", True), place.step("[]"))
        if kind == "object":
            yield from self._object(sent, read, place)

    def _listed(self, keyword: str, sent: dict[str, Any], read: dict[str, Any], place: Place) -> Iterator[Gap]:
        """Keywords that are compared as they are written: `pattern`, `format`, and all that are rare."""
        has, takes = sent.get(keyword, []), read.get(keyword, [])
        idle = IDLE.get(keyword, [])
        wants = [each for each in takes if each not in has and each not in idle]
        if wants or (keyword in WITH_OTHERS and has != takes):
            yield Gap(place, self._changed(keyword, has[0] if has else None, takes[0] if takes else None))
        elif not self._altered.isdisjoint(references(takes)):
            yield Gap(place, f"what {keyword} refers to changed")

    def _range(self, sent: dict[str, Any], read: dict[str, Any], place: Place) -> Iterator[Gap]:
        for low, word in ((True, "lower bound"), (False, "upper bound")):
            has, wants = _bound(sent, low), _bound(read, low)
            if wants is not None and (has is None or (wants > has)):
                yield Gap(place, self._changed(word, _shown(has, low), _shown(wants, low)))

    def _object(self, sent: dict[str, Any], read: dict[str, Any], place: Place) -> Iterator[Gap]:
        for name in read.get("required", []):
            if name not in sent.get("required", []):
                yield Gap(place.step(name), "is now required" if self.is_request else "is no longer always there")
        has, takes = sent.get("properties", {}), read.get("properties", {})
        rest_sent, rest_read = sent.get("additionalProperties", True), read.get("additionalProperties", True)
        old, new = (has, takes) if self.is_request else (takes, has)
        rest_new = rest_read if self.is_request else rest_sent
        for name in dict.fromkeys((*has, *takes)):
            if name in old and name not in new and (isinstance(rest_new, bool) or not rest_new):
                yield Gap(place.step(name), "is gone")
            elif name not in old and self.is_request and rest_sent in (True, {}):
                continue  # Nobody relies on a member that was taken and ignored.
            elif name not in old and not self.is_request and rest_read is False:
                yield Gap(place.step(name), "is new, where no other members could be")
            elif has.get(name, rest_sent) is not False:
                step = place.step(name)
                yield from self.gaps(has.get(name, rest_sent), takes.get(name, rest_read), step)
        if rest_read is False and rest_sent is not False:
            yield Gap(place, "other members are refused" if self.is_request else "other members may now appear")
        elif rest_sent is not False:
            yield from self.gaps(rest_sent, rest_read, place.step("*"))
            names = [both({"type": "string"}, side.get("propertyNames", True)) for side in (sent, read)]
            yield from self.gaps(names[0], names[1], place.step("names"))


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return "$ref" in one and one["$ref"] == other.get("$ref")


def _wider(kind: str) -> tuple[str, ...]:
    return ("integer", "number") if kind == "integer" else (kind,)


def _speaks(keyword: str, kind: str) -> bool:
    """Whether the keyword means anything for values of the type."""
    return SPEAKS_OF.get(keyword, kind) == ("number" if kind == "integer" else kind)


def _bound(schema: dict[str, Any], low: bool) -> tuple[float, bool] | None:
    """The closest bound on one side, mirrored for the upper one: of two, the greater takes fewer values."""
    sign = 1 if low else -1
    plain, strict = RANGE[:2] if low else RANGE[2:]
    bounds = [(sign * schema[key], key == strict) for key in (plain, strict) if key in schema]
    sizes = [INTEGERS[each] for each in schema.get("format", []) if each in INTEGERS]
    bounds.extend((-size if low else 1 - size, False) for size in sizes)
    return max(bounds, default=None)


def _shown(bound: tuple[float, bool] | None, low: bool) -> Any:
    if bound is None:
        return None
    value = bound[0] if low else -bound[0]
    return {"beyond": value} if bound[1] else value
