"""The form of a value in a few words, as people read it: schemas told in HTML, with links to the shapes they name."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

PATTERN_SHOWN_MAX: Final = 80


def form_of(schema: Mapping[str, Any]) -> str:
    """The form that a schema asks for, and what holds where nothing is given."""
    default = f", else <code>{escape(str(schema['default']))}</code>" if schema.get("default") else ""
    return _form_of(schema) + default


def _form_of(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#shape-{name}">{name}</a>'
    for either in ("anyOf", "oneOf"):
        if either in schema:
            return " or ".join(form_of(each) for each in schema[either])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(word))}</code>" for word in schema["enum"])
    match schema.get("type"):
        case "array":
            return f"list{_most(schema, 'maxItems')} of {form_of(schema.get('items', {}))}"
        case "object" if "properties" not in schema:
            return f"map{_most(schema, 'maxProperties')} of {form_of(schema.get('additionalProperties') or {})}"
        case "integer" | "number" as kind:
            return f"{kind}{_bounds(schema)}"
        case "string":
            # A format's name says what its pattern spells out.
            form = f" ({schema['format']})" if "format" in schema else ""
            pattern = "" if form else schema.get("pattern", "")
            shown = f" <code>{escape(pattern)}</code>" if 0 < len(pattern) <= PATTERN_SHOWN_MAX else ""
            return f"string{form}{_most(schema, 'maxLength')}{shown}"
        case list() as kinds:
            return " or ".join(kinds)
        case kind:
            return str(kind or "anything")


def _most(schema: Mapping[str, Any], limit: str) -> str:
    return f" of up to {schema[limit]:,}" if limit in schema else ""


def _bounds(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    return "" if least is None or most is None else f" from {least:,} to {most:,}"
