"""The data folder: who may use it, what is in it before a server runs, and the making of the cluster.

One data folder holds one cluster and everything about it:

    dateline.lock         locked by the process that supervises the cluster; its process id
    postgres/             the cluster, private to the account PostgreSQL runs as
    run/                  its socket, there being no TCP; elsewhere when this path cannot be an address
    hba.conf, ident.conf  who may connect: the operating system accounts named there, nobody else
    postgres.log          the server's log, and the part before it (`postgres.log.1`)
    postgresql-18.x.y/    a copy of the programs, where PostgreSQL's account cannot reach the installed ones
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
import time
from collections.abc import Callable
from pathlib import Path

from service.storage import privilege
from service.storage.processes import short_name
from service.storage.programs import PROGRAMS, EmbeddedError, copy_programs, flush, installed

ROLE = "dateline"
DATABASE = "dateline"

LOCK = "dateline.lock"

SOCKET_PORT = 5432  # Only the last part of the socket's name: nothing listens on TCP.
SOCKET_PATH_BYTES_MAX = 103  # The kernel's limit: 103 on macOS, 107 on Linux.
# What a connection address can hold as it is; asyncpg splits hosts on commas, SQLAlchemy on colons.
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")

START_SECONDS_MAX = 600.0  # Recovery after a crash takes as long as the log it has to replay.
COMMAND_SECONDS_MAX = 60.0  # How long a short command may keep a service waiting, or wait for one.
REMOVE_SECONDS_MAX = 5.0
POLL_SECONDS = 0.02
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


class DataFolder:
    """One data folder, from when it is claimed until it is given back. `brief` marks a short command.

    account: as whom PostgreSQL runs; programs: the folder of those that it can run; log: the descriptor of its log.
    """

    def __init__(self, path: Path, report: Callable[[str], None], *, brief: bool) -> None:
        self.path = Path(os.path.realpath(path))
        self.cluster = self.path / "postgres"
        self._report = report
        self._brief = brief
        self._held = contextlib.ExitStack()  # The lock and the log.

    def close(self) -> None:
        """Give the folder back. Once is enough."""
        self._held.close()

    def claim(self) -> None:
        """Make the folder if need be and lock it, having seen that it is ours to use."""
        as_root = os.geteuid() == 0
        try:
            self.path.mkdir(mode=0o711 if as_root else 0o700, parents=True, exist_ok=True)
            found = {entry.name for entry in self.path.iterdir()} - {"lost+found"}
            if found and LOCK not in found:
                what = "is a PostgreSQL data folder itself" if "PG_VERSION" in found else "is not empty"
                raise NotOursError(
                    f"{self.path} {what} and was not made by dateline: set DATELINE_DATA_DIR to a new "
                    "or an empty folder"
                )
            folder = self.path.stat()
            if as_root and folder.st_uid == 0:
                self.path.chmod(stat.S_IMODE(folder.st_mode) | stat.S_IXOTH)
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
                raise InUseError(self.path, pid, brief=kind != "service")
            if not waiting:
                self._report(f"Waiting for another command to give {self.path} back")
                waiting = True
            time.sleep(POLL_SECONDS)
        self._held.callback(os.ftruncate, lock, 0)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()} {'command' if self._brief else 'service'}\n".encode(), 0)

    def prepare(self) -> None:
        """Settle who runs which programs, make the cluster if there is none, and say who may connect."""
        for leftover in self.path.glob("*.new-*"):
            _remove(leftover)
        exists = self.cluster.exists()
        owner = (self.cluster if exists else self.path).stat().st_uid
        self.account = privilege.unprivileged_account(owner)
        self.log = self._open("postgres.log", os.O_RDWR | os.O_APPEND)
        package, version = installed()
        ours = version.partition(".")[0]
        if exists and (found := (self.cluster / "PG_VERSION").read_text().strip()) != ours:
            raise WrongVersionError(self.path, found, ours)
        self.programs = self._reachable(package, version)
        if not exists:
            self._make_cluster(ours)
        self.socket_folder = self._private(_socket_folder(self.path, self.account.pw_uid))
        users = {privilege.account_of(os.geteuid()).pw_name, self.account.pw_name, "root"}
        identities = [f'os "{user}" {ROLE}\n' for user in sorted(users)]
        identities.append(f'os "{self.account.pw_name}" postgres\n')
        self.place("hba.conf", b"local all all peer map=os\n", 0o644)
        self.place("ident.conf", "".join(identities).encode(), 0o644)

    def _reachable(self, package: Path, version: str) -> Path:
        """The folder of programs that the account can run: the installed one, or else a copy of our own."""
        installed = package / PROGRAMS
        if os.geteuid() != 0:
            return installed
        copy = self.path / f"postgresql-{version}"
        copied = copy / package.name / PROGRAMS
        if not copy.exists():
            if self._probe(installed).returncode == 0:
                return installed
            self._report(f"Copying the PostgreSQL programs to where user {self.account.pw_name} can run them")
            for old in self.path.glob("postgresql-*"):
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
        self._report(f"Making a PostgreSQL {version} store in {self.path}")
        fresh = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self.path))
        self._give(fresh)
        durability = ["--data-checksums", f"--sync-method={SYNC_METHOD}"]
        locale = ["--locale-provider=builtin", "--locale=C.UTF-8", "--encoding=UTF8"]
        access = ["--username=postgres", "--auth-local=peer", "--auth-host=reject"]
        settings = [f"--set={name}={value}" for name, value in INITIAL_SETTINGS.items()]
        self._run("initdb", "-D", str(fresh), *durability, *locale, *access, *settings)
        single = ["--single", "-D", str(fresh), "-c", "exit_on_error=on", "template1"]
        self._run("postgres", *single, text=CREATE_DATABASE)
        fresh.rename(self.cluster)
        flush(self.path)

    def _run(self, program: str, *arguments: str, text: str = "") -> None:
        done = self._complete([str(self.programs / program), *arguments], text)
        if done.returncode != 0:
            said = (done.stderr or done.stdout)[-TAIL_BYTES:].strip()
            raise StartFailedError(f"{program} ended with {ending(done.returncode)}: {said}")

    def _complete(self, program: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(  # noqa: S603 (PostgreSQL's own program)
            privilege.command_as(self.account, self.path, signal.SIGKILL, program),
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=environment(),
            start_new_session=True,
            timeout=START_SECONDS_MAX,
            check=False,
        )
        if done.returncode == privilege.EXIT_BARRED:
            raise UnreachableError(done.stderr, self.account.pw_name)
        return done

    def _open(self, name: str, flags: int) -> int:
        """Open a file of the data folder until stop; a new one is private to the folder's owner."""
        path, flags = self.path / name, flags | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
            self._held.callback(os.close, descriptor)
            if os.geteuid() == 0:
                owner = self.path.stat()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
        except FileExistsError:
            descriptor = os.open(path, flags)
            self._held.callback(os.close, descriptor)
        return descriptor

    def place(self, name: str, content: bytes, mode: int) -> None:
        """Write a whole file of the data folder, by rename."""
        descriptor, temporary = tempfile.mkstemp(prefix=f"{name}.new-", dir=self.path)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, mode)
        Path(temporary).replace(self.path / name)

    def _give(self, folder: Path) -> None:
        if os.geteuid() == 0:
            os.chown(folder, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)

    def _private(self, folder: Path) -> Path:
        """The folder, made if need be, once it is certain that only the account (and root) can enter it."""
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        ours = found.st_uid in {self.account.pw_uid, os.geteuid()}
        if not (stat.S_ISDIR(found.st_mode) and ours and stat.S_IMODE(found.st_mode) & 0o077 == 0):
            raise NotOursError(f"{folder} is not a private folder of user {self.account.pw_name}: remove it")
        self._give(folder)
        return folder


def _socket_folder(data_dir: Path, uid: int) -> Path:
    """`run` in the data folder, or a short folder named after it where that path cannot be an address."""
    folder = data_dir / "run"
    length = len(os.fsencode(folder / f".s.PGSQL.{SOCKET_PORT}"))
    if length <= SOCKET_PATH_BYTES_MAX and PLAIN_PATH.fullmatch(str(folder)):
        return folder
    return Path("/tmp", f"{short_name(data_dir)}-{uid}")  # noqa: S108 (its owner and mode are checked)


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


def environment() -> dict[str, str]:
    """All that PostgreSQL sees of the environment: no PG*, LC_* or LD_* of ours."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def ending(status: int) -> str:
    return f"status {status}" if status >= 0 else f"signal {-status}"
