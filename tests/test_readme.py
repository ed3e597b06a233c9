"""What README and docs promise: commands answer as printed, settings are those there are, links lead somewhere.

A block of the kind `sh` in README.md is run, in the order of the page, in one shell in an empty folder, beside a
service with the fresh demo. The block after it, of any other kind, is its answer. Blocks of the kind `shell` are only
shown. An answer is compared line by line, by three rules:

- `…` on a line of its own stands for lines left out, and within a line for text left out.
- Ids, ETags and recorded times differ from store to store. Any will do where one is printed, but the same where the
  page prints the same; a later command that names a printed one is run with the one that was really answered.
- The page's host and port stand for those of the service.
"""

import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from service.settings import PREFIX, Settings
from service.storage.embedded import default_data_dir
from tests.conftest import environment, new_folder, served

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
ORIGIN = "http://127.0.0.1:8000"


class Block(NamedTuple):
    """A fenced block: the word after its fence, the line it begins on, and its text."""

    kind: str
    line: int
    text: str


class Step(NamedTuple):
    """A command of the page, and the answer printed for it, if any."""

    command: Block
    answer: Block | None


def blocks_of(page: str) -> list[Block]:
    fenced = re.finditer(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [Block(match[1], page.count("\n", 0, match.start()) + 2, match[2]) for match in fenced]


def steps_of(page: str) -> list[Step]:
    blocks = [*blocks_of(page), None]
    return [
        Step(block, None if after is None or after.kind in ("sh", "shell") else after)
        for block, after in pairwise(blocks)
        if block is not None and block.kind == "sh"
    ]


# Comparing an answer with what the page prints

ELLIPSIS = "…"
ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ETAG_DIGEST = r"\b[0-9a-f]{24}\b"
RECORDED = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
VOLATILE = f"{ID}|{ETAG_DIGEST}|{RECORDED}"


class Mismatch(Exception):
    """The answer does not have these lines of the page at this place."""


def learn(printed: str, answered: str) -> dict[str, str]:
    """The answered value for each volatile one printed. Raises Mismatch where the answer is not as printed."""
    lines = [line.rstrip() for line in answered.strip().splitlines()]
    excerpts: list[list[str]] = [[]]
    for line in printed.strip().splitlines():
        if line.strip() == ELLIPSIS:
            excerpts.append([])
        else:
            excerpts[-1].append(line.rstrip())
    values: dict[str, str] = {}
    end = 0
    for number, excerpt in enumerate(excerpts):
        last = len(lines) - len(excerpt)
        # An ellipsis stands for one line at least; what goes before the first one begins the answer, what follows the
        # last one ends it.
        first = end if number == 0 else end + 1
        if number == len(excerpts) - 1:
            first = max(first, last)
        if number == 0:
            last = min(0, last)
        for place in range(first, last + 1):
            end = place + len(excerpt)
            if (found := _paired(excerpt, lines[place:end])) is not None:
                break
        else:
            raise Mismatch("\n".join(excerpt) or ELLIPSIS)
        for told, got in found:
            if values.setdefault(told, got) != got:
                raise Mismatch(f"{told}, which stood for {values[told]} before and here is {got}")
    return values


def _paired(printed: Sequence[str], answered: Sequence[str]) -> list[tuple[str, str]] | None:
    """The volatile values of these lines, printed and answered; None where the lines differ otherwise."""
    pairs: list[tuple[str, str]] = []
    for told, got in zip(printed, answered, strict=True):
        literals = re.split(f"{VOLATILE}|{ELLIPSIS}", told)
        between = re.findall(f"{VOLATILE}|{ELLIPSIS}", told)
        pattern = re.escape(literals[0])
        for token, literal in zip(between, literals[1:], strict=True):
            pattern += (".+" if token == ELLIPSIS else f"({VOLATILE})") + re.escape(literal)
        found = re.fullmatch(pattern, got)
        if found is None:
            return None
        pairs += zip([token for token in between if token != ELLIPSIS], found.groups(), strict=True)
    return pairs


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


class Shell:
    """One shell for all commands, so that what one of them sets the next can use."""

    MARK = "--- the command ended with"

    def __init__(self, folder: Path, programs: Path, given: dict[str, str]) -> None:
        path = os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)])
        self.process = subprocess.Popen(
            ["sh"], cwd=folder, env=given | {"PATH": path}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, command: str) -> tuple[str, int]:
        """What the command printed, and its status."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '\\n%s %s\\n' '{self.MARK}' $?\n")
        self.process.stdin.flush()
        printed: list[str] = []
        for line in self.process.stdout:
            if line.startswith(self.MARK):
                return "".join(printed), int(line.split()[-1])
            printed.append(line)
        raise AssertionError(f"the shell ended within:\n{command}")

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)


class Reader(NamedTuple):
    """Who tries what the page says: at a shell, beside a service at an address, with the log of its start."""

    shell: Shell
    base_url: str
    log: Path


def place_program(path: Path, arguments: str) -> None:
    """A program that is this Python with these arguments, and this checkout on its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    python, root = shlex.quote(sys.executable), shlex.quote(str(ROOT))
    path.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {python} {arguments} "$@"\n')
    path.chmod(0o755)


def curl() -> None:
    """As much of curl as the page uses, for machines without it; other options are errors. It stands alone."""
    import argparse
    import http.client
    import sys
    import urllib.parse

    parser = argparse.ArgumentParser(prog="curl", allow_abbrev=False)
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-i", action="store_true")
    parser.add_argument("-X")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d")
    parser.add_argument("url", type=urllib.parse.urlsplit)
    given = parser.parse_args()
    headers = dict(header.split(": ", 1) for header in given.H)
    body = None if given.d is None else given.d.encode()
    if body is not None:
        headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    connection = http.client.HTTPConnection(given.url.netloc, timeout=60)
    path = urllib.parse.urlunsplit(("", "", *given.url[2:]))
    connection.request(given.X or ("GET" if body is None else "POST"), path, body, headers)
    answer = connection.getresponse()
    head = [f"HTTP/1.1 {answer.status} {answer.reason}", *(": ".join(each) for each in answer.getheaders()), "", ""]
    sys.stdout.buffer.write(("\r\n".join(head).encode() if given.i else b"") + answer.read())


@pytest.fixture(scope="module", params=[name for name in ("curl", "stand-in") if name != "curl" or shutil.which(name)])
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader beside a service with the demo; one with curl, and one with what stands in for it."""
    folder, programs = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("bin")
    place_program(folder / ".venv/bin/dateline", "-m service")
    place_program(programs / "python3", "")
    if request.param == "stand-in":
        (programs / "curl.py").write_text(f"{inspect.getsource(curl)}\n\ncurl()\n")
        place_program(programs / "curl", shlex.quote(str(programs / "curl.py")))
    with new_folder() as data, served(data) as running:
        shell = Shell(folder, programs, environment(data))
        try:
            yield Reader(shell, running.base_url, data.parent / "service.log")
        finally:
            shell.close()


def test_the_service_starts_as_printed(reader: Reader) -> None:
    (printed,) = [block for block in blocks_of(README.read_text()) if "Serving on" in block.text]
    learn(printed.text, reader.log.read_text().replace(reader.base_url, ORIGIN))


def test_every_command_answers_as_printed(reader: Reader) -> None:
    values: dict[str, str] = {}
    for command, answer in steps_of(README.read_text()):
        text = command.text.replace(ORIGIN, reader.base_url)
        for told, got in values.items():
            text = text.replace(told, got)
        answered, status = reader.shell.run(text)
        answered = answered.replace(reader.base_url, ORIGIN)
        assert status == 0, f"README.md:{command.line}: status {status}\n{command.text}{answered}"
        try:
            values |= learn("" if answer is None else answer.text, answered)
        except Mismatch as mismatch:
            where = command if answer is None else answer
            pytest.fail(f"README.md:{where.line}: expected\n{mismatch}\n\nin the answer\n{answered}", pytrace=False)


def test_the_page_shows_what_it_should() -> None:
    commands = [step.command.text for step in steps_of(README.read_text())]
    for wanted in ("actor=", "revision=", "known_at=", "/v1/diff", "text/markdown", "key create", "PATCH", "If-Match"):
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
