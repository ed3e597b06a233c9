"""Every statement of the storage floor, found by looking, is one that the migrated schema understands."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import asyncpg
import pytest

import service.storage

STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|TRUNCATE)\b")
CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")
# What only ever grows; the index, its counts, the head, keys and kept answers are not of the record.
TOUCHES_RECORD = re.compile(
    r"(UPDATE|DELETE\s+FROM|TRUNCATE|MERGE\s+INTO)\s+(ONLY\s+)?(event|version|revision|resource|merge)"
)

# What follows from a version's document is found again when a store is indexed anew.
DERIVED = {
    "events.INDEX_VERSION": """
UPDATE version SET terms = $3, words = $4, facets = $5, told = $6, facts = $7 WHERE event = $1 AND revision = $2
""",
    "names.SET_SEARCH": "UPDATE resource_version SET search = $3 WHERE resource = $1 AND revision = $2",
}

# Upkeep lays versions beside each other: each that is taken out is put back by the same statement.
MOVED = {
    "ordering.MOVE": """
WITH moved AS (
    DELETE FROM version v
    WHERE (v.t_lo, v.event, v.revision) > ($1, $2, $3) AND (v.t_lo, v.event, v.revision) <= ($4, $5, $6)
    RETURNING v.*
)
INSERT INTO version SELECT * FROM moved ORDER BY t_lo, event, revision
"""
}
KNOWN = DERIVED | MOVED


def statements() -> Iterator[tuple[str, str]]:
    """Name and text of each constant that holds a statement."""
    for module in pkgutil.iter_modules(service.storage.__path__, "service.storage."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if CONSTANT.fullmatch(name) and isinstance(value, str) and STATEMENT.match(value):
                yield f"{module.name.removeprefix('service.storage.')}.{name}", value


STATEMENTS = dict(statements())


def test_the_statements_are_found() -> None:
    assert len(STATEMENTS) > 20
    assert {
        "walking.PAGE_ASCENDING",
        "walking.ACCOUNT_DESCENDING",
        "postings.REBUILD",
        "events.ADD_VERSION",
        "revisions.APPEND",
    } <= STATEMENTS.keys()


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_statement_prepares_on_the_migrated_schema(connection: asyncpg.Connection, name: str) -> None:
    await connection.prepare(STATEMENTS[name])


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_leaves_the_record_alone(name: str) -> None:
    assert STATEMENTS[name] == KNOWN.get(name) or TOUCHES_RECORD.search(STATEMENTS[name]) is None


def test_nothing_else_is_changed_than_what_follows_from_a_document_and_where_it_lies() -> None:
    assert {name for name, statement in STATEMENTS.items() if TOUCHES_RECORD.search(statement)} == KNOWN.keys()
