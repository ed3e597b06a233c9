"""The document as a page that people read: operations by tag, shapes member by member, problems in a table."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final
from urllib.parse import quote, urlencode

from service.api.layout import laid_out
from service.api.problems import KINDS

ORIGIN: Final = "{origin}"
"""Stands in the page where the service's own address goes."""

METHODS: Final = ("get", "post", "patch", "delete")

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c1d22; --paper: #fcfcfa; --soft: #62646e; --line: #dfdfd8; --tint: #f2f2ed;
  --mark: #0a5a75; --get: #1f6f43; --post: #8a5300; --patch: #6a4bb0; --delete: #a8322a }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7e7e3; --paper: #16171a; --soft: #a3a5ad; --line: #33353b; --tint: #1f2126;
    --mark: #86cbe3; --get: #7fd1a0; --post: #e6b566; --patch: #b9a4f2; --delete: #f0928a } }
* { box-sizing: border-box }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100% }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
main { width: 100%; max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 6rem }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 1rem } h1 small { font-size: 1rem; font-weight: 400 }
h2 { font-size: 1.35rem; margin: 3rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line) }
h3, h4 { font-size: 1rem; margin: 0; display: inline } h4 { display: block; margin: 1.25rem 0 .25rem }
a { color: var(--mark); text-underline-offset: .15em } a:focus-visible, summary:focus-visible { outline: 2px solid }
code, pre { font-family: ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace; font-size: .875em }
code { overflow-wrap: anywhere }
pre { overflow-x: auto; margin: .5rem 0; padding: .75rem 1rem; background: var(--tint); border-radius: 6px }
pre code { overflow-wrap: normal }
small, .soft { color: var(--soft) }
nav ul { list-style: none; margin: 0 0 .75rem; padding: 0 } nav li { margin: .1rem 0 } nav b { display: block }
nav a { text-decoration: none } nav a:hover { text-decoration: underline }
details { border: 1px solid var(--line); border-radius: 8px; margin: .6rem 0 }
summary { cursor: pointer; padding: .55rem .9rem; display: flex; flex-wrap: wrap; gap: .1rem .75rem }
summary { align-items: baseline }
summary::-webkit-details-marker { display: none } summary::marker { content: "" }
details[open] > summary { border-bottom: 1px solid var(--line); background: var(--tint); border-radius: 8px 8px 0 0 }
summary .does { color: var(--soft) } .inside { padding: .25rem .9rem .9rem; scroll-margin-top: 5rem }
.method { font: 700 .8rem/1.6 ui-monospace, monospace; min-width: 4rem; text-transform: uppercase }
.get { color: var(--get) } .post { color: var(--post) } .patch { color: var(--patch) } .delete { color: var(--delete) }
table { border-collapse: collapse; width: 100%; margin: .25rem 0 .5rem; font-size: .9375rem }
th { font-weight: 600; color: var(--soft); font-size: .8125rem }
th, td { text-align: left; vertical-align: top; padding: .35rem 1rem .35rem 0; border-top: 1px solid var(--line) }
tr:first-child > th { border-top: 0 } td:first-child { width: 11rem }
@media (min-width: 75rem) {
  .beside { display: grid; grid-template-columns: 17rem minmax(0, 1fr) }
  .beside > main { margin: 0; padding-left: 2rem }
  .beside > nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 2rem 1rem 2rem 1.5rem;
    border-right: 1px solid var(--line); font-size: .875rem } }
@media (max-width: 74.99rem) {
  .beside > nav { max-width: 62rem; margin: 0 auto; padding: 1rem 1.25rem 0 } .beside > nav ul { display: none }
  .beside > nav b { display: inline-block; margin-right: 1rem } }
@media (max-width: 40rem) {
  thead { display: none } tr, td { display: block; border: 0; padding: 0 } td:first-child { width: auto }
  tr { border-top: 1px solid var(--line); padding: .45rem 0 } }
""".strip()


def page_of(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)} · dateline</title><link rel="icon" href="data:,"><style>{STYLE}</style></head>'
        f"<body>{body}</body></html>"
    )


def marked(text: str) -> str:
    """Text with `code` shown as such, and a paragraph wherever it has an empty line."""
    parts = escape(text).split("`")
    told = "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
    return told.replace("\n\n", "</p><p>")


def reference_of(document: Mapping[str, Any]) -> str:
    """The page of a document, with a request to try for each operation."""
    return _Reference(document).page()


class _Reference:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.operations = [
            (path, method, operations[method])
            for path, operations in document["paths"].items()
            for method in METHODS
            if method in operations
        ]

    def page(self) -> str:
        info = self.document["info"]
        parts = [
            f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>",
            f"<p>{marked(info['description'])}</p>",
            '<p>The same for programs: <a href="/openapi.json">openapi.json</a>. A key is made with <code>dateline key '
            "create --scope write --name NAME</code>.</p>",
        ]
        for tag in self.document["tags"]:
            parts.append(f'<h2 id="{tag["name"]}">{tag["name"]}</h2><p class="soft">{escape(tag["description"])}</p>')
            parts += [self._operation(*each) for each in self.operations if tag["name"] in each[2]["tags"]]
        parts.append('<h2 id="shapes">shapes</h2><p class="soft">What bodies and answers are made of.</p>')
        parts += [self._shape(name, schema) for name, schema in self.document["components"]["schemas"].items()]
        parts.append('<h2 id="problems">problems</h2>')
        parts.append(
            _table(
                ("status", "type", "what to do"),
                (
                    (str(kind.status), f'<a href="/problems/{name}"><code>{name}</code></a>', marked(kind.advice))
                    for name, kind in KINDS.items()
                ),
            )
        )
        return page_of("Interface", f'<div class="beside">{self._contents()}<main>{"".join(parts)}</main></div>')

    def _contents(self) -> str:
        parts = []
        for tag in self.document["tags"]:
            listed = "".join(
                f'<li><a href="#{each["operationId"]}">{escape(each["summary"])}</a></li>'
                for _, _, each in self.operations
                if tag["name"] in each["tags"]
            )
            parts.append(f'<b><a href="#{tag["name"]}">{tag["name"]}</a></b><ul>{listed}</ul>')
        parts += ['<b><a href="#shapes">shapes</a></b> <b><a href="#problems">problems</a></b>']
        return f'<nav aria-label="Contents">{"".join(parts)}</nav>'

    def _operation(self, path: str, method: str, operation: Mapping[str, Any]) -> str:
        parameters = [self._resolved(each) for each in operation.get("parameters", [])]
        parts = [f"<p>{marked(operation['description'])}</p>" if "description" in operation else ""]
        parts.append(
            '<p class="soft">Open; with a key, it shows what the key may see.</p>'
            if {} in operation["security"]
            else '<p class="soft">Needs a key that may write.</p>'
        )
        parts.append(self._tried(path, method, operation, parameters))
        if parameters:
            rows = (
                (
                    f"<code>{escape(each['name'])}</code>{' <small>required</small>' if each['required'] else ''}",
                    marked(each["description"]),
                    f"{each['in']}: {self._kind(each['schema'])}",
                )
                for each in parameters
            )
            parts.append("<h4>Parameters</h4>" + _table(("name", "meaning", "form"), rows))
        bodies = operation.get("requestBody", {}).get("content", {})
        if bodies:
            rows = ((f"<code>{kind}</code>", self._kind(body["schema"]), "") for kind, body in bodies.items())
            parts.append("<h4>Body</h4>" + _table(("media type", "shape", ""), rows))
        parts.append("<h4>Answers</h4>" + _table(("status", "meaning", "body and headers"), self._answers(operation)))
        return (
            f'<details><summary><span class="method {method}">{method}</span> <h3><code>{escape(path)}</code></h3>'
            f' <span class="does">{escape(operation["summary"])}</span></summary>'
            f'<div class="inside" id="{operation["operationId"]}">{"".join(parts)}</div></details>'
        )

    def _tried(
        self, path: str, method: str, operation: Mapping[str, Any], parameters: Iterable[Mapping[str, Any]]
    ) -> str:
        """A request that can be made as it stands, or once what is in capitals is put in."""
        query: list[tuple[str, str]] = []
        headers = []
        for each in parameters:
            example = each.get("example")
            if each["in"] == "path":
                path = path.replace(
                    f"{{{each['name']}}}", each["name"].upper() if example is None else quote(str(example))
                )
            elif each["in"] == "query" and example is not None:
                query += [(each["name"], str(one)) for one in (example if isinstance(example, list) else [example])]
            elif each["in"] == "header" and each["required"]:
                headers.append(f"{each['name']}: {example}")
        address = f"{path}?{urlencode(query)}" if query else path
        if method == "get":
            opened = f', or <a href="{escape(address)}">open it</a>' if path == path.lower() else ""
            return f"<h4>Try it{opened}</h4>" + _command([f"curl '{ORIGIN}{address}'"])
        told = [f"curl -X {method.upper()} '{ORIGIN}{address}'", '-H "Authorization: Bearer $KEY"']
        told += [f"-H '{header}'" for header in headers]
        if "requestBody" not in operation:
            return f"<h4>Try it</h4>{_command(told)}"
        return "<h4>Try it</h4>" + "".join(
            _command(
                [
                    *told,
                    f"-H 'Content-Type: {kind}'",
                    f"--data-binary @- <<'JSON'\n{laid_out(example['value'], 80, 2)}\nJSON",
                ]
            )
            for kind, body in operation["requestBody"]["content"].items()
            for example in body.get("examples", {}).values()
        )

    def _answers(self, operation: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
        for status, given in operation["responses"].items():
            answer = self._resolved(given)
            told = []
            for kind, content in answer.get("content", {}).items():
                names = content.get("examples", {})
                told.append(
                    ", ".join(f'<a href="/problems/{name}"><code>{name}</code></a>' for name in names)
                    or f"<code>{kind}</code> {self._kind(content['schema'])}"
                )
            headers = [f"<code>{name}</code>" for name in answer.get("headers", {})]
            if headers:
                told.append(f"<small>{' '.join(headers)}</small>")
            shown = "<br>".join(told)
            yield status, marked(answer["description"]), shown

    def _shape(self, name: str, schema: Mapping[str, Any]) -> str:
        described = schema.get("description", "")
        parts = []
        if "properties" in schema:
            required = schema.get("required", [])
            rows = (
                (
                    f"<code>{escape(member)}</code>{'' if member in required else ' <small>optional</small>'}",
                    self._kind(each),
                    marked(self._told(each)),
                )
                for member, each in schema["properties"].items()
            )
            parts.append(_table(("member", "form", "meaning"), rows))
        else:
            parts.append(f"<p>{self._kind(schema)}</p>")
        return (
            f'<details><summary><h3>{name}</h3> <span class="does">{escape(described)}</span></summary>'
            f'<div class="inside" id="shape-{name}">{"".join(parts)}</div></details>'
        )

    def _told(self, schema: Mapping[str, Any]) -> str:
        """What a member means: its own words, else those of its shape."""
        if "description" in schema or "$ref" not in schema:
            return str(schema.get("description", ""))
        return str(self._resolved(schema).get("description", ""))

    def _kind(self, schema: Mapping[str, Any]) -> str:
        """The form of a value in a few words, shapes linked."""
        default = f", else <code>{escape(str(schema['default']))}</code>" if schema.get("default") else ""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return f'<a href="#shape-{name}">{name}</a>{default}'
        if "anyOf" in schema:
            return " or ".join(self._kind(each) for each in schema["anyOf"]) + default
        if "const" in schema:
            return f"<code>{escape(schema['const'])}</code>"
        if "enum" in schema:
            return " | ".join(f"<code>{escape(word)}</code>" for word in schema["enum"]) + default
        match schema.get("type"):
            case "array":
                return f"list{_most(schema, 'maxItems')} of {self._kind(schema['items'])}"
            case "object" if "properties" not in schema:
                return f"map{_most(schema, 'maxProperties')} of {self._kind(schema.get('additionalProperties', {}))}"
            case "integer" | "number" as kind:
                return f"{kind}{_bounds(schema)}{default}"
            case "string":
                form = f" ({schema['format']})" if "format" in schema else ""
                pattern = schema.get("pattern", "")
                shown = f" <code>{escape(pattern)}</code>" if 0 < len(pattern) <= 80 else ""
                return f"string{form}{_most(schema, 'maxLength')}{shown}{default}"
            case kind:
                return str(kind or "anything")

    def _resolved(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in value:
            return value
        _, _, kind, name = value["$ref"].split("/")
        found: Mapping[str, Any] = self.document["components"][kind][name]
        return found


def _command(parts: Iterable[str]) -> str:
    lines = " \\\n  ".join(parts)
    return f"<pre><code>{escape(lines, quote=False)}</code></pre>"


def _most(schema: Mapping[str, Any], limit: str) -> str:
    return f" of up to {schema[limit]:,}" if limit in schema else ""


def _bounds(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    return "" if least is None or most is None else f" from {least:,} to {most:,}"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{each}</th>" for each in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
