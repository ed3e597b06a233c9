"""Content codings: which of them a reader takes, and bodies packed in it."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
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


Flow = tuple[Callable[[bytes], bytes], Callable[[], bytes]]
"""What packs a part of a body so that it can be unpacked when it has come, and what is left to be said at the end."""


def _zstd_flow() -> Flow:
    packer = zstandard.ZstdCompressor(level=3).compressobj()
    return lambda part: packer.compress(part) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK), packer.flush


def _brotli_flow() -> Flow:
    packer = brotli.Compressor(quality=4)
    return lambda part: packer.process(part) + packer.flush(), packer.finish


def _gzip_flow() -> Flow:
    packer = zlib.compressobj(6, wbits=31)
    return lambda part: packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH), packer.flush


FLOWS: Final[Mapping[str, Callable[[], Flow]]] = {"zstd": _zstd_flow, "br": _brotli_flow, "gzip": _gzip_flow}


async def flowing(parts: AsyncGenerator[bytes, None], coding: str) -> AsyncGenerator[bytes, None]:
    """A body in a coding while it is read, part by part. How long it will be is not known, so it is packed anyhow."""
    async with aclosing(parts):
        if coding == PLAIN:
            async for part in parts:
                yield part
            return
        pack, finish = FLOWS[coding]()
        async for part in parts:
            yield pack(part) if len(part) < APART_MIN else await asyncio.to_thread(pack, part)
        yield finish()


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
