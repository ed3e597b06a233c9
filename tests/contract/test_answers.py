"""Every answer that the document describes is got from the running service, and judged by the document.

The document says what to ask for: of each operation each status, of a success each media type, of a refusal each kind
of problem. Here is only how a service is brought to give it.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import ROOT
from tests.contract.conformance import Contract, Described
from tests.contract.stage import FORMATS, NOBODY, Ask, Kept, Stage, staged

Way = Callable[[Stage, str], object]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with staged() as stage:
        yield stage


@pytest.fixture(scope="module")
def driven(stage: Stage) -> Stage:
    """A service that has been asked for everything."""
    drive(stage)
    return stage


# --- How each answer is brought about


def not_found(stage: Stage, name: str) -> None:
    """Nothing has the name in the path, or the timeline's name."""
    place = next((each for each in stage.parameters(name, "path")), None)
    if place is None:
        stage.ask(name, query=timeline_in(stage, name, "nobody"))
    else:
        stage.ask(name, place=NOBODY[place])


def gone(stage: Stage, name: str) -> None:
    """Asked with a key, for nobody else sees an actor or a source that no event ever named."""
    place = next((each for each in stage.parameters(name, "path")), None)
    gone = stage.gone if place == "id" else "gone"
    if place in (None, "format"):
        stage.ask(name, query=timeline_in(stage, name, "gone"))
    else:
        stage.ask(name, place=gone, key=stage.live.key)


def timeline_in(stage: Stage, name: str, slug: str) -> str:
    """A query that asks for a timeline."""
    usual = stage.asks.get(name, Ask()).query
    return f"{usual.rpartition('/')[0]}/{slug}" if name == "readOembed" else f"timeline={slug}"


def refused_parameter(stage: Stage, name: str) -> None:
    """A revision still to come; where none is taken, what is no cursor, or what needs another parameter."""
    faults = {"revision": "999999", "cursor": "none", "retract_missing": "true"}
    known = stage.parameters(name, "query")
    stage.ask(name, query=next(f"{each}={fault}" for each, fault in faults.items() if each in known))


REFUSED: Final[Mapping[str, Any]] = {
    "createEvent": {"title": "New", "actors": [{"actor": "nobody"}]},
    "createSource": {"slug": "new", "title": "New", "publisher": "nobody"},
    "createTimeline": {"slug": "new", "title": "New", "selection": {"from": "2025", "to": "2008"}},
    "reviseEvent": {"key": "another"},
    "revertEvent": {"revision": 999_999},
    "recordEventBatch": [{"title": "One", "actors": [{"actor": "nobody"}]}],
    "mergeActor": {"into": "nobody"},
}


def refused(stage: Stage, name: str) -> None:
    stage.ask(name, body=REFUSED.get(name, {"slug": "another"}))


def already_exists(stage: Stage, name: str) -> None:
    usual = stage.asks[name].body
    stage.ask(name, body={**usual, "slug": "spare"} if "slug" in usual else {**usual, "key": "told"})


IN_USE: Final[Mapping[str, str]] = {
    "deleteActor": "speaker",
    "deleteSource": "paper",
    "deleteCollection": "main",
    "reviseActor": "alias",
    "mergeActor": "alias",
}


def in_use(stage: Stage, name: str) -> None:
    """Of what others name, and of an actor that stands for another."""
    if name in IN_USE:
        stage.ask(name, place=IN_USE[name], body={"into": "twin"} if name == "mergeActor" else None)


def used(stage: Stage, name: str) -> None:
    stage.ask(name, Idempotency_Key="used")


AT_REST: Final[Mapping[str, Way]] = {
    "malformed-request": lambda stage, name: stage.ask(name, query="a=%ff"),
    "invalid-parameter": lambda stage, name: stage.ask(name, query="limt=1"),
    "refused-parameter": refused_parameter,
    "unauthenticated": lambda stage, name: stage.ask(name, key="nobody's"),
    "forbidden": lambda stage, name: stage.ask(name, key=stage.reader),
    "not-found": not_found,
    "not-acceptable": lambda stage, name: stage.ask(name, Accept="application/x-nothing"),
    "already-exists": already_exists,
    "in-use": in_use,
    "gone": gone,
    "stale": lambda stage, name: stage.ask(name, If_Match='"0-0"'),
    "too-large": lambda stage, name: stage.ask(name, Content_Length=str(2**26)),
    "unsupported-media-type": lambda stage, name: stage.ask(name, Content_Type="text/plain"),
    "invalid-body": lambda stage, name: stage.ask(name, body=0),
    "refused": refused,
    "idempotency-key-reused": used,
    "not-made": lambda stage, name: stage.ask(name, query=f"{stage.asks[name].query}&format=xml"),
    "precondition-required": lambda stage, name: stage.ask(name, If_Match=None),
}


def too_broad(stage: Stage, name: str) -> None:
    stage.ask(name, query="base_kind=odd" if name == "readDiff" else "kind=odd")


CROWDED: Final[Mapping[str, Mapping[str, Any]]] = {
    "reviseSource": {"place": "paper", "body": {"published": "2001"}},
    "unmergeActor": {"place": "alias"},
}


def still_right(stage: Stage, name: str) -> None:
    """Asks again with the tag, alone, in a list, as a weak one, and with any."""
    etag = stage.ask(name).headers["etag"]
    for held in (etag, f'"another", {etag}', f"W/{etag}", "*"):
        assert stage.ask(name, If_None_Match=held).status_code == 304
    assert stage.ask(name, If_None_Match='"another"').status_code == 200


def pinned(stage: Stage, name: str) -> None:
    """Asks at a revision, which may be the newest, or for the second page of a reading."""
    known = stage.parameters(name, "query")
    if "revision" in known:
        stage.ask(name, query=f"revision={stage.head}")
    elif "cursor" in known:
        following = stage.ask(name, query="limit=1").json()["next"]
        stage.ask(name, query=urlsplit(following).query)


def succeed(stage: Stage, described: Described, name: str) -> None:
    match described.status:
        case 304:
            still_right(stage, name)
            pinned(stage, name)
        case 308:
            stage.ask(name, place="alias", key=stage.live.key)
        case 204 if not described.operation.startswith("DELETE"):
            usual = stage.asks[name].body
            another = {"slug": "brief"} if isinstance(usual, dict) and "slug" in usual else {}
            stage.ask(name, body={**usual, **another} if another else None, Prefer="return=minimal")
        case _:
            if name == "readExport":
                stage.ask(name, place=FORMATS[described.what], Accept=described.what)
                stage.ask(name, query="report=true", key=stage.live.key)
                return
            stage.ask(name, Accept=described.what or None)
            if described.operation.startswith("GET"):
                stage.ask(name, Accept=described.what, key=stage.live.key)


ORDER: Final = ("GET", "POST", "PATCH", "DELETE")
"""In which all that nothing stands against can succeed, one after the other."""


def drive(stage: Stage) -> None:
    """Asks every operation for all that the document says it can answer."""
    names = {f"{method} {path}": name for name, (method, path, _) in stage.operations.items()}
    every = sorted(stage.contract.described(), key=lambda each: (ORDER.index(each.operation.split()[0]), each))

    def of(what: str) -> list[str]:
        return [names[each.operation] for each in every if each.what == what]

    stage.ask("createActor", body={"slug": "once", "name": "Once"}, Idempotency_Key="used")
    for what, way in AT_REST.items():
        for name in of(what):
            way(stage, name)
    with stage.running("running"):
        for name in of("idempotency-key-in-use"):
            stage.ask(name, Idempotency_Key="running")
    with stage.crowded():
        for name in of("selection-too-broad"):
            too_broad(stage, name)
        for name, ask in CROWDED.items():
            stage.ask(name, **ask)
    # A key is looked up before anything else, so without its table every operation fails; without the head those that
    # go on to the store do.
    for table in ("head", "key"):
        with stage.without(table):
            for name in of("internal"):
                stage.ask(name, key=stage.live.key)
    with stage.away():
        for name in of("unavailable"):
            stage.ask(name, key=stage.live.key)
    for each in every:
        if each.status < 400:
            succeed(stage, each, names[each.operation])


# --- The judgement


def pairs(described: set[Described]) -> set[tuple[str, int]]:
    return {(each.operation, each.status) for each in described}


def uncovered(contract: Contract) -> list[Described]:
    """What the document describes and nobody has seen."""
    return sorted(contract.described() - contract.seen)


def test_every_answer_that_is_described_has_been_given(driven: Stage, tell: Callable[[str], None]) -> None:
    contract = driven.contract
    described, missed = contract.described(), uncovered(contract)
    missed_pairs = sorted(pairs(described) - pairs(contract.seen))
    tell(
        f"{len(pairs(described)) - len(missed_pairs)} of {len(pairs(described))} pairs of operation and status, "
        f"{len(described) - len(missed)} of {len(described)} with the kind of problem or media type; "
        f"{driven.answers:,} answers checked; uncovered: {missed}"
    )
    assert missed_pairs == []
    assert missed == []


def test_nothing_is_seen_that_is_not_described(driven: Stage) -> None:
    assert driven.contract.seen <= driven.contract.described()


def test_what_nobody_has_seen_is_told(driven: Stage) -> None:
    """The judge itself: a status, a problem and a media type more than the service gives, each is uncovered."""
    planted = Contract(copy.deepcopy(driven.contract.document))
    planted.seen = set(driven.contract.seen)
    assert uncovered(planted) == []
    responses = planted.document["paths"]["/v1/diff"]["get"]["responses"]
    responses["409"] = {"description": "Never."}
    (problem,) = planted.response(planted.document["paths"]["/healthz"]["get"], 401)["content"].values()
    problem["examples"]["forbidden"] = {"value": {}}
    planted.response(planted.document["paths"]["/v1/diff"]["get"], 200)["content"]["text/csv"] = {}
    found = uncovered(planted)
    assert Described("GET /v1/diff", 409) in found
    assert Described("GET /v1/diff", 200, "text/csv") in found
    assert Described("GET /healthz", 401, "forbidden") in found
    assert pairs(planted.described()) - pairs(planted.seen) == {("GET /v1/diff", 409)}
    planted.seen.discard(Described("DELETE /v1/actors/{slug}", 412, "stale"))
    assert ("DELETE /v1/actors/{slug}", 412) in pairs(planted.described()) - pairs(planted.seen)


def test_an_answer_that_is_not_described_is_not_taken(driven: Stage) -> None:
    """Of a kind that the operation does not name, and with a body that its schema refuses."""
    request = httpx.Request("GET", "http://service/v1/revisions/1")
    problem = driven.ask("readRevision", place="999999").json()
    for wrong in ({"type": "/problems/gone"}, {"status": 410}, {"rows": None}):
        headers = {"Content-Type": "application/problem+json"}
        answer = httpx.Response(404, content=json.dumps(problem | wrong), headers=headers, request=request)
        with pytest.raises(AssertionError):
            driven.contract.check(answer)


# --- What caches are told


def told(stage: Stage, operation: str, sort: str) -> Kept | None:
    """What all of an operation's answers of a sort say to caches, if there is one; they say the same."""
    answers = stage.kept.get((operation, sort), set())
    assert len(answers) <= 1, (operation, sort, answers)
    return next(iter(answers), None)


def table_of(stage: Stage) -> str:
    """What each endpoint's answers say to caches, as the page has it."""
    rows = [["endpoint", "live", "pinned", "with a key", "`ETag` of", "`Vary`"]]
    for method, path, _ in stage.operations.values():
        operation = f"{method} {path}"
        by_sort = {sort: told(stage, operation, sort) for sort in ("live", "pinned", "keyed", "written")}
        live, pinned, keyed, written = by_sort.values()
        answers = [each for each in by_sort.values() if each is not None]
        (tag,), (vary,) = {each.tag for each in answers}, {each.vary for each in answers}
        hows = ["" if each is None else f"`{each.how}`" for each in (live, pinned, keyed or written)]
        rows.append([f"`{operation}`", *hows, tag, vary and f"`{vary}`"])
    lines = [f"| {' | '.join(cell or '–' for cell in row)} |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def test_the_page_on_caching_has_the_table_of_what_is_answered(driven: Stage) -> None:
    page, table = (ROOT / "docs" / "caching.md").read_text(), table_of(driven)
    assert table in page, f"docs/caching.md does not hold what the service answers, which is:\n{table}"


def test_no_refusal_is_ever_kept(driven: Stage) -> None:
    refusals = {operation for operation, sort in driven.kept if sort == "refused"}
    assert refusals == {f"{method} {path}" for method, path, _ in driven.operations.values()}
    for operation in refusals:
        assert told(driven, operation, "refused") == Kept("no-store", "", "")
    assert told(driven, "GET /v1/actors/{slug}", "moved") == Kept(
        "no-store", "", "Accept-Encoding, Authorization, Min-Revision"
    )


# --- What a path tells of itself


METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def test_options_and_allow_tell_what_a_path_knows(stage: Stage) -> None:
    known: dict[str, set[str]] = {}
    for method, path, _ in stage.operations.values():
        known.setdefault(path, {"OPTIONS"}).update({method, "HEAD"} if method == "GET" else {method})
    for path, methods in known.items():
        address = path.replace("{id}", stage.told).replace("{number}", "1").replace("{name}", "gone")
        address = address.replace("{slug}", "main")
        answer = stage.client.options(address)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["Allow"] == ", ".join(sorted(methods)) == answer.headers["Access-Control-Allow-Methods"]
        for method in METHODS:
            refusal = stage.client.request(method, address)
            assert (refusal.status_code == 405) == (method not in methods), (method, path)
            if refusal.status_code == 405:
                assert refusal.headers["Allow"] == answer.headers["Allow"]
                assert refusal.headers["Cache-Control"] == "no-store"


# Those of which a page may know without being told (the Fetch standard's lists of safe names).
SAFE_REQUESTS: Final = {"accept", "accept-language", "content-language", "content-type"}
SAFE_ANSWERS: Final = {"cache-control", "content-language", "content-length", "content-type", "expires", "pragma"}


def test_a_page_of_another_origin_may_send_and_read_every_header_described(stage: Stage) -> None:
    preflight = stage.client.options("/v1/events").headers
    allowed = set(preflight["Access-Control-Allow-Headers"].lower().split(", "))
    exposed = set(stage.client.get("/v1").headers["Access-Control-Expose-Headers"].lower().split(", "))
    assert "authorization" in allowed
    for _, _, operation in stage.contract.operations():
        sent = {each["name"].lower() for each in stage.contract.parameters(operation) if each["in"] == "header"}
        assert sent - SAFE_REQUESTS <= allowed
        for status in operation["responses"]:
            read = {name.lower() for name in stage.contract.response(operation, int(status)).get("headers", {})}
            assert read - SAFE_ANSWERS - {"vary", "access-control-allow-origin"} <= exposed
