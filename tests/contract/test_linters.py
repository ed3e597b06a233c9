"""The document as linters see it: no findings, whatever their severity."""

import json
from pathlib import Path

from tests.node import run_tool

HERE = Path(__file__).parent
DOCUMENT = HERE.parent.parent / "openapi" / "openapi.json"


def test_redocly_finds_nothing() -> None:
    run = run_tool("redocly", "lint", DOCUMENT, "--config", HERE / "redocly.yaml", "--format", "json")
    assert json.loads(run.stdout)["problems"] == []
    assert run.returncode == 0, run.stderr


def test_spectral_finds_nothing() -> None:
    run = run_tool("spectral", "lint", DOCUMENT, "--ruleset", HERE / "spectral.yaml", "--format", "json", "--quiet")
    found = json.loads(run.stdout)
    told = {f"{each['code']} at {'/'.join(map(str, each['path']))}: {each['message']}" for each in found}
    assert sorted(told) == []
    assert run.returncode == 0, run.stderr
