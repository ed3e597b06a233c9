"""Programs that some tests need and not every machine has."""

import os
import shutil
from typing import NoReturn

import pytest


def lack(reason: str) -> NoReturn:
    """Skips the test; where none may be skipped, as in CI, it fails."""
    if os.environ.get("DATELINE_TESTS_ALL"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def need(*names: str) -> str:
    """Where the first of these programs is that the machine has."""
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        lack(f"needs {' or '.join(names)}")
    return found
