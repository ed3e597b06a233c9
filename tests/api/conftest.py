"""What a run of the laws met, told at its end."""

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.api.world import COUNTS
from tests.conftest import TOLD


@pytest.fixture(scope="session", autouse=True)
def met(request: pytest.FixtureRequest) -> Iterator[None]:
    """How often each kind of write, lens, parameter and pair of parameters occurred; all of it only in a long run."""
    yield
    kinds: dict[str, Counter[str]] = {}
    for (kind, *names), number in COUNTS.items():
        kinds.setdefault(kind, Counter())[" + ".join(names)] += number
    for kind, counts in kinds.items():
        told = counts.most_common()
        if kind in ("pair", "diff") and "DATELINE_EXAMPLES_LAWS" not in os.environ:
            line = f"{len(told)} different, {counts.total()} in all"
        else:
            line = ", ".join(f"{name} {number}" for name, number in told)
        request.config.stash[TOLD].append(f"the laws met {kind}: {line}")
