"""The laws notice a service of which one rule is wrong: each planted bug breaks the law that is named with it.

Some are tried in every run, and all of them where the laws have more examples than in every run
(`DATELINE_EXAMPLES_LAWS`).
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Flaky

from service.storage.embedded import EmbeddedPostgres
from service.storage.keys import make_key
from service.storage.migrating import migrate
from tests.api.planted import BUGS
from tests.api.test_laws import LAWS
from tests.api.world import COUNTS, Store, opened_store
from tests.conftest import ROOT, await_ready, environment, free_port, new_folder

ALWAYS = (
    "confirming does not assert",
    "ties are reversed",
    "known_at looks at the latest bound",
    "what is private is listed",
    "claim filters hold of different claims",
    "merges are ignored",
    "an account's date does not take over",
    "an event counts only where it begins",
)
TRIED = sorted(BUGS) if "DATELINE_EXAMPLES_LAWS" in os.environ else ALWAYS
# The search ends with the first that is noticed; some rules only few histories have a use for.
EXAMPLES = 400
SECONDS_MAX = 3_600 if "DATELINE_EXAMPLES_LAWS" in os.environ else 600


@dataclass(frozen=True)
class Planted:
    base_url: str
    key: str


@dataclass(frozen=True)
class Database:
    dsn: str
    key: str
    folder: Path


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """A database that all the wrong services share, one after the other: each example has names of its own."""

    async def key_of(dsn: str) -> str:
        connection = await asyncpg.connect(dsn)
        try:
            return await make_key(connection, "tests", "write", None)
        finally:
            await connection.close()

    with new_folder() as folder, EmbeddedPostgres(folder) as server:
        asyncio.run(migrate(server.dsn))
        yield Database(server.dsn, asyncio.run(key_of(server.dsn)), folder.parent)


@contextmanager
def planted(bug: str, database: Database) -> Iterator[Store]:
    """The service with this bug."""
    port = free_port()
    log_path = database.folder / "service.log"
    settings = environment(database.folder, DATELINE_PORT=str(port), DATELINE_DATABASE_URL=database.dsn)
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.api.planted", bug, "serve"], cwd=ROOT, env=settings, stdout=log, stderr=log
        )
    try:
        await_ready(f"http://127.0.0.1:{port}", process, log_path)
        with opened_store(Planted(f"http://127.0.0.1:{port}", database.key), database.dsn) as store:
            yield store
    finally:
        process.terminate()
        process.wait(60)


def holds(law: str, store: Store) -> bool:
    """Whether none of some examples breaks the law. The first that does ends the search."""
    check, strategies = LAWS[law]
    broken = False

    @wraps(check)
    def watched(*given: Any, **drawn: Any) -> None:
        nonlocal broken
        try:
            check(*given, **drawn)
        except AssertionError:
            broken = True
            raise

    hurried = settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    try:
        hurried(given(**strategies)(watched))(store=store)
    except (AssertionError, Flaky):
        # Tours go on from one run to the next, so what has failed need not fail again when it is looked at twice. A
        # search that runs out of time comes out as flaky too, and has noticed nothing.
        if not broken:
            raise
    return not broken


@pytest.mark.timeout(SECONDS_MAX)
@pytest.mark.parametrize("bug", TRIED)
def test_a_law_breaks(bug: str, database: Database) -> None:
    met = COUNTS.copy()
    with planted(bug, database) as store:
        assert not holds(BUGS[bug].law, store)
    # What the laws met with a wrong service is no part of what they showed.
    COUNTS.clear()
    COUNTS.update(met)
