"""The command line: serve, migrate, openapi, schema, check, key, diff."""

import argparse
import asyncio
import gc
import logging
import multiprocessing
import multiprocessing.process
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import resource_tracker
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import asyncpg
import msgspec
import uvicorn
from uvicorn.supervisors import Multiprocess

from service.api.answers import Front
from service.api.diff import PARAMETERS, compare_sides
from service.api.document import document_bytes, endpoints_text
from service.api.notes import note_of
from service.api.wire import Wire
from service.app import OPERATIONS, create_app
from service.domain import parameters
from service.domain.callers import Caller
from service.domain.errors import DatelineError
from service.operations.demo import load_demo
from service.operations.maintaining import maintain
from service.settings import Settings, SettingsError, settings_from
from service.storage import keys, revisions
from service.storage.embedded import EmbeddedPostgres, joined
from service.storage.pool import UNAVAILABLE, UnfitDatabase, open_pool, prepare
from service.storage.programs import EmbeddedError

OPERATOR = Caller(name="operator", scope="admin")
ROOT = Path(__file__).resolve().parent.parent
GARBAGE = 10_000, 20, 20
"""After how many new things, and how many rounds, a server looks for garbage."""


def main() -> None:
    """Runs one command; ends the process with 0, or 1 and a sentence on what was wrong."""
    arguments = _parser().parse_args()
    try:
        arguments.run(settings_from(os.environ), arguments)
    except (SettingsError, EmbeddedError, UnfitDatabase, DatelineError) as error:
        _fail(str(error), getattr(error, "faults", ()))
    except UNAVAILABLE as error:
        _fail(f"The database cannot be reached: {error or type(error).__name__}")
    except asyncpg.PostgresError as error:
        _fail(f"The database refuses: {error}")
    except KeyboardInterrupt:
        print(file=sys.stderr)


def _fail(text: str, faults: Any = ()) -> NoReturn:
    print(text, file=sys.stderr)
    for fault in faults:
        print(f"  {fault.parameter or fault.pointer}: {fault.detail}", file=sys.stderr)
    sys.exit(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dateline", description="Event timelines, served and compared.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Callable[[Settings, Any], None], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    serve = command("serve", run_serve, "Migrate the database and serve it; without one, bring one along.")
    serve.add_argument("--no-demo", action="store_true", help="leave an empty store empty")
    command("migrate", run_migrate, "Bring the database to this version's schema.")
    command("openapi", run_openapi, "Write the interface's document and its list of endpoints to openapi/.")
    command("schema", run_schema, "Write the migrated schema to migrations/schema.sql.")
    command("check", run_check, "Examine settings, database and versions, and say what is wrong.")
    command(
        "maintain", run_maintain, "Lay what is read together beside each other on the disk, while the service runs."
    )
    key = commands.add_parser("key", help="Make keys.").add_subparsers(required=True, metavar="command")
    create = key.add_parser("create", help="Make a key and print it, alone, on standard output.")
    create.set_defaults(run=run_key_create)
    create.add_argument("--scope", choices=["read", "write", "admin"], required=True)
    create.add_argument("--name", required=True, help="who holds it; the author of what is written with it")
    create.add_argument("--collection", action="append", help="limit it to this collection; may be repeated")
    diff = command("diff", run_diff, "Compare two selections and print the change note.")
    diff.add_argument("parameters", nargs="+", metavar="NAME=VALUE", help="as of GET /v1/diff, e.g. base_revision=2")
    return parser


def say(line: str) -> None:
    """Progress, for people: standard output is for what was asked for."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The address of the store for a short command: the one set, the running service's, or one started meanwhile."""
    if settings.database_url is not None:
        yield settings.direct_url or settings.database_url
    else:
        with joined(settings.data_path, say) as url:
            yield url


# Imported where they are used: the migrations' libraries would cost each worker 30 MB, and none migrates.
def _upgrade(url: str) -> str | None:
    """Brings schema and index to this version's, and tells the schema reached."""
    from service.operations import indexing

    return asyncio.run(indexing.upgrade(url))


def run_serve(settings: Settings, arguments: argparse.Namespace) -> None:
    _log_as(settings.log_format)
    signal.signal(signal.SIGTERM, _leave)
    listener = _bind(settings)
    if settings.database_url is not None:
        _upgrade(settings.direct_url or settings.database_url)
        _serve(settings, listener)
        return
    say(f"Data in {settings.data_path}")
    with EmbeddedPostgres(settings.data_path, say) as server:
        settings = msgspec.structs.replace(settings, database_url=server.dsn)
        say("Migrating")
        _upgrade(server.dsn)
        asyncio.run(_prepare_store(settings, demo=not arguments.no_demo))
        _serve(settings, listener)


class _JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(told).decode()


def _log_as(form: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines() if form == "json" else logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # What a lost connection means is told by whoever lost it.
    logging.getLogger("asyncpg.pool").setLevel(logging.CRITICAL)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


async def _prepare_store(settings: Settings, *, demo: bool) -> None:
    pool = await open_pool(settings.database_url or "", 2, settings.statement_seconds)
    try:
        if demo:
            await load_demo(pool, say)
        async with pool.acquire() as connection:
            if not await keys.any_writer(connection):
                say(f"Reading is open. To write, make a key: {sys.argv[0]} key create --scope write --name NAME")
    finally:
        await pool.close()


def _bind(settings: Settings) -> socket.socket:
    """The address to serve on, taken before anything is started. Raises SettingsError where it cannot be had."""
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it. asyncio sets it only on sockets that name their protocol, which this one does
    # not; without it every answer waits some 40 ms for the acknowledgement of the one before.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.set_inheritable(True)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        raise SettingsError(
            f"Port {settings.port} of {settings.host} cannot be served on: {error.strerror}. "
            "Set DATELINE_PORT to another one, or DATELINE_HOST to an address of this machine."
        ) from error
    return listener


def _serve(settings: Settings, listener: socket.socket) -> None:
    # Workers are processes of their own, which read their settings anew.
    os.environ["DATELINE_DATABASE_URL"] = settings.database_url or ""
    config = uvicorn.Config(
        "service.__main__:app_from_environment",
        factory=True,
        http=Wire,
        workers=settings.workers,
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=10,
    )
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    say(f"Serving on http://{host}:{listener.getsockname()[1]} (reference: /docs; stop with Ctrl-C)")
    if settings.workers > 1:
        with tempfile.TemporaryDirectory(prefix="dateline-") as folder:
            os.environ["DATELINE_WATCH_FILE"] = settings.watch_file or f"{folder}/watch"
            with _interrupts_held_back():
                Multiprocess(config, sockets=[listener]).run()
        return
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    if not server.started:
        sys.exit(1)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """What this thread starts meanwhile is not interrupted before it lets that happen; this process is as ever.

    Ctrl-C on a terminal reaches every process, and a worker that has only just begun would print where it was.
    """
    # When the first worker is started, so is this, which lets interrupts through again.
    resource_tracker.ensure_running()
    # Another thread takes them; what is to follow from one is still done by this thread.
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def app_from_environment() -> Front:
    """The service as each worker makes it."""
    settings = settings_from(os.environ)
    parent = multiprocessing.parent_process()
    if parent is not None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        _log_as(settings.log_format)
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    app = create_app(settings)
    # What is there now stays. Of what comes, a batch holds so much that a quarter of its time went into looking through
    # it for garbage, as Python does after every few hundred things that are made.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    return app


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    """Ends this worker when its parent has ended without saying so, and with it the database."""
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def run_migrate(settings: Settings, _arguments: argparse.Namespace) -> None:
    with database(settings) as url:
        reached = _upgrade(url)
    say(f"The database has schema {reached}.")


def run_openapi(_settings: Settings, _arguments: argparse.Namespace) -> None:
    folder = ROOT / "openapi"
    folder.mkdir(exist_ok=True)
    (folder / "openapi.json").write_bytes(document_bytes(OPERATIONS))
    (folder / "endpoints.txt").write_text(endpoints_text(OPERATIONS))
    say(f"Wrote openapi.json and endpoints.txt to {folder}.")


def run_schema(settings: Settings, _arguments: argparse.Namespace) -> None:
    from service.storage import migrating
    from service.storage.schema import dumped_schema

    with database(settings) as url:
        asyncio.run(migrating.migrate(url))
        text = dumped_schema(url)
    (ROOT / "migrations" / "schema.sql").write_text(text)
    say("Wrote migrations/schema.sql.")


def run_check(settings: Settings, _arguments: argparse.Namespace) -> None:
    with database(settings) as url:
        asyncio.run(_check(url))


async def _check(url: str) -> None:
    from service.storage import migrating

    connection = await asyncpg.connect(url, timeout=10)
    try:
        print(f"database    PostgreSQL {await connection.fetchval('SHOW server_version')}")
        found = await connection.fetchval("SELECT to_regclass('alembic_version')")
        current = None if found is None else await connection.fetchval("SELECT version_num FROM alembic_version")
        newest = migrating.newest()
        print(f"schema      {current or 'none'} (this version needs {newest})")
        if current != newest:
            raise UnfitDatabase("The database is not at this version's schema: run `dateline migrate`.")
        head = await revisions.read_head(connection)
        print(f"head        revision {head.revision}")
        print(f"write keys  {'yes' if await keys.any_writer(connection) else 'none yet'}")
    finally:
        await connection.close()


def run_maintain(settings: Settings, _arguments: argparse.Namespace) -> None:
    with database(settings) as url:
        upkeep = asyncio.run(maintain(url, say))
    say(f"{upkeep.versions} versions, of which {upkeep.strays} strayed; {upkeep.moved} were moved.")


def run_key_create(settings: Settings, arguments: argparse.Namespace) -> None:
    with database(settings) as url:
        _upgrade(url)
        print(asyncio.run(_make_key(url, arguments)))


async def _make_key(url: str, arguments: argparse.Namespace) -> str:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await keys.make_key(connection, arguments.name, arguments.scope, arguments.collection)
    finally:
        await connection.close()


def run_diff(settings: Settings, arguments: argparse.Namespace) -> None:
    query: dict[str, list[str]] = {}
    for given in arguments.parameters:
        name, _, value = given.partition("=")
        query.setdefault(name, []).append(value)
    parameters.check(query, PARAMETERS)
    with database(settings) as url:
        print(asyncio.run(_note(url, query)), end="")


async def _note(url: str, query: dict[str, list[str]]) -> str:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await prepare(connection)
        limit = int(query["limit"][0]) if "limit" in query else parameters.LIMIT_DEFAULT
        diff = await compare_sides(connection, OPERATOR, query, "diff", limit)
        return note_of(diff.base, diff.head, diff.page, None)
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
