"""Programs of Node.js in the versions of package-lock.json, which `make test` installs where it finds Node.js."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.programs import lack

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"

# Nothing here asks a network, and what is printed is read by a test.
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1", "FORCE_COLOR": "0"}


def need_node() -> None:
    lock, installed = ROOT / "package-lock.json", MODULES / ".installed-lock.json"
    if not shutil.which("node") or not installed.is_file() or installed.read_bytes() != lock.read_bytes():
        lack("needs Node.js from 20.19 on and what package-lock.json locks: `make node`")


def run_tool(name: str, *arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs a program of node_modules to its end."""
    need_node()
    command = [MODULES / ".bin" / name, *arguments]
    return subprocess.run(command, cwd=cwd, env=os.environ | QUIET, capture_output=True, check=False, text=True)
