"""The service as a program: how it starts, stops, is killed, loses its database and gets it back.

Processes are told by the kernel (`/proc`): a family is a process and all that descend from it, and what a test leaves
behind would be found there.
"""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from service.storage.embedded import EmbeddedPostgres, joined
from service.storage.migrating import migrate, newest
from service.storage.processes import parent_of, processes, read_pid_file
from tests.conftest import ROOT, Live, await_ready, environment, free_port, new_folder, new_key, served

WAIT_SECONDS_MAX = 60
KEY = re.compile(r"dl_[0-9a-f]{16}_[A-Za-z0-9_-]{43}\n")
PROBLEM = "application/problem+json"

linux_only = pytest.mark.skipif(not Path("/proc/self").exists(), reason="families are read from /proc")


def dateline(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        cwd=ROOT,
        env=environment(Path("/nowhere/at/all")) | settings,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS_MAX,
    )


@contextlib.contextmanager
def serving(data_dir: Path, *arguments: str, **settings: str) -> Iterator[Live]:
    """The service in a session of its own, as on a terminal: a signal can be sent to all of it."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    log_path = data_dir.parent / "service.log"
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve", *arguments],
            cwd=ROOT,
            env=environment(data_dir, DATELINE_PORT=str(port), **settings),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            await_ready(base_url, process, log_path)
            with joined(data_dir) as url:
                key = asyncio.run(new_key(url))
            yield Live(base_url, key, data_dir, process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(WAIT_SECONDS_MAX)


def family_of(pid: int) -> set[int]:
    """The process and all that descend from it."""
    parents = {each: parent_of(each) for each in processes()}
    family = {pid}
    while grown := {each for each, parent in parents.items() if parent in family} - family:
        family |= grown
    return family


def living(pids: set[int]) -> set[int]:
    return {pid for pid in pids if parent_of(pid) is not None and not is_zombie(pid)}


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def wait_for(true: Callable[[], object], what: str, seconds: float = WAIT_SECONDS_MAX) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.05)


def writer_of(service: Live) -> httpx.Client:
    authorization = {"Authorization": f"Bearer {service.key}"}
    return httpx.Client(base_url=service.base_url, headers=authorization, timeout=30)


def check_problem(response: httpx.Response) -> None:
    """An answer of a service whose database is away."""
    assert response.status_code == 503, response.text
    assert response.headers["content-type"] == PROBLEM
    assert int(response.headers["retry-after"]) >= 1
    assert response.json()["type"] == "/problems/unavailable"


# --- The database goes and comes back


def test_a_killed_postmaster_is_a_503_for_a_moment_and_loses_nothing() -> None:
    with new_folder() as folder, serving(folder, "--no-demo", DATELINE_WORKERS="2") as service:
        writing = [Writing(service, number) for number in range(3)]
        reading = [Reading(service, path) for path in ("/v1/events", "/v1/revisions", "/readyz", "/v1/diff")]
        everything = [*writing, *reading]
        for each in everything:
            each.start()
        wait_for(lambda: all(each.has_recovered() for each in everything), "all to be under way")
        for _ in range(2):
            told = {each: len(each.answers) for each in everything}
            began = time.monotonic()
            kill_postmaster(folder)
            wait_for(partial(any_failed, told), "a failure to be told of")
            wait_for(lambda: all(each.has_recovered() for each in everything), "all to go on")
            print(f"all went on {time.monotonic() - began:.1f} s after the postmaster was killed")
        for each in everything:
            each.stop()
        statuses = {status for each in everything for status in each.answers}
        assert statuses == {200, 201, 503}
        acknowledged = {event for each in writing for event in each.made}
        listed, log = everything_of(service, "/v1/events"), everything_of(service, "/v1/revisions?order=asc")
        assert acknowledged <= {event["id"] for event in listed}
        assert [entry["revision"] for entry in log] == list(range(1, len(log) + 1))
        print(f"{len(acknowledged)} events acknowledged, {len(listed)} there, {len(log)} revisions")
        assert "Traceback" not in log_of(folder)


def any_failed(told: "dict[Asking, int]") -> bool:
    return any(each.failed_since(answers) for each, answers in told.items())


def kill_postmaster(folder: Path) -> None:
    found = read_pid_file(folder / "postgres")
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)


def everything_of(service: Live, path: str) -> list[dict[str, Any]]:
    with httpx.Client(base_url=service.base_url, timeout=30) as client:
        page = client.get(path).json()
        items: list[dict[str, Any]] = page["items"]
        while page["next"] is not None:
            page = client.get(page["next"]).json()
            items += page["items"]
        return items


def log_of(data_dir: Path) -> str:
    """What the service has said."""
    return (data_dir.parent / "service.log").read_text()


class Asking(threading.Thread):
    """A client that asks again and again."""

    def __init__(self, service: Live) -> None:
        super().__init__(daemon=True)
        self.service = service
        self.answers: list[int] = []
        self.made: list[str] = []
        self._ending = threading.Event()
        self._fault: BaseException | None = None

    def ask(self, client: httpx.Client) -> httpx.Response:
        raise NotImplementedError

    def run(self) -> None:
        try:
            with writer_of(self.service) as client:
                while not self._ending.is_set():
                    response = self.ask(client)
                    if response.status_code >= 400:
                        check_problem(response)
                    if response.status_code == 201:
                        self.made.append(response.json()["id"])
                    self.answers.append(response.status_code)
        except BaseException as fault:
            self._fault = fault

    def failed_since(self, answers: int) -> bool:
        self._check()
        return 503 in self.answers[answers:]

    def has_recovered(self) -> bool:
        self._check()
        # Several in a row: one may have met a worker that noticed nothing.
        return len(self.answers) >= 5 and all(status < 400 for status in self.answers[-5:])

    def stop(self) -> None:
        self._ending.set()
        self.join(WAIT_SECONDS_MAX)
        assert not self.is_alive()
        self._check()

    def _check(self) -> None:
        if self._fault is not None:
            raise self._fault


class Writing(Asking):
    def __init__(self, service: Live, number: int) -> None:
        super().__init__(service)
        self.number = number

    def ask(self, client: httpx.Client) -> httpx.Response:
        return client.post("/v1/events", json={"title": f"Event of {self.number}"})


class Reading(Asking):
    def __init__(self, service: Live, path: str) -> None:
        super().__init__(service)
        self.path = path

    def ask(self, client: httpx.Client) -> httpx.Response:
        return client.get(self.path)


def test_a_write_that_waits_too_long_is_a_503_and_reading_goes_on() -> None:
    with (
        new_folder() as folder,
        serving(folder, "--no-demo", DATELINE_STATEMENT_SECONDS="1") as service,
        joined(folder) as url,
        writer_of(service) as client,
    ):
        made = client.post("/v1/events", json={"title": "Before"})
        assert made.status_code == 201
        with locked_head(url):
            check_problem(client.post("/v1/events", json={"title": "Never", "key": "never"}))
            assert [event["title"] for event in client.get("/v1/events").json()["items"]] == ["Before"]
        after = client.post("/v1/events", json={"title": "After", "key": "never"})
        assert int(after.headers["revision"]) == int(made.headers["revision"]) + 1


def test_reading_goes_on_while_more_writers_wait_than_there_are_connections() -> None:
    settings = {"DATELINE_POOL_SIZE": "3", "DATELINE_STATEMENT_SECONDS": "30"}
    with (
        new_folder() as folder,
        serving(folder, "--no-demo", **settings) as service,
        joined(folder) as url,
        ThreadPoolExecutor(6) as writers,
        locked_head(url),
    ):
        for _ in range(6):
            writers.submit(write_once, service)
        wait_for(lambda: ask(url, "SELECT count(*) FROM pg_locks WHERE NOT granted") >= 2, "writers to wait")
        assert httpx.get(f"{service.base_url}/v1/events", timeout=10).status_code == 200


def write_once(service: Live) -> int:
    with writer_of(service) as client:
        return client.post("/v1/events", json={"title": "A"}).status_code


def ask(url: str, statement: str) -> Any:
    async def run() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


@contextlib.contextmanager
def locked_head(url: str) -> Iterator[None]:
    """Another writer that holds the head and does not go on."""
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(url))
    transaction = connection.transaction()
    loop.run_until_complete(transaction.start())
    loop.run_until_complete(connection.execute("SELECT FROM head FOR UPDATE"))
    try:
        yield
    finally:
        loop.run_until_complete(transaction.rollback())
        loop.run_until_complete(connection.close())
        loop.close()


# --- Stopping


@linux_only
@pytest.mark.parametrize(
    ("how", "reaches_all", "workers"),
    [
        (signal.SIGTERM, False, "2"),
        (signal.SIGTERM, True, "2"),
        (signal.SIGINT, True, "1"),
        (signal.SIGINT, True, "2"),
    ],
)
def test_a_signal_ends_the_service_and_all_it_started(how: signal.Signals, reaches_all: bool, workers: str) -> None:
    """`kill` reaches the service alone; Ctrl-C on a terminal, or systemd, each of its processes."""
    with new_folder() as folder, serving(folder, "--no-demo", DATELINE_WORKERS=workers) as service:
        process, family = service.process, family_of(service.process.pid)
        assert read_pid_file(folder / "postgres") is not None
        with httpx.Client(base_url=service.base_url, timeout=30) as client:
            assert client.get("/v1").status_code == 200
            # The connection stays open, as browsers keep theirs.
            (os.killpg if reaches_all else os.kill)(process.pid, how)
            assert process.wait(WAIT_SECONDS_MAX) == 0
        wait_for(lambda: not living(family), f"the end of {family}")
        assert read_pid_file(folder / "postgres") is None, "PostgreSQL was not shut down but killed"
        assert "Traceback" not in log_of(folder)


@linux_only
def test_a_killed_service_leaves_no_process() -> None:
    with new_folder() as folder, serving(folder, "--no-demo", DATELINE_WORKERS="2") as service:
        with joined(folder) as url:
            wait_for(
                lambda: ask(url, "SELECT count(*) FROM pg_stat_activity WHERE datname = 'dateline'") > 2, "workers"
            )
        family = family_of(service.process.pid)
        assert len(family) > 5, "workers and PostgreSQL's processes are of the family"
        os.kill(service.process.pid, signal.SIGKILL)
        service.process.wait(WAIT_SECONDS_MAX)
        wait_for(lambda: not living(family), f"the end of {family}")


@linux_only
@pytest.mark.parametrize("pause", [0.0, 0.1, 0.4])
def test_an_interrupt_while_workers_start_ends_all_without_a_word(pause: float) -> None:
    with new_folder() as folder:
        settings = environment(folder, DATELINE_PORT=str(free_port()), DATELINE_WORKERS="2")
        command = [sys.executable, "-m", "service", "serve", "--no-demo"]
        with (folder.parent / "service.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(lambda: len(workers_of(process.pid)) == 2, "workers to be started")
            family = family_of(process.pid)
            time.sleep(pause)
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(WAIT_SECONDS_MAX) == 0
            wait_for(lambda: not living(family), f"the end of {family}")
        finally:
            process.kill()
        assert "Traceback" not in log_of(folder)


@linux_only
def test_a_worker_that_is_up_can_be_interrupted() -> None:
    """Interrupts are held back only while workers start: a second Ctrl-C ends at once what the first one waits for."""
    with new_folder() as folder, serving(folder, "--no-demo", DATELINE_WORKERS="2") as service:
        workers = workers_of(service.process.pid)
        assert len(workers) == 2
        for pid in workers:
            os.kill(pid, signal.SIGINT)
        wait_for(lambda: not living(set(workers)), f"the end of {workers}")


@linux_only
def test_a_service_killed_while_its_workers_start_leaves_no_process() -> None:
    with new_folder() as folder:
        settings = environment(folder, DATELINE_PORT=str(free_port()), DATELINE_WORKERS="2")
        process = subprocess.Popen([sys.executable, "-m", "service", "serve", "--no-demo"], cwd=ROOT, env=settings)
        family: set[int] = set()
        try:
            wait_for(lambda: len(workers_of(process.pid)) == 2, "workers to be started")
            family = family_of(process.pid)
            os.kill(process.pid, signal.SIGKILL)
            process.wait(WAIT_SECONDS_MAX)
            wait_for(lambda: not living(family), f"the end of {family}", seconds=20)
        finally:
            for pid in living(family):
                os.kill(pid, signal.SIGKILL)


def workers_of(pid: int) -> list[int]:
    return [each for each in processes() if parent_of(each) == pid and b"spawn_main" in command_line_of(each)]


def command_line_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""  # It has ended meanwhile.


# --- Commands beside a service and without one


def test_keys_and_everything_written_outlive_a_restart() -> None:
    """The demo is loaded into the empty store, once; keys are made beside the service and without one."""
    with new_folder() as folder:
        alone, beside = command_line_key(folder), ""
        with serving(folder) as service, writer_of(service) as client:
            assert client.get("/v1/timelines/kosovo").status_code == 200
            beside = command_line_key(folder)
            assert client.post("/v1/actors", json={"slug": "somebody", "name": "Somebody"}).status_code == 201
            client.headers["Authorization"] = f"Bearer {alone}"
            made = client.post("/v1/events", json={"title": "A", "actors": [{"actor": "somebody"}]})
            assert made.status_code == 201
            client.headers["Authorization"] = f"Bearer {beside}"
            address = f"/v1/events/{made.json()['id']}"
            change = {"Content-Type": "application/merge-patch+json", "If-Match": made.headers["etag"]}
            assert client.patch(address, content='{"title": "B"}', headers=change).status_code == 200
            assert client.get("/v1/revisions?limit=3").json()["items"][0]["author"] == "made"
            reads = [address, "/v1/events", "/v1/revisions", "/v1/events?revision=3", "/v1/diff?base_revision=1"]
            before = [(client.get(path).content, client.get(path).headers["etag"]) for path in reads]
            host = service.base_url
        with serving(folder) as again, writer_of(again) as client:
            client.headers["Host"] = host.removeprefix("http://")
            assert [(client.get(path).content, client.get(path).headers["etag"]) for path in reads] == before
            for key in (service.key, alone, beside, again.key):
                client.headers["Authorization"] = f"Bearer {key}"
                assert client.post("/v1/events", json={"title": "C"}).status_code == 201


def command_line_key(data_dir: Path) -> str:
    made = dateline("key", "create", "--scope", "write", "--name", "made", DATELINE_DATA_DIR=str(data_dir))
    assert made.returncode == 0, made.stderr
    assert KEY.fullmatch(made.stdout), "the key stands alone on standard output"
    return made.stdout.strip()


def test_a_second_service_on_the_same_data_is_refused(dossier: Live) -> None:
    second = dateline("serve", DATELINE_DATA_DIR=str(dossier.data_dir), DATELINE_PORT=str(free_port()))
    assert second.returncode == 1
    assert f"{dossier.data_dir} is in use by a dateline service, process {dossier.process.pid}" in second.stderr
    assert "DATELINE_DATA_DIR" in second.stderr
    assert "Traceback" not in second.stderr
    assert httpx.get(f"{dossier.base_url}/readyz").status_code == 200


def test_a_port_that_is_taken_is_named(dossier: Live) -> None:
    port = dossier.base_url.rpartition(":")[2]
    with new_folder() as folder:
        second = dateline("serve", "--no-demo", DATELINE_DATA_DIR=str(folder), DATELINE_PORT=port)
        assert not (folder / "postgres").exists(), "nothing was started for it"
    assert second.returncode == 1
    assert second.stderr.startswith(f"Port {port} of 127.0.0.1 cannot be served on: Address already in use.")
    assert "DATELINE_PORT" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize("command", [("serve",), ("key", "create", "--scope", "read", "--name", "a")])
def test_a_misspelt_setting_is_an_error_that_names_the_nearest(command: tuple[str, ...]) -> None:
    ended = dateline(*command, DATELINE_PROT="8001", DATELINE_WORKERS="none")
    assert ended.returncode == 1
    assert ended.stdout == ""
    misspelt, wrong = ended.stderr.splitlines()
    assert "DATELINE_PROT" in misspelt
    assert "DATELINE_PORT" in misspelt
    assert "DATELINE_WORKERS" in wrong


def test_check_tells_versions_and_what_is_missing(dossier: Live) -> None:
    beside = dateline("check", DATELINE_DATA_DIR=str(dossier.data_dir))
    assert beside.returncode == 0, beside.stderr
    told = dict(re.split(r"  +", line, maxsplit=1) for line in beside.stdout.splitlines())
    head = httpx.get(f"{dossier.base_url}/v1").json()["revision"]
    assert told["database"].startswith("PostgreSQL 18.")
    assert told["schema"] == f"{newest()} (this version needs {newest()})"
    assert told["head"] == f"revision {head}"
    assert told["write keys"] == "yes"
    with new_folder() as folder:
        alone = dateline("check", DATELINE_DATA_DIR=str(folder))
    assert alone.returncode == 1
    assert "schema      none" in alone.stdout
    assert "run `dateline migrate`" in alone.stderr


def test_the_diff_on_a_terminal_is_the_note_of_the_interface(dossier: Live) -> None:
    printed = dateline("diff", "base_revision=2", "head_revision=3", DATELINE_DATA_DIR=str(dossier.data_dir))
    assert printed.returncode == 0, printed.stderr
    query = {"base_revision": 2, "head_revision": 3}
    served_note = httpx.get(f"{dossier.base_url}/v1/diff", params=query, headers={"Accept": "text/markdown"})
    assert printed.stdout == served_note.text
    assert printed.stdout.startswith("# Changes from revision 2 to revision 3\n")
    wrong = dateline("diff", "base_revison=2", DATELINE_DATA_DIR=str(dossier.data_dir))
    assert wrong.returncode == 1
    assert "base_revision" in wrong.stderr


# --- A database of somebody else's


def test_an_external_database_serves_and_may_go_and_come_back() -> None:
    with new_folder() as theirs, new_folder() as ours, EmbeddedPostgres(theirs) as server:
        with served(ours, DATELINE_DATABASE_URL=server.dsn) as service, writer_of(service) as client:
            assert not ours.exists(), "nothing of its own is made"
            assert client.get("/v1").json()["revision"] == 0, "nor is the demo loaded into it"
            made = client.post("/v1/events", json={"title": "A"})
            assert made.status_code == 201
            server.stop()
            for request in (client.get("/v1/events"), client.post("/v1/events", json={"title": "B"})):
                check_problem(request)
            assert httpx.get(f"{service.base_url}/healthz").status_code == 200
            check_problem(client.get("/readyz"))
            server.start()
            wait_for(lambda: client.get("/readyz").status_code == 200, "the service to find its database again")
            assert [event["id"] for event in client.get("/v1/events").json()["items"]] == [made.json()["id"]]
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(WAIT_SECONDS_MAX) == 0
        told = dateline("check", DATELINE_DATABASE_URL=server.dsn)
        assert told.returncode == 0, told.stderr
        assert "head        revision 1\n" in told.stdout
    unreached: dict[str, Any] = {"DATELINE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    for command in ("serve", "check"):
        ended = dateline(command, **unreached)
        assert ended.returncode == 1
        assert ended.stderr.startswith("The database cannot be reached: ")
        assert "Traceback" not in ended.stderr


def test_a_schema_from_the_future_is_refused() -> None:
    with new_folder() as folder, EmbeddedPostgres(folder) as server:
        asyncio.run(migrate(server.dsn))
        ask(server.dsn, "UPDATE alembic_version SET version_num = '9999'")
        for command in ("serve", "check"):
            ended = dateline(command, DATELINE_DATABASE_URL=server.dsn)
            assert ended.returncode == 1
            assert "9999" in ended.stdout + ended.stderr
            assert "Traceback" not in ended.stderr
