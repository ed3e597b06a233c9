"""Answers kept for a day, so that a repeated POST does its work once."""

import hashlib

import msgspec
from msgspec import Struct

from service.storage.pool import Connection


class Answer(Struct, frozen=True):
    """What a write answered."""

    status: int
    headers: dict[str, str]
    body: bytes


# The lock is the transaction's, so it goes with it, and with the process too.
LOCK = "SELECT pg_try_advisory_xact_lock($1)"


async def lock(connection: Connection, caller: str, key: str) -> bool:
    """Whether no other request with this key of this caller is running."""
    name = hashlib.sha256(f"{caller}\0{key}".encode()).digest()[:8]
    return bool(await connection.fetchval(LOCK, int.from_bytes(name, "big", signed=True)))


KEPT = """
SELECT request_sha256, status, headers, body FROM idempotency WHERE caller = $1 AND key = $2 AND kept_until > now()
"""


async def kept(connection: Connection, caller: str, key: str) -> tuple[bytes, Answer] | None:
    """The digest of the request that came with this key before, and its answer."""
    row = await connection.fetchrow(KEPT, caller, key)
    if row is None:
        return None
    return row[0], Answer(row[1], msgspec.json.decode(row[2], type=dict[str, str]), row[3])


FORGET = "DELETE FROM idempotency WHERE kept_until <= now()"
KEEP = """
INSERT INTO idempotency (caller, key, request_sha256, status, headers, body, kept_until)
VALUES ($1, $2, $3, $4, $5, $6, now() + interval '1 day')
ON CONFLICT (caller, key) DO UPDATE SET request_sha256 = excluded.request_sha256, status = excluded.status,
    headers = excluded.headers, body = excluded.body, kept_until = excluded.kept_until
"""


async def keep(connection: Connection, caller: str, key: str, request: bytes, answer: Answer) -> None:
    """Keeps an answer with the write it tells of, in one transaction; those past their day are forgotten."""
    await connection.execute(FORGET)
    await connection.execute(
        KEEP, caller, key, request, answer.status, msgspec.json.encode(answer.headers), answer.body
    )
