"""Content codings: which of them a reader takes, and bodies packed in it."""

import asyncio
import gzip
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import brotli
import zstandard

PACKED_MIN: Final = 1_000
"""Bytes from which packing saves more than its header costs."""
# Each packs a page of fifty events in about a millisecond or less, and is paid once for each answer that is kept.
CODINGS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "zstd": lambda body: zstandard.ZstdCompressor(level=3).compress(body),
    "br": lambda body: brotli.compress(body, quality=4),
    "gzip": lambda body: gzip.compress(body, compresslevel=6, mtime=0),
}
"""The one preferred first."""
PLAIN: Final = "identity"
APART_MIN: Final = 200_000
"""Bytes from which a body is packed in a thread, so that the worker goes on answering."""


async def packed(body: bytes, coding: str) -> bytes:
    """The body in a coding."""
    if coding == PLAIN:
        return body
    pack = CODINGS[coding]
    return pack(body) if len(body) < APART_MIN else await asyncio.to_thread(pack, body)


def tag_in(coding: str, etag: str) -> str:
    """The entity tag of what is packed: of other bytes than the plain one's, and by the same revision."""
    return etag if coding == PLAIN else f'{etag[:-1]}-{coding}"'


def coding_for(body: bytes, accept_encoding: str) -> str:
    """The coding to answer a body in: plain where packing would not save anything."""
    return coding_of(accept_encoding) if len(body) >= PACKED_MIN else PLAIN


@lru_cache(maxsize=1_000)
def coding_of(accept_encoding: str) -> str:
    """The coding to answer in (RFC 9110, 12.5.3): the one that the reader likes best, or else that we do.

    Whoever takes none that we have, the plain one included, is given that all the same.
    """
    liked: dict[str, float] = {}
    for part in accept_encoding.split(","):
        name, *options = (each.strip().lower() for each in part.split(";"))
        liked[name.removeprefix("x-")] = _quality(options)
    rest = liked.get("*", 0.0)
    best = max(CODINGS, key=lambda coding: liked.get(coding, rest))
    quality = liked.get(best, rest)
    return best if quality > 0 and quality >= liked.get(PLAIN, 0.0) else PLAIN


def _quality(options: list[str]) -> float:
    for option in options:
        name, _, value = option.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
