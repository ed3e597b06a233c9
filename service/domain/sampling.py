"""Samples: one in so many events, the same ones at every revision, by which much is counted nearly.

Whether an event is in a sample follows from its id alone, so a sample has no leaning towards any date, collection or
actor. Each sample holds those that are smaller, and each is a list in the index.
"""

import hashlib
import math
from collections.abc import Iterator
from typing import Final

RATES: Final = tuple(2**power for power in range(4, 15))
"""For how many events each one of a sample stands."""

_CERTAINTY: Final = 1.96
"""How many standard deviations to either side hold 95 in 100 cases."""


def is_sampled(id: str, rate: int) -> bool:
    """Whether an event is one of those that stand for `rate` each."""
    return int.from_bytes(hashlib.blake2b(id.encode(), digest_size=8).digest()) % rate == 0


def samples_of(id: str) -> Iterator[int]:
    """The samples in which an event is."""
    value = int.from_bytes(hashlib.blake2b(id.encode(), digest_size=8).digest())
    return (rate for rate in RATES if value % rate == 0)


def margin_of(found: int, rate: int) -> int:
    """By how many events a count of so many in a sample may be wrong to either side, in 95 of 100 cases."""
    return 0 if rate == 1 else math.ceil(_CERTAINTY * rate * math.sqrt(max(found, 1)))
