"""JSON Schemas of the shapes: msgspec's own, made exact where an annotation cannot say all that is true.

Whatever has a title is a component, said once and named wherever it is used; only what is used is kept. Free JSON has
its bounds, patterns end in `$` as ECMA-262 has it, and an enumeration says its type.
"""

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import msgspec

from service.api import patches, shapes
from service.api.bodies import LIST_MAX, LISTS_MAX
from service.api.exports import shapes as exported
from service.domain import parameters, values
from service.domain.parameters import REPEATS_MAX, Parameter
from service.domain.values import INT8_MAX, INT8_MIN, TEXT_MAX, TEXT_PATTERN
from service.operations.timelines import NAMED

REF: Final = "#/components/schemas/{name}"

Schema = dict[str, Any]

EXPORTED_MAX: Final = 1_000_000_000
"""As long as anything in an export may be: what an event's texts come to there is longer than any of them."""


def _text(most: int) -> Schema:
    return {"type": "string", "pattern": TEXT_PATTERN, "maxLength": most}


def _members(family: str, text_max: int, list_max: int) -> Schema:
    return {
        "propertyNames": _text(text_max),
        "additionalProperties": {"$ref": REF.format(name=f"{family}Value")},
        "maxProperties": list_max,
    }


_FREE_MEMBERS: Final = _members("Json", TEXT_MAX, LIST_MAX)
# Said of whatever name, and not as additional members, so that generators of clients keep it apart from `value`.
_FREE_STEP: Final = {
    "propertyNames": _FREE_MEMBERS["propertyNames"],
    "patternProperties": {"": _FREE_MEMBERS["additionalProperties"]},
    "maxProperties": LIST_MAX,
}


def _free_json(family: str, words: str, text_max: int, list_max: int) -> dict[str, Schema]:
    """Any JSON. Objects may be within each other, but lists only so often: no generator of clients follows for ever."""
    single = [
        {"type": "null"},
        {"type": "boolean"},
        {"type": "number", "minimum": INT8_MIN, "maximum": INT8_MAX},
        _text(text_max),
        {"$ref": REF.format(name=f"{family}Object")},
    ]
    lists = [f"{family}List", *(f"{family}List{level}" for level in range(2, LISTS_MAX + 1))]
    schemas: dict[str, Schema] = {
        f"{family}Value": {
            "description": f"{words}; numbers fit into 64 bits.",
            "anyOf": [*single, {"$ref": REF.format(name=f"{family}List")}],
        },
        f"{family}Object": {
            "description": f"{words} by name.",
            "type": "object",
            **_members(family, text_max, list_max),
        },
    }
    for place, name in enumerate(lists):
        within = [{"$ref": REF.format(name=each)} for each in lists[place + 1 : place + 2]]
        told = f"{words} in a list" + ("." if within else f"; the innermost of {LISTS_MAX} lists within each other.")
        schemas[name] = {
            "description": told,
            "type": "array",
            "items": {"anyOf": [*single, *within]},
            "maxItems": list_max,
        }
    return schemas


class Schemas:
    """The schemas of some shapes, and the components that they name."""

    def __init__(self, types: Iterable[Any]) -> None:
        self._types = [
            *types,
            shapes.EventThinned,
            exported.TimelineJsFile,
            exported.ExportReport,
            patches.PatchOperations,
        ]  # Kept, for they are found by their identity.
        found, structs = msgspec.json.schema_components(self._types, ref_template=REF)
        self._known: Schema = {
            **_titled(shapes),
            **_titled(patches),
            **_titled(exported),
            **_titled(values),
            **{name: _finished(name, schema, structs) for name, schema in structs.items()},
            "EdtfPoint": parameters.EDTF,
            "Instant": parameters.INSTANT,
            **_free_json("Json", "Any JSON", TEXT_MAX, LIST_MAX),
            **_free_json("Exported", "JSON as another format has it", EXPORTED_MAX, EXPORTED_MAX),
            "EventShown": {
                "description": "An event; with `fields`, those of its members that were asked for.",
                "anyOf": [{"$ref": REF.format(name=each)} for each in ("Event", "EventThinned")],
            },
            "ExportedJson": {
                "description": "A TimelineJS file, or with `report` what an export cannot hold.",
                "anyOf": [{"$ref": REF.format(name=each)} for each in ("TimelineJsFile", "ExportReport")],
            },
            "Patch": found[-1],
            "StoredSelection": _stored_selection(),
            "StoredSelectionPatch": _stored_selection(patch=True),
            "ShownSelection": _shown_selection(),
        }
        self._named: dict[str, Schema] = {}
        self._by_type = {id(of): self.settled(schema) for of, schema in zip(self._types, found, strict=True)}

    @property
    def components(self) -> dict[str, Schema]:
        return dict(sorted(self._named.items()))

    def of(self, shape: Any) -> Schema:
        """The schema of one of the shapes, as it stands where the shape is used."""
        return self._by_type[id(shape)]

    def settled(self, schema: Mapping[str, Any]) -> Schema:
        """A schema as it stands where it is used: a reference, if it is a component's."""
        if "$ref" in schema:
            return self._reference(schema["$ref"].rpartition("/")[2], schema)
        if "title" in schema:
            self._known.setdefault(schema["title"], {key: schema[key] for key in schema if key != "default"})
            return self._reference(schema["title"], schema)
        if not schema:
            return self._reference("JsonValue", schema)
        return self._inside(schema)

    def _reference(self, name: str, schema: Mapping[str, Any]) -> Schema:
        if name not in self._named:
            self._named[name] = {}  # A component may name itself.
            self._named[name] = self._inside(self._known[name])
        told = {key: schema[key] for key in ("description", "default") if key in schema}
        if told.get("description") == self._known[name].get("description"):
            told.pop("description", None)
        return {"$ref": REF.format(name=name), **told}

    def _inside(self, schema: Mapping[str, Any]) -> Schema:
        """A schema with all that is within it settled."""
        settled: Schema = {}
        for key, value in schema.items():
            match key:
                case "properties" | "patternProperties":
                    settled[key] = {name: self.settled(each) for name, each in value.items()}
                case "items" | "additionalProperties" | "propertyNames" if isinstance(value, dict):
                    settled[key] = self.settled(value)
                case "anyOf":
                    settled[key] = [self.settled(each) for each in value]
                case "pattern":
                    settled[key] = value.replace(r"\Z", "$")
                case "enum" if len(value) == 1:
                    settled |= {"type": "string", "const": value[0]}
                case "enum":
                    settled |= {"type": "string", "enum": value}
                case "title":
                    pass  # It is the component's name.
                case _:
                    settled[key] = value
        if schema.get("type") == "object" and not {"properties", "additionalProperties"} & schema.keys():
            settled["additionalProperties"] = self._reference("JsonValue", {})
        return settled


def _titled(module: ModuleType) -> dict[str, Schema]:
    """The module's annotated types by title, the first where several have it; an enumeration's words as they stand."""
    annotated = [kind for kind in vars(module).values() if get_origin(kind) is Annotated]
    schemas, _ = msgspec.json.schema_components(annotated, ref_template=REF)
    found = {}
    for kind, schema in zip(annotated, schemas, strict=True):
        if "title" in schema and schema["title"] not in found:
            of = get_args(kind)[0]
            words = {"enum": list(get_args(of))} if get_origin(of) is Literal else {}
            found[schema["title"]] = {**schema, **words}
    return found


def _finished(name: str, schema: Schema, structs: Mapping[str, Schema]) -> Schema:
    """A struct's schema, with its input's words where it has none; what a patch's step does not know is free JSON."""
    if name.endswith("Step"):
        schema = {**schema, **_FREE_STEP}
    if name in shapes.THINNABLE:
        schema = _thinnable(schema)
    if "properties" in schema:
        schema = {**schema, "properties": {member: _left_out(each) for member, each in schema["properties"].items()}}
    given = structs.get(f"{name}Input", {})
    if "properties" in given and "properties" in schema:
        told = {
            member: _told_alike(each, given["properties"].get(member, {}))
            for member, each in schema["properties"].items()
        }
        schema = {**schema, "properties": told}
    return _told_alike(schema, given)


def _told_alike(schema: Schema, given: Schema) -> Schema:
    """The schema with the words of the other where it has none."""
    if "description" in schema or "description" not in given:
        return schema
    return {"description": given["description"], **schema}


def _left_out(schema: Schema) -> Schema:
    """A member's schema with its default, if it has one, in words.

    Generators of clients take a member with a default for one that is always there, and then ask for it.
    """
    if "default" not in schema:
        return schema
    told = {key: value for key, value in schema.items() if key != "default"}
    if schema["default"] in (None, [], {}):
        return told
    words = f"{told.get('description', '')} `{schema['default']}` where left out."
    return {**told, "description": words.strip()}


def _thinnable(schema: Any) -> Any:
    """The schema with each event in it whole or, with `fields`, with some of its members."""
    if isinstance(schema, list):
        return [_thinnable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("$ref") == REF.format(name="Event"):
        return {**schema, "$ref": REF.format(name="EventShown")}
    return {key: _thinnable(value) for key, value in schema.items()}


def _stored_selection(*, patch: bool = False) -> Schema:
    """What a timeline may hold: one value of each parameter, or a list where it is repeatable; null in a patch."""

    def stored(parameter: Parameter) -> Schema:
        either = [_one_of(parameter)]
        if parameter.repeatable:
            either.append({**_list_of(either[0]), "minItems": 1})
        if patch:
            either.append({"type": "null"})
        return {"anyOf": either} if len(either) > 1 else either[0]

    return {
        "description": "Selection parameters by name; a list where one is repeated."
        + (" Null takes an entry away." if patch else ""),
        "type": "object",
        "properties": {parameter.name: stored(parameter) for parameter in parameters.STORABLE},
        "additionalProperties": False,
    }


def _shown_selection() -> Schema:
    """What a timeline holds, as its reader sees it: of what it names out of their sight, an empty list is left."""

    def shown(parameter: Parameter) -> Schema:
        one = _one_of(parameter)
        return {"anyOf": [one, _list_of(one)]} if parameter.repeatable or parameter.name in NAMED else one

    return {
        "description": "Selection parameters by name; a list where one is repeated, empty where it names nothing seen.",
        "type": "object",
        "properties": {parameter.name: shown(parameter) for parameter in parameters.STORABLE},
    }


def _one_of(parameter: Parameter) -> Schema:
    """One value; what holds where there is none is not stored."""
    return {key: value for key, value in parameter.schema.items() if key != "default"}


def _list_of(schema: Schema) -> Schema:
    return {"type": "array", "items": schema, "maxItems": REPEATS_MAX}
