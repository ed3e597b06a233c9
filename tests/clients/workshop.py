"""Clients as the guide makes them: its commands generate them, and its blocks are the first program to use them.

A workshop is a folder where a command finds what it finds in a checkout. What is generated, the guide's program and the
round trip beside it are type-checked together; then both programs are run against the service.
"""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import Live
from tests.node import MODULES, QUIET
from tests.printed import ORIGIN, ROOT, blocks_of

GUIDE = ROOT / "docs" / "guides" / "clients.md"

# What every round trip prints. Of the events `deployed`, `declared` and `expected` are made first, in one revision;
# then `single`.
REPORT: dict[str, Any] = {
    "listed": {
        "from": ["declared"],
        "to": ["deployed"],
        "match": ["declared"],
        "undated": ["expected"],
        "actor": ["deployed", "declared"],
        "actor_match": ["deployed"],
        "role": ["declared"],
        "source": ["declared"],
        "publisher": ["deployed", "declared"],
        "speaker": ["deployed"],
        "stance": ["declared"],
        "published_from": ["declared"],
        "published_to": ["deployed", "declared"],
        "recorded_from": ["single"],
        "recorded_to": ["deployed", "declared", "expected"],
        "standing": ["declared"],
        "min_origins": ["deployed", "declared"],
        "tag": ["deployed"],
        "tag_match": ["deployed"],
        "kind": ["deployed", "declared"],
        "collection": ["deployed", "declared", "single", "expected"],
        "phase": ["expected"],
        "language": ["expected"],
        "country": ["deployed"],
        "bbox": ["deployed"],
        "q": ["deployed"],
        "related_to": ["declared"],
        "relation": [],
        "direction": ["deployed"],
        "key": ["declared", "expected"],
        "id": ["deployed", "single"],
        "timeline": ["declared"],
        "as_of": ["deployed", "declared", "expected"],
        "revision": ["deployed", "declared", "expected"],
        "known_at": ["deployed", "declared", "single"],
        "according_to": ["declared"],
        "according_to_source": ["deployed", "declared"],
        "order": ["single", "declared", "deployed", "expected"],
        "limit": ["deployed"],
        "cursor": ["declared"],
        "fields": ["occurred", "title"],
        "include": ["nothing"],
    },
    "buckets": ["1990-01-01 1 1", "2000-01-01 1 1", "2010-01-01 1 0"],
    "undated": 1,
    "facets": ["kfor 2", "beginnings 1"],
    "paged": ["deployed", "declared", "single", "expected"],
    "created": "201 Single",
    "read": "200 Single",
    "still": 304,
    "merged": "200 Merged",
    "patched": "200 Patched",
    "stale": "412 stale",
    "taken": "409 already-exists",
    "there": True,
    "missing": "404 not-found",
    "batch": ["updated expected", "created new"],
    "line": ["created line"],
    "faulty": ["/0/title"],
    "summary": [1, 0, 1],
    "diff": ["changed expected: kind; replace", "added new"],
    "retracted": 204,
    "gone": "410 gone",
    "history": ["Single", "Merged", "Patched", None],
}

# What the guide's program prints in each language, but for quotation marks and brackets.
PRINTED = ["A visit", "visit", "visit, answer", "A state visit", "It has changed since it was read", "title"]


def set_up(folder: Path) -> None:
    for name in ("openapi", "tests"):
        (folder / name).symlink_to(ROOT / name)
    if MODULES.exists():
        (folder / "node_modules").symlink_to(MODULES)


def generate(folder: Path, tool: str, program: list[str | Path]) -> str:
    """Runs the guide's command for this generator, and answers what it printed, without colours."""
    shown = "\n".join(block.text for block in blocks_of(GUIDE.read_text()) if block.kind == "shell")
    (arguments,) = re.findall(rf"^(?:npx )?{tool} (.*)$", shown.replace("\\\n", " "), re.MULTILINE)
    run = subprocess.run(
        [*program, *shlex.split(arguments)],
        cwd=folder,
        env=os.environ | QUIET,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
    )
    said = re.sub(r"\x1b\[\d*m", "", run.stdout)
    assert run.returncode == 0, said
    return said


def guide_program(kind: str) -> str:
    return "\n".join(block.text for block in blocks_of(GUIDE.read_text()) if block.kind == kind)


def report_of(live: Live, slug: str, command: list[str | Path], folder: Path) -> dict[str, Any]:
    """What the round trip tells that this command runs."""
    run = subprocess.run(
        [*command, live.base_url, live.key, slug], cwd=folder, capture_output=True, check=False, text=True
    )
    assert run.returncode == 0, run.stderr
    report: dict[str, Any] = json.loads(run.stdout)
    return report


def follow_guide(live: Live, slug: str, program: Path, command: list[str | Path]) -> list[str]:
    """What the guide's program prints, run on a collection of its own."""
    program.write_text(program.read_text().replace(ORIGIN, live.base_url).replace("notebook", slug))
    with httpx.Client(base_url=live.base_url, headers={"Authorization": f"Bearer {live.key}"}) as writer:
        writer.post("/v1/collections", json={"slug": slug, "title": "A notebook"}).raise_for_status()
    run = subprocess.run(
        command, cwd=program.parent, env=os.environ | {"KEY": live.key}, capture_output=True, check=False, text=True
    )
    assert run.returncode == 0, run.stderr
    return [re.sub(r"[\[\]'\"]", "", line).strip() for line in run.stdout.splitlines()]
