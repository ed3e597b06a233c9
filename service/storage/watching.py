"""Whether anything may have been written since: a count that all processes of one machine share.

What was read while the count stood still is what the store still holds. Who writes counts once more after the commit
and before the answer, so whoever reads after a write was answered finds another count. Writes from elsewhere, another
machine or a program beside the service, are found by looking at the head every now and then.
"""

import asyncio
import fcntl
import logging
import mmap
import os
import time
from pathlib import Path
from typing import Final

from service.storage.pool import UNAVAILABLE, Pool

log = logging.getLogger("dateline")

PAUSE_SECONDS: Final = 0.2
"""Between two looks at the head: how much later than it happened a write from elsewhere is found."""
TRUSTED_SECONDS: Final = 5.0
"""How long the count is relied on after the last look: shorter than what is kept elsewhere may be old."""
HEAD: Final = "SELECT revision FROM head"
_BYTES: Final = mmap.PAGESIZE
_COUNT, _HEAD = 0, 1


class Watch:
    """The count, in memory of this process alone or, given a path, in a file that others map too."""

    def __init__(self, path: Path | None = None) -> None:
        self._file: int | None = None
        if path is not None:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            os.ftruncate(self._file, _BYTES)
        self._cells = memoryview(mmap.mmap(-1 if self._file is None else self._file, _BYTES)).cast("q")
        self._looked = -TRUSTED_SECONDS

    @property
    def count(self) -> int | None:
        """How often anything may have been written; None while nobody can tell, since the database does not answer."""
        if time.monotonic() - self._looked > TRUSTED_SECONDS:
            return None
        return self._cells[_COUNT]

    @property
    def reached(self) -> int:
        """A revision that the head has reached."""
        return self._cells[_HEAD]

    def add(self, revision: int | None = None) -> None:
        """Counts a write, which made the revision where that is known."""
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            self._cells[_COUNT] += 1
            if revision is not None:
                self._cells[_HEAD] = revision
        finally:
            if self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    async def follow(self, pool: Pool) -> None:
        """Looks at the head for as long as the service runs."""
        while True:
            began = time.monotonic()
            try:
                async with pool.acquire() as connection:
                    revision = await connection.fetchval(HEAD)
            except UNAVAILABLE as error:
                log.debug("the head could not be read: %s", type(error).__name__)
            else:
                if revision != self.reached:
                    self.add(revision)
                self._looked = began
            await asyncio.sleep(PAUSE_SECONDS)
