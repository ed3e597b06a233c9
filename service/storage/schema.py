"""The migrated schema as text on one page, by the `pg_dump` that comes with the embedded server."""

import re
import subprocess
from typing import Final

from service.storage.programs import PROGRAMS, installed

# What differs between two dumps of one schema, or says nothing about it.
_NOISE: Final = re.compile(r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\.*)?$")
HEAD: Final = "-- The migrated schema, written by `make schema`; change the migrations, not this page.\n\n"


def dumped_schema(url: str) -> str:
    """Tables, indexes and comments of the database, without its data."""
    command = [
        str(installed()[0] / PROGRAMS / "pg_dump"),
        "--schema-only",
        "--no-owner",
        "--no-privileges",
        f"--dbname={url}",
    ]
    dump = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 (our own program)
    kept = [line for line in dump.splitlines() if not _NOISE.match(line) or line == ""]
    return HEAD + re.sub(r"\n{2,}", "\n\n", "\n".join(kept)).strip() + "\n"
