"""Callers' keys: made once, kept as hashes, compared in constant time."""

import hashlib
import re
import secrets
from typing import Final

from service.domain.callers import Caller, Scope
from service.storage.pool import Connection

_FORM: Final = re.compile(r"dl_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")

ADD = """
INSERT INTO key (key, name, secret_sha256, scope, collections, created)
VALUES ($1, $2, $3, $4, $5, clock_timestamp())
"""


async def make_key(connection: Connection, name: str, scope: Scope, collections: list[str] | None) -> str:
    """A new key, which exists in clear only in this answer. collections None: it is good for all."""
    key, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    await connection.execute(ADD, key, name, _hash(secret), scope, collections)
    return f"dl_{key}_{secret}"


FIND = "SELECT name, secret_sha256, scope, collections FROM key WHERE key = $1 AND revoked IS NULL"


async def caller_of(connection: Connection, text: str) -> Caller | None:
    """The holder of the key, None where it is none of ours or no longer good."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    row = await connection.fetchrow(FIND, match.group(1))
    # The secret has 256 random bits, so one fast hash of it is as good as a slow one.
    known = row["secret_sha256"] if row is not None else bytes(32)
    if not secrets.compare_digest(_hash(match.group(2)), known) or row is None:
        return None
    collections = None if row["collections"] is None else frozenset(row["collections"])
    return Caller(match.group(1), row["name"], row["scope"], collections)


ANY_WRITER = "SELECT EXISTS (SELECT FROM key WHERE scope IN ('write', 'admin') AND revoked IS NULL)"


async def any_writer(connection: Connection) -> bool:
    return bool(await connection.fetchval(ANY_WRITER))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
