"""Make .venv what a lock file says, with the standard library alone.

The environment is ready when a stamp inside it matches the lock, pyproject.toml and the folder of the
checkout. A set-up that was cut short may have left half a package, so the next one starts afresh.
requirements-dev.txt is a superset of requirements.txt, so one environment serves both.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
RUNTIME, DEVELOPMENT = "requirements.txt", "requirements-dev.txt"
UNFINISHED = ENVIRONMENT / ".unfinished"
COVERS = {RUNTIME: (RUNTIME,), DEVELOPMENT: (RUNTIME, DEVELOPMENT)}

# Nothing is asked, no newer pip is advertised, and a user's `--user` default does not reach in here.
PIP_SETTINGS = {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0"}


def say(line: str) -> None:
    print(line, flush=True)


def stamp_of(lock: str) -> Path:
    return ENVIRONMENT / f".{lock}.ready"


def fingerprint(lock: str) -> str:
    """What the environment depends on; the folder too, because the scripts in .venv name it."""
    digest = hashlib.sha256(os.fsencode(ROOT))
    for name in ("pyproject.toml", lock):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def is_ready(lock: str) -> bool:
    stamp = stamp_of(lock)
    return PYTHON.exists() and stamp.exists() and stamp.read_text() == fingerprint(lock)


def is_usable() -> bool:
    """Whether .venv can be installed into: whole, made in this folder, with pip and a Python that suits."""
    if UNFINISHED.exists():
        return False
    try:
        script = (ENVIRONMENT / "bin" / "pip").read_text()
        probe = [str(PYTHON), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
        is_ours = any(f"{before}{ENVIRONMENT}{os.sep}" in script for before in '!"')
        return is_ours and subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make_environment() -> None:
    say(f"Making .venv with Python {platform.python_version()} …")
    venv.create(ENVIRONMENT, clear=True, symlinks=True, with_pip=True, prompt="dateline")


def pip_install(*arguments: str) -> None:
    subprocess.run(
        [str(PYTHON), "-m", "pip", "install", *arguments], cwd=ROOT, env=os.environ | PIP_SETTINGS, check=True
    )


def prepare(lock: str) -> None:
    with (ROOT / "pyproject.toml").open() as turnstile:
        try:
            fcntl.flock(turnstile, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up of .venv is under way; waiting for it …")
            fcntl.flock(turnstile, fcntl.LOCK_EX)
        if is_ready(lock):
            return
        if not is_usable():
            make_environment()
        UNFINISHED.touch()
        say(f"Installing what {lock} locks …")
        pip_install("--require-hashes", "--only-binary", ":all:", "-r", lock)
        pip_install("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-e", ".")
        UNFINISHED.unlink()
        for covered in COVERS[lock]:
            stamp_of(covered).write_text(fingerprint(covered))
        say("Set up.")


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1] not in COVERS:
        say(f"usage: prepare.py {' | '.join(COVERS)}")
        return 2
    try:
        prepare(sys.argv[1])
    except KeyboardInterrupt:
        return 130
    except subprocess.CalledProcessError as failure:
        say("The set-up did not finish. Once the cause above is mended, run the same command again.")
        return failure.returncode or 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
