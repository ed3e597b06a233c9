"""Pages whose commands are run and whose printed answers are compared.

A block of the kind `sh` is run, in the order of the page, in one shell in an empty folder, beside a service with the
demo. The block after it, of any other kind, is its answer. Blocks of the kind `shell` are only shown. An answer is
compared line by line, by three rules:

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
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORIGIN = "http://127.0.0.1:8000"
CURLS = [name for name in ("curl", "stand-in") if name != "curl" or shutil.which(name)]
"""What can be the `curl` of a page: the program, where there is one, and what stands in for it."""


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


# Running a page


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


@contextmanager
def shell_of(folder: Path, programs: Path, given: dict[str, str], curl_name: str) -> Iterator[Shell]:
    """A shell in a checkout's folder, with `.venv/bin/dateline`, `python3` and one of CURLS."""
    place_program(folder / ".venv/bin/dateline", "-m service")
    place_program(programs / "python3", "")
    if curl_name == "stand-in":
        (programs / "curl.py").write_text(f"{inspect.getsource(curl)}\n\ncurl()\n")
        place_program(programs / "curl", shlex.quote(str(programs / "curl.py")))
    shell = Shell(folder, programs, given)
    try:
        yield shell
    finally:
        shell.close()


def follow(page: Path, shell: Shell, base_url: str) -> None:
    """Runs the page's commands at the service and fails at the first answer that is not as printed."""
    values: dict[str, str] = {}
    for command, answer in steps_of(page.read_text()):
        text = command.text.replace(ORIGIN, base_url)
        for told, got in values.items():
            text = text.replace(told, got)
        answered, status = shell.run(text)
        answered = answered.replace(base_url, ORIGIN)
        assert status == 0, f"{page.name}:{command.line}: status {status}\n{command.text}{answered}"
        try:
            values |= learn("" if answer is None else answer.text, answered)
        except Mismatch as mismatch:
            where = command if answer is None else answer
            pytest.fail(f"{page.name}:{where.line}: expected\n{mismatch}\n\nin the answer\n{answered}", pytrace=False)
