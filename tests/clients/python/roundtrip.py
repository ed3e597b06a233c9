"""The life of a few events, told by the client of openapi-python-client; prints what came of it, as JSON.

    python roundtrip.py BASE_URL KEY SLUG

Everything it makes is named after the slug. The programs in other languages beside this one do and print the same.
"""

import json
import sys
from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID

from dateline_client import AuthenticatedClient, Client
from dateline_client.api.collections import create_collection
from dateline_client.api.diff import read_diff
from dateline_client.api.events import (
    create_event,
    list_events,
    read_event,
    read_event_history,
    read_facets,
    read_histogram,
    record_event_batch,
    retract_event,
    revise_event,
)
from dateline_client.api.timelines import create_timeline
from dateline_client.models import (
    ActorInput,
    Added,
    AnyOrAll,
    BatchAnswer,
    BatchClaim,
    BatchParticipation,
    BatchRow,
    BatchSource,
    Changed,
    Clock,
    Collection,
    CollectionInput,
    Diff,
    Direction,
    Event,
    EventInput,
    EventPage,
    EventPatch,
    EventThinned,
    EventWithIncluded,
    Facet,
    Facets,
    Histogram,
    HistoryPage,
    Inclusion,
    IntervalOrAuto,
    Match,
    Order,
    Phase,
    PlaceInput,
    Problem,
    RelationInput,
    RelationType,
    Removed,
    ReplaceStep,
    SourceType,
    Stance,
    StandingState,
    StoredSelection,
    Timeline,
    TimelineInput,
    Undated,
)
from dateline_client.types import Response, Unset

base_url, key, slug = sys.argv[1:]
anyone = Client(base_url)
writer = AuthenticatedClient(base_url, key)

Shape = TypeVar("Shape")


def got(shape: type[Shape], answer: object) -> Shape:
    """The answer, which must be of this shape."""
    assert isinstance(answer, shape), answer
    return answer


def told(text: str | Unset | None) -> str:
    """The text, which must be there."""
    assert isinstance(text, str), text
    return text


def keys(answer: object) -> list[str]:
    """The keys of a page's events."""
    return [told(item.key) for item in got(EventPage, answer).items]


# Made: a collection, four events of which three come in a batch with whatever they name, and a timeline.

got(Collection, create_collection.sync(client=writer, body=CollectionInput(slug=slug, title="Round trip")))
alpha, beta, paper, embassy, article, denial = (
    f"{slug}-{name}" for name in ("alpha", "beta", "paper", "embassy", "article", "denial")
)
told_by_paper = BatchSource(
    article,
    "An article",
    publisher=ActorInput(paper, "The Paper"),
    type_=SourceType.ARTICLE,
    published="2025-02-19",
)
told_by_embassy = BatchSource(
    denial, "A denial", publisher=ActorInput(embassy, "The Embassy"), type_=SourceType.POST, published="2025-02-20"
)
batch = got(
    BatchAnswer,
    record_event_batch.sync(
        client=writer,
        collection=slug,
        revision_message="Three events at once",
        body=[
            BatchRow(
                key="deployed",
                title="Deployed",
                occurred="1999",
                kind="deployment",
                language="en",
                tags=["beginnings", "kfor"],
                places=[PlaceInput(name="Prishtina", country="XK", latitude=42.66, longitude=21.17)],
                actors=[
                    BatchParticipation(ActorInput(alpha, "Alpha"), role="subject"),
                    BatchParticipation(ActorInput(beta, "Beta"), role="host"),
                ],
                claims=[BatchClaim(told_by_paper, stance=Stance.ASSERTS, speakers=[alpha])],
            ),
            BatchRow(
                key="declared",
                title="Declared",
                occurred="2008-02-17",
                kind="declaration",
                tags=["kfor"],
                actors=[BatchParticipation(alpha, role="host")],
                claims=[
                    BatchClaim(told_by_paper, stance=Stance.ASSERTS),
                    BatchClaim(told_by_embassy, stance=Stance.DENIES),
                ],
                relations=[RelationInput(RelationType.DEPENDS_ON, key="deployed")],
            ),
            BatchRow(key="expected", title="Expected", phase=Phase.EXPECTED, language="sq"),
        ],
    ),
)
created = create_event.sync_detailed(
    client=writer, body=EventInput("Single", key="single", collection=slug, occurred="2010-05/..")
)
single = got(EventWithIncluded, created.parsed)
got(
    Timeline,
    create_timeline.sync(
        client=writer,
        body=TimelineInput(slug, "Declarations", selection=StoredSelection(collection=slug, kind="declaration")),
    ),
)
deployed, declared = (
    got(Event, got(EventPage, list_events.sync(client=anyone, collection=[slug], key=[name])).items[0])
    for name in ("deployed", "declared")
)

# Listed, by each parameter.

first = got(EventPage, list_events.sync(client=anyone, collection=[slug], limit=1))
second = list_events.sync(client=anyone, collection=[slug], limit=1, cursor=told(first.next_))
thinned = got(EventPage, list_events.sync(client=anyone, collection=[slug], limit=1, fields="title,occurred")).items[0]
bare = got(EventPage, list_events.sync(client=anyone, collection=[slug], include=Inclusion.NONE))
listed: Mapping[str, list[str]] = {
    "from": keys(list_events.sync(client=anyone, collection=[slug], from_="2000", to="2009")),
    "to": keys(list_events.sync(client=anyone, collection=[slug], to="2000")),
    "match": keys(
        list_events.sync(client=anyone, collection=[slug], from_="1999-06", to="2010-06", match=Match.CERTAIN)
    ),
    "undated": keys(list_events.sync(client=anyone, collection=[slug], undated=Undated.ONLY)),
    "actor": keys(list_events.sync(client=anyone, collection=[slug], actor=[alpha])),
    "actor_match": keys(
        list_events.sync(client=anyone, collection=[slug], actor=[alpha, beta], actor_match=AnyOrAll.ALL)
    ),
    "role": keys(list_events.sync(client=anyone, collection=[slug], actor=[alpha], role=["host"])),
    "source": keys(list_events.sync(client=anyone, collection=[slug], source=[denial])),
    "publisher": keys(list_events.sync(client=anyone, collection=[slug], publisher=[paper])),
    "speaker": keys(list_events.sync(client=anyone, collection=[slug], speaker=[alpha])),
    "stance": keys(list_events.sync(client=anyone, collection=[slug], stance=[Stance.DENIES])),
    "published_from": keys(list_events.sync(client=anyone, collection=[slug], published_from="2025-02-20")),
    "published_to": keys(list_events.sync(client=anyone, collection=[slug], published_to="2025-02-19")),
    "recorded_from": keys(list_events.sync(client=anyone, collection=[slug], recorded_from=single.recorded)),
    "recorded_to": keys(list_events.sync(client=anyone, collection=[slug], recorded_to=deployed.recorded)),
    "standing": keys(list_events.sync(client=anyone, collection=[slug], standing=[StandingState.CONTESTED])),
    "min_origins": keys(list_events.sync(client=anyone, collection=[slug], min_origins=1)),
    "tag": keys(list_events.sync(client=anyone, collection=[slug], tag=["beginnings"])),
    "tag_match": keys(
        list_events.sync(client=anyone, collection=[slug], tag=["beginnings", "kfor"], tag_match=AnyOrAll.ALL)
    ),
    "kind": keys(list_events.sync(client=anyone, collection=[slug], kind=["deployment", "declaration"])),
    "collection": keys(list_events.sync(client=anyone, collection=[slug])),
    "phase": keys(list_events.sync(client=anyone, collection=[slug], phase=[Phase.EXPECTED])),
    "language": keys(list_events.sync(client=anyone, collection=[slug], language=["sq"])),
    "country": keys(list_events.sync(client=anyone, collection=[slug], country=["XK"])),
    "bbox": keys(list_events.sync(client=anyone, collection=[slug], bbox="20,42,22,43")),
    "q": keys(list_events.sync(client=anyone, collection=[slug], q='alpha or "no such" -declared')),
    "related_to": keys(list_events.sync(client=anyone, collection=[slug], related_to=deployed.id)),
    "relation": keys(
        list_events.sync(client=anyone, collection=[slug], related_to=deployed.id, relation=[RelationType.CAUSES])
    ),
    "direction": keys(
        list_events.sync(client=anyone, collection=[slug], related_to=declared.id, direction=Direction.OUT)
    ),
    "key": keys(list_events.sync(client=anyone, collection=[slug], key=["declared", "expected"])),
    "id": keys(list_events.sync(client=anyone, collection=[slug], id=[deployed.id, single.id])),
    "timeline": keys(list_events.sync(client=anyone, timeline=slug)),
    "as_of": keys(list_events.sync(client=anyone, collection=[slug], as_of=deployed.recorded)),
    "revision": keys(list_events.sync(client=anyone, collection=[slug], revision=batch.revision)),
    "known_at": keys(list_events.sync(client=anyone, collection=[slug], known_at="2025-02-19")),
    "according_to": keys(list_events.sync(client=anyone, collection=[slug], according_to=[embassy])),
    "according_to_source": keys(list_events.sync(client=anyone, collection=[slug], according_to_source=[article])),
    "order": keys(list_events.sync(client=anyone, collection=[slug], order=Order.DESC)),
    "limit": keys(first),
    "cursor": keys(second),
    "fields": sorted(got(EventThinned, thinned).to_dict()),
    "include": ["nothing"] if bare.included is None else ["something"],
}

# Counted, by each parameter of its own.

counted = got(
    Histogram,
    read_histogram.sync(
        client=anyone,
        collection=[slug],
        to="2019",
        undated=Undated.INCLUDE,
        interval=IntervalOrAuto.DECADE,
        on=Clock.OCCURRED,
    ),
)
valued = got(Facets, read_facets.sync(client=anyone, collection=[slug], facet=[Facet.TAG], facet_limit=2)).tag
assert isinstance(valued, list)

# Paged to the end.

paged = keys(first)
page = first
while page.next_ is not None:
    page = got(EventPage, list_events.sync(client=anyone, collection=[slug], limit=1, cursor=page.next_))
    paged += keys(page)

# Revised by a merge patch and by a JSON Patch; refused where the ETag is stale, and where the key is taken.


def outcome(answer: Response[EventWithIncluded | Problem]) -> str:
    """The status, and the title of the event or the name of the problem."""
    match answer.parsed:
        case EventWithIncluded(title=title):
            return f"{answer.status_code} {title}"
        case Problem(type_=type_):
            return f"{answer.status_code} {type_.rsplit('/', 1)[-1]}"
    return f"{answer.status_code}"


read = read_event.sync_detailed(single.id, client=anyone)
etag = read.headers["ETag"]
still = read_event.sync_detailed(single.id, client=anyone, if_none_match=etag)
merged = revise_event.sync_detailed(single.id, client=writer, if_match=etag, body=EventPatch(title="Merged"))
patched = revise_event.sync_detailed(
    single.id,
    client=writer,
    if_match=merged.headers["ETag"],
    body=[ReplaceStep(op="replace", path="/title", value="Patched")],
)
stale = revise_event.sync_detailed(single.id, client=writer, if_match=etag, body=EventPatch(title="Stale"))
taken = create_event.sync_detailed(client=writer, body=EventInput("Again", key="single", collection=slug))
missing = read_event.sync_detailed(UUID(int=0), client=anyone)

# A second batch: one row is known, one is new. A third, sent as one line. A fourth, refused.

again = got(
    BatchAnswer,
    record_event_batch.sync(
        client=writer, collection=slug, body=[BatchRow(key="expected", kind="visit"), BatchRow(key="new", title="New")]
    ),
)
line = got(
    BatchAnswer, record_event_batch.sync(client=writer, collection=slug, body=BatchRow(key="line", title="Line"))
)
faulty = got(Problem, record_event_batch.sync(client=writer, collection=slug, body=[BatchRow(key="nameless")]))
assert not isinstance(faulty.rows, Unset)

# Compared: before and after the second batch. Retracted, and its history read.

diff = got(
    Diff,
    read_diff.sync(client=anyone, collection=[slug], base_revision=again.revision - 1, head_revision=again.revision),
)
assert diff.summary is not None
retracted = retract_event.sync_detailed(single.id, client=writer, if_match=patched.headers["ETag"])
gone = read_event.sync_detailed(single.id, client=anyone)
history = got(HistoryPage, read_event_history.sync(single.id, client=anyone))


def change_of(item: Added | Changed | Removed) -> str:
    if isinstance(item, Changed):
        kinds = sorted({step.op for step in item.patch})
        return f"{item.op} {told(item.after.key)}: {','.join(item.fields)}; {','.join(kinds)}"
    return f"{item.op} {told(item.event.key)}"


report = {
    "listed": listed,
    "buckets": [f"{bucket.start} {bucket.count} {bucket.certain}" for bucket in counted.buckets],
    "undated": counted.undated,
    "facets": [f"{each.value} {each.count}" for each in valued],
    "paged": paged,
    "created": f"{created.status_code} {single.title}",
    "read": outcome(read),
    "still": still.status_code,
    "merged": outcome(merged),
    "patched": outcome(patched),
    "stale": outcome(stale),
    "taken": outcome(taken),
    "there": taken.headers["Location"].rsplit("/", 1)[-1] == str(single.id),
    "missing": outcome(missing),
    "batch": [f"{row.result} {row.key}" for row in again.rows],
    "line": [f"{row.result} {row.key}" for row in line.rows],
    "faulty": [fault.pointer for row in faulty.rows for fault in row.errors],
    "summary": [diff.summary.added, diff.summary.removed, diff.summary.changed],
    "diff": [change_of(item) for item in diff.items],
    "retracted": retracted.status_code,
    "gone": outcome(gone),
    "history": [item.event and item.event.title for item in history.items],
}
print(json.dumps(report, indent=1))
