"""The reference in a real browser: requests are made where they stand, nothing is written unasked, names are found."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.browser.chromium import Chromium, Tab, started
from tests.conftest import Live

ENTER = {"key": "Enter", "code": 13, "text": "\r"}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with started(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def tab(browser: Chromium, dossier: Live) -> Iterator[Tab]:
    """The reference of the dossier; whatever a test does there, nothing fails, nobody else is asked, nothing stays."""
    page = Tab(browser)
    page.open(f"{dossier.base_url}/docs")
    yield page
    assert page.complaints() == []
    assert {urlsplit(url).netloc for _, url in page.requests() if not url.startswith("data:")} == {
        urlsplit(dossier.base_url).netloc
    }
    assert page.value("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]


def run(tab: Tab, operation: str, number: int = 0) -> None:
    tab.value(f"location.hash = '{operation}'")
    tab.value(f"document.querySelectorAll('#{operation} .run')[{number}].click()")


def answered(tab: Tab, operation: str, number: int = 0) -> str:
    """What is told of the answer, once it is there."""
    told = f"document.querySelectorAll('#{operation} .told')[{number}].textContent"
    tab.wait(rf"/^\d/.test({told})")
    return str(tab.value(told))


def test_every_read_is_made_where_it_is_shown(tab: Tab) -> None:
    reads = tab.value(
        "[...document.querySelectorAll('details.entry:has(.method.get)')].map((entry) =>"
        " [entry.lastElementChild.id, entry.querySelectorAll('.run').length])"
    )
    assert len(reads) > 15
    for operation, count in reads:
        for number in range(count):
            run(tab, operation, number)
            assert answered(tab, operation, number).startswith("200 OK"), (operation, number)


def test_an_answer_is_shown_to_the_character(tab: Tab, reader: httpx.Client) -> None:
    run(tab, "readDiff")
    answered(tab, "readDiff")
    address = tab.value("document.querySelector('#readDiff textarea').value").removeprefix("GET ")
    shown = tab.value("document.querySelector('#readDiff .answer pre').textContent")
    assert json.loads(shown) == reader.get(address).json()
    assert shown.startswith('{\n  "base": {\n')


def test_what_has_an_etag_is_asked_again_and_pages_follow(tab: Tab) -> None:
    run(tab, "listSources")
    answered(tab, "listSources")
    follow, again = "listSources .answer button:first-child", "listSources .answer button:last-child"
    tab.value(f"document.querySelector('#{follow}').click()")
    assert answered(tab, "listSources").startswith("200")
    assert "&cursor=" in tab.value("document.querySelector('#listSources textarea').value")
    tab.value(f"document.querySelector('#{again}').click()")
    assert answered(tab, "listSources").startswith("304")
    assert "\nIf-None-Match: " in tab.value("document.querySelector('#listSources textarea').value")


def test_a_request_is_edited_by_hand_and_by_its_parameters(tab: Tab) -> None:
    tab.value("location.hash = 'listEvents'")
    for name in ("role", "Min-Revision"):
        tab.value(f"document.querySelector('#listEvents [aria-label=\"Put {name} into the request\"]').click()")
    lines = tab.value("document.querySelector('#listEvents textarea').value").split("\n")
    assert lines[0].endswith("&role=subject")
    assert lines[1:] == ["Min-Revision: 1"]
    assert "-H 'Min-Revision: 1'" in tab.value("document.querySelector('#listEvents pre').textContent")
    tab.value("document.querySelector('#listEvents textarea').select()")
    tab.type("GET /v1/events?acto=kfor")
    tab.press(**{**ENTER, "modifiers": 2, "text": ""})
    assert answered(tab, "listEvents").startswith("400")
    assert "did you mean actor?" in tab.value("document.querySelector('#listEvents .answer').textContent")


@pytest.mark.parametrize(
    "text", ["GET //elsewhere.example/", "GET /\\elsewhere.example/", "GET https://elsewhere.example"]
)
def test_no_other_service_is_asked(text: str, tab: Tab) -> None:
    tab.value("location.hash = 'readLanding'")
    tab.value("document.querySelector('#readLanding textarea').select()")
    tab.type(text)
    before = len(tab.requests())
    run(tab, "readLanding")
    tab.wait("document.querySelector('#readLanding .told').textContent !== ''")
    assert len(tab.requests()) == before


def test_nothing_is_written_unless_asked_and_then_with_the_key_given_once(
    browser: Chromium, live: Live, unique: str
) -> None:
    tab = Tab(browser)
    tab.open(f"{live.base_url}/docs")
    tab.value("location.hash = 'createActor'")
    tab.value("document.querySelector('#createActor textarea').select()")
    body = json.dumps({"slug": unique, "name": "Somebody", "type": "person"})
    tab.type(f"POST /v1/actors\nAuthorization: Bearer $KEY\nContent-Type: application/json\n\n{body}")
    run(tab, "createActor")
    assert tab.value("document.querySelector('dialog').open")
    tab.press("Escape", code=27)
    tab.wait("!document.querySelector('dialog').open")
    run(tab, "createActor")
    tab.type(live.key)
    tab.press(**ENTER)
    assert answered(tab, "createActor").startswith("201 Created")
    assert [method for method, _ in tab.requests()].count("POST") == 1
    assert live.key not in tab.value("document.documentElement.outerHTML")
    assert live.key not in tab.value("[...document.querySelectorAll('input, textarea')].map((e) => e.value).join()")

    # Once given, it is only asked whether to write; and the tag to revise with is found.
    tab.value("location.hash = 'reviseActor'")
    tab.value("document.querySelector('#reviseActor textarea').select()")
    tab.type(
        f"PATCH /v1/actors/{unique}\nAuthorization: Bearer $KEY\nIf-Match: $ETAG\n"
        'Content-Type: application/merge-patch+json\n\n{"name": "Somebody else"}'
    )
    run(tab, "reviseActor")
    tab.press(**ENTER)
    assert answered(tab, "reviseActor").startswith("200 OK")
    assert tab.complaints() == []


def test_things_are_found_by_name_and_unfolded(tab: Tab) -> None:
    shown = "[...document.querySelectorAll('details.entry:not([hidden])')].map((entry) => entry.lastElementChild.id)"
    everything = tab.value(shown)
    tab.value("document.querySelector('#find').focus()")
    tab.type("base_known_at")
    assert tab.value(shown) == ["readDiff"]
    tab.press(**ENTER)
    assert tab.value("document.querySelector('#readDiff').parentElement.open")
    assert tab.value("location.hash") == "#readDiff"
    # A link to what the search has put away ends the search.
    tab.value("document.querySelector('a[href=\"#shape-EdtfPoint\"]').click()")
    tab.wait("document.querySelector('#shape-EdtfPoint').parentElement.open")
    assert tab.value(shown) == everything


def test_a_link_unfolds_what_it_leads_to(browser: Chromium, dossier: Live) -> None:
    tab = Tab(browser)
    tab.open(f"{dossier.base_url}/docs#shape-Claim")
    tab.wait("document.querySelector('#shape-Claim').parentElement.open")
    tab.wait("Math.abs(document.querySelector('#shape-Claim').getBoundingClientRect().top) < innerHeight / 2")
    tab.wait("document.activeElement.textContent.startsWith('Claim')")


CONTRASTS = """
(() => {
  const numbers = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (colour) => {
    const part = (each) => each <= 10 ? each / 255 / 12.92 : ((each / 255 + .055) / 1.055) ** 2.4;
    const [r, g, b] = colour.map(part);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const colour = numbers(getComputedStyle(element).backgroundColor);
      if (colour.length === 3) return colour;
    }
    return [255, 255, 255];
  };
  for (const each of document.querySelectorAll("details")) each.open = true;
  const found = {};
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    const [a, b] = [numbers(getComputedStyle(element).color), behind(element)].map(light).sort((x, y) => y - x);
    found[`${element.localName}.${element.className}`] = (a + .05) / (b + .05);
  }
  return found;
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_is_to_be_read_in_light_and_dark(scheme: str, browser: Chromium, dossier: Live) -> None:
    tab = Tab(browser, scheme=scheme)
    tab.open(f"{dossier.base_url}/docs")
    contrasts = tab.value(CONTRASTS)
    assert len(contrasts) > 20
    assert {name: ratio for name, ratio in contrasts.items() if ratio < 4.5} == {}
    lightness = tab.value("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0] > 127")
    assert lightness == (scheme == "light")


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_nothing_is_wider_than_the_window(width: int, browser: Chromium, dossier: Live) -> None:
    tab = Tab(browser, width)
    tab.open(f"{dossier.base_url}/docs")
    tab.value("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    for button in ("aria-expanded", "title^=Ctrl"):
        tab.value(f"document.querySelectorAll('#readDiff [{button}]').forEach((each) => each.click())")
    answered(tab, "readDiff")
    assert tab.value("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_without_the_script_the_commands_are_there_and_nothing_that_would_do_nothing(
    browser: Chromium, dossier: Live
) -> None:
    tab = Tab(browser, scripts=False)
    tab.open(f"{dossier.base_url}/docs#readDiff")
    assert tab.value("document.querySelectorAll('button, input, textarea, dialog').length") == 0
    assert tab.value("document.querySelector('#readDiff pre').checkVisibility()")
