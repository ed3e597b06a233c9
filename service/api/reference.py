"""The document as a page that people read: operations by tag, with requests to try, then shapes and problems."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from service.api.forms import form_of
from service.api.layout import laid_out
from service.api.markup import block, cells, head, marked, page_of, table
from service.api.problems import KINDS
from service.api.trying import LINE_MAX, LOOKUP, Request, requests_of

METHODS: Final = ("get", "post", "patch", "delete")
PLACES: Final = {"path": "In the path", "query": "In the query", "header": "Headers"}
SIDES: Final = ("base_", "head_")
SHARED_MIN: Final = 10
"""Of more parameters than these that another operation has too, the meaning is told there alone."""

BEGINNING: Final = """
Answers under `/v1` are JSON, a diff and a history also Markdown. Parameters choose events; the lenses among them \
(`known_at`, `as_of`, `revision`, `according_to`) say through what they are seen. \
What stands here is sent the same by curl and by a program.

In requests to try, `$KEY` is the key that you give; `$ETAG` is the tag of what is at the address now, and `$ID` the \
id of an event of the demo dossier, both looked up when the request is made.\
"""
HEADERS: Final = (
    (
        "Authorization",
        "`Bearer` and the key. Writing needs one; reading is open, and with a key shows what the key may see.",
    ),
    (
        "ETag",
        "Comes with every read. Sent back as `If-None-Match`, the answer is 304 while nothing has changed; as "
        "`If-Match`, a revision is made only of what was read. Without it that is refused with 428, and after "
        "somebody else's revision with 412.",
    ),
    (
        "Link",
        "The next page, as `rel=next`; also told as `next`. All pages of a reading show the revision of the first.",
    ),
    (
        "Revision",
        "Comes with every write: its number in the log. Sent back as `Min-Revision`, a read waits for it.",
    ),
    (
        "Idempotency-Key",
        "Of your making, with a `POST` that may have to be sent again: for a day, it is answered as the first time.",
    ),
    (
        "Cache-Control",
        "Without a key, an answer pinned to a revision may be kept for a day, and a live one for ten seconds. With "
        "one, every read goes through.",
    ),
)


def reference_of(document: Mapping[str, Any]) -> str:
    """The page of a document, whole without its script, to be served with markup.RUNNING."""
    return _Reference(document).page()


class _Reference:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        # What is served beside the data comes after it.
        self.tags = sorted(document["tags"], key=lambda tag: bool(tag["name"] == "service"))
        self.operations = [
            (path, method, operations[method])
            for path, operations in document["paths"].items()
            for method in METHODS
            if method in operations
        ]
        problems = [set(self._problems(operation)) for _, _, operation in self.operations]
        self.common = [name for name in KINDS if problems and all(name in each for each in problems)]
        """Problems that any operation may answer, told once."""

    def page(self) -> str:
        info = self.document["info"]
        tagged = (self._tagged(tag) for tag in self.tags)
        shapes = (self._shape(name, schema) for name, schema in self.document["components"]["schemas"].items())
        main = (
            f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>"
            f"<p>{marked(info['description'])}</p>",
            self._beginning(),
            *tagged,
            _section("shapes", "What bodies and answers are made of.", shapes),
            _section("problems", "What is refused, and what to do about it.", [_problems_table()]),
        )
        body = (
            '<a class="skip" href="#main">To the reference</a>'
            f'<div class="beside">{self._contents()}<main id="main">{"".join(main)}</main></div>'
        )
        return page_of("Interface", body, running=True)

    def _beginning(self) -> str:
        rows = ((f"<code>{escape(name)}</code>", marked(meaning)) for name, meaning in HEADERS)
        parts = (
            f"<p>{marked(BEGINNING.strip())}</p>",
            '<p>The same for programs: <a href="/openapi.json">openapi.json</a>. A key is made with <code>dateline key '
            "create --scope write --name NAME</code>.</p>",
            f"<h3>Headers that matter</h3>{table(('header', 'meaning'), rows)}",
            f"<p>Any operation may answer {', '.join(_problem(name) for name in self.common)}; the rest is told at "
            "each.</p>",
        )
        return f'<section><h2 id="use">How to use it</h2>{"".join(parts)}</section>'

    def _contents(self) -> str:
        parts = ['<p><b><a href="#use">How to use it</a></b></p>']
        for tag in self.tags:
            listed = "".join(
                f'<li><a href="#{each["operationId"]}">{escape(each["summary"])}</a></li>'
                for _, _, each in self.operations
                if tag["name"] in each["tags"]
            )
            parts.append(f'<p><b><a href="#{tag["name"]}">{tag["name"]}</a></b></p><ul>{listed}</ul>')
        parts += ['<p><b><a href="#shapes">shapes</a></b></p><p><b><a href="#problems">problems</a></b></p>']
        return f'<nav aria-label="Contents">{"".join(parts)}</nav>'

    def _tagged(self, tag: Mapping[str, str]) -> str:
        operations = (self._operation(*each) for each in self.operations if tag["name"] in each[2]["tags"])
        return _section(tag["name"], tag["description"], operations)

    def _operation(self, path: str, method: str, operation: Mapping[str, Any]) -> str:
        open_to_all = {} in operation["security"]
        parts = [f"<p>{marked(operation['description'])}</p>" if "description" in operation else ""]
        parts.append(
            '<p class="soft">Open; with a key, it shows what the key may see.</p>'
            if open_to_all
            else '<p class="soft">Needs a key that may write.</p>'
        )
        parts.append("<h4>Try it</h4>")
        parts += [_tried(each) for each in requests_of(path, method, operation, self._resolved)]
        if parameters := [self._resolved(each) for each in operation.get("parameters", [])]:
            home, shared = self._told_at(operation["operationId"], parameters)
            parts.append(f"<h4>Parameters</h4>{_parameters_table(parameters, home, shared)}")
        if bodies := operation.get("requestBody", {}).get("content", {}):
            rows = ((f"<code>{kind}</code>", form_of(body["schema"])) for kind, body in bodies.items())
            parts.append("<h4>Body</h4>" + table(("media type", "shape"), rows))
        answers = table(("status", "meaning", "body and headers"), self._answers(operation), "statuses")
        parts.append(f"<h4>Answers</h4>{answers}")
        title = (
            f'<span class="method {method}">{method}</span> <h3><code>{escape(path).replace("/", "/<wbr>")}</code></h3>'
            f' <span class="does">{escape(operation["summary"])}</span>'
        )
        return _entry(operation["operationId"], title, "".join(parts))

    def _told_at(self, name: str, parameters: Sequence[Mapping[str, Any]]) -> tuple[str, set[str]]:
        """The operation before this one that tells of most of the same parameters, and which: of many, or of none."""
        best: tuple[str, set[str]] = ("", set())
        if any(each["name"].startswith(SIDES) for each in parameters):
            return best  # Here they have two sides.
        for _, _, other in self.operations:
            if other["operationId"] == name:
                break
            known = [self._resolved(each) for each in other.get("parameters", [])]
            shared = {each["name"] for each in parameters if each["in"] == "query" and each in known}
            if len(shared) > max(len(best[1]), SHARED_MIN):
                best = (other["operationId"], shared)
        return best

    def _answers(self, operation: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        """Rows of the answers, but for those that any operation may give."""
        for status, given in operation["responses"].items():
            answer = self._resolved(given)
            told = []
            for kind, content in answer.get("content", {}).items():
                if kind == "application/problem+json":
                    names = [name for name in content.get("examples", {}) if name not in self.common]
                    told += [", ".join(_problem(name) for name in names)] if names else []
                else:
                    told.append(f"<code>{kind}</code> {form_of(content['schema'])}")
            if not told and int(status) >= 400:
                continue
            if headers := [f"<code>{name}</code>" for name in answer.get("headers", {})]:
                told.append(f"<small>{' '.join(headers)}</small>")
            links = {self._resolved(link)["operationId"]: None for link in answer.get("links", {}).values()}
            if links:
                told.append("<small>then " + ", ".join(f'<a href="#{name}">{name}</a>' for name in links) + "</small>")
            yield status, marked(answer["description"]), "<br>".join(told)

    def _problems(self, operation: Mapping[str, Any]) -> Iterator[str]:
        for answer in operation["responses"].values():
            yield from self._resolved(answer).get("content", {}).get("application/problem+json", {}).get("examples", {})

    def _shape(self, name: str, schema: Mapping[str, Any]) -> str:
        if "properties" in schema:
            required = schema.get("required", [])
            rows = (
                (
                    f"<code>{escape(member)}</code>{'' if member in required else ' <small>optional</small>'}",
                    form_of(each),
                    marked(self._told(each)),
                )
                for member, each in schema["properties"].items()
            )
            told = table(("member", "form", "meaning"), rows)
        else:
            told = f"<p>{form_of(schema)}</p>"
        title = f'<h3>{name}</h3> <span class="does">{marked(schema.get("description", ""))}</span>'
        return _entry(f"shape-{name}", title, told)

    def _told(self, schema: Mapping[str, Any]) -> str:
        """What a member means: its own words, else those of its shape."""
        if "description" in schema or "$ref" not in schema:
            return str(schema.get("description", ""))
        return str(self._resolved(schema).get("description", ""))

    def _resolved(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in value:
            return value
        _, _, kind, name = value["$ref"].split("/")
        found: Mapping[str, Any] = self.document["components"][kind][name]
        return found


def _section(name: str, meaning: str, entries: Iterable[str]) -> str:
    return f'<section><h2 id="{name}">{name}</h2><p class="soft">{escape(meaning)}</p>{"".join(entries)}</section>'


def _entry(name: str, title: str, told: str) -> str:
    """Something that is unfolded. The name is on its inside: browsers unfold what holds the target of a link."""
    return f'<details class="entry"><summary>{title}</summary><div class="inside" id="{name}">{told}</div></details>'


def _tried(request: Request) -> str:
    """The command, with the request as the script offers it, and what it answers."""
    told = [f"<b>{escape(request.title)}</b>"] if request.title else []
    if request.opened is not None:
        told.append(f'<a href="{escape(request.opened)}">open it</a>')
    parts = [f"<p>{' · '.join(told)}</p>"] if told else []
    parts.append(block(request.command()))
    if request.answer is not None:
        text = request.answer if isinstance(request.answer, str) else laid_out(request.answer, LINE_MAX, 2)
        parts.append(f"<details><summary>What the demo dossier answers</summary>{block(text)}</details>")
    data = {"request": request.text()} | ({"lookup": LOOKUP} if "$ID" in request.address else {})
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    return f'<div class="try"{attributes}>{"".join(parts)}</div>'


def _parameters_table(parameters: Sequence[Mapping[str, Any]], home: str, shared: Collection[str]) -> str:
    """By where they are given. Those of one side of a comparison stand with what they are one side of.

    Those shared with the operation `home` are told there, and here by their names alone.
    """
    names = {each["name"]: each for each in parameters}
    sides = {side + name for side in SIDES for name in names if side + name in names}
    parts = [head(("name", "meaning", "form"))]
    for place, title in PLACES.items():
        given = {name: each for name, each in names.items() if each["in"] == place and name not in sides}
        rows = [
            _parameter(each, [side + name for side in SIDES if side + name in sides])
            for name, each in given.items()
            if name not in shared
        ]
        if rows:
            parts.append(_rows(title, "".join(rows)))
        if place == "query" and shared:
            told = " ".join(_named(each, _added(each)) for name, each in given.items() if name in shared)
            parts.append(_rows(f'As in <a href="#{home}">{home}</a>', f'<tr><td colspan="3">{told}</td></tr>'))
    return f"<table>{''.join(parts)}</table>"


def _rows(title: str, rows: str) -> str:
    return f'<tbody><tr><th colspan="3" scope="rowgroup">{title}</th></tr>{rows}</tbody>'


def _added(parameter: Mapping[str, Any]) -> str:
    """What the script puts into a request."""
    example = parameter.get("example", "")
    value = example[0] if isinstance(example, list) else example
    name = parameter["name"]
    added = {"query": f"{name}={value}", "header": f"{name}: {value}"}.get(parameter["in"])
    return "" if added is None else f' data-add="{escape(added)}"'


def _named(parameter: Mapping[str, Any], attributes: str = "") -> str:
    return f"<code{attributes}>{escape(parameter['name'])}</code>"


def _parameter(parameter: Mapping[str, Any], sides: Iterable[str]) -> str:
    told = [_named(parameter)] + (["<small>required</small>"] if parameter["required"] else [])
    if either := " ".join(f"<code>{side}</code>" for side in sides):
        told.append(f'<small class="sides">{either}</small>')
    row = cells([" ".join(told), marked(parameter["description"]), form_of(parameter["schema"])])
    return f"<tr{_added(parameter)}>{row}</tr>"


def _problem(name: str) -> str:
    return f'<a href="/problems/{name}"><code>{name}</code></a>'


def _problems_table() -> str:
    rows = ((str(kind.status), _problem(name), marked(kind.advice)) for name, kind in KINDS.items())
    return table(("status", "type", "what to do"), rows, "statuses")
