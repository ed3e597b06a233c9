"""What README and docs promise: commands answer as printed, settings are those there are, links lead somewhere."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from service.settings import PREFIX, Settings
from service.storage.folder import default_data_dir
from tests.conftest import environment, new_folder, served
from tests.printed import CURLS, ORIGIN, ROOT, Mismatch, Shell, blocks_of, follow, learn, shell_of, steps_of

README = ROOT / "README.md"
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


# Comparing an answer with what the page prints

ANSWER = """\
etag: "6-ba6e87bd9d21361370ae7d08"
id: 01a21073-d1ba-7000-80f3-48cfa59a074d
a
b
c of many words
d
"""


@pytest.mark.parametrize(
    "printed",
    [
        ANSWER,
        'etag: "6-000000000000000000000000"\n…',
        "…\nid: 01a21073-d1ba-7000-80f3-000000000000\n…\nd",
        "…\nb\nc of …\nd",
        "…\na\n…\nc of … words\nd",
    ],
)
def test_an_answer_as_printed_is_taken(printed: str) -> None:
    learn(printed, ANSWER)


@pytest.mark.parametrize(
    "printed",
    [
        "…\na\nc of many words\nd",  # a line left out in silence
        "…\nb\n…\na\n…",  # another order
        "…\nb",  # more follows
        "a\n…",  # something goes before
        "…\nb\n…\nc of many words\nd",  # nothing is left out where the page says so
        "…\nc of many words …\nd",
        'etag: "7-ba6e87bd9d21361370ae7d08"\n…',
        ANSWER + "e",
    ],
)
def test_an_answer_not_as_printed_is_refused(printed: str) -> None:
    with pytest.raises(Mismatch):
        learn(printed, ANSWER)


def test_a_printed_value_stands_for_one_answered_value() -> None:
    one, other = "01a21073-d1ba-7000-80f3-48cfa59a074d", "01a21073-d1ba-7000-80f3-48cfa59a074e"
    assert learn(f"{one} {one}", f"{other} {other}") == {one: other}
    with pytest.raises(Mismatch):
        learn(f"{one} {one}", f"{one} {other}")


# Running the page


class Reader(NamedTuple):
    """Who tries what the page says: at a shell, beside a service at an address, with the log of its start."""

    shell: Shell
    base_url: str
    log: Path


@pytest.fixture(scope="module", params=CURLS)
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader beside a service with the demo; one with curl, and one with what stands in for it."""
    folder, programs = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("bin")
    with (
        new_folder() as data,
        served(data) as running,
        shell_of(folder, programs, environment(data), request.param) as shell,
    ):
        yield Reader(shell, running.base_url, data.parent / "service.log")


def test_the_service_starts_as_printed(reader: Reader) -> None:
    (printed,) = [block for block in blocks_of(README.read_text()) if "Serving on" in block.text]
    learn(printed.text, reader.log.read_text().replace(reader.base_url, ORIGIN))


def test_every_command_answers_as_printed(reader: Reader) -> None:
    follow(README, reader.shell, reader.base_url)


def test_the_page_shows_what_it_should() -> None:
    commands = [step.command.text for step in steps_of(README.read_text())]
    for wanted in (
        "actor=",
        "revision=",
        "known_at=",
        "according_to=",
        "/v1/diff",
        "text/markdown",
        "key create",
        "PATCH",
        "If-Match",
    ):
        assert any(wanted in command for command in commands), wanted
    shown = [block for block in blocks_of(README.read_text()) if block.kind != "sh" and "curl " in block.text]
    assert shown == [], "a block with curl is run"


# Settings


def test_the_table_of_settings_is_the_struct(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        match[1]: (match[2], match[3])
        for match in re.finditer(rf"^\| `({PREFIX}\w+)` \| (.+?) \| (.+?) \|$", README.read_text(), re.MULTILINE)
    }
    schema = msgspec.json.schema_components([Settings])[1]["Settings"]["properties"]
    assert [*told] == [PREFIX + name.upper() for name in schema]
    for name, described in schema.items():
        default, meaning = told[PREFIX + name.upper()]
        if name != "data_dir":
            assert default == ("–" if described["default"] is None else f"`{_text(described['default'])}`"), name
        for part in (described.get("description"), _bounds(described), *map("`{}`".format, described.get("enum", ()))):
            assert part is None or part in meaning, f"{name}: {part}"
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    for user in (0, 1000):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        folder = str(default_data_dir()).replace(str(Path.home()), "~")
        assert f"`{folder}`" in told["DATELINE_DATA_DIR"][0]


def _bounds(described: dict[str, Any]) -> str | None:
    low, high = described.get("minimum"), described.get("maximum")
    if high is None:
        return None
    return f"at most {_text(high)}" if low is None else f"{_text(low)} to {_text(high)}"


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) and value >= 100_000 else str(value)


# Links and the code map


def slug_of(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert there.is_relative_to(ROOT), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE)
            assert anchor in map(slug_of, headings), target


def test_every_page_of_docs_is_linked() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    }
    assert [str(page) for page in PAGES if page.parent != ROOT and page not in linked] == []


def test_the_code_map_tells_of_every_module() -> None:
    modules = {
        str(path.relative_to(ROOT)).removesuffix("/__init__.py")
        for path in (ROOT / "service").rglob("*.py")
        if path.name != "__init__.py" or path.stat().st_size > 0
    }
    told = re.findall(r"^\*\*`(.+?)`\*\*", (ROOT / "docs" / "code-map.md").read_text(), re.MULTILINE)
    untold, unknown = modules - set(told), set(told) - modules
    assert (untold, unknown) == (set(), set()), "docs/code-map.md has a paragraph for each module, begun with its name"
    assert len(told) == len(set(told))


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(page.name[:4]) for page in PAGES if page.parent.name == "decisions" and page.name[:4].isdecimal()]
    assert numbers == list(range(1, len(numbers) + 1))
