"""The two clients for TypeScript: whole, typed, and at work on the service."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.clients.document import Operation, operations
from tests.clients.workshop import PRINTED, REPORT, follow_guide, generate, guide_program, report_of, set_up
from tests.conftest import Live
from tests.node import MODULES, need_node

HERE = Path(__file__).parent


class Kind(NamedTuple):
    """A generator: its program, what it prints, the types it writes, and how the guide marks what is meant for it."""

    tool: str
    said: str
    types: str
    block: str
    options: tuple[str, ...] = ()


KINDS = {
    "fetch": Kind(
        "openapi-typescript",
        r"✨ openapi-typescript [\d.]+\n🚀 openapi/openapi\.json → schema\.ts \[[\d.]+m?s\]\n",
        "schema.ts",
        "ts",
    ),
    "hey": Kind(
        "openapi-ts",
        r"\s*@hey-api/openapi-ts v[\d.]+\s+"
        r"\[Job 1\] ⏳ Generating from 1 input:\s+\[Job 1\]\s+\[1\] \./openapi/openapi\.json\s+"
        r"\[Job 1\] ✅ Done! Your output is in \S+/sdk\s*",
        "sdk/types.gen.ts",
        "typescript",
        # Its own client is not written for this one.
        ("--exactOptionalPropertyTypes", "false"),
    ),
}


class Workshop(NamedTuple):
    kind: Kind
    folder: Path
    said: str


def as_program(page: str) -> str:
    """The guide's blocks as a program of its own: CommonJS knows no `await` outside of functions."""
    lines = page.splitlines()
    imports = [line for line in lines if line.startswith("import ")]
    body = [line for line in lines if not line.startswith("import ")]
    return "\n".join([*imports, "async function main(): Promise<void> {", *body, "}", "void main();", ""])


def is_there(name: str, operation: Operation) -> str:
    """A check by the type checker: the types of an operation's answers are there, and none of them may be anything."""
    checks = []
    for status, media in operation.answers.items():
        if name == "fetch":
            answer = f'operations["{operation.id}"]["responses"][{status}]'
            checks += [f'{answer}["content"]["{each}"]' for each in media] or [answer]
        elif media:
            checks.append(f"sdk.{operation.pascal}{'Responses' if status < 300 else 'Errors'}[{status}]")
    if name == "hey":
        checks += [f"typeof sdk.{operation.id}", f'NonNullable<Awaited<ReturnType<typeof sdk.{operation.id}>>["data"]>']
    return "".join(f"known<{each}>(true);\n" for each in checks)


HEADS = {"fetch": 'import type { operations } from "./schema";\n', "hey": 'import type * as sdk from "./sdk";\n'}
KNOWN = "function known<T>(_: unknown extends T ? false : true): void {}\n"


@pytest.fixture(scope="module", params=KINDS)
def workshop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    need_node()
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    set_up(folder)
    tool = KINDS[name].tool
    said = generate(folder, tool, [MODULES / ".bin" / tool])
    shutil.copy(HERE / name / "roundtrip.ts", folder)
    shutil.copy(HERE / "story.ts", folder)
    shutil.copy(HERE / "tsconfig.json", folder)
    (folder / "guide.ts").write_text(as_program(guide_program(KINDS[name].block)))
    (folder / "whole.ts").write_text(HEADS[name] + KNOWN + "".join(is_there(name, each) for each in operations()))
    return Workshop(KINDS[name], folder, said)


def test_it_is_generated_without_a_warning(workshop: Workshop) -> None:
    assert re.fullmatch(workshop.kind.said, workshop.said), workshop.said


def test_no_type_is_anything_at_all(workshop: Workshop) -> None:
    """But headers beside those that are told, which openapi-typescript adds to each answer."""
    source = (workshop.folder / workshop.kind.types).read_text()
    code = re.sub(r"/\*.*?\*/|//[^\n]*|\"[^\"\n]*\"|'[^'\n]*'", "", source, flags=re.DOTALL)
    loose = [line.strip() for line in code.splitlines() if re.search(r"\b(any|unknown)\b", line)]
    assert {*loose} - {"[name: string]: unknown;"} == set()


def test_it_is_whole_and_passes_the_type_checker(workshop: Workshop) -> None:
    """Together with its programs, and with a check for each answer; what is emitted is run below."""
    command = [MODULES / ".bin" / "tsc", "--project", ".", "--outDir", "out", *workshop.kind.options]
    run = subprocess.run(command, cwd=workshop.folder, capture_output=True, check=False, text=True)
    assert (run.returncode, run.stdout) == (0, "")


def test_the_round_trip(workshop: Workshop, live: Live, unique: str) -> None:
    assert report_of(live, unique, ["node", "out/roundtrip.js"], workshop.folder) == REPORT


def test_the_guide(workshop: Workshop, live: Live, unique: str) -> None:
    assert follow_guide(live, unique, workshop.folder / "out" / "guide.js", ["node", "guide.js"]) == PRINTED
