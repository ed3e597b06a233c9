"""What a person sees in a browser: the interface to read, and the kinds of problems. No script, no foreign host."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

import msgspec

from service.api.operation import HTML, JSON, Answer, Call, Operation, Reply, Run
from service.api.problems import KINDS
from service.domain.errors import NotFound
from service.domain.parameters import Parameter

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1b1f; --paper: #fdfdfb; --soft: #6a6a72; --line: #dcdcd6; --mark: #0b5d78 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e2; --paper: #17181b; --soft: #a0a0a6; --line: #34353a; --mark: #7cc4dc } }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 6rem }
h1 { font-size: 2rem; margin: 0 0 .5rem } h2 { margin: 3rem 0 .5rem; border-bottom: 1px solid var(--line) }
h3 { font-size: 1rem; margin: 0; display: inline } a { color: var(--mark) }
code, pre { font: .875em/1.5 ui-monospace, monospace }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line) }
details { border: 1px solid var(--line); border-radius: 6px; margin: .6rem 0; padding: .5rem .9rem }
summary { cursor: pointer } summary .id { color: var(--soft); float: right }
.method { display: inline-block; min-width: 4.2rem; font-weight: 700; color: var(--mark) }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem } p.soft, td.soft { color: var(--soft) }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-top: 1px solid var(--line) }
td code { white-space: nowrap } .scroll { overflow-x: auto }
""".strip()


def pages_of(operations: Sequence[Operation], document: bytes) -> tuple[Operation, ...]:
    """The document itself, and the pages made from it."""
    reference = _reference(operations, msgspec.json.decode(document)).encode()

    async def read_document(_call: Call) -> Reply:
        return Reply(200, document)

    async def read_docs(_call: Call) -> Reply:
        return Reply(200, reference, HTML)

    async def read_problem(call: Call) -> Reply:
        name = call.place["name"]
        if name not in KINDS:
            raise NotFound(f"There is no kind of problem called {name}.")
        kind = KINDS[name]
        body = (
            f"<h1>{escape(kind.title)}</h1><p>Status {kind.status}, type <code>/problems/{name}</code>.</p>"
            f'<p>{_marked(kind.advice)}</p><p><a href="/docs">The interface</a></p>'
        )
        return Reply(200, _page(kind.title, body).encode(), HTML)

    name = Parameter(
        name="name",
        schema={"type": "string", "enum": list(KINDS)},
        description="The last part of a problem's type.",
    )
    page = (Answer(200, "A page.", {HTML: None}),)

    def shown(id: str, path: str, run: Run, answers: tuple[Answer, ...], *place: Parameter) -> Operation:
        return Operation(
            id=id,
            method="GET",
            path=path,
            tag="service",
            summary="",
            place=place,
            run=run,
            answers=answers,
            problems=("not-found",),
            described=False,
        )

    return (
        shown("readDocument", "/openapi.json", read_document, (Answer(200, "The document.", {JSON: None}),)),
        shown("readDocs", "/docs", read_docs, page),
        shown("readProblem", "/problems/{name}", read_problem, page, name),
    )


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · dateline</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    )


def _reference(operations: Sequence[Operation], document: Mapping[str, Any]) -> str:
    parts = [
        f"<h1>dateline {escape(document['info']['version'])}</h1><p>{escape(document['info']['description'])}</p>",
        '<p>The same for programs: <a href="/openapi.json">openapi.json</a>. Writing needs a key, made with <code>'
        "dateline key create --scope write --name NAME</code> and sent as <code>Authorization: Bearer …</code>.</p>",
        "<nav><p>"
        + " · ".join(f'<a href="#{tag["name"]}">{tag["name"]}</a>' for tag in document["tags"])
        + ' · <a href="#schemas">schemas</a> · <a href="#problems">problems</a></p></nav>',
    ]
    for tag in document["tags"]:
        parts.append(f'<h2 id="{tag["name"]}">{tag["name"]}</h2><p class="soft">{escape(tag["description"])}</p>')
        for operation in operations:
            if operation.described and operation.tag == tag["name"]:
                described = document["paths"][operation.path][operation.method.lower()]
                parts.append(_operation(operation, described))
    parts.append('<h2 id="schemas">schemas</h2>')
    for name, schema in document["components"]["schemas"].items():
        told = msgspec.json.format(msgspec.json.encode(schema), indent=2).decode()
        parts.append(
            f'<details id="schema-{name}"><summary><h3>{name}</h3> <span class="soft">'
            f"{escape(schema.get('description', ''))}</span></summary><pre>{escape(told)}</pre></details>"
        )
    rows = [
        f'<tr><td>{kind.status}</td><td><a href="/problems/{name}"><code>{name}</code></a></td>'
        f"<td>{_marked(kind.advice)}</td></tr>"
        for name, kind in KINDS.items()
    ]
    parts.append(f'<h2 id="problems">problems</h2>{_table(("status", "type", "what to do"), rows)}')
    return _page("Interface", "".join(parts))


def _operation(operation: Operation, described: Mapping[str, Any]) -> str:
    parts = [
        f'<details id="{operation.id}"><summary><span class="method">{operation.method}</span> '
        f"<h3><code>{escape(operation.path)}</code></h3> {escape(operation.summary)} "
        f'<span class="id">{operation.id}</span></summary>'
    ]
    if operation.description:
        parts.append(f"<p>{_marked(operation.description)}</p>")
    access = "Needs a key that may write." if operation.scope else "Open; a key shows what it may see."
    parts.append(f'<p class="soft">{access}</p>')
    given = [
        f"<tr><td><code>{escape(each['name'])}</code></td>"
        f"<td>{each['in']}{', required' if each['required'] else ''}</td>"
        f'<td>{_marked(each["description"])}</td><td class="soft">{escape(_bounds(each["schema"]))}</td></tr>'
        for each in described.get("parameters", [])
    ]
    if given:
        parts.append(_table(("parameter", "in", "meaning", "form"), given))
    for kind, content in described.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<p>Body: <code>{kind}</code> {_linked(content['schema'])}</p>")
    answers = [
        f"<tr><td>{status}</td><td>{_marked(answer['description'])}</td><td>"
        + " ".join(
            f"<code>{kind}</code> {_linked(content['schema'])}" for kind, content in answer.get("content", {}).items()
        )
        + f"</td><td>{escape(', '.join(answer.get('headers', {})))}</td></tr>"
        for status, answer in described["responses"].items()
    ]
    parts.append(_table(("status", "meaning", "body", "headers"), answers))
    parts.append("</details>")
    return "".join(parts)


def _table(heads: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f"<th>{each}</th>" for each in heads)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _linked(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{name}">{name}</a>'
    if schema.get("type") == "array":
        return "list of " + _linked(schema["items"])
    return escape(str(schema.get("type", "")))


def _bounds(schema: Mapping[str, Any]) -> str:
    if schema.get("type") == "array":
        return "repeatable: " + _bounds(schema["items"])
    if "enum" in schema:
        default = f", else {schema['default']}" if "default" in schema else ""
        return " | ".join(schema["enum"]) + default
    if "$ref" in schema:
        return "EDTF date"
    if schema["type"] == "integer":
        return f"{schema.get('minimum', '')} to {schema.get('maximum', '')}"
    return f"text of up to {schema['maxLength']} characters" if "maxLength" in schema else "text"


def _marked(text: str) -> str:
    """Text with `code` shown as such."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
