"""A store with one of everything, and whatever can be asked of it: what every operation needs to succeed, and what is
to be put in its place to have it refused.

The service is a process of its own on a database of the test's, so that the database can be made to fail beneath it.
"""

import asyncio
import http.client
import re
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import asyncpg
import httpx

from service.api import exports
from service.storage.embedded import EmbeddedPostgres
from service.storage.keys import make_key
from tests.conftest import Live, new_folder, served
from tests.contract.conformance import Contract

T = TypeVar("T")

NOBODY: Final = {
    "id": "00000000-0000-0000-0000-000000000000",
    "slug": "nobody",
    "number": "999999",
    "name": "nothing",
    "format": "nothing",
    "file": "nothing.js",
}
FORMATS: Final = {each.media_type: name for name, each in exports.FORMATS.items()}
"""What an export is asked for as, by the media type of its answer."""
CROWD: Final = 60_000
"""More events than one look or one revision takes."""


class Ask(NamedTuple):
    """A request to an operation by what stands in its path, its query and its body; None: no body."""

    place: str = ""
    query: str = ""
    body: Any = None


class Kept(NamedTuple):
    """What an answer says to caches: how it may be kept, what its tag is made of, and what it rests on."""

    how: str
    tag: str
    vary: str


def kept(answer: httpx.Response) -> Kept:
    etag = answer.headers.get("etag")
    by_revision = re.compile(r'"\d+-\w+(-(zstd|br|gzip))?"')
    tag = "" if etag is None else "revision and bytes" if by_revision.fullmatch(etag) else "bytes"
    return Kept(answer.headers["cache-control"], tag, answer.headers.get("vary", ""))


def kept_as(answer: httpx.Response) -> str:
    """What sort of an answer it is to a cache."""
    request, status = answer.request, answer.status_code
    if status >= 400:
        return "refused"
    if status == 308:
        return "moved"
    if request.method != "GET":
        return "written"
    if "authorization" in request.headers:
        return "keyed"
    named = {"revision", "cursor"} & set(request.url.params) or request.url.path.startswith("/v1/revisions/")
    return "pinned" if named else "live"


class Stage:
    """A service to ask. Every answer is judged by the document, and every read is asked for with HEAD too."""

    def __init__(self, live: Live, server: EmbeddedPostgres, client: httpx.Client, contract: Contract) -> None:
        self.live, self.server, self.client, self.contract = live, server, client, contract
        self.operations = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, method, operation in contract.operations()
        }
        self.reader = self.stored(lambda connection: make_key(connection, "reader", "read", None))
        self.answers = 0
        self.kept: dict[tuple[str, str], set[Kept]] = {}
        self.asks = self._set()

    def stored(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """What a piece of work in the service's database comes to."""

        async def run() -> T:
            connection = await asyncpg.connect(self.server.dsn)
            try:
                return await work(connection)
            finally:
                await connection.close()

        return asyncio.run(run())

    def parameters(self, name: str, place: str) -> list[str]:
        """The names of an operation's parameters that stand in the path, or the query."""
        described = self.contract.parameters(self.operations[name][2])
        return [each["name"] for each in described if each["in"] == place]

    # Asking

    def ask(
        self,
        name: str,
        /,
        *,
        key: str | None = None,
        place: str | None = None,
        query: str | None = None,
        body: Any = None,
        **headers: str | None,
    ) -> httpx.Response:
        """Asks an operation as it succeeds, but for what is given; headers by name with _ for -, None leaves one out.

        Without a key it is the writer's where one is needed, and nobody's elsewhere.
        """
        method, template, operation = self.operations[name]
        usual = self.asks.get(name, Ask())
        path = re.sub(r"{\w+}", usual.place if place is None else place, template)
        query = usual.query if query is None else query
        content = httpx.Request("POST", "/", json=usual.body if body is None else body).content
        keyed = operation["security"] == [{"key": []}]
        key = key or (self.live.key if keyed else None)
        given: dict[str, str | None] = {"Authorization": None if key is None else f"Bearer {key}"}
        if "requestBody" in operation:
            given["Content-Type"] = next(iter(operation["requestBody"]["content"]))
        if any(each["name"] == "If-Match" and each["required"] for each in self.contract.parameters(operation)):
            given["If-Match"] = "*"
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = self.client.build_request(
            method,
            path + (f"?{query}" if query else ""),
            content=content if "requestBody" in operation else None,
            headers={name: value for name, value in given.items() if value is not None},
        )
        answer = self._announced(request) if "Content_Length" in headers else self.client.send(request)
        self.judge(answer)
        self.kept.setdefault((f"{method} {template}", kept_as(answer)), set()).add(kept(answer))
        return answer

    def judge(self, answer: httpx.Response) -> None:
        """Asserts that an answer is as described, and that of a read HEAD has all but its body."""
        self.contract.check(answer)
        self.answers += 1
        if answer.request.method == "GET":
            head = self.client.request("HEAD", answer.request.url, headers=answer.request.headers)
            self.contract.check(head)
            self.answers += 1
            assert (head.status_code, _headers(head), head.content) == (answer.status_code, _headers(answer), b""), (
                head.url,
                answer.text[:300],
            )

    def _announced(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request whose body is announced and never sent."""
        url = urlsplit(str(request.url))
        connection = http.client.HTTPConnection(url.netloc, timeout=30)
        try:
            connection.putrequest(request.method, f"{url.path}?{url.query}", skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            return httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read(), request=request)
        finally:
            connection.close()

    # The store

    def _set(self) -> dict[str, Ask]:
        """Makes one of everything, and says what each operation is asked to succeed, in an order in which all can.

        Of each kind there is one that others name, one that nothing names and one that is gone.
        """
        self.asks = {}
        for kind, slugs in {
            "Collection": ("main", "spare", "gone"),
            "Actor": ("speaker", "alias", "twin", "spare", "gone"),
            "Source": ("paper", "spare", "gone"),
            "Timeline": ("all", "spare", "gone"),
        }.items():
            for slug in slugs:
                named = {"name" if kind == "Actor" else "title": slug.capitalize()}
                assert self.ask(f"create{kind}", body={"slug": slug, **named}).status_code == 201
            assert self.ask(f"delete{kind}", place="gone").status_code == 204
        self.ask("mergeActor", place="alias", body={"into": "speaker"})
        claim = {"source": "paper", "speakers": ["speaker"]}
        told = {"title": "Told", "key": "told", "kind": "odd", "actors": [{"actor": "speaker"}], "claims": [claim]}
        self.told = self.ask("createEvent", body=told).json()["id"]
        self.gone = self.ask("createEvent", body={"title": "Gone"}).json()["id"]
        self.ask("retractEvent", place=self.gone)
        self.head = int(self.ask("reviseEvent", place=self.told, body={"summary": "Anew"}).headers["Revision"])
        return {
            "readEvent": Ask(self.told),
            "readEventHistory": Ask(self.told),
            "readRevision": Ask("1"),
            "readProblem": Ask("stale"),
            "listTimelineEvents": Ask("all"),
            "readExport": Ask("timelinejs"),
            "readEmbedPage": Ask("all"),
            "readEmbedFile": Ask("event-timeline.js"),
            "readOembed": Ask(query=f"url={self.live.base_url}/embed/timelines/all"),
            "createEvent": Ask(body={"title": "New"}),
            "reviseEvent": Ask(self.told, body={"title": "Anew"}),
            "revertEvent": Ask(self.told, body={"revision": self.head}),
            "recordEventBatch": Ask(body=[{"title": "One"}, {"title": "Two"}]),
            "retractEvent": Ask(self.told),
            "mergeActor": Ask("twin", body={"into": "speaker"}),
            "unmergeActor": Ask("alias"),
        } | {
            f"{verb}{kind}": ask
            for kind in ("Actor", "Source", "Collection", "Timeline")
            for named in ("name" if kind == "Actor" else "title",)
            for verb, ask in {
                "read": Ask({"Actor": "speaker", "Source": "paper"}.get(kind, "spare")),
                "create": Ask(body={"slug": "new", named: "New"}),
                "revise": Ask("spare", body={named: "Anew"}),
                "delete": Ask("spare"),
            }.items()
        }

    # What can happen to it

    def _run(self, statement: str, *arguments: Any) -> None:
        self.stored(lambda connection: connection.execute(statement, *arguments))

    @contextmanager
    def without(self, table: str) -> Iterator[None]:
        """While a table of the service is gone, which is a fault that it cannot foresee."""
        self._run(f"ALTER TABLE {table} RENAME TO mislaid")
        try:
            yield
        finally:
            self._run(f"ALTER TABLE mislaid RENAME TO {table}")

    @contextmanager
    def away(self) -> Iterator[None]:
        """While the database is stopped."""
        self.server.stop()
        try:
            yield
        finally:
            self.server.start()

    CROWDED = """
    INSERT INTO posting (term, span, t_lo, t_hi, event, since, until, known)
    SELECT p.term, p.span, p.t_lo, p.t_hi, p.event + n, p.since, p.until, p.known
    FROM term t JOIN posting p ON p.term = t.term, generate_series(1, $1::int) n
    WHERE (t.dimension, t.value) IN (('kind', 'odd'), ('basis', 'paper'), ('speaker', 'speaker'))
    """
    CLEARED = "DELETE FROM posting p WHERE NOT EXISTS (SELECT FROM event e WHERE e.event = p.event)"

    @contextmanager
    def crowded(self) -> Iterator[None]:
        """While the index says of many events what is true of one: of its kind, source and speaker."""
        self._run(self.CROWDED, CROWD)
        try:
            yield
        finally:
            self._run(self.CLEARED)

    @contextmanager
    def running(self, idempotency_key: str) -> Iterator[None]:
        """While a request with the Idempotency-Key waits for its turn to write."""
        answers: list[httpx.Response] = []

        def make() -> None:
            headers = {"Authorization": f"Bearer {self.live.key}", "Idempotency-Key": idempotency_key}
            form = {"slug": "held-up", "name": "Held up"}
            answers.append(httpx.post(f"{self.live.base_url}/v1/actors", json=form, headers=headers, timeout=30))

        with asyncio.Runner() as runner:
            holder = runner.run(asyncpg.connect(self.server.dsn))
            held = holder.transaction()
            runner.run(held.start())
            runner.run(holder.execute("SELECT FROM head FOR UPDATE"))
            writer = threading.Thread(target=make)
            writer.start()
            try:
                while not self.stored(lambda each: each.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                    assert writer.is_alive()
                yield
            finally:
                runner.run(held.rollback())
                runner.run(holder.close())
                writer.join()
        self.judge(answers[0])
        assert answers[0].status_code == 201


def _headers(answer: httpx.Response) -> dict[str, str]:
    # A body that is sent while it is read comes in pieces, and none comes so.
    return {name: value for name, value in answer.headers.items() if name not in ("date", "transfer-encoding")}


@contextmanager
def staged() -> Iterator[Stage]:
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedPostgres(stack.enter_context(new_folder())))
        folder = stack.enter_context(new_folder())
        live = stack.enter_context(served(folder, "--no-demo", DATELINE_DATABASE_URL=server.dsn))
        document: Mapping[str, Any] = httpx.get(f"{live.base_url}/openapi.json").json()
        client = stack.enter_context(httpx.Client(base_url=live.base_url, timeout=30))
        yield Stage(live, server, client, Contract(dict(document)))
