"""Counts of a selection: its histogram and its facets."""

from typing import Final

import msgspec

from service.api import replies
from service.api.operation import JSON, Answer, Call, Operation, Reply
from service.api.shapes import Facets, FacetValue, Histogram
from service.domain import parameters
from service.domain.asking import asked
from service.domain.facets import FACET_LIMIT_DEFAULT, FACET_LIMIT_MAX, FACETS
from service.domain.histogram import BUCKETS_MAX, CLOCKS, INTERVALS
from service.domain.parameters import Parameter
from service.operations import counting, selecting
from service.operations.selecting import open_store

AUTO: Final = "auto"
INTERVAL: Final = Parameter(
    name="interval",
    schema=parameters.words("IntervalOrAuto", AUTO, *INTERVALS, default=AUTO),
    example="year",
    description="How long a bucket is. `auto` takes the finest that needs no more than 100 buckets, or several "
    f"millennia where all would need more. What needs more than {BUCKETS_MAX:,} is refused.",
)
ON: Final = Parameter(
    name="on",
    schema=parameters.words("Clock", *CLOCKS, default="occurred"),
    example="occurred",
    description="By which clock: when events happened, when the claims seen of them were published, or when the "
    "version read was recorded.",
)
FACET: Final = Parameter(
    name="facet",
    schema=parameters.words("Facet", *FACETS),
    repeatable=True,
    example="tag",
    description="A parameter whose values are counted; all of them where not given.",
)
FACET_LIMIT: Final = Parameter(
    name="facet_limit",
    schema={
        "type": "integer",
        "format": "int32",
        "minimum": 1,
        "maximum": FACET_LIMIT_MAX,
        "default": FACET_LIMIT_DEFAULT,
    },
    description="The most values of each facet.",
)


async def read_histogram(call: Call) -> Reply:
    wants = asked(call.query)
    interval = call.query.get("interval", [AUTO])[0]
    clock = next(each for each in CLOCKS if each == call.query.get("on", ["occurred"])[0])
    async with call.pool.acquire() as connection:
        store = await open_store(connection, call.caller)
        reading = await selecting.select(connection, store, wants)
        named = next((each for each in INTERVALS if each == interval), None)
        found = await counting.read_histogram(connection, reading.selection, clock, named)
    histogram = Histogram(
        interval=found.scale.interval,
        step=found.scale.step,
        on=clock,
        buckets=found.buckets,
        undated=found.undated,
        matching=found.counted.matching,
        approximate=found.counted.rate > 1,
        margin=found.counted.margin,
        revision=reading.selection.revision,
    )
    return Reply(200, msgspec.json.encode(histogram), pinned=reading.pinned)


async def read_facets(call: Call) -> Reply:
    wants = asked(call.query)
    names = [name for name in FACETS if name in call.query.get("facet", FACETS)]
    limit = int(call.query.get("facet_limit", [str(FACET_LIMIT_DEFAULT)])[0])
    async with call.pool.acquire() as connection:
        store = await open_store(connection, call.caller)
        reading = await selecting.select(connection, store, wants)
        found = await counting.read_facets(connection, reading.selection, names, limit)
    values = {
        name: [FacetValue(value=value, count=events) for value, events in found.values[name]] if name in names else None
        for name in FACETS
    }
    facets = Facets(
        **values,
        matching=found.counted.matching,
        approximate=found.counted.rate > 1,
        margin=found.counted.margin,
        revision=reading.selection.revision,
    )
    return Reply(200, msgspec.json.encode(facets), pinned=reading.pinned)


PROBLEMS: Final = ("refused-parameter", "not-found", "gone")

OPERATIONS = (
    Operation(
        id="readHistogram",
        method="GET",
        path="/v1/events/histogram",
        tag="events",
        summary="Count the events of a selection by time",
        description=(
            "It takes every filter and lens of a listing, and counts what that would list. An event whose date spans "
            "several buckets counts in each as possible, and in none as certain; one that is open at an end reaches to "
            "the last bucket or from the first. Buckets begin with the first and end with the last bound of any event, "
            "within the window of dates if one is given. By publication an event counts once in each bucket in which a "
            "claim that is seen was or may have been published."
        ),
        parameters=(*parameters.SELECTION, INTERVAL, ON),
        run=read_histogram,
        answers=(Answer(200, "The buckets, each with its number of events.", {JSON: Histogram}, replies.TAGGED),),
        problems=PROBLEMS,
    ),
    Operation(
        id="readFacets",
        method="GET",
        path="/v1/events/facets",
        tag="events",
        summary="Count the events of a selection by actor, source, tag and more",
        description=(
            "It takes every filter and lens of a listing. The count of a value is how many events the same request "
            "would list with that value asked for too, if nothing is asked of that parameter yet."
        ),
        parameters=(*parameters.SELECTION, FACET, FACET_LIMIT),
        run=read_facets,
        answers=(Answer(200, "The values of each facet, most frequent first.", {JSON: Facets}, replies.TAGGED),),
        problems=PROBLEMS,
    ),
)
