"""JSON in lines, for the document under version control and for examples that people read."""

import json
from typing import Any


def laid_out(value: Any, line_length: int = 120, step: int = 1, depth: int = 0) -> str:
    """What fits on a line stands on one, so that a change is seen where it is and the whole stays small."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + depth <= line_length or not isinstance(value, (dict, list)):
        return line
    inner = depth + step
    if isinstance(value, dict):
        parts = [f"{json.dumps(name)}: {laid_out(each, line_length, step, inner)}" for name, each in value.items()]
    else:
        parts = [laid_out(each, line_length, step, inner) for each in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    inside = f",\n{' ' * inner}".join(parts)
    return f"{opening}\n{' ' * inner}{inside}\n{' ' * depth}{closing}"
