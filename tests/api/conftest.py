"""What a run of the laws met, told at its end."""

import os
from collections import Counter

import pytest

from tests.api.world import COUNTS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How often each kind of write, lens, parameter and pair of parameters occurred; all of it only in a long run."""
    kinds: dict[str, Counter[str]] = {}
    for (kind, *names), number in COUNTS.items():
        kinds.setdefault(kind, Counter())[" + ".join(names)] += number
    if not kinds:
        return
    terminalreporter.section("what the laws met", sep="-")
    for kind, counts in kinds.items():
        told = counts.most_common()
        if kind in ("pair", "diff") and "DATELINE_EXAMPLES_LAWS" not in os.environ:
            terminalreporter.write_line(f"{kind}: {len(told)} different, {counts.total()} in all")
            continue
        terminalreporter.write_line(f"{kind}: " + ", ".join(f"{name} {number}" for name, number in told))
