"""Timelines as those revise them who do not see all that they pin."""

import msgspec

from service.domain.resources import PINS_KEPT_MAX, Timeline, TimelineInput
from service.operations.timelines import restored


def ids(first: int, number: int) -> list[str]:
    return [f"00000000-0000-0000-0000-{each:012}" for each in range(first, first + number)]


def test_pins_out_of_sight_are_kept_after_those_given_up_to_the_bound() -> None:
    hidden, seen, given = ids(0, PINS_KEPT_MAX), ids(20_000, 2), ids(20_001, 3)
    whole = Timeline(
        slug="t", title="T", description=None, language=None, selection={}, include=[*seen, *hidden],
        exclude=hidden[:2], visibility="public", revision=1, recorded="2025-02-20T09:14:03.120Z",
    )  # fmt: skip
    shown = msgspec.structs.replace(whole, include=seen, exclude=[])
    kept = restored(TimelineInput(slug="t", title="T", include=given), shown, whole)
    assert kept.include == [*given, *hidden[: PINS_KEPT_MAX - 3]]
    assert kept.exclude == hidden[:2]
