"""Programs of Node.js in the versions of package-lock.json, which `make test` installs where it finds Node.js."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"

# Nothing here asks a network, and what is printed is read by a test.
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1", "FORCE_COLOR": "0"}


def need_node() -> None:
    """Skips the test where the programs are not installed; where no test may be skipped, as in CI, it fails."""
    lock, installed = ROOT / "package-lock.json", MODULES / ".installed-lock.json"
    if shutil.which("node") and installed.is_file() and installed.read_bytes() == lock.read_bytes():
        return
    reason = "needs Node.js from 20.19 on and what package-lock.json locks: `make node`"
    if os.environ.get("DATELINE_TESTS_ALL"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def run_tool(name: str, *arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs a program of node_modules to its end."""
    need_node()
    command = [MODULES / ".bin" / name, *arguments]
    return subprocess.run(command, cwd=cwd, env=os.environ | QUIET, capture_output=True, check=False, text=True)
