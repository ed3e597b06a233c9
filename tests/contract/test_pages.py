"""The pages for people: whole without a script or another host, every link leading somewhere, every example working."""

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from service.api.problems import KINDS
from tests.contract.conformance import Contract


class Page(HTMLParser):
    """What a page is made of: its elements' names, ids, links and style, and the text of its code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src"):
                self.links.append(value or "")


@pytest.fixture(scope="module")
def docs(dossier: Any) -> httpx.Response:
    return httpx.get(f"{dossier.base_url}/docs")


@pytest.fixture(scope="module")
def contract(dossier: Any) -> Contract:
    return Contract(httpx.get(f"{dossier.base_url}/openapi.json").json())


def test_the_reference_has_every_operation_and_every_shape_once(docs: httpx.Response, contract: Contract) -> None:
    ids = Page(docs.text).ids
    assert len(ids) == len(set(ids))
    assert {operation["operationId"] for _, _, operation in contract.operations()} <= set(ids)
    assert {f"shape-{name}" for name in contract.document["components"]["schemas"]} <= set(ids)


@pytest.mark.parametrize("path", ["/", "/docs", "/problems/stale"])
def test_a_page_needs_no_script_and_no_other_host(path: str, reader: httpx.Client) -> None:
    answer = reader.get(path)
    page = Page(answer.text)
    assert not page.elements & {"script", "iframe", "object", "embed", "form", "img", "base"}
    assert not [name for name in page.attributes if name.startswith("on") or name == "style"]
    assert [link for link in page.links if not link.startswith(("/", "#", "data:,"))] == []
    assert not re.search(r"url\(|@import|expression\(", answer.text)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_every_link_of_the_reference_leads_somewhere(docs: httpx.Response, reader: httpx.Client) -> None:
    """Those to the page itself to an element of it; those that open an example to an answer."""
    page = Page(docs.text)
    assert [link for link in page.links if link.startswith("#") and link[1:] not in page.ids] == []
    opened = {link for link in page.links if link.startswith("/")}
    assert len([link for link in opened if link.startswith("/v1")]) > 12
    for link in opened:
        assert reader.get(link).status_code == 200, link


def test_the_reference_shows_the_address_at_which_it_is_read(docs: httpx.Response, dossier: Any) -> None:
    assert (
        f"curl &#x27;{dossier.base_url}/v1/events?" in docs.text or f"curl '{dossier.base_url}/v1/events?" in docs.text
    )
    host = urlsplit(dossier.base_url).netloc
    assert set(re.findall(r"curl (?:-X \w+ )?'(?:http|https)://([^/']+)/", docs.text)) == {host}


def test_the_host_that_is_asked_for_is_no_markup(dossier: Any) -> None:
    answer = httpx.get(f"{dossier.base_url}/docs", headers={"Host": 'a"><script>alert(1)</script>'})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_problem_has_a_page(name: str, reader: httpx.Client) -> None:
    answer = reader.get(f"/problems/{name}")
    assert (answer.status_code, f"/problems/{name}" in answer.text) == (200, True)
