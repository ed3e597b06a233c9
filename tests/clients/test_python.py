"""The client of openapi-python-client: whole, typed, and at work on the service."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.document import listing_parameters, operations
from tests.clients.workshop import (
    PRINTED,
    REPORT,
    follow_guide,
    generate,
    guide_program,
    report_of,
    set_up,
)
from tests.conftest import ROOT, Live
from tests.programs import need

HERE = Path(__file__).parent
PACKAGE = "dateline_client"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("perl")  # By which the configuration mends what is generated.
    folder = tmp_path_factory.mktemp("python")
    set_up(folder)
    (folder / "said.txt").write_text(
        generate(folder, "openapi-python-client", [sys.executable, "-m", "openapi_python_client"])
    )
    shutil.copy(HERE / "python" / "roundtrip.py", folder)
    (folder / "guide.py").write_text(guide_program("python"))
    return folder


def test_it_is_generated_without_a_warning(workshop: Path) -> None:
    assert (workshop / "said.txt").read_text() == f"Generating {PACKAGE}\n"


def test_every_operation_has_its_functions_and_every_answer_its_type(workshop: Path) -> None:
    """None for those without a body. `Any` stands only in the dictionaries of what is sent, which no caller sees."""
    for operation in operations():
        source = (workshop / PACKAGE / "api" / operation.tag / f"{operation.snake}.py").read_text()
        functions = {
            each.name for each in ast.parse(source).body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert {"sync", "sync_detailed", "asyncio", "asyncio_detailed"} <= functions, operation.id
        assert {int(status) for status in re.findall(r"response\.status_code == (\d+)", source)} == {*operation.answers}
        empty = {status for status, media in operation.answers.items() if not media}
        assert {int(status) for status in re.findall(r"response_(\d+) = None", source)} == empty, operation.id
        loose = [line for line in source.splitlines() if re.search(r"\bAny\b", line.replace("dict[str, Any]", ""))]
        assert all(line.startswith("from typing import ") for line in loose), (operation.id, loose)


def test_no_member_of_a_model_is_anything_at_all(workshop: Path) -> None:
    """But members that a later version may add."""
    loose = [
        f"{path.name}: {ast.unparse(member)}"
        for path in sorted((workshop / PACKAGE / "models").glob("*.py"))
        for model in ast.parse(path.read_text()).body
        if isinstance(model, ast.ClassDef)
        for member in model.body
        if isinstance(member, ast.AnnAssign) and re.search(r"\bAny\b", ast.unparse(member.annotation))
    ]
    assert [each for each in loose if ": additional_properties: dict[str, Any] = " not in each] == []


def test_it_and_its_programs_pass_the_type_checker(workshop: Path) -> None:
    checked = ["--strict", "--cache-dir", ROOT / ".mypy_cache" / "clients", PACKAGE, "roundtrip.py", "guide.py"]
    run = subprocess.run(
        [sys.executable, "-m", "mypy", *checked],
        cwd=workshop,
        env=os.environ,
        capture_output=True,
        check=False,
        text=True,
    )
    assert run.stdout.startswith("Success: no issues found"), run.stdout + run.stderr


def test_the_round_trip(workshop: Path, live: Live, unique: str) -> None:
    assert report_of(live, unique, [sys.executable, "roundtrip.py"], workshop) == REPORT
    assert REPORT["listed"].keys() == listing_parameters()


def test_the_guide(workshop: Path, live: Live, unique: str) -> None:
    assert follow_guide(live, unique, workshop / "guide.py", [sys.executable, "guide.py"]) == PRINTED
