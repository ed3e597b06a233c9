"""Counting below HTTP: the index counts what looking at each event counts, and a sample is just those in it."""

from collections import Counter
from random import Random
from typing import Any

import asyncpg
import msgspec
import pytest

from service.domain import sampling
from service.domain.facets import FACETS
from service.domain.histogram import CLOCKS
from service.domain.sampling import is_sampled, margin_of, samples_of
from service.domain.selection import Selection
from service.operations import counting
from service.operations.counting import Facets, Histogram, read_facets, read_histogram
from service.storage import listing
from tests.storage.pasts import Past, new_past
from tests.storage.plain import read_all

SELECTIONS = 120
RATES = (2, 4, 8)


@pytest.fixture
async def past(connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch) -> Past:
    """A short past whose samples are large enough to have something in them."""
    for module in (sampling, counting):
        monkeypatch.setattr(module, "RATES", RATES)
    return await new_past(connection, seed=60, length=160)


async def counts(past: Past, selection: Selection) -> tuple[list[Histogram], Facets]:
    connection = past.connection
    histograms = [await read_histogram(connection, selection, clock, None) for clock in CLOCKS]
    return histograms, await read_facets(connection, selection, FACETS, 500)


async def test_the_index_counts_what_looking_at_each_counts(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    record = await read_all(past.connection)
    evaluate = counting._evaluate
    met: Counter[Any] = Counter()

    async def never(*given: Any, indexed: bool) -> Any:
        evaluation, decided = await evaluate(*given, indexed=indexed)
        met["indexed" if decided else "looked at"] += 1
        return evaluation, False

    for _ in range(SELECTIONS):
        selection = past.selection(record)
        monkeypatch.setattr(counting, "_evaluate", evaluate)
        told = await counts(past, selection)
        monkeypatch.setattr(counting, "_evaluate", never)
        assert await counts(past, selection) == told, selection
        met["something"] += told[1].counted.found > 0
    assert min(met[name] for name in ("indexed", "looked at", "something")) > SELECTIONS / 10, met


async def test_a_sample_stands_for_all(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it counts is what is counted of the events that are in it, each standing for as many."""
    record = await read_all(past.connection)
    rates: Counter[int] = Counter()
    most = Random(5)
    for number in range(SELECTIONS):
        selection = past.selection(record)
        whole = [found async for found in listing.walk_selection(past.connection, selection, None, 500)]
        exact = await read_facets(past.connection, selection, FACETS, 500)
        assert (exact.counted.found, exact.counted.rate, exact.counted.margin) == (len(whole), 1, 0)
        for name in ("COUNTED_MAX", "LOOKED_AT_MAX"):
            monkeypatch.setattr(counting, name, most.choice([5, 20, 50]))
        histograms, facets = await counts(past, selection)
        monkeypatch.undo()
        for module in (sampling, counting):
            monkeypatch.setattr(module, "RATES", RATES)
        for counted in (facets.counted, *(histogram.counted for histogram in histograms)):
            rates[counted.rate] += 1
            ids = [msgspec.json.decode(found.version.document or b"")["id"] for found in whole]
            assert counted.found == sum(counted.rate == 1 or is_sampled(id, counted.rate) for id in ids), number
            assert counted.matching == counted.found * counted.rate
        sampled = msgspec.structs.replace(selection, sampled=facets.counted.rate)
        assert await read_facets(past.connection, sampled, FACETS, 500) == facets
    assert rates.keys() >= {1, 4, 8}, rates


def test_samples_hold_those_that_are_smaller() -> None:
    ids = [f"{number:08x}-0000-7000-8000-000000000000" for number in range(20_000)]
    sizes = Counter(rate for id in ids for rate in samples_of(id))
    for rate in sampling.RATES[:6]:
        assert abs(sizes[rate] * rate - len(ids)) <= 2 * margin_of(sizes[rate], rate)
    for id in ids:
        found = list(samples_of(id))
        assert found == list(sampling.RATES[: len(found)])
        assert found == [rate for rate in sampling.RATES if is_sampled(id, rate)]


def test_the_margin_is_nothing_where_all_are_counted() -> None:
    assert margin_of(5_000, 1) == 0
    assert margin_of(10_000, 64) == 12_544
    # That none was found does not mean that there is none.
    assert margin_of(0, 64) == 126
