"""The pages for people: whole without a script or another host, every link leading somewhere, every example working.

What the reference's script does in a browser is test_reference.py's; here it is only known not to be any other.
"""

import base64
import gzip
import hashlib
import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest

from service.api.problems import KINDS
from tests.conftest import Live, new_folder, served
from tests.contract import answers
from tests.contract.conformance import Contract
from tests.programs import need

VOID: Final = {"meta", "link", "wbr", "br", "input"}
IN_USE: Final = {"deleteActor", "deleteSource", "deleteCollection"}
"""Operations whose examples name what others rest on."""
BYTES_MAX: Final = 450_000
PACKED_BYTES_MAX: Final = 60_000


@dataclass
class Tried:
    """A request to try: as HTTP has it, the address where its `$ID` is found, and the command that makes it."""

    request: str
    lookup: str
    command: str = ""


class Page(HTMLParser):
    """What a page is made of: its elements with their attributes, its links, and the text of each element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.tried: dict[str, list[Tried]] = {}
        """What there is to try, by the id of the operation that shows it."""
        self.faults: list[str] = []
        self._open: list[str] = []
        self._within = ""
        self._trying = False
        self.feed(text)
        self.close()
        self.faults += [f"{name} is never closed" for name in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if len(given) < len(attrs):
            self.faults.append(f"{tag} has an attribute twice")
        self.elements.append((tag, given))
        if tag not in VOID:
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")
        if given.get("class") == "inside":
            self._within = given["id"]
        elif given.get("class") == "try":
            self._trying = True
            self.tried.setdefault(self._within, []).append(Tried(given["data-request"], given.get("data-lookup", "")))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"{tag} is closed at {self.getpos()} while another is open")
        if tag == "pre":
            self._trying = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]][-1] += data
        if self._trying and "pre" in self._open:
            self.tried[self._within][-1].command += data

    def values(self, name: str) -> list[str]:
        return [given[name] for _, given in self.elements if name in given]

    @property
    def links(self) -> list[str]:
        return [*self.values("href"), *self.values("src")]


@pytest.fixture(scope="module")
def docs(dossier: Live) -> httpx.Response:
    return httpx.get(f"{dossier.base_url}/docs")


@pytest.fixture(scope="module")
def page(docs: httpx.Response) -> Page:
    return Page(docs.text)


@pytest.fixture(scope="module")
def contract(dossier: Live) -> Contract:
    return Contract(httpx.get(f"{dossier.base_url}/openapi.json").json())


# --- The reference is whole


def test_the_reference_has_every_operation_and_every_shape_once(page: Page, contract: Contract) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {operation["operationId"] for _, _, operation in contract.operations()} <= set(ids)
    assert {f"shape-{name}" for name in contract.document["components"]["schemas"]} <= set(ids)


def test_the_reference_names_every_parameter_problem_and_header_that_matters(
    docs: httpx.Response, contract: Contract
) -> None:
    told = set(re.findall(r"<code>([^<]+)</code>", docs.text))
    assert {each["name"] for _, _, operation in contract.operations() for each in contract.parameters(operation)} < told
    assert set(KINDS) < told
    assert {"ETag", "If-Match", "If-None-Match", "Link", "Revision", "Idempotency-Key", "Cache-Control"} < told


def test_every_operation_has_a_request_to_try_and_every_read_an_answer(page: Page, contract: Contract) -> None:
    shown = answers.PATH.read_text()
    for _, method, operation in contract.operations():
        name = operation["operationId"]
        assert page.tried[name], name
        if method == "get" and "application/json" in contract.response(operation, 200)["content"]:
            assert name == "readDocument" or f'"{name}"' in shown, name


def test_what_the_reference_shows_as_answers_is_what_the_dossier_answers(dossier: Live, contract: Contract) -> None:
    shown = json.loads(answers.PATH.read_text(encoding="utf-8"))
    assert answers.comparable(shown) == answers.comparable(answers.answers_of(dossier.base_url)), answers.MEND
    for _, _, operation in contract.operations():
        for value in shown.get(operation["operationId"], {}).values():
            if not isinstance(value, str):
                schema = contract.response(operation, 200)["content"]["application/json"]["schema"]
                text = json.dumps(value).replace("{origin}", dossier.base_url)
                if "fields=" not in text and "selection" not in text:
                    contract.check_value(schema, json.loads(text), operation["operationId"])


def test_the_reference_is_no_heavier_than_a_picture(docs: httpx.Response) -> None:
    assert len(docs.content) < BYTES_MAX
    assert len(gzip.compress(docs.content)) < PACKED_BYTES_MAX


# --- Well made


@pytest.mark.parametrize("path", ["/", "/docs", "/problems/stale"])
def test_a_page_is_well_formed_and_its_headings_are_in_order(path: str, reader: httpx.Client) -> None:
    page = Page(reader.get(path).text)
    assert page.faults == []
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert [pair for pair in pairwise(levels) if pair[1] > pair[0] + 1] == []
    assert ("html", {"lang": "en"}) in page.elements


@pytest.mark.parametrize("path", ["/", "/embed", "/embed/timelines/kosovo", "/docs", "/problems/stale"])
def test_a_page_needs_no_other_host(path: str, reader: httpx.Client) -> None:
    answer = reader.get(path)
    page = Page(answer.text)
    names = {tag for tag, _ in page.elements}
    assert not names & {"iframe", "object", "embed", "img", "base"}
    assert {given["action"] for tag, given in page.elements if tag == "form" and "action" in given} <= {"/"}
    assert not [name for _, given in page.elements for name in given if name.startswith("on") or name == "style"]
    own = ("/", "#", "data:image/svg+xml,", str(reader.base_url))
    # A timeline leads to its sources, and loads nothing of them.
    sources = reader.get("/v1/sources", params={"limit": 500}).json()["items"]
    known = {each["url"] for each in sources} if path.startswith("/embed/") else set()
    assert [link for link in page.links if not link.startswith(own) and link not in known] == []
    assert not re.search(r"url\(|@import|expression\(", answer.text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Storage|cookie", answer.text)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(("path", "scripts"), [("/docs", 1), ("/problems/stale", 0)])
def test_the_policy_lets_in_the_page_s_own_style_and_script_alone(
    path: str, scripts: int, reader: httpx.Client
) -> None:
    answer = reader.get(path)
    page = Page(answer.text)
    policy = {name: rest for name, _, rest in (each.partition(" ") for each in policy_of(answer))}
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == source_of(page.texts["style"])
    assert policy["img-src"] == "data:"
    assert {policy[name] for name in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    assert len(page.texts.get("script", [])) == scripts
    if scripts:
        assert policy["script-src"] == source_of(page.texts["script"])
        assert policy["connect-src"] == "'self'"
        assert policy["require-trusted-types-for"] == "'script'"
    else:
        assert not policy.keys() & {"script-src", "connect-src"}


@pytest.mark.parametrize("path", ["/", "/embed", "/embed/timelines/kosovo"])
def test_the_policy_of_a_page_with_a_timeline_lets_in_the_component_and_this_service(
    path: str, reader: httpx.Client
) -> None:
    answer = reader.get(path)
    policy = {name: rest for name, _, rest in (each.partition(" ") for each in policy_of(answer))}
    origin = str(reader.base_url).rstrip("/")
    assert policy.pop("style-src") == source_of(Page(answer.text).texts["style"])
    assert policy.pop("form-action") == (origin if path == "/" else "'none'")
    assert policy.pop("frame-ancestors") == ("*" if path.startswith("/embed/") else "'none'")
    assert policy == {
        "default-src": "'none'",
        "script-src": f"{origin}/embed/",
        "connect-src": f"{origin}/v1/ {origin}/robots.txt",
        "img-src": "data:",
        "base-uri": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


def policy_of(answer: httpx.Response) -> list[str]:
    return [each.strip() for each in answer.headers["content-security-policy"].split(";")]


def source_of(texts: list[str]) -> str:
    (text,) = texts
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_every_link_of_the_reference_leads_somewhere(page: Page, reader: httpx.Client) -> None:
    """Those to the page itself to an element of it; those that open an example to an answer."""
    ids = page.values("id")
    assert [link for link in page.links if link.startswith("#") and link[1:] not in ids] == []
    opened = {link for link in page.links if link.startswith("/")}
    assert len([link for link in opened if link.startswith("/v1")]) > 12
    for link in opened:
        assert reader.get(link).status_code == 200, link


# --- The examples work


def test_the_reference_shows_the_address_at_which_it_is_read(docs: httpx.Response, page: Page, dossier: Live) -> None:
    assert "{origin}" not in docs.text
    host = urlsplit(dossier.base_url).netloc
    for each in (each for tried in page.tried.values() for each in tried):
        assert set(re.findall(r"https?://([^/'\"]+)/", each.command.split("--data-binary")[0])) == {host}


def made(tried: Tried, asker: httpx.Client, key: str = "") -> httpx.Response:
    """The answer to a request, as the page's script makes it."""
    text = tried.request
    if "$ID" in text:
        (found,) = asker.get(tried.lookup).json()["items"]
        text = text.replace("$ID", found["id"])
    head, _, body = text.partition("\n\n")
    first, *lines = head.split("\n")
    method, address = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    if headers.get("If-Match") == "$ETAG":
        headers["If-Match"] = asker.get(address).headers["etag"]
    if "Authorization" in headers:
        headers["Authorization"] = headers["Authorization"].replace("$KEY", key)
    return asker.request(method, address, headers=headers, content=body.encode())


def ran(command: str, folder: Path, key: str = "") -> tuple[int, str]:
    """The status and body that a shell with curl gets."""
    need("curl")
    before, _, rest = command.rpartition("curl ")
    body = folder / "body"
    asked = f"{before}curl -s -o {shlex.quote(str(body))} -w '%{{http_code}}' {rest}"
    done = subprocess.run(
        ["sh", "-c", asked], env={**os.environ, "KEY": key}, capture_output=True, text=True, timeout=60, check=True
    )
    return int(done.stdout), body.read_text()


def test_every_read_that_is_shown_is_answered(page: Page, contract: Contract, reader: httpx.Client) -> None:
    for _, method, operation in contract.operations():
        for each in page.tried[operation["operationId"]] if method == "get" else ():
            assert made(each, reader).status_code == 200, each


def test_every_command_that_reads_reads_the_same(
    page: Page, contract: Contract, reader: httpx.Client, tmp_path: Path
) -> None:
    for _, method, operation in contract.operations():
        for each in page.tried[operation["operationId"]] if method == "get" else ():
            assert ran(each.command, tmp_path) == (200, made(each, reader).text), each


@pytest.fixture(scope="module")
def written() -> Iterator[Live]:
    """A dossier to write to."""
    with new_folder() as folder, served(folder) as running:
        yield running


def test_every_write_that_is_shown_is_made_or_conflicts_with_what_is_there(written: Live, contract: Contract) -> None:
    """In the order of the document, so that a thing may be there or in use already; never misread, and never stale."""
    page = Page(httpx.get(f"{written.base_url}/docs").text)
    answered: dict[str, set[int]] = {}
    with httpx.Client(base_url=written.base_url, timeout=30) as asker:
        for _, method, operation in contract.operations():
            for each in page.tried[operation["operationId"]] if method != "get" else ():
                answer = made(each, asker, written.key)
                assert answer.status_code in (200, 201, 204, 409), (each, answer.text)
                answered.setdefault(operation["operationId"], set()).add(answer.status_code)
    assert answered.keys() == {o["operationId"] for _, method, o in contract.operations() if method != "get"}
    assert {name for name, statuses in answered.items() if statuses == {409}} <= IN_USE


def test_a_command_that_revises_finds_the_tag_to_revise_with(written: Live, tmp_path: Path) -> None:
    page = Page(httpx.get(f"{written.base_url}/docs").text)
    for each in page.tried["reviseSource"]:
        status, body = ran(each.command, tmp_path, written.key)
        assert (status, json.loads(body).get("slug")) == (200, "bild-2025-02-19"), body


def test_the_host_that_is_asked_for_is_no_markup(dossier: Live) -> None:
    answer = httpx.get(f"{dossier.base_url}/docs", headers={"Host": 'a"><script>alert(1)</script>'})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_problem_has_a_page(name: str, reader: httpx.Client) -> None:
    answer = reader.get(f"/problems/{name}")
    assert (answer.status_code, f"/problems/{name}" in answer.text) == (200, True)
